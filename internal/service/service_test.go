package service_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var ctx = context.Background()

// campus is a provider that hands out every address, as a school's own does.
var campus = signin.Provider{Name: "campus", Label: "Campus", Issuer: "https://id.uni.example", ClientID: "m", Kind: signin.KindOIDC, TrustAll: true}

// token is what campus says about somebody with a verified address.
func token(subject, email string) signin.Token {
	return signin.Token{Issuer: campus.Issuer, Subject: subject, Email: email, EmailVerified: signin.VerifiedTrue}
}

// school is Matricula over one database, with one clock, on one node or more.
type school struct {
	*service.Service // of the first node
	tb               testing.TB
	db               *storetest.Database
	raw              *sql.DB
	store            *store.Store
	nodes            []*service.Service
	clock            *clock
	options          service.Options
	admin            access.Caller
	broken           bool // the test has broken the data on purpose
}

type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time          { return time.UnixMicro(c.at.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.at.Add(d.Microseconds()) }

// each runs a test in a new school on both engines. Every school has an
// administrator, root@uni.example, and the invariants hold when the test ends.
func each(t *testing.T, test func(t *testing.T, s *school), change ...func(*service.Options)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) { test(t, open(t, db, change...)) })
}

func open(tb testing.TB, db *storetest.Database, change ...func(*service.Options)) *school {
	tb.Helper()
	s := &school{tb: tb, db: db, raw: db.SQL(tb), store: db.Open(tb), clock: &clock{}}
	s.clock.at.Store(time.Date(2026, 9, 1, 8, 30, 0, 0, time.UTC).UnixMicro())
	s.options = service.Options{
		Now: s.clock.now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		SignUp: signin.SignUpAnyone, Directory: service.DirectoryExact,
	}
	for _, c := range change {
		c(&s.options)
	}
	s.Service = service.New(s.store, s.options)
	s.nodes = []*service.Service{s.Service}
	if err := s.NameAdmins(ctx, []lms.Email{"root@uni.example"}); err != nil {
		tb.Fatal(err)
	}
	s.admin = s.person("root@uni.example")
	tb.Cleanup(func() {
		if !tb.Failed() && !s.broken {
			storetest.Invariants(tb, s.store)
		}
	})
	return s
}

// grow makes it several nodes, where the engine allows that, and gives them
// in turn.
func (s *school) grow(n int) func(i int) *service.Service {
	s.tb.Helper()
	for s.db.Engine == storetest.PostgreSQL && len(s.nodes) < n {
		s.nodes = append(s.nodes, service.New(s.db.Open(s.tb), s.options))
	}
	return func(i int) *service.Service { return s.nodes[i%len(s.nodes)] }
}

// person signs somebody in, as the subject of the same name, and gives them as
// a caller.
func (s *school) person(email string) access.Caller {
	s.tb.Helper()
	c, _ := s.arrive(email)
	return c
}

func (s *school) arrive(email string) (access.Caller, service.SignedIn) {
	s.tb.Helper()
	in, err := s.SignIn(ctx, campus, token("sub of "+email, email), "Test", "r-"+email)
	if err != nil {
		s.tb.Fatalf("sign in %s: %v", email, err)
	}
	return s.bySession(in.Secret), in
}

func (s *school) bySession(secret string) access.Caller {
	s.tb.Helper()
	c, _, err := s.BySession(ctx, secret, "r")
	if err != nil {
		s.tb.Fatal(err)
	}
	return c
}

// teacher is a person who may create courses.
func (s *school) teacher(email string) access.Caller {
	s.tb.Helper()
	if _, err := s.NamePerson(ctx, s.admin, service.NewPerson{Email: email, SiteRole: "teacher"}, nil); err != nil {
		s.tb.Fatal(err)
	}
	return s.person(email)
}

// course makes a course that a teacher owns.
func (s *school) course(owner access.Caller, title string) int64 {
	s.tb.Helper()
	v, err := s.CreateCourse(ctx, owner, lms.CourseFields{Title: title}, nil)
	if err != nil {
		s.tb.Fatal(err)
	}
	return v.Course.ID
}

