package service_test

import (
	"testing"
	"time"

	"matricula/internal/lms"
)

// What random histories found (ADR 41), as short as it can be told.

func TestI13AWithdrawnPersonOfTwoWhoWereMergedHasNoAddressLeft(t *testing.T) {
	for _, end := range []string{"withdrawn", "expired"} {
		t.Run(end, func(t *testing.T) {
			each(t, func(t *testing.T, s *school) {
				ada := s.teacher("ada@uni.example")
				course := s.course(ada, "Algorithms")
				ids := s.enroll(ada, course, "student", "grace@uni.example", "grace.hopper@uni.example")
				m := s.merge(s.admin, ids[0], ids[1])
				if end == "withdrawn" {
					if err := s.Withdraw(ctx, ada, ids[0]); err != nil {
						t.Fatal(err)
					}
				} else if n := s.expired(31 * 24 * time.Hour); n != 1 {
					t.Fatalf("%d expired", n)
				}
				if n := s.count(`emails WHERE user_id IN ($1, $2)`, ids[0], ids[1]); n != 0 {
					t.Errorf("%d addresses are left", n)
				}
				for _, address := range []string{"grace@uni.example", "grace.hopper@uni.example"} {
					if c := s.person(address); c.UserID == ids[0] || c.UserID == ids[1] {
						t.Errorf("%s leads to user %d", address, c.UserID)
					}
				}
				if end == "withdrawn" {
					refused(t, "splitting", second(s.SplitMerge(ctx, s.admin, m.ID)), lms.CodeConflict, "merge-address")
				}
			}, waitFor(30))
		})
	}
}
