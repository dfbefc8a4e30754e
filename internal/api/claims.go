package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// ClaimAsked is the caller's own request for what waits for an address.
type ClaimAsked struct {
	ID        int64     `json:"id"`
	Email     string    `json:"email" doc:"The address that was asked for, masked."`
	State     string    `json:"state" enum:"waiting,approved,refused,withdrawn,over" doc:"waiting: as far as is told, which is the same whether or not anybody is known by the address. over: nobody has answered in time."`
	Reason    *string   `json:"reason" doc:"Why it was refused, when somebody has written it."`
	AskedAt   time.Time `json:"asked_at"`
	ExpiresAt time.Time `json:"expires_at" doc:"Until when it is waited for an answer."`
}

// ClaimRequest is somebody's request for what waits for an address, as those see it who
// decide about it.
type ClaimRequest struct {
	ID         int64       `json:"id"`
	Requester  ClaimPerson `json:"requester" doc:"Who says that the address is theirs. The address is that of the account with which they signed in; the name comes from there too, and proves nothing."`
	Waits      ClaimPerson `json:"waits" doc:"Who waits with the address that was asked for."`
	AskedAt    time.Time   `json:"asked_at"`
	ExpiresAt  time.Time   `json:"expires_at"`
	NotifiedAt *time.Time  `json:"notified_at" doc:"When whoever reads the address was told by mail, and how to object; null: they were not."`
}

// ClaimPerson is one of the two of a request.
type ClaimPerson struct {
	UserID int64  `json:"user_id"`
	Name   string `json:"name"`
	Email  string `json:"email"`
}

// CourseClaimRequest is a request with what approving it would do in a course.
type CourseClaimRequest struct {
	ClaimRequest
	Now   CoursePlace `json:"now" doc:"What the requester has in the course."`
	Place CoursePlace `json:"place" doc:"What waits there for the address."`
	After CoursePlace `json:"after" doc:"What the requester would have."`
	Notes []string    `json:"notes" doc:"What somebody should know beforehand."`
	May   bool        `json:"may_approve"`
	Why   *string     `json:"why_not" doc:"Why the caller cannot approve it; null: they can."`
}

// ClaimReason is why a request is refused.
type ClaimReason struct {
	Reason string `json:"reason,omitempty" doc:"The requester reads it; at most 500 characters."`
}

type (
	askClaimIn struct {
		Body struct {
			Email string `json:"email" maxLength:"1000"`
		}
	}
	ownClaimIn struct {
		ClaimID int64 `path:"claim_id" minimum:"1"`
	}
	listClaimsIn   struct{ Paging }
	courseClaimsIn struct {
		InCourse
		Paging
	}
	courseClaimIn struct {
		InCourse
		ClaimID int64 `path:"claim_id" minimum:"1"`
	}
	refuseClaimIn struct {
		InCourse
		ClaimID int64 `path:"claim_id" minimum:"1"`
		Body    ClaimReason
	}
	rejectClaimIn struct {
		ClaimID int64 `path:"claim_id" minimum:"1"`
		Body    ClaimReason
	}
)

func (a *API) registerClaims() {
	empty := func(method, path, id, tag, summary, description string, errors ...int) huma.Operation {
		o := op(method, path, id, tag, summary, description, errors...)
		o.DefaultStatus = http.StatusNoContent
		return o
	}
	const own = "/me/claim-requests"
	ask := op(http.MethodPost, own, "ask-claim", tagAccount, "Ask for what waits for another address",
		"For somebody who has signed in with another account than the one by which their school knows them. If something waits for the address, those who gave it see the request and decide. Whether anything does is not told: the answer is the same for every address. Asking again for one changes nothing. A code to the address (POST /api/v1/me/addresses) is quicker, where mail is sent. 429 after five requests in a day.",
		http.StatusConflict, http.StatusTooManyRequests)
	ask.DefaultStatus = http.StatusOK
	register(a, ask, a.askClaim)
	register(a, op(http.MethodGet, own, "list-own-claims", tagAccount, "The caller's requests for what waits", "The newest first."), a.ownClaims)
	register(a, op(http.MethodDelete, own+"/{claim_id}", "withdraw-claim", tagAccount, "Withdraw a request for what waits", "404 unless it waits for an answer."), a.withdrawClaim)

	const in = "/courses/{course_id}/claim-requests"
	register(a, op(http.MethodGet, in, "list-course-claims", tagPeople, "Requests for what waits in a course",
		"Somebody says that they are one of those who have not arrived, and signed in with another account. For whoever manages the roster or the staff; the newest first. What the address has elsewhere is not told, and the caller's own requests are not among them."), a.courseClaims)
	register(a, empty(http.MethodPost, in+"/{claim_id}/approve", "approve-claim", tagPeople, "Give somebody what waits for them",
		"Moves what waits in the course for the address to the requester, where the caller could give it themselves; never the ownership of the course. What waits elsewhere, and the address, stay where they are. Ask the person face to face before. 409 claim-over when there is nothing to decide any more.", http.StatusConflict), a.approveClaim)
	register(a, empty(http.MethodPost, in+"/{claim_id}/refuse", "refuse-claim", tagPeople, "Refuse a request for what waits",
		"The requester is told, with the reason if there is one.", http.StatusConflict), a.refuseClaim)

	register(a, op(http.MethodGet, "/claim-requests", "list-claims", tagUsers, "Requests for what waits",
		"For administrators; the newest first. POST /api/v1/merges with the requester as keep and who waits as merge approves one as a whole."), a.listClaims)
	register(a, empty(http.MethodPost, "/claim-requests/{claim_id}/refuse", "reject-claim", tagUsers, "Refuse a request as a whole",
		"For administrators. The requester is told, with the reason if there is one.", http.StatusConflict), a.rejectClaim)
}

