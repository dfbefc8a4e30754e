package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"matricula/internal/store/storetest"
)

// campus is a running server with a course in it.
type campus struct {
	t       *testing.T
	db      *storetest.Database
	server  *process
	environ []string // of the server
	token   string   // of an administrator
	course  int64
}

func openCampus(t *testing.T, engine string, more ...string) *campus {
	t.Helper()
	c := &campus{t: t, db: storetest.Empty(t, engine)}
	c.environ = environment(c.db.DSN, more...)
	c.server = serve(t, c.environ)
	c.token = newToken(t, c.environ, "--service=setup", "--site-role=admin")
	c.course = c.newCourse("Algorithms", "CS-201")
	return c
}

// ask sends a request to the API and reads the answer.
func (c *campus) ask(method, path string, in, out any) {
	c.t.Helper()
	b, err := json.Marshal(in)
	if err != nil {
		c.t.Fatal(err)
	}
	req, err := http.NewRequest(method, c.server.base+"/api/v1"+path, bytes.NewReader(b))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if in == nil {
		req.Body, req.ContentLength = http.NoBody, 0
	} else {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := (&http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err = io.ReadAll(resp.Body); err != nil || resp.StatusCode > 299 {
		c.t.Fatalf("%s %s: %d %s %v", method, path, resp.StatusCode, b, err)
	}
	if err := json.Unmarshal(b, out); err != nil {
		c.t.Fatal(err)
	}
}

func (c *campus) newCourse(title, code string) int64 {
	c.t.Helper()
	var made struct{ ID int64 }
	c.ask("POST", "/courses", map[string]string{"title": title, "code": code}, &made)
	return made.ID
}

// roster is who is in the course, as address and role, but for the account that
// made it.
func (c *campus) roster() string {
	c.t.Helper()
	var list []string
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				Email      *string
				Enrollment struct{ Role string }
			}
			Next *string `json:"next_cursor"`
		}
		c.ask("GET", fmt.Sprintf("/courses/%d/enrollments?limit=200%s", c.course, cursor), nil, &page)
		for _, m := range page.Items {
			if m.Email != nil {
				list = append(list, strings.TrimSuffix(*m.Email, "@uni.example")+" "+m.Enrollment.Role)
			}
		}
		if page.Next == nil {
			return strings.Join(list, ", ")
		}
		cursor = "&cursor=" + *page.Next
	}
}

// imports are the states of the course's imports, newest first.
func (c *campus) imports() string {
	c.t.Helper()
	var page struct{ Items []struct{ State string } }
	c.ask("GET", fmt.Sprintf("/courses/%d/imports", c.course), nil, &page)
	var list []string
	for _, i := range page.Items {
		list = append(list, i.State)
	}
	return strings.Join(list, " ")
}

// client is the environment of somebody who asks the server.
func (c *campus) client() []string {
	return []string{"MATRICULA_URL=" + c.server.base, "MATRICULA_TOKEN=" + c.token}
}

// run runs matricula import within the test.
func (c *campus) run(stdin io.Reader, args ...string) result {
	c.t.Helper()
	return runImport(c.t, c.client(), stdin, args...)
}

func runImport(t *testing.T, environ []string, stdin io.Reader, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, append([]string{"import"}, args...), environ, stdin, &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// wants makes sure of an exit code and of what is said.
func (r result) wants(t *testing.T, code int, words ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d\n%s%s", r.code, code, r.stdout, r.stderr)
	}
	for _, w := range words {
		if !strings.Contains(r.stdout+r.stderr, w) {
			t.Errorf("%q is not said in:\n%s%s", w, r.stdout, r.stderr)
		}
	}
	if last := r.stderr[strings.LastIndex(strings.TrimSuffix(r.stderr, "\n"), "\n")+1:]; code != exitDone && !strings.HasPrefix(last, "matricula: ") {
		t.Errorf("the last line is no reason: %q", last)
	}
	if strings.Contains(r.stdout+r.stderr, "mat_") {
		t.Errorf("a token is shown: %s%s", r.stdout, r.stderr)
	}
}

