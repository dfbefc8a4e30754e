package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"matricula/internal/apptest"
	"matricula/internal/lms"
	"matricula/internal/service"
)

func TestSeveralArePickedChangedAndUndone(t *testing.T) {
	c := algorithms(t)
	a, b := c.enroll("student", "a.person@uni.example"), c.enroll("student", "b.person@uni.example")
	owner := c.enroll("owner", "o.person@uni.example")
	page := c.ada.get(c.path + "/people")
	if page.has(page.row(c.ada.user.ID) + " td.pick input") {
		t.Error("Ada can pick herself")
	}
	pick := []string{"+selected", itoa(a), "+selected", itoa(b), "+selected", itoa(owner)}
	done := page.submit("#many", append(pick, "do", "on", "switch", "roster.manage")...).want(http.StatusOK)
	done.says(".results", "Saved for 2 people.").says(".results", "1 person was left as they were").says(".results li", "an owner holds everything")
	if m := c.member(a); m.Effective() != may(lms.RosterManage, lms.RosterView) {
		t.Fatalf("A may %s", m.Effective().Labels())
	}
	// Somebody else changes B meanwhile: only A is turned back.
	c.admin.post(c.path+"/people/privileges", "user_id", itoa(b), "was", "roster.manage roster.view", "privilege", "audit.view").want(http.StatusSeeOther)
	undone := done.submit(".results form.undo").want(http.StatusOK).says(".results", "Undone for 1 person.").says(".results li", "changed again in the meantime")
	if undone.has(".results form") {
		t.Error("an undoing can be undone")
	}
	if m := c.member(a); m.Effective() != 0 || m.Grant != nil {
		t.Errorf("after undoing, A may %s", m.Effective().Labels())
	}
	if m := c.member(b); m.Effective() != may(lms.AuditView) {
		t.Errorf("what somebody else did for B was undone: %s", m.Effective().Labels())
	}
	page.submit("#many", "+selected", itoa(a), "do", "role", "give", "assistant").want(http.StatusOK).says(page.row(a)+" td.role", "Assistant")
	removed := page.submit("#many", "+selected", itoa(a), "do", "remove").want(http.StatusOK)
	if removed.has(removed.row(a)) {
		t.Error("who was removed is still there")
	}
	removed.submit(".results form.undo").want(http.StatusOK).says(page.row(a)+" td.role", "Assistant")
	page.submit("#many", "do", "remove").want(http.StatusUnprocessableEntity).says(".summary", "Nobody is selected")
	page.submit("#many", "+selected", itoa(a)).want(http.StatusUnprocessableEntity).says(".summary", "Choose one thing")
	c.ada.post(c.path+"/people/undo", "undo", "nonsense").want(http.StatusUnprocessableEntity).says(".summary", "nothing to undo")
}

func TestAnUndoSentByHandReachesNoFurtherThanAnyForm(t *testing.T) {
	c := algorithms(t)
	grace := c.enroll("assistant", "grace@uni.example")
	sam := c.enroll("student", "sam@uni.example")
	b := c.signedIn("grace@uni.example", "Grace", "Hopper")
	for _, forged := range []string{
		itoa(sam) + "|student|||owner||", itoa(sam) + "|student|||student|audit.view|", itoa(grace) + "|assistant|||owner||", itoa(c.ada.user.ID) + "|owner|||||",
	} {
		b.post(c.path+"/people/undo", "undo", forged).want(http.StatusOK).says(".results", "1 person was left as they were")
	}
	if m := c.member(sam); m.Effective() != 0 {
		t.Errorf("Sam may %s", m.Effective().Labels())
	}
}

