package web_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"matricula/internal/lms"
	"matricula/internal/service"
)

func (c *course) personPath(id int64) string {
	return c.path + "/people/" + strconv.FormatInt(id, 10)
}

func may(ps ...lms.Privilege) lms.PrivilegeSet { return lms.SetOf(ps...) }

// The story of issue 2, as somebody without JavaScript lives it.
func TestSomebodyUnknownIsGivenPrivilegesLikeAnybodyElse(t *testing.T) {
	c := algorithms(t)
	people := c.ada.get(c.path+"/people").says(".find h2", "Add people").says(".find .hint", "Can't find the person you're looking for?")
	if people.has(".who a[href]") && strings.Contains(text(people.one("#people")), "grace") {
		t.Fatal("Grace is in the table before anybody named her")
	}
	none := people.submit("form.search", "search", "grace").says(".empty", "Nobody in this course matches “grace”").says(".empty", "above")
	panel := none.submit("#find-form", "email", "  Grace@Uni.example ").want(http.StatusOK)
	panel.says("h1", "grace@uni.example").says(".lead", "has not signed in yet. You can set everything up now").says(".badge.pending", "Has not signed in yet")
	if len(panel.all("input[name=privilege]")) != len(lms.Privileges()) || !panel.has("select#role") {
		t.Fatal("the panel of somebody unknown has not the same switches and roles")
	}
	if _, known := c.find(c.admin, "grace@uni.example"); known {
		t.Fatal("looking somebody up has made them")
	}

	nothing := panel.submit("form.panel-form").want(http.StatusUnprocessableEntity).says(".summary", "Nothing was saved yet")
	refused := nothing.submit("form.panel-form", "+privilege", "no.such").want(http.StatusUnprocessableEntity).says(".summary", "no privilege")
	if _, known := c.find(c.admin, "grace@uni.example"); known {
		t.Fatal("a refused panel has left a person behind")
	}

	saved := refused.submit("form.panel-form", "+privilege", "roster.manage", "+privilege", "audit.view").want(http.StatusSeeOther)
	grace, known := c.find(c.admin, "grace@uni.example")
	if !known || !grace.Pending() {
		t.Fatalf("after the panel was saved, Grace is %+v", grace)
	}
	page := saved.wantTo(c.personPath(grace.ID)).says(".flash", "first sign-in").says("h1", "grace@uni.example")
	if got, want := c.member(grace.ID), may(lms.RosterView, lms.RosterManage, lms.AuditView); got.Effective() != want {
		t.Errorf("Grace may %s, want %s", got.Effective().Labels(), want.Labels())
	}
	page.says("dl.why dd", "Yes, it was given by Ada Lovelace on ").says("dl.why dd", "No, nothing gives it").says("section li", "Named by Ada Lovelace on")

	// Typed again, in another spelling, she is who she is.
	c.ada.post(c.path+"/people/find", "email", "GRACE@uni.EXAMPLE").wantTo(c.personPath(grace.ID))

	if got := c.ada.enhanced(c.path+"/people/find", "email", "grace@uni.example").want(http.StatusOK).header.Get("HX-Redirect"); got != c.personPath(grace.ID) {
		t.Errorf("htmx is led to %q", got)
	}

	// And when she signs in, everything is there.
	b := c.signedIn("grace@uni.example", "Grace", "Hopper")
	b.get("/").says(".courses h2", "Algorithms").says(".courses .may", "Manage the roster, See the audit")
	b.get(c.path+"/people").says(".who", "Ada Lovelace")
}

