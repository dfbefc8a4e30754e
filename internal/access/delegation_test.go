package access

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"matricula/internal/lms"
)

func delegator(m lms.Member) Delegator {
	return DelegatorOf(person(m.User.ID), standing(openCourse, m))
}

func role(id int64, privileges ...lms.Privilege) lms.Role {
	return lms.Role{ID: id, CourseID: openCourse.ID, Key: fmt.Sprintf("role-%d", id), Name: fmt.Sprintf("Role %d", id), Privileges: lms.SetOf(privileges...)}
}

func inRole(id int64, r lms.Role) lms.Member {
	return lms.Member{
		User:       lms.User{ID: id, Status: lms.StatusActive, SiteRole: lms.SiteMember},
		Enrollment: &lms.Enrollment{UserID: id, CourseID: openCourse.ID, Role: r},
	}
}

func presetRole(key string) lms.Role {
	m := preset(1, key)
	return m.Enrollment.Role
}

func allowed(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func TestC05NobodyGivesOrTakesWhatTheyDoNotHold(t *testing.T) {
	teacher := delegator(preset(1, lms.RoleTeacher)) // all but archiving
	student := preset(2, lms.RoleStudent)
	allowed(t, "what the teacher holds", teacher.MaySetGrant(&student, lms.SetOf(lms.CourseUpdate, lms.AuditView), 0))
	denial(t, teacher.MaySetGrant(&student, lms.SetOf(lms.CourseArchive), 0), lms.CodeForbidden, "beyond-own-privileges")
	denial(t, teacher.MaySetGrant(&student, lms.SetOf(lms.RosterView, lms.CourseArchive), 0), lms.CodeForbidden, "beyond-own-privileges")
	denial(t, teacher.MaySetGrant(&student, 0, lms.SetOf(lms.CourseArchive)), lms.CodeForbidden, "beyond-own-privileges")

	// What an owner has denied, a teacher does not lift.
	denied := with(preset(3, lms.RoleStudent), 0, lms.SetOf(lms.CourseArchive))
	denial(t, teacher.MaySetGrant(&denied, 0, 0), lms.CodeForbidden, "beyond-own-privileges")
	// Whoever leaves it as it is may change the rest.
	allowed(t, "the rest", teacher.MaySetGrant(&denied, lms.SetOf(lms.RosterView), lms.SetOf(lms.CourseArchive)))

	// By way of a role, it is the same.
	denial(t, teacher.MayEnroll(presetRole(lms.RoleOwner)), lms.CodeForbidden, "beyond-own-privileges")
	denial(t, teacher.MayEnroll(role(9, lms.CourseArchive)), lms.CodeForbidden, "beyond-own-privileges")
	allowed(t, "an equal", teacher.MayEnroll(presetRole(lms.RoleTeacher)))
	self := preset(1, lms.RoleTeacher)
	denial(t, teacher.MayChangeRole(&self, nil, lms.SetOf(lms.CourseArchive)), lms.CodeForbidden, "beyond-own-privileges")
	before := role(9, lms.CourseArchive)
	denial(t, teacher.MayChangeRole(&self, &before, 0), lms.CodeForbidden, "beyond-own-privileges")
	before = role(9, lms.RosterView)
	allowed(t, "a role of what they hold", teacher.MayChangeRole(&self, &before, lms.SetOf(lms.AuditView)))
}

func TestC06NobodyChangesThemselvesTheirOwnRoleOrWhoeverIsAboveThem(t *testing.T) {
	own := role(9, lms.StaffManage, lms.RosterManage)
	me := inRole(1, own)
	d := delegator(me)
	denial(t, d.MayTouch(&me), lms.CodeForbidden, "self-change")
	denial(t, d.MaySetGrant(&me, lms.SetOf(lms.RosterView), 0), lms.CodeForbidden, "self-change")
	denial(t, d.MayChangeRole(&me, &own, lms.SetOf(lms.RosterView)), lms.CodeForbidden, "self-change")
	denial(t, d.MayChangeRole(&me, &own, 0), lms.CodeForbidden, "self-change")

	owner := preset(2, lms.RoleOwner)
	denial(t, d.MayTouch(&owner), lms.CodeForbidden, "higher-person")
	denial(t, d.MayRemove(&owner), lms.CodeForbidden, "higher-person")
	denial(t, d.MaySetGrant(&owner, 0, lms.SetOf(lms.RosterManage)), lms.CodeForbidden, "higher-person")

	higher := with(inRole(3, own), lms.SetOf(lms.AuditView), 0)
	denial(t, d.MayTouch(&higher), lms.CodeForbidden, "beyond-own-privileges")
	denial(t, d.MayRemove(&higher), lms.CodeForbidden, "beyond-own-privileges")

	equal := inRole(4, own)
	allowed(t, "an equal", d.MayTouch(&equal))
	allowed(t, "removing an equal", d.MayRemove(&equal))
	allowed(t, "leaving", d.MayRemove(&me))
}

func TestThePresetRolesCannotBeChanged(t *testing.T) {
	owner := preset(1, lms.RoleOwner)
	for _, r := range lms.PresetRoles() {
		r.ID = 99
		denial(t, delegator(owner).MayChangeRole(&owner, &r, lms.SetOf(lms.RosterView)), lms.CodeConflict, "preset-role")
	}
}

func TestOnlyOwnersMakeOwnersAndAnOwnersRightsCannotBeDenied(t *testing.T) {
	everything := inRole(1, role(9, lms.CourseUpdate, lms.CourseArchive, lms.RosterManage, lms.StaffManage, lms.AuditView))
	everything = with(everything, lms.AllPrivileges(), 0)
	d := delegator(everything)
	if d.Holds != lms.AllPrivileges() {
		t.Fatal("the member is to hold everything")
	}
	denial(t, d.MayEnroll(presetRole(lms.RoleOwner)), lms.CodeForbidden, "beyond-own-privileges")
	owner := preset(2, lms.RoleOwner)
	denial(t, d.MayTouch(&owner), lms.CodeForbidden, "higher-person")
	other := delegator(preset(3, lms.RoleOwner))
	allowed(t, "an owner", other.MayEnroll(presetRole(lms.RoleOwner)))
	denial(t, other.MaySetGrant(&owner, 0, lms.SetOf(lms.RosterView)), lms.CodeInvalid, "owner-holds-all")
	admin := Caller{UserID: 8, SiteRole: lms.SiteAdmin}
	allowed(t, "an administrator", DelegatorOf(admin, standing(openCourse, lms.Member{})).MayEnroll(presetRole(lms.RoleOwner)))
}

func TestTheRosterPrivilegeIsForPeopleWithoutPrivilegesOnly(t *testing.T) {
	d := delegator(preset(1, lms.RoleAssistant)) // roster, not staff
	allowed(t, "a student", d.MayEnroll(presetRole(lms.RoleStudent)))
	denial(t, d.MayEnroll(presetRole(lms.RoleObserver)), lms.CodeForbidden, "forbidden")
	student, observer := preset(2, lms.RoleStudent), preset(3, lms.RoleObserver)
	allowed(t, "removing a student", d.MayRemove(&student))
	denial(t, d.MayRemove(&observer), lms.CodeForbidden, "forbidden")
	granted := with(preset(4, lms.RoleStudent), 0, lms.SetOf(lms.RosterView))
	denial(t, d.MayRemove(&granted), lms.CodeForbidden, "forbidden")
	// Staff without the roster gives staff roles only.
	s := delegator(inRole(5, role(9, lms.StaffManage)))
	allowed(t, "an observer", s.MayEnroll(presetRole(lms.RoleObserver)))
	denial(t, s.MayEnroll(presetRole(lms.RoleStudent)), lms.CodeForbidden, "forbidden")
}

func TestExplainAnswersForEveryPrivilege(t *testing.T) {
	m := with(preset(1, lms.RoleAssistant), lms.SetOf(lms.StaffManage), lms.SetOf(lms.RosterManage))
	want := map[lms.Privilege]Explanation{
		lms.RosterView:    {lms.RosterView, true, BecauseRole, ""},
		lms.RosterManage:  {lms.RosterManage, false, BecauseDenied, lms.RosterManage},
		lms.StaffManage:   {lms.StaffManage, true, BecauseAllowed, ""},
		lms.CourseUpdate:  {lms.CourseUpdate, false, BecauseNothing, ""},
		lms.CourseArchive: {lms.CourseArchive, false, BecauseNothing, ""},
		lms.AuditView:     {lms.AuditView, false, BecauseNothing, ""},

		lms.AnnouncementsManage: {lms.AnnouncementsManage, false, BecauseNothing, ""},
	}
	list := Explain(&m)
	if len(list) != len(lms.Privileges()) {
		t.Errorf("%d answers", len(list))
	}
	for _, e := range list {
		if e != want[e.Privilege] {
			t.Errorf("got %+v, want %+v", e, want[e.Privilege])
		}
	}
	implied := with(lms.Member{}, lms.SetOf(lms.StaffManage), 0)
	if e := Explain(&implied)[0]; e != (Explanation{lms.RosterView, true, BecauseImplied, lms.StaffManage}) {
		t.Errorf("managing implies viewing: %+v", e)
	}
	through := with(preset(1, lms.RoleTeacher), 0, lms.SetOf(lms.RosterView))
	for _, e := range Explain(&through) {
		if e.Privilege == lms.StaffManage && e != (Explanation{lms.StaffManage, false, BecauseDenied, lms.RosterView}) {
			t.Errorf("who may not see does not manage: %+v", e)
		}
	}
	owner := preset(1, lms.RoleOwner)
	admin := lms.Member{User: lms.User{SiteRole: lms.SiteAdmin, Status: lms.StatusActive}}
	for i := range lms.Privileges() {
		if e := Explain(&owner)[i]; !e.Allowed || e.Because != BecauseOwner {
			t.Errorf("an owner: %+v", e)
		}
		if e := Explain(&admin)[i]; !e.Allowed || e.Because != BecauseAdmin {
			t.Errorf("an administrator: %+v", e)
		}
	}
	admin.User.Status = lms.StatusPending
	if e := Explain(&admin)[0]; e.Allowed {
		t.Errorf("an administrator who has not arrived: %+v", e)
	}
}

// setOf draws any set of privileges.
func setOf() *rapid.Generator[lms.PrivilegeSet] {
	return rapid.Custom(func(t *rapid.T) lms.PrivilegeSet {
		return lms.PrivilegeSet(rapid.Uint64Range(0, uint64(lms.AllPrivileges())).Draw(t, "set"))
	})
}

// anyMember draws a member with any role, preset or custom or none, and any
// grant or none.
func anyMember(id int64) *rapid.Generator[lms.Member] {
	return rapid.Custom(func(t *rapid.T) lms.Member {
		m := lms.Member{User: lms.User{ID: id, Status: lms.StatusActive, SiteRole: lms.SiteMember}}
		switch rapid.IntRange(0, 2).Draw(t, "role") {
		case 1:
			m = preset(id, rapid.SampledFrom(lms.PresetRoles()).Draw(t, "preset").Key)
		case 2:
			r := role(rapid.Int64Range(10, 12).Draw(t, "role id"))
			r.Privileges = setOf().Draw(t, "privileges")
			m = inRole(id, r)
		}
		if rapid.Bool().Draw(t, "granted") {
			m = with(m, setOf().Draw(t, "allow"), setOf().Draw(t, "deny"))
		}
		return m
	})
}

func TestExplainAgreesWithWhatIsDecided(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMember(3).Draw(t, "member")
		effective := m.Effective()
		for _, e := range Explain(&m) {
			if e.Allowed != effective.Has(e.Privilege) {
				t.Fatalf("%s: explained as %+v, and decided %v", e.Privilege, e, effective.Has(e.Privilege))
			}
			if e.Because == "" || (e.Because == BecauseImplied || e.Because == BecauseDenied) != (e.Via != "") {
				t.Fatalf("half an explanation: %+v", e)
			}
		}
	})
}

