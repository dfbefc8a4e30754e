package web_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"matricula/internal/apptest"
	"matricula/internal/lms"
)

// browse opens a real browser in which somebody has signed in.
func (c *course) browse(email, given, family string, options ...apptest.BrowserOption) *apptest.Page {
	c.tb.Helper()
	p := apptest.Browser(c.tb, options...)
	c.issuer.SignInAs(apptest.Person{Subject: "subject of " + email, Email: email, EmailVerified: true, GivenName: given, FamilyName: family})
	p.Open(c.server.URL + "/sign-in")
	p.Click("button.big")
	p.WaitText(".me", given)
	return p
}

func (c *course) url(path string) string { return c.server.URL + path }

// quiet fails when the browser complained about anything but the statuses of
// refusals, which it always reports.
func (c *course) quiet(t *testing.T, p *apptest.Page) {
	t.Helper()
	for _, e := range p.ConsoleErrors() {
		if !strings.Contains(e, "the server responded with a status of 4") {
			t.Errorf("the browser says: %s", e)
		}
	}
	if f := p.ForeignRequests(strings.TrimPrefix(c.server.URL, "http://"), strings.TrimPrefix(c.issuer.URL, "http://")); len(f) > 0 {
		t.Errorf("the page asked other hosts for %q", f)
	}
}

func TestInABrowserSwitchesSaveThemselvesAndRollBack(t *testing.T) {
	c := algorithms(t)
	grace := c.enroll("assistant", "grace@uni.example")
	sam := c.enroll("student", "sam@uni.example")
	p := c.browse("ada@uni.example", "Ada", "Lovelace")
	p.Open(c.url(c.path + "/people"))
	row := fmt.Sprintf("#p%d ", sam)
	if n := p.Count(row + ".save button"); n != 1 {
		t.Fatalf("%d buttons", n)
	}
	p.WaitGone(row + ".save button") // with scripts it is not needed

	p.Click(row + "input[value='audit.view']")
	p.WaitText(row+".saved", "Saved")
	if got := p.Text("#live"); got != "Saved for sam@uni.example." {
		t.Errorf("a screen reader is told %q", got)
	}
	if m := c.member(sam); m.Effective() != may(lms.AuditView) {
		t.Fatalf("Sam may %s", m.Effective().Labels())
	}
	// Quicker than the server: the last state counts, in the table and in the row.
	for _, name := range []string{"course.update", "roster.manage", "audit.view"} {
		apptest.Eval[bool](p, fmt.Sprintf(`(document.querySelector("%sinput[value='%s']").click(), true)`, row, name))
	}
	p.WaitText(row+".saved", "Saved")
	want := may(lms.CourseUpdate, lms.RosterManage, lms.RosterView)
	deadline := time.Now().Add(5 * time.Second)
	shown := func() bool {
		return apptest.Eval[int](p, fmt.Sprintf(`document.querySelectorAll("%sinput:checked").length`, row)) == 3
	}
	for m := c.member(sam); (m.Effective() != want || !shown()) && time.Now().Before(deadline); m = c.member(sam) {
		time.Sleep(20 * time.Millisecond)
	}
	if m := c.member(sam); m.Effective() != want || !shown() {
		t.Fatalf("after quick clicks Sam may %s, and the row shows otherwise: %v", m.Effective().Labels(), !shown())
	}

	// Somebody else makes Sam an owner: what Ada then switches is refused, and
	// the row shows what is stored.
	c.admin.post(c.personPath(sam)+"/role", "role", "owner").want(303)
	p.Click(row + "input[value='course.update']")
	p.WaitText(row, "Not saved")
	p.WaitGone(row + "input[role=switch]")
	if n := p.Count(row + ".tick"); n != len(lms.Privileges()) {
		t.Errorf("the row of an owner shows %d privileges", n)
	}

	// No answer at all: the switch goes back, and the page says so.
	c.server.CloseClientConnections()
	c.server.Listener.Close()
	other := fmt.Sprintf("#p%d input[value='audit.view']", grace)
	p.Click(other)
	p.WaitText("#problems", "could not be reached")
	if apptest.Eval[bool](p, fmt.Sprintf(`document.querySelector("%s").checked`, other)) {
		t.Error("a switch that was not saved stays on")
	}
}

func TestInABrowserSearchFiltersAsOneTypes(t *testing.T) {
	c := algorithms(t)
	c.enroll("assistant", "grace@uni.example")
	c.enroll("student", "sam@uni.example")
	p := c.browse("ada@uni.example", "Ada", "Lovelace")
	p.Open(c.url(c.path + "/people"))
	p.Type("#search", "gra")
	p.WaitText("#people tbody tr:only-child", "grace@uni.example")
	p.Fill("#search", "")
	p.WaitText("#people tbody", "sam@uni.example")
	p.Click(".tabs label:nth-of-type(3)")
	p.WaitText("#people tbody tr:only-child", "sam@uni.example")
	if strings.Contains(p.URL(), "gra") || strings.Contains(p.URL(), "?") {
		t.Errorf("the search stands in the address: %s", p.URL())
	}
	p.Type("#search", "nobody at all")
	p.WaitText("#people .empty", "Nobody in this course matches")
	c.quiet(t, p)
}

