package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"matricula/internal/apptest"
	"matricula/internal/lms"
	"matricula/internal/service"
)

func TestHomeShowsEachKindOfPersonWhatMattersToThem(t *testing.T) {
	c := algorithms(t)
	c.enroll("assistant", "grace@uni.example")
	c.enroll("student", "sam@uni.example")
	c.enroll("student", "zoe@uni.example")
	c.ada.post(c.path+"/announcements", "title", "Welcome", "body", "x").want(http.StatusSeeOther)
	c.ada.post(c.path+"/announcements", "title", "Later", "body", "x", "publish_at", c.now.AddDate(0, 1, 0).Format("2006-01-02T15:04")).want(http.StatusSeeOther)

	student := c.signedIn("sam@uni.example", "Sam", "Okoro")
	page := student.get("/").says(".courses h2", "Algorithms").says(".news", "Welcome").says(".news", "Algorithms,")
	if page.has(".site-now") || page.has(".counts") || strings.Contains(page.body, "Later") || page.has("a[href=/courses/new]") {
		t.Error("a student sees what is not theirs")
	}
	c.ada.get("/").says(".counts", "4 people").says(".counts", "2 have not signed in yet").says("a.button", "New course")
	helper := c.signedIn("grace@uni.example", "Grace", "Hopper")
	helper.get("/").says(".counts", "1 has not signed in yet").says(".may", "You may: See the roster, Manage the roster")
	admin := c.admin.get("/").says(".site-now", "5 people").says(".site-now", "1 has not signed in yet").says(".site-now a", "Sign-in and settings")
	if admin.has("a[href=/admin/courses?show=orphaned]") {
		t.Error("a course without an owner is reported, and there is none")
	}
	// Of what is over, the page says less.
	c.ada.post(c.path + "/settings/archive").want(http.StatusSeeOther)
	student.get("/").says(".past summary", "1 archived course").says(".past h2", "Algorithms")
	if student.get("/").has(".news") {
		t.Error("what an archived course was told is news")
	}
	// Old announcements are no news.
	c.ada.post(c.path + "/settings/restore").want(http.StatusSeeOther)
	c.pass(35 * 24 * time.Hour)
	if late := c.signedIn("sam@uni.example", "Sam", "Okoro").get("/").says(".courses h2", "Algorithms"); late.has(".news li") && !strings.Contains(late.body, "Later") {
		t.Error("what was told long ago is news")
	}
}

func TestWhoeverCameWithTheWrongAccountIsHelped(t *testing.T) {
	c := algorithms(t)
	c.name(c.admin, "sam@uni.example", "member")
	sam := c.signedIn("sam@uni.example", "Sam", "Okoro")
	page := sam.get("/").says(".empty", "You are signed in as sam@uni.example").says(".empty", "another address").says(".empty button", "Sign in with another account")
	page.submit(".empty form").want(http.StatusSeeOther)
	if sam.home() != "" {
		t.Error("the session goes on")
	}
	again := c.stranger().get("/sign-in?other=yes").says(".notice", "Choose another account")
	if v, _ := attr(again.one("input[name=other]"), "value"); v != "yes" {
		t.Error("the button does not ask for another account")
	}
	for path, want := range map[string]bool{"/auth/school/start": false, "/auth/school/start?other=yes": true} {
		a := c.stranger().get(path).want(http.StatusFound)
		if got := strings.Contains(a.header.Get("Location"), "prompt=login"); got != want {
			t.Errorf("%s asks the provider anew: %v", path, got)
		}
	}
	c.stranger().get("/auth/another").want(http.StatusOK)
	c.issuer.SignInAs(apptest.Somebody("nobody@gmail.example", "", ""))
	b := c.stranger()
	b.get(b.callback(b.start("/"))).want(http.StatusForbidden).says("main", "You came as nobody@gmail.example").says("a.button", "Try another way")
}

func TestTheSignInPageSaysForWhoseAddressesAButtonIs(t *testing.T) {
	newSite(t, onlyFor("uni.example", "students.uni.example")).stranger().get("/sign-in").says(".providers", "For addresses of uni.example, students.uni.example")
	if newSite(t).stranger().get("/sign-in").has(".providers .hint") {
		t.Error("a button for every address has a hint")
	}
}

