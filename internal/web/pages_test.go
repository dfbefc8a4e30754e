package web_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// The pages that open with GET, for each kind of caller.
func TestEachPageIsForWhomItIsFor(t *testing.T) {
	c := algorithms(t)
	grace := c.enroll("assistant", "grace@uni.example")
	c.enroll("student", "sam@uni.example")
	student := c.signedIn("sam@uni.example", "Sam", "Student")
	assistant := c.signedIn("grace@uni.example", "Grace", "Hopper")
	c.name(c.admin, "mallory@uni.example", "member")
	outsider := c.signedIn("mallory@uni.example", "Mallory", "")
	role := c.ada.post(c.path+"/roles", "name", "Lab tutor", "privilege", "roster.view", "key", "k1").wantTo(c.path + "/roles")
	rolePath, _ := attr(role.one("td a"), "href")
	person := c.path + "/people/" + strconv.FormatInt(grace, 10)
	adminPerson := "/admin/people/" + strconv.FormatInt(grace, 10)

	const ok, to, no, absent = http.StatusOK, http.StatusSeeOther, http.StatusForbidden, http.StatusNotFound
	for _, p := range []struct {
		path                                               string
		anonymous, outsider, student, assistant, ada, root int
		heading                                            string
	}{
		{"/sign-in", ok, to, to, to, to, to, ""},
		{"/", to, ok, ok, ok, ok, ok, "My courses"},
		{"/courses/new", to, no, no, no, ok, ok, "New course"},
		{c.path, to, absent, ok, ok, ok, ok, "Algorithms"},
		{c.path + "/people", to, absent, no, ok, ok, ok, "People"},
		{c.path + "/people/search", to, to, to, to, to, to, ""},
		{c.path + "/people/find", to, to, to, to, to, to, ""},
		{c.path + "/people/privileges", to, to, to, to, to, to, ""},
		{c.path + "/people/add", to, absent, no, ok, ok, ok, "Add people"},
		{person, to, absent, no, ok, ok, ok, "Grace Hopper"},
		{person + "/remove", to, absent, no, ok, ok, ok, ""},
		{c.path + "/roles", to, absent, no, ok, ok, ok, "Roles"},
		{rolePath, to, absent, no, no, ok, ok, "Role Lab tutor"},
		{c.path + "/audit", to, absent, no, no, ok, ok, "Audit"},
		{c.path + "/settings", to, absent, no, no, ok, ok, "Settings"},
		{c.path + "/settings/delete", to, absent, no, no, ok, ok, "Delete Algorithms?"},
		{"/account", to, ok, ok, ok, ok, ok, "My account"},
		{"/account/tokens", to, to, to, to, to, to, ""},
		{"/admin/people", to, no, no, no, no, ok, "People of the site"},
		{"/admin/people/search", to, no, no, no, no, to, ""},
		{adminPerson, to, no, no, no, no, ok, "Grace Hopper"},
		{"/admin/terms", to, no, no, no, no, ok, "Academic years and terms"},
		{"/admin/limits", to, no, no, no, no, ok, "Limits"},
		{"/admin/limits/lift", to, no, no, no, no, to, ""},
		{"/admin/limits/end", to, no, no, no, no, to, ""},
		{"/admin/terms/999", to, absent, absent, absent, absent, absent, "Not found"},
		{"/admin/terms/999/delete", to, no, no, no, no, to, ""},
		{"/admin/courses?term=x", to, no, no, no, no, absent, "Not found"},
		{"/admin/courses", to, no, no, no, no, ok, "Courses of the site"},
		{"/admin/audit", to, no, no, no, no, ok, "Audit of the site"},
		{"/courses/999", to, absent, absent, absent, absent, absent, "Not found"},
		{"/courses/999/people", to, absent, absent, absent, absent, absent, "Not found"},
		{c.path + "/people/999", to, absent, no, absent, absent, absent, "Not found"},
		{c.path + "/roles/999", to, absent, no, absent, absent, absent, "Not found"},
		{"/nowhere", absent, absent, absent, absent, absent, absent, "Not found"},
	} {
		for _, who := range []struct {
			name string
			b    *browser
			want int
		}{
			{"anonymous", c.stranger(), p.anonymous},
			{"outsider", outsider, p.outsider},
			{"student", student, p.student},
			{"assistant", assistant, p.assistant},
			{"owner", c.ada, p.ada},
			{"administrator", c.admin, p.root},
		} {
			a := who.b.get(p.path)
			if a.status != who.want {
				t.Errorf("GET %s as %s: status %d, want %d", p.path, who.name, a.status, who.want)
			}
			if a.status == ok && p.heading != "" {
				a.says("h1", p.heading)
			}
		}
	}
}

