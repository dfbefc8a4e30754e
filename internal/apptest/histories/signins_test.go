package histories_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgregory.net/rapid"

	"matricula/internal/lms"
	"matricula/internal/mail"
	"matricula/internal/service"
	"matricula/internal/signin"
)

// expected is mostly an address of somebody who has not arrived.
func (w *world) expected() string {
	address := w.address()
	if rapid.IntRange(0, 2).Draw(w.t, "expected") > 0 {
		p := w.person(func(p *person) bool { return p.status == lms.StatusPending })
		if some := p.all(); len(some) > 0 {
			return rapid.SampledFrom(some).Draw(w.t, "which address")
		}
	}
	return address
}

// aToken draws what some provider says, or what somebody makes of it. Mostly it is
// about somebody who is expected.
func (w *world) aToken() (door, said) {
	address := w.expected()
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
	w.show(d, t)
	what := fmt.Sprintf("a sign-in by %s with %+v", d.name, t)
	if p := w.admitted(what, d, t, "", in, err); p != nil {
		w.browse(p, in)
	}
}

// show notes what somebody has shown by having a token.
func (w *world) show(d door, t said) {
	if d.proves(t) {
		w.shown[shown{subject{t.issuer, t.subject}, t.canonical}] = true
	}
}

// admitted compares what came of a sign-in with what must come of it.
func (w *world) admitted(what string, d door, t said, byCode string, in service.SignedIn, err error) *person {
	p, answer := w.signIn(d, t, byCode)
	comesIn := answer == signsIn || answer == claims || answer == creates
	w.told(what, err, comesIn)
	if !comesIn {
		if in.Secret != "" || in.User.ID != 0 {
			w.t.Fatalf("%s: refused, with a session", what)
		}
		return nil
	}
	if answer == creates {
		w.isNew(in.User.ID)
		p.id = in.User.ID
	}
	w.count(w.doing + ": " + answer)
	if in.User.ID != p.id || string(in.Outcome) != answer {
		w.t.Fatalf("%s: %s as %d, and must %s as %d", what, in.Outcome, in.User.ID, answer, p.id)
	}
	return p
}

func (w *world) browse(p *person, in service.SignedIn) {
	s := &session{who: p, secret: in.Secret}
	w.model.begin(s)
	w.keys = append(w.keys, key{kind: inBrowser, secret: in.Secret, s: s})
}

func (w *world) signInSomebody() { w.enter(w.aToken()) }

func (w *world) signOut() {
	c, _ := w.caller()
	w.told("signing out", w.svc.SignOut(ctx, c), true)
	if s := w.me.s; w.browser() && w.keyHolder(w.me) != nil {
		w.end(func(o *session) bool { return o == s })
	}
}

func (w *world) signOutElsewhere() {
	c, by := w.inBrowser()
	_, err := w.svc.EndOtherSessions(ctx, c)
	may := by != nil && w.browser()
	w.told("ending all other sessions", err, may)
	if s := w.me.s; may {
		w.end(func(o *session) bool { return o.who == by && o != s })
	}
}

// outbox is the mail server and everybody's mail, which only its owner reads.
type outbox struct {
	letters []mail.Message
	codes   []string          // that were ever sent
	mailed  map[string]string // a code to the address to which it was sent
}

func (o *outbox) Open(context.Context) (mail.Session, error) { return o, nil }
func (o *outbox) Close() error                               { return nil }

func (o *outbox) Send(_ context.Context, m mail.Message) error {
	o.letters = append(o.letters, m)
	return nil
}

var (
	codeInMail   = regexp.MustCompile(`/prove#(\S+)`)
	secretInMail = regexp.MustCompile(`/not-me#(\S+)`)
)

// post sends what is due, and gives the code that was in it, if there was one.
func (w *world) post() (code string) {
	w.letters = nil
	for worked := true; worked; {
		var err error
		if worked, err = w.svc.WorkOnMail(ctx, "node"); err != nil {
			w.t.Fatal(err)
		}
	}
	for _, m := range w.letters {
		if found := codeInMail.FindStringSubmatch(m.Text); found != nil {
			code = found[1]
			w.codes = append(w.codes, code)
			if w.mailed == nil {
				w.mailed = map[string]string{}
			}
			w.mailed[code] = string(m.To)
		}
		if found := secretInMail.FindStringSubmatch(m.Text); found != nil {
			w.received(m.ID, string(m.To), found[1])
		}
	}
	return code
}

// received gives the secret of a notice to whoever has the address.
func (w *world) received(id, to, secret string) {
	n, err := strconv.ParseInt(strings.TrimPrefix(id, "mail-"), 10, 64)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, one := range w.notices {
		if one.mail == n {
			if to != one.who.primary {
				w.t.Fatalf("a notice for user %d went to %s", one.who.id, to)
			}
			one.secret = secret
		}
	}
}

