package web_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"matricula/internal/access"
	"matricula/internal/apptest"
	"matricula/internal/fetch"
	"matricula/internal/jobs"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/store"
	"matricula/internal/web"
)

func TestMain(m *testing.M) { apptest.MainBrowser(m) }

// site is the web app over a real service on a database of the test's own,
// with a real OpenID provider, behind the middleware that finds out who is
// calling.
type site struct {
	tb     testing.TB
	svc    *service.Service
	web    *web.Web
	issuer *apptest.Issuer
	server *httptest.Server
	log    *logBuffer

	mu  sync.Mutex
	now time.Time
}

// logBuffer keeps what was logged.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

type siteOption func(*service.Options, *web.Options, *signin.Provider)

func namingDomains(domains ...string) siteOption {
	return func(o *service.Options, _ *web.Options, _ *signin.Provider) { o.NamingDomains = domains }
}

func directory(d service.Directory) siteOption {
	return func(o *service.Options, _ *web.Options, _ *signin.Provider) { o.Directory = d }
}

// onlyFor makes the provider authoritative for some domains alone.
func onlyFor(domains ...string) siteOption {
	return func(_ *service.Options, _ *web.Options, p *signin.Provider) { p.TrustAll, p.Domains = false, domains }
}

func newSite(tb testing.TB, options ...siteOption) *site {
	tb.Helper()
	ctx := context.Background()
	st, err := store.Open(ctx, "sqlite:"+filepath.Join(tb.TempDir(), "web.db"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := st.Close(); err != nil {
			tb.Error(err)
		}
	})
	if err := st.Migrate(ctx); err != nil {
		tb.Fatal(err)
	}
	s := &site{tb: tb, issuer: apptest.NewIssuer(tb), log: &logBuffer{}, now: time.Now().UTC().Truncate(time.Second)}
	log := slog.New(slog.NewTextHandler(s.log, nil))
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	provider := signin.Provider{
		Name: "school", Label: "the school", Issuer: s.issuer.URL, ClientID: apptest.ClientID, ClientSecret: apptest.ClientSecret, Kind: signin.KindOIDC, TrustAll: true,
	}
	so := service.Options{Now: s.clock, Log: log, SignUp: signin.SignUpNamed}
	wo := web.Options{URL: base, Log: log, Now: s.clock}
	poster := fetch.NewPoster(fetch.PostOptions{Loopback: true})
	so.Webhooks = &service.WebhookOptions{Check: poster.Check, Post: poster.Post}
	for _, o := range options {
		o(&so, &wo, &provider)
	}
	so.Providers = []signin.Provider{provider}
	so.Settings = []lms.Setting{{Name: "MATRICULA_TIME_ZONE", Value: "UTC", Meaning: "In which pages show times."}, {Name: "MATRICULA_SMTP", Meaning: "The mail server through which codes and notices are sent."}}
	rp, err := signin.New([]signin.Provider{provider}, base, nil, s.clock)
	if err != nil {
		tb.Fatal(err)
	}
	s.svc = service.New(st, so)
	s.web = web.New(s.svc, rp, wo)
	s.server = server
	server.Config.Handler = http.NewCrossOriginProtection().Handler(s.identify(s.web.Handler()))
	server.Start()
	stop := jobs.Start(context.Background(), s.svc, log)
	tb.Cleanup(func() {
		stop()
		server.Close()
	})
	return s
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *site) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// identify finds out who is calling and sets the policy, as the server does.
func (s *site) identify(next http.Handler) http.Handler {
	policy := "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; form-action 'self' " + s.issuer.URL
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Security-Policy", policy)
		c, u, err := s.svc.BySession(r.Context(), s.web.SessionSecret(r), "the-request-id")
		if err != nil {
			s.web.WriteError(rw, r, err)
			return
		}
		next.ServeHTTP(rw, r.WithContext(access.WithCaller(r.Context(), c, u)))
	})
}

// browser is one person's browser, without scripts.
type browser struct {
	s      *site
	client *http.Client
	user   lms.User
	caller access.Caller
}

// stranger is a browser in which nobody is signed in.
func (s *site) stranger() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.tb.Fatal(err)
	}
	return &browser{s: s, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// signedIn is the browser of somebody who has signed in, and whom an operator
// named before if nobody else did.
func (s *site) signedIn(email, given, family string) *browser {
	s.tb.Helper()
	b := s.stranger()
	in, err := s.svc.SignIn(context.Background(), s.provider(), tokenOf(s, email, given, family), "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "sign-in")
	if err != nil {
		s.tb.Fatalf("sign in %s: %v", email, err)
	}
	b.user = in.User
	if b.caller, _, err = s.svc.BySession(context.Background(), in.Secret, "test"); err != nil {
		s.tb.Fatal(err)
	}
	u, err := url.Parse(s.server.URL)
	if err != nil {
		s.tb.Fatal(err)
	}
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: "matricula", Value: in.Secret, Path: "/"}})
	return b
}

