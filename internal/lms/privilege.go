package lms

import (
	"slices"
	"strings"
)

// Privilege names one thing that somebody may do in a course. The names are
// stored and are part of the API.
type Privilege string

// The privileges. None exists that guards nothing: each is named by at least
// one action of the access package, and a test checks it.
const (
	CourseUpdate  Privilege = "course.update"
	CourseArchive Privilege = "course.archive"
	RosterView    Privilege = "roster.view"
	RosterManage  Privilege = "roster.manage"
	StaffManage   Privilege = "staff.manage"
	AuditView     Privilege = "audit.view"

	AnnouncementsManage Privilege = "announcements.manage"
)

// PrivilegeInfo describes a privilege to people.
type PrivilegeInfo struct {
	Privilege   Privilege
	Label       Term
	Description Term
	Implies     []Privilege
}

var privilegeInfos = []PrivilegeInfo{
	{RosterView, "See the roster", "See who is in the course, with their addresses and roles.", nil},
	{RosterManage, "Manage the roster", "Add and remove students and others without privileges, whether or not they have ever signed in.", []Privilege{RosterView}},
	{StaffManage, "Manage staff", "Add and remove staff, set what they may do, and edit the course's roles. Nobody can give what they do not hold.", []Privilege{RosterView}},
	{CourseUpdate, "Edit the course", "Change the course's title, code and description.", nil},
	{CourseArchive, "Archive the course", "Archive, restore and delete the course.", nil},
	{AuditView, "See the audit", "See what was done in the course, by whom and to whom.", nil},
	{AnnouncementsManage, "Write announcements", "Write, schedule, pin, edit and delete what the course is told.", nil},
}

// Privileges lists every privilege in the order in which pages show them.
func Privileges() []PrivilegeInfo { return privilegeInfos }

// Info describes the privilege; ok is false when there is none of that name.
func (p Privilege) Info() (info PrivilegeInfo, ok bool) {
	for _, i := range privilegeInfos {
		if i.Privilege == p {
			return i, true
		}
	}
	return PrivilegeInfo{}, false
}

// Label is the privilege's name for people.
func (p Privilege) Label() Term {
	if i, ok := p.Info(); ok {
		return i.Label
	}
	return Term(p)
}

// PrivilegeSet is a set of privileges. The zero value is the empty set. It is
// a bit set over the order of Privileges, comparable with ==.
type PrivilegeSet uint64

func bit(p Privilege) PrivilegeSet {
	for i := range privilegeInfos {
		if privilegeInfos[i].Privilege == p {
			return 1 << i
		}
	}
	return 0
}

// SetOf makes a set. Names that are no privilege are ignored: they can only
// come from a database that a later version wrote.
func SetOf(ps ...Privilege) PrivilegeSet {
	var s PrivilegeSet
	for _, p := range ps {
		s |= bit(p)
	}
	return s
}

// AllPrivileges is the set of every privilege.
func AllPrivileges() PrivilegeSet { return 1<<len(privilegeInfos) - 1 }

// Has tells whether p is in the set; an unknown privilege never is.
func (s PrivilegeSet) Has(p Privilege) bool { b := bit(p); return b != 0 && s&b == b }

// Contains tells whether every privilege of o is in s: the whole, not a part.
func (s PrivilegeSet) Contains(o PrivilegeSet) bool { return s&o == o }

// List gives the privileges in the order of Privileges.
func (s PrivilegeSet) List() []Privilege {
	list := make([]Privilege, 0, len(privilegeInfos))
	for i := range privilegeInfos {
		if s&(1<<i) != 0 {
			list = append(list, privilegeInfos[i].Privilege)
		}
	}
	return list
}

// Labels gives the labels of the set, for a sentence.
func (s PrivilegeSet) Labels() Terms {
	var labels Terms
	for _, p := range s.List() {
		labels = append(labels, p.Label())
	}
	return labels
}

// withImplied adds what the privileges of s imply: managing implies viewing.
func (s PrivilegeSet) withImplied() PrivilegeSet {
	for i := range privilegeInfos {
		if s&(1<<i) != 0 {
			s |= SetOf(privilegeInfos[i].Implies...)
		}
	}
	return s
}

// withImplying adds what implies a privilege of s: whoever is denied the
// viewing is denied the managing too, else the denial would mean nothing.
func (s PrivilegeSet) withImplying() PrivilegeSet {
	for i := range privilegeInfos {
		if s&SetOf(privilegeInfos[i].Implies...) != 0 {
			s |= 1 << i
		}
	}
	return s
}

// GivenBy lists the privileges that give p: itself, and those that imply it.
func GivenBy(p Privilege) []Privilege {
	list := []Privilege{p}
	for _, i := range privilegeInfos {
		if slices.Contains(i.Implies, p) {
			list = append(list, i.Privilege)
		}
	}
	return list
}

// DeniedBy lists the privileges whose denial takes p away: itself, and those
// that it implies.
func DeniedBy(p Privilege) []Privilege {
	info, _ := p.Info()
	return append([]Privilege{p}, info.Implies...)
}

// Effective is the rule by which everything is decided:
// (role + allow) - deny, where managing implies viewing and deny wins.
func Effective(role, allow, deny PrivilegeSet) PrivilegeSet {
	return (role | allow).withImplied() &^ deny.withImplying()
}

// ParsePrivileges reads privilege names as a person or a program sent them.
// The same name twice is once. Location names the list in errors, and the
// error names the index of every unknown name.
func ParsePrivileges(names []string, location string) (PrivilegeSet, error) {
	var s PrivilegeSet
	var fields []FieldError
	for i, n := range names {
		b := bit(Privilege(n))
		if b == 0 {
			fields = append(fields, At(indexed(location, i), Say("There is no privilege \"%s\". The privileges are: %s.", Clip(n, 60), privilegeNames())))
			continue
		}
		s |= b
	}
	if fields != nil {
		return 0, &Error{Code: CodeInvalid, Type: "unknown-privilege", Message: fields[0].Message, Text: fields[0].Text, Fields: fields}
	}
	return s, nil
}

func privilegeNames() string {
	var names []string
	for _, i := range privilegeInfos {
		names = append(names, string(i.Privilege))
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
