package service

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"matricula/internal/lms"
	"matricula/internal/rosterfile"
)

// planner finds out what the rows of an import would do, at the state of the
// database that its transaction sees. The check asks it and writes nothing, and
// carrying out asks it again before it writes.
type planner struct {
	s        *Service
	w        *work
	imp      lms.Import
	roles    []lms.Role
	usual    lms.Role // of rows that say none
	sections map[string]lms.Section
	columns  rosterfile.Columns
	order    rosterfile.DateOrder
	seen     map[string]cellRole
	holds    bool // what is planned is carried out at once: the addresses stay whose they are until then
}

type cellRole struct {
	role lms.Role
	ok   bool
}

// wanted is what a row says. What it does not say is empty.
type wanted struct {
	Address       lms.Email
	Typed         string
	Given, Family string
	Role          lms.Role // without an id when the row says none
	Section       string
	Number        string
	Begins, Ends  lms.Day
	Allow         lms.PrivilegeSet
	Leaves        bool
	says          lms.Fields
	saysAllow     bool
}

// plannedRow is a row with what it would do.
type plannedRow struct {
	row    *lms.ImportRow
	want   wanted
	fault  *lms.Error // of a refused row
	cell   int        // at fault, from 0; -1: none in particular
	member *lms.Member
	place  lms.Enrollment // as it would be
	allow  lms.PrivilegeSet
	plan   string
	reason string
	text   lms.Text
	other  string
	differ []lms.Differ
}

func (s *Service) newPlanner(ctx context.Context, w *work, imp lms.Import) (*planner, error) {
	p := &planner{s: s, w: w, imp: imp, columns: rosterfile.Columns{}, order: rosterfile.DateOrder(imp.Options.DateOrder), seen: map[string]cellRole{}, sections: map[string]lms.Section{}}
	for f, i := range imp.Columns {
		p.columns[rosterfile.Field(f)] = i
	}
	var err error
	if p.roles, err = w.tx.Roles(ctx, imp.CourseID); err != nil {
		return nil, err
	}
	if p.usual, err = lms.FindRole(p.roles, imp.Options.Role, "role"); err != nil {
		return nil, err
	}
	list, err := w.tx.Sections(ctx, imp.CourseID)
	if err != nil {
		return nil, err
	}
	for _, sec := range list {
		p.sections[lms.SectionKey(sec.Name)] = sec
	}
	return p, nil
}

func (r *plannedRow) refuse(cell int, err error) {
	e := lmsError(err)
	if e == nil {
		e = lms.Errorf(lms.CodeInternal, "internal", "Something went wrong on our side. Please try again.").Because(err)
	}
	r.plan, r.reason, r.text, r.fault, r.cell = lms.PlanRefused, e.Type, e.Text, e, cell
}

// ask puts a question beside a row.
func (r *plannedRow) ask(plan, reason string, text lms.Text) {
	r.plan, r.reason, r.text = plan, reason, text
}

// keep writes what was found out into the row.
func (r *plannedRow) keep() {
	row := r.row
	row.Plan, row.Reason, row.Text, row.Other, row.Cell, row.UserID, row.Differ = r.plan, r.reason, r.text, r.other, r.cell+1, 0, nil
	if r.plan == lms.PlanChange || r.plan == lms.PlanConflict {
		row.Differ = r.differ
	}
	if r.member != nil {
		row.UserID = r.member.User.ID
	}
}

