package story_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"matricula/internal/apptest"
	"matricula/internal/apptest/app"
)

// The main job, told by a program with a service token: the built program on
// each database, a provider configured by MATRICULA_OIDC_*, nothing but HTTP.
func TestTheStoryThroughTheAPIAlone(t *testing.T) {
	app.EachEngine(t, func(t *testing.T, engine string) {
		s := openSchool(t, engine)
		for _, chapter := range []struct {
			name string
			tell func(*testing.T)
		}{
			{"Ada and twelve of her students have accounts", s.firstComers},
			{"a service token makes the course and Ada its owner", s.openCourse},
			{"Grace gets her privileges before she ever came", s.nameGrace},
			{"thirty addresses are enrolled, known or not, in any case and order", s.enrollClass},
			{"the same list again, in other spellings, changes nothing", s.enrollClassAgain},
			{"Grace signs in for the first time and finds the course with precisely her privileges", s.graceArrives},
			{"so it goes for each of the eighteen students", s.studentsArrive},
			{"nobody's id changed and no row was rewritten", s.nothingMoved},
			{"no reference to a person is null, or leads nowhere", s.referencesHold},
			{"Grace may do what she was given, and nothing else", s.graceWorks},
			{"the audit shows who did what to whom", s.audited},
			{"SIGTERM ends the server with exit code 0", s.ends},
			{"the log holds no address and no secret", s.logIsClean}, // H-04, I11
		} {
			if !t.Run(chapter.name, chapter.tell) {
				return // what follows would only fail for the same reason
			}
		}
	})
}

const (
	knownStudents = 12
	allStudents   = 30
)

// wireUser is a user as the API writes one, with their place in a course where
// there is one.
type wireUser struct {
	ID               int64    `json:"id"`
	Email            string   `json:"email"`
	DisplayName      string   `json:"display_name"`
	Status           string   `json:"status"`
	ClaimedAt        *string  `json:"claimed_at"`
	CoursePrivileges []string `json:"course_privileges"`
}

type wireMe struct {
	User     wireUser `json:"user"`
	SiteRole string   `json:"site_role"`
	Courses  []struct {
		ID         int64    `json:"id"`
		Title      string   `json:"title"`
		Role       *string  `json:"role"`
		Privileges []string `json:"privileges"`
	} `json:"courses"`
}

type wireRows struct {
	Items []struct {
		Location string `json:"location"`
		Email    string `json:"email"`
		UserID   int64  `json:"user_id"`
		Result   string `json:"result"`
		Reason   string `json:"reason"`
	} `json:"items"`
	Counts map[string]int `json:"counts"`
}

// school is the running program and what the story knows by now.
type school struct {
	program *program
	url     string
	issuer  *apptest.Issuer
	db      *sql.DB // looks on, changes nothing
	engine  string

	sis    *client // the service account
	sisID  int64
	course int64
	ada    *client
	grace  *client
	ids    map[string]int64 // by canonical address, as they were first seen
	before map[string]string

	secrets []string // what must never be logged
}

const (
	adaAddress   = "ada.lovelace@uni.example"
	graceAddress = "grace.hopper@uni.example"
)

var granted = []string{"audit.view", "roster.manage", "roster.view"} // managing implies viewing

// student is the canonical address of the student with this number; the first
// twelve have accounts when the story begins.
func student(n int) string { return fmt.Sprintf("student%02d.canary@uni.example", n) }

func openSchool(t *testing.T, engine string) *school {
	t.Helper()
	s := &school{issuer: apptest.NewIssuer(t), engine: engine, ids: map[string]int64{}}
	dsn := app.DSN(t, engine)
	s.program, s.url = serve(
		t,
		"MATRICULA_DATABASE="+dsn,
		"MATRICULA_OIDC_CAMPUS_ISSUER="+s.issuer.URL,
		"MATRICULA_OIDC_CAMPUS_CLIENT_ID="+apptest.ClientID,
		"MATRICULA_OIDC_CAMPUS_CLIENT_SECRET="+apptest.ClientSecret,
		"MATRICULA_OIDC_CAMPUS_DOMAINS=uni.example",
		"MATRICULA_OIDC_CAMPUS_LABEL=Campus account",
	)
	s.db = lookInto(t, dsn)
	s.sis = newClient(t, s.url)
	s.sis.token = strings.TrimSpace(s.program.run(t, "token", "create", "--service", "sis", "--site-role", "admin"))
	s.secrets = []string{s.sis.token, apptest.ClientSecret}
	var m wireMe
	s.sis.get(t, "/api/v1/me").want(t, http.StatusOK).into(t, &m)
	if s.sisID = m.User.ID; s.sisID == 0 || m.SiteRole != "admin" || m.User.Email != "" {
		t.Fatalf("the token is of %+v", m)
	}
	return s
}

