package access

import "matricula/internal/lms"

// Doubt says why somebody could not give today what they once gave.
type Doubt string

// The doubts, the first that applies.
const (
	DoubtNone      Doubt = ""
	DoubtErased    Doubt = "erased"    // their account was erased
	DoubtSuspended Doubt = "suspended" // their account is suspended
	DoubtLeft      Doubt = "left"      // they are no longer in the course
	DoubtLacks     Doubt = "lacks"     // they are, and may no longer give this
)

// Given is what a member of a course has from one giver.
type Given struct {
	Role        *lms.Role // nil: only privileges beside it
	Allow, Deny lms.PrivilegeSet
}

// DoubtGiven tells whether a giver, as they stand in the course now, could still give
// what they gave. Matricula itself, and whoever stepped back to what they have, gave
// it for good.
func DoubtGiven(giver, to *lms.Member, course lms.Course, g Given) Doubt {
	u := &giver.User
	switch {
	case u.ID == lms.SystemUserID || u.ID == to.User.ID:
		return DoubtNone
	case u.Status == lms.StatusErased:
		return DoubtErased
	case u.Status != lms.StatusActive:
		return DoubtSuspended
	}
	c := Caller{UserID: u.ID, Kind: u.Kind, SiteRole: u.SiteRole}
	d := DelegatorOf(c, &Standing{Course: course, Member: *giver})
	if d.MayAnswerFor(g) == nil {
		return DoubtNone
	}
	if giver.Enrollment == nil && giver.Grant == nil {
		return DoubtLeft
	}
	return DoubtLacks
}

// MayAnswerFor tells whether the delegator could give all of this, and so may put
// their name to it.
func (d Delegator) MayAnswerFor(g Given) error {
	if g.Role != nil {
		if err := d.MayEnroll(*g.Role); err != nil {
			return err
		}
	}
	set := g.Allow | g.Deny
	switch {
	case set == 0:
		return nil
	case !d.Holds.Has(lms.StaffManage):
		return lms.Errorf(lms.CodeForbidden, "forbidden", "You need the privilege %q in this course to do this. Ask one of its owners.", lms.StaffManage.Label())
	case !d.Holds.Contains(set):
		return lacking(lms.Say("This is more than you hold"), set&^d.Holds)
	}
	return nil
}
