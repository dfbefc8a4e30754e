package web

import (
	"strings"

	"github.com/a-h/templ"

	"matricula/internal/lms"
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
