package service

import (
	"strings"

	"matricula/internal/lms"
	"matricula/internal/rosterfile"
)

// cell is what stands in a row for a field.
func (p *planner) cell(row *lms.ImportRow, f rosterfile.Field) (text string, column int) {
	i, ok := p.columns[f]
	if !ok || i >= len(row.Cells) {
		return "", -1
	}
	return row.Cells[i], i
}

// parse reads a row. Fault says what is wrong with which cell.
func (p *planner) parse(row *lms.ImportRow) (out wanted, cell int, fault *lms.Error) {
	typed, column := p.cell(row, rosterfile.Address)
	if strings.TrimSpace(typed) == "" {
		return out, p.columns[rosterfile.Address], lms.Invalid("address-missing", "email", "There is no address in this row.")
	}
	out.Typed = typed
	var err error
	if out.Address, err = lms.ParseEmail(typed); err != nil {
		return out, column, lmsError(err)
	}
	for _, read := range []func(*lms.ImportRow, *wanted) (int, error){p.parseNames, p.parseRole, p.parseNote, p.parseDays, p.parsePrivileges, p.parseLeaves} {
		if cell, err := read(row, &out); err != nil {
			if e := lmsError(err); e != nil {
				return out, cell, e
			}
			return out, cell, lms.Errorf(lms.CodeInternal, "internal", "Something went wrong on our side. Please try again.").Because(err)
		}
	}
	return out, -1, nil
}

func (p *planner) parseNames(row *lms.ImportRow, out *wanted) (column int, err error) {
	text, column := p.cell(row, rosterfile.FullName)
	if text != "" {
		if text, err = lms.CleanText(text, "name", lms.MaxNameRunes); err != nil {
			return column, err
		}
		out.Given, out.Family = lms.SplitName(text)
	}
	for _, n := range []struct {
		field rosterfile.Field
		to    *string
	}{{rosterfile.GivenName, &out.Given}, {rosterfile.FamilyName, &out.Family}} {
		text, column := p.cell(row, n.field)
		if text == "" {
			continue
		}
		if *n.to, err = lms.CleanText(text, "name", lms.MaxNameRunes); err != nil {
			return column, err
		}
	}
	return -1, nil
}

func (p *planner) parseRole(row *lms.ImportRow, out *wanted) (column int, err error) {
	text, column := p.cell(row, rosterfile.Role)
	if text == "" {
		return -1, nil
	}
	known, ok := p.seen[text]
	if !ok {
		known.role, known.ok = rosterfile.FindRole(p.roles, text)
		if len(p.seen) < 1000 {
			p.seen[strings.Clone(text)] = known
		}
	}
	if !known.ok {
		return column, lms.Invalid("unknown-role", "role", "This course has no role %q. Its roles are: %s.", lms.Clip(text, 60), lms.RoleChoices(p.roles))
	}
	out.Role, out.says = known.role, out.says|lms.FieldRole
	return -1, nil
}

// parseNote reads the section and the student number.
func (p *planner) parseNote(row *lms.ImportRow, out *wanted) (column int, err error) {
	text, column := p.cell(row, rosterfile.Section)
	if text != "" {
		if out.Section, err = lms.CleanSectionName(text, "section"); err != nil {
			return column, err
		}
		out.says |= lms.FieldSection
	}
	if text, column = p.cell(row, rosterfile.StudentNumber); text != "" {
		if out.Number, err = lms.CleanText(text, "student_number", lms.MaxNumberRunes); err != nil {
			return column, err
		}
		out.says |= lms.FieldNumber
	}
	return -1, nil
}

func (p *planner) parseDays(row *lms.ImportRow, out *wanted) (column int, err error) {
	for _, d := range []struct {
		field rosterfile.Field
		to    *lms.Day
		says  lms.Fields
	}{{rosterfile.Begins, &out.Begins, lms.FieldBegins}, {rosterfile.Ends, &out.Ends, lms.FieldEnds}} {
		text, column := p.cell(row, d.field)
		if text == "" {
			continue
		}
		t, err := p.order.Parse(text)
		if err != nil {
			return column, err
		}
		if *d.to, err = lms.MakeDay(t, string(d.field)); err != nil {
			return column, err
		}
		out.says |= d.says
	}
	if err := checkDays(out.Begins, out.Ends); err != nil {
		_, column := p.cell(row, rosterfile.Ends)
		return column, err
	}
	return -1, nil
}

// parsePrivileges reads what is given beside the role: privileges by name, or all
// that one of the course's roles gives.
func (p *planner) parsePrivileges(row *lms.ImportRow, out *wanted) (column int, err error) {
	text, column := p.cell(row, rosterfile.Privileges)
	if text == "" {
		return -1, nil
	}
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ';' || r == '|' || r == '\n' }) {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		if set, ok := privilegeNamed(part); ok {
			out.Allow |= set
			continue
		}
		role, ok := rosterfile.FindRole(p.roles, part)
		if !ok {
			return column, lms.Invalid("unknown-privilege", "privileges", "%q is neither a privilege nor a role of this course.", lms.Clip(part, 60))
		}
		if role.Owner() {
			return column, lms.Invalid("unknown-privilege", "privileges", "An owner is made by the role, and not by privileges.")
		}
		out.Allow |= role.Privileges
	}
	out.saysAllow = true
	return -1, nil
}

func (p *planner) parseLeaves(row *lms.ImportRow, out *wanted) (column int, err error) {
	text, column := p.cell(row, rosterfile.Leaves)
	ok := false
	if out.Leaves, ok = rosterfile.Yes(text); !ok {
		return column, lms.Invalid("not-yes-or-no", "leaves", "%q is neither yes nor no.", lms.Clip(text, 40))
	}
	return -1, nil
}

// privilegeNamed finds a privilege by its name or its label.
func privilegeNamed(text string) (lms.PrivilegeSet, bool) {
	folded := lms.FoldSearch(text)
	for _, info := range lms.Privileges() {
		if folded == string(info.Privilege) || folded == lms.FoldSearch(string(info.Label)) {
			return lms.SetOf(info.Privilege), true
		}
	}
	return 0, false
}
