package service_test

import (
	"fmt"
	"strings"
	"testing"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// H-09: of whoever is withdrawn or expires nothing is left in class lists either, however
// the address stands there; who stands beside them stays.
func TestH09ClassListsForgetWhoIsWithdrawnOrExpires(t *testing.T) {
	for _, way := range []string{"withdrawn", "expired", "erased"} {
		t.Run(way, func(t *testing.T) {
			each(t, func(t *testing.T, s *school) {
				ada := s.teacher("ada@uni.example")
				course := s.course(ada, "Algorithms")
				var text strings.Builder
				text.WriteString("E-mail\tName\tStudent number\tRemark\n")
				for i := range 150 { // more than are erased at once
					fmt.Fprintf(&text, "canary%d@uni.example\tCanary %d\t47%d\tnone\n", i, i, i)
				}
				text.WriteString("stays@uni.example\tSofja\t1\tsits beside canary7@uni.example\n")
				done := s.carry(ada, s.list(ada, course, text.String()).ID)
				other := s.course(ada, "Compilers")
				s.list(ada, other, "E-mail\nCANARY3@Uni.Example\nlater@uni.example\n") // nobody carries it out
				s.person("stays@uni.example")
				ids := make([]int64, 150)
				for i := range ids {
					ids[i] = s.idOfEmail(fmt.Sprintf("canary%d@uni.example", i))
				}
				switch way {
				case "withdrawn":
					for _, id := range ids {
						if err := s.Withdraw(ctx, ada, id); err != nil {
							t.Fatal(err)
						}
					}
				case "erased":
					for _, id := range ids {
						if _, err := s.EraseUser(ctx, s.admin, id, service.Leaving{}); err != nil {
							t.Fatal(err)
						}
					}
				default:
					s.clock.advance(31 * aDay)
					if n, err := s.ExpirePending(ctx); err != nil || n != 150 {
						t.Fatalf("%d expired (%v)", n, err)
					}
				}
				for table, lines := range s.dump("gone_people") {
					for _, line := range lines {
						if strings.Contains(strings.ToLower(line), "canary") {
							t.Fatalf("%s still has %.300s", table, line)
						}
					}
				}
				i, _, err := s.Import(ctx, s.admin, done.ID)
				if err != nil || i.State != lms.ImportDone || i.Counts["named"] != 151 {
					t.Errorf("the list is %+v (%v)", i, err)
				}
				if n := s.count(`import_chunks WHERE rows LIKE '%stays@uni.example%'`); n != 1 {
					t.Error("who stood beside them is gone too")
				}
			}, waitFor(30))
		})
	}
}
