package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"matricula/internal/lms"
)

func TestF31AWebhookHasAnHTTPSAddressOnTheInternet(t *testing.T) {
	p := NewPoster(PostOptions{Hosts: []string{"hooks.intra.example", "10.0.0.5:8443", "127.0.0.1"}})
	for _, good := range []string{
		"https://hooks.uni.example/matricula?key=1", "https://hooks.uni.example:8443", "https://93.184.216.34/x", "https://[2606:4700::1111]/", " https://hooks.uni.example/ ",
		"https://hooks.intra.example/", "https://10.0.0.5:8443/", "https://127.0.0.1/in",
	} {
		if got, err := p.Check(good); err != nil || got != strings.TrimSpace(good) {
			t.Errorf("%s: %q, %v", good, got, err)
		}
	}
	for _, bad := range []string{
		"", "hooks.uni.example", "http://hooks.uni.example/", "HTTP://hooks.uni.example/", "ftp://hooks.uni.example/", "file:///etc/passwd", "gopher://hooks.uni.example/", "https:///x",
		"https:hooks.uni.example", "https://", "//hooks.uni.example/", `https:\\hooks.uni.example`, "https://user@hooks.uni.example/", "https://user:word@hooks.uni.example/", "https://hooks.uni.example/#x",
		"https://hooks.uni.example/#", "https://hooks.uni.example:0/", "https://hooks.uni.example:99999/", "https://hooks.uni.example:x/", "https://höoks.uni.example/", "https://hooks.uni.example/a b", "https://hooks.uni.example/\r\nX: y",
		"https://localhost/", "https://LOCALHOST:8443/", "https://127.0.0.1:8443/", "https://127.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://169.254.169.254/latest/meta-data/", "https://[fe80::1%25eth0]/",
		"https://0/", "https://0.0.0.0/", "https://[::]/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://0177.0.0.1/", "https://127.0.0.1./", "https://10.0.0.5/", "https://192.168.1.1/", "https://172.16.0.1/",
		"https://100.64.0.1/", "https://[fd00::1]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://224.0.0.1/", "https://255.255.255.255/", "https://192.0.2.1/", "https://[2001:db8::1]/",
		"https://hooks.uni.example/" + strings.Repeat("x", lms.MaxWebhookURL),
	} {
		if got, err := p.Check(bad); lms.TypeOf(err) != "webhook-url" || got != "" {
			t.Errorf("%q is taken for %q (%v)", bad, got, err)
		}
		if status, fault := p.Post(t.Context(), bad, nil, nil); status != 0 || fault != lms.FaultAddress {
			t.Errorf("%q is called: %d %s", bad, status, fault)
		}
	}
	here := NewPoster(PostOptions{Loopback: true})
	for typed, ok := range map[string]bool{
		"http://localhost:9000/in": true, "http://127.0.0.1:9000": true, "http://[::1]:9000/": true, "https://localhost/": true,
		"http://hooks.uni.example/": false, "http://10.0.0.5/": false, "https://10.0.0.5/": false, "http://169.254.169.254/": false, "file://localhost/etc/passwd": false,
	} {
		if _, err := here.Check(typed); (err == nil) != ok {
			t.Errorf("on this machine alone, %s: %v", typed, err)
		}
	}
}

// names is a name server on this machine that answers every question with the addresses
// of the moment.
func names(t *testing.T, addresses func() []netip.Addr) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(b[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Authoritative, m.Additionals = true, true, nil
			q := m.Questions[0]
			for _, a := range addresses() {
				head := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, Type: q.Type}
				switch {
				case q.Type == dnsmessage.TypeA && a.Is4():
					m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: a.As4()}})
				case q.Type == dnsmessage.TypeAAAA && a.Is6():
					m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
				}
			}
			if packed, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(packed, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// TestF31ANameThatLeadsInsideIsNotCalled is about what a name server says when the
// webhook is called, whatever it said before (DNS rebinding).
func TestF31ANameThatLeadsInsideIsNotCalled(t *testing.T) {
	var asked atomic.Int64
	inside := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(inside.Close)
	_, port, _ := net.SplitHostPort(inside.Listener.Addr().String())
	var now atomic.Pointer[[]netip.Addr]
	p := NewPoster(PostOptions{Resolver: names(t, func() []netip.Addr { return *now.Load() }), TLS: trusting(inside), Timeout: 2 * time.Second})
	for _, to := range []string{
		"127.0.0.1", "127.8.9.10", "::1", "169.254.169.254", "0.0.0.0", "::", "10.1.2.3", "192.168.1.1", "172.31.255.255", "100.100.0.1", "fd12::1", "fe80::1", "::ffff:127.0.0.1",
		"64:ff9b::7f00:1", "2002:7f00:1::1", "198.18.0.1", "240.0.0.1", "255.255.255.255", "224.0.0.1", "ff02::1",
	} {
		now.Store(&[]netip.Addr{netip.MustParseAddr(to)})
		if status, fault := p.Post(t.Context(), "https://rebound.example:"+port+"/", nil, nil); status != 0 || fault != lms.FaultAddress {
			t.Errorf("a name that leads to %s: %d %q", to, status, fault)
		}
	}
	// What leads to a public address is tried, and nothing beside it.
	none := NewPoster(PostOptions{Resolver: names(t, func() []netip.Addr { return nil }), Timeout: 2 * time.Second})
	if _, fault := none.Post(t.Context(), "https://nowhere.example/", nil, nil); fault != lms.FaultName {
		t.Errorf("a name that leads nowhere: %q", fault)
	}
	if asked.Load() != 0 {
		t.Errorf("what is inside was asked %d times", asked.Load())
	}
	// The operator can mean it, for a host by its name and port alone.
	now.Store(&[]netip.Addr{netip.MustParseAddr("127.0.0.1")})
	listed := NewPoster(PostOptions{
		Hosts: []string{"example.com:" + port}, Resolver: names(t, func() []netip.Addr { return *now.Load() }), TLS: trusting(inside), Timeout: 2 * time.Second,
	})
	if status, fault := listed.Post(t.Context(), "https://example.com:"+port+"/", nil, nil); status != 200 || fault != "" || asked.Load() != 1 {
		t.Errorf("a listed host: %d %q", status, fault)
	}
	if _, fault := listed.Post(t.Context(), "https://other.example.com:"+port+"/", nil, nil); fault != lms.FaultAddress {
		t.Errorf("one that is not listed: %q", fault)
	}
}

func trusting(s *httptest.Server) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return &tls.Config{RootCAs: pool}
}

