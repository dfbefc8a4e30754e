package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

func TestServeRunsOnBothDatabasesAndTheAPIKnowsTokensFromTheCommandLine(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.PostgreSQL} {
		t.Run(engine, func(t *testing.T) {
			environ := environment(storetest.Empty(t, engine).DSN, "MATRICULA_ADMINS=ada@uni.example")
			p := serve(t, environ)
			for path, want := range map[string]string{"/healthz": "alive", "/readyz": "ready"} {
				if status, _, body := p.get(path, ""); status != http.StatusOK || !strings.Contains(body, want) {
					t.Errorf("%s: %d %s", path, status, body)
				}
			}
			admin := newToken(t, environ, "--service=roster sync", "--site-role=admin", "--expires=90d")
			reader := newToken(t, environ, "--service=reports", "--scopes=read")

			var me struct {
				SiteRole string   `json:"site_role"`
				Scopes   []string `json:"scopes"`
			}
			for token, want := range map[string]string{admin: "admin [read write]", reader: "member [read]"} {
				status, _, body := p.get("/api/v1/me", token)
				if err := json.Unmarshal([]byte(body), &me); status != http.StatusOK || err != nil || fmt.Sprint(me.SiteRole, " ", me.Scopes) != want {
					t.Errorf("%d %v %s, want %s", status, err, body, want)
				}
			}
			if _, _, body := p.get("/api/v1/users?search=ada@uni.example", admin); !strings.Contains(body, `"site_role":"admin"`) || !strings.Contains(body, `"status":"pending"`) {
				t.Errorf("the administrator of MATRICULA_ADMINS is not named: %s", body)
			}
			p.stop()
			for _, line := range p.stderr.all() {
				var any map[string]any
				if err := json.Unmarshal([]byte(line), &any); err != nil {
					t.Errorf("a line of the log is no JSON: %s", line)
				}
				if strings.Contains(line, "uni.example") || strings.Contains(line, "mat_") {
					t.Errorf("an address or a token is in the log: %s", line)
				}
			}
		})
	}
}

