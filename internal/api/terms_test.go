package api_test

import (
	"strings"
	"testing"

	"matricula/internal/access"
)

func TestAcademicYearsAndTermsAreMadeReadChangedAndDeleted(t *testing.T) {
	onEachEngine(t, func(s *school) {
		const list = "/api/v1/terms"
		made := s.ask(s.admin, "POST", list, object{"name": " 2026/27 ", "begins_on": "2026-10-01", "ends_on": "2027-09-30"}, "Idempotency-Key: y").is(201)
		again := s.ask(s.admin, "POST", list, object{"name": " 2026/27 ", "begins_on": "2026-10-01", "ends_on": "2027-09-30"}, "Idempotency-Key: y").is(201)
		same(t, "sent twice", string(again.raw), string(made.raw))
		year := made.id()
		same(t, "Location", made.header.Get("Location"), path("/terms/%d", year))
		same(t, "an academic year", strings.TrimSpace(string(made.raw)), `{"id":1,"year_id":null,"name":"2026/27","begins_on":"2026-10-01","ends_on":"2027-09-30","courses":0}`)
		autumn := s.ask(s.admin, "POST", list, object{"name": "Autumn", "year_id": year, "begins_on": "2026-10-01", "ends_on": "2027-01-31"}).is(201)
		same(t, "the year of a term", number(t, autumn.body["year_id"]), year)
		at := autumn.header.Get("Location")
		spring := s.ask(s.admin, "POST", list, object{"name": "Spring", "year_id": year, "begins_on": "2027-03-01", "ends_on": "2027-07-31"}).is(201)
		s.ask(s.admin, "POST", list, object{"name": "2025/26", "year_id": nil, "begins_on": "2025-10-01", "ends_on": "2026-09-30"}).is(201)

		read := s.ask(s.sam, "GET", at, nil).is(200)
		same(t, "name", read.text("name"), "Autumn")
		if _, told := read.body["courses"]; told {
			t.Errorf("a student is told of other people's courses: %s", read.raw)
		}
		names := func(as access.Caller, query string) (names string) {
			t.Helper()
			for _, i := range s.ask(as, "GET", list+query, nil).is(200).items() {
				names += i["name"].(string) + " "
			}
			return names
		}
		same(t, "all", names(s.sam, ""), "2026/27 Autumn Spring 2025/26 ")
		same(t, "of one year", names(s.sam, path("?year_id=%d", year)[7:]), "2026/27 Autumn Spring ")
		same(t, "of no year", names(s.sam, "?year_id=999"), "")
		first := s.ask(s.sam, "GET", list+"?limit=3", nil).is(200)
		cursor := "?limit=3&cursor=" + first.text("next_cursor")
		same(t, "after the first page", names(s.sam, cursor), "2025/26 ")
		s.ask(s.sam, "GET", list+"?year_id=x", nil).refused(400, "malformed").at("query.year_id")

		changed := s.ask(s.admin, "PATCH", at, object{"name": "Autumn 2026", "ends_on": "2027-02-07"}).is(200)
		same(t, "changed", changed.text("name")+" "+changed.text("begins_on")+" "+changed.text("ends_on"), "Autumn 2026 2026-10-01 2027-02-07")
		for _, c := range []struct {
			method, to string
			body       object
			typ, at    string
		}{
			{"POST", list, object{"name": "x", "begins_on": "1 October", "ends_on": "2027-01-31"}, "date", "body.begins_on"},
			{"POST", list, object{"name": "x", "begins_on": "2026-10-01", "ends_on": "2026-10-01"}, "term-order", "body.ends_on"},
			{"POST", list, object{"name": "x", "begins_on": "2026-10-01", "ends_on": "2029-10-01"}, "term-too-long", "body.ends_on"},
			{"POST", list, object{"name": "x", "year_id": 999, "begins_on": "2026-10-01", "ends_on": "2027-01-31"}, "unknown-term", "body.year_id"},
			{"POST", list, object{"name": "x", "year_id": 0, "begins_on": "2026-10-01", "ends_on": "2027-01-31"}, "invalid", "body.year_id"},
			{"POST", list, object{"name": "2026/27", "begins_on": "2026-10-01", "ends_on": "2027-01-31"}, "term-name-taken", "body.name"},
			{"POST", list, object{"name": "x", "begins_on": "2026-10-01"}, "invalid", "body.ends_on"},
			{"PATCH", at, object{"begins_on": "2026-09-30"}, "term-outside-year", "body.begins_on"},
			{"PATCH", path("/terms/%d", year), object{"ends_on": "2027-07-30"}, "term-outside-year", "body.ends_on"},
			{"PATCH", at, object{"name": nil}, "invalid", "body.name"},
			{"PATCH", at, object{"year_id": 1}, "invalid", "body.year_id"},
		} {
			s.ask(s.admin, c.method, c.to, c.body).refused(422, c.typ).at(c.at)
		}
		s.ask(s.ada, "POST", list, object{"name": "x", "begins_on": "2026-10-01", "ends_on": "2027-01-31"}).refused(403, "forbidden")
		s.ask(s.ada, "PATCH", at, object{"name": "x"}).refused(403, "forbidden")
		s.ask(s.ada, "DELETE", at, nil).refused(403, "forbidden")
		s.ask(anonymous, "GET", list, nil).is(401)
		s.ask(s.admin, "DELETE", path("/terms/%d", year), nil).refused(409, "term-in-use")
		s.ask(s.admin, "DELETE", spring.header.Get("Location"), nil).is(204)
		s.ask(s.admin, "DELETE", spring.header.Get("Location"), nil).refused(404, "not-found")
		s.ask(s.sam, "GET", list+cursor, nil).refused(400, "cursor").at("query.cursor") // the term after which it goes on is gone
	})
}