func TestARoleAndSwitchesAreGivenTogether(t *testing.T) {
	c := algorithms(t)
	panel := c.ada.post(c.path+"/people/find", "email", "grace@uni.example").want(http.StatusOK)
	panel.submit("form.panel-form", "role", "assistant", "+privilege", "audit.view").want(http.StatusSeeOther)
	grace, _ := c.find(c.admin, "grace@uni.example")
	m := c.member(grace.ID)
	if m.RoleName().String() != "Assistant" || m.Effective() != may(lms.RosterView, lms.RosterManage, lms.AuditView) || m.Grant.Deny != 0 {
		t.Fatalf("Grace is %s and may %s", m.RoleName(), m.Effective().Labels())
	}
	// What the role gives is shown as on. Another role takes what it gives with
	// it, and leaves what was switched.
	page := c.ada.get(c.personPath(grace.ID))
	if !page.has("input[name=privilege][value=roster.manage][checked]") || page.has("input[name=privilege][value=staff.manage][checked]") {
		t.Fatal("the switches do not show what the role gives")
	}
	page.submit("form.panel-form", "role", "observer").wantTo(c.personPath(grace.ID)).says(".flash", "Saved")
	if m = c.member(grace.ID); m.RoleName().String() != "Observer" || m.Effective() != may(lms.RosterView, lms.AuditView) {
		t.Fatalf("after the change of role, Grace is %s and may %s", m.RoleName(), m.Effective().Labels())
	}
	// What the role gives can be taken away.
	c.ada.get(c.personPath(grace.ID)).submit("form.panel-form", "-privilege", "roster.view").wantTo(c.personPath(grace.ID)).says("dl.why dd", "taken away by Ada Lovelace")
	if m = c.member(grace.ID); m.Effective() != may(lms.AuditView) {
		t.Errorf("Grace may %s", m.Effective().Labels())
	}
}

func TestSomebodyKnownButElsewhereGetsTheSamePanel(t *testing.T) {
	c := algorithms(t, directory(service.DirectoryExact))
	c.name(c.admin, "emmy@uni.example", "member")
	c.signedIn("emmy@uni.example", "Emmy", "Noether")
	panel := c.ada.post(c.path+"/people/find", "email", "EMMY@uni.example").want(http.StatusOK).says("h1", "Emmy Noether").says(".lead", "is not in this course yet")
	if panel.has("input[name=user_id]") || len(panel.all("input[name=privilege]")) != len(lms.Privileges()) {
		t.Error("the panel is not that of anybody else")
	}
	panel.submit("form.panel-form").want(http.StatusUnprocessableEntity).says(".summary", "Nothing was saved yet").says("h1", "Emmy Noether")
	saved := panel.submit("form.panel-form", "role", "student", "+privilege", "audit.view").want(http.StatusSeeOther)
	emmy, _ := c.find(c.admin, "emmy@uni.example")
	saved.wantTo(c.personPath(emmy.ID)).says(".flash", "in the course now")
	if m := c.member(emmy.ID); m.RoleName().String() != "Student" || m.Effective() != may(lms.AuditView) {
		t.Errorf("Emmy is %s and may %s", m.RoleName(), m.Effective().Labels())
	}
	// A part of a name, or an id that was guessed, finds nobody outside the course.
	other := c.name(c.admin, "sofja@uni.example", "member")
	c.ada.get(c.personPath(other.ID)).want(http.StatusNotFound)
	c.ada.post(c.path+"/people/privileges", "user_id", itoa(other.ID), "privilege", "audit.view").want(http.StatusNotFound)
}

// A panel is saved as a whole or not at all.
func TestARoleIsNotSavedWhenWhatWasSwitchedIsRefused(t *testing.T) {
	c := algorithms(t)
	grace := c.enroll("assistant", "grace@uni.example")
	c.ada.post(c.path+"/people/privileges", "user_id", itoa(grace), "privilege", "staff.manage", "privilege", "roster.manage").want(http.StatusSeeOther)
	b := c.signedIn("grace@uni.example", "Grace", "Hopper")
	sam := c.enroll("student", "sam@uni.example")
	a := b.post(c.path+"/people/privileges", "user_id", itoa(sam), "role_was", "student", "role", "observer", "privilege", "course.archive").want(http.StatusForbidden)
	a.says(".summary", "you do not hold")
	if m := c.member(sam); m.RoleName().String() != "Student" || m.Effective() != 0 {
		t.Errorf("Sam is %s and may %s", m.RoleName(), m.Effective().Labels())
	}
}

