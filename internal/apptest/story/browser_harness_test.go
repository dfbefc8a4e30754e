package story_test

import (
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"matricula/internal/access"
	"matricula/internal/apptest"
	"matricula/internal/apptest/app"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
)

// screenshots takes pictures of every page of the story on every screen, for
// people to look at; a test that only judges has no use for them:
//
//	go test ./internal/apptest/story -run Screen -screenshots /some/folder
var screenshots = flag.String("screenshots", "", "folder for pictures of the pages; empty: none are taken")

// The selectors of what people use on the pages of the story.
const (
	signInButton   = `form[action="/auth/google/start"] button`
	signOutButton  = `form[action="/auth/sign-out"] button`
	courseLinks    = `.courses h2 a`
	courseMenu     = `nav[aria-label="Course"]`
	searchField    = `#search`
	addressField   = `#email`
	addressButton  = `#find-form button`
	panelForm      = `.panel-form`
	panelSwitch    = `.panel-form input[role=switch]`
	panelSave      = `.panel-form p.actions button`
	pendingBadge   = `.badge.pending`
	rosterManageOn = `.panel-form input[value="roster.manage"]`
	auditViewOn    = `.panel-form input[value="audit.view"]`
)

// campus is the running program, with a provider that behaves as Google does
// for a Workspace domain, and the browsers of its people.
type campus struct {
	*app.App
	hosts    []string   // that a browser may ask
	turn     sync.Mutex // held by whoever signs in, where several do at once
	visitors []*visitor
}

// openCampus starts the program. Its provider is of the kind Google, so it is
// believed about uni.example only for accounts that the domain hosts.
func openCampus(t *testing.T, engine string, opts ...app.Option) *campus {
	t.Helper()
	google := app.WithProvider(func(p *signin.Provider) { p.Kind, p.Domains = signin.KindGoogle, []string{"uni.example"} })
	c := &campus{App: app.Start(t, engine, append([]app.Option{google}, opts...)...)}
	c.hosts = []string{host(t, c.URL), host(t, c.Issuer.URL)}
	return c
}

// colleague is somebody with an account that uni.example hosts at Google.
func colleague(email, given, family string) apptest.Person {
	p := apptest.GooglePerson(email, "uni.example")
	p.GivenName, p.FamilyName = given, family
	return p
}

// visitor is one person at a browser of their own.
type visitor struct {
	*apptest.Page
	t      *testing.T
	campus *campus
	who    apptest.Person
}

// visit opens the site in a new browser, as somebody who follows a link to it.
func (c *campus) visit(t *testing.T, who apptest.Person, opts ...apptest.BrowserOption) *visitor {
	t.Helper()
	v := &visitor{Page: apptest.Browser(t, opts...), t: t, campus: c, who: who}
	c.visitors = append(c.visitors, v)
	v.Open(c.URL + "/")
	v.WaitText("h1", "Sign in")
	return v
}

// arrive visits and signs in through the provider.
func (c *campus) arrive(t *testing.T, who apptest.Person, opts ...apptest.BrowserOption) *visitor {
	t.Helper()
	v := c.visit(t, who, opts...)
	v.signIn()
	v.WaitText("header.site", who.GivenName)
	return v
}

// signIn clicks the provider's button on the sign-in page.
func (v *visitor) signIn() {
	v.t.Helper()
	v.campus.Issuer.SignInAs(v.who)
	v.Click(signInButton)
}

// earlier signs somebody in over plain HTTP, as they did long before the story
// begins, and gives them as a caller.
func (c *campus) earlier(t *testing.T, who apptest.Person) access.Caller {
	t.Helper()
	client := c.Anonymous()
	home := client.SignIn(c.App, who).Want(200)
	if home.URL.Path != "/" {
		t.Fatalf("after signing in somebody stands on %s", home.URL.Path)
	}
	return c.As(sessionOf(client.Cookies()))
}

// sessionOf is the session's secret among the cookies.
func sessionOf(cookies []*http.Cookie) string {
	for _, cookie := range cookies {
		if cookie.Name == "matricula" {
			return cookie.Value
		}
	}
	return ""
}

// administrator makes the administrator of the site and gives them as a caller.
func (c *campus) administrator(t *testing.T) access.Caller {
	t.Helper()
	address, err := lms.ParseEmail(admin.Email)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Service.NameAdmins(t.Context(), []lms.Email{address}); err != nil {
		t.Fatal(err)
	}
	return c.earlier(t, admin)
}

// teacher makes somebody a teacher of the site, whether or not they ever came.
func (c *campus) teacher(t *testing.T, who apptest.Person) {
	t.Helper()
	_, err := c.Service.NamePerson(t.Context(), c.administrator(t), service.NewPerson{Email: who.Email, SiteRole: string(lms.SiteTeacher)}, nil)
	if err != nil {
		t.Fatal(err)
	}
}

