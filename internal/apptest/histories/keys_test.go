package histories_test

import (
	"fmt"
	"slices"
	"time"

	"matricula/internal/lms"
)

// session is a sign-in, in a browser or a program. What a program holds changes with
// each renewal, and only the newest works.
type session struct {
	who              *person
	program          string // empty: a browser
	made, used, ends time.Time
	secret           string // of a browser
	access, refresh  string // of a program
	accessUntil      time.Time
	over             bool
}

// For how long what lets somebody in is good.
const (
	sessionIdle = 7 * day
	sessionLife = 30 * day
	accessLife  = 15 * time.Minute
	touchAfter  = 5 * time.Minute
)

// token is an API token.
type token struct {
	id   int64
	who  *person
	made time.Time
	over bool
}

// proof is an address of which somebody says that it is theirs, in one browser, until
// they type the code that was sent to it.
type proof struct {
	kind       string
	about      *person // who has the address, or wants it; nil: nobody
	in         *session
	secret     string
	address    string
	door       door
	said       said
	code       string // that was sent last; empty: none was
	tries      int
	sends      int
	sent, ends time.Time
	over       bool
}

func (f *proof) GoString() string { return fmt.Sprintf("%s for %s", f.kind, f.address) }

const (
	codeLife  = 20 * time.Minute
	maxTries  = 5
	maxSends  = 4
	soonAgain = time.Minute
)

// maxSessions is in how many browsers somebody is signed in at once, and in how many
// programs.
const maxSessions = 20

func (m *model) begin(s *session) {
	s.made, s.used = m.now, m.now
	m.prolong(s)
	m.sessions = append(m.sessions, s)
	var mine []*session
	for _, o := range m.sessions {
		if o.who == s.who && (o.program == "") == (s.program == "") {
			mine = append(mine, o)
		}
	}
	if len(mine) > maxSessions {
		m.end(func(o *session) bool { return o == mine[0] })
	}
}

func (m *model) prolong(s *session) {
	s.ends = m.now.Add(sessionIdle)
	if last := s.made.Add(sessionLife); s.ends.After(last) {
		s.ends = last
	}
}

func (m *model) end(gone func(*session) bool) {
	m.sessions = slices.DeleteFunc(m.sessions, func(s *session) bool {
		s.over = s.over || gone(s)
		return s.over
	})
}

func (m *model) endTokens(gone func(*token) bool) {
	m.tokens = slices.DeleteFunc(m.tokens, func(t *token) bool {
		t.over = t.over || gone(t)
		return t.over
	})
}

func (m *model) dropProofs(gone func(*proof) bool) {
	m.proofs = slices.DeleteFunc(m.proofs, func(f *proof) bool {
		f.over = f.over || gone(f)
		return f.over
	})
}

// expire removes what has ended.
func (m *model) expire() {
	m.end(func(s *session) bool { return !m.now.Before(s.ends) })
	m.dropProofs(func(f *proof) bool { return !m.now.Before(f.ends) })
	for _, g := range m.merges {
		if g.state == lms.MergeAsked && !m.now.Before(g.expires) {
			g.state = lms.MergeWithdrawn
		}
	}
}

// key is a secret that was given to somebody, by which they ask.
type key struct {
	kind   string // browser, access or token
	secret string
	s      *session
	t      *token
}

func (k key) GoString() string { return k.kind }

func (t *token) GoString() string { return fmt.Sprint(t.id) }

const (
	inBrowser = "browser"
	byAccess  = "access"
	byToken   = "token"
)

// keyHolder is in whose name a key asks; nil: in nobody's any more.
func (m *model) keyHolder(k key) *person {
	var p *person
	switch {
	case k.kind == byToken && !k.t.over:
		p = k.t.who
	case k.kind == inBrowser && !k.s.over && m.now.Before(k.s.ends):
		p = k.s.who
	case k.kind == byAccess && !k.s.over && m.now.Before(k.s.ends) && k.secret == k.s.access && m.now.Before(k.s.accessUntil):
		p = k.s.who
	}
	if p == nil || p.status != lms.StatusActive {
		return nil
	}
	return p
}

// touch notes that a key was used, as exactly as that is known.
func (m *model) touch(k key) {
	if s := k.s; s != nil && m.now.Sub(s.used) > touchAfter {
		s.used = m.now
		if k.kind == inBrowser {
			m.prolong(s)
		}
	}
}

// tried counts a try of a proof's code, and tells whether there was one and whether it
// was the code.
func (m *model) tried(f *proof, kind, code string) (counted, right bool) {
	if f.over || f.kind != kind || !m.now.Before(f.ends) || f.tries >= maxTries || (f.in != nil && f.in.over) {
		return false, false
	}
	f.tries++
	return true, f.code != "" && code == f.code
}
