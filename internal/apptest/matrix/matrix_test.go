package matrix

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/apptest"
	"matricula/internal/apptest/app"
	"matricula/internal/fetch"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/store/storetest"
)

// The policies: newer nouns have their part in a file of their own.
var (
	apiPolicies = slices.Concat(apiPolicy, announcementAPIPolicy, reportAPIPolicy, courseAPIPolicy, sectionsAPIPolicy, importsAPIPolicy, sourcesAPIPolicy, webhooksAPIPolicy, directoryAPIPolicy, termAPIPolicy, limitAPIPolicy, mailAPIPolicy, waitingAPIPolicy, mergeAPIPolicy, claimAPIPolicy, erasingAPIPolicy)
	webPolicies = slices.Concat(webPolicy, announcementWebPolicy, sectionsWebPolicy, importsWebPolicy, sourcesWebPolicy, webhooksWebPolicy, directoryWebPolicy, reportWebPolicy, termWebPolicy, limitWebPolicy, mailWebPolicy, waitingWebPolicy, mergeWebPolicy, claimWebPolicy, erasingWebPolicy, courseWebPolicy)
	allPolicies = slices.Concat(operationsPolicy, scimPolicy, apiPolicies, webPolicies)
)

func TestMain(m *testing.M) { storetest.Main(m) }

// fixture is courses C and D with everybody in them. Rebuild renews what a
// request may have changed.
type fixture struct {
	*app.App
	t        *testing.T
	sessions map[actor]string
	tokens   map[actor]string
	ids      map[actor]int64
	adminBy  access.Caller

	course, role, pupil         int64
	otherSession, strangerToken int64
	announcement, section, term int64
	lift                        int64
	list, source, run, request  int64
	webhook, delivery           int64
	bystander                   access.Caller
	slip, merge, question       int64
	claim                       int64
	claims                      int
	directory                   int64
	serial                      int
}

func newFixture(t *testing.T, engine string) *fixture {
	f := &fixture{App: app.Start(t, engine), t: t, sessions: map[actor]string{}, tokens: map[actor]string{}, ids: map[actor]int64{}}
	ctx := context.Background()
	root, secret := f.Admin("admin@uni.example")
	f.ids[admin], f.sessions[admin] = root.ID, secret
	f.adminBy = f.As(secret)
	for _, a := range []actor{suspended, stranger, studentOfD, ownerOfD, studentOfC, assistantOfC, teacherOfC, ownerOfC} {
		u, secret := f.Active(strings.NewReplacer(" ", "-", ",", "").Replace(string(a))+"@uni.example", "", "")
		f.ids[a], f.sessions[a] = u.ID, secret
	}
	for _, a := range []actor{ownerOfC, ownerOfD} {
		role := string(lms.SiteTeacher)
		_, err := f.Service.UpdateUser(ctx, f.adminBy, f.ids[a], service.UserPatch{SiteRole: &role})
		f.must(err)
	}
	f.tokens[adminToken] = f.Token("sis", lms.SiteAdmin)
	f.asDirectory()
	f.tokens[readToken] = f.Token("reader", lms.SiteAdmin, "read")
	f.tokens[forgedToken] = service.TokenPrefix + "forged"
	f.tokens[sessionAsToken] = f.sessions[admin]
	f.sessions[forged] = "forged"
	f.sessions[tokenAsCookie] = f.tokens[adminToken]
	f.signInProgram("other.admin@uni.example")

	d, err := f.Service.CreateCourse(ctx, f.As(f.sessions[ownerOfD]), lms.CourseFields{Title: "D"}, nil)
	f.must(err)
	f.enroll(f.adminBy, d.Course.ID, lms.RoleStudent, f.ids[studentOfD])
	m, err := f.Service.ServiceToken(ctx, "limited", "", lms.SiteAdmin, service.NewToken{Name: "t", CourseIDs: []int64{d.Course.ID}})
	f.must(err)
	f.tokens[tokenForD] = m.Secret
	// A further person, whose session and token are nobody's in the matrix.
	_, bystander := f.Active("bystander@uni.example", "", "")
	f.bystander = f.As(bystander)
	list, err := f.Service.Sessions(ctx, f.bystander)
	f.must(err)
	f.otherSession = list[0].ID
	minted, err := f.Service.CreateToken(ctx, f.As(bystander), service.NewToken{Name: "bystander's"}, nil)
	f.must(err)
	f.strangerToken = minted.Token.ID
	f.rebuild()
	return f
}

