// Package oauth is the face of Matricula for programs in which people sign in by
// themselves, such as mobile apps and single-page applications: they exchange the
// ID token of a provider (RFC 8693) for an access token of the API and a refresh
// token, renew these (RFC 6749, section 6) and give them up (RFC 7009). It reads
// requests as strictly as those documents ask, and answers in their words. Who may
// come in is decided in packages signin and service.
//
// It never imports store, api or web, knows no cookie, and lets no token into a
// log or an address.
package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
)

// The addresses, of which MetadataPath is that of RFC 8414, section 3.
const (
	TokenPath    = "/oauth/token"
	RevokePath   = "/oauth/revoke"
	MetadataPath = "/.well-known/oauth-authorization-server"
)

// Options are what the endpoints are made of.
type Options struct {
	URL string // the address people type, which is the issuer
	Log *slog.Logger

	// From names the network that a request came from; nil: unknown tokens are not counted.
	From func(*http.Request) string
}

// OAuth answers everything below /oauth/, and the metadata.
type OAuth struct {
	svc  *service.Service
	rp   *signin.RelyingParty
	url  string
	log  *slog.Logger
	from func(*http.Request) string
	mux  *http.ServeMux
}

// routes are what is served, each with its method.
var routes = []struct {
	method, path string
	serve        func(*OAuth, http.ResponseWriter, *http.Request) error
}{
	{http.MethodPost, TokenPath, (*OAuth).token},
	{http.MethodPost, RevokePath, (*OAuth).revoke},
	{http.MethodGet, MetadataPath, (*OAuth).metadata},
}

// New makes the endpoints over the use cases.
func New(svc *service.Service, rp *signin.RelyingParty, opts Options) *OAuth {
	o := &OAuth{svc: svc, rp: rp, url: strings.TrimRight(opts.URL, "/"), log: opts.Log, from: opts.From, mux: http.NewServeMux()}
	for _, route := range routes {
		o.mux.HandleFunc(route.method+" "+route.path, func(w http.ResponseWriter, r *http.Request) {
			if err := route.serve(o, w, r); err != nil {
				o.WriteError(w, r, err)
			}
		})
		o.mux.HandleFunc(route.path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", route.method)
			o.WriteError(w, r, &refusal{status: http.StatusMethodNotAllowed, code: invalidRequest, typ: "method", description: "This address takes " + route.method + " only."})
		})
	}
	o.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		o.WriteError(w, r, &refusal{status: http.StatusNotFound, code: invalidRequest, typ: "no-route", description: "There is nothing at this address. What there is stands in " + MetadataPath + "."})
	})
	return o
}

// Handler serves everything below /oauth/, and MetadataPath.
func (o *OAuth) Handler() http.Handler { return o.mux }

// Routes lists what is registered, such as "POST /oauth/token".
func (o *OAuth) Routes() []string {
	var list []string
	for _, r := range routes {
		list = append(list, r.method+" "+r.path)
	}
	return list
}

// The error codes of RFC 6749, section 5.2, and of RFC 8693, section 2.2.2. The
// last two are those that section 4.1.2.1 has for what is our side's.
const (
	invalidRequest = "invalid_request"
	invalidClient  = "invalid_client"
	invalidGrant   = "invalid_grant"
	invalidScope   = "invalid_scope"
	invalidTarget  = "invalid_target"
	unsupported    = "unsupported_grant_type"
	serverError    = "server_error"
	unavailable    = "temporarily_unavailable"
)

// refusal is an answer that is not what was asked for.
type refusal struct {
	status      int
	code        string
	typ         string // as the problems of the API have it
	description string
}

func (e *refusal) Error() string { return e.description }

// ErrOrigin is for scripts of pages that may not ask for tokens.
var ErrOrigin error = &refusal{http.StatusForbidden, invalidRequest, "cross-origin", "This request came from a page of another site. Whoever runs this server can add its origin to MATRICULA_CORS_ORIGINS."}

// errorAnswer is what RFC 6749, section 5.2, wants, with the type by which the
// API knows the problem beside it.
type errorAnswer struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	Type        string `json:"type"`
}

