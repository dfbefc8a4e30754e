package web_test

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"matricula/internal/lang"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// retries makes sure that an answer says when to try again.
func (a *answer) retries() *answer {
	a.tb.Helper()
	if n, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || n < 1 {
		a.tb.Errorf("%s: Retry-After is %q", a.url, a.header.Get("Retry-After"))
	}
	return a
}

// unlimited sets the limits so high that a test about something else never meets them.
func (c *course) unlimited() {
	c.tb.Helper()
	for _, l := range lms.Limits() {
		if _, err := c.svc.SetLimit(c.tb.Context(), c.admin.caller, l.Name, lms.MaxLimit); err != nil {
			c.tb.Fatal(err)
		}
	}
}

func TestLimitsAreSetAndLiftedOnOnePage(t *testing.T) {
	c := algorithms(t)
	c.admin.get("/admin/settings").says("a[href='/admin/limits']", "Limits")
	page := c.admin.get("/admin/limits").says("h1", "Limits").says(".empty", "No limit is lifted").says(".limits th", "People whom one person names")
	if n := len(page.all(".limits tbody tr")); n != len(lms.Limits()) {
		t.Errorf("%d limits are shown", n)
	}
	set := c.admin.post("/admin/limits", "limit", "naming-person", "amount", "3").wantTo("/admin/limits").says(".flash", "The limit is set").says(".limits .hint", "set on")
	if v, _ := attr(set.one("#amount-naming-person"), "value"); v != "3" {
		t.Errorf("the field holds %q", v)
	}
	wrong := c.admin.post("/admin/limits", "limit", "naming-course", "amount", "many").want(http.StatusUnprocessableEntity).says(".summary", "A limit is a number from 1")
	if v, _ := attr(wrong.one("#amount-naming-course"), "value"); v != "many" {
		t.Errorf("what was typed is lost: %q", v)
	}
	day, _ := c.day(7)
	const form = "section.find form"
	set.submit(form, "limit", "naming-person", "for", "nobody@uni.example", "until", day).want(http.StatusUnprocessableEntity).says("#lift-for-fault", "Nobody with this address").says(".find .summary", "Nobody with")
	set.submit(form, "limit", "naming-course", "for", "x", "until", day).want(http.StatusUnprocessableEntity).says("#lift-for-fault", "There is no such course")
	set.submit(form, "limit", "naming-domain", "for", "x", "until", day).want(http.StatusUnprocessableEntity).says("#lift-for-fault", "This is no domain")
	set.submit(form, "limit", "naming-person", "for", "ada@uni.example", "until", "soon").want(http.StatusUnprocessableEntity).says("#lift-until-fault", "Choose another one")
	lifted := set.submit(form, "limit", "naming-person", "for", " Ada@uni.example ", "until", day, "reason", "Open day").wantTo("/admin/limits").
		says(".flash", "Lifted").says("tbody th a", "Ada Lovelace").says("tbody .hint", "Open day").says("tbody td", "Root")
	c.admin.get("/admin/limits").submit(form, "limit", "naming-course", "for", "#"+strconv.FormatInt(c.id, 10), "until", day).wantTo("/admin/limits").says("tbody th a", "Algorithms")
	c.admin.get("/admin/limits").submit(form, "limit", "naming-domain", "for", "Mail.Example", "until", day).wantTo("/admin/limits").says("tbody .address", "mail.example")
	ended := lifted.submit("form[action='/admin/limits/end']").wantTo("/admin/limits").says(".flash", "Ended")
	if strings.Contains(text(ended.root), "Open day") {
		t.Error("what was ended is still listed")
	}
	c.admin.get("/admin/audit").says("body", "lifted a limit for").says("body", "ended the lifting of a limit for")
	c.ada.get("/admin/limits").want(http.StatusForbidden)
	c.ada.post("/admin/limits/lift", "limit", "naming-person", "for", "ada@uni.example", "until", day).want(http.StatusForbidden)
}

func TestPagesSayInTheRightPlaceThatALimitIsMet(t *testing.T) {
	c := algorithms(t)
	limit := func(name lms.LimitName, amount int64) {
		t.Helper()
		if _, err := c.svc.SetLimit(t.Context(), c.admin.caller, name, amount); err != nil {
			t.Fatal(err)
		}
	}
	limit(lms.LimitNamingPerson, 1)
	const sentence = "One person can name at most 1 people a day whom nobody knew here; with these it would be 2. Nothing was changed."
	add := func() *answer {
		return c.ada.post(c.path+"/people/add", "emails", "grace@uni.example\nzoe@uni.example", "role", "student", "do", "add")
	}
	add().want(http.StatusTooManyRequests).retries().says(".summary", sentence).says(".summary", "An administrator can lift this limit for you.").says("table .address", "grace@uni.example")
	c.ada.get(c.path + "/people").want(http.StatusOK)
	_, err := c.svc.Enroll(t.Context(), c.ada.caller, service.EnrollRequest{CourseID: c.id, Role: lms.RoleStudent, Emails: []string{"grace@uni.example", "zoe@uni.example"}})
	var e *lms.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	italian := lang.Pick("it").Error(e)
	for _, want := range []string{"Una persona può nominare al massimo 1 persone al giorno", "Non è cambiato nulla.", "dividi l'elenco", "Un amministratore può sospendere questo limite per te."} {
		if !strings.Contains(italian, want) {
			t.Errorf("in Italian: %q lacks %q", italian, want)
		}
	}
	limit(lms.LimitFinding, 2) // the list was checked once
	c.ada.post(c.path+"/people/find", "email", "root").want(http.StatusOK)
	c.ada.post(c.path+"/people/find", "email", "ro").want(http.StatusTooManyRequests).retries().says("#email-fault", "at most 2 times a minute")
	c.ada.enhanced(c.path+"/people/find", "email", "zoe@uni.example").want(http.StatusTooManyRequests).retries().says(".summary", "at most 2 times a minute")
}

func TestAListThatMeetsALimitSaysSoOnItsPage(t *testing.T) {
	c := algorithms(t)
	if _, err := c.svc.SetLimit(t.Context(), c.admin.caller, lms.LimitNamingCourse, 1); err != nil {
		t.Fatal(err)
	}
	page, list := c.bring(c.ada, "class.csv", "email\ngrace@uni.example\nzoe@uni.example\n", "role", "student")
	page.says(".review .notice", "This list names 2 people whom nobody knows here")
	paused := c.press(c.ada, page, "form.start").says(".progress", "The list waits: the limit “People who are named in one course” is used up.").
		says(".progress button", "Try to go on now").says(".progress", "0 of 2 rows")
	if paused.has("[data-events]") {
		t.Error("a page that waits for a day asks every moment")
	}
	c.press(c.ada, paused, ".progress form[action='"+list+"/start']").says(".progress", "The list waits")
	if _, err := c.svc.SetLimit(t.Context(), c.admin.caller, lms.LimitNamingCourse, 10); err != nil {
		t.Fatal(err)
	}
	c.settled(c.ada, list)
	c.ada.get(list).says(".meta", "Done").says(".counted", "2 Came in")
}