func TestTheBoxFindsWhomTheDirectoryLetsOneFind(t *testing.T) {
	c := algorithms(t)
	c.name(c.admin, "emmy@uni.example", "teacher")
	c.signedIn("emmy@uni.example", "Emmy", "Noether")
	c.name(c.admin, "otto@uni.example", "member")
	c.signedIn("otto@uni.example", "Otto", "Noether")
	found := c.ada.get(c.path+"/people").submit("#find-form", "email", "noether").want(http.StatusOK).says(".found", "Emmy Noether")
	if n := len(found.all(".found li")); n != 1 {
		t.Errorf("%d people are shown, want the one who teaches", n)
	}
	found.submit(".found form").want(http.StatusOK).says("h1", "Emmy Noether").says(".lead", "is not in this course yet")
	// Whoever is in the course already is shown as such, and leads to their page.
	sam := c.enroll("student", "sam.noether@uni.example")
	found = c.ada.post(c.path+"/people/find", "email", "sam.noe").want(http.StatusOK).says(".found li", "in this course")
	found.submit(".found form").wantTo(c.personPath(sam))
	c = algorithms(t, directory(service.DirectoryExact))
	c.name(c.admin, "emmy@uni.example", "teacher")
	c.signedIn("emmy@uni.example", "Emmy", "Noether")
	if c.ada.post(c.path+"/people/find", "email", "noether").want(http.StatusOK).says(".nobody", "whole address").has(".found li") {
		t.Error("a part of a name found somebody, although only whole addresses may")
	}
	whole := c.ada.enhanced(c.path+"/people/suggest", "email", "emmy@uni.example").want(http.StatusOK)
	if n := len(whole.all("[role=option]")); n != 1 || whole.has("[data-name=email]") {
		t.Errorf("a whole address offers %d choices", n)
	}
}

func TestASlipIsExplainedAndMendedWithOneClick(t *testing.T) {
	c := algorithms(t)
	slip := c.ada.post(c.path+"/people/find", "email", "Grace Hopper <grace@uni.example>").want(http.StatusUnprocessableEntity)
	slip.says(".summary", "did you mean grace@uni.example?").says("#email-fault", "name with an address")
	slip.submit(".summary form").want(http.StatusOK).says("h1", "grace@uni.example")
	c.ada.post(c.path+"/people/find", "email", "grace").want(http.StatusOK).says(".nobody", "Type their whole address")
	c.ada.post(c.path+"/people/find", "email", "g").want(http.StatusUnprocessableEntity).says(".summary", "@")
	c.ada.post(c.path+"/people/find", "email", "").want(http.StatusUnprocessableEntity)
	c.ada.post(c.path+"/people/find", "email", "grace.hopper@gmail.com").want(http.StatusOK).says(".notice", "Gmail ignores dots")
	part := c.ada.enhanced(c.path+"/people/find", "email", "grace@@uni.example").want(http.StatusUnprocessableEntity)
	if part.has("h1") || !part.has(".summary[autofocus]") {
		t.Error("htmx gets more than the message, or a message without focus")
	}
	// An address that is no longer one when the panel is sent.
	c.ada.post(c.path+"/people/privileges", "email", "grace@", "role_was", "", "role", "student").want(http.StatusUnprocessableEntity).says(".summary", "address")
}

