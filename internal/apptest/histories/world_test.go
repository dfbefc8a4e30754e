package histories_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/store"
)

var ctx = context.Background()

// root is the administrator with whom every history begins.
const root = "root@uni.example"

// addresses are whom a history is about, in canonical form. Some are of domains
// that no door hands out. The first are drawn more often than the last.
var addresses = []string{
	"ada@uni.example", "bob@uni.example", "kim@school.example", "joe@gmail.com", "joe@googlemail.com",
	"ada@sub.uni.example", "mallory@evil.example", root,
}

// spellings are how a person writes an address; each means the same.
var spellings = []func(string) string{
	func(s string) string { return s },
	strings.ToUpper,
	func(s string) string { return strings.ToUpper(s[:1]) + s[1:] },
	func(s string) string { return "  " + s + "\r\n" },
	func(s string) string { return "\ufeff" + s },
	func(s string) string {
		at := strings.IndexByte(s, '@')
		return s[:at] + strings.ToUpper(s[at:]) + "\u00a0"
	},
}

// world is one history: the program, and the model that it must be like.
type world struct {
	*model
	t       *rapid.T
	dsn     string
	raw     *sql.DB
	store   *store.Store
	svc     *service.Service
	now     time.Time
	secrets []string // of all sessions that ever were, the administrator's newest first
	secret  string   // with which the present action is asked for
}

func begin(t *rapid.T, dsn string, raw *sql.DB) *world {
	w := &world{
		model: &model{identities: map[[2]string]*person{}}, t: t, dsn: dsn, raw: raw,
		now: time.Date(2026, 9, 1, 8, 30, 0, 0, time.UTC),
	}
	w.signUp = rapid.SampledFrom([]string{"anyone", "domains", "named"}).Draw(t, "who may sign up")
	w.open()
	// What every school begins with: an administrator whom the operator names.
	if err := w.svc.NameAdmins(ctx, []lms.Email{root}); err != nil {
		t.Fatal(err)
	}
	w.named(root, w.idOf(root)).role = lms.SiteAdmin
	w.enterFirst()
	return w
}

// enterFirst lets the administrator come in.
func (w *world) enterFirst() {
	had := len(w.secrets)
	w.enter(doors[0], said{issuer: doors[0].issuer, subject: "of " + root, email: root, canonical: root, verified: "true"})
	if len(w.secrets) > had {
		w.secrets[0], w.secrets[had] = w.secrets[had], w.secrets[0]
	}
}

func (w *world) open() {
	var err error
	if w.store, err = store.Open(ctx, w.dsn); err != nil {
		w.t.Fatal(err)
	}
	if err := w.store.Start(ctx); err != nil {
		w.t.Fatal(err)
	}
	w.svc = service.New(w.store, service.Options{
		Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler),
		SignUp: signin.SignUp(w.signUp), Directory: service.DirectoryEveryone,
	})
}

func (w *world) close() error { return w.store.Close() }

// idOf is the id that the store gave the person of an address.
func (w *world) idOf(address string) (id int64) {
	if err := w.raw.QueryRow(`SELECT user_id FROM emails WHERE address = $1`, address).Scan(&id); err != nil && !errors.Is(err, sql.ErrNoRows) {
		w.t.Fatal(err)
	}
	return id
}

// check compares the program with the model, and looks at the invariants.
func (w *world) check(t *rapid.T) {
	rows, err := w.raw.Query(sqlLines)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var is []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		is = append(is, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(is)
	if want := w.lines(); !slices.Equal(is, want) {
		t.Fatalf("the program and the model differ:\nonly the program has\n  %s\nonly the model has\n  %s", without(is, want), without(want, is))
	}
	list, err := w.store.CheckInvariants(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range list {
		if i.Violations > 0 {
			t.Fatalf("%s does not hold: %s: %q", i.Name, i.Says, i.Examples)
		}
	}
	w.now = w.now.Add(time.Second)
}

func without(a, b []string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) }), "\n  ")
}

// told makes sure that something was done, or refused as such things are, as the
// rules say.
func (w *world) told(what string, err error, done bool) {
	switch code := lms.CodeOf(err); {
	case err == nil && !done:
		w.t.Fatalf("%s: it was done, and must not be", what)
	case err != nil && done:
		w.t.Fatalf("%s: refused, and must be done: %v", what, err)
	case err != nil && (code == lms.CodeInternal || code == lms.CodeUnavailable):
		w.t.Fatalf("%s: a fault and not a refusal: %v", what, err)
	}
}

// caller is somebody who holds a session, or held it once.
func (w *world) caller() (access.Caller, *person) {
	i := rapid.IntRange(0, len(w.secrets)-1).Draw(w.t, "session")
	switch alive := w.sessions; rapid.IntRange(0, 4).Draw(w.t, "who asks") {
	case 0:
		i = 0 // the administrator
	case 1, 2, 3: // somebody who is signed in
		if len(alive) > 0 {
			i = slices.Index(w.secrets, alive[i%len(alive)].secret)
		}
	}
	secret := w.secrets[i]
	w.secret = secret
	c, u, err := w.svc.BySession(ctx, secret, "")
	if err != nil {
		w.t.Fatal(err)
	}
	p := w.who(secret)
	if (p == nil) != c.Anonymous() || (p != nil && (u.ID != p.id || c.SiteRole != p.role)) {
		w.t.Fatalf("session %d is of %d, and must be of %+v", i, c.UserID, p)
	}
	return c, p
}

