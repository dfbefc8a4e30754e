package web

import (
	"net/http"

	"matricula/internal/access"
	"matricula/internal/lang"
	"matricula/internal/lms"
)

// InPseudo makes pages say everything in the pseudo language, which marks what
// went through the catalog.
func (w *Web) InPseudo() {
	w.words = func(*http.Request, lms.User) *lang.Printer { return lang.Pseudo() }
}

// KnowsAction tells a test whether the audit has words for an action.
func KnowsAction(name string) bool {
	v, done := verbs[access.Action(name)]
	_, refused := attempts[access.Action(name)]
	system := access.Action(name) == access.UserClaim || access.Action(name) == access.UserSignUp || access.Action(name) == access.AddressChange || access.Action(name) == access.EnrollmentEnd || access.Action(name) == access.NoticeObject
	return done && v.of != "" && v.alone != "" && (refused || system)
}
