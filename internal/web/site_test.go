package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/web"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func TestRolesOfACourseAreMadeChangedAndDeleted(t *testing.T) {
	c := algorithms(t)
	roles := c.path + "/roles"
	page := c.ada.get(roles).says("tbody th", "Owner").says("td", "Built in")
	page.submit("main form", "name", "Teacher").want(http.StatusUnprocessableEntity).says("#name-fault", "built-in")
	page.submit("main form", "name", "").want(http.StatusUnprocessableEntity).says("#name-fault", "name")
	made := page.submit("main form", "name", "Lab tutor", "+privilege", "roster.view").wantTo(roles).says("tbody th", "Lab tutor")
	href, _ := attr(made.one("td a"), "href")
	c.ada.post(roles, "name", "lab TUTOR", "key", "other").want(http.StatusUnprocessableEntity).says("#name-fault", "already has a role")
	edit := c.ada.get(href).want(http.StatusOK)
	if !edit.has("input[name=privilege][value=roster.view][checked]") {
		t.Error("the role's privileges are not shown")
	}
	edit.submit("form.stack", "name", "Lab chief", "+privilege", "roster.manage").wantTo(roles).says("tbody th", "Lab chief").says("td", "See the roster, Manage the roster")
	preset := c.svcRole("owner")
	c.ada.get(roles+"/"+itoa(preset)).want(http.StatusConflict).says(".lead", "built-in")
	c.ada.post(roles+"/"+itoa(preset), "name", "X").want(http.StatusConflict)

	grace := c.enroll("lab-chief", "grace@uni.example")
	c.ada.get(href).says(".notice", "1 person has this role")
	c.ada.post(href+"/delete").want(http.StatusConflict).says(".summary", "have the role")
	c.ada.post(c.personPath(grace) + "/remove").want(http.StatusSeeOther)
	c.ada.get(href).submit(".card form").wantTo(roles).says(".flash", "deleted")
	c.ada.get(href).want(http.StatusNotFound)
}

// svcRole is the id of a role by its key.
func (c *course) svcRole(key string) int64 {
	c.tb.Helper()
	roles, err := c.svc.Roles(context.Background(), c.ada.caller, c.id)
	if err != nil {
		c.tb.Fatal(err)
	}
	for _, r := range roles {
		if r.Role.Key == key {
			return r.Role.ID
		}
	}
	c.tb.Fatalf("no role %s", key)
	return 0
}

func TestTheAuditSaysInWordsWhatWasDoneAndRefused(t *testing.T) {
	c := algorithms(t)
	c.ada.post(c.path+"/roles", "name", "Lab tutor", "privilege", "roster.view", "key", "k").want(http.StatusSeeOther)
	grace := c.enroll("assistant", "grace@uni.example")
	c.ada.post(c.personPath(grace)+"/role", "role", "lab-tutor").want(http.StatusSeeOther)
	c.ada.post(c.path+"/people/privileges", "user_id", itoa(grace), "privilege", "roster.view", "privilege", "audit.view").want(http.StatusSeeOther)
	c.ada.post(c.path+"/settings", "title", "Algorithms II", "code", "CS-201").want(http.StatusSeeOther)
	c.enroll("student", "sam@uni.example")
	c.signedIn("sam@uni.example", "Sam", "Student").post(c.path+"/settings", "title", "X").want(http.StatusForbidden)
	b := c.signedIn("grace@uni.example", "Grace", "Hopper")
	a := b.get(c.path + "/audit").want(http.StatusOK)
	for _, want := range []string{
		"Sam Student wanted to edit the course Refused they lacked the privilege", "Ada Lovelace edited the course", "Ada Lovelace set what may be done by Grace Hopper",
		"Ada Lovelace changed the role of Grace Hopper", "Ada Lovelace added Grace Hopper", "Ada Lovelace made a role", "Ada Lovelace created the course",
	} {
		a.says("tbody th", want)
	}
	a.says(".changes div", "Title Algorithms → became Algorithms II").says(".changes div", "Role Assistant → became Lab tutor").says(".changes div", "Given See the audit")
	for _, times := range a.all("time") {
		if v, _ := attr(times, "datetime"); v == "" {
			t.Error("a time has no datetime")
		} else if _, err := time.Parse(time.RFC3339, v); err != nil {
			t.Error(err)
		}
	}
	site := c.admin.get("/admin/audit").says("tbody th", "Grace Hopper signed in for the first time").says("tbody td", "Algorithms II")
	site.says("tbody th", "Matricula named Radia Root")
	for i := range 55 {
		c.ada.post(c.path+"/settings", "title", "Algorithms "+strconv.Itoa(i)).want(http.StatusSeeOther)
	}
	first := c.ada.get(c.path + "/audit")
	older, _ := attr(first.one("nav.pages a"), "href")
	if n := len(first.all("tbody tr")); n != 50 {
		t.Errorf("%d entries on the first page", n)
	}
	c.ada.get(older).says("tbody th", "created the course").says("nav.pages a", "Newest")
}

