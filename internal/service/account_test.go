package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/store"
)

// mint makes a token and gives its caller.
func (s *school) mint(c access.Caller, n service.NewToken) (access.Caller, service.Minted) {
	s.tb.Helper()
	if n.Name == "" {
		n.Name = "token"
	}
	m, err := s.CreateToken(ctx, c, n, nil)
	if err != nil {
		s.tb.Fatal(err)
	}
	return s.byToken(m.Secret), m
}

func (s *school) byToken(secret string) access.Caller {
	s.tb.Helper()
	c, _, err := s.ByToken(ctx, secret, "r")
	if err != nil {
		s.tb.Fatal(err)
	}
	return c
}

func TestC17ATokenWithTheScopeReadWritesNothing(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		id := s.enroll(ada, course, "student", "s@uni.example")[0]
		read, m := s.mint(ada, service.NewToken{Scopes: []string{"read"}})
		for name, err := range map[string]error{
			"courses": second(s.Courses(ctx, read, service.CoursesRequest{Limit: 5})),
			"roster":  second(s.Roster(ctx, read, service.RosterRequest{CourseID: course, Limit: 5})),
			"audit":   second(s.Audit(ctx, read, service.AuditRequest{CourseID: course, Limit: 5})),
			"me":      second(s.Me(ctx, read)),
		} {
			if err != nil {
				t.Errorf("reading %s: %v", name, err)
			}
		}
		writes := map[string]func() error{
			"a course":   func() error { return second(s.CreateCourse(ctx, read, lms.CourseFields{Title: "x"}, nil)) },
			"its title":  func() error { return second(s.UpdateCourse(ctx, read, course, service.CoursePatch{Title: ptr("x")})) },
			"archiving":  func() error { return second(s.ArchiveCourse(ctx, read, course, true)) },
			"deleting":   func() error { return s.DeleteCourse(ctx, read, course) },
			"a role":     func() error { return second(s.CreateRole(ctx, read, course, service.RoleFields{Name: "x"}, nil)) },
			"a removal":  func() error { return second(s.Remove(ctx, read, course, []int64{id})) },
			"a revoking": func() error { return s.RevokeToken(ctx, read, m.Token.ID) },
			"an enrollment's role": func() error {
				return second(s.SetRole(ctx, read, service.RoleChange{CourseID: course, UserID: id, Role: "observer"}))
			},
		}
		for name, do := range doors(s, read, course, "v@uni.example") {
			writes[name] = do
		}
		for name, do := range writes {
			nobodyIsMade(s, name, lms.CodeForbidden, "token-scope", do)
		}
	})
}

func TestC17ATokenForOneCourseReachesNoOther(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		one, two := s.course(ada, "One"), s.course(ada, "Two")
		s.enroll(ada, two, "student", "s@uni.example")
		limited, _ := s.mint(ada, service.NewToken{CourseIDs: []int64{one}})
		s.enroll(limited, one, "student", "v@uni.example")
		for name, do := range doors(s, limited, two, "w@uni.example") {
			nobodyIsMade(s, name, lms.CodeNotFound, "not-found", do)
		}
		for name, err := range map[string]error{
			"course":         second(s.Course(ctx, limited, two)),
			"roster":         second(s.Roster(ctx, limited, service.RosterRequest{CourseID: two, Limit: 5})),
			"audit":          second(s.Audit(ctx, limited, service.AuditRequest{CourseID: two, Limit: 5})),
			"own access":     second(s.Access(ctx, limited, two, ada.UserID)),
			"users with two": second(s.Directory(ctx, limited, service.DirectoryRequest{CourseID: two, Limit: 5})),
		} {
			refused(t, name, err, lms.CodeNotFound, "not-found")
		}
		page, err := s.Courses(ctx, limited, service.CoursesRequest{Limit: 50})
		if err != nil || len(page.Courses) != 1 || page.Courses[0].Course.ID != one {
			t.Errorf("courses %+v (%v)", page.Courses, err)
		}
		members, err := s.Directory(ctx, limited, service.DirectoryRequest{Limit: 50})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "people", locals(members.Members), []string{"ada", "v"})
		_, err = s.CreateCourse(ctx, limited, lms.CourseFields{Title: "Three"}, nil)
		refused(t, "a new course", err, lms.CodeForbidden, "token-scope")

		// An administrator's token for one course is no administrator's.
		root, _ := s.mint(s.admin, service.NewToken{CourseIDs: []int64{one}})
		_, err = s.Audit(ctx, root, service.AuditRequest{Limit: 5})
		refused(t, "the site's audit", err, lms.CodeForbidden, "token-scope")
		_, err = s.UpdateUser(ctx, root, ada.UserID, service.UserPatch{Status: ptr("suspended")})
		refused(t, "suspending", err, lms.CodeForbidden, "token-scope")
		_, err = s.Course(ctx, root, one)
		refused(t, "a course without a place in it", err, lms.CodeNotFound, "not-found")
		members, err = s.Directory(ctx, root, service.DirectoryRequest{Limit: 50})
		if err != nil || len(members.Members) != 1 {
			t.Errorf("it lists %v (%v)", locals(members.Members), err)
		}
	})
}

