package service_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// nobodyIsMade runs something that must be refused, and holds that it left no
// person, enrollment or privilege behind, and one refusal in the audit.
func nobodyIsMade(s *school, what string, code lms.Code, typ string, do func() error) {
	s.tb.Helper()
	tables := []string{"users", "emails", "enrollments", "course_privileges", "course_roles"}
	before := make([]int, len(tables))
	for i, table := range tables {
		before[i] = s.count(table)
	}
	refusals := s.count(`audit_entries WHERE outcome = 'refused'`)
	done := s.count(`audit_entries WHERE outcome = 'done'`)
	refused(s.tb, what, do(), code, typ)
	for i, table := range tables {
		if n := s.count(table); n != before[i] {
			s.tb.Errorf("%s: refused, and %s grew from %d to %d", what, table, before[i], n)
		}
	}
	want := 1
	if code == lms.CodeInvalid || code == lms.CodeUnauthenticated || code == lms.CodeTooLarge {
		want = 0 // a mistake in the input, or nobody to name as the actor
	}
	if n := s.count(`audit_entries WHERE outcome = 'refused'`) - refusals; n != want {
		s.tb.Errorf("%s: %d refusals in the audit, want %d", what, n, want)
	}
	if n := s.count(`audit_entries WHERE outcome = 'done'`) - done; n != 0 {
		s.tb.Errorf("%s: the audit says that it was done", what)
	}
}

// doors are all the ways in which an address can be named in a course.
func doors(s *school, c access.Caller, course int64, email string) map[string]func() error {
	return map[string]func() error{
		"setting privileges": func() error {
			_, err := s.SetPrivileges(ctx, c, service.PrivilegeChange{CourseID: course, Person: byEmail(email), Allow: []string{"roster.view"}})
			return err
		},
		"setting exactly no privileges": func() error {
			_, err := s.SetPrivileges(ctx, c, service.PrivilegeChange{CourseID: course, Person: byEmail(email), Exactly: &[]string{}})
			return err
		},
		"the dummy id with an address": func() error {
			_, err := s.SetPrivileges(ctx, c, service.PrivilegeChange{CourseID: course, Person: service.PersonRef{UserID: -1, Email: email}, Exactly: &[]string{"roster.view"}})
			return err
		},
		"enrolling": func() error {
			_, err := s.Enroll(ctx, c, service.EnrollRequest{CourseID: course, Role: "student", Emails: []string{email}})
			return err
		},
	}
}

func TestC02NobodyIsNamedInACourseThatIsNotOnesOwn(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, bob := s.teacher("ada@uni.example"), s.teacher("bob@uni.example")
		s.course(ada, "Hers")
		his := s.course(bob, "His")
		for name, do := range doors(s, ada, his, "v@uni.example") {
			nobodyIsMade(s, name+" in another's course", lms.CodeNotFound, "not-found", do)
		}
		for name, do := range doors(s, ada, 999_999, "v@uni.example") {
			nobodyIsMade(s, name+" in no course", lms.CodeNotFound, "not-found", do)
		}
		for name, do := range doors(s, access.Caller{}, his, "v@uni.example") {
			nobodyIsMade(s, name+" by nobody", lms.CodeUnauthenticated, "sign-in-required", do)
		}
	})
}

func TestC03WhoeverMayNotNamePeopleNamesNobody(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		student := s.member(ada, course, "student", "student@uni.example")
		observer := s.member(ada, course, "observer", "observer@uni.example")
		s.person("known@uni.example")
		for _, who := range []access.Caller{student, observer} {
			for _, email := range []string{"v@uni.example", "known@uni.example", "not an address"} {
				for name, do := range doors(s, who, course, email) {
					nobodyIsMade(s, name+" by "+fmt.Sprint(who.UserID), lms.CodeForbidden, "forbidden", do)
				}
			}
			nobodyIsMade(s, "naming for the site", lms.CodeForbidden, "forbidden", func() error {
				_, err := s.NamePerson(ctx, who, service.NewPerson{Email: "v@uni.example"}, nil)
				return err
			})
			_, _, err := s.LookUpRef(ctx, who, course, byEmail("known@uni.example"))
			refused(t, "looking an address up", err, lms.CodeForbidden, "forbidden")
		}
		// An archived course takes nobody either.
		if _, err := s.ArchiveCourse(ctx, ada, course, true); err != nil {
			t.Fatal(err)
		}
		for name, do := range doors(s, ada, course, "v@uni.example") {
			nobodyIsMade(s, name+" in an archived course", lms.CodeConflict, "course-archived", do)
		}
	})
}

