package web

import (
	"net/http"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// removeView asks whether somebody is to be removed.
type removeView struct {
	Shell    shell
	CourseID int64
	Member   lms.Member
	You      bool
	Problem  problem
}

func (w *Web) confirmRemove(rw http.ResponseWriter, r *request) error {
	return w.showRemove(rw, r, http.StatusOK, problem{})
}

func (w *Web) showRemove(rw http.ResponseWriter, r *request, status int, p problem) error {
	v, id, err := w.readMember(r)
	if err != nil {
		return err
	}
	report, err := w.svc.Access(r.Context(), r.caller, v.Course.ID, id)
	if err != nil {
		return err
	}
	m := report.Member
	if m.Enrollment == nil && m.Grant == nil {
		return lms.NotFound("person")
	}
	if err := access.Decide(r.caller, access.EnrollmentRemove, standing(v)); err != nil {
		return err
	}
	w.render(rw, r, status, removePage(removeView{
		Shell: w.courseShell(r, v, r.words.T("Remove %s?", callName(r.words, &m.User)), "people"), CourseID: v.Course.ID, Member: m, You: id == r.caller.UserID, Problem: p,
	}))
	return nil
}

func (w *Web) removePerson(rw http.ResponseWriter, r *request) error {
	v, id, err := w.readMember(r)
	if err != nil {
		return err
	}
	rows, err := w.svc.Remove(r.Context(), r.caller, v.Course.ID, []int64{id})
	if err != nil {
		p, status, ok := asProblem(r.words, err)
		if !ok {
			return err
		}
		return w.showRemove(rw, r, status, p)
	}
	if len(rows) != 1 || rows[0].Result != service.ResultRemoved {
		return lms.NotFound("person")
	}
	if id == r.caller.UserID {
		return w.done(rw, r, "/", "removed")
	}
	return w.done(rw, r, coursePath(v.Course.ID, "/people"), "removed")
}