// signInProgram signs a further administrator in to a program, by an ID token.
func (f *fixture) signInProgram(email string) {
	f.t.Helper()
	f.Admin(email)
	p := apptest.Somebody(email, "", "")
	p.Subject = "subject of " + email
	var got struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	f.Anonymous().Post("/oauth/token", url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token_type": {"urn:ietf:params:oauth:token-type:id_token"},
		"subject_token": {f.Issuer.IDToken(p, "")},
	}).Want(http.StatusOK).Into(&got)
	f.tokens[program], f.tokens[refreshAsToken], f.sessions[accessAsCookie] = got.Access, got.Refresh, got.Access
}

func (f *fixture) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) enroll(by access.Caller, course int64, role string, ids ...int64) {
	f.t.Helper()
	rows, err := f.Service.Enroll(context.Background(), by, service.EnrollRequest{CourseID: course, Role: role, UserIDs: ids, Source: lms.SourceManual})
	f.must(err)
	for _, r := range rows {
		if r.Result != service.ResultEnrolled {
			f.t.Fatalf("%s: %s", r.Result, r.Message)
		}
	}
}

// pupilAddress is the address of the student of C who never signed in: somebody new
// in each course C.
func (f *fixture) pupilAddress() string { return fmt.Sprintf("pupil%d@uni.example", f.serial) }

// rebuild makes course C anew.
func (f *fixture) rebuild() {
	f.t.Helper()
	ctx := context.Background()
	f.serial++
	by := f.adminBy
	c, err := f.Service.CreateCourse(ctx, f.As(f.sessions[ownerOfC]), lms.CourseFields{Title: "C" + strconv.Itoa(f.serial)}, nil)
	f.must(err)
	f.course = c.Course.ID
	f.enroll(by, f.course, lms.RoleOwner, f.ids[suspended])
	f.enroll(by, f.course, lms.RoleStudent, f.ids[studentOfC])
	f.enroll(by, f.course, lms.RoleAssistant, f.ids[assistantOfC])
	f.enroll(by, f.course, lms.RoleTeacher, f.ids[teacherOfC])
	rows, err := f.Service.Enroll(ctx, by, service.EnrollRequest{CourseID: f.course, Role: lms.RoleStudent, Emails: []string{f.pupilAddress()}})
	f.must(err)
	f.pupil = rows[0].UserID
	role, err := f.Service.CreateRole(ctx, by, f.course, service.RoleFields{Name: "Custom", Privileges: []string{"roster.view"}}, nil)
	f.must(err)
	f.role = role.ID
	a, err := f.Service.CreateAnnouncement(ctx, by, f.course, lms.AnnouncementFields{Title: "Welcome", Body: "x"}, nil)
	f.must(err)
	f.announcement = a.ID
	sec, err := f.Service.CreateSection(ctx, by, f.course, "Lab A", nil)
	f.must(err)
	f.section = sec.ID
	f.list, f.source, f.run, f.directory = 0, 0, 0, 0
	f.webhook, f.delivery = 0, 0
	f.slip, f.merge = 0, 0
	days := lms.PeriodFields{Name: "Year " + strconv.Itoa(f.serial), Begins: "2026-10-01", Ends: "2027-09-30"}
	year, err := f.Service.CreateTerm(ctx, by, 0, days, nil)
	f.must(err)
	days.Name = "Term"
	term, err := f.Service.CreateTerm(ctx, by, year.ID, days, nil)
	f.must(err)
	f.term = term.ID
	lift, err := f.Service.Lift(ctx, by, service.NewLift{Limit: lms.LimitNamingPerson, Person: service.PersonRef{UserID: f.ids[teacherOfC]}, Until: time.Now().AddDate(0, 1, 0)}, nil)
	f.must(err)
	f.lift = lift.ID
	for status, id := range map[string]int64{string(lms.StatusSuspended): f.ids[suspended], string(lms.StatusPending): f.pupil, string(lms.StatusActive): f.ids[studentOfC]} {
		u, err := f.Service.User(ctx, by, id)
		f.must(err)
		if string(u.Status) != status {
			_, err := f.Service.UpdateUser(ctx, by, id, service.UserPatch{Status: &status, OrphanCourses: true})
			f.must(err)
		}
	}
}

