package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"matricula/internal/apptest"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/web"
)

// inRome is a site whose clocks show the time of Rome.
func inRome(t *testing.T) siteOption {
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	return func(_ *service.Options, o *web.Options, _ *signin.Provider) { o.Zone = zone }
}

func TestAnAnnouncementIsWrittenPreviewedPinnedEditedAndDeleted(t *testing.T) {
	c := algorithms(t)
	list := c.path + "/announcements"
	c.ada.get(c.path).says(".told", "A few words of welcome")
	empty := c.ada.get(list).says(".empty", "Nothing has been announced yet").says(".empty a", "Write an announcement")
	if link, _ := attr(empty.one(".empty a"), "href"); link != list+"/new" {
		t.Fatalf("the button leads to %s", link)
	}
	form := c.ada.get(list + "/new")
	form.submit("form.stack", "title", "", "body", "").want(http.StatusUnprocessableEntity).says("#title-fault", "needs a title")
	wrong := form.submit("form.stack", "title", "Welcome", "body", "", "pinned", "yes").want(http.StatusUnprocessableEntity).says("#body-fault", "Write what you want")
	if v, _ := attr(wrong.one("#title"), "value"); v != "Welcome" || !wrong.has("input[name=pinned][checked]") {
		t.Error("what was typed is lost")
	}
	form.submit("form.stack", "title", "Welcome", "body", "x", "publish_at", "tomorrow").want(http.StatusUnprocessableEntity).says("#publish_at-fault", "Write it like 2026-09-07 08:00")
	const text = "\n  # Monday\n\nBring a *pen* and <b>paper</b>\n[notes](https://uni.example/n)"
	preview := c.ada.post(list+"/preview", "title", "Welcome", "body", text).want(http.StatusOK).says("#preview .prose h3", "Monday").says("#preview .prose em", "pen").says("#preview", "not saved yet")
	if v := preview.one("#body"); v == nil {
		t.Error("the form is gone")
	}
	if part := c.ada.enhanced(list+"/preview", "title", "Welcome", "body", text); part.has("h1") || !part.has(".prose em") {
		t.Error("htmx gets the whole page, or no preview")
	}
	c.ada.enhanced(list+"/preview", "title", "Welcome", "body", " ").says(".card", "no text yet")
	form.submit("form.stack", "title", "Welcome", "body", text).wantTo(list+"/1").says(".flash", "Published").says("h1", "Welcome").says(".announcement .meta", "Ada Lovelace,").says(".prose h2", "Monday")
	form.submit("form.stack", "title", "Welcome", "body", text).wantTo(list + "/1")
	if n := len(c.ada.get(list).all(".announcement")); n != 1 {
		t.Errorf("sent twice, it stands there %d times", n)
	}

	c.enroll("student", "sam@uni.example")
	student := c.signedIn("sam@uni.example", "Sam", "Okoro")
	page := student.get(c.path).says(".told h3", "Welcome").says(".told .prose em", "pen")
	if page.has("a[href='" + list + "/new']") {
		t.Error("a student is offered to write")
	}
	own := student.get(list).says(".announcement h2", "Welcome")
	if own.has(".announcement form") || own.has(".announcement .button") {
		t.Error("a student is offered to change it")
	}
	href, _ := attr(own.one(".announcement h2 a"), "href")
	student.get(href).says("h1", "Welcome").says(".prose em", "pen")
	for _, path := range []string{"/new", strings.TrimPrefix(href, list) + "/edit", strings.TrimPrefix(href, list) + "/delete"} {
		student.get(list + path).want(http.StatusForbidden)
	}
	student.post(list, "title", "x", "body", "x").want(http.StatusForbidden)
	student.post(href, "title", "x", "body", "x").want(http.StatusForbidden)

	c.ada.get(list).submit("form.pin").wantTo(list).says(".flash", "Pinned").says(".announcement .badge", "Pinned")
	c.ada.get(list).submit("form.pin").wantTo(list).says(".flash", "no longer pinned")
	first, second := c.ada.get(href+"/edit"), c.ada.get(href+"/edit")
	if body := textOf(first, "#body"); !strings.Contains(body, "  # Monday") {
		t.Errorf("the form shows %q", body)
	}
	c.pass(time.Minute)
	first.submit("form.stack", "title", "Welcome back").wantTo(href).says("h1", "Welcome back").says(".announcement .meta", "(edited")
	late := second.submit("form.stack", "title", "Hello").want(http.StatusConflict).says(".summary", "Somebody else has edited this announcement")
	if v, _ := attr(late.one("#title"), "value"); v != "Hello" {
		t.Errorf("after the conflict the form has %q", v)
	}
	c.ada.get(href+"/delete").says("h1", "Delete Welcome back?").submit("main form").wantTo(list).says(".flash", "deleted").says(".empty", "Nothing")
	c.ada.get(href).want(http.StatusNotFound)
	c.ada.get(c.path+"/audit").says("tbody", "deleted an announcement").says("tbody", "announced something")
}