func TestTheTableIsSortedAndFiltered(t *testing.T) {
	c := algorithms(t)
	c.enroll("student", "zoe@uni.example")
	c.enroll("assistant", "bob@uni.example")
	c.ada.post(c.path+"/people/privileges", "user_id", itoa(c.enroll("student", "carol@uni.example")), "privilege", "audit.view").want(http.StatusSeeOther)
	order := func(a *answer) string {
		var list []string
		for _, n := range a.all("th.who a") {
			name, _, _ := strings.Cut(text(n), "@")
			list = append(list, name)
		}
		return strings.Join(list, " ")
	}
	page := c.ada.get(c.path + "/people")
	for _, w := range []struct{ press, want, sorted string }{
		{"-name", "zoe Ada Lovelace carol bob", "descending"},
		{"role", "Ada Lovelace bob carol zoe", "ascending"},
		{"added", "Ada Lovelace zoe bob carol", "ascending"},
		{"-arrival", "zoe carol bob Ada Lovelace", "descending"},
		{"name", "bob carol Ada Lovelace zoe", "ascending"},
	} {
		a := page.submit("#search-form", "order", w.press).want(http.StatusOK)
		if got := order(a); got != w.want && w.press != "added" && w.press != "-arrival" {
			t.Errorf("by %s: %s, want %s", w.press, got, w.want)
		}
		if n := len(a.all("th[aria-sort=" + w.sorted + "]")); n != 1 {
			t.Errorf("by %s, %d columns say that they are %s", w.press, n, w.sorted)
		}
		if v, _ := attr(a.one("input[name=sort][form=search-form]"), "value"); v != w.press {
			t.Errorf("by %s: the next search is by %s", w.press, v)
		}
	}
	if got := order(page.submit("#search-form", "may", "audit.view")); got != "carol Ada Lovelace" {
		t.Errorf("who may see the audit: %s", got)
	}
	if got := order(page.submit("#search-form", "in_role", "assistant")); got != "bob" {
		t.Errorf("the assistants: %s", got)
	}
	none := page.submit("#search-form", "in_role", "assistant", "may", "audit.view").says(".empty", "these filters").says(".empty a", "Show everyone")
	none.submit("#search-form", "in_role", "", "may", "", "search", "bob").want(http.StatusOK).says("tbody", "bob@uni.example")
}

// The bound of the People page of a large course, in bytes of HTML.
const peoplePageBytes = 100_000

func TestThePeopleOfAHugeCourseAreAPageOfModestSize(t *testing.T) {
	c := algorithms(t)
	c.unlimited()
	list := make([]string, 10_000)
	for i := range list {
		list[i] = fmt.Sprintf("student.with.a.usual.address.%05d@students.uni.example", i)
	}
	if _, err := c.svc.Enroll(t.Context(), c.ada.caller, service.EnrollRequest{CourseID: c.id, Role: "student", Emails: list, Source: lms.SourcePaste}); err != nil {
		t.Fatal(err)
	}
	page := c.ada.get(c.path + "/people")
	rows, size := len(page.all("table.people tbody tr")), len(page.body)
	t.Logf("%d rows are %d bytes", rows, size)
	if rows != 40 || size > peoplePageBytes {
		t.Errorf("%d rows in %d bytes, want 40 in at most %d", rows, size, peoplePageBytes)
	}
	page.says(".tabs", "Everyone 10,001")
	page.submit("nav.pages form").want(http.StatusOK).says("nav.pages", "First page")
}

func TestInABrowserSwitchesAreUndoneFromTheToast(t *testing.T) {
	c := algorithms(t)
	sam := c.enroll("student", "sam@uni.example")
	p := c.browse("ada@uni.example", "Ada", "Lovelace")
	p.Open(c.url(c.path + "/people"))
	p.Click(fmt.Sprintf("#p%d input[value='audit.view']", sam))
	p.WaitText(".toast", "sam@uni.example may now: See the audit.")
	p.Accessible()
	p.ClickText(".toast button", "Undo")
	p.WaitText(".results", "Undone for 1 person.")
	if m := c.member(sam); m.Effective() != 0 {
		t.Errorf("after undoing Sam may %s", m.Effective().Labels())
	}
	// Picked by keyboard, changed together.
	for range 40 {
		p.Press("Tab")
		if apptest.Eval[bool](p, `Boolean(document.activeElement.closest("table.people tbody"))`) {
			break
		}
	}
	p.Press("Control+Home")
	for range 5 {
		if apptest.Eval[string](p, `document.activeElement.closest("tr").id`) == "p"+itoa(sam) {
			break
		}
		p.Press("ArrowDown")
	}
	p.Press("x")
	p.WaitText("#many", "For those who are selected: 1")
	p.Select("#give", "assistant")
	p.ClickText("#many button", "Give")
	p.WaitText(".results", "Saved for 1 person.")
	p.WaitText(fmt.Sprintf("#p%d td.role", sam), "Assistant")
	c.quiet(t, p)
}

