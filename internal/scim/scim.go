// Package scim is the face of Matricula for the directories of an institution, such as
// Microsoft Entra, Okta and Google Workspace: they provision and deprovision people and
// the rosters of courses by SCIM 2.0 (RFC 7643 and 7644). It reads requests in the forms
// that these send, and answers in the words of those documents. What a person or a
// group may become is decided in packages access and service.
//
// It never imports store, api, web or oauth, and knows no cookie.
package scim

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// Base is the path below which everything lies.
const Base = "/scim/v2"

// Options are what the endpoints are made of.
type Options struct {
	URL string // the address people type
	Log *slog.Logger
}

// SCIM answers everything below Base.
type SCIM struct {
	svc *service.Service
	url string
	log *slog.Logger
	mux *http.ServeMux
}

// routes are what is served, each with its method.
var routes = []struct {
	method, path string
	changes      bool
	serve        func(*SCIM, *call) error
}{
	{http.MethodGet, "/ServiceProviderConfig", false, (*SCIM).config},
	{http.MethodGet, "/ResourceTypes", false, (*SCIM).resourceTypes},
	{http.MethodGet, "/ResourceTypes/{name}", false, (*SCIM).resourceType},
	{http.MethodGet, "/Schemas", false, (*SCIM).schemas},
	{http.MethodGet, "/Schemas/{name}", false, (*SCIM).schema},
	{http.MethodGet, "/Users", false, (*SCIM).listUsers},
	{http.MethodPost, "/Users", true, (*SCIM).createUser},
	{http.MethodPost, "/Users/.search", false, (*SCIM).listUsers},
	{http.MethodGet, "/Users/{id}", false, (*SCIM).readUser},
	{http.MethodPut, "/Users/{id}", true, (*SCIM).replaceUser},
	{http.MethodPatch, "/Users/{id}", true, (*SCIM).patchUser},
	{http.MethodDelete, "/Users/{id}", true, (*SCIM).deleteUser},
	{http.MethodGet, "/Groups", false, (*SCIM).listGroups},
	{http.MethodPost, "/Groups", true, (*SCIM).createGroup},
	{http.MethodPost, "/Groups/.search", false, (*SCIM).listGroups},
	{http.MethodGet, "/Groups/{id}", false, (*SCIM).readGroup},
	{http.MethodPut, "/Groups/{id}", true, (*SCIM).replaceGroup},
	{http.MethodPatch, "/Groups/{id}", true, (*SCIM).patchGroup},
	{http.MethodDelete, "/Groups/{id}", true, (*SCIM).deleteGroup},
	{http.MethodPost, "/.search", false, (*SCIM).searchAll},
}

// call is one request in progress.
type call struct {
	w      http.ResponseWriter
	r      *http.Request
	caller access.Caller
}

// New makes the endpoints over the use cases.
func New(svc *service.Service, opts Options) *SCIM {
	s := &SCIM{svc: svc, url: strings.TrimRight(opts.URL, "/") + Base, log: opts.Log, mux: http.NewServeMux()}
	allowed := map[string][]string{}
	for _, route := range routes {
		allowed[route.path] = append(allowed[route.path], route.method)
		s.mux.HandleFunc(route.method+" "+Base+route.path, func(w http.ResponseWriter, r *http.Request) {
			c, _ := access.CallerOf(r.Context())
			s.answer(w, r, route.method+" "+Base+route.path, func() error {
				if err := s.svc.MayProvision(r.Context(), c, route.changes); err != nil {
					return err
				}
				return route.serve(s, &call{w, r, c})
			})
		})
	}
	for path, methods := range allowed {
		if path != "/.search" && strings.HasSuffix(path, "/.search") {
			continue // of no other method than as an id, which nobody has
		}
		s.mux.HandleFunc(Base+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", strings.Join(methods, ", "))
			s.WriteError(w, r, &refusal{status: http.StatusMethodNotAllowed, problem: "method", detail: "This address takes " + strings.Join(methods, ", ") + " only."})
		})
	}
	// RFC 7644, sections 3.7 and 3.11: optional, and said to be missing.
	for _, path := range []string{"/Bulk", "/Me"} {
		s.mux.HandleFunc(Base+path, func(w http.ResponseWriter, r *http.Request) {
			s.WriteError(w, r, &refusal{status: http.StatusNotImplemented, problem: "not-implemented", detail: "This is not offered here. What is stands in " + Base + "/ServiceProviderConfig."})
		})
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.WriteError(w, r, errNoRoute) })
	return s
}

