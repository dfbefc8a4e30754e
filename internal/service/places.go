package service

import (
	"context"

	"matricula/internal/access"
	"matricula/internal/lms"
)

// MaxMany is how many people one request may change at once.
const MaxMany = 1000

// Place is somebody's place in a course: a role and what is set beside it. The
// zero Place is none.
type Place struct {
	Role        string // a role's key; empty: none
	Allow, Deny lms.PrivilegeSet
}

// PlaceOf is the place that a member has.
func PlaceOf(m *lms.Member) Place {
	g := grantOf(m)
	p := Place{Allow: g.Allow, Deny: g.Deny}
	if m.Enrollment != nil {
		p.Role = m.Enrollment.Role.Key
	}
	return p
}

// ManyChange changes several people of a course in the same way: it gives a
// role, switches privileges on and off, or removes them. Exactly one is asked
// for.
type ManyChange struct {
	CourseID int64
	UserIDs  []int64
	Role     string   // a role's key
	On, Off  []string // privileges; what follows from a role is denied where it is switched off
	Remove   bool
}

// PlaceResult is what became of one person, with what restores it.
type PlaceResult struct {
	RowResult
	Member lms.Member // as it is now
	Before Place
	After  Place
}

// ResultChanged says that somebody has another place now.
const ResultChanged EnrollResult = "changed"

// PlaceChange gives one person a place, provided that they still have the one
// that they are expected to have.
type PlaceChange struct {
	UserID int64
	Was    Place
	To     Place
}

// ChangeMany changes several people of a course and answers person by person,
// in the order of the request. Who cannot be changed spoils nobody else.
func (s *Service) ChangeMany(ctx context.Context, c access.Caller, r ManyChange) ([]PlaceResult, error) {
	action, on, off, err := r.parse()
	if err != nil {
		return nil, err
	}
	return doOnce(ctx, s, c, action, r.CourseID, nil, func(ctx context.Context, w *work) ([]PlaceResult, error) {
		var role lms.Role
		if r.Role != "" {
			if role, err = w.roleByKey(ctx, r.Role); err != nil {
				return nil, err
			}
			if err := w.delegator().MayEnroll(role); err != nil {
				return nil, err
			}
		}
		return w.placeAll(ctx, r.UserIDs, func(_ int, m *lms.Member) (Place, error) {
			if m.Enrollment == nil && m.Grant == nil {
				return Place{}, errNotMember
			}
			to := PlaceOf(m)
			switch {
			case r.Remove:
				return Place{}, nil
			case r.Role != "":
				to.Role = role.Key
			case m.Enrollment != nil && m.Enrollment.Role.Owner():
				return to, errOwnerHoldsAll(m)
			default:
				to.Allow, to.Deny = grantFor(m, m.Effective()&^off|on)
			}
			return to, nil
		})
	})
}

func errOwnerHoldsAll(m *lms.Member) error {
	return lms.Errorf(lms.CodeConflict, "owner-holds-all", "%s owns this course, and an owner holds everything: change the role first.", m.User.DisplayName())
}

// parse reads what is asked for before anybody is looked up.
func (r *ManyChange) parse() (action access.Action, on, off lms.PrivilegeSet, err error) {
	switch n := len(r.UserIDs); {
	case n == 0:
		return "", 0, 0, lms.Invalid("nobody-selected", "user_ids", "Nobody is selected. Mark the people that are meant first.")
	case n > MaxMany:
		return "", 0, 0, lms.Errorf(lms.CodeTooLarge, "too-many-rows", "These are %d people: at most %d can be changed at once.", n, MaxMany)
	}
	if on, err = lms.ParsePrivileges(r.On, "on"); err != nil {
		return "", 0, 0, err
	}
	if off, err = lms.ParsePrivileges(r.Off, "off"); err != nil {
		return "", 0, 0, err
	}
	if both := on & off; both != 0 {
		return "", 0, 0, lms.Invalid("allowed-and-denied", "off", "%s is both allowed and denied. Decide for one.", both.Labels())
	}
	asked := 0
	for _, a := range []struct {
		is     bool
		action access.Action
	}{{r.Role != "", access.EnrollmentChange}, {on|off != 0, access.PrivilegesSet}, {r.Remove, access.EnrollmentRemove}} {
		if a.is {
			action = a.action
			asked++
		}
	}
	if asked != 1 {
		return "", 0, 0, lms.Invalid("nothing-chosen", "role", "Choose one thing to do for everybody who is selected: a role, a privilege, or removing them.")
	}
	return action, on, off, nil
}

