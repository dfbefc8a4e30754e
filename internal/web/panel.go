package web

import (
	"net/http"
	"slices"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// panelView is one person in one course, known or not: role, switches, save.
type panelView struct {
	CourseID int64
	Course   string
	Member   *lms.Member // nil for somebody whom nobody knows yet
	Address  lms.Email
	Hint     lms.Text // what to look out for in the address
	Doubt    lms.Text // why it is perhaps not the address that was meant
	Meant    lms.Email
	In       bool // has a place in the course

	Roles     []roleChoice // that the reader may give; none: the role stays as it is
	Role      string       // chosen
	RoleWas   string       // as it is stored
	Switches  []panelSwitch
	MaySwitch bool
	MayRemove bool
	MayLook   bool // through their eyes
	MayMerge  bool // into somebody else
	MayDetail bool // the section, the number and the dates
	MayMend   bool // correct the address of somebody who has not arrived, or withdraw them
	Begins    lms.Day
	Ends      lms.Day
	You       bool
	MayList   bool // see who else is in the course
	Archived  bool
	Outside   bool // the address needs a confirmation
	Problem   problem
	Report    *service.AccessReport
	Mail      bool             // the person is told by mail
	Allow     lms.PrivilegeSet // what is set beside the role
	Deny      lms.PrivilegeSet
}

// roleChoice is a role that can be given.
type roleChoice struct {
	Key         string
	Name, Gives lms.Text
	Holds       lms.PrivilegeSet
}

func choiceOf(r lms.Role) roleChoice {
	return roleChoice{r.Key, r.Title(), gives(r), lms.Effective(r.Privileges, 0, 0)}
}

// panelSwitch is a privilege with the reason why it is as it is.
type panelSwitch struct {
	switchView
	Description lms.Term
	Was         bool
	Why         lms.Text
}

// personView is the page of a panel.
type personView struct {
	Shell shell
	Panel panelView
}

func (w *Web) showPanel(rw http.ResponseWriter, r *request, v service.CourseView, status int, p panelView) {
	if r.enhanced() {
		w.renderPart(rw, r, status, panelPart(p))
		return
	}
	title := p.Address.Display()
	if p.Member != nil {
		title = callName(r.words, &p.Member.User)
	}
	p.MayList = may(r, access.RosterView, v)
	w.render(rw, r, status, personPage(personView{Shell: w.courseShell(r, v, title, "people"), Panel: p}))
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
	if p.In && report.Member.User.Pending() {
		_, err := w.svc.MayMend(r.Context(), r.caller, userID)
		p.MayMend = err == nil
	}
	p.MayMerge = p.MayRemove && !p.You && report.Member.User.Pending() && v.Holds.Has(lms.RosterManage)
	p.MayLook = p.In && !p.You && may(r, access.CoursePreview, v) && access.DelegatorOf(r.caller, standing(v)).MayLookAs(&report.Member) == nil
	if m := report.Member; m.Enrollment != nil {
		p.Begins, p.Ends = w.svc.Days(m.Enrollment)
		place, err := w.placeOf(r, v, &m)
		if err != nil {
			return p, err
		}
		p.MayDetail = place != nil
	}
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
	if subject.Grant != nil {
		p.Allow, p.Deny = subject.Grant.Allow, subject.Grant.Deny
	}
	p.RoleWas = p.Role
	p.MaySwitch = maySwitch(r, v, subject)
	if p.Role == "" && !p.MaySwitch {
		p.Role = lms.RoleStudent // without switches, a role is all that can be chosen
	}
	row := w.rowOf(r, v, *subject)
	for i, info := range lms.Privileges() {
		s := row.Switches[i]
		p.Switches = append(p.Switches, panelSwitch{switchView: s, Description: info.Description, Was: s.On && !s.Locked})
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
			list = append(list, choiceOf(ro.Role))
		}
	}
	return list, nil
}

// gives says what comes with a role.
func gives(r lms.Role) lms.Text {
	switch {
	case r.Owner():
		return lms.Say("everything")
	case r.Privileges == 0:
		return lms.Say("takes part, manages nothing")
	}
	return lms.Say("%s", r.Privileges.Labels())
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
		default: // what is stored may have changed meanwhile, or by half of this very form
			s.On = s.Was != (on != slices.Contains(in.Was, name))
		}
	}
}

// roleFault is what is wrong with the role. The question about an address
// stands above, not there.
func (p panelView) roleFault() string {
	if p.Outside {
		return ""
	}
	return p.Problem.field("role")
}

// implies are the privileges that come along with this one.
func (s panelSwitch) implies() (names []string) {
	info, _ := s.Privilege.Info()
	for _, p := range info.Implies {
		names = append(names, string(p))
	}
	return names
}

// includes are their labels.
func (s panelSwitch) includes() (labels lms.Terms) {
	info, _ := s.Privilege.Info()
	return lms.SetOf(info.Implies...).Labels()
}
