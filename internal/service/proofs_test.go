package service_test

import (
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/mail"
	"matricula/internal/mail/mailtest"
	"matricula/internal/service"
	"matricula/internal/signin"
)

// hotel is a provider that says the truth about addresses which are not its own to
// hand out.
var hotel = signin.Provider{Name: "hotel", Label: "Hotel", Issuer: "https://id.hotel.example", ClientID: "m", Kind: signin.KindOIDC, Domains: []string{"hotel.example"}}

func hotelToken(subject, email string) signin.Token {
	return signin.Token{Issuer: hotel.Issuer, Subject: subject, Email: email, EmailVerified: signin.VerifiedTrue}
}

func hotelOnly(name string) (signin.Provider, bool) { return hotel, name == hotel.Name }

// post is a school whose mail goes to a sink.
type post struct {
	*school
	sink *mailtest.Sink
}

func eachWithMail(t *testing.T, test func(t *testing.T, s *post), change ...func(*service.Options)) {
	t.Helper()
	var sink *mailtest.Sink
	each(t, func(t *testing.T, s *school) { test(t, &post{s, sink}) }, append(change, func(o *service.Options) {
		sink = mailtest.Start(t)
		o.Mail = &service.MailOptions{Sender: sink.Sender(), Site: mail.Site{URL: "https://lms.uni.example"}}
	})...)
}

// deliver sends all that is due.
func (s *post) deliver() {
	s.tb.Helper()
	for {
		worked, err := s.WorkOnMail(ctx, "node")
		if err != nil {
			s.tb.Fatal(err)
		}
		if !worked {
			return
		}
	}
}

var codeInMail = regexp.MustCompile(`[A-Z2-9]{4}-[A-Z2-9]{4}`)

// code is that of the newest mail to an address.
func (s *post) code(to string) string {
	s.tb.Helper()
	s.deliver()
	list := s.sink.Mails(to)
	if len(list) == 0 {
		s.tb.Fatalf("no mail to %s", to)
	}
	code := codeInMail.FindString(list[len(list)-1].Text)
	if code == "" {
		s.tb.Fatalf("no code in %q", list[len(list)-1].Text)
	}
	return code
}

func (s *post) begin(t *testing.T, tok signin.Token) string {
	t.Helper()
	if _, err := s.SignIn(ctx, hotel, tok, "Test", "r"); lms.TypeOf(err) != "provider-not-authoritative" {
		t.Fatalf("signed in without a proof: %v", err)
	}
	secret, err := s.BeginProof(ctx, hotel, tok, "/courses/1", "en", "r")
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestA09ACodeToTheAddressClaimsWhereTheProvidersWordIsNotEnough(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		grace := s.enroll(ada, course, "student", "grace@uni.example")[0]
		secret := s.begin(t, hotelToken("g", "Grace@uni.example"))
		p, err := s.Proving(ctx, secret)
		if err != nil || p.Address != "grace@uni.example" || !p.SignIn || p.Tries != 5 || !p.MayResend {
			t.Fatalf("waits for %+v (%v)", p, err)
		}
		code := s.code("grace@uni.example")
		for _, wrong := range []string{"", "BBBB-BBBB", code + "B", strings.ToUpper(secret)} {
			if _, _, err := s.ProveSignIn(ctx, secret, wrong, hotelOnly, "Test", "r"); lms.CodeOf(err) != lms.CodeInvalid {
				t.Errorf("code %q: %v", wrong, err)
			}
		}
		if _, _, err := s.ProveSignIn(ctx, "another browser", code, hotelOnly, "Test", "r"); lms.TypeOf(err) != "no-proof" {
			t.Errorf("in another browser: %v", err)
		}
		in, next, err := s.ProveSignIn(ctx, secret, " "+strings.ToLower(code)+" ", hotelOnly, "Test", "r")
		if err != nil || in.User.ID != grace || in.Outcome != signin.Claim || next != "/courses/1" {
			t.Fatalf("proved: %+v, %q (%v)", in, next, err)
		}
		if _, err := s.Roster(ctx, s.bySession(in.Secret), service.RosterRequest{CourseID: course, Limit: 5}); lms.CodeOf(err) != lms.CodeForbidden {
			t.Errorf("a student in the course: %v", err)
		}
		if _, _, err := s.ProveSignIn(ctx, secret, code, hotelOnly, "Test", "r"); lms.TypeOf(err) != "no-proof" {
			t.Errorf("the same code again: %v", err)
		}
		if again, err := s.SignIn(ctx, hotel, hotelToken("g", "grace@uni.example"), "Test", "r"); err != nil || again.User.ID != grace {
			t.Errorf("the next time: %+v (%v)", again, err)
		}
		// Another account with the same address is no nearer to it than before.
		if _, err := s.BeginProof(ctx, hotel, hotelToken("x", "grace@uni.example"), "/", "en", "r"); lms.TypeOf(err) != "address-in-use" {
			t.Errorf("another subject: %v", err)
		}
		if asked, wrong := s.audited(access.UserProve, lms.OutcomeDone), s.audited(access.UserProve, lms.OutcomeRefused); asked != 1 || wrong != 3 {
			t.Errorf("the audit has %d codes and %d wrong ones, want 1 and 3", asked, wrong)
		}
	})
}