func TestC17ATokenMakesNoTokenAndEndsNoSession(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, in := s.arrive("ada@uni.example")
		full, m := s.mint(ada, service.NewToken{})
		_, err := s.CreateToken(ctx, full, service.NewToken{Name: "another"}, nil)
		refused(t, "a token by a token", err, lms.CodeForbidden, "token-not-enough")
		refused(t, "ending a session", s.EndSession(ctx, full, in.Session.ID), lms.CodeForbidden, "token-not-enough")
		_, err = s.EndOtherSessions(ctx, full)
		refused(t, "ending sessions", err, lms.CodeForbidden, "token-not-enough")
		// A secret in the wrong place is nobody's.
		if c := s.bySession(m.Secret); !c.Anonymous() {
			t.Errorf("a token is a session: %+v", c)
		}
		_, _, err = s.ByToken(ctx, in.Secret, "r")
		refused(t, "a session as a token", err, lms.CodeUnauthenticated, "bad-token")
		for _, bad := range []string{"", "mat_", strings.Repeat("x", 1000), m.Secret + "x", strings.ToLower(m.Secret) + " "} {
			_, _, err := s.ByToken(ctx, bad, "r")
			refused(t, fmt.Sprintf("%.20q", bad), err, lms.CodeUnauthenticated, "bad-token")
		}
	})
}

func TestATokenIsShownOnceListedByItsHintAndRevoked(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, bob := s.person("ada@uni.example"), s.person("bob@uni.example")
		var ids []int64
		for i := range 5 {
			c, m := s.mint(ada, service.NewToken{Name: fmt.Sprint("token ", i), Life: time.Hour})
			if c.UserID != ada.UserID || c.TokenID != m.Token.ID || !strings.HasPrefix(m.Secret, service.TokenPrefix) || !strings.HasSuffix(m.Secret, m.Token.Hint) || len(m.Token.Hint) != 4 {
				t.Errorf("%+v is %+v", m.Token, c)
			}
			ids = append(ids, m.Token.ID)
		}
		if s.count(`api_tokens WHERE token_hash = $1`, []byte("x")) != 0 || s.count(`audit_entries WHERE after LIKE '%mat_%'`) != 0 {
			t.Error("a secret is kept")
		}
		var listed []int64
		for before := int64(0); ; {
			page, err := s.Tokens(ctx, ada, before, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, tok := range page.Tokens {
				listed = append(listed, tok.ID)
			}
			if before = page.Next; before == 0 {
				break
			}
		}
		if fmt.Sprint(listed) != fmt.Sprint([]int64{ids[4], ids[3], ids[2], ids[1], ids[0]}) {
			t.Errorf("listed %v of %v", listed, ids)
		}
		refused(t, "revoked by another", s.RevokeToken(ctx, bob, ids[0]), lms.CodeNotFound, "not-found")
		if err := s.RevokeToken(ctx, ada, ids[0]); err != nil {
			t.Error(err)
		}
		refused(t, "revoked twice", s.RevokeToken(ctx, ada, ids[0]), lms.CodeNotFound, "not-found")
		_, m := s.mint(ada, service.NewToken{Life: time.Hour})
		s.clock.advance(time.Hour)
		_, _, err := s.ByToken(ctx, m.Secret, "r")
		refused(t, "after its end", err, lms.CodeUnauthenticated, "bad-token")
	})
}

