package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

func titles(p service.AnnouncementsPage) string {
	var list []string
	for _, a := range p.Announcements {
		list = append(list, a.Title)
	}
	return strings.Join(list, " ")
}

func TestAnnouncementsAreReadByTheWholeCourseFromTheirTimeOn(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course, other := s.course(ada, "Algorithms"), s.course(ada, "Compilers")
		student := s.member(ada, course, "student", "s@uni.example")
		helper := s.member(ada, course, "assistant", "h@uni.example")
		announce := func(title string, pinned bool, in time.Duration) int64 {
			t.Helper()
			a, err := s.CreateAnnouncement(ctx, ada, course, lms.AnnouncementFields{Title: title, Body: "Text of " + title, Pinned: pinned, PublishAt: s.clock.now().Add(in)}, nil)
			if err != nil || a.Author.ID != ada.UserID || a.CourseID != course || !a.EditedAt.IsZero() {
				t.Fatalf("%+v (%v)", a, err)
			}
			return a.ID
		}
		old := announce("old", false, -time.Hour)
		pinned := announce("pinned", true, -2*time.Hour)
		fresh := announce("fresh", false, 0)
		later := announce("later", false, time.Hour)
		read := func(c access.Caller, after int64, limit int) service.AnnouncementsPage {
			t.Helper()
			p, err := s.Announcements(ctx, c, course, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		if got := titles(read(student, 0, 10)); got != "pinned fresh old" {
			t.Errorf("a student reads %s", got)
		}
		if got := titles(read(ada, 0, 10)); got != "pinned later fresh old" {
			t.Errorf("who writes them reads %s", got)
		}
		if got := titles(read(helper, 0, 10)); got != "pinned fresh old" {
			t.Errorf("an assistant, who may not write any, reads %s", got)
		}
		first := read(student, 0, 1)
		next := read(student, first.Next, 1)
		third := read(student, next.Next, 1)
		if titles(first) != "pinned" || titles(next) != "fresh" || titles(third) != "old" || third.Next != 0 {
			t.Errorf("page by page: %s, %s, %s, then %d", titles(first), titles(next), titles(third), third.Next)
		}
		refused(t, "what is scheduled", second(s.Announcement(ctx, student, course, later)), lms.CodeNotFound, "not-found")
		if a, err := s.Announcement(ctx, ada, course, later); err != nil || a.Title != "later" {
			t.Errorf("%+v (%v)", a, err)
		}
		s.clock.advance(time.Hour)
		if got := titles(read(student, 0, 10)); got != "pinned later fresh old" {
			t.Errorf("an hour later a student reads %s", got)
		}

		// Where nobody has a place, there is nothing.
		stranger := s.person("x@uni.example")
		refused(t, "a stranger's list", second(s.Announcements(ctx, stranger, course, 0, 10)), lms.CodeNotFound, "not-found")
		refused(t, "a stranger's reading", second(s.Announcement(ctx, stranger, course, fresh)), lms.CodeNotFound, "not-found")
		refused(t, "C-16: by way of another course", second(s.Announcement(ctx, ada, other, fresh)), lms.CodeNotFound, "not-found")
		refused(t, "C-16: edited by way of another course", second(s.UpdateAnnouncement(ctx, ada, other, fresh, service.AnnouncementPatch{Title: ptr("x")})), lms.CodeNotFound, "not-found")
		refused(t, "C-16: deleted by way of another course", s.DeleteAnnouncement(ctx, ada, other, fresh), lms.CodeNotFound, "not-found")
		if _, err := s.Announcements(ctx, student, course, 999_999, 10); err != nil {
			t.Errorf("after an id that never was: %v", err)
		}

		refused(t, "an assistant's writing", second(s.CreateAnnouncement(ctx, helper, course, lms.AnnouncementFields{Title: "x", Body: "x"}, nil)), lms.CodeForbidden, "forbidden")
		refused(t, "a student's editing", second(s.UpdateAnnouncement(ctx, student, course, fresh, service.AnnouncementPatch{Title: ptr("x")})), lms.CodeForbidden, "forbidden")
		refused(t, "a student's deleting", s.DeleteAnnouncement(ctx, student, course, fresh), lms.CodeForbidden, "forbidden")
		s.set(ada, course, byID(helper.UserID), []string{"announcements.manage"}, nil)
		if _, err := s.CreateAnnouncement(ctx, helper, course, lms.AnnouncementFields{Title: "by h", Body: "x"}, nil); err != nil {
			t.Errorf("with the privilege: %v", err)
		}

		// Deleting one that a reader had reached does not end the reader's list.
		if err := s.DeleteAnnouncement(ctx, ada, course, pinned); err != nil {
			t.Fatal(err)
		}
		if got := titles(read(student, pinned, 10)); !strings.HasSuffix(got, "fresh old") {
			t.Errorf("after the deleted one follow %q", got)
		}
		refused(t, "deleted", second(s.Announcement(ctx, ada, course, pinned)), lms.CodeNotFound, "not-found")
		refused(t, "deleted twice", s.DeleteAnnouncement(ctx, ada, course, pinned), lms.CodeNotFound, "not-found")
		if _, err := s.ArchiveCourse(ctx, ada, course, true); err != nil {
			t.Fatal(err)
		}
		if got := titles(read(student, 0, 10)); !strings.Contains(got, "old") {
			t.Errorf("in an archived course a student reads %q", got)
		}
		refused(t, "writing in an archived course", second(s.CreateAnnouncement(ctx, ada, course, lms.AnnouncementFields{Title: "x", Body: "x"}, nil)), lms.CodeConflict, "course-archived")
		refused(t, "editing in an archived course", second(s.UpdateAnnouncement(ctx, ada, course, old, service.AnnouncementPatch{Title: ptr("x")})), lms.CodeConflict, "course-archived")
	})
}

