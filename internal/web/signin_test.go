package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/apptest"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/web"
)

// start begins a sign-in and answers the address of the provider.
func (b *browser) start(next string) string {
	b.s.tb.Helper()
	a := b.get("/auth/school/start?next=" + url.QueryEscape(next)).want(http.StatusFound)
	return a.header.Get("Location")
}

// callback is the address to which the provider sends the browser back.
func (b *browser) callback(authURL string) string {
	b.s.tb.Helper()
	return "/auth/school/callback?" + b.s.issuer.Code(b.s.tb, authURL).Encode()
}

// home tells who is signed in, empty for nobody.
func (b *browser) home() string {
	b.s.tb.Helper()
	a := b.get("/")
	if a.status != http.StatusOK {
		return ""
	}
	return text(a.one(".me a"))
}

func TestSomebodyNamedSignsInAndFindsTheirPage(t *testing.T) {
	c := algorithms(t)
	c.enroll("student", "sam@uni.example")
	c.issuer.SignInAs(apptest.Somebody("Sam@uni.example", "Sam", "Student"))
	b := c.stranger()
	page := b.get("/sign-in?next="+url.QueryEscape(c.path)).want(http.StatusOK).says(".lead", "account that your school or university gave you").says("button.big", "Sign in with the school")
	action, fields := page.fields(page.one(".providers form"))
	if action != "/auth/school/start" || len(fields) != 2 || fields[1] != c.path {
		t.Fatalf("the button leads to %s with %q", action, fields)
	}
	b.do(b.request(http.MethodGet, b.callback(b.start(c.path)), nil)).wantTo(c.path).says("h1", "Algorithms")
	if who := b.home(); !strings.HasSuffix(who, "Sam Student") {
		t.Errorf("signed in is %q", who)
	}
	// Whoever is signed in has no use for the sign-in page.
	b.get("/sign-in?next=/account").wantTo("/account")
	b.post("/auth/sign-out").wantTo("/sign-in").says(".flash", "signed out")
	if b.home() != "" {
		t.Error("after signing out somebody is still signed in")
	}
	b.post("/auth/sign-out").want(http.StatusSeeOther)
}

func TestSignInCookiesAreKeptFromScriptsAndOtherSites(t *testing.T) {
	c := algorithms(t)
	c.enroll("student", "sam@uni.example")
	c.issuer.SignInAs(apptest.Somebody("sam@uni.example", "Sam", ""))
	b := c.stranger()
	started := b.get("/auth/school/start").want(http.StatusFound)
	for _, set := range []string{started.header.Get("Set-Cookie"), b.get(b.callback(started.header.Get("Location"))).header.Values("Set-Cookie")[1]} {
		for _, want := range []string{"HttpOnly", "SameSite=Lax", "Path=/"} {
			if !strings.Contains(set, want) {
				t.Errorf("the cookie lacks %s: %s", want, strings.SplitN(set, "=", 2)[0])
			}
		}
		if strings.Contains(set, "Domain") || strings.Contains(set, "Secure") {
			t.Errorf("the cookie of plain http is for other hosts, or can never be sent: %s", strings.SplitN(set, "=", 2)[0])
		}
	}
	if a := b.post("/auth/sign-out"); a.header.Get("Clear-Site-Data") != `"cache"` || !strings.Contains(a.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Error("signing out leaves something behind")
	}
}