func TestDenyWinsAndManagingImpliesViewing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMember(3).Draw(t, "member")
		effective := m.Effective()
		for _, i := range lms.Privileges() {
			for _, needed := range i.Implies {
				if effective.Has(i.Privilege) && !effective.Has(needed) {
					t.Fatalf("may %s without %s", i.Privilege, needed)
				}
			}
		}
		owner := m.Enrollment != nil && m.Enrollment.Role.Owner()
		if m.Grant != nil && !owner && effective&m.Grant.Deny != 0 {
			t.Fatalf("%v was denied and is held", (effective & m.Grant.Deny).List())
		}
	})
}

// TestDecideAsksForExactlyTheEffectivePrivileges compares the gate with the
// rule, for every action and any member.
func TestDecideAsksForExactlyTheEffectivePrivileges(t *testing.T) {
	ofCourse := slices.DeleteFunc(Actions(), func(a Action) bool { return !a.OfCourse() || rules[a].scope != "" }) // a scope is a service account's
	rapid.Check(t, func(t *rapid.T) {
		m := anyMember(3).Draw(t, "member")
		a := rapid.SampledFrom(ofCourse).Draw(t, "action")
		want := m.Enrollment != nil || m.Effective() != 0
		if need := rules[a].any; len(need) > 0 {
			want = m.Effective()&lms.SetOf(need...) != 0
		}
		if err := Decide(person(3), a, standing(openCourse, m)); (err == nil) != want {
			t.Fatalf("%s: %v, want it allowed: %v", a, err, want)
		}
	})
}

