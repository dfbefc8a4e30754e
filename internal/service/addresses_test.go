package service_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lang"
	"matricula/internal/lms"
	"matricula/internal/mail"
	"matricula/internal/mail/mailtest"
	"matricula/internal/service"
)

func (s *post) addresses(c access.Caller) string {
	s.tb.Helper()
	list, err := s.Addresses(ctx, c)
	if err != nil {
		s.tb.Fatal(err)
	}
	var out []string
	for _, a := range list {
		mark := ""
		if a.Primary {
			mark = "*"
		}
		if a.VerifiedAt.IsZero() {
			mark += "?"
		}
		out = append(out, string(a.Email)+mark)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestAnAddressIsAddedByTheCodeThatWasSentToIt(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		ada := s.person("ada@uni.example")
		secret, err := s.BeginAddress(ctx, ada, " Ada@Home.example", "it")
		if err != nil {
			t.Fatal(err)
		}
		if p, err := s.Proving(ctx, secret); err != nil || p.SignIn || p.Address != "ada@home.example" {
			t.Fatalf("waits for %+v (%v)", p, err)
		}
		code := s.code("ada@home.example")
		if text := s.sink.Mails("ada@home.example")[0].Text; !strings.Contains(text, "https://lms.uni.example/prove#"+code) {
			t.Errorf("no link in %q", text)
		}
		// Not by somebody else, nor from another of her sessions, nor as a sign-in.
		other, _ := s.arrive("ada@uni.example")
		for what, c := range map[string]access.Caller{"another person": s.person("eve@uni.example"), "another session": other} {
			if err := s.ConfirmAddress(ctx, c, secret, code); lms.TypeOf(err) != "no-proof" {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, _, err := s.ProveSignIn(ctx, secret, code, hotelOnly, "Test", "r"); lms.TypeOf(err) != "no-proof" {
			t.Errorf("as a sign-in: %v", err)
		}
		if err := s.ConfirmAddress(ctx, ada, secret, "BBBBBBBB"); lms.TypeOf(err) != "code-wrong" {
			t.Errorf("a wrong code: %v", err)
		}
		if err := s.ConfirmAddress(ctx, ada, secret, code); err != nil {
			t.Fatal(err)
		}
		if got := s.addresses(ada); got != "ada@home.example ada@uni.example*" {
			t.Errorf("she has %s", got)
		}
		if err := s.ConfirmAddress(ctx, ada, secret, code); lms.TypeOf(err) != "no-proof" {
			t.Errorf("again: %v", err)
		}
		// It leads to her wherever it is named, and to no account of somebody else.
		if _, err := s.SignIn(ctx, campus, token("other", "ada@home.example"), "Test", "r"); lms.TypeOf(err) != "address-in-use" {
			t.Errorf("another subject with it: %v", err)
		}
	})
}

func TestA25BothAddressesHearOfAChange(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		ada := s.person("ada@uni.example")
		if err := s.MakePrimary(ctx, ada, "ada@home.example"); lms.CodeOf(err) != lms.CodeNotFound {
			t.Errorf("an address that is not hers: %v", err)
		}
		secret, err := s.BeginAddress(ctx, ada, "ada@home.example", "en")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.ConfirmAddress(ctx, ada, secret, s.code("ada@home.example")); err != nil {
			t.Fatal(err)
		}
		if err := s.MakePrimary(ctx, ada, "ada@home.example"); err != nil {
			t.Fatal(err)
		}
		s.deliver()
		for _, to := range []string{"ada@uni.example", "ada@home.example"} {
			list := s.sink.Mails(to)
			if last := list[len(list)-1]; !strings.Contains(last.Subject, "changed") || strings.Contains(last.Text, "ada@") {
				t.Errorf("to %s: %q, %q", to, last.Subject, last.Text)
			}
		}
		if err := s.RemoveAddress(ctx, ada, "ada@home.example"); lms.TypeOf(err) != "address-primary" {
			t.Errorf("removed the main one: %v", err)
		}
		if err := s.RemoveAddress(ctx, ada, "ada@uni.example"); err != nil {
			t.Fatal(err)
		}
		if got := s.addresses(ada); got != "ada@home.example*" {
			t.Errorf("she has %s", got)
		}
		// The provider that knows her by another address from now on tells us so.
		s.clock.advance(time.Minute)
		renamed := token("sub of ada@uni.example", "lovelace@uni.example")
		if in, err := s.SignIn(ctx, campus, renamed, "Test", "r"); err != nil || in.User.ID != ada.UserID || in.User.Email != "lovelace@uni.example" {
			t.Fatalf("signed in as %+v (%v)", in.User, err)
		}
		s.deliver()
		for to, n := range map[string]int{"ada@home.example": 3, "lovelace@uni.example": 1} {
			if got := len(s.sink.Mails(to)); got != n {
				t.Errorf("%d mails to %s, want %d", got, to, n)
			}
		}
	})
}

