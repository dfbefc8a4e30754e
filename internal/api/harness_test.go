package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/api"
	"matricula/internal/fetch"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var (
	anonymous access.Caller
	noOptions service.Options
)

const schoolURL = "https://lms.uni.example"

// school is a small installation: a real service on a real database, its API,
// and a few people.
type school struct {
	testing.TB
	store *store.Store
	svc   *service.Service
	api   *api.API
	log   *lockedBuffer

	mu  sync.Mutex
	at  time.Time
	doc *document

	admin, ada, grace, sam access.Caller // an administrator, a teacher who owns courses, a teacher, a member
}

// lockedBuffer is a log that several requests write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// onEachEngine runs a test on a new school on SQLite and on PostgreSQL.
func onEachEngine(t *testing.T, test func(s *school)) {
	t.Run("sqlite", func(t *testing.T) {
		test(newSchool(t, "sqlite:"+filepath.Join(t.TempDir(), "school.db"), service.Options{}))
	})
	t.Run("postgres", func(t *testing.T) { test(newSchool(t, postgres(t), service.Options{})) })
}

func postgres(tb testing.TB) string {
	return storetest.PostgresFrom(tb, "api", func(dsn string) error {
		st, err := store.Open(context.Background(), dsn)
		if err != nil {
			return err
		}
		defer st.Close()
		return st.Migrate(context.Background())
	})
}

func newSchool(tb testing.TB, dsn string, opts service.Options) *school {
	tb.Helper()
	ctx := context.Background()
	st, err := store.Open(ctx, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { st.Close() })
	if err := st.Migrate(ctx); err != nil {
		tb.Fatal(err)
	}
	s := &school{TB: tb, store: st, log: &lockedBuffer{}, at: time.Date(2027, 1, 4, 8, 0, 0, 0, time.UTC)}
	log := slog.New(slog.NewTextHandler(s.log, nil))
	opts.Now, opts.Log = s.now, log
	if opts.Webhooks == nil {
		poster := fetch.NewPoster(fetch.PostOptions{Loopback: true})
		opts.Webhooks = &service.WebhookOptions{Check: poster.Check, Post: poster.Post}
	}
	s.svc = service.New(st, opts)
	s.api = api.New(s.svc, api.Options{URL: schoolURL + "/", Log: log, Now: s.now, Version: "1.2.3", CursorKey: []byte("the key of this school's cursors")})
	s.doc = readDocument(tb, s.api.OpenAPI())
	s.admin = s.arrive("root@uni.example", "Rita", "Root", lms.SiteAdmin)
	s.ada = s.arrive("ada@uni.example", "Ada", "Lovelace", lms.SiteTeacher)
	s.grace = s.arrive("grace@uni.example", "Grace", "Hopper", lms.SiteTeacher)
	s.sam = s.arrive("sam@uni.example", "Sam", "Student", lms.SiteMember)
	return s
}

// now is a clock that goes forward a second at each look, so that nothing
// happens at the same time.
func (s *school) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = s.at.Add(time.Second)
	return s.at
}

// arrive makes a person who has signed in, and gives them a caller.
func (s *school) arrive(email, given, family string, role lms.SiteRole) access.Caller {
	s.Helper()
	var id int64
	s.write(func(ctx context.Context, tx *store.Tx) error {
		address := lms.Email(email)
		named, err := tx.NamePeople(ctx, lms.SystemUserID, s.now(), []store.Naming{{Address: address, AsTyped: email}})
		if err != nil {
			return err
		}
		id = named[address].UserID
		if _, err := tx.Claim(ctx, id, address, store.Names{Given: given, Family: family, Full: given + " " + family}, s.now()); err != nil {
			return err
		}
		if _, err := tx.AddIdentity(ctx, "https://id.example", "subject of "+email, id, address, s.now()); err != nil {
			return err
		}
		return tx.SetSiteRole(ctx, id, role)
	})
	return access.Caller{UserID: id, Kind: lms.KindPerson, SiteRole: role, SessionID: s.session(id), RequestID: "request-1"}
}