// TestNoSequenceOfChangesGivesAnybodyWhatTheGiverLacked plays a course: some
// members, some custom roles, and changes by any of them to any of them, of
// which those happen that the rules permit. After each, nobody holds anything
// more that the one who made the change did not hold, nobody has changed
// themselves, and no denial that the giver could not make was lifted.
func TestNoSequenceOfChangesGivesAnybodyWhatTheGiverLacked(t *testing.T) {
	permitted := 0
	rapid.Check(t, func(t *rapid.T) {
		g := newGame(t)
		t.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) {},
			"change": func(t *rapid.T) {
				giver := rapid.IntRange(0, len(g.members)-1).Draw(t, "giver")
				before := g.effective()
				holds := before[giver]
				if !g.play(t, giver) {
					return
				}
				permitted++
				for i, after := range g.effective() {
					if gained := after &^ before[i]; gained&^holds != 0 {
						t.Fatalf("member %d gained %v from member %d, who holds %v", i, (gained &^ holds).List(), giver, holds.List())
					}
					if lost := before[i] &^ after; lost&^holds != 0 {
						t.Fatalf("member %d lost %v by member %d, who holds %v", i, (lost &^ holds).List(), giver, holds.List())
					}
					if i == giver && after != before[i] && after != 0 {
						t.Fatalf("member %d changed what they may do, from %v to %v", i, before[i].List(), after.List())
					}
				}
			},
		})
	})
	if permitted < 50 {
		t.Errorf("only %d changes were permitted in all games: they try nothing", permitted)
	}
}

