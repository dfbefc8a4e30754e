package service

import (
	"context"
	"slices"
	"strings"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/rosterfile"
)

// chunkRows is how many rows are checked and carried out in one transaction: few
// enough that whoever changes the course meanwhile hardly waits.
const chunkRows = 400

// importAudit is how the audit shows an import.
type importAudit struct {
	Import int64           `json:"import"`
	Name   string          `json:"file,omitempty"`
	Rows   int64           `json:"rows,omitempty"`
	Counts lms.ImportCount `json:"counts,omitempty"`
}

func importView(i lms.Import) importAudit {
	if strings.Contains(i.Name, "@") {
		i.Name = "" // an address has no place in the audit, which nobody can take it out of
	}
	return importAudit{Import: i.ID, Name: i.Name, Rows: i.Rows, Counts: i.Counts}
}

var errNoImport = lms.NotFound("import")

// seesImport tells whether the caller has to do with an import: who works in single
// sections sees their own alone, since a list can hold anybody.
func seesImport(c access.Caller, st *access.Standing, i *lms.Import) bool {
	return st.Within(c) == "" || i.CreatedBy == c.UserID
}

// Import reads an import with the course that it is for.
func (s *Service) Import(ctx context.Context, c access.Caller, id int64) (lms.Import, CourseView, error) {
	if c.Anonymous() {
		return lms.Import{}, CourseView{}, access.ErrAnonymous
	}
	i, ok, err := s.store.Reader().Import(ctx, id)
	if err != nil {
		return i, CourseView{}, err
	}
	if !ok {
		return i, CourseView{}, errNoImport
	}
	st, err := s.look(ctx, c, access.ImportView, i.CourseID)
	if err != nil {
		if isNotFound(err) {
			err = errNoImport
		}
		return lms.Import{}, CourseView{}, err
	}
	if !seesImport(c, st, &i) {
		return lms.Import{}, CourseView{}, errNoImport
	}
	return i, viewOf(c, st), nil
}

// ImportsPage is a page of a course's imports, newest first.
type ImportsPage struct {
	Imports []lms.Import
	Next    int64 // 0 when there are no more
}

// Imports lists the imports of a course.
func (s *Service) Imports(ctx context.Context, c access.Caller, courseID, before int64, limit int) (ImportsPage, error) {
	st, err := s.look(ctx, c, access.ImportView, courseID)
	if err != nil {
		return ImportsPage{}, err
	}
	if before == 0 {
		before = maxID
	}
	by := int64(0)
	if st.Within(c) != "" {
		by = c.UserID
	}
	list, err := s.store.Reader().Imports(ctx, courseID, before, limit+1, by)
	if err != nil {
		return ImportsPage{}, err
	}
	rows, more := page(list, limit)
	out := ImportsPage{Imports: rows}
	if more {
		out.Next = rows[len(rows)-1].ID
	}
	return out, nil
}

// onImport runs a change of an import: it finds the course, decides, and keeps the
// import as it is until the transaction ends.
func (s *Service) onImport(ctx context.Context, c access.Caller, a access.Action, id int64, fn func(context.Context, *work, *lms.Import) error) (lms.Import, error) {
	known, _, err := s.Import(ctx, c, id)
	if err != nil {
		return known, err
	}
	return doOnce(ctx, s, c, a, known.CourseID, nil, func(ctx context.Context, w *work) (lms.Import, error) {
		i, ok, err := w.tx.LockImport(ctx, id)
		if err != nil {
			return i, err
		}
		if !ok || !seesImport(w.caller, w.standing, &i) {
			return i, errNoImport
		}
		return i, fn(ctx, w, &i)
	})
}

// ImportPatch changes how a list is meant, before it is carried out. What is nil
// stays as it is.
type ImportPatch struct {
	Role           *string // a role's key
	Exact          *bool
	ConfirmOutside *bool
	Sure           *bool
	TakeFile       *bool
	Columns        map[string]int // by rosterfile.Field; nil: as they are
	Rows           []ImportRowPatch
}

// ImportRowPatch corrects one row, or decides about it.
type ImportRowPatch struct {
	Row    int64             // from 1, in the order of the file
	Choice *string           // one of lms.ChooseSure, ChooseFile and ChooseLeave; empty: undecided
	Cells  map[string]string // by rosterfile.Field; a field needs a column
}

// MaxImportFixes is how many rows one request may correct.
const MaxImportFixes = 1000

func errImportBusy(i *lms.Import) error {
	switch i.State {
	case lms.ImportReading, lms.ImportChecking:
		return lms.Errorf(lms.CodeConflict, "import-busy", "This list is still being checked. Wait until that is done.")
	case lms.ImportRunning, lms.ImportUndoing:
		return lms.Errorf(lms.CodeConflict, "import-busy", "This list is being carried out. Stop it first, or wait until it is done.")
	}
	return errImportOver
}

