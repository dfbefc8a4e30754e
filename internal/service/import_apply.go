package service

import (
	"context"
	"slices"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// applying carries out the rows of a chunk.
type applying struct {
	im          *importing
	p           *planner
	add, change []*plannedRow
	names       map[int64]string // of sections
}

// stepBack lets pages be read first. Where nobody else can write meanwhile, the
// work steps back between its transactions only: a reader may have something to
// note too, such as when a session was last used.
func (a *applying) stepBack() {
	if !a.im.w.tx.Exclusive() {
		a.im.s.courtesy.stepBack()
	}
}

func (a *applying) run(ctx context.Context) error {
	if err := a.addAll(ctx); err != nil {
		return err
	}
	for _, r := range a.change {
		if err := a.changeOne(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// addAll names who is unknown and enrolls everybody.
func (a *applying) addAll(ctx context.Context) error {
	if len(a.add) == 0 {
		return nil
	}
	w := a.im.w
	people := make([]store.Naming, len(a.add))
	named := make(map[lms.Email]store.Named, len(a.add)) // as the plan has found them just now
	known := []int64{}
	for i, r := range a.add {
		people[i] = store.Naming{Address: r.want.Address, AsTyped: r.want.Typed, GivenName: r.want.Given, FamilyName: r.want.Family}
		if r.member != nil {
			known = append(known, r.member.User.ID)
			named[r.want.Address] = store.Named{UserID: r.member.User.ID}
		}
	}
	a.stepBack()
	if err := w.tx.NameUnknown(ctx, w.caller.UserID, w.now, people, named); err != nil {
		return err
	}
	w.useNaming(a.im.s, createdOf(named))
	past, err := w.pastDetails(ctx, known)
	if err != nil {
		return err
	}
	places := make([]lms.Enrollment, 0, len(a.add))
	of := make(map[int64]*plannedRow, len(a.add))
	for _, r := range a.add {
		n := named[r.want.Address]
		if r.row.UserID = n.UserID; of[n.UserID] != nil {
			r.row.Result, r.row.Reason = lms.PlanAlready, "listed-twice"
			continue
		}
		of[n.UserID] = r
		r.row.Result = lms.DidEnroll
		if n.Created {
			r.row.Result = lms.DidName
		}
		places = append(places, a.placeOf(r, n.UserID, past[n.UserID]))
	}
	slices.SortFunc(places, func(x, y lms.Enrollment) int { return int(x.UserID - y.UserID) })
	a.stepBack()
	added, err := w.tx.EnrollEach(ctx, places)
	if err != nil {
		return err
	}
	isNew := make(map[int64]bool, len(added))
	for _, id := range added {
		isNew[id] = true
	}
	entries := make([]lms.AuditEntry, 0, len(added))
	for _, r := range a.add {
		if r.row.Result != lms.DidEnroll && r.row.Result != lms.DidName {
			continue
		}
		if !isNew[r.row.UserID] {
			r.row.Result = lms.PlanAlready
			continue
		}
		r.row.Before = &lms.ImportBefore{}
		e, err := w.entry(access.EnrollmentAdd, r.row.UserID, nil, enrollmentAudit{r.place.Role.Key, r.row.Result == lms.DidName})
		if err != nil {
			return err
		}
		entries = append(entries, e)
	}
	if len(entries) > 0 {
		a.stepBack()
		if err := w.tx.AddAuditMany(ctx, entries[0], entries); err != nil {
			return err
		}
	}
	return a.giveAll(ctx)
}

// placeOf is the enrollment of somebody who comes into the course. Whoever was in
// it before has again what was noted then, where the list says nothing else.
func (a *applying) placeOf(r *plannedRow, id int64, past lms.Details) lms.Enrollment {
	e := r.place
	if past != (lms.Details{}) {
		e.Details = past
		a.p.over(&e, &r.want)
		if e.Role.Owner() {
			e.Begins, e.Ends, e.LimitedTo = time.Time{}, time.Time{}, ""
		}
	}
	if r.want.says.Has(lms.FieldSection) {
		e.SectionID = a.p.sections[lms.SectionKey(r.want.Section)].ID
	}
	e.UserID, e.ImportID, e.ByHand = id, a.im.imp.ID, 0
	r.place = e
	return e
}

// giveAll gives privileges to those who came in.
func (a *applying) giveAll(ctx context.Context) error {
	for _, r := range a.add {
		if r.allow == 0 || r.row.Before == nil {
			continue
		}
		m := lms.Member{User: lms.User{ID: r.row.UserID}, Enrollment: &r.place}
		if r.member != nil {
			m.User, m.Grant = r.member.User, r.member.Grant
		}
		r.row.Before.Granted, r.row.Before.GrantedAt = m.Grant == nil, a.im.w.now.UnixMicro()
		if err := a.grant(ctx, &m, r.allow); err != nil {
			return err
		}
	}
	return nil
}

func (a *applying) grant(ctx context.Context, m *lms.Member, allow lms.PrivilegeSet) error {
	w := a.im.w
	action := w.action
	defer func() { w.action = action }()
	w.action = access.PrivilegesSet
	return w.setGrant(ctx, m, allow, grantOf(m).Deny, false)
}

// changeOne changes somebody's place as the list says.
func (a *applying) changeOne(ctx context.Context, r *plannedRow) error {
	w, m := a.im.w, r.member
	was, to := *m.Enrollment, r.place
	before := &lms.ImportBefore{
		Role: was.Role.Key, Section: was.SectionID, Number: was.Number, Begins: instant(was.Begins), Ends: instant(was.Ends), ByHand: was.ByHand,
	}
	action := w.action
	defer func() { w.action = action }()
	w.action = access.EnrollmentChange
	changed := differ(was.Details, to.Details)
	to.ImportID = a.im.imp.ID
	if was.Role.ID != to.Role.ID {
		if err := w.leavesOwner(ctx, m, Place{Role: to.Role.Key}); err != nil {
			r.row.Result, r.row.Reason, r.row.Text = lms.PlanRefused, lms.TypeOf(err), textOf(err)
			return nil
		}
		to.ByHand &^= lms.FieldRole
		to.AddedBy = w.caller.UserID
		if err := w.tx.SetRole(ctx, to); err != nil {
			return err
		}
		if err := w.record(ctx, m.User.ID, enrollmentAudit{Role: was.Role.Key}, enrollmentAudit{Role: to.Role.Key}); err != nil {
			return err
		}
	}
	if changed != 0 {
		to.ByHand &^= changed
		if err := w.tx.SetDetails(ctx, to); err != nil {
			return err
		}
		if err := w.record(ctx, m.User.ID, w.detailsView(was.Details, a.names), w.detailsView(to.Details, a.names)); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(r.differ, func(f lms.Differ) bool { return f.Field == "privileges" }) {
		before.Granted, before.GrantedAt = m.Grant == nil, w.now.UnixMicro()
		m.Enrollment = &to
		if err := a.grant(ctx, m, r.allow); err != nil {
			return err
		}
	}
	r.row.Result, r.row.UserID, r.row.Before = lms.DidChange, m.User.ID, before
	return nil
}
