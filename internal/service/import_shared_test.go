package service_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

func addresses(name string, n int) string {
	var b strings.Builder
	for k := range n {
		fmt.Fprintf(&b, "%s%05d@uni.example\n", name, k)
	}
	return b.String()
}

// G-04: lists that wait at the same time are carried out in turns, and whoever has
// one does not wait for all those of somebody who has many. What others feel
// meanwhile is measured by bench/imports.
func TestG04ListsAreCarriedOutInTurns(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.unlimited()
		const rows, turns = 8500, 2 // more than a turn
		ada, emmy := s.teacher("ada@uni.example"), s.teacher("emmy@uni.example")
		by := []access.Caller{ada, ada, ada, ada, emmy}
		ids := make([]int64, len(by))
		for k, c := range by {
			ids[k] = s.list(c, s.course(c, fmt.Sprintf("Course %d", k)), addresses(fmt.Sprintf("p%d.", k), rows)).ID
		}
		for k, c := range by {
			if _, err := s.StartImport(ctx, c, ids[k], 0); err != nil {
				t.Fatal(err)
			}
		}
		var order []int
		was := make([]int64, len(ids))
		for range turns * len(ids) {
			s.clock.advance(time.Millisecond)
			if worked, err := s.WorkOnImport(ctx, "node"); err != nil || !worked {
				t.Fatalf("nothing to do after %v (%v)", order, err)
			}
			for k, id := range ids {
				if i := s.read(by[k], id); i.Done != was[k] {
					was[k] = i.Done
					order = append(order, k)
				}
			}
		}
		first := map[int]int{}
		for n, k := range order {
			if _, ok := first[k]; !ok {
				first[k] = n
			}
		}
		if len(order) != turns*len(ids) || len(first) != len(ids) {
			t.Fatalf("the turns were %v", order)
		}
		if first[4] > 1 || order[2] != 4 && order[3] != 4 {
			t.Errorf("Emmy waits for more than one turn of Ada's: %v", order)
		}
		for k, id := range ids {
			is(t, fmt.Sprintf("list %d", k), string(s.read(by[k], id).State)+" "+counts(s.read(by[k], id)), fmt.Sprintf("done named %d", rows))
		}
	})
}

// G-06: nobody who writes meanwhile is refused because a list is carried out.
func TestG06WhoWritesBesideAListIsNotRefused(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.unlimited()
		ada := s.teacher("ada@uni.example")
		course, other := s.course(ada, "Algorithms"), s.course(ada, "Compilers")
		i := s.list(ada, course, addresses("p", 5000))
		if _, err := s.StartImport(ctx, ada, i.ID, 0); err != nil {
			t.Fatal(err)
		}
		const writers = 200
		errs := make([]error, writers)
		var wait sync.WaitGroup
		for n := range writers {
			wait.Go(func() {
				_, errs[n] = s.Enroll(ctx, ada, service.EnrollRequest{CourseID: other, Role: lms.RoleStudent, Emails: []string{fmt.Sprintf("w%d@uni.example", n)}, Source: lms.SourcePaste})
			})
		}
		s.work()
		wait.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
		is(t, "the list", counts(s.read(ada, i.ID)), "named 5000")
		if n := len(strings.Split(strings.TrimSpace(s.roster(other)), "\n")); n != writers+1 {
			t.Errorf("%d people in the other course, want %d", n, writers+1)
		}
	})
}
