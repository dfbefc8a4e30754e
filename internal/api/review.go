package api

import (
	"context"
	"net/http"

	"matricula/internal/service"
)

// DoubtfulGrant is what a member of a course holds from somebody who could not give it
// today.
type DoubtfulGrant struct {
	Member     Member  `json:"member"`
	Role       *string `json:"role" doc:"The role that is in doubt; null when it is none."`
	RoleBy     *Person `json:"role_by" doc:"Who gave it."`
	RoleDoubt  *string `json:"role_doubt" enum:"erased,suspended,left,lacks" doc:"Why they could not give it today: their account is erased or suspended, they left the course, or they may no longer."`
	Privileges bool    `json:"privileges" doc:"true: what is set beside the role, allow and deny, is in doubt."`
	SetBy      *Person `json:"set_by" doc:"Who set it."`
	SetDoubt   *string `json:"set_doubt" enum:"erased,suspended,left,lacks"`
}

type (
	reviewIn struct {
		InCourse
		Paging
	}
	reviewedIn struct {
		InCourse
		AboutUser
	}
)

func (a *API) registerReview() {
	const path = "/courses/{course_id}/grants-to-review"
	register(a, op(http.MethodGet, path, "list-grants-to-review", tagPeople, "Grants to review",
		"Who has a say in the course from somebody who could not give it today, in the order of the users' ids. The caller needs staff.manage."), a.listReview)
	confirm := op(http.MethodPost, path+"/{user_id}/confirm", "confirm-grant", tagPeople, "Let somebody keep what is in doubt",
		"The caller answers for it from then on, as if they had given it, and so has to hold it. Nothing changes when nothing is in doubt.", http.StatusConflict)
	confirm.DefaultStatus = http.StatusOK
	register(a, confirm, a.confirmGrant)
	register(a, op(http.MethodDelete, path+"/{user_id}", "take-grant", tagPeople, "Take away what is in doubt",
		"The role, what is set beside it, or both. 409 last-owner when the course would lose its only active owner.", http.StatusConflict), a.takeGrant)
}

func (a *API) listReview(ctx context.Context, c *call, in *reviewIn) (*page[DoubtfulGrant], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	p, err := a.svc.GrantsToReview(ctx, c.caller, in.CourseID, from.id, in.Limit)
	if err != nil {
		return nil, err
	}
	return listOf(p.Grants, func(g *service.DoubtfulGrant) DoubtfulGrant {
		w := DoubtfulGrant{Member: a.memberWire(&g.Member), RoleDoubt: textOrNull(string(g.RoleDoubt)), SetDoubt: textOrNull(string(g.SetDoubt)), Privileges: g.SetDoubt != ""}
		if g.RoleDoubt != "" {
			w.Role, w.RoleBy = textOrNull(g.Member.Enrollment.Role.Key), personWire(&g.AddedBy)
		}
		if g.SetDoubt != "" {
			w.SetBy = personWire(&g.GrantedBy)
		}
		return w
	}, c.next(place{id: p.Next})), nil
}

func (a *API) confirmGrant(ctx context.Context, c *call, in *reviewedIn) (*answer[Member], error) {
	m, err := a.svc.ConfirmGrant(ctx, c.caller, in.CourseID, in.UserID)
	if err != nil {
		return nil, err
	}
	return &answer[Member]{a.memberWire(&m)}, nil
}

func (a *API) takeGrant(ctx context.Context, c *call, in *reviewedIn) (*empty, error) {
	_, err := a.svc.TakeGrant(ctx, c.caller, in.CourseID, in.UserID)
	return nil, err
}
