package web

import (
	"net/http"
	"slices"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// findView is the form for somebody who is not in the table.
type findView struct {
	CourseID int64
	Typed    string
	Problem  problem
	Suggest  lms.Email // what a slip was perhaps meant to be
}

// panelView is one person in one course, known or not: role, switches, save.
type panelView struct {
	CourseID int64
	Course   string
	Member   *lms.Member // nil for somebody whom nobody knows yet
	Address  lms.Email
	Hint     string // what to look out for in the address
	In       bool   // has a place in the course

	Roles     []roleChoice // that the reader may give; none: the role stays as it is
	Role      string       // chosen
	RoleWas   string       // as it is stored
	Switches  []panelSwitch
	MaySwitch bool
	MayRemove bool
	You       bool
	Archived  bool
	Outside   bool // the address needs a confirmation
	Problem   problem
	Report    *service.AccessReport
	Mail      bool // the person is told by mail
}

// roleChoice is a role that can be given.
type roleChoice struct{ Key, Name, Gives string }

// panelSwitch is a privilege with the reason why it is as it is.
type panelSwitch struct {
	switchView
	Description string
	Was         bool
	Why         string
}

// personView is the page of a panel.
type personView struct {
	Shell shell
	Panel panelView
	Find  findView
}

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

func (w *Web) showPanel(rw http.ResponseWriter, r *request, v service.CourseView, status int, p panelView) {
	if r.enhanced() {
		w.renderPart(rw, r, status, panelPart(p))
		return
	}
	title := p.Address.Display()
	if p.Member != nil {
		title = callName(&p.Member.User)
	}
	w.render(rw, r, status, personPage(personView{Shell: w.courseShell(r, v, title, "people"), Panel: p, Find: findView{CourseID: v.Course.ID}}))
}

// knownPanel is the panel of somebody who is known and visible to the caller.
func (w *Web) knownPanel(r *request, v service.CourseView, userID int64) (panelView, error) {
	report, err := w.svc.Access(r.Context(), r.caller, v.Course.ID, userID)
	if err != nil {
		return panelView{}, err
	}
	p, err := w.panelOf(r, v, &report.Member)
	if err != nil {
		return p, err
	}
	p.Report, p.MayRemove = &report, report.MayRemove && p.In
	for i, e := range report.Explanations {
		if i < len(p.Switches) {
			p.Switches[i].Why = sentence(e, &report)
		}
	}
	return p, nil
}

// newPanel is the panel of an address: nobody knows it, or somebody has it who
// has no place in the course.
func (w *Web) newPanel(r *request, v service.CourseView, m *lms.Member, address lms.Email) (panelView, error) {
	p, err := w.panelOf(r, v, m)
	p.Address, p.Hint = address, lms.EmailHint(address)
	return p, err
}

func (w *Web) panelOf(r *request, v service.CourseView, m *lms.Member) (panelView, error) {
	p := panelView{CourseID: v.Course.ID, Course: v.Course.Title, Member: m, Archived: v.Course.Archived(), Mail: w.opts.MailEnabled}
	subject := &lms.Member{}
	if m != nil {
		subject, p.Address = m, m.User.Email
		p.In = m.Enrollment != nil || m.Grant != nil
		p.You = m.User.ID == r.caller.UserID
	}
	if subject.Enrollment != nil {
		p.Role = subject.Enrollment.Role.Key
	}
	p.RoleWas = p.Role
	p.MaySwitch = maySwitch(r, v, subject)
	row := rowOf(r, v, *subject)
	for i, info := range lms.Privileges() {
		s := row.Switches[i]
		p.Switches = append(p.Switches, panelSwitch{switchView: s, Description: info.Description, Was: s.On})
	}
	var err error
	p.Roles, err = w.rolesToGive(r, v, subject)
	return p, err
}

// rolesToGive are the roles that the caller may give to somebody.
func (w *Web) rolesToGive(r *request, v service.CourseView, m *lms.Member) ([]roleChoice, error) {
	d := access.DelegatorOf(r.caller, standing(v))
	if !may(r, access.EnrollmentAdd, v) || m.User.ID == r.caller.UserID || d.MayTouch(m) != nil {
		return nil, nil
	}
	if m.Enrollment != nil && m.Enrollment.Role.Staff() && !d.Holds.Has(lms.StaffManage) {
		return nil, nil
	}
	roles, err := w.svc.Roles(r.Context(), r.caller, v.Course.ID)
	if err != nil {
		return nil, err
	}
	var list []roleChoice
	for _, ro := range roles {
		if d.MayEnroll(ro.Role) == nil {
			list = append(list, roleChoice{ro.Role.Key, ro.Role.Name, gives(ro.Role)})
		}
	}
	return list, nil
}

// gives says what comes with a role.
func gives(r lms.Role) string {
	switch {
	case r.Owner():
		return "everything"
	case r.Privileges == 0:
		return "takes part, manages nothing"
	}
	return r.Privileges.Labels()
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
	p, status, ok := asProblem(err)
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
	m, err := w.giveRole(r, v, in)
	if err != nil || on == was {
		return m, err
	}
	in.Ref = service.PersonRef{UserID: m.User.ID, Email: in.Ref.Email}
	after, err := w.setExactly(r, v, in, m.Effective()&^(was&^on)|(on&^was))
	if e, _, ok := asProblem(err); ok {
		return m, lms.Errorf(lms.CodeOf(err), e.Type, "The role was saved, but what you switched was not. %s", e.Message)
	}
	return after, err
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
	names := make([]string, 0, len(lms.Privileges()))
	for _, p := range set.List() {
		names = append(names, string(p))
	}
	return w.svc.SetPrivileges(r.Context(), r.caller, service.PrivilegeChange{
		CourseID: v.Course.ID, Person: in.Ref, Exactly: &names, ConfirmOutside: in.ConfirmOutside,
	})
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
		row.Saved = "Saved; “" + kept.Labels() + "” stays on, since managing needs it"
	}
	w.renderPart(rw, r, http.StatusOK, rowPart(row))
	return nil
}

