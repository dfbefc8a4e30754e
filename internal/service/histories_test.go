package service_test

import (
	"strings"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
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
					refused(t, "splitting", second(s.SplitMerge(ctx, s.admin, m.ID)), lms.CodeConflict, "merge-final")
				}
			}, waitFor(30))
		})
	}
}

func TestNobodyToWhomSomethingIsDeniedBecomesAnOwnerByAnyDoor(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		s.set(ada, course, service.PersonRef{Email: "grace@uni.example"}, nil, []string{"audit.view"})
		rows, err := s.Enroll(ctx, ada, service.EnrollRequest{CourseID: course, Role: "owner", Emails: []string{"grace@uni.example", "hal@uni.example"}})
		if err != nil || rows[0].Result != service.ResultRefused || rows[0].Reason != "owner-holds-all" || rows[1].Result != service.ResultNamed {
			t.Errorf("in a list of addresses: %+v (%v)", rows, err)
		}
		i := s.list(ada, course, "email,role\ngrace@uni.example,owner\n")
		if refused := s.rows(ada, i.ID, "refused"); len(refused) != 1 {
			t.Errorf("in a class list: %+v", refused)
		}
		if got := s.held(course, s.idOf("grace@uni.example")); strings.Contains(got, "staff.manage") {
			t.Errorf("holds %q", got)
		}
	})
}

func TestI8WhatWasGivenToAnAddressIsNoGiftToOneself(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		s.set(ada, course, service.PersonRef{Email: "ada.l@uni.example"}, []string{"staff.manage"}, []string{"roster.view"})
		admin := s.admin.UserID
		s.set(ada, course, service.PersonRef{Email: string(s.user(admin).Email)}, []string{"audit.view"}, nil)
		// An administrator was named by another of their addresses. The invariants are
		// looked at when the test ends.
		s.merge(s.admin, admin, s.idOf("ada.l@uni.example"))
		if n := s.count(`course_privileges WHERE user_id = $1 AND granted_by = $1`, admin); n != 1 {
			t.Errorf("%d grants are by themselves", n)
		}
	})
}

func TestMergesAreSplitInTheOrderInWhichTheyWereCarriedOutAndNotAskedFor(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, grace, hal := s.teacher("ada@uni.example"), s.person("grace@uni.example"), s.person("hal@uni.example")
		course := s.course(ada, "Algorithms")
		s.enroll(ada, course, "assistant", "hal@uni.example")
		slip := s.enroll(ada, course, "student", "grcae@uni.example")[0]
		r := service.MergeRequest{Keep: byID(grace.UserID), Merge: byID(hal.UserID)}
		asked, err := s.MergePeople(ctx, s.admin, r, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.clock.advance(time.Minute)
		first := s.merge(s.admin, grace.UserID, slip)
		for _, c := range []access.Caller{grace, hal} {
			if _, err := s.AcceptMerge(ctx, c, asked.ID); err != nil {
				t.Fatal(err)
			}
		}
		s.clock.advance(time.Minute)
		if _, err := s.CompleteMerge(ctx, s.admin, asked.ID); err != nil {
			t.Fatal(err)
		}
		refused(t, "the first of the two", second(s.SplitMerge(ctx, s.admin, first.ID)), lms.CodeConflict, "merge-not-last")
		for _, id := range []int64{asked.ID, first.ID} {
			if _, err := s.SplitMerge(ctx, s.admin, id); err != nil {
				t.Errorf("merge %d: %v", id, err)
			}
		}
		if got := s.roster(course); !strings.Contains(got, "grcae@uni.example student") || !strings.Contains(got, "hal@uni.example assistant") || strings.Contains(got, "grace") {
			t.Errorf("in the course are %s", got)
		}
	})
}

func TestAPlaceGoesBackAlsoWhenWhoeverGaveItWasMergedMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, other, grace := s.teacher("ada@uni.example"), s.person("ada.l@uni.example"), s.person("grace@uni.example")
		course := s.course(ada, "Algorithms")
		slip := s.enroll(ada, course, "assistant", "grcae@uni.example")[0]
		s.set(ada, course, byID(slip), []string{"audit.view"}, nil)
		m := s.merge(s.admin, grace.UserID, slip)
		s.clock.advance(time.Minute)
		s.proved(other, ada)
		if _, err := s.SplitMerge(ctx, s.admin, m.ID); err != nil {
			t.Fatal(err)
		}
		if got := s.roster(course); !strings.Contains(got, "grcae@uni.example assistant") || strings.Contains(got, "grace@uni.example") {
			t.Errorf("in the course are %s", got)
		}
		if got := s.held(course, slip); !strings.Contains(got, "audit.view") {
			t.Errorf("the other holds %q", got)
		}
	})
}

func TestI8WhoeverWasMergedAndSplitGivesWhatTheyHeldBefore(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		grace := s.member(ada, course, "teacher", "grace@uni.example")
		slip := s.enroll(ada, course, "student", "grcae@uni.example")[0]
		s.set(ada, course, byID(slip), nil, []string{"audit.view"})
		m := s.merge(s.admin, grace.UserID, slip)
		if _, err := s.SplitMerge(ctx, s.admin, m.ID); err != nil {
			t.Fatal(err)
		}
		s.set(grace, course, service.PersonRef{Email: "sam@uni.example"}, []string{"audit.view"}, nil)
	}) // which ends with the invariants
}
