package histories_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgregory.net/rapid"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/mail"
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
	t    *rapid.T
	db   database
	svc  *service.Service
	keys []key // that anybody ever had, the administrator's newest first
	me   key   // with which the present action is asked for
	outbox
	browsers  []*proof // in which somebody ever asked for a code
	refreshes []key    // that programs ever had
	exchanged []exchange

	everNotices []*notice
	doing       string // the action
	tally       tally
	carriedOut  int // merges

	// How the database and the model were when they were compared last.
	seen   string
	wanted []string

	// What happened, as the people in it know it: who has shown which address to be
	// theirs. The model is not asked.
	shown map[shown]bool
}

// shown is that somebody could prove an address: their provider handed it out, or they
// typed the code that was mailed to it.
type shown struct {
	who     subject
	address string
}

// database is where a history happens.
type database interface {
	open(*rapid.T) *store.Store // the program's own, which is the same until restart
	restart(*rapid.T)
	raw() *sql.DB
	lines() *sql.Stmt // sqlLines
	// changed tells something that differs whenever anybody has written since; empty: that
	// is not known.
	changed(*rapid.T) string
}

// tally is how often something happened in all histories of a test.
type tally map[string]int

func (w *world) count(what string) { w.tally[what]++ }

func begin(t *rapid.T, db database, counted tally) *world {
	w := &world{
		tally: counted, doing: "begin",
		model: &model{identities: map[subject]*identity{}, now: time.Date(2026, 9, 1, 8, 30, 0, 0, time.UTC)},
		t:     t, db: db, shown: map[shown]bool{},
	}
	w.signUp = rapid.SampledFrom([]string{"anyone", "domains", "named"}).Draw(t, "who may sign up")
	w.start()
	// What every school begins with: an administrator whom the operator names, and who
	// makes a course, or two, and perhaps somebody who teaches.
	if err := w.svc.NameAdmins(ctx, []lms.Email{root}); err != nil {
		t.Fatal(err)
	}
	w.named(root, w.idAt(root), nil).role = lms.SiteAdmin
	w.enterFirst()
	for range 1 + rapid.IntRange(0, 1).Draw(t, "another course") {
		w.createCourse(w.use(w.keys[0]))
	}
	if teacher := addresses[0]; rapid.Bool().Draw(t, "a teacher") {
		c, by := w.use(w.keys[0])
		w.enrollAll(c, by, w.courses[0], "teacher", []string{teacher})
		w.enter(doors[0], said{issuer: doors[0].issuer, subject: "of " + teacher, email: teacher, canonical: teacher, verified: "true"})
	}
	return w
}

// enterFirst lets the administrator come in.
func (w *world) enterFirst() {
	had := len(w.keys)
	w.enter(doors[0], said{issuer: doors[0].issuer, subject: "of " + root, email: root, canonical: root, verified: "true"})
	if len(w.keys) > had {
		w.keys[0], w.keys[had] = w.keys[had], w.keys[0]
	}
}

func (w *world) start() {
	w.svc = service.New(w.db.open(w.t), service.Options{
		Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler),
		SignUp: signin.SignUp(w.signUp), Directory: service.DirectoryEveryone, PendingDays: maxWaitDays,
		Mail: &service.MailOptions{Sender: &w.outbox, Site: mail.Site{URL: "https://lms.example"}},
	})
}

// idAt is the id that the store gave the person of an address.
func (w *world) idAt(address string) (id int64) {
	if err := w.db.raw().QueryRow(`SELECT user_id FROM emails WHERE address = $1`, address).Scan(&id); err != nil && !errors.Is(err, sql.ErrNoRows) {
		w.t.Fatal(err)
	}
	return id
}

// check compares the program with the model, and looks at the invariants. Where
// neither has changed since the last time, both are as they were.
func (w *world) check(t *rapid.T) {
	w.t = t
	w.fall()
	w.onlyWhoHasShownIt()
	want := w.lines()
	if seen := w.db.changed(t); seen == "" || seen != w.seen || !slices.Equal(want, w.wanted) {
		w.compare(t, want)
		w.seen, w.wanted = seen, want
	}
	w.now = w.now.Add(time.Second)
}

