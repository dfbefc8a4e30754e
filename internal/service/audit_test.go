package service_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// step is one request of a scripted day, with the number of entries that it
// leaves in the audit: one for each change of state, one for each refusal.
type step struct {
	name          string
	do            func() error
	done, refused int
}

// TestI4ThereAreAsManyEntriesAsChanges plays a day in a school and counts after
// each request. What changed nothing left no entry, and what left no entry
// changed nothing.
func TestI4ThereAreAsManyEntriesAsChanges(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		stranger := s.person("stranger@uni.example")
		var course, role, grace int64
		setExactly := func(who access.Caller, privileges ...string) func() error {
			return func() error {
				m, err := s.SetPrivileges(ctx, who, service.PrivilegeChange{CourseID: course, Person: byEmail("grace@uni.example"), Exactly: &privileges})
				if err == nil {
					grace = m.User.ID
				}
				return err
			}
		}
		enroll := func(role string, emails ...string) func() error {
			return func() error {
				return second(s.Enroll(ctx, ada, service.EnrollRequest{CourseID: course, Role: role, Emails: emails}))
			}
		}
		setRole := func(who access.Caller, role string) func() error {
			return func() error {
				return second(s.SetRole(ctx, who, service.RoleChange{CourseID: course, UserID: grace, Role: role}))
			}
		}
		update := func(p service.CoursePatch) func() error {
			return func() error { return second(s.UpdateCourse(ctx, ada, course, p)) }
		}
		archive := func(yes bool) func() error {
			return func() error { return second(s.ArchiveCourse(ctx, ada, course, yes)) }
		}
		user := func(p service.UserPatch) func() error {
			return func() error { return second(s.UpdateUser(ctx, s.admin, stranger.UserID, p)) }
		}
		signIn := func(email string) func() error {
			return func() error {
				return second(s.SignIn(ctx, campus, token("sub of "+email, email), "Test", ""))
			}
		}
		for i, st := range []step{
			{"create a course", func() (err error) {
				v, err := s.CreateCourse(ctx, ada, lms.CourseFields{Title: "Algorithms"}, nil)
				course = v.Course.ID
				return err
			}, 1, 0},
			{"a stranger creates none", func() error {
				return second(s.CreateCourse(ctx, stranger, lms.CourseFields{Title: "x"}, nil))
			}, 0, 1},
			{"change the title", update(service.CoursePatch{Title: ptr("Algorithms II")}), 1, 0},
			{"to what it is", update(service.CoursePatch{Title: ptr("  Algorithms   II ")}), 0, 0},
			{"to nothing", update(service.CoursePatch{Title: ptr("")}), 0, 0},
			{"name Grace with privileges", setExactly(ada, "roster.view", "audit.view"), 1, 0},
			{"the same again", setExactly(ada, "audit.view", "roster.view"), 0, 0},
			{"fewer", setExactly(ada, "roster.view"), 1, 0},
			{"none", setExactly(ada), 1, 0},
			{"none again", setExactly(ada), 0, 0},
			{"an unknown one", setExactly(ada, "x"), 0, 0},
			{"by a stranger", setExactly(stranger, "roster.view"), 0, 1},
			{"enroll three", enroll("student", "a@uni.example", "b@uni.example", "grace@uni.example"), 3, 0},
			{"the same three", enroll("student", "b@uni.example", "a@uni.example", "GRACE@uni.example"), 0, 0},
			{"one more among them", enroll("student", "b@uni.example", "c@uni.example", "nonsense"), 1, 0},
			{"ids that were guessed", func() error {
				rows, err := s.Enroll(ctx, ada, service.EnrollRequest{CourseID: course, Role: "student", UserIDs: []int64{999_998, 999_999}})
				if err == nil && rows[0].Result == service.ResultRefused && rows[1].Result == service.ResultRefused {
					err = errors.New(rows[0].Message)
				}
				return err
			}, 0, 1},
			{"in no role", enroll("wizard", "d@uni.example"), 0, 0},
			{"promote Grace", setRole(ada, "teacher"), 1, 0},
			{"to what she is", setRole(ada, "teacher"), 0, 0},
			{"a stranger demotes her", setRole(stranger, "student"), 0, 1},
			{"make a role", func() error {
				r, err := s.CreateRole(ctx, ada, course, service.RoleFields{Name: "Tutor"}, nil)
				role = r.ID
				return err
			}, 1, 0},
			{"edit it", func() error {
				return second(s.UpdateRole(ctx, ada, course, role, service.RolePatch{Privileges: &[]string{"roster.view"}}))
			}, 1, 0},
			{"edit nothing", func() error {
				return second(s.UpdateRole(ctx, ada, course, role, service.RolePatch{Name: ptr("Tutor")}))
			}, 0, 0},
			{"delete it", func() error { return s.DeleteRole(ctx, ada, course, role) }, 1, 0},
			{"delete it twice", func() error { return s.DeleteRole(ctx, ada, course, role) }, 0, 1},
			{"the only owner leaves", func() error { return second(s.Remove(ctx, ada, course, []int64{ada.UserID})) }, 0, 1},
			{"remove Grace and somebody unknown", func() error {
				return second(s.Remove(ctx, ada, course, []int64{grace, 999_999}))
			}, 1, 0},
			{"remove her again", func() error { return second(s.Remove(ctx, ada, course, []int64{grace})) }, 0, 0},
			{"delete a course in use", func() error { return s.DeleteCourse(ctx, ada, course) }, 0, 1},
			{"archive", archive(true), 1, 0},
			{"archive again", archive(true), 0, 0},
			{"write in the archive", update(service.CoursePatch{Title: ptr("x")}), 0, 1},
			{"restore", archive(false), 1, 0},
			{"restore again", archive(false), 0, 0},
			{"archive once more", archive(true), 1, 0},
			{"delete", func() error { return s.DeleteCourse(ctx, ada, course) }, 1, 0},
			{"delete twice", func() error { return s.DeleteCourse(ctx, ada, course) }, 0, 1},
			{"a claim", signIn("grace@uni.example"), 1, 0},
			{"a sign-in", signIn("grace@uni.example"), 1, 0},
			{"a sign-up", signIn("new@uni.example"), 1, 0},
			{"another subject", func() error {
				return second(s.SignIn(ctx, campus, token("other", "new@uni.example"), "Test", ""))
			}, 0, 1},
			{"a token", func() error { return second(s.CreateToken(ctx, ada, service.NewToken{Name: "x"}, nil)) }, 1, 0},
			{"a token without a name", func() error { return second(s.CreateToken(ctx, ada, service.NewToken{}, nil)) }, 0, 0},
			{"a site role", user(service.UserPatch{SiteRole: ptr("teacher")}), 1, 0},
			{"the same site role", user(service.UserPatch{SiteRole: ptr("teacher")}), 0, 0},
			{"suspend", user(service.UserPatch{Status: ptr("suspended")}), 1, 0},
			{"suspend again", user(service.UserPatch{Status: ptr("suspended")}), 0, 0},
			{"restore the person", user(service.UserPatch{Status: ptr("active")}), 1, 0},
			{"name for the site", func() error {
				return second(s.NamePerson(ctx, s.admin, service.NewPerson{Email: "z@uni.example"}, nil))
			}, 1, 0},
			{"name again", func() error {
				return second(s.NamePerson(ctx, s.admin, service.NewPerson{Email: "Z@uni.example"}, nil))
			}, 0, 0},
			{"end other sessions, of which there are none", func() error { return second(s.EndOtherSessions(ctx, ada)) }, 0, 0},
			{"sign out", func() error { return s.SignOut(ctx, ada) }, 1, 0},
		} {
			done, refusals := s.count(`audit_entries WHERE outcome = 'done'`), s.count(`audit_entries WHERE outcome = 'refused'`)
			state := s.state()
			err := st.do()
			if (st.refused > 0) && err == nil {
				t.Errorf("%d: %s: nothing was refused", i, st.name)
			}
			if got := s.count(`audit_entries WHERE outcome = 'done'`) - done; got != st.done {
				t.Errorf("%d: %s: %d entries, want %d (%v)", i, st.name, got, st.done, err)
			}
			if got := s.count(`audit_entries WHERE outcome = 'refused'`) - refusals; got != st.refused {
				t.Errorf("%d: %s: %d refusals, want %d (%v)", i, st.name, got, st.refused, err)
			}
			if changed := s.state() != state; changed != (st.done > 0) {
				t.Errorf("%d: %s: the state changed: %v, and %d entries were to be made (%v)", i, st.name, changed, st.done, err)
			}
		}
		for _, address := range []string{"grace@", "new@", "ada@", "stranger@", "a@", "z@"} {
			if n := s.count(`audit_entries WHERE before LIKE $1 OR after LIKE $1`, "%"+address+"%"); n != 0 {
				t.Errorf("%d entries hold %s", n, address)
			}
		}
	})
}

