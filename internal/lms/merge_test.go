package lms_test

import (
	"testing"
	"time"

	"matricula/internal/lms"
)

var mergeNow = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

// placed is a person with a role, and what is set beside it.
func placed(id int64, role string, allow, deny lms.PrivilegeSet) *lms.Member {
	m := &lms.Member{User: lms.User{ID: id}}
	for i, r := range lms.PresetRoles() {
		if r.Key == role {
			r.ID = int64(i + 1)
			m.Enrollment = &lms.Enrollment{UserID: id, CourseID: 7, Role: r}
		}
	}
	if allow|deny != 0 {
		m.Grant = &lms.Grant{UserID: id, CourseID: 7, Allow: allow, Deny: deny}
	}
	return m
}

func custom(m *lms.Member, id int64, name string, p lms.PrivilegeSet) *lms.Member {
	m.Enrollment = &lms.Enrollment{UserID: m.User.ID, CourseID: 7, Role: lms.Role{ID: id, Key: name, Name: name, Privileges: p}}
	return m
}

func TestOfTwoPlacesTheHigherRoleStaysAndDenyWins(t *testing.T) {
	view, manage, audit := lms.SetOf(lms.RosterView), lms.SetOf(lms.RosterManage), lms.SetOf(lms.AuditView)
	for _, one := range []struct {
		name        string
		kept, gone  *lms.Member
		role        string
		fromGone    bool
		allow, deny lms.PrivilegeSet
		notes       int
	}{
		{"only the one who goes", placed(1, "", 0, 0), placed(2, "student", 0, 0), "student", true, 0, 0, 0},
		{"only the one who is kept", placed(1, "student", 0, 0), placed(2, "", 0, 0), "student", false, 0, 0, 0},
		{"both the same", placed(1, "student", 0, 0), placed(2, "student", 0, 0), "student", false, 0, 0, 0},
		{"the kept one is higher", placed(1, "teacher", 0, 0), placed(2, "student", 0, 0), "teacher", false, 0, 0, 1},
		{"the other is higher", placed(1, "student", 0, 0), placed(2, "owner", 0, 0), "owner", true, 0, 0, 1},
		{"what is allowed is united", placed(1, "student", view, 0), placed(2, "student", audit, 0), "student", false, view | audit, 0, 0},
		{"deny wins", placed(1, "student", manage, 0), placed(2, "student", 0, manage), "student", false, 0, manage, 1},
		{"a denial comes along", placed(1, "teacher", 0, 0), placed(2, "", 0, audit), "teacher", false, 0, audit, 0},
		{"nothing is denied to an owner", placed(1, "owner", 0, 0), placed(2, "student", 0, audit), "owner", false, 0, 0, 2},
		{"a role of the course's own that gives more", placed(1, "student", 0, 0), custom(placed(2, "", 0, 0), 9, "tutor", view), "tutor", true, 0, 0, 1},
		{"two roles of which neither gives more", custom(placed(1, "", 0, 0), 8, "registrar", manage), custom(placed(2, "", 0, 0), 9, "inspector", audit), "registrar", false, audit, 0, 2},
	} {
		t.Run(one.name, func(t *testing.T) {
			got := lms.MergePlaces(one.kept, one.gone, mergeNow)
			m := got.Member
			if m.User.ID != 1 || m.Enrollment == nil || m.Enrollment.UserID != 1 || m.Enrollment.Role.Key != one.role || got.FromGone != one.fromGone {
				t.Errorf("the place: %+v from the other %v", m.Enrollment, got.FromGone)
			}
			var g lms.Grant
			if m.Grant != nil {
				g = *m.Grant
			}
			if g.Allow != one.allow || g.Deny != one.deny || (m.Grant != nil && g.UserID != 1) {
				t.Errorf("allowed %v, denied %v", g.Allow.List(), g.Deny.List())
			}
			if len(got.Notes) != one.notes {
				t.Errorf("notes: %v", got.Notes)
			}
			if !m.Enrollment.Role.Owner() {
				united := one.kept.Effective() | one.gone.Effective()
				if extra := m.Effective() &^ united; extra != 0 {
					t.Errorf("they hold %v, which neither held", extra.List())
				}
			}
		})
	}
}

func TestAPlaceThatIsOverIsLessThanOneThatIsNot(t *testing.T) {
	over, now := placed(1, "teacher", 0, 0), placed(2, "student", 0, 0)
	over.Enrollment.Ends = mergeNow.Add(-time.Hour)
	if got := lms.MergePlaces(over, now, mergeNow); !got.FromGone || got.Member.Effective() != 0 {
		t.Errorf("of a past teacher and a student became %+v", got.Member.Enrollment)
	}
}

func TestTheDatesOfTheSameRoleAreUnited(t *testing.T) {
	day := func(n int) time.Time { return mergeNow.AddDate(0, 0, n) }
	a, b := placed(1, "student", 0, 0), placed(2, "student", 0, 0)
	a.Enrollment.Begins, a.Enrollment.Ends = day(-9), day(1)
	b.Enrollment.Begins, b.Enrollment.Ends, b.Enrollment.Number = day(-5), day(5), "007"
	e := lms.MergePlaces(a, b, mergeNow).Member.Enrollment
	if e.Begins != day(-9) || e.Ends != day(5) || e.Number != "007" {
		t.Errorf("%+v", e.Details)
	}
	b.Enrollment.Ends = time.Time{}
	if e = lms.MergePlaces(a, b, mergeNow).Member.Enrollment; !e.Ends.IsZero() {
		t.Errorf("without an end: %+v", e.Details)
	}
}
