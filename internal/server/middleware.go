package server

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/rosterfile"
)

var (
	errCrossOrigin = lms.Errorf(lms.CodeForbidden, "cross-origin", "This request came from another site, so it was not carried out. Open Matricula itself and try again.")
	errInternal    = lms.Errorf(lms.CodeInternal, "internal", "Something went wrong on our side. Please try again.")
	errFileSize    = lms.Errorf(lms.CodeTooLarge, "file-too-large", "This file has more than %d MB, the most that can be read. Split it.", rosterfile.MaxBytes>>20)
	errBodySize    = lms.Errorf(lms.CodeTooLarge, "too-large", "This is more than %d MB, the most that one request may send.", maxBodyBytes>>20)
)

// fail renders an error in the words of the face that was asked.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case isAPI(r):
		s.api.WriteProblem(w, r, err)
		return
	case isOAuth(r):
		s.oauth.WriteError(w, r, err)
		return
	case isSCIM(r):
		s.scim.WriteError(w, r, err)
		return
	}
	s.web.WriteError(w, r, err)
}

func isAPI(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/") }

// isOAuth tells whether a request is a program's, for tokens.
func isOAuth(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/oauth/") }

// isSCIM tells whether a request is a directory's.
func isSCIM(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/scim/") }

type requestKey struct{}

// requestID is the id under which a request stands in the log and the audit.
func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// recorder remembers the status that was sent.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// observe gives each request an id, logs it without anything personal (never a
// query, a body or a header), and answers for a handler that panics.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b [12]byte
		rand.Read(b[:]) // never fails, see its documentation
		id := base64.RawURLEncoding.EncodeToString(b[:])
		r = r.WithContext(context.WithValue(r.Context(), requestKey{}, id))
		w.Header().Set("X-Request-Id", id)
		rec := &recorder{ResponseWriter: w}
		start := s.opts.Now()
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				s.opts.Log.LogAttrs(r.Context(), slog.LevelError, "panic", slog.String("request", id),
					slog.String("panic", panicText(p)), slog.String("stack", string(debug.Stack())))
				if rec.status == 0 {
					s.fail(rec, r, errInternal)
				}
			}
			s.logRequest(r, rec.status, s.opts.Now().Sub(start))
		}()
		next.ServeHTTP(rec, r)
	})
}

// panicText names a panic by its type, and by its text only when it is Go's
// own: others can hold what people typed.
func panicText(p any) string {
	if e, ok := p.(interface {
		error
		RuntimeError()
	}); ok {
		return e.Error()
	}
	return fmt.Sprintf("%T", p)
}

func (s *Server) logRequest(r *http.Request, status int, took time.Duration) {
	if status == 0 {
		status = http.StatusOK
	}
	if r.URL.Path == "/healthz" || r.URL.Path == "/readyz" || r.URL.Path == "/metrics" {
		return
	}
	level := slog.LevelInfo
	if status >= 500 {
		level = slog.LevelError
	}
	s.opts.Log.LogAttrs(r.Context(), level, "request", slog.String("method", safeMethod(r.Method)), slog.String("path", safePath(r.URL.Path)),
		slog.Int("status", status), slog.Duration("took", took), slog.String("request", requestID(r.Context())), slog.String("from", s.client(r)))
}

// safeMethod keeps invented methods out of the log.
func safeMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "OTHER"
}

// safePath is the path for the log: cut, and without anything that looks like
// an address or a token. Paths of ours hold ids and fixed words only.
func safePath(p string) string {
	if len(p) > 200 || strings.ContainsAny(p, "@%=") {
		return "(not ours)"
	}
	for i := range len(p) {
		if p[i] < 0x21 || p[i] > 0x7e {
			return "(not ours)"
		}
	}
	return p
}

// client is the address that a request came from. X-Forwarded-For is believed
// only as far as the trusted proxies reach, from the right.
func (s *Server) client(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return ""
	}
	ip = ip.Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusted(ip); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		ip = hop.Unmap()
	}
	return ip.String()
}

