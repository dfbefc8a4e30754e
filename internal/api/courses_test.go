package api_test

import (
	"fmt"
	"strings"
	"testing"

	"matricula/internal/access"
	"matricula/internal/lms"
)

func TestCoursesAreMadeChangedArchivedAndDeleted(t *testing.T) {
	onEachEngine(t, func(s *school) {
		made := s.ask(s.ada, "POST", "/api/v1/courses", object{"title": "  Algorithms ", "code": "CS-201", "description": "Sorting & <b>searching</b>"}).is(201)
		at := made.header.Get("Location")
		same(t, "Location", at, path("/courses/%d", made.id()))
		same(t, "title", made.text("title"), "Algorithms")
		same(t, "role", made.text("role"), "owner")
		if !strings.Contains(string(made.raw), "<b>searching</b>") {
			t.Errorf("the description comes back as %s", made.raw)
		}
		same(t, "the same", string(s.ask(s.ada, "GET", at, nil).is(200).raw), string(made.raw))
		same(t, "title", s.ask(s.ada, "PATCH", at, object{"title": "Algorithms II"}).is(200).text("title"), "Algorithms II")
		same(t, "code", s.ask(s.ada, "PATCH", at, object{"code": ""}).is(200).text("code"), "")
		same(t, "an empty patch", s.ask(s.ada, "PATCH", at, object{}).is(200).text("title"), "Algorithms II")
		s.ask(s.ada, "PATCH", at, object{"title": " "}).refused(422, "title-missing").at("body.title")
		s.ask(s.ada, "PATCH", at, object{"title": nil}).refused(422, "invalid").at("body.title")
		s.ask(s.ada, "POST", "/api/v1/courses", object{"title": strings.Repeat("x", 201)}).refused(422, "text-too-long").at("body.title")

		s.ask(s.ada, "DELETE", at, nil).refused(409, "course-not-archived")
		both := s.ask(s.ada, "PATCH", at, object{"archived": true, "title": "Old algorithms"}).is(200)
		if both.body["archived_at"] == nil || both.text("title") != "Old algorithms" {
			t.Errorf("archived with a title: %s", both.raw)
		}
		s.ask(s.ada, "PATCH", at, object{"title": "x"}).refused(409, "course-archived")
		both = s.ask(s.ada, "PATCH", at, object{"archived": false, "title": "New algorithms"}).is(200)
		if both.body["archived_at"] != nil || both.text("title") != "New algorithms" {
			t.Errorf("restored with a title: %s", both.raw)
		}
		s.ask(s.ada, "PATCH", at, object{"archived": true}).is(200)
		s.ask(s.ada, "DELETE", at, nil).is(204)
		s.ask(s.ada, "GET", at, nil).refused(404, "not-found")
		s.ask(s.ada, "DELETE", at, nil).refused(404, "not-found")
		same(t, "courses", len(s.ask(s.ada, "GET", "/api/v1/courses", nil).is(200).items()), 0)
	})
}

func TestHiddenCoursesAreNotThere_C15(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		there := s.ask(s.grace, "GET", path("/courses/%d", course), nil)
		absent := s.ask(s.grace, "GET", path("/courses/%d", 987654), nil)
		same(t, "hidden and absent", string(there.refused(404, "not-found").raw), string(absent.refused(404, "not-found").raw))
		for _, to := range []string{"", "/enrollments", "/counts", "/roles", "/audit", fmt.Sprintf("/users/%d/access", s.ada.UserID), fmt.Sprintf("/users/%d/access", s.grace.UserID)} {
			for _, caller := range []access.Caller{s.grace, s.sam} {
				s.ask(caller, "GET", path("/courses/%d", course)+to, nil).refused(404, "not-found")
			}
		}
		s.ask(s.grace, "PATCH", path("/courses/%d", course), object{"title": "Mine"}).refused(404, "not-found")
		s.ask(s.grace, "PUT", path("/courses/%d/enrollments", course), object{"emails": []string{"x@uni.example"}, "role": "student"}).refused(404, "not-found")
		s.ask(s.grace, "DELETE", path("/courses/%d", course), nil).refused(404, "not-found")
		same(t, "listed", len(s.ask(s.grace, "GET", "/api/v1/courses?all=true", nil).is(200).items()), 0)
		same(t, "listed to the administrator", len(s.ask(s.admin, "GET", "/api/v1/courses?all=true", nil).is(200).items()), 1)
		same(t, "the administrator's own", len(s.ask(s.admin, "GET", "/api/v1/courses", nil).is(200).items()), 0)
		all := s.ask(s.admin, "GET", path("/courses/%d", course), nil).is(200)
		same(t, "role", all.body["role"], nil)
		same(t, "privileges", len(all.list("privileges")), len(lms.Privileges()))
	})
}

