package story_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"matricula/internal/apptest/app"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// lines is what a program writes.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestTheReceiverOfTheDocumentationIsTold builds the Go program of docs/programs.md and
// has a running server tell it things.
func TestTheReceiverOfTheDocumentationIsTold(t *testing.T) {
	page, err := os.ReadFile("../../../docs/programs.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllSubmatch(page, -1)
	if len(blocks) != 1 {
		t.Fatalf("docs/programs.md has %d Go programs", len(blocks))
	}
	dir := t.TempDir()
	source, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "receiver")
	if err := os.WriteFile(source, blocks[0][1], 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("the program cannot be built: %v\n%s", err, out)
	}

	a := app.Start(t, "sqlite")
	root, secret := a.Admin("root@uni.example")
	by := a.As(secret)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	made, err := a.Service.CreateWebhook(t.Context(), by, 0, service.WebhookFields{URL: "http://" + address + "/matricula", Events: []string{"enrollment.created"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := &lines{}
	receiver := exec.Command(program)
	receiver.Env = append(os.Environ(), "ADDR="+address, "WEBHOOK_SECRET="+made.Secret)
	receiver.Stderr = out
	if err := receiver.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = receiver.Process.Kill()
		_ = receiver.Wait()
	})
	eventually(t, "the receiver listens", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	course, err := a.Service.CreateCourse(t.Context(), by, lms.CourseFields{Title: "Algorithms"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is told", func() bool {
		return strings.Contains(out.String(), fmt.Sprintf("enrollment.created %d %d", root.ID, course.Course.ID))
	})
	eventually(t, "the log says so", func() bool {
		p, err := a.Service.WebhookDeliveries(t.Context(), by, made.Webhook.ID, lms.DeliveryDelivered, 0, 10)
		return err == nil && len(p.Deliveries) == 1
	})
	// Whoever else says something is not believed.
	res, err := http.Post("http://"+address+"/matricula", "application/json", strings.NewReader(`{"id":"evt_x","type":"user.erased","data":{"user_id":1}}`))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusUnauthorized || strings.Contains(out.String(), "user.erased") {
		t.Errorf("what is not signed is answered with %d", res.StatusCode)
	}
}

// eventually waits for what others do.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("%s: not within half a minute", what)
		}
	}
}
