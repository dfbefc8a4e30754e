package service_test

import (
	"fmt"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

func TestArrivalsAreCountedOverTime(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		s.clock.advance(24 * time.Hour)
		course := s.course(ada, "Algorithms") // Ada had arrived before
		var list []string
		for i := range 10 {
			list = append(list, fmt.Sprintf("s%d@uni.example", i))
		}
		ids := s.enroll(ada, course, "student", list...)
		s.clock.advance(24 * time.Hour)
		s.person("s0@uni.example")
		s.person("s1@uni.example")
		s.set(ada, course, byEmail("grace@uni.example"), []string{"roster.view"}, nil)
		s.clock.advance(24 * time.Hour)
		s.person("grace@uni.example")
		suspended := string(lms.StatusSuspended)
		if _, err := s.UpdateUser(ctx, s.admin, ids[9], service.UserPatch{Status: &suspended}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Remove(ctx, ada, course, ids[8:9]); err != nil {
			t.Fatal(err)
		}
		a, err := s.Arrivals(ctx, ada, course)
		if err != nil || a.Expected != 10 || a.Arrived != 4 || a.Missing() != 6 {
			t.Fatalf("%+v (%v)", a, err)
		}
		day := func(d int) time.Time { return time.Date(2026, 9, d, 0, 0, 0, 0, time.UTC) }
		want := []service.ArrivalDay{{Day: day(2), Expected: 9, Arrived: 1}, {Day: day(3), Expected: 10, Arrived: 3}, {Day: day(4), Expected: 10, Arrived: 4}}
		if got := a.Days(time.UTC); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("by day: %v, want %v", got, want)
		}
		// At half past eight in the morning of UTC it is the evening before in Hawaii.
		if got := a.Days(time.FixedZone("HST", -10*3600)); got[0].Day.Day() != 1 {
			t.Errorf("in another zone it begins on %s", got[0].Day)
		}
		site, err := s.Arrivals(ctx, s.admin, 0)
		if err != nil || site.Expected != 12 || site.Arrived != 5 {
			t.Errorf("on the site: %+v (%v)", site, err)
		}
		refused(t, "the site, for a teacher", second(s.Arrivals(ctx, ada, 0)), lms.CodeForbidden, "forbidden")
		student := s.person("s0@uni.example")
		refused(t, "for a student", second(s.Arrivals(ctx, student, course)), lms.CodeForbidden, "forbidden")
		refused(t, "for a stranger", second(s.Arrivals(ctx, s.person("x@uni.example"), course)), lms.CodeNotFound, "not-found")
	})
}

func TestTheAuditIsFiltered(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, bob := s.teacher("ada@uni.example"), s.teacher("bob@uni.example")
		course, other := s.course(ada, "Algorithms"), s.course(bob, "Compilers")
		s.clock.advance(48 * time.Hour)
		monday := s.clock.now()
		grace := s.enroll(ada, course, "assistant", "grace@uni.example")[0]
		s.enroll(bob, other, "student", "grace@uni.example")
		refused(t, "bob in Ada's course", second(s.Enroll(ctx, bob, service.EnrollRequest{CourseID: course, Role: "student", Emails: []string{"x@uni.example"}})), lms.CodeNotFound, "not-found")
		s.clock.advance(48 * time.Hour)
		s.set(ada, course, byID(grace), []string{"audit.view"}, nil)
		count := func(c access.Caller, r service.AuditRequest) int {
			t.Helper()
			n := 0
			for r.Limit = 2; ; {
				p, err := s.Audit(ctx, c, r)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range p.Entries {
					n++
					if r.CourseID != 0 && e.CourseID != r.CourseID {
						t.Errorf("an entry of course %d", e.CourseID)
					}
				}
				if p.Next == 0 {
					return n
				}
				r.Before = p.Next
			}
		}
		all := count(s.admin, service.AuditRequest{Site: true})
		if all != s.count("audit_entries") {
			t.Errorf("%d of %d entries", all, s.count("audit_entries"))
		}
		for what, c := range map[string]struct {
			by   access.Caller
			r    service.AuditRequest
			want int
		}{
			"about Grace, on the site":   {s.admin, service.AuditRequest{Site: true, PersonID: grace}, 3},
			"about Grace, in the course": {ada, service.AuditRequest{CourseID: course, PersonID: grace}, 2},
			"by Bob, refused":            {s.admin, service.AuditRequest{Site: true, PersonID: bob.UserID, Outcome: lms.OutcomeRefused}, 1},
			"one action":                 {s.admin, service.AuditRequest{Site: true, Actions: []access.Action{access.EnrollmentAdd}, Outcome: lms.OutcomeDone}, 2},
			"two actions in a course":    {ada, service.AuditRequest{CourseID: course, Actions: []access.Action{access.CourseCreate, access.PrivilegesSet}}, 2},
			"on Monday":                  {ada, service.AuditRequest{CourseID: course, From: monday, To: monday.Add(time.Hour)}, 2},
			"since Monday":               {ada, service.AuditRequest{CourseID: course, From: monday}, 3},
			"before Monday":              {ada, service.AuditRequest{CourseID: course, To: monday}, 1},
			"all of it at once":          {s.admin, service.AuditRequest{Site: true, CourseID: course, PersonID: grace, Actions: []access.Action{access.PrivilegesSet}, Outcome: lms.OutcomeDone, From: monday, To: monday.Add(99 * time.Hour)}, 1},
			"in the far future":          {ada, service.AuditRequest{CourseID: course, From: monday.AddDate(1, 0, 0)}, 0},
		} {
			if got := count(c.by, c.r); got != c.want {
				t.Errorf("%s: %d entries, want %d", what, got, c.want)
			}
		}
		refused(t, "a range that ends before it begins", second(s.Audit(ctx, ada, service.AuditRequest{CourseID: course, From: monday, To: monday.Add(-1), Limit: 1})), lms.CodeInvalid, "audit-range")
		refused(t, "the site's audit of one's own course", second(s.Audit(ctx, ada, service.AuditRequest{CourseID: course, Site: true, Limit: 1})), lms.CodeForbidden, "forbidden")
	})
}

