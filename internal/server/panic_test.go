package server

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"matricula/internal/api"
	"matricula/internal/web"
)

// TestE24AHandlerThatPanicsIsAnsweredAndHarmsNobody lets handlers panic with
// what they might hold: the answer says nothing of it, and neither does the log.
func TestE24AHandlerThatPanicsIsAnsweredAndHarmsNobody(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	s := &Server{opts: Options{Log: logger, Now: time.Now}}
	s.api = api.New(nil, api.Options{URL: "http://localhost", Log: logger, Now: time.Now})
	s.web = web.New(nil, nil, web.Options{URL: "http://localhost", Log: logger, Now: time.Now})
	h := s.observe(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/nil" {
			var list []string
			_ = list[len(r.URL.Path)]
		}
		panic("grace@uni.example")
	}))
	for path, contentType := range map[string]string{"/api/v1/nil": "application/problem+json", "/api/v1/text": "application/problem+json", "/page": "text/html"} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		if rec.Code != http.StatusInternalServerError || !strings.HasPrefix(rec.Header().Get("Content-Type"), contentType) {
			t.Errorf("%s answered %d %s", path, rec.Code, rec.Header().Get("Content-Type"))
		}
		if strings.Contains(rec.Body.String(), "grace") || strings.Contains(rec.Body.String(), "goroutine") {
			t.Errorf("%s tells too much: %s", path, rec.Body)
		}
	}
	if strings.Contains(log.String(), "grace") {
		t.Errorf("the log tells too much: %s", log.String())
	}
	if !strings.Contains(log.String(), "index out of range") {
		t.Errorf("the log does not tell what Go itself said: %s", log.String())
	}
}

func TestTrustedProxiesAreBelievedFromTheRight(t *testing.T) {
	s := &Server{opts: Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}
	for _, tc := range []struct{ remote, forwarded, want string }{
		{"10.0.0.1:5", "203.0.113.7", "203.0.113.7"},
		{"10.0.0.1:5", "198.51.100.9, 203.0.113.7", "203.0.113.7"},
		{"10.0.0.1:5", "203.0.113.7, 10.0.0.2", "203.0.113.7"},
		{"10.0.0.1:5", "junk", "10.0.0.1"},
		{"10.0.0.1:5", "", "10.0.0.1"},
		{"192.0.2.1:5", "203.0.113.7", "192.0.2.1"},
		{"[::ffff:10.0.0.1]:5", "203.0.113.7", "203.0.113.7"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = tc.remote
		if tc.forwarded != "" {
			r.Header.Set("X-Forwarded-For", tc.forwarded)
		}
		if got := s.client(r); got != tc.want {
			t.Errorf("%s forwarded for %q: %s, want %s", tc.remote, tc.forwarded, got, tc.want)
		}
	}
}