func TestSomebodyOutsideNeedsAConfirmation(t *testing.T) {
	c := algorithms(t, namingDomains("uni.example"))
	panel := c.ada.post(c.path+"/people/find", "email", "guest@elsewhere.example").want(http.StatusOK)
	for _, change := range [][]string{{"+privilege", "roster.view"}, {"role", "student"}} {
		question := panel.submit("form.panel-form", change...).want(http.StatusUnprocessableEntity).says(".question", "Do you mean somebody outside?")
		if _, known := c.find(c.admin, "guest@elsewhere.example"); known {
			t.Fatal("somebody outside was named without a confirmation")
		}
		if change[0] == "+privilege" && !question.has("input[name=privilege][value=roster.view][checked]") {
			t.Error("the question has forgotten what was switched on")
		}
		if change[0] == "role" {
			question.submit("form.panel-form").want(http.StatusSeeOther)
		}
	}
	guest, known := c.find(c.admin, "guest@elsewhere.example")
	if !known || func() string { m := c.member(guest.ID); return m.RoleName().String() }() != "Student" {
		t.Errorf("the confirmed guest: %v %+v", known, guest)
	}
}

// row is the table's row of somebody.
func (a *answer) row(id int64) string { return "tr#p" + strconv.FormatInt(id, 10) }

func TestTheTableShowsAndSavesWhatEachMayDo(t *testing.T) {
	c := algorithms(t)
	grace := c.enroll("assistant", "grace@uni.example")
	sam := c.enroll("student", "sam@uni.example")
	page := c.ada.get(c.path + "/people")
	page.says(page.row(grace)+" .badge.pending", "Has not signed in yet").says(page.row(grace)+" td.role", "Assistant")
	page.says(page.row(c.ada.user.ID)+" .you", "you")
	if page.has(page.row(c.ada.user.ID)+" input[role=switch]") || page.has(page.row(c.ada.user.ID)+" td.pick input") {
		t.Error("Ada is offered switches for herself")
	}
	for label, want := range map[string]string{"all": "3", "staff": "2", "students": "1", "pending": "2"} {
		for _, l := range page.all(".tabs label") {
			if v, _ := attr(all(l, "input")[0], "value"); v == label && !strings.HasSuffix(text(l), want) {
				t.Errorf("the count of %s is %q, want %s", label, text(l), want)
			}
		}
	}
	form := fmt.Sprintf("form#f%d", sam)

	// Without JavaScript: the row's own Save, then back to the table.
	page.submit(form, "+privilege", "roster.view").wantTo(c.path+"/people").says(".flash", "Saved")
	if m := c.member(sam); m.Effective() != may(lms.RosterView) {
		t.Fatalf("Sam may %s", m.Effective().Labels())
	}

	// With htmx: the row alone, and what is said aloud.
	page = c.ada.get(c.path + "/people")
	action, fields := page.fields(page.one(form))
	row := c.ada.enhanced(action, append(fields, "privilege", "staff.manage")...).want(http.StatusOK)
	if row.has("html body main") || !strings.HasPrefix(strings.TrimSpace(row.body), "<td") {
		t.Fatalf("htmx gets more than the cells: %s", lms.Clip(row.body, 200))
	}
	if !strings.Contains(row.body, `hx-target="#live"`) || !strings.Contains(row.body, "Saved for sam@uni.example.") {
		t.Error("nothing is said aloud")
	}
	if m := c.member(sam); m.Effective() != may(lms.RosterView, lms.StaffManage) {
		t.Fatalf("Sam may %s", m.Effective().Labels())
	}
	// Managing implies viewing: what cannot be off says why.
	stays := c.ada.enhanced(action, "user_id", strconv.FormatInt(sam, 10), "from", "table", "was", "roster.view staff.manage", "privilege", "staff.manage").want(http.StatusOK)
	if !strings.Contains(stays.body, "“See the roster” stays on") {
		t.Errorf("the row does not say why viewing stays on: %s", stays.body)
	}

	// A refusal: the row rolls back to what is stored, and says why.
	c.ada.post(c.path+"/people/privileges", "user_id", strconv.FormatInt(grace, 10), "privilege", "staff.manage").want(http.StatusSeeOther)
	b := c.signedIn("grace@uni.example", "Grace", "Hopper")
	refused := b.enhanced(action, "user_id", strconv.FormatInt(sam, 10), "from", "table", "privilege", "course.archive").want(http.StatusForbidden)
	if !strings.Contains(refused.body, "Not saved.") || !strings.Contains(refused.body, "Archive the course") {
		t.Errorf("the refused row does not say why: %s", refused.body)
	}
	if m := c.member(sam); m.Effective() != may(lms.RosterView, lms.StaffManage) {
		t.Errorf("after the refusal Sam may %s", m.Effective().Labels())
	}
	for _, want := range []string{`value="staff.manage"`, `value="roster.view"`} {
		cell := refused.body[strings.Index(refused.body, want):]
		if !strings.Contains(cell[:strings.Index(cell, ">")], "checked") {
			t.Errorf("the refused row does not show %s as it is stored", want)
		}
	}
	// The same without JavaScript: the person's page, with the reason.
	b.post(action, "user_id", strconv.FormatInt(sam, 10), "from", "table", "privilege", "course.archive").want(http.StatusForbidden).says(".summary", "Archive the course").says("h1", "sam@uni.example")
}