func TestABadPrivilegeOrRoleLeavesNoPersonBehind(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		t2 := s.member(ada, course, "teacher", "t2@uni.example") // lacks course.archive
		set := func(c access.Caller, p service.PrivilegeChange) func() error {
			p.CourseID, p.Person = course, byEmail("v@uni.example")
			return func() error { _, err := s.SetPrivileges(ctx, c, p); return err }
		}
		enroll := func(c access.Caller, role string) func() error {
			return func() error {
				_, err := s.Enroll(ctx, c, service.EnrollRequest{CourseID: course, Role: role, Emails: []string{"v@uni.example", "w@uni.example"}})
				return err
			}
		}
		nobodyIsMade(s, "an unknown privilege", lms.CodeInvalid, "unknown-privilege", set(ada, service.PrivilegeChange{Exactly: &[]string{"roster.view", "roster.burn"}}))
		nobodyIsMade(s, "an unknown privilege allowed", lms.CodeInvalid, "unknown-privilege", set(ada, service.PrivilegeChange{Allow: []string{"Roster.View"}}))
		nobodyIsMade(s, "an unknown privilege denied", lms.CodeInvalid, "unknown-privilege", set(ada, service.PrivilegeChange{Deny: []string{""}}))
		nobodyIsMade(s, "allowed and denied", lms.CodeInvalid, "allowed-and-denied", set(ada, service.PrivilegeChange{Allow: []string{"audit.view"}, Deny: []string{"audit.view"}}))
		nobodyIsMade(s, "two forms", lms.CodeInvalid, "two-forms", set(ada, service.PrivilegeChange{Exactly: &[]string{}, Allow: []string{"audit.view"}}))
		nobodyIsMade(s, "a privilege beyond one's own", lms.CodeForbidden, "beyond-own-privileges", set(t2, service.PrivilegeChange{Exactly: &[]string{"roster.view", "course.archive"}}))
		nobodyIsMade(s, "an unknown role", lms.CodeInvalid, "unknown-role", enroll(ada, "wizard"))
		nobodyIsMade(s, "a role beyond one's own", lms.CodeForbidden, "beyond-own-privileges", enroll(t2, "owner"))
		for _, bad := range []string{"", "v", "v@uni", "Grace <v@uni.example>", "v@uni.example, w@uni.example"} {
			err := func() error {
				_, err := s.SetPrivileges(ctx, ada, service.PrivilegeChange{CourseID: course, Person: byEmail(bad), Allow: []string{"audit.view"}})
				return err
			}
			if bad == "" {
				nobodyIsMade(s, "no address", lms.CodeNotFound, "not-found", err)
			} else if e := err(); lms.CodeOf(e) != lms.CodeInvalid {
				t.Errorf("%q: %v", bad, e)
			}
		}
		if n := s.count(`users WHERE status = 'pending'`); n != 0 {
			t.Errorf("%d pending people", n)
		}
	})
}

func TestTheDummyIDNamesWhoeverTheAddressSays(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		set := func(ref service.PersonRef) (lms.Member, error) {
			return s.SetPrivileges(ctx, ada, service.PrivilegeChange{CourseID: course, Person: ref, Exactly: &[]string{"roster.view", "audit.view"}})
		}
		grace, err := set(service.PersonRef{UserID: -1, Email: "Grace@uni.example"})
		if err != nil || grace.User.Status != lms.StatusPending || names(grace.Effective()) != "roster.view audit.view" {
			t.Fatalf("named: %+v, %s (%v)", grace.User, names(grace.Effective()), err)
		}
		// The id is tried first; the address is for when it leads nowhere.
		again, err := set(service.PersonRef{UserID: grace.User.ID, Email: "other@uni.example"})
		if err != nil || again.User.ID != grace.User.ID || s.count(`emails WHERE address = 'other@uni.example'`) != 0 {
			t.Errorf("by id: %+v (%v)", again.User, err)
		}
		if third, err := set(service.PersonRef{UserID: 999_999, Email: "grace@UNI.example"}); err != nil || third.User.ID != grace.User.ID {
			t.Errorf("an unknown id and a known address: %+v (%v)", third.User, err)
		}
		for _, id := range []int64{-1, 0, 999_999, lms.SystemUserID, s.admin.UserID} {
			_, err := set(byID(id))
			refused(t, fmt.Sprint("id ", id, " alone"), err, lms.CodeNotFound, "not-found")
		}
	})
}

