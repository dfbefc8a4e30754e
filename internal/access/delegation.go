package access

import "matricula/internal/lms"

// Delegator is who changes what others may do in a course.
type Delegator struct {
	UserID int64
	Holds  lms.PrivilegeSet
	Owner  bool
	Within lms.IDs // the sections to which they are limited; empty: no limit
}

// DelegatorOf is the caller as a delegator.
func DelegatorOf(c Caller, s *Standing) Delegator {
	return Delegator{UserID: c.UserID, Holds: s.Holds(c), Owner: s.Owner(c), Within: s.Within(c)}
}

// Within is the sections to which the caller is limited in the course; empty when
// they are not.
func (s *Standing) Within(c Caller) lms.IDs {
	if c.Admin() || s.Member.Enrollment == nil {
		return ""
	}
	return s.Member.Enrollment.LimitedTo
}

// Reaches tells whether a person is the delegator's concern: for somebody who is
// limited to sections, whoever is in these, and they themselves. Whoever is not
// in the course at all is anybody's, as far as the directory shows them.
func (d Delegator) Reaches(m *lms.Member) bool {
	if d.Within == "" || m.User.ID == d.UserID || (m.Enrollment == nil && m.Grant == nil) {
		return true
	}
	return m.Enrollment != nil && d.Within.Has(m.Enrollment.SectionID)
}

// MayPlaceIn tells whether the delegator may put people into a section, or into
// none when it is 0.
func (d Delegator) MayPlaceIn(section int64) error {
	if d.Within == "" || d.Within.Has(section) {
		return nil
	}
	return lms.Errorf(lms.CodeForbidden, "outside-sections", "You work in single sections of this course: choose one of yours for them.")
}

func lacking(what lms.Text, missing lms.PrivilegeSet) error {
	return lms.Errorf(lms.CodeForbidden, "beyond-own-privileges", "%s, and you do not hold: %s. Nobody can give or take what they do not hold: ask one of the course's owners.", what, missing.Labels())
}

// MayTouch tells whether the delegator may change anything about a member of
// the course: not about themselves, and not about somebody who holds more.
func (d Delegator) MayTouch(m *lms.Member) error {
	if !d.Reaches(m) {
		return lms.NotFound("person")
	}
	if m.User.ID == d.UserID {
		return lms.Errorf(lms.CodeForbidden, "self-change", "Nobody can change what they themselves may do. Ask another owner of the course.")
	}
	if m.User.Status == lms.StatusErased {
		return lms.Errorf(lms.CodeConflict, "account-erased", "This person was erased. Nothing can be given to them; they can only be removed.")
	}
	return d.mayOutrank(m)
}

func (d Delegator) mayOutrank(m *lms.Member) error {
	if m.Enrollment != nil && m.Enrollment.Role.Owner() && !d.Owner {
		return lms.Errorf(lms.CodeForbidden, "higher-person", "%s owns this course. Only another owner can change that.", m.User.DisplayName())
	}
	if missing := m.Effective() &^ d.Holds; missing != 0 {
		return lacking(lms.Say("%s may do more here than you", m.User.DisplayName()), missing)
	}
	return nil
}

// MayLookAs tells whether the delegator may see the course as a member sees it:
// not when that shows more than they may see themselves.
func (d Delegator) MayLookAs(m *lms.Member) error {
	if !d.Reaches(m) {
		return lms.NotFound("person")
	}
	if missing := m.Effective() &^ d.Holds; missing != 0 {
		return lms.Errorf(lms.CodeForbidden, "beyond-own-privileges", "%s may see more here than you: %s. Ask somebody who may see it too.", m.User.DisplayName(), missing.Labels())
	}
	return nil
}

// MayEnroll tells whether the delegator may give a role. A role without
// privileges needs only the roster.
func (d Delegator) MayEnroll(r lms.Role) error {
	need := lms.RosterManage
	if r.Staff() {
		need = lms.StaffManage
	}
	switch {
	case !d.Holds.Has(need):
		return lms.Errorf(lms.CodeForbidden, "forbidden", "You need the privilege %q in this course to give the role %s.", need.Label(), r.Title())
	case r.Owner() && !d.Owner:
		return lms.Errorf(lms.CodeForbidden, "beyond-own-privileges", "Only an owner can make somebody an owner.")
	case !d.Holds.Contains(r.Privileges):
		return lacking(lms.Say("The role %s gives more than you hold", r.Title()), r.Privileges&^d.Holds)
	}
	return nil
}