func file(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "class.csv")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func is(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

const mixedClass = `Email,Role
ada@uni.example,teacher
not an address,student
grace@uni.example,
mario@uni.example,wizard
`

func TestAListIsImportedFromTheCommandLine(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.PostgreSQL} {
		t.Run(engine, func(t *testing.T) {
			c := openCampus(t, engine)
			list := file(t, "Email;Ruolo\nada@uni.example;docente\ngrace@uni.example;\n")
			course := strconv.FormatInt(c.course, 10)
			c.run(nil, course, list, "--dry-run").wants(t, exitDone, "Algorithms", "2  come into the course", "email in column 1 (Email)")
			is(t, "the roster after a dry run", c.roster(), "")
			is(t, "the imports after a dry run", c.imports(), "canceled")
			if _, _, body := c.server.get("/api/v1/users?search=grace@uni.example", c.token); !strings.Contains(body, `"items":[]`) {
				t.Errorf("a dry run has named somebody: %s", body)
			}
			c.run(nil, "cs-201", list, "--yes").wants(t, exitDone, "2  named and enrolled")
			is(t, "the roster", c.roster(), "ada teacher, grace student")
			c.run(nil, course, list, "-y").wants(t, exitDone, "2  were as the list says")
			is(t, "the imports", c.imports(), "done done canceled")
			c.server.stop()
			for _, line := range c.server.stderr.all() {
				if strings.Contains(line, "mat_") || strings.Contains(line, "uni.example") {
					t.Errorf("an address or a token is in the log: %s", line)
				}
			}
		})
	}
}

func TestRowsThatAreNotCarriedOutAreNamedAndMakeAFailure(t *testing.T) {
	c := openCampus(t, storetest.SQLite)
	list := file(t, mixedClass)
	said := []string{`line 3, column 1 (Email), "not an address": refused (`, `line 5, column 2 (Role), "wizard": refused (unknown-role): This course has no role`, "2 rows refused"}
	c.run(nil, "CS-201", list, "--dry-run").wants(t, exitFailed, append(said, "would be carried out")...)
	c.run(nil, "CS-201", list, "--dry-run", "--allow-refused").wants(t, exitDone, said[:2]...)
	is(t, "the roster after dry runs", c.roster(), "")
	report := filepath.Join(t.TempDir(), "report.csv")
	c.run(nil, "CS-201", list, "--yes", "--report", report).wants(t, exitFailed, said...)
	is(t, "the roster", c.roster(), "ada teacher, grace student")
	c.run(nil, "CS-201", list, "--yes", "--allow-refused").wants(t, exitDone)

	b, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil || len(rows) != 5 || rows[0][2] != "email" || rows[2][2] != "not an address" || rows[2][5] != "refused" || rows[1][5] != "named" {
		t.Errorf("the report is %q (%v)", rows, err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(report), ".*")); err != nil || len(left) > 0 {
		t.Errorf("beside the report there are %q (%v)", left, err)
	}
}

func TestAnExactListSaysHowManyLeaveAndTakesThemOut(t *testing.T) {
	c := openCampus(t, storetest.SQLite)
	c.run(strings.NewReader("a@uni.example\nb@uni.example\nc@uni.example\n"), "CS-201", "-", "--yes").wants(t, exitDone, "3  named and enrolled")
	shorter := file(t, "a@uni.example\nd@uni.example\n")
	c.run(nil, "CS-201", shorter, "--exact", "--dry-run").wants(t, exitDone, "People who would leave the course: 2", "b@uni.example: leaves the course", "c@uni.example: leaves the course")
	is(t, "the roster after a dry run", c.roster(), "a student, b student, c student")
	c.run(nil, "CS-201", shorter, "--exact", "--yes").wants(t, exitDone, "2  left the course", "People who would leave the course: 2")
	is(t, "the roster", c.roster(), "a student, d student")

	var page struct{ Items []struct{ ID int64 } }
	c.ask("GET", fmt.Sprintf("/courses/%d/imports?limit=1", c.course), nil, &page)
	c.run(nil, "--undo", strconv.FormatInt(page.Items[0].ID, 10)).wants(t, exitDone, "is undone")
	is(t, "the roster after undoing", c.roster(), "a student, b student, c student")
	c.run(nil, "--cancel", strconv.FormatInt(page.Items[0].ID, 10)).wants(t, exitFailed, "undone already")
	c.run(nil, "--undo", "999999").wants(t, exitFailed, "import")
}

func TestUndoingNamesTheRowsThatStay(t *testing.T) {
	c := openCampus(t, storetest.SQLite)
	c.run(strings.NewReader("a@uni.example\nb@uni.example\n"), "CS-201", "-", "--yes").wants(t, exitDone)
	var page struct{ Items []struct{ ID int64 } }
	c.ask("GET", fmt.Sprintf("/courses/%d/enrollments?search=a@", c.course), nil, &page)
	c.ask("PATCH", fmt.Sprintf("/courses/%d/enrollments/%d", c.course, page.Items[0].ID), map[string]string{"student_number": "007"}, &struct{}{})
	c.ask("GET", fmt.Sprintf("/courses/%d/imports", c.course), nil, &page)
	undo := []string{"--undo", strconv.FormatInt(page.Items[0].ID, 10)}
	c.run(nil, undo...).wants(t, exitFailed, `line 1, "a@uni.example": stays (built-on)`, "1 rows that stay")
	c.run(nil, append(undo, "--allow-refused")...).wants(t, exitDone)
	is(t, "the roster", c.roster(), "a student")
}