// plan finds out what rows would do. Rows that somebody chose to leave out stay out.
func (p *planner) plan(ctx context.Context, rows []lms.ImportRow) ([]plannedRow, error) {
	out := make([]plannedRow, len(rows))
	addresses := make([]lms.Email, 0, len(rows))
	for i := range rows {
		r := &out[i]
		r.row, r.cell = &rows[i], -1
		if rows[i].Choice == lms.ChooseLeave {
			r.plan = lms.PlanLeft
			r.want, _, _ = p.parse(&rows[i])
			continue
		}
		var fault *lms.Error
		var cell int
		if r.want, cell, fault = p.parse(&rows[i]); fault != nil {
			r.refuse(cell, fault)
		}
		if r.want.Address != "" {
			addresses = append(addresses, r.want.Address)
		}
	}
	look := p.w.tx.AddressHolders
	if p.holds {
		look = p.w.tx.HoldAddresses
	}
	holders, err := look(ctx, addresses)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, 0, len(holders))
	for _, id := range holders {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	members := map[int64]*lms.Member{}
	if len(ids) > 0 {
		list, err := p.w.tx.MembersByID(ctx, p.imp.CourseID, slices.Compact(ids))
		if err != nil {
			return nil, err
		}
		for i := range list {
			members[list[i].User.ID] = &list[i]
		}
	}
	for i := range out {
		r := &out[i]
		if id := holders[r.want.Address]; id != 0 {
			if r.member = members[id]; r.member == nil && r.plan == "" {
				r.refuse(-1, errNoUser)
			}
		}
		if r.plan == "" {
			p.planOne(r)
		}
	}
	return out, nil
}

func (p *planner) planOne(r *plannedRow) {
	switch {
	case r.want.Leaves:
		p.planLeaving(r)
	case r.member != nil && r.member.Enrollment != nil:
		p.planMember(r)
	case r.member != nil && r.member.Grant != nil && r.want.Role.ID == 0 && p.w.delegator().Reaches(r.member):
		// Has privileges and no role, and the list says none either.
		if r.plan = lms.PlanAlready; r.want.saysAllow {
			p.planAllow(r, r.member)
		}
		if r.plan != lms.PlanRefused && len(r.differ) > 0 {
			r.ask(lms.PlanConflict, "set-by-hand", lms.Say("Has privileges here and no role. Change them on the person's page."))
		}
	case r.member != nil && r.member.Grant != nil && !p.w.delegator().Reaches(r.member):
		r.refuse(-1, lms.Errorf(lms.CodeConflict, "in-other-section", "Is in this course already, in a section in which you do not work."))
	default:
		p.planNew(r)
	}
}

// planLeaving is for somebody of whom the list says that they leave. Whom a person
// has added by hand is not taken out by a list alone.
func (p *planner) planLeaving(r *plannedRow) {
	m := r.member
	if m == nil || m.Enrollment == nil {
		r.plan = lms.PlanAlready
		return
	}
	d := p.w.delegator()
	switch err := d.MayRemove(m); {
	case m.User.ID == d.UserID:
		r.refuse(-1, lms.Errorf(lms.CodeForbidden, "self-change", "Nobody can change what they themselves may do. Ask another owner of the course."))
	case m.Enrollment.Role.Owner():
		r.refuse(-1, lms.Errorf(lms.CodeConflict, "owner-in-list", "%s owns this course. A list does not take that away: do it on the person's page.", m.User.DisplayName()))
	case err != nil:
		r.refuse(-1, err)
	case m.Enrollment.Source != lms.SourceImport && r.row.Choice != lms.ChooseFile && !p.imp.Options.TakeFile:
		r.ask(lms.PlanConflict, "set-by-hand", lms.Say("Was added by hand, so they stay unless you take the list's values."))
	default:
		r.plan = lms.PlanRemove
	}
}

