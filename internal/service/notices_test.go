package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// H-06: whoever is told learns who named them, where, as what, what is kept, and how to
// object, and nothing that somebody wrote freely.
func TestH06WhoeverIsNamedIsToldOnceAboutAllOfIt(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		ada, eve := s.teacher("ada@uni.example"), s.teacher("eve@uni.example")
		algorithms, spam := s.course(ada, "Algorithms"), s.course(eve, "WIN 1M at x.cn")
		grace := s.enroll(ada, algorithms, "student", "grace@uni.example", "old@uni.example")[0]
		s.enroll(eve, spam, "assistant", "grace@uni.example")
		s.person("old@uni.example") // has arrived, and needs no mail
		for _, c := range []struct {
			by     access.Caller
			course int64
			want   service.Told
		}{{ada, algorithms, service.Told{Told: 1}}, {eve, spam, service.Told{Lately: 1}}, {ada, algorithms, service.Told{Lately: 1}}} {
			if told, err := s.Tell(ctx, c.by, c.course, nil); err != nil || told != c.want {
				t.Errorf("told %+v (%v), want %+v", told, err, c.want)
			}
		}
		s.deliver()
		if n := len(s.sink.Mails("")); n != 0 {
			t.Fatalf("%d mails at once", n)
		}
		s.clock.advance(3 * time.Minute)
		s.deliver()
		list := s.sink.Mails("")
		if len(list) != 1 || list[0].To != "grace@uni.example" {
			t.Fatalf("mails %+v", list)
		}
		for _, want := range []string{"ada@uni.example", "lms.uni.example", "2 courses", "Assistant", "Student", "180 days", "https://lms.uni.example/not-me#"} {
			if !strings.Contains(list[0].Text, want) {
				t.Errorf("the mail does not say %q:\n%s", want, list[0].Text)
			}
		}
		if strings.Contains(list[0].Text+list[0].Subject, "WIN") || strings.Contains(list[0].Text, "Algorithms") {
			t.Errorf("F-37: the mail holds what a teacher wrote:\n%s", list[0].Text)
		}
		states, err := s.NoticeStates(ctx, ada, algorithms, []int64{grace})
		if err != nil || states[grace].Times != 1 || states[grace].Mail != lms.MailSent {
			t.Errorf("state %+v (%v)", states, err)
		}
		if n := s.audited(access.NoticeSend, lms.OutcomeDone); n != 1 {
			t.Errorf("%d entries in the audit, want 1", n)
		}

		// "Not for me" works without an account, once, and ends the mails.
		_, secret, _ := strings.Cut(list[0].Text, "/not-me#")
		secret, _, _ = strings.Cut(secret, "\n")
		for _, wrong := range []string{"", "NONE", strings.Repeat("A", 200)} {
			if _, err := s.Object(ctx, wrong, "r"); lms.TypeOf(err) != "no-notice" {
				t.Errorf("%.10q: %v", wrong, err)
			}
		}
		for range 2 {
			if _, err := s.Object(ctx, strings.ToLower(secret), "r"); err != nil {
				t.Fatal(err)
			}
		}
		s.clock.advance(4 * 24 * time.Hour)
		if told, err := s.Tell(ctx, ada, algorithms, []int64{grace}); err != nil || told != (service.Told{Objects: 1}) {
			t.Errorf("told %+v (%v)", told, err)
		}
		if p, err := s.Awaited(ctx, ada, algorithms, 0, 10); err != nil || len(p.People) != 1 || p.People[0].Notice.Objected.IsZero() {
			t.Errorf("awaited %+v (%v)", p, err)
		}
		if n := s.audited(access.NoticeObject, lms.OutcomeDone); n != 1 {
			t.Errorf("%d objections in the audit, want 1", n)
		}
	}, func(o *service.Options) { o.PendingDays = 180 })
}

