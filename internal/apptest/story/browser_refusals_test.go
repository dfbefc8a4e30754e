package story_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"matricula/internal/access"
	"matricula/internal/apptest"
	"matricula/internal/apptest/app"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
)

// Whoever is not let in reads why, and whom to ask.
func TestRefusedSignInsExplainThemselves(t *testing.T) {
	t.Parallel()
	app.EachEngine(t, func(t *testing.T, engine string) {
		t.Parallel()
		other := apptest.NewIssuer(t)
		c := openCampus(t, engine, app.WithFurtherProviders(signin.Provider{
			Name: "partner", Label: "Partner login", Issuer: other.URL, ClientID: apptest.ClientID, ClientSecret: apptest.ClientSecret,
			Kind: signin.KindOIDC, Domains: []string{"partner.example"},
		}))
		c.hosts = append(c.hosts, host(t, other.URL))
		c.teacher(t, ada)
		c.teacher(t, grace)

		private := apptest.GooglePerson("stranger@gmail.com", "")
		private.GivenName, private.FamilyName = "Some", "Stranger"
		stranger := c.visit(t, private)
		stranger.signIn()
		stranger.refused("Nobody here has named your e-mail address", "sign in with that one", "tell your teacher the address")
		stranger.ClickText("main a", "Try another way")
		stranger.sees("h1", "Sign in")

		// Grace has been named. A provider that may not speak for her address
		// does not make its word hers, and leaves what waits for her alone.
		impostor := c.visit(t, grace)
		other.SignInAs(apptest.Somebody(grace.Email, "Not", "Grace"))
		impostor.ClickText("form button", "Partner login")
		impostor.refused("We cannot take Partner login's word for your e-mail address", "Look for the button that belongs to")
		impostor.ClickText("main a", "Try another way")
		c.Issuer.SignInAs(grace)
		impostor.Click(signInButton) // by the right door she comes in
		impostor.sees("header.site", "Grace Hopper")
		impostor.sees("main", "New course")

		c.checkTraces(t, "status of 403")
	})
}

// refused fails the test unless the page says that somebody is not signed in,
// and all of this, and the browser holds no session.
func (v *visitor) refused(texts ...string) {
	v.t.Helper()
	v.sees("h1", "You are not signed in")
	v.sees("main", texts...)
	v.sees("main", "What you can do")
	if v.session() != "" {
		v.t.Errorf("%s was refused and has a session", v.who.Email)
	}
	if n := v.Count("header.site nav, " + signOutButton); n != 0 {
		v.t.Errorf("%s was refused and has the menu of somebody who is signed in", v.who.Email)
	}
}

// A suspension reaches a browser that is open: its next click, of whatever
// kind, leads to the sign-in page, and that leads nowhere.
func TestSuspensionEndsWhatAnOpenBrowserMayDo(t *testing.T) {
	t.Parallel()
	app.EachEngine(t, func(t *testing.T, engine string) {
		t.Parallel()
		c := openCampus(t, engine)
		root := c.administrator(t)
		owner, course := c.course(t)
		graceID := c.enroll(t, owner, course, lms.RoleTeacher, grace)[0]

		reader, clicker := c.arrive(t, grace), c.arrive(t, grace)
		reader.ClickText(courseLinks, "Algorithms")
		clicker.ClickText(courseLinks, "Algorithms")
		clicker.ClickText(courseMenu+" a", "People")
		clicker.sees("h1", "People")
		before := clicker.Count("#people tbody tr")
		if before != 2 {
			t.Fatalf("Grace sees %d people before, want Ada and herself", before)
		}

		cookie := reader.session()
		c.WithSession(cookie).Get("/").Want(200)
		suspended := string(lms.StatusSuspended)
		if _, err := c.Service.UpdateUser(t.Context(), root, graceID, service.UserPatch{Status: &suspended}); err != nil {
			t.Fatal(err)
		}
		reader.ClickText(courseMenu+" a", "People")
		reader.sees("h1", "Sign in")
		clicker.Fill(searchField, "ada") // asks by script, not by opening a page
		clicker.sees("h1", "Sign in")
		for _, v := range []*visitor{reader, clicker} {
			if text := v.Text("body"); strings.Contains(text, "Ada") || strings.Contains(text, "Grace") || strings.Contains(text, "Algorithms") {
				t.Errorf("after the suspension the page still shows %q", text)
			}
		}
		reader.signIn()
		reader.sees("h1", "You are not signed in")
		reader.sees("main", "Your account is suspended. Ask the administrator")

		// Restored, she finds everything as it was, at her next sign-in.
		active := string(lms.StatusActive)
		if _, err := c.Service.UpdateUser(t.Context(), root, graceID, service.UserPatch{Status: &active}); err != nil {
			t.Fatal(err)
		}
		if home := c.WithSession(cookie).Get("/"); home.Status != 303 || home.Header.Get("Location") != "/sign-in" {
			t.Errorf("restoring the account has revived a session that the suspension had ended: %d", home.Status)
		}
		clicker.signIn()
		clicker.sees("h1", "People") // where she was
		if after := clicker.Count("#people tbody tr"); after != before {
			t.Errorf("after the account was restored she sees %d people, want %d", after, before)
		}
		c.checkTraces(t, "status of 403")
	})
}

// Whoever uses the machine next finds nothing with "back".
func TestNothingOfAnAccountIsLeftAfterSigningOut(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]apptest.BrowserOption{
		"with scripts":    nil,
		"without scripts": {(*apptest.Page).NoJavaScript},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := openCampus(t, "sqlite")
			_, course := c.course(t)
			people := fmt.Sprintf("/courses/%d/people", course)
			v := c.arrive(t, ada, opts...)
			v.Open(c.URL + people)
			v.sees("#people", "Ada Lovelace")
			v.Click(`a[href="/account"]`)
			v.sees("main", "ada@uni.example")
			v.Click(signOutButton)
			v.sees("[role=status]", "You are signed out")
			if v.session() != "" {
				t.Error("the browser still has a session cookie")
			}
			for _, page := range []string{"/account", people} {
				apptest.Eval[any](v.Page, `history.back()`)
				v.WaitURL("/sign-in?next=" + url.QueryEscape(page))
				v.sees("h1", "Sign in")
				if text := v.Text("body"); strings.Contains(text, "Ada") || strings.Contains(text, "Algorithms") || strings.Contains(text, "@") {
					t.Errorf("back to %s after signing out shows %q", page, text)
				}
			}
			v.Open(c.URL + people)
			v.sees("h1", "Sign in")
			c.checkTraces(t)
		})
	}
}

// course makes Ada active, with the course Algorithms.
func (c *campus) course(t *testing.T) (owner access.Caller, courseID int64) {
	t.Helper()
	c.teacher(t, ada)
	owner = c.earlier(t, ada)
	v, err := c.Service.CreateCourse(t.Context(), owner, lms.CourseFields{Title: "Algorithms", Code: "CS-201"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return owner, v.Course.ID
}

// enroll puts people into a course, known or not, and gives their ids.
func (c *campus) enroll(t *testing.T, as access.Caller, courseID int64, role string, people ...apptest.Person) (ids []int64) {
	t.Helper()
	r := service.EnrollRequest{CourseID: courseID, Role: role, Source: lms.SourceManual}
	for _, p := range people {
		r.Emails = append(r.Emails, p.Email)
	}
	rows, err := c.Service.Enroll(t.Context(), as, r)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if row.Result == service.ResultRefused {
			t.Fatalf("%s was refused: %s", row.Typed, row.Message)
		}
		ids = append(ids, row.UserID)
	}
	return ids
}
