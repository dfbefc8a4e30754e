package web

import (
	"net/http"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// person shows somebody who is known, by id.
func (w *Web) person(rw http.ResponseWriter, r *request) error {
	v, id, err := w.readMember(r)
	if err != nil {
		return err
	}
	panel, err := w.knownPanel(r, v, id)
	if err != nil {
		return err
	}
	w.showPanel(rw, r, v, http.StatusOK, panel)
	return nil
}

// readMember reads the course and the person of a path. Whether there is such
// a person is asked later.
func (w *Web) readMember(r *request) (service.CourseView, int64, error) {
	v, err := w.readCourse(r)
	if err != nil {
		return v, 0, err
	}
	id, err := pathID(r, "user_id", "person")
	return v, id, err
}

// findPerson answers "Can't find the person?": it leads to who is in the
// course already, and shows everybody else the same panel. Nobody is made
// here; that happens when the panel is saved.
func (w *Web) findPerson(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	typed := f.text("email")
	m, address, err := w.svc.LookUpRef(r.Context(), r.caller, v.Course.ID, service.PersonRef{Email: typed})
	if err != nil {
		return w.findProblem(rw, r, v, typed, err)
	}
	if m != nil && (m.Enrollment != nil || m.Grant != nil) {
		w.redirect(rw, r, personPath(v.Course.ID, m.User.ID, ""))
		return nil
	}
	panel, err := w.newPanel(r, v, m, address)
	if err != nil {
		return err
	}
	w.showPanel(rw, r, v, http.StatusOK, panel)
	return nil
}

// findProblem shows what is wrong with an address that was typed, and what was
// perhaps meant.
func (w *Web) findProblem(rw http.ResponseWriter, r *request, v service.CourseView, typed string, err error) error {
	p, status, ok := asProblem(r.words, err)
	if !ok || lms.CodeOf(err) == lms.CodeForbidden {
		return err
	}
	find := findView{CourseID: v.Course.ID, Typed: lms.Clip(typed, 254), Problem: p}
	find.Suggest, _ = lms.SuggestedEmail(err)
	if r.enhanced() {
		w.renderPart(rw, r, status, findPart(find))
		return nil
	}
	w.render(rw, r, status, findPage(personView{Shell: w.courseShell(r, v, "Add somebody", "people"), Find: find}))
	return nil
}

// personInput is a panel or a row as it was sent.
type personInput struct {
	Ref            service.PersonRef
	Role, RoleWas  string
	On, Was        []string
	Diff           bool // Was was sent: only what differs from it was meant
	ConfirmOutside bool
	Table          bool // a row of the table, not a panel
}

func readPersonInput(f form) personInput {
	return personInput{
		Ref:  service.PersonRef{UserID: f.id("user_id"), Email: f.text("email")},
		Role: f.text("role"), RoleWas: f.text("role_was"), On: f.list("privilege"), Was: f.list("was"), Diff: f.has("role_was"),
		ConfirmOutside: f.flag("confirm_outside"), Table: f.text("from") == "table",
	}
}

// newRole is the role to be given, empty when it stays as it is.
func (in personInput) newRole() string {
	if in.Role == in.RoleWas {
		return ""
	}
	return in.Role
}

// savePerson saves the switches of somebody, and the role when the panel has
// one, whether or not anybody knows them yet.
func (w *Web) savePerson(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	in := readPersonInput(f)
	m, err := w.apply(r, v, in)
	if err != nil {
		return w.saveProblem(rw, r, v, in, err)
	}
	if in.Table {
		return w.savedRow(rw, r, v, in, m)
	}
	switch {
	case m.Enrollment == nil && m.Grant == nil:
		return w.done(rw, r, coursePath(v.Course.ID, "/people"), "left")
	case in.Ref.UserID == 0 && m.User.Pending():
		return w.done(rw, r, personPath(v.Course.ID, m.User.ID, ""), "named")
	case in.Ref.UserID == 0:
		return w.done(rw, r, personPath(v.Course.ID, m.User.ID, ""), "added")
	}
	return w.done(rw, r, personPath(v.Course.ID, m.User.ID, ""), "saved")
}

// apply does what a panel or row asks for. With a new role, the switches say
// what is to differ from what the role gives; without one, all that the person
// may do.
func (w *Web) apply(r *request, v service.CourseView, in personInput) (lms.Member, error) {
	on, err := lms.ParsePrivileges(in.On, "privilege")
	if err != nil {
		return lms.Member{}, err
	}
	was, err := lms.ParsePrivileges(in.Was, "was")
	if err != nil {
		return lms.Member{}, err
	}
	if in.newRole() == "" {
		if in.Diff && on == was {
			return w.unchanged(r, v, in)
		}
		return w.setExactly(r, v, in, on)
	}
	if on == was {
		return w.giveRole(r, v, in)
	}
	return w.svc.SetPrivileges(r.Context(), r.caller, service.PrivilegeChange{
		CourseID: v.Course.ID, Person: in.Ref, Role: in.newRole(), On: nameList(on &^ was), Off: nameList(was &^ on), ConfirmOutside: in.ConfirmOutside,
	})
}

// unchanged answers a panel in which nothing was chosen.
func (w *Web) unchanged(r *request, v service.CourseView, in personInput) (lms.Member, error) {
	m, _, err := w.svc.LookUpRef(r.Context(), r.caller, v.Course.ID, in.Ref)
	if err != nil {
		return lms.Member{}, err
	}
	if m == nil || (m.Enrollment == nil && m.Grant == nil) {
		return lms.Member{}, lms.Invalid("nothing-chosen", "role", "Nothing was saved yet: choose a role, or switch on what this person may do.")
	}
	return *m, nil
}

func (w *Web) setExactly(r *request, v service.CourseView, in personInput, set lms.PrivilegeSet) (lms.Member, error) {
	names := nameList(set)
	return w.svc.SetPrivileges(r.Context(), r.caller, service.PrivilegeChange{
		CourseID: v.Course.ID, Person: in.Ref, Exactly: &names, ConfirmOutside: in.ConfirmOutside,
	})
}

func nameList(set lms.PrivilegeSet) []string {
	names := make([]string, 0, len(lms.Privileges()))
	for _, p := range set.List() {
		names = append(names, string(p))
	}
	return names
}

// giveRole changes the role of a member, or enrolls somebody who is none.
func (w *Web) giveRole(r *request, v service.CourseView, in personInput) (lms.Member, error) {
	m, _, err := w.svc.LookUpRef(r.Context(), r.caller, v.Course.ID, in.Ref)
	if err != nil {
		return lms.Member{}, err
	}
	if m != nil && (m.Enrollment != nil || m.Grant != nil) {
		return w.svc.SetRole(r.Context(), r.caller, service.RoleChange{CourseID: v.Course.ID, UserID: m.User.ID, Role: in.Role})
	}
	request := service.EnrollRequest{CourseID: v.Course.ID, Role: in.Role, Source: lms.SourceManual, ConfirmOutside: in.ConfirmOutside}
	if in.Ref.Email != "" {
		request.Emails = []string{in.Ref.Email}
	} else {
		request.UserIDs = []int64{in.Ref.UserID}
	}
	rows, err := w.svc.Enroll(r.Context(), r.caller, request)
	if err != nil {
		return lms.Member{}, err
	}
	if len(rows) != 1 {
		return lms.Member{}, lms.NotFound("person")
	}
	if rows[0].Result == service.ResultRefused {
		return lms.Member{}, lms.Invalid(rows[0].Reason, "role", "%s", rows[0].Message)
	}
	report, err := w.svc.Access(r.Context(), r.caller, v.Course.ID, rows[0].UserID)
	return report.Member, err
}

// savedRow answers a row of the table: with the row when htmx asked, else with
// the table.
func (w *Web) savedRow(rw http.ResponseWriter, r *request, v service.CourseView, in personInput, m lms.Member) error {
	row := rowOf(r, v, m)
	if !r.enhanced() {
		return w.done(rw, r, coursePath(v.Course.ID, "/people")+"#"+row.rowID(), "saved")
	}
	row.Saved = "Saved"
	on, err := lms.ParsePrivileges(in.On, "privilege")
	if err != nil {
		return err
	}
	if kept := m.Effective() &^ on; kept != 0 {
		row.Saved = r.words.T("Saved; “%s” stays on, since managing needs it", kept.Labels())
	}
	w.renderPart(rw, r, http.StatusOK, rowPart(row))
	return nil
}

// saveProblem shows why something was not saved: in the row, which then shows
// what is stored, or in the panel, which keeps what was chosen.
func (w *Web) saveProblem(rw http.ResponseWriter, r *request, v service.CourseView, in personInput, cause error) error {
	p, status, ok := asProblem(r.words, cause)
	if !ok {
		return cause
	}
	ref := in.Ref
	if in.Ref.UserID > 0 {
		ref.Email = ""
	}
	m, address, err := w.svc.LookUpRef(r.Context(), r.caller, v.Course.ID, ref)
	if err != nil {
		if ref.Email != "" && lms.CodeOf(err) == lms.CodeInvalid {
			return w.findProblem(rw, r, v, ref.Email, err)
		}
		return cause
	}
	if in.Table && r.enhanced() && m != nil {
		row := rowOf(r, v, *m)
		row.Problem = p
		w.renderPart(rw, r, status, rowPart(row))
		return nil
	}
	var panel panelView
	if m != nil && (m.Enrollment != nil || m.Grant != nil) {
		panel, err = w.knownPanel(r, v, m.User.ID)
	} else {
		panel, err = w.newPanel(r, v, m, address)
	}
	if err != nil {
		return cause
	}
	panel.Problem, panel.Outside = p, p.Type == "outside-address"
	panel.keep(in)
	w.showPanel(rw, r, v, status, panel)
	return nil
}

// setRole changes the role alone.
func (w *Web) setRole(rw http.ResponseWriter, r *request) error {
	v, id, err := w.readMember(r)
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	in := personInput{Ref: service.PersonRef{UserID: id}, Role: f.text("role")}
	if _, err := w.svc.SetRole(r.Context(), r.caller, service.RoleChange{CourseID: v.Course.ID, UserID: id, Role: in.Role}); err != nil {
		return w.saveProblem(rw, r, v, in, err)
	}
	return w.done(rw, r, personPath(v.Course.ID, id, ""), "saved")
}
