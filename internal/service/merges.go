package service

import (
	"context"
	"errors"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// How long two people have to say that they are one, and how long a merge can be
// split again.
const (
	mergeAsking = 7 * 24 * time.Hour
	mergeSplit  = 30 * 24 * time.Hour
)

// PartCount and its neighbors are the store's, for the faces that may not
// import it.
type (
	PartCount  = store.PartCount
	PlaceUnion = store.PlaceUnion
	SplitPlan  = store.SplitPlan
	SplitPlace = store.SplitPlace
)

// Why a place stays with the person who was kept when a merge is split.
const (
	StaysChanged   = store.StaysChanged
	StaysLastOwner = store.StaysLastOwner
)

// MergeRequest says of two people that they are one: all that is Merge's becomes
// Keep's. Both exist already; nobody is named by it.
type MergeRequest struct{ Keep, Merge PersonRef }

// MergePreview is what a merge would do.
type MergePreview struct {
	Keep, Merge lms.User
	Places      []MergedCourse
	Parts       []PartCount // what moves or ends beside the places and the addresses
	Addresses   []store.Address
	SiteRole    lms.SiteRole // of the person who is kept, afterwards
	Asks        bool         // both have signed in, so that both have to say that they are one
}

// MergedCourse is what two people hold in a course, and what one holds then.
type MergedCourse struct {
	Course lms.Course
	PlaceUnion
}

// MergedError is behind the refusal of an id that leads nowhere any more: the
// person has another one. Only whoever may see them is told.
type MergedError struct{ Into int64 }

func (e *MergedError) Error() string { return "the account was merged" }

// MergedInto tells the id that a merged person has now, 0 when err is about
// something else.
func MergedInto(err error) int64 {
	var e *MergedError
	if errors.As(err, &e) {
		return e.Into
	}
	return 0
}

// merged is the answer about an id that leads to nobody: that there is no such
// person or, to whoever may see who they are now, under which id.
func (s *Service) merged(ctx context.Context, tx *store.Tx, c access.Caller, id int64) error {
	into, ok, err := tx.MergedInto(ctx, id)
	if err != nil {
		return err
	}
	if ok {
		if ok, err = s.sees(ctx, tx, c, into); err != nil {
			return err
		}
	}
	if !ok {
		return errNoUser
	}
	return lms.Errorf(lms.CodeGone, "merged", "This account was merged into another one, which has the number %d.", into).Because(&MergedError{Into: into})
}

// PreviewMerge tells what merging two people would do, to whoever may do it.
func (s *Service) PreviewMerge(ctx context.Context, c access.Caller, r MergeRequest) (MergePreview, error) {
	if err := access.Decide(c, access.UserMerge, nil); err != nil {
		return MergePreview{}, err
	}
	w := &work{tx: s.store.Reader(), caller: c, action: access.UserMerge, now: s.now(), zone: s.opts.Zone}
	keep, gone, err := w.mergePair(ctx, r)
	if err != nil {
		return MergePreview{}, err
	}
	return w.previewMerge(ctx, keep, gone)
}

// mergePair finds the two people of a request. Nobody is named, and of whom the
// caller may not see nothing is told.
func (w *work) mergePair(ctx context.Context, r MergeRequest) (keep, gone lms.User, err error) {
	if gone, err = w.mergePerson(ctx, r.Merge, "merge"); err != nil {
		return keep, gone, err
	}
	keep, err = w.mergePerson(ctx, r.Keep, "keep")
	return keep, gone, err
}

func (w *work) mergePerson(ctx context.Context, ref PersonRef, location string) (u lms.User, err error) {
	ok := false
	switch {
	case ref.UserID > 0:
		u, ok, err = w.tx.User(ctx, ref.UserID)
	case ref.Email != "":
		address, perr := lms.ParseEmail(ref.Email)
		if perr != nil {
			return u, at(perr, location)
		}
		u, ok, err = w.tx.UserByAddress(ctx, address)
	default:
		return u, lms.Invalid("nobody-named", location, "Write the address of the person who is meant.")
	}
	if err == nil && (!ok || u.ID == lms.SystemUserID) {
		err = errNoUser
	}
	return u, err
}

// previewMerge decides whether the caller may merge two people, and works out what
// one person would hold then.
func (w *work) previewMerge(ctx context.Context, keep, gone lms.User) (p MergePreview, err error) {
	p = MergePreview{Keep: keep, Merge: gone, SiteRole: lms.HigherSiteRole(keep.SiteRole, gone.SiteRole)}
	p.Asks = keep.Status == lms.StatusActive && gone.Status == lms.StatusActive
	if p.Places, err = w.mergePlaces(ctx, keep, gone); err != nil {
		return p, err
	}
	if !w.caller.Admin() {
		if err := w.mayMerge(ctx, &p); err != nil {
			return p, err
		}
	}
	if err := mergeable(keep, gone); err != nil {
		return p, err
	}
	if p.Parts, err = w.tx.MergeCounts(ctx, gone); err != nil {
		return p, err
	}
	p.Addresses, err = w.tx.Addresses(ctx, gone.ID)
	return p, err
}

// mergeable refuses pairs that nobody may merge.
func mergeable(keep, gone lms.User) error {
	switch {
	case keep.ID == gone.ID:
		return lms.Invalid("merge-same", "merge", "Both are the same account already. Name two different ones.")
	case keep.Kind != lms.KindPerson || gone.Kind != lms.KindPerson:
		return lms.Errorf(lms.CodeConflict, "merge-service", "A service account is nobody and cannot be merged.")
	case keep.Pending() && !gone.Pending() && gone.Status == lms.StatusActive:
		return lms.Invalid("merge-direction", "keep", "%s has signed in and %s has not: keep the account that has, and merge the other into it.", gone.DisplayName(), keep.DisplayName())
	}
	for _, u := range []lms.User{keep, gone} {
		if u.Status != lms.StatusActive && u.Status != lms.StatusPending {
			return lms.Errorf(lms.CodeConflict, "not-active", "The account of %s is suspended. Ask an administrator to restore it first.", u.DisplayName())
		}
	}
	return nil
}

// mergePlaces works out the places of one person in the courses in which one of the
// two is.
func (w *work) mergePlaces(ctx context.Context, keep, gone lms.User) ([]MergedCourse, error) {
	ids, err := w.tx.CoursesOfBoth(ctx, keep.ID, gone.ID)
	if err != nil {
		return nil, err
	}
	var list []MergedCourse
	for _, id := range ids {
		one := MergedCourse{PlaceUnion: PlaceUnion{CourseID: id}}
		members, err := w.tx.MembersByID(ctx, id, []int64{keep.ID, gone.ID})
		if err != nil {
			return nil, err
		}
		one.Kept.User, one.Gone.User = keep, gone
		for _, m := range members {
			if m.User.ID == keep.ID {
				one.Kept = m
			}
			if m.User.ID == gone.ID {
				one.Gone = m
			}
		}
		if one.Gone.Enrollment == nil && one.Gone.Grant == nil && !keep.Pending() {
			continue // it stays as it is, and nobody gets it
		}
		one.MergedPlace = lms.MergePlaces(&one.Kept, &one.Gone, w.now)
		var ok bool
		if one.Course, ok, err = w.tx.Course(ctx, id); err != nil {
			return nil, err
		}
		if !ok {
			one.Course.ID = id // deleted, and the place goes with it
		}
		list = append(list, one)
	}
	return list, nil
}

var (
	errMergeAdmin = lms.Errorf(lms.CodeForbidden, "merge-administrator", "Both accounts have been signed in with. Only an administrator can merge them, and both people have to say that they are one.")
	errMergeElse  = lms.Errorf(lms.CodeForbidden, "merge-elsewhere", "One of these people has something here that is not yours to give, such as a place in another course. Ask an administrator to merge them.")
)

// mayMerge decides about a caller who is no administrator: they manage the roster of
// every course in which the pending person has a place, and the person who is kept
// is in one of these. Both people are hidden from whoever has nothing to do with
// them. An address that is not proved lets whoever proves it in, so that of two
// pending people both sides are looked at.
func (w *work) mayMerge(ctx context.Context, p *MergePreview) error {
	mine, theirs := 0, 0
	var refusal error
	for i := range p.Places {
		one := &p.Places[i]
		goneHere := one.Gone.Enrollment != nil || one.Gone.Grant != nil
		keptHere := one.Kept.Enrollment != nil || one.Kept.Grant != nil
		if one.Course.Title == "" {
			continue // deleted: nobody gets anything by it
		}
		decided, err := w.mayMergeIn(ctx, one)
		if err != nil {
			return err
		}
		switch {
		case isNotFound(decided):
			theirs++
			continue
		case decided != nil && refusal == nil:
			refusal = decided
		}
		if goneHere && keptHere {
			mine = 2
		} else if goneHere {
			mine = max(mine, 1)
		}
	}
	switch {
	case mine == 0 || (mine == 1 && p.Keep.ID != w.caller.UserID):
		return errNoUser
	case p.Keep.ID == p.Merge.ID:
		return nil // which is refused as such
	case p.Keep.ID == w.caller.UserID:
		return lms.Errorf(lms.CodeForbidden, "self-change", "One of these accounts is yours, and nobody can give themselves what is another's. Ask an administrator.")
	case !p.Merge.Pending():
		return errMergeAdmin
	case refusal != nil:
		return refusal
	case theirs > 0, p.Merge.SiteRole != lms.SiteMember, p.Keep.Pending() && p.Keep.SiteRole != lms.SiteMember:
		return errMergeElse
	}
	return nil
}

// mayMergeIn decides about one course; what it does not find is not the caller's to
// see.
func (w *work) mayMergeIn(ctx context.Context, one *MergedCourse) (decided, err error) {
	course, member, ok, err := w.tx.Standing(ctx, one.CourseID, w.caller.UserID)
	if err != nil || !ok {
		return errNoUser, err
	}
	st := &access.Standing{Course: course, Member: member.At(w.now)}
	if err := access.Decide(w.caller, access.RosterView, st); err != nil {
		return errNoUser, nil
	}
	if err := access.Decide(w.caller, access.EnrollmentChange, st); err != nil {
		return err, nil
	}
	return access.DelegatorOf(w.caller, st).MayMerge(&one.Kept, &one.Gone, &one.Member), nil
}

// mergeAudit is how the audit shows a merge. It holds ids alone.
type mergeAudit struct {
	Merge  int64            `json:"merge,omitempty"`
	Kept   int64            `json:"kept,omitempty"`
	Merged int64            `json:"merged,omitempty"`
	Moved  map[string]int64 `json:"moved,omitempty"`
	Stays  map[string]int64 `json:"stays,omitempty"`
	// Site is the role on the site, where it changes.
	Site lms.SiteRole `json:"site_role,omitempty"`
	Role string       `json:"role,omitempty"` // in the course of the entry
	*grantAudit
}

// MergeParts lists what merges and splits can count, by name.
func MergeParts() []string {
	list := []string{"users", "places"}
	for _, r := range store.References {
		if r.Fate != store.FateStays {
			list = append(list, r.Name())
		}
	}
	return list
}

func mergedGrant(g *lms.Grant) *grantAudit {
	v := grantView(g)
	return &v
}

func countsOf(list []PartCount) map[string]int64 {
	counts := map[string]int64{}
	for _, p := range list {
		counts[p.Part] = p.Rows
	}
	return counts
}

// MergePeople makes one person of two or, when both have signed in, asks both
// whether they are one. It is one transaction.
func (s *Service) MergePeople(ctx context.Context, c access.Caller, r MergeRequest, once *Once) (lms.Merge, error) {
	return doOnce(ctx, s, c, access.UserMerge, 0, once, func(ctx context.Context, w *work) (lms.Merge, error) {
		keep, gone, err := w.mergePair(ctx, r)
		if err != nil {
			return lms.Merge{}, err
		}
		p, err := w.lockedMerge(ctx, keep.ID, gone.ID)
		if err != nil {
			return lms.Merge{}, err
		}
		if p.Asks {
			return w.askMerge(ctx, p)
		}
		m := lms.Merge{Kept: p.Keep, Gone: p.Merge, Was: p.Merge.Status, AskedAt: w.now, Expires: w.now.Add(mergeSplit)}
		m.AskedBy.ID = w.caller.UserID
		ok := false
		if m.ID, ok, err = w.tx.AddMerge(ctx, m); err != nil {
			return m, err
		}
		if !ok {
			return m, errMergeOpen
		}
		return w.carryOut(ctx, m, p)
	})
}

var errMergeOpen = lms.Errorf(lms.CodeConflict, "merge-open", "Both people have already been asked whether they are one. Wait for their answers, or withdraw the question first.")

// lockedMerge keeps two people and their courses as they are until the transaction
// ends, and decides about them as they are then. The courses come first, as for
// whoever changes a place in one.
func (w *work) lockedMerge(ctx context.Context, keepID, goneID int64) (p MergePreview, err error) {
	if err := w.lockPair(ctx, keepID, goneID); err != nil {
		return p, err
	}
	keep, ok, err := w.tx.User(ctx, keepID)
	if err != nil || !ok {
		return p, orElse(err, errNoUser)
	}
	gone, ok, err := w.tx.User(ctx, goneID)
	if err != nil || !ok {
		return p, orElse(err, errNoUser)
	}
	return w.previewMerge(ctx, keep, gone)
}

func (w *work) lockPair(ctx context.Context, keepID, goneID int64) error {
	lock := func(seen map[int64]bool) error {
		ids, err := w.tx.CoursesOfBoth(ctx, keepID, goneID)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if seen[id] {
				continue
			}
			seen[id] = true
			if err := w.tx.LockCourse(ctx, id); err != nil {
				return err
			}
		}
		return nil
	}
	seen := map[int64]bool{}
	if err := lock(seen); err != nil {
		return err
	}
	if err := w.tx.LockPeople(ctx, keepID, goneID); err != nil {
		return err
	}
	// Somebody was perhaps put into a further course before they were held.
	if err := lock(seen); err != nil {
		return err
	}
	return w.decide(ctx)
}