// RestorePlaces gives people back the places that they had before a change, as
// far as they still have those that the change gave them. It takes the same
// privileges as giving these places by any other way.
func (s *Service) RestorePlaces(ctx context.Context, c access.Caller, courseID int64, changes []PlaceChange) ([]PlaceResult, error) {
	if len(changes) == 0 || len(changes) > MaxMany {
		return nil, lms.Invalid("nothing-to-undo", "undo", "There is nothing to undo here.")
	}
	ids := make([]int64, len(changes))
	for i, ch := range changes {
		ids[i] = ch.UserID
	}
	return doOnce(ctx, s, c, access.EnrollmentChange, courseID, nil, func(ctx context.Context, w *work) ([]PlaceResult, error) {
		return w.placeAll(ctx, ids, func(i int, m *lms.Member) (Place, error) {
			if PlaceOf(m) != changes[i].Was {
				return Place{}, lms.Errorf(lms.CodeConflict, "changed-meanwhile", "%s was changed again in the meantime, so that was left as it is.", m.User.DisplayName())
			}
			return changes[i].To, nil
		})
	})
}

// placeAll gives each person the place that want says.
func (w *work) placeAll(ctx context.Context, ids []int64, want func(i int, m *lms.Member) (Place, error)) ([]PlaceResult, error) {
	members, err := w.tx.AnyMembersByID(ctx, w.courseID, ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]*lms.Member, len(members))
	for i := range members {
		byID[members[i].User.ID] = &members[i]
	}
	roles, err := w.tx.Roles(ctx, w.courseID)
	if err != nil {
		return nil, err
	}
	results := make([]PlaceResult, len(ids))
	rows := make([]RowResult, len(ids))
	done := map[int64]bool{}
	for i, id := range ids {
		res := &results[i]
		res.Location, res.UserID = locationOf(i), id
		m := byID[id]
		switch {
		case m == nil || !w.delegator().Reaches(m):
			err = res.refuse(errNotMember)
		case done[id]:
			res.Member = *m
			res.already("listed-twice", lms.Say("This person is in the list more than once."))
		default:
			err = w.placeOne(ctx, res, m, roles, i, want)
		}
		if err != nil {
			return nil, err
		}
		done[id] = true
		rows[i] = res.RowResult
	}
	if !w.recorded {
		w.nothingChanged()
	}
	return results, w.recordRefusedRows(ctx, rows)
}

func (w *work) placeOne(ctx context.Context, res *PlaceResult, m *lms.Member, roles []lms.Role, i int, want func(int, *lms.Member) (Place, error)) error {
	res.Email, res.Before = m.User.Email, PlaceOf(m)
	res.Member, res.After = *m, res.Before
	to, err := want(i, m)
	if err != nil {
		return res.refuse(err)
	}
	if to == res.Before {
		res.already("already-so", lms.Say("It was like this already."))
		return nil
	}
	if err := w.mayPlace(ctx, m, roles, to); err != nil {
		return res.refuse(err)
	}
	if err := w.place(ctx, m, roles, to); err != nil {
		return err
	}
	res.Result, res.Member, res.After = ResultChanged, *m, to
	return nil
}

