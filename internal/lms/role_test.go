package lms

import (
	"strings"
	"testing"
)

func TestPresetRolesAreOrderedAndEachHoldsWhatItPromises(t *testing.T) {
	want := map[string]PrivilegeSet{
		RoleOwner:     AllPrivileges(),
		RoleTeacher:   SetOf(CourseUpdate, RosterView, RosterManage, StaffManage, AuditView, AnnouncementsManage),
		RoleAssistant: SetOf(RosterView, RosterManage),
		RoleObserver:  SetOf(RosterView),
		RoleStudent:   0,
	}
	roles := PresetRoles()
	if len(roles) != len(want) {
		t.Fatalf("%d presets", len(roles))
	}
	for i, r := range roles {
		if r.Privileges != want[r.Key] || !r.Preset || r.Name == "" {
			t.Errorf("%s is %+v", r.Key, r)
		}
		if i > 0 && !roles[i-1].Privileges.Contains(r.Privileges) {
			t.Errorf("%s holds something that %s above it does not", r.Key, roles[i-1].Key)
		}
		if r.Owner() != (r.Key == RoleOwner) || r.Staff() != (r.Key != RoleStudent) {
			t.Errorf("%s: owner %v, staff %v", r.Key, r.Owner(), r.Staff())
		}
		if Effective(r.Privileges, 0, 0) != r.Privileges {
			t.Errorf("%s holds something without what it implies", r.Key)
		}
	}
	if r := (Role{Key: RoleOwner, Privileges: AllPrivileges()}); r.Owner() {
		t.Error("a custom role that calls itself owner is one")
	}
}

func TestACustomRoleIsNamedByPeopleAndKeyedForPrograms(t *testing.T) {
	for typed, want := range map[string][2]string{
		"Lab tutor":           {"Lab tutor", "lab-tutor"},
		"  Lab \t tutor ":     {"Lab tutor", "lab-tutor"},
		"Über-Prüfer (2026)!": {"Über-Prüfer (2026)!", "uber-prufer-2026"},
		"--- A ---":           {"--- A ---", "a"},
		"Co–teacher":          {"Co–teacher", "co-teacher"},
	} {
		name, key, err := CleanRoleName(typed)
		if err != nil || name != want[0] || key != want[1] {
			t.Errorf("%q is %q, %q (%v); want %q", typed, name, key, err, want)
		}
	}
	for typed, problem := range map[string]string{
		"":                      "role-name",
		"   ":                   "role-name",
		"教師":                    "role-name",
		"!!!":                   "role-name",
		"Owner":                 "role-name-taken",
		" OWNER! ":              "role-name-taken",
		"Öwner":                 "role-name-taken",
		"stüdent":               "role-name-taken",
		"a\x00b":                "text-control-character",
		"a\u202eb":              "text-control-character",
		strings.Repeat("x", 61): "text-too-long",
	} {
		if _, _, err := CleanRoleName(typed); CodeOf(err) != CodeInvalid || TypeOf(err) != problem {
			t.Errorf("%q: %v, want %s", typed, err, problem)
		}
	}
}

func TestARoleIsFoundByItsKeyElseTheAnswerNamesThoseThatThereAre(t *testing.T) {
	roles := PresetRoles()
	if r, err := FindRole(roles, "teacher", "role"); err != nil || r.Key != RoleTeacher {
		t.Errorf("got %+v (%v)", r, err)
	}
	for _, key := range []string{"Teacher", "", "teacher ", "tutor"} {
		_, err := FindRole(roles, key, "body.role")
		if CodeOf(err) != CodeInvalid || TypeOf(err) != "unknown-role" || !strings.Contains(err.Error(), "owner, teacher, assistant, observer, student") || !strings.Contains(err.Error(), "body.role") {
			t.Errorf("%q: %v", key, err)
		}
	}
}
