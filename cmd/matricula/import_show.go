package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"matricula/internal/api"
	"matricula/internal/lms"
	"matricula/internal/rosterfile"
	"matricula/internal/sheet"
)

// listed is how many rows of each kind are printed of a list that is to be carried
// out; a dry run prints all.
const listed = 20

// The plans and the results in the order in which they are printed, with what they
// mean.
var (
	plans = []meaning{
		{lms.PlanAdd, "come into the course"},
		{lms.PlanChange, "are in the course, and something changes"},
		{lms.PlanAlready, "are in the course, as the list says"},
		{lms.PlanRemove, "leave the course"},
		{lms.PlanConflict, "have a value that somebody has set by hand, and stay as they are (--take-file)"},
		{lms.PlanAsk, "are perhaps slips, and are left out (--sure, --confirm-outside)"},
		{lms.PlanRefused, "cannot be carried out"},
		{lms.PlanLeft, "are left out, as somebody chose"},
	}
	results = []meaning{
		{lms.DidName, "named and enrolled"},
		{lms.DidEnroll, "enrolled"},
		{lms.DidChange, "changed"},
		{lms.PlanAlready, "were as the list says"},
		{lms.DidRemove, "left the course"},
		{lms.PlanRefused, "refused"},
		{lms.PlanLeft, "left as they are"},
	}
)

type meaning struct{ key, text string }

func (im *importing) showCounts(of []meaning) {
	for _, m := range of {
		if n := im.imp.Counts[m.key]; n > 0 {
			fmt.Fprintf(im.p.stdout, "%9d  %s\n", n, m.text)
		}
	}
}

// showPlan prints what the list would do, and the rows that somebody should look at.
func (im *importing) showPlan(ctx context.Context) error {
	im.bar.end()
	i, out := &im.imp, im.p.stdout
	fmt.Fprintf(out, "Course %d: %s\n", im.course.ID, printable(im.course.Title))
	fmt.Fprintf(out, "Import %d: %d rows\n", i.ID, i.Rows)
	fmt.Fprintf(out, "Columns: %s\n", im.columnsInWords())
	im.showCounts(plans)
	if len(i.NewSections) > 0 {
		fmt.Fprintf(out, "New sections: %s\n", printable(strings.Join(i.NewSections, ", ")))
	}
	if i.Exact || i.Counts[lms.PlanRemove] > 0 {
		fmt.Fprintf(out, "People who would leave the course: %d\n", i.Counts[lms.PlanRemove])
	}
	if i.Warning != nil {
		fmt.Fprintf(out, "%s\n", printable(*i.Warning))
	}
	limit := listed
	if im.DryRun {
		limit = 0
	}
	for _, kind := range []string{lms.PlanRemove, lms.PlanRefused, lms.PlanAsk, lms.PlanConflict, lms.PlanLeft} {
		if _, err := im.showRows(ctx, kind, limit); err != nil {
			return err
		}
	}
	return nil
}

// columnsInWords says what is read of the list.
func (im *importing) columnsInWords() string {
	fields := slices.SortedFunc(maps.Keys(im.imp.Columns), func(a, b string) int { return im.imp.Columns[a] - im.imp.Columns[b] })
	parts := make([]string, len(fields))
	for n, f := range fields {
		parts[n] = f + " " + im.columnInWords(int64(im.imp.Columns[f]))
	}
	return strings.Join(parts, ", ")
}

func (im *importing) columnInWords(n int64) string {
	text := "in column " + strconv.FormatInt(n+1, 10)
	if n < int64(len(im.imp.Headings)) && im.imp.Headings[n] != "" {
		text += " (" + printable(im.imp.Headings[n]) + ")"
	}
	return text
}

// showResult prints what the list did, and the rows that were not carried out.
func (im *importing) showResult(ctx context.Context) error {
	fmt.Fprintf(im.p.stdout, "Import %d is %s:\n", im.imp.ID, im.imp.State)
	im.showCounts(results)
	if im.imp.StartedAt == nil {
		return nil
	}
	for _, kind := range []string{lms.PlanRefused, lms.PlanLeft} {
		if _, err := im.showRows(ctx, kind, listed); err != nil {
			return err
		}
	}
	return nil
}

// showStays prints the rows that undoing has left as they were, and counts them.
func (im *importing) showStays(ctx context.Context) (int, error) {
	return im.showRows(ctx, "stays", 0)
}

var errEnough = errors.New("enough rows")

// showRows prints rows of a kind, at most so many; 0 is all.
func (im *importing) showRows(ctx context.Context, kind string, limit int) (n int, err error) {
	err = each(ctx, im.client, fmt.Sprintf("/imports/%d/rows", im.imp.ID), url.Values{"show": {kind}}, func(r *api.ImportRow) error {
		if n++; limit > 0 && n > limit {
			return errEnough
		}
		fmt.Fprintf(im.p.stdout, "%s: %s\n", im.place(ctx, r), im.why(kind, r))
		return nil
	})
	if errors.Is(err, errEnough) {
		fmt.Fprintf(im.p.stdout, "… and more that are %s: --report FILE writes all rows.\n", kind)
		return n, nil
	}
	return n, err
}

