package fetch

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"matricula/internal/lms"
)

// PostOptions are what the operator has allowed of webhooks. Without them they go to
// public addresses by https.
type PostOptions struct {
	Hosts    []string      // that may also be called where they have no public address, such as "hooks.intra.example" or "10.0.0.5:8443"
	Loopback bool          // this machine may be called, and by http too: for a server that itself only this machine reaches
	Resolver *net.Resolver // nil: the system's; a test has one of its own
	TLS      *tls.Config   // nil: the system's; a test's trusts the test's server
	Timeout  time.Duration // of one delivery; 0: ten seconds
}

// Poster sends what webhooks tell to addresses that people have typed, whom the operator
// need not trust. It looks at each address when it is dialed, follows no redirect, asks
// no proxy, sends no cookies, and does not give out what is answered.
type Poster struct {
	opts   PostOptions
	client *http.Client
}

const (
	postTimeout = 10 * time.Second
	maxAnswer   = 4 << 10 // bytes of an answer that are read, so that the connection can be used again
)

// NewPoster makes a poster.
func NewPoster(opts PostOptions) *Poster {
	if opts.Timeout == 0 {
		opts.Timeout = postTimeout
	}
	p := &Poster{opts: opts}
	p.client = &http.Client{
		Timeout:       opts.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy: nil, DialContext: p.dial, TLSClientConfig: opts.TLS, TLSHandshakeTimeout: opts.Timeout, ForceAttemptHTTP2: true,
			MaxResponseHeaderBytes: 16 << 10, MaxIdleConnsPerHost: 1, IdleConnTimeout: 30 * time.Second, DisableCompression: true,
		},
	}
	return p
}

// dial connects to host and port as they stand in an address. What the operator has
// listed by that name may be anywhere; everything else has to be public.
func (p *Poster) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Timeout: p.opts.Timeout, Resolver: p.opts.Resolver}
	d.Control = dialed(func(ip netip.Addr) bool {
		return public(ip) || p.listed(address) || (p.opts.Loopback && local(host) && ip.Unmap().IsLoopback())
	})
	return d.DialContext(ctx, network, address)
}

// listed tells whether the operator has named a host and port. A name without a port
// means that of https.
func (p *Poster) listed(address string) bool {
	return slices.ContainsFunc(p.opts.Hosts, func(h string) bool {
		if _, _, err := net.SplitHostPort(h); err != nil {
			h = net.JoinHostPort(strings.Trim(h, "[]"), "443")
		}
		return strings.EqualFold(h, address)
	})
}

// local tells whether a host is this machine by its name.
func local(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || (err == nil && ip.Unmap().IsLoopback())
}

// Check tells whether an address can be a webhook's, before it is stored, and gives it
// as it is stored. Where its name leads is seen when it is called.
func (p *Poster) Check(typed string) (string, error) {
	typed = strings.TrimSpace(typed)
	u, err := url.Parse(typed)
	switch {
	case len(typed) > lms.MaxWebhookURL:
		return "", lms.Invalid("webhook-url", "url", "This address is too long: at most %d characters are allowed.", lms.MaxWebhookURL)
	case err != nil || u.Opaque != "" || u.Hostname() == "" || !ascii(typed):
		return "", lms.Invalid("webhook-url", "url", "Write an address such as https://hooks.uni.example/matricula, in plain letters.")
	case u.User != nil:
		return "", lms.Invalid("webhook-url", "url", "The address must hold no user and no password. Every delivery is signed; by that its receiver knows who sends.")
	case u.Fragment != "" || strings.Contains(typed, "#"):
		return "", lms.Invalid("webhook-url", "url", "The address must not hold a #: nothing behind it is sent to a server.")
	}
	port := u.Port()
	if n, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || n == 0) {
		return "", lms.Invalid("webhook-url", "url", "The address has a port that is not from 1 to 65535.")
	}
	here := p.opts.Loopback && local(u.Hostname())
	if u.Scheme != "https" && (u.Scheme != "http" || !here) {
		return "", lms.Invalid("webhook-url", "url", "The address has to begin with https://, since what it is told is about people.")
	}
	if port == "" {
		port = "443"
	}
	if here || p.listed(net.JoinHostPort(u.Hostname(), port)) {
		return u.String(), nil
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if err == nil && public(ip) {
		return u.String(), nil
	}
	if err == nil || local(u.Hostname()) || numeric(u.Hostname()) {
		return "", lms.Invalid("webhook-url", "url", "Webhooks go to public addresses. Whoever runs this server can allow others with MATRICULA_WEBHOOKS_HOSTS.")
	}
	return u.String(), nil
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// numeric tells whether a host that is no plain address would be taken for one, such as
// 2130706433, 0x7f.1 or 0177.0.0.1 (URL Standard, "ends in a number").
func numeric(host string) bool {
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	last := strings.ToLower(labels[len(labels)-1])
	if last == "" {
		return true
	}
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		_, err := strconv.ParseUint("0"+hex, 16, 64)
		return err == nil
	}
	return strings.Trim(last, "0123456789") == ""
}

// Post sends a body, and tells the status of the answer, if there was one, and what
// was wrong.
func (p *Poster) Post(ctx context.Context, address string, header map[string]string, body []byte) (status int, fault lms.WebhookFault) {
	if _, err := p.Check(address); err != nil { // what may be called can change, as the operator says
		return 0, lms.FaultAddress
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, lms.FaultAddress
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	res, err := p.client.Do(req)
	if err != nil {
		return 0, faultOf(err)
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, maxAnswer) // the status is all that counts
	switch {
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return res.StatusCode, lms.FaultRedirect
	case res.StatusCode < 200 || res.StatusCode > 299:
		return res.StatusCode, lms.FaultStatus
	}
	return res.StatusCode, lms.FaultNone
}

// faultOf sorts what can go wrong into what can be told to whoever made the webhook.
func faultOf(err error) lms.WebhookFault {
	var refused refusedAddress
	var name *net.DNSError
	var verify *tls.CertificateVerificationError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &refused):
		return lms.FaultAddress
	case errors.As(err, &verify):
		return lms.FaultTLS
	case errors.As(err, &timeout) && timeout.Timeout():
		return lms.FaultTimeout
	case errors.As(err, &name):
		return lms.FaultName
	}
	return lms.FaultConnect
}
