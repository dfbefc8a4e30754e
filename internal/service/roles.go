package service

import (
	"context"
	"slices"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// RoleOf is a role with the number of people who have it; the type is the
// store's, for the faces that may not import it.
type RoleOf = store.RoleOf

// Roles lists a course's roles.
func (s *Service) Roles(ctx context.Context, c access.Caller, courseID int64) ([]RoleOf, error) {
	if _, err := s.look(ctx, c, access.RoleView, courseID); err != nil {
		return nil, err
	}
	return s.store.Reader().RolesOf(ctx, courseID)
}

// RoleFields is what people write about a custom role.
type RoleFields struct {
	Name       string
	Privileges []string
}

func (f RoleFields) parse() (lms.Role, error) {
	name, key, err := lms.CleanRoleName(f.Name)
	if err != nil {
		return lms.Role{}, err
	}
	set, err := lms.ParsePrivileges(f.Privileges, "privileges")
	return lms.Role{Key: key, Name: name, Privileges: lms.Effective(set, 0, 0)}, err
}

type roleAudit struct {
	Role       string          `json:"role"`
	Name       string          `json:"name"`
	Privileges []lms.Privilege `json:"privileges"`
}

func roleView(r lms.Role) roleAudit { return roleAudit{r.Key, r.Name, r.Privileges.List()} }

func roleTaken(r lms.Role) error {
	return lms.Invalid("role-name-taken", "name", "This course already has a role called %s. Choose another name.", r.Name)
}

// CreateRole makes a custom role of a course.
func (s *Service) CreateRole(ctx context.Context, c access.Caller, courseID int64, f RoleFields, once *Once) (lms.Role, error) {
	role, parseErr := f.parse()
	return doOnce(ctx, s, c, access.RoleCreate, courseID, once, func(ctx context.Context, w *work) (lms.Role, error) {
		if parseErr != nil {
			return role, parseErr
		}
		role.CourseID = courseID
		if err := w.delegator().MayChangeRole(&w.standing.Member, nil, role.Privileges); err != nil {
			return role, err
		}
		id, ok, err := w.tx.CreateRole(ctx, role)
		if err != nil {
			return role, err
		}
		if !ok {
			return role, roleTaken(role)
		}
		role.ID = id
		return role, w.record(ctx, 0, nil, roleView(role))
	})
}

// role finds a role of the course at hand by its id.
func (w *work) role(ctx context.Context, id int64) (lms.Role, error) {
	roles, err := w.tx.Roles(ctx, w.courseID)
	if err != nil {
		return lms.Role{}, err
	}
	for _, r := range roles {
		if r.ID == id {
			return r, nil
		}
	}
	return lms.Role{}, lms.NotFound("role")
}

// RolePatch changes what is not nil.
type RolePatch struct {
	Name       *string
	Privileges *[]string
}

// UpdateRole changes a custom role, for everybody who has it.
func (s *Service) UpdateRole(ctx context.Context, c access.Caller, courseID, roleID int64, p RolePatch) (lms.Role, error) {
	return doOnce(ctx, s, c, access.RoleUpdate, courseID, nil, func(ctx context.Context, w *work) (lms.Role, error) {
		before, err := w.role(ctx, roleID)
		if err != nil {
			return before, err
		}
		after := before
		if p.Name != nil && *p.Name != before.Name {
			if after.Name, after.Key, err = lms.CleanRoleName(*p.Name); err != nil {
				return before, err
			}
		}
		if p.Privileges != nil {
			set, err := lms.ParsePrivileges(*p.Privileges, "privileges")
			if err != nil {
				return before, err
			}
			after.Privileges = lms.Effective(set, 0, 0)
		}
		if err := w.delegator().MayChangeRole(&w.standing.Member, &before, after.Privileges); err != nil {
			return before, err
		}
		if after == before {
			w.nothingChanged()
			return before, nil
		}
		ok, err := w.tx.UpdateRole(ctx, after)
		if err != nil {
			return before, err
		}
		if !ok {
			return before, roleTaken(after)
		}
		return after, w.record(ctx, 0, roleView(before), roleView(after))
	})
}

// DeleteRole removes a custom role that nobody has.
func (s *Service) DeleteRole(ctx context.Context, c access.Caller, courseID, roleID int64) error {
	return s.do(ctx, c, access.RoleDelete, courseID, func(ctx context.Context, w *work) error {
		role, err := w.role(ctx, roleID)
		if err != nil {
			return err
		}
		if err := w.delegator().MayChangeRole(&w.standing.Member, &role, 0); err != nil {
			return err
		}
		roles, err := w.tx.RolesOf(ctx, courseID)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(roles, func(o RoleOf) bool { return o.Role.ID == role.ID }); i >= 0 && roles[i].People > 0 {
			n := roles[i].People
			return lms.Errorf(lms.CodeConflict, "role-in-use", "%d people have the role %s. Give them another role first.", n, role.Name)
		}
		if err := w.tx.DeleteRole(ctx, courseID, roleID); err != nil {
			return err
		}
		return w.record(ctx, 0, roleView(role), nil)
	})
}
