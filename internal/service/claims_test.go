package service_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/store/storetest"
)

// asks asks for what waits for an address, and gives the number of the request.
func (s *school) asks(c access.Caller, email string) int64 {
	s.tb.Helper()
	q, err := s.AskClaim(ctx, c, email)
	if err != nil || q.Answer != lms.AnswerWaiting {
		s.tb.Fatalf("ask for %s: %+v (%v)", email, q, err)
	}
	return q.ID
}

// answered is how the newest request of somebody stands, as they see it.
func (s *school) answered(c access.Caller) service.ClaimAsked {
	s.tb.Helper()
	p, err := s.ClaimsAsked(ctx, c, 0, 1)
	if err != nil || len(p.Requests) != 1 {
		s.tb.Fatalf("own requests %+v (%v)", p, err)
	}
	return p.Requests[0]
}

// shownIn are the numbers of the requests that somebody sees in a course.
func (s *school) shownIn(c access.Caller, course int64) []int64 {
	s.tb.Helper()
	p, err := s.ClaimsIn(ctx, c, course, 0, 50)
	if err != nil {
		s.tb.Fatal(err)
	}
	var ids []int64
	for _, q := range p.Requests {
		ids = append(ids, q.ID)
	}
	return ids
}

// standingOf is somebody's place in a course.
func (s *school) standingOf(course int64, c access.Caller) lms.Member {
	s.tb.Helper()
	m, ok, err := s.store.Reader().Member(ctx, course, c.UserID)
	if err != nil || !ok {
		s.tb.Fatalf("member %d: %v (%v)", c.UserID, ok, err)
	}
	return m
}

// entryOf is the newest entry of an action about somebody.
func (s *school) entryOf(a access.Action, about int64) lms.AuditRecord {
	s.tb.Helper()
	p, err := s.Audit(ctx, s.admin, service.AuditRequest{PersonID: about, Actions: []access.Action{a}, Limit: 20})
	if err != nil {
		s.tb.Fatal(err)
	}
	for _, e := range p.Entries {
		if e.SubjectID == about {
			return e
		}
	}
	s.tb.Fatalf("no entry of %s about user %d", a, about)
	return lms.AuditRecord{}
}

func (s *school) claimState(id int64) string {
	s.tb.Helper()
	return storetest.Query1[string](s.tb, s.raw, `SELECT state FROM claim_requests WHERE id = $1`, id)
}