// A code stands in for the provider's authority alone: not for a verified address, and
// not for an account that is open.
func TestACodeIsNoWayRoundTheOtherRules(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		waiting := s.enroll(ada, course, "student", "grace@uni.example", "eve@uni.example")
		unverified := hotelToken("u", "grace@uni.example")
		unverified.EmailVerified = signin.VerifiedAbsent
		if _, err := s.BeginProof(ctx, hotel, unverified, "/", "en", "r"); lms.TypeOf(err) != "address-not-verified" {
			t.Errorf("not verified: %v", err)
		}
		secret := s.begin(t, hotelToken("g", "grace@uni.example"))
		code := s.code("grace@uni.example")
		if _, err := s.UpdateUser(ctx, s.admin, waiting[0], service.UserPatch{Status: ptr("suspended")}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.ProveSignIn(ctx, secret, code, hotelOnly, "Test", "r"); lms.TypeOf(err) != "account-suspended" {
			t.Errorf("suspended meanwhile: %v", err)
		}
		secret = s.begin(t, hotelToken("e", "eve@uni.example"))
		code = s.code("eve@uni.example")
		if _, _, err := s.ProveSignIn(ctx, secret, code, func(string) (signin.Provider, bool) { return signin.Provider{}, false }, "Test", "r"); lms.TypeOf(err) != "no-proof" {
			t.Errorf("the provider is gone: %v", err)
		}
		secret = s.begin(t, hotelToken("e", "eve@uni.example"))
		s.clock.advance(21 * time.Minute)
		if _, _, err := s.ProveSignIn(ctx, secret, s.lastCode("eve@uni.example"), hotelOnly, "Test", "r"); lms.TypeOf(err) != "no-proof" {
			t.Errorf("too late: %v", err)
		}
		if n := len(s.sink.Mails("eve@uni.example")); n != 1 {
			t.Errorf("a code that is over was sent: %d mails", n)
		}
	})
}

// lastCode is the newest that has arrived already.
func (s *post) lastCode(to string) string {
	s.tb.Helper()
	s.deliver()
	list := s.sink.Mails(to)
	return codeInMail.FindString(list[len(list)-1].Text)
}

func TestD16OfManyGuessesFiveAreTried(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		node := s.grow(3)
		pendingPerson(s.school, "grace@uni.example")
		secret := s.begin(t, hotelToken("g", "grace@uni.example"))
		code := s.code("grace@uni.example")
		var wrong, gone atomic.Int64
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				_, _, err := node(i).ProveSignIn(ctx, secret, "BBBB-BBBB", hotelOnly, "Test", "r")
				switch lms.TypeOf(err) {
				case "code-wrong":
					wrong.Add(1)
				case "no-proof":
					gone.Add(1)
				default:
					t.Errorf("a guess: %v", err)
				}
			})
		}
		wg.Wait()
		if wrong.Load() != 5 || gone.Load() != 195 {
			t.Errorf("%d tried and %d not, want 5 and 195", wrong.Load(), gone.Load())
		}
		if _, _, err := s.ProveSignIn(ctx, secret, code, hotelOnly, "Test", "r"); lms.TypeOf(err) != "no-proof" {
			t.Errorf("the right code after five wrong ones: %v", err)
		}
	})
}

