package api

import (
	"context"
	"fmt"
	"net/http"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// Role is a reusable set of privileges of a course.
type Role struct {
	ID         int64           `json:"id"`
	Key        string          `json:"key" doc:"What requests call it, such as lab-tutor. It follows from the name."`
	Name       string          `json:"name"`
	Preset     bool            `json:"preset" doc:"One of the five that every course has, which stay as they are."`
	Privileges []lms.Privilege `json:"privileges"`
	People     *int64          `json:"people,omitempty" doc:"How many have it; only when roles are read."`
}

func roleWire(r *lms.Role) Role {
	return Role{ID: r.ID, Key: r.Key, Name: r.Name, Preset: r.Preset, Privileges: r.Privileges.List()}
}

func roleOfWire(r *service.RoleOf) Role {
	w := roleWire(&r.Role)
	w.People = &r.People
	return w
}

type (
	createRoleIn struct {
		InCourse
		Repeatable
		Body NewRole
	}
	roleIn struct {
		InCourse
		RoleID int64 `path:"role_id" minimum:"1"`
	}
	patchRoleIn struct {
		InCourse
		RoleID int64 `path:"role_id" minimum:"1"`
		Body   RolePatch
	}
)

// NewRole is a custom role to be made.
type NewRole struct {
	Name       string   `json:"name" doc:"At most 60 characters." example:"Lab tutor"`
	Privileges []string `json:"privileges" doc:"What it gives. Managing implies viewing." example:"[\"roster.view\"]"`
}

// RolePatch changes what is there, for everybody who has the role.
type RolePatch struct {
	Name       *string   `json:"name,omitempty" nullable:"false"`
	Privileges *[]string `json:"privileges,omitempty"`
}

func (a *API) registerRoles() {
	register(a, op(http.MethodGet, "/courses/{course_id}/roles", "list-roles", tagCourses, "The roles of a course",
		"The five presets, highest first, and the course's own roles, with the number of people who have each. The caller needs roster.view."), a.listRoles)
	register(a, op(http.MethodPost, "/courses/{course_id}/roles", "create-role", tagCourses, "Make a role",
		"A role of the course's own. The caller needs staff.manage, and cannot put into it what they do not hold.",
		http.StatusConflict), a.createRole)
	register(a, op(http.MethodGet, "/courses/{course_id}/roles/{role_id}", "get-role", tagCourses, "One role", "A role of the course."), a.getRole)
	register(a, op(http.MethodPatch, "/courses/{course_id}/roles/{role_id}", "update-role", tagCourses, "Change a role",
		"Changes a role of the course's own for everybody who has it. Nobody edits the role that they have themselves; presets stay as they are.",
		http.StatusConflict), a.patchRole)
	register(a, op(http.MethodDelete, "/courses/{course_id}/roles/{role_id}", "delete-role", tagCourses, "Delete a role",
		"Removes a role of the course's own that nobody has.", http.StatusConflict), a.deleteRole)
}

func (a *API) listRoles(ctx context.Context, c *call, in *courseIn) (*page[Role], error) {
	list, err := a.svc.Roles(ctx, c.caller, in.CourseID)
	if err != nil {
		return nil, err
	}
	return listOf(list, roleOfWire, nil), nil
}

func (a *API) createRole(ctx context.Context, c *call, in *createRoleIn) (*created[Role], error) {
	r, err := a.svc.CreateRole(ctx, c.caller, in.CourseID, service.RoleFields{Name: in.Body.Name, Privileges: in.Body.Privileges}, c.once())
	if err != nil {
		return nil, err
	}
	return &created[Role]{Location: fmt.Sprintf("%s/courses/%d/roles/%d", v1, in.CourseID, r.ID), Body: roleWire(&r)}, nil
}

func (a *API) getRole(ctx context.Context, c *call, in *roleIn) (*answer[Role], error) {
	list, err := a.svc.Roles(ctx, c.caller, in.CourseID)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].Role.ID == in.RoleID {
			return &answer[Role]{roleOfWire(&list[i])}, nil
		}
	}
	return nil, lms.NotFound("role")
}

func (a *API) patchRole(ctx context.Context, c *call, in *patchRoleIn) (*answer[Role], error) {
	r, err := a.svc.UpdateRole(ctx, c.caller, in.CourseID, in.RoleID, service.RolePatch(in.Body))
	if err != nil {
		return nil, err
	}
	return &answer[Role]{roleWire(&r)}, nil
}

func (a *API) deleteRole(ctx context.Context, c *call, in *roleIn) (*empty, error) {
	return nil, a.svc.DeleteRole(ctx, c.caller, in.CourseID, in.RoleID)
}
