package demo_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"matricula/internal/demo"
)

// output is what the demo prints, safe to read while it runs.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

var openAt = regexp.MustCompile(`open at\s+(http://\S+)`)

// startDemo runs the demo until the test ends, and gives its address.
func startDemo(t *testing.T) (base string, stdout, log *output) {
	t.Helper()
	stdout, log = &output{}, &output{}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- demo.Run(ctx, demo.Options{Addr: "127.0.0.1:0", Stdout: stdout, Log: slog.New(slog.NewJSONHandler(log, nil)), Now: time.Now, Version: "test"})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the demo ended with %v", err)
		}
	})
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if m := openAt.FindStringSubmatch(stdout.String()); m != nil {
			return m[1], stdout, log
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the demo ended before it opened: %v", err)
		default:
		}
	}
	t.Fatal("the demo does not open")
	return "", nil, nil
}

// browser is somebody who follows links and fills in forms.
type browser struct {
	t      *testing.T
	client *http.Client
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, &http.Client{Jar: jar, Timeout: 30 * time.Second}}
}

func (b *browser) page(resp *http.Response, err error) (*http.Response, string) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp, string(body)
}

func (b *browser) get(address string) (*http.Response, string) {
	b.t.Helper()
	return b.page(b.client.Get(address))
}

// signIn goes from the school to the provider's page, chooses there, and comes
// back to the school.
func (b *browser) signIn(base string, choice url.Values) (*http.Response, string) {
	b.t.Helper()
	resp, body := b.get(base + "/auth/demo/start?next=/")
	if resp.StatusCode != http.StatusOK || strings.HasPrefix(resp.Request.URL.String(), base) {
		b.t.Fatalf("not at the provider but at %s: %d %s", resp.Request.URL.Path, resp.StatusCode, body)
	}
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	form := url.Values{}
	for name, values := range choice {
		form[name] = values
	}
	for n := range root.Descendants() {
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
		}
		if n.Data == "input" && attr["type"] == "hidden" {
			form.Set(attr["name"], attr["value"])
		}
	}
	authorize := *resp.Request.URL
	authorize.RawQuery = ""
	return b.page(b.client.PostForm(authorize.String(), form))
}

func TestThePeopleOfTheDemoSignInOverHTTP(t *testing.T) {
	base, stdout, log := startDemo(t)
	for _, c := range []struct {
		choice url.Values
		sees   []string
		not    []string
	}{
		{url.Values{"account": {"ada@uni.example"}}, []string{"Ada Lovelace", "Algorithms", "Analysis"}, []string{"Botany"}},
		{url.Values{"account": {"florence@uni.example"}}, []string{"Florence Nightingale"}, nil},
		{url.Values{"email": {"Sophie@Uni.Example"}}, []string{"Sophie Germain", "Algorithms"}, []string{"Mechanics"}},
		{url.Values{"email": {"somebody@uni.example"}, "given_name": {"Some"}, "family_name": {"Body"}}, []string{"Some Body"}, []string{"Algorithms"}},
	} {
		resp, body := newBrowser(t).signIn(base, c.choice)
		if resp.StatusCode != http.StatusOK || resp.Request.URL.String() != base+"/" {
			t.Fatalf("%v: at %s with status %d: %s", c.choice, resp.Request.URL.Path, resp.StatusCode, body)
		}
		for _, want := range c.sees {
			if !strings.Contains(body, want) {
				t.Errorf("%v: %q is not on the first page", c.choice, want)
			}
		}
		for _, unwanted := range c.not {
			if strings.Contains(body, unwanted) {
				t.Errorf("%v: %q is on the first page", c.choice, unwanted)
			}
		}
		if !strings.Contains(body, "demo") {
			t.Errorf("%v: the page does not say that this is a demo", c.choice)
		}
	}
	if strings.Contains(log.String(), "uni.example") || strings.Contains(log.String(), `"level":"ERROR"`) {
		t.Errorf("the log holds an address or an error: %s", log)
	}
	told := []string{"Ada Lovelace", "grace@uni.example", "Ctrl+C"}
	for line := range strings.Lines(demo.ClassList()) {
		told = append(told, "\n    "+line)
	}
	for _, told := range told {
		if !strings.Contains(stdout.String(), told) {
			t.Errorf("the demo does not speak of %s", told)
		}
	}
}

// Whoever comes with an address of another school gets a code, which the demo shows
// on the page of its mail.
func TestTheMailOfTheDemoIsShown(t *testing.T) {
	base, stdout, _ := startDemo(t)
	mailbox := regexp.MustCompile(`http://\S+/mail`).FindString(stdout.String())
	b := newBrowser(t)
	if resp, body := b.get(mailbox); resp.StatusCode != http.StatusOK || !strings.Contains(body, "Nothing has come yet") {
		t.Fatalf("the mailbox: %d %s", resp.StatusCode, body)
	}
	resp, body := b.signIn(base, url.Values{"email": {"somebody@elsewhere.example"}, "given_name": {"Some"}, "family_name": {"Body"}})
	if resp.Request.URL.Path != "/prove" || !strings.Contains(body, "somebody@elsewhere.example") {
		t.Fatalf("at %s: %s", resp.Request.URL.Path, body)
	}
	link := regexp.MustCompile(`href="(` + regexp.QuoteMeta(base) + `/prove)#([A-Z2-9-]{9})"`)
	var found []string
	for deadline := time.Now().Add(30 * time.Second); found == nil && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		_, body = b.get(mailbox)
		found = link.FindStringSubmatch(body)
	}
	if found == nil || !strings.Contains(body, "To somebody@elsewhere.example") {
		t.Fatalf("no link with a code in %s", body)
	}
	resp, body = b.page(b.client.PostForm(found[1], url.Values{"code": {found[2]}}))
	if resp.Request.URL.String() != base+"/" || !strings.Contains(body, "Some Body") {
		t.Errorf("at %s: %s", resp.Request.URL.Path, body)
	}
}

func TestNothingOfTheDemoStaysBehind(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Run("while it runs", func(t *testing.T) {
		startDemo(t)
		if entries, err := os.ReadDir(os.TempDir()); err != nil || len(entries) != 1 {
			t.Errorf("%d folders: %v", len(entries), err)
		}
	})
	if entries, err := os.ReadDir(os.TempDir()); err != nil || len(entries) != 0 {
		t.Errorf("%v stayed behind: %v", entries, err)
	}
}

func TestTheDemoListensOnThisComputerOnly(t *testing.T) {
	for addr, why := range map[string]string{
		"0.0.0.0:0":                "this computer only",
		"[::]:0":                   "this computer only",
		":0":                       "this computer only",
		"192.0.2.1:0":              "this computer only",
		"[::ffff:192.0.2.1]:0":     "this computer only",
		"no-such-host.invalid:0":   "no host",
		"127.0.0.1":                "such as 127.0.0.1:8080",
		"127.0.0.1:http":           "port",
		"127.0.0.1:65536":          "port",
		"localhost.localdomain.:x": "port",
	} {
		var stdout output
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		err := demo.Run(ctx, demo.Options{Addr: addr, Stdout: &stdout, Log: slog.New(slog.DiscardHandler), Now: time.Now})
		cancel()
		if err == nil || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), "--addr") || stdout.String() != "" {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

func TestAPortThatIsTakenIsNamedWithTheCure(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = demo.Run(context.Background(), demo.Options{Addr: l.Addr().String(), Stdout: io.Discard, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()) || !strings.Contains(err.Error(), "--addr 127.0.0.1:0") {
		t.Errorf("%v", err)
	}
}
