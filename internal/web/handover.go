package web

import (
	"net/http"
	"strconv"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

var handOverRoutes = []route{
	{"GET /courses/{course_id}/hand-over", false, (*Web).handOverPage},
	{"POST /courses/{course_id}/hand-over", false, (*Web).handOver},
	{"GET /courses/{course_id}/copy", false, (*Web).copyPage},
	{"POST /courses/{course_id}/copy", false, (*Web).copyCourse},
}

// handOverView is the page on which an owner names another one.
type handOverView struct {
	Shell   shell
	Form    handOverForm
	Placed  bool // the reader has a place in the course, from which to step back
	Problem problem
	Outside bool // the address is outside the school, which has to be confirmed
	Suggest lms.Email
}

type handOverForm struct{ Email, Then string }

// mayHandOver tells whether the reader may hand a course over.
func mayHandOver(r *request, v service.CourseView) bool {
	return may(r, access.CourseHandOver, v) && standing(v).Owner(r.caller)
}

func (w *Web) handOverPage(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	if err := decide(r, access.CourseHandOver, v); err != nil {
		return err
	}
	if !mayHandOver(r, v) {
		return lms.Errorf(lms.CodeForbidden, "forbidden", "Only an owner of the course can hand it over.")
	}
	return w.showHandOver(rw, r, v, handOverView{Form: handOverForm{Then: string(service.AfterStay)}}, http.StatusOK)
}

func (w *Web) showHandOver(rw http.ResponseWriter, r *request, v service.CourseView, view handOverView, status int) error {
	view.Shell = w.courseShell(r, v, r.words.T("Hand over the course"), "settings")
	view.Placed = v.Member.Enrollment != nil
	w.render(rw, r, status, handOverPage(view))
	return nil
}

func (w *Web) handOver(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	typed := handOverForm{f.text("email"), f.text("then")}
	m, err := w.svc.HandOverCourse(r.Context(), r.caller, service.HandOver{
		CourseID: v.Course.ID, Person: service.PersonRef{Email: typed.Email}, Then: service.After(typed.Then), ConfirmOutside: f.flag("confirm_outside"),
	})
	switch {
	case err == nil && typed.Then == string(service.AfterLeave) && !r.caller.Admin():
		return w.done(rw, r, "/", "handed-over")
	case err == nil:
		return w.done(rw, r, personPath(v.Course.ID, m.User.ID, ""), "handed-over")
	}
	p, status, ok := refusedIn(rw, r, err)
	if !ok || !mayHandOver(r, v) {
		return err
	}
	view := handOverView{Form: typed, Problem: p, Outside: p.Type == "outside-address"}
	view.Suggest, _ = lms.SuggestedEmail(err)
	return w.showHandOver(rw, r, v, view, status)
}

// copyView is the page on which a course is copied.
type copyView struct {
	Shell   shell
	Form    copyForm
	Staff   int64 // how many people of staff the course has, the reader aside
	Problem problem
}

type copyForm struct {
	Title, Code, Key string
	Staff            bool
	TermID           int64
	Years            []service.AcademicYear // whose terms can be chosen
}

func (w *Web) copyPage(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	if err := w.mayCopy(r, v); err != nil {
		return err
	}
	return w.showCopy(rw, r, v, copyForm{Title: v.Course.Title, Code: v.Course.Code, Staff: true, Key: formKey()}, problem{}, http.StatusOK)
}

func (w *Web) mayCopy(r *request, v service.CourseView) error {
	if err := decide(r, access.CourseCopy, v); err != nil {
		return err
	}
	return access.Decide(r.caller, access.CourseCreate, nil)
}

func (w *Web) showCopy(rw http.ResponseWriter, r *request, v service.CourseView, f copyForm, p problem, status int) error {
	n, err := w.svc.RosterCounts(r.Context(), r.caller, v.Course.ID)
	if err != nil {
		return err
	}
	if f.Years, err = w.svc.Years(r.Context(), r.caller); err != nil {
		return err
	}
	view := copyView{Shell: w.courseShell(r, v, r.words.T("Copy the course"), "settings"), Form: f, Problem: p, Staff: n.Staff}
	if v.Member.Staff() {
		view.Staff--
	}
	w.render(rw, r, status, copyPage(view))
	return nil
}

func (w *Web) copyCourse(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	typed := copyForm{Title: f.text("title"), Code: f.text("code"), Key: f.text("key"), Staff: f.flag("staff"), TermID: f.id("term_id")}
	out, err := w.svc.CopyCourse(r.Context(), r.caller, v.Course.ID, service.CourseCopy{Title: typed.Title, Code: typed.Code, Staff: typed.Staff, TermID: typed.TermID},
		once("POST /courses/copy", typed.Key, num(v.Course.ID), typed.Title, typed.Code, strconv.FormatBool(typed.Staff), num(typed.TermID)))
	if err == nil && len(out.Left) == 0 {
		return w.done(rw, r, coursePath(out.CourseID, ""), "course-copied")
	}
	if err == nil {
		made, err := w.svc.Course(r.Context(), r.caller, out.CourseID)
		if err != nil {
			return err
		}
		w.render(rw, r, http.StatusOK, copiedPage(copiedView{w.courseShell(r, made, r.words.T("The course is copied"), "course"), out}))
		return nil
	}
	p, status, ok := refusedIn(rw, r, err)
	if !ok || w.mayCopy(r, v) != nil {
		return err
	}
	typed.Key = formKey()
	return w.showCopy(rw, r, v, typed, sentTwice(r.words, p), status)
}

// copiedView tells who did not come along.
type copiedView struct {
	Shell shell
	Out   service.Copied
}

// leftReason is why somebody did not come along. What was kept for a form that
// is sent twice has no text for other languages.
func leftReason(l *service.LeftOut) lms.Text {
	if l.Text.Format == "" {
		return lms.Say("%s", l.Message)
	}
	return l.Text
}