func (w *world) compare(t *rapid.T, want []string) {
	rows, err := w.db.lines().Query()
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
		if line, by, ok := strings.Cut(line, " by "); ok && (strings.HasPrefix(line, "place") || strings.HasPrefix(line, "grant")) {
			id, err := strconv.ParseInt(by, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			is = append(is, fmt.Sprintf("%s by %d", line, w.human(id)))
			continue
		}
		is = append(is, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(is)
	if !slices.Equal(is, want) {
		t.Fatalf("the program and the model differ:\nonly the program has\n  %s\nonly the model has\n  %s", without(is, want), without(want, is))
	}
	list, err := w.db.open(t).CheckInvariants(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range list {
		if i.Violations > 0 {
			t.Fatalf("%s does not hold: %s: %q", i.Name, i.Says, i.Examples)
		}
	}
}

// onlyWhoHasShownIt is the promise, without the rules: whoever is a person came to be
// that by an address that they have shown to be theirs, and so is each address that
// counts as proven.
func (w *world) onlyWhoHasShownIt() {
	for key, i := range w.identities {
		if !w.shown[shown{key, i.address}] {
			w.t.Fatalf("%q is user %d by %s, and has never shown that it is theirs", key, i.who.id, i.address)
		}
	}
	for _, p := range w.people {
		for a, box := range p.addresses {
			if !box.proven.IsZero() && !w.anybodyShowed(p, a) {
				w.t.Fatalf("%s counts as proven by user %d, and nobody has shown that", a, p.id)
			}
		}
	}
}

func (w *world) anybodyShowed(p *person, address string) bool {
	for key := range p.ever {
		if w.shown[shown{key, address}] {
			return true
		}
	}
	return false
}

func without(a, b []string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) }), "\n  ")
}

// told makes sure that something was done, or refused as such things are, as the
// rules say.
func (w *world) told(what string, err error, done bool) {
	if done {
		w.count(w.doing)
	} else {
		w.count(w.doing + ", refused")
	}
	switch code := lms.CodeOf(err); {
	case err == nil && !done:
		w.t.Fatalf("%s: it was done, and must not be", what)
	case err != nil && done:
		w.t.Fatalf("%s: refused, and must be done: %v", what, err)
	case err != nil && (code == lms.CodeInternal || code == lms.CodeUnavailable):
		w.t.Fatalf("%s: a fault and not a refusal: %v", what, err)
	}
}

// caller is somebody who holds a key, or held it once.
func (w *world) caller() (access.Caller, *person) {
	i := rapid.IntRange(0, len(w.keys)-1).Draw(w.t, "key")
	switch rapid.IntRange(0, 4).Draw(w.t, "who asks") {
	case 0:
		i = 0 // the administrator
	case 1, 2, 3: // somebody who is signed in
		var alive []int
		for n, k := range w.keys {
			if w.keyHolder(k) != nil {
				alive = append(alive, n)
			}
		}
		if len(alive) > 0 {
			i = alive[i%len(alive)]
		}
	}
	return w.use(w.keys[i])
}

// caller is who asks, to the program and in the model.
type caller struct {
	access.Caller
	by *person
}

// inBrowser is caller for what can be done in a browser only, and mostly is.
func (w *world) inBrowser() (access.Caller, *person) {
	c, p := w.caller()
	if w.me.kind != inBrowser && rapid.IntRange(0, 3).Draw(w.t, "with a token") > 0 {
		for _, k := range w.keys {
			if k.kind == inBrowser && p != nil && w.keyHolder(k) == p {
				return w.use(k)
			}
		}
	}
	return c, p
}

// browser tells whether somebody asks in a browser.
func (w *world) browser() bool { return w.me.kind == inBrowser }

// use asks with a key, which leads to whom it belongs to and to nobody else.
func (w *world) use(k key) (c access.Caller, p *person) {
	var u lms.User
	var err error
	if k.kind == inBrowser {
		c, u, err = w.svc.BySession(ctx, k.secret, "")
	} else if c, u, err = w.svc.ByToken(ctx, k.secret, ""); lms.CodeOf(err) == lms.CodeUnauthenticated {
		err = nil
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.me, p = k, w.keyHolder(k)
	if (p == nil) != c.Anonymous() || (p != nil && (u.ID != p.id || c.SiteRole != p.role)) {
		w.t.Fatalf("the %s is of %d, and must be of %d", k.kind, c.UserID, idOf(p))
	}
	if p != nil {
		w.touch(k)
	}
	return c, p
}

func (w *world) address() string { return rapid.SampledFrom(addresses).Draw(w.t, "address") }

// typed is an address as somebody writes it.
func (w *world) typed(address string) string {
	return spellings[rapid.IntRange(0, len(spellings)-1).Draw(w.t, "spelling")](address)
}

func (w *world) course() *course { return rapid.SampledFrom(w.courses).Draw(w.t, "course") }

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