// The case of the issue: somebody signed in as x@gmail.com, and something waits for
// their school address in the courses of two teachers.
func TestA34WhatWaitsForTheSchoolAddressIsGivenCourseByCourse(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, bob := s.teacher("ada@uni.example"), s.teacher("bob@uni.example")
		algorithms, compilers := s.course(ada, "Algorithms"), s.course(bob, "Compilers")
		waits := s.enroll(ada, algorithms, "student", "grace@uni.example")[0]
		s.enroll(bob, compilers, "student", "grace@uni.example")
		s.set(ada, algorithms, byID(waits), []string{"audit.view"}, []string{"roster.view"})
		section, err := s.CreateSection(ctx, ada, algorithms, "Lab A", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.ChangePlace(ctx, ada, service.DetailsChange{CourseID: algorithms, UserID: waits, SectionID: ptr(section.ID), Number: ptr("4711")}); err != nil {
			t.Fatal(err)
		}
		x := s.person("x@gmail.com")
		id := s.asks(x, " Grace@UNI.example ")
		if again := s.asks(x, "grace@uni.example"); again != id {
			t.Errorf("asked again, it is another request: %d and %d", id, again)
		}
		if q := s.answered(x); q.Address != "g***@uni.example" {
			t.Errorf("the requester sees %+v", q)
		}

		p, err := s.ClaimsIn(ctx, ada, algorithms, 0, 10)
		if err != nil || len(p.Requests) != 1 {
			t.Fatalf("the teacher sees %+v (%v)", p, err)
		}
		q := p.Requests[0]
		if q.Requester.Email != "x@gmail.com" || q.Waits.Email != "grace@uni.example" || q.Why != nil || q.Gone.Enrollment == nil || q.Place.Member.Enrollment.Number != "4711" {
			t.Errorf("the teacher sees %+v", q)
		}
		counts, err := s.CountClaimsIn(ctx, ada, []service.CourseView{{Course: lms.Course{ID: algorithms}, Member: s.standingOf(algorithms, ada)}})
		if err != nil || counts[algorithms] != 1 {
			t.Errorf("counted %v (%v)", counts, err)
		}
		if err := s.ApproveClaim(ctx, ada, algorithms, id); err != nil {
			t.Fatal(err)
		}
		m, err := s.Access(ctx, ada, algorithms, x.UserID)
		if err != nil || m.Member.Enrollment == nil || m.Member.Enrollment.Role.Key != "student" || m.Member.Enrollment.AddedBy != ada.UserID ||
			m.Member.Enrollment.SectionID != section.ID || m.Member.Enrollment.Number != "4711" || m.Member.Grant == nil || m.Member.Grant.GrantedBy != ada.UserID {
			t.Errorf("the place that was given: %+v (%v)", m.Member, err)
		}
		if got := s.held(algorithms, x.UserID); got != "audit.view" {
			t.Errorf("there they may %q", got)
		}
		if n := s.count(`enrollments WHERE course_id = $1 AND user_id = $2`, algorithms, waits) + s.count(`course_privileges WHERE user_id = $1`, waits); n != 0 {
			t.Errorf("%d rows of the course still wait", n)
		}
		// The other course is another teacher's to give, and whoever asked does not
		// learn that there is one.
		if q := s.answered(x); q.Answer != lms.AnswerApproved {
			t.Errorf("the requester sees %+v", q)
		}
		if n := s.count(`enrollments WHERE course_id = $1 AND user_id = $2`, compilers, x.UserID); n != 0 {
			t.Error("the other teacher's course was given too")
		}
		if ids := s.shownIn(ada, algorithms); len(ids) != 0 {
			t.Errorf("the first teacher still sees %v", ids)
		}
		refused(t, "approved twice", s.ApproveClaim(ctx, ada, algorithms, id), lms.CodeConflict, "already-decided")

		// The address is no more theirs than before: its owner finds what is left.
		if n := s.count(`emails WHERE address = 'grace@uni.example' AND user_id = $1`, waits); n != 1 {
			t.Error("the address was moved on a teacher's word")
		}
		if err := s.ApproveClaim(ctx, bob, compilers, id); err != nil {
			t.Fatal(err)
		}
		if state := s.claimState(id); state != "approved" {
			t.Errorf("with nothing left to give, the request is %s", state)
		}
		if in, err := s.SignIn(ctx, campus, token("g", "grace@uni.example"), "T", ""); err != nil || in.User.ID != waits || in.Outcome != signin.Claim {
			t.Errorf("the owner of the address: %+v (%v)", in.User, err)
		}
		if asked, done := s.audited(access.ClaimAsk, lms.OutcomeDone), s.audited(access.ClaimApprove, lms.OutcomeDone); asked != 1 || done != 4 {
			t.Errorf("the audit has %d requests and %d entries of approvals, want 1 and two for each course", asked, done)
		}
		// It can be taken back: the place that ended is among the past ones.
		past, err := s.PastPeople(ctx, ada, algorithms, 0, 10)
		if err != nil || len(past.People) != 1 || past.People[0].User.ID != waits || past.People[0].EndedBy != ada.UserID {
			t.Errorf("past places %+v (%v)", past, err)
		}
	})
}

