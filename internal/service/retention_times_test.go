package service_test

import (
	"testing"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// TestH18WhatHasEndedIsGoneOnSchedule moves the clock from one time of the
// documentation (docs/admin/privacy.md) to the next.
func TestH18WhatHasEndedIsGoneOnSchedule(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		if _, err := s.CreateCourse(ctx, ada, lms.CourseFields{Title: "Once"}, &service.Once{Route: "POST /courses", Key: "k", Body: []byte("b")}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.CreateToken(ctx, ada, service.NewToken{Name: "short", Life: 24 * time.Hour}, nil); err != nil {
			t.Fatal(err)
		}
		done := s.carry(ada, s.list(ada, course, "email\na@uni.example\n").ID)
		waiting := s.list(ada, course, "email\nb@uni.example\n")
		if _, err := s.AskErasure(ctx, ada, ""); err != nil {
			t.Fatal(err)
		}
		p, err := s.Erasures(ctx, s.admin, lms.ErasureOpen, 0, 10)
		if err != nil || len(p.Requests) != 1 {
			t.Fatalf("%+v (%v)", p, err)
		}
		if _, err := s.RefuseErasure(ctx, s.admin, p.Requests[0].ID, "You own a course."); err != nil {
			t.Fatal(err)
		}
		begun := s.clock.now()
		kept := func(what string, want int, query string, args ...any) {
			t.Helper()
			if n := s.count(query, args...); n != want {
				t.Errorf("after %s, %d of %s are kept, want %d", s.clock.now().Sub(begun), n, what, want)
			}
		}
		const day = 24 * time.Hour
		for _, at := range []struct {
			after                                          time.Duration
			keys, sessions, unused, tokens, rows, requests int
		}{
			{23 * time.Hour, 1, 2, 1, 1, 1, 1},
			{25 * time.Hour, 0, 2, 1, 1, 1, 1},
			{8 * day, 0, 0, 1, 1, 1, 1},
			{15 * day, 0, 0, 0, 1, 1, 1},
			{32 * day, 0, 0, 0, 0, 1, 1},
			{179 * day, 0, 0, 0, 0, 1, 1},
			{181 * day, 0, 0, 0, 0, 0, 1},
			{366 * day, 0, 0, 0, 0, 0, 0},
		} {
			s.clock.advance(at.after - s.clock.now().Sub(begun))
			if err := s.Expire(ctx); err != nil {
				t.Fatal(err)
			}
			kept("the idempotency keys", at.keys, `idempotency_keys`)
			kept("the sessions", at.sessions, `sessions`)
			kept("the rows of a list that nobody carried out", at.unused, `import_chunks WHERE import_id = $1`, waiting.ID)
			kept("the tokens", at.tokens, `api_tokens`)
			kept("the rows of a list that is over", at.rows, `import_chunks WHERE import_id = $1`, done.ID)
			kept("the requests", at.requests, `erasure_requests`)
		}
		ada = s.person("ada@uni.example")
		if i := s.read(ada, done.ID); i.State != lms.ImportDone || i.Counts[lms.DidName] != 1 {
			t.Errorf("what the list did is no longer known: %+v", i)
		}
		refused(t, "undone without its rows", second(s.UndoImport(ctx, ada, done.ID)), lms.CodeConflict, "import-too-old")
	})
}
