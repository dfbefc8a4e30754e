package service_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
)

// addressesAt are n addresses that nobody has yet.
func addressesAt(prefix, domain string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("%s%d@%s", prefix, i, domain)
	}
	return list
}

// limit sets a limit.
func (s *school) limit(name lms.LimitName, amount int64) {
	s.tb.Helper()
	if _, err := s.SetLimit(ctx, s.admin, name, amount); err != nil {
		s.tb.Fatal(err)
	}
}

// unlimited sets the limits so high that a test about something else never meets them.
func (s *school) unlimited() {
	s.tb.Helper()
	for _, l := range lms.Limits() {
		s.limit(l.Name, lms.MaxLimit)
	}
}

// lift lifts a limit for a while.
func (s *school) lift(n service.NewLift, d time.Duration) int64 {
	s.tb.Helper()
	n.Until = s.clock.now().Add(d)
	l, err := s.Lift(ctx, s.admin, n, nil)
	if err != nil {
		s.tb.Fatal(err)
	}
	return l.ID
}

func (s *school) tryEnroll(by access.Caller, course int64, emails ...string) error {
	_, err := s.Enroll(ctx, by, service.EnrollRequest{CourseID: course, Role: "student", Emails: emails, Source: lms.SourcePaste, ConfirmOutside: true})
	return err
}

// tooMany makes sure that something was refused by a limit, and tells after how long it
// makes sense to try again.
func tooMany(tb testing.TB, what string, err error, typ string) time.Duration {
	tb.Helper()
	refused(tb, what, err, lms.CodeTooMany, typ)
	var e *lms.Error
	if !errors.As(err, &e) || e.RetryAfter <= 0 {
		tb.Errorf("%s: nothing says when to try again: %v", what, err)
		return 0
	}
	return e.RetryAfter
}

// G-09: more is asked for on three nodes at once than the limit of a person allows, and
// exactly as much as that is done.
func TestG09LimitsHoldOverAllNodesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		const limit, workers, each = 200, 12, 25
		s.limit(lms.LimitNamingPerson, limit)
		ada := s.teacher("ada@uni.example")
		node := s.grow(3)
		var courses []int64
		for i := range 4 { // else they would wait for each other at the course
			courses = append(courses, s.course(ada, fmt.Sprintf("Course %d", i)))
		}
		before := s.count("users")
		var done, over atomic.Int64
		var wait sync.WaitGroup
		for w := range workers {
			wait.Go(func() {
				for i := range each {
					_, err := node(w).Enroll(ctx, ada, service.EnrollRequest{
						CourseID: courses[(w+i)%len(courses)], Role: "student", Emails: []string{fmt.Sprintf("p%d-%d@uni.example", w, i)}, Source: lms.SourcePaste,
					})
					switch lms.CodeOf(err) {
					case "":
						done.Add(1)
					case lms.CodeTooMany:
						over.Add(1)
					default:
						t.Error(err)
					}
				}
			})
		}
		wait.Wait()
		if done.Load() != limit || over.Load() != workers*each-limit || s.count("users")-before != limit {
			t.Errorf("%d done, %d refused and %d people made, with a limit of %d and %d asked for", done.Load(), over.Load(), s.count("users")-before, limit, workers*each)
		}
		// A hundred refusals leave one entry.
		if n := s.count(`audit_entries WHERE outcome = 'refused' AND reason = 'too-many-named'`); n != 1 {
			t.Errorf("%d entries of refusals, want 1", n)
		}
		// The override by an administrator is on record, on every node at once.
		s.lift(service.NewLift{Limit: lms.LimitNamingPerson, Person: byID(ada.UserID), Reason: "Open day"}, time.Hour)
		e := s.lastEntry()
		if e.Action != string(access.LimitLift) || e.SubjectID != ada.UserID || e.ActorID != s.admin.UserID || !strings.Contains(string(e.After), "naming-person") {
			t.Errorf("on record is %+v", e)
		}
		for i := range 3 {
			if _, err := node(i).Enroll(ctx, ada, service.EnrollRequest{CourseID: courses[0], Role: "student", Emails: addressesAt(fmt.Sprintf("more%d-", i), "uni.example", 10), Source: lms.SourcePaste}); err != nil {
				t.Errorf("lifted, on node %d: %v", i, err)
			}
		}
	})
}

