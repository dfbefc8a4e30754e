package standardprovider

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// How long the program may take on a busy machine of two cores.
const (
	buildLimit = 10 * time.Minute
	startLimit = 60 * time.Second
	stopLimit  = 30 * time.Second
)

// build makes the program as an operator does, and answers its path.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "matricula")
	ctx, cancel := context.WithTimeout(t.Context(), buildLimit)
	defer cancel()
	out, err := exec.CommandContext(ctx, "go", "build", "-C", filepath.Join("..", ".."), "-o", path, "./cmd/matricula").CombinedOutput()
	if err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	return path
}

// freeAddress is a loopback address on which nobody listens, outside of the
// ports from which the system takes those of outgoing connections.
func freeAddress(t *testing.T) string {
	t.Helper()
	var err error
	for range 100 {
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(12_000))); err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		return l.Addr().String()
	}
	t.Fatalf("find a free port: %v", err)
	return ""
}

// program is the program with its environment.
type program struct {
	path   string
	folder string // the working folder of every run
	env    []string
	log    journal // what serve writes to standard error
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

// serve starts the server and waits until it is ready. When the test ends it
// has to stop in good order.
func (p *program) serve(t *testing.T, url string) {
	t.Helper()
	cmd := p.command(context.WithoutCancel(t.Context()), "serve")
	cmd.Stdout, cmd.Stderr = &p.log, &p.log
	// The kernel ends the server with the thread that started it: also when
	// the test process panics or is killed, and cleanups do not run.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started, ended := make(chan error), make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			ended <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		t.Fatalf("start the server: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the server's log:\n%s", &p.log)
		}
	})
	if err := p.await(url, ended); err != nil {
		t.Fatal(errors.Join(err, cmd.Process.Kill()))
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("stop the server: %v", err)
		}
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the server ended with %v after SIGTERM", err)
			}
		case <-time.After(stopLimit):
			t.Errorf("the server still runs %v after SIGTERM (kill: %v)", stopLimit, cmd.Process.Kill())
		}
	})
}

func (p *program) await(url string, ended <-chan error) error {
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
		case err := <-ended:
			return fmt.Errorf("the server ended before it was ready: %w\n%s", err, &p.log)
		case <-deadline:
			return fmt.Errorf("the server was not ready after %v\n%s", startLimit, &p.log)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