type game struct {
	members []lms.Member
	roles   []lms.Role // custom ones
}

func newGame(t *rapid.T) *game {
	g := &game{}
	for i := range 3 {
		r := role(int64(10+i), setOf().Draw(t, "role").List()...)
		r.Privileges = lms.Effective(r.Privileges, 0, 0) // as the service stores them
		g.roles = append(g.roles, r)
	}
	for i := range rapid.IntRange(2, 5).Draw(t, "members") {
		m := lms.Member{User: lms.User{ID: int64(i + 1), Status: lms.StatusActive, SiteRole: lms.SiteMember}}
		if i == 0 && rapid.Bool().Draw(t, "owned") {
			m = preset(m.User.ID, lms.RoleOwner)
		} else if rapid.Bool().Draw(t, "enrolled") {
			m = inRole(m.User.ID, g.anyRole(t))
		}
		if rapid.Bool().Draw(t, "granted") && (m.Enrollment == nil || !m.Enrollment.Role.Owner()) {
			m = with(m, setOf().Draw(t, "allow"), setOf().Draw(t, "deny"))
		}
		g.members = append(g.members, m)
	}
	return g
}

func (g *game) anyRole(t *rapid.T) lms.Role {
	if rapid.Bool().Draw(t, "preset") {
		return presetRole(rapid.SampledFrom(lms.PresetRoles()).Draw(t, "key").Key)
	}
	return rapid.SampledFrom(g.roles).Draw(t, "custom")
}

