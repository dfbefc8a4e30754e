package web

import (
	"net/http"
	"slices"

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
	system := slices.Contains([]access.Action{access.UserClaim, access.UserSignUp, access.AddressChange, access.EnrollmentEnd, access.NoticeObject, access.ClaimObject, access.SessionReused, access.UserExpire, access.WebhookPause}, access.Action(name))
	return done && v.of != "" && v.alone != "" && (refused || system)
}

// PartWord is what pages call a part of a merge.
func PartWord(name string) lms.Term { return partWords[name] }
