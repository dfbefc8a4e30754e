package story_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"

	"matricula/internal/apptest/app"
)

// What an endpoint that makes people on the fly gets wrong when it is written
// in a hurry: it makes them before it has looked at who asks and what for, it
// makes a second one of somebody whose address is spelled otherwise, and it
// stumbles over those who are known.
func TestNamingOnTheFlyThroughTheAPI(t *testing.T) {
	app.EachEngine(t, func(t *testing.T, engine string) {
		s := openSchool(t, engine)
		s.firstComers(t)
		s.openCourse(t)
		s.nameGrace(t)
		s.graceArrives(t)
		t.Run("a bad privilege leaves no person behind", s.badPrivilege)
		t.Run("a bad address is refused with what to mend", s.badAddress)
		t.Run("A-21 spellings of one address are one person", s.noTwins)
		t.Run("D-01 fifty requests at once name one person", s.fiftyAtOnce)
		t.Run("A-39 an address that is known is used and not refused", s.knownAddress)
		t.Run("the id is tried before the address", s.idFirst)
		t.Run("the address may stand in the query", s.addressInQuery)
		t.Run("C-03 who may not name people makes none", s.refusedCallers)
		t.Run("C-05 nobody gives what they do not hold", s.beyondOwn)
		t.Run("C-13 fields that are nobody's business are refused", s.unknownFields)
		t.Run("a request that names no person or no course says so", s.missing)
		t.Run("the server ends in good order", func(t *testing.T) {
			if err := s.program.stop(); err != nil {
				t.Error(err)
			}
		})
		t.Run("the log holds no address", func(t *testing.T) { s.cleanLog(t, `"path":"/api/v1/users/-1/privileges"`) })
	})
}

func (s *school) patch(t *testing.T, c *client, id int64, body map[string]any) reply {
	t.Helper()
	return c.send(t, http.MethodPatch, s.privileges(id), body)
}

// unknown expects that nobody has the address.
func (s *school) unknown(t *testing.T, addresses ...string) {
	t.Helper()
	for _, address := range addresses {
		if found := s.find(t, address); len(found) != 0 {
			t.Errorf("%s was left behind: %+v", address, found)
		}
	}
}

func (s *school) badPrivilege(t *testing.T) {
	const address = "orphan.canary@uni.example"
	s.patch(t, s.sis, -1, map[string]any{"email": address, "course_privileges": []string{"roster.view", "course.explode", "x"}}).
		problem(t, http.StatusUnprocessableEntity, "unknown-privilege", "body.course_privileges[1]", "body.course_privileges[2]")
	s.patch(t, s.sis, -1, map[string]any{"email": address, "allow": []string{"roster.view"}, "deny": []string{"roster.view"}}).
		problem(t, http.StatusUnprocessableEntity, "allowed-and-denied", "body.deny")
	s.patch(t, s.sis, -1, map[string]any{"email": address}).want(t, http.StatusUnprocessableEntity)
	s.sis.send(t, http.MethodPut, s.enrollments(), map[string]any{"emails": []string{address}, "role": "emperor"}).
		problem(t, http.StatusUnprocessableEntity, "unknown-role", "body.role")
	s.unknown(t, address)
}

func (s *school) badAddress(t *testing.T) {
	for _, address := range []string{"no address", "Grace <bad.canary@uni.example>", "two@signs@uni.example", "@uni.example", "bad.canary@"} {
		r := s.patch(t, s.sis, -1, map[string]any{"email": address, "course_privileges": []string{}})
		r.want(t, http.StatusUnprocessableEntity)
		var p struct {
			Errors []struct{ Location, Message string } `json:"errors"`
		}
		r.into(t, &p)
		if len(p.Errors) != 1 || p.Errors[0].Location != "body.email" || p.Errors[0].Message == "" {
			t.Errorf("%q: %s", address, r.body)
		}
	}
	s.unknown(t, "bad.canary")
}

