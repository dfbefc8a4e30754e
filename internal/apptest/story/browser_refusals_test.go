package story_test

import (
	"fmt"
	"strings"
	"testing"

	"matricula/internal/apptest"
	"matricula/internal/apptest/app"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
)

// Whoever is not let in reads why, and whom to ask.
func TestRefusedSignInsExplainThemselves(t *testing.T) {
	app.EachEngine(t, func(t *testing.T, engine string) {
		t.Parallel()
		other := apptest.NewIssuer(t)
		c := openCampus(t, engine, app.WithFurtherProviders(signin.Provider{
			Name: "partner", Label: "Partner login", Issuer: other.URL, ClientID: apptest.ClientID, ClientSecret: apptest.ClientSecret,
			Kind: signin.KindOIDC, Domains: []string{"partner.example"},
		}))
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

		c.noAddressesIn(t, stranger, impostor)
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
	app.EachEngine(t, func(t *testing.T, engine string) {
		t.Parallel()
		c := openCampus(t, engine)
		root := c.administrator(t)
		adaID, course := c.course(t, root)
		graceID := c.give(t, root, course, grace, lms.RoleTeacher)

		reader, clicker := c.arrive(t, grace), c.arrive(t, grace)
		reader.ClickText(courseLinks, "Algorithms")
		clicker.ClickText(courseLinks, "Algorithms")
		clicker.ClickText(courseMenu+" a", "People")
		before := clicker.Count("#people tbody tr")
		if before != 2 {
			t.Fatalf("Grace sees %d people before, want Ada and herself", before)
		}

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
		c.mayDo(t, root, course, adaID, lms.AllPrivileges().List()...)

		// Restored, she finds everything as it was.
		active := string(lms.StatusActive)
		if _, err := c.Service.UpdateUser(t.Context(), root, graceID, service.UserPatch{Status: &active}); err != nil {
			t.Fatal(err)
		}
		clicker.signIn()
		clicker.sees("h1", "People") // where she was
		if after := clicker.Count("#people tbody tr"); after != before {
			t.Errorf("after the account was restored she sees %d people, want %d", after, before)
		}
		c.noAddressesIn(t, reader, clicker)
	})
}

// Whoever uses the machine next finds nothing with "back".
func TestNothingOfAnAccountIsLeftAfterSigningOut(t *testing.T) {
	for name, opts := range map[string][]apptest.BrowserOption{
		"with scripts":    nil,
		"without scripts": {(*apptest.Page).NoJavaScript},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := openCampus(t, "sqlite")
			root := c.administrator(t)
			_, course := c.course(t, root)
			v := c.arrive(t, ada, opts...)
			v.ClickText(courseLinks, "Algorithms")
			v.ClickText(courseMenu+" a", "People")
			v.sees("#people", "Ada Lovelace")
			v.Click(signOutButton)
			v.sees("[role=status]", "You are signed out")
			if v.session() != "" {
				t.Error("the browser still has a session cookie")
			}
			for range 3 {
				v.Back()
				v.sees("h1", "Sign in")
				if text := v.Text("body"); strings.Contains(text, "Ada") || strings.Contains(text, "Algorithms") || strings.Contains(text, "@") {
					t.Errorf("back after signing out shows %q", text)
				}
			}
			v.Open(fmt.Sprintf("%s/courses/%d/people", c.URL, course))
			v.sees("h1", "Sign in")
			c.noAddressesIn(t, v)
		})
	}
}

// course makes Ada active, with the course Algorithms.
func (c *campus) course(t *testing.T, root access.Caller) (adaID, courseID int64) {
	t.Helper()
	c.teacher(t, ada)
	owner := c.earlier(t, ada)
	v, err := c.Service.CreateCourse(t.Context(), owner, lms.CourseFields{Title: "Algorithms", Code: "CS-201"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return owner.UserID, v.Course.ID
}