// enroll puts addresses into a course and gives the ids of the people.
func (s *school) enroll(by access.Caller, course int64, role string, emails ...string) []int64 {
	s.tb.Helper()
	rows, err := s.Enroll(ctx, by, service.EnrollRequest{CourseID: course, Role: role, Emails: emails, Source: lms.SourcePaste})
	if err != nil {
		s.tb.Fatal(err)
	}
	ids := make([]int64, len(rows))
	for i, r := range rows {
		if r.Result != service.ResultEnrolled && r.Result != service.ResultNamed {
			s.tb.Fatalf("enroll %s as %s: %s, %s", r.Typed, role, r.Result, r.Message)
		}
		ids[i] = r.UserID
	}
	return ids
}

// member enrolls an address, and the person arrives.
func (s *school) member(by access.Caller, course int64, role, email string) access.Caller {
	s.tb.Helper()
	s.enroll(by, course, role, email)
	return s.person(email)
}

// set sets privileges that must be accepted, and gives the member.
func (s *school) set(by access.Caller, course int64, ref service.PersonRef, allow, deny []string) lms.Member {
	s.tb.Helper()
	m, err := s.SetPrivileges(ctx, by, service.PrivilegeChange{CourseID: course, Person: ref, Allow: allow, Deny: deny})
	if err != nil {
		s.tb.Fatal(err)
	}
	return m
}

func byEmail(e string) service.PersonRef { return service.PersonRef{Email: e} }
func byID(id int64) service.PersonRef    { return service.PersonRef{UserID: id} }

// count counts rows.
func (s *school) count(what string, args ...any) int {
	s.tb.Helper()
	return storetest.Query1[int](s.tb, s.raw, `SELECT count(*) FROM `+what, args...)
}

// audited counts entries of an action and an outcome.
func (s *school) audited(a access.Action, o lms.Outcome) int {
	s.tb.Helper()
	return s.count(`audit_entries WHERE action = $1 AND outcome = $2`, string(a), string(o))
}

// lastEntry is the newest entry of the audit.
func (s *school) lastEntry() lms.AuditRecord {
	s.tb.Helper()
	p, err := s.Audit(ctx, s.admin, service.AuditRequest{Limit: 1})
	if err != nil || len(p.Entries) != 1 {
		s.tb.Fatalf("%d entries (%v)", len(p.Entries), err)
	}
	return p.Entries[0]
}

func (s *school) user(id int64) lms.User {
	s.tb.Helper()
	u, ok, err := s.store.Reader().User(ctx, id)
	if err != nil || !ok {
		s.tb.Fatalf("user %d: %v (%v)", id, ok, err)
	}
	return u
}

// held is what somebody holds in a course, in names, as the access page says.
func (s *school) held(course, user int64) string {
	s.tb.Helper()
	r, err := s.Access(ctx, s.admin, course, user)
	if err != nil {
		s.tb.Fatal(err)
	}
	return names(r.Member.Effective())
}

func names(set lms.PrivilegeSet) string {
	var list []string
	for _, p := range set.List() {
		list = append(list, string(p))
	}
	return strings.Join(list, " ")
}

func refused(tb testing.TB, what string, err error, code lms.Code, typ string) {
	tb.Helper()
	if lms.CodeOf(err) != code || lms.TypeOf(err) != typ {
		tb.Errorf("%s: got %v (%s %s), want %s %s", what, err, lms.CodeOf(err), lms.TypeOf(err), code, typ)
	}
}

// together runs n functions that all begin at the same moment, and waits.
func together(n int, fn func(i int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-start
			fn(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

func same(tb testing.TB, what string, got, want []string) {
	tb.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		tb.Errorf("%s: %v, want %v", what, got, want)
	}
}

func ptr[T any](v T) *T { return &v }

// locals are the local parts of members' addresses.
func locals(list []lms.Member) []string {
	var out []string
	for _, m := range list {
		l, _, _ := strings.Cut(string(m.User.Email), "@")
		out = append(out, l)
	}
	return out
}

// everything is all that somebody was given while they were pending, in the
// words in which two moments can be compared.
func (s *school) everything(user int64) string {
	s.tb.Helper()
	list, err := s.store.Reader().Courses(ctx, store.CoursesQuery{UserID: user, Before: 1 << 62, Limit: 1000})
	if err != nil {
		s.tb.Fatal(err)
	}
	var b strings.Builder
	for _, c := range list {
		fmt.Fprintf(&b, "%s: %s, %s\n", c.Course.Title, c.Member.RoleName(), names(c.Member.Effective()))
	}
	return b.String()
}
