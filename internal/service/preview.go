package service

import (
	"context"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// Preview is a course as somebody else would see it.
type Preview struct {
	Member        lms.Member // whose eyes these are
	View          CourseView // the course as they stand in it
	Announcements AnnouncementsPage
	Counts        *store.PeopleCounts // nil when they may not see the roster
	People        []store.Person      // the first of them
}

// How much of a course a preview shows.
const (
	previewAnnouncements = 10
	previewPeople        = 40
)

// PreviewCourse shows a course as one of its people, pending or not, would see
// it. It stands in the audit as done by the caller and about that person
// (C-19), reads by what that person may do, and gives nobody anything with
// which to act. Nobody looks through the eyes of somebody who may see more than
// they.
func (s *Service) PreviewCourse(ctx context.Context, c access.Caller, courseID, userID int64) (Preview, error) {
	member, err := s.recordPreview(ctx, c, courseID, userID)
	if err != nil {
		return Preview{}, err
	}
	course, _, err := s.store.Reader().Course(ctx, courseID)
	if err != nil {
		return Preview{}, err
	}
	st := access.Standing{Course: course, Member: member}
	holds, within := member.Effective(), st.Within(access.Caller{UserID: userID})
	p := Preview{Member: member, View: CourseView{Course: course, Member: member, Holds: holds}}
	if p.Announcements, err = s.announcementsFor(ctx, courseID, p.View.Holds, 0, previewAnnouncements); err != nil {
		return p, err
	}
	if !p.View.Holds.Has(lms.RosterView) {
		return p, nil
	}
	counts, err := s.store.Reader().PeopleCounts(ctx, courseID, within, userID)
	if err != nil {
		return p, err
	}
	p.Counts = &counts
	p.People, err = s.store.Reader().People(ctx, store.PeopleQuery{CourseID: courseID, Within: within, Self: userID, Limit: previewPeople})
	return p, err
}

func (s *Service) recordPreview(ctx context.Context, c access.Caller, courseID, userID int64) (m lms.Member, err error) {
	err = s.do(ctx, c, access.CoursePreview, courseID, func(ctx context.Context, w *work) error {
		var ok bool
		if m, ok, err = w.tx.Member(ctx, courseID, userID); err != nil {
			return err
		}
		m = m.At(w.now)
		if !ok || (m.Enrollment == nil && m.Effective() == 0) {
			return lms.Errorf(lms.CodeNotFound, "not-in-course", "This person has no place in the course, so there is nothing that they would see.")
		}
		if err := w.delegator().MayLookAs(&m); err != nil {
			return err
		}
		return w.record(ctx, userID, nil, nil)
	})
	return m, err
}