func TestNobodyIsOfferedWhatTheyCannotGive(t *testing.T) {
	c := algorithms(t)
	grace := c.enroll("assistant", "grace@uni.example")
	sam := c.enroll("student", "sam@uni.example")
	b := c.signedIn("grace@uni.example", "Grace", "Hopper")
	page := b.get(c.path + "/people")
	if page.has("table input[role=switch]") || page.has("#many #switch") {
		t.Error("an assistant is offered switches")
	}
	if !page.has(page.row(grace)+" td.sw .tick[aria-label]") || page.has(page.row(sam)+" td.sw .tick") {
		t.Error("the table does not show an assistant what others may do")
	}
	page.says(page.row(sam)+" td.sw", "no: See the roster")
	panel := b.post(c.path+"/people/find", "email", "new@uni.example").want(http.StatusOK)
	if panel.has("input[name=privilege]") {
		t.Error("an assistant is offered switches for somebody new")
	}
	var offered []string
	for _, o := range panel.all("#role option") {
		v, _ := attr(o, "value")
		offered = append(offered, v)
	}
	if !slices.Equal(offered, []string{lms.RoleStudent}) {
		t.Errorf("an assistant is offered the roles %q", offered)
	}
	panel.submit("form.panel-form", "role", "student").want(http.StatusSeeOther)
	b.post(c.path+"/people/privileges", "email", "other@uni.example", "privilege", "roster.view").want(http.StatusForbidden)
	b.post(c.path+"/people/privileges", "email", "other@uni.example", "role_was", "", "role", "owner").want(http.StatusForbidden)
	if _, known := c.find(c.admin, "other@uni.example"); known {
		t.Error("a refused change has named somebody")
	}
	// A student may do none of it, whether or not the person is known.
	s := c.signedIn("sam@uni.example", "Sam", "Student")
	for _, email := range []string{"grace@uni.example", "nobody@uni.example"} {
		s.post(c.path+"/people/find", "email", email).want(http.StatusForbidden)
		s.post(c.path+"/people/privileges", "email", email, "privilege", "roster.view").want(http.StatusForbidden)
		s.post(c.path+"/people/add", "emails", email, "role", "student").want(http.StatusForbidden)
	}
	s.get(c.personPath(c.signedIn("sam@uni.example", "Sam", "Student").user.ID)).want(http.StatusOK).says("dl.why dd", "does not give it").says("h2", "What you may do")
}

