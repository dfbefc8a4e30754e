package api_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/service"
)

// named enrolls a student by address, and gives their id.
func (s *school) named(as access.Caller, course int64, email string) int64 {
	s.Helper()
	s.enroll(as, course, "student", email)
	return s.idOf(email)
}

// pass lets time pass.
func (s *school) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = s.at.Add(d)
}

func TestAPendingPersonIsFoundCorrectedAndWithdrawnThroughTheAPI(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course, other := s.course(s.ada, "Algorithms"), s.course(s.grace, "Compilers")
		id := s.named(s.ada, course, "grase@uni.example")
		found := s.ask(s.admin, "POST", "/api/v1/lookup", object{"email": "GRASE@uni.example"}).is(200)
		places := found.list("places")
		if found.id() != id || found.text("status") != "pending" || len(places) != 1 || found.body["named_by"].(object)["display_name"] != "Ada Lovelace" {
			t.Fatalf("waiting: %s", found.raw)
		}
		if p := places[0].(object); p["course"].(object)["title"] != "Algorithms" || p["added_by"].(object)["display_name"] != "Ada Lovelace" || p["enrollment"].(object)["role"] != "student" {
			t.Errorf("the place is %v", p)
		}
		s.ask(s.admin, "GET", found.text("audit"), nil).is(200)
		s.ask(s.admin, "GET", path("/users/%d/waiting", id), nil).is(200)
		s.ask(s.ada, "POST", "/api/v1/lookup", object{"email": "grase@uni.example"}).refused(403, "forbidden")
		s.ask(s.admin, "POST", "/api/v1/lookup", object{"email": "nobody@uni.example"}).refused(404, "address-unknown")
		s.ask(s.admin, "POST", "/api/v1/lookup", object{"email": "no address"}).at("body.email")

		address := path("/users/%d/address", id)
		s.ask(s.grace, "PUT", address, object{"email": "mine@uni.example"}).refused(404, "not-found")
		s.ask(s.ada, "PUT", address, object{"email": "sam@uni.example"}).refused(409, "address-taken").at("body.email")
		s.ask(s.ada, "PUT", address, object{"email": "x"}).at("body.email")
		u := s.ask(s.ada, "PUT", address, object{"email": "g.hopper@uni.example"}).is(200)
		if u.id() != id || u.text("email") != "g.hopper@uni.example" || u.text("status") != "pending" {
			t.Errorf("corrected: %s", u.raw)
		}
		s.named(s.grace, other, "g.hopper@uni.example")
		s.ask(s.ada, "PUT", address, object{"email": "mine@uni.example"}).refused(403, "not-all-yours")
		s.ask(s.ada, "POST", path("/users/%d/withdrawal", id), nil).refused(403, "not-all-yours")
		s.ask(s.admin, "PUT", path("/users/%d/address", s.sam.UserID), object{"email": "x@uni.example"}).refused(409, "not-pending")
		s.ask(s.admin, "POST", path("/users/%d/withdrawal", s.sam.UserID), nil).refused(409, "not-pending")

		s.ask(s.admin, "POST", path("/users/%d/withdrawal", id), nil).is(204)
		s.ask(s.admin, "GET", path("/users/%d", id), nil).is(200)
		s.ask(s.admin, "POST", path("/users/%d/withdrawal", id), nil).refused(404, "not-found")
		s.ask(s.admin, "POST", "/api/v1/lookup", object{"email": "g.hopper@uni.example"}).refused(404, "person-gone")
		gone := s.ask(s.ada, "GET", path("/courses/%d/gone", course), nil).is(200).items()
		if len(gone) != 1 || gone[0]["address"] != "g***@uni.example" || gone[0]["expired"] != false || gone[0]["ended_by"].(object)["display_name"] != "Rita Root" {
			t.Errorf("gone: %v", gone)
		}
		s.ask(s.sam, "GET", path("/courses/%d/gone", course), nil).refused(404, "not-found")
		audit := string(s.ask(s.admin, "GET", path("/audit?user_id=%d", id), nil).is(200).raw)
		if strings.Contains(audit, "hopper") || strings.Contains(audit, "grase") || !strings.Contains(audit, "address_hash") {
			t.Errorf("the record has %s", audit)
		}
		again := s.named(s.ada, course, "g.hopper@uni.example")
		if again == id {
			t.Error("the id leads to another person")
		}
	})
}

func TestWhoExpiresSoonIsListedAndRenewedThroughTheAPI(t *testing.T) {
	test := func(s *school) {
		course := s.course(s.ada, "Algorithms")
		one, two := s.named(s.ada, course, "one@uni.example"), s.named(s.ada, course, "two@uni.example")
		if list := s.ask(s.ada, "GET", path("/courses/%d/expiring", course), nil).is(200).items(); len(list) != 0 {
			s.Fatalf("at once: %v", list)
		}
		s.pass(20 * 24 * time.Hour)
		list := s.ask(s.ada, "GET", path("/courses/%d/expiring", course), nil).is(200).items()
		if len(list) != 2 || number(s, list[0]["id"]) != one || !strings.HasPrefix(list[0]["expires_at"].(string), "2027-02-03") {
			s.Fatalf("expiring: %v", list)
		}
		s.ask(s.grace, "POST", path("/courses/%d/renewals", course), object{"user_ids": []int64{one}}).refused(404, "not-found")
		s.ask(s.ada, "POST", path("/courses/%d/renewals", course), object{"user_ids": []int64{}}).refused(422, "nobody-selected")
		renewed := s.ask(s.ada, "POST", path("/courses/%d/renewals", course), object{"user_ids": []int64{one, s.sam.UserID}}).is(200).list("user_ids")
		if len(renewed) != 1 || number(s, renewed[0]) != one {
			s.Errorf("renewed: %v", renewed)
		}
		s.pass(10 * 24 * time.Hour)
		if n, err := s.svc.ExpirePending(context.Background()); err != nil || n != 1 {
			s.Fatalf("%d have expired (%v)", n, err)
		}
		gone := s.ask(s.ada, "GET", path("/courses/%d/gone?limit=1", course), nil).is(200).items()
		if len(gone) != 1 || number(s, gone[0]["user_id"]) != two || gone[0]["expired"] != true || gone[0]["ended_by"] != nil {
			s.Errorf("gone: %v", gone)
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		test(newSchool(t, "sqlite:"+t.TempDir()+"/school.db", service.Options{PendingDays: 30}))
	})
	t.Run("postgres", func(t *testing.T) { test(newSchool(t, postgres(t), service.Options{PendingDays: 30})) })
}

func TestC13ACorrectionTakesNothingButTheAddress(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		id := s.named(s.ada, course, "grase@uni.example")
		before := s.ask(s.admin, "GET", path("/users/%d", id), nil).is(200).raw
		for _, field := range []string{"status", "site_role", "user_id", "id", "created_by", "verified_at", "claimed_at", "renewed_at", "expires_at", "given_name", "Email", "CONFIRM_OUTSIDE", "ſtatus"} {
			body := object{"email": "grace@uni.example", field: "x"}
			s.ask(s.ada, "PUT", path("/users/%d/address", id), body).is(422)
			s.ask(s.admin, "POST", "/api/v1/lookup", body).is(422)
			s.ask(s.ada, "POST", path("/courses/%d/renewals", course), object{"user_ids": []int64{id}, field: "x"}).is(422)
		}
		if after := s.ask(s.admin, "GET", path("/users/%d", id), nil).is(200).raw; string(after) != string(before) {
			t.Errorf("a refused body has changed %s to %s", before, after)
		}
	})
}
