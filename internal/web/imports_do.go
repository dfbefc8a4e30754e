package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"matricula/internal/lms"
	"matricula/internal/rosterfile"
	"matricula/internal/service"
	"matricula/internal/sheet"
)

// afterRow reads where a table of rows is continued.
func afterRow(r *request) (int64, error) {
	s := r.URL.Query().Get("after")
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return 0, errNoPage
	}
	return n, nil
}

// onList runs what a form of a list's page asks for; done is the code of what the page
// says then, if anything.
func (w *Web) onList(rw http.ResponseWriter, r *request, limit int64, do func(form, lms.Import) (done string, err error)) error {
	v, i, err := w.readImport(r)
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, limit)
	if err != nil {
		return err
	}
	done, err := do(f, i)
	if err != nil {
		p, status, ok := asProblem(r.words, err)
		if !ok || lms.CodeOf(err) == lms.CodeForbidden {
			return err
		}
		return w.showImport(rw, r, v, i, status, p)
	}
	return w.toImport(rw, r, i.CourseID, i.ID, done)
}

// changeImport takes the options and the columns.
func (w *Web) changeImport(rw http.ResponseWriter, r *request) error {
	return w.onList(rw, r, formLimit, func(f form, i lms.Import) (string, error) {
		var p service.ImportPatch
		if f.has("columns") {
			p.Columns = map[string]int{}
			for n := range i.Heading {
				if field := f.text("column." + strconv.Itoa(n)); field != "" {
					if _, twice := p.Columns[field]; twice {
						return "", lms.Invalid("column-chosen-twice", "columns", "Two columns cannot hold the same.")
					}
					p.Columns[field] = n
				}
			}
		}
		if f.has("options") {
			role := f.text("role")
			exact, file, sure, outside := f.flag("exact"), f.flag("take_file"), f.flag("sure"), f.flag("confirm_outside")
			p.Role, p.Exact, p.TakeFile, p.Sure, p.ConfirmOutside = &role, &exact, &file, &sure, &outside
		}
		_, err := w.svc.ChangeImport(r.Context(), r.caller, i.ID, p)
		return "", err
	})
}

// fixesIn are the corrections of rows in a form and the decisions about them; changed
// tells whether any of them is other than what the form showed. The fields are called
// cell.<row>.<field> and choice.<row>, and what they showed was.… and had.….
func fixesIn(f form) (list []service.ImportRowPatch, changed bool) {
	fixes := map[int64]*service.ImportRowPatch{}
	of := func(text string) *service.ImportRowPatch {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 {
			return nil
		}
		if fixes[n] == nil {
			fixes[n] = &service.ImportRowPatch{Row: n, Cells: map[string]string{}}
		}
		return fixes[n]
	}
	for name, values := range f.values {
		what, rest, _ := strings.Cut(name, ".")
		row, field, _ := strings.Cut(rest, ".")
		switch what {
		case "cell":
			if fix := of(row); fix != nil && values[0] != f.text("was."+rest) && fix.Cells[field] == "" {
				fix.Cells[field], changed = values[0], true
			}
		case "choice":
			fix := of(row)
			if fix == nil {
				continue
			}
			choice := values[0]
			changed = changed || choice != f.text("had."+rest)
			if meant, use := strings.CutPrefix(choice, "use "); use {
				fix.Cells[string(rosterfile.Address)], choice = meant, ""
			}
			fix.Choice = &choice
		}
	}
	for _, fix := range fixes {
		list = append(list, *fix)
	}
	return list, changed
}

// fixImportRows takes corrections of rows and decisions about them.
func (w *Web) fixImportRows(rw http.ResponseWriter, r *request) error {
	return w.onList(rw, r, formLimit, func(f form, i lms.Import) (string, error) {
		fixes, _ := fixesIn(f)
		_, err := w.svc.ChangeImport(r.Context(), r.caller, i.ID, service.ImportPatch{Rows: fixes})
		return "", err
	})
}

// startImport has a list carried out. Corrections that were typed on the same page are
// taken instead, and the list is checked with them: nobody has seen what it does then.
func (w *Web) startImport(rw http.ResponseWriter, r *request) error {
	return w.onList(rw, r, formLimit, func(f form, i lms.Import) (string, error) {
		if fixes, changed := fixesIn(f); changed {
			_, err := w.svc.ChangeImport(r.Context(), r.caller, i.ID, service.ImportPatch{Rows: fixes})
			return "list-corrected", err
		}
		_, err := w.svc.StartImport(r.Context(), r.caller, i.ID, f.id("leaving"))
		return "", err
	})
}

