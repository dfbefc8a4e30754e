package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"matricula/internal/lms"
	"matricula/internal/rosterfile"
	"matricula/internal/service"
)

// Import is a class list on its way into a course.
type Import struct {
	ID          int64            `json:"id"`
	CourseID    int64            `json:"course_id"`
	Name        *string          `json:"name" doc:"Of the file."`
	State       string           `json:"state" enum:"reading,columns,checking,ready,running,done,canceled,failed,undoing,undone" doc:"columns: say which column holds the addresses; ready: look it over and start it."`
	Role        string           `json:"role" doc:"The key of the role of rows that say none."`
	Exact       bool             `json:"exact" doc:"Whoever has a role of the list and does not stand in it leaves the course."`
	Outside     bool             `json:"confirm_outside" doc:"Unknown addresses outside the school's own domains are meant."`
	Sure        bool             `json:"sure" doc:"Addresses that look like slips are right."`
	TakeFile    bool             `json:"take_file" doc:"Where somebody has set another value by hand, the list's is taken."`
	Headings    []string         `json:"headings" doc:"The first row; empty texts when it holds no headings."`
	Columns     map[string]int   `json:"columns" doc:"Which column holds which field, from 0."`
	Rows        int64            `json:"rows"`
	Done        int64            `json:"done" doc:"Rows with which the present step is through."`
	Counts      map[string]int64 `json:"counts" doc:"Rows by what they would do (add, already, change, conflict, ask, refused, left, remove) until the import starts, and by what they did afterwards (named, enrolled, already, changed, removed, refused, left)."`
	NewSections []string         `json:"new_sections" doc:"Sections that it would make."`
	Fault       *string          `json:"fault" doc:"The type of the problem that ended it."`
	Names       int64            `json:"names" doc:"People whom nobody knows yet and whom it would name, as of the check."`
	Warning     *string          `json:"warning" doc:"What stands in the way of carrying it out at once, such as a limit that it would meet; told when it is read by itself."`
	Paused      *ImportPause     `json:"paused" doc:"What it waits for while it is running; null: it does not wait."`
	CreatedByID int64            `json:"created_by_id"`
	CreatedAt   time.Time        `json:"created_at"`
	StartedAt   *time.Time       `json:"started_at"`
	EndedAt     *time.Time       `json:"ended_at"`
}

// ImportPause is why a list that is being carried out waits.
type ImportPause struct {
	Limit  string    `json:"limit" doc:"The name of the limit that is used up."`
	Until  time.Time `json:"until" doc:"When it goes on by itself. Starting it again tries it at once."`
	Detail string    `json:"detail" doc:"The same for people, and what to do."`
}

func importWire(i *lms.Import) Import {
	w := Import{
		ID: i.ID, CourseID: i.CourseID, Name: textOrNull(i.Name), State: string(i.State), Role: i.Options.Role, Exact: i.Options.Exact, Outside: i.Options.ConfirmOutside,
		Sure: i.Options.Sure, TakeFile: i.Options.TakeFile, Headings: i.Heading, Columns: i.Columns, Rows: i.Rows, Done: i.Done, Counts: i.Counts, NewSections: i.NewSections,
		Fault: textOrNull(i.Fault), CreatedByID: i.CreatedBy, CreatedAt: i.CreatedAt.UTC(), StartedAt: timeOrNull(i.StartedAt), EndedAt: timeOrNull(i.EndedAt),
	}
	w.Names = i.Names
	if i.Paused() {
		w.Paused = &ImportPause{string(i.PausedFor), i.PausedUntil.UTC(), i.Pause().String()}
	}
	if w.Headings == nil {
		w.Headings = []string{}
	}
	if w.Columns == nil {
		w.Columns = map[string]int{}
	}
	if w.Counts == nil {
		w.Counts = map[string]int64{}
	}
	if w.NewSections == nil {
		w.NewSections = []string{}
	}
	return w
}

// ImportRow is one row of a list.
type ImportRow struct {
	Row        int64             `json:"row" doc:"From 1, in the order of the file. Those who would leave the course follow."`
	Line       *int64            `json:"line" doc:"In the file; null for somebody who would leave."`
	Says       map[string]string `json:"says" doc:"What stands in its cells, by field."`
	Choice     *string           `json:"choice" doc:"What somebody decided: sure, file or leave."`
	Plan       *string           `json:"plan" doc:"What it would do; null until it is checked."`
	Result     *string           `json:"result" doc:"What it did."`
	Reason     *string           `json:"reason" doc:"The type of a problem, or why it is asked about."`
	Message    *string           `json:"message" doc:"The same, for people."`
	Column     *int64            `json:"column" doc:"The column at fault, from 0."`
	Suggestion *string           `json:"suggestion" doc:"The address that was perhaps meant."`
	Changes    []ImportChange    `json:"changes" doc:"What would change, or in what the list and somebody's hand do not agree."`
	UserID     *int64            `json:"user_id" doc:"null for somebody whom nobody knows yet."`
	Undone     *string           `json:"undone" doc:"yes, or why it stayed when the import was undone."`
}