// mayPlace decides about a place before anything of it is written, so that a
// refused person is left wholly as they were.
func (w *work) mayPlace(ctx context.Context, m *lms.Member, roles []lms.Role, to Place) error {
	d := w.delegator()
	before := PlaceOf(m)
	// What is left of somebody who was erased can be ended, and nothing else.
	if m.User.Status != lms.StatusErased || to != (Place{}) {
		if err := d.MayTouch(m); err != nil {
			return err
		}
	}
	if to == (Place{}) {
		if err := d.MayRemove(m); err != nil {
			return err
		}
	}
	after := *m
	if to.Role != before.Role {
		if m.Enrollment != nil && m.Enrollment.Role.Staff() && !d.Holds.Has(lms.StaffManage) {
			return lms.Errorf(lms.CodeForbidden, "forbidden", "You need the privilege %q in this course to change the role of staff.", lms.StaffManage.Label())
		}
		after.Enrollment = nil
		if to.Role != "" {
			role, err := lms.FindRole(roles, to.Role, "role")
			if err != nil {
				return err
			}
			if err := d.MayEnroll(role); err != nil {
				return err
			}
			after.Enrollment = &lms.Enrollment{UserID: m.User.ID, CourseID: w.courseID, Role: role}
		}
	}
	if to != (Place{}) && (to.Allow != before.Allow || to.Deny != before.Deny) {
		if !d.Holds.Has(lms.StaffManage) {
			return lms.Errorf(lms.CodeForbidden, "forbidden", "You need the privilege %q in this course to do this. Ask one of its owners.", lms.StaffManage.Label())
		}
		if err := d.MaySetGrant(&after, to.Allow, to.Deny); err != nil {
			return err
		}
	}
	if after.Enrollment != nil && after.Enrollment.Role.Owner() && to.Deny != 0 {
		return errOwnerHoldsAll(m)
	}
	return w.leavesOwner(ctx, m, to)
}

// leavesOwner refuses to take the last active owner's role.
func (w *work) leavesOwner(ctx context.Context, m *lms.Member, to Place) error {
	if m.Enrollment == nil || !m.Enrollment.Role.Owner() || m.User.Status != lms.StatusActive || to.Role == lms.RoleOwner {
		return nil
	}
	n, err := w.tx.ActiveOwners(ctx, w.courseID)
	if err != nil {
		return err
	}
	if n <= 1 {
		return errLastOwner
	}
	return nil
}

// place writes what mayPlace has allowed, with an audit entry for each of the
// things that change.
func (w *work) place(ctx context.Context, m *lms.Member, roles []lms.Role, to Place) error {
	action := w.action
	defer func() { w.action = action }()
	if to.Role == "" && m.Enrollment != nil {
		return w.unplace(ctx, m, to)
	}
	if to.Role != "" && (m.Enrollment == nil || m.Enrollment.Role.Key != to.Role) {
		role, err := lms.FindRole(roles, to.Role, "role")
		if err != nil {
			return err
		}
		w.action = access.EnrollmentChange
		if m.Enrollment == nil {
			w.action = access.EnrollmentAdd
		}
		// A denial would stand in the way of an owner; mayPlace has seen to it.
		if err := w.changeRole(ctx, m, role); err != nil {
			return err
		}
	}
	had := grantOf(m)
	switch {
	case had.Allow == to.Allow && had.Deny == to.Deny:
		return nil
	case to == (Place{}):
		return w.unplace(ctx, m, to)
	}
	w.action = access.PrivilegesSet
	return w.setGrant(ctx, m, to.Allow, to.Deny, false)
}

// unplace takes somebody out of the course, or the role alone when something
// remains beside it.
func (w *work) unplace(ctx context.Context, m *lms.Member, to Place) error {
	if err := w.tx.RemoveMembers(ctx, w.courseID, []int64{m.User.ID}, w.caller.UserID, w.now); err != nil {
		return err
	}
	before := removedAudit{grantAudit: grantView(m.Grant)}
	if m.Enrollment != nil {
		before.Role = m.Enrollment.Role.Key
	}
	m.Enrollment, m.Grant = nil, nil
	w.action = access.EnrollmentRemove
	if err := w.record(ctx, m.User.ID, before, nil); err != nil {
		return err
	}
	if to == (Place{}) {
		return nil
	}
	w.action = access.PrivilegesSet
	return w.setGrant(ctx, m, to.Allow, to.Deny, false)
}

// removedAudit is how the audit shows the place of somebody who left.
type removedAudit struct {
	Role string `json:"role,omitempty"`
	grantAudit
}

// Undoing are the changes that restore what results have changed.
func Undoing(results []PlaceResult) []PlaceChange {
	var list []PlaceChange
	for _, r := range results {
		if r.Result == ResultChanged {
			list = append(list, PlaceChange{UserID: r.UserID, Was: r.After, To: r.Before})
		}
	}
	return list
}
