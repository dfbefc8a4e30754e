package web

import (
	"errors"
	"net/http"

	"matricula/internal/lms"
	"matricula/internal/service"
)

var noticeRoutes = []route{
	{"GET /courses/{course_id}/arrivals/tell", false, (*Web).backToArrivals},
	{"POST /courses/{course_id}/arrivals/tell", false, (*Web).tellMissing},
	{"GET /not-me", true, (*Web).notMe},
	{"POST /not-me", true, (*Web).object},
}

func (w *Web) backToArrivals(rw http.ResponseWriter, r *request) error {
	id, err := courseID(r)
	if err != nil {
		return err
	}
	w.redirect(rw, r, coursePath(id, "/arrivals"))
	return nil
}

// tellMissing tells everybody in a course who has not arrived, or one of them, by
// mail that they were named.
func (w *Web) tellMissing(rw http.ResponseWriter, r *request) error {
	id, err := courseID(r)
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	var users []int64
	if one := f.id("user_id"); one != 0 {
		users = []int64{one}
	}
	told, err := w.svc.Tell(r.Context(), r.caller, id, users)
	p, status, ok := refusedIn(rw, r, err)
	if err != nil && !ok {
		return err
	}
	if err == nil {
		status = http.StatusOK
	}
	return w.showCourseArrivals(rw, r, id, "", status, &toldView{Told: told, Problem: p})
}

// toldView is what became of telling people.
type toldView struct {
	service.Told
	Problem problem
}

// nobody tells whether there was nobody whom to tell.
func (v *toldView) nobody() bool { return v.Told == service.Told{} }

// noticeText says how somebody was told.
func noticeText(s lms.NoticeState) lms.Text {
	switch {
	case !s.Objected.IsZero():
		return lms.Say("Says that this is not for them")
	case s.Times == 0:
		return lms.Text{}
	case s.Mail == lms.MailBounced:
		return lms.Say("The mail server refuses the address")
	case s.Mail == lms.MailFailed:
		return lms.Say("The mail could not be handed over")
	case s.Mail == lms.MailQueued:
		return lms.Say("A mail is on its way")
	}
	return lms.Say("Told by mail on %s", s.Last)
}

// notMe is the page on which whoever got a notice can object. Opening it does nothing.
func (w *Web) notMe(rw http.ResponseWriter, r *request) error {
	w.render(rw, r, http.StatusOK, notMePage(notMeView{Shell: w.shell(r, r.words.T("Not for me"))}))
	return nil
}

type notMeView struct {
	Shell   shell
	Code    string
	Done    bool
	Asked   bool // it was a request for what waits for the address
	Problem problem
}

func (w *Web) object(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	v, status := notMeView{Shell: w.shell(r, r.words.T("Not for me")), Code: f.text("code")}, http.StatusOK
	asked, err := w.svc.Object(r.Context(), v.Code, r.caller.RequestID)
	if err != nil {
		if lms.CodeOf(err) != lms.CodeNotFound {
			return err
		}
		var e *lms.Error
		errors.As(err, &e)
		status, v.Problem = http.StatusNotFound, problem{Message: r.words.Error(e)}
	} else {
		v.Done, v.Asked = true, asked
	}
	w.render(rw, r, status, notMePage(v))
	return nil
}