func (s *school) noTwins(t *testing.T) {
	const address = "twin.canary@uni.example"
	for turn := range 5 {
		var u wireUser
		s.patch(t, s.sis, -1, map[string]any{"email": spelled(address, turn), "course_privileges": []string{"roster.view"}}).want(t, http.StatusOK).into(t, &u)
		s.meet(t, address, u.ID)
		if u.Email != address || u.Status != "pending" {
			t.Errorf("%q is %+v", spelled(address, turn), u)
		}
	}
	if found := s.find(t, address); len(found) != 1 {
		t.Errorf("%d people: %+v", len(found), found)
	}
}

func (s *school) fiftyAtOnce(t *testing.T) {
	const address = "crowd.canary@uni.example"
	replies, errs := make([]reply, 50), make([]error, 50)
	var wg sync.WaitGroup
	for i := range replies {
		wg.Go(func() {
			if i%2 == 0 {
				replies[i], errs[i] = s.sis.try(http.MethodPatch, s.privileges(-1), map[string]any{"email": spelled(address, i), "course_privileges": []string{"roster.view"}})
				return
			}
			replies[i], errs[i] = s.sis.try(http.MethodPut, s.enrollments(), map[string]any{"emails": []string{spelled(address, i)}, "role": "observer"})
		})
	}
	wg.Wait()
	named := 0
	for i, r := range replies {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		r.want(t, http.StatusOK)
		if i%2 == 0 {
			var u wireUser
			r.into(t, &u)
			s.meet(t, address, u.ID)
			continue
		}
		var rows wireRows
		r.into(t, &rows)
		if len(rows.Items) != 1 || rows.Items[0].Result == "refused" {
			t.Fatalf("%+v", rows)
		}
		named += rows.Counts["named"]
		s.meet(t, address, rows.Items[0].UserID)
	}
	if named > 1 {
		t.Errorf("%d requests say that they were the first to name the person", named)
	}
	if found := s.find(t, address); len(found) != 1 {
		t.Errorf("%d people: %+v", len(found), found)
	}
}

func (s *school) knownAddress(t *testing.T) {
	for turn := range 5 {
		var u wireUser
		s.patch(t, s.sis, -1, map[string]any{"email": spelled(student(0), turn), "course_privileges": []string{"audit.view"}}).want(t, http.StatusOK).into(t, &u)
		s.meet(t, student(0), u.ID)
		if u.Status != "active" || !slices.Equal(u.CoursePrivileges, []string{"audit.view"}) {
			t.Errorf("%+v", u)
		}
	}
}

func (s *school) idFirst(t *testing.T) {
	var u wireUser
	s.patch(t, s.sis, s.ids[student(1)], map[string]any{"email": "instead.canary@uni.example", "course_privileges": []string{"roster.view"}}).want(t, http.StatusOK).into(t, &u)
	s.meet(t, student(1), u.ID)
	s.unknown(t, "instead.canary@uni.example")

	// An id that is nobody's, with an address: the person of the address.
	s.patch(t, s.sis, 999_999_999, map[string]any{"email": student(1), "course_privileges": []string{}}).want(t, http.StatusOK).into(t, &u)
	s.meet(t, student(1), u.ID)
}

func (s *school) addressInQuery(t *testing.T) {
	const address = "query.canary@uni.example"
	for range 2 {
		var u wireUser
		s.sis.send(t, http.MethodPatch, s.privileges(-1)+"&email="+url.QueryEscape("Query.Canary@uni.example"), map[string]any{"course_privileges": []string{"roster.view"}}).
			want(t, http.StatusOK).into(t, &u)
		s.meet(t, address, u.ID)
	}
	s.sis.send(t, http.MethodPatch, s.privileges(-1)+"&email="+url.QueryEscape(address), map[string]any{"email": student(2), "course_privileges": []string{}}).
		problem(t, http.StatusBadRequest, "two-addresses", "query.email")
}

