package story_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"matricula/internal/apptest"
	"matricula/internal/apptest/app"
	"matricula/internal/lms"
)

// The main job as people do it, in Chromium, through the real OpenID flow.
func TestStoryInABrowser(t *testing.T) {
	t.Parallel()
	app.EachEngine(t, func(t *testing.T, engine string) { tellStory(t, engine, false) })
}

// The same story for people whose browser runs no scripts: nothing may need one.
func TestStoryInABrowserWithoutScripts(t *testing.T) {
	t.Parallel()
	app.EachEngine(t, func(t *testing.T, engine string) { tellStory(t, engine, true) })
}

// tellStory tells the story; plain is with browsers that run no scripts.
func tellStory(t *testing.T, engine string, plain bool) {
	t.Parallel()
	s := &tale{campus: openCampus(t, engine), plain: plain}
	if plain {
		s.browser = append(s.browser, (*apptest.Page).NoJavaScript)
	}
	for _, student := range students[:earlyStudents] {
		s.earlier(t, student)
	}
	for _, chapter := range []struct {
		name string
		tell func(*testing.T)
	}{
		{"an administrator makes Ada a teacher before she ever came", s.nameAda},
		{"Ada signs in with Google and creates Algorithms", s.createCourse},
		{"she does not find Grace, types her address and sees the same switches", s.findGrace},
		{"she sets two of them and saves, and Grace is seen not to have signed in yet", s.setGrace},
		{"she pastes the thirty addresses of her class and one slip", s.pasteClass},
		{"the next morning Grace finds Algorithms with precisely these privileges", s.graceArrives},
		{"Grace reads the audit", s.graceReadsAudit},
		{"Grace adds a student and can give nothing that she may not give", s.graceAdds},
		{"a student who was never here finds the course, and nobody else's data", s.studentArrives},
		{"nothing was left in a log, an address or a console", func(t *testing.T) { s.checkTraces(t) }},
		{"what the pages do not offer cannot be reached by address either", s.studentTries},
	} {
		// A page belongs to the test that opened it, so chapters are told by one
		// test; t.Log names where it stood.
		t.Log(chapter.name)
		chapter.tell(t)
	}
}

const earlyStudents = 12

var (
	admin = colleague("admin@uni.example", "Alan", "Admin")
	ada   = colleague("ada@uni.example", "Ada", "Lovelace")
	grace = colleague("grace@uni.example", "Grace", "Hopper")
	// students are Ada's thirty students. The first twelve have accounts.
	students = func() (people []apptest.Person) {
		for n := range 30 {
			people = append(people, colleague(fmt.Sprintf("student%02d@uni.example", n+1), "Student", fmt.Sprintf("Number%02d", n+1)))
		}
		return people
	}()
)

// slip is the one wrong row of the list that Ada pastes.
const slip = "student31@uni..example"

// tale is the story with what it has come to know.
type tale struct {
	*campus
	plain   bool
	browser []apptest.BrowserOption

	ada, grace, student *visitor
	course              int64
	graceID             int64
}

func (s *tale) nameAda(t *testing.T) {
	s.administrator(t)
	v := s.arrive(t, admin, s.browser...)
	v.ClickText("header.site nav a", "People")
	v.Fill(`form[action="/admin/people"] [name=email]`, "Ada@Uni.Example")
	v.Select(`form[action="/admin/people"] [name=site_role]`, "teacher")
	v.ClickText(`form[action="/admin/people"] button`, "Name this person")
	v.sees("main", "Named.")
	v.sees("main", "Has not signed in yet")
}

func (s *tale) createCourse(t *testing.T) {
	s.ada = s.arrive(t, ada, s.browser...)
	s.ada.sees("main", "You have no course yet")
	s.ada.ClickText("main a", "New course")
	s.ada.Fill("#title", "Algorithms")
	s.ada.Fill("#code", "CS-201")
	s.ada.ClickText("main button", "Create the course")
	s.ada.sees("[role=status]", "Your course is ready")
	s.course = s.ada.id("courses")
	s.ada.Click("a.brand")
	s.ada.sees("h1", "My courses")
	same(t, "Ada's courses", s.ada.texts(courseLinks), "Algorithms")
}

