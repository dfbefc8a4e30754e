package service

import (
	"context"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// ClaimToDecide is a request for an address as it is seen by those who manage a course
// in which something waits for that address.
type ClaimToDecide struct {
	lms.ClaimRequest
	Place lms.MergedPlace // what whoever asked would have in the course
	Now   lms.Member      // what they have
	Gone  lms.Member      // what waits
	Why   error           // why the caller cannot approve; nil: they can
}

// ClaimsPage is a page of requests, the newest first.
type ClaimsPage struct {
	Requests []ClaimToDecide
	Next     int64 // 0 when there are no more
}

// ClaimsIn lists the requests for what waits in a course, to whoever manages its
// people. What the address has elsewhere is nobody's concern here.
func (s *Service) ClaimsIn(ctx context.Context, c access.Caller, courseID, before int64, limit int) (ClaimsPage, error) {
	st, err := s.look(ctx, c, access.ClaimView, courseID)
	if err != nil {
		return ClaimsPage{}, err
	}
	if before == 0 {
		before = maxID
	}
	w := &work{tx: s.store.Reader(), caller: c, courseID: courseID, standing: st, now: s.now(), zone: s.opts.Zone}
	list, err := w.tx.ClaimsIn(ctx, courseID, c.UserID, st.Within(c), w.now, before, limit+1)
	if err != nil {
		return ClaimsPage{}, err
	}
	rows, more := page(list, limit)
	out := ClaimsPage{}
	for i := range rows {
		one := ClaimToDecide{ClaimRequest: rows[i]}
		switch err := w.weighClaim(ctx, &one); {
		case err == nil:
			out.Requests = append(out.Requests, one)
		case lmsError(err) == nil:
			return ClaimsPage{}, err
		}
	}
	if more {
		out.Next = rows[len(rows)-1].ID
	}
	return out, nil
}

// CountClaimsIn counts the requests of ClaimsIn for those of some courses in which the
// caller sees them; whoever is limited to sections finds theirs on the course's page.
func (s *Service) CountClaimsIn(ctx context.Context, c access.Caller, courses []CourseView) (map[int64]int64, error) {
	var ids []int64
	for _, v := range courses {
		st := &access.Standing{Course: v.Course, Member: v.Member.At(s.now())}
		if access.Decide(c, access.ClaimView, st) == nil && st.Within(c) == "" {
			ids = append(ids, v.Course.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return s.store.Reader().CountClaimsIn(ctx, ids, c.UserID, s.now())
}

// weighClaim works out what approving a request would do in the course, and whether
// the caller may. The error is of somebody who may not know of it.
func (w *work) weighClaim(ctx context.Context, one *ClaimToDecide) error {
	members, err := w.tx.MembersByID(ctx, w.courseID, []int64{one.Requester.ID, one.Waits.ID})
	if err != nil {
		return err
	}
	for _, m := range members {
		if m.User.ID == one.Requester.ID {
			one.Now = m
		} else {
			one.Gone = m
		}
	}
	if one.Gone.Enrollment == nil && one.Gone.Grant == nil {
		return errNoClaim
	}
	d := w.delegator()
	if !d.Reaches(&one.Gone) {
		return errNoClaim
	}
	one.Place = lms.MergePlaces(&one.Now, &one.Gone, w.now)
	one.Why = d.MayHandOver(w.caller, &one.Now, &one.Gone, &one.Place.Member)
	return nil
}

var (
	errClaimOver    = lms.Errorf(lms.CodeConflict, "claim-over", "There is nothing to decide about this request any more: it was withdrawn or has expired, or whoever was waited for has signed in, was corrected or is gone.")
	errClaimDecided = lms.Errorf(lms.CodeConflict, "already-decided", "This request has been decided already.")
	errOwnClaim     = lms.Errorf(lms.CodeForbidden, "self-change", "This request is your own, and nobody can give themselves what is another's. Ask somebody else who manages the course.")
)

// heldClaim finds a request about which something is to be decided, and keeps it and
// its two people as they are until the transaction ends: nobody signs in as, corrects
// or withdraws whom it is about meanwhile. In a course, who manages that is held
// already.
func (w *work) heldClaim(ctx context.Context, id int64) (q lms.ClaimRequest, err error) {
	q, ok, err := w.tx.ClaimRequest(ctx, id)
	if err != nil || !ok {
		return q, orElse(err, errNoClaim)
	}
	if err := w.tx.HoldPeople(ctx, []int64{q.Requester.ID, q.Waits.ID}); err != nil {
		return q, err
	}
	if err := w.tx.LockClaim(ctx, id); err != nil {
		return q, err
	}
	if q, ok, err = w.tx.ClaimRequest(ctx, id); err != nil || !ok {
		return q, orElse(err, errNoClaim)
	}
	return q, nil
}

// claimIn is heldClaim for a request about which the caller may know in the course.
func (w *work) claimIn(ctx context.Context, id int64) (one ClaimToDecide, err error) {
	if one.ClaimRequest, err = w.heldClaim(ctx, id); err != nil {
		return one, err
	}
	decided, err := w.tx.ClaimDecided(ctx, id, w.courseID)
	if err != nil {
		return one, err
	}
	if decided {
		return one, errClaimDecided
	}
	// What nobody in the course was ever asked about is not told of, over or not.
	if err := w.weighClaim(ctx, &one); err != nil {
		return one, err
	}
	switch {
	case one.Requester.ID == w.caller.UserID:
		return one, errOwnClaim
	case !one.Live(w.now):
		return one, errClaimOver
	}
	return one, nil
}

// ApproveClaim gives whoever asked what waits in a course for the address that they
// named, when the caller could give it themselves. Whatever else waits for the
// address, and the address itself, stays where it is.
func (s *Service) ApproveClaim(ctx context.Context, c access.Caller, courseID, id int64) error {
	return s.do(ctx, c, access.ClaimApprove, courseID, func(ctx context.Context, w *work) error {
		one, err := w.claimIn(ctx, id)
		if err != nil {
			return err
		}
		if one.Why != nil {
			return one.Why
		}
		if err := w.handOver(ctx, &one); err != nil {
			return err
		}
		return w.decideClaim(ctx, &one, store.ClaimDecision{RequestID: id, CourseID: courseID, Approved: true, By: c.UserID})
	})
}

// RefuseClaim says that whoever asked is not whom the course waits for. They read that,
// and the reason if there is one.
func (s *Service) RefuseClaim(ctx context.Context, c access.Caller, courseID, id int64, reason string) error {
	return s.do(ctx, c, access.ClaimRefuse, courseID, func(ctx context.Context, w *work) (err error) {
		if reason, err = lms.CleanText(reason, "reason", lms.MaxReasonRunes); err != nil {
			return err
		}
		one, err := w.claimIn(ctx, id)
		if err != nil {
			return err
		}
		// It stands in the record of whom it protects: the data of whoever asked do not
		// tell what waits where.
		if err := w.record(ctx, one.Waits.ID, nil, claimAudit{Request: id, Kept: one.Requester.ID}); err != nil {
			return err
		}
		return w.decideClaim(ctx, &one, store.ClaimDecision{RequestID: id, CourseID: courseID, Reason: reason, By: c.UserID})
	})
}

// decideClaim notes a decision, and ends the request when nothing is left to decide.
func (w *work) decideClaim(ctx context.Context, one *ClaimToDecide, d store.ClaimDecision) error {
	if err := w.tx.DecideClaim(ctx, d, w.now); err != nil {
		return err
	}
	places, err := w.tx.PlacesOf(ctx, []int64{one.Waits.ID})
	if err != nil {
		return err
	}
	for _, p := range places {
		if p.Deleted {
			continue
		}
		decided, err := w.tx.ClaimDecided(ctx, one.ID, p.CourseID)
		if err != nil || !decided {
			return err
		}
	}
	if one.Waits.SiteRole != lms.SiteMember {
		return nil // which an administrator gave, and can give
	}
	state := lms.ClaimRefused
	if d.Approved || one.Approvals > 0 {
		state = lms.ClaimApproved
	}
	return w.tx.EndClaim(ctx, one.ID, state, w.caller.UserID, "", w.now)
}

// handOver moves a place in the course. The place of whoever was waited for ends like
// any other, so that it can be taken back; the caller answers for the new one.
func (w *work) handOver(ctx context.Context, one *ClaimToDecide) error {
	before := claimAudit{Request: one.ID, grantAudit: mergedGrant(one.Now.Grant)}
	after := claimAudit{Request: one.ID, Merged: one.Waits.ID, grantAudit: mergedGrant(one.Place.Member.Grant)}
	if e := one.Now.Enrollment; e != nil {
		before.Role = e.Role.Key
	}
	if err := w.tx.RemoveMembers(ctx, w.courseID, []int64{one.Waits.ID}, w.caller.UserID, w.now); err != nil {
		return err
	}
	if e := one.Place.Member.Enrollment; e != nil {
		after.Role = e.Role.Key
		if err := w.placeClaimed(ctx, *e, one.Now.Enrollment); err != nil {
			return err
		}
	}
	g, had := one.Place.Member.Grant, one.Now.Grant
	switch {
	case g == nil && had != nil:
		if err := w.tx.RemoveGrant(ctx, w.courseID, one.Requester.ID); err != nil {
			return err
		}
	case g != nil && (had == nil || had.Allow != g.Allow || had.Deny != g.Deny):
		set := lms.Grant{UserID: one.Requester.ID, CourseID: w.courseID, Allow: g.Allow, Deny: g.Deny, GrantedBy: w.caller.UserID, GrantedAt: w.now}
		if err := w.tx.SetGrant(ctx, set); err != nil {
			return err
		}
	}
	if err := w.record(ctx, one.Waits.ID, claimAudit{Request: one.ID, Role: roleKey(one.Gone.Enrollment), grantAudit: mergedGrant(one.Gone.Grant)}, claimAudit{Request: one.ID, Kept: one.Requester.ID}); err != nil {
		return err
	}
	return w.record(ctx, one.Requester.ID, before, after)
}

func roleKey(e *lms.Enrollment) string {
	if e == nil {
		return ""
	}
	return e.Role.Key
}

// placeClaimed gives whoever asked a place. It is set by hand, and of no list.
func (w *work) placeClaimed(ctx context.Context, e lms.Enrollment, had *lms.Enrollment) error {
	e.CourseID, e.Source, e.ImportID = w.courseID, lms.SourceManual, 0
	e.ByHand |= lms.FieldRole
	if had == nil {
		e.AddedBy, e.CreatedAt = w.caller.UserID, w.now
		_, err := w.tx.EnrollEach(ctx, []lms.Enrollment{e})
		return err
	}
	e.UserID, e.AddedBy = had.UserID, had.AddedBy
	if e.Role.ID != had.Role.ID {
		e.AddedBy = w.caller.UserID
		if err := w.tx.SetRole(ctx, e); err != nil {
			return err
		}
	}
	return w.tx.SetDetails(ctx, e)
}

// OpenClaimsPage is a page of requests as administrators see them.
type OpenClaimsPage struct {
	Requests []lms.ClaimRequest
	Next     int64 // 0 when there are no more
}

// OpenClaims lists the requests that can be decided, for administrators. They approve
// one as a whole by merging who waits into whoever asked.
func (s *Service) OpenClaims(ctx context.Context, c access.Caller, before int64, limit int) (OpenClaimsPage, error) {
	if err := access.Decide(c, access.ClaimList, nil); err != nil {
		return OpenClaimsPage{}, err
	}
	if before == 0 {
		before = maxID
	}
	list, err := s.store.Reader().OpenClaims(ctx, c.UserID, s.now(), before, limit+1)
	if err != nil {
		return OpenClaimsPage{}, err
	}
	rows, more := page(list, limit)
	out := OpenClaimsPage{Requests: rows}
	if more {
		out.Next = rows[len(rows)-1].ID
	}
	return out, nil
}

// CountClaims counts the requests of OpenClaims.
func (s *Service) CountClaims(ctx context.Context, c access.Caller) (int64, error) {
	if err := access.Decide(c, access.ClaimList, nil); err != nil {
		return 0, err
	}
	return s.store.Reader().CountClaims(ctx, c.UserID, s.now())
}

// RejectClaim refuses a request as a whole, for administrators.
func (s *Service) RejectClaim(ctx context.Context, c access.Caller, id int64, reason string) error {
	return s.do(ctx, c, access.ClaimReject, 0, func(ctx context.Context, w *work) (err error) {
		if reason, err = lms.CleanText(reason, "reason", lms.MaxReasonRunes); err != nil {
			return err
		}
		q, err := w.heldClaim(ctx, id)
		if err != nil {
			return err
		}
		switch {
		case q.Requester.ID == c.UserID:
			return errOwnClaim
		case !q.Live(w.now):
			return errClaimOver
		}
		if err := w.tx.EndClaim(ctx, id, lms.ClaimRefused, c.UserID, reason, w.now); err != nil {
			return err
		}
		return w.record(ctx, q.Waits.ID, nil, claimAudit{Request: id, Kept: q.Requester.ID})
	})
}
