package web_test

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"

	"matricula/internal/apptest"
	"matricula/internal/service"
	"matricula/internal/sheet"
)

// rows reads a table that was downloaded.
func (a *answer) rows() [][]string {
	a.tb.Helper()
	a.want(http.StatusOK)
	if kind, disposition := a.header.Get("Content-Type"), a.header.Get("Content-Disposition"); kind != sheet.ContentType || !strings.HasPrefix(disposition, "attachment; filename=") {
		a.tb.Errorf("%s is %q, %q", a.url, kind, disposition)
	}
	body, bom := strings.CutPrefix(a.body, "\ufeff")
	if !bom || !strings.HasSuffix(body, "\r\n") {
		a.tb.Errorf("%s is not as spreadsheets expect it: %.40q", a.url, a.body)
	}
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil {
		a.tb.Fatal(err)
	}
	return rows
}

func columnOf(rows [][]string, heading string) (cells []string) {
	for i, h := range rows[0] {
		if h == heading {
			for _, r := range rows[1:] {
				cells = append(cells, r[i])
			}
		}
	}
	return cells
}

// F-07: no table that can be downloaded holds what a spreadsheet would run, and
// every cell can be read back as it was.
func TestF07EveryTableIsSafeInASpreadsheet(t *testing.T) {
	c := algorithms(t)
	formulas := []string{`=HYPERLINK("https://evil.example","x")`, "+1", "-1+2", "@SUM(A1)", "＝1", `"=1`, "-Anna", "+39 06 1234"}
	for i, f := range formulas {
		u, err := c.svc.NamePerson(t.Context(), c.admin.caller, service.NewPerson{Email: "f" + itoa(int64(i)) + "@uni.example", GivenName: f, FamilyName: f}, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.enroll("student", string(u.Email))
		if _, err := c.svc.UpdateCourse(t.Context(), c.ada.caller, c.id, service.CoursePatch{Title: &f, Code: &f, Description: &f}); err != nil {
			t.Fatal(err)
		}
	}
	for path, by := range map[string]*browser{
		c.path + "/people/csv": c.ada, c.path + "/audit/csv": c.ada, c.path + "/arrivals/csv": c.ada,
		"/admin/people/csv": c.admin, "/admin/courses/csv": c.admin, "/admin/audit/csv": c.admin, "/admin/arrivals/csv": c.admin, "/admin/settings/csv": c.admin, "/admin/arrivals/days": c.admin, c.path + "/arrivals/days": c.ada,
	} {
		rows := by.post(path).rows()
		if len(rows) < 2 {
			t.Errorf("%s has %d rows", path, len(rows))
		}
		for _, row := range rows {
			for _, cell := range row {
				if cell != "" && strings.ContainsRune("=+-@＝\t\r\"", []rune(cell)[0]) {
					t.Errorf("%s: a spreadsheet may run %q", path, cell)
				}
			}
		}
	}
	var back []string
	for _, cell := range columnOf(c.ada.post(c.path+"/people/csv", "show", "students").rows(), "Given name") {
		back = append(back, sheet.Unescape(cell))
	}
	for _, f := range formulas {
		if !strings.Contains(strings.Join(back, "\n"), f) {
			t.Errorf("%q cannot be read back: %q", f, back)
		}
	}
}

func TestATableIsDownloadedAsItIsFiltered(t *testing.T) {
	c := algorithms(t)
	for _, e := range []string{"zoe@uni.example", "bob@uni.example", "carol@uni.example"} {
		c.enroll("student", e)
	}
	c.enroll("assistant", "grace@uni.example")
	page := c.ada.get(c.path+"/people").submit("#search-form", "show", "students", "order", "-name")
	rows := page.submit("form.export").rows()
	if got := strings.Join(columnOf(rows, "E-mail address"), " "); got != "zoe@uni.example carol@uni.example bob@uni.example" {
		t.Errorf("the download has %s", got)
	}
	if got := strings.Join(columnOf(rows, "Role"), " "); got != "student student student" {
		t.Errorf("roles: %s", got)
	}
	if a := c.ada.post(c.path+"/people/csv", "search", "nobody of this name").rows(); len(a) != 1 {
		t.Errorf("of nobody there are %d rows", len(a))
	}
	c.ada.post("/courses/999/people/csv").want(http.StatusNotFound)
	c.ada.post("/admin/people/csv").want(http.StatusForbidden)
	c.ada.post(c.path+"/people/csv", "search", "a\x00b").want(http.StatusUnprocessableEntity)
	if got := columnOf(c.admin.post("/admin/people/csv", "status", "pending").rows(), "Status"); len(got) != 4 || got[0] != "pending" {
		t.Errorf("who is pending: %s", got)
	}
}

func TestTheAuditIsFilteredByPersonActionAndTime(t *testing.T) {
	c := algorithms(t)
	c.enroll("assistant", "grace@uni.example")
	c.enroll("student", "sam@uni.example")
	c.enroll("student", "samuel@uni.example")
	page := c.ada.get(c.path + "/audit")
	found := page.submit("form.filter", "who", "grace@uni.example").wantTo(c.path+"/audit").says(".narrowed", "About grace@uni.example").says("tbody", "added grace@uni.example")
	if n := len(found.all("tbody tr")); n != 1 {
		t.Errorf("%d entries are about Grace", n)
	}
	found.submit("form.filter", "outcome", "refused").wantTo(c.path+"/audit").says(".empty", "Nothing on record matches these filters").says(".narrowed", "grace@uni.example")
	page.submit("form.filter", "who", "sam").want(http.StatusOK).says(".question", "Whom do you mean?").says(".question li a", "sam@uni.example").says(".question li a", "samuel@uni.example")
	page.submit("form.filter", "who", "nobody").says(".summary", "Nobody whom you can find matches “nobody”")
	page.submit("form.filter", "who", "s").want(http.StatusUnprocessableEntity).says(".summary", "two letters")
	if n := len(page.submit("form.filter", "action", "course.create").wantTo(c.path + "/audit").all("tbody tr")); n != 1 {
		t.Errorf("%d entries are about making the course", n)
	}
	page.submit("form.filter", "from", "yesterday").want(http.StatusUnprocessableEntity).says("#from-fault", "Write it like 2026-09-07")
	page.submit("form.filter", "from", "2026-09-07", "to", "2026-09-01").wantTo(c.path+"/audit").says(".summary", "Choose a later end")
	page.submit("form.filter", "from", "2001-01-01", "to", "2001-01-02").wantTo(c.path+"/audit").says(".empty", "Nothing on record matches")
	today := c.now.Format("2006-01-02")
	dated := page.submit("form.filter", "from", today, "to", today).wantTo(c.path+"/audit").says("tbody", "added")
	if rows := dated.submit("form.export").rows(); len(rows) < 5 {
		t.Errorf("the download has %d rows", len(rows))
	}
	for _, bad := range []string{"?person=x", "?person=-1", "?course=1e3", "?before=0"} {
		c.ada.get(c.path + "/audit" + bad).want(http.StatusNotFound)
	}
	c.ada.get(c.path+"/audit?action=drop").want(http.StatusUnprocessableEntity).says(".summary", "Choose an action")

	site := c.admin.get("/admin/audit?course="+itoa(c.id)).says(".narrowed", "In Algorithms")
	if site.submit("form.filter", "who", "grace").wantTo("/admin/audit").says(".narrowed", "In Algorithms"); len(site.all("tbody tr")) < 4 {
		t.Error("the course's entries are missing on the site's page")
	}
}

func TestWhoHasArrivedIsDrawnAndWhoHasNotIsListed(t *testing.T) {
	c := algorithms(t)
	path := c.path + "/arrivals"
	c.ada.get(path).says(".lead", "signed in").says("section", "Everybody has signed in at least once")
	for i := range 60 {
		c.enroll("student", "s"+itoa(int64(i))+"@uni.example")
	}
	c.signedIn("s0@uni.example", "Sam", "Okoro")
	page := c.ada.get(path).says(".lead", "Of 61 people expected, 2 signed in at least once (3 %)").says("#missing-heading", "59 people are missing").says("svg[role=img]", "").says(".numbers tbody", "61")
	if n := len(page.all("section tbody tr")); n != 50 {
		t.Errorf("%d people on the first page", n)
	}
	for _, class := range []string{"expected", "arrived"} {
		if d, _ := attr(page.one("path."+class), "d"); !strings.HasPrefix(d, "M0 180H") || !strings.HasSuffix(d, "Z") {
			t.Errorf("%s is drawn as %q", class, d)
		}
	}
	if lines := strings.Split(strings.TrimSpace(textOf(page, "#addresses")), "\n"); len(lines) != 59 {
		t.Errorf("%d addresses can be copied", len(lines))
	}
	second := page.submit(".below nav form").want(http.StatusOK).says(".below nav a", "First page")
	if n := len(second.all("section tbody tr")); n != 9 {
		t.Errorf("%d people on the second page", n)
	}
	if rows := page.submit("form.export").rows(); len(rows) != 60 {
		t.Errorf("the download has %d rows", len(rows))
	}
	c.ada.get(c.path+"/people").says(".head a", "Who has arrived")
	c.admin.get("/admin/arrivals").says(".lead", "Of 62 people expected, 3 signed in").says("section tbody", "s1@uni.example").submit(".below nav form").says(".below nav a", "First page")
	c.admin.get("/admin/people").says(".head a", "Arrivals")
}

func TestInABrowserTheAddressesOfTheMissingAreCopied(t *testing.T) {
	c := algorithms(t)
	c.enroll("student", "sam@uni.example")
	p := c.browse("ada@uni.example", "Ada", "Lovelace")
	p.Open(c.url(c.path + "/arrivals"))
	apptest.Eval[bool](p, `(navigator.clipboard.writeText = async (text) => { window.copied = text; }, true)`)
	p.Click(".copy summary")
	p.ClickText(".copy button", "Copy")
	p.WaitText(".copy button", "Copied.")
	if got := apptest.Eval[string](p, `window.copied`); got != "sam@uni.example" {
		t.Errorf("copied: %q", got)
	}
	p.Accessible()
	c.quiet(t, p)
}
