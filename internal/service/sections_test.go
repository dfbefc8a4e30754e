package service_test

import (
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

func (s *school) section(by access.Caller, course int64, name string) int64 {
	s.tb.Helper()
	sec, err := s.CreateSection(ctx, by, course, name, nil)
	if err != nil {
		s.tb.Fatal(err)
	}
	return sec.ID
}

func (s *school) detail(by access.Caller, change service.DetailsChange) lms.Member {
	s.tb.Helper()
	m, err := s.ChangePlace(ctx, by, change)
	if err != nil {
		s.tb.Fatal(err)
	}
	return m
}

func TestSectionsAreMadeRenamedFilledAndDeleted(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course, other := s.course(ada, "Algorithms"), s.course(ada, "Compilers")
		a, b := s.section(ada, course, " Lab A "), s.section(ada, course, "Lab B")
		foreign := s.section(ada, other, "Lab A")
		refused(t, "the same name", second(s.CreateSection(ctx, ada, course, "lab a", nil)), lms.CodeInvalid, "section-name-taken")
		refused(t, "no name", second(s.CreateSection(ctx, ada, course, "  ", nil)), lms.CodeInvalid, "section-name")
		refused(t, "renamed to another's", second(s.RenameSection(ctx, ada, course, a, "LAB B")), lms.CodeInvalid, "section-name-taken")
		if sec, err := s.RenameSection(ctx, ada, course, a, "LAB A"); err != nil || sec.Name != "LAB A" {
			t.Errorf("another spelling of its own name: %+v (%v)", sec, err)
		}
		refused(t, "of another course", second(s.RenameSection(ctx, ada, course, foreign, "Lab C")), lms.CodeNotFound, "not-found")
		ids := s.enroll(ada, course, "student", "x@uni.example", "y@uni.example")
		s.detail(ada, service.DetailsChange{CourseID: course, UserID: ids[0], SectionID: &a, Number: ptr("00123")})
		refused(t, "into a foreign section", second(s.ChangePlace(ctx, ada, service.DetailsChange{CourseID: course, UserID: ids[0], SectionID: &foreign})), lms.CodeInvalid, "unknown-section")
		list, err := s.Sections(ctx, ada, course)
		if err != nil || len(list) != 2 || list[0].Section.ID != a || list[0].People != 1 || list[1].Section.ID != b || list[1].People != 0 {
			t.Fatalf("%+v (%v)", list, err)
		}
		page, err := s.Roster(ctx, ada, service.RosterRequest{CourseID: course, Section: a, Limit: 10})
		if err != nil || len(page.People) != 1 || page.People[0].Enrollment.Number != "00123" {
			t.Errorf("those of the section: %+v (%v)", page.People, err)
		}
		if page, err = s.Roster(ctx, ada, service.RosterRequest{CourseID: course, Section: -1, Limit: 10}); err != nil || len(page.People) != 2 {
			t.Errorf("those of none: %+v (%v)", page.People, err)
		}
		if err := s.DeleteSection(ctx, ada, course, a); err != nil {
			t.Fatal(err)
		}
		if m, err := s.Access(ctx, ada, course, ids[0]); err != nil || m.Member.Enrollment == nil || m.Member.Enrollment.SectionID != 0 {
			t.Errorf("without the section: %+v (%v)", m.Member.Enrollment, err)
		}
	})
}