func TestARoleIsChangedAndAPersonRemoved(t *testing.T) {
	c := algorithms(t)
	grace := c.enroll("assistant", "grace@uni.example")
	c.ada.post(c.personPath(grace)+"/role", "role", "teacher").wantTo(c.personPath(grace))
	if m := c.member(grace); m.RoleName().String() != "Teacher" {
		t.Fatalf("Grace is %s", m.RoleName())
	}
	c.ada.post(c.personPath(grace)+"/role", "role", "no-such").want(http.StatusUnprocessableEntity).says("#role-fault", "no role")
	c.ada.post(c.personPath(c.ada.user.ID)+"/role", "role", "student").want(http.StatusForbidden).says(".summary", "themselves")

	ask := c.ada.get(c.personPath(grace)).one("a.danger")
	href, _ := attr(ask, "href")
	c.ada.get(href).says("h1", "Remove grace@uni.example?").submit("main form").wantTo(c.path+"/people").says(".flash", "Removed")
	if strings.Contains(c.ada.get(c.path+"/people").body, "grace@uni.example") {
		t.Error("Grace is still in the table")
	}
	c.ada.post(c.personPath(grace) + "/remove").want(http.StatusNotFound)
	// The last owner stays.
	c.ada.get(c.personPath(c.ada.user.ID)+"/remove").says("h1", "Leave Algorithms?").submit("main form").want(http.StatusConflict).says(".summary", "always has an owner")
}

func TestTakingTheLastPrivilegeOfSomebodyWithoutARoleSaysThatTheyLeave(t *testing.T) {
	c := algorithms(t)
	c.ada.post(c.path+"/people/privileges", "email", "charles@uni.example", "privilege", "audit.view").want(http.StatusSeeOther)
	charles, _ := c.find(c.admin, "charles@uni.example")
	c.ada.get(c.personPath(charles.ID)).submit("form.panel-form", "-privilege", "audit.view").wantTo(c.path+"/people").says(".flash", "no longer in the course")
}

func TestATableGoesOnFromPageToPage(t *testing.T) {
	c := algorithms(t)
	var list []string
	for i := range 119 {
		list = append(list, fmt.Sprintf("student%03d@uni.example", i))
	}
	c.ada.post(c.path+"/people/add", "emails", strings.Join(list, "\n"), "role", "student").want(http.StatusOK)
	seen := map[string]int{}
	page := c.ada.get(c.path + "/people")
	sizes := []int{}
	for {
		rows := page.all("table.people tbody tr")
		sizes = append(sizes, len(rows))
		for _, tr := range rows {
			id, _ := attr(tr, "id")
			seen[id]++
		}
		next := page.all("nav.pages form")
		if len(next) == 0 || !strings.Contains(text(next[len(next)-1]), "Next") {
			break
		}
		action, fields := page.fields(next[len(next)-1])
		page = c.ada.post(action, fields...).want(http.StatusOK)
	}
	if !slices.Equal(sizes, []int{40, 40, 40}) || len(seen) != 120 {
		t.Errorf("pages of %v with %d people", sizes, len(seen))
	}
	// With a search, the pages are those of the search.
	found := c.ada.get(c.path+"/people").submit("form.search", "search", "student0", "show", "students")
	if n := len(found.all("table.people tbody tr")); n != 40 {
		t.Fatalf("%d rows", n)
	}
	second := found.submit("nav.pages form")
	if n := len(second.all("table.people tbody tr")); n != 40 {
		t.Errorf("%d rows on the second page of a search for 100", n)
	}
	// What is no cursor is the beginning, and never a fault.
	for _, cursor := range []string{"x", "AAAA", "MQ", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTph", "MTpcMDA", "MToA", "MTr/", strings.Repeat("A", 9000)} {
		c.ada.post(c.path+"/people/search", "after", cursor).want(http.StatusOK)
	}
}