// saveProblem shows why something was not saved: in the row, which then shows
// what is stored, or in the panel, which keeps what was chosen.
func (w *Web) saveProblem(rw http.ResponseWriter, r *request, v service.CourseView, in personInput, cause error) error {
	p, status, ok := asProblem(cause)
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

// keep puts what was chosen back into a panel that was refused.
func (p *panelView) keep(in personInput) {
	if in.Role != "" {
		p.Role = in.Role
	}
	for i := range p.Switches {
		s := &p.Switches[i]
		name := string(s.Privilege)
		switch on := slices.Contains(in.On, name); {
		case s.Locked:
		case in.Diff: // what is stored may have changed meanwhile, or by half of this very form
			s.On = s.Was != (on != slices.Contains(in.Was, name))
		default:
			s.On = on
		}
	}
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

// removeView asks whether somebody is to be removed.
type removeView struct {
	Shell    shell
	CourseID int64
	Member   lms.Member
	You      bool
	Problem  problem
}

func (w *Web) confirmRemove(rw http.ResponseWriter, r *request) error {
	return w.showRemove(rw, r, http.StatusOK, problem{})
}

func (w *Web) showRemove(rw http.ResponseWriter, r *request, status int, p problem) error {
	v, id, err := w.readMember(r)
	if err != nil {
		return err
	}
	report, err := w.svc.Access(r.Context(), r.caller, v.Course.ID, id)
	if err != nil {
		return err
	}
	m := report.Member
	if m.Enrollment == nil && m.Grant == nil {
		return lms.NotFound("person")
	}
	if err := access.Decide(r.caller, access.EnrollmentRemove, standing(v)); err != nil {
		return err
	}
	w.render(rw, r, status, removePage(removeView{
		Shell: w.courseShell(r, v, "Remove "+callName(&m.User), "people"), CourseID: v.Course.ID, Member: m, You: id == r.caller.UserID, Problem: p,
	}))
	return nil
}

func (w *Web) removePerson(rw http.ResponseWriter, r *request) error {
	v, id, err := w.readMember(r)
	if err != nil {
		return err
	}
	rows, err := w.svc.Remove(r.Context(), r.caller, v.Course.ID, []int64{id})
	if err != nil {
		p, status, ok := asProblem(err)
		if !ok {
			return err
		}
		return w.showRemove(rw, r, status, p)
	}
	if len(rows) != 1 || rows[0].Result != service.ResultRemoved {
		return lms.NotFound("person")
	}
	if id == r.caller.UserID {
		return w.done(rw, r, "/", "removed")
	}
	return w.done(rw, r, coursePath(v.Course.ID, "/people"), "removed")
}
