package web_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/web"
)

func pendingDays(days int) siteOption {
	return func(o *service.Options, _ *web.Options, _ *signin.Provider) { o.PendingDays = days }
}

func TestATeacherCorrectsTheAddressOfSomebodyWhoHasNotArrived(t *testing.T) {
	c := algorithms(t, namingDomains("uni.example"))
	id := c.enroll("student", "grase@uni.example")
	here := c.path + "/people/" + itoa(id)
	c.ada.get(here+"/address").want(http.StatusOK).says("h1", "grase@uni.example")
	// A slip is asked about, an outside address confirmed, and both can be meant.
	asked := c.ada.post(here+"/address", "email", "grace@uni.exmaple").want(http.StatusUnprocessableEntity).says(".question", "Did you mean grace@uni.example?")
	asked = asked.submit("form.stack").want(http.StatusUnprocessableEntity).says(".question", "somebody outside")
	asked.submit("form.stack").wantTo(here)
	if u := c.member(id).User; u.Email != "grace@uni.exmaple" {
		t.Fatalf("corrected to %s", u.Email)
	}
	c.ada.post(here+"/address", "email", "x").want(http.StatusUnprocessableEntity).says(".fault", "@")
	c.ada.post(here+"/address", "email", "ada@uni.example").want(http.StatusConflict).says(".summary", "already")
	// The address as it is stands there to be mended, and is no correction by itself.
	same := c.ada.get(here + "/address")
	if !same.has("#right-address[value='grace@uni.exmaple']") {
		t.Error("the whole address has to be typed again")
	}
	same.submit("form.stack").want(http.StatusUnprocessableEntity).says(".fault", "the address that they have")
	// Of two who are one, the page leads to what merging them would do.
	there := c.enroll("student", "grace.hopper@uni.example")
	taken := c.ada.post(here+"/address", "email", "grace.hopper@uni.example").want(http.StatusConflict).says(".summary", "merge them")
	if to := taken.submit("form.merge-instead").want(http.StatusSeeOther).header.Get("Location"); to != "/merges/new?merge="+itoa(id)+"&keep="+itoa(there) {
		t.Errorf("it leads to %q", to)
	}
	c.ada.post(here+"/address", "email", "Grace@uni.example").wantTo(here)
	c.ada.get(here).says("main", "grace@uni.example").says("main", "Correct the address")
	if !c.ada.get(here).has(`a[href="` + here + `/address"]`) {
		t.Error("the page does not lead to the correction")
	}
	// Once they have signed in, the address is theirs.
	grace := c.signedIn("grace@uni.example", "Grace", "Hopper")
	if grace.user.ID != id {
		t.Fatalf("signed in as %d, want %d", grace.user.ID, id)
	}
	if page := c.ada.get(here).want(http.StatusOK); page.has(`a[href="` + here + `/address"]`) {
		t.Error("the address of somebody who has arrived can be corrected")
	}
	c.ada.get(here + "/address").want(http.StatusConflict)
	c.ada.post(here+"/address", "email", "other@uni.example").want(http.StatusConflict)
	grace.get(here + "/address").want(http.StatusForbidden)
}

func TestATeacherWithdrawsSomebodyWhoHasNotArrived(t *testing.T) {
	c := algorithms(t)
	id := c.enroll("student", "grace@uni.example")
	here := c.path + "/people/" + itoa(id)
	c.ada.post(here+"/withdraw").want(http.StatusUnprocessableEntity).says(".summary", "Nothing was withdrawn")
	c.ada.get(here).want(http.StatusOK)
	c.ada.post(here+"/withdraw", "confirm", "yes").wantTo(c.path + "/people")
	c.ada.get(here).want(http.StatusNotFound)
	c.ada.get(c.path+"/people/left").says("#gone-heading", "Who never came").says("main", "g***@uni.example").says("main", "Withdrawn by Ada Lovelace")
	c.ada.get(c.path+"/audit").says("main", "withdrew "+lms.Pseudonym(id))
}

func TestAdministratorsFindWhatWaitsForAnAddressAndMendIt(t *testing.T) {
	c := algorithms(t, pendingDays(30))
	id := c.enroll("student", "grase@uni.example")
	there := "/admin/people/" + itoa(id)
	c.admin.get("/admin/people").says("#find-heading", "Find by address")
	c.admin.post("/admin/people/find", "email", "GRASE@uni.example").wantTo(there)
	c.admin.post("/admin/people/find", "email", "nobody@uni.example").want(http.StatusOK).says(".fault", "nobody was named with it")
	c.admin.post("/admin/people/find", "email", "grase").want(http.StatusUnprocessableEntity).says(".fault", "@")
	c.ada.post("/admin/people/find", "email", "grase@uni.example").want(http.StatusForbidden)
	page := c.admin.get(there).want(http.StatusOK).says("main", "Added to this course by Ada Lovelace").says("main", "Expires on").says("main", "What is on record")
	page.submit("form.card").wantTo(there)
	c.admin.post(there+"/address", "email", "ada@uni.example").want(http.StatusConflict).says(".summary", "already")
	c.admin.post(there+"/address", "email", "grace@uni.example").wantTo(there)
	c.admin.get(there).says("main", "grace@uni.example")
	c.admin.post(there + "/withdraw").want(http.StatusUnprocessableEntity)
	c.admin.post(there+"/withdraw", "confirm", "yes").wantTo("/admin/people")
	c.admin.get(there).says(".notice", "This account was erased")
	c.admin.post("/admin/people/find", "email", "grace@uni.example").want(http.StatusOK).says(".fault", "was withdrawn on")
	c.admin.get("/admin/audit?person="+itoa(id)).want(http.StatusOK).says("main", lms.Pseudonym(id))
}

func TestWhoExpiresSoonIsAnnouncedAndKept(t *testing.T) {
	c := algorithms(t, pendingDays(30))
	keep, gone := c.enroll("student", "keep@uni.example"), c.enroll("student", "gone@uni.example")
	if page := c.ada.get(c.path + "/arrivals"); page.has("#expiring-heading") {
		t.Error("it is announced at once")
	}
	c.pass(6 * 24 * time.Hour) // sessions end after a week
	c.ada.get("/")
	c.pass(6 * 24 * time.Hour)
	c.ada.get("/")
	c.pass(5 * 24 * time.Hour)
	c.ada.get(c.path+"/arrivals").want(http.StatusOK).says("#expiring-heading", "2 people expire soon").says(".card", "Keep all of them")
	c.ada.post(c.path+"/arrivals/renew", "selected", itoa(keep)).wantTo(c.path + "/arrivals")
	c.ada.get(c.path+"/arrivals").says("#expiring-heading", "1 person expires soon").says(".card", "gone@uni.example")
	c.pass(6 * 24 * time.Hour)
	c.ada.get("/")
	c.pass(6 * 24 * time.Hour)
	c.ada.get("/")
	c.pass(2 * 24 * time.Hour)
	if n, err := c.svc.ExpirePending(context.Background()); err != nil || n != 1 {
		t.Fatalf("%d have expired (%v)", n, err)
	}
	c.ada = c.signedIn("ada@uni.example", "Ada", "Lovelace")
	c.ada.get(c.path+"/people/left").says("main", "g***@uni.example").says("main", "Expired")
	c.ada.get(c.path + "/people/" + itoa(gone)).want(http.StatusNotFound)
	if u := c.member(keep).User; u.Status != lms.StatusPending {
		t.Errorf("who was kept is %s", u.Status)
	}
	c.ada.post(c.path + "/arrivals/renew").want(http.StatusUnprocessableEntity)
}
