package server

import (
	"net/http"
	"slices"
	"strings"

	"matricula/internal/access"
	"matricula/internal/lms"
)

// What scripts of configured origins may send and read.
var (
	corsMethods  = strings.Join([]string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}, ", ")
	corsRequest  = "Authorization, Content-Type, Idempotency-Key"
	corsResponse = "Location, Retry-After, WWW-Authenticate, X-Request-Id"
)

// corsMaxAge is how long, in seconds, browsers need not ask again.
const corsMaxAge = "600"

// cors lets the scripts of configured origins read what the API and the token
// endpoint answer (the fetch standard, section 3.2). An origin is compared whole,
// and never told back unless it is one of them. Credentials are not allowed at
// all: a script of elsewhere shows an access token, and never comes with our
// cookie.
func (s *Server) cors(next http.Handler) http.Handler {
	if len(s.opts.CORSOrigins) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isAPI(r) && !isOAuth(r) {
			next.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Add("Vary", "Origin")
		origins := r.Header.Values("Origin")
		if len(origins) != 1 || !slices.Contains(s.opts.CORSOrigins, origins[0]) {
			next.ServeHTTP(w, r)
			return
		}
		h.Set("Access-Control-Allow-Origin", origins[0])
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			h.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
			h.Set("Access-Control-Allow-Methods", corsMethods)
			h.Set("Access-Control-Allow-Headers", corsRequest)
			h.Set("Access-Control-Max-Age", corsMaxAge)
			w.WriteHeader(http.StatusNoContent)
			return
		}
		h.Set("Access-Control-Expose-Headers", corsResponse)
		next.ServeHTTP(w, r)
	})
}

// unidentified is for what asks nobody who they are: a request is known by its id
// alone, and cookies are of no account.
func unidentified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		next.ServeHTTP(w, r.WithContext(access.WithCaller(ctx, access.Caller{RequestID: requestID(ctx)}, lms.User{})))
	})
}
