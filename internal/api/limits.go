package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// Limit is how often something may happen, to one subject, on all nodes together.
type Limit struct {
	Name    string     `json:"name" example:"naming-person"`
	Label   string     `json:"label" doc:"What it counts, for people."`
	Per     string     `json:"per" enum:"person,course,domain,address,network,client" doc:"Of what it is counted."`
	Seconds int64      `json:"period_seconds" doc:"The period, which begins with the first use; 0: what counts is how many there are at the moment."`
	Amount  int64      `json:"amount" doc:"The limit as it holds."`
	Default int64      `json:"default" doc:"The limit where nobody has set it."`
	CanLift bool       `json:"can_lift" doc:"Whether it can be lifted for one person, course or domain."`
	SetByID *int64     `json:"set_by_id" doc:"Who set it; null: nobody has."`
	SetAt   *time.Time `json:"set_at"`
	Problem string     `json:"problem" doc:"The last part of the type of the problem, 429, with which it refuses."`
}

func limitWire(l *service.LimitState) Limit {
	return Limit{
		Name: string(l.Name), Label: string(l.Label), Per: string(l.Per), Seconds: int64(l.Period / time.Second), Amount: l.Amount, Default: l.Default, CanLift: l.CanLift(),
		SetByID: idOrNull(l.SetBy), SetAt: timeOrNull(l.SetAt), Problem: l.Type,
	}
}

// Lift is that a limit does not hold for one person, course or domain until a time.
type Lift struct {
	ID        int64      `json:"id"`
	Limit     string     `json:"limit"`
	UserID    *int64     `json:"user_id" doc:"For whom, of a limit per person."`
	CourseID  *int64     `json:"course_id" doc:"For which course, of a limit per course."`
	Domain    *string    `json:"domain" doc:"For which domain, of a limit per domain."`
	Reason    string     `json:"reason"`
	LiftedBy  int64      `json:"lifted_by_id"`
	LiftedAt  time.Time  `json:"lifted_at"`
	Until     time.Time  `json:"until"`
	EndedByID *int64     `json:"ended_by_id" doc:"Who ended it early."`
	EndedAt   *time.Time `json:"ended_at" doc:"When it was ended early."`
}

func liftWire(l *service.LiftOf) Lift {
	w := Lift{
		ID: l.ID, Limit: string(l.Limit), CourseID: idOrNull(l.CourseID), Domain: textOrNull(l.Domain), Reason: l.Reason, LiftedBy: l.LiftedBy, LiftedAt: l.LiftedAt.UTC(),
		Until: l.Until.UTC(), EndedAt: timeOrNull(l.EndedAt),
	}
	if l.UserID != lms.SystemUserID {
		w.UserID = &l.UserID
	}
	if !l.EndedAt.IsZero() {
		w.EndedByID = &l.EndedBy
	}
	return w
}

// LimitPatch sets a limit.
type LimitPatch struct {
	Limit  string `json:"limit" doc:"Its name."`
	Amount *int64 `json:"amount" nullable:"true" minimum:"1" maximum:"10000000" doc:"null: as it is where nobody has set it."`
}

// NewLift says which limit is lifted, for whom, and until when.
type NewLift struct {
	Limit    string    `json:"limit" doc:"One that can be lifted."`
	UserID   int64     `json:"user_id,omitempty" minimum:"1" doc:"For whom, of a limit per person; or email."`
	Email    string    `json:"email,omitempty" doc:"For whom; they have to be known here."`
	CourseID int64     `json:"course_id,omitempty" minimum:"1" doc:"Of a limit per course."`
	Domain   string    `json:"domain,omitempty" doc:"Of a limit per domain." example:"gmail.com"`
	Until    time.Time `json:"until" doc:"Within a year."`
	Reason   string    `json:"reason,omitempty" doc:"For those who look at the list later; at most 200 characters."`
}

type (
	listLimitsIn struct{ Paging }
	patchLimitIn struct {
		Body LimitPatch
	}
	listLiftsIn struct {
		InForce bool `query:"in_force" doc:"Only those in force."`
		Paging
	}
	createLiftIn struct {
		Repeatable
		Body NewLift
	}
	liftIn struct {
		LiftID int64 `path:"lift_id" minimum:"1"`
	}
)

func (a *API) registerLimits() {
	register(a, op(http.MethodGet, "/limits", "list-limits", tagLimits, "The limits, as they hold",
		"Over a limit the answer is 429 with Retry-After, and nothing is changed. For administrators, to whom the limits on naming, telling and searching do not apply."), a.listLimits)
	register(a, op(http.MethodPatch, "/limits", "update-limit", tagLimits, "Set a limit for the whole site", "For administrators."), a.patchLimit)
	register(a, op(http.MethodGet, "/limit-lifts", "list-limit-lifts", tagLimits, "Lifted limits", "Newest first, also those that are over, for a year. For administrators."), a.listLifts)
	register(a, op(http.MethodPost, "/limit-lifts", "create-limit-lift", tagLimits, "Lift a limit for one person, course or domain",
		"What is used meanwhile is counted all the same. Class lists that wait for a limit are tried again at once. For administrators."), a.createLift)
	register(a, op(http.MethodDelete, "/limit-lifts/{lift_id}", "delete-limit-lift", tagLimits, "End a lifted limit early", "The limit holds again, with what was used within its present period. For administrators."), a.deleteLift)
}

func (a *API) listLimits(ctx context.Context, c *call, in *listLimitsIn) (*page[Limit], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	list, err := a.svc.Limits(ctx, c.caller)
	if err != nil {
		return nil, err
	}
	list = list[min(from.id, int64(len(list))):]
	var next place
	if len(list) > in.Limit {
		list = slices.Clip(list[:in.Limit])
		next.id = from.id + int64(in.Limit)
	}
	return listOf(list, limitWire, c.next(next)), nil
}

func (a *API) patchLimit(ctx context.Context, c *call, in *patchLimitIn) (*answer[Limit], error) {
	var amount int64
	if in.Body.Amount != nil {
		amount = *in.Body.Amount
	}
	l, err := a.svc.SetLimit(ctx, c.caller, lms.LimitName(in.Body.Limit), amount)
	if err != nil {
		return nil, err
	}
	return &answer[Limit]{limitWire(&l)}, nil
}

func (a *API) listLifts(ctx context.Context, c *call, in *listLiftsIn) (*page[Lift], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := a.svc.Lifts(ctx, c.caller, in.InForce, from.id, in.Limit)
	if err != nil {
		return nil, err
	}
	return listOf(found.Lifts, liftWire, c.next(place{id: found.Next})), nil
}

func (a *API) createLift(ctx context.Context, c *call, in *createLiftIn) (*created[Lift], error) {
	b := &in.Body
	l, err := a.svc.Lift(ctx, c.caller, service.NewLift{
		Limit: lms.LimitName(b.Limit), Person: service.PersonRef{UserID: b.UserID, Email: b.Email}, CourseID: b.CourseID, Domain: b.Domain, Until: b.Until, Reason: b.Reason,
	}, c.once())
	if err != nil {
		return nil, err
	}
	return &created[Lift]{Location: fmt.Sprintf("%s/limit-lifts/%d", v1, l.ID), Body: liftWire(&l)}, nil
}

func (a *API) deleteLift(ctx context.Context, c *call, in *liftIn) (*empty, error) {
	return nil, a.svc.EndLift(ctx, c.caller, in.LiftID)
}