func TestMembersMakeNoCourses(t *testing.T) {
	onEachEngine(t, func(s *school) {
		s.ask(s.sam, "POST", "/api/v1/courses", object{"title": "Mine"}).refused(403, "forbidden")
	})
}

func TestEnrollingAnswersRowByRow(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.enroll(s.ada, course, "student", "sam@uni.example")
		hidden := s.arrive("hidden@uni.example", "Hidden", "Member", lms.SiteMember)
		re := s.ask(s.ada, "PUT", path("/courses/%d/enrollments", course), object{
			"emails":   []string{"New@Uni.Example", "SAM@uni.example", "grace@uni,example", "new@uni.example", "Grace <grace@uni.example>", "grace@uni.example"},
			"user_ids": []int64{hidden.UserID, s.sam.UserID},
			"people":   []object{{"email": "other@uni.example"}, {"user_id": s.sam.UserID}, {"email": "Other@uni.example"}, {"user_id": 987654}},
			"role":     "student",
		}).is(200)
		var got []string
		for _, i := range re.items() {
			got = append(got, fmt.Sprint(i["location"], " ", i["result"], " ", i["reason"]))
		}
		same(t, "rows", strings.Join(got, "\n"), strings.Join([]string{
			"body.emails[0] named <nil>",
			"body.emails[1] already already-enrolled",
			"body.emails[2] refused address-domain-characters",
			"body.emails[3] already listed-twice",
			"body.emails[4] refused address-name-and-address",
			"body.emails[5] enrolled <nil>",
			"body.people[0].email named <nil>",
			"body.people[2].email already listed-twice",
			"body.user_ids[0] refused not-found",
			"body.user_ids[1] already already-enrolled",
			"body.people[1].user_id already listed-twice",
			"body.people[3].user_id refused not-found",
		}, "\n"))
		same(t, "counts", re.body["counts"], object{"named": 2.0, "already": 5.0, "enrolled": 1.0, "refused": 4.0})
		rows := re.items()
		same(t, "typed", rows[0]["typed"], "New@Uni.Example")
		same(t, "email", rows[0]["email"], "new@uni.example")
		same(t, "suggestion", rows[4]["suggestion"], "grace@uni.example")
		same(t, "the one who was named", rows[0]["user_id"], float64(s.idOf("new@uni.example")))
		if _, ok := rows[8]["typed"]; ok || rows[8]["user_id"] == nil {
			t.Errorf("the row of an id is %v", rows[8])
		}

		again := s.enroll(s.ada, course, "student", "new@uni.example", "grace@uni.example", "other@uni.example")
		same(t, "again", again.body["counts"], object{"already": 3.0})
	})
}

func TestEnrollingRefusesWhatIsNoRequest(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		to := path("/courses/%d/enrollments", course)
		s.ask(s.ada, "PUT", to, object{"role": "student"}).refused(422, "nobody-named")
		s.ask(s.ada, "PUT", to, object{"emails": []string{}, "user_ids": []int64{}, "people": []object{}, "role": "student"}).refused(422, "nobody-named")
		s.ask(s.ada, "PUT", to, object{"emails": []string{"x@uni.example"}}).refused(422, "invalid").at("body.role")
		s.ask(s.ada, "PUT", to, object{"emails": []string{"x@uni.example"}, "role": "Student"}).refused(422, "unknown-role").at("body.role")
		s.ask(s.ada, "PUT", to, object{"people": []object{{"email": "x@uni.example", "user_id": 3}}, "role": "student"}).refused(422, "invalid").at("body.people[0]")
		s.ask(s.ada, "PUT", to, object{"people": []object{{"email": "x@uni.example"}, {}}, "role": "student"}).refused(422, "invalid").at("body.people[1]")
		s.ask(s.ada, "PUT", to, object{"people": []object{{"email": "x@uni.example", "role": "owner"}}, "role": "student"}).refused(422, "invalid").at("body.people[0].role")
		s.ask(s.ada, "PUT", to, object{"user_ids": make([]int64, 10_001), "role": "student"}).refused(413, "too-many-rows")
		same(t, "people", s.ask(s.ada, "GET", path("/courses/%d/counts", course), nil).is(200).body, object{"people": 1.0, "staff": 1.0, "pending": 0.0})
	})
}