func (f *fixture) client(a actor) *app.Client {
	if secret, ok := f.tokens[a]; ok {
		return f.WithToken(secret)
	}
	if a == anonymous {
		return f.Anonymous()
	}
	return f.WithSession(f.sessions[a])
}

// target fills a route's pattern. {user_id} is a student of C: the one who
// asks, where they are one, else another who never signed in.
func (f *fixture) target(r row, a actor) (method, path string) {
	method, path, _ = strings.Cut(r.route, " ")
	user := f.pupil
	if a == studentOfC {
		user = f.ids[studentOfC]
	}
	if r.query != "" {
		path += "?" + r.query
	}
	id := func(n int64) string { return strconv.FormatInt(n, 10) }
	return method, strings.NewReplacer("{course_id}", id(f.course), "{user_id}", id(user), "{role_id}", id(f.role), "{session_id}", id(f.otherSession),
		"{token_id}", id(f.strangerToken), "{announcement_id}", id(f.announcement), "{term_id}", id(f.term), "{lift_id}", id(f.lift), "{section_id}", id(f.section), "{import_id}", id(f.list), "{source_id}", id(f.source), "{run_id}", id(f.run), "{webhook_id}", id(f.webhook), "{delivery_id}", id(f.delivery), "{request_id}", id(f.request), "{directory_id}", id(f.directory), "{id}", id(f.scimID(r)), "{merge_id}", id(f.merge), "{claim_id}", id(f.claim), "{provider}", "google", "{$}", "", "{version}", "0", "{name}", "none.css").Replace(path)
}

// bringList makes the class list that a route is about.
func (f *fixture) bringList() {
	f.t.Helper()
	ctx := context.Background()
	list, err := f.Service.CreateImport(ctx, f.adminBy, service.NewImport{CourseID: f.course, Text: "someone.listed@uni.example"}, nil)
	f.must(err)
	f.list = list.ID
	list, err = f.Service.AwaitImport(ctx, f.adminBy, list.ID, time.Minute)
	f.must(err)
	if list.State != lms.ImportReady {
		f.t.Fatalf("the list is %s", list.State)
	}
}

// makeSource makes a source with a run that failed.
func (f *fixture) makeSource() {
	f.t.Helper()
	ctx := context.Background()
	src, err := f.Service.CreateSource(ctx, f.adminBy, service.SourceFields{Name: "SIS", Kind: "upload"}, nil)
	f.must(err)
	got, err := fetch.Upload(strings.NewReader("no archive"), "sis.zip")
	f.must(err)
	defer got.Close()
	run, err := f.Service.UploadBundle(ctx, f.adminBy, src.ID, got)
	if err == nil {
		f.t.Fatal("what is no archive was read")
	}
	f.source, f.run = src.ID, run.ID
}

func (f *fixture) ask(r row, a actor) app.Answer {
	if (strings.Contains(r.route, "{source_id}") || strings.Contains(r.route, "{run_id}")) && f.source == 0 {
		f.makeSource()
	}
	if strings.Contains(r.route, "{webhook_id}") && f.webhook == 0 {
		f.makeWebhook()
	}
	if strings.Contains(r.route, "{directory_id}") && f.directory == 0 {
		f.makeDirectory()
	}
	if strings.Contains(r.route, "{import_id}") && f.list == 0 {
		f.bringList()
	}
	if strings.Contains(r.route, "{merge_id}") && f.merge == 0 {
		f.makeMerge(r.route)
	}
	if strings.Contains(r.route, "{request_id}") {
		q, err := f.Service.AskErasure(context.Background(), f.bystander, "") // the one that is open, if there is one
		f.must(err)
		f.request = q.ID
	}
	if strings.Contains(r.route, "{claim_id}") {
		f.makeClaim(r.route)
	}
	method, path := f.target(r, a)
	c := f.client(a)
	switch {
	case r.file != "":
		return c.Do(method, path, "text/csv", strings.NewReader(r.file))
	case r.form != nil:
		return c.Post(path, r.form(f))
	case r.body != nil:
		return c.JSON(method, path, r.body(f))
	}
	return c.JSON(method, path, nil)
}

