package web

import (
	"net/http"
	"slices"
	"strings"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// rolesView is the page of a course's roles, with the form for a new one.
type rolesView struct {
	Shell    shell
	CourseID int64
	Roles    []service.RoleOf
	MayEdit  bool
	Form     roleForm
	Problem  problem
}

// roleForm is a role as typed.
type roleForm struct {
	ID       int64 // 0 for a new one
	Name     string
	Switches []panelSwitch
	Key      string // see formKey
}

func (w *Web) roles(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	return w.showRoles(rw, r, v, http.StatusOK, roleForm{}, nil, problem{})
}

func (w *Web) showRoles(rw http.ResponseWriter, r *request, v service.CourseView, status int, f roleForm, on []string, p problem) error {
	roles, err := w.svc.Roles(r.Context(), r.caller, v.Course.ID)
	if err != nil {
		return err
	}
	f.Key = formKey()
	f.Switches = roleSwitches(r, v, on)
	w.render(rw, r, status, rolesPage(rolesView{
		Shell: w.courseShell(r, v, r.words.T("Roles"), "roles"), CourseID: v.Course.ID, Roles: roles, MayEdit: may(r, access.RoleCreate, v), Form: f, Problem: p,
	}))
	return nil
}

// roleSwitches are the privileges that a role can give; those that the caller
// does not hold are locked.
func roleSwitches(r *request, v service.CourseView, on []string) []panelSwitch {
	holds := access.DelegatorOf(r.caller, standing(v)).Holds
	var list []panelSwitch
	for _, info := range lms.Privileges() {
		list = append(list, panelSwitch{
			switchView:  switchView{Privilege: info.Privilege, Label: info.Label, On: slices.Contains(on, string(info.Privilege)), Locked: !holds.Has(info.Privilege)},
			Description: info.Description,
		})
	}
	return list
}

func (w *Web) createRole(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	name, on := f.text("name"), f.list("privilege")
	_, err = w.svc.CreateRole(r.Context(), r.caller, v.Course.ID, service.RoleFields{Name: name, Privileges: on},
		once("POST "+coursePath(v.Course.ID, "/roles"), f.text("key"), name, strings.Join(on, ",")))
	if err == nil {
		return w.done(rw, r, coursePath(v.Course.ID, "/roles"), "role-created")
	}
	p, status, ok := asProblem(r.words, err)
	if !ok {
		return err
	}
	return w.showRoles(rw, r, v, status, roleForm{Name: name}, on, sentTwice(r.words, p))
}

// roleView is the page of one custom role.
type roleView struct {
	Shell    shell
	CourseID int64
	Role     service.RoleOf
	Form     roleForm
	Problem  problem
}

// readRole finds the role of a path.
func (w *Web) readRole(r *request) (service.CourseView, service.RoleOf, error) {
	v, err := w.readCourse(r)
	if err != nil {
		return v, service.RoleOf{}, err
	}
	id, err := pathID(r, "role_id", "role")
	if err != nil {
		return v, service.RoleOf{}, err
	}
	roles, err := w.svc.Roles(r.Context(), r.caller, v.Course.ID)
	if err != nil {
		return v, service.RoleOf{}, err
	}
	for _, role := range roles {
		if role.Role.ID == id {
			return v, role, nil
		}
	}
	return v, service.RoleOf{}, lms.NotFound("role")
}

func (w *Web) editRole(rw http.ResponseWriter, r *request) error {
	v, role, err := w.readRole(r)
	if err != nil {
		return err
	}
	if err := access.Decide(r.caller, access.RoleUpdate, standing(v)); err != nil {
		return err
	}
	if role.Role.Preset {
		return lms.Errorf(lms.CodeConflict, "preset-role", "%s is a built-in role and stays as it is. Make a role of your own instead.", role.Role.Title())
	}
	w.showRole(rw, r, v, http.StatusOK, role, role.Role.Name, privilegeNames(role.Role.Privileges), problem{})
	return nil
}

func privilegeNames(s lms.PrivilegeSet) []string {
	var names []string
	for _, p := range s.List() {
		names = append(names, string(p))
	}
	return names
}

func (w *Web) showRole(rw http.ResponseWriter, r *request, v service.CourseView, status int, role service.RoleOf, name string, on []string, p problem) {
	f := roleForm{ID: role.Role.ID, Name: name, Switches: roleSwitches(r, v, on)}
	w.render(rw, r, status, rolePage(roleView{
		Shell: w.courseShell(r, v, r.words.T("Role %s", role.Role.Name), "roles"), CourseID: v.Course.ID, Role: role, Form: f, Problem: p,
	}))
}

func (w *Web) updateRole(rw http.ResponseWriter, r *request) error {
	v, role, err := w.readRole(r)
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	name, on := f.text("name"), f.list("privilege")
	_, err = w.svc.UpdateRole(r.Context(), r.caller, v.Course.ID, role.Role.ID, service.RolePatch{Name: &name, Privileges: &on})
	if err == nil {
		return w.done(rw, r, coursePath(v.Course.ID, "/roles"), "role-saved")
	}
	return w.roleProblem(rw, r, v, role, name, on, err)
}

func (w *Web) roleProblem(rw http.ResponseWriter, r *request, v service.CourseView, role service.RoleOf, name string, on []string, err error) error {
	p, status, ok := asProblem(r.words, err)
	if !ok || role.Role.Preset {
		return err
	}
	w.showRole(rw, r, v, status, role, name, on, p)
	return nil
}

func (w *Web) deleteRole(rw http.ResponseWriter, r *request) error {
	v, role, err := w.readRole(r)
	if err != nil {
		return err
	}
	if err := w.svc.DeleteRole(r.Context(), r.caller, v.Course.ID, role.Role.ID); err != nil {
		return w.roleProblem(rw, r, v, role, role.Role.Name, privilegeNames(role.Role.Privileges), err)
	}
	return w.done(rw, r, coursePath(v.Course.ID, "/roles"), "role-deleted")
}