func TestStaffLimitedToSectionsHaveToDoWithTheirPeopleAlone(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		a, b := s.section(ada, course, "Lab A"), s.section(ada, course, "Lab B")
		tutor := s.member(ada, course, "teacher", "tutor@uni.example")
		ids := s.enroll(ada, course, "student", "in.a@uni.example", "in.b@uni.example")
		s.detail(ada, service.DetailsChange{CourseID: course, UserID: ids[0], SectionID: &a})
		s.detail(ada, service.DetailsChange{CourseID: course, UserID: ids[1], SectionID: &b})
		m := s.detail(ada, service.DetailsChange{CourseID: course, UserID: tutor.UserID, LimitedTo: &[]int64{a}})
		if m.Effective() != lms.SetOf(lms.RosterView, lms.RosterManage) {
			t.Errorf("a teacher of single sections may %s", m.Effective().Labels())
		}
		page, err := s.Roster(ctx, tutor, service.RosterRequest{CourseID: course, Limit: 10})
		if err != nil || len(page.People) != 2 {
			t.Fatalf("they see %+v (%v)", page.People, err)
		}
		for _, p := range page.People {
			if p.User.ID != ids[0] && p.User.ID != tutor.UserID {
				t.Errorf("they see %s", p.User.Email)
			}
		}
		if n, err := s.RosterCounts(ctx, tutor, course); err != nil || n.All != 2 || n.Pending != 1 {
			t.Errorf("they count %+v (%v)", n, err)
		}
		if arrivals, err := s.Arrivals(ctx, tutor, course); err != nil || arrivals.Expected != 2 {
			t.Errorf("they expect %+v (%v)", arrivals, err)
		}
		if list, err := s.Sections(ctx, tutor, course); err != nil || len(list) != 1 {
			t.Errorf("they see the sections %+v (%v)", list, err)
		}
		refused(t, "the panel of another", second(s.Access(ctx, tutor, course, ids[1])), lms.CodeNotFound, "not-found")
		refused(t, "the role of another", second(s.SetRole(ctx, tutor, service.RoleChange{CourseID: course, UserID: ids[1], Role: "student"})), lms.CodeNotFound, "not-found")
		refused(t, "moving another", second(s.ChangePlace(ctx, tutor, service.DetailsChange{CourseID: course, UserID: ids[1], SectionID: &a})), lms.CodeNotFound, "not-found")
		if rows, err := s.Remove(ctx, tutor, course, ids[1:]); err != nil || rows[0].Reason != "not-in-course" || rows[0].Email != "" {
			t.Errorf("removing another: %+v (%v)", rows, err)
		}
		refused(t, "giving theirs away", second(s.ChangePlace(ctx, tutor, service.DetailsChange{CourseID: course, UserID: ids[0], SectionID: &b})), lms.CodeForbidden, "outside-sections")
		refused(t, "the audit", second(s.Audit(ctx, tutor, service.AuditRequest{CourseID: course, Limit: 1})), lms.CodeForbidden, "forbidden")
		refused(t, "a section", second(s.CreateSection(ctx, tutor, course, "Lab C", nil)), lms.CodeForbidden, "outside-sections")
		refused(t, "freeing themselves", second(s.ChangePlace(ctx, tutor, service.DetailsChange{CourseID: course, UserID: tutor.UserID, LimitedTo: &[]int64{}})), lms.CodeForbidden, "self-change")
		rows, err := s.Enroll(ctx, tutor, service.EnrollRequest{CourseID: course, Role: "student", Emails: []string{"new@uni.example"}, Source: lms.SourcePaste})
		if err != nil || rows[0].Result != service.ResultNamed {
			t.Fatalf("%+v (%v)", rows, err)
		}
		if m, err := s.Access(ctx, tutor, course, rows[0].UserID); err != nil || m.Member.Enrollment.SectionID != a {
			t.Errorf("whom they add is in %+v (%v)", m.Member.Enrollment, err)
		}
		refused(t, "into another section", second(s.Enroll(ctx, tutor, service.EnrollRequest{CourseID: course, Role: "student", Emails: []string{"n@uni.example"}, SectionID: b})), lms.CodeForbidden, "outside-sections")
		if err := s.DeleteSection(ctx, ada, course, a); lms.TypeOf(err) != "section-in-use" {
			t.Errorf("deleting a section of theirs: %v", err)
		}
		refused(t, "an owner of single sections", second(s.ChangePlace(ctx, s.admin, service.DetailsChange{CourseID: course, UserID: ada.UserID, LimitedTo: &[]int64{a}})), lms.CodeConflict, "owner-unlimited")
		s.detail(ada, service.DetailsChange{CourseID: course, UserID: tutor.UserID, LimitedTo: &[]int64{}})
		if _, err := s.Access(ctx, tutor, course, ids[1]); err != nil {
			t.Errorf("without a limit: %v", err)
		}
	})
}