// F-37: a spam list of 5,000 strangers does not get far, whole or in pieces, while a
// class of 300 is named by the same person without anybody's help.
func TestF37AListOfStrangersIsStopped(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		eve := s.teacher("eve@uni.example")
		course := s.course(eve, "WIN 1M at x.cn")
		if err := s.tryEnroll(eve, course, addressesAt("pupil", "uni.example", 300)...); err != nil {
			t.Errorf("a class of 300: %v", err)
		}
		before := s.count("users")
		strangers := addressesAt("stranger", "mail.example", 5000)
		wait := tooMany(t, "all at once", s.tryEnroll(eve, course, strangers...), "too-many-named")
		if wait != 24*time.Hour || s.count("users") != before {
			t.Errorf("%d were made; free again in %s", s.count("users")-before, wait)
		}
		named := 0
		for i := 0; i < len(strangers); i += 50 {
			if err := s.tryEnroll(eve, course, strangers[i:i+50]...); err == nil {
				named += 50
			} else {
				tooMany(t, "fifty of them", err, "too-many-named")
			}
		}
		if named != 700 || s.count("users")-before != 700 {
			t.Errorf("%d strangers named, want 700 beside the class", named)
		}
	})
}

func TestWhatIsRefusedOrRolledBackDoesNotCountAndAPeriodFrees(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.limit(lms.LimitNamingPerson, 10)
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		if err := s.tryEnroll(ada, course, addressesAt("a", "uni.example", 6)...); err != nil {
			t.Fatal(err)
		}
		s.clock.advance(time.Hour)
		people := s.count("users")
		err := s.tryEnroll(ada, course, addressesAt("b", "uni.example", 5)...)
		if wait := tooMany(t, "five more", err, "too-many-named"); wait != 23*time.Hour {
			t.Errorf("free again in %s", wait)
		}
		for _, want := range []string{"at most 10 people", "it would be 11", "Nothing was changed", "2026-09-02 08:30 UTC", "An administrator can lift this limit for you"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not say %q", err, want)
			}
		}
		if s.count("users") != people {
			t.Error("some of them were made")
		}
		// A change that fails after the naming has used nothing either.
		_, err = s.SetPrivileges(ctx, ada, service.PrivilegeChange{CourseID: course, Person: byEmail("x@uni.example"), Allow: []string{"no.such"}})
		if err == nil || s.count("users") != people {
			t.Errorf("a grant of what there is not: %v", err)
		}
		// Four fit, by any door, and people who are known count for nothing.
		s.set(ada, course, byEmail("b0@uni.example"), []string{"roster.view"}, nil)
		if err := s.tryEnroll(ada, course, "b0@uni.example", "b1@uni.example", "b2@uni.example", "b3@uni.example", "root@uni.example"); err != nil {
			t.Errorf("four more: %v", err)
		}
		tooMany(t, "an eleventh", s.tryEnroll(ada, course, "c@uni.example"), "too-many-named")
		_, err = s.SetPrivileges(ctx, ada, service.PrivilegeChange{CourseID: course, Person: byEmail("c@uni.example"), Allow: []string{"roster.view"}})
		tooMany(t, "by a grant", err, "too-many-named")
		s.clock.advance(23*time.Hour - time.Second)
		tooMany(t, "a second before", s.tryEnroll(ada, course, "c@uni.example"), "too-many-named")
		s.clock.advance(2 * time.Second)
		if err := s.tryEnroll(ada, course, addressesAt("c", "uni.example", 10)...); err != nil {
			t.Errorf("the next day: %v", err)
		}
		err = s.tryEnroll(ada, course, addressesAt("d", "uni.example", 11)...)
		if tooMany(t, "eleven at once", err, "too-many-named"); !strings.Contains(err.Error(), "divide the list") {
			t.Errorf("more than ever fits: %v", err)
		}
		// Uses whose period is over are not kept.
		s.clock.advance(25 * time.Hour)
		if err := s.Expire(ctx); err != nil || s.count("limit_uses") != 0 {
			t.Errorf("%d uses are kept (%v)", s.count("limit_uses"), err)
		}
	})
}

