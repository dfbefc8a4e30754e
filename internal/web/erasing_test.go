package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"matricula/internal/lms"
	"matricula/internal/service"
)

func TestSomebodyAsksToBeErasedAndAnAdministratorDecides_H08(t *testing.T) {
	c := algorithms(t)
	id := c.enroll("teacher", "grace@uni.example")
	grace := c.signedIn("grace@uni.example", "Grace", "Hopper")
	person := "/admin/people/" + itoa(id)

	account := grace.get("/account").says("h2", "Erase my account")
	account.submit("form[action='/account/erasure']", "note", strings.Repeat("x", 501)).want(http.StatusUnprocessableEntity).says("#note-fault", "at most 500")
	asked := grace.get("/account").submit("form[action='/account/erasure']", "note", "I leave in June.").wantTo("/account").says(".flash", "Asked").says("main", "You asked for it")
	if asked.has("form[action='/account/erasure']") {
		t.Error("who has asked is offered to ask again")
	}
	asked.submit("form[action='/account/erasure/withdraw']").wantTo("/account").says(".flash", "Withdrawn")
	grace.post("/account/erasure/withdraw").want(http.StatusNotFound)
	grace.get("/account").submit("form[action='/account/erasure']", "note", "I leave in June.").wantTo("/account")

	c.admin.get("/").says(".site-now", "1 person asks to be erased")
	list := c.admin.get("/admin/erasures").says(".erasure h2", "Grace Hopper").says(".erasure blockquote", "I leave in June.")
	list.submit(".erasure form", "reason", " ").want(http.StatusUnprocessableEntity).says(".erasure .summary", "Write why").says(".erasure .fault", "Write why")
	list.submit(".erasure form", "reason", "Your grades are kept until July.").wantTo("/admin/erasures").says(".flash", "Refused").says(".empty", "Nobody is waiting")
	c.admin.get("/admin/erasures?state=refused").says(".erasure", "Your grades are kept until July.").says(".erasure .meta", "by ")
	c.ada.get("/admin/erasures").want(http.StatusForbidden)
	grace.get("/account").says(".notice", "Your grades are kept until July.").submit("form[action='/account/erasure']").wantTo("/account")

	// What is asked before it is done.
	c.admin.get(person).says(".card h2", "Erase the account").says("section h2", "What is kept about this person")
	page := c.admin.get(person+"/erase").says("h1", "Erase Grace Hopper?").says("main li", lms.Pseudonym(id))
	page.submit("form.stack").want(http.StatusUnprocessableEntity).says(".summary", "cannot be undone")
	gone := page.submit("form.stack", "sure", "yes").wantTo(person).says(".flash", "Erased").says("h1", lms.Pseudonym(id)).says(".notice", "leads to nobody")
	if gone.has("form[action='" + person + "/status']") {
		t.Error("the erased can be suspended")
	}
	c.admin.get(person + "/erase").want(http.StatusNotFound)
	c.admin.post(person+"/erase", "sure", "yes").want(http.StatusNotFound)
	done := c.admin.get("/admin/erasures?state=done").says(".erasure h2", lms.Pseudonym(id))
	if done.has("blockquote") {
		t.Error("what the erased wrote is still shown")
	}
	grace.get("/account").want(http.StatusSeeOther)

	// What others see of it.
	c.ada.get(c.path+"/people").says("tbody", lms.Pseudonym(id))
	c.ada.get(c.personPath(id)).says("h1", lms.Pseudonym(id))
	c.ada.get(c.path+"/audit").says("main", lms.Pseudonym(id))
	csv := c.ada.post(c.path + "/people/csv").want(http.StatusOK)
	if !strings.Contains(csv.body, lms.Pseudonym(id)) || strings.Contains(csv.body, "grace@") {
		t.Errorf("the table has %s", csv.body)
	}
	c.ada.get(c.personPath(id)+"/remove").submit("form.actions").wantTo(c.path+"/people").says(".flash", "Removed")
	left := c.ada.get(c.path+"/people/left").says("tbody", lms.Pseudonym(id))
	if left.has("form[action='" + c.personPath(id) + "/back']") {
		t.Error("the erased can be taken back")
	}
}

func TestErasingTheLastOwnerAsksWhatBecomesOfTheCourse_C12(t *testing.T) {
	c := algorithms(t)
	ada := "/admin/people/" + itoa(c.ada.user.ID)
	id := c.enroll("student", "emmy@uni.example")
	c.signedIn("emmy@uni.example", "Emmy", "Noether")
	asked := c.admin.get(ada+"/erase").submit("form.stack", "sure", "yes").want(http.StatusConflict).says(".summary", "Algorithms")
	if !asked.has("input[name=orphan_courses]") {
		t.Error("nobody asks whether the course may be orphaned")
	}
	asked.submit("form.stack", "sure", "yes", "successor", "nobody@uni.example").want(http.StatusUnprocessableEntity).says("#successor-fault", "has signed in")
	asked.submit("form.stack", "sure", "yes", "successor", "emmy@uni.example").wantTo(ada)
	if r, err := c.svc.Access(context.Background(), c.admin.caller, c.id, id); err != nil || !r.Member.Enrollment.Role.Owner() {
		t.Errorf("the successor is %+v (%v)", r.Member.Enrollment, err)
	}
	// Suspending asks the same.
	emmy := "/admin/people/" + itoa(id)
	asked = c.admin.post(emmy+"/status", "status", "suspended").want(http.StatusConflict).says(".summary", "Algorithms")
	if !asked.has("#successor") || !asked.has("input[name=orphan_courses]") {
		t.Error("suspending does not ask what becomes of the course")
	}
	c.admin.post(emmy+"/status", "status", "suspended", "orphan_courses", "yes").want(http.StatusSeeOther)
}