func askedWire(q *service.ClaimAsked) ClaimAsked {
	return ClaimAsked{ID: q.ID, Email: q.Address, State: string(q.Answer), Reason: textOrNull(q.Reason), AskedAt: q.AskedAt.UTC(), ExpiresAt: q.ExpiresAt.UTC()}
}

func claimPerson(u *lms.User) ClaimPerson {
	return ClaimPerson{u.ID, u.DisplayName(), string(u.Email)}
}

func claimWire(q *lms.ClaimRequest) ClaimRequest {
	return ClaimRequest{
		ID: q.ID, Requester: claimPerson(&q.Requester), Waits: claimPerson(&q.Waits), AskedAt: q.AskedAt.UTC(), ExpiresAt: q.ExpiresAt.UTC(), NotifiedAt: timeOrNull(q.ToldAt),
	}
}

func (a *API) courseClaimWire(q *service.ClaimToDecide) CourseClaimRequest {
	w := CourseClaimRequest{
		ClaimRequest: claimWire(&q.ClaimRequest), Now: a.placeWire(&q.Now), Place: a.placeWire(&q.Gone), After: a.placeWire(&q.Place.Member), Notes: []string{}, May: q.Why == nil,
	}
	for _, n := range q.Place.Notes {
		w.Notes = append(w.Notes, n.String())
	}
	if q.Why != nil {
		w.Why = textOrNull(q.Why.Error())
	}
	return w
}

func (a *API) askClaim(ctx context.Context, c *call, in *askClaimIn) (*answer[ClaimAsked], error) {
	q, err := a.svc.AskClaim(ctx, c.caller, in.Body.Email)
	if err != nil {
		return nil, err
	}
	return &answer[ClaimAsked]{askedWire(&q)}, nil
}

func (a *API) ownClaims(ctx context.Context, c *call, in *listClaimsIn) (*page[ClaimAsked], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	p, err := a.svc.ClaimsAsked(ctx, c.caller, from.id, in.Limit)
	if err != nil {
		return nil, err
	}
	return listOf(p.Requests, askedWire, c.next(place{id: p.Next})), nil
}

func (a *API) withdrawClaim(ctx context.Context, c *call, in *ownClaimIn) (*empty, error) {
	return nil, a.svc.WithdrawClaim(ctx, c.caller, in.ClaimID)
}

func (a *API) courseClaims(ctx context.Context, c *call, in *courseClaimsIn) (*page[CourseClaimRequest], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	p, err := a.svc.ClaimsIn(ctx, c.caller, in.CourseID, from.id, in.Limit)
	if err != nil {
		return nil, err
	}
	return listOf(p.Requests, a.courseClaimWire, c.next(place{id: p.Next})), nil
}

func (a *API) approveClaim(ctx context.Context, c *call, in *courseClaimIn) (*empty, error) {
	return nil, a.svc.ApproveClaim(ctx, c.caller, in.CourseID, in.ClaimID)
}

func (a *API) refuseClaim(ctx context.Context, c *call, in *refuseClaimIn) (*empty, error) {
	return nil, a.svc.RefuseClaim(ctx, c.caller, in.CourseID, in.ClaimID, in.Body.Reason)
}

func (a *API) listClaims(ctx context.Context, c *call, in *listClaimsIn) (*page[ClaimRequest], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	p, err := a.svc.OpenClaims(ctx, c.caller, from.id, in.Limit)
	if err != nil {
		return nil, err
	}
	return listOf(p.Requests, claimWire, c.next(place{id: p.Next})), nil
}

func (a *API) rejectClaim(ctx context.Context, c *call, in *rejectClaimIn) (*empty, error) {
	return nil, a.svc.RejectClaim(ctx, c.caller, in.ClaimID, in.Body.Reason)
}