func TestColumnsAreChosenByNumberOrHeading(t *testing.T) {
	c := openCampus(t, storetest.SQLite)
	plain := file(t, "x,y,z\nprof,ada@uni.example,teacher\nstud,grace@uni.example,student\n")
	c.run(nil, "CS-201", plain, "--yes").wants(t, exitFailed, "--columns email=2", `1 "x", 2 "y", 3 "z"`)
	is(t, "the imports", c.imports(), "canceled")
	c.run(nil, "CS-201", plain, "--yes", "--columns", "email=9").wants(t, exitFailed, "3")
	c.run(nil, "CS-201", plain, "--yes", "--columns", "email=w").wants(t, exitFailed, `"w"`, `1 "x"`)
	c.run(nil, "CS-201", plain, "--yes", "--columns", "mail=1").wants(t, exitFailed, "mail")
	c.run(nil, "CS-201", plain, "--yes", "--columns", "email=0").wants(t, exitUsage, "first column is 1")
	c.run(nil, "CS-201", plain, "--yes", "--columns", "email").wants(t, exitUsage, "email=3")
	c.run(nil, "CS-201", plain, "--yes", "--columns", "email=1,email=2").wants(t, exitUsage, "twice")
	is(t, "the roster", c.roster(), "")
	c.run(nil, "CS-201", plain, "--yes", "--columns", "email=2,role=Z").wants(t, exitDone, "email in column 2 (y), role in column 3 (z)")
	is(t, "the roster", c.roster(), "ada teacher, grace student")
	// What the server finds by itself can be overruled.
	two := file(t, "Email,Secondary\nold@uni.example,new@uni.example\n")
	c.run(nil, "CS-201", two, "--yes", "--columns", "email=secondary").wants(t, exitDone)
	is(t, "the roster", c.roster(), "ada teacher, grace student, new student")
}

func TestAnImportThatCannotBeMadeIsRefusedWithTheCure(t *testing.T) {
	c := openCampus(t, storetest.SQLite, "MATRICULA_NAMING_DOMAINS=uni.example")
	twin := c.newCourse("Algorithms for beginners", "cs-201")
	list := file(t, "ada@uni.example\n")
	url := "MATRICULA_URL=" + c.server.base
	reader := newToken(t, c.environ, "--service=reader", "--scopes=read", "--site-role=admin")
	stranger := newToken(t, c.environ, "--service=stranger")
	id := strconv.FormatInt(c.course, 10)
	for _, x := range []struct {
		environ []string
		args    []string
		words   []string
	}{
		{[]string{url}, []string{id, list}, []string{"MATRICULA_TOKEN", "--token-file"}},
		{[]string{url, "MATRICULA_TOKEN=mat_wrong"}, []string{id, list}, []string{"not valid", "matricula token create"}},
		{[]string{url, "MATRICULA_TOKEN=two words"}, []string{id, list}, []string{"MATRICULA_TOKEN"}},
		{[]string{url, "MATRICULA_TOKEN=" + reader}, []string{id, list}, []string{`lacks the scope "write"`}},
		{[]string{url, "MATRICULA_TOKEN=" + stranger}, []string{id, list}, []string{"no course " + id}},
		{[]string{url, "MATRICULA_TOKEN=" + stranger}, []string{"CS-201", list}, []string{"you see no course"}},
		{[]string{"MATRICULA_TOKNE=x"}, []string{id, list}, []string{"MATRICULA_TOKNE", "MATRICULA_TOKEN"}},
		{[]string{"MATRICULA_TOKEN=mat_x", "MATRICULA_URL=http://127.0.0.1:1"}, []string{id, list}, []string{"127.0.0.1:1", "--url"}},
		{[]string{"MATRICULA_TOKEN=mat_x"}, []string{id, list, "--url=http://lms.uni.example"}, []string{"--url", "https://"}},
		{c.client(), []string{"CS-201", list}, []string{"2 courses", id, strconv.FormatInt(twin, 10)}},
		{c.client(), []string{"CS-202", list}, []string{"no course", "CS-202"}},
		{c.client(), []string{"999999", list}, []string{"no course 999999", "code:999999"}},
		{c.client(), []string{id, filepath.Join(t.TempDir(), "missing.csv")}, []string{"missing.csv"}},
		{c.client(), []string{id, t.TempDir()}, []string{"folder"}},
		{c.client(), []string{id, file(t, "")}, []string{"empty"}},
		{c.client(), []string{id, file(t, "%PDF-1.7 …")}, []string{"PDF"}},
		{c.client(), []string{id, list, "--role=wizard"}, []string{"wizard"}},
		{c.client(), []string{id, list, "--report=" + filepath.Join(t.TempDir(), "no", "where.csv")}, []string{"--report"}},
	} {
		r := runImport(t, x.environ, nil, append(x.args, "--yes")...)
		r.wants(t, exitFailed, x.words...)
		if strings.Contains(strings.Join(x.environ, " "), "two words") && strings.Contains(r.stderr, "two words") {
			t.Errorf("what may be a token is shown: %s", r.stderr)
		}
		if strings.Contains(r.stderr, "matricula: ") && strings.Count(r.stderr, "matricula: ") != 1 {
			t.Errorf("%s", r.stderr)
		}
	}
	is(t, "the roster", c.roster(), "")
	c.run(nil, id, file(t, "x@elsewhere.example\n"), "--yes").wants(t, exitFailed, "ask (outside-address)", "--confirm-outside")
	c.run(nil, id, file(t, "x@elsewhere.example\n"), "--yes", "--confirm-outside").wants(t, exitDone)
	for _, args := range [][]string{
		{},
		{id},
		{id, list},      // nobody can be asked
		{id, "-"},       // the same
		{"--cancel=-1"}, // no id
		{"--cancel=1", "--undo=1"},
		{"--undo=1", id, list},
		{id, list, "--dry-run", "--yes"},
		{id, "-", "--token-file=-", "--yes"},
	} {
		c.run(strings.NewReader(""), args...).wants(t, exitUsage, "--help")
	}
}