func TestACourseIsPutIntoATermAndTakenOut(t *testing.T) {
	onEachEngine(t, func(s *school) {
		year := s.ask(s.admin, "POST", "/api/v1/terms", object{"name": "2026/27", "begins_on": "2026-10-01", "ends_on": "2027-09-30"}).is(201).id()
		autumn := s.ask(s.admin, "POST", "/api/v1/terms", object{"name": "Autumn", "year_id": year, "begins_on": "2026-10-01", "ends_on": "2027-01-31"}).is(201).id()
		made := s.ask(s.ada, "POST", "/api/v1/courses", object{"title": "Algorithms", "term_id": autumn}).is(201)
		at := made.header.Get("Location")
		same(t, "made in", made.body["term_id"], autumn)
		same(t, "without", s.ask(s.ada, "POST", "/api/v1/courses", object{"title": "Compilers", "term_id": nil}).is(201).body["term_id"], nil)
		same(t, "with another title", s.ask(s.ada, "PATCH", at, object{"title": "Algorithms II"}).is(200).body["term_id"], autumn)
		same(t, "all year", s.ask(s.ada, "PATCH", at, object{"term_id": year}).is(200).body["term_id"], year)
		same(t, "counted", s.ask(s.admin, "GET", path("/terms/%d", year), nil).is(200).body["courses"], 1)
		same(t, "found by its year", len(s.ask(s.ada, "GET", path("/courses?term_id=%d", year), nil).is(200).items()), 1)
		same(t, "found by another term", len(s.ask(s.admin, "GET", path("/courses?all=true&term_id=%d", autumn), nil).is(200).items()), 0)
		s.ask(s.admin, "DELETE", path("/terms/%d", year), nil).refused(409, "term-in-use")
		copied := s.ask(s.ada, "POST", at+"/copy", object{"title": "Copy", "term_id": autumn}).is(201)
		same(t, "copied into", s.ask(s.ada, "GET", copied.header.Get("Location"), nil).is(200).body["term_id"], autumn)
		plain := s.ask(s.ada, "POST", at+"/copy", object{"title": "Copy"}).is(201)
		same(t, "copied", s.ask(s.ada, "GET", plain.header.Get("Location"), nil).is(200).body["term_id"], nil)
		same(t, "taken out", s.ask(s.ada, "PATCH", at, object{"term_id": nil}).is(200).body["term_id"], nil)
		for _, wrong := range []any{0, -1, "1", object{}, []int{1}, true} {
			s.ask(s.ada, "PATCH", at, object{"term_id": wrong}).refused(422, "invalid").at("body.term_id")
		}
		s.ask(s.ada, "PATCH", at, object{"term_id": 999}).refused(422, "unknown-term").at("body.term_id")
		s.ask(s.ada, "POST", "/api/v1/courses", object{"title": "x", "term_id": 999}).refused(422, "unknown-term").at("body.term_id")
		s.ask(s.ada, "POST", at+"/copy", object{"title": "x", "term_id": 999}).refused(422, "unknown-term").at("body.term_id")
		s.ask(s.ada, "PATCH", at, object{"archived": true, "term_id": autumn}).is(200)
		same(t, "archived in", s.ask(s.ada, "GET", at, nil).is(200).body["term_id"], autumn)
	})
}