var errNoRoute = &refusal{status: http.StatusNotFound, problem: "no-route", detail: "There is nothing at this address."}

// Handler serves everything below Base.
func (s *SCIM) Handler() http.Handler { return s.mux }

// Routes lists what is registered, such as "GET /scim/v2/Users".
func (s *SCIM) Routes() []string {
	var list []string
	for _, r := range routes {
		list = append(list, r.method+" "+Base+r.path)
	}
	return list
}

// answer runs a request and lets the administrators see what a directory did not get.
func (s *SCIM) answer(w http.ResponseWriter, r *http.Request, name string, serve func() error) {
	c, _ := access.CallerOf(r.Context())
	note := service.DirectoryCall{Call: name, Status: http.StatusOK}
	if err := serve(); err != nil {
		e := s.WriteError(w, r, err)
		note.Status, note.Problem = e.status, e.problem
	}
	if err := s.svc.NoteDirectoryCall(context.WithoutCancel(r.Context()), c, note); err != nil {
		s.log.WarnContext(r.Context(), "call of a directory not noted", "directory", c.UserID, "error", err)
	}
}

// The kinds of error of RFC 7644, section 3.12.
const (
	invalidFilter = "invalidFilter"
	tooMany       = "tooMany"
	uniqueness    = "uniqueness"
	mutability    = "mutability"
	invalidSyntax = "invalidSyntax"
	invalidPath   = "invalidPath"
	noTarget      = "noTarget"
	invalidValue  = "invalidValue"
)

// refusal is an answer that is not what was asked for.
type refusal struct {
	status   int
	scimType string // empty where the standard has none
	problem  string // as the problems of the API have it
	detail   string
}

func (e *refusal) Error() string { return e.detail }

// bad is a request that cannot be carried out as it is.
func bad(scimType, detail string) error {
	return &refusal{http.StatusBadRequest, scimType, "scim-" + strings.ToLower(scimType), detail}
}

const errorSchema = "urn:ietf:params:scim:api:messages:2.0:Error"

