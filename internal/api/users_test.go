package api_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/store"
)

func TestMeIsTheCaller(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.enroll(s.ada, course, "student", "sam@uni.example")
		me := s.ask(s.sam, "GET", "/api/v1/me", nil).is(200)
		same(t, "email", me.body["user"].(object)["email"], "sam@uni.example")
		same(t, "site role", me.text("site_role"), "member")
		same(t, "scopes", words(me.body["scopes"]), "read write")
		same(t, "more", me.body["more_courses"], false)
		c := me.list("courses")[0].(object)
		same(t, "role", c["role"], "student")
		same(t, "role name", c["role_name"], "Student")
		same(t, "privileges", words(c["privileges"]), "")
		same(t, "identities", s.ask(s.sam, "GET", "/api/v1/me/identities", nil).is(200).items()[0]["issuer"], "https://id.example")
		same(t, "scopes of a token", words(s.ask(withToken(s.sam, lms.ScopeRead), "GET", "/api/v1/me", nil).is(200).body["scopes"]), "read")
	})
}

func TestUserHasExactlyThePromisedFields(t *testing.T) {
	onEachEngine(t, func(s *school) {
		s.ask(s.admin, "POST", "/api/v1/users", object{"email": "New@Uni.Example", "given_name": " Nova ", "family_name": "Star"}).is(201)
		for email, want := range map[string]object{
			"new@uni.example": {"email": "new@uni.example", "display_name": "Nova Star", "given_name": "Nova", "family_name": "Star", "status": "pending", "site_role": "member", "claimed_at": nil, "last_seen_at": nil},
			"ada@uni.example": {"email": "ada@uni.example", "display_name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace", "status": "active", "site_role": "teacher"},
		} {
			u := s.ask(s.admin, "GET", path("/users/%d", s.idOf(email)), nil).is(200)
			for name, v := range want {
				same(t, name, u.body[name], v)
			}
			if len(u.body) != 10 {
				t.Errorf("a user has the fields %v", u.body)
			}
			for _, name := range []string{"created_at", "claimed_at", "last_seen_at"} {
				if text, ok := u.body[name].(string); ok && !strings.HasSuffix(text, "Z") {
					t.Errorf("%s is not in UTC: %s", name, text)
				}
			}
		}
	})
}

func TestServiceAccountsHaveNoAddress(t *testing.T) {
	onEachEngine(t, func(s *school) {
		if _, err := s.svc.ServiceToken(context.Background(), "grade sync", "", lms.SiteTeacher, service.NewToken{Name: "t"}); err != nil {
			t.Fatal(err)
		}
		for _, u := range s.ask(s.admin, "GET", "/api/v1/users?limit=200", nil).is(200).items() {
			if u["display_name"] == "grade sync" {
				if email, ok := u["email"]; !ok || email != nil {
					t.Errorf("its address is %v", email)
				}
				return
			}
		}
		t.Error("it is not listed")
	})
}

func TestUserTableShowsOnlyWhomTheCallerMaySee_C18_H01(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.enroll(s.ada, course, "student", "pupil@uni.example")
		names := func(as access.Caller, query string) string {
			var list []string
			for _, u := range s.ask(as, "GET", "/api/v1/users"+query, nil).is(200).items() {
				name, _, _ := strings.Cut(u["display_name"].(string), "@")
				list = append(list, name)
			}
			return strings.Join(list, ", ")
		}
		same(t, "a member sees", names(s.sam, ""), "Sam Student")
		same(t, "a member finds", names(s.sam, "?search=ada@uni.example"), "")
		same(t, "a manager sees", names(s.ada, ""), "Ada Lovelace, pupil")
		same(t, "a manager finds staff by name", names(s.ada, "?search=hopp"), "Grace Hopper")
		same(t, "a manager finds no member by name", names(s.ada, "?search=student"), "")
		same(t, "a manager finds a member by their whole address", names(s.ada, "?search=SAM@uni.example"), "Sam Student")
		if all := names(s.admin, ""); !strings.Contains(all, "Sam Student") || !strings.Contains(all, "pupil") {
			t.Errorf("the administrator sees %s", all)
		}
		same(t, "pending", names(s.admin, "?status=pending"), "pupil")
		s.ask(s.sam, "GET", path("/users/%d", s.ada.UserID), nil).refused(404, "not-found")
		s.ask(s.sam, "GET", path("/users/%d", s.sam.UserID), nil).is(200)
		s.ask(s.grace, "GET", path("/users?course_id=%d", course), nil).refused(404, "not-found")
	})
}