// ChangeImport changes how a list is meant, and has it checked anew.
func (s *Service) ChangeImport(ctx context.Context, c access.Caller, id int64, p ImportPatch) (lms.Import, error) {
	if len(p.Rows) > MaxImportFixes {
		return lms.Import{}, lms.Errorf(lms.CodeTooLarge, "too-many-rows", "These are %d rows: at most %d can be corrected at once.", len(p.Rows), MaxImportFixes)
	}
	i, err := s.onImport(ctx, c, access.ImportChange, id, func(ctx context.Context, w *work, i *lms.Import) error {
		if i.State != lms.ImportReady && i.State != lms.ImportColumns {
			return errImportBusy(i)
		}
		if err := w.changeOptions(ctx, i, p); err != nil {
			return err
		}
		if p.Columns != nil {
			columns, err := checkColumns(p.Columns)
			if err != nil {
				return err
			}
			i.Columns = columns
			if err := w.tx.RememberColumns(ctx, i.CourseID, headingFingerprint(i), columns, w.caller.UserID, w.now); err != nil {
				return err
			}
		}
		if _, ok := i.Columns[string(rosterfile.Address)]; !ok {
			return lms.Invalid("no-address-column", "columns", "Say which column holds the e-mail addresses.")
		}
		if err := w.fixRows(ctx, i, p.Rows); err != nil {
			return err
		}
		i.State, i.Done, i.Counts = lms.ImportChecking, 0, nil
		w.nothingChanged() // about the roster; the import itself is its own record
		return w.tx.UpdateImport(ctx, *i)
	})
	s.Wake()
	return i, err
}

func (w *work) changeOptions(ctx context.Context, i *lms.Import, p ImportPatch) error {
	if p.Role != nil {
		if _, err := w.roleToGive(ctx, *p.Role); err != nil {
			return err
		}
		i.Options.Role = *p.Role
	}
	for _, o := range []struct {
		to   *bool
		from *bool
	}{{&i.Options.Exact, p.Exact}, {&i.Options.ConfirmOutside, p.ConfirmOutside}, {&i.Options.Sure, p.Sure}, {&i.Options.TakeFile, p.TakeFile}} {
		if o.from != nil {
			*o.to = *o.from
		}
	}
	return nil
}

func checkColumns(columns map[string]int) (map[string]int, error) {
	out := make(map[string]int, len(columns))
	holds := map[int]string{}
	for field, i := range columns {
		if !slices.ContainsFunc(rosterfile.Fields(), func(f rosterfile.FieldInfo) bool { return string(f.Field) == field }) {
			return nil, lms.Invalid("unknown-column", "columns", "There is no such field: %q.", lms.Clip(field, 40))
		}
		if i < 0 || i >= rosterfile.MaxColumns {
			return nil, lms.Invalid("unknown-column", "columns", "There is no column %d.", i+1)
		}
		if other, twice := holds[i]; twice && other != field {
			return nil, lms.Invalid("unknown-column", "columns", "Column %d cannot hold two things.", i+1)
		}
		holds[i], out[field] = field, i
	}
	return out, nil
}

// fixRows writes corrections and decisions into the chunks.
func (w *work) fixRows(ctx context.Context, i *lms.Import, fixes []ImportRowPatch) error {
	of := map[int64][]ImportRowPatch{}
	for _, f := range fixes {
		if f.Row < 1 || f.Row > i.Rows {
			return lms.Invalid("unknown-row", "rows", "This list has no row %d.", f.Row)
		}
		n := (f.Row - 1) / chunkRows
		of[n] = append(of[n], f)
	}
	for n, fixes := range of {
		chunk, ok, err := w.tx.Chunk(ctx, i.ID, n)
		if err != nil {
			return err
		}
		if !ok {
			return errNoImport
		}
		for _, f := range fixes {
			if err := fixRow(i, &chunk.Rows[(f.Row-1)%chunkRows], f); err != nil {
				return err
			}
		}
		if err := w.tx.PutChunk(ctx, &chunk); err != nil {
			return err
		}
	}
	return nil
}

func fixRow(i *lms.Import, row *lms.ImportRow, f ImportRowPatch) error {
	if f.Choice != nil {
		switch *f.Choice {
		case "", lms.ChooseSure, lms.ChooseFile, lms.ChooseLeave:
			row.Choice = *f.Choice
		default:
			return lms.Invalid("unknown-choice", "rows", "Decide for one of: sure, file, leave.")
		}
	}
	for field, text := range f.Cells {
		column, ok := i.Columns[field]
		if !ok {
			return lms.Invalid("unknown-column", "rows", "This list has no column for %q.", lms.Clip(field, 40))
		}
		if len(text) > rosterfile.MaxCellRunes {
			return lms.Invalid("cell-too-long", "rows", "Row %d: this is more than %d characters.", f.Row, rosterfile.MaxCellRunes)
		}
		for len(row.Cells) <= column {
			row.Cells = append(row.Cells, "")
		}
		row.Cells[column] = text
	}
	return nil
}

