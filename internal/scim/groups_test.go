package scim_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"matricula/internal/lms"
	"matricula/internal/service"
)

const groupURN = "urn:ietf:params:scim:schemas:core:2.0:Group"

func group(name string, members ...string) doc {
	d := doc{"schemas": []string{groupURN}, "displayName": name}
	if len(members) > 0 {
		d["members"] = values(members...)
	}
	return d
}

func values(ids ...string) []doc {
	list := make([]doc, len(ids))
	for i, id := range ids {
		list[i] = doc{"value": id}
	}
	return list
}

// members are those of a group, in the order of their ids.
func (s *school) members(id string) string {
	s.t.Helper()
	a := s.ask("GET", "/Groups/"+id, nil).is(http.StatusOK)
	list, ok := a.doc["members"].([]any)
	if !ok {
		s.t.Fatalf("there are no members: %s", a.Body)
	}
	var ids []string
	for _, m := range list {
		o, _ := m.(doc)
		if o["type"] != "User" || o["$ref"] != s.URL+"/scim/v2/Users/"+fmt.Sprint(o["value"]) {
			s.t.Errorf("a member is %v", o)
		}
		ids = append(ids, fmt.Sprint(o["value"]))
	}
	return strings.Join(ids, " ")
}

func TestAGroupIsTheRosterOfACourse(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, course := s.course("Algorithms", "CS-1")
		id := strconv.FormatInt(course, 10)
		if _, err := s.Service.Enroll(ctx, ada, service.EnrollRequest{CourseID: course, Role: lms.RoleAssistant, Emails: []string{"tutor@uni.example"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Service.Enroll(ctx, ada, service.EnrollRequest{CourseID: course, Role: lms.RoleStudent, Emails: []string{"hand@uni.example"}}); err != nil {
			t.Fatal(err)
		}
		find := func(email string) string {
			return fmt.Sprint(s.ask("GET", filtered("Users", `userName eq "`+email+`"`), nil).at("Resources", 0, "id"))
		}
		tutor, hand := find("tutor@uni.example"), find("hand@uni.example")
		a, b, c := s.create("a@uni.example"), s.create("b@uni.example"), s.create("c@uni.example")

		s.ask("GET", filtered("Groups", `displayName eq "cs-1 algorithms"`), nil).has(1, "totalResults").has(id, "Resources", 0, "id").has(hand, "Resources", 0, "members", 0, "value")
		s.ask("GET", filtered("Groups", `displayName eq "CS-1 Algorithms"`)+"&excludedAttributes=members", nil).has(1, "totalResults").has(nil, "Resources", 0, "members")
		if got := s.members(id); got != hand {
			t.Fatalf("the members are %q: staff are no members", got)
		}
		s.ask("PATCH", "/Groups/"+id, patch(op("Add", "members", values(a, b)), op("Add", "members", values(tutor)))).is(204)
		if got := s.members(id); got != hand+" "+a+" "+b {
			t.Errorf("the members are %q", got)
		}
		if n := s.count(`enrollments en JOIN course_roles r ON r.id = en.role_id WHERE r.key = 'assistant'`); n != 1 {
			t.Error("a group made a student of staff")
		}
		// Entra removes by a filter in the path or by the value, Okta replaces.
		s.ask("PATCH", "/Groups/"+id, patch(op("Remove", `members[value eq "`+a+`"]`, nil))).is(204)
		s.ask("PATCH", "/Groups/"+id, patch(op("Remove", "members", values(b, tutor, "99999")))).is(204)
		if got := s.members(id); got != hand {
			t.Errorf("the members are %q", got)
		}
		s.ask("PATCH", "/Groups/"+id, patch(op("replace", "members", values(b, c)), op("remove", `members[value eq "`+b+`" or value eq "`+tutor+`" or value eq "99999"]`, nil), op("add", "members", values(a)))).is(204)
		if got := s.members(id); got != a+" "+c {
			t.Errorf("the members are %q", got)
		}
		if n := s.count(`past_places WHERE course_id = $1`, course); n != 3 {
			t.Errorf("%d places that are over are on record", n)
		}
		s.ask("PATCH", "/Groups/"+id+"?attributes=members", patch(op("replace", "", doc{"displayName": "Year 1", "externalId": "g-1", "members": values(a)}))).is(200).has(a, "members", 0, "value").has(nil, "members", 1)
		s.ask("GET", "/Groups/"+id+"?excludedAttributes=members", nil).has("Year 1", "displayName").has("g-1", "externalId").has(nil, "members")
		s.ask("GET", filtered("Groups", `externalId eq "g-1"`), nil).has(1, "totalResults")
		s.ask("GET", filtered("Groups", `members.value eq "`+a+`"`), nil).has(1, "totalResults")
		s.ask("GET", filtered("Groups", `members[value eq "`+b+`"]`), nil).has(0, "totalResults")
		s.ask("GET", filtered("Groups", `id eq "`+id+`" and members eq "`+a+`"`), nil).refused(400, "invalidFilter")
		s.ask("GET", filtered("Groups", `members.display co "x"`), nil).refused(400, "invalidFilter")
		s.ask("PUT", "/Groups/"+id, group("Year 2", b, tutor)).is(200).has("Year 2", "displayName").has(nil, "externalId").has(b, "members", 0, "value").has(nil, "members", 1)
		s.ask("PATCH", "/Groups/"+id, patch(op("remove", "members", nil))).is(204)
		if got := s.members(id); got != "" {
			t.Errorf("the members are %q", got)
		}
		if title := s.count(`courses WHERE title = 'Algorithms'`); title != 1 {
			t.Error("the directory's name for a course changed its title")
		}
		if n := s.count(`audit_entries WHERE course_id = $1 AND action = 'enrollment.add' AND actor_id = $2`, course, s.directory); n != 5 {
			t.Errorf("%d people are in the audit who were added", n)
		}
		version := s.ask("GET", "/Groups/"+id, nil).Header.Get("ETag")
		s.ask("GET", "/Groups/"+id, nil, "If-None-Match", version).is(304)
		s.ask("PATCH", "/Groups/"+id, patch(op("add", "members", values(c))), "If-Match", version).is(204)
		s.ask("PATCH", "/Groups/"+id, patch(op("add", "members", values(a))), "If-Match", version).refused(412, "")
	})
}

func TestGroupsThatADirectoryPushes(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		a, b := s.create("a@uni.example"), s.create("b@uni.example")
		made := s.ask("POST", "/Groups", doc{"schemas": []string{groupURN}, "displayName": "Robotics club", "externalId": "g-1", "members": values(a)}).is(201).
			has("Robotics club", "displayName").has("g-1", "externalId").has(a, "members", 0, "value").has("a@uni.example", "members", 0, "display")
		id := made.id()
		if made.Header.Get("Location") != s.URL+"/scim/v2/Groups/"+id {
			t.Errorf("it is at %q", made.Header.Get("Location"))
		}
		s.ask("POST", "/Groups", group("robotics CLUB")).refused(409, "uniqueness")
		s.ask("POST", "/Groups", doc{"displayName": "Other", "externalId": "g-1"}).refused(409, "uniqueness")
		s.ask("PATCH", "/Groups/"+id, patch(op("add", "members", values(b)))).is(204)
		course, _ := strconv.ParseInt(id, 10, 64)
		rows, err := s.Service.Enroll(ctx, s.admin, service.EnrollRequest{CourseID: course, Role: lms.RoleStudent, Emails: []string{"hand@uni.example"}})
		if err != nil {
			t.Fatal(err)
		}
		hand := strconv.FormatInt(rows[0].UserID, 10)
		// Deleted: those whom the directory added go, the course stays, and is hidden.
		s.ask("DELETE", "/Groups/"+id, nil).is(204)
		s.ask("GET", "/Groups/"+id, nil).refused(404, "")
		s.ask("DELETE", "/Groups/"+id, nil).refused(404, "")
		s.ask("PATCH", "/Groups/"+id, patch(op("add", "members", values(b)))).refused(404, "")
		s.ask("GET", "/Groups", nil).has(0, "totalResults")
		if n := s.count(`enrollments en JOIN course_roles r ON r.id = en.role_id AND r.key = 'student' WHERE en.course_id = $1`, course); n != 1 {
			t.Errorf("%d students are left, and one was added by hand", n)
		}
		again := s.ask("POST", "/Groups", group("Robotics club", a)).is(201)
		if again.id() != id {
			t.Errorf("the course came back as %s, not %s", again.id(), id)
		}
		no := false
		if _, err := s.Service.UpdateDirectory(ctx, s.admin, s.directory, service.DirectoryPatch{MakesCourses: &no}); err != nil {
			t.Fatal(err)
		}
		s.ask("POST", "/Groups", group("Chess club")).refused(403, "")
		for what, body := range map[string]doc{
			"no name": {"members": values(a)}, "nobody": group("X", "99999"), "a group in a group": {"displayName": "X", "members": []doc{{"value": a, "type": "Group"}}},
			"what is no id": group("X", "abc"),
		} {
			p := s.ask("PUT", "/Groups/"+id, body)
			p.what = what
			p.refused(400, "invalidValue")
		}
		s.ask("PATCH", "/Groups/"+id, patch(op("add", "members", values(b, "99999")))).refused(400, "invalidValue")
		s.ask("PATCH", "/Groups/"+id, patch(op("replace", `members[value eq "`+a+`"].display`, "x"))).refused(400, "invalidPath")
		s.ask("PATCH", "/Groups/"+id, patch(op("replace", "shoeSize", "x"))).refused(400, "invalidPath")
		s.ask("PATCH", "/Groups/"+id, patch(op("remove", "displayName", nil))).refused(400, "mutability")
		s.ask("PATCH", "/Groups/"+id, patch(op("remove", `members[display eq "x"]`, nil))).refused(400, "invalidFilter")
		if got := s.members(id); got != a+" "+hand {
			t.Errorf("a refused change changed the members: %q", got)
		}
		if _, err := s.Service.ArchiveCourse(ctx, s.admin, course, true); err != nil {
			t.Fatal(err)
		}
		s.ask("GET", "/Groups/"+id, nil).is(200)
		s.ask("PATCH", "/Groups/"+id, patch(op("add", "members", values(b)))).refused(409, "")
	})
}

