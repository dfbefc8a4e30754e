package signin_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"matricula/internal/apptest"
	"matricula/internal/lms"
	"matricula/internal/signin"
)

const (
	ada         = "ada@uni.example"
	tenant      = "11111111-2222-3333-4444-555555555555"
	otherTenant = "99999999-2222-3333-4444-555555555555"
)

// clock is a time that only the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 9, 1, 8, 55, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// door is a real issuer and our side of it, over real HTTP.
type door struct {
	issuer   *apptest.Issuer
	provider signin.Provider
	rp       *signin.RelyingParty
	clock    *clock
}

// open makes a door to an issuer that is authoritative for uni.example.
func open(t *testing.T, kind signin.Kind, change ...func(*apptest.Issuer, *signin.Provider)) *door {
	t.Helper()
	d := &door{issuer: apptest.NewIssuer(t), clock: newClock()}
	d.issuer.SetClock(d.clock.Now)
	d.provider = signin.Provider{
		Name: "uni", Label: "University", Kind: kind,
		ClientID: apptest.ClientID, ClientSecret: apptest.ClientSecret, Domains: []string{"uni.example"},
	}
	if kind == signin.KindEntra {
		d.provider.Tenant = tenant
	}
	for _, c := range change {
		c(d.issuer, &d.provider)
	}
	if d.provider.Issuer == "" {
		d.provider.Issuer = d.issuer.URL
	}
	var err error
	d.rp, err = signin.New([]signin.Provider{d.provider}, "http://127.0.0.1:1", d.issuer.Client(), d.clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// begin starts an attempt and answers it with the code of the callback.
func (d *door) begin(t *testing.T) (signin.Attempt, string) {
	t.Helper()
	a := signin.NewAttempt()
	address, err := d.rp.AuthURL(context.Background(), d.provider.Name, a)
	if err != nil {
		t.Fatalf("authorization address: %v", err)
	}
	back := d.issuer.Code(t, address)
	if !a.Answers(back.Get("state")) || back.Get("code") == "" {
		t.Fatalf("the issuer refused: %v", back)
	}
	return a, back.Get("code")
}

func (d *door) exchange(code string, a signin.Attempt) (signin.Token, error) {
	return d.rp.Exchange(context.Background(), d.provider.Name, code, a)
}

func (d *door) signIn(t *testing.T) (signin.Token, error) {
	t.Helper()
	a, code := d.begin(t)
	return d.exchange(code, a)
}

// arrive signs the person in and decides about a pending row for their address.
func (d *door) arrive(t *testing.T, p apptest.Person) signin.Decision {
	t.Helper()
	token := d.mustSignIn(t, p)
	account := signin.AccountState{}
	if _, err := token.Address(); err == nil {
		account.Address = &signin.Holder{UserID: 42, Status: lms.StatusPending}
	}
	return signin.Decide(signin.Policy{Provider: d.provider, SignUp: signin.SignUpAnyone}, token, account)
}

// arriveUnnamed is arrive where nobody has named the address.
func (d *door) arriveUnnamed(t *testing.T, p apptest.Person, signUp signin.SignUp) signin.Decision {
	t.Helper()
	return signin.Decide(signin.Policy{Provider: d.provider, SignUp: signUp}, d.mustSignIn(t, p), signin.AccountState{})
}

func (d *door) mustSignIn(t *testing.T, p apptest.Person) signin.Token {
	t.Helper()
	d.issuer.SignInAs(p)
	token, err := d.signIn(t)
	if err != nil {
		t.Fatalf("sign-in: %v", err)
	}
	return token
}

// mustFail checks that an error is of the type, fit to be shown and logged.
func mustFail(t *testing.T, err error, typ string, code lms.Code) {
	t.Helper()
	if err == nil {
		t.Fatal("the sign-in went through")
	}
	if lms.TypeOf(err) != typ || lms.CodeOf(err) != code {
		t.Fatalf("%v: type %s, code %s; want %s, %s", err, lms.TypeOf(err), lms.CodeOf(err), typ, code)
	}
	for _, secret := range []string{ada, "@", "code-", "access-", "eyJ", apptest.ClientSecret} {
		if strings.Contains(err.Error(), secret) {
			t.Fatalf("the error gives %q away: %v", secret, err)
		}
	}
}

func mustRefuse(t *testing.T, err error) {
	t.Helper()
	mustFail(t, err, "sign-in-failed", lms.CodeForbidden)
}

func mustBeUnavailable(t *testing.T, err error) {
	t.Helper()
	mustFail(t, err, "provider-unavailable", lms.CodeUnavailable)
	if !strings.Contains(err.Error(), "University") {
		t.Errorf("the message does not name the provider: %v", err)
	}
}

func mustDecide(t *testing.T, got signin.Decision, kind signin.Outcome, reason signin.Reason) {
	t.Helper()
	if got.Kind != kind || got.Reason != reason {
		t.Fatalf("decided %q %q, want %q %q", got.Kind, got.Reason, kind, reason)
	}
}
