package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"matricula/internal/apptest"
	"matricula/internal/apptest/app"
	"matricula/internal/lms"
	"matricula/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func TestEveryAnswerCarriesTheHeadersThatProtectIt(t *testing.T) {
	a := app.Start(t, "sqlite")
	for _, path := range []string{"/sign-in", "/", "/api/v1/me", "/api/nothing", "/nothing", "/healthz"} {
		h := a.Anonymous().Get(path).Header
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cache-Control": "no-store",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'self'", "frame-ancestors 'none'", "object-src 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: the policy %q lacks %q", path, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("%s: the policy %q allows unsafe things", path, csp)
		}
	}
}

// TestF12ChangesFromAnotherSiteAreRefused sends what a browser sends when a
// page of another site makes it use our cookies.
func TestF12ChangesFromAnotherSiteAreRefused(t *testing.T) {
	a := app.Start(t, "sqlite")
	_, secret := a.Admin("admin@uni.example")
	c := a.WithSession(secret)
	own := a.URL
	for name, tc := range map[string]struct {
		method, path, contentType, body string
		header                          []string
		refused                         bool
	}{
		"a form of another site":          {"POST", "/courses", "application/x-www-form-urlencoded", "title=X", []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, true},
		"an old browser, by its Origin":   {"POST", "/courses", "application/x-www-form-urlencoded", "title=X", []string{"Origin", "https://evil.example"}, true},
		"a sub-domain":                    {"POST", "/courses", "application/x-www-form-urlencoded", "title=X", []string{"Origin", "http://sub." + strings.TrimPrefix(own, "http://"), "Sec-Fetch-Site", "same-site"}, true},
		"the null origin":                 {"POST", "/courses", "application/x-www-form-urlencoded", "title=X", []string{"Origin", "null"}, true},
		"JSON to the API":                 {"POST", "/api/v1/courses", "application/json", `{"title":"X"}`, []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, true},
		"JSON as text/plain":              {"POST", "/api/v1/courses", "text/plain", `{"title":"X"}`, []string{"Origin", "https://evil.example"}, true},
		"DELETE by script":                {"DELETE", "/api/v1/courses/1", "", "", []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, true},
		"signing out from another site":   {"POST", "/auth/sign-out", "application/x-www-form-urlencoded", "", []string{"Sec-Fetch-Site", "cross-site"}, true},
		"our own form":                    {"POST", "/courses", "application/x-www-form-urlencoded", "title=Mine", []string{"Origin", own, "Sec-Fetch-Site", "same-origin"}, false},
		"our own form in an old browser":  {"POST", "/courses", "application/x-www-form-urlencoded", "title=Mine", []string{"Origin", own}, false},
		"a method override is no method ": {"GET", "/courses/new?_method=POST", "", "", []string{"X-HTTP-Method-Override", "POST"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			res := c.Do(tc.method, tc.path, tc.contentType, strings.NewReader(tc.body), tc.header...)
			if got := res.Status == http.StatusForbidden; got != tc.refused {
				t.Fatalf("answered %d: %s", res.Status, lms.Clip(string(res.Body), 200))
			}
		})
	}
	var list struct{ Items []struct{ Title string } }
	c.Get("/api/v1/courses").Want(200).Into(&list)
	for _, course := range list.Items {
		if course.Title == "X" {
			t.Error("another site made a course")
		}
	}
	token := a.Token("sis", lms.SiteAdmin)
	a.WithToken(token).JSON("POST", "/api/v1/courses", map[string]string{"title": "By a program"}, "Origin", "https://other.example").Want(201)
}

// TestAProxyMayRewriteTheHost sends what arrives behind a proxy that puts its
// own idea of the host into the request: the browser's Origin is still the
// address that people type.
func TestAProxyMayRewriteTheHost(t *testing.T) {
	a := app.Start(t, "sqlite")
	_, secret := a.Admin("admin@uni.example")
	inside, err := url.Parse(a.URL)
	if err != nil {
		t.Fatal(err)
	}
	send := func(origin string) int {
		req, err := http.NewRequest(http.MethodPost, a.URL+"/courses", strings.NewReader("title=X"))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "inside.internal:9000"
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", origin)
		req.AddCookie(&http.Cookie{Name: "matricula", Value: secret})
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.StatusCode
	}
	if got := send(inside.Scheme + "://" + inside.Host); got != http.StatusSeeOther {
		t.Errorf("our own form was answered %d", got)
	}
	if got := send("https://evil.example"); got != http.StatusForbidden {
		t.Errorf("another site's form was answered %d", got)
	}
}

