// Package server puts the faces together: it finds out who is calling, guards
// every request (size, time, origin, headers), mounts api and web, and starts
// and stops the listener. It holds no use case and no page.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"matricula/internal/api"
	"matricula/internal/oauth"
	"matricula/internal/rosterfile"
	"matricula/internal/scim"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/web"
)

// Options are what the server is made of.
type Options struct {
	Service        *service.Service
	RelyingParty   *signin.RelyingParty
	URL            string         // the address people type; all links are built from it
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	CORSOrigins    []string       // whose scripts may call the API and exchange tokens, as browsers write them
	MailEnabled    bool
	Zone           *time.Location // in which pages show times; nil: UTC
	Log            *slog.Logger
	Now            func() time.Time
	Version        string
	CursorKey      []byte // signs the cursors of lists; the same on every node
	Design         bool   // whether there is the page of all components
	DemoBanner     string // set in the demo alone
}

// Limits on what a request may take. Go's server has none of its own.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 60 * time.Second
	writeTimeout      = 90 * time.Second
	idleTimeout       = 2 * time.Minute
	requestTimeout    = 60 * time.Second
	maxHeaderBytes    = 32 << 10
	maxBodyBytes      = 4 << 20
	maxUploadBytes    = rosterfile.MaxBytes + 1<<20 // with the other fields of a form
	longTimeout       = 10 * time.Minute
	drainTimeout      = 15 * time.Second
	unreadyFor        = 300 * time.Millisecond // between "not ready" and closing the listener
)

// Server answers HTTP.
type Server struct {
	opts     Options
	api      *api.API
	web      *web.Web
	oauth    *oauth.OAuth
	scim     *scim.SCIM
	handler  http.Handler
	policy   string
	stopping atomic.Bool
	secure   bool
}

// New makes a server.
func New(opts Options) (*Server, error) {
	u, err := url.Parse(opts.URL)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("server: %q is no address that people could type", opts.URL)
	}
	s := &Server{opts: opts, secure: u.Scheme == "https"}
	s.web = web.New(opts.Service, opts.RelyingParty, web.Options{
		URL: opts.URL, Log: opts.Log, Now: opts.Now, MailEnabled: opts.MailEnabled, Zone: opts.Zone, Design: opts.Design, DemoBanner: opts.DemoBanner,
	})
	s.api = api.New(opts.Service, api.Options{URL: opts.URL, Log: opts.Log, Now: opts.Now, Version: opts.Version, CursorKey: opts.CursorKey, SessionCookie: s.web.SessionCookie()})
	s.oauth = oauth.New(opts.Service, opts.RelyingParty, oauth.Options{URL: opts.URL, Log: opts.Log, From: s.network})
	s.scim = scim.New(opts.Service, scim.Options{URL: opts.URL, Log: opts.Log})
	s.policy = contentSecurityPolicy(opts.RelyingParty.Providers())
	if s.handler, err = s.assemble(u); err != nil {
		return nil, err
	}
	return s, nil
}

// contentSecurityPolicy allows nothing but what the server itself sends. A
// form that begins a sign-in is redirected to a provider, and browsers hold
// redirects against form-action too.
func contentSecurityPolicy(providers []signin.Provider) string {
	forms := []string{"'self'"}
	for _, p := range providers {
		if u, err := url.Parse(p.Issuer); err == nil && u.Host != "" {
			forms = append(forms, u.Scheme+"://"+u.Host)
		}
	}
	return "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action " + strings.Join(forms, " ")
}

// Handler is everything that the server answers.
func (s *Server) Handler() http.Handler { return s.handler }

// Routes lists every route, as "GET /courses/{course_id}", sorted by face.
func (s *Server) Routes() []string {
	return slices.Concat(s.web.Routes(), s.api.Routes(), s.oauth.Routes(), s.scim.Routes(), operationRoutes)
}

// OpenAPI is the API's own description.
func (s *Server) OpenAPI() []byte { return s.api.OpenAPI() }

func (s *Server) assemble(base *url.URL) (http.Handler, error) {
	mux := http.NewServeMux()
	s.registerOperations(mux)
	mux.Handle("/api/", s.identify(s.api.Handler()))
	mux.Handle("/scim/", s.identify(s.scim.Handler()))
	mux.Handle("/oauth/", unidentified(s.oauth.Handler()))
	mux.Handle(oauth.MetadataPath, unidentified(s.oauth.Handler()))
	mux.Handle("/", s.identify(s.web.Handler()))

	origin := http.NewCrossOriginProtection()
	if err := origin.AddTrustedOrigin(base.Scheme + "://" + base.Host); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.fail(w, r, errCrossOrigin) }))
	programs := http.NewCrossOriginProtection()
	for _, trusted := range append([]string{base.Scheme + "://" + base.Host}, s.opts.CORSOrigins...) {
		if err := programs.AddTrustedOrigin(trusted); err != nil {
			return nil, fmt.Errorf("server: %w", err)
		}
	}
	programs.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.fail(w, r, oauth.ErrOrigin) }))

	var h http.Handler = mux
	h = s.guardOrigin(origin, programs, h)
	h = s.limit(h)
	h = s.cors(h)
	h = s.harden(h)
	h = s.observe(h)
	return h, nil
}

// Serve answers on a listener until ctx ends. Then it first says that it is
// not ready, so that a balancer stops sending, lets the requests in progress
// finish, and returns nil.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	hs := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(s.opts.Log.Handler(), slog.LevelWarn),
	}
	done := make(chan error, 1)
	go func() { done <- hs.Serve(l) }()
	select {
	case err := <-done:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	s.stopping.Store(true)
	time.Sleep(unreadyFor)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if err := hs.Shutdown(drain); err != nil {
		return errors.Join(fmt.Errorf("stop: requests were still in progress after %s: %w", drainTimeout, err), hs.Close())
	}
	return nil
}