// MayRemove tells whether the delegator may take a member out of the course.
// Whoever may remove others may also leave.
func (d Delegator) MayRemove(m *lms.Member) error {
	need := lms.RosterManage
	if m.Staff() || m.Grant != nil {
		need = lms.StaffManage
	}
	switch {
	case m.User.ID == d.UserID:
		return nil
	case !d.Reaches(m):
		return lms.NotFound("person")
	case !d.Holds.Has(need):
		return lms.Errorf(lms.CodeForbidden, "forbidden", "You need the privilege %q in this course to remove %s.", need.Label(), m.User.DisplayName())
	}
	return d.mayOutrank(m)
}

// MaySetGrant tells whether the delegator may set what a member is allowed and
// denied beside their role. Everything that changes must be the delegator's own.
func (d Delegator) MaySetGrant(m *lms.Member, allow, deny lms.PrivilegeSet) error {
	if err := d.MayTouch(m); err != nil {
		return err
	}
	if m.Enrollment != nil && m.Enrollment.Role.Owner() && deny != 0 {
		return lms.Errorf(lms.CodeInvalid, "owner-holds-all", "%s owns this course, and an owner holds everything: change the role first.", m.User.DisplayName())
	}
	var before lms.Grant
	if m.Grant != nil {
		before = *m.Grant
	}
	changed := (allow ^ before.Allow) | (deny ^ before.Deny)
	after := *m
	after.Grant = &lms.Grant{Allow: allow, Deny: deny}
	changed |= m.Effective() ^ after.Effective()
	if missing := changed &^ d.Holds; missing != 0 {
		return lacking(lms.Say("This would change more than you hold"), missing)
	}
	return nil
}

// MayMerge tells whether the delegator may make one person of two in a course:
// neither is themselves or more than they, and what the one person holds then, and
// did not hold before, is the delegator's own to give.
func (d Delegator) MayMerge(kept, gone, merged *lms.Member) error {
	if !d.Reaches(gone) || !d.Reaches(kept) {
		return lms.NotFound("person")
	}
	need := lms.RosterManage
	if gone.Staff() || gone.Grant != nil || (kept.Staff() && merged.Effective() != kept.Effective()) {
		need = lms.StaffManage
	}
	switch {
	case kept.User.ID == d.UserID || gone.User.ID == d.UserID:
		return lms.Errorf(lms.CodeForbidden, "self-change", "One of these accounts is yours, and nobody can give themselves what is another's. Ask an administrator.")
	case !d.Holds.Has(lms.RosterManage) || !d.Holds.Has(need):
		return lms.Errorf(lms.CodeForbidden, "forbidden", "You need the privilege %q in this course to do this. Ask one of its owners.", need.Label())
	}
	for _, m := range []*lms.Member{gone, kept} {
		if err := d.mayOutrank(m); err != nil {
			return err
		}
	}
	if merged.Enrollment != nil && merged.Enrollment.Role.Owner() && !d.Owner {
		return lms.Errorf(lms.CodeForbidden, "beyond-own-privileges", "Only an owner can make somebody an owner.")
	}
	var before lms.Grant
	if kept.Grant != nil {
		before = *kept.Grant
	}
	changed := kept.Effective() ^ merged.Effective()
	if merged.Grant != nil {
		changed |= (merged.Grant.Allow ^ before.Allow) | (merged.Grant.Deny ^ before.Deny)
	}
	if missing := changed &^ d.Holds; missing != 0 {
		return lacking(lms.Say("This would change more than you hold"), missing)
	}
	return nil
}

// MayHandOver tells whether the delegator may give somebody what waits in a course for
// an address that they say is theirs: as for a merge, and never the course itself, since
// a teacher's word is less than the proof of an address.
func (d Delegator) MayHandOver(c Caller, kept, gone, merged *lms.Member) error {
	if gone.Enrollment != nil && gone.Enrollment.Role.Owner() && !c.Admin() {
		return lms.Errorf(lms.CodeForbidden, "claim-owner", "What waits here is to own the course, and that is not given on somebody's word. They can prove the address by a code, or ask an administrator.")
	}
	return d.MayMerge(kept, gone, merged)
}