// H-02: whoever asks learns nothing about an address, at once or later: the answer, and
// the number of steps that it takes, are the same for all of them.
func TestH02TheAnswerToARequestIsTheSameForEveryAddress(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		addresses := []string{"pending@uni.example", "active@uni.example", "unknown@uni.example", "suspended@uni.example", "gone@uni.example", "erased@uni.example"}
		ids := s.enroll(ada, course, "student", "pending@uni.example", "active@uni.example", "suspended@uni.example", "gone@uni.example", "erased@uni.example")
		s.person("active@uni.example")
		s.suspend(ids[2])
		if err := s.Withdraw(ctx, ada, ids[3]); err != nil {
			t.Fatal(err)
		}
		s.person("erased@uni.example")
		if _, err := s.EraseUser(ctx, s.admin, ids[4], service.Leaving{}); err != nil {
			t.Fatal(err)
		}
		asking := make([]access.Caller, len(addresses))
		for i := range addresses {
			asking[i] = s.person(fmt.Sprintf("x%d@gmail.com", i))
		}
		s.asks(s.person("first@gmail.com"), "warm@uni.example")
		var first service.ClaimAsked
		var steps int64
		for i, address := range addresses {
			before := s.store.Ran()
			q, err := s.AskClaim(ctx, asking[i], address)
			took := s.store.Ran() - before
			if err != nil || q.Address != address[:1]+"***@uni.example" {
				t.Fatalf("%s: %+v (%v)", address, q, err)
			}
			q.ID, q.Address = 0, ""
			if i == 0 {
				first, steps = q, took
			}
			if q != first || took != steps {
				t.Errorf("%s: %+v in %d steps; for who is waited for: %+v in %d", address, q, took, first, steps)
			}
		}
		// Nor does it change when whoever is meant arrives, or the mail is sent.
		if err := s.TellClaims(ctx); err != nil {
			t.Fatal(err)
		}
		s.person("pending@uni.example")
		if err := s.Expire(ctx); err != nil {
			t.Fatal(err)
		}
		for i, address := range addresses {
			q := s.answered(asking[i])
			q.ID, q.Address = 0, ""
			if q != first {
				t.Errorf("%s, later: %+v, want %+v", address, q, first)
			}
			if again, err := s.AskClaim(ctx, asking[i], address); err != nil || again.Answer != lms.AnswerWaiting || again.ExpiresAt != first.ExpiresAt {
				t.Errorf("%s, asked again: %+v (%v)", address, again, err)
			}
		}
		s.clock.advance(15 * 24 * time.Hour)
		for i, address := range addresses {
			if q := s.answered(asking[i]); q.Answer != lms.AnswerOver {
				t.Errorf("%s, in the end: %+v", address, q)
			}
		}
	})
}

func TestG09RequestsForAddressesAreFewInADay(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		x := s.person("x@gmail.com")
		node := s.grow(3)
		errs := make([]error, 12)
		together(len(errs), func(i int) { _, errs[i] = node(i).AskClaim(ctx, x, fmt.Sprintf("a%d@uni.example", i)) })
		done := 0
		for _, err := range errs {
			if err == nil {
				done++
			} else if lms.TypeOf(err) != "too-many-claims" || lms.CodeOf(err) != lms.CodeTooMany {
				t.Errorf("one more: %v", err)
			}
		}
		if done != 5 {
			t.Errorf("%d requests in a day, want 5", done)
		}
		s.clock.advance(25 * time.Hour)
		s.asks(x, "next@uni.example")
		for typed, typ := range map[string]string{"x@gmail.com": "address-yours", "nobody": "address-no-at"} {
			if _, err := s.AskClaim(ctx, x, typed); lms.TypeOf(err) != typ {
				t.Errorf("%s: %v (%s)", typed, err, lms.TypeOf(err))
			}
		}
	})
}

func TestC06NobodyApprovesTheirOwnRequest(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		s.enroll(ada, course, "teacher", "root.second@uni.example", "ada.second@uni.example")
		for _, c := range []access.Caller{ada, s.admin} {
			email := map[int64]string{ada.UserID: "ada.second@uni.example", s.admin.UserID: "root.second@uni.example"}[c.UserID]
			id := s.asks(c, email)
			if ids := s.shownIn(c, course); slices.Contains(ids, id) {
				t.Errorf("%s is shown their own request", email)
			}
			refused(t, email, s.ApproveClaim(ctx, c, course, id), lms.CodeForbidden, "self-change")
			refused(t, email, s.RefuseClaim(ctx, c, course, id, ""), lms.CodeForbidden, "self-change")
		}
		refused(t, "all of it", s.RejectClaim(ctx, s.admin, s.answered(s.admin).ID, ""), lms.CodeForbidden, "self-change")
		if p, err := s.OpenClaims(ctx, s.admin, 0, 10); err != nil || len(p.Requests) != 1 || p.Requests[0].Requester.ID != ada.UserID {
			t.Errorf("the administrator sees %+v (%v)", p, err)
		}
	})
}