func TestAPlaceBeginsAndEndsByItself(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms") // on the first of September
		helper := s.member(ada, course, "assistant", "h@uni.example")
		refused(t, "reversed", second(s.ChangePlace(ctx, ada, service.DetailsChange{CourseID: course, UserID: helper.UserID, Begins: ptr("2026-09-10"), Ends: ptr("2026-09-09")})), lms.CodeInvalid, "dates-reversed")
		refused(t, "no date", second(s.ChangePlace(ctx, ada, service.DetailsChange{CourseID: course, UserID: helper.UserID, Ends: ptr("2026-02-31")})), lms.CodeInvalid, "date")
		refused(t, "an owner's end", second(s.ChangePlace(ctx, s.admin, service.DetailsChange{CourseID: course, UserID: ada.UserID, Ends: ptr("2026-12-31")})), lms.CodeConflict, "owner-unlimited")
		refused(t, "by oneself", second(s.ChangePlace(ctx, helper, service.DetailsChange{CourseID: course, UserID: helper.UserID, Ends: ptr("2026-12-31")})), lms.CodeForbidden, "self-change")
		s.set(ada, course, byID(helper.UserID), []string{"roster.view", "roster.manage", "audit.view"}, nil)
		s.detail(ada, service.DetailsChange{CourseID: course, UserID: helper.UserID, Begins: ptr("2026-09-02"), Ends: ptr("2026-09-03"), Number: ptr("7")})
		sees := func(when string, want bool) {
			t.Helper()
			_, err := s.Audit(ctx, helper, service.AuditRequest{CourseID: course, Limit: 1})
			if want != (err == nil) || err != nil && lms.TypeOf(err) != "not-found" {
				t.Errorf("%s: %v", when, err)
			}
			courses, err := s.Courses(ctx, helper, service.CoursesRequest{Limit: 10})
			if err != nil || (len(courses.Courses) == 1) != want {
				t.Errorf("%s, their courses are %+v (%v)", when, courses.Courses, err)
			}
		}
		sees("before the first day", false)
		s.clock.advance(24 * time.Hour)
		sees("on the first day", true)
		s.clock.advance(36*time.Hour - time.Minute)
		s.clock.advance(3 * time.Hour)
		if n, err := s.EndPlaces(ctx); err != nil || n != 0 {
			t.Errorf("%d ended too early (%v)", n, err)
		}
		sees("on the last day", true)
		s.clock.advance(2 * 24 * time.Hour)
		sees("after the last day", false)
		entries := s.count("audit_entries")
		if n, err := s.EndPlaces(ctx); err != nil || n != 1 || s.count("audit_entries") != entries+1 {
			t.Errorf("%d ended (%v)", n, err)
		}
		if n, err := s.EndPlaces(ctx); err != nil || n != 0 {
			t.Errorf("%d ended twice (%v)", n, err)
		}
		past, err := s.PastPeople(ctx, ada, course, 0, 10)
		if err != nil || len(past.People) != 1 || past.People[0].Number != "7" || past.People[0].EndedBy != lms.SystemUserID {
			t.Fatalf("%+v (%v)", past, err)
		}
		// Back again by name, with the number and without the days that are over.
		s.enroll(ada, course, "assistant", "h@uni.example")
		if m, err := s.Access(ctx, ada, course, helper.UserID); err != nil || m.Member.Enrollment.Number != "7" || !m.Member.Enrollment.Ends.IsZero() || m.Member.Grant != nil {
			t.Errorf("back: %+v (%v)", m.Member, err)
		}
	})
}

func TestWhoComesBackIsInTheSectionThatTheyLeft(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		a, b := s.section(ada, course, "Lab A"), s.section(ada, course, "Lab B")
		ids := s.enroll(ada, course, "student", "x@uni.example", "y@uni.example")
		s.detail(ada, service.DetailsChange{CourseID: course, UserID: ids[0], SectionID: &a, Ends: ptr("2027-01-31")})
		s.detail(ada, service.DetailsChange{CourseID: course, UserID: ids[1], SectionID: &b})
		if _, err := s.Remove(ctx, ada, course, ids); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteSection(ctx, ada, course, b); err != nil {
			t.Fatal(err)
		}
		m, err := s.RestorePlace(ctx, ada, course, ids[0])
		if err != nil || m.Enrollment.SectionID != a || m.Enrollment.Ends.IsZero() {
			t.Errorf("restored: %+v (%v)", m.Enrollment, err)
		}
		if m, err = s.RestorePlace(ctx, ada, course, ids[1]); err != nil || m.Enrollment.SectionID != 0 {
			t.Errorf("restored to a section that is gone: %+v (%v)", m.Enrollment, err)
		}
	})
}
