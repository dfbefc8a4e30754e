package service_test

import (
	"testing"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
)

func (s *school) erase(id int64) lms.User {
	s.tb.Helper()
	u, err := s.EraseUser(ctx, s.admin, id, service.Leaving{OrphanCourses: true})
	if err != nil {
		s.tb.Fatal(err)
	}
	return u
}

func TestH08AndA20WhoeverComesLaterGetsNothingOfTheErased(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		grace := s.member(ada, course, "teacher", "grace@uni.example")
		s.set(ada, course, byID(grace.UserID), []string{"audit.view"}, nil)
		token, err := s.CreateToken(ctx, grace, service.NewToken{Name: "sync"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, in := s.arrive("grace@uni.example")

		gone := s.erase(grace.UserID)
		if gone.DisplayName() != lms.Pseudonym(grace.UserID) || gone.Email != "" || gone.SiteRole != lms.SiteMember {
			t.Errorf("the erased is %+v", gone)
		}
		if c := s.bySession(in.Secret); !c.Anonymous() {
			t.Error("a session of the erased works")
		}
		if _, _, err := s.ByToken(ctx, token.Secret, "r"); lms.TypeOf(err) != "bad-token" {
			t.Errorf("a token of the erased works: %v", err)
		}
		refused(t, "the erased acts", s.do(grace), lms.CodeUnauthenticated, "sign-in-required")
		refused(t, "erased twice", second(s.EraseUser(ctx, s.admin, grace.UserID, service.Leaving{})), lms.CodeNotFound, "not-found")
		refused(t, "restored", second(s.UpdateUser(ctx, s.admin, grace.UserID, service.UserPatch{Status: ptr("active")})), lms.CodeNotFound, "not-found")

		// The same subject, with the same address.
		again := s.person("grace@uni.example")
		if again.UserID == grace.UserID {
			t.Fatal("the id of the erased came back")
		}
		if got := s.everything(again.UserID); got != "" {
			t.Errorf("the later person has %s", got)
		}
		if n := s.count(`enrollments WHERE user_id = $1`, grace.UserID); n != 1 {
			t.Errorf("%d places are kept, want 1", n)
		}
		if n := s.count(`course_privileges WHERE user_id = $1`, grace.UserID); n != 0 {
			t.Errorf("%d grants are kept", n)
		}
		// Another subject, and a naming.
		s.erase(again.UserID)
		other, err := s.SignIn(ctx, campus, signin.Token{Issuer: campus.Issuer, Subject: "another", Email: "grace@uni.example", EmailVerified: signin.VerifiedTrue}, "Test", "r")
		if err != nil || other.User.ID == grace.UserID || other.User.ID == again.UserID {
			t.Errorf("another subject is user %d (%v)", other.User.ID, err)
		}
	})
}

// do is something that everybody may.
func (s *school) do(c access.Caller) error { return second(s.SetLanguage(ctx, c, "it")) }

func TestH08TheErasedAreShownUnderAPseudonymAndToStrangersNotAtAll(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		grace := s.member(ada, course, "teacher", "grace@uni.example")
		if _, err := s.CreateAnnouncement(ctx, grace, course, lms.AnnouncementFields{Title: "Welcome", Body: "x"}, nil); err != nil {
			t.Fatal(err)
		}
		student := s.enroll(grace, course, "student", "s@uni.example")[0]
		stranger := s.teacher("stranger@uni.example")
		s.course(stranger, "Other")
		want := lms.Pseudonym(s.erase(grace.UserID).ID)

		roster, err := s.Roster(ctx, ada, service.RosterRequest{CourseID: course, Limit: 10})
		if err != nil || len(roster.People) != 3 {
			t.Fatalf("%d people (%v)", len(roster.People), err)
		}
		shown := false
		for _, p := range roster.People {
			shown = shown || p.User.ID == grace.UserID && p.User.DisplayName() == want
		}
		if !shown {
			t.Error("the roster does not show the erased")
		}
		if n, err := s.RosterCounts(ctx, ada, course); err != nil || n.All != 3 {
			t.Errorf("counted %d (%v)", n.All, err)
		}
		list, err := s.Announcements(ctx, ada, course, 0, 10)
		if err != nil || len(list.Announcements) != 1 || list.Announcements[0].Author.DisplayName() != want {
			t.Errorf("announcements: %+v (%v)", list, err)
		}
		report, err := s.Access(ctx, ada, course, student)
		if err != nil || report.AddedBy == nil || report.AddedBy.DisplayName() != want {
			t.Errorf("added by %+v (%v)", report.AddedBy, err)
		}
		// H-14: the audit names them so, in their own scope and in the administrators'.
		for _, r := range []service.AuditRequest{{CourseID: course, Limit: 50}, {Site: true, PersonID: grace.UserID, Limit: 50}} {
			by := s.admin
			if !r.Site {
				by = ada
			}
			p, err := s.Audit(ctx, by, r)
			if err != nil || len(p.Entries) == 0 {
				t.Fatalf("%d entries (%v)", len(p.Entries), err)
			}
			for _, e := range p.Entries {
				for _, u := range []lms.User{e.Actor, e.Subject} {
					if u.ID == grace.UserID && (u.DisplayName() != want || u.Email != "") {
						t.Errorf("the audit names the erased %+v", u)
					}
				}
			}
		}
		if u, err := s.User(ctx, s.admin, grace.UserID); err != nil || u.DisplayName() != want {
			t.Errorf("administrators see %+v (%v)", u, err)
		}
		refused(t, "a stranger looks", second(s.User(ctx, stranger, grace.UserID)), lms.CodeNotFound, "not-found")
		refused(t, "a grant to the erased", second(s.SetPrivileges(ctx, ada, service.PrivilegeChange{CourseID: course, Person: byID(grace.UserID), Allow: []string{"audit.view"}})), lms.CodeNotFound, "not-found")
		rows, err := s.Enroll(ctx, ada, service.EnrollRequest{CourseID: course, Role: "student", UserIDs: []int64{grace.UserID}})
		if err != nil || rows[0].Result != service.ResultRefused {
			t.Errorf("the erased is enrolled: %+v (%v)", rows, err)
		}
		gone, err := s.Remove(ctx, ada, course, []int64{grace.UserID})
		if err != nil || gone[0].Result != service.ResultRemoved {
			t.Errorf("the place of the erased cannot be ended: %+v (%v)", gone, err)
		}
		past, err := s.PastPeople(ctx, ada, course, 0, 10)
		if err != nil || len(past.People) != 1 || past.People[0].User.DisplayName() != want {
			t.Errorf("past: %+v (%v)", past, err)
		}
		refused(t, "taken back", second(s.RestorePlace(ctx, ada, course, grace.UserID)), lms.CodeNotFound, "not-found")
	})
}

