package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"matricula/internal/apptest/app"
	"matricula/internal/lms"
)

const friend = "https://app.uni.example"

// TestF13AnOriginIsReadOnlyIfItIsListedWhole asks as scripts of many origins.
func TestF13AnOriginIsReadOnlyIfItIsListedWhole(t *testing.T) {
	a := app.Start(t, "sqlite", app.WithOrigins(friend, "http://localhost:5173"))
	token := a.Token("sis", lms.SiteAdmin)
	ask := func(method, path, origin string, header ...string) app.Answer {
		return a.WithToken(token).Do(method, path, "", nil, append(header, "Origin", origin)...)
	}
	for _, origin := range []string{friend, "http://localhost:5173"} {
		res := ask("GET", "/api/v1/me", origin).Want(http.StatusOK)
		if res.Header.Get("Access-Control-Allow-Origin") != origin || !strings.Contains(res.Header.Get("Access-Control-Expose-Headers"), "Location") {
			t.Errorf("%s is told %v", origin, res.Header)
		}
		pre := a.Anonymous().Do("OPTIONS", "/api/v1/courses", "", nil, "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type").Want(http.StatusNoContent)
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Methods": "PATCH", "Access-Control-Allow-Headers": "Authorization",
		} {
			if got := pre.Header.Get(name); !strings.Contains(got, want) {
				t.Errorf("the preflight of %s has %s: %q", origin, name, got)
			}
		}
		a.Anonymous().Do("OPTIONS", "/oauth/token", "", nil, "Origin", origin, "Access-Control-Request-Method", "POST").Want(http.StatusNoContent)
	}
	for _, origin := range []string{
		"https://evil.example", "null", "http://app.uni.example", "https://app.uni.example.evil.example", "https://app.uni.example:8443", "https://APP.uni.example",
		"https://app.uni.example/", "https://uni.example", "https://sub.app.uni.example", "https://app.uni.example, https://evil.example", "http://localhost", "http://localhost:5174", "*", "",
	} {
		for _, res := range []app.Answer{
			ask("GET", "/api/v1/me", origin),
			ask("OPTIONS", "/api/v1/courses", origin, "Access-Control-Request-Method", "POST"),
			ask("GET", "/api/nothing", origin),
			a.Anonymous().Do("OPTIONS", "/oauth/token", "", nil, "Origin", origin, "Access-Control-Request-Method", "POST"),
		} {
			if got := res.Header.Values("Access-Control-Allow-Origin"); len(got) > 0 {
				t.Errorf("%q is told %q at %s", origin, got, res.URL.Path)
			}
		}
	}
	// Refusals can be read too, whatever finds them; nothing else of the site can.
	for path, want := range map[string]bool{
		"/api/v1/me": true, "/api/nothing": true, "/oauth/token": true, "/oauth/nothing": true,
		"/": false, "/sign-in": false, "/healthz": false, "/static/0/none.css": false, "/.well-known/oauth-authorization-server": false,
	} {
		res := a.Anonymous().Do("GET", path, "", nil, "Origin", friend)
		if got := res.Header.Get("Access-Control-Allow-Origin") == friend; got != want {
			t.Errorf("%s answers a script of a friend with %v", path, res.Header)
		}
		if strings.Contains(strings.Join(res.Header.Values("Vary"), ","), "Origin") != want {
			t.Errorf("%s varies by %q", path, res.Header.Values("Vary"))
		}
	}
	for _, origin := range []string{friend, "https://evil.example", ""} {
		for _, res := range []app.Answer{ask("GET", "/api/v1/me", origin), ask("OPTIONS", "/api/v1/me", origin, "Access-Control-Request-Method", "GET")} {
			if res.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%q may send credentials", origin)
			}
			if !strings.Contains(strings.Join(res.Header.Values("Vary"), ","), "Origin") {
				t.Errorf("the answer to %q may be kept for others", origin)
			}
		}
	}
}

func TestF13WithoutListedOriginsNothingIsSaidOfThem(t *testing.T) {
	a := app.Start(t, "sqlite")
	for _, path := range []string{"/api/v1/me", "/oauth/token"} {
		for _, method := range []string{"GET", "OPTIONS"} {
			res := a.Anonymous().Do(method, path, "", nil, "Origin", friend, "Access-Control-Request-Method", "POST")
			for name := range res.Header {
				if strings.HasPrefix(name, "Access-Control-") || name == "Vary" {
					t.Errorf("%s %s has %s", method, path, name)
				}
			}
		}
	}
}

// TestF12AListedOriginMayNotActWithOurCookie: to a browser, a sibling domain is
// the same site, and SameSite does not keep the cookie from it.
func TestF12AListedOriginMayNotActWithOurCookie(t *testing.T) {
	a := app.Start(t, "sqlite", app.WithOrigins(friend))
	_, secret := a.Admin("admin@uni.example")
	for _, site := range []string{"same-site", "cross-site"} {
		a.WithSession(secret).JSON("POST", "/api/v1/courses", map[string]string{"title": "X"}, "Origin", friend, "Sec-Fetch-Site", site).Want(http.StatusForbidden)
	}
	a.WithToken(a.Token("sis", lms.SiteAdmin)).JSON("POST", "/api/v1/courses", map[string]string{"title": "Y"}, "Origin", friend, "Sec-Fetch-Site", "cross-site").Want(http.StatusCreated)
}

// TestF12PagesOfOtherOriginsGetNoTokens: apps, which have no origin, do.
func TestF12PagesOfOtherOriginsGetNoTokens(t *testing.T) {
	a := app.Start(t, "sqlite", app.WithOrigins(friend))
	ask := func(path string, header ...string) app.Answer {
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}, "token": {"x"}}
		return a.Anonymous().Do("POST", path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()), header...)
	}
	for _, path := range []string{"/oauth/token", "/oauth/revoke"} {
		for _, origin := range []string{"https://evil.example", "null", "http://app.uni.example"} {
			res := ask(path, "Origin", origin, "Sec-Fetch-Site", "cross-site").Want(http.StatusForbidden)
			if !strings.Contains(string(res.Body), `"error":"invalid_request"`) || !strings.Contains(string(res.Body), "/problems/cross-origin") {
				t.Errorf("%s is told %s", origin, res.Body)
			}
		}
		want := map[string]int{"/oauth/token": http.StatusBadRequest, "/oauth/revoke": http.StatusOK}[path]
		ask(path).Want(want)
		ask(path, "Origin", friend, "Sec-Fetch-Site", "cross-site").Want(want)
		ask(path, "Origin", a.URL, "Sec-Fetch-Site", "same-origin").Want(want)
	}
}