func TestUserTableOfACourseHasPrivilegesAndEnrollments(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.enroll(s.ada, course, "student", "sam@uni.example")
		s.ask(s.ada, "PATCH", privileges(s.grace.UserID, course), object{"allow": []string{"roster.view"}, "deny": []string{}}).is(200)
		s.ask(s.ada, "PATCH", privileges(-1, course), object{"allow": []string{"audit.view"}, "email": "edsger@uni.example"}).is(200)
		got := map[string]string{}
		for _, u := range s.ask(s.ada, "GET", path("/users?course_id=%d", course), nil).is(200).items() {
			role := "none"
			if e, ok := u["enrollment"].(object); ok {
				role = e["role"].(string) + " by " + e["source"].(string)
			} else if _, ok := u["enrollment"]; !ok {
				t.Errorf("%s has no field enrollment", u["email"])
			}
			got[u["email"].(string)] = role + ": " + words(u["course_privileges"])
		}
		same(t, "the table", got, map[string]string{
			"ada@uni.example":    "owner by manual: roster.view roster.manage staff.manage course.update course.archive audit.view announcements.manage",
			"sam@uni.example":    "student by paste: ",
			"grace@uni.example":  "none: roster.view",
			"edsger@uni.example": "none: audit.view",
		})
		with := s.ask(s.ada, "GET", path("/users?course_id=%d&has_privileges=true", course), nil).is(200).items()
		same(t, "with privileges", len(with), 3)
		for _, u := range s.ask(s.ada, "GET", "/api/v1/users", nil).is(200).items() {
			if len(u) != 10 {
				t.Errorf("without a course a user has the fields %v", u)
			}
		}
	})
}

func TestNamingAPersonIsForAdministrators(t *testing.T) {
	onEachEngine(t, func(s *school) {
		before := s.countUsers()
		for _, caller := range []access.Caller{s.ada, s.sam, withToken(s.admin, lms.ScopeRead)} {
			s.ask(caller, "POST", "/api/v1/users", object{"email": "new@uni.example"}).is(403)
		}
		s.ask(s.admin, "POST", "/api/v1/users", object{"email": "new"}).refused(422, "address-no-at").at("body.email")
		s.ask(s.admin, "POST", "/api/v1/users", object{"email": "new@uni.example", "site_role": "root"}).refused(422, "unknown-site-role").at("body.site_role")
		s.ask(s.admin, "POST", "/api/v1/users", object{"email": "new@uni.example", "given_name": "a\u202eb"}).refused(422, "text-control-character").at("body.given_name")
		s.ask(s.admin, "POST", "/api/v1/users", object{"given_name": "Nova"}).refused(422, "invalid").at("body.email")
		same(t, "users", s.countUsers(), before)
		re := s.ask(s.admin, "POST", "/api/v1/users", object{"email": "new@uni.example", "site_role": "teacher"}).is(201)
		same(t, "Location", re.header.Get("Location"), path("/users/%d", re.id()))
		same(t, "site role", s.ask(s.admin, "GET", re.header.Get("Location"), nil).is(200).text("site_role"), "teacher")
		again := s.ask(s.admin, "POST", "/api/v1/users", object{"email": "NEW@uni.example"}).is(201)
		same(t, "again", string(again.raw), string(re.raw))
	})
}

