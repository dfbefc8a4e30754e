package story_test

import (
	"fmt"
	"strings"
	"testing"

	"matricula/internal/apptest"
	"matricula/internal/lms"
)

// Each flow of the pages is gone through from beginning to end with the keyboard
// alone, without JavaScript, and on a phone in the dark.
func TestFlowsInEveryWay(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]struct {
		hands func(*visitor) hands
		opts  []apptest.BrowserOption
	}{
		"keyboard alone":      {func(v *visitor) hands { return keys{v} }, nil},
		"without scripts":     {func(v *visitor) hands { return pointer{v} }, []apptest.BrowserOption{(*apptest.Page).NoJavaScript}},
		"a phone in the dark": {func(v *visitor) hands { return pointer{v} }, []apptest.BrowserOption{(*apptest.Page).Dark, func(p *apptest.Page) { p.Emulate(360, 740, true) }}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := openCampus(t, "sqlite")
			owner, course := c.course(t)
			f := &flows{t: t, campus: c, course: fmt.Sprintf("/courses/%d", course)}
			f.pending = c.enroll(t, owner, course, lms.RoleAssistant, grace)[0]
			f.enter = func(who apptest.Person) {
				t.Helper()
				f.v = c.visit(t, who, way.opts...)
				f.hands = way.hands(f.v)
				f.v.signIn()
				f.v.WaitGone(signInButton)
				f.v.WaitVisible("main h1")
			}
			f.all()
			// Forms that are filled in wrongly are refused, which the browser reports.
			c.checkTraces(t, "a status of 422")
		})
	}
}

// hands are how somebody works a page.
type hands interface {
	press(selector string)        // a link or a button
	fill(selector, text string)   // a field, whatever stood in it
	choose(selector, text string) // an option of a select, by how it begins
	tick(selector string)         // a checkbox or a choice
	pick(selector, day string)    // a day, such as 2030-09-09
}

// pointer works by clicking and typing, or touching.
type pointer struct{ v *visitor }

func (p pointer) press(selector string)      { p.v.t.Helper(); p.v.Click(selector) }
func (p pointer) fill(selector, text string) { p.v.t.Helper(); p.v.Fill(selector, text) }
func (p pointer) tick(selector string)       { p.v.t.Helper(); p.v.Click(selector) }

func (p pointer) choose(selector, text string) {
	p.v.t.Helper()
	p.v.Select(selector, apptest.Eval[string](p.v.Page, fmt.Sprintf(`[...document.querySelector(%q).options].find((o) => o.text.startsWith(%q)).value`, selector, text)))
}

// pick takes a day as the browser's own calendar gives it to the field.
func (p pointer) pick(selector, day string) {
	p.v.t.Helper()
	p.v.WaitVisible(selector)
	apptest.Eval[string](p.v.Page, fmt.Sprintf(`document.querySelector(%q).value = %q`, selector, day))
}

// keys works with the keyboard alone. Coming into a field by Tab selects what
// stands in it.
type keys struct{ v *visitor }

func (k keys) press(selector string)      { k.v.t.Helper(); k.v.tabTo(selector); k.v.Press("Enter") }
func (k keys) fill(selector, text string) { k.v.t.Helper(); k.v.tabTo(selector); k.v.write(text) }
func (k keys) tick(selector string)       { k.v.t.Helper(); k.v.tabTo(selector); k.v.Press("Space") }

func (k keys) choose(selector, text string) {
	k.v.t.Helper()
	k.v.tabTo(selector)
	k.v.write(text)
}

// pick types the parts of a day, which browsers show in the order of their language;
// the day and the month are to be the same number.
func (k keys) pick(selector, day string) {
	k.v.t.Helper()
	k.v.tabTo(selector)
	k.v.write(day[8:] + day[5:7] + day[:4])
}

type flows struct {
	hands
	t       *testing.T
	campus  *campus
	course  string
	pending int64
	v       *visitor
	enter   func(apptest.Person)
}

func (f *flows) all() {
	f.enter(ada)
	for _, flow := range []struct {
		name string
		run  func()
	}{
		{"announcements", f.announcements},
		{"arrivals", f.arrivals},
		{"looking as somebody", f.look},
		{"the audit", f.audit},
		{"naming somebody", f.name},
		{"a class", f.class},
		{"requests from another account", f.requests},
		{"a class list", f.list},
		{"slips", f.life},
		{"webhooks", f.webhooks},
		{"a language", f.language},
		{"copying", f.copyCourse},
		{"archiving", f.archive},
		{"handing over", f.handOver},
	} {
		f.t.Log(flow.name)
		flow.run()
	}
	f.enter(admin)
	for _, flow := range []struct {
		name string
		run  func()
	}{
		{"administration", f.administration},
		{"accounts", f.accounts},
		{"a calendar and sources", f.calendar},
		{"a directory", f.directory},
		{"limits", f.limits},
	} {
		f.t.Log(flow.name)
		flow.run()
	}
}

func (f *flows) open(path string) {
	f.t.Helper()
	f.v.Open(f.campus.URL + path)
}

func (f *flows) announcements() {
	f.open(f.course)
	f.press(`a[href$="/announcements/new"]`)
	f.v.WaitVisible("#title")
	f.fill("#title", "Welcome")
	f.fill("#body", "Bring a *pen*")
	f.press("button[formaction]")
	f.v.sees("#preview em", "pen")
	f.press("form.stack button:not([formaction])")
	f.v.sees(".flash", "Published")
	f.press(".after a")
	f.press(`form[action$="/pin"] button`)
	f.v.sees(".flash", "Pinned")
	f.press(`.announcement a[href$="/edit"]`)
	f.fill("#title", "Welcome to all")
	f.press("form.stack button:not([formaction])")
	f.v.sees("h1", "Welcome to all")
	f.press(`.announcement a[href$="/delete"]`)
	f.press("button.danger")
	f.v.sees(".flash", "deleted")
}