func TestTheTokenIsReadFromAFileOrFromStandardInput(t *testing.T) {
	c := openCampus(t, storetest.SQLite)
	list, url := file(t, "ada@uni.example\n"), "--url="+c.server.base
	runImport(t, []string{"MATRICULA_TOKEN=mat_wrong"}, strings.NewReader(c.token+"\n"), "CS-201", list, url, "--token-file=-", "--yes").wants(t, exitDone)
	runImport(t, nil, strings.NewReader("grace@uni.example\n"), "CS-201", "-", url, "--token-file", file(t, c.token+"\n"), "--yes").wants(t, exitDone)
	is(t, "the roster", c.roster(), "ada student, grace student")
	runImport(t, nil, nil, "CS-201", list, url, "--token-file", list+"x", "--yes").wants(t, exitFailed, "--token-file")
	runImport(t, nil, nil, "CS-201", list, url, "--token-file", file(t, "two words"), "--yes").wants(t, exitFailed, "does not hold an API token")
	runImport(t, c.client(), nil, "CS-201", list, "--token-file", file(t, ""), "--yes").wants(t, exitFailed, "does not hold an API token")
}

func TestTheTokenGoesToNoOtherHost(t *testing.T) {
	var asked atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer elsewhere.Close()
	here := httptest.NewServer(http.RedirectHandler(elsewhere.URL+"/api/v1/courses/1", http.StatusTemporaryRedirect))
	defer here.Close()
	environ := []string{"MATRICULA_TOKEN=mat_secret", "MATRICULA_URL=" + here.URL}
	runImport(t, environ, nil, "1", file(t, "a@uni.example\n"), "--yes").wants(t, exitFailed, "--url "+elsewhere.URL)
	if asked.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

func TestAServerThatIsNoneOfOursIsTold(t *testing.T) {
	for _, page := range []string{"<html>", `{"id": 1}`} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, page) }))
		defer s.Close()
		environ := []string{"MATRICULA_TOKEN=mat_secret", "MATRICULA_URL=" + s.URL}
		runImport(t, environ, nil, "1", file(t, "a@uni.example\n"), "--yes").wants(t, exitFailed, s.URL, "not as a Matricula server does")
	}
}

// bigClass is a list that takes a while.
func bigClass(t *testing.T, rows int) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("Email,First name,Last name\n")
	for i := range rows {
		fmt.Fprintf(&b, "student%05d@uni.example,Sam,Student %d\n", i, i)
	}
	return file(t, b.String())
}

