package web

import (
	"net/http"
	"strings"

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

// personInput is a panel or a row as it was sent.
type personInput struct {
	Ref            service.PersonRef
	Role, RoleWas  string
	On, Was        []string // switches that are on, and that were on when the page was made: only what differs is meant
	ConfirmOutside bool
	Table          bool // a row of the table, not a panel
	Picks          bool // the table has a column in which people are selected
}

func readPersonInput(f form) personInput {
	return personInput{
		Ref:  service.PersonRef{UserID: f.id("user_id"), Email: f.text("email")},
		Role: f.text("role"), RoleWas: f.text("role_was"), On: f.list("privilege"), Was: strings.Fields(strings.Join(f.list("was"), " ")),
		ConfirmOutside: f.flag("confirm_outside"), Table: f.has("from"), Picks: f.text("from") == rowFrom(true),
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
	m, undo, err := w.apply(r, v, in)
	if err != nil {
		return w.saveProblem(rw, r, v, in, err)
	}
	if in.Table {
		return w.savedRow(rw, r, v, in, m, undo)
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

// apply does what a panel or row asks for: it changes what somebody changed on the page,
// and leaves the rest as it is by now. Else a page that is open since this morning gives
// back what was taken away at noon, or brings back who has left.
func (w *Web) apply(r *request, v service.CourseView, in personInput) (m lms.Member, undo string, err error) {
	on, err := lms.ParsePrivileges(in.On, "privilege")
	if err != nil {
		return m, "", err
	}
	was, err := lms.ParsePrivileges(in.Was, "was")
	if err != nil {
		return m, "", err
	}
	change := service.PrivilegeChange{CourseID: v.Course.ID, Person: in.Ref, Role: in.newRole(), ConfirmOutside: in.ConfirmOutside}
	change.Within = in.Ref.UserID > 0
	switch {
	case change.Role == "" && on == was:
		m, err = w.unchanged(r, v, in)
		return m, "", err
	case on == was:
		m, err = w.giveRole(r, v, in)
		return m, "", err
	}
	change.On, change.Off = nameList(on&^was), nameList(was&^on)
	res, err := w.svc.ChangePrivileges(r.Context(), r.caller, change)
	if err == nil && res.Result == service.ResultChanged {
		undo = writeUndo(service.PlaceChange{UserID: res.UserID, Was: res.After, To: res.Before})
	}
	return res.Member, undo, err
}

// unchanged answers a panel in which nothing was chosen.
func (w *Web) unchanged(r *request, v service.CourseView, in personInput) (lms.Member, error) {
	m, _, err := w.svc.LookUpRef(r.Context(), r.caller, v.Course.ID, in.Ref)
	if err != nil {
		return lms.Member{}, err
	}
	if m == nil || (m.Enrollment == nil && m.Grant == nil) {
		if in.Ref.UserID > 0 {
			return lms.Member{}, service.ErrLeft
		}
		return lms.Member{}, lms.Invalid("nothing-chosen", "role", "Nothing was saved yet: choose a role, or switch on what this person may do.")
	}
	return *m, nil
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
	if in.Ref.UserID > 0 {
		return lms.Member{}, service.ErrLeft
	}
	request := service.EnrollRequest{CourseID: v.Course.ID, Emails: []string{in.Ref.Email}, Role: in.Role, Source: lms.SourceManual, ConfirmOutside: in.ConfirmOutside}
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
func (w *Web) savedRow(rw http.ResponseWriter, r *request, v service.CourseView, in personInput, m lms.Member, undo string) error {
	row := w.rowOf(r, v, m)
	row.Undo = undo
	if !r.enhanced() {
		return w.done(rw, r, coursePath(v.Course.ID, "/people")+"#"+row.rowID(), "saved")
	}
	row.Saved = r.words.T("Saved")
	row.Toast = toastOf(&m, undo)
	on, err := lms.ParsePrivileges(in.On, "privilege")
	if err != nil {
		return err
	}
	was, err := lms.ParsePrivileges(in.Was, "was")
	if err != nil {
		return err
	}
	if kept := m.Effective() & was &^ on; kept != 0 {
		row.Saved = r.words.T("Saved; “%s” stays on, since managing needs it", kept.Labels())
	}
	w.renderPart(rw, r, http.StatusOK, rowPart(row, in.Picks))
	return nil
}

// saveProblem shows why something was not saved: in the row, which then shows
// what is stored, or in the panel, which keeps what was chosen.
func (w *Web) saveProblem(rw http.ResponseWriter, r *request, v service.CourseView, in personInput, cause error) error {
	p, status, ok := refusedIn(rw, r, cause)
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
		row := w.rowOf(r, v, *m)
		row.Problem = p
		w.renderPart(rw, r, status, rowPart(row, in.Picks))
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

// toastOf says in a sentence what was switched for somebody, as far as that can
// be told from what would undo it.
func toastOf(m *lms.Member, undo string) lms.Text {
	name := callText(&m.User)
	change, ok := readUndo(undo)
	if !ok {
		return lms.Say("Saved for %s.", name)
	}
	was := *m
	was.Grant = &lms.Grant{Allow: change.To.Allow, Deny: change.To.Deny}
	on, off := m.Effective()&^was.Effective(), was.Effective()&^m.Effective()
	switch {
	case change.Was.Role != change.To.Role, (on == 0) == (off == 0):
		return lms.Say("Saved for %s.", name)
	case on != 0:
		return lms.Say("%s may now: %s.", name, on.Labels())
	}
	return lms.Say("%s may no longer: %s.", name, off.Labels())
}
