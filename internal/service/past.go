package service

import (
	"context"

	"matricula/internal/access"
	"matricula/internal/lms"
)

// pastShown is how many of somebody's past places in one course are shown.
const pastShown = 20

// PastPage is a page of those who were in a course.
type PastPage struct {
	People []lms.PastPlace // each with their last place, the last to leave first
	Next   int64           // 0 when there are no more
}

// PastPeople lists those who were in a course, also who is in it again.
func (s *Service) PastPeople(ctx context.Context, c access.Caller, courseID, before int64, limit int) (PastPage, error) {
	st, err := s.look(ctx, c, access.RosterView, courseID)
	if err != nil {
		return PastPage{}, err
	}
	if before == 0 {
		before = maxID
	}
	list, err := s.store.Reader().PastPeople(ctx, courseID, before, limit+1, st.Within(c))
	if err != nil {
		return PastPage{}, err
	}
	rows, more := page(list, limit)
	out := PastPage{People: rows}
	if more {
		out.Next = rows[len(rows)-1].ID
	}
	return out, nil
}

// RestorePlace puts somebody who has left a course into it again, with the role
// and the privileges that they had when they left. It takes what giving these
// takes; who may not give all of them restores nothing. Who was in the course
// may be found for that by whoever manages it, whatever the directory shows.
func (s *Service) RestorePlace(ctx context.Context, c access.Caller, courseID, userID int64) (lms.Member, error) {
	return doOnce(ctx, s, c, access.EnrollmentRestore, courseID, nil, func(ctx context.Context, w *work) (lms.Member, error) {
		m, ok, err := w.tx.Member(ctx, courseID, userID)
		if err != nil {
			return m, err
		}
		if !ok {
			return m, errNoUser
		}
		if m.Enrollment != nil || m.Grant != nil {
			w.nothingChanged()
			return m, nil
		}
		past, err := w.tx.PastPlaces(ctx, userID, courseID, 1)
		if err != nil {
			return m, err
		}
		if len(past) == 0 {
			return m, lms.Errorf(lms.CodeNotFound, "never-in-course", "This person was never in this course. Add them by their address.")
		}
		roles, err := w.tx.Roles(ctx, courseID)
		if err != nil {
			return m, err
		}
		to := Place{Role: past[0].Role.Key, Allow: past[0].Allow, Deny: past[0].Deny}
		if err := w.mayPlace(ctx, &m, roles, to); err != nil {
			return m, err
		}
		if err := w.place(ctx, &m, roles, to); err != nil {
			return m, err
		}
		m, _, err = w.tx.Member(ctx, courseID, userID)
		return m, err
	})
}
