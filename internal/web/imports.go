package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/rosterfile"
	"matricula/internal/service"
)

var importRoutes = []route{
	{"GET /courses/{course_id}/imports", false, (*Web).imports},
	{"POST /courses/{course_id}/imports", false, (*Web).bringList},
	{"GET /courses/{course_id}/imports/{import_id}", false, (*Web).importPage},
	{"GET /courses/{course_id}/imports/{import_id}/events", false, (*Web).importEvents},
	{"GET /courses/{course_id}/imports/{import_id}/change", false, (*Web).backToImport},
	{"POST /courses/{course_id}/imports/{import_id}/change", false, (*Web).changeImport},
	{"GET /courses/{course_id}/imports/{import_id}/rows", false, (*Web).backToImport},
	{"POST /courses/{course_id}/imports/{import_id}/rows", false, (*Web).fixImportRows},
	{"GET /courses/{course_id}/imports/{import_id}/start", false, (*Web).backToImport},
	{"POST /courses/{course_id}/imports/{import_id}/start", false, (*Web).startImport},
	{"POST /courses/{course_id}/imports/{import_id}/cancel", false, (*Web).cancelImport},
	{"POST /courses/{course_id}/imports/{import_id}/undo", false, (*Web).undoImport},
	{"POST /courses/{course_id}/imports/{import_id}/report", false, (*Web).importReport},
}

const (
	importsOnPage    = 20
	importRowsOnPage = 50

	// For how long a page waits for a list that is soon read and checked, so that
	// whoever brings a class of thirty sees the result at once.
	importPatience = 1500 * time.Millisecond
)

func importPath(courseID, id int64, rest string) string {
	return coursePath(courseID, "/imports/"+num(id)+rest)
}

// importsView is the page on which lists are brought, with those of before.
type importsView struct {
	Shell    shell
	CourseID int64
	MayBring bool
	Roles    []roleChoice
	Role     string
	Text     string
	Exact    bool
	Problem  problem
	Lists    []lms.Import
	Next     int64
	Later    bool
}

func (w *Web) imports(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	view, err := w.importsViewOf(r, v)
	if err != nil {
		return err
	}
	w.render(rw, r, http.StatusOK, importsPage(view))
	return nil
}

func (w *Web) importsViewOf(r *request, v service.CourseView) (importsView, error) {
	view := importsView{Shell: w.courseShell(r, v, r.words.T("Class lists"), "people"), CourseID: v.Course.ID, Role: lms.RoleStudent, MayBring: may(r, access.ImportCreate, v)}
	from, err := before(r)
	if err != nil {
		return view, err
	}
	page, err := w.svc.Imports(r.Context(), r.caller, v.Course.ID, from, importsOnPage)
	if err != nil {
		return view, err
	}
	view.Lists, view.Next, view.Later = page.Imports, page.Next, from > 0
	view.Roles, err = w.rolesToGive(r, v, &lms.Member{})
	return view, err
}

// broughtList is a form with a list, as it was sent.
type broughtList struct {
	kept    *rosterfile.Kept
	name    string
	text    string
	options lms.ImportOptions
}

func (b *broughtList) close() error {
	if b.kept == nil {
		return nil
	}
	return b.kept.Close()
}

// bringList takes a file or what was pasted.
func (w *Web) bringList(rw http.ResponseWriter, r *request) (err error) {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	if err := access.Decide(r.caller, access.ImportCreate, standing(v)); err != nil {
		return err
	}
	var list broughtList
	defer func() { err = errors.Join(err, list.close()) }()
	if err := readList(r, &list); err != nil {
		return w.listProblem(rw, r, v, list, err)
	}
	n := service.NewImport{CourseID: v.Course.ID, Name: list.name, Text: list.text, Options: list.options}
	if list.kept != nil {
		n.File = list.kept.File
	}
	i, err := w.svc.CreateImport(r.Context(), r.caller, n, nil)
	if err != nil {
		return w.listProblem(rw, r, v, list, err)
	}
	return w.toImport(rw, r, v.Course.ID, i.ID, "")
}

// toImport leads to the page of an import, after waiting a little for it.
func (w *Web) toImport(rw http.ResponseWriter, r *request, courseID, id int64, done string) error {
	if _, err := w.svc.AwaitImport(r.Context(), r.caller, id, importPatience); err != nil {
		return err
	}
	if done != "" {
		return w.done(rw, r, importPath(courseID, id, ""), done)
	}
	w.redirect(rw, r, importPath(courseID, id, ""))
	return nil
}