func TestAnnouncementsAreEditedAndRecordedWithoutTheirText(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		f := lms.AnnouncementFields{Title: "Room 12", Body: "Ask secret@uni.example"}
		once := &service.Once{Route: "POST", Key: "k", Body: []byte("b")}
		a, err := s.CreateAnnouncement(ctx, ada, course, f, once)
		if err != nil {
			t.Fatal(err)
		}
		again, err := s.CreateAnnouncement(ctx, ada, course, f, once)
		if err != nil || again.ID != a.ID {
			t.Errorf("sent twice, it is %d and %d (%v)", a.ID, again.ID, err)
		}
		e := s.lastEntry()
		if e.Action != "announcement.create" || !strings.Contains(string(e.After), `"title":"Room 12"`) || strings.Contains(string(e.After), "secret") {
			t.Errorf("recorded %s %s", e.Action, e.After)
		}
		entries := s.count("audit_entries")
		if b, err := s.UpdateAnnouncement(ctx, ada, course, a.ID, service.AnnouncementPatch{Title: ptr(" Room 12 ")}); err != nil || !b.EditedAt.IsZero() || s.count("audit_entries") != entries {
			t.Errorf("nothing changed, and it is %+v (%v)", b, err)
		}
		s.clock.advance(time.Minute)
		b, err := s.UpdateAnnouncement(ctx, ada, course, a.ID, service.AnnouncementPatch{Body: ptr("Ask me."), Pinned: ptr(true)})
		if err != nil || b.Title != "Room 12" || b.Body != "Ask me." || !b.Pinned || !b.EditedAt.Equal(s.clock.now()) || !b.PublishAt.Equal(a.PublishAt) {
			t.Errorf("edited, it is %+v (%v)", b, err)
		}
		if e := s.lastEntry(); !strings.Contains(string(e.After), `"text_changed":true`) || strings.Contains(string(e.After), "Ask me") {
			t.Errorf("recorded %s", e.After)
		}
		for _, c := range []struct {
			p   service.AnnouncementPatch
			typ string
		}{
			{service.AnnouncementPatch{Title: ptr(" ")}, "title-missing"},
			{service.AnnouncementPatch{Body: ptr("\n")}, "text-missing"},
			{service.AnnouncementPatch{PublishAt: ptr(s.clock.now().AddDate(9, 0, 0))}, "publish-time"},
		} {
			refused(t, c.typ, second(s.UpdateAnnouncement(ctx, ada, course, a.ID, c.p)), lms.CodeInvalid, c.typ)
		}
		refused(t, "edited by somebody else meanwhile", second(s.UpdateAnnouncement(ctx, ada, course, a.ID, service.AnnouncementPatch{Title: ptr("y"), Seen: &a.EditedAt})), lms.CodeConflict, "changed-meanwhile")
		if _, err := s.UpdateAnnouncement(ctx, ada, course, a.ID, service.AnnouncementPatch{Title: ptr("Room 13"), Seen: &b.EditedAt}); err != nil {
			t.Errorf("edited as it was seen: %v", err)
		}
		moved, err := s.UpdateAnnouncement(ctx, ada, course, a.ID, service.AnnouncementPatch{PublishAt: ptr(s.clock.now().Add(time.Hour))})
		if err != nil || moved.Published(s.clock.now()) {
			t.Errorf("taken back until later, it is %+v (%v)", moved, err)
		}
		// C-20: no pending person is ever an author.
		pending := s.enroll(ada, course, "student", "p@uni.example")[0]
		if _, err := s.raw.Exec(`INSERT INTO announcements (course_id, title, body, pinned, publish_at, author_id, created_at) SELECT course_id, title, body, pinned, publish_at, ` + fmt.Sprint(pending) + `, created_at FROM announcements`); err == nil {
			t.Error("a pending person is an author")
		}
	})
}