func TestEnrollingStaffNeedsMoreThanTheRoster_C05_C09(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.enroll(s.ada, course, "assistant", "grace@uni.example")
		to := path("/courses/%d/enrollments", course)
		s.ask(s.grace, "PUT", to, object{"emails": []string{"x@uni.example"}, "role": "teacher"}).refused(403, "forbidden")
		s.ask(s.grace, "PUT", to, object{"emails": []string{"x@uni.example"}, "role": "owner"}).refused(403, "forbidden")
		same(t, "x", s.idOf("x@uni.example"), 0)
		same(t, "an id that she cannot see", s.ask(s.grace, "PUT", to, object{"user_ids": []int64{s.sam.UserID}, "role": "student"}).is(200).items()[0]["reason"], "not-found")
		same(t, "an address", s.ask(s.grace, "PUT", to, object{"emails": []string{"sam@uni.example"}, "role": "student"}).is(200).items()[0]["result"], "enrolled")
	})
}

func TestRosterIsFilteredAndInTheOrderOfNames(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.enroll(s.ada, course, "student", "sam@uni.example", "zoe@uni.example", "abel@uni.example")
		s.enroll(s.ada, course, "assistant", "grace@uni.example")
		s.ask(s.ada, "PATCH", privileges(-1, course), object{"allow": []string{"audit.view"}, "email": "only.privileges@uni.example"}).is(200)
		names := func(query string) string {
			var list []string
			for _, m := range s.ask(s.ada, "GET", path("/courses/%d/enrollments", course)+query, nil).is(200).items() {
				list = append(list, strings.TrimSuffix(m["email"].(string), "@uni.example"))
			}
			return strings.Join(list, " ")
		}
		same(t, "all", names(""), "abel grace ada sam zoe")
		same(t, "students", names("?role=student"), "abel sam zoe")
		same(t, "pending", names("?status=pending"), "abel zoe")
		same(t, "staff", names("?group=staff"), "grace ada")
		same(t, "not staff", names("?group=students"), "abel sam zoe")
		same(t, "found", names("?search=hop"), "grace")
		same(t, "no such role", names("?role=nobody"), "")
		m := s.ask(s.ada, "GET", path("/courses/%d/enrollments?role=assistant", course), nil).is(200).items()[0]
		same(t, "role", m["enrollment"].(object)["role_name"], "Assistant")
		same(t, "privileges", words(m["course_privileges"]), "roster.view roster.manage")
		same(t, "counts", s.ask(s.ada, "GET", path("/courses/%d/counts", course), nil).is(200).body, object{"people": 6.0, "staff": 3.0, "pending": 3.0})
		s.ask(s.sam, "GET", path("/courses/%d/enrollments", course), nil).refused(403, "forbidden")
	})
}

func TestRemovingAnswersRowByRow_C10(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		to := path("/courses/%d/enrollments", course)
		s.enroll(s.ada, course, "student", "sam@uni.example", "x@uni.example")
		re := s.ask(s.ada, "DELETE", to, object{"user_ids": []int64{s.sam.UserID, s.ada.UserID, 987654, s.sam.UserID}}).is(200)
		var got []string
		for _, i := range re.items() {
			got = append(got, fmt.Sprint(i["location"], " ", i["result"], " ", i["reason"]))
		}
		same(t, "rows", got, []string{"body.user_ids[0] removed <nil>", "body.user_ids[1] refused last-owner", "body.user_ids[2] refused not-in-course", "body.user_ids[3] refused not-in-course"})
		same(t, "counts", re.body["counts"], object{"removed": 1.0, "refused": 3.0})
		s.ask(s.ada, "DELETE", to, object{"user_ids": []int64{s.ada.UserID}}).refused(409, "last-owner")
		s.ask(s.ada, "DELETE", to, object{"user_ids": []int64{}}).refused(422, "invalid").at("body.user_ids")
		s.ask(s.ada, "DELETE", to, nil).refused(400, "malformed")
		s.ask(s.ada, "GET", path("/courses/%d/users/%d/access", course, s.ada.UserID), nil).is(200)
	})
}

