package lms

import "time"

// GonePlace is a place that somebody had in a course who was named, never came,
// and was withdrawn or expired. Of the person there is no more than their id and,
// for a while, the masked address.
type GonePlace struct {
	ID      int64
	UserID  int64
	Masked  string // such as g***@uni.example
	Role    Role   // as it was; without a key when there was none
	Allow   PrivilegeSet
	Deny    PrivilegeSet
	Began   time.Time
	Ended   time.Time
	EndedBy User
	Expired bool // nobody withdrew them: their time was over
}

// RoleName is the role for people, "No role" when there were only privileges.
func (p *GonePlace) RoleName() Text {
	if p.Role.Key == "" {
		return Say("No role")
	}
	return p.Role.Title()
}

// GonePerson is somebody who was withdrawn or expired.
type GonePerson struct {
	UserID  int64
	At      time.Time
	Expired bool
}