// arrive signs somebody in whose address the provider verifies.
func (s *school) arrive(t *testing.T, address, given, family string) (*client, wireMe) {
	t.Helper()
	c, home := signIn(t, s.issuer, s.url, apptest.Somebody(address, given, family))
	home.want(t, http.StatusOK)
	s.secrets = append(s.secrets, c.secrets(t)...)
	return c, s.me(t, c)
}

func (s *school) me(t *testing.T, c *client) wireMe {
	t.Helper()
	var m wireMe
	c.get(t, "/api/v1/me").want(t, http.StatusOK).into(t, &m)
	return m
}

// meet remembers a person's id, and expects the one that is remembered.
func (s *school) meet(t *testing.T, address string, id int64) {
	t.Helper()
	if id <= 0 {
		t.Fatalf("%s has the id %d", address, id)
	}
	if was, met := s.ids[address]; met && was != id {
		t.Errorf("%s was %d and is %d", address, was, id)
	}
	s.ids[address] = id
}

// find lists the users with an address, as an administrator sees them.
func (s *school) find(t *testing.T, address string) []wireUser {
	t.Helper()
	var list struct{ Items []wireUser }
	s.sis.get(t, "/api/v1/users?search="+url.QueryEscape(address)).want(t, http.StatusOK).into(t, &list)
	return list.Items
}

func (s *school) firstComers(t *testing.T) {
	var m wireMe
	s.ada, m = s.arrive(t, adaAddress, "Ada", "Lovelace")
	s.meet(t, adaAddress, m.User.ID)
	for n := range knownStudents {
		_, m := s.arrive(t, student(n), "Student", fmt.Sprint("Known", n))
		s.meet(t, student(n), m.User.ID)
		if m.User.Status != "active" || len(m.Courses) != 0 {
			t.Errorf("student %d is %+v", n, m)
		}
	}
}

func (s *school) openCourse(t *testing.T) {
	var course struct {
		ID    int64  `json:"id"`
		Title string `json:"title"`
	}
	s.sis.send(t, http.MethodPost, "/api/v1/courses", map[string]any{"title": "Algorithms", "code": "CS-201"}).want(t, http.StatusCreated).into(t, &course)
	s.course = course.ID
	var rows wireRows
	s.sis.send(t, http.MethodPut, s.enrollments(), map[string]any{"user_ids": []int64{s.ids[adaAddress]}, "role": "owner"}).want(t, http.StatusOK).into(t, &rows)
	if len(rows.Items) != 1 || rows.Items[0].Result != "enrolled" || rows.Items[0].UserID != s.ids[adaAddress] {
		t.Fatalf("%+v", rows)
	}
	m := s.me(t, s.ada)
	if len(m.Courses) != 1 || m.Courses[0].ID != s.course || m.Courses[0].Title != "Algorithms" || m.Courses[0].Role == nil || *m.Courses[0].Role != "owner" {
		t.Errorf("Ada's courses are %+v", m.Courses)
	}
}

func (s *school) enrollments() string {
	return fmt.Sprintf("/api/v1/courses/%d/enrollments", s.course)
}

func (s *school) privileges(id int64) string {
	return fmt.Sprintf("/api/v1/users/%d/privileges?course_id=%d", id, s.course)
}

func (s *school) nameGrace(t *testing.T) {
	if found := s.find(t, graceAddress); len(found) != 0 {
		t.Fatalf("she is known before anybody named her: %+v", found)
	}
	var u wireUser
	s.sis.send(t, http.MethodPatch, s.privileges(-1), map[string]any{
		"email": " Grace.Hopper@UNI.example", "course_privileges": []string{"roster.manage", "audit.view"},
	}).want(t, http.StatusOK).into(t, &u)
	slices.Sort(u.CoursePrivileges)
	if u.Status != "pending" || u.ClaimedAt != nil || u.Email != graceAddress || !slices.Equal(u.CoursePrivileges, granted) {
		t.Errorf("she is %+v", u)
	}
	s.meet(t, graceAddress, u.ID)
}