// F-15: the prefix, and two cookies of one name.
func TestF15SessionCookiesOfOthersAreNotBelieved(t *testing.T) {
	rp, err := signin.New(nil, "https://lms.example", nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	secure := web.New(nil, rp, web.Options{URL: "https://lms.example", Now: time.Now})
	plain := web.New(nil, rp, web.Options{URL: "http://localhost:8080", Now: time.Now})
	request := func(cookies ...string) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		for _, c := range cookies {
			r.Header.Add("Cookie", c)
		}
		return r
	}
	for _, tc := range []struct {
		w       *web.Web
		cookies []string
		want    string
	}{
		{secure, []string{"__Host-matricula=good"}, "good"},
		{secure, []string{"matricula=planted"}, ""},
		{secure, []string{"__Host-matricula=good; matricula=planted"}, "good"},
		{secure, []string{"__Host-matricula=good; __Host-matricula=planted"}, ""},
		{secure, []string{"__Host-matricula=good", "__Host-matricula=planted"}, ""},
		{plain, []string{"matricula=good"}, "good"},
		{plain, []string{"matricula=a; matricula=b"}, ""},
		{plain, []string{"__Host-matricula=good"}, ""},
		{plain, nil, ""},
	} {
		if got := tc.w.SessionSecret(request(tc.cookies...)); got != tc.want {
			t.Errorf("%q: the secret is %q, want %q", tc.cookies, got, tc.want)
		}
	}
}

func TestOverHTTPSCookiesHaveTheHostPrefix(t *testing.T) {
	s := newSite(t, func(_ *service.Options, o *web.Options, _ *signin.Provider) { o.URL = "https://lms.example" })
	set := s.stranger().get("/auth/school/start").want(http.StatusFound).header.Get("Set-Cookie")
	if !strings.HasPrefix(set, "__Host-matricula-start=") || !strings.Contains(set, "; Secure") || strings.Contains(set, "Domain=") {
		t.Errorf("the cookie is not one that __Host- allows: %s", strings.SplitN(set, "=", 2)[0])
	}
}

// F-14: where a sign-in leads afterwards.
func TestF14NoSignInLeadsElsewhere(t *testing.T) {
	c := algorithms(t)
	c.enroll("student", "sam@uni.example")
	c.issuer.SignInAs(apptest.Somebody("sam@uni.example", "Sam", ""))
	for _, next := range []string{
		"//evil.example", `/\evil.example`, "/%2f/evil.example", "////evil.example", "https:/evil.example", "https:evil.example", "https://evil.example",
		"/\t/evil.example", "%0a//evil.example", "javascript:alert(1)", "/∕evil.example", "/" + strings.Repeat("a", 2000), "/auth/sign-out", "/api/v1/me", "/sign-in",
	} {
		b := c.stranger()
		page := b.get("/sign-in?next=" + url.QueryEscape(next)).want(http.StatusOK)
		if page.has("input[name=next]") {
			t.Errorf("the sign-in page carries %q on", next)
		}
		if got := b.get(b.callback(b.start(next))).want(http.StatusSeeOther).header.Get("Location"); got != "/" {
			t.Errorf("next=%q leads to %s", next, got)
		}
	}
}

