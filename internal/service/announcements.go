package service

import (
	"context"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
)

// announcementAudit is what stands in the audit. The text itself does not: it
// may hold what belongs into no record that nobody can correct.
type announcementAudit struct {
	Announcement int64     `json:"announcement"`
	Title        string    `json:"title"`
	Pinned       bool      `json:"pinned"`
	PublishAt    time.Time `json:"publish_at"`
	TextChanged  bool      `json:"text_changed,omitempty"`
}

func auditOfAnnouncement(id int64, f lms.AnnouncementFields) announcementAudit {
	return announcementAudit{Announcement: id, Title: f.Title, Pinned: f.Pinned, PublishAt: f.PublishAt.UTC()}
}

func fieldsOf(a *lms.Announcement) lms.AnnouncementFields {
	return lms.AnnouncementFields{Title: a.Title, Body: a.Body, Pinned: a.Pinned, PublishAt: a.PublishAt}
}

// CreateAnnouncement tells a course something, at once or from a given time on.
func (s *Service) CreateAnnouncement(ctx context.Context, c access.Caller, courseID int64, f lms.AnnouncementFields, once *Once) (lms.Announcement, error) {
	return doOnce(ctx, s, c, access.AnnouncementCreate, courseID, once, func(ctx context.Context, w *work) (a lms.Announcement, err error) {
		if f, err = f.Clean(w.now); err != nil {
			return a, err
		}
		id, err := w.tx.CreateAnnouncement(ctx, courseID, c.UserID, f, w.now)
		if err != nil {
			return a, err
		}
		if err := w.record(ctx, 0, nil, auditOfAnnouncement(id, f)); err != nil {
			return a, err
		}
		a, _, err = w.tx.Announcement(ctx, courseID, id)
		return a, err
	})
}

// AnnouncementPatch changes what is not nil.
type AnnouncementPatch struct {
	Title     *string
	Body      *string
	Pinned    *bool
	PublishAt *time.Time // the zero time publishes at once
	Seen      *time.Time // EditedAt of the version that the caller saw; another one is not overwritten
}

// ErrMeanwhile is the answer to a change of what was changed since it was seen.
var ErrMeanwhile = lms.Errorf(lms.CodeConflict, "changed-meanwhile", "Somebody else has edited this announcement meanwhile. Open it again to see what it says now; what you wrote is still below.")

// UpdateAnnouncement changes an announcement.
func (s *Service) UpdateAnnouncement(ctx context.Context, c access.Caller, courseID, id int64, p AnnouncementPatch) (lms.Announcement, error) {
	return doOnce(ctx, s, c, access.AnnouncementUpdate, courseID, nil, func(ctx context.Context, w *work) (lms.Announcement, error) {
		a, ok, err := w.tx.Announcement(ctx, courseID, id)
		if err != nil {
			return a, err
		}
		if !ok {
			return a, errNoAnnouncement
		}
		if p.Seen != nil && !p.Seen.Equal(a.EditedAt) {
			return a, ErrMeanwhile
		}
		before := fieldsOf(&a)
		after := before
		if p.Title != nil {
			after.Title = *p.Title
		}
		if p.Body != nil {
			after.Body = *p.Body
		}
		if p.Pinned != nil {
			after.Pinned = *p.Pinned
		}
		if p.PublishAt != nil {
			after.PublishAt = *p.PublishAt
		}
		if after, err = after.Clean(w.now); err != nil {
			return a, err
		}
		if after == before {
			w.nothingChanged()
			return a, nil
		}
		if err := w.tx.UpdateAnnouncement(ctx, courseID, id, after, w.now); err != nil {
			return a, err
		}
		is := auditOfAnnouncement(id, after)
		is.TextChanged = after.Body != before.Body
		if err := w.record(ctx, 0, auditOfAnnouncement(id, before), is); err != nil {
			return a, err
		}
		a, _, err = w.tx.Announcement(ctx, courseID, id)
		return a, err
	})
}

// DeleteAnnouncement takes an announcement away from everybody.
func (s *Service) DeleteAnnouncement(ctx context.Context, c access.Caller, courseID, id int64) error {
	return s.do(ctx, c, access.AnnouncementDelete, courseID, func(ctx context.Context, w *work) error {
		a, ok, err := w.tx.Announcement(ctx, courseID, id)
		if err != nil {
			return err
		}
		if !ok {
			return errNoAnnouncement
		}
		if err := w.tx.DeleteAnnouncement(ctx, courseID, id, w.now); err != nil {
			return err
		}
		return w.record(ctx, 0, auditOfAnnouncement(id, fieldsOf(&a)), nil)
	})
}

var errNoAnnouncement = lms.NotFound("announcement")

// Announcement reads one announcement. What is not yet published exists only
// for those who may write announcements.
func (s *Service) Announcement(ctx context.Context, c access.Caller, courseID, id int64) (lms.Announcement, error) {
	st, err := s.look(ctx, c, access.AnnouncementView, courseID)
	if err != nil {
		return lms.Announcement{}, err
	}
	a, ok, err := s.store.Reader().Announcement(ctx, courseID, id)
	if err != nil {
		return a, err
	}
	if !ok || (!a.Published(s.now()) && !st.Holds(c).Has(lms.AnnouncementsManage)) {
		return lms.Announcement{}, errNoAnnouncement
	}
	return a, nil
}

// AnnouncementsPage is a page of a course's announcements, the pinned ones
// first and the newest first among both.
type AnnouncementsPage struct {
	Announcements []lms.Announcement
	Next          int64 // after which the list is continued; 0 when there are no more
}

// Announcements lists what a course is told from the one that follows the id
// after; 0 begins. Those who may write announcements also get what is scheduled.
func (s *Service) Announcements(ctx context.Context, c access.Caller, courseID, after int64, limit int) (AnnouncementsPage, error) {
	st, err := s.look(ctx, c, access.AnnouncementView, courseID)
	if err != nil {
		return AnnouncementsPage{}, err
	}
	return s.announcementsFor(ctx, courseID, st.Holds(c), after, limit)
}

func (s *Service) announcementsFor(ctx context.Context, courseID int64, holds lms.PrivilegeSet, after int64, limit int) (AnnouncementsPage, error) {
	until := s.now()
	if holds.Has(lms.AnnouncementsManage) {
		until = endOfTime
	}
	list, err := s.store.Reader().Announcements(ctx, courseID, until, after, limit+1)
	if err != nil {
		return AnnouncementsPage{}, err
	}
	rows, more := page(list, limit)
	out := AnnouncementsPage{Announcements: rows}
	if more {
		out.Next = rows[len(rows)-1].ID
	}
	return out, nil
}

// endOfTime is after everything that can be scheduled.
var endOfTime = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