// H-12: what leaves the site as a table stands in the audit.
func TestH12ExportsAreRecordedAndWhole(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.unlimited()
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		var list []string
		for i := range 1203 {
			list = append(list, fmt.Sprintf("s%04d@uni.example", i))
		}
		s.enroll(ada, course, "student", list...)
		seen := map[int64]bool{}
		err := s.ExportRoster(ctx, ada, service.RosterRequest{CourseID: course}, func(m *lms.Member) error { seen[m.User.ID] = true; return nil })
		if err != nil || len(seen) != 1204 {
			t.Errorf("%d people (%v)", len(seen), err)
		}
		if e := s.lastEntry(); e.Action != string(access.RosterExport) || e.CourseID != course || string(e.After) == "{}" {
			t.Errorf("recorded: %s in %d: %s", e.Action, e.CourseID, e.After)
		}
		n := 0
		if err := s.ExportDirectory(ctx, s.admin, service.DirectoryRequest{}, func(*lms.User) error { n++; return nil }); err != nil || n != 1205 {
			t.Errorf("%d people of the site (%v)", n, err)
		}
		n = 0
		if err := s.ExportAudit(ctx, s.admin, service.AuditRequest{Site: true}, func(*lms.AuditRecord) error { n++; return nil }); err != nil || n != s.count("audit_entries") {
			t.Errorf("%d entries of %d (%v)", n, s.count("audit_entries"), err)
		}
		n = 0
		if err := s.ExportCourses(ctx, s.admin, func(*service.CourseView) error { n++; return nil }); err != nil || n != 1 {
			t.Errorf("%d courses (%v)", n, err)
		}
		if got := s.audited(access.SiteExport, lms.OutcomeDone); got != 3 {
			t.Errorf("%d exports of the site are on record", got)
		}
		// H-05, C-15: who may not see it may not take it along either.
		student, stranger := s.person("s0000@uni.example"), s.person("x@uni.example")
		none := func(*lms.Member) error { t.Error("a row got out"); return nil }
		refused(t, "a student's export", s.ExportRoster(ctx, student, service.RosterRequest{CourseID: course}, none), lms.CodeForbidden, "forbidden")
		refused(t, "a stranger's export", s.ExportRoster(ctx, stranger, service.RosterRequest{CourseID: course}, none), lms.CodeNotFound, "not-found")
		refused(t, "a teacher's export of the site", s.ExportDirectory(ctx, ada, service.DirectoryRequest{}, nil), lms.CodeForbidden, "forbidden")
		refused(t, "a teacher's export of all courses", s.ExportCourses(ctx, ada, nil), lms.CodeForbidden, "forbidden")
		refused(t, "a student's export of the audit", s.ExportAudit(ctx, student, service.AuditRequest{CourseID: course}, nil), lms.CodeForbidden, "forbidden")
	})
}
