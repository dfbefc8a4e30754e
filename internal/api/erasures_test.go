package api_test

import (
	"fmt"
	"testing"
)

func TestErasingByTheAPI_H08_C12(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.enroll(s.ada, course, "teacher", "grace@uni.example")
		ada, grace := path("/users/%d", s.ada.UserID), path("/users/%d", s.grace.UserID)

		// Asking, and what becomes of it.
		const mine = "/api/v1/me/erasure-request"
		s.ask(s.grace, "GET", mine, nil).refused(404, "not-found")
		s.ask(s.grace, "DELETE", mine, nil).refused(404, "not-found")
		s.ask(s.grace, "POST", mine, object{"why": "x"}).refused(422, "invalid")
		id := s.ask(s.grace, "POST", mine, object{"note": "I leave."}).is(200).id()
		same(t, "asked twice", s.ask(s.grace, "POST", mine, object{}).is(200).id(), id)
		s.ask(s.grace, "GET", "/api/v1/erasure-requests", nil).refused(403, "forbidden")
		items := s.ask(s.admin, "GET", "/api/v1/erasure-requests", nil).is(200).items()
		if len(items) != 1 || items[0]["note"] != "I leave." || items[0]["decided_by"] != nil {
			t.Errorf("%v", items)
		}
		refuse := path("/erasure-requests/%d/refuse", id)
		s.ask(s.grace, "POST", refuse, object{"reason": "x"}).refused(403, "forbidden")
		s.ask(s.admin, "POST", refuse, object{"reason": ""}).refused(422, "reason-missing").at("body.reason")
		same(t, "state", s.ask(s.admin, "POST", refuse, object{"reason": "Not before June."}).is(200).text("state"), "refused")
		s.ask(s.admin, "POST", refuse, object{"reason": "x"}).refused(409, "already-decided")
		same(t, "the answer", s.ask(s.grace, "GET", mine, nil).is(200).text("answer"), "Not before June.")
		s.ask(s.grace, "POST", mine, object{}).is(200)
		s.ask(s.grace, "DELETE", mine, nil).is(204)
		s.ask(s.grace, "POST", mine, object{}).is(200)

		// Erasing.
		s.ask(s.ada, "DELETE", grace, nil).refused(403, "forbidden")
		s.ask(s.admin, "DELETE", grace+"?force=true", nil).refused(400, "malformed")
		s.ask(s.admin, "DELETE", path("/users/%d", s.admin.UserID), nil).refused(403, "self-change")
		s.ask(s.admin, "DELETE", grace, nil).is(204)
		s.ask(s.admin, "DELETE", grace, nil).refused(404, "not-found")
		same(t, "status", s.ask(s.admin, "GET", grace, nil).is(200).text("status"), "erased")
		s.ask(s.sam, "GET", grace, nil).refused(404, "not-found")
		s.ask(s.grace, "GET", "/api/v1/me", nil).is(401)
		done := s.ask(s.admin, "GET", "/api/v1/erasure-requests?state=done", nil).is(200).items()
		if len(done) != 1 || done[0]["note"] != nil || done[0]["decided_by"] == nil {
			t.Errorf("%v", done)
		}
		for _, m := range s.ask(s.ada, "GET", path("/courses/%d/enrollments", course), nil).is(200).items() {
			if m["id"] == float64(s.grace.UserID) && (m["email"] != nil || m["status"] != "erased" || m["display_name"] == "Grace Hopper") {
				t.Errorf("the roster shows %v", m)
			}
		}

		// The last owner.
		s.ask(s.admin, "DELETE", ada, nil).refused(409, "last-owner")
		s.ask(s.admin, "DELETE", ada+fmt.Sprintf("?successor_id=%d", s.grace.UserID), nil).refused(422, "no-successor")
		s.ask(s.admin, "DELETE", ada+fmt.Sprintf("?successor_id=%d", s.sam.UserID), nil).is(204)
		same(t, "the successor owns", len(s.ask(s.sam, "GET", path("/courses/%d/users/%d/access", course, s.sam.UserID), nil).is(200).body["course_privileges"].([]any)) > 5, true)
	})
}

func TestDataOfSomebodyElseByTheAPI_H07(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.enroll(s.ada, course, "student", "late@uni.example")
		late := path("/users/%d/data", s.idOf("late@uni.example"))
		s.ask(s.ada, "POST", late, nil).refused(403, "forbidden")
		re := s.ask(s.admin, "POST", late, nil).is(200)
		same(t, "status", re.text("status"), "pending")
		same(t, "named by", re.text("named_by"), "Ada Lovelace")
	})
}

func TestGrantsAreReviewedByTheAPI(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		list := path("/courses/%d/grants-to-review", course)
		if items := s.ask(s.ada, "GET", list, nil).is(200).items(); len(items) != 0 {
			t.Errorf("%v", items)
		}
		s.enroll(s.ada, course, "teacher", "grace@uni.example")
		s.ask(s.ada, "PATCH", privileges(s.grace.UserID, course), object{"allow": []string{"staff.manage"}}).is(200)
		s.enroll(s.grace, course, "assistant", "one@uni.example", "two@uni.example")
		s.enroll(s.ada, course, "student", "sam@uni.example")
		s.ask(s.admin, "DELETE", path("/users/%d", s.grace.UserID), nil).is(204)
		one, two := s.idOf("one@uni.example"), s.idOf("two@uni.example")

		re := s.ask(s.ada, "GET", list+"?limit=1", nil).is(200)
		items := re.items()
		if len(items) != 1 || items[0]["role"] != "assistant" || items[0]["role_doubt"] != "erased" || items[0]["privileges"] != false {
			t.Fatalf("%v", items)
		}
		next := re.text("next_cursor")
		if items = s.ask(s.ada, "GET", list+"?limit=1&cursor="+next, nil).is(200).items(); len(items) != 1 {
			t.Errorf("the second page has %v", items)
		}
		s.ask(s.sam, "GET", list, nil).refused(403, "forbidden")
		for only, n := range map[string]int{"grants-to-review": 1, "without-owner": 0} {
			same(t, only, len(s.ask(s.admin, "GET", "/api/v1/courses?all=true&only="+only, nil).is(200).items()), n)
		}
		s.ask(s.admin, "GET", "/api/v1/courses?all=true&only=mine", nil).refused(400, "malformed")
		s.ask(s.sam, "POST", path("/courses/%d/grants-to-review/%d/confirm", course, one), nil).refused(403, "forbidden")
		s.ask(s.ada, "POST", path("/courses/%d/grants-to-review/%d/confirm", course, one), nil).is(200)
		s.ask(s.ada, "DELETE", path("/courses/%d/grants-to-review/%d", course, two), nil).is(204)
		s.ask(s.ada, "DELETE", path("/courses/%d/grants-to-review/%d", course, two), nil).refused(404, "not-found")
		if items := s.ask(s.ada, "GET", list, nil).is(200).items(); len(items) != 0 {
			t.Errorf("left to review: %v", items)
		}
	})
}
