// Package web is the face of Matricula for people: pages rendered on the
// server, forms that work without JavaScript, and htmx on top where it spares
// somebody a wait. A handler reads what is asked, hands it to package service
// with the caller, and renders what comes back. It decides nothing about
// permission by itself (it asks package access what to show), holds no SQL and
// does not know package api, the other face of the same use cases.
//
// No address ever stands in a URL: what a person types about people travels in
// the body of a POST, and redirects carry ids only.
package web

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"matricula/internal/access"
	"matricula/internal/lang"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
)

// Options are what the operator decides about the pages.
type Options struct {
	URL         string           // the address that people type; https makes the cookies Secure
	Log         *slog.Logger     // required
	Now         func() time.Time // the clock; required
	MailEnabled bool             // whether Matricula can send mail, and so tell people that they were named
	Zone        *time.Location   // in which times are shown and typed; nil: UTC
	Design      bool             // whether there is the page of all components
	DemoBanner  string           // stands on every page of a demo; empty: none
}

// Web is the web app over one service.
type Web struct {
	svc    *service.Service
	rp     *signin.RelyingParty
	opts   Options
	host   string
	secure bool
	assets *assets
	mux    *http.ServeMux
	words  func(*http.Request, lms.User) *lang.Printer
}

// New makes the web app.
func New(svc *service.Service, rp *signin.RelyingParty, opts Options) *Web {
	w := &Web{svc: svc, rp: rp, opts: opts, assets: embeddedAssets(), mux: http.NewServeMux()}
	if u, err := url.Parse(opts.URL); err == nil {
		w.secure, w.host = u.Scheme == "https", u.Host
	}
	if w.opts.Zone == nil {
		w.opts.Zone = time.UTC
	}
	w.words = w.wordsFor
	for _, rt := range routes {
		w.mux.Handle(rt.pattern, w.page(rt))
	}
	return w
}

// Routes lists the patterns of every page, as http.ServeMux spells them.
func (w *Web) Routes() []string {
	list := make([]string, len(routes))
	for i, rt := range routes {
		list[i] = rt.pattern
	}
	return list
}

// Handler serves the pages. Who is calling stands in the request's context,
// see access.WithCaller; protection against cross-origin requests, the content
// security policy and limits are the server's.
func (w *Web) Handler() http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if h, pattern := w.mux.Handler(r); pattern == "" {
			w.WriteError(rw, r, w.unrouted(rw, r, h))
			return
		}
		w.mux.ServeHTTP(rw, r)
	})
}

// unrouted tells a path that does not exist from one that takes other methods.
func (w *Web) unrouted(rw http.ResponseWriter, r *http.Request, h http.Handler) error {
	probe := headerProbe{header: http.Header{}}
	h.ServeHTTP(&probe, r)
	if allow := probe.header.Get("Allow"); probe.status == http.StatusMethodNotAllowed && allow != "" {
		rw.Header().Set("Allow", allow)
		return errMethod
	}
	return errNoPage
}

var (
	errMethod = lms.Errorf(lms.CodeMalformed, "method-not-allowed", "This address is for a form. Go back to the page before and use its buttons.")
	errNoPage = lms.Errorf(lms.CodeNotFound, "not-found", "There is no such page, or it is not yours to see.")
)

// headerProbe catches what a handler would answer, without its body.
type headerProbe struct {
	header http.Header
	status int
}

func (p *headerProbe) Header() http.Header         { return p.header }
func (p *headerProbe) Write(b []byte) (int, error) { return len(b), nil }
func (p *headerProbe) WriteHeader(status int)      { p.status = status }

// request is an HTTP request with who sent it.
type request struct {
	*http.Request
	caller access.Caller
	user   lms.User
	words  *lang.Printer // in whose language the answer is
}

func (w *Web) readCaller(r *http.Request) *request {
	c, u := access.CallerOf(r.Context())
	return &request{Request: r, caller: c, user: u, words: w.words(r, u)}
}

// enhanced tells whether htmx asks for a part of a page.
func (r *request) enhanced() bool { return r.Header.Get("HX-Request") == "true" }

// page runs a route's handler, and renders its error in the one place for it.
func (w *Web) page(rt route) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		req := w.readCaller(r)
		if !rt.public && req.caller.Anonymous() {
			w.askToSignIn(rw, req)
			return
		}
		if err := rt.handle(w, rw, req); err != nil {
			w.WriteError(rw, r, err)
		}
	})
}

// askToSignIn leads an anonymous caller to the sign-in page, and from there
// back to the page that they were on. Only the path goes along: a query may
// hold what does not belong into another address.
func (w *Web) askToSignIn(rw http.ResponseWriter, r *request) {
	next := r.URL.Path
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		next = w.refererPath(r)
	}
	target := "/sign-in"
	if next = signin.SafeNext(next); next != "/" {
		target += "?next=" + url.QueryEscape(next)
	}
	w.redirect(rw, r, target)
}

// refererPath is the path of the page of ours on which a form was sent.
func (w *Web) refererPath(r *request) string {
	from := r.Header.Get("HX-Current-URL")
	if from == "" {
		from = r.Referer()
	}
	u, err := url.Parse(from)
	if err != nil || (u.Host != r.Host && u.Host != w.host) {
		return "/"
	}
	return u.Path
}

// redirect answers a form with another page (303), in the way that htmx takes
// when it asked.
func (w *Web) redirect(rw http.ResponseWriter, r *request, target string) {
	rw.Header().Set("Cache-Control", "no-store")
	if r.enhanced() {
		rw.Header().Set("HX-Redirect", target)
		rw.WriteHeader(http.StatusOK)
		return
	}
	rw.Header().Set("Location", target)
	rw.WriteHeader(http.StatusSeeOther)
}

// done is the redirect after a change, with the code of a message that says
// what was done: see doneMessages. A fragment may follow.
func (w *Web) done(rw http.ResponseWriter, r *request, path, code string) error {
	path, fragment, _ := strings.Cut(path, "#")
	target := path + "?done=" + code
	if fragment != "" {
		target += "#" + fragment
	}
	w.redirect(rw, r, target)
	return nil
}
