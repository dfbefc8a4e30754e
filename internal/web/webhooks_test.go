package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// told waits until the newest line of a webhook's log says something.
func (c *course) told(path, want string) *answer {
	c.tb.Helper()
	for range 400 {
		page := c.ada.get(path).want(http.StatusOK)
		if rows := page.all("tbody tr"); len(rows) > 0 && strings.Contains(text(rows[0]), want) {
			return page
		}
		time.Sleep(25 * time.Millisecond) // a node looks for work once a second
	}
	c.tb.Fatalf("%s never says %q", path, want)
	return nil
}

func TestAWebhookIsMadeTriedChangedAndDeletedOnItsPages(t *testing.T) {
	c := algorithms(t)
	status := make(chan int, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(<-status) }))
	t.Cleanup(receiver.Close)
	settings := c.ada.get(c.path+"/settings").says("main", "Have programs of yours told")
	settings.one("a[href='" + c.path + "/webhooks']")
	page := c.ada.get(c.path+"/webhooks").says(".empty", "There is no webhook yet")
	page.submit("form.stack", "url", "https://user:word@x.example/", "event", "user.named").want(http.StatusUnprocessableEntity).says("#url-fault", "no user and no password")
	page.submit("form.stack", "url", receiver.URL).want(http.StatusUnprocessableEntity).says("fieldset .fault", "at least one event")
	made := page.submit("form.stack", "url", receiver.URL+"/in?token=quiet", "description", "Doors", "event", "enrollment.created", "+event", "user.claimed").want(http.StatusOK).
		says(".minted", "shown only this once").says(".badge", "Switched on").says(".meta", "Doors")
	secret, _ := attr(made.one("#secret"), "value")
	if !strings.HasPrefix(secret, "whsec_") {
		t.Fatalf("the secret is %q", secret)
	}
	const at = "/webhooks/1"
	for _, path := range []string{at, c.path + "/webhooks", at + "/secret"} {
		if shown := c.ada.get(path); shown.has("#secret") || strings.Contains(shown.body, secret) {
			t.Errorf("%s shows the secret again", path)
		}
	}
	if list := c.ada.get(c.path+"/webhooks").says("tbody", "Doors"); strings.Contains(list.body, "token=quiet") {
		t.Error("the list shows the whole address")
	}
	status <- 200
	made.submit("form[action='/webhooks/1/test']").wantTo(at).says(".flash", "on its way")
	c.told(at, "Delivered").says("tbody", "webhook.test").says("tbody", "Status 200").says("tbody", "nobody in particular")
	status <- 302
	c.told(at, "Delivered").submit("tbody form").wantTo(at)
	failed := c.told(at, "Waiting").says("tbody", "Tried again")
	if failed.has("tbody form") {
		t.Error("what waits can be sent again")
	}
	c.told(at, "Status 302").says("tbody", "another address").says(".meta", "It has failed since")
	renewed := c.ada.get(at).submit("form.renew").want(http.StatusOK).says(".minted", "shown only this once").says("form.renew", "signs too until")
	if fresh, _ := attr(renewed.one("#secret"), "value"); fresh == secret {
		t.Error("it is the same secret")
	}
	off := c.ada.get(at).submit("form.change", "-enabled", "yes", "-event", "user.claimed").wantTo(at).says(".badge", "Switched off")
	if off.has("form[action='/webhooks/1/test']") {
		t.Error("a webhook that is off can be tried")
	}
	off.submit("form.change", "-event", "enrollment.created").want(http.StatusUnprocessableEntity).says("fieldset .fault", "at least one event")
	c.ada.post(at+"/test").want(http.StatusConflict).says(".summary", "switched off")
	c.ada.get(c.path+"/audit").says("main", "made a webhook").says("main", "changed a webhook").says("main", "Secret renewed")
	off.submit("form.delete").wantTo(c.path+"/webhooks").says(".flash", "is deleted").says(".empty", "There is no webhook yet")
	c.ada.get(at).want(http.StatusNotFound)
}

func TestTheSiteHasWebhooksOfItsOwn(t *testing.T) {
	c := algorithms(t)
	c.ada.get("/admin/webhooks").want(http.StatusForbidden)
	c.admin.get("/admin/settings").one("a[href='/admin/webhooks']")
	page := c.admin.get("/admin/webhooks").says(".lead", "on this site")
	page.submit("form.stack", "url", "http://hooks.uni.example/", "event", "user.named").want(http.StatusUnprocessableEntity).says("#url-fault", "https://")
	page.submit("form.stack", "url", "https://hooks.uni.example/in", "event", "user.named").want(http.StatusOK).says("h1", "hooks.uni.example")
	c.ada.get("/webhooks/1").want(http.StatusNotFound)
	c.admin.get("/webhooks/1").says("nav a[aria-current]", "Settings").submit("form.delete").wantTo("/admin/webhooks")
	c.admin.get("/admin/audit").says("main", "deleted a webhook")
}