// Every action that can be recorded, and every privilege, has words.
func TestEveryActionHasWords(t *testing.T) {
	c := algorithms(t)
	seen := map[string]bool{}
	for _, a := range access.Actions() {
		if a.Writes() {
			seen[string(a)] = true
		}
	}
	for a := range seen {
		if !web.KnowsAction(a) {
			t.Errorf("the audit has no words for %s", a)
		}
	}
	c.ada.get(c.path + "/audit").want(http.StatusOK)
}

func TestTheAccountShowsSessionsAndEndsThem(t *testing.T) {
	c := algorithms(t)
	other, third := c.signedIn("ada@uni.example", "Ada", "Lovelace"), c.signedIn("ada@uni.example", "Ada", "Lovelace")
	page := c.ada.get("/account").says("#addresses .rows", "ada@uni.example").says(".rows b", "the school").says(".rows b", "Firefox on Linux").says(".badge", "This browser")
	ends := page.all(".rows form")
	if len(ends) != 2 {
		t.Fatalf("%d sessions can be ended, want the two others", len(ends))
	}
	action, _ := page.fields(ends[0])
	c.ada.post(action).wantTo("/account").says(".flash", "signed out")
	if (other.home() == "") == (third.home() == "") {
		t.Error("not exactly one of the two other sessions has ended")
	}
	c.ada.post("/account/sessions/end-others").wantTo("/account")
	if other.home() != "" || third.home() != "" || c.ada.home() == "" {
		t.Error("not exactly the other sessions have ended")
	}
	c.ada.post("/account/sessions/" + itoa(c.admin.caller.SessionID) + "/end").want(http.StatusNotFound)
	c.ada.post("/account/sessions/" + itoa(c.ada.caller.SessionID) + "/end").wantTo("/sign-in")
}

func TestAnAPITokenIsShownOnce(t *testing.T) {
	c := algorithms(t)
	form := c.ada.get("/account")
	form.submit("form[action='/account/tokens']", "name", "").want(http.StatusUnprocessableEntity).says("#token-name-fault", "name")
	form.submit("form[action='/account/tokens']", "name", "x", "-scope", "read").want(http.StatusUnprocessableEntity).says("fieldset .fault", "what the token may be used for")
	form.submit("form[action='/account/tokens']", "name", "x", "days", "7000").want(http.StatusUnprocessableEntity).says("#days-fault", "how long")
	form.submit("form[action='/account/tokens']", "name", "x", "course_id", "999").want(http.StatusUnprocessableEntity).says("fieldset .fault", "no course")
	made := form.submit("form[action='/account/tokens']", "name", "grade sync", "course_id", itoa(c.id), "days", "30").want(http.StatusOK)
	secret, _ := attr(made.one("#secret"), "value")
	who, _, err := c.svc.ByToken(context.Background(), secret, "x")
	if err != nil || who.UserID != c.ada.user.ID || len(who.Scopes) != 1 || who.Scopes[0] != lms.ScopeRead || len(who.CourseIDs) != 1 {
		t.Fatalf("the token is worth %+v (%v)", who, err)
	}
	again := form.submit("form[action='/account/tokens']", "name", "grade sync", "course_id", itoa(c.id), "days", "30").want(http.StatusConflict).says(".summary", "shown only once")
	if strings.Contains(again.body, secret) || strings.Contains(c.ada.get("/account").body, secret) {
		t.Error("the secret is shown a second time")
	}
	page := c.ada.get("/account").says(".rows li", "grade sync").says(".rows li", "changes nothing. Only in: Algorithms")
	for _, f := range page.all(".rows form") {
		if action, _ := page.fields(f); strings.HasSuffix(action, "/revoke") {
			c.ada.post(action).wantTo("/account").says(".flash", "revoked")
		}
	}
	if _, _, err := c.svc.ByToken(context.Background(), secret, "x"); err == nil {
		t.Error("the revoked token still works")
	}
	c.ada.post("/account/tokens/999/revoke").want(http.StatusNotFound)
}

