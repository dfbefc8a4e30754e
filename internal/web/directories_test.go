package web_test

import (
	"net/http"
	"strings"
	"testing"

	"matricula/internal/service"
)

func TestAnAdministratorSetsUpADirectory(t *testing.T) {
	c := algorithms(t)
	c.admin.get("/admin/settings").one("a[href='/admin/directories']")
	page := c.admin.get("/admin/directories").want(http.StatusOK).says(".empty", "no directory yet")
	page.submit("form.stack", "name", " ").want(http.StatusUnprocessableEntity).says("#name-fault", "name")
	made := page.submit("form.stack", "name", "Entra").want(http.StatusOK).says("h1", "Entra").says("main", "/scim/v2").says(".minted", "only this once")
	secret, _ := attr(made.one("#secret"), "value")
	caller, _, err := c.svc.ByToken(t.Context(), secret, "r")
	if err != nil {
		t.Fatalf("the token that is shown: %v", err)
	}
	page.submit("form.stack", "name", "Entra").want(http.StatusConflict) // sent twice
	if _, err := c.svc.ProvisionUser(t.Context(), caller, service.ProvisionedFields{UserName: "grace@uni.example", ExternalID: "e-1", Active: true}); err != nil {
		t.Fatal(err)
	}
	if err := c.svc.NoteDirectoryCall(t.Context(), caller, service.DirectoryCall{Call: "POST /scim/v2/Users", Status: 409, Problem: "address-taken"}); err != nil {
		t.Fatal(err)
	}
	path := "/admin/directories/" + itoa(caller.UserID)
	at := c.admin.get(path).want(http.StatusOK).says("tbody", "Somebody has this address already")
	if at.has(".minted") {
		t.Error("the token is shown again")
	}
	name, _ := attr(at.all("#provider option")[1], "value")
	saved := at.submit("form.save", "provider", name, "link", "external_id").wantTo(path).says(".flash", "Saved")
	d, err := c.svc.DirectoryByID(t.Context(), c.admin.caller, caller.UserID)
	if err != nil || !d.ByExternalID || d.Counts.Linked != 1 || !d.MakesCourses {
		t.Errorf("it is %+v (%v)", d, err)
	}
	again := saved.submit("form.renew").want(http.StatusOK)
	if other, _ := attr(again.one("#secret"), "value"); other == secret || !strings.HasPrefix(other, "mat_") {
		t.Errorf("the new token is %q", other)
	}
	c.admin.get(path).submit("form.end").wantTo(path).says(".flash", "stopped").says("main", "It has none")
	c.admin.get("/admin/directories").says("tbody", "Entra")
	c.ada.get("/admin/directories").want(http.StatusForbidden)
	c.admin.get("/admin/audit").says("main", "set up the directory").says("main", "provisioned")
}
