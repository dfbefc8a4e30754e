package web_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// term makes an academic year or, in a year, a term.
func (c *course) term(year int64, name string, begins, ends lms.Day) int64 {
	c.tb.Helper()
	t, err := c.svc.CreateTerm(c.tb.Context(), c.admin.caller, year, lms.PeriodFields{Name: name, Begins: begins, Ends: ends}, nil)
	if err != nil {
		c.tb.Fatal(err)
	}
	return t.ID
}

// days are a day so many days before or after today, as a form has it and as
// pages show it without its year.
func (c *course) day(in int) (typed, shown string) {
	at := c.now.AddDate(0, 0, in)
	return at.Format("2006-01-02"), at.Format("2 Jan")
}

func TestAcademicYearsAndTermsAreMadeChangedAndDeletedOnOnePage(t *testing.T) {
	c := algorithms(t)
	page := c.admin.get("/admin/terms").says(".empty h2", "There is no academic year yet").says("nav a[aria-current]", "Terms")
	const making = "section.find form"
	page.submit(making, "name", "2026/27", "begins_on", "1 October", "ends_on", "2027-09-30").want(http.StatusUnprocessableEntity).says("#year-begins-fault", "Write it like 2026-10-01").says(".find .summary", "cannot be read")
	wrong := page.submit(making, "name", "2026/27", "begins_on", "2026-10-01", "ends_on", "2026-09-30").want(http.StatusUnprocessableEntity).says("#year-ends-fault", "after the first")
	if v, _ := attr(wrong.one("#year-begins"), "value"); v != "2026-10-01" {
		t.Errorf("what was typed is lost: %q", v)
	}
	made := page.submit(making, "name", "2026/27", "begins_on", "2026-10-01", "ends_on", "2027-09-30").wantTo("/admin/terms").
		says(".flash", "The academic year is ready").says(".year h2", "2026/27").says(".year .meta", "1 Oct 2026 – 30 Sep 2027").says(".year p", "It has no terms yet")
	if n := len(page.submit(making, "name", "2026/27", "begins_on", "2026-10-01", "ends_on", "2027-09-30").wantTo("/admin/terms").all(".year")); n != 1 {
		t.Errorf("sent twice, there are %d years", n)
	}
	const adding = ".year details form"
	for _, day := range made.all(adding + " input[type=date]") {
		least, _ := attr(day, "min")
		most, _ := attr(day, "max")
		if least != "2026-10-01" || most != "2027-09-30" {
			t.Errorf("the days of a term lie between %s and %s", least, most)
		}
	}
	open := made.submit(adding, "name", "Autumn", "begins_on", "2026-09-30", "ends_on", "2027-01-31").want(http.StatusUnprocessableEntity).
		says("details[open] .summary", "2026/27 begins on 1 Oct 2026").says("details[open] .fault", "2026/27 begins on 1 Oct 2026")
	if open.has(".find .summary") {
		t.Error("the other form says that it is wrong")
	}
	list := open.submit(adding, "begins_on", "2026-10-01").wantTo("/admin/terms").says(".flash", "The term is ready").says("tbody th", "Autumn").says("tbody td", "1 Oct 2026 – 31 Jan 2027")
	list.submit(adding, "name", "AUTUMN", "begins_on", "2026-10-01", "ends_on", "2027-01-31").want(http.StatusUnprocessableEntity).says("details[open] .fault", "2026/27 already has a term called AUTUMN")

	term, _ := attr(list.one("tbody td a"), "href")
	year, _ := attr(list.one(".year .head a.button"), "href")
	edit := c.admin.get(term).says("h1", "Term Autumn").says(".lead", "2026/27, 1 Oct 2026 – 30 Sep 2027")
	edit.submit("form.stack", "ends_on", "2027-10-01").want(http.StatusUnprocessableEntity).says("#ends-fault", "2026/27 ends on 30 Sep 2027")
	edit.submit("form.stack", "name", "Autumn 2026", "ends_on", "2027-02-07").wantTo("/admin/terms").says(".flash", "Saved").says("tbody th", "Autumn 2026").says("tbody td", "7 Feb 2027")
	c.admin.get(year).says("h1", "Academic year 2026/27").says(".card p", "It has 1 term. Delete that one first.").submit("form.stack", "ends_on", "2027-02-06").
		want(http.StatusUnprocessableEntity).says("#ends-fault", "Autumn 2026 ends on 7 Feb 2027")
	c.admin.post(year+"/delete").want(http.StatusConflict).says(".summary", "2026/27 still has terms (1)")
	c.admin.get(term + "/delete").wantTo(term)
	c.admin.get(term).submit(".card form").wantTo("/admin/terms").says(".flash", "Deleted").says(".year p", "It has no terms yet")
	c.admin.get(term).want(http.StatusNotFound)
	c.admin.post(term, "name", "x", "begins_on", "2026-10-01", "ends_on", "2027-01-31").want(http.StatusNotFound)
	c.admin.get(year).submit(".card form").wantTo("/admin/terms").says(".empty h2", "There is no academic year yet")
	c.admin.post("/admin/terms", "name", "x", "year_id", "1", "begins_on", "2026-10-01", "ends_on", "2027-01-31").want(http.StatusUnprocessableEntity).says(".lead", "There is no such academic year")

	audit := c.admin.get("/admin/audit").says("tbody th", "Radia Root added to the academic calendar").says("tbody th", "changed the academic calendar").says("tbody th", "deleted from the academic calendar").
		says("tbody th", "something still belonged to it")
	audit.says(".changes div", "Name Autumn → became Autumn 2026").says(".changes div", "Last day 31 Jan 2027 → became 7 Feb 2027").says(".changes div", "Academic year 2026/27")
	for _, path := range []string{"/admin/terms", year, year + "/delete"} {
		c.ada.post(path, "name", "x", "begins_on", "2026-10-01", "ends_on", "2027-01-31").want(http.StatusForbidden)
	}
	c.ada.get("/admin/terms").want(http.StatusForbidden)
}

