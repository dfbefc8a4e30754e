package lms

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Happening is an event that an audit entry means, before it is known which webhooks
// want it.
type Happening struct {
	Event  WebhookEvent
	UserID int64 // SystemUserID: nobody in particular
	Data   WebhookData
	Site   bool // webhooks of the site are told
	Course bool // those of the entry's course are told
	Places bool // those of every course in which the person has a place or had one
}

// said is what entries say that matters here.
type said struct {
	Role       string      `json:"role"`
	SiteRole   string      `json:"site_role"`
	Named      bool        `json:"named"`
	Privileges []Privilege `json:"privileges"`
	Allow      []Privilege `json:"allow"`
	Deny       []Privilege `json:"deny"`
	Kept       int64       `json:"kept"`
	Merged     int64       `json:"merged"`
}

// meanings says what an entry of each action means; actions that are missing mean
// nothing to webhooks. Events come from the audit because no change goes round it: who
// adds a use case cannot forget them. A test compares this with the actions of package
// access.
var meanings = map[string]func(AuditEntry, said, said) []Happening{
	"user.name":         siteRoleMeans,
	"user.update":       siteRoleMeans,
	"user.claim":        personMeans(EventUserClaimed),
	"user.merge":        mergedMeans(EventUserMerged),
	"user.split":        mergedMeans(EventUserSplit),
	"user.erase":        personMeans(EventUserErased),
	"user.withdraw":     goneMeans,
	"user.expire":       goneMeans,
	"course.create":     placeMeans,
	"course.copy":       placeMeans,
	"course.hand-over":  placeMeans,
	"enrollment.add":    placeMeans,
	"enrollment.change": placeMeans,
	"enrollment.remove": placeMeans,
	"enrollment.end":    placeMeans,
	"privileges.set":    placeMeans,
	"role.update":       roleMeans,
	"claim.approve":     placeMeans, // what waited in the course leaves one and comes to the other
}

// MeaningfulActions lists the actions whose entries can mean an event.
func MeaningfulActions() []string {
	var list []string
	for a := range meanings {
		list = append(list, a)
	}
	slices.Sort(list)
	return list
}

// Meaningful tells whether the entries of an action can mean an event.
func Meaningful(action string) bool { return meanings[action] != nil }

// Happenings tells what an audit entry means to webhooks.
func Happenings(e AuditEntry) ([]Happening, error) {
	mean := meanings[e.Action]
	if mean == nil || e.Outcome != OutcomeDone {
		return nil, nil
	}
	var before, after said
	for _, one := range []struct {
		json json.RawMessage
		to   *said
	}{{e.Before, &before}, {e.After, &after}} {
		if len(one.json) == 0 {
			continue
		}
		if err := json.Unmarshal(one.json, one.to); err != nil {
			return nil, fmt.Errorf("read what an entry %s means: %w", e.Action, err)
		}
	}
	return mean(e, before, after), nil
}

// personMeans is an event about somebody, wherever they are.
func personMeans(event WebhookEvent) func(AuditEntry, said, said) []Happening {
	return func(e AuditEntry, _, _ said) []Happening {
		return []Happening{{Event: event, UserID: e.SubjectID, Site: true, Places: true}}
	}
}

func siteRoleMeans(e AuditEntry, before, after said) []Happening {
	var list []Happening
	if after.Named {
		list = append(list, Happening{Event: EventUserNamed, UserID: e.SubjectID, Site: true})
	}
	if after.SiteRole != "" && after.SiteRole != before.SiteRole && (before.SiteRole != "" || !after.Named) {
		list = append(list, Happening{Event: EventPrivilegesChanged, UserID: e.SubjectID, Data: WebhookData{SiteRole: after.SiteRole}, Site: true})
	}
	return list
}

// mergedMeans is told to the site once, and to each course in which that changed something
// by the entry of that course: so no course hears of people whom it does not know.
func mergedMeans(event WebhookEvent) func(AuditEntry, said, said) []Happening {
	return func(e AuditEntry, _, after said) []Happening {
		h := Happening{Event: event, UserID: e.SubjectID, Site: e.CourseID == 0, Course: e.CourseID != 0}
		if h.Data.MergedID = after.Merged; event == EventUserSplit {
			h.Data = WebhookData{KeptID: after.Kept}
		}
		return []Happening{h}
	}
}

// goneMeans is about somebody who never came: each of their places ends, and then they are erased.
func goneMeans(e AuditEntry, before, after said) []Happening {
	if e.CourseID == 0 {
		return personMeans(EventUserErased)(e, before, after)
	}
	return placeMeans(e, before, after)
}

// placeMeans is about what somebody has in a course: a role, privileges beside it, or both.
func placeMeans(e AuditEntry, before, after said) []Happening {
	var list []Happening
	tell := func(event WebhookEvent, role string) {
		list = append(list, Happening{Event: event, UserID: e.SubjectID, Data: WebhookData{Role: role}, Site: true, Course: true})
	}
	if after.Named {
		tell(EventUserNamed, "")
	}
	had, has := before.Role, after.Role
	switch {
	case had == "" && has != "":
		tell(EventEnrollmentCreated, has)
	case had != "" && has == "":
		tell(EventEnrollmentEnded, had)
	case had != "" && had != has:
		tell(EventEnrollmentChanged, has)
	case e.Action == "enrollment.change":
		tell(EventEnrollmentChanged, has)
	}
	beside := !slices.Equal(before.Allow, after.Allow) || !slices.Equal(before.Deny, after.Deny)
	if beside && (had == "" || has != "") { // whoever leaves loses everything
		tell(EventPrivilegesChanged, "")
	}
	return list
}

// roleMeans is about a role of a course that was edited, which changes what all who have it may
// do. It is about nobody in particular.
func roleMeans(e AuditEntry, before, after said) []Happening {
	if slices.Equal(before.Privileges, after.Privileges) {
		return nil
	}
	return []Happening{{Event: EventPrivilegesChanged, UserID: SystemUserID, Data: WebhookData{Role: after.Role}, Site: true, Course: true}}
}
