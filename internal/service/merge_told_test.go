package service_test

import (
	"strings"
	"testing"
	"time"

	"matricula/internal/lms"
)

// Whoever is kept hears that another account became a part of theirs, once, and sees it
// for as long as it can be split; whoever did it themselves knows.
func TestWhoeverIsKeptIsToldOfAMerge(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "WIN 1M at x.cn")
		grace := s.member(ada, course, "student", "grace@uni.example")
		slip := s.enroll(ada, course, "student", "grase@uni.example")[0]
		m := s.merge(ada, grace.UserID, slip)
		s.deliver()
		s.deliver()
		list := s.sink.Mails("")
		if len(list) != 1 || list[0].To != "grace@uni.example" || !strings.Contains(list[0].Text, "g***@uni.example") || strings.Contains(list[0].Text, "WIN") {
			t.Fatalf("mails %+v", list)
		}
		late, err := s.MergesOfLate(ctx, grace)
		if err != nil || len(late) != 1 || late[0].ID != m.ID || late[0].AskedBy.ID != ada.UserID {
			t.Errorf("of late: %+v (%v)", late, err)
		}
		if late, err := s.MergesOfLate(ctx, ada); err != nil || len(late) != 0 {
			t.Errorf("whoever merged them is shown it as their own: %+v (%v)", late, err)
		}
		// Two who have not arrived hear nothing, nor does who proved an address.
		pending := s.enroll(ada, course, "student", "one@uni.example", "other@uni.example")
		s.merge(ada, pending[0], pending[1])
		s.enroll(ada, course, "student", "g.hopper@uni.example")
		secret, err := s.BeginAddress(ctx, grace, "g.hopper@uni.example", "en")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.ConfirmAddress(ctx, grace, secret, s.code("g.hopper@uni.example")); err != nil {
			t.Fatal(err)
		}
		s.deliver()
		if n := s.count(`mails WHERE kind = $1`, string(lms.MailMerged)); n != 1 {
			t.Errorf("%d mails about merges, want 1", n)
		}
		s.clock.advance(31 * 24 * time.Hour)
		if late, err := s.MergesOfLate(ctx, grace); err != nil || len(late) != 0 {
			t.Errorf("after thirty days: %+v (%v)", late, err)
		}
	})
}