func TestACourseSaysInWhichTermItIs(t *testing.T) {
	c := algorithms(t)
	if c.ada.get(c.path+"/settings").has("#term_id") || c.ada.get("/courses/new").has("#term_id") || c.ada.get(c.path+"/copy").has("#term_id") {
		t.Error("a term can be chosen where there are none")
	}
	c.ada.get(c.path+"/settings").submit("form.stack", "title", "Algorithms").wantTo(c.path + "/settings")
	begins, first := c.day(-30)
	ends, last := c.day(60)
	wide, _ := c.day(-300)
	year := c.term(0, "Year", lms.Day(wide), lms.Day(ends))
	term := c.term(year, "Term of "+begins[:4], lms.Day(begins), lms.Day(ends))
	other := c.term(year, "Other", lms.Day(wide), lms.Day(begins))
	line := "Term of " + begins[:4] + ", " + first + " – " + last
	c.ada.get(c.path+"/settings").says("#term_id option", line).says("#term_id option", "All of Year").submit("form.stack", "term_id", itoa(term)).wantTo(c.path + "/settings")
	if v, _ := attr(c.ada.get(c.path+"/settings").one("#term_id option[selected]"), "value"); v != itoa(term) {
		t.Errorf("chosen is %s", v)
	}
	c.ada.get(c.path).says(".term", line)
	c.ada.get("/").says(".courses .card .term", line)
	c.enroll("student", "sam@uni.example")
	student := c.signedIn("sam@uni.example", "Sam", "Okoro")
	student.get(c.path).says(".term", line)
	student.get("/").says(".courses .card .term", line)
	c.ada.post(c.personPath(student.user.ID)+"/look").says(".looked-at .term", line)
	c.ada.get(c.path+"/settings").submit("form.stack", "term_id", "999").want(http.StatusUnprocessableEntity).says("#term_id-fault", "There is no such term")
	// A form that was opened before there were any terms does not take the term away.
	c.ada.post(c.path+"/settings", "title", "Algorithms").wantTo(c.path + "/settings")
	c.ada.get(c.path).says(".term", line)

	made := c.ada.get("/courses/new").submit("form.stack", "title", "", "term_id", itoa(other)).want(http.StatusUnprocessableEntity)
	if v, _ := attr(made.one("#term_id option[selected]"), "value"); v != itoa(other) {
		t.Errorf("after a mistake, chosen is %s", v)
	}
	made.submit("form.stack", "title", "Compilers").want(http.StatusSeeOther)
	copying := c.ada.get(c.path + "/copy")
	if v, _ := attr(copying.one("#term_id option[selected]"), "value"); v != "" {
		t.Errorf("a copy would begin in %s", v)
	}
	copying.submit("form.stack", "title", "Copy", "term_id", "999").want(http.StatusUnprocessableEntity).says("#term_id-fault", "There is no such term")
	copied := copying.submit("form.stack", "title", "Copy", "term_id", itoa(year)).want(http.StatusSeeOther)
	c.ada.get(copied.header.Get("Location")).says(".term", "Year, ")

	// Administrators find the courses of a term, and of a year with its terms.
	titles := func(a *answer) (list []string) {
		for _, n := range a.all("tbody th a") {
			list = append(list, text(n))
		}
		return list
	}
	page := c.admin.get("/admin/courses").says("tbody td", "Other")
	if got := titles(page.submit("form.filter", "term", itoa(other)).wantTo("/admin/courses")); !slices.Equal(got, []string{"Compilers"}) {
		t.Errorf("in the other term are %q", got)
	}
	inYear := page.submit("form.filter", "term", itoa(year)).wantTo("/admin/courses")
	if got := titles(inYear); !slices.Equal(got, []string{"Copy", "Compilers", "Algorithms"}) {
		t.Errorf("in the year are %q", got)
	}
	if v, _ := attr(inYear.one("#term option[selected]"), "value"); v != itoa(year) {
		t.Errorf("the filter shows %s", v)
	}
	orphaned, _ := attr(inYear.all("nav.tabs a")[1], "href")
	c.admin.get(orphaned).says(".empty", "There are no such courses in this term").submit("form.filter", "term", "").wantTo("/admin/courses").says(".empty", "Every course has an owner")
	c.admin.get("/admin/terms").says("tbody td", "1").says(".year .meta", "1 course all year").says(".year .meta .badge", "Now")
	c.admin.get("/admin/terms/"+itoa(term)).says(".card p", "1 course is in it").says(".card a", "Show the courses")
	c.admin.post("/admin/terms/"+itoa(term)+"/delete").want(http.StatusConflict).says(".summary", "still has courses (1)")
	if got := columnOf(c.admin.post("/admin/courses/csv").rows(), "Term"); !slices.Contains(got, "Year") || !slices.Contains(got, "Other") {
		t.Errorf("the downloaded table has the terms %q", got)
	}
	c.ada.post("/admin/courses", "term", itoa(term)).want(http.StatusForbidden)
	c.ada.get(c.path+"/settings").submit("form.stack", "term_id", "").wantTo(c.path + "/settings")
	if c.ada.get(c.path).has(".term") {
		t.Error("taken out of its term, the course still names it")
	}
	c.ada.get(c.path+"/audit").says(".changes div", "Term "+line[:strings.Index(line, ",")])
}