// TestAGroupOfTenThousand is set up in the database, since provisioning them one by one
// is another matter.
func TestAGroupOfTenThousand(t *testing.T) {
	const many = 10_000
	each(t, func(t *testing.T, s *school) {
		_, course := s.course("Algorithms", "CS-1")
		id := strconv.FormatInt(course, 10)
		var emails []string
		for i := range many {
			emails = append(emails, fmt.Sprintf("s%d@uni.example", i))
		}
		rows, err := s.Service.Enroll(ctx, s.admin, service.EnrollRequest{CourseID: course, Role: lms.RoleStudent, Emails: emails})
		if err != nil {
			t.Fatal(err)
		}
		ids := make([]string, len(rows))
		for i, r := range rows {
			ids[i] = strconv.FormatInt(r.UserID, 10)
		}
		statements := s.Store.Ran()
		s.ask("PATCH", "/Groups/"+id, patch(op("remove", "members", nil))).is(204)
		if got := s.members(id); got != "" {
			t.Error("somebody is left")
		}
		s.ask("PATCH", "/Groups/"+id, patch(op("add", "members", values(ids...)))).is(204)
		if got := strings.Count(s.members(id), " "); got != many-1 {
			t.Errorf("%d are in the group", got+1)
		}
		s.ask("PUT", "/Groups/"+id, group("Algorithms", ids[:5]...)).is(200)
		s.ask("GET", "/Groups?excludedAttributes=members", nil).is(200)
		if ran := s.Store.Ran() - statements; ran > 300 {
			t.Errorf("ten thousand members took %d statements", ran)
		}
	})
}