func (w *world) address() string { return rapid.SampledFrom(addresses).Draw(w.t, "address") }

// typed is an address as somebody writes it.
func (w *world) typed(address string) string {
	return spellings[rapid.IntRange(0, len(spellings)-1).Draw(w.t, "spelling")](address)
}

func (w *world) course() *course {
	if len(w.courses) == 0 {
		w.t.Skip("there is no course yet")
	}
	return rapid.SampledFrom(w.courses).Draw(w.t, "course")
}

// person is mostly one of whom something holds, so that more is done than refused.
func (w *world) person(holds func(*person) bool) *person {
	those := slices.DeleteFunc(slices.Clone(w.people), func(p *person) bool { return !holds(p) })
	if len(those) == 0 || rapid.IntRange(0, 3).Draw(w.t, "anybody") == 0 {
		those = w.people
	}
	return rapid.SampledFrom(those).Draw(w.t, "person")
}

func (w *world) personIn(c *course) *person {
	return w.person(func(p *person) bool { return c.places[p] != nil })
}

func (w *world) privileges(label string) privileges {
	return privileges(rapid.IntRange(0, int(everything)).Draw(w.t, label)) & privileges(rapid.IntRange(0, int(everything)).Draw(w.t, "of these"))
}

// token draws what some provider says, or what somebody makes of it. Mostly it is
// about somebody who is expected.
func (w *world) token() (door, said) {
	address := w.address()
	if rapid.IntRange(0, 2).Draw(w.t, "expected") > 0 {
		address = w.person(func(p *person) bool { return p.status == lms.StatusPending }).primary
	}
	domain := address[strings.IndexByte(address, '@')+1:]
	if rapid.Bool().Draw(w.t, "honest") {
		d := doors[0]
		if slices.Contains([]string{"school.example", "gmail.com", "googlemail.com"}, domain) {
			d = doors[1]
		}
		return d, said{issuer: d.issuer, subject: "of " + address, email: address, canonical: address, verified: "true", hosted: domain}
	}
	d := rapid.SampledFrom(doors).Draw(w.t, "door")
	pick := func(label string, usual string, others ...string) string {
		if rapid.IntRange(0, 4).Draw(w.t, label+"?") > 0 {
			return usual
		}
		return rapid.SampledFrom(append(others, usual)).Draw(w.t, label)
	}
	t := said{
		issuer:    pick("issuer", d.issuer, doors[0].issuer, doors[1].issuer, d.issuer+"/", ""),
		subject:   pick("subject", "of "+address, "OF "+address, "of "+root, "of "+addresses[0], "s1", "S1", ""),
		tenant:    pick("tenant", d.tenant, "t1", "t2", ""),
		verified:  claim(pick("email_verified", "true", "", "false", `"true"`, "1", "null")),
		edov:      claim(pick("xms_edov", "", "true", "false", `"1"`)),
		hosted:    pick("hd", domain, "", "school.example", "SCHOOL.example"),
		canonical: address,
	}
	t.email = pick("email", address, strings.ToUpper(address), " "+address, "<"+address+">", address+"@uni.example", "")
	if t.email != address && t.email != strings.ToUpper(address) {
		t.canonical = "" // a provider has to send a clean one
	}
	return d, t
}

// read is a token as package signin has it after its checks of the JSON.
func (t said) read() signin.Token {
	verified := func(c claim) signin.Verified {
		switch c {
		case "":
			return signin.VerifiedAbsent
		case "true":
			return signin.VerifiedTrue
		}
		return signin.VerifiedNot
	}
	return signin.Token{
		Issuer: t.issuer, Subject: t.subject, Tenant: t.tenant, Email: t.email, HostedDomain: t.hosted,
		EmailVerified: verified(t.verified), DomainOwnerVerified: verified(t.edov),
	}
}

func (d door) provider() signin.Provider {
	return signin.Provider{Name: d.name, Label: d.name, Issuer: d.issuer, ClientID: "m", Kind: signin.Kind(d.kind), Domains: d.domains, Tenant: d.tenant}
}

// enter lets a token be used at a door.
func (w *world) enter(d door, t said) {
	in, err := w.svc.SignIn(ctx, d.provider(), t.read(), "Test", "")
	p, outcome := w.signIn(d, t)
	what := fmt.Sprintf("a sign-in by %s with %+v", d.name, t)
	w.told(what, err, p != nil)
	if p == nil {
		if in.Secret != "" {
			w.t.Fatalf("%s: refused, with a session", what)
		}
		return
	}
	if outcome == "create" {
		p.id = in.User.ID
	}
	if in.User.ID != p.id || string(in.Outcome) != outcome {
		w.t.Fatalf("%s: %s as %d, and must %s as %d", what, in.Outcome, in.User.ID, outcome, p.id)
	}
	w.model.begin(p, in.Secret)
	w.secrets = append(w.secrets, in.Secret)
}
