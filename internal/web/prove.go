package web

import (
	"net/http"

	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
)

var proveRoutes = []route{
	{"GET /prove", true, (*Web).provePage},
	{"POST /prove", true, (*Web).prove},
	{"GET /prove/resend", true, (*Web).backToProve},
	{"POST /prove/resend", true, (*Web).resendCode},
}

// proveView is the page of somebody who waits for a code.
type proveView struct {
	Shell   shell
	Waits   service.Proving
	Code    string // as typed
	Problem problem
	Resent  bool
}

// provePage asks for the code that was sent. Opening it uses nothing up, however
// often and by whomever: programs that look through mail open each link.
func (w *Web) provePage(rw http.ResponseWriter, r *request) error {
	_, err := w.svc.Proving(r.Context(), w.cookie(r.Request, proofCookie))
	if lms.CodeOf(err) == lms.CodeNotFound { // the page of a link that was opened elsewhere
		return w.noProof(rw, r, http.StatusOK)
	}
	return w.showProve(rw, r, http.StatusOK, proveView{})
}

func (w *Web) backToProve(rw http.ResponseWriter, r *request) error {
	w.redirect(rw, r, "/prove")
	return nil
}

func (w *Web) showProve(rw http.ResponseWriter, r *request, status int, v proveView) error {
	waits, err := w.svc.Proving(r.Context(), w.cookie(r.Request, proofCookie))
	if lms.CodeOf(err) == lms.CodeNotFound {
		return w.noProof(rw, r, http.StatusNotFound)
	}
	if err != nil {
		return err
	}
	v.Shell, v.Waits = w.shell(r, r.words.T("Type the code")), waits
	w.render(rw, r, status, provePageOf(v))
	return nil
}

// noProof tells whoever has no code to wait for, in this browser, what to do.
func (w *Web) noProof(rw http.ResponseWriter, r *request, status int) error {
	w.render(rw, r, status, refusedPage(refusedView{Shell: w.shell(r, r.words.T("No code")), Failure: failure{
		Heading: r.words.T("There is no code to wait for here"),
		Message: r.words.T("Codes are typed in the browser in which you began, within 20 minutes. If that is another one, go back to it and type the code there. If it took too long or the code was wrong five times, start again."),
	}}))
	return nil
}

// beginProof sends whoever could come in if they proved their address to the page on
// which they do. ok is false when a code would not help.
func (w *Web) beginProof(rw http.ResponseWriter, r *request, p signin.Provider, t signin.Token, next string) (ok bool, err error) {
	if !w.svc.SendsMail() {
		return false, nil
	}
	secret, err := w.svc.BeginProof(r.Context(), p, t, next, r.words.Tag(), r.caller.RequestID)
	if err != nil {
		return false, err
	}
	w.setCookie(rw, proofCookie, secret, proofCookieLife)
	w.redirect(rw, r, "/prove")
	return true, nil
}

func (w *Web) prove(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	secret := w.cookie(r.Request, proofCookie)
	waits, err := w.svc.Proving(r.Context(), secret)
	if err != nil && lms.CodeOf(err) != lms.CodeNotFound {
		return err
	}
	if err != nil {
		return w.noProof(rw, r, http.StatusNotFound)
	}
	if !waits.SignIn {
		if err := w.svc.ConfirmAddress(r.Context(), r.caller, secret, f.text("code")); err != nil {
			return w.wrongCode(rw, r, f.text("code"), err)
		}
		w.setCookie(rw, proofCookie, "", 0)
		return w.done(rw, r, "/account", "address-added")
	}
	in, next, err := w.svc.ProveSignIn(r.Context(), secret, f.text("code"), w.rp.Provider, r.UserAgent(), r.caller.RequestID)
	if err != nil {
		return w.wrongCode(rw, r, f.text("code"), err)
	}
	w.setCookie(rw, proofCookie, "", 0)
	return w.enter(rw, r, in, next)
}

func (w *Web) wrongCode(rw http.ResponseWriter, r *request, typed string, cause error) error {
	p, status, ok := refusedIn(rw, r, cause)
	switch {
	case lms.CodeOf(cause) == lms.CodeNotFound:
		return w.noProof(rw, r, http.StatusNotFound)
	case !ok:
		return cause
	case lms.CodeOf(cause) == lms.CodeForbidden:
		return w.refuseSignIn(rw, r, "", cause)
	}
	return w.showProve(rw, r, status, proveView{Code: typed, Problem: p})
}

func (w *Web) resendCode(rw http.ResponseWriter, r *request) error {
	err := w.svc.ResendCode(r.Context(), w.cookie(r.Request, proofCookie), r.words.Tag(), r.caller.RequestID)
	if err != nil {
		return w.wrongCode(rw, r, "", err)
	}
	return w.showProve(rw, r, http.StatusOK, proveView{Resent: true})
}