func TestExactlyTheseMeansExactlyThese(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		id := s.enroll(ada, course, "assistant", "grace@uni.example")[0]
		for _, wanted := range [][]string{{"roster.view", "roster.manage"}, {}, {"roster.view"}, {"audit.view"}, {"staff.manage"}, {"course.archive", "roster.manage"}} {
			m, err := s.SetPrivileges(ctx, ada, service.PrivilegeChange{CourseID: course, Person: byID(id), Exactly: &wanted})
			if err != nil {
				t.Fatal(err)
			}
			want, err := lms.ParsePrivileges(wanted, "")
			if err != nil {
				t.Fatal(err)
			}
			want = lms.Effective(want, 0, 0)
			if m.Effective() != want || s.held(course, id) != names(want) {
				t.Errorf("wanted %v, answered %s, stored %s", wanted, names(m.Effective()), s.held(course, id))
			}
		}
		owner := s.enroll(ada, course, "owner", "owner@uni.example")[0]
		_, err := s.SetPrivileges(ctx, ada, service.PrivilegeChange{CourseID: course, Person: byID(owner), Exactly: &[]string{"roster.view"}})
		refused(t, "less for an owner", err, lms.CodeInvalid, "owner-holds-all")
	})
}

func TestEnrollingAnswersRowByRowAndABadRowSpoilsNoGoodOne(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		s.enroll(ada, course, "student", "already@uni.example")
		s.enroll(ada, course, "observer", "observer@uni.example")
		known := s.person("known@uni.example")
		stranger := s.person("stranger@uni.example")
		mine := s.course(ada, "Another of hers")
		colleague := s.enroll(ada, mine, "student", "colleague@uni.example")[0]
		rows, err := s.Enroll(ctx, ada, service.EnrollRequest{
			CourseID: course, Role: "student", Source: lms.SourcePaste,
			Emails:  []string{"new@uni.example", " KNOWN@uni.example ", "not an address", "already@uni.example", "New@Uni.Example", "observer@uni.example", "ada@uni.example", "grace@uni,example"},
			UserIDs: []int64{colleague, stranger.UserID, 999_999, colleague, known.UserID},
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			"emails[0] named", "emails[1] enrolled", "emails[2] refused", "emails[3] already already-enrolled", "emails[4] already listed-twice",
			"emails[5] refused other-role", "emails[6] refused other-role", "emails[7] refused",
			"user_ids[0] enrolled", "user_ids[1] refused not-found", "user_ids[2] refused not-found", "user_ids[3] already listed-twice", "user_ids[4] refused not-found",
		}
		for i, r := range rows {
			got := strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Location, r.Result, r.Reason))
			if i < len(want) && got != want[i] && !(r.Email == "" && r.Typed != "" && strings.HasPrefix(got, want[i]+" ")) {
				t.Errorf("row %d: %s, want %s", i, got, want[i])
			}
			if r.Reason != "" && r.Message == "" {
				t.Errorf("row %d does not say why", i)
			}
		}
		if len(rows) != len(want) {
			t.Errorf("%d answers to %d rows", len(rows), len(want))
		}
		if rows[0].UserID == 0 || rows[1].UserID != known.UserID || rows[0].Email != "new@uni.example" {
			t.Errorf("whom: %+v %+v", rows[0], rows[1])
		}
		page, err := s.Roster(ctx, ada, service.RosterRequest{CourseID: course, Role: "student", Limit: 50})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range page.People {
			got = append(got, string(p.User.Email))
		}
		same(t, "students", got, []string{"already@uni.example", "new@uni.example", "known@uni.example", "colleague@uni.example"})
		if n := s.audited(access.EnrollmentAdd, lms.OutcomeDone); n != 6 {
			t.Errorf("%d entries for six enrollments", n)
		}
	})
}

func TestI12EnrollingTheSameListAgainChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		var list []string
		for i := range 300 {
			list = append(list, fmt.Sprintf("student%03d@uni.example", i))
		}
		list = append(list, list[:20]...)
		results := func() map[service.EnrollResult]int {
			rows, err := s.Enroll(ctx, ada, service.EnrollRequest{CourseID: course, Role: "student", Emails: list})
			if err != nil {
				t.Fatal(err)
			}
			counts := map[service.EnrollResult]int{}
			for _, r := range rows {
				counts[r.Result]++
			}
			return counts
		}
		if got := results(); got[service.ResultNamed] != 300 || got[service.ResultAlready] != 20 || len(got) != 2 {
			t.Errorf("first %v", got)
		}
		slices.Reverse(list)
		for i := range list {
			list[i] = strings.ToUpper(list[i])
		}
		changes := s.db.WatchChanges(t)
		if got := results(); got[service.ResultAlready] != 320 || len(got) != 1 {
			t.Errorf("again %v", got)
		}
		if got := changes(); len(got) != 0 {
			t.Errorf("the second time wrote %v", got)
		}
	})
}

