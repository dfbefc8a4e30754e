package api

import (
	"context"
	"net/http"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// ErasureRequest is somebody's wish that their account be erased.
type ErasureRequest struct {
	ID        int64      `json:"id"`
	User      User       `json:"user" doc:"Who asks; a pseudonym once it is done."`
	State     string     `json:"state" enum:"open,withdrawn,refused,done"`
	Note      *string    `json:"note" doc:"What they wrote."`
	AskedAt   time.Time  `json:"asked_at"`
	DecidedBy *Person    `json:"decided_by" doc:"null while it is open."`
	DecidedAt *time.Time `json:"decided_at"`
	Answer    *string    `json:"answer" doc:"Why it was refused."`
}

func erasureWire(q *lms.ErasureRequest) ErasureRequest {
	w := ErasureRequest{
		ID: q.ID, User: userWire(&q.User), State: string(q.State), Note: textOrNull(q.Note), AskedAt: q.AskedAt.UTC(),
		DecidedAt: timeOrNull(q.DecidedAt), Answer: textOrNull(q.Answer),
	}
	if q.State != lms.ErasureOpen {
		w.DecidedBy = personWire(&q.DecidedBy)
	}
	return w
}

type (
	eraseUserIn struct {
		AboutUser
		OrphanCourses bool  `query:"orphan_courses" doc:"true: courses may be left without an active owner."`
		SuccessorID   int64 `query:"successor_id" minimum:"1" doc:"Becomes the owner of every course that nobody else owns; somebody who has signed in."`
	}
	askErasureIn struct {
		Body ErasureNote
	}
	listErasuresIn struct {
		State string `query:"state" enum:"open,withdrawn,refused,done" default:"open"`
		Paging
	}
	refuseErasureIn struct {
		RequestID int64 `path:"request_id" minimum:"1"`
		Body      ErasureAnswer
	}
)

// ErasureNote is what somebody writes who asks to be erased.
type ErasureNote struct {
	Note string `json:"note,omitempty" doc:"For the administrators; at most 500 characters."`
}

// ErasureAnswer is why a request is refused.
type ErasureAnswer struct {
	Reason string `json:"reason" doc:"The person reads it; at most 500 characters."`
}

func (a *API) registerErasures() {
	register(a, op(http.MethodDelete, "/users/{user_id}", "erase-user", tagUsers, "Erase a person",
		"Removes all that is personal about somebody, in one transaction and for good, and frees their address; for administrators. Their places in courses, announcements and the audit stay under the same id and a pseudonym. Somebody who has never signed in leaves their courses. An open request of theirs is thereby carried out. 409 last-owner when courses would lose their only active owner: name a successor, or confirm it.",
		http.StatusConflict), a.eraseUser)
	data := op(http.MethodPost, "/users/{user_id}/data", "export-user-data", tagUsers, "What is kept about a person",
		"For an administrator whom the person asked, as for somebody who has never signed in. Everything but the audit, which GET /api/v1/audit lists. In a session only; it stands in the audit, so it is a POST.")
	data.DefaultStatus = http.StatusOK
	register(a, data, a.userData)
	ask := op(http.MethodPost, "/me/erasure-request", "ask-erasure", tagAccount, "Ask to be erased",
		"An administrator carries the request out or refuses it. Asking again changes nothing. In a session only.", http.StatusConflict)
	ask.DefaultStatus = http.StatusOK
	register(a, ask, a.askErasure)
	register(a, op(http.MethodGet, "/me/erasure-request", "get-own-erasure", tagAccount, "The caller's request to be erased",
		"The last one, with the answer; 404 when there was none."), a.ownErasure)
	register(a, op(http.MethodDelete, "/me/erasure-request", "withdraw-erasure", tagAccount, "Withdraw the request to be erased",
		"404 when none is open. In a session only."), a.withdrawErasure)
	register(a, op(http.MethodGet, "/erasure-requests", "list-erasures", tagUsers, "Requests to be erased",
		"Newest first, for administrators. DELETE /api/v1/users/{user_id} carries one out."), a.listErasures)
	refuse := op(http.MethodPost, "/erasure-requests/{request_id}/refuse", "refuse-erasure", tagUsers, "Refuse a request to be erased",
		"For administrators. 409 already-decided when it is no longer open.", http.StatusConflict)
	refuse.DefaultStatus = http.StatusOK
	register(a, refuse, a.refuseErasure)
}

func (a *API) eraseUser(ctx context.Context, c *call, in *eraseUserIn) (*empty, error) {
	_, err := a.svc.EraseUser(ctx, c.caller, in.UserID, service.Leaving{OrphanCourses: in.OrphanCourses, Successor: service.PersonRef{UserID: in.SuccessorID}})
	return nil, err
}

func (a *API) userData(ctx context.Context, c *call, in *getUserIn) (*answer[service.OwnDocument], error) {
	d, err := a.svc.DataOf(ctx, c.caller, in.UserID)
	if err != nil {
		return nil, err
	}
	return &answer[service.OwnDocument]{d.Document()}, nil
}

func (a *API) askErasure(ctx context.Context, c *call, in *askErasureIn) (*answer[ErasureRequest], error) {
	q, err := a.svc.AskErasure(ctx, c.caller, in.Body.Note)
	if err != nil {
		return nil, err
	}
	return &answer[ErasureRequest]{erasureWire(&q)}, nil
}

func (a *API) ownErasure(ctx context.Context, c *call, _ *nothing) (*answer[ErasureRequest], error) {
	q, err := a.svc.OwnErasure(ctx, c.caller)
	if err != nil {
		return nil, err
	}
	if q == nil {
		return nil, lms.NotFound("request")
	}
	return &answer[ErasureRequest]{erasureWire(q)}, nil
}

func (a *API) withdrawErasure(ctx context.Context, c *call, _ *nothing) (*empty, error) {
	return nil, a.svc.WithdrawErasure(ctx, c.caller)
}

func (a *API) listErasures(ctx context.Context, c *call, in *listErasuresIn) (*page[ErasureRequest], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	p, err := a.svc.Erasures(ctx, c.caller, lms.ErasureState(in.State), from.id, in.Limit)
	if err != nil {
		return nil, err
	}
	return listOf(p.Requests, erasureWire, c.next(place{id: p.Next})), nil
}

func (a *API) refuseErasure(ctx context.Context, c *call, in *refuseErasureIn) (*answer[ErasureRequest], error) {
	q, err := a.svc.RefuseErasure(ctx, c.caller, in.RequestID, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &answer[ErasureRequest]{erasureWire(&q)}, nil
}