func TestACourseIsHandedOverOnItsPage(t *testing.T) {
	c := algorithms(t)
	c.enroll("teacher", "t@uni.example")
	c.ada.get(c.path+"/settings").says(".card h2", "Hand over the course").says(".card h2", "Copy the course")
	form := c.ada.get(c.path + "/hand-over")
	form.submit("form.stack", "email", "Grace <grace@uni.example>").want(http.StatusUnprocessableEntity).says("#email-fault", "name with an address").says("main .address", "grace@uni.example")
	form.submit("form.stack", "email", "ada@uni.example").want(http.StatusUnprocessableEntity).says("#email-fault", "This is you")
	form.submit("form.stack", "email", "grace@uni.example", "then", "leave").want(http.StatusConflict).says(".summary", "grace@uni.example has not signed in yet")
	if _, known := c.find(c.admin, "grace@uni.example"); known {
		t.Error("a refused handing over has named somebody")
	}
	form.submit("form.stack", "email", "grace@uni.example", "then", "stay").want(http.StatusSeeOther)
	grace, _ := c.find(c.admin, "grace@uni.example")
	if m := c.member(grace.ID); m.Enrollment == nil || !m.Enrollment.Role.Owner() {
		t.Fatalf("Grace is %+v", m)
	}
	g := c.signedIn("grace@uni.example", "Grace", "Hopper")
	c.ada.get(c.path+"/hand-over").submit("form.stack", "email", "grace@uni.example", "then", "leave").wantTo("/").says(".flash", "Handed over")
	c.ada.get(c.path).want(http.StatusNotFound)
	g.get(c.path+"/audit").says("tbody", "handed the course over to").says("tbody", "stepped back")
	teacher := c.signedIn("t@uni.example", "Tea", "Cher")
	teacher.get(c.path + "/hand-over").want(http.StatusForbidden)
	if teacher.get(c.path + "/settings").has("a[href=" + c.path + "/hand-over]") {
		t.Error("a teacher is offered to hand the course over")
	}
}

func TestHandingOverToAnOutsideAddressAsksOnce(t *testing.T) {
	c := algorithms(t, namingDomains("uni.example"))
	ask := c.ada.get(c.path+"/hand-over").submit("form.stack", "email", "grace@elsewhere.example").want(http.StatusUnprocessableEntity).says(".question", "somebody outside")
	ask.submit("form.stack").want(http.StatusSeeOther)
	if _, known := c.find(c.admin, "grace@elsewhere.example"); !known {
		t.Error("the confirmed person is not there")
	}
}

func TestACourseIsCopiedOnItsPage(t *testing.T) {
	c := algorithms(t)
	helper := c.enroll("assistant", "grace@uni.example")
	c.enroll("student", "sam@uni.example")
	form := c.ada.get(c.path+"/copy").says("form.stack", "With its staff: 1 person")
	form.submit("form.stack", "title", " ").want(http.StatusUnprocessableEntity).says("#title-fault", "needs a title")
	made := form.submit("form.stack", "title", "Algorithms 2027").want(http.StatusSeeOther)
	path, _, _ := strings.Cut(made.header.Get("Location"), "?")
	c.ada.get(path).says("h1", "Algorithms 2027")
	c.ada.get(path+"/people").says(".tabs", "Everyone 2").says("tbody", "grace@uni.example")
	again := form.submit("form.stack", "title", "Algorithms 2027").want(http.StatusSeeOther)
	if got, _, _ := strings.Cut(again.header.Get("Location"), "?"); got != path {
		t.Errorf("sent twice, there are %s and %s", path, got)
	}
	status := string(lms.StatusSuspended)
	if _, err := c.svc.UpdateUser(t.Context(), c.admin.caller, helper, service.UserPatch{Status: &status}); err != nil {
		t.Fatal(err)
	}
	c.ada.get(c.path+"/copy").submit("form.stack", "title", "Without Grace").want(http.StatusOK).says("main li", "grace@uni.example").says("main li", "suspended").says("a.button", "Go to the new course")
	c.enroll("teacher", "t@uni.example")
	c.signedIn("t@uni.example", "Tea", "Cher").get(c.path + "/copy").want(http.StatusForbidden) // creates no courses
}

// H-07: one's own data, whole and for machines.
func TestH07OnesOwnDataIsDownloaded(t *testing.T) {
	c := algorithms(t)
	sam := c.enroll("student", "sam@uni.example")
	if _, err := c.svc.SetPrivileges(t.Context(), c.ada.caller, service.PrivilegeChange{CourseID: c.id, Person: service.PersonRef{UserID: sam}, Allow: []string{"roster.view"}}); err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		title := "Algorithms " + itoa(int64(i))
		if _, err := c.svc.UpdateCourse(t.Context(), c.ada.caller, c.id, service.CoursePatch{Title: &title}); err != nil {
			t.Fatal(err)
		}
	}
	b := c.signedIn("sam@uni.example", "Sam", "Okoro")
	a := b.get("/account").submit("form[action=/account/data]").want(http.StatusOK)
	if kind, name := a.header.Get("Content-Type"), a.header.Get("Content-Disposition"); kind != "application/json" || !strings.Contains(name, "attachment") {
		t.Errorf("it is %q, %q", kind, name)
	}
	var d struct {
		service.OwnDocument
		Audit []service.OwnEntry `json:"audit"`
	}
	if err := json.Unmarshal([]byte(a.body), &d); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	if d.ID != sam || d.GivenName != "Sam" || d.NamedBy != "Ada Lovelace" || len(d.Addresses) != 1 || d.Addresses[0].Email != "sam@uni.example" || len(d.Identities) != 1 || len(d.Sessions) != 1 {
		t.Errorf("%+v", d)
	}
	if len(d.Courses) != 1 || d.Courses[0].Role != "student" || d.Courses[0].AddedBy != "Ada Lovelace" || len(d.Courses[0].Allow) != 1 || d.Courses[0].GrantedBy != "Ada Lovelace" {
		t.Errorf("the courses: %+v", d.Courses)
	}
	var actions []string
	for _, e := range d.Audit {
		actions = append(actions, e.Action)
	}
	if got := strings.Join(actions, " "); got != "account.export user.claim privileges.set enrollment.add" {
		t.Errorf("the audit about them: %s", got)
	}
	if strings.Contains(a.body, "ada@uni.example") {
		t.Error("somebody else's address stands in it")
	}
	// Ada's is long, and comes whole.
	ada := c.ada.post("/account/data").want(http.StatusOK)
	var whole struct{ Audit []json.RawMessage }
	if err := json.Unmarshal([]byte(ada.body), &whole); err != nil || len(whole.Audit) < 63 {
		t.Errorf("%d entries (%v)", len(whole.Audit), err)
	}
}

