package web

import (
	"matricula/internal/lms"
	"matricula/internal/service"
)

// partWords say what moves from one account to another, beside a number. A test
// holds them together with what there is.
var partWords = map[string]lms.Term{
	"enrollments.user_id":          "Roles in courses",
	"course_privileges.user_id":    "Privileges of their own in courses",
	"emails.user_id":               "Addresses",
	"identities.user_id":           "Ways of signing in",
	"sessions.user_id":             "Sessions, which end",
	"api_tokens.user_id":           "API tokens, which end",
	"proofs.user_id":               "Codes for addresses, which end",
	"mails.user_id":                "Mails to them",
	"mails.created_by":             "Mails that they caused",
	"notices.user_id":              "Notices to them",
	"directory_people.user_id":     "Entries of directories",
	"directory_links.user_id":      "Links of directories to future sign-ins",
	"notices.told_by":              "Notices that they sent",
	"gone_people.gone_by":          "People whom they withdrew",
	"erasure_requests.decided_by":  "Requests to be erased that they answered",
	"past_places.user_id":          "Places in courses that are over",
	"users.merged_into":            "Accounts that were merged earlier",
	"sourced_ids.local_id":         "Entries of a student system",
	"users.created_by":             "People whom they named",
	"courses.created_by":           "Courses that they made",
	"enrollments.added_by":         "People whom they added",
	"course_privileges.granted_by": "Privileges that they gave",
	"past_places.added_by":         "Places that they gave and that are over",
	"past_places.ended_by":         "Places that they ended",
	"sections.created_by":          "Sections that they made",
	"terms.created_by":             "Terms that they made",
	"announcements.author_id":      "Announcements that they wrote",
	"imports.created_by":           "Class lists that they brought",
	"imports.started_by":           "Class lists that they carried out",
	"imports.undone_by":            "Class lists that they undid",
	"import_columns.chosen_by":     "Columns of class lists that they chose",
	"sources.created_by":           "Roster sources that they set up",
	"source_runs.started_by":       "Runs of roster sources that they began",
	"merges.asked_by":              "Merges that they asked for",
	"merges.done_by":               "Merges that they carried out",
	"merges.ended_by":              "Merges that they ended",
	"limits.set_by":                "Limits that they set",
	"limit_lifts.user_id":          "Limits that were lifted for them",
	"limit_lifts.lifted_by":        "Limits that they lifted",
	"limit_lifts.ended_by":         "Lifted limits that they ended",
	"distinct_people.said_by":      "Pairs of people whom they told apart",
	"webhooks.owned_by":            "Webhooks that they saved last",
	"claim_requests.decided_by":    "Requests for an address that they decided",
	"claim_decisions.decided_by":   "Requests for an address that they decided in courses",
	"users":                        "Role on the site",
	"places":                       "Courses",
}

// likenessWords say why two people look like one.
var likenessWords = map[lms.Likeness]lms.Term{
	lms.LikeProvider: "Both addresses can lead to one mailbox",
	lms.LikeLocal:    "The same before the @",
	lms.LikeSlip:     "One slip of the fingers apart",
	lms.LikeName:     "The same name",
	lms.LikeNumber:   "The same student number in a course",
}

// mergeStates say how far a merge is.
var mergeStates = map[lms.MergeState]lms.Term{
	lms.MergeAsked: "Both are asked", lms.MergeDone: "Merged", lms.MergeSplit: "Split again", lms.MergeWithdrawn: "Withdrawn",
}

func likenessTerms(kinds []lms.Likeness) (list lms.Terms) {
	for _, k := range kinds {
		list = append(list, likenessWords[k])
	}
	return list
}

// keptOf and goneOf propose whom of two to keep: whoever has signed in, else who
// was there first.
func keptOf(d service.Duplicate) lms.User {
	if d.One.Pending() && !d.Other.Pending() {
		return d.Other
	}
	return d.One
}

func goneOf(d service.Duplicate) lms.User {
	if keptOf(d).ID == d.One.ID {
		return d.Other
	}
	return d.One
}

// splitOutcome says what becomes of a course when a merge is split.
func splitOutcome(p service.SplitPlace) lms.Term {
	switch p.Stays {
	case service.StaysChanged:
		return "was changed since, and stays as it is"
	case service.StaysLastOwner:
		return "would be without an owner, and stays as it is"
	}
	return "is as it was before"
}