func TestNobodyIsRemindedTooOftenNorWithoutReason(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		ids := s.enroll(ada, course, "student", "grace@uni.example", "leaves@uni.example", "comes@uni.example")
		for range lms.MaxNotices {
			if told, err := s.Tell(ctx, ada, course, ids[:1]); err != nil || told.Told != 1 {
				t.Fatalf("told %+v (%v)", told, err)
			}
			s.clock.advance(lms.NoticeEvery)
			s.deliver()
		}
		if told, err := s.Tell(ctx, ada, course, nil); err != nil || told != (service.Told{Told: 2, Enough: 1}) {
			t.Errorf("told %+v (%v)", told, err)
		}
		// Who has left or arrived by the time that the mail would go gets none.
		if _, err := s.Remove(ctx, ada, course, ids[1:2]); err != nil {
			t.Fatal(err)
		}
		s.person("comes@uni.example")
		s.clock.advance(time.Hour)
		s.deliver()
		for to, n := range map[string]int{"grace@uni.example": lms.MaxNotices, "leaves@uni.example": 0, "comes@uni.example": 0} {
			if got := len(s.sink.Mails(to)); got != n {
				t.Errorf("%d mails to %s, want %d", got, to, n)
			}
		}
		p, err := s.Mails(ctx, s.admin, lms.MailCanceled, 0, 10)
		if err != nil || len(p.Mails) != 2 {
			t.Errorf("canceled %+v (%v)", p.Mails, err)
		}
		student := s.person("comes@uni.example")
		if _, err := s.Tell(ctx, student, course, nil); lms.CodeOf(err) != lms.CodeForbidden {
			t.Errorf("a student tells: %v", err)
		}
	})
}

// A whole class is told in steps, each of which is there or not.
func TestAClassIsTold(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		s.set(ada, course, service.PersonRef{Email: "helper@uni.example"}, []string{"audit.view"}, nil) // has no role, and waits too
		var emails []string
		for i := range 450 {
			emails = append(emails, fmt.Sprintf("s%d@uni.example", i))
		}
		s.enroll(ada, course, "student", emails...)
		if told, err := s.Tell(ctx, ada, course, nil); err != nil || told != (service.Told{Told: 451}) {
			t.Fatalf("told %+v (%v)", told, err)
		}
		if told, err := s.Tell(ctx, ada, course, nil); err != nil || told != (service.Told{Lately: 451}) {
			t.Errorf("again: %+v (%v)", told, err)
		}
		s.clock.advance(time.Hour)
		s.deliver()
		if n := len(s.sink.Mails("")); n != 451 {
			t.Errorf("%d mails", n)
		}
	})
}

func TestWhoeverNamedPeopleIsToldWhenTheyArrive(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		ada, eve := s.teacher("ada@uni.example"), s.teacher("eve@uni.example")
		course := s.course(ada, "Algorithms")
		s.enroll(ada, course, "student", "a@uni.example", "b@uni.example", "c@uni.example")
		s.set(ada, course, service.PersonRef{Email: "d@uni.example"}, []string{"audit.view"}, nil)
		s.person("a@uni.example")
		for _, on := range []bool{true, true} {
			if err := s.WatchArrivals(ctx, ada, on); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.WatchArrivals(ctx, eve, true); err != nil {
			t.Fatal(err)
		}
		tell := func(want ...int) {
			t.Helper()
			for range 2 { // two nodes look
				if err := s.TellArrivals(ctx); err != nil {
					t.Fatal(err)
				}
			}
			s.deliver()
			list := s.sink.Mails("ada@uni.example")
			if len(list) != len(want) || len(s.sink.Mails("eve@uni.example")) != 0 {
				t.Fatalf("%d mails, want %d", len(list), len(want))
			}
			for i, n := range want {
				if !strings.HasPrefix(list[i].Subject, fmt.Sprint(n)+" ") {
					t.Errorf("mail %d: %s, want %d", i, list[i].Subject, n)
				}
			}
		}
		s.clock.advance(time.Minute)
		s.person("b@uni.example")
		s.person("d@uni.example")
		s.clock.advance(30 * time.Minute)
		tell()
		s.clock.advance(31 * time.Minute)
		tell(2)
		s.clock.advance(2 * time.Hour)
		tell(2)
		s.clock.advance(time.Minute)
		s.person("c@uni.example")
		s.clock.advance(2 * time.Hour)
		tell(2, 1)
		if err := s.WatchArrivals(ctx, ada, false); err != nil {
			t.Fatal(err)
		}
		if on, err := s.WatchesArrivals(ctx, ada); err != nil || on {
			t.Errorf("she is told still (%v)", err)
		}
		if n := s.audited(access.AccountUpdate, lms.OutcomeDone); n != 3 {
			t.Errorf("%d entries in the audit, want 3", n)
		}
	})
}
