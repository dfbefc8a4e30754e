// Package app starts the whole program for tests: a real database, the real
// server on loopback, and a real OpenID provider that the test controls.
// Production code never imports it.
package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/apptest"
	"matricula/internal/config"
	"matricula/internal/fetch"
	"matricula/internal/jobs"
	"matricula/internal/lms"
	"matricula/internal/mail"
	"matricula/internal/mail/mailtest"
	"matricula/internal/server"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

// Engines are the databases on which everything is tested.
var Engines = []string{"sqlite", "postgres"}

// EachEngine runs a test on each engine.
func EachEngine(t *testing.T, test func(t *testing.T, engine string)) {
	t.Helper()
	for _, e := range Engines {
		t.Run(e, func(t *testing.T) { test(t, e) })
	}
}

// DSN gives a new, empty database of an engine.
func DSN(tb testing.TB, engine string) string {
	tb.Helper()
	if engine == "postgres" {
		return storetest.Postgres(tb)
	}
	return "sqlite:" + filepath.Join(tb.TempDir(), "matricula.db")
}

// App is the program as it runs for one test.
type App struct {
	URL      string
	Service  *service.Service
	Store    *store.Store
	Server   *server.Server
	Issuer   *apptest.Issuer // a provider like Google, under the name "google"
	Provider signin.Provider // how the program knows that provider
	Log      *Log

	RelyingParty *signin.RelyingParty

	tb testing.TB
}

// Option changes how the program is started.
type Option func(*settings)

type settings struct {
	design    bool
	mail      *mailtest.Sink
	service   service.Options
	providers []signin.Provider
	provider  func(*signin.Provider)
	origins   []string
}

// WithOrigins lets the scripts of origins call the API.
func WithOrigins(origins ...string) Option { return func(s *settings) { s.origins = origins } }

// WithOptions changes what the use cases are made of.
func WithOptions(change func(*service.Options)) Option {
	return func(s *settings) { change(&s.service) }
}

// WithProvider changes the provider as the program knows it.
func WithProvider(change func(*signin.Provider)) Option {
	return func(s *settings) { s.provider = change }
}

// WithFurtherProviders adds providers.
func WithFurtherProviders(p ...signin.Provider) Option {
	return func(s *settings) { s.providers = append(s.providers, p...) }
}

// Start starts the program on a new database of an engine. The provider is
// authoritative for uni.example.
func Start(tb testing.TB, engine string, opts ...Option) *App {
	tb.Helper()
	return StartOn(tb, DSN(tb, engine), opts...)
}

// WithMail has the program send its mail to a sink.
func WithMail(sink *mailtest.Sink) Option {
	return func(s *settings) { s.mail = sink }
}

// Design gives the program the page of all components, as the demo has it.
func Design() Option { return func(s *settings) { s.design = true } }