func TestC12ErasingTheLastOwnerNeedsASuccessorOrAConfirmation(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, bob := s.teacher("ada@uni.example"), s.person("bob@uni.example")
		one, two := s.course(ada, "Algorithms"), s.course(ada, "Compilers")
		s.enroll(ada, two, "student", "bob@uni.example")
		waiting := s.enroll(ada, one, "student", "waiting@uni.example")[0]
		refused(t, "nobody else owns them", second(s.EraseUser(ctx, s.admin, ada.UserID, service.Leaving{})), lms.CodeConflict, "last-owner")
		for what, ref := range map[string]service.PersonRef{"a pending person": byID(waiting), "nobody": byEmail("nobody@uni.example"), "the same person": byID(ada.UserID)} {
			refused(t, what+" as successor", second(s.EraseUser(ctx, s.admin, ada.UserID, service.Leaving{Successor: ref})), lms.CodeInvalid, "no-successor")
		}
		if s.user(ada.UserID).Status != lms.StatusActive {
			t.Fatal("erased although it was refused")
		}
		if _, err := s.EraseUser(ctx, s.admin, ada.UserID, service.Leaving{Successor: byEmail("bob@uni.example")}); err != nil {
			t.Fatal(err)
		}
		for _, course := range []int64{one, two} {
			if v, err := s.Course(ctx, bob, course); err != nil || v.Member.Enrollment == nil || !v.Member.Enrollment.Role.Owner() {
				t.Errorf("the successor is %+v (%v)", v.Member.Enrollment, err)
			}
		}
		u, err := s.EraseUser(ctx, s.admin, bob.UserID, service.Leaving{OrphanCourses: true})
		if err != nil || u.Status != lms.StatusErased {
			t.Fatalf("%+v (%v)", u, err)
		}
		if n, err := s.store.Reader().SiteCounts(ctx); err != nil || n.Orphaned != 2 {
			t.Errorf("%d courses are known to be orphaned (%v)", n.Orphaned, err)
		}
		refused(t, "erased by themselves", second(s.EraseUser(ctx, s.admin, s.admin.UserID, service.Leaving{})), lms.CodeForbidden, "self-change")
		refused(t, "by somebody else", second(s.EraseUser(ctx, s.person("x@uni.example"), waiting, service.Leaving{})), lms.CodeForbidden, "forbidden")
	})
}

func TestC12SuspendingCanNameASuccessor(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, bob := s.teacher("ada@uni.example"), s.person("bob@uni.example")
		course := s.course(ada, "Algorithms")
		if _, err := s.UpdateUser(ctx, s.admin, ada.UserID, service.UserPatch{Status: ptr("suspended"), Successor: byID(bob.UserID)}); err != nil {
			t.Fatal(err)
		}
		if v, err := s.Course(ctx, bob, course); err != nil || !v.Member.Enrollment.Role.Owner() {
			t.Errorf("the successor is %+v (%v)", v.Member.Enrollment, err)
		}
	})
}

func TestH08APendingPersonWhoIsErasedLeavesTheirCourses(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		id := s.enroll(ada, course, "student", "late@uni.example")[0]
		s.erase(id)
		if n := s.count(`enrollments WHERE user_id = $1`, id); n != 0 {
			t.Errorf("%d places", n)
		}
		if n := s.count(`past_places WHERE user_id = $1 AND ended_by = $2`, id, s.admin.UserID); n != 1 {
			t.Errorf("%d past places", n)
		}
		// A19's sibling: whoever signs in with the address now is somebody new.
		if c := s.person("late@uni.example"); c.UserID == id || s.everything(c.UserID) != "" {
			t.Error("the later person got something of the erased")
		}
	})
}
