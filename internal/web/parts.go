package web

import (
	"strings"
	"time"

	"github.com/a-h/templ"

	"matricula/internal/lang"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// Small things that templates need.

// describedBy lists what a field is described by.
func describedBy(id, hint, wrong string) string {
	var ids []string
	if hint != "" {
		ids = append(ids, id+"-hint")
	}
	if wrong != "" {
		ids = append(ids, id+"-fault")
	}
	return strings.Join(ids, " ")
}

// hintIf tells describedBy that a field has a hint.
func hintIf(there bool) string {
	if there {
		return "there"
	}
	return ""
}

func homeLabel(s shell) lms.Term {
	if s.SignedIn {
		return "Go to my courses"
	}
	return "Go to the start page"
}

// addressField are the attributes of a field for an address. Its type is text,
// because what the browser says about a slip is less than what we say.
var addressField = templ.Attributes{
	"type": "text", "inputmode": "email", "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "required": true,
}

// addressOptional are those of a field for an address that may stay empty.
var addressOptional = templ.Attributes{"type": "text", "inputmode": "email", "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}

// allPrivileges are the columns of the table.
func allPrivileges() []lms.PrivilegeInfo { return lms.Privileges() }

// addedAt is when somebody came into the course.
func addedAt(m *lms.Member) time.Time {
	switch {
	case m.Enrollment != nil:
		return m.Enrollment.CreatedAt
	case m.Grant != nil:
		return m.Grant.GrantedAt
	}
	return time.Time{}
}

// leftName is what a page calls somebody who was left as they were.
func leftName(p *lang.Printer, r *service.PlaceResult) string {
	if r.Member.User.ID != 0 {
		return callName(p, &r.Member.User)
	}
	return "#" + num(r.UserID)
}
