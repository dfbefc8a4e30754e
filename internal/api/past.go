package api

import (
	"context"
	"net/http"
	"time"

	"matricula/internal/lms"
)

// PastPlace is a place that somebody had in a course until they left or were
// removed.
type PastPlace struct {
	User      User            `json:"user"`
	Role      *string         `json:"role" doc:"The key of the role; null when there were only privileges."`
	RoleName  *string         `json:"role_name"`
	Allow     []lms.Privilege `json:"allow"`
	Deny      []lms.Privilege `json:"deny"`
	BeganAt   time.Time       `json:"began_at"`
	EndedAt   time.Time       `json:"ended_at"`
	EndedByID int64           `json:"ended_by_id" doc:"Who ended it: the person themselves when they left."`
	Back      bool            `json:"back" doc:"They are in the course again."`
}

func pastWire(p *lms.PastPlace) PastPlace {
	return PastPlace{
		User: userWire(&p.User), Role: textOrNull(p.Role.Key), RoleName: textOrNull(p.Role.Name), Allow: privilegeList(p.Allow), Deny: privilegeList(p.Deny),
		BeganAt: p.Began.UTC(), EndedAt: p.Ended.UTC(), EndedByID: p.EndedBy, Back: p.Back,
	}
}

type (
	listPastIn struct {
		InCourse
		Paging
	}
	restoreIn struct {
		InCourse
		AboutUser
	}
)

func (a *API) registerPast() {
	register(a, op(http.MethodGet, "/courses/{course_id}/past-enrollments", "list-past-enrollments", tagPeople, "Who was in the course",
		"Each with their last place, the last to leave first. The caller needs roster.view."), a.listPast)
	o := op(http.MethodPost, "/courses/{course_id}/past-enrollments/{user_id}", "restore-enrollment", tagPeople, "Take somebody back",
		"Gives back the role and the privileges that they had when they left. It takes what giving these takes. Somebody who is in the course stays as they are.", http.StatusConflict)
	o.DefaultStatus = http.StatusOK
	register(a, o, a.restorePlace)
}

func (a *API) listPast(ctx context.Context, c *call, in *listPastIn) (*page[PastPlace], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := a.svc.PastPeople(ctx, c.caller, in.CourseID, from.id, in.Limit)
	if err != nil {
		return nil, err
	}
	return listOf(found.People, pastWire, c.next(place{id: found.Next})), nil
}

func (a *API) restorePlace(ctx context.Context, c *call, in *restoreIn) (*answer[Member], error) {
	m, err := a.svc.RestorePlace(ctx, c.caller, in.CourseID, in.UserID)
	if err != nil {
		return nil, err
	}
	return &answer[Member]{a.memberWire(&m)}, nil
}