// StartOn starts the program on a database that may be in use by another node.
func StartOn(tb testing.TB, dsn string, opts ...Option) *App {
	tb.Helper()
	ctx := context.Background()
	log := &Log{}
	logger := slog.New(slog.NewJSONHandler(log, nil))
	st, err := store.Open(ctx, dsn)
	must(tb, err)
	tb.Cleanup(func() {
		if err := st.Close(); err != nil {
			tb.Errorf("close the store: %v", err)
		}
	})
	must(tb, st.Migrate(ctx))
	key, err := st.Secret(ctx, "cursor")
	must(tb, err)

	issuer := apptest.NewIssuer(tb)
	set := settings{service: service.Options{Now: time.Now, Log: logger}}
	provider := signin.Provider{
		Name: "google", Label: "Google", Issuer: issuer.URL, ClientID: apptest.ClientID, ClientSecret: apptest.ClientSecret,
		Kind: signin.KindOIDC, Domains: []string{"uni.example"},
	}
	for _, o := range opts {
		o(&set)
	}
	if set.provider != nil {
		set.provider(&provider)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(tb, err)
	address := "http://" + l.Addr().String()
	set.service.Providers = append([]signin.Provider{provider}, set.providers...)
	set.service.Settings = config.Config{URL: address, Addr: l.Addr().String(), SignUp: set.service.SignUp, TimeZone: "UTC", CORSOrigins: set.origins}.InForce()
	rp, err := signin.New(set.service.Providers, address, nil, set.service.Now)
	must(tb, err)
	if set.mail != nil {
		set.service.Mail = &service.MailOptions{Sender: set.mail.Sender(), Site: mail.Site{URL: address}}
	}
	if set.service.Webhooks == nil {
		poster := fetch.NewPoster(fetch.PostOptions{Loopback: true})
		set.service.Webhooks = &service.WebhookOptions{Check: poster.Check, Post: poster.Post}
	}
	svc := service.New(st, set.service)
	srv, err := server.New(server.Options{
		Service: svc, RelyingParty: rp, URL: address, Log: logger, Now: set.service.Now, Version: "test", CursorKey: key, Design: set.design, CORSOrigins: set.origins,
	})
	must(tb, err)
	serving, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- srv.Serve(serving, l) }()
	stopJobs := jobs.Start(ctx, svc, logger)
	tb.Cleanup(func() {
		stopJobs()
		stop()
		if err := <-done; err != nil {
			tb.Errorf("stop the server: %v", err)
		}
	})
	return &App{URL: address, Service: svc, Store: st, Server: srv, Issuer: issuer, Provider: provider, Log: log, RelyingParty: rp, tb: tb}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// Log collects what the program logs.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Active makes an active person through a real sign-in decision, without the
// browser's detours, with a session whose secret is returned.
func (a *App) Active(email, given, family string) (lms.User, string) {
	a.tb.Helper()
	in, err := a.Service.SignIn(context.Background(), a.Provider, signin.Token{
		Issuer: a.Provider.Issuer, Subject: "subject of " + email, Email: email, EmailVerified: signin.VerifiedTrue,
		GivenName: given, FamilyName: family,
	}, "test", "")
	must(a.tb, err)
	return in.User, in.Secret
}

// Admin makes an active administrator.
func (a *App) Admin(email string) (lms.User, string) {
	a.tb.Helper()
	address, err := lms.ParseEmail(email)
	must(a.tb, err)
	must(a.tb, a.Service.NameAdmins(context.Background(), []lms.Email{address}))
	return a.Active(email, "Site", "Administrator")
}

// Token makes an API token of a service account and returns its secret.
func (a *App) Token(name string, role lms.SiteRole, scopes ...string) string {
	a.tb.Helper()
	m, err := a.Service.ServiceToken(context.Background(), name, "", role, service.NewToken{Name: "test", Scopes: scopes})
	must(a.tb, err)
	return m.Secret
}

// As is the caller that a session secret stands for.
func (a *App) As(secret string) access.Caller {
	a.tb.Helper()
	c, _, err := a.Service.BySession(context.Background(), secret, "test")
	must(a.tb, err)
	return c
}

// Client is somebody who sends requests to the program: with a session, a
// token, or as nobody. Redirects are shown, not followed, unless Follow is
// called.
type Client struct {
	tb    testing.TB
	base  string
	token string
	http  *http.Client
}

// Anonymous is a client who is not signed in.
func (a *App) Anonymous() *Client {
	a.tb.Helper()
	jar, err := cookiejar.New(nil)
	must(a.tb, err)
	return &Client{tb: a.tb, base: a.URL, http: &http.Client{
		Jar: jar, Timeout: 60 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// WithSession is a client with a session's cookie.
func (a *App) WithSession(secret string) *Client {
	c := a.Anonymous()
	u, err := url.Parse(a.URL)
	must(a.tb, err)
	c.http.Jar.SetCookies(u, []*http.Cookie{{Name: "matricula", Value: secret, Path: "/"}})
	return c
}

// WithToken is a client with an API token.
func (a *App) WithToken(secret string) *Client {
	c := a.Anonymous()
	c.token = secret
	return c
}

// Follow makes the client follow redirects, as a browser does.
func (c *Client) Follow() *Client {
	c.http.CheckRedirect = nil
	return c
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	URL    *url.URL // after redirects
	tb     testing.TB
}

// Do sends a request with an optional body.
func (c *Client) Do(method, path, contentType string, body io.Reader, header ...string) Answer {
	c.tb.Helper()
	target := path
	if strings.HasPrefix(path, "/") {
		target = c.base + path
	}
	req, err := http.NewRequestWithContext(context.Background(), method, target, body)
	must(c.tb, err)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := c.http.Do(req)
	must(c.tb, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	must(c.tb, err)
	return Answer{Status: res.StatusCode, Header: res.Header, Body: b, URL: res.Request.URL, tb: c.tb}
}

// Get sends a GET.
func (c *Client) Get(path string) Answer {
	c.tb.Helper()
	return c.Do(http.MethodGet, path, "", nil)
}

// JSON sends a body as JSON; nil sends none.
func (c *Client) JSON(method, path string, body any, header ...string) Answer {
	c.tb.Helper()
	if body == nil {
		return c.Do(method, path, "", nil, header...)
	}
	b, err := json.Marshal(body)
	must(c.tb, err)
	return c.Do(method, path, "application/json", bytes.NewReader(b), header...)
}

// Post sends a form.
func (c *Client) Post(path string, form url.Values) Answer {
	c.tb.Helper()
	return c.Do(http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

// Want fails the test unless the answer has a status.
func (a Answer) Want(status int) Answer {
	a.tb.Helper()
	if a.Status != status {
		a.tb.Fatalf("%s answered %d, want %d: %s", a.URL.Path, a.Status, status, lms.Clip(string(a.Body), 600))
	}
	return a
}

// Into decodes a JSON answer.
func (a Answer) Into(v any) Answer {
	a.tb.Helper()
	if err := json.Unmarshal(a.Body, v); err != nil {
		a.tb.Fatalf("%s: %v: %s", a.URL.Path, err, lms.Clip(string(a.Body), 300))
	}
	return a
}

// Problem is the type of a problem+json answer.
func (a Answer) Problem() string {
	a.tb.Helper()
	if got := a.Header.Get("Content-Type"); !strings.HasPrefix(got, "application/problem+json") {
		a.tb.Fatalf("%s answered %d with %q instead of a problem: %s", a.URL.Path, a.Status, got, lms.Clip(string(a.Body), 300))
	}
	var p struct{ Type string }
	a.Into(&p)
	return p.Type[strings.LastIndex(p.Type, "/")+1:]
}

// SignIn goes through the whole OpenID flow over HTTP as a person.
func (c *Client) SignIn(a *App, p apptest.Person) Answer {
	c.tb.Helper()
	a.Issuer.SignInAs(p)
	old := c.http.CheckRedirect
	c.http.CheckRedirect = nil
	defer func() { c.http.CheckRedirect = old }()
	return c.Get("/auth/google/start?next=/")
}

// Path writes a path from a format.
func Path(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// Cookies are what the server has set.
func (c *Client) Cookies() []*http.Cookie {
	c.tb.Helper()
	u, err := url.Parse(c.base)
	must(c.tb, err)
	return c.http.Jar.Cookies(u)
}