// Adding an unknown colleague with three privileges: one click, one address,
// three switches, and the key that confirms.
func TestInABrowserAnUnknownColleagueTakesOneClickOneAddressAndThreeSwitches(t *testing.T) {
	c := algorithms(t)
	p := c.browse("ada@uni.example", "Ada", "Lovelace")
	p.Open(c.url(c.path + "/people"))
	clicks := 0
	click := func(selector string) {
		p.Click(selector)
		clicks++
	}
	click("#email")
	for _, r := range "grace@uni.example" {
		p.Press(string(r))
	}
	p.WaitText("#found-list", "Add grace@uni.example, who has not signed in yet")
	p.Accessible()
	p.Press("Enter")
	p.WaitVisible(".panel-form")
	for _, s := range []string{"roster.manage", "course.update", "audit.view"} {
		click(".panel-form input[value='" + s + "']")
	}
	if clicks != 4 {
		t.Errorf("it took %d clicks", clicks)
	}
	p.Press("Enter")
	p.WaitText(".flash", "first sign-in")
	grace, _ := c.find(c.admin, "grace@uni.example")
	if m := c.member(grace.ID); m.Effective() != may(lms.RosterManage, lms.RosterView, lms.CourseUpdate, lms.AuditView) {
		t.Errorf("Grace may %s", m.Effective().Labels())
	}
	c.quiet(t, p)
}

func TestInABrowserANameFindsPeopleAndAnAddressIsAlwaysOffered(t *testing.T) {
	c := algorithms(t)
	c.name(c.admin, "emmy@uni.example.org", "teacher")
	c.signedIn("emmy@uni.example.org", "Emmy", "Noether")
	p := c.browse("ada@uni.example", "Ada", "Lovelace")
	p.Open(c.url(c.path + "/people"))
	p.Type("#email", "emmy@uni.example")
	p.WaitText("#found-list", "Emmy Noether")
	p.WaitText("#found-list", "Add emmy@uni.example, who has not signed in yet")
	if got := apptest.Eval[string](p, `document.getElementById("email").getAttribute("aria-expanded")`); got != "true" {
		t.Errorf("aria-expanded is %q", got)
	}
	p.Press("Escape")
	p.WaitGone("#found-list")
	p.Type("#email", "noether")
	p.WaitText("#found-list", "Emmy Noether")
	p.Click("#found-list [role=option]")
	p.WaitText(".panel-part h3", "Emmy Noether")
	p.Type("#email", "nobody of this name")
	p.WaitText("#found", "Type their whole address")
	// A chosen role shows what it gives before anything is saved.
	p.Type("#email", "emmy@uni.example")
	p.WaitVisible("#found-list")
	p.Press("ArrowUp") // the last: the address that nobody has
	p.Press("Enter")
	p.WaitText(".panel-part h3", "emmy@uni.example")
	p.Select("#role", "teacher")
	if n := p.Count(".panel-form input[role=switch]:checked"); n != 6 {
		t.Errorf("the role Teacher shows %d privileges", n)
	}
	p.Click(".panel-form input[value='staff.manage']")
	p.Press("Enter")
	p.WaitText(".flash", "first sign-in")
	u, _ := c.find(c.admin, "emmy@uni.example")
	if m := c.member(u.ID); m.RoleName().String() != "Teacher" || m.Effective().Has(lms.StaffManage) || !m.Effective().Has(lms.CourseUpdate) {
		t.Errorf("Emmy is %s and may %s", m.RoleName(), m.Effective().Labels())
	}
	c.quiet(t, p)
}