func TestCoursesAndDomainsOutsideHaveLimitsOfTheirOwn(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.limit(lms.LimitNamingCourse, 8)
		s.limit(lms.LimitNamingDomain, 4)
		ada, bob := s.teacher("ada@uni.example"), s.teacher("bob@uni.example")
		course, other := s.course(ada, "Algorithms"), s.course(bob, "Compilers")
		if err := s.tryEnroll(ada, course, addressesAt("a", "uni.example", 8)...); err != nil {
			t.Errorf("a domain of the school's own: %v", err)
		}
		tooMany(t, "a ninth in the course", s.tryEnroll(ada, course, "b@uni.example"), "too-many-named")
		if err := s.tryEnroll(bob, other, addressesAt("c", "mail.example", 4)...); err != nil {
			t.Error(err)
		}
		err := s.tryEnroll(bob, other, "d@MAIL.example")
		if tooMany(t, "a fifth at the domain", err, "too-many-named"); !strings.Contains(err.Error(), "for the domain") {
			t.Errorf("%v", err)
		}
		if err := s.tryEnroll(bob, other, "d@partner.example", "e@home.example"); err != nil {
			t.Errorf("a provider's domain, and another one: %v", err)
		}
		// Administrators could lift the limits, and are not limited.
		if err := s.tryEnroll(s.admin, course, addressesAt("e", "mail.example", 50)...); err != nil {
			t.Errorf("an administrator: %v", err)
		}
		s.lift(service.NewLift{Limit: lms.LimitNamingCourse, CourseID: course}, time.Hour)
		if err := s.tryEnroll(ada, course, "b@uni.example"); err != nil {
			t.Errorf("lifted for the course: %v", err)
		}
		s.lift(service.NewLift{Limit: lms.LimitNamingDomain, Domain: "@Mail.example "}, time.Hour)
		if err := s.tryEnroll(bob, other, "d@mail.example"); err != nil {
			t.Errorf("lifted for the domain: %v", err)
		}
	}, func(o *service.Options) {
		o.NamingDomains = []string{"uni.example"}
		o.Providers = []signin.Provider{{Name: "partner", Domains: []string{"partner.example"}}}
	})
}