func TestAdministratorsNamePeopleAndChangeAccounts(t *testing.T) {
	c := algorithms(t)
	page := c.admin.get("/admin/people").says(".who", "Ada Lovelace")
	page.submit("form.stack", "email", "Grace <grace@uni.example>").want(http.StatusUnprocessableEntity).says("#email-fault", "name with an address").says("main .address", "grace@uni.example")
	a := page.submit("form.stack", "email", "grace@uni.example", "given_name", "Grace", "family_name", "Hopper", "site_role", "teacher").want(http.StatusSeeOther)
	grace, known := c.find(c.admin, "grace@uni.example")
	if !known || grace.SiteRole != lms.SiteTeacher || !grace.Pending() {
		t.Fatalf("Grace is %+v", grace)
	}
	path := "/admin/people/" + itoa(grace.ID)
	a.wantTo(path).says("h1", "Grace Hopper").says(".badge", "Has not signed in yet").says("dd", "Not yet")
	c.admin.post(path+"/site-role", "site_role", "admin").wantTo(path).says(".badge", "Administrator")
	c.admin.post(path+"/site-role", "site_role", "king").want(http.StatusUnprocessableEntity).says(".summary", "no site role")
	c.admin.post("/admin/people/"+itoa(c.admin.user.ID)+"/site-role", "site_role", "member").want(http.StatusForbidden).says(".notice", "This is you")

	// Suspending the only owner of a course asks once more.
	ada := "/admin/people/" + itoa(c.ada.user.ID)
	ask := c.admin.get(ada).submit(".card form").want(http.StatusConflict).says(".summary", "only owner of: Algorithms")
	ask.submit(".card form", "orphan_courses", "yes").wantTo(ada).says(".badge", "Suspended")
	c.admin.get(ada).submit(".card form").wantTo(ada).says(".flash", "restored")

	found := c.admin.post("/admin/people/search", "search", "hopp").want(http.StatusOK)
	if n := len(found.all("tbody tr")); n != 1 {
		t.Errorf("%d people are called hopp", n)
	}
	c.admin.post("/admin/people/search", "search", "h").want(http.StatusUnprocessableEntity).says(".summary", "two letters")
	c.admin.post("/admin/people/search", "status", "pending").says(".who", "Grace Hopper")
	if part := c.admin.enhanced("/admin/people/search", "search", "hopp"); part.has("h1") {
		t.Error("htmx gets the whole page")
	}
	for _, path := range []string{"/admin/people", path + "/site-role", path + "/status", "/admin/people/search"} {
		c.ada.post(path, "email", "x@uni.example", "site_role", "admin", "status", "suspended").want(http.StatusSeeOther) // her session ended with the suspension
	}
	b := c.signedIn("ada@uni.example", "Ada", "Lovelace")
	for _, path := range []string{"/admin/people", path + "/site-role", path + "/status", "/admin/people/search"} {
		b.post(path, "email", "x@uni.example", "site_role", "admin", "status", "suspended").want(http.StatusForbidden)
	}
	if _, known := c.find(c.admin, "x@uni.example"); known {
		t.Error("a teacher has named somebody on the site")
	}
}