func TestRolesOfPeopleAreChanged_C10(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.enroll(s.ada, course, "student", "grace@uni.example")
		to := path("/courses/%d/enrollments/%d", course, s.grace.UserID)
		re := s.ask(s.ada, "PATCH", to, object{"role": "owner"}).is(200)
		same(t, "role", re.body["enrollment"].(object)["role"], "owner")
		same(t, "privileges", len(re.list("course_privileges")), len(lms.Privileges()))
		s.ask(s.ada, "PATCH", path("/courses/%d/enrollments/%d", course, s.ada.UserID), object{"role": "student"}).refused(403, "self-change")
		s.ask(s.grace, "PATCH", path("/courses/%d/enrollments/%d", course, s.ada.UserID), object{"role": "student"}).is(200)
		s.ask(s.ada, "PATCH", to, object{"role": "student"}).refused(403, "forbidden")
		s.ask(s.grace, "PATCH", path("/courses/%d/enrollments/%d", course, s.admin.UserID), object{"role": "student"}).is(404)
		s.ask(s.grace, "PATCH", path("/courses/%d/enrollments/%d", course, s.ada.UserID), object{"role": "emperor"}).refused(422, "unknown-role").at("body.role")
	})
}

func TestCustomRoles_C06(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		to := path("/courses/%d/roles", course)
		made := s.ask(s.ada, "POST", to, object{"name": "Lab tutor", "privileges": []string{"roster.manage"}}).is(201)
		at := made.header.Get("Location")
		same(t, "Location", at, fmt.Sprintf("%s/%d", to, made.id()))
		same(t, "key", made.text("key"), "lab-tutor")
		same(t, "privileges", words(made.body["privileges"]), "roster.view roster.manage")
		s.ask(s.ada, "POST", to, object{"name": "lab  TUTOR", "privileges": []string{}}).refused(422, "role-name-taken").at("body.name")
		s.ask(s.ada, "POST", to, object{"name": "Owner", "privileges": []string{}}).refused(422, "role-name-taken")
		s.ask(s.ada, "POST", to, object{"name": "x", "privileges": []string{"fly"}}).refused(422, "unknown-privilege").at("body.privileges[0]")
		s.ask(s.ada, "POST", to, object{"name": "x"}).refused(422, "invalid").at("body.privileges")

		s.enroll(s.ada, course, "lab-tutor", "grace@uni.example", "x@uni.example")
		same(t, "people", s.ask(s.ada, "GET", at, nil).is(200).body["people"], 2.0)
		var keys []string
		for _, r := range s.ask(s.grace, "GET", to, nil).is(200).items() {
			keys = append(keys, fmt.Sprint(r["key"], " ", r["people"]))
		}
		same(t, "roles", keys, []string{"owner 1", "teacher 0", "assistant 0", "observer 0", "student 0", "lab-tutor 2"})
		s.ask(s.grace, "PATCH", at, object{"privileges": []string{"staff.manage"}}).refused(403, "forbidden")
		s.ask(s.ada, "DELETE", at, nil).refused(409, "role-in-use")
		same(t, "name", s.ask(s.ada, "PATCH", at, object{"name": "Tutor"}).is(200).text("name"), "Tutor")
		same(t, "privileges", words(s.ask(s.ada, "PATCH", at, object{"privileges": []string{}}).is(200).body["privileges"]), "")
		preset := number(t, s.ask(s.ada, "GET", to, nil).items()[0]["id"])
		s.ask(s.ada, "PATCH", fmt.Sprintf("%s/%d", to, preset), object{"name": "Boss"}).refused(409, "preset-role")
		s.ask(s.ada, "DELETE", path("/courses/%d/enrollments", course), object{"user_ids": []int64{s.grace.UserID, s.idOf("x@uni.example")}}).is(200)
		s.ask(s.ada, "DELETE", at, nil).is(204)
		s.ask(s.ada, "GET", at, nil).refused(404, "not-found")
	})
}