// C-05: what is handed over is no more than whoever approves could give themselves, and
// never a course or a role on the site.
func TestC05ApprovingGivesNoMoreThanTheCallerHolds(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		teacher, assistant := s.member(ada, course, "teacher", "bob@uni.example"), s.member(ada, course, "assistant", "eve@uni.example")
		s.enroll(ada, course, "owner", "owner@uni.example")
		s.enroll(ada, course, "teacher", "staff@uni.example")
		more := s.enroll(ada, course, "student", "more@uni.example")[0]
		s.set(ada, course, byID(more), []string{"course.archive"}, nil)
		if _, err := s.NamePerson(ctx, s.admin, service.NewPerson{Email: "site@uni.example", SiteRole: "admin"}, nil); err != nil {
			t.Fatal(err)
		}
		s.enroll(ada, course, "student", "site@uni.example")
		before := s.dump("audit_entries", "claim_requests")
		x := s.person("x@gmail.com")
		for _, c := range []struct {
			who   string
			by    access.Caller
			email string
			typ   string
		}{
			{"an assistant, staff", assistant, "staff@uni.example", "forbidden"},
			{"a teacher, who owns the course", teacher, "owner@uni.example", "claim-owner"},
			{"an owner, who owns the course", ada, "owner@uni.example", "claim-owner"},
			{"a teacher, more than they hold", teacher, "more@uni.example", "beyond-own-privileges"},
		} {
			id := s.asks(x, c.email)
			refused(t, c.who, s.ApproveClaim(ctx, c.by, course, id), lms.CodeForbidden, c.typ)
			p, err := s.ClaimsIn(ctx, c.by, course, 0, 1)
			if err != nil || len(p.Requests) != 1 || lms.TypeOf(p.Requests[0].Why) != c.typ {
				t.Errorf("%s, beforehand: %+v (%v)", c.who, p, err)
			}
		}
		after := s.dump("audit_entries", "claim_requests")
		for _, table := range []string{"enrollments", "course_privileges", "past_places", "claim_decisions"} {
			same(t, table, after[table], before[table])
		}
		// The place of somebody with a role on the site is a place like any other; the
		// role stays with the address.
		if err := s.ApproveClaim(ctx, assistant, course, s.asks(x, "site@uni.example")); err != nil {
			t.Fatal(err)
		}
		if role := s.user(x.UserID).SiteRole; role != lms.SiteMember {
			t.Errorf("on the site they are %s", role)
		}
		if role := s.user(s.idOfEmail("site@uni.example")).SiteRole; role != lms.SiteAdmin {
			t.Errorf("the address has %s", role)
		}
	})
}

// C-02: a request is nothing to those who have nothing to do with whom it is about.
func TestC02ARequestIsHiddenFromThoseWhomItDoesNotConcern(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, bob := s.teacher("ada@uni.example"), s.teacher("bob@uni.example")
		algorithms, compilers := s.course(ada, "Algorithms"), s.course(bob, "Compilers")
		s.enroll(ada, algorithms, "student", "grace@uni.example")
		student := s.member(ada, algorithms, "student", "sam@uni.example")
		x := s.person("x@gmail.com")
		id := s.asks(x, "grace@uni.example")
		for _, c := range []access.Caller{bob, x} {
			refused(t, "another's course", s.ApproveClaim(ctx, c, algorithms, id), lms.CodeNotFound, "not-found")
		}
		for _, n := range []int64{id, id + 1000} {
			refused(t, "by one's own course", s.ApproveClaim(ctx, bob, compilers, n), lms.CodeNotFound, "not-found")
			refused(t, "by one's own course", s.RefuseClaim(ctx, bob, compilers, n, ""), lms.CodeNotFound, "not-found")
		}
		refused(t, "a student", s.ApproveClaim(ctx, student, algorithms, id), lms.CodeForbidden, "forbidden")
		refused(t, "a student", s.RejectClaim(ctx, student, id, ""), lms.CodeForbidden, "forbidden")
		refused(t, "another's request", s.WithdrawClaim(ctx, student, id), lms.CodeNotFound, "not-found")
		if _, err := s.ClaimsIn(ctx, student, algorithms, 0, 10); lms.CodeOf(err) != lms.CodeForbidden {
			t.Errorf("a student looks: %v", err)
		}
		if ids := s.shownIn(bob, compilers); len(ids) != 0 {
			t.Errorf("the other teacher sees %v", ids)
		}
		// Whoever is limited to a section decides about its people alone.
		labs := []lms.Section{}
		for _, name := range []string{"A", "B"} {
			lab, err := s.CreateSection(ctx, ada, algorithms, name, nil)
			if err != nil {
				t.Fatal(err)
			}
			labs = append(labs, lab)
		}
		tutor := s.member(ada, algorithms, "assistant", "tutor@uni.example")
		limit := func(lab lms.Section) {
			t.Helper()
			if _, err := s.ChangePlace(ctx, ada, service.DetailsChange{CourseID: algorithms, UserID: tutor.UserID, LimitedTo: &[]int64{lab.ID}}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.ChangePlace(ctx, ada, service.DetailsChange{CourseID: algorithms, UserID: s.idOfEmail("grace@uni.example"), SectionID: ptr(labs[0].ID)}); err != nil {
			t.Fatal(err)
		}
		limit(labs[1])
		if ids := s.shownIn(tutor, algorithms); len(ids) != 0 {
			t.Errorf("the tutor of another section sees %v", ids)
		}
		refused(t, "the tutor of another section", s.ApproveClaim(ctx, tutor, algorithms, id), lms.CodeNotFound, "not-found")
		limit(labs[0])
		if ids := s.shownIn(tutor, algorithms); len(ids) != 1 {
			t.Errorf("the tutor of the section sees %v", ids)
		}
		if err := s.ApproveClaim(ctx, tutor, algorithms, id); err != nil {
			t.Errorf("the tutor of the section: %v", err)
		}
	})
}

