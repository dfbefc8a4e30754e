package service_test

import (
	"strings"
	"testing"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// H-09, I9: each granter gets one mail about all who expire in a week, before they do,
// and nothing is said twice.
func TestH09GrantersAreToldOnceAWeekBeforePeopleExpire(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		ada, bob := s.teacher("ada@uni.example"), s.teacher("bob@uni.example")
		one, other := s.course(ada, "WIN 1M at x.cn"), s.course(bob, "Compilers")
		s.clock.advance(8 * aDay) // who is named now expires on a Monday
		s.enroll(ada, one, "student", "grace@uni.example", "emmy@uni.example", "comes@uni.example")
		s.enroll(bob, other, "student", "grace@uni.example")
		s.clock.advance(2 * aDay)
		s.enroll(ada, one, "student", "sofja@uni.example") // in the same week
		s.clock.advance(7 * aDay)
		s.enroll(ada, one, "student", "hedy@uni.example") // in the next
		tell := func() {
			t.Helper()
			s.clock.advance(2 * time.Hour)
			for _, node := range []*service.Service{s.Service, service.New(s.store, s.options)} {
				if err := node.TellExpiring(ctx); err != nil {
					t.Fatal(err)
				}
			}
			s.deliver()
		}
		s.clock.advance(150 * aDay)
		tell()
		if n := len(s.sink.Mails("")); n != 0 {
			t.Fatalf("%d mails too early", n)
		}
		s.clock.advance(8 * aDay) // a fortnight before the first three
		s.person("comes@uni.example")
		tell()
		tell()
		list := s.sink.Mails("ada@uni.example")
		if len(list) != 1 || len(s.sink.Mails("bob@uni.example")) != 1 || len(s.sink.Mails("")) != 2 {
			t.Fatalf("mails %+v", s.sink.Mails(""))
		}
		for _, want := range []string{"3 people", "lms.uni.example", "8 Mar 2027"} {
			if !strings.Contains(list[0].Subject+list[0].Text, want) {
				t.Errorf("the mail does not say %q:\n%s", want, list[0].Text)
			}
		}
		if strings.Contains(list[0].Text, "WIN") || strings.Contains(list[0].Text, "grace") {
			t.Errorf("F-37: the mail holds what somebody wrote, or a name:\n%s", list[0].Text)
		}
		// Who has come or was named again by the time that the mail would go needs none.
		s.clock.advance(9 * aDay)
		s.person("hedy@uni.example")
		tell()
		if n := len(s.sink.Mails("")); n != 2 {
			t.Errorf("%d mails, want 2", n)
		}
		if err := s.TellExpiring(ctx); err != nil {
			t.Fatal(err)
		}
		p, err := s.Mails(ctx, s.admin, "", 0, 50)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range p.Mails {
			if m.Kind == lms.MailExpiring && m.UserID != ada.UserID && m.UserID != bob.UserID {
				t.Errorf("told %+v", m)
			}
		}
	}, waitFor(180))
}

// The mail is composed when it is sent: who was kept meanwhile is not in it.
func TestAMailAboutPeopleWhoExpireIsNotSentOnceTheyAreKept(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		id := s.enroll(ada, course, "student", "grace@uni.example")[0]
		s.clock.advance(170 * aDay)
		if err := s.TellExpiring(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Renew(ctx, s.person("ada@uni.example"), course, []int64{id}); err != nil {
			t.Fatal(err)
		}
		s.deliver()
		if n := len(s.sink.Mails("")); n != 0 {
			t.Errorf("%d mails", n)
		}
		if n := s.count(`mails WHERE kind = 'expiring' AND state = 'canceled'`); n != 1 {
			t.Errorf("%d mails were not needed, want 1", n)
		}
	}, waitFor(180))
}

func TestWithoutMailNobodyIsToldThatPeopleExpire(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		pendingPerson(s, "grace@uni.example")
		s.clock.advance(170 * aDay)
		if err := s.TellExpiring(ctx); err != nil {
			t.Fatal(err)
		}
		if n := s.count("mails"); n != 0 {
			t.Errorf("%d mails", n)
		}
	}, waitFor(180))
}
