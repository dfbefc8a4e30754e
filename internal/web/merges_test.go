package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"matricula/internal/service"
	"matricula/internal/web"
)

// follow goes where an answer leads.
func (a *answer) follow() *answer {
	a.tb.Helper()
	a.want(http.StatusSeeOther)
	return a.b.get(a.header.Get("Location"))
}

// known names people, who can sign in then.
func (c *course) known(emails ...string) {
	c.tb.Helper()
	for _, e := range emails {
		c.name(c.admin, e, "member")
	}
}

func TestATeacherMergesASlipIntoSomebodyOfTheCourseAndSplitsItAgain(t *testing.T) {
	c := algorithms(t)
	grace := c.enroll("student", "grace@uni.example")
	graceAtHome := c.signedIn("grace@uni.example", "Grace", "Hopper")
	slip := c.enroll("assistant", "grace@uin.example")

	page := c.ada.get(fmt.Sprintf("%s/people/%d", c.path, slip))
	page.says("a", "This is somebody who is here already")
	if c.ada.get(fmt.Sprintf("%s/people/%d", c.path, grace)).has("a.merging") {
		t.Error("somebody who has signed in is offered to be merged by a teacher")
	}
	link, _ := attr(page.one("a.merging"), "href")
	asked := c.ada.get(link).says(".facts", "grace@uin.example")
	const form = "form.stack"
	asked.submit(form, "keep", "nobody@uni.example").want(http.StatusNotFound).says(".summary", "no such person")
	asked.submit(form, "keep", "ada@uni.example").want(http.StatusForbidden).says(".summary", "One of these accounts is yours")
	asked.submit(form, "keep", "grace").want(http.StatusUnprocessableEntity).says("#keep-fault", "@")
	asked.submit(form, "keep", "").want(http.StatusUnprocessableEntity).says("#keep-fault", "Write the address")
	preview := asked.submit(form, "keep", " Grace@Uni.example ").follow().
		says(".lead", "grace@uin.example becomes Grace Hopper (grace@uni.example)").
		says("tbody th", "Algorithms").says("tbody td", "Assistant").says(".reason", "Of the roles Student and Assistant, Assistant stays.").
		says("li", "is not proved by that")
	if m := c.member(slip); m.User.ID != slip {
		t.Error("looking merged them")
	}
	if strings.Contains(preview.url, "@") || strings.Contains(preview.url, "%40") {
		t.Errorf("an address stands in the address of the page: %s", preview.url)
	}
	merged := preview.submit(form).follow().says(".flash", "Both are one person now").says(".facts", "grace@uin.example").says("h2", "Split them again").says(".card li", "Algorithms is as it was before")
	if m := c.member(grace); m.Enrollment.Role.Key != "assistant" {
		t.Errorf("she is %s", m.Enrollment.Role.Key)
	}
	c.ada.get(fmt.Sprintf("%s/people/%d", c.path, slip)).want(http.StatusNotFound)
	c.ada.get("/merges").says("tbody th", "grace@uin.example").says("tbody td", "Merged")
	graceAtHome.get("/merges").says("tbody td", "Grace Hopper")
	c.known("bob@uni.example")
	c.signedIn("bob@uni.example", "Bob", "Brown").get("/merges").says(".empty", "There are no merges")
	c.ada.get(c.path+"/audit").says("tbody th", "Ada Lovelace merged an account into that of Grace Hopper").says(".changes div", "Role Student → became Assistant")
	c.admin.get("/admin/audit").says(".changes div", "What moved")
	// An administrator's page about the old number leads to who it is now.
	c.admin.get(fmt.Sprintf("/admin/people/%d", slip)).wantTo(fmt.Sprintf("/admin/people/%d", grace))

	merged.submit(".card form").follow().says(".flash", "They are two people again").says(".facts", "Split again")
	if m := c.member(grace); m.Enrollment.Role.Key != "student" {
		t.Errorf("after the split she is %s", m.Enrollment.Role.Key)
	}
	if m := c.member(slip); m.Enrollment.Role.Key != "assistant" {
		t.Errorf("after the split the other is %s", m.Enrollment.Role.Key)
	}
}