// untilRunning waits until some rows of the newest import are carried out.
func (c *campus) untilRunning() (id int64) {
	c.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var page struct {
			Items []struct {
				ID, Done int64
				State    string
			}
		}
		c.ask("GET", fmt.Sprintf("/courses/%d/imports?limit=1", c.course), nil, &page)
		if len(page.Items) == 1 && page.Items[0].State == "running" && page.Items[0].Done > 0 {
			return page.Items[0].ID
		}
	}
	c.t.Fatal("the import does not begin to run")
	return 0
}

func TestAServerThatIsKilledInTheMiddleIsWaitedForAndTheImportIsExact(t *testing.T) {
	const rows = 12_000
	c := openCampus(t, storetest.SQLite)
	client := start(t, c.client(), "import", "CS-201", bigClass(t, rows), "--yes")
	c.untilRunning()
	c.server.signal(syscall.SIGKILL)
	c.server.wait()
	time.Sleep(time.Second) // so that the client notices
	c.server = serve(t, append(c.environ, "MATRICULA_ADDR="+strings.TrimPrefix(c.server.base, "http://")))
	if code := client.wait(); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	said := strings.Join(append(client.stdout.all(), client.stderr.all()...), "\n")
	for _, w := range []string{"12000  named and enrolled", "does not answer at the moment", "answers again", "Carrying out: "} {
		if !strings.Contains(said, w) {
			t.Errorf("%q is not said in:\n%s", w, said)
		}
	}
	var counts struct{ People, Pending int64 }
	c.ask("GET", fmt.Sprintf("/courses/%d/counts", c.course), nil, &counts)
	if counts.People != rows+1 || counts.Pending != rows { // the account that made the course
		t.Errorf("%+v", counts)
	}
	c.run(nil, "CS-201", bigClass(t, rows), "--dry-run", "--exact").wants(t, exitDone, "12000  are in the course, as the list says", "would leave the course: 0")
}

func TestSomebodyWhoStopsWaitingIsToldWhatGoesOn(t *testing.T) {
	c := openCampus(t, storetest.SQLite)
	client := start(t, c.client(), "import", "CS-201", bigClass(t, 12_000), "--yes")
	id := strconv.FormatInt(c.untilRunning(), 10)
	client.signal(syscall.SIGINT)
	if code := client.wait(); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	said := strings.Join(client.stderr.all(), "\n")
	for _, w := range []string{"goes on at the server", "--cancel " + id, "--undo " + id} {
		if !strings.Contains(said, w) {
			t.Errorf("%q is not said in:\n%s", w, said)
		}
	}
	c.run(nil, "--cancel", id).wants(t, exitDone, "is stopped", "--undo "+id)
	c.run(nil, "--undo", id).wants(t, exitDone, "is undone")
	is(t, "the roster", c.roster(), "")
}

func TestSomebodyWhoStopsBeforeTheBeginningLeavesNothing(t *testing.T) {
	c := openCampus(t, storetest.SQLite)
	client := start(t, c.client(), "import", "CS-201", bigClass(t, 30_000), "--yes")
	for deadline := time.Now().Add(30 * time.Second); c.imports() != "checking" && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
	}
	client.signal(syscall.SIGINT)
	if code := client.wait(); code != exitFailed || !strings.Contains(strings.Join(client.stderr.all(), "\n"), "stopped before anything was changed") {
		t.Errorf("exit code %d: %v", code, client.stderr.all())
	}
	is(t, "the imports", c.imports(), "canceled")
	is(t, "the roster", c.roster(), "")
}

func TestADryRunLeavesAListThatWaitedBefore(t *testing.T) {
	c := openCampus(t, storetest.SQLite)
	list := file(t, "ada@uni.example\n")
	body := must(os.ReadFile(list))
	req := must(http.NewRequest("POST", fmt.Sprintf("%s/api/v1/courses/%d/imports", c.server.base, c.course), bytes.NewReader(body)))
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp := must(http.DefaultClient.Do(req))
	var made struct{ ID int64 }
	if err := json.NewDecoder(resp.Body).Decode(&made); err != nil || resp.Body.Close() != nil {
		t.Fatal(err)
	}
	c.run(nil, "CS-201", list, "--dry-run").wants(t, exitDone, "was there before")
	is(t, "the imports", c.imports(), "ready")
	// Somebody has changed on the pages how it is meant: it is not carried out so.
	c.ask("PATCH", fmt.Sprintf("/imports/%d", made.ID), map[string]any{"exact": true}, &struct{}{})
	c.run(nil, "CS-201", list, "--yes").wants(t, exitFailed, fmt.Sprintf("--cancel %d", made.ID))
	c.run(nil, "--cancel", strconv.FormatInt(made.ID, 10)).wants(t, exitDone, "has changed nothing")
	is(t, "the roster", c.roster(), "")
}
