package service_test

import (
	"testing"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

func TestACourseIsHandedOver(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		teacher := s.member(ada, course, "teacher", "t@uni.example")
		to := func(email string, then service.After) (lms.Member, error) {
			return s.HandOverCourse(ctx, ada, service.HandOver{CourseID: course, Person: byEmail(email), Then: then})
		}
		people := s.count("users")
		refused(t, "to oneself", second(to("ada@uni.example", "stay")), lms.CodeInvalid, "self-change")
		refused(t, "to nobody", second(to("", "stay")), lms.CodeInvalid, "nobody-named")
		refused(t, "and become what is not", second(to("t@uni.example", "king")), lms.CodeInvalid, "unknown-after")
		refused(t, "to somebody who has not signed in, and leave", second(to("grace@uni.example", "leave")), lms.CodeConflict, "last-owner")
		refused(t, "to somebody who has not signed in, and step back", second(to("grace@uni.example", "teacher")), lms.CodeConflict, "last-owner")
		if s.count("users") != people {
			t.Error("a refused handing over has named somebody")
		}
		refused(t, "by a teacher", second(s.HandOverCourse(ctx, teacher, service.HandOver{CourseID: course, Person: byEmail("x@uni.example")})), lms.CodeForbidden, "forbidden")
		s.set(ada, course, byID(teacher.UserID), []string{"course.archive"}, nil)
		refused(t, "by a teacher who may archive", second(s.HandOverCourse(ctx, teacher, service.HandOver{CourseID: course, Person: byEmail("x@uni.example")})), lms.CodeForbidden, "forbidden")

		m, err := to("grace@uni.example", "stay")
		if err != nil || !m.Enrollment.Role.Owner() || !m.User.Pending() {
			t.Fatalf("%+v (%v)", m, err)
		}
		if n := s.audited(access.CourseHandOver, lms.OutcomeDone); n != 1 {
			t.Errorf("%d entries", n)
		}
		if _, err := to("grace@uni.example", "stay"); err != nil || s.audited(access.CourseHandOver, lms.OutcomeDone) != 1 {
			t.Errorf("again: %v", err)
		}
		grace := s.person("grace@uni.example")
		if _, err := to("grace@uni.example", "teacher"); err != nil {
			t.Fatal(err)
		}
		v, err := s.Course(ctx, ada, course)
		if err != nil || v.Member.Enrollment.Role.Key != "teacher" {
			t.Errorf("Ada is %+v (%v)", v.Member.Enrollment, err)
		}
		refused(t, "by whoever was an owner", second(to("x@uni.example", "stay")), lms.CodeForbidden, "forbidden")
		if _, err := s.HandOverCourse(ctx, grace, service.HandOver{CourseID: course, Person: byID(teacher.UserID), Then: "leave"}); err != nil {
			t.Fatal(err)
		}
		refused(t, "who has left", second(s.Course(ctx, grace, course)), lms.CodeNotFound, "not-found")
		// An administrator hands over what has no owner any more.
		suspended := string(lms.StatusSuspended)
		if _, err := s.UpdateUser(ctx, s.admin, teacher.UserID, service.UserPatch{Status: &suspended, OrphanCourses: true}); err != nil {
			t.Fatal(err)
		}
		refused(t, "to a suspended account", second(s.HandOverCourse(ctx, s.admin, service.HandOver{CourseID: course, Person: byID(teacher.UserID)})), lms.CodeConflict, "not-active")
		if m, err := s.HandOverCourse(ctx, s.admin, service.HandOver{CourseID: course, Person: byEmail("grace@uni.example"), Then: "leave"}); err != nil || !m.Enrollment.Role.Owner() {
			t.Errorf("by an administrator: %+v (%v)", m, err)
		}
		if _, err := s.ArchiveCourse(ctx, grace, course, true); err != nil {
			t.Fatal(err)
		}
		refused(t, "what is archived", second(s.HandOverCourse(ctx, grace, service.HandOver{CourseID: course, Person: byEmail("x@uni.example")})), lms.CodeConflict, "course-archived")
	})
}

