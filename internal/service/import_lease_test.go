package service_test

import (
	"testing"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// TestWhoBringsAListAgainReadsItWhenTheFirstHasDied leaves an import as a node does
// that dies while it reads a list.
func TestWhoBringsAListAgainReadsItWhenTheFirstHasDied(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		bring := func() lms.Import {
			t.Helper()
			i, err := s.CreateImport(ctx, ada, service.NewImport{CourseID: course, Name: "class.csv", Text: class}, nil)
			if err != nil {
				t.Fatal(err)
			}
			return i
		}
		first := bring()
		leave := func(until time.Time) {
			t.Helper()
			if _, err := s.raw.Exec(`UPDATE imports SET state = 'reading', heading = '[]', columns = '{}', row_count = 0, chunk_count = 0, leased_until = $1`, until); err != nil {
				t.Fatal(err)
			}
		}
		leave(s.clock.now().Add(time.Minute))
		if i := bring(); i.ID != first.ID || i.State != lms.ImportReading {
			t.Errorf("while somebody reads it, the same list is %+v", i)
		}
		leave(s.clock.now().Add(-time.Second))
		if i := bring(); i.ID != first.ID || i.State != lms.ImportChecking || i.Rows != 3 {
			t.Errorf("when nobody reads it any more, the same list is %+v", i)
		}
		s.work()
		is(t, "the plan", counts(s.read(ada, first.ID)), "add 3")
		is(t, "the results", counts(s.carry(ada, first.ID)), "named 3")
	})
}