// spelled writes an address as people do: no two turns alike.
func spelled(address string, turn int) string {
	local, domain, _ := strings.Cut(address, "@")
	switch turn % 5 {
	case 0:
		return strings.ToUpper(address)
	case 1:
		return "  " + address + "\t"
	case 2:
		return strings.ToUpper(local[:1]) + local[1:] + "@" + strings.ToUpper(domain)
	case 3:
		return address + "\u00a0" // from a spreadsheet
	}
	return address
}

// class lists the thirty in an order in which known and unknown alternate
// irregularly, each spelled in some way.
func class(turn int) (typed, canonical []string) {
	for i := range allStudents {
		n := (i*7 + turn) % allStudents // 7 and 30 share no divisor: each once
		canonical = append(canonical, student(n))
		typed = append(typed, spelled(student(n), i+turn))
	}
	return typed, canonical
}

func (s *school) enrollClass(t *testing.T) {
	typed, canonical := class(3)
	var rows wireRows
	s.ada.send(t, http.MethodPut, s.enrollments(), map[string]any{"emails": typed, "role": "student"}).want(t, http.StatusOK).into(t, &rows)
	if len(rows.Items) != allStudents {
		t.Fatalf("%d results for %d rows", len(rows.Items), allStudents)
	}
	for i, row := range rows.Items {
		_, known := s.ids[canonical[i]]
		want := map[bool]string{true: "enrolled", false: "named"}[known]
		if row.Location != fmt.Sprintf("body.emails[%d]", i) || row.Email != canonical[i] || row.Result != want {
			t.Errorf("%q became %+v, want %s as %s", typed[i], row, want, canonical[i])
		}
		s.meet(t, canonical[i], row.UserID)
	}
	want := map[string]int{"enrolled": knownStudents, "named": allStudents - knownStudents}
	for result, n := range rows.Counts {
		if n != want[result] {
			t.Errorf("%d rows are %s, want %d", n, result, want[result])
		}
	}
	if distinct := len(s.ids); distinct != allStudents+2 {
		t.Errorf("%d people were met, want %d", distinct, allStudents+2)
	}
	s.before = s.referring(t)
}

func (s *school) enrollClassAgain(t *testing.T) {
	typed, canonical := class(11)
	var rows wireRows
	s.ada.send(t, http.MethodPut, s.enrollments(), map[string]any{"emails": typed, "role": "student"}).want(t, http.StatusOK).into(t, &rows)
	if len(rows.Items) != allStudents || rows.Counts["already"] != allStudents {
		t.Fatalf("%d results, %v", len(rows.Items), rows.Counts)
	}
	for i, row := range rows.Items {
		s.meet(t, canonical[i], row.UserID)
	}
}

func (s *school) graceArrives(t *testing.T) {
	var m wireMe
	s.grace, m = s.arrive(t, "Grace.Hopper@uni.example", "Grace", "Hopper")
	s.meet(t, graceAddress, m.User.ID)
	if m.User.Status != "active" || m.User.ClaimedAt == nil || m.User.Email != graceAddress || m.User.DisplayName != "Grace Hopper" {
		t.Errorf("she is %+v", m.User)
	}
	if len(m.Courses) != 1 || m.Courses[0].ID != s.course || m.Courses[0].Title != "Algorithms" || m.Courses[0].Role != nil {
		t.Fatalf("her courses are %+v", m.Courses)
	}
	slices.Sort(m.Courses[0].Privileges)
	if !slices.Equal(m.Courses[0].Privileges, granted) {
		t.Errorf("she may do %q, want %q", m.Courses[0].Privileges, granted)
	}
}

