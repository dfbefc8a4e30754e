package service_test

import (
	"strings"
	"testing"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
)

// TestA07WhatWasSentToAWrongAddressIsDeadOnceItIsCorrected is about a code, the way to
// object in a notice, and a notice that is still on its way.
func TestA07WhatWasSentToAWrongAddressIsDeadOnceItIsCorrected(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		grace := s.enroll(ada, course, "student", "grase@uni.example")[0]
		if told, err := s.Tell(ctx, ada, course, []int64{grace}); err != nil || told.Told != 1 {
			t.Fatalf("told %+v (%v)", told, err)
		}
		s.clock.advance(3 * time.Minute)
		s.deliver()
		first := s.sink.Mails("grase@uni.example")
		if len(first) != 1 {
			t.Fatalf("%d mails", len(first))
		}
		_, object, _ := strings.Cut(first[0].Text, "/not-me#")
		object, _, _ = strings.Cut(object, "\n")
		secret := s.begin(t, hotelToken("g", "grase@uni.example"))
		code := s.code("grase@uni.example")

		if _, err := s.CorrectAddress(ctx, ada, grace, to("grace@uni.example")); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.ProveSignIn(ctx, secret, code, hotelOnly, "T", "r"); lms.TypeOf(err) != "no-proof" {
			t.Errorf("the code to the old address: %v", err)
		}
		if _, err := s.Object(ctx, object, "r"); lms.TypeOf(err) != "no-notice" {
			t.Errorf("the objection of the old address: %v", err)
		}
		if u := s.user(grace); u.Status != lms.StatusPending || u.Email != "grace@uni.example" {
			t.Errorf("it is %+v", u)
		}
		// Whoever is meant has been told nothing yet, and can be told at once.
		if told, err := s.Tell(ctx, ada, course, []int64{grace}); err != nil || told.Told != 1 {
			t.Fatalf("told the right address: %+v (%v)", told, err)
		}
		// A second slip, before that mail has gone: it goes to nobody.
		if _, err := s.CorrectAddress(ctx, ada, grace, to("g.hopper@uni.example")); err != nil {
			t.Fatal(err)
		}
		s.clock.advance(3 * time.Minute)
		s.deliver()
		if n := len(s.sink.Mails("grace@uni.example")) + len(s.sink.Mails("g.hopper@uni.example")); n != 0 {
			t.Errorf("%d mails after the correction", n)
		}
		if n := s.count(`mails WHERE user_id = $1 AND state = 'queued'`, grace); n != 0 {
			t.Errorf("%d mails are left", n)
		}
		if in, err := s.SignIn(ctx, campus, token("right", "g.hopper@uni.example"), "T", ""); err != nil || in.User.ID != grace || in.Outcome != signin.Claim {
			t.Errorf("the right address: %+v (%v)", in.User, err)
		}
	}, func(o *service.Options) { o.PendingDays = 180 })
}

func TestH09NothingOfTheMailsToSomebodyWhoIsGoneNamesThem(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		ids := s.enroll(ada, course, "student", "grace@uni.example", "later@uni.example")
		if told, err := s.Tell(ctx, ada, course, ids); err != nil || told.Told != 2 {
			t.Fatalf("told %+v (%v)", told, err)
		}
		s.clock.advance(3 * time.Minute)
		s.deliver()
		s.begin(t, hotelToken("g", "grace@uni.example"))
		if err := s.Withdraw(ctx, ada, ids[0]); err != nil {
			t.Fatal(err)
		}
		s.deliver()
		for what, want := range map[string]int{
			`mails WHERE address LIKE '%grace%' OR data LIKE '%grace%'`: 0, `proofs`: 0, `mails WHERE state = 'canceled'`: 0, `mails WHERE state = 'queued'`: 0,
			`mails WHERE address = 'later@uni.example'`: 1,
		} {
			if got := s.count(what); got != want {
				t.Errorf("%s: %d, want %d", what, got, want)
			}
		}
	}, func(o *service.Options) { o.PendingDays = 180 })
}
