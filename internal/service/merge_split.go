package service

import (
	"context"
	"slices"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// mayBeSplit decides whether the caller may split a merge, and works out what that
// would do.
func (w *work) mayBeSplit(ctx context.Context, m lms.Merge) (p SplitPlan, err error) {
	if !m.Splittable(w.now) {
		return p, lms.Errorf(lms.CodeConflict, "merge-final", "This merge cannot be split any more: that is possible for 30 days.")
	}
	if _, later, err := w.tx.LaterMerge(ctx, m); err != nil {
		return p, err
	} else if later {
		return p, lms.Errorf(lms.CodeConflict, "merge-not-last", "One of these accounts was merged again since. Split that merge first.")
	}
	var seen []int64
	if !w.caller.Admin() {
		if seen, err = w.maySplit(ctx, m); err != nil {
			return p, err
		}
	}
	if p, err = w.tx.PlanSplit(ctx, m); err != nil {
		return p, err
	}
	if p.NoHome != "" {
		return p, lms.Errorf(lms.CodeConflict, "merge-address", "%s belongs to %s by now: it is their main address, or they have proved it. Without it, the other person could not come back.", p.NoHome.Display(), m.Kept.DisplayName())
	}
	for i := range p.Places {
		if !w.caller.Admin() && !slices.Contains(seen, p.Places[i].CourseID) {
			p.Places[i].Title = "" // deleted, and perhaps another's
		}
	}
	return p, nil
}

// maySplit decides about whoever merged two people and is no administrator: they
// still manage every course that is concerned. It gives these courses.
func (w *work) maySplit(ctx context.Context, m lms.Merge) (seen []int64, err error) {
	if m.AskedBy.ID != w.caller.UserID || m.Was != lms.StatusPending {
		return nil, lms.Errorf(lms.CodeForbidden, "forbidden", "Only an administrator, or whoever has merged two people, can split them again.")
	}
	ids, err := w.tx.CoursesOfMerge(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		course, member, ok, err := w.tx.Standing(ctx, id, w.caller.UserID)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue // deleted
		}
		st := &access.Standing{Course: course, Member: member.At(w.now)}
		if err := access.Decide(w.caller, access.EnrollmentChange, st); err != nil {
			if isNotFound(err) {
				return nil, errMergeElse
			}
			return nil, err
		}
		kept, ok, err := w.tx.Member(ctx, id, m.Kept.ID)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, errNoUser
		}
		if err := access.DelegatorOf(w.caller, st).MayTouch(&kept); err != nil {
			return nil, err
		}
		seen = append(seen, id)
	}
	return seen, nil
}

// SplitMerge makes two people of one again, within 30 days. What has been changed
// since the merge stays with the person who was kept; the plan that it gives is what
// was done.
func (s *Service) SplitMerge(ctx context.Context, c access.Caller, id int64) (SplitPlan, error) {
	return doOnce(ctx, s, c, access.UserSplit, 0, nil, func(ctx context.Context, w *work) (p SplitPlan, err error) {
		m, err := w.mergeOf(ctx, id)
		if err != nil {
			return p, err
		}
		courses, err := w.tx.CoursesOfMerge(ctx, id)
		if err != nil {
			return p, err
		}
		for _, course := range courses {
			if err := w.tx.LockCourse(ctx, course); err != nil {
				return p, err
			}
		}
		if err := w.lockPair(ctx, m.Kept.ID, m.Gone.ID); err != nil {
			return p, err
		}
		if err := w.tx.LockMerge(ctx, id); err != nil {
			return p, err
		}
		if m, err = w.mergeOf(ctx, id); err != nil {
			return p, err
		}
		if p, err = w.mayBeSplit(ctx, m); err != nil {
			return p, err
		}
		if err := w.tx.SplitMerge(ctx, m, p, w.caller.UserID, w.now); err != nil {
			return p, err
		}
		return p, w.recordSplit(ctx, m, p)
	})
}

func (w *work) recordSplit(ctx context.Context, m lms.Merge, p SplitPlan) error {
	after := mergeAudit{Merge: m.ID, Kept: m.Kept.ID, Merged: m.Gone.ID, Moved: countsOf(p.Back), Stays: countsOf(p.Stay)}
	for _, sp := range p.Places {
		if sp.Stays == "" {
			after.Moved["places"]++
		} else {
			after.Stays["places"]++
		}
	}
	for _, sp := range p.Places {
		if sp.Stays != "" {
			continue
		}
		w.courseID = sp.CourseID
		if err := w.record(ctx, m.Gone.ID, nil, mergeAudit{Merge: m.ID, Kept: m.Kept.ID, Merged: m.Gone.ID}); err != nil {
			return err
		}
	}
	w.courseID = 0
	return w.record(ctx, m.Gone.ID, nil, after)
}

// expireMerges closes questions that nobody answered in time, and forgets what was
// kept to split merges that have become final.
func (s *Service) expireMerges(ctx context.Context) error {
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return tx.ExpireMerges(ctx, s.now()) })
}
