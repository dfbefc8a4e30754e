package web

import (
	"context"
	"strings"

	"matricula/internal/lang"
	"matricula/internal/lms"
	"matricula/internal/rosterfile"
	"matricula/internal/service"
)

// Small things that the pages of class lists need.

// listName is what a list is called.
func listName(p *lang.Printer, i *lms.Import) string {
	if i.Name == "" {
		return p.T("Pasted list")
	}
	return i.Name
}

// importKind is how the badge of a list looks.
func importKind(i *lms.Import) string {
	switch i.State {
	case lms.ImportReady, lms.ImportColumns:
		return "pending"
	case lms.ImportFailed:
		return "suspended"
	case lms.ImportDone:
		return "staff"
	}
	return "role"
}

// todo is how many rows a list would carry out.
func todo(i *lms.Import) int64 {
	return i.Counts[lms.PlanAdd] + i.Counts[lms.PlanChange] + i.Counts[lms.PlanRemove]
}

// wrote tells whether a list has changed anything.
func wrote(i *lms.Import) bool {
	return i.Counts[lms.DidName]+i.Counts[lms.DidEnroll]+i.Counts[lms.DidChange]+i.Counts[lms.DidRemove] > 0
}

// mayFix tells whether the rows on the page can be corrected or decided about.
func mayFix(v importView) bool {
	if !v.MayEdit || v.Import.State != lms.ImportReady {
		return false
	}
	switch v.Show {
	case lms.PlanRefused, lms.PlanAsk, lms.PlanConflict, lms.PlanLeft:
		return len(v.Rows) > 0 && !v.Rows[0].Leaving
	}
	return false
}

// faultField is the field of a row that can be corrected: the one at fault, or the
// address of one that is asked about.
func faultField(i *lms.Import, r *service.ImportedRow) string {
	if r.Plan == lms.PlanAsk {
		return string(rosterfile.Address)
	}
	if r.Plan != lms.PlanRefused || r.Cell == 0 {
		return ""
	}
	for field, column := range i.Columns {
		if column == r.Cell-1 {
			return field
		}
	}
	return ""
}

// fixForm is the id of the form in which rows are corrected.
const fixForm = "fix-rows"

// choiceShown is the decision about a row that its form shows at first.
func choiceShown(r *service.ImportedRow) string {
	if r.Plan == lms.PlanLeft {
		return lms.ChooseLeave
	}
	return ""
}

// unread are the headings of the columns that are not read.
func unread(i *lms.Import) (names []string) {
	read := map[int]bool{}
	for _, column := range i.Columns {
		read[column] = true
	}
	for n, h := range i.Heading {
		if !read[n] && h != "" {
			names = append(names, lms.Clip(h, 40))
		}
	}
	return names
}

func holdsField(i *lms.Import, f rosterfile.Field, column int) bool {
	at, ok := i.Columns[string(f)]
	return ok && at == column
}

// sampleOf is what stands first in a column.
func sampleOf(rows []lms.ImportRow, column int) string {
	var list []string
	for _, r := range rows {
		if column < len(r.Cells) && r.Cells[column] != "" {
			list = append(list, lms.Clip(r.Cells[column], 30))
		}
	}
	if len(list) == 0 {
		return "–"
	}
	return strings.Join(list, " · ")
}

// nameInList is what a row calls somebody.
func nameInList(r *service.ImportedRow) string {
	if name := r.Says[string(rosterfile.FullName)]; name != "" {
		return lms.Clip(name, 80)
	}
	return lms.Clip(strings.TrimSpace(r.Says[string(rosterfile.GivenName)]+" "+r.Says[string(rosterfile.FamilyName)]), 80)
}

func isNameField(f rosterfile.Field) bool {
	return f == rosterfile.Address || f == rosterfile.GivenName || f == rosterfile.FamilyName || f == rosterfile.FullName
}

// outcome is what a row did or would do, as it is stored.
func outcome(r *service.ImportedRow) string {
	if r.Result != "" {
		return r.Result
	}
	return r.Plan
}

// valueOf writes a value of a list for people.
func valueOf(ctx context.Context, field, value string) string {
	words := wordsOf(ctx)
	switch rosterfile.Field(field) {
	case rosterfile.Role:
		for _, r := range lms.PresetRoles() {
			if r.Key == value {
				return words.Text(r.Title())
			}
		}
	case rosterfile.Begins, rosterfile.Ends:
		if value != "" {
			return calendar(ctx, lms.Day(value))
		}
	case rosterfile.Privileges:
		var labels []string
		for key := range strings.SplitSeq(value, ", ") {
			labels = append(labels, words.Term(lms.Privilege(key).Label()))
		}
		return strings.Join(labels, ", ")
	}
	return value
}

// stays says why a row stays when an import is undone.
func stays(words *lang.Printer, why string) string {
	if known := staysBecause[why]; known != "" {
		return words.Term(known)
	}
	return because(words, why)
}

// faultText says what ended a list.
func faultText(ctx context.Context, fault string) string {
	switch fault {
	case "expired":
		return t(ctx, "nobody carried it out for two weeks")
	case "sign-in-required":
		return t(ctx, "the account of whoever brought it is not active")
	}
	return because(wordsOf(ctx), fault)
}