// WriteError answers a request with an error.
func (o *OAuth) WriteError(w http.ResponseWriter, r *http.Request, err error) {
	e := o.refusalOf(r.Context(), err)
	switch e.status {
	case http.StatusUnauthorized: // RFC 6749, section 5.2: in the scheme with which the client tried
		w.Header().Set("WWW-Authenticate", `Basic realm="Matricula"`)
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "5")
	}
	var limited *lms.Error
	if errors.As(err, &limited) && limited.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(limited.RetryAfter.Seconds()))))
	}
	write(w, r, e.status, errorAnswer{e.code, plain(e.description), o.url + "/problems/" + e.typ})
}

// refusalOf words an error. What is our fault goes to the log, and is not told.
func (o *OAuth) refusalOf(ctx context.Context, err error) *refusal {
	var known *refusal
	if errors.As(err, &known) {
		return known
	}
	c, _ := access.CallerOf(ctx)
	request := slog.String("request", c.RequestID)
	var e *lms.Error
	if errors.As(err, &e) && e.Code != lms.CodeInternal {
		out := &refusal{status: http.StatusBadRequest, code: invalidRequest, typ: e.Type, description: e.Message}
		switch e.Code {
		case lms.CodeUnavailable:
			out.status, out.code = http.StatusServiceUnavailable, unavailable
			o.log.LogAttrs(ctx, slog.LevelWarn, "unavailable", request, slog.String("type", e.Type), slog.Any("error", e.Err))
		case lms.CodeTooMany:
			out.status, out.code = http.StatusTooManyRequests, unavailable
		case lms.CodeTooLarge:
			out.status = http.StatusRequestEntityTooLarge
		}
		return out
	}
	switch {
	case errors.Is(err, context.Canceled):
		return &refusal{http.StatusServiceUnavailable, unavailable, "canceled", "The request was given up before it was answered."}
	case errors.Is(err, context.DeadlineExceeded):
		o.log.LogAttrs(ctx, slog.LevelWarn, "timeout", request)
		return &refusal{http.StatusServiceUnavailable, unavailable, "timeout", "This took too long. Please try again."}
	}
	o.log.LogAttrs(ctx, slog.LevelError, "request failed", request, slog.Any("error", err))
	return &refusal{http.StatusInternalServerError, serverError, "internal", "Something went wrong on our side. Please try again."}
}

// plain makes a text one of the letters that RFC 6749, section 5.2, allows in an
// error_description: printable ASCII without the quotation mark and the backslash.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '"':
			return '\''
		case r == '’' || r == '‘':
			return '\''
		case r == '\\' || r < 0x20 || r > 0x7e:
			return '?'
		}
		return r
	}, s)
}

// write answers with JSON that nobody keeps (RFC 6749, section 5.1).
func write(w http.ResponseWriter, r *http.Request, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		b, status = []byte(`{"error":"`+serverError+`"}`), http.StatusInternalServerError
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b) // whoever asked has gone
	}
}

// Metadata is how programs find the endpoints (RFC 8414, section 2).
type Metadata struct {
	Issuer         string   `json:"issuer"`
	Token          string   `json:"token_endpoint"`
	TokenAuth      []string `json:"token_endpoint_auth_methods_supported"`
	Revocation     string   `json:"revocation_endpoint"`
	RevocationAuth []string `json:"revocation_endpoint_auth_methods_supported"`
	Grants         []string `json:"grant_types_supported"`
	ResponseTypes  []string `json:"response_types_supported"`
	Scopes         []string `json:"scopes_supported"`
	Documentation  string   `json:"service_documentation"`
}

func (o *OAuth) metadata(w http.ResponseWriter, r *http.Request) error {
	none := []string{"none"}
	write(w, r, http.StatusOK, Metadata{
		Issuer: o.url, Token: o.url + TokenPath, TokenAuth: none, Revocation: o.url + RevokePath, RevocationAuth: none,
		Grants: []string{grantExchange, grantRefresh},
		// Nothing is authorized here: people sign in at their provider. Section 2
		// requires the member, while section 3.2 would leave an empty one out; what
		// reads metadata stumbles over the second.
		ResponseTypes: []string{},
		Scopes:        []string{string(lms.ScopeRead), string(lms.ScopeWrite)},
		Documentation: o.url + "/api/docs",
	})
	return nil
}

// ours tells whether a target (RFC 8693, section 2.1, audience and resource) is
// this server or its API.
func (o *OAuth) ours(target string) bool {
	return slices.Contains([]string{o.url, o.url + "/", o.url + "/api", o.url + "/api/v1"}, target)
}