// F-09: names are text, wherever they stand.
func TestF09HostileNamesAreText(t *testing.T) {
	c := algorithms(t)
	for _, hostile := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `{{7*7}}`, `${7*7}`, `</title><script>x</script>`, `[x](javascript:alert(1))`,
		`javascript:alert(1)`, `' onmouseover='alert(1)`, `<svg/onload=alert(1)>`, `<hx-partial hx-target="body">x</hx-partial>`, `&lt;b&gt;`, `--><b>`,
	} {
		u, err := c.svc.NamePerson(context.Background(), c.admin.caller, service.NewPerson{Email: "victim" + itoa(int64(len(hostile))) + "@uni.example", GivenName: hostile, FamilyName: "X"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.enroll("assistant", string(u.Email))
		if _, err := c.svc.UpdateCourse(context.Background(), c.ada.caller, c.id, service.CoursePatch{Title: &hostile, Code: ptr(lms.Clip(hostile, 39)), Description: &hostile}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.svc.CreateRole(context.Background(), c.ada.caller, c.id, service.RoleFields{Name: lms.Clip(hostile, 50) + itoa(u.ID)}, nil); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/", c.path, c.path + "/people", c.personPath(u.ID), c.personPath(u.ID) + "/remove", c.path + "/roles", c.path + "/audit", c.path + "/settings", c.path + "/people/add", "/account"} {
			// That nothing of it became an element or an attribute is checked on every answer.
			a := c.ada.get(path).want(http.StatusOK)
			if a.has("img") || a.has("svg") || a.has("hx-partial") || len(a.all("script")) != 2 || len(a.all("b b")) > 0 {
				t.Errorf("%s: %q has become an element", path, hostile)
			}
			if !strings.Contains(text(a.root), strings.Join(strings.Fields(hostile), " ")) && path != "/account" && path != c.path+"/people/add" {
				t.Errorf("%s does not show %q as it was written", path, hostile)
			}
		}
		row := c.ada.enhanced(c.path+"/people/privileges", "user_id", itoa(u.ID), "from", "table", "privilege", "roster.view", "privilege", "roster.manage").want(http.StatusOK)
		if len(row.all("hx-partial")) != 1 || row.has("img") || row.has("svg") {
			t.Errorf("the row of %q has become more: %d parts", hostile, len(row.all("hx-partial")))
		}
		for _, path := range []string{"/admin/people", "/admin/people/" + itoa(u.ID), "/admin/audit", "/admin/courses"} {
			if a := c.admin.get(path).want(http.StatusOK); a.has("img") || a.has("svg") || len(a.all("script")) != 2 {
				t.Errorf("%s: %q has become an element", path, hostile)
			}
		}
	}
	// What was typed comes back as text too.
	a := c.ada.post(c.path+"/people/find", "email", `"><script>alert(1)</script>@`).want(http.StatusUnprocessableEntity)
	if len(a.all("script")) != 2 {
		t.Error("a typed address has become an element")
	}
	a = c.ada.post(c.path+"/people/add", "emails", `</textarea><script>alert(1)</script>`, "role", "student").want(http.StatusOK)
	if len(a.all("script")) != 2 {
		t.Error("a pasted list has become an element")
	}
	if a := c.ada.get("/?done=" + "%3Cscript%3E"); len(a.all("script")) != 2 || a.has(".flash") {
		t.Error("the code of a message is shown")
	}
}

func ptr[T any](v T) *T { return &v }

func TestFormsThatAreNoneAreRefused(t *testing.T) {
	c := algorithms(t)
	c.ada.post(c.path+"/people/find", "email", "a@uni.example", "email", "b@uni.example").want(http.StatusBadRequest).says(".lead", "twice")
	c.ada.post(c.path+"/people/privileges", "user_id", "1", "user_id", "2").want(http.StatusBadRequest)
	for _, kind := range []string{"text/plain", "application/json", "multipart/form-data; boundary=x", ""} {
		req := c.ada.request(http.MethodPost, "/courses", strings.NewReader("title=X"))
		req.Header.Set("Content-Type", kind)
		c.ada.do(req).want(http.StatusBadRequest).says("h1", "could not be read")
	}
	c.ada.post("/courses", "title", strings.Repeat("x", 300<<10)).want(http.StatusRequestEntityTooLarge).says(".lead", "256 KB")
	req := c.ada.request(http.MethodPost, "/courses", strings.NewReader("title=%zz"))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	c.ada.do(req).want(http.StatusBadRequest)
	// A GET changes nothing, whatever its query says.
	c.ada.get("/courses?title=X").want(http.StatusMethodNotAllowed)
	c.ada.get(c.path + "/settings/archive").want(http.StatusMethodNotAllowed)
}

func TestErrorsAreShownInOnePlaceAndLoggedOnlyWhenTheyAreOurs(t *testing.T) {
	s := newSite(t)
	show := func(err error, enhanced bool) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/x", nil)
		r = r.WithContext(access.WithCaller(r.Context(), access.Caller{UserID: 7, RequestID: "req-77"}, lms.User{ID: 7, Name: "N"}))
		if enhanced {
			r.Header.Set("HX-Request", "true")
		}
		s.web.WriteError(rec, r, err)
		return rec
	}
	for code, want := range map[lms.Code]int{
		lms.CodeMalformed: 400, lms.CodeForbidden: 403, lms.CodeNotFound: 404, lms.CodeConflict: 409,
		lms.CodeTooLarge: 413, lms.CodeInvalid: 422, lms.CodeTooMany: 429,
	} {
		rec := show(lms.Errorf(code, "some-type", "what happened to secret@uni.example"), false)
		if rec.Code != want || !strings.Contains(rec.Body.String(), "what happened to secret@uni.example") {
			t.Errorf("%s becomes %d without its message", code, rec.Code)
		}
	}
	if strings.Contains(s.log.String(), "secret@uni.example") || s.log.String() != "" {
		t.Errorf("a mistake of the caller was logged: %s", s.log.String())
	}
	if rec := show(lms.Errorf(lms.CodeUnavailable, "busy", "Try later."), false); rec.Code != 503 || rec.Header().Get("Retry-After") == "" {
		t.Errorf("unavailable becomes %d with Retry-After %q", rec.Code, rec.Header().Get("Retry-After"))
	}
	rec := show(errors.New("disk at /var/lib/x is full"), false)
	if body := rec.Body.String(); rec.Code != 500 || strings.Contains(body, "disk") || !strings.Contains(body, "req-77") || !strings.Contains(body, "our fault") {
		t.Errorf("an internal error shows %d %s", rec.Code, body)
	}
	if log := s.log.String(); !strings.Contains(log, "disk at /var/lib/x is full") || !strings.Contains(log, "request_id=req-77") {
		t.Errorf("the log has no cause under the reference: %s", log)
	}
	rec = show(lms.NotFound("course"), true)
	if rec.Header().Get("HX-Retarget") != "#problems" || strings.Contains(rec.Body.String(), "<html") {
		t.Error("htmx gets a whole page, or gets it into the wrong place")
	}
}

