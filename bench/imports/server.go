package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"matricula/internal/apptest/leash"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// build makes the program as an operator makes it.
func (b *bench) build(ctx context.Context) error {
	b.program = filepath.Join(b.folder, "matricula")
	out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", b.program, "matricula/cmd/matricula").CombinedOutput()
	if err != nil {
		return fmt.Errorf("build the program: %w: %s", err, out)
	}
	return nil
}

// server is the program as a process of its own, on a database with some courses.
type server struct {
	url     string
	token   string // of a service account that is a site administrator
	cookie  string // of the owner's session
	courses []int64
	people  []int64 // of the first course
	client  *http.Client

	cmd   *exec.Cmd
	ended chan error
	log   bytes.Buffer
	leash *leash.Leash
	drop  func() error
}

// peopleAPage are in the course whose People page is asked for.
const peopleAPage = 200

// start makes a database with so many courses, of which all have some people, and
// serves it.
func (b *bench) start(ctx context.Context, engine string, courses int) (s *server, err error) {
	dsn, drop, err := b.database(engine)
	if err != nil {
		return nil, err
	}
	s = &server{drop: drop, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}, Timeout: 10 * time.Minute}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	if err := s.prepare(ctx, dsn, courses); err != nil {
		return s, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return s, err
	}
	s.url = "http://" + l.Addr().String()
	if err := l.Close(); err != nil {
		return s, err
	}
	// The program does not outlive this process. The leash's folder is not made: what
	// the program writes lies in the bench's own.
	if s.leash, err = leash.New(filepath.Join(b.folder, "leash")); err != nil {
		return s, err
	}
	s.cmd = exec.CommandContext(context.WithoutCancel(ctx), b.program, "serve")
	s.cmd.Env = []string{
		"HOME=" + b.folder, "TMPDIR=" + b.folder, "TZ=UTC", "MATRICULA_DATABASE=" + dsn, "MATRICULA_ADDR=" + l.Addr().String(), "MATRICULA_URL=" + s.url,
		"MATRICULA_OIDC_CAMPUS_ISSUER=" + provider.Issuer, "MATRICULA_OIDC_CAMPUS_CLIENT_ID=" + provider.ClientID,
	}
	for _, name := range []string{"GOMEMLIMIT", "GOGC"} { // the operator's
		if v, ok := os.LookupEnv(name); ok {
			s.cmd.Env = append(s.cmd.Env, name+"="+v)
		}
	}
	s.cmd.Stderr = &s.log
	if err := s.cmd.Start(); err != nil {
		return s, err
	}
	s.ended = make(chan error, 1)
	go func() { s.ended <- s.cmd.Wait() }()
	if err := s.leash.Hold(s.cmd.Process.Pid, "TERM"); err != nil {
		return s, err
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if res, err := s.client.Get(s.url + "/readyz"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return s, nil
			}
		}
		if len(s.ended) > 0 || time.Now().After(deadline) {
			return s, fmt.Errorf("the program is not ready: %s", &s.log)
		}
	}
}

func (s *server) prepare(ctx context.Context, dsn string, courses int) (err error) {
	b, err := begin(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.store.Close(), analyze(ctx, dsn)) }()
	s.cookie = b.secret
	for i := range courses {
		id, err := b.newCourse(ctx, fmt.Sprintf("Course %d", i))
		if err != nil {
			return err
		}
		s.courses = append(s.courses, id)
		list := make([]string, peopleAPage)
		for k := range list {
			list[k] = fmt.Sprintf("student.%05d@uni.example", k)
		}
		rows, err := b.svc.Enroll(ctx, b.owner, service.EnrollRequest{CourseID: id, Role: lms.RoleStudent, Emails: list, Source: lms.SourcePaste})
		if err != nil {
			return err
		}
		if i == 0 {
			for _, r := range rows {
				s.people = append(s.people, r.UserID)
			}
		}
	}
	made, err := b.svc.ServiceToken(ctx, "bench", "", lms.SiteAdmin, service.NewToken{Name: "bench"})
	s.token = made.Secret
	return err
}

func (s *server) stop() error {
	var err error
	if s.cmd != nil && s.cmd.Process != nil {
		err = s.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case ended := <-s.ended:
			err = errors.Join(err, ended)
		case <-time.After(30 * time.Second):
			err = errors.Join(errors.New("the program does not end"), s.cmd.Process.Kill())
		}
	}
	if s.leash != nil {
		err = errors.Join(err, s.leash.Release(), s.leash.Close())
	}
	for line := range bytes.Lines(s.log.Bytes()) {
		if bytes.Contains(line, []byte(`"level":"WARN"`)) || bytes.Contains(line, []byte(`"level":"ERROR"`)) {
			err = errors.Join(err, fmt.Errorf("the program logged: %s", line))
			break
		}
	}
	return errors.Join(err, s.drop())
}

func (s *server) peak() (int64, error) { return peakMemory(strconv.Itoa(s.cmd.Process.Pid)) }

// send makes one request. Every status but 2xx is an error.
func (s *server) send(ctx context.Context, method, path, kind string, body io.Reader) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, body)
	if err != nil {
		return nil, err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if strings.HasPrefix(path, "/api/") {
		req.Header.Set("Authorization", "Bearer "+s.token)
	} else {
		req.AddCookie(&http.Cookie{Name: "matricula", Value: s.cookie})
	}
	res, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: status %d: %.300s", method, path, res.StatusCode, got)
	}
	return got, err
}

// imported is what the API says of an import.
type imported struct {
	ID     int64
	State  string
	Rows   int64
	Done   int64
	Counts map[string]int64
}

func (s *server) ask(ctx context.Context, method, path string) (i imported, err error) {
	kind, body := "", io.Reader(nil)
	if method == http.MethodPost {
		kind, body = "application/json", bytes.NewReader([]byte("{}"))
	}
	got, err := s.send(ctx, method, path, kind, body)
	if err != nil {
		return i, err
	}
	return i, json.Unmarshal(got, &i)
}

// upload brings a list and waits until it is checked.
func (s *server) upload(ctx context.Context, course int64, file string) (i imported, err error) {
	f, err := os.Open(file)
	if err != nil {
		return i, err
	}
	defer f.Close()
	got, err := s.send(ctx, http.MethodPost, fmt.Sprintf("/api/v1/courses/%d/imports", course), "text/csv", f)
	if err != nil {
		return i, err
	}
	if err := json.Unmarshal(got, &i); err != nil {
		return i, err
	}
	return s.await(ctx, i.ID, "ready", nil)
}

// carry starts an import.
func (s *server) carry(ctx context.Context, id int64) error {
	_, err := s.ask(ctx, http.MethodPost, fmt.Sprintf("/api/v1/imports/%d/start", id))
	return err
}

// await waits for a state and shows each look to see.
func (s *server) await(ctx context.Context, id int64, state string, see func(imported)) (imported, error) {
	for deadline := time.Now().Add(20 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		i, err := s.ask(ctx, http.MethodGet, fmt.Sprintf("/api/v1/imports/%d", id))
		switch {
		case err != nil:
			return i, err
		case i.State == state:
			return i, nil
		case i.State == "failed" || i.State == "columns" || time.Now().After(deadline):
			return i, fmt.Errorf("import %d is %s instead of %s", id, i.State, state)
		}
		if see != nil {
			see(i)
		}
	}
}
