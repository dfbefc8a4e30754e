package story_test

import (
	"strings"
	"testing"

	"matricula/internal/access"
	"matricula/internal/service"
)

// directoryWithFaults sets a directory up that speaks for a provider, has named
// somebody, and did not get all that it asked for.
func directoryWithFaults(t *testing.T, c *campus, root access.Caller) int64 {
	t.Helper()
	made, err := c.Service.CreateDirectory(t.Context(), root, "Entra "+strings.Repeat("Donaudampfschifffahrts", 2), nil)
	if err != nil {
		t.Fatal(err)
	}
	provider, link := c.Provider.Name, service.LinkByExternalID
	if _, err := c.Service.UpdateDirectory(t.Context(), root, made.AccountID, service.DirectoryPatch{Provider: &provider, Link: &link}); err != nil {
		t.Fatal(err)
	}
	caller, _, err := c.Service.ByToken(t.Context(), made.Secret, "r")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Service.ProvisionUser(t.Context(), caller, service.ProvisionedFields{UserName: "provisioned@uni.example", ExternalID: "e-1", Active: true}); err != nil {
		t.Fatal(err)
	}
	for _, call := range []service.DirectoryCall{
		{Call: "POST /scim/v2/Users", Status: 409, Problem: "address-taken"}, {Call: "PATCH /scim/v2/Groups/{id}", Status: 400, Problem: "something-" + strings.Repeat("unheard-", 5)},
	} {
		if err := c.Service.NoteDirectoryCall(t.Context(), caller, call); err != nil {
			t.Fatal(err)
		}
	}
	return made.AccountID
}
