package web

import (
	"net/http"
	"strings"

	"matricula/internal/access"
	"matricula/internal/lang"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// coursesOnPage is how many courses a page lists.
const coursesOnPage = 50

// courseForm is what people write about a course, as typed.
type courseForm struct {
	Title, Code, Description string
	TermID                   int64
	Key                      string                 // see formKey
	Years                    []service.AcademicYear // whose terms can be chosen
}

func readCourseForm(f form) courseForm {
	return courseForm{Title: f.text("title"), Code: f.text("code"), Description: f.text("description"), TermID: f.id("term_id"), Key: f.text("key")}
}

type newCourseView struct {
	Shell   shell
	Form    courseForm
	Problem problem
}

func (w *Web) newCourse(rw http.ResponseWriter, r *request) error {
	if err := access.Decide(r.caller, access.CourseCreate, nil); err != nil {
		return err
	}
	return w.showNewCourse(rw, r, http.StatusOK, courseForm{}, problem{})
}

func (w *Web) showNewCourse(rw http.ResponseWriter, r *request, status int, f courseForm, p problem) (err error) {
	if f.Years, err = w.svc.Years(r.Context(), r.caller); err != nil {
		return err
	}
	f.Key = formKey()
	w.render(rw, r, status, newCoursePage(newCourseView{Shell: w.shell(r, r.words.T("New course")), Form: f, Problem: p}))
	return nil
}

func (w *Web) createCourse(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	typed := readCourseForm(f)
	fields := lms.CourseFields{Title: typed.Title, Code: typed.Code, Description: typed.Description, TermID: typed.TermID}
	view, err := w.svc.CreateCourse(r.Context(), r.caller, fields, once("POST /courses", typed.Key, typed.Title, typed.Code, typed.Description, num(typed.TermID)))
	if err == nil {
		return w.done(rw, r, coursePath(view.Course.ID, ""), "course-created")
	}
	p, status, ok := asProblem(r.words, err)
	if !ok {
		return err
	}
	return w.showNewCourse(rw, r, status, typed, sentTwice(r.words, p))
}

// once makes a form that creates something safe to send twice.
func once(route, key string, fields ...string) *service.Once {
	return &service.Once{Route: route, Key: key, Body: []byte(strings.Join(fields, "\x00"))}
}

// sentTwice says in the words of a page what the service says to programs.
func sentTwice(words *lang.Printer, p problem) problem {
	if p.Type == "idempotency-key-reused" || p.Type == "idempotency-key" {
		p.Message = words.T("This form was sent before with something else in it. If you want to make another one, send it again now.")
	}
	return p
}

// courseView is the front page of a course.
type courseView struct {
	Shell  shell
	Role   string
	Term   string              // with its days; empty when none was chosen
	People string              // how many there are, for who may see them
	May    []lms.PrivilegeInfo // what the reader may do
	Owner  bool
	Admin  bool // holds everything as administrator, without a place in the course

	Told     []announcementLine // what the course is told, the most important first
	MoreTold bool
	MayTell  bool

	Look bool // somebody else looks at it: nothing leads anywhere
}

func (w *Web) readCourse(r *request) (service.CourseView, error) {
	id, err := courseID(r)
	if err != nil {
		return service.CourseView{}, err
	}
	return w.svc.Course(r.Context(), r.caller, id)
}

func (w *Web) coursePage(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	view := frontOf(r, v, w.courseShell(r, v, v.Course.Title, "course"))
	view.Admin = r.caller.Admin() && v.Member.Enrollment == nil
	if view.Term, err = w.termOf(r, &v.Course); err != nil {
		return err
	}
	told, err := w.svc.Announcements(r.Context(), r.caller, v.Course.ID, 0, announcementsOnCourse)
	if err != nil {
		return err
	}
	if view.Told, err = w.announcementLines(v, told.Announcements, 3); err != nil {
		return err
	}
	view.MoreTold, view.MayTell = told.Next != 0, may(r, access.AnnouncementCreate, v)
	if may(r, access.RosterView, v) {
		n, err := w.svc.RosterCounts(r.Context(), r.caller, v.Course.ID)
		if err != nil {
			return err
		}
		view.People = peopleInShort(r.words, n.All, n.Pending)
	}
	w.render(rw, r, http.StatusOK, coursePage(view))
	return nil
}

// frontOf is the front page of a course for whoever stands in it as v says.
func frontOf(r *request, v service.CourseView, s shell) courseView {
	view := courseView{Shell: s, Role: r.words.Text(v.Member.RoleName())}
	view.Owner = v.Member.Enrollment != nil && v.Member.Enrollment.Role.Owner()
	for _, info := range lms.Privileges() {
		if v.Holds.Has(info.Privilege) {
			view.May = append(view.May, info)
		}
	}
	return view
}

func peopleInShort(p *lang.Printer, all, pending int64) string {
	return p.N(all, "%d person", "%d people") + " · " + p.N(pending, "%d has not signed in yet", "%d have not signed in yet")
}

// inShort says in a few words what somebody may do in a course.
func inShort(v service.CourseView) lms.Text {
	switch {
	case v.Member.Enrollment != nil && v.Member.Enrollment.Role.Owner():
		return lms.Say("You may do everything")
	case v.Holds == lms.AllPrivileges():
		return lms.Say("You may do everything")
	case v.Holds == 0:
		return lms.Text{}
	}
	return lms.Say("You may: %s", v.Holds.Labels())
}

// placeOf is the reader's role in a course, for the list of courses.
func placeOf(v service.CourseView) lms.Text {
	if v.Member.Enrollment == nil && v.Member.Grant == nil {
		return lms.Say("Not enrolled")
	}
	return v.Member.RoleName()
}