// ImportChange is one value that a row would change.
type ImportChange struct {
	Field  string `json:"field" example:"section"`
	Is     string `json:"is"`
	Would  string `json:"would"`
	ByHand bool   `json:"by_hand" doc:"Somebody has set what is there."`
}

func importRowWire(r *service.ImportedRow) ImportRow {
	w := ImportRow{
		Row: r.Row, Line: idOrNull(int64(r.Line)), Says: r.Says, Choice: textOrNull(r.Choice), Plan: textOrNull(r.Plan), Result: textOrNull(r.Result), Reason: textOrNull(r.Reason),
		Message: textOrNull(r.Text.String()), Suggestion: textOrNull(r.Other), Changes: []ImportChange{}, UserID: idOrNull(r.UserID), Undone: textOrNull(r.Undone),
	}
	if w.Says == nil {
		w.Says = map[string]string{}
	}
	if r.Cell > 0 {
		column := int64(r.Cell - 1)
		w.Column = &column
	}
	for _, d := range r.Differ {
		w.Changes = append(w.Changes, ImportChange(d))
	}
	return w
}

type (
	// OneImport is a request about an import.
	OneImport struct {
		ImportID int64 `path:"import_id" minimum:"1"`
	}
	listImportsIn struct {
		InCourse
		Paging
	}
	createImportIn struct {
		InCourse
		Repeatable
		Name     string `query:"name" doc:"Of the file, for people."`
		Role     string `query:"role" doc:"The key of the role of rows that say none; student unless given."`
		Exact    bool   `query:"exact" doc:"Make the roster exactly this list: whoever has a role of the list and does not stand in it leaves."`
		Outside  bool   `query:"confirm_outside" doc:"Unknown addresses outside the school's own domains are meant."`
		Sure     bool   `query:"sure" doc:"Addresses that look like slips are right."`
		TakeFile bool   `query:"take_file" doc:"Where somebody has set another value by hand, take the list's."`
	}
	patchImportIn struct {
		OneImport
		Body ImportPatch
	}
	startImportIn struct {
		OneImport
		Body ImportStart
	}
	listImportRowsIn struct {
		OneImport
		Show string `query:"show" doc:"Only rows with this plan, or once it has begun with this result; stays: what could not be undone."`
		Paging
	}
)

// ImportPatch says how a list is meant, before it starts. It is checked anew.
type ImportPatch struct {
	Role     *string           `json:"role,omitempty" nullable:"false"`
	Exact    *bool             `json:"exact,omitempty" nullable:"false"`
	Outside  *bool             `json:"confirm_outside,omitempty" nullable:"false"`
	Sure     *bool             `json:"sure,omitempty" nullable:"false"`
	TakeFile *bool             `json:"take_file,omitempty" nullable:"false"`
	Columns  map[string]int    `json:"columns,omitempty" doc:"Which column holds which field, from 0: email, given_name, family_name, name, role, student_number, section, begins, ends, privileges. The choice is remembered for lists with the same headings."`
	Rows     []ImportRowChange `json:"rows,omitempty" doc:"At most 1,000."`
}

// ImportRowChange corrects a row, or decides about it.
type ImportRowChange struct {
	Row    int64             `json:"row" minimum:"1"`
	Choice *string           `json:"choice,omitempty" nullable:"false" doc:"sure: the address is right; file: take the list's values; leave: leave the row out; empty: undecided."`
	Cells  map[string]string `json:"cells,omitempty" doc:"By field, as far as the list has a column for it."`
}

// ImportStart says what the caller has seen.
type ImportStart struct {
	Leaving int64 `json:"leaving,omitempty" minimum:"0" doc:"How many people the list takes out of the course: counts.remove. Another number is refused."`
}

func (a *API) registerImports() {
	const course, one = "/courses/{course_id}/imports", "/imports/{import_id}"
	register(a, op(http.MethodGet, course, "list-imports", tagPeople, "Class lists of a course", "Newest first, with their reports. The caller needs roster.manage or staff.manage."), a.listImports)
	create := op(http.MethodPost, course, "create-import", tagPeople, "Bring a class list",
		"The body is the file: CSV or TSV in any encoding and with any separator, or XLSX, at most 48 MB as XLSX and 200 MB as text, a million rows. It is read and checked in the background, and nothing of the course changes before it is started. The same list, sent again while the first waits or runs, is the first.", http.StatusConflict)
	create.RequestBody = fileBody()
	register(a, create, a.createImport)
	register(a, op(http.MethodGet, one, "get-import", tagPeople, "One class list", "How far it is, and what its rows would do or did."), a.getImport)
	register(a, op(http.MethodGet, one+"/rows", "list-import-rows", tagPeople, "The rows of a class list", "In the order of the file, with what each would do or did, and why."), a.listImportRows)
	register(a, op(http.MethodPatch, one, "update-import", tagPeople, "Say how a class list is meant", "Columns, options, corrections and decisions, before it is started. It is checked anew.", http.StatusConflict), a.patchImport)
	start := op(http.MethodPost, one+"/start", "start-import", tagPeople, "Carry a class list out",
		"In the background; GET tells how far it is. Each batch makes sure that the caller still may. Starting what has begun changes nothing.", http.StatusConflict)
	start.DefaultStatus = http.StatusAccepted
	register(a, start, a.startImport)
	cancel := op(http.MethodPost, one+"/cancel", "cancel-import", tagPeople, "Stop a class list, or throw it away", "It stops between two batches; what is done stays, and can be undone.", http.StatusConflict)
	cancel.DefaultStatus = http.StatusOK
	register(a, cancel, a.cancelImport)
	undo := op(http.MethodPost, one+"/undo", "undo-import", tagPeople, "Undo a class list",
		"In the background, row by row: what somebody has built on stays, and GET …/rows?show=stays says why.", http.StatusConflict)
	undo.DefaultStatus = http.StatusAccepted
	register(a, undo, a.undoImport)
}