// state is all that requests can change, as one text. When somebody was last
// seen is no change of state.
func (s *school) state() string {
	s.tb.Helper()
	var b strings.Builder
	for _, q := range []string{
		`SELECT id, kind, status, site_role, given_name, family_name, name FROM users`,
		`SELECT address, user_id, is_primary, 0, 0, 0, 0 FROM emails`,
		`SELECT issuer, subject, user_id, 0, 0, 0, 0 FROM identities`,
		`SELECT id, title, code, description, created_by, archived_at IS NULL, deleted_at IS NULL FROM courses`,
		`SELECT course_id, user_id, role_id, source, added_by, 0, 0 FROM enrollments`,
		`SELECT course_id, user_id, allow, deny, granted_by, 0, 0 FROM course_privileges`,
		`SELECT id, course_id, key, name, privileges, 0, 0 FROM course_roles`,
		`SELECT id, user_id, 0, 0, 0, 0, 0 FROM sessions`,
		`SELECT id, user_id, name, 0, 0, 0, 0 FROM api_tokens`,
	} {
		rows, err := s.raw.Query(q + ` ORDER BY 1, 2`)
		if err != nil {
			s.tb.Fatal(err)
		}
		for rows.Next() {
			var v [7]any
			if err := rows.Scan(&v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6]); err != nil {
				s.tb.Fatal(err)
			}
			fmt.Fprintln(&b, v)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			s.tb.Fatal(err)
		}
	}
	return b.String()
}

