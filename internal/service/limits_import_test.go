package service_test

import (
	"strings"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// listOf is a class list of n people whom nobody knows.
func listOf(prefix string, n int) string {
	return "email\n" + strings.Join(addressesAt(prefix, "uni.example", n), "\n") + "\n"
}

func TestAListThatMeetsALimitWaitsAndLosesNothing(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		s.limit(lms.LimitNamingPerson, 900)
		i := s.list(ada, course, listOf("a", 1000))
		outlook, err := s.ImportOutlook(ctx, ada, &i)
		if err != nil || i.Names != 1000 || !strings.Contains(outlook.String(), "names 1000 people") || !strings.Contains(outlook.String(), "leaves 900") {
			t.Errorf("beforehand: %d, %q (%v)", i.Names, outlook, err)
		}
		if text, err := s.ImportOutlook(ctx, s.admin, &i); err != nil || !text.IsZero() {
			t.Errorf("an administrator is warned: %q (%v)", text, err)
		}
		i = s.carry(ada, i.ID)
		if !i.Paused() || i.PausedFor != lms.LimitNamingPerson || i.Done != 800 || i.Counts[lms.DidName] != 800 || !i.PausedUntil.Equal(s.clock.now().Add(24*time.Hour)) {
			t.Fatalf("at the limit: %s, for %s until %s, %d done, %s", i.State, i.PausedFor, i.PausedUntil, i.Done, counts(i))
		}
		if text := i.Pause().String(); !strings.Contains(text, "2026-09-02 08:30 UTC") || !strings.Contains(text, "People whom one person names") {
			t.Errorf("it says %q", text)
		}
		if n := s.audited(access.ImportRun, lms.OutcomeRefused); n != 1 {
			t.Errorf("%d refusals on record, want 1", n)
		}
		// Trying it now changes nothing, and leaves no second entry.
		i = s.carry(ada, i.ID)
		if !i.Paused() || i.Done != 800 || s.audited(access.ImportRun, lms.OutcomeRefused) != 1 {
			t.Errorf("tried again: %s, %d done", i.State, i.Done)
		}
		// The next day it goes on by itself.
		s.clock.advance(24 * time.Hour)
		s.work()
		if i = s.read(ada, i.ID); i.State != lms.ImportDone || i.PausedFor != "" || i.Counts[lms.DidName] != 1000 {
			t.Errorf("the next day: %s, %s", i.State, counts(i))
		}
		// Lifting it has the list go on at once.
		s.limit(lms.LimitNamingPerson, 500)
		j := s.list(ada, course, listOf("b", 900), lms.ImportOptions{Role: "student", Sure: true})
		if j = s.carry(ada, j.ID); !j.Paused() {
			t.Fatalf("%s, %s", j.State, counts(j))
		}
		s.lift(service.NewLift{Limit: lms.LimitNamingPerson, Person: byID(ada.UserID)}, time.Hour)
		s.work()
		if j = s.read(ada, j.ID); j.State != lms.ImportDone || j.Counts[lms.DidName] != 900 {
			t.Errorf("lifted: %s, %s", j.State, counts(j))
		}
	})
}

func TestAListThatWaitsCanBeStoppedAndUndone(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		s.limit(lms.LimitNamingCourse, 450)
		i := s.list(ada, course, listOf("a", 800))
		if i = s.carry(ada, i.ID); !i.Paused() || i.PausedFor != lms.LimitNamingCourse || i.Done != 400 {
			t.Fatalf("%s for %s, %d done", i.State, i.PausedFor, i.Done)
		}
		if _, err := s.CancelImport(ctx, ada, i.ID); err != nil {
			t.Fatal(err)
		}
		s.limit(lms.LimitNamingCourse, 5000)
		s.work()
		if i = s.read(ada, i.ID); i.State != lms.ImportCanceled || i.Paused() || i.Done != 400 {
			t.Errorf("stopped: %s, %d done", i.State, i.Done)
		}
		if i = s.undo(ada, i.ID); i.State != lms.ImportUndone || s.count(`enrollments WHERE course_id = $1`, course) != 1 {
			t.Errorf("undone: %s, %d places are left", i.State, s.count(`enrollments WHERE course_id = $1`, course))
		}
	})
}