func TestSearchFindsLiterallyWhatWasTyped(t *testing.T) {
	c := algorithms(t)
	c.enroll("student", "a_b@uni.example")
	c.enroll("student", "axb@uni.example")
	rows := func(search string) int {
		t.Helper()
		return len(c.ada.post(c.path+"/people/search", "search", search).want(http.StatusOK).all("table.people tbody tr"))
	}
	for search, want := range map[string]int{
		"a_b": 1, "A_B": 1, "%": 0, "_b@": 1, `\`: 0, "*": 0, "'": 0, `"`: 0, ";--": 0, "😀": 0, "lovelace": 1, "": 3, "   ": 3, strings.Repeat("a", 200): 0,
	} {
		if got := rows(search); got != want {
			t.Errorf("%q finds %d people, want %d", search, got, want)
		}
	}
	for _, bad := range []string{"a\x00b", strings.Repeat("a", 10_000), "\xff\xfe", "a\u202eb"} {
		c.ada.post(c.path+"/people/search", "search", bad).want(http.StatusUnprocessableEntity).says(".summary", "")
		c.admin.post("/admin/people/search", "search", bad).want(http.StatusUnprocessableEntity)
	}
	part := c.ada.enhanced(c.path+"/people/search", "search", "a_b", "show", "pending").want(http.StatusOK)
	if part.has("h1") || len(part.all("tr")) != 2 {
		t.Errorf("htmx gets %d rows and more than the results", len(part.all("tr")))
	}
}

func TestAPastedListIsAnsweredRowByRow(t *testing.T) {
	c := algorithms(t, namingDomains("uni.example"))
	c.name(c.admin, "known@uni.example", "member")
	c.enroll("student", "sam@uni.example")
	c.ada.get(c.path+"/people/add").submit("form.stack", "emails", "  \n").want(http.StatusUnprocessableEntity).says("#emails-fault", "no address")
	check := func(emails string, more ...string) *answer {
		t.Helper()
		return c.ada.get(c.path+"/people/add").submit("form.stack", append([]string{"emails", emails, "role", "student"}, more...)...).want(http.StatusOK)
	}
	list := "Known One <known@uni.example>; new@uni.example,\nSAM@uni.example\tSam\nnew@UNI.example\nbroken@@uni.example\nguest@elsewhere.example\nx@uni.example.\n"
	checked := check(list).says(".lead", "2 people are ready to be added. 3 rows need a look first. Nothing is saved yet.")
	checked.says("tr.named", "Will be added").says("tr.already", "is in the list more than once").says("tr.already", "Is in this course already, as Student")
	if _, known := c.find(c.admin, "new@uni.example"); known {
		t.Fatal("checking a list has named somebody")
	}
	// Confirmed as it stands: what is ready is added, and the rest is asked about again.
	a := checked.submit("#check").want(http.StatusOK)
	a.says(".counts li", "1 Added; not signed in yet").says(".counts li", "1 Added").says(".counts li", "2 Nothing to do")
	a.says(".asked .fault", "more than one @").says(".asked .fault", "not an address of this school").says("label.check", "1 address is outside this school")
	var rows []string
	for _, in := range a.all("input[name=row]") {
		v, _ := attr(in, "value")
		rows = append(rows, v)
	}
	if !slices.Equal(rows, []string{"broken@@uni.example", "guest@elsewhere.example", "x@uni.example."}) {
		t.Errorf("the rows to correct are %q", rows)
	}
	// The button beside a row takes what was meant; a row is corrected or emptied in its field.
	use, _ := attr(a.one("button[name=use]"), "value")
	mended := c.ada.post(c.path+"/people/check", "role", "student", "row", rows[2], "use", use).want(http.StatusOK).says("tr.named", "x@uni.example")
	mended.submit("#check").want(http.StatusOK).says("tr.named", "x@uni.example").says(".actions a", "See the people")
	guest := check("guest@elsewhere.example").says("label.check", "1 address is outside this school")
	guest.submit("#check", "confirm_outside", "yes").want(http.StatusOK).says("tr.named", "guest@elsewhere.example").says(".actions a", "See the people")
	// A probable slip is asked about, and added when it is said to be right.
	slip := check("knwon@uni.example\nsmm@uni.exmaple").says(".asked .hint", "nearly known@uni.example").says(".asked button", "Use known@uni.example")
	slip = slip.submit("#check").want(http.StatusOK)
	if _, known := c.find(c.admin, "knwon@uni.example"); known {
		t.Fatal("a doubtful row was added unasked")
	}
	slip.submit("#check", "sure", "knwon@uni.example").want(http.StatusOK).says("tr.named", "knwon@uni.example").says(".asked", "uni.exmaple").says(".asked button", "Use smm@uni.example")
	c.ada.post(c.path+"/people/add", "emails", "new2@uni.example", "role", "no-such").want(http.StatusUnprocessableEntity).says("#role-fault", "no role")
	if _, known := c.find(c.admin, "new2@uni.example"); known {
		t.Error("a refused list has named somebody")
	}
}