func (s *Server) trusted(ip netip.Addr) bool {
	for _, p := range s.opts.TrustedProxies {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// harden sets the headers that every answer carries.
func (s *Server) harden(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", s.policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if !strings.HasPrefix(r.URL.Path, "/static/") {
			h.Set("Cache-Control", "no-store")
		}
		if s.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// limit bounds the body and the time of a request.
func (s *Server) limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size, timeout, tooLarge := int64(maxBodyBytes), requestTimeout, errBodySize
		switch {
		case longRequest(r):
			size, timeout, tooLarge = maxUploadBytes, longTimeout, errFileSize
			c, until := http.NewResponseController(w), s.opts.Now().Add(longTimeout)
			if err := errors.Join(c.SetReadDeadline(until), c.SetWriteDeadline(until)); err != nil {
				s.opts.Log.WarnContext(r.Context(), "a long request keeps the short deadlines", "error", err)
			}
		case r.Method == http.MethodGet || r.Method == http.MethodHead:
			defer s.opts.Service.Reading()()
		}
		if r.ContentLength > size {
			s.fail(w, r, tooLarge)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, size)
		ctx, cancel := context.WithTimeout(r.Context(), timeout)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// longRequest tells whether a request brings a class list, or follows how far one
// is.
func longRequest(r *http.Request) bool {
	switch r.Method {
	case http.MethodPost:
		return strings.HasSuffix(r.URL.Path, "/imports") || strings.HasSuffix(r.URL.Path, "/runs")
	case http.MethodGet:
		return strings.HasSuffix(r.URL.Path, "/events")
	}
	return false
}

// guardOrigin refuses changes that another site's page sends with the cookies
// of ours. A bearer token is not sent by browsers on their own, and where one
// is given cookies are ignored. The token endpoint knows no cookies; there it is
// pages of origins that the operator did not name that are refused.
func (s *Server) guardOrigin(origin, programs *http.CrossOriginProtection, next http.Handler) http.Handler {
	guarded, forPrograms := origin.Handler(next), programs.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if (isAPI(r) || isSCIM(r)) && r.Header.Get("Authorization") != "" {
			next.ServeHTTP(w, r)
			return
		}
		if isOAuth(r) {
			forPrograms.ServeHTTP(w, r)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

// network is the network that a request came from, as unknown tokens are counted: one
// IPv4 address, behind which there can be a whole school, or the part of an IPv6 address
// within which a device chooses its own.
func (s *Server) network(r *http.Request) string {
	from := s.client(r)
	ip, err := netip.ParseAddr(from)
	if err != nil || !ip.Is6() {
		return from
	}
	p, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return from
	}
	return p.String()
}

// unknownToken gives the refusal of a token that does not work: when too many of which
// nobody knows anything have come from the same network, it is that. One that has ended
// is always told so, since its holder has to know.
func (s *Server) unknownToken(r *http.Request, secret string, cause error) error {
	known, err := s.opts.Service.KnownToken(r.Context(), secret)
	if err != nil || known {
		return cause
	}
	if err := s.opts.Service.Presented(r.Context(), s.network(r), ""); lms.CodeOf(err) == lms.CodeTooMany {
		return err
	}
	return cause
}

var errAuthorization = lms.Errorf(lms.CodeUnauthenticated, "bad-token", "The Authorization header should be \"Bearer\" and an API token.")

// identify finds out who is calling: by an API token or a program's access token
// below /api/ and /scim/, else by the session cookie. A token in a cookie's place, or the reverse, is nobody's.
func (s *Server) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		var c access.Caller
		var u lms.User
		var err error
		if values := r.Header.Values("Authorization"); (isAPI(r) || isSCIM(r)) && len(values) > 0 {
			secret, ok := bearer(values)
			if !ok {
				s.fail(w, r, errAuthorization)
				return
			}
			if c, u, err = s.opts.Service.ByToken(ctx, secret, requestID(ctx)); lms.CodeOf(err) == lms.CodeUnauthenticated {
				err = s.unknownToken(r, secret, err)
			}
		} else if isSCIM(r) || strings.HasPrefix(r.URL.Path, "/static/") { // which know no cookie
			c.RequestID = requestID(ctx)
		} else {
			c, u, err = s.opts.Service.BySession(ctx, s.web.SessionSecret(r), requestID(ctx))
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(access.WithCaller(ctx, c, u)))
	})
}

// bearer reads RFC 6750, section 2.1; the scheme's case does not matter.
func bearer(values []string) (string, bool) {
	if len(values) != 1 {
		return "", false
	}
	scheme, secret, ok := strings.Cut(values[0], " ")
	secret = strings.TrimSpace(secret)
	return secret, ok && strings.EqualFold(scheme, "Bearer") && secret != ""
}