// C-29: nobody copies more than they hold.
func TestC29ACourseIsCopiedWithItsStaffWithinOnesOwnRights(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, bob := s.teacher("ada@uni.example"), s.teacher("bob@uni.example")
		course := s.course(ada, "Algorithms")
		if _, err := s.UpdateCourse(ctx, ada, course, service.CoursePatch{Description: ptr("Sorting")}); err != nil {
			t.Fatal(err)
		}
		for _, f := range []service.RoleFields{{Name: "Tutor", Privileges: []string{"roster.view"}}, {Name: "Deputy", Privileges: []string{"roster.view", "course.archive"}}} {
			if _, err := s.CreateRole(ctx, ada, course, f, nil); err != nil {
				t.Fatal(err)
			}
		}
		s.enroll(ada, course, "teacher", "bob@uni.example")
		pending := s.enroll(ada, course, "assistant", "grace@uni.example")[0]
		tutor := s.enroll(ada, course, "tutor", "tutor@uni.example")[0]
		deputy := s.enroll(ada, course, "deputy", "deputy@uni.example")[0]
		student := s.enroll(ada, course, "student", "sam@uni.example")[0]
		s.set(ada, course, byID(pending), []string{"audit.view"}, []string{"roster.manage"})
		granted := s.set(ada, course, byEmail("granted@uni.example"), []string{"roster.view"}, nil).User.ID
		s.person("gone@uni.example")
		gone := s.enroll(ada, course, "assistant", "gone@uni.example")[0]
		suspended := string(lms.StatusSuspended)
		if _, err := s.UpdateUser(ctx, s.admin, gone, service.UserPatch{Status: &suspended}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ArchiveCourse(ctx, ada, course, true); err != nil {
			t.Fatal(err)
		}
		whole, err := s.CopyCourse(ctx, ada, course, service.CourseCopy{Title: "Algorithms II", Code: "CS-2", Staff: true}, nil)
		if err != nil || whole.Staff != 5 || len(whole.Left) != 1 || whole.Left[0].UserID != gone {
			t.Fatalf("%+v (%v)", whole, err)
		}
		v, err := s.Course(ctx, ada, whole.CourseID)
		if err != nil || v.Course.Description != "Sorting" || v.Course.Archived() || !v.Member.Enrollment.Role.Owner() {
			t.Errorf("%+v (%v)", v, err)
		}
		for id, want := range map[int64]string{
			pending: s.held(course, pending), tutor: s.held(course, tutor), deputy: s.held(course, deputy), granted: s.held(course, granted), bob.UserID: s.held(course, bob.UserID), student: "", gone: "",
		} {
			if got := s.held(whole.CourseID, id); got != want {
				t.Errorf("%s may %q in the copy, want %q", s.user(id).Email, got, want)
			}
		}
		if n := s.count(`enrollments WHERE course_id = $1 AND user_id = $2`, whole.CourseID, student); n != 0 {
			t.Error("a student came along")
		}
		if n := s.count(`audit_entries WHERE course_id = $1`, whole.CourseID); n != 6 {
			t.Errorf("%d entries", n)
		}
		// Bob is a teacher of the old course: what he does not hold there stays there.
		part, err := s.CopyCourse(ctx, bob, course, service.CourseCopy{Title: "Bob's", Staff: true}, nil)
		if err != nil || part.Staff != 3 || len(part.Left) != 3 {
			t.Fatalf("%+v (%v)", part, err)
		}
		if n := s.count(`course_roles WHERE course_id = $1 AND NOT is_preset`, part.CourseID); n != 1 {
			t.Errorf("%d own roles came along", n)
		}
		if got := s.held(part.CourseID, ada.UserID) + s.held(part.CourseID, deputy); got != "" {
			t.Errorf("whoever holds more than Bob came along: %s", got)
		}
		alone, err := s.CopyCourse(ctx, ada, course, service.CourseCopy{Title: "Alone"}, nil)
		if err != nil || alone.Staff != 0 || s.count(`enrollments WHERE course_id = $1`, alone.CourseID) != 1 {
			t.Errorf("%+v (%v)", alone, err)
		}
		courses := s.count("courses")
		refused(t, "without a title", second(s.CopyCourse(ctx, ada, course, service.CourseCopy{}, nil)), lms.CodeInvalid, "title-missing")
		refused(t, "by a stranger", second(s.CopyCourse(ctx, s.teacher("x@uni.example"), course, service.CourseCopy{Title: "x"}, nil)), lms.CodeNotFound, "not-found")
		refused(t, "by an assistant", second(s.CopyCourse(ctx, s.person("grace@uni.example"), course, service.CourseCopy{Title: "x"}, nil)), lms.CodeForbidden, "forbidden")
		member := s.member(ada, whole.CourseID, "teacher", "member@uni.example")
		refused(t, "by who may not create courses", second(s.CopyCourse(ctx, member, whole.CourseID, service.CourseCopy{Title: "x"}, nil)), lms.CodeForbidden, "forbidden")
		if s.count("courses") != courses {
			t.Error("a refused copy has left a course")
		}
		once := &service.Once{Route: "POST", Key: "k", Body: []byte("x")}
		a, err := s.CopyCourse(ctx, ada, course, service.CourseCopy{Title: "Once", Staff: true}, once)
		b, err2 := s.CopyCourse(ctx, ada, course, service.CourseCopy{Title: "Once", Staff: true}, once)
		if err != nil || err2 != nil || a.CourseID != b.CourseID || len(b.Left) != 1 {
			t.Errorf("sent twice: %+v, %+v (%v, %v)", a, b, err, err2)
		}
	})
}
