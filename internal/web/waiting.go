package web

import (
	"errors"
	"net/http"

	"matricula/internal/lms"
	"matricula/internal/service"
)

var waitingRoutes = []route{
	{"GET /courses/{course_id}/people/{user_id}/address", false, (*Web).addressPage},
	{"POST /courses/{course_id}/people/{user_id}/address", false, (*Web).correctAddress},
	{"POST /courses/{course_id}/people/{user_id}/withdraw", false, (*Web).withdrawPerson},
	{"POST /courses/{course_id}/arrivals/renew", false, (*Web).renewPeople},
	{"GET /admin/people/find", false, (*Web).backToAdminPeople},
	{"POST /admin/people/find", false, (*Web).adminFindAddress},
	{"POST /admin/people/{user_id}/address", false, (*Web).adminCorrectAddress},
	{"POST /admin/people/{user_id}/withdraw", false, (*Web).adminWithdraw},
	{"POST /admin/people/{user_id}/renew", false, (*Web).adminRenew},
}

// correctForm is the right address of somebody, as typed.
type correctForm struct {
	Path    string // where it is sent
	ID      int64
	Email   string
	Sure    bool // the address is meant although it looks like a slip
	Problem problem
	Outside bool      // the address needs a confirmation
	Meant   lms.Email // the address that was perhaps meant
}

// of makes it the form for somebody. A slip is mostly a letter or two: what stands in the
// field at first is the address as it is.
func (f *correctForm) of(u *lms.User, path string) {
	f.Path, f.ID = path, u.ID
	if f.Email == "" && f.Problem.Message == "" {
		f.Email = u.Email.Display()
	}
}

// addressView is the page on which the address of somebody of a course who has not
// arrived is corrected.
type addressView struct {
	Shell    shell
	CourseID int64
	Person   lms.User
	Form     correctForm
	Problem  problem // of withdrawing
}

func (w *Web) addressPage(rw http.ResponseWriter, r *request) error {
	return w.showAddress(rw, r, http.StatusOK, correctForm{}, problem{})
}

func (w *Web) showAddress(rw http.ResponseWriter, r *request, status int, f correctForm, p problem) error {
	v, id, err := w.readMember(r)
	if err != nil {
		return err
	}
	report, err := w.svc.Access(r.Context(), r.caller, v.Course.ID, id)
	if err != nil {
		return err
	}
	if _, err := w.svc.MayMend(r.Context(), r.caller, id); err != nil {
		return err
	}
	u := report.Member.User
	f.of(&u, personPath(v.Course.ID, id, "/address"))
	w.render(rw, r, status, addressPage(addressView{
		Shell: w.courseShell(r, v, r.words.T("The address of %s", callName(r.words, &u)), "people"), CourseID: v.Course.ID, Person: u, Form: f, Problem: p,
	}))
	return nil
}

// correct does what a form asks for. Without an error, a form that comes back is to
// be shown again: something in it is to be looked at first.
func (w *Web) correct(rw http.ResponseWriter, r *request, course int64) (again *correctForm, status int, err error) {
	id, err := pathID(r, "user_id", "person")
	if err != nil {
		return nil, 0, err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return nil, 0, err
	}
	a := correctForm{Email: f.text("email"), Sure: f.flag("sure_address")}
	u, err := w.svc.MayMend(r.Context(), r.caller, id)
	if err != nil {
		return nil, 0, err
	}
	if typed, err := lms.ParseEmail(a.Email); err == nil && typed == u.Email {
		p, status, _ := asProblem(r.words, lms.Invalid("address-same", "email", "This is the address that they have. Type the right one."))
		a.Problem = p
		return &a, status, nil
	}
	if !a.Sure {
		meant, doubt, err := w.svc.DoubtAddress(r.Context(), r.caller, course, a.Email)
		if err != nil {
			return nil, 0, err
		}
		if doubt {
			a.Meant = meant
			return &a, http.StatusUnprocessableEntity, nil
		}
	}
	_, err = w.svc.CorrectAddress(r.Context(), r.caller, id, service.AddressCorrection{Email: a.Email, ConfirmOutside: f.flag("confirm_outside")})
	if err == nil {
		return nil, 0, nil
	}
	p, status, ok := asProblem(r.words, err)
	if !ok || lms.CodeOf(err) == lms.CodeForbidden {
		return nil, 0, err
	}
	a.Problem, a.Outside = p, p.Type == "outside-address"
	a.Meant, _ = lms.SuggestedEmail(err)
	return &a, status, nil
}