// what a browser may bring back.
func TestA29ACallbackIsForTheBrowserThatBegan(t *testing.T) {
	c := algorithms(t)
	c.enroll("student", "sam@uni.example")
	c.issuer.SignInAs(apptest.Somebody("sam@uni.example", "Sam", ""))
	refused := func(name string, b *browser, callback string, says string) {
		t.Helper()
		a := b.get(callback)
		if a.status < 400 || a.status >= 500 {
			t.Errorf("%s: status %d", name, a.status)
		}
		a.says("h1", "not signed in").says(".lead", says).says("a.button", "Try another way")
		if b.home() != "" {
			t.Errorf("%s: somebody is signed in", name)
		}
	}
	const expired = "already used, took too long, or was begun in another browser"

	b := c.stranger()
	good := b.callback(b.start("/"))
	q, _ := url.ParseQuery(strings.TrimPrefix(good, "/auth/school/callback?"))
	without := func(name string) string {
		p := url.Values{}
		for k, v := range q {
			if k != name {
				p[k] = v
			}
		}
		return "/auth/school/callback?" + p.Encode()
	}
	refused("missing state", b, without("state"), expired)

	b = c.stranger()
	b.start("/")
	refused("wrong state", b, "/auth/school/callback?code=x&state=wrong", expired)

	b = c.stranger()
	good = b.callback(b.start("/"))
	refused("another browser", c.stranger(), good, expired)

	other := c.stranger()
	other.start("/")
	b = c.stranger()
	good = b.callback(b.start("/"))
	refused("another browser that has begun one itself", other, good, expired)
	refused("the state that another browser used up", b, good, expired)

	b = c.stranger()
	refused("missing code", b, strings.Replace(b.callback(b.start("/")), "code=", "kode=", 1), "could not be completed")

	b = c.stranger()
	good = b.callback(b.start("/"))
	refused("state twice", b, good+"&state=again", "could not be completed")

	b = c.stranger()
	good = b.callback(b.start("/"))
	b.get(good).want(http.StatusSeeOther)
	if b.home() == "" {
		t.Fatal("the good one is not signed in")
	}
	again := c.stranger()
	refused("the whole callback a second time", again, good, expired)

	// A code of one sign-in with the state of another.
	first, second := c.stranger(), c.stranger()
	codeOf := func(cb string) string {
		v, _ := url.ParseQuery(strings.TrimPrefix(cb, "/auth/school/callback?"))
		return v.Get("code")
	}
	stolen := codeOf(first.callback(first.start("/")))
	own := second.callback(second.start("/"))
	refused("the code of another sign-in", second, strings.Replace(own, url.QueryEscape(codeOf(own)), url.QueryEscape(stolen), 1), "could not be completed")

	// Too late.
	b = c.stranger()
	good = b.callback(b.start("/"))
	c.pass(16 * time.Minute)
	refused("too late", b, good, expired)

	// A provider that is not there.
	c.stranger().get("/auth/nowhere/start").want(http.StatusNotFound).says("h1", "not signed in")
	c.stranger().get("/auth/nowhere/callback?code=x&state=y").want(http.StatusNotFound)
}

// a sign-in begins a session of its own and ends the one before.
func TestASignInReplacesTheSessionBefore(t *testing.T) {
	c := algorithms(t)
	c.enroll("student", "sam@uni.example")
	c.enroll("student", "eve@uni.example")
	b := c.stranger()
	c.issuer.SignInAs(apptest.Somebody("sam@uni.example", "Sam", ""))
	b.get(b.callback(b.start("/"))).want(http.StatusSeeOther)
	u, _ := url.Parse(c.server.URL)
	old := b.client.Jar.Cookies(u)[0]
	c.issuer.SignInAs(apptest.Somebody("eve@uni.example", "Eve", ""))
	b.get(b.callback(b.start("/"))).want(http.StatusSeeOther)
	if who := b.home(); !strings.HasSuffix(who, "Eve") {
		t.Errorf("signed in is %q", who)
	}
	replay := c.stranger()
	replay.client.Jar.SetCookies(u, []*http.Cookie{old})
	if who := replay.home(); who != "" {
		t.Errorf("the session before still belongs to %q", who)
	}
}

