package api

import (
	"context"
	"net/http"
	"strconv"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// ListedUser is a user, with their place in a course when the list asks for
// one.
type ListedUser struct {
	User
	*CoursePlace
}

// listUsersIn asks for a page of the user table.
type listUsersIn struct {
	Search        string `query:"search" doc:"A part of a name or an address of at least two letters, or a whole address."`
	CourseID      int64  `query:"course_id" minimum:"1" doc:"Shows each user's place in this course: course_privileges, enrollment, allow, deny."`
	Status        string `query:"status" enum:"pending,active,suspended"`
	HasPrivileges bool   `query:"has_privileges" doc:"true: only who has privileges in the course; needs course_id."`
	Paging
}

type nameUserIn struct {
	Repeatable
	Body NewUser
}

// NewUser names a person.
type NewUser struct {
	Email      string `json:"email" doc:"As people type it: case does not matter."`
	GivenName  string `json:"given_name,omitempty"`
	FamilyName string `json:"family_name,omitempty"`
	SiteRole   string `json:"site_role,omitempty" doc:"member, teacher or admin. Left out: as it is, member for somebody new."`
}

type patchUserIn struct {
	AboutUser
	Body UserPatch
}

// UserPatch changes what is there.
type UserPatch struct {
	SiteRole      *string `json:"site_role,omitempty" nullable:"false" doc:"member, teacher or admin."`
	Status        *string `json:"status,omitempty" nullable:"false" doc:"suspended, which ends all sessions at once; or active, which restores a suspended account (pending for somebody who has never signed in)."`
	OrphanCourses bool    `json:"orphan_courses,omitempty" doc:"Confirms that suspending the person may leave courses without an active owner."`
	SuccessorID   *int64  `json:"successor_id,omitempty" nullable:"false" minimum:"1" doc:"Becomes the owner of every course that nobody else owns when the person is suspended; somebody who has signed in."`
}

func (a *API) registerUsers() {
	register(a, op(http.MethodGet, "/users", "list-users", tagUsers, "The user table",
		"The users whom the caller may see, in the order of their ids: everybody for an administrator; else the caller, the people of the courses whose roster they may see and, for whoever manages people in a course, what the directory setting of the installation adds. With course_id the caller needs the privilege roster.view there.",
		http.StatusNotFound), a.listUsers)
	register(a, op(http.MethodPost, "/users", "name-user", tagUsers, "Name a person",
		"Makes sure that the person of an address exists, for administrators. A known person keeps their names, and the answer has the same form. To add somebody to a course, use the course's own operations: they name people as well."), a.nameUser)
	register(a, op(http.MethodGet, "/users/{user_id}", "get-user", tagUsers, "One user",
		"A user whom the caller may see. 410 merged, with the id in merged_into, when they were merged into another whom the caller may see.", http.StatusGone), a.getUser)
	register(a, op(http.MethodPatch, "/users/{user_id}", "update-user", tagUsers, "Change a user",
		"Gives a site role, suspends or restores, for administrators. Nobody can change themselves. 409 last-owner when courses would lose their only active owner; successor_id or orphan_courses settles that.",
		http.StatusConflict), a.patchUser)
}

func (a *API) listUsers(ctx context.Context, c *call, in *listUsersIn) (*page[ListedUser], error) {
	if in.HasPrivileges && in.CourseID == 0 {
		return nil, malformed("query.has_privileges", "Say with course_id in which course the privileges should be.")
	}
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := a.svc.Directory(ctx, c.caller, service.DirectoryRequest{
		Search: in.Search, Status: lms.UserStatus(in.Status), CourseID: in.CourseID, HasPrivileges: in.HasPrivileges,
		After: from.id, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	return listOf(found.Members, func(m *lms.Member) ListedUser {
		u := ListedUser{User: userWire(&m.User)}
		if in.CourseID != 0 {
			p := a.placeWire(m)
			u.CoursePlace = &p
		}
		return u
	}, c.next(place{id: found.Next})), nil
}

func (a *API) nameUser(ctx context.Context, c *call, in *nameUserIn) (*created[User], error) {
	u, err := a.svc.NamePerson(ctx, c.caller, service.NewPerson{
		Email: in.Body.Email, GivenName: in.Body.GivenName, FamilyName: in.Body.FamilyName, SiteRole: in.Body.SiteRole,
	}, c.once())
	if err != nil {
		return nil, err
	}
	return &created[User]{Location: v1 + "/users/" + strconv.FormatInt(u.ID, 10), Body: userWire(&u)}, nil
}

type getUserIn struct{ AboutUser }

func (a *API) getUser(ctx context.Context, c *call, in *getUserIn) (*answer[User], error) {
	u, err := a.svc.User(ctx, c.caller, in.UserID)
	if err != nil {
		return nil, err
	}
	return &answer[User]{userWire(&u)}, nil
}

func (a *API) patchUser(ctx context.Context, c *call, in *patchUserIn) (*answer[User], error) {
	u, err := a.svc.UpdateUser(ctx, c.caller, in.UserID, service.UserPatch{
		SiteRole: in.Body.SiteRole, Status: in.Body.Status, OrphanCourses: in.Body.OrphanCourses,
		Successor: service.PersonRef{UserID: idOrNone(in.Body.SuccessorID)},
	})
	if err != nil {
		return nil, err
	}
	return &answer[User]{userWire(&u)}, nil
}
