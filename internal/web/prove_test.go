package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"matricula/internal/apptest"
	"matricula/internal/mail"
	"matricula/internal/mail/mailtest"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/web"
)

func mailTo(sink *mailtest.Sink) siteOption {
	return func(o *service.Options, w *web.Options, _ *signin.Provider) {
		o.Mail = &service.MailOptions{Sender: sink.Sender(), Site: mail.Site{URL: w.URL}}
	}
}

var codeInMail = regexp.MustCompile(`/prove#([A-Z2-9]{4}-[A-Z2-9]{4})`)

func codeTo(t *testing.T, sink *mailtest.Sink, to string, n int) string {
	t.Helper()
	list := sink.Await(t, to, n)
	m := codeInMail.FindStringSubmatch(list[n-1].Text)
	if m == nil {
		t.Fatalf("no link with a code in %q", list[n-1].Text)
	}
	return m[1]
}

// comes brings a browser back from the provider.
func (c *course) comes(b *browser, email string) *answer {
	c.tb.Helper()
	c.issuer.SignInAs(apptest.Somebody(email, "Grace", "Hopper"))
	return b.get(b.callback(b.start(c.path)))
}

func TestSomebodyProvesTheirAddressByACode(t *testing.T) {
	sink := mailtest.Start(t)
	c := algorithms(t, onlyFor("uni.example"), mailTo(sink))
	c.ada.post(c.path+"/people/add", "emails", "grace@home.example", "role", "student").want(http.StatusOK)
	b := c.stranger()
	c.comes(b, "grace@home.example").wantTo("/prove").says("h1", "Type the code").says("strong", "grace@home.example")
	code := codeTo(t, sink, "grace@home.example", 1)

	// A33: whoever opens the link, and however often, uses nothing up.
	for range 20 {
		c.stranger().get("/prove").want(http.StatusOK).says("h1", "There is no code to wait for here")
		b.get("/prove").want(http.StatusOK).says("h1", "Type the code")
		b.do(b.request(http.MethodHead, "/prove", nil)).want(http.StatusOK)
	}
	b.post("/prove", "code", "BBBB-BBBB").want(http.StatusUnprocessableEntity).says(".fault", "That is not the code")
	c.stranger().post("/prove", "code", code).want(http.StatusNotFound)
	b.post("/prove/resend").want(http.StatusTooManyRequests).says(".fault", "just now")
	c.pass(2 * time.Minute)
	b.post("/prove/resend").want(http.StatusOK).says("[role=status]", "Another code")
	b.post("/prove", "code", code).want(http.StatusUnprocessableEntity)
	b.post("/prove", "code", strings.ToLower(codeTo(t, sink, "grace@home.example", 2))).wantTo(c.path).says("h1", "Algorithms")
	b.get("/prove").says("h1", "There is no code to wait for here")
}

func TestWithoutMailThePageSaysWhatToDo(t *testing.T) {
	c := algorithms(t, onlyFor("uni.example"))
	c.ada.post(c.path+"/people/add", "emails", "grace@home.example", "role", "student").want(http.StatusOK)
	b := c.stranger()
	c.comes(b, "grace@home.example").want(http.StatusForbidden).says("h1", "You are not signed in")
	c.ada.get("/account").says("#addresses", "sends no mail")
	c.admin.get("/admin/mail").want(http.StatusOK).says(".notice", "MATRICULA_SMTP")
}

func TestAnAddressIsAddedOnTheAccountPage(t *testing.T) {
	sink := mailtest.Start(t)
	c := algorithms(t, mailTo(sink))
	c.ada.post("/account/addresses", "email", "nonsense").want(http.StatusUnprocessableEntity).says("#addresses .fault", "@")
	c.ada.post("/account/addresses", "email", "ada@uni.example").want(http.StatusConflict).says("#addresses .fault", "yours already")
	c.ada.post("/account/addresses", "email", "Ada@home.example").wantTo("/prove").says("strong", "ada@home.example")
	c.ada.post("/prove", "code", codeTo(t, sink, "ada@home.example", 1)).wantTo("/account").says(".flash", "The address is yours").says("#addresses .rows", "ada@home.example")
	c.ada.post("/account/addresses/primary", "email", "ada@home.example").wantTo("/account").says("#addresses .rows", "ada@home.example Main address")
	c.ada.post("/account/addresses/remove", "email", "ada@home.example").want(http.StatusConflict).says("[role=alert]", "main address")
	c.ada.post("/account/addresses/remove", "email", "ada@uni.example").wantTo("/account").says(".flash", "Removed")
	sink.Await(t, "ada@uni.example", 1)
	sink.Await(t, "ada@home.example", 2)
	c.admin.get("/admin/mail").want(http.StatusOK).says("tbody th", "ada@home.example").says("tbody td", "Code for a further address").says("tbody .badge", "Handed over")
	c.admin.get("/admin/mail?state=bounced").says(".empty", "no such mail")
	c.ada.get("/admin/mail").want(http.StatusForbidden)
}

// The link in the mail fills the code in, and nothing of it stays in the address. The
// rest is the Enter key's.
func TestInABrowserTheLinkInTheMailFillsTheCodeIn(t *testing.T) {
	sink := mailtest.Start(t)
	c := algorithms(t, mailTo(sink))
	p := c.browse("ada@uni.example", "Ada", "Lovelace")
	p.Open(c.url("/account"))
	p.ClickText("summary", "Add an address")
	p.Type("#new-address", "ada@home.example")
	p.Press("Enter")
	p.WaitText("h1", "Type the code")
	p.Accessible()
	code := codeTo(t, sink, "ada@home.example", 1)
	p.Open(c.url("/prove#" + code))
	p.WaitText("h1", "Type the code")
	if typed := apptest.Eval[string](p, `document.querySelector("#code").value`); typed != code {
		t.Errorf("the field holds %q, want %q", typed, code)
	}
	if strings.Contains(p.URL(), "#") {
		t.Errorf("the code stays in the address: %s", p.URL())
	}
	p.Press("Enter")
	p.WaitText(".flash", "The address is yours")
	c.quiet(t, p)
}