func TestWhoeverIsNotLetInLearnsWhyAndWhomToAsk(t *testing.T) {
	c := algorithms(t, onlyFor("uni.example"))
	c.enroll("student", "sam@uni.example")
	suspended := c.name(c.admin, "zed@uni.example", "member")
	c.admin.post("/admin/people/"+itoa(suspended.ID)+"/status", "status", "suspended").want(http.StatusSeeOther)
	c.enroll("student", "guest@elsewhere.example")
	c.name(c.admin, "taken@uni.example", "member")
	c.signedIn("taken@uni.example", "", "")
	for _, tc := range []struct {
		name   string
		person apptest.Person
		status int
		why    string
		advice string
	}{
		{"nobody named them", apptest.Somebody("nobody@uni.example", "", ""), http.StatusForbidden, "Nobody here has named", "letter by letter"},
		{"not verified", apptest.Person{Email: "sam@uni.example", EmailVerified: false}, http.StatusForbidden, "has not verified", "confirm your e-mail address"},
		{"verified as text", apptest.Person{Email: "sam@uni.example", EmailVerified: "true"}, http.StatusForbidden, "has not verified", ""},
		{"another domain", apptest.Somebody("guest@elsewhere.example", "", ""), http.StatusForbidden, "cannot take", "button that belongs"},
		{"suspended", apptest.Somebody("zed@uni.example", "", ""), http.StatusForbidden, "suspended", ""},
		{"no address", apptest.Person{Subject: "x"}, http.StatusForbidden, "did not tell us", ""},
		{"an unclean address", apptest.Somebody("Sam <sam@uni.example>", "", ""), http.StatusForbidden, "cannot be used here", ""},
		{"another subject", apptest.Person{Subject: "somebody else", Email: "taken@uni.example", EmailVerified: true}, http.StatusConflict, "already belongs", "been here before"},
	} {
		c.issuer.SignInAs(tc.person)
		b := c.stranger()
		a := b.get(b.callback(b.start("/"))).want(tc.status).says(".lead", tc.why).says("a.button", "Try again").says("a.button", "Try another way")
		if tc.advice != "" {
			a.says("main li", tc.advice)
		}
		if b.home() != "" {
			t.Errorf("%s: somebody is signed in", tc.name)
		}
		// The address is shown to whoever may have come with the wrong account,
		// and to nobody else.
		if shows := strings.Contains(a.body, tc.person.Email); tc.person.Email != "" && shows != (tc.name == "nobody named them") {
			t.Errorf("%s: the page shows the address: %v", tc.name, shows)
		}
	}
	// The provider says no, or is away.
	b := c.stranger()
	state, _ := url.Parse(b.start("/"))
	b.get("/auth/school/callback?error=access_denied&state="+url.QueryEscape(state.Query().Get("state"))).want(http.StatusForbidden).says(".lead", "You did not finish")
	c.stranger().get("/auth/school/callback?error=access_denied&state=forged").want(http.StatusBadRequest)
	b = c.stranger()
	away := b.callback(b.start("/"))
	c.issuer.Shut()
	if a := b.get(away).want(http.StatusServiceUnavailable).says(".lead", "does not work at the moment"); a.header.Get("Retry-After") == "" {
		t.Error("nothing says when to try again")
	}
	// F-34: nothing of it stands in the log.
	for _, secret := range []string{"@", "code-", "%40"} {
		if strings.Contains(c.log.String(), secret) {
			t.Errorf("the log holds %q:\n%s", secret, c.log.String())
		}
	}
	if !strings.Contains(c.log.String(), "type=not-named") {
		t.Errorf("the log does not say why sign-ins were refused:\n%s", c.log.String())
	}
}

func TestASuspendedPersonIsOutAtOnce(t *testing.T) {
	c := algorithms(t)
	c.enroll("student", "sam@uni.example")
	sam := c.signedIn("sam@uni.example", "Sam", "")
	c.admin.post("/admin/people/"+itoa(sam.user.ID)+"/status", "status", "suspended").wantTo("/admin/people/"+itoa(sam.user.ID)).says(".flash", "signed out everywhere")
	sam.get(c.path).want(http.StatusSeeOther)
}

// A handler whose caller lost the account between the middleware and the use
// case leads to the sign-in page as well.
func TestAnErrorForNobodyLeadsToTheSignInPage(t *testing.T) {
	s := newSite(t)
	rec := httptest.NewRecorder()
	s.web.WriteError(rec, httptest.NewRequest(http.MethodGet, "/account", nil), access.ErrAnonymous)
	if rec.Code != http.StatusSeeOther || rec.Header().Get("Location") != "/sign-in?next=%2Faccount" {
		t.Errorf("%d to %s", rec.Code, rec.Header().Get("Location"))
	}
}
