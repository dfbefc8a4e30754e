package service_test

import (
	"testing"

	"matricula/internal/access"
	"matricula/internal/lms"
)

// C-19: whoever looks through somebody's eyes sees what that person may see, is
// on record as themselves, and gets nothing with which to act.
func TestC19LookingAsSomebodyIsReadOnlyAndRecorded(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course, other := s.course(ada, "Algorithms"), s.course(ada, "Compilers")
		helper := s.member(ada, course, "assistant", "h@uni.example")
		pending := s.enroll(ada, course, "student", "grace@uni.example")[0]
		for _, f := range []lms.AnnouncementFields{{Title: "now", Body: "x"}, {Title: "later", Body: "x", PublishAt: s.clock.now().AddDate(0, 1, 0)}} {
			if _, err := s.CreateAnnouncement(ctx, ada, course, f, nil); err != nil {
				t.Fatal(err)
			}
		}
		before := s.user(pending)
		sessions := s.count("sessions")
		p, err := s.PreviewCourse(ctx, ada, course, pending)
		if err != nil || p.View.Holds != 0 || p.Counts != nil || len(p.People) != 0 || titles(p.Announcements) != "now" || p.Member.Enrollment.Role.Key != "student" {
			t.Fatalf("as the student sees it: %+v (%v)", p, err)
		}
		e := s.lastEntry()
		if e.Action != string(access.CoursePreview) || e.ActorID != ada.UserID || e.SubjectID != pending || e.CourseID != course || e.Outcome != lms.OutcomeDone {
			t.Errorf("recorded: %+v", e)
		}
		if after := s.user(pending); after != before || s.count("sessions") != sessions || s.count(`api_tokens`) != 0 {
			t.Errorf("it has changed %+v to %+v", before, after)
		}
		h, err := s.PreviewCourse(ctx, ada, course, helper.UserID)
		if err != nil || h.Counts == nil || h.Counts.All != 3 || len(h.People) != 3 || titles(h.Announcements) != "now" {
			t.Errorf("as the assistant sees it: %+v (%v)", h, err)
		}
		if _, err := s.PreviewCourse(ctx, helper, course, pending); err != nil {
			t.Errorf("an assistant looks as a student: %v", err)
		}
		refused(t, "an assistant looks as the owner", second(s.PreviewCourse(ctx, helper, course, ada.UserID)), lms.CodeForbidden, "beyond-own-privileges")
		refused(t, "a student looks", second(s.PreviewCourse(ctx, s.person("grace@uni.example"), course, helper.UserID)), lms.CodeForbidden, "forbidden")
		refused(t, "a stranger looks", second(s.PreviewCourse(ctx, s.person("x@uni.example"), course, pending)), lms.CodeNotFound, "not-found")
		refused(t, "as somebody of no place", second(s.PreviewCourse(ctx, ada, other, pending)), lms.CodeNotFound, "not-in-course")
		refused(t, "as nobody", second(s.PreviewCourse(ctx, ada, course, 999_999)), lms.CodeNotFound, "not-in-course")
		if n := s.audited(access.CoursePreview, lms.OutcomeRefused); n != 5 {
			t.Errorf("%d refusals are on record", n)
		}
		// What is denied counts as it would for them.
		s.set(ada, course, byID(helper.UserID), nil, []string{"roster.view"})
		if h, err := s.PreviewCourse(ctx, s.admin, course, helper.UserID); err != nil || h.Counts != nil {
			t.Errorf("without the roster: %+v (%v)", h, err)
		}
	})
}
