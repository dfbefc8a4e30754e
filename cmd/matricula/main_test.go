package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

// asProgram makes this test binary the program itself, so that tests run real
// processes without building one.
const asProgram = "TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		storetest.Main(m)
	}
	// The test holds the other end: a program whose test is gone ends too.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(99)
	}()
	main()
}

// result is how a command ended.
type result struct {
	code           int
	stdout, stderr string
}

// command runs the program within the test.
func command(t *testing.T, environ []string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, args, environ, strings.NewReader(""), &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// wantRefusal makes sure that a command failed with one line that says all of
// the words, and printed nothing else.
func (r result) wantRefusal(t *testing.T, code int, words ...string) {
	t.Helper()
	if r.code != code || r.stdout != "" || strings.Count(r.stderr, "\n") != 1 || !strings.HasPrefix(r.stderr, "matricula: ") {
		t.Errorf("exit code %d, want %d, stdout %q, stderr %q", r.code, code, r.stdout, r.stderr)
	}
	for _, word := range words {
		if !strings.Contains(r.stderr, word) {
			t.Errorf("%q is not said in: %s", word, r.stderr)
		}
	}
}

// environment is one in which the program serves on any free port, with a
// provider that nobody needs to reach.
func environment(dsn string, more ...string) []string {
	return append([]string{
		"MATRICULA_ADDR=127.0.0.1:0", "MATRICULA_DATABASE=" + dsn,
		"MATRICULA_OIDC_TEST_ISSUER=http://127.0.0.1:1", "MATRICULA_OIDC_TEST_CLIENT_ID=matricula",
	}, more...)
}

func emptyFile(t *testing.T) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "matricula.db")
}

// process is the program as a process of its own.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	ended  chan struct{}
	stdout lines
	stderr lines

	base string // where it listens
}

// lines collects what a process writes, and can be read while it runs.
type lines struct {
	mu   sync.Mutex
	list []string
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string{}, l.list...)
}

func (l *lines) collect(r io.Reader) {
	for s := bufio.NewScanner(r); s.Scan(); {
		l.mu.Lock()
		l.list = append(l.list, s.Text())
		l.mu.Unlock()
	}
}

// start starts a process, which ends with the test at the latest.
func start(t *testing.T, environ []string, args ...string) *process {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(binary, args...), ended: make(chan struct{})}
	p.cmd.Env = append([]string{asProgram + "=1", "PATH=/usr/bin:/bin", "TMPDIR=" + os.TempDir()}, environ...)
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		var wg sync.WaitGroup
		wg.Go(func() { p.stdout.collect(stdout) })
		wg.Go(func() { p.stderr.collect(stderr) })
		wg.Wait()
		_ = p.cmd.Wait() // how it ended is in its state
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
		_ = stdin.Close()
	})
	return p
}

// serve starts a server and waits until it listens.
func serve(t *testing.T, environ []string, args ...string) *process {
	t.Helper()
	p := start(t, environ, append([]string{"serve"}, args...)...)
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		for _, line := range p.stderr.all() {
			var l struct{ Msg, Address string }
			if json.Unmarshal([]byte(line), &l) == nil && l.Msg == "listening" {
				p.base = "http://" + l.Address
				return p
			}
		}
		select {
		case <-p.ended:
			t.Fatalf("the server ended with code %d: %v", p.cmd.ProcessState.ExitCode(), p.stderr.all())
		default:
		}
	}
	t.Fatalf("the server does not listen: %v", p.stderr.all())
	return nil
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// wait waits for the end and gives the exit code, -1 when a signal ended it.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(40 * time.Second):
		p.t.Fatalf("the process does not end: %v", p.stderr.all())
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code != exitDone {
		p.t.Errorf("stopped with code %d: %v", code, p.stderr.all())
	}
}

// get asks the server, with a token when one is given. A server that cannot be
// reached answers 0.
func (p *process) get(path, token string) (status int, contentType, body string) {
	p.t.Helper()
	req, err := http.NewRequest(http.MethodGet, p.base+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := (&http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) {
		return 0, "", ""
	}
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), string(b)
}

// until waits until a path answers with a status.
func (p *process) until(path string, status int) {
	p.t.Helper()
	var got int
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if got, _, _ = p.get(path, ""); got == status {
			return
		}
	}
	p.t.Fatalf("%s answers %d, not %d", path, got, status)
}

// newToken makes a token as an operator does.
func newToken(t *testing.T, environ []string, args ...string) string {
	t.Helper()
	r := command(t, environ, append([]string{"token", "create"}, args...)...)
	secret, rest, _ := strings.Cut(r.stdout, "\n")
	if r.code != exitDone || rest != "" || r.stderr != "" || !strings.HasPrefix(secret, "mat_") {
		t.Fatalf("exit code %d, stdout %q, stderr %q", r.code, r.stdout, r.stderr)
	}
	return secret
}

func TestAWrongCommandLineIsExplainedAndEndsWithTwo(t *testing.T) {
	for _, c := range []struct {
		args []string
		word string
	}{
		{nil, "expected one of"},
		{[]string{"nonsense"}, "nonsense"},
		{[]string{"serve", "--port=80"}, "--port"},
		{[]string{"token"}, "create"},
		{[]string{"token", "create"}, "--service"},
		{[]string{"token", "create", "--service=a", "--user=b@uni.example"}, "--user"},
		{[]string{"token", "create", "--service=a", "--site-role=owner"}, "--site-role"},
		{[]string{"token", "create", "--user=b@uni.example", "--site-role=admin"}, "--site-role"},
		{[]string{"token", "create", "--service=a", "--expires=tomorrow"}, "90d"},
		{[]string{"token", "create", "--service=a", "--expires=0d"}, "90d"},
		{[]string{"token", "create", "--service=a", "--expires=-1h"}, "90d"},
		{[]string{"token", "create", "--service=a", "--expires=99999999999999d"}, "90d"},
	} {
		command(t, nil, c.args...).wantRefusal(t, exitUsage, c.word, "--help")
	}
}

func TestHelpIsNoError(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"serve", "--help"}, {"token", "create", "-h"}} {
		r := command(t, nil, args...)
		if r.code != exitDone || r.stderr != "" || !strings.Contains(r.stdout, "Usage: matricula") {
			t.Errorf("%v: %+v", args, r)
		}
	}
}

func TestTheVersionNamesTheSchema(t *testing.T) {
	r := command(t, []string{"MATRICULA_ADDR=wrong"}, "version")
	if r.code != exitDone || !strings.HasPrefix(r.stdout, "matricula ") || !strings.Contains(r.stdout, "\ncommit ") || !strings.Contains(r.stdout, fmt.Sprintf("\nschema %d\n", store.SchemaVersion())) {
		t.Errorf("%+v", r)
	}
}