// awaiting is a code that was sent, or that would have been if the address were free.
func (w *world) awaiting(f *proof) {
	f.sent, f.ends, f.sends = w.now, w.now.Add(codeLife), 1
	if code := w.post(); code != "" {
		if w.mailed[code] != f.address {
			w.t.Fatalf("the code for %s went to %s", f.address, w.mailed[code])
		}
		f.code = code
	}
	w.proofs = append(w.proofs, f)
	w.browsers = append(w.browsers, f)
}

// tooMany tells whether a code was refused since enough were sent to the address.
// Which of them still count is not the model's business: those of who is gone do not.
func tooMany(err error) bool { return lms.TypeOf(err) == "too-many-codes" }

func (w *world) askCode() {
	d, t := w.aWitness()
	secret, err := w.svc.BeginProof(ctx, d.provider(), t.read(), "/", "", "")
	p, answer := w.verdict(d, t, "")
	if tooMany(err) && answer == proves {
		return
	}
	w.told(fmt.Sprintf("asking for a code at %s with %+v", d.name, t), err, answer == proves)
	if answer == proves {
		w.awaiting(&proof{kind: "sign-in", about: p, secret: secret, address: t.canonical, door: d, said: t})
	}
}

// aWitness is mostly a token whose provider vouches for an address without being the
// one who hands it out.
func (w *world) aWitness() (door, said) {
	if rapid.IntRange(0, 5).Draw(w.t, "any token") == 0 {
		return w.aToken()
	}
	address := w.expected()
	d := doors[3]
	return d, said{issuer: d.issuer, subject: "of " + address, email: address, canonical: address, verified: "true"}
}

// aProof is one that somebody has begun, and mostly one that is not over.
func (w *world) aProof() *proof {
	if some := w.proofs; len(some) > 0 && rapid.IntRange(0, 4).Draw(w.t, "any browser") > 0 {
		return rapid.SampledFrom(some).Draw(w.t, "browser")
	}
	return rapid.SampledFrom(w.browsers).Draw(w.t, "browser")
}

// aCode is what somebody types: what was mailed for this browser, or for another.
func (w *world) aCode(f *proof) string {
	switch n := rapid.IntRange(0, 5).Draw(w.t, "which code"); {
	case n < 3 && f.code != "":
		return strings.ToLower(f.code) + " "
	case n < 5 && len(w.codes) > 0:
		return rapid.SampledFrom(w.codes).Draw(w.t, "code")
	}
	return "BBBB-BBBB"
}

func tidy(code string) string { return strings.ToUpper(strings.TrimSpace(code)) }

func (w *world) typeCode() {
	if len(w.browsers) == 0 {
		w.askCode()
		return
	}
	f := w.aProof()
	code := w.aCode(f)
	in, _, err := w.svc.ProveSignIn(ctx, f.secret, code, func(name string) (signin.Provider, bool) {
		for _, d := range doors {
			if d.name == name {
				return d.provider(), true
			}
		}
		return signin.Provider{}, false
	}, "Test", "")
	what := fmt.Sprintf("typing a code for %s", f.address)
	if _, right := w.tried(f, "sign-in", tidy(code)); !right {
		w.told(what, err, false)
		return
	}
	w.shown[shown{subject{f.said.issuer, f.said.subject}, w.mailed[tidy(code)]}] = true
	if p := w.admitted(what, f.door, f.said, f.address, in, err); p != nil {
		w.dropProofs(func(o *proof) bool { return o == f })
		w.browse(p, in)
	}
}

func (w *world) resendCode() {
	if len(w.browsers) == 0 {
		return // nobody waits for one
	}
	f := w.aProof()
	err := w.svc.ResendCode(ctx, f.secret, "", "")
	may := !f.over && w.now.Before(f.ends) && f.tries < maxTries && (f.in == nil || !f.in.over) && f.sends < maxSends && !w.now.Before(f.sent.Add(soonAgain))
	if may && tooMany(err) {
		return
	}
	w.told("another code for "+f.address, err, may)
	if may {
		f.code, f.sent = w.post(), w.now
		f.sends++
	}
}

