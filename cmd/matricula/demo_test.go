package main

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestTheDemoOpensStopsAndLeavesNothingBehind(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		// What is configured for a real school does not reach the demo.
		p := start(t, []string{"MATRICULA_DATABASE=nonsense"}, "demo", "--addr=localhost:0")
		open := regexp.MustCompile(`open at\s+(http://localhost:\d+)`)
		for deadline := time.Now().Add(30 * time.Second); p.base == ""; time.Sleep(10 * time.Millisecond) {
			if m := open.FindStringSubmatch(strings.Join(p.stdout.all(), "\n")); m != nil {
				p.base = m[1]
			} else if time.Now().After(deadline) {
				t.Fatalf("the demo does not open: %v %v", p.stdout.all(), p.stderr.all())
			}
		}
		if status, _, body := p.get("/", ""); status != http.StatusOK || !strings.Contains(body, "Sign in") {
			t.Errorf("%d %s", status, body)
		}
		if entries, err := os.ReadDir(os.TempDir()); err != nil || len(entries) != 1 {
			t.Errorf("while it runs: %v %v", entries, err)
		}
		p.signal(s)
		if code := p.wait(); code != exitDone {
			t.Errorf("%v: exit code %d: %v", s, code, p.stderr.all())
		}
		if entries, err := os.ReadDir(os.TempDir()); err != nil || len(entries) != 0 {
			t.Errorf("%v stayed behind: %v", entries, err)
		}
	}
}

func TestTheDemoRefusesToBeReachableFromElsewhere(t *testing.T) {
	command(t, nil, "demo", "--addr=0.0.0.0:0").wantRefusal(t, exitFailed, "--addr", "this computer only")
}