func TestH12AnEntrySaysWhoWhatForWhomBeforeAndAfter(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		ada.RequestID = "req-7"
		course := s.course(ada, "Algorithms")
		id := s.set(ada, course, byEmail("grace@uni.example"), []string{"roster.view"}, nil).User.ID
		s.clock.advance(time.Minute)
		s.set(ada, course, byID(id), []string{"audit.view"}, []string{"course.update"})
		e := s.lastEntry()
		type grant struct{ Allow, Deny []string }
		var before, after grant
		if err := errors.Join(json.Unmarshal(e.Before, &before), json.Unmarshal(e.After, &after)); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(before) != "{[roster.view] []}" || fmt.Sprint(after) != "{[audit.view] [course.update]}" {
			t.Errorf("before %s, after %s", e.Before, e.After)
		}
		if e.ActorID != ada.UserID || e.SubjectID != id || e.CourseID != course || e.CourseTitle != "Algorithms" || e.RequestID != "req-7" ||
			e.Action != "privileges.set" || e.Outcome != lms.OutcomeDone || !e.At.Equal(s.clock.now()) || e.Subject.Email != "grace@uni.example" {
			t.Errorf("the entry is %+v", e)
		}
		student := s.member(ada, course, "student", "s@uni.example")
		student.RequestID = "req-8"
		_, err := s.SetPrivileges(ctx, student, service.PrivilegeChange{CourseID: course, Person: byEmail("v@uni.example"), Allow: []string{"audit.view"}})
		refused(t, "by a student", err, lms.CodeForbidden, "forbidden")
		e = s.lastEntry()
		if e.ActorID != student.UserID || e.CourseID != course || e.Outcome != lms.OutcomeRefused || e.Reason != "forbidden" || e.RequestID != "req-8" || e.Action != "privileges.set" {
			t.Errorf("the refusal is %+v", e)
		}
	})
}