// The story, with scripts and without, by mouse and on a phone.
func TestInABrowserSomebodyUnknownIsGivenPrivileges(t *testing.T) {
	for name, options := range map[string][]apptest.BrowserOption{
		"with scripts":    {func(p *apptest.Page) { p.Emulate(1280, 900, false) }},
		"without scripts": {(*apptest.Page).NoJavaScript, func(p *apptest.Page) { p.Emulate(360, 740, true) }},
	} {
		t.Run(name, func(t *testing.T) {
			c := algorithms(t)
			p := c.browse("ada@uni.example", "Ada", "Lovelace", options...)
			p.ClickText(".courses a", "Algorithms")
			p.ClickText("nav a", "People")
			p.Fill("#email", "Grace Hopper <grace@uni.example>")
			p.ClickText("#find-form button", "Continue")
			p.WaitText(".summary", "did you mean grace@uni.example?")
			p.ClickText(".summary button", "Use grace@uni.example")
			p.WaitText(".lead", "has not signed in yet")
			if _, known := c.find(c.admin, "grace@uni.example"); known {
				t.Fatal("Grace exists before anything was saved")
			}
			p.Click(".panel-form input[value='roster.manage']")
			p.Click(".panel-form input[value='audit.view']")
			p.ClickText(".panel-form button", "Save")
			p.WaitText(".flash", "first sign-in")
			grace, _ := c.find(c.admin, "grace@uni.example")
			if m := c.member(grace.ID); m.Effective() != may(lms.RosterManage, lms.RosterView, lms.AuditView) {
				t.Errorf("Grace may %s", m.Effective().Labels())
			}
			if strings.Contains(p.URL(), "grace") {
				t.Errorf("the address of the page is %s", p.URL())
			}
			c.quiet(t, p)
		})
	}
}

func TestInABrowserEveryPageFitsAPhone(t *testing.T) {
	c := algorithms(t)
	long := c.enroll("teacher", "a.person.with.a.very.long.address.indeed.and.then.some@department.of.long.names.university.example")
	c.enroll("student", "sam@uni.example")
	c.ada.post(c.path+"/people/privileges", "user_id", itoa(long), "privilege", "audit.view").want(303)
	p := c.browse("root@uni.example", "Radia", "Root", func(p *apptest.Page) { p.Emulate(360, 740, true) })
	for _, path := range []string{
		"/", "/courses/new", c.path, c.path + "/people", c.path + "/people/add", c.personPath(long), c.personPath(long) + "/remove", c.path + "/roles", c.path + "/audit",
		c.path + "/settings", "/account", "/admin/people", "/admin/people/" + itoa(long), "/admin/courses", "/admin/audit", "/nowhere",
	} {
		p.Open(c.url(path))
		if w := apptest.Eval[int](p, `document.documentElement.scrollWidth`); w > 360 {
			t.Errorf("%s is %d pixels wide on a phone", path, w)
		}
	}
	c.quiet(t, p)
}

func TestInABrowserTheKeyboardIsEnough(t *testing.T) {
	c := algorithms(t)
	sam := c.enroll("student", "sam@uni.example")
	p := c.browse("ada@uni.example", "Ada", "Lovelace")
	p.Open(c.url(c.path + "/people"))
	p.Press("Tab")
	if got := p.Focused(); !strings.Contains(got, "Skip") {
		t.Errorf("the first stop is %s", got)
	}
	p.Press("Enter")
	for range 40 {
		p.Press("Tab")
		if apptest.Eval[bool](p, `Boolean(document.activeElement.closest("table.people tbody"))`) {
			break
		}
	}
	// One stop in the table, and the arrow keys from there.
	at := func() string {
		return apptest.Eval[string](p, `(document.activeElement.value ?? "link") + " " + (document.activeElement.closest("tr")?.id ?? "")`)
	}
	for range 10 {
		if strings.HasSuffix(at(), "p"+itoa(sam)) {
			break
		}
		p.Press("ArrowDown")
	}
	p.Press("End")
	if got := at(); got != "announcements.manage p"+itoa(sam) {
		t.Fatalf("the arrow keys lead to %s", got)
	}
	p.Press("Space")
	p.WaitText(fmt.Sprintf("#p%d .saved", sam), "Saved")
	// The focus stays where it was, so that one can go on.
	if got := apptest.Eval[string](p, `document.activeElement.value ?? ""`); got != "announcements.manage" {
		t.Errorf("after saving, the focus is on %s", p.Focused())
	}
	p.Open(c.url("/courses/new"))
	p.Click("#title")
	p.Press("Space")
	p.Press("Enter")
	p.WaitText(".summary", "needs a title")
	if got := apptest.Eval[string](p, `document.activeElement.className`); got != "summary" {
		t.Errorf("after a refusal, the focus is on %s", p.Focused())
	}
	c.quiet(t, p)
}