// session makes a browser session.
func (s *school) session(user int64) int64 {
	s.Helper()
	var id int64
	s.write(func(ctx context.Context, tx *store.Tx) (err error) {
		now := s.now()
		id, err = tx.AddSession(ctx, []byte(fmt.Sprintf("hash %d %s", user, now)), lms.Session{
			UserID: user, CreatedAt: now, LastUsedAt: now, ExpiresAt: now.Add(time.Hour), UserAgent: "Browser/1.0",
		})
		return err
	})
	return id
}

func (s *school) write(fn func(ctx context.Context, tx *store.Tx) error) {
	s.Helper()
	if err := s.store.Write(context.Background(), fn); err != nil {
		s.Fatal(err)
	}
}

// object is a JSON object.
type object = map[string]any

// reply is what came back.
type reply struct {
	school *school
	asked  string
	status int
	header http.Header
	raw    []byte
	body   object
}

// ask sends a request as somebody. The body is a text, or is sent as JSON.
// Headers are "Name: value". What comes back is held against the OpenAPI
// document, and a refusal against the rules for problems.
func (s *school) ask(as access.Caller, method, path string, body any, headers ...string) *reply {
	s.Helper()
	return s.read(s.request(as, method, path, body, headers...))
}

func (s *school) request(as access.Caller, method, path string, body any, headers ...string) (*http.Request, *httptest.ResponseRecorder) {
	s.Helper()
	var sent *bytes.Reader
	switch b := body.(type) {
	case nil:
		sent = bytes.NewReader(nil)
	case string:
		sent = bytes.NewReader([]byte(b))
	default:
		j, err := json.Marshal(b)
		if err != nil {
			s.Fatal(err)
		}
		sent = bytes.NewReader(j)
	}
	r := httptest.NewRequest(method, schoolURL+path, sent)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Content-Type" {
			r.Header.Del(name)
		}
		if value != "" || name != "Content-Type" {
			r.Header.Add(name, value)
		}
	}
	r = r.WithContext(access.WithCaller(r.Context(), as, lms.User{}))
	w := httptest.NewRecorder()
	s.api.Handler().ServeHTTP(w, r)
	return r, w
}

func (s *school) read(r *http.Request, w *httptest.ResponseRecorder) *reply {
	s.Helper()
	re := &reply{school: s, asked: r.Method + " " + r.URL.RequestURI(), status: w.Code, header: w.Header(), raw: w.Body.Bytes()}
	if len(re.raw) > 0 && strings.Contains(w.Header().Get("Content-Type"), "json") {
		if err := json.Unmarshal(re.raw, &re.body); err != nil {
			s.Fatalf("%s: the answer is no JSON object: %v\n%s", re.asked, err, re.raw)
		}
	}
	if w.Code >= 400 {
		s.checkProblem(re)
	} else {
		s.doc.check(s, r, re)
	}
	return re
}

// checkProblem holds a refusal against invariant I10.
func (s *school) checkProblem(re *reply) {
	s.Helper()
	if got := re.header.Get("Content-Type"); got != "application/problem+json" {
		s.Errorf("%s: %d has the content type %q", re.asked, re.status, got)
	}
	if strings.HasPrefix(re.asked, "HEAD ") {
		return // the server drops the body
	}
	for _, name := range []string{"type", "title", "detail"} {
		if text, _ := re.body[name].(string); text == "" {
			s.Errorf("%s: %d has no %s: %s", re.asked, re.status, name, re.raw)
		}
	}
	if typ, _ := re.body["type"].(string); !strings.HasPrefix(typ, schoolURL+"/problems/") {
		s.Errorf("%s: the type is %q", re.asked, typ)
	}
	if got, _ := re.body["status"].(float64); int(got) != re.status {
		s.Errorf("%s: status %d says that it is %v", re.asked, re.status, re.body["status"])
	}
	for _, leak := range []string{"SELECT", "INSERT", "sqlite", "pgx", "goroutine", ".go:", "json:", "unmarshal", "strconv"} {
		if strings.Contains(string(re.raw), leak) {
			s.Errorf("%s: the answer speaks of %q: %s", re.asked, leak, re.raw)
		}
	}
	if (re.status == http.StatusTooManyRequests || re.status == http.StatusServiceUnavailable) && re.header.Get("Retry-After") == "" {
		s.Errorf("%s: %d without Retry-After", re.asked, re.status)
	}
}