func TestANewTokenIsCheckedBeforeItIsMade(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, bob := s.person("ada@uni.example"), s.teacher("bob@uni.example")
		his := s.course(bob, "His")
		for name, c := range map[string]struct {
			n   service.NewToken
			typ string
		}{
			"no name":          {service.NewToken{Name: " "}, "name-missing"},
			"a bad scope":      {service.NewToken{Name: "x", Scopes: []string{"admin"}}, "unknown-scope"},
			"no such course":   {service.NewToken{Name: "x", CourseIDs: []int64{999_999}}, "unknown-course"},
			"another's course": {service.NewToken{Name: "x", CourseIDs: []int64{his}}, "unknown-course"},
			"a past end":       {service.NewToken{Name: "x", Life: -1}, "expiry"},
			"a far end":        {service.NewToken{Name: "x", Life: service.MaxTokenLife + 1}, "expiry"},
			"many courses":     {service.NewToken{Name: "x", CourseIDs: make([]int64, 201)}, "too-many-courses"},
		} {
			_, err := s.CreateToken(ctx, ada, c.n, nil)
			refused(t, name, err, lms.CodeInvalid, c.typ)
		}
		var one, other string
		if _, err := s.CreateToken(ctx, ada, service.NewToken{Name: "x", CourseIDs: []int64{his}}, nil); err != nil {
			one = strings.ReplaceAll(err.Error(), fmt.Sprint(his), "N")
		}
		if _, err := s.CreateToken(ctx, ada, service.NewToken{Name: "x", CourseIDs: []int64{999_999}}, nil); err != nil {
			other = strings.ReplaceAll(err.Error(), "999999", "N")
		}
		if one != other {
			t.Errorf("C-15: a course that is hidden and one that does not exist differ:\n%s\n%s", one, other)
		}
		for range store.MaxTokens {
			s.mint(ada, service.NewToken{})
		}
		_, err := s.CreateToken(ctx, ada, service.NewToken{Name: "one more"}, nil)
		refused(t, "G-13: one too many", err, lms.CodeConflict, "too-many-tokens")
	})
}

func TestC20ThereIsNoTokenForWhoeverHasNotArrived(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		_, _, id := pendingPerson(s, "grace@uni.example")
		_, err := s.ServiceToken(ctx, "", "Grace@uni.example", lms.SiteMember, service.NewToken{Name: "cli"})
		refused(t, "a pending person", err, lms.CodeConflict, "not-active")
		_, err = s.ServiceToken(ctx, "", "unknown@uni.example", lms.SiteMember, service.NewToken{Name: "cli"})
		refused(t, "nobody", err, lms.CodeNotFound, "not-found")
		if s.count(`users WHERE id > $1`, id) != 0 || s.count(`api_tokens`) != 0 {
			t.Error("asking for a token made somebody, or a token")
		}
		// Nor does anybody act in their name who only knows the id.
		for name, c := range map[string]access.Caller{"a session": {UserID: id, SessionID: 5}, "a token": {UserID: id, TokenID: 5, Scopes: []lms.Scope{lms.ScopeWrite}}} {
			_, err := s.CreateCourse(ctx, c, lms.CourseFields{Title: "x"}, nil)
			refused(t, name, err, lms.CodeUnauthenticated, "sign-in-required")
			_, err = s.CreateToken(ctx, c, service.NewToken{Name: "x"}, nil)
			if lms.CodeOf(err) != lms.CodeUnauthenticated && lms.CodeOf(err) != lms.CodeForbidden {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := s.count(`audit_entries WHERE actor_id = $1`, id); n != 0 {
			t.Errorf("a pending person is the actor of %d entries", n)
		}
	})
}