// H-02: whether an address is somebody's is told to its holder alone.
func TestH02AnAddressOfSomebodyElseLooksLikeAnyOther(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		eve, ada := s.person("eve@uni.example"), s.person("ada@uni.example")
		secret, err := s.BeginAddress(ctx, eve, "ada@uni.example", "en")
		if err != nil {
			t.Fatal(err)
		}
		held, err := s.Proving(ctx, secret)
		if err != nil {
			t.Fatal(err)
		}
		s.deliver()
		list := s.sink.Mails("ada@uni.example")
		if len(list) != 1 || codeInMail.MatchString(list[0].Text) {
			t.Fatalf("mails %+v", list)
		}
		if err := s.ConfirmAddress(ctx, eve, secret, "BBBB-BBBB"); lms.TypeOf(err) != "code-wrong" {
			t.Errorf("guessed: %v", err)
		}
		secret, err = s.BeginAddress(ctx, eve, "nobody@uni.example", "en")
		if err != nil {
			t.Fatal(err)
		}
		free, err := s.Proving(ctx, secret)
		free.Address, held.Address = "", ""
		if err != nil || free != held {
			t.Errorf("%+v differs from %+v (%v)", free, held, err)
		}
		if got := s.addresses(ada); got != "ada@uni.example*" {
			t.Errorf("ada has %s", got)
		}
	})
}

// whoever takes an account back ends what somebody has begun in it.
func TestA07ACodeIsDeadWhenTheSessionIs(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		ada := s.person("ada@uni.example")
		secret, err := s.BeginAddress(ctx, ada, "ada@evil.example", "en")
		if err != nil {
			t.Fatal(err)
		}
		code := s.code("ada@evil.example")
		for _, status := range []string{"suspended", "active"} {
			if _, err := s.UpdateUser(ctx, s.admin, ada.UserID, service.UserPatch{Status: ptr(status)}); err != nil {
				t.Fatal(err)
			}
		}
		again, _ := s.arrive("ada@uni.example")
		for _, c := range []access.Caller{ada, again} {
			if err := s.ConfirmAddress(ctx, c, secret, code); err == nil {
				t.Error("the code that was asked for before still adds the address")
			}
		}
		if got := s.addresses(again); got != "ada@uni.example*" {
			t.Errorf("she has %s", got)
		}
	})
}