func TestAdministratorsChangeUsers_C12(t *testing.T) {
	onEachEngine(t, func(s *school) {
		s.course(s.ada, "Algorithms")
		ada := path("/users/%d", s.ada.UserID)
		s.ask(s.grace, "PATCH", ada, object{"status": "suspended"}).refused(403, "forbidden")
		s.ask(s.admin, "PATCH", path("/users/%d", s.admin.UserID), object{"site_role": "member"}).refused(403, "self-change")
		s.ask(s.admin, "PATCH", path("/users/%d", 987654), object{"site_role": "member"}).refused(404, "not-found")
		s.ask(s.admin, "PATCH", ada, object{"status": "gone"}).refused(422, "status").at("body.status")
		s.ask(s.admin, "PATCH", ada, object{"status": nil}).refused(422, "invalid").at("body.status")
		s.ask(s.admin, "PATCH", ada, object{"status": "suspended"}).refused(409, "last-owner")
		same(t, "status", s.ask(s.admin, "PATCH", ada, object{"status": "suspended", "orphan_courses": true}).is(200).text("status"), "suspended")
		s.ask(s.ada, "POST", "/api/v1/courses", object{"title": "x"}).refused(401, "sign-in-required")
		same(t, "status", s.ask(s.admin, "PATCH", ada, object{"status": "active", "site_role": "member"}).is(200).text("status"), "active")
		same(t, "site role", s.ask(s.admin, "GET", ada, nil).is(200).text("site_role"), "member")
		same(t, "an empty patch", s.ask(s.admin, "PATCH", ada, object{}).is(200).text("site_role"), "member")
	})
}

func TestAuditIsShownToThoseWhoMaySeeIt_H14(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.ask(s.ada, "PATCH", privileges(-1, course), object{"course_privileges": []string{"roster.view"}, "email": "edsger@uni.example"}).is(200)
		s.enroll(s.ada, course, "student", "sam@uni.example")
		s.ask(s.sam, "PATCH", privileges(s.ada.UserID, course), object{"course_privileges": []string{}}).is(403)
		items := s.ask(s.ada, "GET", path("/courses/%d/audit", course), nil).is(200).items()
		got := []string{}
		for _, e := range items {
			got = append(got, e["action"].(string)+" "+e["outcome"].(string))
			same(t, "course", e["course"].(object)["title"], "Algorithms")
			same(t, "request", e["request_id"], "request-1")
		}
		same(t, "actions", got, []string{"privileges.set refused", "enrollment.add done", "privileges.set done", "course.create done"})
		same(t, "reason", items[0]["reason"], "forbidden")
		same(t, "actor", items[2]["actor"].(object)["display_name"], "Ada Lovelace")
		same(t, "subject", items[2]["subject"].(object)["id"], s.idOf("edsger@uni.example"))
		after, _ := json.Marshal(items[2]["after"])
		same(t, "after", string(after), `{"allow":["roster.view"],"deny":[],"named":true}`)
		s.ask(s.sam, "GET", path("/courses/%d/audit", course), nil).refused(403, "forbidden")
		s.ask(s.grace, "GET", path("/courses/%d/audit", course), nil).refused(404, "not-found")
		s.ask(s.ada, "GET", "/api/v1/audit", nil).refused(403, "forbidden")
		if site := s.ask(s.admin, "GET", "/api/v1/audit?limit=200", nil).is(200).items(); len(site) < 4 {
			t.Errorf("the site's audit has %d entries", len(site))
		}
	})
}

func TestSessionsAreListedAndEnded_A03(t *testing.T) {
	onEachEngine(t, func(s *school) {
		other, third := s.session(s.ada.UserID), s.session(s.ada.UserID)
		items := s.ask(s.ada, "GET", "/api/v1/sessions", nil).is(200).items()
		same(t, "sessions", len(items), 3)
		current := 0
		for _, i := range items {
			if i["current"] == true {
				current++
				same(t, "current", number(t, i["id"]), s.ada.SessionID)
			}
		}
		same(t, "current sessions", current, 1)
		s.ask(s.grace, "DELETE", path("/sessions/%d", other), nil).refused(404, "not-found")
		s.ask(withToken(s.ada, lms.ScopeWrite), "DELETE", path("/sessions/%d", other), nil).refused(403, "token-not-enough")
		s.ask(s.ada, "DELETE", path("/sessions/%d", other), nil).is(204)
		s.ask(s.ada, "DELETE", path("/sessions/%d", other), nil).refused(404, "not-found")
		same(t, "ended", s.ask(s.ada, "DELETE", "/api/v1/sessions", nil).is(200).body["ended"], 1.0)
		s.ask(s.ada, "DELETE", path("/sessions/%d", third), nil).refused(404, "not-found")
		same(t, "left", len(s.ask(s.ada, "GET", "/api/v1/sessions", nil).is(200).items()), 1)
		s.ask(s.ada, "DELETE", path("/sessions/%d", s.ada.SessionID), nil).is(204)
	})
}