func TestAServiceAccountIsAnActorThatIsNoPerson(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		m, err := s.ServiceToken(ctx, "sync", "", lms.SiteTeacher, service.NewToken{Name: "cli"})
		if err != nil {
			t.Fatal(err)
		}
		again, err := s.ServiceToken(ctx, "sync", "", lms.SiteTeacher, service.NewToken{Name: "cli 2"})
		if err != nil || again.Token.UserID != m.Token.UserID || again.Secret == m.Secret {
			t.Errorf("again %+v (%v)", again.Token, err)
		}
		_, err = s.ServiceToken(ctx, "sync", "", lms.SiteAdmin, service.NewToken{Name: "cli"})
		refused(t, "with more rights", err, lms.CodeConflict, "other-site-role")
		_, err = s.ServiceToken(ctx, "Matricula", "", lms.SiteMember, service.NewToken{Name: "cli"})
		refused(t, "as Matricula itself", err, lms.CodeConflict, "not-active")
		c := s.byToken(m.Secret)
		if c.Kind != lms.KindService || c.SiteRole != lms.SiteTeacher {
			t.Errorf("it is %+v", c)
		}
		course := s.course(c, "Made by a program")
		s.enroll(c, course, "owner", "ada@uni.example")
		if n := s.audited(access.TokenCreate, lms.OutcomeDone); n != 2 {
			t.Errorf("%d entries about tokens", n)
		}
		ada := s.person("ada@uni.example")
		people, err := s.Directory(ctx, ada, service.DirectoryRequest{Search: "sync", Limit: 5})
		if err != nil || len(people.Members) != 0 {
			t.Errorf("it is found among the people: %v (%v)", people.Members, err)
		}
		if m, err := s.ServiceToken(ctx, "", "ada@uni.example", lms.SiteMember, service.NewToken{Name: "hers"}); err != nil || s.byToken(m.Secret).UserID != ada.UserID {
			t.Errorf("a token for an active person: %v", err)
		}
	})
}

func TestASuspendedPersonsTokensAreDead(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.person("ada@uni.example")
		_, m := s.mint(ada, service.NewToken{})
		if _, err := s.UpdateUser(ctx, s.admin, ada.UserID, service.UserPatch{Status: ptr("suspended")}); err != nil {
			t.Fatal(err)
		}
		_, _, err := s.ByToken(ctx, m.Secret, "r")
		refused(t, "suspended", err, lms.CodeUnauthenticated, "bad-token")
	})
}

func TestSessionsAreListedAndEndedByTheirOwnerAlone(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, first := s.arrive("ada@uni.example")
		_, later := s.arrive("ada@uni.example")
		bob := s.person("bob@uni.example")
		list, err := s.Sessions(ctx, ada)
		if err != nil || len(list) != 2 || list[0].ID != later.Session.ID || list[0].UserAgent != "Test" {
			t.Errorf("%+v (%v)", list, err)
		}
		refused(t, "another's", s.EndSession(ctx, bob, first.Session.ID), lms.CodeNotFound, "not-found")
		if err := s.EndSession(ctx, ada, later.Session.ID); err != nil || !s.bySession(later.Secret).Anonymous() {
			t.Errorf("one's own: %v", err)
		}
		ids, err := s.Identities(ctx, ada)
		if err != nil || len(ids) != 1 || ids[0].Issuer != campus.Issuer {
			t.Errorf("identities %+v (%v)", ids, err)
		}
		for name, err := range map[string]error{
			"sessions": second(s.Sessions(ctx, access.Caller{})), "me": second(s.Me(ctx, access.Caller{})),
			"tokens": second(s.Tokens(ctx, access.Caller{}, 0, 5)), "identities": second(s.Identities(ctx, access.Caller{})),
		} {
			refused(t, name+" of nobody", err, lms.CodeUnauthenticated, "sign-in-required")
		}
	})
}