func (s *site) provider() signin.Provider {
	return signin.Provider{Name: "school", Label: "the school", Issuer: s.issuer.URL, ClientID: apptest.ClientID, Kind: signin.KindOIDC, TrustAll: true}
}

func tokenOf(s *site, email, given, family string) signin.Token {
	return signin.Token{
		Issuer: s.issuer.URL, Subject: "subject of " + email, Email: email, EmailVerified: signin.VerifiedTrue,
		GivenName: given, FamilyName: family, Name: strings.TrimSpace(given + " " + family),
	}
}

// admin is the browser of the site's administrator.
func (s *site) admin() *browser {
	s.tb.Helper()
	if err := s.svc.NameAdmins(context.Background(), []lms.Email{"root@uni.example"}); err != nil {
		s.tb.Fatal(err)
	}
	return s.signedIn("root@uni.example", "Radia", "Root")
}

// course is a course with an owner, with whom most stories begin.
type course struct {
	*site
	admin, ada *browser
	id         int64
	path       string // /courses/{course_id}
}

// algorithms is the course Algorithms, which Ada owns.
func algorithms(tb testing.TB, options ...siteOption) *course {
	tb.Helper()
	s := newSite(tb, options...)
	c := &course{site: s, admin: s.admin()}
	s.name(c.admin, "ada@uni.example", "teacher")
	c.ada = s.signedIn("ada@uni.example", "Ada", "Lovelace")
	view, err := s.svc.CreateCourse(context.Background(), c.ada.caller, lms.CourseFields{Title: "Algorithms", Code: "CS-201"}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	c.id = view.Course.ID
	c.path = "/courses/" + strconv.FormatInt(c.id, 10)
	return c
}

func (s *site) name(admin *browser, email, siteRole string) lms.User {
	s.tb.Helper()
	u, err := s.svc.NamePerson(context.Background(), admin.caller, service.NewPerson{Email: email, SiteRole: siteRole}, nil)
	if err != nil {
		s.tb.Fatalf("name %s: %v", email, err)
	}
	return u
}

// enroll puts somebody into the course in a role, and answers their id.
func (c *course) enroll(role string, email string) int64 {
	c.tb.Helper()
	rows, err := c.svc.Enroll(context.Background(), c.ada.caller, service.EnrollRequest{CourseID: c.id, Role: role, Emails: []string{email}, Source: lms.SourceManual})
	if err != nil || len(rows) != 1 || rows[0].UserID == 0 {
		c.tb.Fatalf("enroll %s: %v %+v", email, err, rows)
	}
	return rows[0].UserID
}

// member is how the course knows somebody, as Ada sees it.
func (c *course) member(id int64) lms.Member {
	c.tb.Helper()
	r, err := c.svc.Access(context.Background(), c.ada.caller, c.id, id)
	if err != nil {
		c.tb.Fatalf("member %d: %v", id, err)
	}
	return r.Member
}

// find tells whether an address belongs to anybody at all.
func (s *site) find(admin *browser, email string) (lms.User, bool) {
	s.tb.Helper()
	page, err := s.svc.Directory(context.Background(), admin.caller, service.DirectoryRequest{Search: email, Limit: 10})
	if err != nil {
		s.tb.Fatal(err)
	}
	for _, m := range page.Members {
		if string(m.User.Email) == email {
			return m.User, true
		}
	}
	return lms.User{}, false
}

// answer is what came back.
type answer struct {
	tb     testing.TB
	b      *browser
	url    string
	status int
	header http.Header
	body   string
	root   *html.Node
}

func (b *browser) do(req *http.Request) *answer {
	b.s.tb.Helper()
	resp, err := b.client.Do(req)
	if err != nil {
		b.s.tb.Fatalf("%s %s: %v", req.Method, req.URL.Path, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.s.tb.Fatal(err)
	}
	root, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		b.s.tb.Fatal(err)
	}
	a := &answer{b.s.tb, b, req.Method + " " + req.URL.RequestURI(), resp.StatusCode, resp.Header, string(body), root}
	a.checkAddresses()
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		a.checkPolicy()
		if strings.HasPrefix(a.body, "<!doctype html>") {
			a.checkPage()
		}
	}
	return a
}

func (b *browser) request(method, path string, body io.Reader) *http.Request {
	b.s.tb.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, b.s.server.URL+path, body)
	if err != nil {
		b.s.tb.Fatal(err)
	}
	return req
}

