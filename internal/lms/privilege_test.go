package lms

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func anySet() *rapid.Generator[PrivilegeSet] {
	return rapid.Custom(func(t *rapid.T) PrivilegeSet {
		return PrivilegeSet(rapid.Uint64Range(0, uint64(AllPrivileges())).Draw(t, "set"))
	})
}

func TestPrivilegesAreDescribedAndKeepTheirNames(t *testing.T) {
	// The names are stored and are part of the API: a change here is a change
	// of every installation's data.
	want := []Privilege{"roster.view", "roster.manage", "staff.manage", "course.update", "course.archive", "audit.view", "announcements.manage"}
	var got []Privilege
	for _, i := range Privileges() {
		got = append(got, i.Privilege)
		if i.Label == "" || !strings.HasSuffix(string(i.Description), ".") {
			t.Errorf("%s is described as %q, %q", i.Privilege, i.Label, i.Description)
		}
		if again, ok := i.Privilege.Info(); !ok || again.Label != i.Label || i.Privilege.Label() != i.Label {
			t.Errorf("%s is not found by its name", i.Privilege)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, ok := Privilege("Roster.View").Info(); ok || Privilege("x").Label() != "x" {
		t.Error("a name in other letters is no privilege")
	}
}

func TestASetHoldsWhatWasPutIntoIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySet().Draw(t, "set")
		if SetOf(s.List()...) != s {
			t.Fatalf("%v does not come back", s.List())
		}
		for _, i := range Privileges() {
			if s.Has(i.Privilege) != slices.Contains(s.List(), i.Privilege) {
				t.Fatalf("has and list disagree about %s", i.Privilege)
			}
		}
		if !s.Contains(0) || !AllPrivileges().Contains(s) || (s != 0 && PrivilegeSet(0).Contains(s)) {
			t.Fatal("containment of the empty and the full set")
		}
	})
	if SetOf("no.such", RosterView) != SetOf(RosterView) || SetOf("no.such").Has("no.such") || AllPrivileges().Has("no.such") {
		t.Error("what is no privilege is in no set")
	}
	if SetOf(RosterView, AuditView).Contains(SetOf(RosterView, StaffManage)) {
		t.Error("a part passes for the whole")
	}
	if got := SetOf(AuditView, RosterView).Labels().String(); got != "See the roster, See the audit" {
		t.Errorf("labels %q", got)
	}
	if got := PrivilegeSet(0).List(); got == nil || len(got) != 0 {
		t.Error("the empty list is a list, for JSON's sake")
	}
}

func TestWhatSomebodyMayDoIsRoleAndAllowedWithoutDenied(t *testing.T) {
	for _, c := range []struct {
		name              string
		role, allow, deny PrivilegeSet
		want              PrivilegeSet
	}{
		{"nothing", 0, 0, 0, 0},
		{"the role", SetOf(AuditView), 0, 0, SetOf(AuditView)},
		{"what is allowed", 0, SetOf(AuditView), 0, SetOf(AuditView)},
		{"both", SetOf(CourseUpdate), SetOf(AuditView), 0, SetOf(CourseUpdate, AuditView)},
		{"deny wins over the role", SetOf(CourseUpdate, AuditView), 0, SetOf(AuditView), SetOf(CourseUpdate)},
		{"deny wins over what is allowed", 0, SetOf(AuditView), SetOf(AuditView), 0},
		{"managing implies viewing", 0, SetOf(RosterManage), 0, SetOf(RosterManage, RosterView)},
		{"managing staff implies viewing", SetOf(StaffManage), 0, 0, SetOf(StaffManage, RosterView)},
		{"who may not view does not manage", SetOf(RosterManage, StaffManage, AuditView), 0, SetOf(RosterView), SetOf(AuditView)},
		{"who may not manage still views", SetOf(RosterManage), 0, SetOf(RosterManage), SetOf(RosterView)},
		{"a denial of nothing that is held", SetOf(AuditView), 0, SetOf(CourseArchive), SetOf(AuditView)},
	} {
		if got := Effective(c.role, c.allow, c.deny); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got.List(), c.want.List())
		}
	}
}

func TestMoreAllowedIsNeverLessAndMoreDeniedNeverMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		role, allow, deny, more := anySet().Draw(t, "role"), anySet().Draw(t, "allow"), anySet().Draw(t, "deny"), anySet().Draw(t, "more")
		e := Effective(role, allow, deny)
		if !Effective(role, allow|more, deny).Contains(e) || !Effective(role|more, allow, deny).Contains(e) {
			t.Fatal("more given is less held")
		}
		if !e.Contains(Effective(role, allow, deny|more)) {
			t.Fatal("more denied is more held")
		}
		if Effective(e, 0, 0) != e {
			t.Fatal("what is held implies something that is not held")
		}
	})
}

func TestPrivilegeNamesAreReadAllOrNone(t *testing.T) {
	got, err := ParsePrivileges([]string{"roster.view", "audit.view", "roster.view"}, "allow")
	if err != nil || got != SetOf(RosterView, AuditView) {
		t.Errorf("got %v (%v)", got.List(), err)
	}
	if got, err := ParsePrivileges(nil, "allow"); err != nil || got != 0 {
		t.Errorf("of none: %v (%v)", got, err)
	}
	got, err = ParsePrivileges([]string{"roster.view", "Roster.View", "", "roster.view ", "staff.manage"}, "body.course_privileges")
	var e *Error
	if got != 0 || !errors.As(err, &e) || e.Code != CodeInvalid || e.Type != "unknown-privilege" {
		t.Fatalf("got %v (%v)", got, err)
	}
	var places []string
	for _, f := range e.Fields {
		places = append(places, f.Location)
	}
	if want := []string{"body.course_privileges[1]", "body.course_privileges[2]", "body.course_privileges[3]"}; !slices.Equal(places, want) {
		t.Errorf("at fault are %v, want %v", places, want)
	}
	if !strings.Contains(e.Fields[0].Message, "audit.view, course.archive") {
		t.Errorf("the message does not say which there are: %s", e.Fields[0].Message)
	}
	long := strings.Repeat("x", 5000)
	if _, err := ParsePrivileges([]string{long}, "allow"); len(err.Error()) > 1000 {
		t.Error("the message repeats whatever was sent")
	}
}