func TestH14TheAuditOfACourseIsForThoseWhoMaySeeItAndPagesThrough(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, bob := s.teacher("ada@uni.example"), s.teacher("bob@uni.example")
		course, his := s.course(ada, "Algorithms"), s.course(bob, "Botany")
		var list []string
		for i := range 23 {
			list = append(list, fmt.Sprintf("s%02d@uni.example", i))
		}
		s.enroll(ada, course, "student", list...)
		s.enroll(bob, his, "student", "x@uni.example")
		seen := map[int64]bool{}
		last := int64(1 << 60)
		for before := int64(0); ; {
			page, err := s.Audit(ctx, ada, service.AuditRequest{CourseID: course, Before: before, Limit: 5})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Entries {
				if e.CourseID != course || seen[e.ID] || e.ID >= last {
					t.Errorf("entry %d of course %d after %d", e.ID, e.CourseID, last)
				}
				seen[e.ID], last = true, e.ID
			}
			if before = page.Next; before == 0 {
				break
			}
		}
		if len(seen) != 24 {
			t.Errorf("%d entries, want 24", len(seen))
		}
		assistant := s.member(ada, course, "assistant", "as@uni.example")
		for name, err := range map[string]error{
			"an assistant":        second(s.Audit(ctx, assistant, service.AuditRequest{CourseID: course, Limit: 5})),
			"a teacher, the site": second(s.Audit(ctx, ada, service.AuditRequest{Limit: 5})),
		} {
			refused(t, name, err, lms.CodeForbidden, "forbidden")
		}
		refused(t, "another's course", second(s.Audit(ctx, ada, service.AuditRequest{CourseID: his, Limit: 5})), lms.CodeNotFound, "not-found")
		refused(t, "nobody", second(s.Audit(ctx, access.Caller{}, service.AuditRequest{CourseID: course, Limit: 5})), lms.CodeUnauthenticated, "sign-in-required")
		if p, err := s.Audit(ctx, s.admin, service.AuditRequest{CourseID: his, Limit: 5}); err != nil || len(p.Entries) != 2 {
			t.Errorf("an administrator: %d entries (%v)", len(p.Entries), err)
		}
	})
}

// lines collects what is logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func TestE26WhatCannotBeAuditedIsNotDone(t *testing.T) {
	log := &lines{}
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		state := s.state()
		breaks := `CREATE TRIGGER no_audit BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'no space'); END`
		if s.db.Engine == "postgres" {
			if _, err := s.raw.Exec(`CREATE FUNCTION no_audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no space'; END $$`); err != nil {
				t.Fatal(err)
			}
			breaks = `CREATE TRIGGER no_audit BEFORE INSERT ON audit_entries FOR EACH ROW EXECUTE FUNCTION no_audit()`
		}
		if _, err := s.raw.Exec(breaks); err != nil {
			t.Fatal(err)
		}
		for name, do := range doors(s, ada, course, "v@uni.example") {
			if err := do(); lms.CodeOf(err) != lms.CodeInternal {
				t.Errorf("%s without an audit: %v", name, err)
			}
		}
		if _, err := s.SignIn(ctx, campus, token("s1", "new@uni.example"), "Test", ""); err == nil {
			t.Error("somebody signed in without an audit")
		}
		if s.state() != state {
			t.Error("something was done that is not in the audit")
		}
		// A refusal stays a refusal, and the log says that it was not recorded.
		_, err := s.Course(ctx, ada, 999_999)
		refused(t, "reading", err, lms.CodeNotFound, "not-found")
		_, err = s.UpdateCourse(ctx, ada, 999_999, service.CoursePatch{})
		refused(t, "writing", err, lms.CodeNotFound, "not-found")
		if text := log.text.String(); !strings.Contains(text, "refusal not recorded") || strings.Contains(text, "@uni.example") {
			t.Errorf("the log says %s", text)
		}
	}, func(o *service.Options) { o.Log = slog.New(slog.NewTextHandler(log, nil)) })
}