func (b *browser) get(path string) *answer {
	b.s.tb.Helper()
	return b.do(b.request(http.MethodGet, path, nil))
}

// post sends a form's fields, given as name and value in turn.
func (b *browser) post(path string, fields ...string) *answer {
	b.s.tb.Helper()
	return b.do(b.form(path, fields...))
}

// enhanced does the same as htmx does it.
func (b *browser) enhanced(path string, fields ...string) *answer {
	b.s.tb.Helper()
	req := b.form(path, fields...)
	req.Header.Set("HX-Request", "true")
	return b.do(req)
}

func (b *browser) form(path string, fields ...string) *http.Request {
	b.s.tb.Helper()
	v := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		v.Add(fields[i], fields[i+1])
	}
	req := b.request(http.MethodPost, path, strings.NewReader(v.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req
}

// want fails unless the answer has this status.
func (a *answer) want(status int) *answer {
	a.tb.Helper()
	if a.status != status {
		a.tb.Fatalf("%s: status %d, want %d: %s", a.url, a.status, status, lms.Clip(text(a.root), 600))
	}
	return a
}

// wantTo fails unless the answer leads to a path, and follows it.
func (a *answer) wantTo(path string) *answer {
	a.tb.Helper()
	a.want(http.StatusSeeOther)
	target := a.header.Get("Location")
	bare, _, _ := strings.Cut(target, "?")
	if bare != path {
		a.tb.Fatalf("%s leads to %s, want %s", a.url, target, path)
	}
	return a.b.get(target)
}

func (a *answer) all(selector string) []*html.Node { return all(a.root, selector) }

func (a *answer) has(selector string) bool { return len(a.all(selector)) > 0 }

// one finds the only element that a selector means.
func (a *answer) one(selector string) *html.Node {
	a.tb.Helper()
	found := a.all(selector)
	if len(found) != 1 {
		a.tb.Fatalf("%s: %d elements match %s, want 1: %s", a.url, len(found), selector, lms.Clip(text(a.root), 600))
	}
	return found[0]
}

// says fails unless an element that the selector means says something.
func (a *answer) says(selector, want string) *answer {
	a.tb.Helper()
	var said []string
	for _, n := range a.all(selector) {
		said = append(said, text(n))
		if strings.Contains(text(n), want) {
			return a
		}
	}
	a.tb.Fatalf("%s: no %s says %q; they say %q", a.url, selector, want, said)
	return a
}

// fields are what a form would send as it stands, in its order.
func (a *answer) fields(form *html.Node) (action string, fields []string) {
	a.tb.Helper()
	action, _ = attr(form, "action")
	id, _ := attr(form, "id")
	belongs := func(n *html.Node) bool {
		if owner, ok := attr(n, "form"); ok {
			return id != "" && owner == id
		}
		for p := n.Parent; p != nil; p = p.Parent {
			if p == form {
				return true
			}
		}
		return false
	}
	for n := range a.root.Descendants() {
		if n.Type != html.ElementNode || !belongs(n) {
			continue
		}
		name, named := attr(n, "name")
		if _, disabled := attr(n, "disabled"); !named || disabled {
			continue
		}
		switch value, _ := attr(n, "value"); n.Data {
		case "input":
			kind, _ := attr(n, "type")
			_, checked := attr(n, "checked")
			if (kind != "checkbox" && kind != "radio") || checked {
				fields = append(fields, name, value)
			}
		case "textarea":
			fields = append(fields, name, text(n))
		case "select":
			for _, o := range all(n, "option[selected]") {
				value, _ := attr(o, "value")
				fields = append(fields, name, value)
			}
		}
	}
	return action, fields
}

// submit sends the form that a selector means, as it stands but for changes:
// name and value in turn. A field that begins with + is added to others of its
// name, one that begins with - takes that value away.
func (a *answer) submit(selector string, changes ...string) *answer {
	a.tb.Helper()
	action, fields := a.fields(a.one(selector))
	v := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		v.Add(fields[i], fields[i+1])
	}
	for i := 0; i < len(changes); i += 2 {
		name, value := changes[i], changes[i+1]
		switch {
		case strings.HasPrefix(name, "+"):
			v.Add(name[1:], value)
		case strings.HasPrefix(name, "-"):
			var kept []string
			for _, one := range v[name[1:]] {
				if one != value {
					kept = append(kept, one)
				}
			}
			v[name[1:]] = kept
		default:
			v.Set(name, value)
		}
	}
	var flat []string
	for name, values := range v {
		for _, value := range values {
			flat = append(flat, name, value)
		}
	}
	return a.b.post(action, flat...)
}