func (a *API) listImports(ctx context.Context, c *call, in *listImportsIn) (*page[Import], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := a.svc.Imports(ctx, c.caller, in.CourseID, from.id, in.Limit)
	if err != nil {
		return nil, err
	}
	return listOf(found.Imports, importWire, c.next(place{id: found.Next})), nil
}

func (a *API) createImport(ctx context.Context, c *call, in *createImportIn) (out *created[Import], err error) {
	kept, err := rosterfile.Keep(c.upload)
	if err != nil {
		if f := unreadUpload(err); f != nil {
			return nil, f
		}
		return nil, err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	i, err := a.svc.CreateImport(ctx, c.caller, service.NewImport{
		CourseID: in.CourseID, Name: in.Name, File: kept.File,
		Options: lms.ImportOptions{Role: in.Role, Exact: in.Exact, ConfirmOutside: in.Outside, Sure: in.Sure, TakeFile: in.TakeFile},
	}, c.once())
	if err != nil {
		return nil, err
	}
	return &created[Import]{Location: fmt.Sprintf("%s/imports/%d", v1, i.ID), Body: importWire(&i)}, nil
}

// unreadUpload answers for a file that did not come whole.
func unreadUpload(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return lms.Errorf(lms.CodeTooLarge, "file-too-large", "This file has more than %d MB, the most that can be read. Split it.", rosterfile.MaxBytes>>20)
	}
	if lms.CodeOf(err) != lms.CodeInternal {
		return err
	}
	return nil
}

func (a *API) getImport(ctx context.Context, c *call, in *OneImport) (*answer[Import], error) {
	i, _, err := a.svc.Import(ctx, c.caller, in.ImportID)
	if err != nil {
		return nil, err
	}
	outlook, err := a.svc.ImportOutlook(ctx, c.caller, &i)
	if err != nil {
		return nil, err
	}
	wire := importWire(&i)
	wire.Warning = textOrNull(outlook.String())
	return &answer[Import]{wire}, nil
}

func (a *API) listImportRows(ctx context.Context, c *call, in *listImportRowsIn) (*page[ImportRow], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := a.svc.ImportRows(ctx, c.caller, service.ImportRowsRequest{ID: in.ImportID, Show: in.Show, After: from.id, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return listOf(found.Rows, importRowWire, c.next(place{id: found.Next})), nil
}

func (a *API) patchImport(ctx context.Context, c *call, in *patchImportIn) (*answer[Import], error) {
	b := &in.Body
	p := service.ImportPatch{Role: b.Role, Exact: b.Exact, ConfirmOutside: b.Outside, Sure: b.Sure, TakeFile: b.TakeFile, Columns: b.Columns}
	for _, r := range b.Rows {
		p.Rows = append(p.Rows, service.ImportRowPatch(r))
	}
	i, err := a.svc.ChangeImport(ctx, c.caller, in.ImportID, p)
	if err != nil {
		return nil, err
	}
	return &answer[Import]{importWire(&i)}, nil
}

func (a *API) startImport(ctx context.Context, c *call, in *startImportIn) (*answer[Import], error) {
	i, err := a.svc.StartImport(ctx, c.caller, in.ImportID, in.Body.Leaving)
	if err != nil {
		return nil, err
	}
	return &answer[Import]{importWire(&i)}, nil
}

func (a *API) cancelImport(ctx context.Context, c *call, in *OneImport) (*answer[Import], error) {
	i, err := a.svc.CancelImport(ctx, c.caller, in.ImportID)
	if err != nil {
		return nil, err
	}
	return &answer[Import]{importWire(&i)}, nil
}

func (a *API) undoImport(ctx context.Context, c *call, in *OneImport) (*answer[Import], error) {
	i, err := a.svc.UndoImport(ctx, c.caller, in.ImportID)
	if err != nil {
		return nil, err
	}
	return &answer[Import]{importWire(&i)}, nil
}