func TestALiftedLimitHoldsAgainWhenThatIsOver(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.limit(lms.LimitNamingPerson, 2)
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		first := s.lift(service.NewLift{Limit: lms.LimitNamingPerson, Person: byEmail("ADA@uni.example"), Reason: "  Open day "}, time.Hour)
		if err := s.tryEnroll(ada, course, addressesAt("a", "uni.example", 5)...); err != nil {
			t.Error(err)
		}
		page, err := s.Lifts(ctx, s.admin, true, 0, 10)
		if err != nil || len(page.Lifts) != 1 || page.Lifts[0].Reason != "Open day" || page.Lifts[0].Person.Email != "ada@uni.example" || page.Lifts[0].LiftedBy != s.admin.UserID {
			t.Errorf("lifted: %+v (%v)", page, err)
		}
		if err := s.EndLift(ctx, s.admin, first); err != nil {
			t.Error(err)
		}
		if e := s.lastEntry(); e.Action != string(access.LimitRestore) || e.SubjectID != ada.UserID {
			t.Errorf("on record is %+v", e)
		}
		tooMany(t, "ended early", s.tryEnroll(ada, course, "b@uni.example"), "too-many-named")
		entries := s.count("audit_entries")
		if err := s.EndLift(ctx, s.admin, first); err != nil || s.count("audit_entries") != entries {
			t.Errorf("ended twice: %v", err)
		}
		s.lift(service.NewLift{Limit: lms.LimitNamingPerson, Person: byID(ada.UserID)}, time.Hour)
		if err := s.tryEnroll(ada, course, "b@uni.example"); err != nil {
			t.Error(err)
		}
		s.clock.advance(time.Hour)
		tooMany(t, "over by itself", s.tryEnroll(ada, course, "c@uni.example"), "too-many-named")
		if page, err := s.Lifts(ctx, s.admin, true, 0, 10); err != nil || len(page.Lifts) != 0 {
			t.Errorf("in force: %+v (%v)", page, err)
		}
		if page, err := s.Lifts(ctx, s.admin, false, 0, 1); err != nil || len(page.Lifts) != 1 || page.Next == 0 {
			t.Errorf("of the last year: %+v (%v)", page, err)
		}
		soon := s.clock.now().Add(time.Hour)
		for what, c := range map[string]struct {
			n   service.NewLift
			typ string
		}{
			"no such limit":          {service.NewLift{Limit: "x", Until: soon}, "unknown-limit"},
			"one of networks":        {service.NewLift{Limit: lms.LimitFailures, Until: soon}, "unknown-limit"},
			"until yesterday":        {service.NewLift{Limit: lms.LimitNamingPerson, Person: byID(ada.UserID), Until: soon.AddDate(0, 0, -1)}, "lift-until"},
			"for ever":               {service.NewLift{Limit: lms.LimitNamingPerson, Person: byID(ada.UserID), Until: soon.AddDate(2, 0, 0)}, "lift-until"},
			"for nobody":             {service.NewLift{Limit: lms.LimitNamingPerson, Person: byEmail("nobody@uni.example"), Until: soon}, "unknown-person"},
			"for Matricula":          {service.NewLift{Limit: lms.LimitNamingPerson, Person: byID(lms.SystemUserID), Until: soon}, "unknown-person"},
			"for a course of nobody": {service.NewLift{Limit: lms.LimitNamingCourse, CourseID: 999, Until: soon}, "unknown-course"},
			"for no domain":          {service.NewLift{Limit: lms.LimitNamingDomain, Domain: "mail", Until: soon}, "unknown-domain"},
		} {
			refused(t, what, second(s.Lift(ctx, s.admin, c.n, nil)), lms.CodeInvalid, c.typ)
		}
		for what, err := range map[string]error{
			"lifting": second(s.Lift(ctx, ada, service.NewLift{Limit: lms.LimitNamingPerson, Person: byID(ada.UserID), Until: soon}, nil)),
			"setting": second(s.SetLimit(ctx, ada, lms.LimitNamingPerson, 5)), "ending": s.EndLift(ctx, ada, first), "reading": second(s.Limits(ctx, ada)), "listing": second(s.Lifts(ctx, ada, true, 0, 5)),
		} {
			refused(t, what, err, lms.CodeForbidden, "forbidden")
		}
		if n := s.count("limit_lifts"); n != 2 {
			t.Errorf("%d lifts are kept", n)
		}
		refused(t, "ending nothing", s.EndLift(ctx, s.admin, 999), lms.CodeNotFound, "not-found")
		s.clock.advance(366 * 24 * time.Hour) // what was lifted is remembered for a year
		if err := s.Expire(ctx); err != nil || s.count("limit_lifts") != 0 {
			t.Errorf("a year later %d are kept (%v)", s.count("limit_lifts"), err)
		}
	})
}

func TestAdministratorsSetLimitsForAllNodes(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		node := s.grow(2)
		s.limit(lms.LimitNamingPerson, 7)
		list, err := node(1).Limits(ctx, s.admin)
		if err != nil || len(list) != len(lms.Limits()) || list[0].Amount != 7 || list[0].SetBy != s.admin.UserID || list[1].Amount != list[1].Default {
			t.Errorf("%+v (%v)", list, err)
		}
		entries := s.count("audit_entries")
		s.limit(lms.LimitNamingPerson, 7)
		if s.count("audit_entries") != entries {
			t.Error("nothing was changed, and it is on record")
		}
		s.limit(lms.LimitNamingPerson, 0)
		if list, err := s.Limits(ctx, s.admin); err != nil || list[0].Amount != 1000 || list[0].SetBy != 0 {
			t.Errorf("as it was: %+v (%v)", list[0], err)
		}
		if e := s.lastEntry(); e.Action != string(access.LimitUpdate) || !strings.Contains(string(e.Before), "7") || !strings.Contains(string(e.After), "1000") {
			t.Errorf("on record is %s, %s", e.Before, e.After)
		}
		for _, amount := range []int64{-1, lms.MaxLimit + 1} {
			refused(t, "an impossible one", second(s.SetLimit(ctx, s.admin, lms.LimitNamingPerson, amount)), lms.CodeInvalid, "limit-amount")
		}
		refused(t, "no limit", second(s.SetLimit(ctx, s.admin, "x", 5)), lms.CodeNotFound, "not-found")
	})
}

