package story_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"matricula/internal/apptest"
	"matricula/internal/apptest/leash"
)

// How long the program may take on a busy machine of two cores.
const (
	buildLimit   = 10 * time.Minute
	startLimit   = 60 * time.Second
	stopLimit    = 30 * time.Second
	requestLimit = 60 * time.Second
)

// built is the program, made once for the tests of this package as an operator
// makes it. Its folder goes when the test process ends.
var built = sync.OnceValues(func() (b binary, err error) {
	folder, err := os.MkdirTemp("", "matricula-program-")
	if err != nil {
		return b, fmt.Errorf("make a folder for the program: %w", err)
	}
	if b.leash, err = leash.New(folder); err != nil {
		return b, errors.Join(err, os.RemoveAll(folder))
	}
	b.path = filepath.Join(folder, "matricula")
	ctx, cancel := context.WithTimeout(context.Background(), buildLimit)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", b.path, "matricula/cmd/matricula").CombinedOutput(); err != nil {
		return b, fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return b, nil
})

type binary struct {
	path  string
	leash *leash.Leash // kept, because the folder goes with it
}

// program is the built program with one environment, and the server that it
// runs as a process of its own.
type program struct {
	path, folder string
	env          []string

	server *exec.Cmd
	ended  chan error
	log    output // what the server writes, to standard output and standard error
}

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

// serve starts the server on a free port and answers its address when it is
// ready. However the test process ends, the server does not outlive it.
func serve(t *testing.T, env ...string) (*program, string) {
	t.Helper()
	b, err := built()
	if err != nil {
		t.Fatal(err)
	}
	// Between the moment a port is found free and the moment the server takes
	// it, another process may: then the next one is tried.
	for range 5 {
		var address string
		if address, err = freeAddress(); err != nil {
			break
		}
		url := "http://" + address
		p := &program{path: b.path, folder: t.TempDir(), env: slices.Concat(env, []string{"MATRICULA_ADDR=" + address, "MATRICULA_URL=" + url})}
		if err = p.start(t, url); err == nil {
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("the server's log:\n%s", &p.log)
				}
			})
			return p, url
		}
		if !strings.Contains(p.log.String(), "address already in use") {
			break
		}
	}
	t.Fatal(err)
	return nil, ""
}

// freeAddress is a loopback address on which nobody listens, outside of the
// ports from which the system takes those of outgoing connections.
func freeAddress() (string, error) {
	var err error
	for range 100 {
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(12_000))); err == nil {
			return l.Addr().String(), l.Close()
		}
	}
	return "", fmt.Errorf("find a free port: %w", err)
}

func (p *program) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Dir = p.folder
	cmd.Env = append([]string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + p.folder, "TZ=UTC"}, p.env...)
	return cmd
}

// run runs a command to its end and answers its standard output.
func (p *program) run(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	cmd := p.command(ctx, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("matricula %s: %v\n%s%s", strings.Join(args, " "), err, out, &stderr)
	}
	return string(out)
}

func (p *program) start(t *testing.T, url string) error {
	t.Helper()
	hold, err := leash.New(p.folder)
	if err != nil {
		return err
	}
	p.server = p.command(context.WithoutCancel(t.Context()), "serve")
	p.server.Stdout, p.server.Stderr = &p.log, &p.log
	if err := p.server.Start(); err != nil {
		return errors.Join(fmt.Errorf("start the server: %w", err), hold.Close())
	}
	p.ended = make(chan error, 1)
	go func() { p.ended <- p.server.Wait() }()
	t.Cleanup(func() {
		_ = p.server.Process.Kill() // most often it has been stopped before
		if err := errors.Join(hold.Release(), hold.Close()); err != nil {
			t.Error(err)
		}
	})
	if err := hold.Hold(p.server.Process.Pid, "TERM"); err != nil {
		return err
	}
	return p.await(url)
}

func (p *program) await(url string) error {
	client := http.Client{Timeout: 5 * time.Second}
	deadline := time.After(startLimit)
	for {
		if res, err := client.Get(url + "/readyz"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-p.ended:
			return fmt.Errorf("the server ended before it was ready: %w\n%s", err, &p.log)
		case <-deadline:
			return fmt.Errorf("the server was not ready after %v\n%s", startLimit, &p.log)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop sends SIGTERM and answers how the server ended: nil is exit code 0.
func (p *program) stop() error {
	if err := p.server.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop the server: %w", err)
	}
	select {
	case err := <-p.ended:
		return err
	case <-time.After(stopLimit):
		return fmt.Errorf("the server still runs %v after SIGTERM", stopLimit)
	}
}

// client is a program with an API token, or somebody's browser with its
// cookies.
type client struct {
	base, token string
	http        *http.Client
}

func newClient(t *testing.T, base string) *client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &client{base: base, http: &http.Client{Jar: jar, Timeout: requestLimit}}
}

// reply is what a request led to, after all redirects.
type reply struct {
	asked  string
	status int
	kind   string // the media type
	body   []byte
}

func (c *client) send(t *testing.T, method, path string, body any) reply {
	t.Helper()
	r, err := c.try(method, path, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// try is send for several goroutines at once, which may not end the test.
func (c *client) try(method, path string, body any) (reply, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return reply{}, err
		}
		content = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, c.base+path, content)
	if err != nil {
		return reply{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	kind, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
	return reply{method + " " + path, res.StatusCode, kind, text}, err
}

func (c *client) get(t *testing.T, path string) reply {
	t.Helper()
	return c.send(t, http.MethodGet, path, nil)
}

// want fails the test unless the status is this one.
func (r reply) want(t *testing.T, status int) reply {
	t.Helper()
	if r.status != status {
		t.Fatalf("%s answered %d, want %d: %.800s", r.asked, r.status, status, r.body)
	}
	return r
}

func (r reply) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(r.body, v); err != nil {
		t.Fatalf("%s: %v: %.400s", r.asked, err, r.body)
	}
}

// problem expects a refusal: its status, its type, and the places at fault.
func (r reply) problem(t *testing.T, status int, name string, locations ...string) {
	t.Helper()
	r.want(t, status)
	var p struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Detail string `json:"detail"`
		Errors []struct {
			Location string `json:"location"`
		} `json:"errors"`
	}
	r.into(t, &p)
	if got := p.Type[strings.LastIndex(p.Type, "/")+1:]; r.kind != "application/problem+json" || got != name || p.Title == "" || p.Detail == "" {
		t.Errorf("%s answered %s %q, want the problem %q: %s", r.asked, r.kind, got, name, r.body)
	}
	if len(p.Errors) != len(locations) {
		t.Fatalf("%s names %d places at fault, want %q: %s", r.asked, len(p.Errors), locations, r.body)
	}
	for i, want := range locations {
		if p.Errors[i].Location != want {
			t.Errorf("%s finds fault with %s, want %s", r.asked, p.Errors[i].Location, want)
		}
	}
}

// signIn goes through the whole OpenID flow over HTTP, in a browser of the
// person's own that has no cookie before.
func signIn(t *testing.T, issuer *apptest.Issuer, base string, p apptest.Person) (*client, reply) {
	t.Helper()
	issuer.SignInAs(p)
	c := newClient(t, base)
	return c, c.get(t, "/auth/campus/start?next=/")
}

// secrets are the values of a browser's cookies.
func (c *client) secrets(t *testing.T) []string {
	t.Helper()
	u, err := url.Parse(c.base)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, cookie := range c.http.Jar.Cookies(u) {
		values = append(values, cookie.Value)
	}
	return values
}