func TestAnonymousCallersAreLedToTheSignInPageAndBack(t *testing.T) {
	c := algorithms(t)
	for _, pattern := range c.web.Routes() {
		method, path, _ := strings.Cut(pattern, " ")
		if strings.HasPrefix(path, "/static") || strings.HasPrefix(path, "/auth") || path == "/sign-in" || strings.HasPrefix(path, "/prove") || path == "/not-me" || path == "/favicon.ico" || path == "/language" || path == "/design" {
			continue
		}
		path = strings.NewReplacer("{$}", "", "{course_id}", "1", "{user_id}", "1", "{role_id}", "1", "{session_id}", "1", "{token_id}", "1", "{announcement_id}", "1", "{term_id}", "1", "{section_id}", "1", "{import_id}", "1", "{source_id}", "1", "{run_id}", "1", "{webhook_id}", "1", "{delivery_id}", "1", "{request_id}", "1", "{merge_id}", "1", "{claim_id}", "1", "{directory_id}", "1").Replace(path)
		b := c.stranger()
		a := b.do(b.request(method, path, nil)).want(http.StatusSeeOther)
		want := "/sign-in"
		if method == http.MethodGet && path != "/" {
			want += "?next=" + strings.ReplaceAll(path, "/", "%2F")
		}
		if got := a.header.Get("Location"); got != want {
			t.Errorf("%s leads to %s, want %s", pattern, got, want)
		}
	}
	// What stands in a query may be about a person, so it does not come along.
	a := c.stranger().do(c.stranger().request(http.MethodGet, c.path+"/people?email=grace%40uni.example", nil)).want(http.StatusSeeOther)
	if got := a.header.Get("Location"); strings.Contains(got, "grace") {
		t.Errorf("the query came along: %s", got)
	}
	// htmx is led there too, and back to the page that it stood on.
	req := c.stranger().form(c.path+"/people/privileges", "user_id", "1")
	req.Header.Set("HX-Request", "true")
	req.Header.Set("HX-Current-URL", c.server.URL+c.path+"/people?done=saved")
	a = c.stranger().do(req)
	if got := a.header.Get("HX-Redirect"); got != "/sign-in?next="+strings.ReplaceAll(c.path+"/people", "/", "%2F") {
		t.Errorf("htmx is led to %q", got)
	}
	req.Header.Set("HX-Current-URL", "https://evil.example/courses/1/people")
	if got := c.stranger().do(c.stranger().form("/courses")).header.Get("Location"); got != "/sign-in" {
		t.Errorf("without a page that it came from, a form leads to %q", got)
	}
}

func TestTheRoutesAreThoseThatAreServed(t *testing.T) {
	c := algorithms(t)
	seen := map[string]bool{}
	for _, pattern := range c.web.Routes() {
		if seen[pattern] {
			t.Errorf("%s is there twice", pattern)
		}
		seen[pattern] = true
		method, path, _ := strings.Cut(pattern, " ")
		if method != http.MethodGet && method != http.MethodPost {
			t.Errorf("%s: forms know only GET and POST", pattern)
		}
		path = strings.NewReplacer("{$}", "", "{version}", "x", "{name}", "app.css", "{provider}", "school").Replace(path)
		path = strings.NewReplacer("{course_id}", "999", "{user_id}", "999", "{role_id}", "999", "{session_id}", "999", "{token_id}", "999").Replace(path)
		b := c.signedIn("ada@uni.example", "Ada", "Lovelace")
		if a := b.do(b.request(method, path, nil)); a.status == http.StatusMethodNotAllowed || a.status >= 500 {
			t.Errorf("%s answers %d", pattern, a.status)
		}
	}
	ada := c.signedIn("ada@uni.example", "Ada", "Lovelace") // one of those posts has ended the other sessions
	a := ada.do(ada.request(http.MethodPost, c.path+"/audit", nil)).want(http.StatusMethodNotAllowed)
	if allow := a.header.Get("Allow"); !strings.Contains(allow, "GET") {
		t.Errorf("Allow is %q", allow)
	}
	a.says("h1", "form")
	ada.do(ada.request(http.MethodDelete, c.path, nil)).want(http.StatusMethodNotAllowed)
	ada.do(ada.request(http.MethodHead, c.path, nil)).want(http.StatusOK)
}

func TestIdsThatAreNoneLeadNowhere(t *testing.T) {
	c := algorithms(t)
	for _, id := range []string{"0", "-1", "01", "1e3", "0x1", "9223372036854775808", "x", "%20", "1%0a", "१"} {
		c.ada.get("/courses/" + id).want(http.StatusNotFound)
		c.ada.get(c.path + "/people/" + id).want(http.StatusNotFound)
		c.ada.get(c.path + "/roles/" + id).want(http.StatusNotFound)
	}
	for _, before := range []string{"x", "-1", "0", "1e9", "99999999999999999999"} {
		c.ada.get(c.path + "/audit?before=" + before).want(http.StatusNotFound)
		c.ada.get("/?before=" + before).want(http.StatusNotFound)
	}
}