// caller is the person as the program knows them by this browser's cookie.
func (v *visitor) caller() access.Caller {
	v.t.Helper()
	return v.campus.As(v.session())
}

func (v *visitor) session() string {
	v.t.Helper()
	for _, cookie := range v.Cookies() {
		if cookie.Name == "matricula" {
			return cookie.Value
		}
	}
	return ""
}

// path is where the browser is, without its host and query.
func (v *visitor) path() string {
	v.t.Helper()
	u, err := url.Parse(v.URL())
	if err != nil {
		v.t.Fatal(err)
	}
	return u.Path
}

// id reads a number out of the path, after the noun: id("courses").
func (v *visitor) id(noun string) int64 {
	v.t.Helper()
	m := regexp.MustCompile("/" + noun + `/(\d+)`).FindStringSubmatch(v.path())
	if m == nil {
		v.t.Fatalf("%s names none of the %s", v.path(), noun)
	}
	id, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		v.t.Fatal(err)
	}
	return id
}

// texts are the visible texts of all elements that match.
func (v *visitor) texts(selector string) []string {
	v.t.Helper()
	return apptest.Eval[[]string](v.Page, fmt.Sprintf(
		`[...document.querySelectorAll(%q)].filter((e) => e.getClientRects().length).map((e) => e.innerText.replace(/\s+/g, " ").trim())`, selector))
}

// values are the values of all form elements that match.
func (v *visitor) values(selector string) []string {
	v.t.Helper()
	return apptest.Eval[[]string](v.Page, fmt.Sprintf(`[...document.querySelectorAll(%q)].map((e) => e.value)`, selector))
}

// sees fails the test unless a visible element that matches says all of this.
func (v *visitor) sees(selector string, texts ...string) {
	v.t.Helper()
	for _, text := range texts {
		v.WaitText(selector, text)
	}
}

// same fails the test unless these are the values, in any order.
func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	a, b := slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(a, b) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// mayDo fails the test unless this is what a person may do in a course, by the
// program's own word, whoever may ask for it.
func (c *campus) mayDo(t *testing.T, as access.Caller, courseID, userID int64, want ...lms.Privilege) {
	t.Helper()
	report, err := c.Service.Access(t.Context(), as, courseID, userID)
	if err != nil {
		t.Fatal(err)
	}
	if got := report.Member.Effective(); got != lms.SetOf(want...) {
		t.Errorf("user %d may %q in the course, want %q", userID, got.Labels(), lms.SetOf(want...).Labels())
	}
}

// checkTraces looks at what the browsers and the program have left behind:
// no script failed and no policy was broken, nobody but the program and its
// providers was asked for anything, and no address stands in a URL or in the
// log (H-04, I11). Errors in the console that hold one of the expected texts,
// such as the status of a page that refuses, are no fault.
func (c *campus) checkTraces(t *testing.T, expected ...string) {
	t.Helper()
	for _, v := range c.visitors {
		for _, fault := range v.ConsoleErrors() {
			if !slices.ContainsFunc(expected, func(part string) bool { return strings.Contains(fault, part) }) {
				t.Errorf("the console of %s's browser has the error %q", v.who.Email, fault)
			}
		}
		if got := v.ForeignRequests(c.hosts...); len(got) > 0 {
			t.Errorf("%s's browser asked strangers: %q", v.who.Email, got)
		}
		if len(v.Requests()) == 0 {
			t.Errorf("%s's browser asked for nothing at all", v.who.Email)
		}
		for _, address := range v.Requests() {
			if holdsAddress(address) {
				t.Errorf("%s's browser asked for %s, which holds an e-mail address", v.who.Email, address)
			}
		}
	}
	log := c.Log.String()
	if !strings.Contains(log, `"msg"`) {
		t.Error("the program has logged nothing, so its log proves nothing")
	}
	for line := range strings.Lines(log) {
		if holdsAddress(line) {
			t.Errorf("the log holds an e-mail address: %s", line)
		}
	}
}

// holdsAddress tells whether a text may hold an address of the story, in any
// case, plain or escaped: all its people are of domains that end in .example
// or of gmail.com, which stand nowhere else.
func holdsAddress(text string) bool {
	text = strings.ToLower(text)
	for range 2 {
		if strings.Contains(text, "@") || strings.Contains(text, ".example") || strings.Contains(text, "gmail") {
			return true
		}
		if plain, err := url.QueryUnescape(text); err == nil {
			text = strings.ToLower(plain)
		}
	}
	return strings.Contains(text, "%40")
}

func host(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}