func (s *school) studentsArrive(t *testing.T) {
	for n := knownStudents; n < allStudents; n++ {
		_, m := s.arrive(t, student(n), "Student", fmt.Sprint("New", n))
		s.meet(t, student(n), m.User.ID)
		if m.User.Status != "active" || m.User.ClaimedAt == nil {
			t.Errorf("student %d is %+v", n, m.User)
		}
		if len(m.Courses) != 1 || m.Courses[0].ID != s.course || m.Courses[0].Role == nil || *m.Courses[0].Role != "student" || len(m.Courses[0].Privileges) != 0 {
			t.Errorf("student %d has the courses %+v", n, m.Courses)
		}
	}
}

func (s *school) nothingMoved(t *testing.T) {
	for address, id := range s.ids {
		if found := s.find(t, address); len(found) != 1 || found[0].ID != id || found[0].Status != "active" {
			t.Errorf("%s was %d, and now there is %+v", address, id, found)
		}
	}
	if diff := cmp.Diff(s.before, s.referring(t)); diff != "" {
		t.Errorf("the first sign-ins changed what refers to people (before, after):\n%s", diff)
	}
}

func (s *school) graceWorks(t *testing.T) {
	var rows wireRows
	late := []string{"late.canary@uni.example", "not an address", student(0)}
	s.grace.send(t, http.MethodPut, s.enrollments(), map[string]any{"emails": late, "role": "student"}).want(t, http.StatusOK).into(t, &rows)
	var results []string
	for _, row := range rows.Items {
		results = append(results, row.Result)
	}
	if !slices.Equal(results, []string{"named", "refused", "already"}) {
		t.Errorf("her rows are %+v: a bad one must not spoil a good one", rows)
	}
	s.grace.get(t, fmt.Sprintf("/api/v1/courses/%d/audit", s.course)).want(t, http.StatusOK)
	s.grace.send(t, http.MethodPatch, fmt.Sprintf("/api/v1/courses/%d", s.course), map[string]any{"title": "Mine"}).problem(t, http.StatusForbidden, "forbidden")
	s.grace.send(t, http.MethodPatch, s.privileges(s.ids[student(0)]), map[string]any{"course_privileges": []string{"roster.view"}}).problem(t, http.StatusForbidden, "forbidden")
	s.grace.send(t, http.MethodPut, s.enrollments(), map[string]any{"emails": []string{student(0)}, "role": "owner"}).problem(t, http.StatusForbidden, "forbidden")
	s.grace.send(t, http.MethodPost, "/api/v1/courses", map[string]any{"title": "Hers"}).problem(t, http.StatusForbidden, "forbidden")
	s.grace.get(t, "/api/v1/audit").problem(t, http.StatusForbidden, "forbidden")
}

// told is an audit entry without what differs from run to run.
type told struct {
	Actor, Subject  int64
	Action, Outcome string
	After           string
}

func (s *school) tales(t *testing.T, c *client, path string) []told {
	t.Helper()
	var all []told
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				Actor   struct{ ID int64 } `json:"actor"`
				Subject struct{ ID int64 } `json:"subject"`
				Action  string             `json:"action"`
				Outcome string             `json:"outcome"`
				After   json.RawMessage    `json:"after"`
			} `json:"items"`
			NextCursor *string `json:"next_cursor"`
		}
		c.get(t, path+"?limit=20"+cursor).want(t, http.StatusOK).into(t, &page)
		for _, e := range page.Items {
			all = append(all, told{e.Actor.ID, e.Subject.ID, e.Action, e.Outcome, string(e.After)})
		}
		if page.NextCursor == nil {
			return all
		}
		cursor = "&cursor=" + url.QueryEscape(*page.NextCursor)
	}
}

