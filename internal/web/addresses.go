package web

import (
	"net/http"
)

var addressRoutes = []route{
	{"GET /account/addresses", false, (*Web).backToAccount},
	{"POST /account/addresses", false, (*Web).addAddress},
	{"GET /account/addresses/primary", false, (*Web).backToAccount},
	{"POST /account/addresses/primary", false, (*Web).makePrimary},
	{"GET /account/mail", false, (*Web).backToAccount},
	{"POST /account/mail", false, (*Web).saveMail},
	{"GET /account/addresses/remove", false, (*Web).backToAccount},
	{"POST /account/addresses/remove", false, (*Web).removeAddress},
}

// addressForm is a further address as typed.
type addressForm struct {
	Email   string
	Problem problem
}

// addAddress sends a code to a further address, and leads to where it is typed.
func (w *Web) addAddress(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	secret, err := w.svc.BeginAddress(r.Context(), r.caller, f.text("email"), r.words.Tag())
	if err != nil {
		return w.addressProblem(rw, r, f.text("email"), err)
	}
	w.setCookie(rw, proofCookie, secret, proofCookieLife)
	w.redirect(rw, r, "/prove")
	return nil
}

// addressProblem shows the account again, with what was wrong with an address.
func (w *Web) addressProblem(rw http.ResponseWriter, r *request, typed string, cause error) error {
	p, status, ok := refusedIn(rw, r, cause)
	if !ok {
		return cause
	}
	v, err := w.accountOf(r)
	if err != nil {
		return err
	}
	v.Form, v.Address = newTokenForm(), addressForm{Email: typed, Problem: p}
	w.render(rw, r, status, accountPage(v))
	return nil
}

func (w *Web) makePrimary(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	if err := w.svc.MakePrimary(r.Context(), r.caller, f.text("email")); err != nil {
		return w.addressProblem(rw, r, "", err)
	}
	return w.done(rw, r, "/account", "address-primary")
}

func (w *Web) removeAddress(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	if err := w.svc.RemoveAddress(r.Context(), r.caller, f.text("email")); err != nil {
		return w.addressProblem(rw, r, "", err)
	}
	return w.done(rw, r, "/account", "address-removed")
}

// saveMail chooses of what the caller is told by mail.
func (w *Web) saveMail(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	if err := w.svc.WatchArrivals(r.Context(), r.caller, f.flag("arrivals")); err != nil {
		return err
	}
	return w.done(rw, r, "/account", "saved")
}
