package api_test

import "testing"

// The same by the API: asking, deciding in a course and for the site, and what whoever
// asks is told (A-34, H-02, C-05).
func TestWhatWaitsIsAskedForAndGivenByTheAPI_A34(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.enroll(s.ada, course, "student", "sam.school@uni.example")
		s.enroll(s.ada, course, "owner", "sam.owner@uni.example")
		const mine = "/api/v1/me/claim-requests"
		in := path("/courses/%d/claim-requests", course)
		s.ask(s.sam, "POST", mine, object{"email": "x"}).refused(422, "address-no-at").at("body.email")
		s.ask(s.sam, "POST", mine, object{"email": "sam@uni.example"}).refused(409, "address-yours")
		id := s.ask(s.sam, "POST", mine, object{"email": "Sam.School@uni.example"}).is(200).id()
		same(t, "asked twice", s.ask(s.sam, "POST", mine, object{"email": "sam.school@uni.example"}).is(200).id(), id)
		unknown := s.ask(s.sam, "POST", mine, object{"email": "sam.unknown@uni.example"}).is(200)
		same(t, "of an unknown address", unknown.text("state")+unknown.text("email"), "waitings***@uni.example")
		owner := s.ask(s.sam, "POST", mine, object{"email": "sam.owner@uni.example"}).is(200).id()
		same(t, "own requests", len(s.ask(s.sam, "GET", mine, nil).is(200).items()), 3)

		items := s.ask(s.ada, "GET", in, nil).is(200).items()
		if len(items) != 2 || items[0]["may_approve"] != false || items[0]["why_not"] == nil || items[1]["may_approve"] != true || items[1]["notified_at"] != nil ||
			items[1]["waits"].(object)["email"] != "sam.school@uni.example" || items[1]["requester"].(object)["email"] != "sam@uni.example" {
			t.Errorf("the teacher sees %v", items)
		}
		s.ask(s.grace, "GET", in, nil).refused(404, "not-found")
		s.ask(s.grace, "POST", in+path("/%d/approve", id)[len("/api/v1"):], nil).refused(404, "not-found")
		s.ask(s.ada, "POST", in+path("/%d/approve", owner)[len("/api/v1"):], nil).refused(403, "claim-owner")
		s.ask(s.ada, "POST", in+path("/%d/approve", id)[len("/api/v1"):], nil).is(204)
		s.ask(s.ada, "POST", in+path("/%d/approve", id)[len("/api/v1"):], nil).refused(409, "already-decided")
		same(t, "the role", s.ask(s.ada, "GET", path("/courses/%d/users/%d/access", course, s.sam.UserID), nil).is(200).body["enrollment"].(object)["role"], any("student"))

		s.ask(s.ada, "GET", "/api/v1/claim-requests", nil).refused(403, "forbidden")
		same(t, "for the site", len(s.ask(s.admin, "GET", "/api/v1/claim-requests", nil).is(200).items()), 1)
		s.ask(s.ada, "POST", in+path("/%d/refuse", owner)[len("/api/v1"):], object{"reason": "Not the course."}).is(204)
		s.ask(s.admin, "POST", path("/claim-requests/%d/refuse", owner), object{}).refused(409, "claim-over")
		s.ask(s.sam, "DELETE", mine+path("/%d", unknown.id())[len("/api/v1"):], nil).is(204)
		states := map[any]any{}
		for _, q := range s.ask(s.sam, "GET", mine, nil).is(200).items() {
			states[q["state"]] = q["reason"]
		}
		if len(states) != 3 || states["approved"] != nil || states["withdrawn"] != nil || states["refused"] != "Not the course." {
			t.Errorf("whoever asked sees %v", states)
		}
		for range 2 {
			s.ask(s.sam, "POST", mine, object{"email": "another@uni.example"}).is(200)
		}
		s.ask(s.sam, "POST", mine, object{"email": "fifth@uni.example"}).is(200)
		s.ask(s.sam, "POST", mine, object{"email": "sixth@uni.example"}).refused(429, "too-many-claims")
	})
}