// TestF13NoOriginIsEverAllowedToRead asks as scripts of other origins do.
func TestF13NoOriginIsEverAllowedToRead(t *testing.T) {
	a := app.Start(t, "sqlite")
	_, secret := a.Admin("admin@uni.example")
	for _, origin := range []string{"https://evil.example", "null", a.URL + ".evil.example", "http://localhost"} {
		for _, method := range []string{"GET", "OPTIONS"} {
			res := a.WithSession(secret).Do(method, "/api/v1/me", "", nil, "Origin", origin, "Access-Control-Request-Method", "GET")
			if got := res.Header.Get("Access-Control-Allow-Origin"); got != "" {
				t.Errorf("%s from %s: allowed %q", method, origin, got)
			}
		}
	}
}

// TestF25LinksAreBuiltFromTheConfiguredAddress asks with false hosts.
func TestF25LinksAreBuiltFromTheConfiguredAddress(t *testing.T) {
	a := app.Start(t, "sqlite")
	res := a.Anonymous().Do("GET", "/auth/google/start", "", nil, "X-Forwarded-Host", "evil.example", "Forwarded", "host=evil.example")
	u, err := url.Parse(res.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	if got := u.Query().Get("redirect_uri"); got != a.URL+"/auth/google/callback" {
		t.Errorf("the way back is %q", got)
	}
	problem := a.Anonymous().Do("GET", "/api/v1/me", "", nil, "X-Forwarded-Host", "evil.example").Want(401)
	if strings.Contains(string(problem.Body), "evil") {
		t.Errorf("the problem speaks of another host: %s", problem.Body)
	}
}

// TestA37EverythingIsThereInTheFirstRequestAfterTheCallback signs somebody in
// over HTTP who was given things before, on both engines.
func TestA37EverythingIsThereInTheFirstRequestAfterTheCallback(t *testing.T) {
	app.EachEngine(t, func(t *testing.T, engine string) {
		a := app.Start(t, engine)
		sis := a.WithToken(a.Token("sis", lms.SiteAdmin))
		for i := range 3 {
			var course struct{ ID int64 }
			sis.JSON("POST", "/api/v1/courses", map[string]string{"title": fmt.Sprintf("Course %d", i)}).Want(201).Into(&course)
			sis.JSON("PUT", app.Path("/api/v1/courses/%d/enrollments", course.ID), map[string]any{"emails": []string{"Grace@Uni.Example"}, "role": []string{"student", "owner", "teacher"}[i]}).Want(200)
			if i == 2 {
				sis.JSON("PATCH", app.Path("/api/v1/users/-1/privileges?course_id=%d", course.ID), map[string]any{"email": "grace@uni.example", "deny": []string{"staff.manage"}}).Want(200)
			}
		}
		grace := a.Anonymous()
		grace.SignIn(a, apptest.Somebody("grace@uni.example", "Grace", "Hopper")).Want(200)
		var me struct {
			Courses []struct {
				CoursePrivileges []string `json:"course_privileges"`
			}
		}
		grace.Get("/api/v1/me").Want(200).Into(&me)
		if len(me.Courses) != 3 {
			t.Fatalf("%d courses, want 3", len(me.Courses))
		}
		for _, c := range me.Courses {
			if len(c.CoursePrivileges) == 5 {
				t.Errorf("the denial is not in force: %v", c.CoursePrivileges)
			}
		}
	})
}

// TestNothingPersonalIsLogged is H-04 and F-34: an address and secrets go
// through many routes, and none of them reaches the log.
func TestH04NoAddressAndNoSecretReachesTheLog(t *testing.T) {
	a := app.Start(t, "sqlite")
	root, secret := a.Admin("admin-canary@uni.example")
	token := a.Token("canary-service", lms.SiteAdmin)
	c := a.WithSession(secret)
	sis := a.WithToken(token)
	var course struct{ ID int64 }
	sis.JSON("POST", "/api/v1/courses", map[string]string{"title": "C"}).Want(201).Into(&course)
	for _, path := range []string{
		"/api/v1/users?search=canary", "/api/v1/users?search=canary%40uni.example", "/canary@uni.example", "/%63anary@uni.example", "/api/v1/canary@uni.example",
		"/sign-in?next=/canary@uni.example", "/auth/google/callback?code=canary-code&state=canary-state", "/auth/canary@uni.example/start",
		app.Path("/api/v1/users/%d", root.ID), "/courses/canary@uni.example/people",
	} {
		c.Get(path)
		sis.Get(path)
	}
	sis.JSON("PATCH", app.Path("/api/v1/users/-1/privileges?course_id=%d&email=canary@uni.example", course.ID), map[string]any{"course_privileges": []string{"roster.view"}}).Want(200)
	sis.JSON("PATCH", app.Path("/api/v1/users/-1/privileges?course_id=%d", course.ID), map[string]any{"email": "canary @uni.example", "course_privileges": []string{}}).Want(422)
	sis.JSON("PUT", app.Path("/api/v1/courses/%d/enrollments", course.ID), map[string]any{"emails": []string{"canary2@uni.example", "canary@@uni"}, "role": "student"}).Want(200)
	c.Post(app.Path("/courses/%d/people/find", course.ID), url.Values{"email": {"canary3@uni.example"}})
	c.Post("/admin/people/search", url.Values{"search": {"canary"}})
	a.WithToken("mat_canary-token").Get("/api/v1/me").Want(401)
	a.WithSession("canary-session").Get("/")
	a.Anonymous().SignIn(a, apptest.Somebody("canary4@elsewhere.example", "Canary", "Four"))
	a.Anonymous().Do("GET", "/canary\u00a0path", "", nil, "User-Agent", "canary-agent", "Referer", "http://canary.example/")
	log := a.Log.String()
	if !strings.Contains(log, `"path":"/api/v1/users"`) {
		t.Fatalf("the log does not even hold the requests: %s", lms.Clip(log, 500))
	}
	for line := range strings.Lines(log) {
		if strings.Contains(strings.ToLower(line), "canary") || strings.Contains(line, secret) || strings.Contains(line, token) {
			t.Errorf("logged: %s", line)
		}
	}
}

func TestF26TheClientsAddressIsNotTakenFromAHeader(t *testing.T) {
	a := app.Start(t, "sqlite")
	a.Anonymous().Do("GET", "/sign-in", "", nil, "X-Forwarded-For", "203.0.113.7")
	if strings.Contains(a.Log.String(), "203.0.113.7") {
		t.Error("X-Forwarded-For was believed without a trusted proxy")
	}
}

func TestABodyOverTheLimitIsRefusedInTheFacesOwnWords(t *testing.T) {
	a := app.Start(t, "sqlite")
	_, secret := a.Admin("admin@uni.example")
	big := strings.Repeat("x", 5<<20)
	if got := a.WithSession(secret).Do("POST", "/api/v1/courses", "application/json", strings.NewReader(big)).Want(413).Problem(); got != "too-large" {
		t.Errorf("the problem is %q", got)
	}
	page := a.WithSession(secret).Do("POST", "/courses", "application/x-www-form-urlencoded", strings.NewReader("title="+big))
	if page.Status != 413 || !strings.Contains(page.Header.Get("Content-Type"), "text/html") {
		t.Errorf("the page answered %d %s", page.Status, page.Header.Get("Content-Type"))
	}
	// A list may be longer, and is refused by its own limit before it is read.
	list := httptest.NewRequest("POST", "/api/v1/courses/1/imports", nil)
	list.ContentLength = 300 << 20
	w := httptest.NewRecorder()
	a.Server.Handler().ServeHTTP(w, list)
	if w.Code != 413 || !strings.Contains(w.Body.String(), "file-too-large") || !strings.Contains(w.Body.String(), "200 MB") {
		t.Errorf("a list that is too long: %d %s", w.Code, w.Body)
	}
}

func TestC30OtherSpellingsOfARouteDecideAlike(t *testing.T) {
	a := app.Start(t, "sqlite")
	_, secret := a.Active("student@uni.example", "A", "Student")
	c := a.WithSession(secret)
	for _, path := range []string{
		"/admin/people", "/admin/people/", "//admin/people", "/admin//people", "/./admin/people", "/x/../admin/people", "/admin/%70eople", "/ADMIN/people", "/admin/people;x=1", "/admin%2fpeople",
	} {
		res := c.Follow().Get(path)
		if res.Status == http.StatusOK {
			t.Errorf("%s was served", path)
		}
	}
	for _, method := range []string{"TRACE", "CONNECT", "PROPFIND", "DELETE", "PUT"} {
		if res := c.Do(method, "/admin/people", "", nil); res.Status < 400 {
			t.Errorf("%s answered %d", method, res.Status)
		}
	}
	head := c.Do("HEAD", "/admin/people", "", nil)
	if head.Status != http.StatusForbidden {
		t.Errorf("HEAD answered %d", head.Status)
	}
}

// TestG03ASlowClientIsCutOff opens a connection and never finishes its header.
func TestG03ASlowClientIsCutOff(t *testing.T) {
	a := app.Start(t, "sqlite")
	conn, err := net.Dial("tcp", strings.TrimPrefix(a.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(bufio.NewReader(conn))
	if ne, ok := err.(net.Error); ok && ne.Timeout() {
		t.Fatal("the connection was still open after 20 seconds")
	}
	if strings.Contains(string(answer), "200 OK") {
		t.Errorf("served: %s", answer)
	}
}

func TestMetricsAreForThisMachineAndAdministrators(t *testing.T) {
	a := app.Start(t, "sqlite")
	a.Anonymous().Get("/metrics").Want(200)
	behindProxy := []string{"X-Forwarded-For", "203.0.113.7"}
	a.Anonymous().Do("GET", "/metrics", "", nil, behindProxy...).Want(401)
	a.WithToken(a.Token("reader", lms.SiteTeacher)).Do("GET", "/metrics", "", nil, behindProxy...).Want(403)
	a.WithToken("mat_wrong").Do("GET", "/metrics", "", nil, behindProxy...).Want(401)
	a.WithToken(a.Token("sis", lms.SiteAdmin)).Do("GET", "/metrics", "", nil, behindProxy...).Want(200)
}

func TestA03ASessionOfBeforeTheClaimIsWorthNothingAfterIt(t *testing.T) {
	app.EachEngine(t, func(t *testing.T, engine string) {
		a := app.Start(t, engine)
		sis := a.WithToken(a.Token("sis", lms.SiteAdmin))
		sis.JSON("POST", "/api/v1/users", map[string]string{"email": "victim@uni.example"}).Want(201)
		kept := a.WithSession("a cookie that an attacker chose")
		kept.Get("/api/v1/me").Want(401)
		victim := a.WithSession("a cookie that an attacker chose")
		victim.SignIn(a, apptest.Somebody("victim@uni.example", "V", "V")).Want(200)
		victim.Get("/api/v1/me").Want(200)
		kept.Get("/api/v1/me").Want(401)
	})
}

func TestD02ThePersonWhoSignsInOnTwoDevicesAtOnceGetsTwoSessions(t *testing.T) {
	app.EachEngine(t, func(t *testing.T, engine string) {
		a := app.Start(t, engine)
		sis := a.WithToken(a.Token("sis", lms.SiteAdmin))
		for i := range 10 {
			address := fmt.Sprintf("d02-%d@uni.example", i)
			var named struct{ ID int64 }
			sis.JSON("POST", "/api/v1/users", map[string]string{"email": address}).Want(201).Into(&named)
			a.Issuer.SignInAs(apptest.Somebody(address, "Two", "Devices"))
			devices := []*app.Client{a.Anonymous().Follow(), a.Anonymous().Follow()}
			done := make(chan int, len(devices))
			for _, d := range devices {
				go func() { done <- d.Get("/auth/google/start?next=/").Status }()
			}
			for range devices {
				if status := <-done; status != 200 {
					t.Fatalf("a device was answered %d", status)
				}
			}
			for _, d := range devices {
				var me struct{ User struct{ ID int64 } }
				d.Get("/api/v1/me").Want(200).Into(&me)
				if me.User.ID != named.ID {
					t.Fatalf("signed in as %d, want %d", me.User.ID, named.ID)
				}
			}
			who, err := a.Service.Identities(context.Background(), a.As(secretOf(t, a, devices[0])))
			if err != nil || len(who) != 1 {
				t.Fatalf("%d identities, %v", len(who), err)
			}
		}
	})
}

func secretOf(t *testing.T, a *app.App, c *app.Client) string {
	t.Helper()
	for _, cookie := range c.Cookies() {
		if cookie.Name == "matricula" {
			return cookie.Value
		}
	}
	t.Fatalf("%s set no session", a.URL)
	return ""
}
