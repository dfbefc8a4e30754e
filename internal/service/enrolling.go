package service

import (
	"context"
	"slices"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// enrolling is one bulk enrollment in progress. A row without a Result is
// still open.
type enrolling struct {
	s       *Service
	w       *work
	role    lms.Role
	request EnrollRequest
	rows    []RowResult
	created map[int64]bool
}

func (e *enrolling) open(yield func(*RowResult) bool) {
	for i := range e.rows {
		if e.rows[i].Result == "" && !yield(&e.rows[i]) {
			return
		}
	}
}

func (e *enrolling) run(ctx context.Context) error {
	if err := e.nameAddresses(ctx); err != nil {
		return err
	}
	if err := e.checkMembers(ctx); err != nil {
		return err
	}
	var ids []int64
	for row := range e.open {
		ids = append(ids, row.UserID)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) == 0 {
		e.w.nothingChanged()
		return nil
	}
	places, err := e.places(ctx, ids)
	if err != nil {
		return err
	}
	added, err := e.w.tx.EnrollEach(ctx, places)
	if err != nil {
		return err
	}
	return e.settle(ctx, added)
}

// places are the enrollments to be made. Whoever was in the course before has
// again what was noted about them then.
func (e *enrolling) places(ctx context.Context, ids []int64) ([]lms.Enrollment, error) {
	known := slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return e.created[id] })
	past, err := e.w.pastDetails(ctx, known)
	if err != nil {
		return nil, err
	}
	list := make([]lms.Enrollment, len(ids))
	for i, id := range ids {
		list[i] = lms.Enrollment{
			UserID: id, CourseID: e.request.CourseID, Role: e.role, Source: e.request.Source, AddedBy: e.w.caller.UserID, CreatedAt: e.w.now,
			Details: past[id], ByHand: lms.FieldRole,
		}
		if e.request.SectionID != 0 {
			list[i].SectionID = e.request.SectionID
		}
		if e.role.Owner() {
			list[i].Begins, list[i].Ends, list[i].LimitedTo = time.Time{}, time.Time{}, ""
		}
		list[i].ByHand |= differ(lms.Details{}, list[i].Details)
	}
	return list, nil
}

// nameAddresses finds whom the addresses belong to, and names who is unknown.
// Outside addresses that nobody has need a confirmation.
func (e *enrolling) nameAddresses(ctx context.Context) error {
	var people []store.Naming
	for row := range e.open {
		if row.Email == "" {
			continue
		}
		if e.s.outside(row.Email) && !e.request.ConfirmOutside {
			_, known, err := e.w.tx.AddressHolder(ctx, row.Email)
			if err != nil {
				return err
			}
			if !known {
				if err := row.refuse(outsideError(row.Email, row.Location)); err != nil {
					return err
				}
				continue
			}
		}
		people = append(people, store.Naming{Address: row.Email, AsTyped: row.Typed})
	}
	named, err := e.s.namePeople(ctx, e.w, people)
	if err != nil {
		return err
	}
	e.created = make(map[int64]bool, len(named))
	var known []int64
	for row := range e.open {
		if n, ok := named[row.Email]; ok {
			row.UserID = n.UserID
			if e.created[n.UserID] = n.Created; !n.Created {
				known = append(known, n.UserID)
			}
		}
	}
	return e.s.renewNamed(ctx, e.w, known)
}

// checkMembers settles the rows of people who are in the course already, who
// cannot be seen, or who are the caller.
func (e *enrolling) checkMembers(ctx context.Context) error {
	var known []int64
	for row := range e.open {
		if !e.created[row.UserID] {
			known = append(known, row.UserID)
		}
	}
	if len(known) == 0 {
		return nil
	}
	members, err := e.w.tx.MembersByID(ctx, e.request.CourseID, known)
	if err != nil {
		return err
	}
	byID := make(map[int64]*lms.Member, len(members))
	for i := range members {
		byID[members[i].User.ID] = &members[i]
	}
	seen := map[int64]bool{}
	for row := range e.open {
		if e.created[row.UserID] {
			continue
		}
		m := byID[row.UserID]
		if err := e.checkMember(ctx, row, m, seen[row.UserID]); err != nil {
			return err
		}
		seen[row.UserID] = true
	}
	return nil
}

func (e *enrolling) checkMember(ctx context.Context, row *RowResult, m *lms.Member, again bool) error {
	if m == nil {
		if row.Email != "" {
			return store.ErrMoved
		}
		return row.refuse(errNoUser)
	}
	if row.Email == "" && m.Enrollment == nil && m.Grant == nil {
		sees, err := e.s.sees(ctx, e.w.tx, e.w.caller, row.UserID)
		if err != nil {
			return err
		}
		if !sees {
			return row.refuse(errNoUser)
		}
	}
	switch {
	case m.Enrollment != nil && m.Enrollment.Role.ID == e.role.ID:
		row.already("already-enrolled", lms.Say("Is in this course already, as %s.", e.role.Title()))
	case m.Enrollment != nil:
		return row.refuse(lms.Errorf(lms.CodeConflict, "other-role", "Is in this course already, as %s. Change the role on the person's page.", m.Enrollment.Role.Title()))
	case m.User.ID == e.w.caller.UserID:
		return row.refuse(e.w.delegator().MayTouch(m))
	case e.role.Owner() && m.Grant != nil && m.Grant.Deny != 0:
		return row.refuse(errDeniedOwner(m))
	case again:
		row.already("listed-twice", lms.Say("This person is in the list more than once."))
	}
	return nil
}

// enrollmentAudit is how the audit shows an enrollment.
type enrollmentAudit struct {
	Role  string `json:"role"`
	Named bool   `json:"named,omitempty"`
}

// settle gives the open rows their results and records each enrollment.
func (e *enrolling) settle(ctx context.Context, added []int64) error {
	isNew := make(map[int64]bool, len(added))
	for _, id := range added {
		isNew[id] = true
	}
	entries := make([]lms.AuditEntry, 0, len(added))
	for row := range e.open {
		if !isNew[row.UserID] {
			row.already("already-enrolled", lms.Say("Is in this course already."))
			continue
		}
		row.Result = ResultEnrolled
		if e.created[row.UserID] {
			row.Result = ResultNamed
		}
		entry, err := e.w.entry(access.EnrollmentAdd, row.UserID, nil, enrollmentAudit{e.role.Key, e.created[row.UserID]})
		if err != nil {
			return err
		}
		entries = append(entries, entry)
	}
	if len(entries) == 0 {
		e.w.nothingChanged()
		return nil
	}
	e.w.recorded = true
	return e.w.tx.AddAuditMany(ctx, entries[0], entries)
}