// planNew is for somebody who has no place in the course.
func (p *planner) planNew(r *plannedRow) {
	d := p.w.delegator()
	role := r.want.Role
	if role.ID == 0 {
		role = p.usual
	}
	if r.member != nil && r.member.User.ID == d.UserID {
		r.refuse(-1, d.MayTouch(r.member))
		return
	}
	if err := d.MayEnroll(role); err != nil {
		r.refuse(p.columnOf(rosterfile.Role), err)
		return
	}
	if role.Owner() && r.member != nil && r.member.Grant != nil && r.member.Grant.Deny != 0 {
		r.refuse(p.columnOf(rosterfile.Role), errDeniedOwner(r.member))
		return
	}
	e := lms.Enrollment{CourseID: p.imp.CourseID, Role: role, Source: lms.SourceImport, AddedBy: p.w.caller.UserID, CreatedAt: p.w.now}
	p.over(&e, &r.want)
	if err := d.MayPlaceIn(e.SectionID); err != nil && !p.onlySection(&e) {
		r.refuse(p.columnOf(rosterfile.Section), err)
		return
	}
	if err := ownersAreUnlimited(&e); err != nil {
		r.refuse(p.columnOf(rosterfile.Ends), err)
		return
	}
	r.place, r.plan = e, lms.PlanAdd
	if r.want.saysAllow {
		m := lms.Member{Enrollment: &e}
		if r.member != nil {
			m.User, m.Grant = r.member.User, r.member.Grant
		}
		p.planAllow(r, &m)
	}
	if r.plan != lms.PlanAdd || r.member != nil {
		return
	}
	if p.s.outside(r.want.Address) && !p.imp.Options.ConfirmOutside && r.row.Choice != lms.ChooseSure {
		r.ask(lms.PlanAsk, "outside-address", lms.Say("This is not an address of this school, and nobody with it is known here. Is it right?"))
	}
}

// onlySection puts whom somebody adds who works in a single section into it.
func (p *planner) onlySection(e *lms.Enrollment) bool {
	own := p.w.delegator().Within.List()
	if e.Section != "" || len(own) != 1 {
		return false
	}
	e.SectionID = own[0]
	return true
}

func ownersAreUnlimited(e *lms.Enrollment) error {
	if e.Role.Owner() && (!e.Begins.IsZero() || !e.Ends.IsZero()) {
		return lms.Errorf(lms.CodeConflict, "owner-unlimited", "An owner is there for all of the course and all the time: leave the dates empty.")
	}
	return nil
}

// columnOf is the column of a field, -1 when there is none.
func (p *planner) columnOf(f rosterfile.Field) int {
	if i, ok := p.columns[f]; ok {
		return i
	}
	return -1
}

// over puts what a row says over an enrollment. A section that does not exist yet
// has no id until it is made.
func (p *planner) over(e *lms.Enrollment, want *wanted) {
	if want.says.Has(lms.FieldSection) {
		e.SectionID, e.Section = p.sections[lms.SectionKey(want.Section)].ID, want.Section
	}
	if want.says.Has(lms.FieldNumber) {
		e.Number = want.Number
	}
	if want.says.Has(lms.FieldBegins) {
		e.Begins = want.Begins.In(p.s.opts.Zone)
	}
	if want.says.Has(lms.FieldEnds) {
		e.Ends = want.Ends.EndIn(p.s.opts.Zone)
	}
}

// newSection tells whether a row names a section that the course does not have.
func (p *planner) newSection(want *wanted) bool {
	return want.says.Has(lms.FieldSection) && p.sections[lms.SectionKey(want.Section)].ID == 0
}

// planMember is for somebody who is in the course.
func (p *planner) planMember(r *plannedRow) {
	m, d := r.member, p.w.delegator()
	if !d.Reaches(m) {
		r.refuse(-1, lms.Errorf(lms.CodeConflict, "in-other-section", "Is in this course already, in a section in which you do not work."))
		return
	}
	to := *m.Enrollment
	p.over(&to, &r.want)
	if r.want.Role.ID != 0 {
		to.Role = r.want.Role
	}
	p.compare(r, m.Enrollment, &to)
	r.place, r.plan = to, lms.PlanAlready
	if r.want.saysAllow {
		p.planAllow(r, m)
	}
	if r.plan == lms.PlanRefused || len(r.differ) == 0 {
		return
	}
	if err := p.mayChange(m, &to); err != nil {
		r.refuse(-1, err)
		return
	}
	if slices.ContainsFunc(r.differ, func(f lms.Differ) bool { return f.ByHand }) && r.row.Choice != lms.ChooseFile && !p.imp.Options.TakeFile {
		r.ask(lms.PlanConflict, "set-by-hand", lms.Say("Somebody has set this by hand, so it stays unless you take the list's values."))
		return
	}
	r.plan = lms.PlanChange
}