// StartImport begins to carry a list out. Leaving is how many people the caller
// has seen that the list takes out of the course; another number is refused, so
// that nobody is removed whom nobody has looked at. Starting what has begun changes
// nothing; one that waits for a limit is tried again at once.
func (s *Service) StartImport(ctx context.Context, c access.Caller, id, leaving int64) (lms.Import, error) {
	i, err := s.onImport(ctx, c, access.ImportStart, id, func(ctx context.Context, w *work, i *lms.Import) error {
		switch {
		case i.Paused():
			w.nothingChanged()
			i.PausedFor = ""
			return w.tx.WakeImport(ctx, i.ID, w.now)
		case i.State.Begun():
			w.nothingChanged()
			return nil
		case i.State != lms.ImportReady:
			return errImportBusy(i)
		case i.Counts[lms.PlanRemove] != leaving:
			return lms.Invalid("confirm-leaving", "leaving", "This list would take %d people out of the course. Look at them, and confirm that number.", i.Counts[lms.PlanRemove])
		}
		view := importView(*i)
		i.State, i.StartedBy, i.StartedAt, i.Done, i.Counts = lms.ImportRunning, w.caller.UserID, w.now, 0, nil
		if err := w.tx.UpdateImport(ctx, *i); err != nil {
			return err
		}
		return w.record(ctx, 0, nil, view)
	})
	s.Wake()
	return i, err
}

// CancelImport stops an import after the rows that are being carried out, or
// throws one away that has not begun.
func (s *Service) CancelImport(ctx context.Context, c access.Caller, id int64) (lms.Import, error) {
	return s.onImport(ctx, c, access.ImportCancel, id, func(ctx context.Context, w *work, i *lms.Import) error {
		switch i.State {
		case lms.ImportRunning:
			if i.Paused() { // else undoing it would wait as it did
				i.PausedFor = ""
				if err := w.tx.WakeImport(ctx, i.ID, w.now); err != nil {
					return err
				}
			}
		case lms.ImportReading, lms.ImportColumns, lms.ImportChecking, lms.ImportReady:
			if err := w.tx.DropChunks(ctx, i.ID); err != nil {
				return err
			}
			i.Counts, i.Chunks = nil, 0
		default:
			w.nothingChanged()
			return nil
		}
		i.State, i.EndedAt = lms.ImportCanceled, w.now
		if err := w.tx.UpdateImport(ctx, *i); err != nil {
			return err
		}
		return w.record(ctx, 0, nil, importView(*i))
	})
}

// UndoImport begins to take back what an import did, row by row, as far as nobody
// has built on it since.
func (s *Service) UndoImport(ctx context.Context, c access.Caller, id int64) (lms.Import, error) {
	i, err := s.onImport(ctx, c, access.ImportUndo, id, func(ctx context.Context, w *work, i *lms.Import) error {
		switch {
		case i.State == lms.ImportUndoing, i.State == lms.ImportUndone:
			w.nothingChanged()
			return nil
		case i.State == lms.ImportRunning:
			return errImportBusy(i)
		case i.StartedAt.IsZero() || i.State != lms.ImportDone && i.State != lms.ImportCanceled && i.State != lms.ImportFailed:
			return lms.Errorf(lms.CodeConflict, "import-not-begun", "This list has changed nothing, so there is nothing to undo.")
		case i.Chunks == 0:
			return lms.Errorf(lms.CodeConflict, "import-too-old", "What this list said is no longer kept, so it cannot be undone. Change the people of the course by hand.")
		}
		view := importView(*i)
		i.State, i.UndoneBy, i.Done, i.EndedAt = lms.ImportUndoing, w.caller.UserID, 0, time.Time{}
		if err := w.tx.UpdateImport(ctx, *i); err != nil {
			return err
		}
		return w.record(ctx, 0, view, nil)
	})
	s.Wake()
	return i, err
}

// AwaitImport waits until nothing works on an import, or for a while.
func (s *Service) AwaitImport(ctx context.Context, c access.Caller, id int64, patience time.Duration) (lms.Import, error) {
	const pause = 20 * time.Millisecond
	for waited := time.Duration(0); ; waited += pause {
		i, _, err := s.Import(ctx, c, id)
		if err != nil || !i.State.Working() || waited >= patience {
			return i, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return i, ctx.Err()
		}
	}
}