func TestCoursesOfEarlierTermsComeAfterTheOthers(t *testing.T) {
	c := algorithms(t)
	wide, _ := c.day(-300)
	far, _ := c.day(300)
	yesterday, _ := c.day(-1)
	today, _ := c.day(0)
	year := c.term(0, "Year", lms.Day(wide), lms.Day(far))
	put := func(title string, term int64) int64 {
		v, err := c.svc.CreateCourse(t.Context(), c.ada.caller, lms.CourseFields{Title: title, TermID: term}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return v.Course.ID
	}
	put("Ends today", c.term(year, "Until today", lms.Day(wide), lms.Day(today)))
	if page := c.ada.get("/"); page.has(".earlier") || len(page.all(".courses .card")) != 2 {
		t.Error("without a past term, there is a heading for past terms")
	}
	over := c.term(year, "Over", lms.Day(wide), lms.Day(yesterday))
	put("Ended", over)
	archived := put("Ended and archived", over)
	if _, err := c.svc.ArchiveCourse(t.Context(), c.ada.caller, archived, true); err != nil {
		t.Fatal(err)
	}
	titles := func(selector string) (list []string) {
		for _, n := range c.ada.get("/").all(selector) {
			list = append(list, text(n))
		}
		return list
	}
	if got := titles(".courses h2 a"); !slices.Equal(got, []string{"Ends today", "Algorithms", "Ended and archived"}) {
		t.Errorf("the courses are %q", got)
	}
	if got := titles(".earlier h3 a"); !slices.Equal(got, []string{"Ended"}) {
		t.Errorf("of earlier terms are %q", got)
	}
	if got := titles("h2"); slices.Index(got, "Algorithms") > slices.Index(got, "Earlier terms") {
		t.Errorf("earlier terms come first: %q", got)
	}
	if got := titles(".past summary"); !slices.Equal(got, []string{"1 archived course"}) {
		t.Errorf("archived are %q", got)
	}
	// Tomorrow, the other has ended too.
	c.pass(24 * time.Hour)
	c.ada = c.signedIn("ada@uni.example", "Ada", "Lovelace")
	if got := titles(".earlier h3 a"); !slices.Equal(got, []string{"Ended", "Ends today"}) {
		t.Errorf("a day later, of earlier terms are %q", got)
	}
}

// The last day ends at midnight where the school is, not in Greenwich.
func TestATermEndsInTheTimeOfTheSite(t *testing.T) {
	c := algorithms(t, inRome(t))
	c.pass(c.now.Truncate(24 * time.Hour).Add(47*time.Hour + 30*time.Minute).Sub(c.now)) // in Rome the next day has begun
	c.ada = c.signedIn("ada@uni.example", "Ada", "Lovelace")
	c.admin = c.signedIn("root@uni.example", "Radia", "Root")
	wide, _ := c.day(-300)
	today, _ := c.day(0)
	term := c.term(0, "Year", lms.Day(wide), lms.Day(today))
	if _, err := c.svc.UpdateCourse(t.Context(), c.ada.caller, c.id, service.CoursePatch{TermID: &term}); err != nil {
		t.Fatal(err)
	}
	c.ada.get("/").says(".earlier h3", "Algorithms")
	if c.admin.get("/admin/terms").has(".year .badge") {
		t.Error("the year is still marked as the current one")
	}
}