func TestF31ARedirectIsAFailureAndIsNotFollowed(t *testing.T) {
	var asked atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(inside.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, to := range []string{inside.URL, "file:///etc/passwd", "gopher://127.0.0.1/"} {
			r := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", to)
				w.WriteHeader(status)
			}))
			got, fault := NewPoster(PostOptions{Loopback: true}).Post(t.Context(), r.URL, nil, []byte("{}"))
			if got != status || fault != lms.FaultRedirect {
				t.Errorf("%d to %s: %d %q", status, to, got, fault)
			}
			r.Close()
		}
	}
	if asked.Load() != 0 {
		t.Errorf("it was followed %d times", asked.Load())
	}
}

func TestF31AnAnswerWithoutAnEndIsCutOff(t *testing.T) {
	cut := make(chan struct{}, 2)
	endless := func(w http.ResponseWriter, q *http.Request) {
		for {
			if _, err := io.WriteString(w, strings.Repeat("x", 64<<10)); err != nil {
				cut <- struct{}{}
				return
			}
		}
	}
	r := httptest.NewServer(http.HandlerFunc(endless))
	t.Cleanup(r.Close)
	p := NewPoster(PostOptions{Loopback: true, Timeout: 5 * time.Second})
	begun := time.Now()
	if status, fault := p.Post(t.Context(), r.URL, nil, []byte("{}")); status != 200 || fault != "" {
		t.Errorf("an endless answer: %d %q", status, fault)
	}
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
	select {
	case <-cut:
	case <-time.After(10 * time.Second):
		t.Error("the connection is still open")
	}
	// Nor are headers without an end, nor a server that says nothing, waited for.
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	go func() {
		for {
			c, err := raw.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\n")
				for err == nil {
					_, err = io.WriteString(c, "X-More: "+strings.Repeat("x", 1000)+"\r\n")
				}
			}()
		}
	}()
	if status, fault := p.Post(t.Context(), "http://"+raw.Addr().String(), nil, []byte("{}")); status != 0 || fault != lms.FaultConnect {
		t.Errorf("endless headers: %d %q", status, fault)
	}
	hold := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold }))
	t.Cleanup(silent.Close)
	t.Cleanup(func() { close(hold) })
	quick := NewPoster(PostOptions{Loopback: true, Timeout: 200 * time.Millisecond})
	if status, fault := quick.Post(t.Context(), silent.URL, nil, []byte("{}")); status != 0 || fault != lms.FaultTimeout {
		t.Errorf("no answer: %d %q", status, fault)
	}
}

func TestAPosterTellsWhatWasWrong(t *testing.T) {
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(untrusted.Close)
	gone := httptest.NewServer(http.NotFoundHandler())
	away := gone.URL
	gone.Close()
	answering := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		b, _ := io.ReadAll(q.Body)
		if q.Method != http.MethodPost || string(b) != `{"id":1}` || q.Header.Get("webhook-id") != "1" || q.Header.Get("Cookie") != "" {
			t.Errorf("asked was %s %q %v", q.Method, b, q.Header)
		}
		w.Header().Set("Set-Cookie", "a=b")
		w.WriteHeader(map[string]int{"/204": 204, "/404": 404, "/500": 500, "/299": 299}[q.URL.Path])
	}))
	t.Cleanup(answering.Close)
	p := NewPoster(PostOptions{Loopback: true, Timeout: 2 * time.Second})
	for to, want := range map[string]struct {
		status int
		fault  lms.WebhookFault
	}{
		answering.URL + "/204": {204, ""}, answering.URL + "/299": {299, ""}, answering.URL + "/404": {404, lms.FaultStatus}, answering.URL + "/500": {500, lms.FaultStatus},
		untrusted.URL: {0, lms.FaultTLS}, away: {0, lms.FaultConnect},
	} {
		for range 2 {
			if status, fault := p.Post(t.Context(), to, map[string]string{"webhook-id": "1"}, []byte(`{"id":1}`)); status != want.status || fault != want.fault {
				t.Errorf("%s: %d %q, want %d %q", to, status, fault, want.status, want.fault)
			}
		}
	}
}