func TestAnArchivedCourseCanBeReadAndOffersNothing(t *testing.T) {
	c := algorithms(t)
	sam := c.enroll("student", "sam@uni.example")
	c.ada.post(c.path + "/settings/archive").want(http.StatusSeeOther)
	page := c.ada.get(c.path + "/people").want(http.StatusOK)
	if page.has(".find") || page.has("table form") {
		t.Error("an archived course offers changes")
	}
	c.ada.get(c.personPath(sam)).says(".notice", "archived")
	c.ada.post(c.path+"/people/privileges", "user_id", strconv.FormatInt(sam, 10), "privilege", "roster.view").want(http.StatusConflict).says(".summary", "archived")
}

// A page that is open since this morning changes what is switched on it now, and nothing
// that somebody else has changed meanwhile: neither the table, nor the page of a person,
// gives back what was taken away, or brings back who has left.
func TestAnOldPageGivesNothingBack(t *testing.T) {
	c := algorithms(t)
	sam := c.enroll("assistant", "sam@uni.example")
	exactly := func(want ...lms.Privilege) {
		t.Helper()
		if m := c.member(sam); m.Effective() != may(want...) {
			t.Errorf("Sam may %s", m.Effective().Labels())
		}
	}
	change := func(role, was, on string) {
		t.Helper()
		in := []string{"user_id", itoa(sam), "role_was", role, "role", role, "was", was}
		for _, p := range strings.Fields(on) {
			in = append(in, "privilege", p)
		}
		c.admin.post(c.path+"/people/privileges", in...).want(http.StatusSeeOther)
	}
	change("assistant", "roster.view roster.manage", "roster.view roster.manage audit.view")
	table, person := c.ada.get(c.path+"/people"), c.ada.get(c.personPath(sam))
	change("assistant", "roster.view roster.manage audit.view", "roster.view")
	exactly(lms.RosterView)

	row := fmt.Sprintf("form#f%d", sam)
	table.submit(row, "+privilege", "announcements.manage").wantTo(c.path + "/people")
	exactly(lms.RosterView, lms.AnnouncementsManage)
	person.submit("form.panel-form", "+privilege", "course.update").wantTo(c.personPath(sam))
	exactly(lms.RosterView, lms.AnnouncementsManage, lms.CourseUpdate)
	// With another role too: what it gives comes, and what was switched.
	person.submit("form.panel-form", "role", "student", "+privilege", "course.archive").wantTo(c.personPath(sam))
	if m := c.member(sam); m.Effective().Has(lms.AuditView) || m.Effective().Has(lms.RosterManage) || !m.Effective().Has(lms.CourseArchive) {
		t.Errorf("Sam may %s", m.Effective().Labels())
	}

	table, person = c.admin.get(c.path+"/people"), c.admin.get(c.personPath(sam))
	c.ada.post(c.personPath(sam) + "/remove").want(http.StatusSeeOther)
	for _, a := range []*answer{
		table.submit(row, "+privilege", "course.update"),
		person.submit("form.panel-form", "+privilege", "course.update"),
		person.submit("form.panel-form", "role", "teacher"),
		person.submit("form.panel-form", "role", "teacher", "+privilege", "course.update"),
	} {
		a.want(http.StatusConflict).says(".summary", "not in the course any more")
	}
	c.ada.get(c.personPath(sam)).want(http.StatusNotFound)
}