func TestFilesAreKeptForEverUnderTheAddressOfTheirVersion(t *testing.T) {
	s := newSite(t)
	page := s.stranger().get("/sign-in")
	for _, selector := range []string{"link[rel=stylesheet]", "link[rel=icon]", "script"} {
		for _, n := range page.all(selector) {
			path, _ := attr(n, "href")
			if path == "" {
				path, _ = attr(n, "src")
			}
			a := s.stranger().get(path).want(http.StatusOK)
			if got := a.header.Get("Cache-Control"); !strings.Contains(got, "immutable") || !strings.Contains(got, "public") {
				t.Errorf("%s: Cache-Control %q", path, got)
			}
			if kind := a.header.Get("Content-Type"); strings.HasPrefix(kind, "text/plain") || kind == "" {
				t.Errorf("%s is sent as %q", path, kind)
			}
			req := s.stranger().request(http.MethodGet, path, nil)
			req.Header.Set("If-None-Match", a.header.Get("ETag"))
			s.stranger().do(req).want(http.StatusNotModified)
			parts := strings.Split(path, "/")
			old := s.stranger().get("/static/0000/" + parts[len(parts)-1]).want(http.StatusOK)
			if got := old.header.Get("Cache-Control"); got != "no-cache" {
				t.Errorf("another version of %s: Cache-Control %q", path, got)
			}
		}
	}
	s.stranger().get("/favicon.ico").want(http.StatusOK)
	for _, path := range []string{"/static/x/htmx.LICENSE", "/static/x/..%2fweb.go", "/static/x/", "/static/app.css"} {
		s.stranger().get(path).want(http.StatusNotFound)
	}
}