func TestFirstPagesSayWhatToDo(t *testing.T) {
	s := newSite(t)
	admin := s.admin()
	admin.get("/").says(".empty", "Create your first one")
	s.name(admin, "sam@uni.example", "member")
	sam := s.signedIn("sam@uni.example", "Sam", "Student")
	sam.get("/").says(".empty", "Ask your teacher").says(".empty .address", "sam@uni.example")
	if sam.get("/").has("a[href=/courses/new]") || sam.get("/").has("a[href=/admin/people]") {
		t.Error("a student is offered what is not for them")
	}
	s.name(admin, "ada@uni.example", "teacher")
	s.signedIn("ada@uni.example", "Ada", "Lovelace").get("/").says(".empty a", "New course")
}

func TestATeacherCreatesACourseOnceHoweverOftenTheFormIsSent(t *testing.T) {
	c := algorithms(t)
	form := c.ada.get("/courses/new")
	refused := form.submit("main form", "title", " ").want(http.StatusUnprocessableEntity)
	refused.says(".summary", "needs a title").says("#title-fault", "needs a title")
	if id, _ := attr(refused.one("#title"), "aria-describedby"); !strings.Contains(id, "title-fault") {
		t.Error("the fault is not tied to its field")
	}
	if _, ok := attr(refused.one(".summary"), "autofocus"); !ok {
		t.Error("the summary does not get the focus")
	}
	sent := refused.submit("main form", "title", "Analysis", "code", "MA-1")
	first := sent.header.Get("Location")
	sent.wantTo(strings.TrimSuffix(first, "?done=course-created")).says("h1", "Analysis").says(".flash", "ready")
	if again := refused.submit("main form", "title", "Analysis", "code", "MA-1").want(http.StatusSeeOther).header.Get("Location"); again != first {
		t.Errorf("the same form sent again made another course: %s after %s", again, first)
	}
	refused.submit("main form", "title", "Other").want(http.StatusUnprocessableEntity).says(".summary", "sent before").
		submit("main form").want(http.StatusSeeOther)
	if n := len(c.ada.get("/").all(".courses li")); n != 3 {
		t.Errorf("%d courses, want Algorithms, Analysis and Other", n)
	}
}

func TestACourseIsEditedArchivedRestoredAndDeleted(t *testing.T) {
	c := algorithms(t)
	settings := c.path + "/settings"
	c.ada.get(settings).submit("form.stack", "title", "").want(http.StatusUnprocessableEntity).says("#title-fault", "title")
	c.ada.get(settings).submit("form.stack", "title", "Algorithms II", "description", "More").wantTo(settings).says(".course-name", "Algorithms II")
	c.ada.post(settings+"/delete").want(http.StatusConflict).says(".summary", "Archive it first")
	c.ada.get(settings+"/delete").says(".lead", "Archive it first")
	archived := c.ada.post(settings+"/archive").wantTo(settings).says(".flash", "Archived").says(".badge", "Archived")
	if archived.has("#title") {
		t.Error("an archived course can be edited")
	}
	c.ada.post(settings, "title", "X").want(http.StatusConflict)
	c.ada.get(c.path).says(".notice", "archived on")
	c.ada.post(settings+"/restore").wantTo(settings).says(".flash", "Restored")
	c.ada.post(settings + "/archive").wantTo(settings)
	c.ada.get(settings+"/delete").submit("main form").wantTo("/").says(".flash", "deleted")
	c.ada.get(c.path).want(http.StatusNotFound)
}

func TestListsOfCoursesGoOn(t *testing.T) {
	c := algorithms(t)
	for i := range 52 {
		c.ada.post("/courses", "title", "Course "+strconv.Itoa(i), "key", strconv.Itoa(i)).want(http.StatusSeeOther)
	}
	first := c.ada.get("/")
	if n := len(first.all(".courses li")); n != 50 {
		t.Fatalf("%d courses on the first page", n)
	}
	older, _ := attr(first.one("nav.pages a"), "href")
	second := c.ada.get(older).says(".courses h2", "Algorithms")
	if n := len(second.all(".courses li")); n != 3 {
		t.Errorf("%d courses on the second page, want 3", n)
	}
	if all := c.admin.get("/admin/courses"); len(all.all("tbody tr")) != 50 || c.admin.get("/").has(".courses") {
		t.Error("an administrator sees all courses in one place and their own in the other")
	}
}