func (w *Web) correctAddress(rw http.ResponseWriter, r *request) error {
	v, id, err := w.readMember(r)
	if err != nil {
		return err
	}
	again, status, err := w.correct(rw, r, v.Course.ID)
	switch {
	case err != nil:
		return err
	case again != nil:
		return w.showAddress(rw, r, status, *again, problem{})
	}
	return w.done(rw, r, personPath(v.Course.ID, id, ""), "address-right")
}

func (w *Web) adminCorrectAddress(rw http.ResponseWriter, r *request) error {
	if err := adminOnly(r); err != nil {
		return err
	}
	again, status, err := w.correct(rw, r, 0)
	switch {
	case err != nil:
		return err
	case again != nil:
		return w.showAdminPerson(rw, r, status, problem{}, *again)
	}
	id, err := pathID(r, "user_id", "person")
	if err != nil {
		return err
	}
	return w.done(rw, r, adminPersonPath(id, ""), "address-right")
}

// withdraw withdraws the person of a path, once that was confirmed.
func (w *Web) withdraw(rw http.ResponseWriter, r *request) error {
	id, err := pathID(r, "user_id", "person")
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	if _, err := w.svc.MayMend(r.Context(), r.caller, id); err != nil {
		return err
	}
	if !f.flag("confirm") {
		return lms.Invalid("not-confirmed", "confirm", "Nothing was withdrawn yet. Confirm that all of it is to go.")
	}
	return w.svc.Withdraw(r.Context(), r.caller, id)
}

func (w *Web) withdrawPerson(rw http.ResponseWriter, r *request) error {
	v, _, err := w.readMember(r)
	if err != nil {
		return err
	}
	if err := w.withdraw(rw, r); err != nil {
		p, status, ok := asProblem(r.words, err)
		if !ok || lms.CodeOf(err) != lms.CodeInvalid {
			return err
		}
		return w.showAddress(rw, r, status, correctForm{}, p)
	}
	return w.done(rw, r, coursePath(v.Course.ID, "/people"), "withdrawn")
}

func (w *Web) adminWithdraw(rw http.ResponseWriter, r *request) error {
	if err := adminOnly(r); err != nil {
		return err
	}
	if err := w.withdraw(rw, r); err != nil {
		p, status, ok := asProblem(r.words, err)
		if !ok {
			return err
		}
		return w.showAdminPerson(rw, r, status, p, correctForm{})
	}
	return w.done(rw, r, "/admin/people", "withdrawn")
}

// adminRenew names somebody again, which lets them wait anew.
func (w *Web) adminRenew(rw http.ResponseWriter, r *request) error {
	id, err := pathID(r, "user_id", "person")
	if err != nil {
		return err
	}
	if _, err := readForm(rw, r, formLimit); err != nil {
		return err
	}
	if err := w.svc.RenewPerson(r.Context(), r.caller, id); err != nil {
		return err
	}
	return w.done(rw, r, adminPersonPath(id, ""), "renewed")
}

// renewPeople lets people of a course wait anew.
func (w *Web) renewPeople(rw http.ResponseWriter, r *request) error {
	course, err := courseID(r)
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	if _, err := w.svc.Renew(r.Context(), r.caller, course, selectedIDs(f)); err != nil {
		return err
	}
	return w.done(rw, r, coursePath(course, "/arrivals"), "renewed")
}

// findForm is an address that an administrator looks for, as typed.
type findForm struct {
	Email   string
	Problem problem
}

// adminFindAddress leads to whoever has an address. The address stands in no URL.
func (w *Web) adminFindAddress(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	found := findForm{Email: f.text("email")}
	waiting, err := w.svc.WaitingFor(r.Context(), r.caller, found.Email)
	if err == nil {
		w.redirect(rw, r, adminPersonPath(waiting.User.ID, ""))
		return nil
	}
	var e *lms.Error
	if !errors.As(err, &e) || (e.Code != lms.CodeInvalid && e.Code != lms.CodeNotFound) {
		return err
	}
	status := statusOf(err)
	if e.Code == lms.CodeNotFound {
		status = http.StatusOK // the page is there, and answers the question
	}
	found.Problem = problem{Type: e.Type, Message: r.words.Error(e)}
	return w.showAdminPeople(rw, r, status, service.DirectoryRequest{}, nameForm{}, problem{}, found)
}
