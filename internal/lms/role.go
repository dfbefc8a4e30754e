package lms

import (
	"strconv"
	"strings"
)

// Role is a named set of privileges in one course. Every course has the five
// presets, which no one can edit; further roles belong to the course alone.
type Role struct {
	ID         int64
	CourseID   int64
	Key        string // unique in the course; what the API and import files call it, such as "teacher"
	Name       string // for people; see Title
	Preset     bool
	Privileges PrivilegeSet
}

// Keys of the preset roles.
const (
	RoleOwner     = "owner"
	RoleTeacher   = "teacher"
	RoleAssistant = "assistant"
	RoleObserver  = "observer"
	RoleStudent   = "student"
)

// PresetRoles are the roles that every course has, highest first. The owner
// holds every privilege, including those that later versions add.
func PresetRoles() []Role {
	return []Role{
		{Key: RoleOwner, Name: "Owner", Preset: true, Privileges: AllPrivileges()},
		{Key: RoleTeacher, Name: "Teacher", Preset: true, Privileges: SetOf(CourseUpdate, RosterView, RosterManage, StaffManage, AuditView, AnnouncementsManage)},
		{Key: RoleAssistant, Name: "Assistant", Preset: true, Privileges: SetOf(RosterView, RosterManage)},
		{Key: RoleObserver, Name: "Observer", Preset: true, Privileges: SetOf(RosterView)},
		{Key: RoleStudent, Name: "Student", Preset: true},
	}
}

// Title is the role's name as a text: a preset's has a translation, a custom
// role's is what its maker called it.
func (r *Role) Title() Text {
	if r.Preset {
		return Say("%s", Term(r.Name))
	}
	return Say("%s", r.Name)
}

// Owner tells whether this is the role whose holders hold everything.
func (r *Role) Owner() bool { return r.Preset && r.Key == RoleOwner }

// Staff tells whether the role gives any privilege. Who may manage only the
// roster may give only roles that are not staff.
func (r *Role) Staff() bool { return r.Privileges != 0 }

// RoleKey derives the key of a custom role from its name: lower-case ASCII
// letters and digits, joined by hyphens.
func RoleKey(name string) string {
	var b strings.Builder
	dash := false
	for _, r := range FoldSearch(name) {
		if (r >= 'a' && r <= 'z') || (r >= '0' && r <= '9') {
			if dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			b.WriteRune(r)
			dash = false
			continue
		}
		dash = true
	}
	return b.String()
}

// CleanRoleName checks the name of a custom role and gives it with its key.
func CleanRoleName(name string) (clean, key string, err error) {
	clean, err = CleanText(name, "name", 60)
	if err != nil {
		return "", "", err
	}
	key = RoleKey(clean)
	if key == "" {
		return "", "", Invalid("role-name", "name", "A role needs a name with at least one letter or digit, such as \"Lab tutor\".")
	}
	for _, p := range PresetRoles() {
		if p.Key == key {
			return "", "", Invalid("role-name-taken", "name", "%s is one of the built-in roles: choose another name.", p.Title())
		}
	}
	return clean, key, nil
}

// indexed writes a location such as emails[3].
func indexed(location string, i int) string {
	return location + "[" + strconv.Itoa(i) + "]"
}

// RoleChoices writes the keys of roles for an error message.
func RoleChoices(roles []Role) string {
	keys := make([]string, len(roles))
	for i, r := range roles {
		keys[i] = r.Key
	}
	return strings.Join(keys, ", ")
}

// FindRole finds a role by its key.
func FindRole(roles []Role, key, location string) (Role, error) {
	for _, r := range roles {
		if r.Key == key {
			return r, nil
		}
	}
	return Role{}, Invalid("unknown-role", location, "This course has no role %q. Its roles are: %s.", Clip(key, 60), RoleChoices(roles))
}
