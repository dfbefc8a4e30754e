package web

import (
	"net/http"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

var reviewRoutes = []route{
	{"GET /courses/{course_id}/people/review", false, (*Web).review},
	{"GET /courses/{course_id}/people/{user_id}/confirm", false, (*Web).backToReview},
	{"POST /courses/{course_id}/people/{user_id}/confirm", false, (*Web).confirmGrant},
	{"GET /courses/{course_id}/people/{user_id}/take", false, (*Web).backToReview},
	{"POST /courses/{course_id}/people/{user_id}/take", false, (*Web).takeGrant},
}

const reviewOnPage = 50

// reviewView is who has a say in a course from somebody who could not give it today.
type reviewView struct {
	Shell   shell
	Grants  []service.DoubtfulGrant
	Next    int64
	Later   bool
	MayAct  bool
	Failed  int64 // of whom a change was refused
	Problem problem
}

func reviewPath(course int64) string { return coursePath(course, "/people/review") }

func (w *Web) review(rw http.ResponseWriter, r *request) error {
	return w.showReview(rw, r, http.StatusOK, 0, problem{})
}

func (w *Web) showReview(rw http.ResponseWriter, r *request, status int, failed int64, p problem) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	after, err := before(r)
	if err != nil {
		return err
	}
	page, err := w.svc.GrantsToReview(r.Context(), r.caller, v.Course.ID, after, reviewOnPage)
	if err != nil {
		return err
	}
	w.render(rw, r, status, reviewPage(reviewView{
		Shell: w.courseShell(r, v, r.words.T("Grants to review"), "people"), Grants: page.Grants, Next: page.Next, Later: after > 0,
		MayAct: may(r, access.GrantConfirm, v), Failed: failed, Problem: p,
	}))
	return nil
}

func (w *Web) backToReview(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	if err := decide(r, access.GrantReview, v); err != nil {
		return err
	}
	w.redirect(rw, r, reviewPath(v.Course.ID))
	return nil
}

func (w *Web) confirmGrant(rw http.ResponseWriter, r *request) error {
	return w.onGrant(rw, r, "grant-confirmed", func(course, user int64) error {
		_, err := w.svc.ConfirmGrant(r.Context(), r.caller, course, user)
		return err
	})
}

func (w *Web) takeGrant(rw http.ResponseWriter, r *request) error {
	return w.onGrant(rw, r, "grant-taken", func(course, user int64) error {
		_, err := w.svc.TakeGrant(r.Context(), r.caller, course, user)
		return err
	})
}

// onGrant decides about what one person holds.
func (w *Web) onGrant(rw http.ResponseWriter, r *request, code string, do func(course, user int64) error) error {
	v, id, err := w.readMember(r)
	if err != nil {
		return err
	}
	if _, err := readForm(rw, r, formLimit); err != nil {
		return err
	}
	if err := do(v.Course.ID, id); err != nil {
		p, status, ok := asProblem(r.words, err)
		if !ok || decide(r, access.GrantReview, v) != nil {
			return err
		}
		return w.showReview(rw, r, status, id, p)
	}
	return w.done(rw, r, reviewPath(v.Course.ID), code)
}

// doubts say why somebody could not give today what they gave.
var doubts = map[access.Doubt]lms.Term{
	access.DoubtErased:    "their account was erased",
	access.DoubtSuspended: "their account is suspended",
	access.DoubtLeft:      "they are no longer in the course",
	access.DoubtLacks:     "they may no longer give it",
}
