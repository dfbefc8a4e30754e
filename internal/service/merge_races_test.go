package service_test

import (
	"fmt"
	"testing"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// afterRace looks whether anything refers to somebody who was merged, and whether
// everybody has one place in a course.
func (s *school) afterRace(what string) {
	s.tb.Helper()
	for _, table := range []string{"enrollments", "course_privileges", "emails", "identities", "sessions", "api_tokens"} {
		if n := s.count(table + ` t JOIN users u ON u.id = t.user_id WHERE u.merged_into IS NOT NULL`); n != 0 {
			s.tb.Errorf("%s: %d rows of %s belong to somebody who was merged", what, n, table)
		}
	}
	if n := s.count(`users u WHERE u.status IN ('pending', 'active') AND u.kind = 'person' AND NOT EXISTS (SELECT 1 FROM emails e WHERE e.user_id = u.id AND e.is_primary)`); n != 0 {
		s.tb.Errorf("%s: %d people have no main address", what, n)
	}
	if n := s.count(`users u WHERE u.status = 'active' AND u.kind = 'person' AND NOT EXISTS (SELECT 1 FROM identities i WHERE i.user_id = u.id)`); n != 0 {
		s.tb.Errorf("%s: %d active people cannot sign in", what, n)
	}
}

func TestD04AMergeWhileThePersonArrivesIsDoneOrRefused(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		grace := s.member(ada, course, "student", "grace@uni.example")
		node := s.grow(2)
		merged, claimed := 0, 0
		for round := range 30 {
			email := fmt.Sprintf("grace%d@slip.example", round)
			slip := s.enroll(ada, course, "observer", email)[0]
			var in service.SignedIn
			var signIn, merge error
			together(2, func(i int) {
				if i == round%2 {
					in, signIn = node(i).SignIn(ctx, campus, token("s-"+email, email), "", "")
					return
				}
				_, merge = node(i).MergePeople(ctx, ada, service.MergeRequest{Keep: byID(grace.UserID), Merge: byID(slip)}, nil)
			})
			switch {
			case merge == nil && lms.TypeOf(signIn) == "address-in-use":
				merged++
			case signIn == nil && in.User.ID == slip && lms.TypeOf(merge) == "merge-administrator":
				claimed++
			default:
				t.Errorf("round %d: the sign-in %v, the merge %v", round, signIn, merge)
			}
			s.afterRace(fmt.Sprint("round ", round))
		}
		if merged+claimed != 30 {
			t.Errorf("%d merged and %d claimed", merged, claimed)
		}
	})
}

func TestD04AMergeWhileThePersonIsEnrolledLeavesNoPlaceToAGhost(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, bob := s.teacher("ada@uni.example"), s.teacher("bob@uni.example")
		course := s.course(ada, "Algorithms")
		grace := s.member(ada, course, "student", "grace@uni.example")
		node := s.grow(3)
		for round := range 30 {
			email := fmt.Sprintf("grace%d@slip.example", round)
			slip := s.enroll(ada, course, "student", email)[0]
			further := s.course(bob, fmt.Sprint("Course ", round))
			var rows []service.RowResult
			var enroll, grant, merge error
			together(3, func(i int) {
				switch (i + round) % 3 {
				case 0:
					rows, enroll = node(i).Enroll(ctx, bob, service.EnrollRequest{CourseID: further, Role: "student", Emails: []string{email}})
				case 1:
					_, grant = node(i).SetPrivileges(ctx, bob, service.PrivilegeChange{CourseID: further, Person: byEmail(email), Allow: []string{"roster.view"}})
				default:
					_, merge = node(i).MergePeople(ctx, s.admin, service.MergeRequest{Keep: byID(grace.UserID), Merge: byID(slip)}, nil)
				}
			})
			if enroll != nil || grant != nil || merge != nil || rows[0].Result == service.ResultRefused {
				t.Errorf("round %d: %v, %v, %v, %+v", round, enroll, grant, merge, rows)
			}
			s.afterRace(fmt.Sprint("round ", round))
			if got := s.held(further, grace.UserID); got != "roster.view" {
				t.Errorf("round %d: in the further course she may %q", round, got)
			}
			if n := s.count(`enrollments WHERE course_id = $1 AND user_id = $2`, further, grace.UserID); n != 1 {
				t.Errorf("round %d: she is enrolled %d times", round, n)
			}
		}
	})
}

func TestD19AMergeAtOnceIsDoneOnceAndSplitOnce(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		grace, emmy := s.member(ada, course, "student", "grace@uni.example"), s.member(ada, course, "student", "emmy@uni.example")
		node := s.grow(3)
		for round := range 10 {
			slip := s.enroll(ada, course, "student", fmt.Sprintf("slip%d@slip.example", round))[0]
			done := make([]lms.Merge, 6)
			errs := make([]error, 6)
			together(6, func(i int) {
				keep := []int64{grace.UserID, emmy.UserID}[i%2]
				done[i], errs[i] = node(i).MergePeople(ctx, s.admin, service.MergeRequest{Keep: byID(keep), Merge: byID(slip)}, nil)
			})
			var id int64
			n := 0
			for i, err := range errs {
				if err == nil {
					n, id = n+1, done[i].ID
				} else if lms.TypeOf(err) != "not-found" {
					t.Errorf("round %d: %v", round, err)
				}
			}
			if n != 1 {
				t.Fatalf("round %d: merged %d times", round, n)
			}
			s.afterRace(fmt.Sprint("round ", round))
			splits := make([]error, 4)
			together(4, func(i int) { _, splits[i] = node(i).SplitMerge(ctx, s.admin, id) })
			n = 0
			for _, err := range splits {
				if err == nil {
					n++
				} else if lms.TypeOf(err) != "merge-final" {
					t.Errorf("round %d: %v", round, err)
				}
			}
			if n != 1 {
				t.Errorf("round %d: split %d times", round, n)
			}
		}
	})
}

// Two merges that cross each other do not wait in a circle, and nobody is merged into
// somebody who is gone.
func TestD09TwoWhoAreMergedIntoEachOtherAtOnceAreOne(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		node := s.grow(2)
		for round := range 20 {
			ids := s.enroll(ada, course, "student", fmt.Sprintf("a%d@slip.example", round), fmt.Sprintf("b%d@slip.example", round))
			errs := make([]error, 2)
			together(2, func(i int) {
				_, errs[i] = node(i).MergePeople(ctx, s.admin, service.MergeRequest{Keep: byID(ids[i]), Merge: byID(ids[1-i])}, nil)
			})
			if (errs[0] == nil) == (errs[1] == nil) {
				t.Errorf("round %d: %v and %v", round, errs[0], errs[1])
			}
			if n := s.count(`users WHERE id IN ($1, $2) AND merged_into IS NULL`, ids[0], ids[1]); n != 1 {
				t.Errorf("round %d: %d are left", round, n)
			}
			s.afterRace(fmt.Sprint("round ", round))
		}
	})
}