func (s *school) audited(t *testing.T) {
	grace, ada := s.ids[graceAddress], s.ids[adaAddress]
	count := func(all []told, want told, after string) (n int) {
		for _, e := range all {
			text := e.After
			e.After = ""
			if e == want && strings.Contains(text, after) {
				n++
			}
		}
		return n
	}
	// Grace has audit.view: she reads the course's audit herself.
	course := s.tales(t, s.grace, fmt.Sprintf("/api/v1/courses/%d/audit", s.course))
	site := s.tales(t, s.sis, "/api/v1/audit")
	for _, c := range []struct {
		what  string
		in    []told
		want  told
		after string
	}{
		{"the service made the course", course, told{Actor: s.sisID, Subject: s.sisID, Action: "course.create", Outcome: "done"}, "Algorithms"},
		{"the service made Ada owner", course, told{Actor: s.sisID, Subject: ada, Action: "enrollment.add", Outcome: "done"}, `"owner"`},
		{"the service set Grace's privileges", course, told{Actor: s.sisID, Subject: grace, Action: "privileges.set", Outcome: "done"}, `"roster.manage"`},
		{"Grace was refused the title", course, told{Actor: grace, Subject: grace, Action: "course.update", Outcome: "refused"}, ""},
		{"Grace claimed her account", site, told{Actor: grace, Subject: grace, Action: "user.claim", Outcome: "done"}, "campus"},
		{"Ada came by herself", site, told{Actor: ada, Subject: ada, Action: "user.sign-up", Outcome: "done"}, "campus"},
	} {
		if n := count(c.in, c.want, c.after); n != 1 {
			t.Errorf("%s: %d entries say so", c.what, n)
		}
	}
	for n := range allStudents {
		id := s.ids[student(n)]
		if got := count(course, told{Actor: ada, Subject: id, Action: "enrollment.add", Outcome: "done"}, `"student"`); got != 1 {
			t.Errorf("%d entries say that Ada enrolled student %d", got, n)
		}
		came := map[bool]string{true: "user.sign-up", false: "user.claim"}[n < knownStudents]
		if got := count(site, told{Actor: id, Subject: id, Action: came, Outcome: "done"}, ""); got != 1 {
			t.Errorf("%d entries say %s of student %d", got, came, n)
		}
	}
	for _, e := range slices.Concat(course, site) {
		if strings.Contains(e.After, "@") && !strings.Contains(e.After, "***@") {
			t.Errorf("the audit holds an address: %+v", e)
		}
	}
}

func (s *school) ends(t *testing.T) {
	// What a log must not hold comes also by ways on which nobody should send it.
	s.sis.get(t, "/api/v1/users/url.canary@uni.example").problem(t, http.StatusNotFound, "not-found")
	s.sis.get(t, "/url.canary@uni.example").want(t, http.StatusNotFound)
	s.sis.send(t, http.MethodPatch, s.privileges(-1)+"&email=query.canary%40uni.example", map[string]any{"course_privileges": []string{}}).want(t, http.StatusOK)
	newClient(t, s.url).get(t, "/auth/campus/callback?state=state-canary&code=code-canary").want(t, http.StatusBadRequest)
	wrong := newClient(t, s.url)
	wrong.token = "mat_token-canary"
	wrong.get(t, "/api/v1/me").problem(t, http.StatusUnauthorized, "bad-token")
	_, refused := signIn(t, s.issuer, s.url, apptest.Somebody("stranger.canary@elsewhere.example", "No", "Body"))
	refused.want(t, http.StatusForbidden)

	if err := s.program.stop(); err != nil {
		t.Fatalf("the server ended with: %v", err)
	}
}

func (s *school) logIsClean(t *testing.T) {
	s.cleanLog(t, `"path":"/api/v1/me"`, `"path":"/api/v1/users/-1/privileges"`, `"path":"/auth/campus/callback"`, `"msg":"sign-in refused"`)
}

// cleanLog looks for what no log may hold, in a log that has to hold something.
// Addresses are all of the canary kind, or these two people's.
func (s *school) cleanLog(t *testing.T, musts ...string) {
	t.Helper()
	log := s.program.log.String()
	for _, must := range musts {
		if !strings.Contains(log, must) {
			t.Errorf("the log does not even hold %s", must)
		}
	}
	// Request ids are sixteen random letters, so nothing shorter than five can be
	// looked for unless it holds a sign that they do not.
	never := append(slices.Clone(s.secrets), "@", "%40", "code-", "access-", "Bearer", "canary", "grace.hopper", "ada.lovelace")
	for _, secret := range never {
		if secret == "" {
			t.Error("a secret to look for is empty")
		} else if i := strings.Index(strings.ToLower(log), strings.ToLower(secret)); i >= 0 {
			t.Errorf("the log holds %q: …%s…", secret, log[max(0, i-200):min(len(log), i+100)])
		}
	}
	if found := jwt.FindString(log); found != "" {
		t.Errorf("the log holds a token: %s", found)
	}
}

// jwt is what signed tokens look like.
var jwt = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{20,}`)
