package lms

import "time"

// PastPlace is a place that somebody had in a course until they left or were
// removed.
type PastPlace struct {
	ID       int64
	CourseID int64
	User     User
	Role     Role // as it was, without privileges; without a key when there was none
	Allow    PrivilegeSet
	Deny     PrivilegeSet
	AddedBy  int64
	Began    time.Time
	EndedBy  int64
	Ended    time.Time
	Back     bool // they are in the course again
	Section  string
	Details  // without the section, which may be gone
}

// RoleName is the role for people, "No role" when there were only privileges.
func (p *PastPlace) RoleName() Text {
	if p.Role.Key == "" {
		return Say("No role")
	}
	return p.Role.Title()
}