func TestWhoIsInTheCourseAlreadyKeepsTheHigherRoleAndDenyWins(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		x := s.member(ada, course, "student", "x@gmail.com")
		s.set(ada, course, byID(x.UserID), nil, []string{"roster.manage"})
		waits := s.enroll(ada, course, "assistant", "grace@uni.example")[0]
		s.set(ada, course, byID(waits), []string{"audit.view"}, nil)
		if err := s.ApproveClaim(ctx, ada, course, s.asks(x, "grace@uni.example")); err != nil {
			t.Fatal(err)
		}
		if got := s.held(course, x.UserID); got != "roster.view audit.view" {
			t.Errorf("an assistant who may not manage the roster may %q", got)
		}
		if e := s.entryOf(access.ClaimApprove, x.UserID); !strings.Contains(string(e.Before), `"role":"student"`) || !strings.Contains(string(e.After), `"role":"assistant"`) {
			t.Errorf("recorded %s and %s", e.Before, e.After)
		}
	})
}

func TestARefusalIsToldAndEndsWhatIsToBeDecided(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		waits := s.enroll(ada, course, "student", "grace@uni.example")[0]
		x := s.person("x@gmail.com")
		id := s.asks(x, "grace@uni.example")
		if err := s.RefuseClaim(ctx, ada, course, id, strings.Repeat("x", 501)); lms.TypeOf(err) != "text-too-long" {
			t.Errorf("a reason that is too long: %v", err)
		}
		if err := s.RefuseClaim(ctx, ada, course, id, " I asked her. "); err != nil {
			t.Fatal(err)
		}
		if q := s.answered(x); q.Answer != lms.AnswerRefused || q.Reason != "I asked her." {
			t.Errorf("the requester sees %+v", q)
		}
		refused(t, "approved after all", s.ApproveClaim(ctx, ada, course, id), lms.CodeConflict, "already-decided")
		refused(t, "withdrawn", s.WithdrawClaim(ctx, x, id), lms.CodeNotFound, "not-found")
		if q, err := s.AskClaim(ctx, x, "grace@uni.example"); err != nil || q.ID != id || q.Answer != lms.AnswerRefused {
			t.Errorf("asked again: %+v (%v)", q, err)
		}
		// What the requester can download about themselves does not say where it was.
		own, err := s.OwnAudit(ctx, x, 0, 50)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range own.Entries {
			if e.CourseID != 0 || e.Actor.ID == ada.UserID {
				t.Errorf("their own record has %+v", e)
			}
		}
		if e := s.entryOf(access.ClaimRefuse, waits); e.CourseID != course || e.Actor.ID != ada.UserID {
			t.Errorf("the course's record: %+v", e)
		}
		// An administrator refuses a request wherever something waits.
		second := s.asks(x, "other@uni.example")
		s.enroll(ada, course, "student", "other@uni.example")
		refused(t, "nobody was waited for", s.RejectClaim(ctx, s.admin, second, ""), lms.CodeConflict, "claim-over")
		if err := s.TellClaims(ctx); err != nil { // who was named afterwards is found
			t.Fatal(err)
		}
		if ids := s.shownIn(ada, course); !slices.Equal(ids, []int64{second}) {
			t.Errorf("the teacher sees %v", ids)
		}
		if err := s.RejectClaim(ctx, s.admin, second, "No."); err != nil {
			t.Fatal(err)
		}
		if q := s.answered(x); q.Answer != lms.AnswerRefused || q.Reason != "No." {
			t.Errorf("the requester sees %+v", q)
		}
	})
}