func TestAnAdministratorDownloadsTheDataOfSomebodyPending_H07(t *testing.T) {
	c := algorithms(t)
	id := c.enroll("student", "late@uni.example")
	path := "/admin/people/" + itoa(id)
	c.ada.post(path + "/data").want(http.StatusForbidden)
	file := c.admin.get(path).submit("form[action='" + path + "/data']").want(http.StatusOK)
	var d struct {
		ID        int64
		Status    string
		NamedBy   string `json:"named_by"`
		Addresses []struct{ Email string }
		Audit     []struct{ Action string }
	}
	if err := json.Unmarshal([]byte(file.body), &d); err != nil {
		t.Fatalf("%v: %s", err, file.body)
	}
	if d.ID != id || d.Status != "pending" || d.NamedBy != "Ada Lovelace" || len(d.Addresses) != 1 || len(d.Audit) != 2 {
		t.Errorf("%+v", d)
	}
}

func TestGrantsAreReviewedOnTheirPage(t *testing.T) {
	c := algorithms(t)
	review := c.path + "/people/review"
	c.ada.get(c.path+"/people").says("main", "Grants to review")
	c.ada.get(review).says(".empty", "may still give it")
	bob := c.enroll("teacher", "bob@uni.example")
	giver := c.signedIn("bob@uni.example", "Bob", "Kahn")
	c.ada.post(c.path+"/people/privileges", "user_id", itoa(bob), "role", "teacher", "role_was", "teacher", "privilege", "roster.view", "privilege", "roster.manage", "privilege", "staff.manage", "privilege", "announcements.manage").want(http.StatusSeeOther)
	giver.post(c.path+"/people/add", "emails", "one@uni.example\ntwo@uni.example", "role", "assistant", "do", "add")
	var ids []int64
	for _, email := range []string{"one@uni.example", "two@uni.example"} {
		u, ok := c.find(c.admin, email)
		if !ok {
			t.Fatalf("%s was not added", email)
		}
		ids = append(ids, u.ID)
	}
	c.admin.post("/admin/people/"+itoa(bob)+"/erase", "sure", "yes").want(http.StatusSeeOther)

	if doubted := c.admin.get("/admin/courses?show=review").says("tbody", "Algorithms"); !doubted.has("tbody a[href='" + review + "']") {
		t.Error("the administrator is not led to the review")
	}
	page := c.ada.get(review).says(".grant li", "The role Assistant, given by "+lms.Pseudonym(bob)+": their account was erased.")
	if n := len(page.all(".grant")); n != 2 {
		t.Errorf("%d to review", n)
	}
	page.submit("form[action='"+c.personPath(ids[0])+"/confirm']").wantTo(review).says(".flash", "Confirmed")
	left := c.ada.get(review)
	left.submit("form[action='"+c.personPath(ids[1])+"/take']").wantTo(review).says(".flash", "Taken away").says(".empty", "may still give it")
	if m := c.member(ids[0]); m.Enrollment == nil || m.Enrollment.AddedBy != c.ada.user.ID {
		t.Errorf("the confirmed is %+v", m.Enrollment)
	}
	c.admin.get("/admin/courses?show=review").says(".empty", "Everything in these courses")
	c.ada.get(c.path+"/audit").says("main", "confirmed what was given to")
	c.signedIn("one@uni.example", "One", "").get(review).want(http.StatusForbidden)
}

// Whoever was erased is called by a number, in the reader's language.
func TestThePseudonymHasWordsInEveryLanguage(t *testing.T) {
	c := algorithms(t)
	id := c.enroll("teacher", "grace@uni.example")
	grace := c.signedIn("grace@uni.example", "Grace", "Hopper")
	if _, err := c.svc.CreateAnnouncement(t.Context(), grace.caller, c.id, lms.AnnouncementFields{Title: "Labs", Body: "Monday."}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.svc.EraseUser(t.Context(), c.admin.caller, id, service.Leaving{}); err != nil {
		t.Fatal(err)
	}
	for _, b := range []*browser{c.ada, c.admin} {
		b.post("/language", "language", "it").want(http.StatusSeeOther)
	}
	italian := "Persona " + itoa(id) + " (cancellata)"
	for b, paths := range map[*browser][]string{
		c.ada:   {c.path + "/people", c.personPath(id), c.path + "/audit", c.path + "/announcements"},
		c.admin: {"/admin/people/" + itoa(id), "/admin/audit"},
	} {
		for _, path := range paths {
			page := b.get(path).want(http.StatusOK).says("main", italian)
			if strings.Contains(page.body, "(erased)") {
				t.Errorf("%s has the English pseudonym", path)
			}
		}
	}
}
