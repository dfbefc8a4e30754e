package service_test

import (
	"testing"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

func TestH08PeopleAskToBeErasedAndAdministratorsDecide(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		grace, bob := s.person("grace@uni.example"), s.person("bob@uni.example")
		if q, err := s.OwnErasure(ctx, grace); q != nil || err != nil {
			t.Errorf("before asking: %+v (%v)", q, err)
		}
		refused(t, "withdrawn before asking", s.WithdrawErasure(ctx, grace), lms.CodeNotFound, "not-found")
		q, err := s.AskErasure(ctx, grace, " I leave  the school. ")
		if err != nil || q.State != lms.ErasureOpen || q.Note != "I leave the school." || q.User.ID != grace.UserID {
			t.Fatalf("%+v (%v)", q, err)
		}
		if again, err := s.AskErasure(ctx, grace, "again"); err != nil || again.ID != q.ID || s.audited(access.ErasureAsk, lms.OutcomeDone) != 1 {
			t.Errorf("asked twice: %+v (%v)", again, err)
		}
		if _, err := s.AskErasure(ctx, bob, ""); err != nil {
			t.Fatal(err)
		}
		refused(t, "the list, for others", second(s.Erasures(ctx, grace, lms.ErasureOpen, 0, 10)), lms.CodeForbidden, "forbidden")
		refused(t, "refused by others", second(s.RefuseErasure(ctx, bob, q.ID, "no")), lms.CodeForbidden, "forbidden")
		p, err := s.Erasures(ctx, s.admin, lms.ErasureOpen, 0, 1)
		if err != nil || len(p.Requests) != 1 || p.Requests[0].User.ID != bob.UserID || p.Next == 0 {
			t.Fatalf("%+v (%v)", p, err)
		}
		if p, err = s.Erasures(ctx, s.admin, lms.ErasureOpen, p.Next, 1); err != nil || len(p.Requests) != 1 || p.Requests[0].ID != q.ID || p.Next != 0 {
			t.Fatalf("%+v (%v)", p, err)
		}

		refused(t, "without a reason", second(s.RefuseErasure(ctx, s.admin, q.ID, " ")), lms.CodeInvalid, "reason-missing")
		refused(t, "of nobody", second(s.RefuseErasure(ctx, s.admin, 1<<40, "no")), lms.CodeNotFound, "not-found")
		if q, err = s.RefuseErasure(ctx, s.admin, q.ID, "Your grades are kept until June."); err != nil || q.State != lms.ErasureRefused {
			t.Fatalf("%+v (%v)", q, err)
		}
		if e := s.lastEntry(); e.Action != string(access.ErasureRefuse) || e.SubjectID != grace.UserID {
			t.Errorf("the audit has %+v", e)
		}
		if own, err := s.OwnErasure(ctx, grace); err != nil || own.Answer != "Your grades are kept until June." || own.DecidedBy.ID != s.admin.UserID {
			t.Errorf("the person reads %+v (%v)", own, err)
		}
		refused(t, "refused twice", second(s.RefuseErasure(ctx, s.admin, q.ID, "no")), lms.CodeConflict, "already-decided")

		// Asked again, withdrawn, and asked once more.
		for range 2 {
			if _, err := s.AskErasure(ctx, grace, "Now?"); err != nil {
				t.Fatal(err)
			}
			if s.count(`erasure_requests WHERE user_id = $1`, grace.UserID) == 2 {
				if err := s.WithdrawErasure(ctx, grace); err != nil {
					t.Fatal(err)
				}
			}
		}
		if n, err := s.OpenErasures(ctx, s.admin); err != nil || n != 2 {
			t.Errorf("%d are open (%v)", n, err)
		}
		s.erase(grace.UserID)
		done, err := s.Erasures(ctx, s.admin, lms.ErasureDone, 0, 10)
		if err != nil || len(done.Requests) != 1 || done.Requests[0].DecidedBy.ID != s.admin.UserID || done.Requests[0].User.DisplayName() != lms.Pseudonym(grace.UserID) {
			t.Errorf("carried out: %+v (%v)", done, err)
		}
		if n := s.count(`erasure_requests WHERE user_id = $1 AND (note <> '' OR answer <> '')`, grace.UserID); n != 0 {
			t.Error("what was written is still there")
		}
	})
}

func TestH07AnAdministratorDownloadsForSomebodyWhoNeverSignedIn(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		id := s.enroll(ada, course, "student", "late@uni.example")[0]
		s.detail(ada, service.DetailsChange{CourseID: course, UserID: id, Number: ptr("4711")})
		s.set(ada, course, byID(id), []string{"roster.view"}, nil)
		d, err := s.DataOf(ctx, s.admin, id)
		if err != nil {
			t.Fatal(err)
		}
		doc := d.Document()
		if doc.ID != id || doc.Status != lms.StatusPending || len(doc.Addresses) != 1 || len(doc.Courses) != 1 || doc.Courses[0].Number != "4711" || len(doc.Courses[0].Allow) != 1 {
			t.Errorf("%+v", doc)
		}
		if e := s.lastEntry(); e.Action != string(access.UserExport) || e.SubjectID != id || e.ActorID != s.admin.UserID {
			t.Errorf("the audit has %+v", e)
		}
		p, err := s.AuditOf(ctx, s.admin, id, 0, 50)
		if err != nil || len(p.Entries) < 4 {
			t.Errorf("%d entries about them (%v)", len(p.Entries), err)
		}
		refused(t, "by a teacher", second(s.DataOf(ctx, ada, id)), lms.CodeForbidden, "forbidden")
		refused(t, "by a teacher, the audit", second(s.AuditOf(ctx, ada, id, 0, 10)), lms.CodeForbidden, "forbidden")
		refused(t, "of nobody", second(s.DataOf(ctx, s.admin, 1<<40)), lms.CodeNotFound, "not-found")
		program := s.admin
		program.TokenID, program.Scopes = 1, []lms.Scope{lms.ScopeWrite}
		refused(t, "with a token", second(s.DataOf(ctx, program, id)), lms.CodeForbidden, "token-not-enough")
		s.erase(id)
		refused(t, "of the erased", second(s.DataOf(ctx, s.admin, id)), lms.CodeNotFound, "not-found")
	})
}
