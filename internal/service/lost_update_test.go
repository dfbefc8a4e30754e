package service_test

import (
	"fmt"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// Of those who change the same version of something at once, one is done, and the
// others are told. D-10 is about grades, which there are none of; an announcement is
// what two teachers write at once.
func TestD10OfTwoWhoEditTheSameVersionOneIsTold(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		node := s.grow(3)
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		ben := s.teacher("ben@uni.example")
		s.enroll(ada, course, "owner", "ben@uni.example")
		a, err := s.CreateAnnouncement(ctx, ada, course, lms.AnnouncementFields{Title: "Room 12", Body: "Bring a pencil."}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for round := range 8 {
			s.clock.advance(time.Minute)
			entries, seen := s.count(`audit_entries WHERE action = 'announcement.update' AND outcome = 'done'`), a.EditedAt
			errs, texts := make([]error, 6), make([]string, 6)
			together(6, func(i int) {
				texts[i] = fmt.Sprintf("Round %d, by %d.", round, i)
				_, errs[i] = node(i).UpdateAnnouncement(ctx, []access.Caller{ada, ben}[i%2], course, a.ID, service.AnnouncementPatch{Body: &texts[i], Seen: &seen})
			})
			won := -1
			for i, err := range errs {
				switch {
				case err != nil:
					refused(t, texts[i], err, lms.CodeConflict, "changed-meanwhile")
				case won >= 0:
					t.Errorf("round %d: both %d and %d were told that it is done", round, won, i)
				default:
					won = i
				}
			}
			if a, err = s.Announcement(ctx, ada, course, a.ID); err != nil || won < 0 || a.Body != texts[won] {
				t.Fatalf("round %d: it says %q, and %d won (%v)", round, a.Body, won, err)
			}
			if n := s.count(`audit_entries WHERE action = 'announcement.update' AND outcome = 'done'`) - entries; n != 1 {
				t.Errorf("round %d: %d edits are recorded as done", round, n)
			}
		}
	})
}
