package story_test

import (
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/apptest"
	"matricula/internal/apptest/app"
	"matricula/internal/fetch"
	"matricula/internal/lms"
	"matricula/internal/mail/mailtest"
	"matricula/internal/service"
)

// look is a screen on which somebody reads the pages.
type look struct {
	name          string
	width, height int
	phone, dark   bool
}

// looks are the screens. The two that are always looked at have between them
// both widths and both color schemes; pictures are taken of all four.
func looks() []look {
	desktop := look{name: "desktop", width: 1280, height: 900}
	phone := look{name: "phone", width: 360, height: 740, phone: true}
	darkDesktop, darkPhone := desktop, phone
	darkDesktop.name, darkDesktop.dark = "desktop-dark", true
	darkPhone.name, darkPhone.dark = "phone-dark", true
	if *screenshots != "" {
		return []look{desktop, darkDesktop, phone, darkPhone}
	}
	return []look{desktop, darkPhone}
}

// Every page of the story, with names and titles as long as people have them,
// fits the screen without scrolling sideways, can be read in both color schemes
// and can be touched.
func TestPagesOnEveryScreen(t *testing.T) {
	t.Parallel()
	c := openCampus(t, "sqlite", app.Design(), app.WithMail(mailtest.Start(t)))
	s := furnish(t, c)
	for _, l := range looks() {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			r := &tour{scene: s, t: t, look: l}
			r.pages()
			r.inItalian()
			r.missing()
		})
	}
}

// scene is a campus with something on every page.
type scene struct {
	*campus
	course, pendingID, activeID, announcement, roleID, section, year, term int64
	lists                                                                  map[string]int64 // by what is to be seen of them
	source, run, merge, question, request,
	webhook, claim, directory int64
}

var (
	longNamed = colleague("maria-magdalena.hohenstein-wolfeschlegelsteinhausenbergerdorff@uni.example", "María Magdalena Aurélie", "von Hohenstein-Wolfeschlegelsteinhausenbergerdorff")
	emmy      = colleague("emmy@uni.example", "Emmy", "Noether")
)

