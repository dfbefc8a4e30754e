package web

import "matricula/internal/access"

// KnowsAction tells a test whether the audit has words for an action.
func KnowsAction(name string) bool {
	v, done := verbs[access.Action(name)]
	_, refused := attempts[access.Action(name)]
	system := access.Action(name) == access.UserClaim || access.Action(name) == access.UserSignUp || access.Action(name) == access.AddressChange
	return done && v.of != "" && v.alone != "" && (refused || system)
}
