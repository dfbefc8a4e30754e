package service

import (
	"context"
	"strings"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// Leaving says what becomes of the courses that only one person owns when that
// person goes (C-12).
type Leaving struct {
	OrphanCourses bool      // they may be left without an active owner
	Successor     PersonRef // becomes their owner; the zero one is nobody
}

func (l Leaving) named() bool { return l.Successor.UserID != 0 || l.Successor.Email != "" }

// leaveOwned sees to the courses whose only active owner is about to go: a successor
// gets them, or they are left without an owner where that is confirmed. It tells
// which are.
func (w *work) leaveOwned(ctx context.Context, u lms.User, l Leaving) ([]int64, error) {
	courses, err := w.tx.SoleOwnerships(ctx, u.ID)
	if err != nil || len(courses) == 0 {
		return nil, err
	}
	if l.named() {
		return nil, w.handOn(ctx, u, courses, l.Successor)
	}
	var orphaned []int64
	titles := make([]string, 0, len(courses))
	for i, c := range courses {
		if i < titlesShown {
			titles = append(titles, c.Title)
		}
		orphaned = append(orphaned, c.ID)
	}
	if len(courses) > titlesShown {
		titles = append(titles, "…")
	}
	if !l.OrphanCourses {
		return nil, lms.Errorf(lms.CodeConflict, "last-owner", "%s is the only owner of: %s. Make somebody else an owner first, or confirm that these courses may be without one.", u.DisplayName(), strings.Join(titles, ", "))
	}
	return orphaned, nil
}

// handOn makes the successor an owner of every course that the person alone owns.
func (w *work) handOn(ctx context.Context, u lms.User, courses []lms.Course, ref PersonRef) error {
	to, err := w.successor(ctx, u, ref)
	if err != nil {
		return err
	}
	inner := *w
	for len(courses) > 0 {
		for _, c := range courses {
			inner.courseID, inner.recorded, inner.unchanged = c.ID, false, false
			inner.standing = &access.Standing{Course: c, Member: lms.Member{User: lms.User{ID: w.caller.UserID}}}
			if err := inner.makeOwner(ctx, to); err != nil {
				return err
			}
		}
		// There may be more than one look finds.
		if courses, err = w.tx.SoleOwnerships(ctx, u.ID); err != nil {
			return err
		}
	}
	return nil
}

func (w *work) successor(ctx context.Context, u lms.User, ref PersonRef) (int64, error) {
	id := ref.UserID
	if id == 0 {
		address, err := lms.ParseEmail(ref.Email)
		if err != nil {
			return 0, at(err, "successor")
		}
		h, ok, err := w.tx.AddressHolder(ctx, address)
		if err != nil {
			return 0, err
		}
		if ok {
			id = h.UserID
		}
	}
	to, ok, err := w.tx.User(ctx, id)
	if err != nil {
		return 0, err
	}
	if !ok || to.Kind != lms.KindPerson || to.Status != lms.StatusActive || to.ID == u.ID {
		return 0, lms.Invalid("no-successor", "successor", "The successor has to be somebody else who has signed in and is not suspended, since a course always has such an owner.")
	}
	return to.ID, nil
}

func (w *work) makeOwner(ctx context.Context, id int64) error {
	m, ok, err := w.tx.Member(ctx, w.courseID, id)
	if err != nil {
		return err
	}
	if !ok {
		return errNoUser
	}
	role, err := w.roleByKey(ctx, lms.RoleOwner)
	if err != nil {
		return err
	}
	w.action = access.EnrollmentAdd
	if m.Enrollment != nil {
		w.action = access.EnrollmentChange
	}
	return w.changeRole(ctx, &m, role)
}

// EraseUser removes all that is personal about somebody, in one transaction, and
// frees their address. What others rely on stays under the same id and a pseudonym
// (H-08). It is the answer to their request, if there is one. There is no way back.
func (s *Service) EraseUser(ctx context.Context, c access.Caller, id int64, l Leaving) (lms.User, error) {
	u, err := s.eraseUser(ctx, c, id, l)
	if err != nil {
		return u, err
	}
	// Nobody is found by the name any more; this removes the last trace of the index.
	if err := s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return tx.TidySearch(ctx) }); err != nil {
		s.log.WarnContext(ctx, "the search index was not put in order after somebody was erased; the next time does it too", "error", err)
	}
	return u, nil
}

func (s *Service) eraseUser(ctx context.Context, c access.Caller, id int64, l Leaving) (lms.User, error) {
	return doOnce(ctx, s, c, access.UserErase, 0, nil, func(ctx context.Context, w *work) (lms.User, error) {
		if err := w.tx.LockOwnedCourses(ctx, id); err != nil {
			return lms.User{}, err
		}
		if err := w.lockWith(ctx, id); err != nil {
			return lms.User{}, err
		}
		u, ok, err := w.tx.User(ctx, id)
		switch {
		case err != nil:
			return u, err
		case !ok || id == lms.SystemUserID:
			return u, errNoUser
		case u.Kind != lms.KindPerson:
			return u, lms.Errorf(lms.CodeConflict, "no-person", "%s is a service account, which is nobody's. Suspend it instead.", u.DisplayName())
		case id == w.caller.UserID:
			return u, lms.Errorf(lms.CodeForbidden, "self-change", "Nobody can erase their own account. Ask another administrator.")
		}
		return w.erase(ctx, u, l)
	})
}

func (w *work) erase(ctx context.Context, u lms.User, l Leaving) (lms.User, error) {
	var orphaned []int64
	var err error
	if u.Status == lms.StatusActive {
		if orphaned, err = w.leaveOwned(ctx, u, l); err != nil {
			return u, err
		}
	}
	if err := w.tx.FinishErasure(ctx, u.ID, w.caller.UserID, w.now); err != nil {
		return u, err
	}
	if _, err := w.tx.EraseUser(ctx, u.ID, w.caller.UserID, w.now); err != nil {
		return u, err
	}
	before := userAudit{SiteRole: u.SiteRole, Status: u.Status}
	gone, _, err := w.tx.AnyUser(ctx, u.ID)
	if err != nil {
		return u, err
	}
	return gone, w.record(ctx, u.ID, before, userAudit{Status: lms.StatusErased, Orphaned: orphaned})
}
