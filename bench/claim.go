package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"matricula/bench/school"
	"matricula/internal/signin"
)

const (
	// waitingThings is what waits for somebody in the heavier half of (e).
	waitingThings = 10_000
	browserName   = "Mozilla/5.0 (bench)"
)

// claiming is the first sign-in of people for whom a number of things wait.
type claiming struct {
	c      *cases
	things int
	people []school.Person // who has not signed in yet

	round     []school.Person // who does in this round
	callbacks []callback      // by which they come back, over HTTP alone
	next      atomic.Int64
	audit     *audited
	requests  int
}

// callback is a browser that a provider has just sent back.
type callback struct {
	path    string
	cookies []*http.Cookie
}

// claims makes the measurement of so many sign-ins in each round: over HTTP, or
// by a call of the service, which leaves out the provider and the protocol.
func (c *cases) claims(ctx context.Context, sides []*side, each, rounds, things int, overHTTP bool) (*measurement, error) {
	cl := &claiming{c: c, things: things, audit: c.auditOf("user.claim"), requests: each}
	m := &measurement{concurrency: concurrency, requests: each, rounds: rounds, verify: cl.verify}
	last, err := c.count(ctx, `SELECT max(id) FROM users`)
	if err != nil {
		return nil, err
	}
	if cl.people, err = c.school.Waiting(ctx, c.dsn, last+1, len(sides)*(rounds*each+m.warmUpRequests()), things); err != nil {
		return nil, err
	}
	m.key, m.title = "e alone", fmt.Sprintf("(e) claim alone, %d waiting", things)
	m.prepare, m.call = cl.prepare, cl.call
	if overHTTP {
		m.key, m.title = "e", fmt.Sprintf("(e) callback, %d waiting", things)
		m.prepare, m.call = cl.prepareHTTP, cl.callHTTP
	}
	if things > 0 {
		m.key += "+"
	}
	return m, nil
}

func (cl *claiming) prepare(ctx context.Context, s *side, requests int) error {
	if len(cl.people) < requests {
		return errors.New("everybody has signed in")
	}
	cl.round, cl.people = cl.people[:requests], cl.people[requests:]
	cl.next.Store(0)
	return cl.audit.before(ctx, s, requests)
}

func (cl *claiming) prepareHTTP(ctx context.Context, s *side, requests int) error {
	if err := cl.prepare(ctx, s, requests); err != nil {
		return err
	}
	cl.callbacks = nil
	for _, p := range cl.round {
		back, err := s.goToProvider(ctx, &p)
		if err != nil {
			return err
		}
		cl.callbacks = append(cl.callbacks, back)
	}
	return nil
}

// goToProvider begins a sign-in as a browser does, chooses the person on the
// provider's page, and stops before it goes back.
func (s *side) goToProvider(ctx context.Context, p *school.Person) (back callback, err error) {
	started, err := s.visit(ctx, http.MethodGet, s.url+"/auth/"+providerName+"/start", nil, nil)
	if err != nil {
		return back, err
	}
	target, err := started.Location()
	if err != nil {
		return back, fmt.Errorf("start of a sign-in: status %d: %w", started.StatusCode, err)
	}
	form := target.Query()
	form.Set("account", string(p.Email))
	form.Set("given_name", p.Given)
	form.Set("family_name", p.Family)
	target.RawQuery = ""
	chosen, err := s.visit(ctx, http.MethodPost, target.String(), form, nil)
	if err != nil {
		return back, err
	}
	u, err := chosen.Location()
	if err != nil {
		return back, fmt.Errorf("choice at the provider: status %d: %w", chosen.StatusCode, err)
	}
	return callback{u.RequestURI(), started.Cookies()}, nil
}

func (s *side) visit(ctx context.Context, method, address string, form url.Values, cookies []*http.Cookie) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", browserName)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range cookies {
		req.AddCookie(c)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp, err
}

// callHTTP comes back from the provider. The answer is a redirect with the
// cookie of a session.
func (cl *claiming) callHTTP(ctx context.Context, s *side, _ int) error {
	back := cl.callbacks[cl.next.Add(1)-1]
	resp, err := s.visit(ctx, http.MethodGet, s.url+back.path, nil, back.cookies)
	if err != nil {
		return err
	}
	for _, c := range resp.Cookies() {
		if resp.StatusCode == http.StatusSeeOther && c.Value != "" {
			cl.audit.done.Add(1)
			return nil
		}
	}
	return fmt.Errorf("status %d, and no session", resp.StatusCode)
}

func (cl *claiming) call(ctx context.Context, s *side, _ int) error {
	p := cl.round[cl.next.Add(1)-1]
	subject, name := fmt.Sprint("subject-", p.ID), p.Given+" "+p.Family
	cl.audit.done.Add(1)
	if s.product == nil {
		_, err := s.bare.claim(ctx, bareClaims{
			Issuer: s.bare.rp.issuer, Subject: subject, Email: string(p.Email), Given: p.Given, Family: p.Family, Name: name,
		}, browserName)
		return err
	}
	in, err := s.product.service.SignIn(ctx, s.product.provider, signin.Token{
		Issuer: s.product.provider.Issuer, Subject: subject, Email: string(p.Email), EmailVerified: signin.VerifiedTrue,
		GivenName: p.Given, FamilyName: p.Family, Name: name,
	}, browserName, subject)
	if err == nil && in.Outcome != signin.Claim {
		err = fmt.Errorf("the outcome was %q", in.Outcome)
	}
	return err
}

// verify makes sure that everybody of the round has arrived, and that what
// waited for them is theirs.
func (cl *claiming) verify(ctx context.Context, s *side) error {
	first, last := cl.round[0].ID, cl.round[len(cl.round)-1].ID
	arrived, err := cl.c.count(ctx, `SELECT count(*) FROM users u JOIN emails e ON e.user_id = u.id AND e.verified_at IS NOT NULL
		JOIN identities i ON i.user_id = u.id JOIN sessions s ON s.user_id = u.id
		WHERE u.status = 'active' AND u.claimed_at IS NOT NULL AND u.id BETWEEN $1 AND $2`, first, last)
	if err != nil {
		return err
	}
	if arrived != int64(len(cl.round)) {
		return fmt.Errorf("%d of %d people have arrived", arrived, len(cl.round))
	}
	var have int64
	for _, table := range []string{"enrollments", "course_privileges"} {
		n, err := cl.c.count(ctx, `SELECT count(*) FROM `+table+` WHERE user_id BETWEEN $1 AND $2`, first, last)
		if err != nil {
			return err
		}
		have += n
	}
	if want := int64(2 * cl.c.school.CoursesFor(cl.things) * len(cl.round)); have != want {
		return fmt.Errorf("%d things refer to those who have arrived, want %d", have, want)
	}
	return cl.audit.after(ctx, s)
}