// textOf is the raw text of one element.
func textOf(a *answer, selector string) string {
	var b strings.Builder
	for n := range a.one(selector).Descendants() {
		b.WriteString(n.Data)
	}
	return b.String()
}

func TestAnAnnouncementIsScheduledInTheTimeOfTheSite(t *testing.T) {
	c := algorithms(t, inRome(t))
	list := c.path + "/announcements"
	c.enroll("student", "sam@uni.example")
	student := c.signedIn("sam@uni.example", "Sam", "Okoro")
	when := c.now.Add(48 * time.Hour).Truncate(time.Hour)
	rome, _ := time.LoadLocation("Europe/Rome")
	typed := when.In(rome).Format("2006-01-02T15:04")
	c.ada.get(list+"/new").says("#publish_at-hint", when.In(rome).Format("MST")).submit("form.stack", "title", "Exam", "body", "Good luck.", "publish_at", typed).
		wantTo(list+"/1").says(".flash", "Scheduled").says(".announcement .badge", "Scheduled").says("time", when.In(rome).Format("15:04 MST"))
	if student.get(list).has(".announcement") || student.get(c.path).has(".told") {
		t.Error("a student reads what is scheduled")
	}
	href, _ := attr(c.ada.get(list).one(".announcement h2 a"), "href")
	student.get(href).want(http.StatusNotFound)
	edit := c.ada.get(href + "/edit")
	if v, _ := attr(edit.one("#publish_at"), "value"); v != typed {
		t.Errorf("the form shows %s, want %s", v, typed)
	}
	edit.submit("form.stack", "title", "The exam").wantTo(href).says(".flash", "Scheduled")
	c.pass(49 * time.Hour)
	student = c.signedIn("sam@uni.example", "Sam", "Okoro")
	student.get(list).says(".announcement h2", "The exam")
	// What everybody has read keeps its time, also when the field is emptied.
	c.ada = c.signedIn("ada@uni.example", "Ada", "Lovelace")
	c.ada.get(href+"/edit").submit("form.stack", "publish_at", "").wantTo(href).says("time", when.In(rome).Format("15:04 MST"))
}

func TestManyAnnouncementsAreReadPageByPage(t *testing.T) {
	c := algorithms(t)
	list := c.path + "/announcements"
	for i := range 25 {
		c.ada.post(list, "title", "Number "+itoa(int64(i)), "body", "x", "key", itoa(int64(i))).want(http.StatusSeeOther)
		c.pass(time.Second)
	}
	page := c.ada.get(list)
	if n := len(page.all(".announcement")); n != 20 {
		t.Errorf("%d announcements on the first page", n)
	}
	href, _ := attr(page.one("nav.pages a"), "href")
	next := c.ada.get(href).says("nav.pages a", "Newest announcements")
	if n := len(next.all(".announcement")); n != 5 {
		t.Errorf("%d announcements on the second page", n)
	}
	c.ada.get(c.path).says(".told a", "All announcements")
}

func TestInABrowserAnAnnouncementIsPreviewedInPlace(t *testing.T) {
	c := algorithms(t)
	p := c.browse("ada@uni.example", "Ada", "Lovelace")
	p.Open(c.url(c.path + "/announcements/new"))
	p.Type("#title", "Welcome")
	p.Type("#body", "Bring a **pen**")
	p.ClickText("form.stack button", "Preview")
	p.WaitText("#preview strong", "pen")
	if got := apptest.Eval[string](p, `document.querySelector("#body").value`); got != "Bring a **pen**" {
		t.Errorf("the form has %q", got)
	}
	p.ClickText("form.stack button", "Publish")
	p.WaitText(".flash", "Published")
	c.quiet(t, p)
}