func TestTwoWhoHaveSignedInFindTheQuestionOnTheirAccountPages(t *testing.T) {
	c := algorithms(t)
	c.known("hopper@uni.example", "murray@home.example")
	one, other := c.signedIn("hopper@uni.example", "Grace", "Hopper"), c.signedIn("murray@home.example", "G", "Murray")
	asked := c.admin.get("/merges/new").submit("form.stack", "keep", "hopper@uni.example", "merge", "murray@home.example").follow().
		says(".notice", "Both have signed in here").submit("form.stack").follow().says(".flash", "Both people are asked").says("li", "The other has not answered yet")
	path := strings.TrimPrefix(asked.url, "GET ")
	path, _, _ = strings.Cut(path, "?")
	for _, b := range []*browser{one, other} {
		link, _ := attr(b.get("/account").says("h2", "Is a second account here yours?").one(".card a.button"), "href")
		question := b.get(link).says("h1", "Are these accounts one person’s?")
		if b == one && strings.Contains(text(question.root), "murray@home.example") {
			t.Error("she sees the whole address of the other")
		}
		b.get(link).submit("form.accept").wantTo("/account").says(".flash", "Nothing has changed yet")
		if b.get("/account").has(".card a.button") {
			t.Error("she is asked again")
		}
	}
	c.ada.get(path).want(http.StatusNotFound)
	c.admin.get(path).says("h2", "Both have said yes").submit("form.complete").follow().says(".flash", "Both are one person now")
	one.get("/account").says("h1", "My account")
	other.get("/account").want(http.StatusSeeOther) // signed out
	c.signedIn("murray@home.example", "G", "Murray").get("/account").says("main", "hopper@uni.example")
}

func TestSomebodySaysThatAnotherAccountIsNotTheirs(t *testing.T) {
	c := algorithms(t)
	c.known("hopper@uni.example", "murray@home.example")
	one := c.signedIn("hopper@uni.example", "Grace", "Hopper")
	c.signedIn("murray@home.example", "G", "Murray")
	c.admin.get("/merges/new").submit("form.stack", "keep", "hopper@uni.example", "merge", "murray@home.example").follow().submit("form.stack").follow().says(".flash", "Both people are asked")
	link, _ := attr(one.get("/account").one(".card a.button"), "href")
	one.get(link).submit("form.withdraw").wantTo("/account").says(".flash", "Nothing has changed")
	c.admin.get(link).says(".facts", "Withdrawn")
}

func TestPeopleWhoLookLikeOneAreListedForAdministrators(t *testing.T) {
	c := algorithms(t)
	c.enroll("student", "alice@gmail.com")
	c.enroll("student", "alice@googlemail.com")
	list := c.admin.get("/admin/duplicates").says("li", "alice@gmail.com").says("li", "alice@googlemail.com").says(".hint", "Both addresses can lead to one mailbox")
	link, _ := attr(list.one("a.merging"), "href")
	c.admin.get(link).says(".lead", "alice@googlemail.com becomes alice@gmail.com")
	list.submit("form[action=/admin/duplicates]").wantTo("/admin/duplicates").says(".flash", "not listed again").says(".empty", "Nobody here looks like somebody else")
	c.admin.get("/admin/people").says("a", "People who look like one")
	c.ada.get("/admin/duplicates").want(http.StatusForbidden)
	c.ada.post("/admin/duplicates", "one", "1", "other", "2").want(http.StatusForbidden)
}

// Whatever a merge can move has its words.
func TestEveryPartOfAMergeHasItsWords(t *testing.T) {
	for _, part := range service.MergeParts() {
		if web.PartWord(part) == "" {
			t.Errorf("%s has no words in partWords", part)
		}
	}
}