func (g *game) effective() []lms.PrivilegeSet {
	out := make([]lms.PrivilegeSet, len(g.members))
	for i := range g.members {
		out[i] = g.members[i].Effective()
	}
	return out
}

// play tries one change as the service would make it, and tells whether it was
// permitted.
func (g *game) play(t *rapid.T, giver int) bool {
	self := &g.members[giver]
	d := delegator(*self)
	target := &g.members[rapid.IntRange(0, len(g.members)-1).Draw(t, "target")]
	may := func(a Action) bool { return Decide(person(self.User.ID), a, standing(openCourse, *self)) == nil }
	switch rapid.SampledFrom([]string{"enroll", "role", "grant", "remove", "edit"}).Draw(t, "what") {
	case "enroll":
		r := g.anyRole(t)
		if !may(EnrollmentAdd) || target.Enrollment != nil || target.User.ID == self.User.ID || d.MayEnroll(r) != nil {
			return false
		}
		target.Enrollment = &lms.Enrollment{UserID: target.User.ID, CourseID: openCourse.ID, Role: r}
	case "role":
		r := g.anyRole(t)
		staff := target.Enrollment != nil && target.Enrollment.Role.Staff() && !d.Holds.Has(lms.StaffManage)
		if !may(EnrollmentChange) || target.Enrollment == nil || d.MayTouch(target) != nil || staff || d.MayEnroll(r) != nil {
			return false
		}
		target.Enrollment = &lms.Enrollment{UserID: target.User.ID, CourseID: openCourse.ID, Role: r}
	case "grant":
		allow, deny := setOf().Draw(t, "allow"), setOf().Draw(t, "deny")
		deny &^= allow
		if !may(PrivilegesSet) || d.MaySetGrant(target, allow, deny) != nil {
			return false
		}
		target.Grant = &lms.Grant{UserID: target.User.ID, CourseID: openCourse.ID, Allow: allow, Deny: deny}
	case "remove":
		if !may(EnrollmentRemove) || (target.Enrollment == nil && target.Grant == nil) || d.MayRemove(target) != nil {
			return false
		}
		target.Enrollment, target.Grant = nil, nil
	case "edit":
		i := rapid.IntRange(0, len(g.roles)-1).Draw(t, "role")
		after := lms.Effective(setOf().Draw(t, "privileges"), 0, 0)
		if !may(RoleUpdate) || d.MayChangeRole(self, &g.roles[i], after) != nil {
			return false
		}
		g.roles[i].Privileges = after
		for j := range g.members {
			if e := g.members[j].Enrollment; e != nil && e.Role.ID == g.roles[i].ID {
				changed := *e
				changed.Role = g.roles[i]
				g.members[j].Enrollment = &changed
			}
		}
	}
	return true
}