func (f *flows) arrivals() {
	f.open(f.course + "/people")
	f.press(`.head a[href$="/arrivals"]`)
	f.v.sees("main", "1 person is missing", "expected")
	f.press(".copy summary")
	f.v.WaitVisible("#addresses")
	if got := f.v.Value("#addresses"); !strings.Contains(got, "grace@uni.example") {
		f.t.Errorf("the addresses are %q", got)
	}
	f.press(".chart summary")
	f.v.WaitVisible(".numbers")
}

func (f *flows) look() {
	f.open(fmt.Sprintf("%s/people/%d", f.course, f.pending))
	f.press("form.look button")
	f.v.sees(".looking", "grace@uni.example would see it")
	f.press(`.looked-at button[value="people"]`)
	f.v.sees(".looked-at table", "(you)")
	f.press(".looking a")
	f.v.sees("h1", "grace@uni.example")
}

// list brings a class list, mends it, has it carried out and undoes it.
func (f *flows) list() {
	f.open(f.course + "/people")
	f.press(`.below a[href$="/imports"]`)
	f.fill("#text", "E-mail,Section\nlist.one@uni.example,Lab Z\nlist.two@gmial.com,Lab Z\n")
	f.press("form[enctype] button")
	f.v.sees(".counted", "1 Would come in", "1 Is this right?")
	f.choose(`select[name="choice.2"]`, "Use list.two@gmail.com")
	// Whoever passes over "Check again" loses nothing.
	f.press(".start button:not(.vh)")
	f.v.sees(".flash", "Your corrections were taken")
	f.v.sees(".counted", "2 Would come in")
	f.press(".start button:not(.vh)")
	f.v.sees(".counted", "2 Came in, not here yet")
	f.press("details.card summary")
	f.v.WaitVisible("form.undo-list button")
	f.press("form.undo-list button")
	f.v.sees(".notice", "This list was undone")
}

func (f *flows) audit() {
	f.open(f.course + "/audit")
	f.fill("#who", "grace@uni.example")
	f.press("form.filter button")
	f.v.sees(".narrowed", "About grace@uni.example")
	f.choose("#outcome", "refused")
	f.press("form.filter button")
	f.v.sees(".empty", "Nothing on record matches")
	f.press(".empty a")
	f.v.sees("tbody", "looked at the course")
}

// name adds a colleague whom nobody knows, with three privileges.
func (f *flows) name() {
	f.open(f.course + "/people")
	f.fill("#email", "hedy@uni.example")
	f.press("#find-form button")
	f.v.WaitVisible(".panel-form")
	for _, p := range []string{"roster.manage", "audit.view", "announcements.manage"} {
		f.tick(fmt.Sprintf(".panel-form input[value=%q]", p))
	}
	f.press(".panel-form .actions button")
	f.v.sees(".flash", "waiting for their first sign-in")
	m := f.v.id("people")
	f.campus.mayDo(f.t, f.v.caller(), f.v.id("courses"), m, lms.RosterView, lms.RosterManage, lms.AuditView, lms.AnnouncementsManage)
}

func (f *flows) class() {
	f.open(f.course + "/people/add")
	f.fill("#emails", "one@uni.example, two@uni.example, three@gmial.com")
	f.press(`form[action$="/people/check"] button`)
	f.v.sees("main", "Nothing is saved yet")
	f.press("#check .actions:has(> a) button")
	f.v.sees(".results", "What became of your list")
}

func (f *flows) language() {
	f.open("/account")
	f.choose("#language", "Italiano")
	f.press(`section form[action="/language"] button`)
	f.v.sees("h1", "Il mio account")
	f.choose("#language", "English")
	f.press(`section form[action="/language"] button`)
	f.v.sees("h1", "My account")
}

func (f *flows) copyCourse() {
	f.open(f.course + "/settings")
	f.press(`a[href$="/copy"]`)
	f.v.WaitVisible("#title")
	f.fill("#title", "Algorithms, next term")
	f.press("form.stack button")
	f.v.sees(".flash", "Your new course is ready")
	f.v.sees("h1", "Algorithms, next term")
}

func (f *flows) archive() {
	f.open(f.course + "/settings")
	f.press(`form[action$="/archive"] button`)
	f.v.sees(".flash", "Archived")
	f.press(`form[action$="/restore"] button`)
	f.v.sees(".flash", "Restored")
}

func (f *flows) handOver() {
	f.open(f.course + "/settings")
	f.press(`a[href$="/hand-over"]`)
	f.v.WaitVisible("#email")
	f.fill("#email", "grace@uni.example")
	f.press("form.stack button")
	f.v.sees(".flash", "Handed over")
}

func (f *flows) administration() {
	f.open("/")
	f.v.sees(".site-now", "have not signed in yet")
	f.press(`.site-now a[href="/admin/arrivals"]`)
	f.v.sees("main", "are missing")
	f.open("/admin/people")
	f.fill("form.stack #email", "rosalind@uni.example")
	f.press("form.stack .actions button")
	f.v.sees(".flash", "Named")
	f.choose("#site_role", "Teacher")
	f.press(`form[action$="/site-role"] button`)
	f.v.sees(".badge", "Teacher")
	f.press(`a[href^="/admin/audit?person="]`)
	f.v.sees("tbody", "changed the account of")
	f.open("/admin/courses")
	f.press(`nav.tabs a[href$="orphaned"]`)
	f.v.sees("main", "Every course has an owner")
	f.open("/admin/settings")
	f.press(`form[action$="/check"] button`)
	f.v.sees(".rows", "answers")
}
