package api_test

import (
	"strings"
	"testing"
)

func TestTwoPeopleAreMergedAndSplitThroughTheAPI(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		sam := s.sam.UserID
		s.enroll(s.ada, course, "student", "sam@uni.example")
		slip := number(t, s.enroll(s.ada, course, "assistant", "sam@uin.example").items()[0]["user_id"])
		body := object{"keep": object{"email": "Sam@Uni.Example"}, "merge": object{"user_id": slip}}

		p := s.ask(s.ada, "POST", "/api/v1/merge-preview", body).is(200)
		same(t, "who is kept", number(t, p.body["keep"].(object)["id"]), sam)
		same(t, "addresses", words(p.body["addresses"]), "sam@uin.example")
		same(t, "asks", p.body["asks"], false)
		place := p.list("places")[0].(object)
		same(t, "the place then", place["after"].(object)["enrollment"].(object)["role"], "assistant")
		same(t, "what to know", words(place["notes"]), "Of the roles Student and Assistant, Assistant stays.")
		s.ask(s.ada, "GET", "/api/v1/merges", nil).is(200)
		if n := len(s.ask(s.admin, "GET", "/api/v1/merges", nil).is(200).items()); n != 0 {
			t.Errorf("looking made %d merges", n)
		}

		made := s.ask(s.ada, "POST", "/api/v1/merges", body, "Idempotency-Key: m").is(201)
		again := s.ask(s.ada, "POST", "/api/v1/merges", body, "Idempotency-Key: m").is(201)
		same(t, "sent twice", string(again.raw), string(made.raw))
		same(t, "Location", made.header.Get("Location"), path("/merges/%d", made.id()))
		same(t, "state", made.text("state"), "done")
		at := made.header.Get("Location")

		// F-20: the old id.
		gone := s.ask(s.ada, "GET", path("/users/%d", slip), nil).refused(410, "merged")
		same(t, "who it is now", number(t, gone.body["merged_into"]), sam)
		hidden := s.ask(s.grace, "GET", path("/users/%d", slip), nil).refused(404, "not-found")
		if strings.Contains(string(hidden.raw), "merged") {
			t.Errorf("a stranger is told: %s", hidden.raw)
		}
		s.ask(s.ada, "PATCH", path("/users/%d/privileges?course_id=%d", slip, course), object{"course_privileges": []string{}}).refused(404, "not-found")

		s.ask(s.grace, "GET", at, nil).refused(404, "not-found")
		s.ask(s.grace, "POST", at+"/split", nil).refused(404, "not-found")
		d := s.ask(s.ada, "GET", at, nil).is(200)
		split := d.body["split"].(object)
		same(t, "what would go back", split["back"], []any{object{"rows": 1.0, "what": "emails.user_id"}})
		same(t, "the place", split["places"], []any{object{"course_id": float64(course), "stays": ""}})
		s.ask(s.ada, "POST", at+"/split", nil).is(200)
		same(t, "state", s.ask(s.ada, "GET", at, nil).is(200).text("state"), "split")
		same(t, "the other is back", s.ask(s.ada, "GET", path("/users/%d", slip), nil).is(200).text("email"), "sam@uin.example")
		s.ask(s.ada, "POST", at+"/split", nil).refused(409, "merge-final")
	})
}

func TestTwoWhoHaveSignedInAreAskedThroughTheAPI(t *testing.T) {
	onEachEngine(t, func(s *school) {
		body := object{"keep": object{"user_id": s.sam.UserID}, "merge": object{"user_id": s.grace.UserID}}
		s.ask(s.ada, "POST", "/api/v1/merges", body).refused(404, "not-found")
		m := s.ask(s.admin, "POST", "/api/v1/merges", body).is(201)
		same(t, "state", m.text("state"), "asked")
		at := m.header.Get("Location")
		s.ask(s.admin, "POST", at+"/complete", nil).refused(409, "merge-unproved")
		s.ask(s.ada, "POST", at+"/accept", nil).refused(404, "not-found")
		s.ask(withToken(s.sam, "write"), "POST", at+"/accept", nil).refused(403, "token-not-enough")
		if seen := s.ask(s.sam, "POST", at+"/accept", nil).is(200); strings.Contains(string(seen.raw), "Grace") || strings.Contains(string(seen.raw), "grace@uni.example") {
			t.Errorf("Sam sees whole who the other is: %s", seen.raw)
		}
		s.ask(s.grace, "POST", at+"/accept", nil).is(200)
		s.ask(s.sam, "POST", at+"/complete", nil).refused(403, "forbidden")
		same(t, "completed", s.ask(s.admin, "POST", at+"/complete", nil).is(200).text("state"), "done")
		s.ask(s.admin, "DELETE", at, nil).refused(409, "merge-over")

		other := s.ask(s.admin, "POST", "/api/v1/merges", object{"keep": object{"user_id": s.sam.UserID}, "merge": object{"user_id": s.ada.UserID}}).is(201)
		s.ask(s.ada, "DELETE", other.header.Get("Location"), nil).is(204)
		s.ask(s.ada, "POST", other.header.Get("Location")+"/accept", nil).refused(404, "not-found")
	})
}

func TestWhatIsWrongWithAMergeIsSaidByTheAPI(t *testing.T) {
	onEachEngine(t, func(s *school) {
		for _, c := range []struct {
			body   object
			status int
			typ    string
		}{
			{body: object{"keep": object{}, "merge": object{"user_id": 1}}, status: 422, typ: "invalid"},
			{body: object{"keep": object{"user_id": s.sam.UserID, "email": "x@uni.example"}, "merge": object{"user_id": 1}}, status: 422, typ: "invalid"},
			{body: object{"keep": object{"user_id": s.sam.UserID}, "merge": object{"user_id": s.sam.UserID}}, status: 422, typ: "merge-same"},
			{body: object{"keep": object{"user_id": s.sam.UserID}, "merge": object{"user_id": 4711}}, status: 404, typ: "not-found"},
			{body: object{"keep": object{"user_id": s.sam.UserID}, "merge": object{"email": "nobody@uni.example"}}, status: 404, typ: "not-found"},
		} {
			s.ask(s.admin, "POST", "/api/v1/merges", c.body).refused(c.status, c.typ)
			s.ask(s.admin, "POST", "/api/v1/merge-preview", c.body).refused(c.status, c.typ)
		}
		if n := s.countUsers(); n != 4 {
			t.Errorf("%d people: somebody was named on the side", n)
		}
	})
}

func TestPeopleWhoLookLikeOneAreListedAndToldApartThroughTheAPI(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.enroll(s.ada, course, "student", "sam@uin.example", "alice@gmail.com", "alice@googlemail.com")
		const list = "/api/v1/duplicates"
		items := s.ask(s.admin, "GET", list, nil).is(200).items()
		if len(items) != 2 {
			t.Fatalf("%d pairs: %v", len(items), items)
		}
		for _, i := range items {
			if one := i["one"].(object)["email"]; one == "alice@gmail.com" {
				same(t, "why", words(i["kinds"]), "provider address")
			}
		}
		s.ask(s.ada, "GET", list, nil).refused(403, "forbidden")
		one, other := items[0]["one"].(object)["id"], items[0]["other"].(object)["id"]
		s.ask(s.ada, "POST", list+"/dismiss", object{"one_id": one, "other_id": other}).refused(403, "forbidden")
		s.ask(s.admin, "POST", list+"/dismiss", object{"one_id": one, "other_id": other}).is(204)
		if n := len(s.ask(s.admin, "GET", list, nil).is(200).items()); n != 1 {
			t.Errorf("%d pairs are left", n)
		}
	})
}
