package faults_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/apptest/leash"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const (
	buildLimit = 10 * time.Minute
	startLimit = 60 * time.Second
	patience   = 90 * time.Second // for one step of an import on a busy machine
)

// built is the program, made once for the tests of this package. Its folder goes
// when the test process ends.
var built = sync.OnceValues(func() (b binary, err error) {
	folder, err := os.MkdirTemp("", "matricula-program-")
	if err != nil {
		return b, err
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

// school is a database with a teacher's course, and whoever sends requests to its
// nodes.
type school struct {
	db     *storetest.Database
	course int64
	token  string // of a service account that is a site administrator
	disk   string // where the file of a node with a file system of its own is seen
}

func openSchool(t *testing.T, engine string) *school {
	t.Helper()
	db := storetest.New(t, engine)
	st := db.OpenUnstarted(t)
	s := &school{db: db}
	ctx := t.Context()
	must(t, st.Start(ctx))
	svc := service.New(st, service.Options{Now: time.Now, Log: slog.New(slog.DiscardHandler), SignUp: signin.SignUpAnyone})
	must(t, svc.NameAdmins(ctx, []lms.Email{"root@uni.example"}))
	campus := signin.Provider{Name: "campus", Label: "Campus", Issuer: "https://id.uni.example", ClientID: "matricula", Kind: signin.KindOIDC, TrustAll: true}
	in, err := svc.SignIn(ctx, campus, signin.Token{Issuer: campus.Issuer, Subject: "root", Email: "root@uni.example", EmailVerified: signin.VerifiedTrue}, "test", "")
	must(t, err)
	v, err := svc.CreateCourse(ctx, access.Caller{UserID: in.User.ID, Kind: in.User.Kind, SiteRole: in.User.SiteRole, SessionID: in.Session.ID}, lms.CourseFields{Title: "Algorithms"}, nil)
	must(t, err)
	made, err := svc.ServiceToken(ctx, "registry", "", lms.SiteAdmin, service.NewToken{Name: "test"})
	must(t, err)
	s.course, s.token = v.Course.ID, made.Secret
	must(t, st.Close())
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// look opens the database beside its nodes, to look on.
func (s *school) look(t *testing.T) *sql.DB {
	t.Helper()
	if s.db.Engine == storetest.PostgreSQL {
		return s.db.SQL(t)
	}
	source := "file:" + strings.TrimPrefix(s.db.DSN, "sqlite:") + "?mode=ro&_pragma=busy_timeout(5000)"
	if s.disk != "" {
		// SQLite would look for the file where the path leads outside of the namespace.
		// What is copied is whole, as long as nobody writes meanwhile.
		folder := t.TempDir()
		for _, name := range []string{"matricula.db", "matricula.db-wal"} {
			file, err := os.ReadFile(filepath.Join(s.disk, name))
			must(t, err)
			must(t, os.WriteFile(filepath.Join(folder, name), file, 0o600))
		}
		source = "file:" + filepath.Join(folder, "matricula.db")
	}
	db, err := sql.Open("sqlite", source)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

func (s *school) count(t *testing.T, from string, args ...any) int64 {
	t.Helper()
	return storetest.Query1[int64](t, s.look(t), `SELECT count(*) FROM `+from, args...)
}

// node is one process of the program.
type node struct {
	school *school
	url    string
	cmd    *exec.Cmd
	ended  chan struct{}
	hold   *leash.Leash
	log    output
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

// serve starts a node and returns when it is ready. However the test process ends,
// it does not outlive it.
func (s *school) serve(t *testing.T) *node {
	t.Helper()
	n, err := s.start(t, func(program string) *exec.Cmd { return exec.Command(program, "serve") }, s.db.DSN)
	must(t, err)
	return n
}

func (s *school) start(t *testing.T, command func(program string) *exec.Cmd, dsn string) (*node, error) {
	t.Helper()
	program, err := built()
	must(t, err)
	// Between the moment a port is found free and the moment the node takes it,
	// another process may: then the next one is tried.
	for range 5 {
		n := &node{school: s, ended: make(chan struct{})}
		address := freeAddress(t)
		n.url = "http://" + address
		n.cmd = command(program.path)
		n.cmd.Dir = t.TempDir()
		n.cmd.Env = []string{
			"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME=" + n.cmd.Dir, "TMPDIR=" + n.cmd.Dir, "TZ=UTC", "MATRICULA_DATABASE=" + dsn,
			"MATRICULA_ADDR=" + address, "MATRICULA_URL=" + n.url, "MATRICULA_OIDC_CAMPUS_ISSUER=https://id.uni.example", "MATRICULA_OIDC_CAMPUS_CLIENT_ID=matricula",
		}
		if err = n.begin(t); err == nil {
			return n, nil
		}
		if !strings.Contains(n.log.String(), "address already in use") {
			break
		}
	}
	return nil, err
}

func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(12_000))); err == nil {
			must(t, l.Close())
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

func (n *node) begin(t *testing.T) (err error) {
	if n.hold, err = leash.New(n.cmd.Dir); err != nil {
		return err
	}
	n.cmd.Stdout, n.cmd.Stderr = &n.log, &n.log
	if err := n.cmd.Start(); err != nil {
		return errors.Join(err, n.hold.Close())
	}
	go func() {
		_ = n.cmd.Wait() // how it ended is the test's own doing
		close(n.ended)
	}()
	t.Cleanup(func() {
		n.kill()
		must(t, errors.Join(n.hold.Release(), n.hold.Close()))
		if t.Failed() {
			text := strings.ReplaceAll(n.log.String(), `"level":"INFO","msg":"request"`, "")
			t.Logf("the end of the log of %s:\n%s", n.url, text[max(0, len(text)-4000):])
		}
	})
	if err := n.hold.Hold(n.cmd.Process.Pid, "TERM"); err != nil {
		return err
	}
	for deadline := time.Now().Add(startLimit); ; time.Sleep(10 * time.Millisecond) {
		if res, err := http.Get(n.url + "/readyz"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		if !n.running() || time.Now().After(deadline) {
			return fmt.Errorf("the program is not ready: %s", &n.log)
		}
	}
}

func (n *node) running() bool {
	select {
	case <-n.ended:
		return false
	default:
		return true
	}
}

// kill is kill -9. It returns when the process is gone.
func (n *node) kill() {
	_ = n.cmd.Process.Kill() // an error means that it has ended
	<-n.ended
}

// peak is the most memory that the process has held, in bytes.
func (n *node) peak(t *testing.T) int64 {
	t.Helper()
	f, err := os.Open("/proc/" + strconv.Itoa(n.cmd.Process.Pid) + "/status")
	must(t, err)
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) == 3 && fields[0] == "VmHWM:" {
			kB, err := strconv.ParseInt(fields[1], 10, 64)
			must(t, err)
			return kB << 10
		}
	}
	t.Fatal("the kernel does not say how much memory a process has held: this test needs Linux")
	return 0
}

// answer is what came back; err is that nothing did.
type answer struct {
	status int
	body   []byte
	err    error
}

func (n *node) send(method, path, kind string, body io.Reader, header ...string) answer {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, n.url+path, body)
	if err != nil {
		return answer{err: err}
	}
	req.Header.Set("Authorization", "Bearer "+n.school.token)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{err: err}
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, text, err}
}

func (a answer) ok() bool { return a.err == nil && a.status/100 == 2 }

func (a answer) String() string { return fmt.Sprintf("%d %.300s %v", a.status, a.body, a.err) }

// problem is the type of a refusal.
func (a answer) problem() string {
	var p struct{ Type string }
	_ = json.Unmarshal(a.body, &p) // what is no problem has no type
	return p.Type[strings.LastIndex(p.Type, "/")+1:]
}

// imported is what the API says of an import.
type imported struct {
	ID     int64
	State  string
	Rows   int64
	Done   int64
	Counts map[string]int64
}

func (a answer) imported(t *testing.T) (i imported) {
	t.Helper()
	if !a.ok() {
		t.Fatal(a)
	}
	must(t, json.Unmarshal(a.body, &i))
	return i
}

func (n *node) upload(list string, header ...string) answer {
	return n.send(http.MethodPost, fmt.Sprintf("/api/v1/courses/%d/imports", n.school.course), "text/csv", strings.NewReader(list), header...)
}

func (n *node) carry(id int64) answer {
	return n.send(http.MethodPost, fmt.Sprintf("/api/v1/imports/%d/start", id), "application/json", strings.NewReader("{}"))
}

func (n *node) read(t *testing.T, id int64) imported {
	t.Helper()
	return n.send(http.MethodGet, fmt.Sprintf("/api/v1/imports/%d", id), "", nil).imported(t)
}

// await waits until something holds of an import.
func (n *node) await(t *testing.T, id int64, what string, holds func(imported) bool) imported {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		i := n.read(t, id)
		if holds(i) {
			return i
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %v an import is not %s: %+v", patience, what, i)
		}
	}
}

func (n *node) awaitState(t *testing.T, id int64, states ...string) imported {
	t.Helper()
	return n.await(t, id, strings.Join(states, " or "), func(i imported) bool { return slices.Contains(states, i.State) })
}

// people is a class list of so many people, who are told apart by a mark.
func people(mark string, rows int) string {
	var b strings.Builder
	b.WriteString("email,given name,family name,student number\n")
	for k := range rows {
		fmt.Fprintf(&b, "%s%06d@uni.example,Grace,Hopper %d,%08d\n", mark, k, k, k)
	}
	return b.String()
}

// exact makes sure that a list of new people had its effect once, and that nobody
// was written about twice.
func (s *school) exact(t *testing.T, i imported, mark string, rows int64) {
	t.Helper()
	if i.State != "done" || i.Done != rows || i.Rows != rows || i.Counts["named"] != rows {
		t.Errorf("the report: %+v, want %d named", i, rows)
	}
	like := "e.is_primary AND e.address LIKE '" + mark + "%'"
	for _, c := range []struct {
		what, from string
		want       int64
	}{
		{"people", "emails e WHERE " + like, rows},
		{"enrollments", fmt.Sprintf("enrollments n JOIN emails e ON e.user_id = n.user_id WHERE n.course_id = %d AND n.import_id = %d AND %s", s.course, i.ID, like), rows},
		{"people without an address", "users u LEFT JOIN emails e ON e.user_id = u.id AND e.is_primary WHERE u.kind = 'person' AND e.address IS NULL", 0},
		{"entries of the audit about people of the list", "audit_entries a JOIN emails e ON e.user_id = a.subject_id WHERE " + like, rows},
		{"people of the list about whom the audit speaks twice", "(SELECT a.subject_id FROM audit_entries a JOIN emails e ON e.user_id = a.subject_id WHERE " + like + " GROUP BY a.subject_id HAVING count(*) > 1) d", 0},
		{"chunks that are not done", fmt.Sprintf("import_chunks WHERE import_id = %d AND step <> 'done'", i.ID), 0},
	} {
		if n := s.count(t, c.from); n != c.want {
			t.Errorf("%d %s, want %d", n, c.what, c.want)
		}
	}
	if s.disk == "" { // else the program alone sees the file
		s.db.Invariants(t)
	}
}

// idle makes sure that a list which was carried out before changes nothing.
func (s *school) idle(t *testing.T, n *node, list string, rows int64) {
	t.Helper()
	tables := []string{"users", "emails", "enrollments", "audit_entries WHERE action LIKE 'enrollment%'", "audit_entries WHERE action LIKE 'user%'"}
	var before []int64
	for _, table := range tables {
		before = append(before, s.count(t, table))
	}
	i := n.upload(list).imported(t)
	if i = n.awaitState(t, i.ID, "ready"); i.Counts["already"] != rows {
		t.Errorf("the same list again would do: %v", i.Counts)
	}
	n.carry(i.ID).imported(t)
	if i = n.awaitState(t, i.ID, "done"); i.Counts["already"] != rows {
		t.Errorf("the same list again did: %v", i.Counts)
	}
	for k, table := range tables {
		if now := s.count(t, table); now != before[k] {
			t.Errorf("%s: %d after the same list again, %d before", table, now, before[k])
		}
	}
}
