package web

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
)

// signInView is the page on which people choose how to sign in.
type signInView struct {
	Shell     shell
	Next      string // where to go afterwards; "/" for home
	Providers []signin.Provider
	Other     bool // somebody wants another account than the one that the provider remembers
}

func (w *Web) signInPage(rw http.ResponseWriter, r *request) error {
	next := signin.SafeNext(r.URL.Query().Get("next"))
	if !r.caller.Anonymous() {
		w.redirect(rw, r, next)
		return nil
	}
	w.render(rw, r, http.StatusOK, signInPage(signInView{Shell: w.shell(r, r.words.T("Sign in")), Next: next, Providers: w.rp.Providers(), Other: r.URL.Query().Get("other") == "yes"}))
	return nil
}

// startSignIn sends the browser to a provider, with a cookie by which it is
// known when it comes back.
func (w *Web) startSignIn(rw http.ResponseWriter, r *request) error {
	provider := r.PathValue("provider")
	attempt := signin.NewAttempt()
	attempt.Anew = r.URL.Query().Get("other") == "yes"
	target, err := w.rp.AuthURL(r.Context(), provider, attempt)
	if err != nil {
		return w.refuseSignIn(rw, r, provider, err)
	}
	secret, err := w.svc.StartSignIn(r.Context(), provider, attempt, r.URL.Query().Get("next"), w.cookie(r.Request, startCookie))
	if err != nil {
		return err
	}
	w.setCookie(rw, startCookie, secret, startCookieLife)
	rw.Header().Set("Cache-Control", "no-store")
	rw.Header().Set("Location", target)
	rw.WriteHeader(http.StatusFound)
	return nil
}

// finishSignIn is where a provider sends the browser back to. Whatever comes
// of it, the attempt is used up.
func (w *Web) finishSignIn(rw http.ResponseWriter, r *request) error {
	name := r.PathValue("provider")
	provider, ok := w.rp.Provider(name)
	if !ok {
		return errNoPage
	}
	browser := w.cookie(r.Request, startCookie)
	w.setCookie(rw, startCookie, "", 0)
	token, next, err := w.comeBack(r, provider, browser)
	if err != nil {
		return w.refuseSignIn(rw, r, name, err)
	}
	in, err := w.svc.SignIn(r.Context(), provider, token, r.UserAgent(), r.caller.RequestID)
	if lms.TypeOf(err) == string(signin.ReasonNotAuthoritative) {
		ok, cause := w.beginProof(rw, r, provider, token, next)
		if ok {
			return nil
		}
		if cause != nil {
			err = cause
		}
	}
	if err != nil {
		return w.refuseSignInAs(rw, r, name, token.Email, err)
	}
	return w.enter(rw, r, in, next)
}

// enter begins a session in the browser.
func (w *Web) enter(rw http.ResponseWriter, r *request, in service.SignedIn, next string) error {
	if err := w.svc.SignOut(r.Context(), r.caller); err != nil {
		// The session that this browser had before. It is replaced all the same.
		w.opts.Log.WarnContext(r.Context(), "session before a sign-in not ended", "request_id", r.caller.RequestID, "error", err)
	}
	w.setCookie(rw, sessionCookie, in.Secret, sessionCookieLife)
	w.redirect(rw, r, signin.SafeNext(next))
	return nil
}

// comeBack reads what the provider says about whoever comes back from it.
func (w *Web) comeBack(r *request, p signin.Provider, browser string) (t signin.Token, next string, err error) {
	state, code, errorCode, err := callbackParameters(r.URL.Query())
	if err != nil {
		return t, "", err
	}
	attempt, next, err := w.svc.TakeAttempt(r.Context(), p.Name, state, browser)
	if err != nil {
		return t, "", err
	}
	if errorCode != "" {
		return t, "", signin.CallbackError(p, errorCode)
	}
	t, err = w.rp.Exchange(r.Context(), p.Name, code, attempt)
	return t, next, err
}

// callbackParameters reads the answer of a provider (RFC 6749, section 4.1.2).
// A parameter must not be there twice (section 3.1).
func callbackParameters(q url.Values) (state, code, errorCode string, err error) {
	for _, name := range []string{"state", "code", "error"} {
		if len(q[name]) > 1 {
			return "", "", "", lms.Errorf(lms.CodeMalformed, "sign-in-failed", "The sign-in could not be completed. Please start again.")
		}
	}
	return q.Get("state"), q.Get("code"), q.Get("error"), nil
}

// refusedView is the page of somebody who was not let in.
type refusedView struct {
	Shell   shell
	Failure failure
	Advice  []lms.Term
	Address string // with which somebody came; empty when it is not known
	Again   string // the provider with which to try once more; empty when that leads nowhere
}