func (s *tale) findGrace(t *testing.T) {
	v := s.ada
	v.ClickText(courseLinks, "Algorithms")
	v.ClickText(courseMenu+" a", "People")
	v.sees("h1", "People")
	if enhanced := v.Count("html.live") == 1; enhanced == s.plain {
		t.Errorf("the page's scripts run: %v, want %v", enhanced, !s.plain)
	}
	v.Fill(searchField, "grace")
	if s.plain {
		v.ClickText(".search button", "Search")
	}
	v.sees("#people", "Nobody in this course matches “grace”")
	if n := v.Count("#people tbody tr"); n != 0 {
		t.Errorf("the search for somebody unknown lists %d people", n)
	}
	v.sees(".find", "Can't find the person you're looking for?")

	// First somebody who has an account, so that "the same switches" is said
	// of something.
	v.askFor(students[0].Email)
	v.sees(".find, main", "is not in this course yet")
	known, offered := v.texts(".panel-form .switch-row label"), v.values(panelSwitch)
	if len(known) != len(lms.Privileges()) || len(offered) != len(known) {
		t.Errorf("somebody who is known has the switches %q with %q, want one for each of %d privileges", known, offered, len(lms.Privileges()))
	}
	v.Open(fmt.Sprintf("%s/courses/%d/people", s.URL, s.course))
	v.askFor(grace.Email)
	v.sees(".find, main", "has not signed in yet")
	same(t, "the switches for Grace", v.texts(".panel-form .switch-row label"), known...)
	same(t, "what they stand for", v.values(panelSwitch), offered...)
	same(t, "switched on before Ada did it", v.values(panelSwitch+":checked"))
	if n := v.Count(panelSwitch + ":disabled"); n != 0 {
		t.Errorf("%d switches are locked for the owner of the course", n)
	}
}

// askFor types an address into "Can't find the person?" and waits for the
// switches.
func (v *visitor) askFor(address string) {
	v.t.Helper()
	v.Fill(addressField, address)
	v.Click(addressButton)
	v.WaitVisible(panelForm)
}

func (s *tale) setGrace(t *testing.T) {
	v := s.ada
	v.Click(rosterManageOn)
	v.Click(auditViewOn)
	v.Click(panelSave)
	v.sees("[role=status]", "Everything is waiting for their first sign-in")
	v.sees(pendingBadge, "Has not signed in yet")
	s.graceID = v.id("people")
	s.checkGrace(t)

	v.ClickText(courseMenu+" a", "People")
	row := fmt.Sprintf("#p%d", s.graceID)
	v.sees(row, "grace@uni.example", "Has not signed in yet")
	same(t, "switched on in Grace's row", v.values(row+" input[role=switch]:checked"), "roster.view", "roster.manage", "audit.view")
	v.sees(".search fieldset", "Not here yet 1")
}

// checkGrace asks the program itself, in Ada's name, what Grace may do.
func (s *tale) checkGrace(t *testing.T) {
	t.Helper()
	s.mayDo(t, s.ada.caller(), s.course, s.graceID, lms.RosterManage, lms.RosterView, lms.AuditView)
}

// pasted is the class as Ada has it: from three sources, in mixed case, known
// and unknown in between, with a slip in the middle.
func pasted() string {
	var rows []string
	for n := range students {
		address := students[(n*7)%len(students)].Email // each once, in no order
		switch n % 3 {
		case 1:
			address = strings.ToUpper(address)
		case 2:
			address = strings.ToUpper(address[:1]) + address[1:]
		}
		rows = append(rows, address)
	}
	rows = slices.Insert(rows, 15, slip)
	return strings.Join(rows[:10], "\n") + "\n" + strings.Join(rows[10:20], ", ") + ";\r\n" + strings.Join(rows[20:], "\t")
}

func (s *tale) pasteClass(t *testing.T) {
	v := s.ada
	// One paste into the same box, and one confirmation.
	if s.plain { // a field of one line is no place for rows
		v.ClickText("main a", "Paste a long list")
		v.Fill("#emails", pasted())
		v.ClickText("main button", "Check the list")
	} else {
		apptest.Eval[any](v.Page, fmt.Sprintf(`(() => {
			const clip = new DataTransfer();
			clip.setData("text/plain", %q);
			document.querySelector(%q).dispatchEvent(new ClipboardEvent("paste", {clipboardData: clip, bubbles: true, cancelable: true}));
		})()`, pasted(), addressField))
		v.Click(addressButton)
	}
	v.sees(".lead", "30 people are ready to be added. 1 row needs a look first. Nothing is saved yet.")
	v.ClickText("main button", "Add 30 people")
	v.sees(".results", "What became of your list")
	same(t, "the counts", v.texts(".counts li"), "18 Added; not signed in yet", "12 Added")

	rows := v.texts("main tbody tr")
	if len(rows) != len(students) {
		t.Fatalf("%d rows have a result, want one for each of %d: %q", len(rows), len(students), rows)
	}
	result := map[string]string{}
	for _, row := range rows {
		address, became, ok := strings.Cut(row, " ")
		if !ok {
			t.Fatalf("a row says only %q", row)
		}
		result[address] = became
	}
	for n, student := range students {
		want := "Added"
		if n >= earlyStudents {
			want = "Added; not signed in yet"
		}
		if got := result[student.Email]; got != want {
			t.Errorf("%s: %q, want %q", student.Email, got, want)
		}
	}
	v.sees(".asked", "full stop")
	same(t, "to be corrected", v.values(".asked input[name=row]"), slip)

	v.ClickText(courseMenu+" a", "People")
	v.sees(".search fieldset", "Everyone 32", "Students 30", "Not here yet 19")
	// One slip spoiled no good row, and case made no twins.
	if n := v.Count("#people tbody tr"); n != 32 {
		t.Errorf("the table has %d people, want Ada, Grace and thirty students", n)
	}
}