// H-01: whoever walks the finder letter by letter is stopped, on all nodes together.
func TestH01FindingIsLimited(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.limit(lms.LimitFinding, 5)
		node := s.grow(3)
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		search := func(i int) error {
			return second(node(i).Directory(ctx, ada, service.DirectoryRequest{Search: fmt.Sprintf("a%d", i), Limit: 10}))
		}
		for i := range 3 {
			if err := search(i); err != nil {
				t.Error(err)
			}
		}
		if _, _, err := s.LookUpRef(ctx, ada, course, byEmail("nobody@uni.example")); err != nil {
			t.Error(err)
		}
		if _, err := s.CheckEnroll(ctx, ada, service.EnrollRequest{CourseID: course, Role: "student", Emails: []string{"nobody@uni.example"}}); err != nil {
			t.Error(err)
		}
		s.clock.advance(20 * time.Second)
		if wait := tooMany(t, "a sixth", search(1), "too-many-searches"); wait != 40*time.Second {
			t.Errorf("free again in %s", wait)
		}
		tooMany(t, "by address", third(s.LookUpRef(ctx, ada, course, byEmail("nobody@uni.example"))), "too-many-searches")
		tooMany(t, "by a list", second(s.CheckEnroll(ctx, ada, service.EnrollRequest{CourseID: course, Role: "student", Emails: []string{"nobody@uni.example"}})), "too-many-searches")
		if n := s.audited(access.DirectoryView, lms.OutcomeRefused); n != 1 {
			t.Errorf("%d refusals on record, want 1", n)
		}
		// What is no search goes on, and so does everybody else.
		if _, err := s.Directory(ctx, ada, service.DirectoryRequest{Limit: 10}); err != nil {
			t.Error(err)
		}
		for range 9 {
			if _, err := s.Directory(ctx, s.admin, service.DirectoryRequest{Search: "ada", Limit: 10}); err != nil {
				t.Errorf("an administrator: %v", err)
			}
		}
		s.clock.advance(41 * time.Second)
		if err := search(2); err != nil {
			t.Errorf("a minute later: %v", err)
		}
	})
}

func third[A, B any](_ A, _ B, err error) error { return err }

// Whoever lifts what is lifted already changes until when: one ending ends it.
func TestLiftingAgainTakesThePlaceOfWhatWasLifted(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.limit(lms.LimitNamingPerson, 2)
		ada, bob := s.teacher("ada@uni.example"), s.teacher("bob@uni.example")
		course := s.course(ada, "Algorithms")
		s.lift(service.NewLift{Limit: lms.LimitNamingPerson, Person: byID(bob.UserID), Reason: "another"}, time.Hour)
		s.lift(service.NewLift{Limit: lms.LimitNamingPerson, Person: byID(ada.UserID), Reason: "first"}, time.Hour)
		second := s.lift(service.NewLift{Limit: lms.LimitNamingPerson, Person: byID(ada.UserID), Reason: "second"}, 2*time.Hour)
		if e := s.lastEntry(); e.Action != string(access.LimitLift) || !strings.Contains(string(e.Before), "naming") {
			t.Errorf("on record is %+v", e)
		}
		page, err := s.Lifts(ctx, s.admin, true, 0, 10)
		if err != nil || len(page.Lifts) != 2 || page.Lifts[0].Reason != "second" || page.Lifts[1].Reason != "another" {
			t.Errorf("lifted: %+v (%v)", page, err)
		}
		if err := s.EndLift(ctx, s.admin, second); err != nil {
			t.Fatal(err)
		}
		tooMany(t, "ended", s.tryEnroll(ada, course, addressesAt("a", "uni.example", 3)...), "too-many-named")
	})
}
