package api_test

import (
	"fmt"
	"testing"
	"time"

	"matricula/internal/access"
)

// tooMany makes sure that a request was refused by a limit, with what a client needs:
// when to try again, and who can help.
func (s *school) tooMany(re *reply, typ string) {
	s.Helper()
	re.refused(429, typ)
	var seconds int
	if _, err := fmt.Sscan(re.header.Get("Retry-After"), &seconds); err != nil || seconds < 1 || seconds > 24*60*60 {
		s.Errorf("Retry-After is %q", re.header.Get("Retry-After"))
	}
	if ct := re.header.Get("Content-Type"); ct != "application/problem+json" {
		s.Errorf("it is %s", ct)
	}
}

func TestLimitsAreSetLiftedAndMetOverTheAPI(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		for _, c := range []access.Caller{s.ada, s.sam} {
			s.ask(c, "GET", "/api/v1/limits", nil).refused(403, "forbidden")
			s.ask(c, "GET", "/api/v1/limit-lifts", nil).refused(403, "forbidden")
			s.ask(c, "PATCH", "/api/v1/limits", object{"limit": "naming-person", "amount": 5}).refused(403, "forbidden")
		}
		first := s.ask(s.admin, "GET", "/api/v1/limits?limit=5", nil).is(200)
		if items := first.items(); len(items) != 5 || items[0]["name"] != "naming-person" || items[0]["amount"] != items[0]["default"] || items[0]["set_by_id"] != nil {
			t.Errorf("limits: %s", first.raw)
		}
		if rest := s.ask(s.admin, "GET", "/api/v1/limits?limit=5&cursor="+first.text("next_cursor"), nil).is(200).items(); len(rest) != 5 || rest[0]["name"] == "naming-person" {
			t.Errorf("the next page: %v", rest)
		}
		set := s.ask(s.admin, "PATCH", "/api/v1/limits", object{"limit": "naming-person", "amount": 2}).is(200)
		if fmt.Sprint(set.body["amount"]) != "2" || fmt.Sprint(set.body["set_by_id"]) != fmt.Sprint(s.admin.UserID) {
			t.Errorf("set: %s", set.raw)
		}
		s.ask(s.admin, "PATCH", "/api/v1/limits", object{"limit": "nothing", "amount": 2}).refused(404, "not-found")
		s.ask(s.admin, "PATCH", "/api/v1/limits", object{"limit": "naming-person", "amount": 0}).is(422)

		people := s.countUsers()
		put := object{"emails": []string{"a@uni.example", "b@uni.example", "c@uni.example"}, "role": "student"}
		s.tooMany(s.ask(s.ada, "PUT", path("/courses/%d/enrollments", course), put), "too-many-named")
		if s.countUsers() != people {
			t.Error("some of them were made")
		}
		until := s.now().Add(time.Hour).UTC().Format(time.RFC3339)
		lift := s.ask(s.admin, "POST", "/api/v1/limit-lifts", object{"limit": "naming-person", "email": "ADA@uni.example", "until": until, "reason": "Open day"}).is(201)
		if fmt.Sprint(lift.body["user_id"]) != fmt.Sprint(s.ada.UserID) || lift.body["course_id"] != nil || lift.body["ended_at"] != nil {
			t.Errorf("lifted: %s", lift.raw)
		}
		s.ask(s.admin, "POST", "/api/v1/limit-lifts", object{"limit": "naming-person", "until": until}).is(422).at("body.email")
		s.ask(s.ada, "PUT", path("/courses/%d/enrollments", course), put).is(200)
		if items := s.ask(s.admin, "GET", "/api/v1/limit-lifts?in_force=true", nil).is(200).items(); len(items) != 1 {
			t.Errorf("in force: %v", items)
		}
		s.ask(s.admin, "DELETE", path("/limit-lifts/%d", lift.id()), nil).is(204)
		if items := s.ask(s.admin, "GET", "/api/v1/limit-lifts?in_force=true", nil).is(200).items(); len(items) != 0 {
			t.Errorf("in force: %v", items)
		}
		if items := s.ask(s.admin, "GET", "/api/v1/limit-lifts", nil).is(200).items(); len(items) != 1 || fmt.Sprint(items[0]["ended_by_id"]) != fmt.Sprint(s.admin.UserID) {
			t.Errorf("all: %v", items)
		}
		s.tooMany(s.ask(s.ada, "PATCH", path("/users/-1/privileges?course_id=%d", course), object{"course_privileges": []string{"roster.view"}, "email": "d@uni.example"}), "too-many-named")
		s.ask(s.admin, "PATCH", "/api/v1/limits", object{"limit": "naming-person", "amount": nil}).is(200)

		s.ask(s.admin, "PATCH", "/api/v1/limits", object{"limit": "finding-person", "amount": 1}).is(200)
		s.ask(s.grace, "GET", "/api/v1/users?search=ada", nil).is(200)
		s.tooMany(s.ask(s.grace, "GET", "/api/v1/users?search=ad", nil), "too-many-searches")
	})
}

func TestAListThatMeetsALimitSaysSoOverTheAPI(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.ask(s.admin, "PATCH", "/api/v1/limits", object{"limit": "naming-course", "amount": 1}).is(200)
		id := s.list(s.ada, course, "a@uni.example\nzoe@uni.example\n")
		ready := s.ask(s.ada, "GET", path("/imports/%d", id), nil).is(200)
		if fmt.Sprint(ready.body["names"]) != "2" || ready.body["warning"] == nil || ready.body["paused"] != nil {
			t.Errorf("beforehand: %s", ready.raw)
		}
		s.ask(s.ada, "POST", path("/imports/%d/start", id), object{"leaving": 0}).is(202)
		s.work()
		paused := s.ask(s.ada, "GET", path("/imports/%d", id), nil).is(200)
		if p, ok := paused.body["paused"].(object); !ok || paused.text("state") != "running" || p["limit"] != "naming-course" || p["until"] == "" || p["detail"] == "" {
			t.Errorf("at the limit: %s", paused.raw)
		}
		s.ask(s.admin, "POST", "/api/v1/limit-lifts", object{"limit": "naming-course", "course_id": course, "until": s.now().Add(time.Hour).UTC().Format(time.RFC3339)}).is(201)
		s.work()
		if done := s.ask(s.ada, "GET", path("/imports/%d", id), nil).is(200); done.text("state") != "done" || done.body["paused"] != nil {
			t.Errorf("lifted: %s", done.raw)
		}
	})
}