// is requires a status.
func (re *reply) is(status int) *reply {
	re.school.Helper()
	if re.status != status {
		re.school.Fatalf("%s: got %d, want %d\n%s", re.asked, re.status, status, re.raw)
	}
	return re
}

// refused requires a status and the last part of the problem's type.
func (re *reply) refused(status int, typ string) *reply {
	re.school.Helper()
	re.is(status)
	if got := strings.TrimPrefix(re.text("type"), schoolURL+"/problems/"); got != typ {
		re.school.Fatalf("%s: got the problem %q, want %q\n%s", re.asked, got, typ, re.raw)
	}
	return re
}

// at requires a place at fault.
func (re *reply) at(location string) *reply {
	re.school.Helper()
	var places []string
	for _, f := range re.list("errors") {
		place := f.(object)["location"].(string)
		if place == location {
			return re
		}
		places = append(places, place)
	}
	re.school.Fatalf("%s: the places at fault are %q, want %q\n%s", re.asked, places, location, re.raw)
	return re
}

func (re *reply) text(name string) string {
	re.school.Helper()
	s, ok := re.body[name].(string)
	if !ok {
		re.school.Fatalf("%s: %s is no text: %s", re.asked, name, re.raw)
	}
	return s
}

func (re *reply) id() int64 {
	re.school.Helper()
	return number(re.school, re.body["id"])
}

func (re *reply) list(name string) []any {
	re.school.Helper()
	l, ok := re.body[name].([]any)
	if !ok {
		re.school.Fatalf("%s: %s is no list: %s", re.asked, name, re.raw)
	}
	return l
}

func (re *reply) items() []object {
	re.school.Helper()
	var items []object
	for _, i := range re.list("items") {
		items = append(items, i.(object))
	}
	return items
}

func number(tb testing.TB, v any) int64 {
	tb.Helper()
	n, ok := v.(float64)
	if !ok {
		tb.Fatalf("%v is no number", v)
	}
	return int64(n)
}

// words joins a JSON list of texts.
func words(v any) string {
	list, _ := v.([]any)
	texts := make([]string, len(list))
	for i, x := range list {
		texts[i] = fmt.Sprint(x)
	}
	return strings.Join(texts, " ")
}

func same(tb testing.TB, what string, got, want any) {
	tb.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		tb.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// course makes a course of somebody's.
func (s *school) course(owner access.Caller, title string) int64 {
	s.Helper()
	return s.ask(owner, "POST", "/api/v1/courses", object{"title": title}).is(http.StatusCreated).id()
}

// enroll puts addresses into a course.
func (s *school) enroll(as access.Caller, course int64, role string, emails ...string) *reply {
	s.Helper()
	return s.ask(as, "PUT", fmt.Sprintf("/api/v1/courses/%d/enrollments", course), object{"emails": emails, "role": role}).is(http.StatusOK)
}

// idOf finds somebody by their address.
func (s *school) idOf(email string) int64 {
	s.Helper()
	for _, u := range s.ask(s.admin, "GET", "/api/v1/users?search="+email, nil).is(http.StatusOK).items() {
		if u["email"] == email {
			return number(s, u["id"])
		}
	}
	return 0
}

// countUsers counts everybody, to find people who should not have been named.
func (s *school) countUsers() int {
	s.Helper()
	return len(s.ask(s.admin, "GET", "/api/v1/users?limit=200", nil).is(http.StatusOK).items())
}

func path(format string, args ...any) string { return fmt.Sprintf("/api/v1"+format, args...) }

// withToken is the caller with an API token in place of the session.
func withToken(c access.Caller, scopes ...lms.Scope) access.Caller {
	c.SessionID, c.TokenID, c.Scopes = 0, 1, scopes
	return c
}