// Whoever came with another account than the one that was named gets what waits
// for the address once the mail proves that it is theirs, and never by adding it alone.
func TestWhatWaitsForAnAddressComesToWhoeverProvesIt(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		waiting := s.enroll(ada, course, "assistant", "grace@uni.example")[0]
		s.set(ada, course, service.PersonRef{UserID: waiting}, []string{"audit.view"}, nil)
		grace := s.person("grace@home.example")
		secret, err := s.BeginAddress(ctx, grace, "grace@uni.example", "en")
		if err != nil {
			t.Fatal(err)
		}
		code := s.code("grace@uni.example")
		if err := s.ConfirmAddress(ctx, grace, secret, "BBBB-BBBB"); lms.TypeOf(err) != "code-wrong" || s.user(waiting).Status != lms.StatusPending {
			t.Fatalf("without the code: %v", err)
		}
		if err := s.ConfirmAddress(ctx, grace, secret, code); err != nil {
			t.Fatal(err)
		}
		if got := s.addresses(grace); got != "grace@home.example* grace@uni.example" {
			t.Errorf("she has %s", got)
		}
		page, err := s.Roster(ctx, grace, service.RosterRequest{CourseID: course, Limit: 10})
		if err != nil || len(page.People) != 2 {
			t.Errorf("in the course: %+v (%v)", page.People, err)
		}
		if _, err := s.SignIn(ctx, campus, token("x", "grace@uni.example"), "Test", "r"); lms.TypeOf(err) != "address-in-use" {
			t.Errorf("somebody else with the address: %v", err)
		}
		merges, err := s.Merges(ctx, s.admin, 0, 10)
		if err != nil || len(merges.Merges) != 1 {
			t.Fatalf("merges %+v (%v)", merges, err)
		}
		if _, err := s.SplitMerge(ctx, s.admin, merges.Merges[0].ID); err != nil && lms.CodeOf(err) != lms.CodeConflict {
			t.Errorf("split: %v", err)
		}
		if s.audited(access.AddressAdd, lms.OutcomeDone) != 1 || s.audited(access.UserMerge, lms.OutcomeDone) == 0 {
			t.Error("it is not in the audit")
		}
	})
}

// A race: what waits is claimed, or taken away, while the code is typed.
func TestD04WhatWaitsIsHadOnce(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		node := s.grow(2)
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		for i := range 12 {
			address := "w" + string(rune('a'+i)) + "@uni.example"
			waiting := s.enroll(ada, course, "student", address)[0]
			c := s.person("h" + string(rune('a'+i)) + "@home.example")
			secret, err := s.BeginAddress(ctx, c, address, "en")
			if err != nil {
				t.Fatal(err)
			}
			code := s.code(address)
			var claimed, joined error
			var wg sync.WaitGroup
			wg.Go(func() { _, claimed = node(0).SignIn(ctx, campus, token("sub "+address, address), "Test", "r") })
			wg.Go(func() { joined = node(1).ConfirmAddress(ctx, c, secret, code) })
			wg.Wait()
			if (claimed == nil) == (joined == nil) {
				t.Errorf("claimed: %v, joined: %v", claimed, joined)
			}
			for _, err := range []error{claimed, joined} {
				if code := lms.CodeOf(err); err != nil && code != lms.CodeConflict && code != lms.CodeUnavailable && code != lms.CodeForbidden {
					t.Errorf("refused as %v", err)
				}
			}
			if n := s.count(`enrollments WHERE course_id = $1 AND user_id IN ($2, $3)`, course, waiting, c.UserID); n != 1 {
				t.Errorf("%d places", n)
			}
		}
	})
}

func TestAddressesAreBounded(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		ada := s.person("ada@uni.example")
		for _, bad := range []string{"", "ada", "ada@uni.example, x@uni.example"} {
			if _, err := s.BeginAddress(ctx, ada, bad, "en"); lms.CodeOf(err) != lms.CodeInvalid {
				t.Errorf("%q: %v", bad, err)
			}
		}
		if _, err := s.BeginAddress(ctx, ada, "ADA@uni.example", "en"); lms.TypeOf(err) != "address-yours" {
			t.Errorf("her own: %v", err)
		}
		for i := range service.MaxAddresses - 1 {
			address := "ada" + string(rune('a'+i)) + "@home.example"
			secret, err := s.BeginAddress(ctx, ada, address, "en")
			if err != nil {
				t.Fatal(err)
			}
			if err := s.ConfirmAddress(ctx, ada, secret, s.code(address)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.BeginAddress(ctx, ada, "ada@work.example", "en"); lms.TypeOf(err) != "too-many-addresses" {
			t.Errorf("one too many: %v", err)
		}
	})
}

