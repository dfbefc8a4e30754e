package server

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"matricula/internal/lms"
)

// operationRoutes are for whoever runs the server.
var operationRoutes = []string{"GET /healthz", "GET /readyz", "GET /metrics"}

const readyTimeout = 2 * time.Second

func (s *Server) registerOperations(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.HandleFunc("GET /metrics", s.metrics)
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // whoever asked has gone
}

// ready tells whether this node may take traffic: it is not stopping, and its
// database answers.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if s.stopping.Load() {
		answer(w, http.StatusServiceUnavailable, "stopping")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	if err := s.opts.Service.Ready(ctx); err != nil {
		answer(w, http.StatusServiceUnavailable, "the database does not answer")
		return
	}
	answer(w, http.StatusOK, "ready")
}

// metrics answers loopback without more, and others with an administrator's
// API token. A request that came through a proxy is not from loopback.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	if !fromLoopback(r) {
		secret, ok := bearer(r.Header.Values("Authorization"))
		if !ok {
			answer(w, http.StatusUnauthorized, "metrics need an administrator's API token, or a request from this machine")
			return
		}
		c, _, err := s.opts.Service.ByToken(r.Context(), secret, requestID(r.Context()))
		if err != nil || !c.Admin() {
			status := http.StatusForbidden
			if lms.CodeOf(err) == lms.CodeUnauthenticated {
				status = http.StatusUnauthorized
			}
			answer(w, status, "metrics need an administrator's API token")
			return
		}
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	metrics.WritePrometheus(w, true)
}

func fromLoopback(r *http.Request) bool {
	for _, h := range []string{"X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Real-Ip", "Via"} {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.Unmap().IsLoopback()
}