// merges are one that was carried out, one that somebody is asked about, and two
// people who look like one.
func (s *scene) merges(t *testing.T, root access.Caller) {
	t.Helper()
	slips := s.enroll(t, root, s.course, lms.RoleAssistant, colleague("maria-magdalena.hohenstein@slip.example", "", ""), colleague("alice@gmail.com", "", ""), colleague("alice@googlemail.com", "", ""))
	merge := func(keep, gone int64) int64 {
		m, err := s.Service.MergePeople(t.Context(), root, service.MergeRequest{Keep: service.PersonRef{UserID: keep}, Merge: service.PersonRef{UserID: gone}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return m.ID
	}
	s.merge = merge(s.activeID, slips[0])
	s.question = merge(root.UserID, s.activeID)
}

func furnish(t *testing.T, c *campus) *scene {
	t.Helper()
	owner, course := c.course(t)
	c.teacher(t, emmy)
	s := &scene{campus: c, course: course}
	for _, student := range append([]apptest.Person{longNamed}, students[:earlyStudents]...) {
		c.earlier(t, student)
	}
	s.activeID = c.enroll(t, owner, course, lms.RoleStudent, append(students[:18:18], longNamed)...)[0]
	s.pendingID = c.enroll(t, owner, course, lms.RoleAssistant, colleague("assistant.not.yet.here@uni.example", "", ""))[0]
	_, err := c.Service.SetPrivileges(t.Context(), owner, service.PrivilegeChange{
		CourseID: course, Person: service.PersonRef{Email: grace.Email}, Exactly: &[]string{"roster.manage", "audit.view"},
	})
	if err != nil {
		t.Fatal(err)
	}
	role, err := c.Service.CreateRole(t.Context(), owner, course, service.RoleFields{Name: "Lab tutor", Privileges: []string{"roster.view"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.roleID = role.ID
	for _, name := range []string{"Lab A", strings.Repeat("Donaudampfschifffahrts", 2)} {
		sec, err := c.Service.CreateSection(t.Context(), owner, course, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.section = sec.ID
	}
	days := []string{"2026-01-01", "2035-12-31"}
	number := "0012345"
	change := service.DetailsChange{CourseID: course, UserID: s.activeID, SectionID: &s.section, Number: &number, Begins: &days[0], Ends: &days[1]}
	if _, err := c.Service.ChangePlace(t.Context(), owner, change); err != nil {
		t.Fatal(err)
	}
	root := c.administrator(t)
	s.merges(t, root)
	src, err := c.Service.CreateSource(t.Context(), root, service.SourceFields{Name: "Student office " + strings.Repeat("Donaudampfschifffahrts", 2), Kind: "upload", Enabled: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	broken, err := fetch.Upload(strings.NewReader("no archive"), "sis.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer broken.Close()
	failed, err := c.Service.UploadBundle(t.Context(), root, src.ID, broken)
	if err == nil {
		t.Fatal("what is no archive was read")
	}
	s.source, s.run = src.ID, failed.ID
	s.webhook = s.webhooks(t, owner, course)
	s.directory = directoryWithFaults(t, c, root)
	s.lists = map[string]int64{}
	for name, text := range map[string]string{
		"to-look-over": "E-mail\tName\tRole\tSection\tStudent number\tUntil\nemmy@uni.example\tNoether, Emmy\tstudent\tLab C\t00123\t2031-01-31\n" +
			"hedy@gmial.com\tLamarr, Hedy\tstudent\tLab C\t\t\nnot an address\tNobody\t\t\t\t\nx@uni.example\t" + strings.Repeat("Donaudampfschifffahrts", 4) + "\tdean\t\t\t\n" +
			students[0].Email + "\t\tobserver\tLab A\t7\t2030-01-31\n" + ada.Email + "\t\tstudent\t\t\t\n",
		"columns": "Kontakt\tKennung\tGruppe\nemmy@uni.example\t00123\tLab A\n",
		"done":    "E-mail\tSection\ndone.one@uni.example\tLab A\ndone.two@uni.example\tLab A\nnot an address\t\n",
	} {
		i, err := c.Service.CreateImport(t.Context(), owner, service.NewImport{CourseID: course, Name: name + ".csv", Text: text}, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.lists[name] = i.ID
		if i, err = c.Service.AwaitImport(t.Context(), owner, i.ID, time.Minute); err != nil {
			t.Fatal(err)
		}
		if name != "done" {
			continue
		}
		if _, err := c.Service.StartImport(t.Context(), owner, i.ID, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Service.AwaitImport(t.Context(), owner, i.ID, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []lms.AnnouncementFields{
		{Title: "How the exam will go", Body: "Two hours, four questions.", PublishAt: time.Now().AddDate(0, 1, 0)},
		{Title: "Welcome to " + strings.Repeat("Donaudampfschifffahrts", 6), Body: "Averylongwordwithoutspaces" + strings.Repeat("x", 90) + "\n\n> Somebody said\n\n```\nfor i := range 10 { fmt.Println(\"a long line of code that does not fit a telephone\") }\n```\n", Pinned: true},
	} {
		a, err := c.Service.CreateAnnouncement(t.Context(), owner, course, f, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.announcement = a.ID
	}
	s.doubtful(t, owner)
	s.year, s.term = s.calendar(t, owner)
	_, err = c.Service.CreateCourse(t.Context(), owner, lms.CourseFields{
		Title: "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaftskunde", Code: "MATH-1301-WS-2026/2027-A",
		Description: "An introduction, with exercises each Tuesday.", TermID: s.term,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// elsewhere has two people say that they are somebody who is waited for, of whom one
// was told no before.
func (s *scene) elsewhere(t *testing.T, owner access.Caller) {
	t.Helper()
	waits := []apptest.Person{colleague("augusta.ada.maximiliana.waits.for.long@uni.example", "", ""), colleague("owner.not.yet.here@uni.example", "", "")}
	s.enroll(t, owner, s.course, lms.RoleStudent, waits[0])
	s.enroll(t, owner, s.course, lms.RoleOwner, waits[1])
	for i, p := range waits {
		by := s.earlier(t, colleague(fmt.Sprintf("a.private.address.%d@uni.example", i), "Augusta", "von Hohenstein-Wolfeschlegelsteinhausen"))
		q, err := s.Service.AskClaim(t.Context(), by, p.Email)
		if err != nil {
			t.Fatal(err)
		}
		s.claim = q.ID
	}
	for _, email := range []string{"ada.lovelace.of.long.ago@uni.example", "ada@elsewhere.example"} {
		if _, err := s.Service.AskClaim(t.Context(), owner, email); err != nil {
			t.Fatal(err)
		}
	}
}

// doubtful has somebody ask to be erased, and somebody give privileges and leave.
func (s *scene) doubtful(t *testing.T, owner access.Caller) {
	t.Helper()
	q, err := s.Service.AskErasure(t.Context(), owner, "I leave the school in June, and "+strings.Repeat("Donaudampfschifffahrts", 4))
	if err != nil {
		t.Fatal(err)
	}
	s.request = q.ID
	s.elsewhere(t, owner)
	giver := colleague("giver@uni.example", "Gottfried Wilhelm Amadeus", "von Hohenstein-Wolfeschlegelsteinhausen")
	id := s.enroll(t, owner, s.course, lms.RoleAssistant, giver)[0]
	by := s.earlier(t, giver)
	for _, change := range []struct {
		by   access.Caller
		whom service.PersonRef
		may  []string
	}{{owner, service.PersonRef{UserID: id}, []string{"staff.manage", "announcements.manage"}}, {by, service.PersonRef{UserID: s.activeID}, []string{"announcements.manage"}}} {
		if _, err := s.Service.SetPrivileges(t.Context(), change.by, service.PrivilegeChange{CourseID: s.course, Person: change.whom, Allow: change.may}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Service.Remove(t.Context(), by, s.course, []int64{id}); err != nil {
		t.Fatal(err)
	}
}

// calendar makes two academic years, and puts the course into a term of the
// first and another into one that is over.
func (s *scene) calendar(t *testing.T, owner access.Caller) (year, term int64) {
	t.Helper()
	root := s.administrator(t)
	period := func(year int64, name string, from, to int) int64 {
		day := func(in int) lms.Day { return lms.DayOf(time.Now().AddDate(0, 0, in)) }
		p, err := s.Service.CreateTerm(t.Context(), root, year, lms.PeriodFields{Name: name, Begins: day(from), Ends: day(to)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return p.ID
	}
	year = period(0, "Akademisches Jahr mit einem Namen, der etwas länger ist", -200, 200)
	over := period(year, "First term", -200, -50)
	term = period(year, "Zweites Semester mit Nachholterminen und Blockseminaren", -20, 120)
	period(0, "The year after", 201, 500)
	for title, id := range map[string]int64{"Numerical methods": over, "Thesis seminar": year} {
		if _, err := s.Service.CreateCourse(t.Context(), owner, lms.CourseFields{Title: title, TermID: id}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Service.UpdateCourse(t.Context(), owner, s.course, service.CoursePatch{TermID: &term}); err != nil {
		t.Fatal(err)
	}
	s.liftLimits(t, root)
	return year, term
}

// liftLimits sets a limit and lifts one of each kind.
func (s *scene) liftLimits(t *testing.T, root access.Caller) {
	t.Helper()
	if _, err := s.Service.SetLimit(t.Context(), root, lms.LimitNamingCourse, 2500); err != nil {
		t.Fatal(err)
	}
	for _, n := range []service.NewLift{
		{Limit: lms.LimitNamingPerson, Person: service.PersonRef{UserID: root.UserID}, Reason: "Open day: visitors are named on the spot, by those who show them round"},
		{Limit: lms.LimitNamingCourse, CourseID: s.course},
		{Limit: lms.LimitNamingDomain, Domain: "students.a-partner-university-with-a-long-name.example"},
	} {
		n.Until = time.Now().AddDate(0, 0, 14)
		if _, err := s.Service.Lift(t.Context(), root, n, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// tour is one walk through the pages on one screen.
type tour struct {
	*scene
	t    *testing.T
	look look
	n    int
	v    *visitor
	seen []string // the paths of the pages that were looked at
}

// enter begins with a new browser of this screen.
func (r *tour) enter(who apptest.Person) {
	r.t.Helper()
	var opts []apptest.BrowserOption
	if r.look.dark {
		opts = append(opts, (*apptest.Page).Dark)
	}
	opts = append(opts, func(p *apptest.Page) { p.Emulate(r.look.width, r.look.height, r.look.phone) })
	r.v = &visitor{Page: apptest.Browser(r.t, opts...), t: r.t, campus: r.campus, who: who}
	r.v.Open(r.URL + "/")
}

// signIn signs in while no other tour does: the provider knows one person at a
// time.
func (r *tour) signIn() {
	r.t.Helper()
	r.turn.Lock()
	defer r.turn.Unlock()
	r.v.signIn()
	r.v.WaitGone(signInButton)
	r.v.WaitVisible("main h1")
}

func (r *tour) pages() {
	r.enter(ada)
	r.check("sign-in")
	r.signIn()
	r.check("my-courses")
	r.open("/courses/new", "new-course")
	course := fmt.Sprintf("/courses/%d", r.course)
	r.open(course, "course-of-its-owner")
	r.open(course+"/people", "people")
	r.v.Fill(searchField, "nobody of this name")
	r.v.sees("#people", "Nobody in this course matches")
	r.check("people-nobody-found")
	r.open(course+"/people", "people-again")
	r.v.Click("td.pick input")
	r.v.Click("tr:not([data-picked]) td.pick input")
	r.v.WaitVisible("#many")
	apptest.Eval[any](r.v.Page, `scrollTo(0, document.documentElement.scrollHeight)`)
	r.check("people-two-selected")
	r.v.Type(addressField, "new.colleague@uni.example")
	r.v.WaitVisible("#found-list")
	r.check("people-offered-while-typing")
	r.open(course+"/people", "people-once-more")
	r.v.askFor("new.colleague@uni.example")
	r.check("people-switches-for-an-unknown-address")
	r.v.Fill(addressField, "Hedy Lamarr <hedy@uni.example>")
	r.v.Click(addressButton)
	r.v.sees("main", "This cannot be used as it is")
	r.check("people-slip-in-an-address")
	r.open(fmt.Sprintf("%s/people/%d", course, r.pendingID), "person-not-here-yet")
	r.open(fmt.Sprintf("%s/people/%d/address", course, r.pendingID), "person-address")
	r.open(fmt.Sprintf("%s/people/%d", course, r.activeID), "person-student")
	r.open(fmt.Sprintf("%s/people/%d/remove", course, r.activeID), "person-remove")
	r.open(course+"/people/left", "people-who-have-left")
	r.open(course+"/people/review", "people-grants-to-review")
	r.open(course+"/people/requests", "people-requests-from-other-accounts")
	r.v.ClickText("main summary", "It is not they")
	r.check("people-requests-refusing")
	r.open(course+"/sections", "sections")
	r.open(fmt.Sprintf("%s/sections/%d", course, r.section), "section")
	r.open(fmt.Sprintf("%s/sections/%d/delete", course, r.section), "section-delete")
	r.open(fmt.Sprintf("%s/people/%d/place", course, r.activeID), "person-section-and-dates")
	r.open(course+"/imports", "class-lists")
	for _, name := range []string{"to-look-over", "columns", "done"} {
		r.open(fmt.Sprintf("%s/imports/%d", course, r.lists[name]), "class-list-"+name)
	}
	for _, show := range []string{"ask", "conflict", "add"} {
		r.open(fmt.Sprintf("%s/imports/%d?show=%s", course, r.lists["to-look-over"], show), "class-list-"+show)
	}
	r.open(course+"/people/add", "paste-a-list")
	r.v.Fill("#emails", fmt.Sprintf("%s\nnew.%s@uni.example\n%s\n%s", students[3].Email, r.look.name, slip, longNamed.Email))
	r.v.ClickText("main button", "Check the list")
	r.v.sees("main", "Nothing is saved yet")
	r.check("paste-a-list-check")
	r.v.ClickText("#check button", "Add ")
	r.v.sees(".results", "What became of your list")
	r.check("paste-a-list-results")
	r.open(course+"/roles", "roles")
	r.open(course+"/audit", "audit")
	r.v.Open(r.URL + course + "/audit")
	r.v.Type("#who", "student")
	r.v.ClickText("form.filter button", "Filter")
	r.v.sees("main", "Whom do you mean?")
	r.check("audit-whom-do-you-mean")
	r.open(course+"/audit?outcome=refused&from=2001-01-01&to=2001-01-02", "audit-nothing-matches")
	r.open(course+"/arrivals", "arrivals")
	r.v.ClickText("details.tell summary", "Tell them by mail")
	r.v.ClickText("main button", "Send the mail to")
	r.v.WaitVisible("main .flash[role=status]")
	r.check("arrivals-told")
	r.open(course+"/announcements", "announcements")
	r.open(course+"/announcements/new", "announcement-new")
	r.v.Type("#title", "Labs")
	r.v.Type("#body", "They begin on **Monday**.\n\n- bring a pencil\n- and [the notes](https://uni.example/notes)")
	r.v.ClickText("form.stack button", "Preview")
	r.v.WaitVisible("#preview strong")
	r.check("announcement-preview")
	one := fmt.Sprintf("%s/announcements/%d", course, r.announcement)
	r.open(one, "announcement")
	r.open(one+"/edit", "announcement-edit")
	r.open(one+"/delete", "announcement-delete")
	r.open(course+"/settings", "settings")
	r.webhookPages(course)
	r.open(course+"/hand-over", "hand-over")
	r.open(course+"/copy", "copy")
	for _, id := range []int64{r.pendingID, r.activeID} {
		r.v.Open(r.URL + fmt.Sprintf("%s/people/%d", course, id))
		r.v.ClickText("main button", "See the course as they see it")
		r.v.sees(".looking", "would see it")
		r.check(fmt.Sprintf("look-as-%d", id))
	}
	r.v.Open(r.URL + fmt.Sprintf("%s/people/%d", course, r.pendingID))
	r.v.ClickText("main button", "See the course as they see it")
	r.v.ClickText(".looked-at button", "People")
	r.v.sees(".looked-at table", "Ada")
	r.check("look-people")
	r.open("/account", "account")
	r.v.ClickText("summary", "Ask the teachers for it")
	r.check("account-asking-for-what-waits")
	r.v.ClickText("summary", "Add an address")
	r.v.Type("#new-address", "ada."+r.look.name+"@home.example")
	r.v.ClickText("main button", "Send the code")
	r.v.sees("main h1", "Type the code")
	r.check("prove-an-address")
	r.open("/not-me", "not-for-me")
	r.open("/design", "design")
	r.v.Click("[data-dialog]")
	r.v.WaitVisible("dialog[open]")
	r.check("design-dialog")
	r.open(fmt.Sprintf("%s/roles/%d", course, r.roleID), "role")
	r.open(course+"/settings/delete", "course-delete-while-in-use")
	r.open("/no-such-page", "not-found")

	r.enter(admin)
	r.signIn()
	r.open("/admin/people", "site-people")
	r.open(fmt.Sprintf("/admin/people/%d", r.pendingID), "site-person")
	r.open("/admin/duplicates", "site-duplicates")
	r.open("/merges/new", "site-merge")
	r.open(fmt.Sprintf("/merges/new?keep=%d&merge=%d", r.activeID, r.pendingID), "site-merge-preview")
	r.open("/merges", "site-merges")
	r.open(fmt.Sprintf("/merges/%d", r.merge), "site-merge-done")
	r.open(fmt.Sprintf("/merges/%d", r.question), "site-merge-asked")
	r.open(fmt.Sprintf("/admin/people/%d/erase", r.pendingID), "site-person-erase")
	r.open("/admin/erasures", "site-requests-to-be-erased")
	r.open("/admin/claims", "site-requests-from-other-accounts")
	r.open("/admin/arrivals", "site-arrivals")
	r.open("/admin/courses", "site-courses")
	r.open(fmt.Sprintf("/admin/courses?term=%d", r.year), "site-courses-of-a-year")
	r.open("/admin/sources", "site-sources")
	r.open(fmt.Sprintf("/admin/sources/%d", r.source), "site-source")
	r.open(fmt.Sprintf("/admin/runs/%d", r.run), "site-source-run")
	r.open("/admin/webhooks", "site-webhooks")
	r.open("/admin/directories", "site-directories")
	r.open(fmt.Sprintf("/admin/directories/%d", r.directory), "site-directory")
	r.v.ClickText("main button", "Make a new token")
	r.v.sees("main", "it is shown only this once")
	r.check("site-directory-with-a-new-token")
	r.open("/admin/terms", "site-terms")
	r.v.ClickText(".year summary", "Add a term")
	r.check("site-terms-adding-one")
	r.open(fmt.Sprintf("/admin/terms/%d", r.term), "site-term-with-courses")
	r.open(fmt.Sprintf("/admin/terms/%d", r.year), "site-academic-year")
	r.open("/admin/limits", "site-limits")
	r.open("/admin/audit", "site-audit")
	r.open("/", "home-of-an-administrator")
	r.open("/admin/courses?show=orphaned", "site-courses-without-an-owner")
	r.open("/admin/courses?show=review", "site-courses-with-grants-to-review")
	r.open("/admin/mail", "site-mail")
	r.open("/admin/settings", "site-settings")
	r.v.ClickText("main button", "Ask whether they answer")
	r.v.sees("main", "answers")
	r.check("site-settings-asked")

	r.enter(grace)
	r.signIn()
	r.check("my-courses-of-grace")
	r.v.ClickText(courseLinks, "Algorithms")
	r.v.sees("h1", "Algorithms")
	r.check("course-of-grace")
	r.open(course+"/people", "people-without-switches")
	r.v.askFor("new.colleague@uni.example")
	r.check("people-unknown-address-without-switches")
	r.open(fmt.Sprintf("%s/people/%d", course, r.v.caller().UserID), "person-oneself")

	r.enter(longNamed)
	r.signIn()
	r.check("my-courses-of-a-student")
	r.v.ClickText(courseLinks, "Algorithms")
	r.v.sees("h1", "Algorithms")
	r.check("course-of-a-student")

	r.enter(emmy)
	r.signIn()
	r.check("my-courses-none")

	r.enter(apptest.GooglePerson("stranger@gmail.com", ""))
	r.signIn()
	r.check("refused")
}

// inItalian looks at the main pages in the other language, whose words are
// longer.
func (r *tour) inItalian() {
	r.enter(ada)
	r.v.ClickText("footer button", "Italiano")
	r.v.sees("h1", "Accedi")
	r.check("it-sign-in")
	r.turn.Lock()
	r.Issuer.SignInAs(ada)
	r.v.ClickText("main button", "Google")
	r.v.WaitText("h1", "I miei corsi")
	r.turn.Unlock()
	r.check("it-my-courses")
	course := fmt.Sprintf("/courses/%d", r.course)
	for _, p := range [][2]string{
		{"", "course"},
		{"/people", "people"},
		{"/people/requests", "people-requests"},
		{"/arrivals", "arrivals"},
		{fmt.Sprintf("/imports/%d", r.lists["to-look-over"]), "class-list"},
		{"/announcements", "announcements"},
		{"/announcements/new", "announcement-new"},
		{"/roles", "roles"},
		{"/audit", "audit"},
		{"/settings", "settings"},
		{fmt.Sprintf("/people/%d", r.pendingID), "person"},
	} {
		r.open(course+p[0], "it-"+p[1])
	}
	r.open("/account", "it-account")
}

// missing fails for each page of the program that the tour has not looked at.
// What only leads elsewhere is no page.
func (r *tour) missing() {
	r.t.Helper()
	for _, route := range r.Server.Routes() {
		method, pattern, _ := strings.Cut(route, " ")
		if method != http.MethodGet || regexp.MustCompile(`^/(courses/.*/events$|api|static|auth|scim|favicon|healthz|readyz|metrics|\.well-known)`).MatchString(pattern) {
			continue
		}
		path := regexp.MustCompile("^" + regexp.MustCompile(`\\\{[^}]*\\\}`).ReplaceAllString(regexp.QuoteMeta(strings.TrimSuffix(pattern, "{$}")), "[^/]+") + "$")
		if slices.ContainsFunc(r.seen, path.MatchString) {
			continue
		}
		fill := strings.NewReplacer("{course_id}", fmt.Sprint(r.course), "{user_id}", fmt.Sprint(r.pendingID), "{role_id}", fmt.Sprint(r.roleID), "{announcement_id}", fmt.Sprint(r.announcement), "{section_id}", fmt.Sprint(r.section), "{source_id}", fmt.Sprint(r.source), "{run_id}", fmt.Sprint(r.run), "{import_id}", fmt.Sprint(r.lists["done"]), "{term_id}", fmt.Sprint(r.term), "{request_id}", fmt.Sprint(r.request), "{webhook_id}", fmt.Sprint(r.webhook), "{claim_id}", fmt.Sprint(r.claim))
		// Of the administrators' pages, those show again what stands above them, or lead there.
		if slices.Contains([]string{"/admin/people/search", "/admin/people/find", "/admin/audit/search", "/admin/limits/lift", "/admin/limits/end", "/admin/terms/{term_id}/delete", "/admin/sources/{source_id}/runs", "/admin/erasures/{request_id}/refuse", "/admin/claims/{claim_id}/refuse", "/admin/directories/{directory_id}/token"}, pattern) {
			continue
		}
		asked := fill.Replace(pattern)
		if r.v.Open(r.URL + asked); !strings.HasSuffix(r.v.URL(), asked) {
			continue
		}
		r.t.Errorf("nobody has looked at %s", pattern)
	}
}

func (r *tour) open(path, name string) {
	r.t.Helper()
	r.v.Open(r.URL + path)
	r.check(name)
}

// faultsOnScreen are what is wrong with a page on a screen of this width: what
// reaches beyond it, or has to be scrolled sideways by itself, what is written in a color too near to its background
// (WCAG 2.2, 1.4.3: 4.5 to 1, or 3 to 1 for large text), and what is too small
// to be touched (2.5.8: 24 pixels). What is switched off or meant for screen
// readers alone is exempt.
const faultsOnScreen = `((width) => {
	const faults = [];
	const name = (el) => el.tagName.toLowerCase() + (el.className ? "." + String(el.className).split(" ").join(".") : "") +
		" " + JSON.stringify((el.innerText || el.value || "").trim().slice(0, 40));
	if (innerWidth !== width) faults.push("the page is laid out " + innerWidth + " pixels wide on a screen of " + width);
	const beyond = document.documentElement.scrollWidth;
	const within = (el) => { for (let e = el.parentElement; e; e = e.parentElement) if (getComputedStyle(e).overflowX !== "visible") return true; return false; };
	if (beyond > width) {
		const who = [...document.querySelectorAll("main *, header *")].filter((el) => el.getBoundingClientRect().right > width + 1 && !within(el));
		faults.push("the page scrolls sideways, " + beyond + " pixels on " + width + ": " + who.slice(-3).map(name).join("; "));
	}
	for (const el of document.querySelectorAll("main *")) {
		if (["auto", "scroll"].includes(getComputedStyle(el).overflowX) && !el.matches("input, textarea") && el.scrollWidth > el.clientWidth + 1)
			faults.push("has to be scrolled sideways, " + el.scrollWidth + " pixels on " + el.clientWidth + ": " + name(el));
	}
	const pen = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
	const seen = new Map();
	const rgba = (color) => {
		if (!seen.has(color)) {
			pen.clearRect(0, 0, 1, 1); pen.fillStyle = color; pen.fillRect(0, 0, 1, 1);
			seen.set(color, [...pen.getImageData(0, 0, 1, 1).data]);
		}
		return seen.get(color);
	};
	const ground = (el) => {
		for (let e = el; e; e = e.parentElement) {
			const c = rgba(getComputedStyle(e).backgroundColor);
			if (c[3] === 255) return c;
			if (c[3] > 0) return null;
		}
		return [255, 255, 255, 255];
	};
	const light = ([r, g, b]) => {
		const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
		return 0.2126 * x + 0.7152 * y + 0.0722 * z;
	};
	const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	let texts = 0;
	for (let node; (node = walker.nextNode());) {
		const el = node.parentElement, style = getComputedStyle(el), box = el.getBoundingClientRect();
		if (!node.data.trim() || !el.checkVisibility({visibilityProperty: true}) || box.width <= 1 || el.closest(".vh, .skip, :disabled")) continue;
		const back = ground(el);
		if (!back) continue;
		texts++;
		const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
		const got = ratio(rgba(style.color), back);
		if (got < (large ? 3 : 4.5)) faults.push("too faint, " + got.toFixed(2) + " to 1: " + name(el));
	}
	if (texts < 3) faults.push("there is hardly any text to be looked at");
	for (const el of document.querySelectorAll("main button, main .button, main select, main textarea, main input:not([type=hidden]), nav a, header a, header button")) {
		if (!el.checkVisibility() || el.disabled) continue;
		const target = (el.matches("[type=checkbox], [type=radio]") && el.closest("label")) || el;
		const box = target.getBoundingClientRect();
		if (box.width <= 1 && box.height <= 1) continue;
		if (Math.min(box.width, box.height) < 24) faults.push("too small to touch, " + Math.round(box.width) + " by " + Math.round(box.height) + ": " + name(target));
	}
	return [...new Set(faults)];
})`

// The faults of a page are seen, each by its name.
func TestFaultsOnAScreenAreSeen(t *testing.T) {
	t.Parallel()
	v := openCampus(t, "sqlite").visit(t, ada, func(p *apptest.Page) { p.Emulate(360, 740, true) })
	faults := func() string {
		return strings.Join(apptest.Eval[[]string](v.Page, faultsOnScreen+"(360)"), "\n")
	}
	if got := faults(); got != "" {
		t.Fatalf("the sign-in page has the faults %s", got)
	}
	for script, want := range map[string]string{
		`document.querySelector("h1").style.width = "500px"`:                                                                         "scrolls sideways",
		`document.querySelector("h1").style.color = "#ccc"`:                                                                          "too faint",
		`Object.assign(document.querySelector("main button").style, {width: "20px", minHeight: "20px", height: "20px", padding: 0})`: "too small to touch",
		`Object.assign(document.querySelector("main form").style, {width: "20px", overflowX: "auto"})`:                               "has to be scrolled sideways",
	} {
		v.Reload()
		apptest.Eval[any](v.Page, script)
		if got := faults(); !strings.Contains(got, want) {
			t.Errorf("after %s the faults are %q, want one that says %q", script, got, want)
		}
	}
}

// check looks at the page and takes its picture.
func (r *tour) check(name string) {
	r.t.Helper()
	r.n++
	if at, err := url.Parse(r.v.URL()); err == nil {
		r.seen = append(r.seen, at.Path)
	}
	for _, fault := range apptest.Eval[[]string](r.v.Page, fmt.Sprintf("%s(%d)", faultsOnScreen, r.look.width)) {
		r.t.Errorf("%s: %s", name, fault)
	}
	r.v.Accessible()
	dark := apptest.Eval[bool](r.v.Page, `(() => {
		const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
		return r + g + b < 3 * 64;
	})()`)
	if dark != r.look.dark {
		r.t.Errorf("%s: the page is dark: %v, want %v", name, dark, r.look.dark)
	}
	if *screenshots != "" {
		r.v.Screenshot(filepath.Join(*screenshots, r.look.name, fmt.Sprintf("%02d-%s.png", r.n, name)))
	}
}
