package web_test

import (
	"net/http"
	"strings"
	"testing"

	"matricula/internal/mail/mailtest"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/web"
)

// signUp lets everybody in, also with an account of a private address.
func signUp(o *service.Options, _ *web.Options, _ *signin.Provider) { o.SignUp = signin.SignUpAnyone }

// the teacher sees both addresses and decides; whoever asked sees what became of
// it and nothing else.
func TestSomebodyAsksForWhatWaitsAndATeacherDecides_A34(t *testing.T) {
	c := algorithms(t, signUp)
	c.enroll("student", "grace@uni.example")
	c.enroll("student", "emmy@uni.example")
	x := c.signedIn("x@gmail.com", "Grace", "Hopper")
	if link, _ := attr(x.get("/").says(".empty", "x@gmail.com").one(".empty a"), "href"); link != "/account#claims" {
		t.Errorf("the empty home page leads to %q", link)
	}
	account := x.get("/account").says("#claims h2", "Something waits for another address")
	account.submit("form[action='/account/claims']", "email", "grace").want(http.StatusUnprocessableEntity).says("#claims .fault", "@")
	account.submit("form[action='/account/claims']", "email", "x@gmail.com").want(http.StatusConflict).says("#claims .summary", "yours already")
	var said []string
	for _, email := range []string{"grace@uni.example", "nobody@uni.example", "ada@uni.example"} {
		asked := x.get("/account").submit("form[action='/account/claims']", "email", email).wantTo("/account").says("#claims .rows", email[:1]+"***@uni.example")
		said = append(said, textOf(asked, ".flash"))
	}
	if said[0] != said[1] || said[0] != said[2] || !strings.Contains(said[0], "If something waits") {
		t.Errorf("H-02: the page says %q", said)
	}
	own, err := c.svc.ClaimsAsked(t.Context(), x.caller, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	x.get("/account").submit("form[action='/account/claims/"+itoa(own.Requests[0].ID)+"/withdraw']").wantTo("/account").says(".flash", "Withdrawn").says("#claims .badge", "Withdrawn")

	c.ada.get("/").says(".counts", "1 request from another account")
	c.ada.get(c.path+"/people").says(".notice", "1 request from another account")
	page := c.ada.get(c.path+"/people/requests").says(".claim h2", "Grace Hopper says that they are grace@uni.example").says(".claim dd", "x@gmail.com").says(".notice", "face to face").says(".claim", "Student").says("main", "sends no mail")
	page.submit(".claim form.stack", "reason", strings.Repeat("x", 501)).want(http.StatusUnprocessableEntity).says(".claim .fault", "at most 500")
	page.submit(".claim form.actions").wantTo(c.path+"/people/requests").says(".flash", "Given").says(".empty", "Nobody asks")
	page.submit(".claim form.actions").want(http.StatusConflict).says(".summary", "decided already")
	x.get("/account").says("#claims .rows", "Given to you")
	x.get("/").says(".courses", "Algorithms")
	c.ada.get(c.path+"/audit").says("main", "moved what waits to another account")

	// A refusal, and its reason.
	y := c.signedIn("y@gmail.com", "Emmy", "Noether")
	y.post("/account/claims", "email", "emmy@uni.example").want(http.StatusSeeOther)
	c.admin.get("/").says(".site-now", "1 request from another account")
	c.admin.get("/admin/claims").says(".claim h2", "Emmy Noether says").says(".claim .actions", "Look at merging them").
		submit(".claim form.stack", "reason", "Ask me after class.").wantTo("/admin/claims").says(".flash", "Refused")
	y.get("/account").says("#claims .badge", "Not given to you").says("#claims .reason", "Ask me after class.")
	x.get(c.path + "/people/requests").want(http.StatusForbidden)
	y.get(c.path + "/people/requests").want(http.StatusNotFound)
	y.get("/admin/claims").want(http.StatusForbidden)
}

func TestWhatIsNotTheirsToGiveIsSaidBeforehand_C05(t *testing.T) {
	c := algorithms(t, signUp)
	c.enroll("owner", "grace@uni.example")
	x := c.signedIn("x@gmail.com", "Grace", "Hopper")
	x.post("/account/claims", "email", "grace@uni.example").want(http.StatusSeeOther)
	page := c.ada.get(c.path+"/people/requests").says(".claim .notice", "own the course")
	if page.has(".claim form.actions") {
		t.Error("it can be approved all the same")
	}
	refuse, _ := attr(page.one(".claim form.stack"), "action")
	c.ada.post(strings.Replace(refuse, "/refuse", "/approve", 1)).want(http.StatusForbidden).says("main", "own the course")
	// The administrator's way is a merge, which the request names.
	link, _ := attr(c.admin.get("/admin/claims").one(".claim .actions a"), "href")
	c.admin.get(link).says("main", "x@gmail.com").submit("form[action='/merges']").want(http.StatusSeeOther)
	c.admin.get("/admin/claims").says(".empty", "Nobody")
	x.get("/account").says("#claims .rows", "Given to you").says(".card h2", "Merged into your account").says(".card .hint", "By Radia Root")
}

// Whoever reads the address says by the link in the mail that it was not they.
func TestWhoeverReadsTheAddressObjects_H06(t *testing.T) {
	sink := mailtest.Start(t)
	c := algorithms(t, signUp, mailTo(sink))
	c.enroll("student", "grace@uni.example")
	x := c.signedIn("x@gmail.com", "Grace", "Hopper")
	x.get("/account").says("#claims", "typed the code")
	x.post("/account/claims", "email", "grace@uni.example").want(http.StatusSeeOther)
	if err := c.svc.TellClaims(t.Context()); err != nil {
		t.Fatal(err)
	}
	mail := sink.Await(t, "grace@uni.example", 1)[0].Text
	c.ada.get(c.path+"/people/requests").says(".claim", "was told by mail")
	_, secret, _ := strings.Cut(mail, "/not-me#")
	secret, _, _ = strings.Cut(secret, "\n")
	c.stranger().get("/not-me").says("main", "says that it is theirs").submit("form[action='/not-me']", "code", secret).want(http.StatusOK).says("[role=status]", "Nothing is given")
	c.ada.get(c.path+"/people/requests").says(".empty", "Nobody asks")
	x.get("/account").says("#claims .badge", "Waiting for an answer")
	c.admin.get("/admin/mail").says("tbody td", "Somebody else asks for what waits")
}