func (w *Web) listProblem(rw http.ResponseWriter, r *request, v service.CourseView, list broughtList, err error) error {
	p, status, ok := asProblem(r.words, err)
	if !ok || lms.CodeOf(err) == lms.CodeForbidden {
		return err
	}
	view, err := w.importsViewOf(r, v)
	if err != nil {
		return err
	}
	view.Problem, view.Text, view.Exact = p, list.text, list.options.Exact
	if list.options.Role != "" {
		view.Role = list.options.Role
	}
	w.render(rw, r, status, importsPage(view))
	return nil
}

var errDamagedForm = lms.Errorf(lms.CodeMalformed, "form-unreadable", "The form arrived damaged. Go back, reload the page and send it again.")

// readList reads a form with a file, which lies in a temporary one meanwhile, or
// with a text.
func readList(r *request, list *broughtList) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return lms.Errorf(lms.CodeMalformed, "not-a-form", "This address is for a form of this site. Go back to the page before and use its buttons.")
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return errDamagedForm
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return uploadFault(err)
		}
		if part.FormName() == "file" {
			if list.kept != nil {
				return errDamagedForm
			}
			// Browsers send the name alone; what others send may have a path.
			list.name = lms.Clip(path.Base(strings.ReplaceAll(part.FileName(), `\`, "/")), 80)
			if list.kept, err = rosterfile.Keep(part); err != nil {
				return uploadFault(err)
			}
			continue
		}
		value, err := io.ReadAll(io.LimitReader(part, pasteLimit+1))
		if err != nil {
			return uploadFault(err)
		}
		if err := list.take(part.FormName(), string(value)); err != nil {
			return err
		}
	}
	return list.settle()
}

func (b *broughtList) take(name, value string) error {
	switch name {
	case "role":
		b.options.Role = lms.Clip(value, 200)
	case "exact":
		b.options.Exact = value == "yes"
	case "text":
		if len(value) > pasteLimit {
			return lms.Errorf(lms.CodeTooLarge, "form-too-large", "This is more than can be pasted (%d MB). Save it as a file and choose that.", pasteLimit>>20)
		}
		b.text = value
	default:
		return errDamagedForm
	}
	return nil
}

// settle decides between the file and the text: a browser sends an empty file when
// none was chosen.
func (b *broughtList) settle() error {
	chosen := b.kept != nil && b.name != "" && b.name != "."
	if !chosen && b.kept != nil {
		err := b.kept.Close()
		b.kept, b.name = nil, ""
		if err != nil {
			return err
		}
	}
	pasted := strings.TrimSpace(b.text) != ""
	switch {
	case chosen && pasted:
		return lms.Invalid("two-lists", "text", "There is a file and a pasted list. Send one of the two.")
	case !chosen && !pasted:
		return lms.Invalid("no-file", "file", "Choose a file first, or paste the list: a class list saved as XLSX or CSV.")
	}
	return nil
}

func uploadFault(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return lms.Errorf(lms.CodeTooLarge, "file-too-large", "This file has more than %d MB, the most that can be read. Split it.", rosterfile.MaxBytes>>20)
	}
	if lms.CodeOf(err) != lms.CodeInternal {
		return err
	}
	return errDamagedForm
}

// readImport finds the import of a path.
func (w *Web) readImport(r *request) (service.CourseView, lms.Import, error) {
	course, err := courseID(r)
	if err != nil {
		return service.CourseView{}, lms.Import{}, err
	}
	id, err := pathID(r, "import_id", "import")
	if err != nil {
		return service.CourseView{}, lms.Import{}, err
	}
	i, v, err := w.svc.Import(r.Context(), r.caller, id)
	if err == nil && i.CourseID != course {
		err = lms.NotFound("import")
	}
	return v, i, err
}

func (w *Web) backToImport(rw http.ResponseWriter, r *request) error {
	_, i, err := w.readImport(r)
	if err != nil {
		return err
	}
	w.redirect(rw, r, importPath(i.CourseID, i.ID, ""))
	return nil
}

func (w *Web) importPage(rw http.ResponseWriter, r *request) error {
	v, i, err := w.readImport(r)
	if err != nil {
		return err
	}
	return w.showImport(rw, r, v, i, http.StatusOK, problem{})
}

// importView is the page of one list, whatever its state.
type importView struct {
	Shell    shell
	Import   lms.Import
	Groups   []importGroup
	Show     string
	Rows     []service.ImportedRow
	Next     int64
	Later    bool
	Roles    []roleChoice
	Sample   []lms.ImportRow
	Stays    int
	MayStart bool
	Outlook  lms.Text // that it would meet a limit
	MayEdit  bool
	Columns  bool // the columns are to be chosen
	Problem  problem
}

// importGroup is the rows of one plan or result.
type importGroup struct {
	Key   string
	Label lms.Term
	N     int64
}

func (w *Web) showImport(rw http.ResponseWriter, r *request, v service.CourseView, i lms.Import, status int, p problem) error {
	title := i.Name
	if title == "" {
		title = r.words.T("Pasted list")
	}
	view := importView{
		Shell: w.courseShell(r, v, title, "people"), Import: i, Problem: p, MayEdit: may(r, access.ImportChange, v), MayStart: may(r, access.ImportStart, v),
		Columns: i.State == lms.ImportColumns || i.State == lms.ImportReady && r.URL.Query().Has("columns"),
	}
	if i.State.Working() && !i.Paused() {
		view.Shell.Reload = 3
	}
	var err error
	if view.Outlook, err = w.svc.ImportOutlook(r.Context(), r.caller, &i); err != nil {
		return err
	}
	if view.Roles, err = w.rolesToGive(r, v, &lms.Member{}); err != nil {
		return err
	}
	if view.Columns {
		if view.Sample, err = w.svc.ImportSample(r.Context(), r.caller, i.ID, 5); err != nil {
			return err
		}
	} else if err := w.importRows(r, &view); err != nil {
		return err
	}
	w.render(rw, r, status, importPage(view))
	return nil
}

// importRows fills in the table of rows: those of the group that was asked for, or
// first those that somebody has to look at.
func (w *Web) importRows(r *request, view *importView) error {
	i := &view.Import
	view.Groups = groupsOf(i)
	if i.State.Working() || i.Chunks == 0 {
		return nil
	}
	view.Show = r.URL.Query().Get("show")
	if !slices.ContainsFunc(view.Groups, func(g importGroup) bool { return g.Key == view.Show }) {
		if view.Show = ""; len(view.Groups) > 0 {
			view.Show = view.Groups[0].Key
		}
	}
	after, err := afterRow(r)
	if err != nil {
		return err
	}
	page, err := w.svc.ImportRows(r.Context(), r.caller, service.ImportRowsRequest{ID: i.ID, Show: view.Show, After: after, Limit: importRowsOnPage})
	if err != nil {
		return err
	}
	view.Rows, view.Next, view.Later = page.Rows, page.Next, after > 0
	return nil
}

// groupsOf are the groups of rows, those first that somebody has to look at.
func groupsOf(i *lms.Import) []importGroup {
	var list []importGroup
	for _, g := range importGroups {
		if n := i.Counts[g.Key]; n > 0 {
			list = append(list, importGroup{g.Key, g.Label, n})
		}
	}
	if i.State == lms.ImportUndone && len(list) > 0 {
		list = append([]importGroup{{service.ShowStays, "Stays", -1}}, list...)
	}
	return list
}

// importGroups are the plans and results, in the order in which pages show them.
var importGroups = []importGroup{
	{Key: lms.PlanRefused, Label: "Cannot be used"},
	{Key: lms.PlanAsk, Label: "Is this right?"},
	{Key: lms.PlanConflict, Label: "Set by hand"},
	{Key: lms.PlanRemove, Label: "Would leave"},
	{Key: lms.PlanAdd, Label: "Would come in"},
	{Key: lms.PlanChange, Label: "Would change"},
	{Key: lms.DidRemove, Label: "Left"},
	{Key: lms.DidName, Label: "Came in, not here yet"},
	{Key: lms.DidEnroll, Label: "Came in"},
	{Key: lms.DidChange, Label: "Changed"},
	{Key: lms.PlanLeft, Label: "Left out"},
	{Key: lms.PlanAlready, Label: "As it was"},
}

// importStates say how far a list is.
var importStates = map[lms.ImportState]lms.Term{
	lms.ImportReading: "Being read", lms.ImportColumns: "Waits for its columns", lms.ImportChecking: "Being checked", lms.ImportReady: "To be looked over",
	lms.ImportRunning: "Being carried out", lms.ImportDone: "Done", lms.ImportCanceled: "Stopped", lms.ImportFailed: "Could not go on",
	lms.ImportUndoing: "Being undone", lms.ImportUndone: "Undone",
}

// staysBecause say why a row stays when an import is undone.
var staysBecause = map[string]lms.Term{
	"built-on": "Somebody, or a later list, has changed it since.", "gone": "Is no longer in the course.", "back": "Is in the course again already.",
	"role-gone": "The role from before is gone.", "section-gone": "The section from before is gone.",
}