// got reads what an answer means.
func got(r row, a app.Answer) answer {
	api := strings.Contains(r.route, " /api/") || strings.Contains(r.route, " /scim/")
	switch {
	case slices.Contains(r.allow, a.Status):
		return served
	case a.Status == http.StatusUnauthorized && api:
		return signInPage
	case a.Status == http.StatusSeeOther && strings.HasPrefix(a.Header.Get("Location"), "/sign-in"):
		return signInPage
	case a.Status == http.StatusForbidden:
		return refused
	case a.Status == http.StatusNotFound:
		return hidden
	case a.Status < 400:
		return served
	}
	return answer(strconv.Itoa(a.Status))
}

// TestC01EveryRouteAnswersEveryCallerByPolicy asks each route of the running
// server as each kind of caller. A route without a row fails, and so does a
// row without a route.
func TestC01EveryRouteAnswersEveryCallerByPolicy(t *testing.T) {
	app.EachEngine(t, func(t *testing.T, engine string) {
		f := newFixture(t, engine)
		rows := allPolicies
		var listed []string
		for _, r := range rows {
			listed = append(listed, r.route)
		}
		for _, route := range f.Server.Routes() {
			if !slices.Contains(listed, route) {
				t.Errorf("%s has no policy: add a row to the matrix", route)
			}
		}
		for _, r := range rows {
			if !slices.Contains(f.Server.Routes(), r.route) {
				t.Errorf("%s has a policy, but there is no such route", r.route)
				continue
			}
			actors := browsers
			if strings.Contains(r.route, " /api/") || strings.Contains(r.route, " /scim/") {
				actors = slices.Concat(browsers, programs)
			}
			for _, a := range actors {
				f.checkCell(r, a)
			}
		}
	})
}

func (f *fixture) checkCell(r row, a actor) {
	want := r.want(a)
	if r.route == "POST /auth/sign-out" && a != anonymous && a != forged {
		return // it would end the actor's session
	}
	res := f.ask(r, a)
	have := got(r, res)
	if want == badToken {
		want = signInPage
	}
	if have != want {
		f.t.Errorf("%s, %s: %s (%d), want %s: %s", r.route, a, have, res.Status, want, lms.Clip(string(res.Body), 200))
	}
	if r.write && (have == served || want == served) {
		f.rebuild()
	}
}

// TestC01AForeignCourseIsIndistinguishableFromNone lets the owner of D ask
// for C through every route about a course, and compares what they learn with
// what they learn about a course that does not exist: nothing.
func TestC01AForeignCourseIsIndistinguishableFromNone(t *testing.T) {
	app.EachEngine(t, func(t *testing.T, engine string) {
		f := newFixture(t, engine)
		for _, r := range slices.Concat(apiPolicies, webPolicies) {
			if !strings.Contains(r.route, "{course_id}") && r.query == "" || r.policy(ownerOfD) != hidden {
				continue
			}
			foreign := f.ask(r, ownerOfD)
			c := f.course
			f.course = 1 << 40
			none := f.ask(r, ownerOfD)
			f.course = c
			if foreign.Status != none.Status || len(foreign.Body) != len(none.Body) && !strings.HasPrefix(r.route, "GET /courses") {
				t.Errorf("%s: a foreign course answers %d with %d bytes, none %d with %d", r.route, foreign.Status, len(foreign.Body), none.Status, len(none.Body))
			}
		}
	})
}