func TestTokensAreMadeListedAndRevoked(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		made := s.ask(s.ada, "POST", "/api/v1/tokens", object{"name": "grade sync", "scopes": []string{"read"}, "course_ids": []int64{course}, "expires_at": "2027-03-01T00:00:00+01:00"}).is(201)
		secret := made.text("token")
		if !strings.HasPrefix(secret, service.TokenPrefix) || !strings.HasSuffix(secret, made.text("hint")) {
			t.Errorf("the token is %q, its hint %q", secret, made.text("hint"))
		}
		caller, _, err := s.svc.ByToken(context.Background(), secret, "request-2")
		if err != nil || caller.UserID != s.ada.UserID || len(caller.CourseIDs) != 1 {
			t.Fatalf("the token belongs to %+v: %v", caller, err)
		}
		s.ask(caller, "GET", path("/courses/%d", course), nil).is(200)
		s.ask(caller, "PATCH", path("/courses/%d", course), object{"title": "x"}).refused(403, "token-scope")
		one := s.ask(s.ada, "GET", made.header.Get("Location"), nil).is(200)
		same(t, "one", one.text("name")+" "+words(one.body["scopes"])+" "+words(one.body["course_ids"]), "grade sync read "+words([]any{course}))
		if expires := one.text("expires_at"); !strings.HasPrefix(expires, "2027-02-28T23:00:0") {
			t.Errorf("it expires at %s", expires)
		}
		if strings.Contains(string(one.raw), secret) || strings.Contains(string(s.ask(s.ada, "GET", "/api/v1/tokens", nil).raw), secret) {
			t.Error("the secret is shown again")
		}
		forever := s.ask(s.ada, "POST", "/api/v1/tokens", `{"name": "for ever", "expires_at": null}`).is(201)
		same(t, "expires_at", forever.body["expires_at"], nil)
		same(t, "scopes", words(forever.body["scopes"]), "read write")
		for body, typ := range map[string]string{
			`{"name": "x", "expires_at": "2027-01-04T08:00:00Z"}`:    "expiry",
			`{"name": "x", "expires_at": "9999-12-31T00:00:00Z"}`:    "expiry",
			`{"name": "x", "expires_at": "tomorrow"}`:                "invalid",
			`{"name": "x", "expires_at": ""}`:                        "invalid",
			`{"name": "x", "expires_at": "2027-02-30T00:00:00Z"}`:    "invalid",
			`{"name": "x", "expires_at": "2027-03-01T00:00:00.5,Z"}`: "invalid",
			`{"name": ""}`:                          "name-missing",
			`{"name": "x", "scopes": ["admin"]}`:    "unknown-scope",
			`{"name": "x", "course_ids": [987654]}`: "unknown-course",
		} {
			s.ask(s.ada, "POST", "/api/v1/tokens", body).refused(422, typ)
		}
		s.ask(s.grace, "GET", made.header.Get("Location"), nil).refused(404, "not-found")
		s.ask(s.grace, "DELETE", made.header.Get("Location"), nil).refused(404, "not-found")
		s.ask(s.ada, "DELETE", made.header.Get("Location"), nil).is(204)
		s.ask(s.ada, "GET", made.header.Get("Location"), nil).refused(404, "not-found")
		if _, _, err := s.svc.ByToken(context.Background(), secret, ""); lms.CodeOf(err) != lms.CodeUnauthenticated {
			t.Errorf("the revoked token is answered with %v", err)
		}
	})
}

func TestPendingPeopleCannotAct_A02_C20(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.enroll(s.ada, course, "teacher", "pending@uni.example")
		pending := access.Caller{UserID: s.idOf("pending@uni.example"), Kind: lms.KindPerson, SiteRole: lms.SiteMember, SessionID: 1}
		s.ask(pending, "POST", "/api/v1/tokens", object{"name": "x"}).refused(401, "sign-in-required")
		s.ask(pending, "PUT", path("/courses/%d/enrollments", course), object{"emails": []string{"x@uni.example"}, "role": "student"}).refused(401, "sign-in-required")
		s.write(func(ctx context.Context, tx *store.Tx) error {
			n, err := tx.CountTokens(ctx, pending.UserID)
			same(t, "tokens", n, 0)
			return err
		})
	})
}
