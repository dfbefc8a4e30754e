package matrix

import (
	"context"
	"fmt"
	"strings"
)

// The policy of requests for what waits for another address. The request is about a
// pending student of C; where it is the caller's own, about an address that nobody has,
// and only the stranger made it.
var (
	askBody = bodyOf(object{"email": "claimed@uni.example"})
	askForm = formOf("email", "claimed@uni.example")
	asking  = func(a actor) answer {
		if a == tokenForD {
			return refused
		}
		return served
	}
	strangers = func(a actor) answer {
		switch a {
		case stranger:
			return served
		case tokenForD, readToken:
			return refused
		}
		return hidden
	}

	claimAPIPolicy = []row{
		{route: "POST /api/v1/me/claim-requests", policy: asking, write: true, body: askBody, allow: []int{409}}, // a service account is nobody,
		{route: "GET /api/v1/me/claim-requests", policy: signedIn},
		{route: "DELETE /api/v1/me/claim-requests/{claim_id}", policy: strangers, write: true},
		{route: "GET /api/v1/courses/{course_id}/claim-requests", policy: rosterKeeper},
		{route: "POST /api/v1/courses/{course_id}/claim-requests/{claim_id}/approve", policy: rosterKeeper, write: true},
		{route: "POST /api/v1/courses/{course_id}/claim-requests/{claim_id}/refuse", policy: rosterKeeper, write: true, body: bodyOf(object{"reason": "x"})},
		{route: "GET /api/v1/claim-requests", policy: admins},
		{route: "POST /api/v1/claim-requests/{claim_id}/refuse", policy: admins, write: true, body: bodyOf(object{"reason": "x"})},
	}
	claimWebPolicy = []row{
		{route: "GET /account/claims", policy: signedIn},
		{route: "POST /account/claims", policy: signedIn, form: askForm},
		{route: "GET /account/claims/{claim_id}/withdraw", policy: signedIn},
		{route: "POST /account/claims/{claim_id}/withdraw", policy: strangers, write: true, form: formOf()},
		{route: "GET /courses/{course_id}/people/requests", policy: rosterKeeper},
		{route: "GET /courses/{course_id}/people/requests/{claim_id}/approve", policy: rosterKeeper},
		{route: "POST /courses/{course_id}/people/requests/{claim_id}/approve", policy: rosterKeeper, write: true, form: formOf()},
		{route: "GET /courses/{course_id}/people/requests/{claim_id}/refuse", policy: rosterKeeper},
		{route: "POST /courses/{course_id}/people/requests/{claim_id}/refuse", policy: rosterKeeper, write: true, form: formOf("reason", "x")},
		{route: "GET /admin/claims", policy: admins},
		{route: "GET /admin/claims/{claim_id}/refuse", policy: admins},
		{route: "POST /admin/claims/{claim_id}/refuse", policy: admins, write: true, form: formOf("reason", "x")},
	}
)

// makeClaim makes the request that a route is about: the stranger's own, or that of
// somebody else for the pupil of C.
func (f *fixture) makeClaim(route string) {
	f.t.Helper()
	ctx := context.Background()
	email, secret := "asked@uni.example", f.sessions[stranger] // the one that waits, if there is one
	if !strings.Contains(route, "withdraw") && !strings.Contains(route, "/me/") {
		f.claims++
		email = f.pupilAddress()
		_, secret = f.Active(fmt.Sprintf("elsewhere%d@uni.example", f.claims), "", "")
	}
	q, err := f.Service.AskClaim(ctx, f.As(secret), email)
	f.must(err)
	f.claim = q.ID
}
