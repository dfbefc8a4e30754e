package access

import (
	"testing"

	"matricula/internal/lms"
)

func TestC17AProgramInWhichSomebodySignedInMayDoNoMoreThanAToken(t *testing.T) {
	both := []lms.Scope{lms.ScopeRead, lms.ScopeWrite}
	for _, scopes := range [][]lms.Scope{nil, both[:1], both[1:], both} {
		token := Caller{UserID: 3, SiteRole: lms.SiteAdmin, TokenID: 9, Scopes: scopes}
		program := token
		program.Program = true
		for _, a := range Actions() {
			var st *Standing
			if a.OfCourse() {
				st = standing(openCourse, preset(3, lms.RoleOwner))
			}
			if of, want := Decide(program, a, st), Decide(token, a, st); lms.TypeOf(of) != lms.TypeOf(want) {
				t.Errorf("%s with %v: a program %v, a token %v", a, scopes, of, want)
			}
		}
	}
}

func TestACallerIsInOneSessionOrInNone(t *testing.T) {
	for _, c := range []struct {
		caller Caller
		want   bool
	}{
		{Caller{UserID: 3, SessionID: 9}, true},
		{Caller{UserID: 3, TokenID: 9, Program: true}, true},
		{Caller{UserID: 3, TokenID: 9}, false}, // the API token of the same number
		{Caller{UserID: 3, SessionID: 8}, false},
		{Caller{UserID: 3, TokenID: 8, Program: true}, false},
	} {
		if c.caller.In(9) != c.want {
			t.Errorf("%+v is in session 9: %t", c.caller, !c.want)
		}
	}
	if (Caller{}).In(0) {
		t.Error("nobody is in no session")
	}
}
