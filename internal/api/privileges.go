package api

import (
	"context"
	"errors"
	"net/http"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// Privilege is one thing that can be allowed in a course.
type Privilege struct {
	Privilege   lms.Privilege   `json:"privilege" example:"roster.view"`
	Label       string          `json:"label" doc:"Its name, for people."`
	Description string          `json:"description" doc:"What it allows, for people."`
	Implies     []lms.Privilege `json:"implies" doc:"What it brings with it: managing implies viewing."`
}

// setPrivilegesIn sets what a person may do in a course.
type setPrivilegesIn struct {
	UserID   int64  `path:"user_id" minimum:"-1" doc:"The person's id; -1 for somebody who is named by address."`
	CourseID int64  `query:"course_id" required:"true" minimum:"1" doc:"The course."`
	Email    string `query:"email" doc:"The person's address. It is better sent in the body, since addresses in URLs end up in logs."`
	Body     PrivilegeChange
}

// PrivilegeChange is what a person may do in a course: the whole of it, or
// what is allowed and denied beside their role.
type PrivilegeChange struct {
	CoursePrivileges *[]string `json:"course_privileges,omitempty" doc:"Everything that the person may do in the course. What has to be allowed or denied beside their role is worked out; managing implies viewing."`
	Allow            *[]string `json:"allow,omitempty" doc:"What is allowed beside the role. Together with deny it replaces what was set; the one that is left out is empty."`
	Deny             *[]string `json:"deny,omitempty" doc:"What is denied whatever the role gives."`
	Role             string    `json:"role,omitempty" doc:"The key of a role to give in the same step; what is set beside it then refers to the new role."`
	Email            string    `json:"email,omitempty" doc:"The person's address, for when there is no user with the id."`
	ConfirmOutside   bool      `json:"confirm_outside,omitempty" doc:"Confirms that an unknown address outside the school's own domains is meant."`
}

func (a *API) registerPrivileges() {
	register(a, op(http.MethodGet, "/privileges", "list-privileges", tagCourses, "What can be allowed",
		"Every privilege, with its label and description, in the order in which pages show them."), a.listPrivileges)
	register(a, op(http.MethodPatch, "/users/{user_id}/privileges", "set-privileges", tagPeople, "Set what a person may do in a course",
		"The id is tried first. If there is no such user, -1 by convention, and an address is given, in the body or in the query, the person with that address is used, or named when nobody has it: they become a pending user, who finds these privileges on their first sign-in. No such user and no address: 404. Send course_privileges, or allow and deny; a role may go with them, and all is done or nothing. The caller needs staff.manage, and can change only what they hold; whether they may is decided before anybody is named.",
		http.StatusConflict), a.setPrivileges)
}

func (a *API) listPrivileges(_ context.Context, _ *call, _ *nothing) (*page[Privilege], error) {
	return listOf(lms.Privileges(), func(p *lms.PrivilegeInfo) Privilege {
		implies := p.Implies
		if implies == nil {
			implies = []lms.Privilege{}
		}
		return Privilege{Privilege: p.Privilege, Label: string(p.Label), Description: string(p.Description), Implies: implies}
	}, nil), nil
}

func (a *API) setPrivileges(ctx context.Context, c *call, in *setPrivilegesIn) (*answer[Member], error) {
	change, err := in.change()
	if err != nil {
		return nil, err
	}
	m, err := a.svc.SetPrivileges(ctx, c.caller, change)
	if err != nil {
		if in.Body.Email == "" {
			err = relocated(err, "email", "query.email")
		}
		return nil, err
	}
	return &answer[Member]{a.memberWire(&m)}, nil
}

func (in *setPrivilegesIn) change() (service.PrivilegeChange, error) {
	b := &in.Body
	p := service.PrivilegeChange{CourseID: in.CourseID, Role: b.Role, Exactly: b.CoursePrivileges, ConfirmOutside: b.ConfirmOutside}
	switch {
	case b.CoursePrivileges == nil && b.Allow == nil && b.Deny == nil && b.Role == "":
		return p, invalid("body.course_privileges", "Send course_privileges, or allow and deny. An empty list takes everything away.")
	case b.CoursePrivileges != nil && (b.Allow != nil || b.Deny != nil):
		return p, &fault{status: http.StatusUnprocessableEntity, typ: "two-forms", location: "body.course_privileges", message: "Send either course_privileges or allow and deny, not both."}
	}
	if b.Allow != nil {
		p.Allow = *b.Allow
	}
	if b.Deny != nil {
		p.Deny = *b.Deny
	}
	email, err := in.address()
	p.Person = service.PersonRef{UserID: max(in.UserID, 0), Email: email}
	return p, err
}

// address is the one address of the request: two that differ could each be
// meant, and one of them might be what another reader looks at.
func (in *setPrivilegesIn) address() (string, error) {
	switch {
	case in.Email == "":
		return in.Body.Email, nil
	case in.Body.Email == "" || in.Body.Email == in.Email:
		return in.Email, nil
	}
	one, errOne := lms.ParseEmail(in.Email)
	other, errOther := lms.ParseEmail(in.Body.Email)
	if errOne != nil || errOther != nil || one != other {
		return "", &fault{status: http.StatusBadRequest, typ: "two-addresses", location: "query.email", message: "The body and the query name two different addresses. Send one."}
	}
	return in.Body.Email, nil
}

// relocated moves an error about one place to where the request really had it.
func relocated(err error, from, to string) error {
	var e *lms.Error
	if !errors.As(err, &e) || len(e.Fields) == 0 {
		return err
	}
	moved := *e
	moved.Fields = make([]lms.FieldError, len(e.Fields))
	for i, f := range e.Fields {
		if f.Location == from {
			f.Location = to
		}
		moved.Fields[i] = f
	}
	return &moved
}
