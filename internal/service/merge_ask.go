package service

import (
	"context"

	"matricula/internal/access"
	"matricula/internal/lms"
)

// askMerge asks two people who have both signed in whether they are one. Only an
// administrator asks, and nobody but the two can answer.
func (w *work) askMerge(ctx context.Context, p MergePreview) (m lms.Merge, err error) {
	w.action = access.MergeAsk
	if err := access.Decide(w.caller, w.action, nil); err != nil {
		return m, err
	}
	open, asked, err := w.tx.OpenMerge(ctx, p.Keep.ID, p.Merge.ID)
	if err != nil {
		return m, err
	}
	if asked {
		was, _, err := w.tx.Merge(ctx, open)
		if err != nil {
			return m, err
		}
		if was.Open(w.now) {
			return m, errMergeOpen
		}
		if err := w.tx.EndMerge(ctx, open, lms.MergeWithdrawn, w.caller.UserID, w.now); err != nil {
			return m, err
		}
	}
	m = lms.Merge{Kept: p.Keep, Gone: p.Merge, Was: p.Merge.Status, AskedAt: w.now, Expires: w.now.Add(mergeAsking)}
	m.AskedBy.ID = w.caller.UserID
	ok := false
	if m.ID, ok, err = w.tx.AddMerge(ctx, m); err != nil {
		return m, err
	}
	if !ok {
		return m, errMergeOpen
	}
	for _, one := range []lms.User{p.Keep, p.Merge} {
		if err := w.record(ctx, one.ID, nil, mergeAudit{Merge: m.ID, Kept: p.Keep.ID, Merged: p.Merge.ID}); err != nil {
			return m, err
		}
	}
	m, _, err = w.tx.Merge(ctx, m.ID)
	return m, err
}

var errNoMerge = lms.NotFound("merge")

// concerns tells whether somebody may know of a merge: administrators, whoever
// asked for it, who it made them, and the two while they are asked.
func concerns(c access.Caller, m *lms.Merge) bool {
	return c.Admin() || m.AskedBy.ID == c.UserID || m.Kept.ID == c.UserID || (m.State == lms.MergeAsked && m.Gone.ID == c.UserID)
}

// shown is a merge as a caller may see it: one of two who are asked sees the address
// of the other only in part, since they are perhaps two people after all.
func shown(c access.Caller, m lms.Merge) lms.Merge {
	if c.Admin() || m.State != lms.MergeAsked || m.AskedBy.ID == c.UserID {
		return m
	}
	for _, u := range []*lms.User{&m.Kept, &m.Gone} {
		if u.ID != c.UserID {
			*u = lms.User{ID: u.ID, Kind: u.Kind, Status: u.Status, SiteRole: lms.SiteMember, Name: u.Email.Masked()}
		}
	}
	return m
}

// MergesPage is a page of merges, the newest first.
type MergesPage struct {
	Merges []lms.Merge
	Next   int64 // 0 when there are no more
}

// Merges lists the merges that the caller may know of.
func (s *Service) Merges(ctx context.Context, c access.Caller, before int64, limit int) (MergesPage, error) {
	if err := access.Decide(c, access.MergeView, nil); err != nil {
		return MergesPage{}, err
	}
	if before == 0 {
		before = maxID
	}
	user := c.UserID
	if c.Admin() {
		user = 0
	}
	list, err := s.store.Reader().Merges(ctx, user, before, limit+1)
	if err != nil {
		return MergesPage{}, err
	}
	rows, more := page(list, limit)
	out := MergesPage{}
	for _, m := range rows {
		out.Merges = append(out.Merges, shown(c, m))
	}
	if more {
		out.Next = rows[len(rows)-1].ID
	}
	return out, nil
}

// MergesAsking lists the open questions whether the caller and somebody else are one.
func (s *Service) MergesAsking(ctx context.Context, c access.Caller) ([]lms.Merge, error) {
	if err := access.Decide(c, access.MergeView, nil); err != nil {
		return nil, err
	}
	now := s.now()
	list, err := s.store.Reader().MergesAsking(ctx, c.UserID, now)
	if err != nil {
		return nil, err
	}
	var asking []lms.Merge
	for _, m := range list {
		if m.Asks(c.UserID, now) {
			asking = append(asking, shown(c, m))
		}
	}
	return asking, nil
}

// MergeView is a merge with what the caller may do about it.
type MergeView struct {
	lms.Merge
	MayAccept   bool
	MayWithdraw bool
	MayComplete bool
	Split       *SplitPlan // what splitting would do now; nil when the caller cannot split it
}