// refuseSignIn shows why somebody was not let in, and what they can do. What
// the service and the relying party say about it names no address, so their
// cause may be logged.
func (w *Web) refuseSignIn(rw http.ResponseWriter, r *request, provider string, cause error) error {
	return w.refuseSignInAs(rw, r, provider, "", cause)
}

// refuseSignInAs is the same for whoever came with an address, which only the
// page shows.
func (w *Web) refuseSignInAs(rw http.ResponseWriter, r *request, provider, address string, cause error) error {
	var e *lms.Error
	if !errors.As(cause, &e) || e.Code == lms.CodeInternal {
		return cause
	}
	status := statusOf(cause)
	if status == http.StatusTooManyRequests {
		rw.Header().Set("Retry-After", "600")
	}
	attrs := []slog.Attr{
		slog.String("provider", clipName(provider)), slog.String("type", e.Type), slog.Int("status", status), slog.String("request_id", r.caller.RequestID),
	}
	if e.Err != nil {
		attrs = append(attrs, slog.Any("cause", e.Err))
	}
	w.opts.Log.LogAttrs(r.Context(), slog.LevelInfo, "sign-in refused", attrs...)
	v := refusedView{
		Shell:   w.shell(r, r.words.T("Not signed in")),
		Failure: failure{Heading: r.words.T("You are not signed in"), Message: r.words.Error(e)},
		Advice:  signInAdvice[e.Type],
	}
	// Whoever is not known here may have come with the wrong account.
	if parsed, err := lms.ParseEmail(address); err == nil && e.Type == string(signin.ReasonNotNamed) {
		v.Address = parsed.Display()
	}
	if _, ok := w.rp.Provider(provider); ok {
		v.Again = provider
	}
	if status == http.StatusServiceUnavailable {
		rw.Header().Set("Retry-After", "30")
	}
	w.render(rw, r, status, refusedPage(v))
	return nil
}

// clipName keeps what somebody typed into the address bar out of the log.
func clipName(provider string) string {
	for _, c := range provider {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return "?"
		}
	}
	return lms.Clip(provider, 32)
}

// signInAdvice says whom to ask, where the reason alone does not help.
var signInAdvice = map[string][]lms.Term{
	string(signin.ReasonNotNamed): {
		"If your school gave you an account, sign in with that one. A private account has another address, and nobody here has named that.",
		"If it was the right account, tell your teacher the address with which you just signed in, letter by letter. As soon as they have added it you can come in.",
	},
	string(signin.ReasonNotAuthoritative): {
		"Look for the button that belongs to the school or company of your e-mail address, and use the account that they gave you.",
		"If there is none, ask the person who invited you to add the address of an account that you can sign in with here.",
	},
	string(signin.ReasonAddressInUse): {
		"You have been here before with another account or another button: use that one again.",
		"If that account is gone, ask the administrator of this site. They can see to whom the address belongs.",
	},
	string(signin.ReasonNotVerified): {
		"Open the settings of your account there, confirm your e-mail address, and come back.",
	},
	"sign-in-expired": {
		"This happens when the sign-in page stayed open for long, when it was opened twice, or when cookies are switched off.",
	},
}

// signOut ends the session, here and in the database. It is no error when
// nobody was signed in.
func (w *Web) signOut(rw http.ResponseWriter, r *request) error {
	return w.signOutTo(rw, r, "/sign-in?done=signed-out")
}

// signInAnother ends the session and asks for another account.
func (w *Web) signInAnother(rw http.ResponseWriter, r *request) error {
	return w.signOutTo(rw, r, "/sign-in?other=yes")
}

func (w *Web) signOutTo(rw http.ResponseWriter, r *request, path string) error {
	if err := w.svc.SignOut(r.Context(), r.caller); err != nil {
		return err
	}
	w.setCookie(rw, sessionCookie, "", 0)
	// Whoever uses this machine next must not find the pages with "back".
	rw.Header().Set("Clear-Site-Data", `"cache"`)
	w.redirect(rw, r, path)
	return nil
}

// domainHint tells for whose addresses a provider is, where that helps to choose
// among few.
func domainHint(p signin.Provider) string {
	const few = 4
	if p.TrustAll || len(p.Domains) == 0 || len(p.Domains) > few {
		return ""
	}
	return domainList(p.Domains)
}

// domainList writes domains as people read them.
func domainList(domains []string) string {
	shown := make([]string, len(domains))
	for i, d := range domains {
		shown[i] = lms.DisplayDomain(d)
	}
	return strings.Join(shown, ", ")
}
