package web_test

import (
	"encoding/csv"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// bring uploads a list and waits until it is checked.
func (c *course) bring(b *browser, name, content string, fields ...string) (page *answer, list string) {
	c.tb.Helper()
	a := b.upload(c.path+"/imports", name, content, fields...).want(http.StatusSeeOther)
	list = a.header.Get("Location")
	c.settled(b, list)
	return b.get(list).want(http.StatusOK), list
}

// settled waits until nothing works on a list.
func (c *course) settled(b *browser, list string) {
	c.tb.Helper()
	for range 500 {
		if page := b.get(list); !page.has("[data-events]") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	c.tb.Fatalf("%s is never done", list)
}

func (c *course) press(b *browser, page *answer, selector string, changes ...string) *answer {
	c.tb.Helper()
	a := page.submit(selector, changes...).want(http.StatusSeeOther)
	list := a.header.Get("Location")
	c.settled(b, list)
	return b.get(list).want(http.StatusOK)
}

const classFile = "Cognome;Nome;E-mail;Ruolo;Matricola;Gruppo\r\nNoether;Emmy;emmy@uni.example;studente;00123;Lab A\r\nLamarr;Hedy;hedy@gmial.com;studente;;Lab A\r\n;;not an address;;;\r\n"

func TestAClassListIsBroughtMendedCarriedOutAndUndone(t *testing.T) {
	c := algorithms(t)
	c.ada.get(c.path+"/people/add").says("#file-heading", "class list with more")
	c.ada.get(c.path+"/imports").want(http.StatusOK).says(".lead", "nothing is saved until you have looked it over")
	for name, content := range map[string]string{
		"class.xlsx": sheetOf(t, []any{"Cognome", "Nome", "E-mail", "Ruolo", "Matricola", "Gruppo"}, []any{"Noether", "Emmy", "emmy@uni.example", "studente", "00123", "Lab A"},
			[]any{"Lamarr", "Hedy", "hedy@gmial.com", "studente", "", "Lab A"}, []any{"", "", "not an address"}),
		`C:\Users\ada\class.csv`: classFile,
	} {
		page, list := c.bring(c.ada, name, content, "role", "student")
		page.says("h1", "class.").says(".counted", "1 Would come in").says(".counted", "1 Is this right?").says(".counted", "1 Cannot be used").says(".review", "1 new section: Lab A").
			says("tbody", "not an address").says("tbody .fault", "An address has none")
		if strings.Contains(page.body, "Users") {
			t.Errorf("%s: a path is shown", name)
		}
		page.submit("form.discard").want(http.StatusSeeOther)
		c.ada.get(list).says(".notice", "thrown away")
	}
	if _, known := c.find(c.admin, "emmy@uni.example"); known {
		t.Fatal("looking at a list has named somebody")
	}
	_, list := c.bring(c.ada, "class.csv", classFile, "role", "student")
	ask := c.ada.get(list+"?show=ask").says("tbody", "gmail.com")
	page := c.press(c.ada, ask, "form.fix", "choice.2", "use hedy@gmail.com")
	page.says(".counted", "2 Would come in")
	page = c.press(c.ada, c.ada.get(list+"?show=refused"), "form.fix", "cell.3.email", "third@uni.example")
	page.says(".counted", "3 Would come in").says("form.start button", "Carry it out: 3 rows")
	page = c.press(c.ada, page, "form.start")
	page.says(".meta", "Done").says(".counted", "3 Came in, not here yet").says("tbody", "Noether")
	emmy, _ := c.find(c.admin, "emmy@uni.example")
	if m := c.member(emmy.ID); m.Enrollment == nil || m.Enrollment.Section != "Lab A" || m.Enrollment.Number != "00123" || emmy.FamilyName != "Noether" {
		t.Errorf("Emmy is %+v, %+v", emmy, m.Enrollment)
	}
	rows := c.ada.post(list + "/report").rows()
	if len(rows) != 4 || rows[1][0] != "2" || strings.Join(columnOf(rows, "Outcome"), ",") != "Came in, not here yet,Came in, not here yet,Came in, not here yet" {
		t.Errorf("the report is %v", rows)
	}
	c.ada.get(c.path+"/imports").says("tbody", "class.csv").says("tbody", "Done")
	page = c.press(c.ada, page, "form.undo-list")
	page.says(".meta", "Undone").says(".notice", "undone")
	c.ada.get(c.path + "/people/" + itoa(emmy.ID)).want(http.StatusNotFound)
}

// Whoever corrects a row and has the list carried out at once loses nothing: the
// correction is taken, and they look at the list that it makes.
func TestWhatIsCorrectedIsTakenWhenTheListIsToBeCarriedOut(t *testing.T) {
	c := algorithms(t)
	_, list := c.bring(c.ada, "class.csv", classFile, "role", "student")
	page := c.ada.get(list + "?show=refused")
	start := page.one(".start .actions button")
	if start == nil || page.has("form.start") {
		t.Fatal("the list is carried out by a form of its own, beside the corrections")
	}
	fix, _ := attr(page.one("form.fix"), "id")
	for _, button := range page.all(".start button") {
		if of, _ := attr(button, "form"); of != fix {
			t.Errorf("a button belongs to the form %q and not to %q", of, fix)
		}
	}
	if action, _ := attr(start, "formaction"); action != list+"/start" {
		t.Errorf("it leads to %q", action)
	}
	sent := []string{"was.3.email", "not an address", "cell.3.email", "third@uni.example", "had.3", "", "choice.3", ""}
	to := c.ada.post(list+"/start", sent...).want(http.StatusSeeOther).header.Get("Location")
	c.settled(c.ada, list)
	c.ada.get(to).says(".flash", "Your corrections were taken").says(".counted", "2 Would come in").says(".meta", "To be looked over")
	// Nothing is typed any more: now it is carried out.
	sent = []string{"was.2.email", "hedy@gmial.com", "cell.2.email", "hedy@gmial.com", "had.2", "", "choice.2", ""}
	c.ada.post(list+"/start", sent...).want(http.StatusSeeOther)
	c.settled(c.ada, list)
	c.ada.get(list).says(".meta", "Done").says(".counted", "2 Came in, not here yet")
}

// Columns whose headings say nothing to Matricula are named, and not passed over.
func TestColumnsThatAreNotReadAreNamed(t *testing.T) {
	c := algorithms(t)
	page, list := c.bring(c.ada, "class.csv", "E-mail;Lieblingsfarbe;Haustier\nemmy@uni.example;blau;Hund\n", "role", "student")
	page.says(".review .notice", "2 columns are not read: Lieblingsfarbe, Haustier.")
	if !page.has(".review .notice a[href='" + list + "?columns']") {
		t.Error("nobody can say what they hold")
	}
	if page, _ := c.bring(c.ada, "other.csv", classFile, "role", "student"); page.has(".review .notice") {
		t.Error("a list of which everything is read has a notice")
	}
}

func TestAListSaysWhatStandsAgainstItAndChangesNothing(t *testing.T) {
	c := algorithms(t)
	to := c.path + "/imports"
	for name, w := range map[string]struct {
		content, says string
		status        int
	}{
		"twice.csv": {"Email,E-mail\na@b.example,c@d.example\n", "Columns 1 and 2", 422},
		"empty.csv": {"", "empty", 422},
		"scan.pdf":  {"%PDF-1.7", "a PDF", 422},
		"heads.csv": {"E-mail,Name\n", "nobody in this list", 422},
		"":          {"", "Choose a file first", 422},
	} {
		c.ada.upload(to, name, w.content, "role", "student").want(w.status).says(".summary", w.says)
	}
	c.ada.upload(to, "a.csv", "Email\na@uni.example\n", "text", "b@uni.example").want(http.StatusUnprocessableEntity).says("#text-fault", "Send one of the two")
	c.ada.upload(to, "a.csv", "Email\na@uni.example\n", "role", "king").want(http.StatusUnprocessableEntity).says("#import-role-fault", "no role")
	c.ada.upload(to, "a.csv", "Email\na@uni.example\n", "who", "x").want(http.StatusBadRequest)
	c.ada.post(to, "file", "x").want(http.StatusBadRequest)
	c.enroll("student", "sam@uni.example")
	sam := c.signedIn("sam@uni.example", "Sam", "Okoro")
	sam.upload(to, "a.csv", "a@uni.example", "role", "student").want(http.StatusForbidden)
	_, list := c.bring(c.ada, "", "", "text", "E-mail\tRole\na@uni.example\tstudent\n")
	sam.get(list).want(http.StatusForbidden)
	sam.get(list + "/events").want(http.StatusForbidden)
	other := c.ada.post("/courses", "title", "Compilers").want(http.StatusSeeOther).header.Get("Location")
	c.ada.get(strings.Split(other, "?")[0] + "/imports/1").want(http.StatusNotFound)
	c.ada.get(list + "?after=x").want(http.StatusNotFound)
	if body := c.ada.get(list + "/events").want(http.StatusOK); !strings.Contains(body.body, "event: end\ndata: {") {
		t.Errorf("the events are %q", body.body)
	}
}

func TestConflictsAndLeavingAreShownBeforeAnythingHappens(t *testing.T) {
	c := algorithms(t)
	sam, tim := c.enroll("student", "sam@uni.example"), c.enroll("student", "tim@uni.example")
	c.ada.post(c.path+"/sections", "name", "Lab B").want(http.StatusSeeOther)
	c.ada.post(c.path+"/people/"+itoa(sam)+"/place", "section_id", "1").want(http.StatusSeeOther)
	page, list := c.bring(c.ada, "", "", "text", "E-mail\tSection\nsam@uni.example\tLab A\nnew@uni.example\tLab A\n", "exact", "yes")
	page.says(".counted", "1 Set by hand").says("tbody del", "Lab B").says("tbody ins", "Lab A").says(".review .check", "the 1 person who leaves")
	c.ada.get(list+"?show=remove").says("tbody", "tim@uni.example")
	c.ada.post(list+"/start").want(http.StatusUnprocessableEntity).says(".summary", "would take 1 people out")
	page = c.press(c.ada, page, "form.fix", "choice.1", "file")
	page.says(".counted", "1 Would change")
	page = c.press(c.ada, page, "form.start", "+leaving", "1")
	page.says(".counted", "1 Left").says(".counted", "1 Changed")
	c.ada.get(c.path + "/people/" + itoa(tim)).want(http.StatusNotFound)
	if c.member(sam).Enrollment.Section != "Lab A" {
		t.Error("it was not carried out as it was shown")
	}
	// With other options, and columns chosen by hand.
	page, list = c.bring(c.ada, "odd.csv", "Kontakt,Kennung\nodd@uni.example,7\n")
	page.says("h2", "What do the columns hold?").says("label[for=column-0]", "Kontakt").says("#column-0-hint", "odd@uni.example")
	page.submit("form.columns", "column.0", "", "column.1", "email").want(http.StatusSeeOther)
	c.settled(c.ada, list)
	c.ada.get(list+"?columns").submit("form.columns", "column.0", "email", "column.1", "email").want(http.StatusUnprocessableEntity).says(".summary", "cannot hold the same")
	page = c.press(c.ada, c.ada.get(list+"?columns"), "form.columns", "column.0", "email", "column.1", "student_number")
	page = c.press(c.ada, page, "form.options", "role", "assistant", "+sure", "yes")
	page.says(".counted", "1 Would come in")
}

// F-09 and F-18: what a list says is shown as it is and never run, on any page, and
// goes into the database as it is.
func TestF09AndF18HostileCellsOfAListAreInert(t *testing.T) {
	c := algorithms(t)
	hostile := []string{
		"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "{{7*7}}", "${7*7}", "</title>", "[x](javascript:alert(1))", "'; DROP TABLE users; --", `\'; DELETE FROM users; --`, "%00", "$1",
	}
	var b strings.Builder
	file := csv.NewWriter(&b)
	file.Write([]string{"E-mail", "Given name", "Family name", "Role", "Section", "Student number"})
	for i, h := range hostile {
		file.Write([]string{"h" + itoa(int64(i)) + "@uni.example", h, h, "student", h, h})
		file.Write([]string{"r" + itoa(int64(i)) + "@uni.example", "", "", h, "", ""})
		file.Write([]string{h, "", "", "", "", ""})
	}
	if file.Flush(); file.Error() != nil {
		t.Fatal(file.Error())
	}
	page, list := c.bring(c.ada, "<script>x.csv", b.String())
	inert := func(a *answer) {
		t.Helper()
		if n := len(a.all("script")); n != 2 {
			t.Errorf("%s has %d scripts", a.url, n)
		}
		if a.has("main img") || a.has("[onerror]") || a.has(`a[href="javascript:alert(1)"]`) {
			t.Errorf("%s: what a list says is alive", a.url)
		}
	}
	page.says(".counted", "10 Would come in").says(".counted", "20 Cannot be used")
	inert(page)
	inert(c.ada.get(list+"?show=add").says("tbody", hostile[0]).says("tbody", hostile[6]))
	page = c.press(c.ada, c.ada.get(list+"?show=add"), "form.start")
	page.says(".counted", "10 Came in, not here yet")
	inert(c.ada.get(list + "?show=named"))
	for _, path := range []string{"/people", "/sections", "/imports", "/audit"} {
		inert(c.ada.get(c.path + path).want(http.StatusOK))
	}
	for _, row := range c.ada.post(list + "/report").rows() {
		for _, cell := range row {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@") {
				t.Errorf("a spreadsheet may run %q", cell)
			}
		}
	}
	for i, h := range hostile {
		u, ok := c.find(c.admin, "h"+itoa(int64(i))+"@uni.example")
		if m := c.member(u.ID); !ok || u.GivenName != h || m.Enrollment.Section != h || m.Enrollment.Number != h {
			t.Errorf("%q became %+v, %+v", h, u, m.Enrollment)
		}
	}
}

func TestInABrowserAClassListIsBroughtAndFollowed(t *testing.T) {
	c := algorithms(t)
	c.unlimited()
	p := c.browse("ada@uni.example", "Ada", "Lovelace")
	p.Open(c.url(c.path + "/imports"))
	path := filepath.Join(t.TempDir(), "class.xlsx")
	if err := os.WriteFile(path, []byte(sheetOf(t, []any{"Email", "Section"}, []any{"emmy@uni.example", "Lab A"})), 0o600); err != nil {
		t.Fatal(err)
	}
	p.Upload("#file", path)
	p.ClickText("main button", "Check the list")
	p.WaitText(".counted", "1 Would come in")
	p.Accessible()
	p.ClickText("main button", "Carry it out")
	p.WaitText(".counted", "1 Came in, not here yet")
	p.Accessible()
	// A long list is followed without anybody loading the page.
	var b strings.Builder
	for i := range 12_000 {
		b.WriteString("p" + itoa(int64(i)) + "@uni.example\n")
	}
	i, err := c.svc.CreateImport(t.Context(), c.ada.caller, service.NewImport{CourseID: c.id, Text: b.String()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.Open(c.url(c.path + "/imports/" + itoa(i.ID)))
	p.WaitText(".counted", "12,000 Would come in")
	p.ClickText("main button", "Carry it out")
	p.WaitText(".meta", "Done")
	if now, err := c.svc.AwaitImport(t.Context(), c.ada.caller, i.ID, time.Minute); err != nil || now.State != lms.ImportDone {
		t.Errorf("%+v (%v)", now, err)
	}
	c.quiet(t, p)
}