func TestAccessSaysWhatAndWhy(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.enroll(s.ada, course, "assistant", "grace@uni.example")
		s.ask(s.ada, "PATCH", privileges(s.grace.UserID, course), object{"allow": []string{"audit.view", "staff.manage"}, "deny": []string{"roster.manage"}}).is(200)
		to := path("/courses/%d/users/%d/access", course, s.grace.UserID)
		re := s.ask(s.ada, "GET", to, nil).is(200)
		why := map[string]string{}
		for _, p := range re.list("privileges") {
			p := p.(object)
			why[p["privilege"].(string)] = fmt.Sprint(p["allowed"], " ", p["because"], " ", p["via"])
			if p["label"] == "" {
				t.Errorf("%s has no label", p["privilege"])
			}
		}
		same(t, "why", why, map[string]string{
			"roster.view": "true role <nil>", "roster.manage": "false denied roster.manage", "staff.manage": "true allowed <nil>", "announcements.manage": "false not-given <nil>",
			"audit.view": "true allowed <nil>", "course.update": "false not-given <nil>", "course.archive": "false not-given <nil>",
		})
		same(t, "granted by", re.body["granted_by"].(object)["display_name"], "Ada Lovelace")
		same(t, "added by", re.body["added_by"].(object)["id"], float64(s.ada.UserID))
		same(t, "named by", re.body["named_by"], nil)
		same(t, "may edit", re.body["may_edit"], true)
		same(t, "course", re.body["course_id"], course)
		same(t, "effective", words(re.body["course_privileges"]), "roster.view staff.manage audit.view")
		if re.body["granted_at"] == nil {
			t.Error("it does not say when")
		}
		same(t, "about oneself", s.ask(s.grace, "GET", to, nil).is(200).body["may_edit"], false)
		s.enroll(s.ada, course, "student", "sam@uni.example")
		s.ask(s.sam, "GET", path("/courses/%d/users/%d/access", course, s.sam.UserID), nil).is(200)
		s.ask(s.sam, "GET", to, nil).refused(403, "forbidden")
		s.ask(s.ada, "GET", path("/courses/%d/users/%d/access", course, 987654), nil).refused(404, "not-found")
	})
}

func TestPrivilegesAreDescribed(t *testing.T) {
	s := newSchool(t, "sqlite:"+t.TempDir()+"/school.db", noOptions)
	items := s.ask(s.sam, "GET", "/api/v1/privileges", nil).is(200).items()
	same(t, "privileges", len(items), len(lms.Privileges()))
	for _, p := range items {
		if p["label"] == "" || p["description"] == "" {
			t.Errorf("%v is not described", p)
		}
	}
	same(t, "implied", words(items[1]["implies"]), "roster.view")
}

func TestLookingUpChangesNothing(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		to := path("/courses/%d/lookup", course)
		before := s.countUsers()
		known := s.ask(s.ada, "POST", to, object{"email": "GRACE@uni.example"}).is(200)
		same(t, "known", known.body["member"].(object)["id"], float64(s.grace.UserID))
		unknown := s.ask(s.ada, "POST", to, object{"email": "New@Uni.Example"}).is(200)
		same(t, "unknown", fmt.Sprint(unknown.body["member"], " ", unknown.body["email"]), "<nil> new@uni.example")
		same(t, "by id", s.ask(s.ada, "POST", to, object{"user_id": s.ada.UserID}).is(200).text("email"), "ada@uni.example")
		s.ask(s.ada, "POST", to, object{"user_id": 987654}).refused(404, "not-found")
		s.ask(s.ada, "POST", to, object{}).refused(422, "invalid")
		s.ask(s.ada, "POST", to, object{"email": "new"}).refused(422, "address-no-at").at("body.email")
		s.enroll(s.ada, course, "student", "sam@uni.example")
		s.ask(s.sam, "POST", to, object{"email": "ada@uni.example"}).refused(403, "forbidden")
		same(t, "users", s.countUsers(), before)
	})
}