// WriteError answers a request with an error.
func (s *SCIM) WriteError(w http.ResponseWriter, r *http.Request, err error) *refusal {
	e := s.refusalOf(r.Context(), err)
	switch e.status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="Matricula"`)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		if w.Header().Get("Retry-After") == "" {
			w.Header().Set("Retry-After", "5")
		}
	}
	body := map[string]any{"schemas": []string{errorSchema}, "status": strconv.Itoa(e.status), "detail": e.detail}
	if e.scimType != "" {
		body["scimType"] = e.scimType
	}
	write(w, r, e.status, body)
	return e
}

// statuses are the HTTP statuses of the codes of errors.
var statuses = map[lms.Code]int{
	lms.CodeMalformed: http.StatusBadRequest, lms.CodeUnauthenticated: http.StatusUnauthorized, lms.CodeForbidden: http.StatusForbidden,
	lms.CodeNotFound: http.StatusNotFound, lms.CodeConflict: http.StatusConflict, lms.CodeGone: http.StatusNotFound,
	lms.CodeTooLarge: http.StatusRequestEntityTooLarge, lms.CodeInvalid: http.StatusBadRequest, lms.CodeTooMany: http.StatusTooManyRequests,
	lms.CodeUnavailable: http.StatusServiceUnavailable,
}

// refusalOf words an error. What is our fault goes to the log, and is not told.
func (s *SCIM) refusalOf(ctx context.Context, err error) *refusal {
	var known *refusal
	if errors.As(err, &known) {
		return known
	}
	c, _ := access.CallerOf(ctx)
	request := slog.String("request", c.RequestID)
	var e *lms.Error
	if errors.As(err, &e) && statuses[e.Code] != 0 {
		out := &refusal{status: statuses[e.Code], problem: e.Type, detail: e.Message}
		if len(e.Fields) > 0 && e.Code == lms.CodeInvalid {
			out.detail = e.Fields[0].Location + ": " + e.Message
		}
		switch {
		case e.Type == "too-many-members":
			out.status, out.scimType = http.StatusBadRequest, tooMany
		case e.Code == lms.CodeInvalid:
			out.scimType = invalidValue
		case e.Code == lms.CodeMalformed:
			out.scimType = invalidSyntax
		case e.Code == lms.CodeConflict && strings.HasSuffix(e.Type, "-taken"):
			out.scimType = uniqueness
		case e.Code == lms.CodeUnavailable:
			s.log.LogAttrs(ctx, slog.LevelWarn, "unavailable", request, slog.String("type", e.Type), slog.Any("error", e.Err))
		}
		return out
	}
	var size *http.MaxBytesError
	switch {
	case errors.As(err, &size):
		return &refusal{status: http.StatusRequestEntityTooLarge, problem: "too-large", detail: "This request is too large. Send it in parts."}
	case errors.Is(err, context.Canceled):
		return &refusal{status: http.StatusServiceUnavailable, problem: "canceled", detail: "The request was given up before it was answered."}
	case errors.Is(err, context.DeadlineExceeded):
		s.log.LogAttrs(ctx, slog.LevelWarn, "timeout", request)
		return &refusal{status: http.StatusServiceUnavailable, problem: "timeout", detail: "This took too long. Please try again."}
	}
	s.log.LogAttrs(ctx, slog.LevelError, "request failed", request, slog.Any("error", err))
	return &refusal{status: http.StatusInternalServerError, problem: "internal", detail: "Something went wrong on our side. Please try again."}
}

// mediaType is that of RFC 7644, section 8.1.
const mediaType = "application/scim+json"

func write(w http.ResponseWriter, r *http.Request, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil { // what is written here are maps of texts and numbers
		b, status = []byte(`{"schemas":["`+errorSchema+`"],"status":"500"}`), http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b) // whoever asked has gone
	}
}

// send answers with a resource, or the parts of it that were asked for.
func (c *call) send(status int, res resource, sel selection) error {
	h := c.w.Header()
	if m, ok := res["meta"].(map[string]any); ok {
		if version, ok := m["version"].(string); ok {
			h.Set("ETag", version)
		}
		if location, ok := m["location"].(string); ok && status == http.StatusCreated {
			h.Set("Location", location)
		}
	}
	write(c.w, c.r, status, sel.of(res))
	return nil
}

// body reads the JSON object that was sent.
func (c *call) body() (object, error) {
	kind, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || (kind != mediaType && kind != "application/json") {
		return nil, &refusal{status: http.StatusUnsupportedMediaType, problem: "media-type", detail: "Send " + mediaType + "."}
	}
	return readObject(c.r.Body)
}

// id reads the id of the path, which is a whole number as we write it.
func (c *call) id() (int64, error) {
	if id, ok := parseID(c.r.PathValue("id")); ok {
		return id, nil
	}
	return 0, lms.NotFound("resource")
}

func parseID(s string) (int64, bool) {
	id, err := strconv.ParseInt(s, 10, 64)
	return id, err == nil && id > 0 && strconv.FormatInt(id, 10) == s
}

// same refuses a change of something that is no longer as the caller last saw it (RFC
// 7644, section 3.14).
func (c *call) same(version string) error {
	match := c.r.Header.Get("If-Match")
	if match == "" || match == "*" {
		return nil
	}
	for tag := range strings.SplitSeq(match, ",") {
		if strings.TrimSpace(tag) == version {
			return nil
		}
	}
	return &refusal{status: http.StatusPreconditionFailed, problem: "changed", detail: "It has changed meanwhile. Read it again."}
}

// unchanged answers a reading of what the caller has already.
func (c *call) unchanged(res resource) bool {
	meta, _ := res["meta"].(map[string]any)
	version, _ := meta["version"].(string)
	for tag := range strings.SplitSeq(c.r.Header.Get("If-None-Match"), ",") {
		if version != "" && strings.TrimSpace(tag) == version {
			c.w.Header().Set("ETag", version)
			c.w.WriteHeader(http.StatusNotModified)
			return true
		}
	}
	return false
}