// compare notes what would change.
func (p *planner) compare(r *plannedRow, is, to *lms.Enrollment) {
	zone := p.s.opts.Zone
	note := func(f rosterfile.Field, bit lms.Fields, was, would string) {
		if was != would {
			r.differ = append(r.differ, lms.Differ{Field: string(f), Is: was, Would: would, ByHand: was != "" && is.ByHand.Has(bit)})
		}
	}
	note(rosterfile.Role, lms.FieldRole, is.Role.Key, to.Role.Key)
	if r.want.says.Has(lms.FieldSection) && lms.SectionKey(is.Section) != lms.SectionKey(to.Section) {
		note(rosterfile.Section, lms.FieldSection, is.Section, to.Section)
	}
	note(rosterfile.StudentNumber, lms.FieldNumber, is.Number, to.Number)
	note(rosterfile.Begins, lms.FieldBegins, string(lms.DayOf(zero(is.Begins, zone))), string(lms.DayOf(zero(to.Begins, zone))))
	note(rosterfile.Ends, lms.FieldEnds, string(lms.LastDay(is.Ends, zone)), string(lms.LastDay(to.Ends, zone)))
}

// planAllow is about what is given beside the role. It is always set by hand, so
// that other privileges than the list's are a conflict.
func (p *planner) planAllow(r *plannedRow, m *lms.Member) {
	had := grantOf(m)
	if had.Allow == r.want.Allow {
		return
	}
	d := p.w.delegator()
	switch {
	case !d.Holds.Has(lms.StaffManage):
		r.refuse(p.columnOf(rosterfile.Privileges), lms.Errorf(lms.CodeForbidden, "forbidden", "You need the privilege %q in this course to give privileges.", lms.StaffManage.Label()))
		return
	case m.Enrollment != nil && m.Enrollment.Role.Owner():
		r.refuse(p.columnOf(rosterfile.Privileges), lms.Errorf(lms.CodeConflict, "owner-holds-all", "An owner holds everything: leave the privileges empty."))
		return
	}
	if err := d.MaySetGrant(m, r.want.Allow, had.Deny); err != nil {
		r.refuse(p.columnOf(rosterfile.Privileges), err)
		return
	}
	r.allow = r.want.Allow
	r.differ = append(r.differ, lms.Differ{Field: string(rosterfile.Privileges), Is: privilegeKeys(had.Allow), Would: privilegeKeys(r.want.Allow), ByHand: had.Allow != 0})
}

func privilegeKeys(s lms.PrivilegeSet) string {
	var keys []string
	for _, p := range s.List() {
		keys = append(keys, string(p))
	}
	return strings.Join(keys, ", ")
}

// mayChange decides about a changed enrollment as the pages do.
func (p *planner) mayChange(m *lms.Member, to *lms.Enrollment) error {
	d := p.w.delegator()
	if to.Role.ID != m.Enrollment.Role.ID {
		if err := d.MayTouch(m); err != nil {
			return err
		}
		if m.Enrollment.Role.Staff() && !d.Holds.Has(lms.StaffManage) {
			return lms.Errorf(lms.CodeForbidden, "forbidden", "You need the privilege %q in this course to change the role of staff.", lms.StaffManage.Label())
		}
		if err := d.MayEnroll(to.Role); err != nil {
			return err
		}
		if to.Role.Owner() && m.Grant != nil && m.Grant.Deny != 0 {
			return errOwnerHoldsAll(m)
		}
		if m.Enrollment.Role.Owner() {
			return lms.Errorf(lms.CodeConflict, "owner-in-list", "%s owns this course. A list does not take that away: do it on the person's page.", m.User.DisplayName())
		}
	}
	if err := ownersAreUnlimited(to); err != nil {
		return err
	}
	return p.w.mayDetail(m, to.Details)
}

// instant writes a moment for ImportBefore.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func readInstant(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

var errLostLease = errors.New("another node has taken the import over")
