// Package api is the JSON face of Matricula, everything below /api/: it reads
// requests strictly, hands them with their caller to package service, and
// writes what comes back in wire types and problem documents. It decides
// nothing: who may do what is settled in the service. It never imports store
// or web.
package api

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// Options are what the API is made of.
type Options struct {
	URL     string           // the address people type; problem types and the OpenAPI document are built from it
	Log     *slog.Logger     // internal errors, never anything that was sent
	Now     func() time.Time // the clock; required
	Version string           // of the program, for the OpenAPI document

	// CursorKey seals the cursors of lists, and must be the same on every node.
	// Empty: a random one, so that cursors end with the process.
	CursorKey []byte

	// SessionCookie is the name of the web app's session cookie, for the OpenAPI
	// document alone. Empty: "__Host-matricula".
	SessionCookie string
}

// API answers everything below /api/.
type API struct {
	svc    *service.Service
	url    string
	log    *slog.Logger
	now    func() time.Time
	mux    *http.ServeMux
	huma   huma.API
	routes []string
	doc    []byte
	seal   sealer
}

// v1 is the prefix of every versioned route.
const v1 = "/api/v1"

// New makes the API over the use cases.
func New(svc *service.Service, opts Options) *API {
	if len(opts.CursorKey) == 0 {
		opts.CursorKey = make([]byte, 32)
		rand.Read(opts.CursorKey) // never fails, see its documentation
	}
	a := &API{
		svc: svc, url: strings.TrimRight(opts.URL, "/"), log: opts.Log, now: opts.Now,
		mux: http.NewServeMux(), seal: newSealer(opts.CursorKey),
	}
	a.huma = huma.NewAPI(a.config(opts), adapter{a})
	a.registerMe()
	a.registerUsers()
	a.registerErasures()
	a.registerPrivileges()
	a.registerReview()
	a.registerCourses()
	a.registerEnrollments()
	a.registerRoles()
	a.registerAnnouncements()
	a.registerTerms()
	a.registerLimits()
	a.registerMerges()
	a.registerClaims()
	a.registerArrivals()
	a.registerPreview()
	a.registerHandOver()
	a.registerSettings()
	a.registerPast()
	a.registerWaiting()
	a.registerSections()
	a.registerImports()
	a.registerSources()
	a.registerWebhooks()
	a.registerDirectories()
	a.registerAccess()
	a.registerAudit()
	a.registerTokens()
	a.registerSessions()
	a.registerAddresses()
	a.registerNotices()
	a.finishDocument()
	a.registerDocs()
	a.registerFallbacks()
	slices.Sort(a.routes)
	return a
}

// Handler serves everything below /api/.
func (a *API) Handler() http.Handler { return http.HandlerFunc(a.serve) }

// Routes lists what is registered, such as "GET /api/v1/me", sorted.
func (a *API) Routes() []string { return slices.Clone(a.routes) }

// OpenAPI is the API's own description, an OpenAPI 3.1 document.
func (a *API) OpenAPI() []byte { return slices.Clone(a.doc) }

func (a *API) serve(w http.ResponseWriter, r *http.Request) {
	// The mux would redirect to the clean path. A program that builds unclean
	// paths is better told, and a route has one spelling.
	if path.Clean(r.URL.Path) != r.URL.Path {
		a.WriteProblem(w, r, errNoRoute)
		return
	}
	a.mux.ServeHTTP(w, r)
}

// handle registers a route that is not described in the OpenAPI document.
func (a *API) handle(method, path string, h http.HandlerFunc) {
	a.mux.HandleFunc(method+" "+path, h)
	a.routes = append(a.routes, method+" "+path)
}

var errNoRoute = lms.Errorf(lms.CodeNotFound, "no-route", "There is nothing at this address. What there is stands in /api/docs.")

// registerFallbacks answers, as problems, what no route answers: unknown paths,
// and known paths asked with another method.
func (a *API) registerFallbacks() {
	methods := map[string][]string{}
	for _, route := range a.routes {
		method, path, _ := strings.Cut(route, " ")
		methods[path] = append(methods[path], method)
		if method == http.MethodGet {
			methods[path] = append(methods[path], http.MethodHead)
		}
	}
	for path, allowed := range methods {
		slices.Sort(allowed)
		allow := strings.Join(allowed, ", ")
		a.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", allow)
			a.WriteProblem(w, r, &fault{status: http.StatusMethodNotAllowed, typ: "method", message: fmt.Sprintf("This address takes %s only.", allow)})
		})
	}
	a.mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) { a.WriteProblem(w, r, errNoRoute) })
}