func (s *school) refusedCallers(t *testing.T) {
	nobody := newClient(t, s.url)
	stranger, _ := s.arrive(t, "elsewhere.canary@uni.example", "Else", "Where")
	learner, _ := s.arrive(t, student(5), "Student", "Known5")
	s.sis.send(t, http.MethodPut, s.enrollments(), map[string]any{"emails": []string{student(5)}, "role": "student"}).want(t, http.StatusOK)
	for _, c := range []struct {
		who     string
		client  *client
		status  int
		problem string
	}{
		{"nobody", nobody, http.StatusUnauthorized, "sign-in-required"},
		{"a stranger to the course", stranger, http.StatusNotFound, "not-found"},
		{"a student", learner, http.StatusForbidden, "forbidden"},
		{"Grace, who manages the roster and not the staff", s.grace, http.StatusForbidden, "forbidden"},
	} {
		t.Run(c.who, func(t *testing.T) {
			const address = "refused.canary@uni.example"
			for _, email := range []string{address, student(3), "no address"} { // unknown, known, bad: the same answer
				s.patch(t, c.client, -1, map[string]any{"email": email, "course_privileges": []string{"roster.view"}}).problem(t, c.status, c.problem)
			}
			if c.client != s.grace {
				c.client.send(t, http.MethodPut, s.enrollments(), map[string]any{"emails": []string{address}, "role": "student"}).problem(t, c.status, c.problem)
			}
			c.client.send(t, http.MethodPut, s.enrollments(), map[string]any{"emails": []string{address}, "role": "teacher"}).problem(t, c.status, c.problem)
			s.unknown(t, address)
		})
	}
}

func (s *school) beyondOwn(t *testing.T) {
	const address = "ceiling.canary@uni.example"
	// Grace may now manage the staff, which is still not everything.
	s.patch(t, s.sis, s.ids[graceAddress], map[string]any{"course_privileges": []string{"staff.manage", "audit.view"}}).want(t, http.StatusOK)
	s.patch(t, s.grace, -1, map[string]any{"email": address, "course_privileges": []string{"audit.view", "course.archive"}}).
		problem(t, http.StatusForbidden, "beyond-own-privileges")
	s.unknown(t, address)
	s.patch(t, s.grace, s.ids[graceAddress], map[string]any{"course_privileges": []string{"audit.view"}}).problem(t, http.StatusForbidden, "self-change")
	var u wireUser
	s.patch(t, s.grace, -1, map[string]any{"email": address, "course_privileges": []string{"audit.view"}}).want(t, http.StatusOK).into(t, &u)
	if !slices.Equal(u.CoursePrivileges, []string{"audit.view"}) {
		t.Errorf("%+v", u)
	}
}

func (s *school) unknownFields(t *testing.T) {
	const address = "assigned.canary@uni.example"
	for _, field := range []string{"status", "is_admin", "site_role", "email_verified", "created_by", "id", "Email", "EMAIL", "\u017ftatus"} {
		s.patch(t, s.sis, -1, map[string]any{"email": address, "course_privileges": []string{}, field: "admin"}).want(t, http.StatusUnprocessableEntity)
	}
	s.unknown(t, address)
}

func (s *school) missing(t *testing.T) {
	body := map[string]any{"email": "missing.canary@uni.example", "course_privileges": []string{"roster.view"}}
	s.patch(t, s.sis, -1, map[string]any{"course_privileges": []string{"roster.view"}}).problem(t, http.StatusNotFound, "not-found")
	s.patch(t, s.sis, 999_999_999, map[string]any{"course_privileges": []string{"roster.view"}}).problem(t, http.StatusNotFound, "not-found")
	s.sis.send(t, http.MethodPatch, "/api/v1/users/-1/privileges", body).want(t, http.StatusBadRequest)
	s.sis.send(t, http.MethodPatch, "/api/v1/users/-1/privileges?course_id=999999999", body).problem(t, http.StatusNotFound, "not-found")
	s.sis.send(t, http.MethodPatch, fmt.Sprintf("/api/v1/users/-2/privileges?course_id=%d", s.course), body).problem(t, http.StatusNotFound, "not-found")
	s.unknown(t, "missing.canary@uni.example")
}
