package service_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
)

func TestH18WhatHasEndedIsDeletedOnSchedule(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		day := 24 * time.Hour
		kept := map[string]string{
			"sessions": `sessions`, "ways to a provider": `signin_attempts`, "answers to repeated requests": `idempotency_keys`, "rows of lists that nobody carried out": `import_chunks`,
		}
		fill := func() {
			t.Helper()
			s.person("v@uni.example")
			_, err := s.StartSignIn(ctx, "campus", signin.NewAttempt(), "/", "")
			_, err2 := s.CreateCourse(ctx, ada, lms.CourseFields{Title: "Again"}, &service.Once{Route: "POST /courses", Key: fmt.Sprint(s.clock.now())})
			_, err3 := s.CreateImport(ctx, ada, service.NewImport{CourseID: course, Name: "list.csv", Text: "email\ngrace@uni.example\n", Options: lms.ImportOptions{Role: "student"}}, nil)
			if err := errors.Join(err, err2, err3); err != nil {
				t.Fatal(err)
			}
			for worked := true; worked; { // until the list waits for somebody to look it over
				if worked, err = s.WorkOnImport(ctx, "node"); err != nil {
					t.Fatal(err)
				}
			}
		}
		left := func() (list []string) {
			for what, table := range kept {
				if s.count(table) > 0 {
					list = append(list, what)
				}
			}
			slices.Sort(list)
			return list
		}
		fill()
		if n := len(left()); n != len(kept) {
			t.Fatalf("only these are there: %v", left())
		}
		entries := s.count(`audit_entries`)
		for _, c := range []struct {
			after time.Duration
			gone  string
		}{
			{16 * time.Minute, "ways to a provider"},
			{25 * time.Hour, "answers to repeated requests"},
			{8 * day, "sessions"},
			{60 * day, "rows of lists that nobody carried out"},
		} {
			s.clock.advance(c.after)
			if err := s.Expire(ctx); err != nil {
				t.Fatal(err)
			}
			if slices.Contains(left(), c.gone) {
				t.Errorf("%s are there after %v more", c.gone, c.after)
			}
		}
		if now := s.count(`audit_entries`); now < entries {
			t.Errorf("the audit has %d entries, and had %d", now, entries)
		}
		fill()
		if n := len(left()); n != len(kept) {
			t.Errorf("what is new is gone too: only %v", left())
		}
	})
}

// TestH02WhoHasArrivedCannotBeToldFromWhoHasNot names people of every status:
// the answers and what they cost are the same, and nobody without the right
// learns even that somebody is known.
func TestH02WhoHasArrivedCannotBeToldFromWhoHasNot(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		elsewhere := s.teacher("elsewhere@uni.example")
		other := s.course(elsewhere, "Elsewhere")
		s.member(elsewhere, other, "student", "active@uni.example")
		s.enroll(elsewhere, other, "student", "pending@uni.example")
		suspended := s.member(elsewhere, other, "student", "suspended@uni.example")
		if _, err := s.UpdateUser(ctx, s.admin, suspended.UserID, service.UserPatch{Status: ptr("suspended")}); err != nil {
			t.Fatal(err)
		}
		ada := s.teacher("ada@uni.example")
		answers := map[string]string{}
		var costs []int64
		for _, who := range []string{"active", "pending", "suspended"} {
			course := s.course(ada, "Algorithms")
			before := s.store.Ran()
			rows, err := s.Enroll(ctx, ada, service.EnrollRequest{CourseID: course, Role: "student", Emails: []string{who + "@uni.example"}})
			if err != nil {
				t.Fatal(err)
			}
			costs = append(costs, s.store.Ran()-before)
			r := rows[0]
			answers[who] = strings.ReplaceAll(fmt.Sprint(r.Location, r.Typed, r.Email, r.UserID != 0, r.Result, r.Reason, r.Message, r.Suggestion, r.Name), who, "X")
		}
		if answers["active"] != answers["pending"] || answers["active"] != answers["suspended"] {
			t.Errorf("the answers differ: %q", answers)
		}
		if costs = slices.Compact(costs); len(costs) != 1 {
			t.Errorf("the numbers of statements differ: %v", costs)
		}

		student := s.member(ada, s.course(ada, "Logic"), "student", "student@uni.example")
		told, costs := map[string]bool{}, nil
		for _, who := range []string{"active", "pending", "suspended", "unknown"} {
			before := s.store.Ran()
			_, err := s.Enroll(ctx, student, service.EnrollRequest{CourseID: other, Role: "student", Emails: []string{who + "@uni.example"}})
			costs = append(costs, s.store.Ran()-before)
			_, err2 := s.SetPrivileges(ctx, student, service.PrivilegeChange{CourseID: other, Person: byEmail(who + "@uni.example"), Allow: []string{"roster.view"}})
			_, err3 := s.CheckEnroll(ctx, student, service.EnrollRequest{CourseID: other, Role: "student", Emails: []string{who + "@uni.example"}})
			told[fmt.Sprint(err, err2, err3)] = true
			if err == nil || err2 == nil || err3 == nil {
				t.Errorf("a student could ask about %s", who)
			}
		}
		if costs = slices.Compact(costs); len(told) != 1 || len(costs) != 1 {
			t.Errorf("a student is told %v, after %v statements", told, costs)
		}
	})
}

func TestC12EveryCourseThatIsLeftWithoutAnOwnerIsOnRecord(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		const n = 23
		for i := range n {
			s.course(ada, fmt.Sprintf("Course %02d", i))
		}
		_, err := s.UpdateUser(ctx, s.admin, ada.UserID, service.UserPatch{Status: ptr("suspended")})
		refused(t, "without a word", err, lms.CodeConflict, "last-owner")
		if !strings.Contains(err.Error(), "Course 00") || !strings.Contains(err.Error(), ", ….") {
			t.Errorf("it says %v", err)
		}
		if _, err := s.UpdateUser(ctx, s.admin, ada.UserID, service.UserPatch{Status: ptr("suspended"), OrphanCourses: true}); err != nil {
			t.Fatal(err)
		}
		_, list, _ := strings.Cut(string(s.lastEntry().After), `"orphaned_courses":[`)
		list, _, _ = strings.Cut(list, "]")
		if got := len(strings.Split(list, ",")); got != n {
			t.Errorf("%d of %d courses are on record: %s", got, n, list)
		}
	})
}