func (w *Web) cancelImport(rw http.ResponseWriter, r *request) error {
	return w.onList(rw, r, formLimit, func(_ form, i lms.Import) (string, error) {
		_, err := w.svc.CancelImport(r.Context(), r.caller, i.ID)
		return "", err
	})
}

func (w *Web) undoImport(rw http.ResponseWriter, r *request) error {
	return w.onList(rw, r, formLimit, func(_ form, i lms.Import) (string, error) {
		_, err := w.svc.UndoImport(r.Context(), r.caller, i.ID)
		return "", err
	})
}

// How often a page is told how far a list is, and for how long at a time: the
// browser asks again by itself, and a server that stops does not wait for it.
const (
	eventsEvery = 500 * time.Millisecond
	eventsFor   = 10 * time.Second
)

// importEvents tells how far a list is, as server-sent events. The event "end" says
// that the page is to be loaded again.
func (w *Web) importEvents(rw http.ResponseWriter, r *request) error {
	_, i, err := w.readImport(r)
	if err != nil {
		return err
	}
	h := rw.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	flush := http.NewResponseController(rw)
	for waited := time.Duration(0); waited < eventsFor; waited += eventsEvery {
		event := "progress"
		if !i.State.Working() || i.Paused() {
			event = "end"
		}
		data, err := json.Marshal(map[string]any{"done": i.Done, "rows": max(i.Rows, 1), "text": r.words.T("%d of %d rows", i.Done, i.Rows)})
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(rw, "retry: 1000\nevent: %s\ndata: %s\n\n", event, data); err != nil {
			return nil // the reader has gone
		}
		if err := flush.Flush(); err != nil || event == "end" {
			return nil
		}
		select {
		case <-time.After(eventsEvery):
		case <-r.Context().Done():
			return nil
		}
		if _, i, err = w.readImport(r); err != nil {
			return nil // the page will be told when it is loaded again
		}
	}
	return nil
}

// importReport is every row of a list with what became of it.
func (w *Web) importReport(rw http.ResponseWriter, r *request) error {
	_, i, err := w.readImport(r)
	if err != nil {
		return err
	}
	if _, err := readForm(rw, r, formLimit); err != nil {
		return err
	}
	return w.download(rw, r, "class-list-"+num(i.ID)+".csv", func(s *sheet.Writer) error {
		terms := []lms.Term{"Line"}
		for _, f := range rosterfile.Fields() {
			if _, ok := i.Columns[string(f.Field)]; ok {
				terms = append(terms, f.Label)
			}
		}
		head := headOnce(s, r.words, append(terms, "Outcome", "Why", "Changes", "Undone"))
		err := w.svc.ExportImport(r.Context(), r.caller, i.ID, func(i *lms.Import, row *service.ImportedRow) error {
			if err := head(); err != nil {
				return err
			}
			return s.Row(w.reportRow(r, i, row)...)
		})
		if err != nil {
			return err
		}
		return head()
	})
}

func (w *Web) reportRow(r *request, i *lms.Import, row *service.ImportedRow) []string {
	cells := []string{""}
	if row.Line > 0 {
		cells[0] = strconv.Itoa(row.Line)
	}
	for _, f := range rosterfile.Fields() {
		if _, ok := i.Columns[string(f.Field)]; !ok {
			continue
		}
		text := row.Says[string(f.Field)]
		if row.Leaving && row.Person != nil && f.Field == rosterfile.Address {
			text = string(row.Person.Email)
		}
		cells = append(cells, text)
	}
	var changes []string
	for _, d := range row.Differ {
		changes = append(changes, r.words.T("%s: %s instead of %s", r.words.Term(fieldLabel(d.Field)), d.Would, orNothing(r.words, d.Is)))
	}
	back := ""
	switch row.Undone {
	case "":
	case "yes":
		back = r.words.T("yes")
	default:
		back = r.words.T("stays: %s", stays(r.words, row.Undone))
	}
	return append(cells, r.words.Term(outcomeOf(row)), r.words.Text(row.Text), strings.Join(changes, "; "), back)
}

// outcomeOf is what a row did or, before that, would do.
func outcomeOf(row *service.ImportedRow) lms.Term {
	key := row.Result
	if key == "" {
		key = row.Plan
	}
	for _, g := range importGroups {
		if g.Key == key {
			return g.Label
		}
	}
	return ""
}

// fieldLabel is what people call a field of a list.
func fieldLabel(field string) lms.Term {
	for _, f := range rosterfile.Fields() {
		if string(f.Field) == field {
			return f.Label
		}
	}
	return ""
}