func TestThePersonsLanguageIsChosenOnTheAccountPage(t *testing.T) {
	c := algorithms(t)
	c.ada.post("/language", "language", "en").want(http.StatusSeeOther)
	page := c.ada.get("/account").says("#language", "As my browser says")
	page.submit("section form[action=/language]", "language", "en").want(http.StatusSeeOther)
	if u, err := c.svc.Me(t.Context(), c.ada.caller); err != nil || u.Language != "en" {
		t.Errorf("Ada reads %q (%v)", u.Language, err)
	}
	c.ada.post("/language", "language", "xx").want(http.StatusUnprocessableEntity)
}

func TestAdministratorsSeeWhereSomebodyStands(t *testing.T) {
	c := algorithms(t)
	grace := c.enroll("assistant", "grace@uni.example")
	c.admin.get("/admin/people").says("tbody", "grace@uni.example")
	page := c.admin.get("/admin/people/"+itoa(grace)).says("dd", "Ada Lovelace").says(".rows", "Algorithms").says(".rows", "Assistant").says("dd", "not proved yet").says("dd", "nothing yet")
	href, _ := attr(page.one("a[href=/admin/audit?person="+itoa(grace)+"]"), "href")
	c.admin.get(href).says("tbody", "added grace@uni.example")
	c.signedIn("grace@uni.example", "Grace", "Hopper")
	c.admin.get("/admin/people/"+itoa(grace)).says("dd", "the school,")
	c.admin.get("/admin/people/"+itoa(c.admin.user.ID)).says("main", "In no course.")
}

func TestCoursesWithoutAnOwnerAreReported(t *testing.T) {
	c := algorithms(t)
	c.admin.get("/admin/courses?show=orphaned").says(".empty", "Every course has an owner who can act")
	status := string(lms.StatusSuspended)
	if _, err := c.svc.UpdateUser(t.Context(), c.admin.caller, c.ada.user.ID, service.UserPatch{Status: &status, OrphanCourses: true}); err != nil {
		t.Fatal(err)
	}
	c.admin.get("/").says(".site-now a", "1 course has no owner who can act")
	page := c.admin.get("/admin/courses?show=orphaned").says("tbody", "Algorithms")
	href, _ := attr(page.one("tbody td a"), "href")
	c.admin.get(href).submit("form.stack", "email", "grace@uni.example").want(http.StatusSeeOther)
	// Whoever has not signed in yet cannot act: the course is still reported.
	c.admin.get("/admin/courses?show=orphaned").says("tbody", "Algorithms")
	c.signedIn("grace@uni.example", "Grace", "Hopper")
	c.admin.get("/admin/courses?show=orphaned").says(".empty", "Every course has an owner")
}

func TestSettingsAndProvidersAreShownAndAsked(t *testing.T) {
	c := algorithms(t)
	page := c.admin.get("/admin/settings").says(".rows", "the school").says(".rows", "every address that it calls verified").says(".rows", "2 people signed in with it").says("tbody", "MATRICULA_TIME_ZONE").says("tbody", "not set")
	if strings.Contains(page.body, apptest.ClientSecret) {
		t.Error("a secret is shown")
	}
	page.submit("form[action=/admin/settings/check]").want(http.StatusOK).says(".rows .badge", "answers")
	c.issuer.Shut()
	page.submit("form[action=/admin/settings/check]").want(http.StatusOK).says(".rows .badge", "does not answer").says(".rows .fault", "school")
	c.ada.get("/admin/settings").want(http.StatusForbidden)
	c.ada.post("/admin/settings/check").want(http.StatusForbidden)
}