func TestD19TheRightCodeFiftyTimesAtOnceSignsInOnce(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		node := s.grow(3)
		pendingPerson(s.school, "grace@uni.example")
		secret := s.begin(t, hotelToken("g", "grace@uni.example"))
		code := s.code("grace@uni.example")
		var in atomic.Int64
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				if _, _, err := node(i).ProveSignIn(ctx, secret, code, hotelOnly, "Test", "r"); err == nil {
					in.Add(1)
				} else if lms.TypeOf(err) != "no-proof" {
					t.Errorf("not signed in: %v", err)
				}
			})
		}
		wg.Wait()
		if in.Load() != 1 {
			t.Errorf("signed in %d times, want once", in.Load())
		}
	})
}

func TestCodesAreBounded(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		pendingPerson(s.school, "grace@uni.example")
		secret := s.begin(t, hotelToken("g", "grace@uni.example"))
		first := s.code("grace@uni.example")
		if err := s.ResendCode(ctx, secret, "en", "r"); lms.TypeOf(err) != "too-soon" {
			t.Errorf("at once: %v", err)
		}
		for i := range 3 {
			s.clock.advance(61 * time.Second)
			if err := s.ResendCode(ctx, secret, "en", "r"); err != nil {
				t.Fatalf("code %d: %v", i+2, err)
			}
		}
		s.clock.advance(61 * time.Second)
		if err := s.ResendCode(ctx, secret, "en", "r"); lms.TypeOf(err) != "too-many-codes" {
			t.Errorf("a fifth code: %v", err)
		}
		if _, _, err := s.ProveSignIn(ctx, secret, first, hotelOnly, "Test", "r"); lms.TypeOf(err) != "code-wrong" {
			t.Errorf("a code whose place another has taken: %v", err)
		}
		// What cannot be a code is no try.
		tried := s.tries()
		for _, no := range []string{"1", "BCDFGHJ", "BCDFGHJKM", strings.Repeat("B", 200), "\U0001f600"} {
			if _, _, err := s.ProveSignIn(ctx, secret, no, hotelOnly, "Test", "r"); lms.TypeOf(err) != "code-wrong" || !strings.Contains(err.Error(), "8 letters and digits") {
				t.Errorf("%q is no code: %v", no, err)
			}
		}
		if now := s.tries(); now != tried {
			t.Errorf("%d tries were counted, and now %d", tried, now)
		}
		// Other accounts that claim the address do not get more codes sent to it.
		for _, subject := range []string{"a", "b"} {
			s.begin(t, hotelToken(subject, "grace@uni.example"))
		}
		if _, err := s.BeginProof(ctx, hotel, hotelToken("c", "grace@uni.example"), "/", "en", "r"); lms.CodeOf(err) != lms.CodeTooMany {
			t.Errorf("a seventh code within the hour: %v", err)
		}
		s.deliver()
		if n := len(s.sink.Mails("grace@uni.example")); n != 6 {
			t.Errorf("%d mails, want 6", n)
		}
		s.clock.advance(time.Hour)
		s.begin(t, hotelToken("c", "grace@uni.example"))
	})
}

func TestWithoutMailACodeIsNotOffered(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		if _, err := s.BeginProof(ctx, hotel, hotelToken("g", "grace@uni.example"), "/", "en", "r"); s.SendsMail() || lms.TypeOf(err) != "no-mail" {
			t.Errorf("begun: %v", err)
		}
		if _, err := s.BeginAddress(ctx, s.teacher("ada@uni.example"), "ada@home.example", "en"); lms.TypeOf(err) != "no-mail" {
			t.Errorf("an address: %v", err)
		}
	})
}

// tries counts those of all proofs.
func (s *post) tries() (n int64) {
	s.tb.Helper()
	if err := s.raw.QueryRow(`SELECT coalesce(sum(tries), 0) FROM proofs`).Scan(&n); err != nil {
		s.tb.Fatal(err)
	}
	return n
}
