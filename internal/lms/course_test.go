package lms

import (
	"strings"
	"testing"
	"time"
)

func TestCourseFieldsAreCleanedAndATitleIsNeeded(t *testing.T) {
	got, err := CourseFields{Title: "  Data \n structures ", Code: " CS-201 ", Description: "Trees,  heaps.", TermID: 7}.Clean()
	if want := (CourseFields{"Data structures", "CS-201", "Trees, heaps.", 7}); err != nil || got != want {
		t.Errorf("got %+v (%v), want %+v", got, err, want)
	}
	for name, c := range map[string]struct {
		f       CourseFields
		problem string
		place   string
	}{
		"no title":         {CourseFields{}, "title-missing", "title"},
		"a blank title":    {CourseFields{Title: " \t"}, "title-missing", "title"},
		"a long title":     {CourseFields{Title: strings.Repeat("x", 201)}, "text-too-long", "title"},
		"a long code":      {CourseFields{Title: "x", Code: strings.Repeat("x", 41)}, "text-too-long", "code"},
		"a control code":   {CourseFields{Title: "x", Code: "a\x07"}, "text-control-character", "code"},
		"long description": {CourseFields{Title: "x", Description: strings.Repeat("x", 2001)}, "text-too-long", "description"},
	} {
		_, err := c.f.Clean()
		if TypeOf(err) != c.problem || !strings.Contains(err.Error(), c.place+": ") {
			t.Errorf("%s: %v, want %s at %s", name, err, c.problem, c.place)
		}
	}
}

func TestACourseIsArchivedFromTheMomentThatSaysSo(t *testing.T) {
	c := Course{}
	if c.Archived() {
		t.Error("a new course is archived")
	}
	c.ArchivedAt = time.Unix(1, 0)
	if !c.Archived() {
		t.Error("an archived course is not")
	}
}

func TestAMembersPrivilegesComeFromRoleAndGrant(t *testing.T) {
	role := func(key string) *Enrollment {
		for _, r := range PresetRoles() {
			if r.Key == key {
				return &Enrollment{Role: r}
			}
		}
		t.Fatal(key)
		return nil
	}
	grant := func(allow, deny PrivilegeSet) *Grant { return &Grant{Allow: allow, Deny: deny} }
	for _, c := range []struct {
		name  string
		m     Member
		want  PrivilegeSet
		staff bool
		role  string
	}{
		{"nothing", Member{}, 0, false, "No role"},
		{"a student", Member{Enrollment: role(RoleStudent)}, 0, false, "Student"},
		{"a student with a privilege", Member{Enrollment: role(RoleStudent), Grant: grant(SetOf(AuditView), 0)}, SetOf(AuditView), true, "Student"},
		{"a privilege alone", Member{Grant: grant(SetOf(StaffManage), 0)}, SetOf(StaffManage, RosterView), true, "No role"},
		{"a denial alone", Member{Grant: grant(0, SetOf(AuditView))}, 0, false, "No role"},
		{"an observer who may not observe", Member{Enrollment: role(RoleObserver), Grant: grant(0, SetOf(RosterView))}, 0, true, "Observer"},
		{"an owner", Member{Enrollment: role(RoleOwner)}, AllPrivileges(), true, "Owner"},
		{"an owner with a denial", Member{Enrollment: role(RoleOwner), Grant: grant(0, SetOf(AuditView))}, AllPrivileges(), true, "Owner"},
	} {
		if got := c.m.Effective(); got != c.want {
			t.Errorf("%s may %v, want %v", c.name, got.List(), c.want.List())
		}
		if c.m.Staff() != c.staff || c.m.RoleName().String() != c.role {
			t.Errorf("%s: staff %v, role %q", c.name, c.m.Staff(), c.m.RoleName())
		}
	}
}

func TestScopesAreReadAndWrite(t *testing.T) {
	for _, c := range []struct {
		names []string
		want  string
	}{{nil, "read write"}, {[]string{"read"}, "read"}, {[]string{"write"}, "write"}, {[]string{"write", "read", "write"}, "read write"}} {
		got, err := ParseScopes(c.names, "scopes")
		var names []string
		for _, s := range got {
			names = append(names, string(s))
		}
		if err != nil || strings.Join(names, " ") != c.want {
			t.Errorf("%v: %v (%v)", c.names, got, err)
		}
	}
	_, err := ParseScopes([]string{"read", "admin"}, "body.scopes")
	if TypeOf(err) != "unknown-scope" || !strings.Contains(err.Error(), "body.scopes[1]") {
		t.Errorf("got %v", err)
	}
}