func TestTooLongAListIsRefusedAsAWhole(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		list := make([]string, service.MaxRows+1)
		for i := range list {
			list[i] = fmt.Sprintf("s%d@uni.example", i)
		}
		nobodyIsMade(s, "too many", lms.CodeTooLarge, "too-many-rows", func() error {
			_, err := s.Enroll(ctx, ada, service.EnrollRequest{CourseID: course, Role: "student", Emails: list})
			return err
		})
		_, err := s.Remove(ctx, ada, course, make([]int64, service.MaxRows+1))
		refused(t, "removing too many", err, lms.CodeTooLarge, "too-many-rows")
	})
}

func TestH17AnAddressOutsideOfTheSchoolNeedsAConfirmation(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		set := func(email string, confirm bool) error {
			_, err := s.SetPrivileges(ctx, ada, service.PrivilegeChange{CourseID: course, Person: byEmail(email), Allow: []string{"roster.view"}, ConfirmOutside: confirm})
			return err
		}
		nobodyIsMade(s, "outside", lms.CodeInvalid, "outside-address", func() error { return set("x@gmail.example", false) })
		nobodyIsMade(s, "a subdomain", lms.CodeInvalid, "outside-address", func() error { return set("x@mail.uni.example", false) })
		nobodyIsMade(s, "a domain that ends alike", lms.CodeInvalid, "outside-address", func() error { return set("x@notuni.example", false) })
		if err := errors.Join(set("in@UNI.example", false), set("in@second.example", false), set("x@gmail.example", true)); err != nil {
			t.Error(err)
		}
		if err := set("x@gmail.example", false); err != nil {
			t.Errorf("known by now: %v", err)
		}
		rows, err := s.Enroll(ctx, ada, service.EnrollRequest{CourseID: course, Role: "student", Emails: []string{"a@uni.example", "b@gmail.example", "x@gmail.example"}})
		if err != nil || rows[0].Result != service.ResultNamed || rows[1].Reason != "outside-address" || rows[2].Result != service.ResultEnrolled {
			t.Errorf("rows %+v (%v)", rows, err)
		}
		if s.count(`emails WHERE address = 'b@gmail.example'`) != 0 {
			t.Error("a row that was refused made a person")
		}
	}, func(o *service.Options) { o.NamingDomains = []string{"uni.example", "second.example"} })
}

func TestAnAdministratorNamesPeopleAheadOfTheirArrival(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		u, err := s.NamePerson(ctx, s.admin, service.NewPerson{Email: " T@Uni.example", GivenName: "Tea", FamilyName: "Cher", SiteRole: "teacher"}, nil)
		if err != nil || u.Status != lms.StatusPending || u.SiteRole != lms.SiteTeacher || u.GivenName != "Tea" {
			t.Fatalf("%+v (%v)", u, err)
		}
		c := s.person("t@uni.example")
		if c.UserID != u.ID || c.SiteRole != lms.SiteTeacher {
			t.Errorf("arrived as %+v", c)
		}
		s.course(c, "Hers")
		again, err := s.NamePerson(ctx, s.admin, service.NewPerson{Email: "t@uni.example", GivenName: "Other", SiteRole: "member"}, nil)
		if err != nil || again.SiteRole != lms.SiteMember || again.GivenName != "Tea" {
			t.Errorf("again: %+v (%v)", again, err)
		}
		for name, p := range map[string]struct {
			p   service.NewPerson
			typ string
		}{
			"no address":          {service.NewPerson{}, ""},
			"an unknown role":     {service.NewPerson{Email: "x@uni.example", SiteRole: "root"}, "unknown-site-role"},
			"a name in two lines": {service.NewPerson{Email: "x@uni.example", GivenName: "a\x00"}, "text-control-character"},
		} {
			_, err := s.NamePerson(ctx, s.admin, p.p, nil)
			if lms.CodeOf(err) != lms.CodeInvalid || (p.typ != "" && lms.TypeOf(err) != p.typ) {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, err = s.NamePerson(ctx, s.admin, service.NewPerson{Email: "root@uni.example", SiteRole: "member"}, nil)
		refused(t, "one's own site role", err, lms.CodeForbidden, "self-change")
	})
}

func TestNamingTheAdministratorsAtEachStartIsSafe(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		changes := s.db.WatchChanges(t)
		if err := s.NameAdmins(ctx, []lms.Email{"root@uni.example"}); err != nil {
			t.Fatal(err)
		}
		if got := changes(); len(got) != 0 {
			t.Errorf("a second start wrote %v", got)
		}
		member := s.person("m@uni.example")
		if err := s.NameAdmins(ctx, []lms.Email{"m@uni.example", "new@uni.example"}); err != nil {
			t.Fatal(err)
		}
		if u := s.user(member.UserID); u.SiteRole != lms.SiteAdmin {
			t.Errorf("a known person became %s", u.SiteRole)
		}
		if c := s.person("new@uni.example"); c.SiteRole != lms.SiteAdmin {
			t.Errorf("a new one arrived as %s", c.SiteRole)
		}
	})
}
