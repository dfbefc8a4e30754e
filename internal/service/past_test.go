package service_test

import (
	"testing"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
)

func TestLeavingKeepsTheRecordAndComingBackRestoresIt(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course, other := s.course(ada, "Algorithms"), s.course(ada, "Compilers")
		helper := s.member(ada, course, "assistant", "h@uni.example")
		ids := s.enroll(ada, course, "student", "a@uni.example", "b@uni.example")
		s.set(ada, course, byID(ids[0]), []string{"audit.view"}, nil)
		began := s.clock.now()
		s.clock.advance(48 * time.Hour)
		if _, err := s.Remove(ctx, ada, course, ids); err != nil {
			t.Fatal(err)
		}
		page, err := s.PastPeople(ctx, ada, course, 0, 1)
		if err != nil || len(page.People) != 1 || page.Next == 0 {
			t.Fatalf("%+v (%v)", page, err)
		}
		rest, err := s.PastPeople(ctx, ada, course, page.Next, 10)
		if err != nil || len(rest.People) != 1 || rest.Next != 0 {
			t.Fatalf("%+v (%v)", rest, err)
		}
		of := map[int64]lms.PastPlace{page.People[0].User.ID: page.People[0], rest.People[0].User.ID: rest.People[0]}
		p := of[ids[0]]
		if p.Role.Key != "student" || p.Allow != lms.SetOf(lms.AuditView) || !p.Began.Equal(began) || !p.Ended.Equal(s.clock.now()) || p.EndedBy != ada.UserID || p.AddedBy != ada.UserID || p.Back {
			t.Errorf("the record is %+v", p)
		}
		// An assistant may not give what only staff may have.
		refused(t, "restored by an assistant", second(s.RestorePlace(ctx, helper, course, ids[0])), lms.CodeForbidden, "forbidden")
		if s.held(course, ids[0]) != "" {
			t.Error("a refused restoring has given something")
		}
		if m, err := s.RestorePlace(ctx, helper, course, ids[1]); err != nil || m.Enrollment == nil || m.Enrollment.Role.Key != "student" {
			t.Errorf("a student, by an assistant: %+v (%v)", m, err)
		}
		m, err := s.RestorePlace(ctx, ada, course, ids[0])
		if err != nil || m.Enrollment == nil || m.Enrollment.Role.Key != "student" || m.Grant == nil || m.Grant.Allow != lms.SetOf(lms.AuditView) {
			t.Errorf("restored: %+v (%v)", m, err)
		}
		entries := s.count("audit_entries")
		if _, err := s.RestorePlace(ctx, ada, course, ids[0]); err != nil || s.count("audit_entries") != entries {
			t.Errorf("again: %v", err)
		}
		if page, err := s.PastPeople(ctx, ada, course, 0, 10); err != nil || len(page.People) != 2 || !page.People[0].Back || !page.People[1].Back {
			t.Errorf("they are back: %+v (%v)", page, err)
		}
		r, err := s.Access(ctx, ada, course, ids[0])
		if err != nil || len(r.Past) != 1 {
			t.Errorf("the panel has %+v (%v)", r.Past, err)
		}
		// Twice gone is two records, and one line.
		if _, err := s.Remove(ctx, ada, course, ids[:1]); err != nil {
			t.Fatal(err)
		}
		if page, err := s.PastPeople(ctx, ada, course, 0, 10); err != nil || len(page.People) != 2 || s.count("past_places") != 3 {
			t.Errorf("%d lines of %d records (%v)", len(page.People), s.count("past_places"), err)
		}
		refused(t, "who never was there", second(s.RestorePlace(ctx, ada, other, ids[0])), lms.CodeNotFound, "never-in-course")
		student := s.person("b@uni.example")
		refused(t, "by a student", second(s.RestorePlace(ctx, student, course, ids[0])), lms.CodeForbidden, "forbidden")
		refused(t, "read by a student", second(s.PastPeople(ctx, student, course, 0, 10)), lms.CodeForbidden, "forbidden")
		refused(t, "read by a stranger", second(s.PastPeople(ctx, s.person("x@uni.example"), course, 0, 10)), lms.CodeNotFound, "not-found")
		// A role that is no more cannot be restored.
		role, err := s.CreateRole(ctx, ada, course, service.RoleFields{Name: "Tutor", Privileges: []string{"roster.view"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		tutor := s.enroll(ada, course, "tutor", "t@uni.example")
		if _, err := s.Remove(ctx, ada, course, tutor); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteRole(ctx, ada, course, role.ID); err != nil {
			t.Fatal(err)
		}
		refused(t, "a role that is no more", second(s.RestorePlace(ctx, ada, course, tutor[0])), lms.CodeInvalid, "unknown-role")
		// Who left by themselves is on record as the one who ended it.
		if _, err := s.Remove(ctx, helper, course, []int64{helper.UserID}); err != nil {
			t.Fatal(err)
		}
		if page, err := s.PastPeople(ctx, ada, course, 0, 1); err != nil || page.People[0].EndedBy != helper.UserID {
			t.Errorf("%+v (%v)", page.People, err)
		}
	})
}
