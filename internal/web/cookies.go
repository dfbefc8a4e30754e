package web

import (
	"net/http"
	"time"
)

// The names of our cookies. Over https they get the __Host- prefix, which
// makes the browser refuse them from a sub-domain, over plain http and for
// another path.
const (
	sessionCookie = "matricula"
	startCookie   = "matricula-start"
	proofCookie   = "matricula-proof"
)

// How long browsers keep them. The service decides how long they are worth
// anything; these only have to be no shorter.
const (
	sessionCookieLife = 30 * 24 * time.Hour
	startCookieLife   = 15 * time.Minute
	proofCookieLife   = 20 * time.Minute
)

func (w *Web) cookieName(name string) string {
	if w.secure {
		return "__Host-" + name
	}
	return name
}

// SessionCookie is the name of the session's cookie.
func (w *Web) SessionCookie() string { return w.cookieName(sessionCookie) }

// SessionSecret reads the secret of the browser's session, empty when there is
// none. Two cookies of the name mean that somebody else set one of them:
// neither is believed.
func (w *Web) SessionSecret(r *http.Request) string { return w.cookie(r, sessionCookie) }

func (w *Web) cookie(r *http.Request, name string) string {
	found := r.CookiesNamed(w.cookieName(name))
	if len(found) != 1 {
		return ""
	}
	return found[0].Value
}

// setCookie sets one of our cookies; an empty value clears it. SameSite=Lax
// lets it come along when a provider sends the browser back, and with links
// from elsewhere, but not with forms and scripts of other sites.
func (w *Web) setCookie(rw http.ResponseWriter, name, value string, life time.Duration) {
	c := &http.Cookie{
		Name: w.cookieName(name), Value: value, Path: "/", MaxAge: int(life / time.Second),
		Secure: w.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(rw, c)
}