// MayChangeRole tells whether the delegator may make, edit or delete a role:
// whatever it gives before and after must be the delegator's own, and nobody
// edits the role that they have.
func (d Delegator) MayChangeRole(self *lms.Member, before *lms.Role, after lms.PrivilegeSet) error {
	var had lms.PrivilegeSet
	if before != nil {
		if before.Preset {
			return lms.Errorf(lms.CodeConflict, "preset-role", "%s is a built-in role and stays as it is. Make a role of your own instead.", before.Title())
		}
		if self.Enrollment != nil && self.Enrollment.Role.ID == before.ID {
			return lms.Errorf(lms.CodeForbidden, "self-change", "%s is your own role here, and nobody can change what they themselves may do. Ask an owner of the course.", before.Name)
		}
		had = before.Privileges
	}
	if missing := (had | after) &^ d.Holds; missing != 0 {
		return lacking(lms.Say("The role gives more than you hold"), missing)
	}
	return nil
}

// Explanation tells why somebody may or may not do one thing in a course.
type Explanation struct {
	Privilege lms.Privilege
	Allowed   bool
	Because   Reason
	Via       lms.Privilege // the privilege that implies or denies it, when Because says so
}

// Reason is the part of the rule that settled a privilege.
type Reason string

// The reasons, the first that applies.
const (
	BecauseAdmin   Reason = "site-admin" // administrators hold everything
	BecauseOwner   Reason = "owner"      // owners hold everything
	BecauseDenied  Reason = "denied"     // denied to this person, directly or through what it needs
	BecauseRole    Reason = "role"       // the role gives it
	BecauseAllowed Reason = "allowed"    // allowed to this person
	BecauseImplied Reason = "implied"    // managing implies viewing
	BecauseLimited Reason = "limited"    // given, and taken away by being limited to sections
	BecauseNothing Reason = "not-given"  // nothing gives it
)

// Explain answers "why may they do this?" for every privilege. It follows
// lms.Effective step by step; a test holds the two together.
func Explain(m *lms.Member) []Explanation {
	var role, allow, deny lms.PrivilegeSet
	owner := false
	if m.Enrollment != nil {
		role, owner = m.Enrollment.Role.Privileges, m.Enrollment.Role.Owner()
	}
	if m.Grant != nil {
		allow, deny = m.Grant.Allow, m.Grant.Deny
	}
	var list []Explanation
	for _, info := range lms.Privileges() {
		e := explain(m, info, owner, role, allow, deny)
		if e.Allowed && e.Because != BecauseAdmin && e.Because != BecauseOwner && m.Limited() && !lms.LimitedPrivileges().Has(info.Privilege) {
			e = Explanation{Privilege: info.Privilege, Because: BecauseLimited}
		}
		list = append(list, e)
	}
	return list
}

func explain(m *lms.Member, info lms.PrivilegeInfo, owner bool, role, allow, deny lms.PrivilegeSet) Explanation {
	p := info.Privilege
	e := Explanation{Privilege: p, Allowed: true}
	switch {
	case m.User.SiteRole == lms.SiteAdmin && m.User.Status == lms.StatusActive:
		e.Because = BecauseAdmin
		return e
	case owner:
		e.Because = BecauseOwner
		return e
	case deny.Has(p):
		e.Allowed, e.Because, e.Via = false, BecauseDenied, p
		return e
	}
	given := role | allow
	for _, needed := range info.Implies {
		if deny.Has(needed) {
			e.Allowed, e.Because = false, BecauseNothing
			if given.Has(p) {
				e.Because, e.Via = BecauseDenied, needed
			}
			return e
		}
	}
	switch {
	case role.Has(p):
		e.Because = BecauseRole
		return e
	case allow.Has(p):
		e.Because = BecauseAllowed
		return e
	}
	for _, other := range lms.Privileges() {
		for _, implied := range other.Implies {
			if implied == p && given.Has(other.Privilege) {
				e.Because, e.Via = BecauseImplied, other.Privilege
				return e
			}
		}
	}
	e.Allowed, e.Because = false, BecauseNothing
	return e
}
