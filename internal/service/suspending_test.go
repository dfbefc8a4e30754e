package service_test

import (
	"fmt"
	"testing"

	"matricula/internal/lms"
	"matricula/internal/service"
)

func (s *school) suspend(id int64) {
	s.tb.Helper()
	if _, err := s.UpdateUser(ctx, s.admin, id, service.UserPatch{Status: ptr("suspended"), OrphanCourses: true}); err != nil {
		s.tb.Fatal(err)
	}
}

// TestC04SuspendingEndsWhatIsUnderWayOnEveryNode has a person in the middle of
// everything that lasts longer than a request: a session, a token, a page that
// follows an import, an import, a download. Each node knew them as a caller before.
func TestC04SuspendingEndsWhatIsUnderWayOnEveryNode(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		node := s.grow(3)
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		grace := s.member(ada, course, "teacher", "grace@uni.example")
		_, in := s.arrive("grace@uni.example")
		token, err := s.CreateToken(ctx, grace, service.NewToken{Name: "sync"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		text := "email\n"
		for i := range 900 {
			text += fmt.Sprintf("p%d@uni.example\n", i)
		}
		list := s.list(grace, course, text)
		if _, err := s.StartImport(ctx, grace, list.ID, 0); err != nil {
			t.Fatal(err)
		}
		s.enroll(ada, course, "student", "s@uni.example")

		s.suspend(grace.UserID)
		for i := range 3 {
			n := node(i)
			if c, _, err := n.BySession(ctx, in.Secret, "r"); err != nil || !c.Anonymous() {
				t.Errorf("node %d: the session works (%v)", i, err)
			}
			refused(t, "the token", second2(n.ByToken(ctx, token.Secret, "r")), lms.CodeUnauthenticated, "bad-token")
			// The stream of events of a list asks for it again and again, as the caller
			// of the request that opened it.
			refused(t, "the list", second2(n.Import(ctx, grace, list.ID)), lms.CodeUnauthenticated, "sign-in-required")
			refused(t, "the roster", second(n.Roster(ctx, grace, service.RosterRequest{CourseID: course, Limit: 10})), lms.CodeUnauthenticated, "sign-in-required")
			refused(t, "their own audit", second(n.OwnAudit(ctx, grace, 0, 10)), lms.CodeUnauthenticated, "sign-in-required")
			refused(t, "a change", second(n.Enroll(ctx, grace, service.EnrollRequest{CourseID: course, Role: "student", Emails: []string{"x@uni.example"}})), lms.CodeUnauthenticated, "sign-in-required")
		}
		s.work()
		if i := s.read(ada, list.ID); i.State != lms.ImportFailed || i.Done != 0 {
			t.Errorf("the list went on: %s, %d rows", i.State, i.Done)
		}
		if n := s.count(`users WHERE status = 'pending'`); n != 1 {
			t.Errorf("%d people were named, want the one before", n)
		}
		// Restoring brings back what was; whoever was signed in signs in again.
		if _, err := s.UpdateUser(ctx, s.admin, grace.UserID, service.UserPatch{Status: ptr("active")}); err != nil {
			t.Fatal(err)
		}
		if c := s.bySession(in.Secret); !c.Anonymous() {
			t.Error("an ended session came back")
		}
		if _, err := s.Roster(ctx, s.person("grace@uni.example"), service.RosterRequest{CourseID: course, Limit: 10}); err != nil {
			t.Error(err)
		}
	})
}

// A download of the site that is under way ends with the page that is being read.
func TestC21ADownloadEndsWhenWhoeverAskedIsSuspended(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.unlimited()
		if _, err := s.NamePerson(ctx, s.admin, service.NewPerson{Email: "second@uni.example", SiteRole: "admin"}, nil); err != nil {
			t.Fatal(err)
		}
		other := s.person("second@uni.example")
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		var emails []string
		for i := range 1200 {
			emails = append(emails, fmt.Sprintf("p%d@uni.example", i))
		}
		s.enroll(ada, course, "student", emails...)
		given := 0
		err := s.ExportDirectory(ctx, other, service.DirectoryRequest{}, func(*lms.User) error {
			if given++; given == 10 {
				s.suspend(other.UserID)
			}
			return nil
		})
		refused(t, "the rest", err, lms.CodeUnauthenticated, "sign-in-required")
		if given != 500 {
			t.Errorf("%d of 1203 people went out, want the page that was being read", given)
		}
		given = 0
		err = s.ExportRoster(ctx, ada, service.RosterRequest{CourseID: course}, func(*lms.Member) error {
			if given++; given == 10 {
				s.suspend(ada.UserID)
			}
			return nil
		})
		refused(t, "the rest of a roster", err, lms.CodeUnauthenticated, "sign-in-required")
		if given != 500 {
			t.Errorf("%d people went out", given)
		}
	})
}