// slowly begins a request that takes as long as the test likes.
func (p *process) slowly(token, body string) (conn net.Conn, finish func() int) {
	p.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.base, "http://"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = conn.Close() })
	half := len(body) / 2
	_, err = fmt.Fprintf(conn, "POST /api/v1/courses HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		token, len(body), body[:half])
	if err != nil {
		p.t.Fatal(err)
	}
	return conn, func() int {
		p.t.Helper()
		if _, err := fmt.Fprint(conn, body[half:]); err != nil {
			p.t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			p.t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
}

func TestE12AStopLetsRequestsInProgressFinishAndRefusesNewOnes(t *testing.T) {
	environ := environment(emptyFile(t))
	p := serve(t, environ)
	token := newToken(t, environ, "--service=setup", "--site-role=admin")
	_, finish := p.slowly(token, `{"title": "Begun before the stop"}`)
	time.Sleep(200 * time.Millisecond) // so that the server has begun to read it

	p.signal(syscall.SIGTERM)
	p.until("/readyz", http.StatusServiceUnavailable)
	// By now the listener may be closed already, but it must not say otherwise.
	if status, _, _ := p.get("/healthz", ""); status != http.StatusOK && status != 0 {
		t.Errorf("not ready, and said to be not alive: %d", status)
	}
	p.until("/healthz", 0)
	if status := finish(); status != http.StatusCreated {
		t.Errorf("the request in progress was answered with %d", status)
	}
	if code := p.wait(); code != exitDone {
		t.Errorf("exit code %d: %v", code, p.stderr.all())
	}
	again := serve(t, environ)
	if _, _, body := again.get("/api/v1/courses?all=true", token); !strings.Contains(body, "Begun before the stop") {
		t.Errorf("what was acknowledged is gone: %s", body)
	}
	again.stop()
}

func TestE12ASecondSignalEndsAtOnce(t *testing.T) {
	environ := environment(emptyFile(t))
	p := serve(t, environ)
	token := newToken(t, environ, "--service=setup", "--site-role=admin")
	p.slowly(token, `{"title": "Never finished"}`)
	time.Sleep(200 * time.Millisecond)
	p.signal(syscall.SIGTERM)
	p.until("/healthz", 0)
	began := time.Now()
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code == exitDone || time.Since(began) > 5*time.Second {
		t.Errorf("ended with code %d after %s", code, time.Since(began))
	}
	serve(t, environ).stop()
}

func TestE22ASecondServerOnTheSameFileIsRefused(t *testing.T) {
	dsn := emptyFile(t)
	path := strings.TrimPrefix(dsn, "sqlite:")
	environ := environment(dsn)
	first := serve(t, environ)

	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	relative, err := filepath.Rel(must(os.Getwd()), path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, link, relative} {
		command(t, environment("sqlite:"+name), "serve").wantRefusal(t, exitFailed, "MATRICULA_DATABASE", "another matricula server")
	}
	for _, args := range [][]string{{"migrate"}, {"token", "create", "--service=beside"}} {
		if r := command(t, environ, args...); r.code != exitDone {
			t.Errorf("%v beside a running server: %+v", args, r)
		}
	}
	first.signal(syscall.SIGKILL)
	first.wait()
	serve(t, environ).stop()
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestE22ADatabaseFileThatCannotBeUsedIsRefusedWithTheReason(t *testing.T) {
	folder := t.TempDir()
	garbage := filepath.Join(folder, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("this is no database. ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, reason := range map[string]string{
		garbage:                                  "not a database",
		folder:                                   "no file",
		filepath.Join(folder, "missing", "x.db"): "make it first",
		filepath.Join(folder, "garbage.db", "x.db"):   "garbage.db",
		filepath.Join(folder, "garbage.db", "a", "x"): "",
	} {
		for _, args := range [][]string{{"serve"}, {"migrate"}} {
			command(t, environment("sqlite:"+path), args...).wantRefusal(t, exitFailed, "MATRICULA_DATABASE", reason)
		}
	}
}

func TestE04SettingsThatCouldLoseWhatWasAcknowledgedStopTheStart(t *testing.T) {
	dsn := storetest.Postgres(t) + "&synchronous_commit=off"
	command(t, environment(dsn), "serve").wantRefusal(t, exitFailed, "MATRICULA_DATABASE", "synchronous_commit is off")
	if r := command(t, environment(dsn), "doctor"); r.code != exitFailed || !strings.Contains(r.stdout, "FAIL durability: synchronous_commit is off") {
		t.Errorf("%+v", r)
	}
}

func TestServeDoesNotStartWithoutWhatItNeeds(t *testing.T) {
	file := emptyFile(t)
	unreachable := "postgres://me:the-password@127.0.0.1:1/lms?sslmode=disable&connect_timeout=2"
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct {
		environ []string
		words   []string
	}{
		{environment(file, "MATRICULA_SIGN_UP=named"), []string{"MATRICULA_SIGN_UP is not known", "MATRICULA_SIGNUP"}},
		{environment(file, "MATRICULA_PENDING_DAYS=soon"), []string{"MATRICULA_PENDING_DAYS"}},
		{[]string{"MATRICULA_DATABASE=" + file}, []string{"no sign-in provider", "MATRICULA_GOOGLE_CLIENT_ID"}},
		{environment(unreachable), []string{"MATRICULA_DATABASE", "127.0.0.1:1/lms", "refused"}},
		{append([]string{"MATRICULA_ADDR=" + taken.Addr().String()}, environment(file)...), []string{"MATRICULA_ADDR", "in use"}},
	} {
		r := command(t, c.environ, "serve")
		r.wantRefusal(t, exitFailed, c.words...)
		if strings.Contains(r.stderr, "the-password") {
			t.Errorf("the password is shown: %s", r.stderr)
		}
	}
}

func TestMigrateBringsTheDatabaseToThisVersionOrSaysWhyNot(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.PostgreSQL} {
		t.Run(engine, func(t *testing.T) {
			db := storetest.Empty(t, engine)
			environ := environment(db.DSN)
			command(t, environ, "serve", "--no-migrate").wantRefusal(t, exitFailed, "matricula migrate")
			for range 2 {
				if r := command(t, environ, "migrate"); r.code != exitDone || !strings.Contains(r.stdout, fmt.Sprintf("schema version %d", store.SchemaVersion())) {
					t.Fatalf("%+v", r)
				}
			}
			serve(t, environ, "--no-migrate").stop()
			storetest.Exec(t, db.SQL(t), `UPDATE goose_db_version SET version_id = 9999 WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`)
			for _, args := range [][]string{{"migrate"}, {"serve"}, {"serve", "--no-migrate"}, {"token", "create", "--service=x"}} {
				command(t, environ, args...).wantRefusal(t, exitFailed, "9999", "newer")
			}
		})
	}
}

func TestADatabaseThatGoesAwayAndComesBackIsSurvived(t *testing.T) {
	cluster := storetest.PrivateCluster(t)
	environ := environment(cluster.DSN())
	p := serve(t, environ)
	token := newToken(t, environ, "--service=setup", "--site-role=admin")
	if status, _, _ := p.get("/api/v1/me", token); status != http.StatusOK {
		t.Fatalf("before: %d", status)
	}
	for _, away := range []func() error{cluster.Kill, cluster.StopImmediate, cluster.Stop} {
		if err := away(); err != nil {
			t.Fatal(err)
		}
		p.until("/readyz", http.StatusServiceUnavailable)
		began := time.Now()
		status, contentType, body := p.get("/api/v1/me", token)
		if status != http.StatusServiceUnavailable || contentType != "application/problem+json" || !strings.Contains(body, "/problems/") {
			t.Errorf("away: %d %s %s", status, contentType, body)
		}
		if status, _, _ := p.get("/sign-in", ""); status != http.StatusOK {
			t.Errorf("the sign-in page needs no database, and answers %d", status)
		}
		if status, _, _ := p.get("/healthz", ""); status != http.StatusOK {
			t.Errorf("away, and not alive: %d", status)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("refusing took %s", took)
		}
		if err := cluster.Start(); err != nil {
			t.Fatal(err)
		}
		p.until("/readyz", http.StatusOK)
		for range 30 { // more than the pool has connections of before
			if status, _, body := p.get("/api/v1/me", token); status != http.StatusOK {
				t.Errorf("back: %d %s", status, body)
			}
		}
	}
	p.stop()
}

func TestTheDatabaseOfAStoppedServerIsClosedInOrder(t *testing.T) {
	dsn := emptyFile(t)
	serve(t, environment(dsn)).stop()
	if _, err := os.Stat(strings.TrimPrefix(dsn, "sqlite:") + "-wal"); !os.IsNotExist(err) {
		t.Errorf("the write-ahead log was left behind: %v", err)
	}
}