func (s *tale) graceArrives(t *testing.T) {
	s.grace = s.arrive(t, grace, s.browser...)
	v := s.grace
	same(t, "Grace's courses", v.texts(courseLinks), "Algorithms")
	v.sees(".courses li", "See the roster", "Manage the roster", "See the audit")
	v.ClickText(courseLinks, "Algorithms")
	v.sees("h1", "Algorithms")
	var labels []string
	for _, text := range v.texts("ul.may strong") {
		labels = append(labels, strings.TrimSuffix(text, "."))
	}
	same(t, "what Grace may do by her course page", labels, "See the roster", "Manage the roster", "See the audit")
	same(t, "Grace's menu", v.texts(courseMenu+" a"), "Overview", "Announcements", "People", "Roles", "Audit")

	s.checkGrace(t)
	me := v.caller()
	if me.UserID != s.graceID {
		t.Errorf("Grace signed in as user %d, and Ada named user %d", me.UserID, s.graceID)
	}
	s.mayDo(t, me, s.course, me.UserID, lms.RosterManage, lms.RosterView, lms.AuditView)

	// What Ada sees of her now.
	s.ada.Open(fmt.Sprintf("%s/courses/%d/people/%d", s.URL, s.course, s.graceID))
	s.ada.sees("h1", "Grace Hopper")
	if n := s.ada.Count("main " + pendingBadge); n != 0 {
		t.Error("Ada's page still says that Grace has not signed in")
	}
	s.ada.sees("main", "Named by Ada Lovelace")
	same(t, "switched on for Grace", s.ada.values(panelSwitch+":checked"), "roster.view", "roster.manage", "audit.view")
}

func (s *tale) graceReadsAudit(t *testing.T) {
	v := s.grace
	v.ClickText(courseMenu+" a", "Audit")
	v.sees(".audit", "Ada Lovelace set what may be done by Grace Hopper")
	v.sees(".audit", "Ada Lovelace added Student Number01")
	v.sees(".audit", "Ada Lovelace added student30@uni.example")
}

func (s *tale) graceAdds(t *testing.T) {
	v := s.grace
	v.ClickText(courseMenu+" a", "People")
	v.sees("h1", "People")
	if n := v.Count("#people tbody tr"); n != 32 {
		t.Errorf("Grace sees %d people, want 32", n)
	}
	if n := v.Count("input[role=switch]"); n != 0 {
		t.Errorf("Grace has %d switches on the page, want none: she may not manage staff", n)
	}
	v.askFor("late.comer@uni.example")
	if n := v.Count(panelSwitch); n != 0 {
		t.Errorf("Grace has %d switches for a new student, want none", n)
	}
	if got := slices.DeleteFunc(v.values("#role option"), func(key string) bool { return key == "" }); !slices.Equal(got, []string{"student"}) {
		t.Errorf("Grace can give the roles %q, want only student", got)
	}
	v.Select("#role", "student")
	v.Click(panelSave)
	v.sees("[role=status]", "Everything is waiting for their first sign-in")
	s.mayDo(t, s.ada.caller(), s.course, v.id("people"))
	v.ClickText(courseMenu+" a", "People")
	v.sees(".search fieldset", "Everyone 33", "Students 31")

	v.ClickText("#people a", "Ada Lovelace")
	v.sees("h1", "Ada Lovelace")
	if n := v.Count("main form"); n != 0 {
		t.Errorf("Grace can send %d forms about the owner of the course, want none", n)
	}
}

func (s *tale) studentArrives(t *testing.T) {
	newcomer := students[20]
	s.student = s.arrive(t, newcomer, s.browser...)
	v := s.student
	same(t, "the student's courses", v.texts(courseLinks), "Algorithms")
	v.ClickText(courseLinks, "Algorithms")
	v.sees("main", "You are here as: Student")
	if n := v.Count(fmt.Sprintf(`a[href^="/courses/%d/people"]:not([href$="/%d"])`, s.course, v.caller().UserID)); n != 0 {
		t.Errorf("the student has %d links to the people of the course", n)
	}
	same(t, "the student's menu", v.texts(courseMenu+" a"), "Overview", "Announcements")
	s.mayDo(t, v.caller(), s.course, v.caller().UserID)
	for _, other := range []string{"grace@uni.example", "student01@uni.example", "ada@uni.example"} {
		if text := v.Text("body"); strings.Contains(text, other) {
			t.Errorf("the student reads the address %s", other)
		}
	}
}

func (s *tale) studentTries(t *testing.T) {
	v := s.student
	for _, rest := range []string{"/people", "/people/add", "/audit", "/settings", "/roles", fmt.Sprintf("/people/%d", s.graceID)} {
		v.Open(fmt.Sprintf("%s/courses/%d%s", s.URL, s.course, rest))
		if text := v.Text("main"); !strings.Contains(text, "may not") && !strings.Contains(text, "Not found") {
			t.Errorf("%s shows the student %q", rest, text)
		}
		if text := v.Text("body"); strings.Contains(text, "grace@") || strings.Contains(text, "Number01") {
			t.Errorf("%s tells the student of others: %q", rest, text)
		}
	}
}