// Merge reads a merge that the caller may know of.
func (s *Service) Merge(ctx context.Context, c access.Caller, id int64) (v MergeView, err error) {
	if err := access.Decide(c, access.MergeView, nil); err != nil {
		return v, err
	}
	w := &work{tx: s.store.Reader(), caller: c, action: access.UserSplit, now: s.now(), zone: s.opts.Zone}
	m, err := w.mergeOf(ctx, id)
	if err != nil {
		return v, err
	}
	v.Merge = shown(c, m)
	v.MayAccept = m.Asks(c.UserID, w.now)
	v.MayWithdraw = m.Open(w.now)
	v.MayComplete = m.Open(w.now) && m.Proved() && c.Admin()
	if !m.Splittable(w.now) {
		return v, nil
	}
	plan, err := w.mayBeSplit(ctx, m)
	switch {
	case err == nil:
		v.Split = &plan
	case lmsError(err) == nil:
		return v, err
	}
	return v, nil
}

func (w *work) mergeOf(ctx context.Context, id int64) (lms.Merge, error) {
	m, ok, err := w.tx.Merge(ctx, id)
	if err != nil {
		return m, err
	}
	if !ok || !concerns(w.caller, &m) {
		return m, errNoMerge
	}
	return m, nil
}

var (
	errMergeOver     = lms.Errorf(lms.CodeConflict, "merge-over", "This question is not open any more. If it is still right, an administrator can ask again.")
	errMergeUnproved = lms.Errorf(lms.CodeConflict, "merge-unproved", "Not both people have said yet that they are one. Each of them signs in and does so under “My account”.")
)

// openMerge reads a merge that is asked about, and keeps it until the transaction
// ends.
func (w *work) openMerge(ctx context.Context, id int64) (lms.Merge, error) {
	if err := w.tx.LockMerge(ctx, id); err != nil {
		return lms.Merge{}, err
	}
	m, err := w.mergeOf(ctx, id)
	if err == nil && !m.Open(w.now) {
		err = errMergeOver
	}
	return m, err
}

// AcceptMerge says that the caller and the other account of a question are one. Each
// of the two says so in a session of its own, which is the proof.
func (s *Service) AcceptMerge(ctx context.Context, c access.Caller, id int64) (lms.Merge, error) {
	return doOnce(ctx, s, c, access.MergeAccept, 0, nil, func(ctx context.Context, w *work) (lms.Merge, error) {
		m, err := w.openMerge(ctx, id)
		if err != nil {
			return m, err
		}
		if c.UserID != m.Kept.ID && c.UserID != m.Gone.ID {
			return m, lms.Errorf(lms.CodeForbidden, "merge-not-asked", "Only the two people can say that they are one.")
		}
		if !m.Asks(c.UserID, w.now) {
			w.nothingChanged()
			return shown(c, m), nil
		}
		if err := w.tx.SayMerge(ctx, id, c.UserID, w.now); err != nil {
			return m, err
		}
		if err := w.record(ctx, 0, nil, mergeAudit{Merge: id, Kept: m.Kept.ID, Merged: m.Gone.ID}); err != nil {
			return m, err
		}
		m, _, err = w.tx.Merge(ctx, id)
		return shown(c, m), err
	})
}

// WithdrawMerge gives a question up: an administrator or whoever asked, or one of
// the two, who says no.
func (s *Service) WithdrawMerge(ctx context.Context, c access.Caller, id int64) error {
	return s.do(ctx, c, access.MergeWithdraw, 0, func(ctx context.Context, w *work) error {
		m, err := w.openMerge(ctx, id)
		if err != nil {
			return err
		}
		if err := w.tx.EndMerge(ctx, id, lms.MergeWithdrawn, w.caller.UserID, w.now); err != nil {
			return err
		}
		return w.record(ctx, m.Kept.ID, nil, mergeAudit{Merge: id, Kept: m.Kept.ID, Merged: m.Gone.ID})
	})
}

// CompleteMerge carries out a merge to which both people have agreed, for an
// administrator.
func (s *Service) CompleteMerge(ctx context.Context, c access.Caller, id int64) (lms.Merge, error) {
	return doOnce(ctx, s, c, access.UserMerge, 0, nil, func(ctx context.Context, w *work) (lms.Merge, error) {
		if err := access.Decide(w.caller, access.MergeAsk, nil); err != nil {
			return lms.Merge{}, err
		}
		m, err := w.mergeOf(ctx, id)
		if err != nil {
			return m, err
		}
		p, err := w.lockedMerge(ctx, m.Kept.ID, m.Gone.ID)
		if err != nil {
			return m, err
		}
		if m, err = w.openMerge(ctx, id); err != nil {
			return m, err
		}
		if !m.Proved() {
			return m, errMergeUnproved
		}
		return w.carryOut(ctx, m, p)
	})
}
