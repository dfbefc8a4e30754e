package web_test

import (
	"net/http"
	"testing"

	"matricula/internal/apptest"
	"matricula/internal/lms"
)

func TestATeacherLooksAtTheCourseAsSomebodyWhoIsNotHereYet(t *testing.T) {
	c := algorithms(t)
	grace := c.enroll("student", "grace@uni.example")
	helper := c.enroll("assistant", "helper@uni.example")
	c.ada.post(c.path+"/announcements", "title", "Welcome", "body", "Bring a *pen*").want(http.StatusSeeOther)
	panel := c.ada.get(c.personPath(grace))
	look := panel.submit("form.look").want(http.StatusOK).says(".looking", "as grace@uni.example would see it").says(".looking", "notes that you looked").says(".looking a", "Back to my own view").
		says(".told h3", "Welcome").says(".told em", "pen").says(".card h2", "You are here as: Student")
	if look.has(".looked-at a") || look.has(".looked-at input") || len(look.all(".looked-at form")) != 2 {
		t.Error("something can be pressed")
	}
	as := c.ada.post(c.personPath(helper)+"/look").want(http.StatusOK).says(".looked-at nav button", "People").says(".looked-at", "3 people")
	people := c.ada.post(c.personPath(helper)+"/look", "page", "people").want(http.StatusOK).says(".looked-at tbody", "Ada Lovelace").says(".looked-at tbody", "(you)")
	if people.has(".looked-at a") || people.has(".looked-at input") || len(as.all(".looked-at nav form")) != 3 {
		t.Error("something can be pressed")
	}
	// A page that the student would not have is not shown by asking for it.
	if a := c.ada.post(c.personPath(grace)+"/look", "page", "people").want(http.StatusOK); a.has(".looked-at table") {
		t.Error("a student is shown the roster")
	}
	c.ada.get(c.personPath(grace) + "/look").wantTo(c.personPath(grace))
	c.ada.get(c.path+"/audit").says("tbody", "looked at the course as it appears to grace@uni.example")
	if c.ada.get(c.personPath(c.ada.user.ID)).has("form[action=" + c.personPath(c.ada.user.ID) + "/look]") {
		t.Error("one is offered to look as oneself")
	}
	c.enroll("student", "sam@uni.example")
	sam := c.signedIn("sam@uni.example", "Sam", "Okoro")
	sam.post(c.personPath(grace) + "/look").want(http.StatusForbidden)
	if m := c.member(grace); m.User.Status != lms.StatusPending || !m.User.LastSeenAt.IsZero() {
		t.Errorf("Grace is %+v", m.User)
	}
}

func TestInABrowserWhatASwitchIncludesComesAlong(t *testing.T) {
	c := algorithms(t)
	sam := c.enroll("student", "sam@uni.example")
	p := c.browse("ada@uni.example", "Ada", "Lovelace")
	p.Open(c.url(c.personPath(sam)))
	on := func() string {
		return apptest.Eval[string](p, `[...document.querySelectorAll(".panel-form input[role=switch]:checked")].map((e) => e.value).join(" ")`)
	}
	p.Click(".panel-form input[value='roster.manage']")
	if got := on(); got != "roster.view roster.manage" {
		t.Errorf("with managing come %q", got)
	}
	p.Click(".panel-form input[value='roster.view']")
	if got := on(); got != "" {
		t.Errorf("without viewing there are %q", got)
	}
	c.quiet(t, p)
}