// I9, E-16: a mail that is not taken is tried again with the same Message-ID, later
// and later, and given up in the end; one that never will be is noted at once.
func TestE16MailIsTriedAgainAndSaysWhatBecameOfIt(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		ada := s.person("ada@uni.example")
		s.sink.Refuse("full@home.example", 452, "mailbox full")
		s.sink.Refuse("gone@home.example", 550, "no such user")
		for _, address := range []string{"full@home.example", "gone@home.example"} {
			if _, err := s.BeginAddress(ctx, ada, address, "en"); err != nil {
				t.Fatal(err)
			}
		}
		s.deliver()
		states := func() string {
			t.Helper()
			p, err := s.Mails(ctx, s.admin, "", 0, 10)
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, m := range p.Mails {
				out = append(out, string(m.Address)+" "+string(m.State))
				if m.State != lms.MailQueued && len(m.Data) != 0 {
					t.Errorf("what the mail said is still there: %+v", m)
				}
			}
			return strings.Join(out, ", ")
		}
		if got := states(); got != "gone@home.example bounced, full@home.example queued" {
			t.Errorf("mails: %s", got)
		}
		if _, err := s.Mails(ctx, ada, "", 0, 10); lms.CodeOf(err) != lms.CodeForbidden {
			t.Errorf("the mails of the site, for anybody: %v", err)
		}
		s.deliver() // not yet due
		s.sink.Refuse("full@home.example", 0, "")
		s.clock.advance(2 * time.Minute)
		s.deliver()
		if got := states(); got != "gone@home.example bounced, full@home.example sent" {
			t.Errorf("mails: %s", got)
		}
		if n := len(s.sink.Mails("full@home.example")); n != 1 {
			t.Errorf("%d mails", n)
		}
	})
}

// D-13: a node that stands still after it has sent a mail, until another has taken its
// work over, leaves one mail twice, with one Message-ID, and sends nothing more.
func TestD13AFrozenNodeSendsOneMailTwiceAtMost(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		node := s.grow(2)
		const people = 30
		for i := range people {
			c := s.person("p" + string(rune('a'+i%26)) + string(rune('a'+i/26)) + "@uni.example")
			if _, err := s.BeginAddress(ctx, c, "x"+string(rune('a'+i%26))+string(rune('a'+i/26))+"@home.example", "en"); err != nil {
				t.Fatal(err)
			}
		}
		frozen := false
		s.sink.After(func(mailtest.Mail) error {
			if !frozen {
				frozen = true
				s.clock.advance(6 * time.Minute) // the lease is over; the codes are not
				for {
					worked, err := node(1).WorkOnMail(ctx, "second")
					if err != nil {
						t.Errorf("the second node: %v", err)
					}
					if !worked || err != nil {
						break
					}
				}
			}
			return nil
		})
		if _, err := s.WorkOnMail(ctx, "first"); err != nil {
			t.Fatal(err)
		}
		s.deliver()
		seen := map[string]int{}
		twice := 0
		for _, m := range s.sink.Mails("") {
			if seen[m.ID+m.To]++; seen[m.ID+m.To] == 2 {
				twice++
			}
		}
		if len(seen) != people || twice != 1 || len(s.sink.Mails("")) != people+1 {
			t.Errorf("%d mails for %d people, %d of them twice", len(s.sink.Mails("")), len(seen), twice)
		}
	})
}

func TestEveryKindOfMailHasATextInEveryLanguage(t *testing.T) {
	for _, kind := range []lms.MailKind{lms.MailSignInCode, lms.MailAddressCode, lms.MailAddressHeld, lms.MailAddressChanged, lms.MailNamed, lms.MailArrived} {
		for _, p := range []*lang.Printer{lang.English(), lang.Pick("it")} {
			m, err := mail.Compose(lms.Mail{ID: 7, Kind: kind, Address: "ada@uni.example", Data: map[string]string{mail.DataCode: "BCDF-GHJK", mail.DataMinutes: "20", mail.DataWas: "a***@x.example", mail.DataIs: "b***@x.example", mail.DataWho: "Ada", mail.DataWhoIs: "ada@x.example", mail.DataRoles: "Student", mail.DataCourses: "2", mail.DataDays: "180", mail.DataPeople: "3"}}, p, mail.Site{URL: "https://lms.uni.example"})
			if err != nil || m.Subject == "" || !strings.Contains(m.Text, "lms.uni.example") || strings.Contains(m.Text, "%!") || m.To != "ada@uni.example" || m.ID != "mail-7" {
				t.Errorf("%s in %s: %+v (%v)", kind, p.Tag(), m, err)
			}
		}
	}
}