// carryOut makes one person of two, with an entry in the audit of each course.
func (w *work) carryOut(ctx context.Context, m lms.Merge, p MergePreview) (lms.Merge, error) {
	m.Kept, m.Gone = p.Keep, p.Merge
	g := store.Merging{Merge: m, By: w.caller.UserID, Now: w.now, Until: w.now.Add(mergeSplit)}
	for _, one := range p.Places {
		g.Places = append(g.Places, one.PlaceUnion)
	}
	counts, err := w.tx.CarryOutMerge(ctx, g)
	if err != nil {
		return m, err
	}
	for i := range p.Places {
		one := &p.Places[i]
		if one.Gone.Enrollment == nil && one.Gone.Grant == nil {
			continue
		}
		w.courseID = one.CourseID
		before, after := mergeAudit{grantAudit: mergedGrant(one.Kept.Grant)}, mergeAudit{Merge: m.ID, Merged: p.Merge.ID, grantAudit: mergedGrant(one.Member.Grant)}
		if e := one.Kept.Enrollment; e != nil {
			before.Role = e.Role.Key
		}
		if e := one.Member.Enrollment; e != nil {
			after.Role = e.Role.Key
		}
		if err := w.record(ctx, p.Keep.ID, before, after); err != nil {
			return m, err
		}
	}
	w.courseID = 0
	before, after := mergeAudit{}, mergeAudit{Merge: m.ID, Kept: p.Keep.ID, Merged: p.Merge.ID, Moved: countsOf(counts)}
	if p.SiteRole != p.Keep.SiteRole {
		before.Site, after.Site = p.Keep.SiteRole, p.SiteRole
	}
	if err := w.record(ctx, p.Keep.ID, before, after); err != nil {
		return m, err
	}
	if err := w.tellMerged(ctx, m.ID, p); err != nil {
		return m, err
	}
	m, _, err = w.tx.Merge(ctx, m.ID)
	return m, err
}