// signInProgram exchanges a token, once.
func (w *world) signInProgram() {
	d, t := w.aToken()
	again := len(w.exchanged) > 0 && rapid.IntRange(0, 5).Draw(w.t, "the same token once more") == 0
	if again {
		x := rapid.SampledFrom(w.exchanged).Draw(w.t, "token")
		d, t = x.door, x.said
	}
	n := len(w.exchanged)
	if again {
		n = slices.IndexFunc(w.exchanged, func(x exchange) bool { return x.door.name == d.name && x.said == t })
	}
	in, err := w.svc.SignInProgram(ctx, signin.Presented{
		Provider: d.provider(), Token: t.read(), Client: "app", Fingerprint: sha256.Sum256([]byte{byte(n), byte(n >> 8)}), Until: w.now.Add(time.Hour),
	}, []lms.Scope{lms.ScopeRead, lms.ScopeWrite}, "Test", "")
	what := fmt.Sprintf("an exchange by %s of %+v", d.name, t)
	w.show(d, t)
	if again && w.exchanged[n].spent {
		w.told(what, err, false)
		return
	}
	p := w.admitted(what, d, t, "", in.SignedIn, err)
	if p == nil {
		return
	}
	x := exchange{d, t, w.now.Add(time.Hour), true}
	if again {
		w.exchanged[n] = x
	} else {
		w.exchanged = append(w.exchanged, x)
	}
	s := &session{who: p, program: "app"}
	w.model.begin(s)
	w.hold(s, in)
}

// exchange is an ID token that was exchanged, and until when it is recognized at least.
type exchange struct {
	door  door
	said  said
	until time.Time
	spent bool
}

// hold gives a program what it got.
func (w *world) hold(s *session, in service.ProgramSignIn) {
	s.access, s.refresh, s.accessUntil = in.Access, in.Refresh, w.now.Add(accessLife)
	if s.accessUntil.After(s.ends) {
		s.accessUntil = s.ends
	}
	w.keys = append(w.keys, key{kind: byAccess, secret: in.Access, s: s})
	w.refreshes = append(w.refreshes, key{kind: "refresh", secret: in.Refresh, s: s})
}

// aRefresh is a refresh token that was given out, mostly one that works.
func (w *world) aRefresh() key {
	n := rapid.IntRange(0, len(w.refreshes)-1).Draw(w.t, "refresh token")
	if rapid.IntRange(0, 2).Draw(w.t, "any") > 0 {
		var work []key
		for _, k := range w.refreshes {
			if !k.s.over && k.s.refresh == k.secret {
				work = append(work, k)
			}
		}
		if len(work) > 0 {
			return work[n%len(work)]
		}
	}
	return w.refreshes[n]
}

func (w *world) refreshProgram() {
	if len(w.refreshes) == 0 {
		w.signInProgram()
		return
	}
	k := w.aRefresh()
	client := rapid.SampledFrom([]string{"app", "app", "", "other"}).Draw(w.t, "client")
	in, err := w.svc.RefreshProgram(ctx, k.secret, client, nil, "")
	s := k.s
	live := !s.over && w.now.Before(s.ends) && client != "other" && s.who.status == lms.StatusActive
	may := live && k.secret == s.refresh
	w.told("a renewal", err, may)
	switch {
	case may:
		if in.User.ID != s.who.id {
			w.t.Fatalf("renewed as %d, and must be %d", in.User.ID, s.who.id)
		}
		s.used = w.now
		w.prolong(s)
		w.hold(s, in)
	case live: // it was used before: the whole family ends
		w.end(func(o *session) bool { return o == s })
	}
}

func (w *world) revokeProgram() {
	if len(w.refreshes) == 0 {
		return // there is no program
	}
	k := w.aRefresh()
	if rapid.Bool().Draw(w.t, "by its access token") {
		k = rapid.SampledFrom(w.keys).Draw(w.t, "key")
	}
	w.told("a revocation", w.svc.RevokeProgram(ctx, k.secret, ""), true)
	if k.kind == "refresh" || (k.kind == byAccess && !k.s.over && k.s.access == k.secret) {
		w.end(func(o *session) bool { return o == k.s })
	}
}

func (w *world) makeToken() {
	c, by := w.inBrowser()
	made, err := w.svc.CreateToken(ctx, c, service.NewToken{Name: "sync"}, nil)
	may := by != nil && w.browser()
	w.told("making an API token", err, may)
	if may {
		t := &token{id: made.Token.ID, who: by, made: w.now}
		w.tokens = append(w.tokens, t)
		w.keys = append(w.keys, key{kind: byToken, secret: made.Secret, t: t})
	}
}

func (w *world) revokeToken() {
	if len(w.tokens) == 0 {
		w.makeToken()
		return
	}
	c, by := w.caller()
	t := rapid.SampledFrom(w.tokens).Draw(w.t, "token")
	err := w.svc.RevokeToken(ctx, c, t.id)
	w.told("revoking an API token", err, by == t.who)
	if by == t.who {
		w.endTokens(func(o *token) bool { return o == t })
	}
}
