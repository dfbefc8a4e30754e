package api_test

import "testing"

func TestSectionsAndPlacesThroughTheAPI(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.admin, "Algorithms")
		sections := path("/courses/%d/sections", course)
		lab := s.ask(s.admin, "POST", sections, object{"name": "Lab A"}).is(201).id()
		s.ask(s.admin, "POST", sections, object{"name": "lab a"}).refused(422, "section-name-taken")
		s.ask(s.admin, "PUT", path("/courses/%d/enrollments", course), object{"emails": []string{"x@uni.example"}, "role": "student", "section_id": lab}).is(200)
		s.ask(s.admin, "PUT", path("/courses/%d/enrollments", course), object{"emails": []string{"y@uni.example"}, "role": "student", "section_id": lab + 999}).refused(422, "unknown-section")
		page := s.ask(s.admin, "GET", path("/courses/%d/enrollments?section_id=%d", course, lab), nil).is(200)
		if n := len(page.items()); n != 1 {
			t.Fatalf("%d people are in the section", n)
		}
		one := path("/courses/%d/enrollments/%d", course, number(s, page.items()[0]["id"]))
		body := s.ask(s.admin, "PATCH", one, object{"student_number": "00123", "begins_on": "2026-10-01", "ends_on": "2027-01-31", "role": "assistant", "limited_to": []int64{lab}}).is(200).body
		e := body["enrollment"].(object)
		want := object{"student_number": "00123", "begins_on": "2026-10-01", "ends_on": "2027-01-31", "role": "assistant", "section_name": "Lab A"}
		for key, want := range want {
			if e[key] != want {
				t.Errorf("%s is %v, want %v", key, e[key], want)
			}
		}
		// All of it or nothing.
		s.ask(s.admin, "PATCH", one, object{"role": "student", "ends_on": "2026-02-31"}).refused(422, "date")
		if role := s.ask(s.admin, "GET", path("/courses/%d/enrollments?section_id=%d", course, lab), nil).items()[0]["enrollment"].(object)["role"]; role != "assistant" {
			t.Errorf("half of a change was made: the role is %v", role)
		}
		s.ask(s.admin, "PATCH", one, object{}).refused(422, "invalid")
		s.ask(s.admin, "DELETE", path("/courses/%d/sections/%d", course, lab), nil).refused(409, "section-in-use")
		s.ask(s.admin, "PATCH", one, object{"limited_to": []int64{}, "section_id": 0}).is(200)
		s.ask(s.admin, "DELETE", path("/courses/%d/sections/%d", course, lab), nil).is(204)
		s.ask(s.admin, "GET", path("/courses/%d/sections/%d", course, lab), nil).refused(404, "not-found")
	})
}
