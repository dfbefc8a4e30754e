package api_test

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestAnnouncementsAreWrittenScheduledPinnedEditedAndDeleted(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.enroll(s.ada, course, "student", "sam@uni.example")
		list := path("/courses/%d/announcements", course)
		made := s.ask(s.ada, "POST", list, object{"title": "Welcome", "body": "Bring a *pen* <script>x</script>"}).is(201)
		at := made.header.Get("Location")
		same(t, "html", made.text("html"), "<p>Bring a <em>pen</em> x</p>\n")
		same(t, "body", made.text("body"), "Bring a *pen* <script>x</script>")
		same(t, "published", made.body["published"], any(true))
		same(t, "the author's name", made.body["author"].(map[string]any)["name"], any("Ada Lovelace"))
		if strings.Contains(string(made.raw), "ada@uni.example") {
			t.Errorf("the author's address stands in %s", made.raw)
		}
		same(t, "the same", string(s.ask(s.sam, "GET", at, nil).is(200).raw), string(made.raw))
		later := s.now().Add(time.Hour).UTC().Format(time.RFC3339)
		hidden := s.ask(s.ada, "POST", list, object{"title": "Later", "body": "x", "pinned": true, "publish_at": later}).is(201)
		same(t, "published", hidden.body["published"], any(false))
		same(t, "read by a student", len(s.ask(s.sam, "GET", list, nil).is(200).items()), 1)
		s.ask(s.sam, "GET", hidden.header.Get("Location"), nil).refused(404, "not-found")
		same(t, "read by the owner", len(s.ask(s.ada, "GET", list, nil).is(200).items()), 2)
		first := s.ask(s.ada, "GET", list+"?limit=1", nil).is(200)
		same(t, "on top", first.items()[0]["title"], any("Later"))
		second := s.ask(s.ada, "GET", list+"?limit=1&cursor="+first.text("next_cursor"), nil).is(200)
		same(t, "below", second.items()[0]["title"], any("Welcome"))

		edited := s.ask(s.ada, "PATCH", at, object{"pinned": true, "title": "Welcome!"}).is(200)
		if edited.text("title") != "Welcome!" || edited.body["edited_at"] == nil || edited.text("body") == "" {
			t.Errorf("edited, it is %s", edited.raw)
		}
		s.ask(s.ada, "PATCH", at, object{"body": " "}).refused(422, "text-missing").at("body.body")
		s.ask(s.ada, "PATCH", at, object{"publish_at": nil}).refused(422, "invalid").at("body.publish_at")
		s.ask(s.ada, "POST", list, object{"title": "", "body": "x"}).refused(422, "title-missing").at("body.title")
		s.ask(s.ada, "POST", list, object{"title": "x", "body": "x", "publish_at": "tomorrow"}).refused(422, "invalid").at("body.publish_at")
		s.ask(s.sam, "POST", list, object{"title": "x", "body": "x"}).refused(403, "forbidden")
		s.ask(s.sam, "DELETE", at, nil).refused(403, "forbidden")
		s.ask(s.ada, "DELETE", at, nil).is(204)
		s.ask(s.ada, "DELETE", at, nil).refused(404, "not-found")
	})
}

func TestArrivalsAndTheFilteredAuditAreReadByPrograms(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.enroll(s.ada, course, "student", "sam@uni.example", "zoe@uni.example")
		re := s.ask(s.ada, "GET", path("/courses/%d/arrivals", course), nil).is(200)
		if re.body["expected"] != float64(3) || re.body["arrived"] != float64(2) || len(re.list("days")) != 1 {
			t.Errorf("arrivals: %s", re.raw)
		}
		s.ask(s.sam, "GET", path("/courses/%d/arrivals", course), nil).refused(403, "forbidden")
		s.ask(s.ada, "GET", "/api/v1/arrivals", nil).refused(403, "forbidden")
		s.ask(s.admin, "GET", "/api/v1/arrivals", nil).is(200)

		audit := path("/courses/%d/audit", course)
		zoe := s.idOf("zoe@uni.example")
		same(t, "about Zoe", len(s.ask(s.ada, "GET", audit+"?user_id="+strconv.FormatInt(zoe, 10), nil).is(200).items()), 1)
		same(t, "courses made", len(s.ask(s.ada, "GET", audit+"?action=course.create&outcome=done", nil).is(200).items()), 1)
		same(t, "of another day", len(s.ask(s.ada, "GET", audit+"?from=2001-01-01T00:00:00Z&to=2001-01-02T00:00:00Z", nil).is(200).items()), 0)
		s.ask(s.ada, "GET", audit+"?action=drop", nil).refused(422, "invalid").at("query.action")
		s.ask(s.ada, "GET", audit+"?from=2001-01-02T00:00:00Z&to=2001-01-01T00:00:00Z", nil).refused(422, "audit-range")
		same(t, "of the site, in the course", len(s.ask(s.admin, "GET", path("/audit?course_id=%d&action=enrollment.add", course), nil).is(200).items()), 2)
		s.ask(s.ada, "GET", path("/audit?course_id=%d", course), nil).refused(403, "forbidden")
	})
}
