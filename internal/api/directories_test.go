package api_test

import (
	"strings"
	"testing"

	"matricula/internal/lms"
)

func TestDirectoriesAreSetUpChangedAndStopped(t *testing.T) {
	onEachEngine(t, func(s *school) {
		const list = "/api/v1/directories"
		made := s.ask(s.admin, "POST", list, object{"name": " Entra "}, "Idempotency-Key: d").is(201)
		at := made.header.Get("Location")
		same(t, "name", made.text("name"), "Entra")
		if secret := made.text("secret"); !strings.HasPrefix(secret, "mat_") {
			t.Errorf("the token is %q", secret)
		}
		s.ask(s.admin, "POST", list, object{"name": " Entra "}, "Idempotency-Key: d").refused(409, "token-shown-once")
		s.ask(s.admin, "POST", list, object{"name": "Entra"}).refused(422, "directory-name-taken")
		s.ask(s.admin, "POST", list, object{"name": " "}).refused(422, "name-missing")
		read := s.ask(s.admin, "GET", at, nil).is(200)
		if _, shown := read.body["secret"]; shown || read.body["last_call_at"] != nil || len(read.list("faults")) != 0 {
			t.Errorf("read: %s", read.raw)
		}
		changed := s.ask(s.admin, "PATCH", at, object{"makes_courses": false, "link": "external_id"}).is(200)
		same(t, "makes courses", changed.body["makes_courses"], false)
		same(t, "without a provider there is nothing to link", changed.text("link"), "attribute")
		s.ask(s.admin, "PATCH", at, object{"provider": "nowhere"}).refused(422, "unknown-provider")
		s.ask(s.admin, "PATCH", at, object{"link": "guess"}).refused(422, "unknown-link")
		renewed := s.ask(s.admin, "POST", at+"/token", nil).is(201)
		if renewed.text("secret") == made.text("secret") {
			t.Error("the new token is the old one")
		}
		s.ask(s.admin, "DELETE", at+"/token", nil).is(204)
		same(t, "stopped", s.ask(s.admin, "GET", at, nil).body["token"], nil)
		same(t, "listed", len(s.ask(s.admin, "GET", list, nil).is(200).items()), 1)
		token := withToken(s.admin, lms.ScopeRead, lms.ScopeWrite)
		s.ask(token, "POST", list, object{"name": "x"}).refused(403, "token-not-enough")
		s.ask(token, "POST", at+"/token", nil).refused(403, "token-not-enough")
		s.ask(s.ada, "GET", list, nil).refused(403, "forbidden")
		s.ask(s.ada, "PATCH", at, object{"makes_courses": true}).refused(403, "forbidden")
		s.ask(s.admin, "GET", "/api/v1/directories/999", nil).refused(404, "not-found")
		s.ask(s.admin, "POST", "/api/v1/tokens", object{"name": "x", "scopes": []string{"scim"}}).refused(422, "scope-of-services")
	})
}