// place says where a row stands and what is in the cell that it is about.
func (im *importing) place(ctx context.Context, r *api.ImportRow) string {
	if r.Line == nil {
		if r.UserID == nil {
			return "somebody"
		}
		return im.person(ctx, *r.UserID)
	}
	text, cell := fmt.Sprintf("line %d", *r.Line), r.Says[string(rosterfile.Address)]
	if r.Column != nil {
		text += ", " + strings.TrimPrefix(im.columnInWords(*r.Column), "in ")
		cell = ""
		for field, n := range im.imp.Columns {
			if int64(n) == *r.Column {
				cell = r.Says[field]
			}
		}
	}
	return text + ", " + strconv.Quote(lms.Clip(cell, 80))
}

// person is what somebody is called who stands in no row.
func (im *importing) person(ctx context.Context, id int64) string {
	if name, ok := im.people[id]; ok {
		return name
	}
	var u api.User
	name := fmt.Sprintf("person %d", id)
	if err := ask(ctx, im.client, http.MethodGet, fmt.Sprintf("/users/%d", id), nil, &u); err == nil {
		name = printable(u.DisplayName)
		if u.Email != nil && *u.Email != u.DisplayName {
			name += " <" + printable(*u.Email) + ">"
		}
	}
	im.people[id] = name
	return name
}

// why says what a row is about: the kind, the reason and what the server says.
func (im *importing) why(kind string, r *api.ImportRow) string {
	if kind == lms.PlanRemove {
		return "leaves the course"
	}
	text := kind
	switch {
	case r.Undone != nil && kind == "stays":
		text += " (" + *r.Undone + ")"
	case r.Reason != nil:
		text += " (" + *r.Reason + ")"
	}
	if r.Message != nil {
		text += ": " + printable(*r.Message)
	}
	if changes := changesInWords(r); changes != "" && r.Plan != nil && *r.Plan == lms.PlanConflict {
		text += " " + printable(changes)
	}
	return text
}

// changesInWords is what a row would change.
func changesInWords(r *api.ImportRow) string {
	parts := make([]string, len(r.Changes))
	for i, c := range r.Changes {
		parts[i] = fmt.Sprintf("%s: %q, list: %q", c.Field, c.Is, c.Would)
	}
	return strings.Join(parts, "; ")
}

// printable keeps what comes from a list or a person from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || unicode.IsPrint(r) {
			return r
		}
		return '�'
	}, s)
}

// report is the CSV file of all rows. It takes its name when it is whole.
type report struct {
	name string
	file *os.File // until then
}

// newReport makes sure, before anything is done, that there is a place to write.
func newReport(name string) (*report, error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".matricula-report-*")
	if err != nil {
		return nil, fmt.Errorf("--report: %w", err)
	}
	return &report{name: name, file: f}, nil
}

// abandon removes what has not become a report.
func (r *report) abandon() {
	if r.file != nil {
		_ = r.file.Close()
		_ = os.Remove(r.file.Name())
		r.file = nil
	}
}

// writeReport writes every row of the import, with what would become or became of it.
func (im *importing) writeReport(ctx context.Context) error {
	r := im.report
	if r == nil {
		return nil
	}
	var fields []string
	for _, f := range rosterfile.Fields() {
		if _, ok := im.imp.Columns[string(f.Field)]; ok {
			fields = append(fields, string(f.Field))
		}
	}
	w := sheet.NewWriter(r.file)
	head := append([]string{"row", "line"}, fields...)
	err := w.Row(append(head, "plan", "result", "reason", "message", "column", "suggestion", "changes", "user_id")...)
	if err == nil {
		err = each(ctx, im.client, fmt.Sprintf("/imports/%d/rows", im.imp.ID), url.Values{}, func(row *api.ImportRow) error {
			cells := []string{strconv.FormatInt(row.Row, 10), number(row.Line)}
			for _, f := range fields {
				cells = append(cells, row.Says[f])
			}
			column := ""
			if row.Column != nil {
				column = strconv.FormatInt(*row.Column+1, 10)
			}
			return w.Row(append(cells, word(row.Plan), word(row.Result), word(row.Reason), word(row.Message), column, word(row.Suggestion), changesInWords(row), number(row.UserID))...)
		})
	}
	if err = errors.Join(err, w.Flush(), r.file.Close()); err == nil {
		err = os.Rename(r.file.Name(), r.name)
	}
	if err != nil {
		_ = os.Remove(r.file.Name())
		err = fmt.Errorf("--report: %w", err)
	}
	r.file = nil
	return err
}

func word(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func number(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}
