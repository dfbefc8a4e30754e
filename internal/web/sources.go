package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"

	"matricula/internal/access"
	"matricula/internal/fetch"
	"matricula/internal/lms"
	"matricula/internal/service"
)

var sourceRoutes = []route{
	{"GET /admin/sources", false, (*Web).sources},
	{"POST /admin/sources", false, (*Web).createSource},
	{"GET /admin/sources/{source_id}", false, (*Web).source},
	{"POST /admin/sources/{source_id}", false, (*Web).saveSource},
	{"POST /admin/sources/{source_id}/delete", false, (*Web).deleteSource},
	{"POST /admin/sources/{source_id}/look", false, (*Web).lookAtSource},
	{"GET /admin/sources/{source_id}/runs", false, (*Web).backToSource},
	{"POST /admin/sources/{source_id}/runs", false, (*Web).uploadRun},
	{"GET /admin/runs/{run_id}", false, (*Web).sourceRun},
	{"POST /admin/runs/{run_id}/approve", false, (*Web).approveRun},
	{"POST /admin/runs/{run_id}/cancel", false, (*Web).cancelRun},
}

const (
	runsOnPage       = 20
	runImportsOnPage = 50
)

func sourcePath(id int64, rest string) string { return "/admin/sources/" + num(id) + rest }
func runPath(id int64, rest string) string    { return "/admin/runs/" + num(id) + rest }

// sourceForm is a source as typed.
type sourceForm struct {
	Name, Kind, Place, Course, Role, Minutes, Brake string
	Exact, Enabled                                  bool
	Key                                             string // see formKey
}

func readSourceForm(f form) sourceForm {
	return sourceForm{
		Name: f.text("name"), Kind: f.text("kind"), Place: strings.TrimSpace(f.text("place")), Course: f.text("course"), Role: strings.TrimSpace(f.text("role")),
		Minutes: f.text("minutes"), Brake: f.text("brake"), Exact: f.flag("exact"), Enabled: f.flag("enabled"), Key: f.text("key"),
	}
}

// numberIn reads a number that a person typed.
func numberIn(text, field string) (int64, error) {
	if text = strings.TrimSpace(text); text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, lms.Invalid("number", field, "Write a whole number here.")
	}
	return n, nil
}

func (s sourceForm) fields() (service.SourceFields, error) {
	minutes, err := numberIn(s.Minutes, "every_minutes")
	if err != nil {
		return service.SourceFields{}, err
	}
	brake, err := numberIn(s.Brake, "brake")
	if err != nil {
		return service.SourceFields{}, err
	}
	course, err := numberIn(s.Course, "course_id")
	if err != nil {
		return service.SourceFields{}, err
	}
	return service.SourceFields{Name: s.Name, Kind: s.Kind, Place: s.Place, CourseID: course, Role: s.Role, Minutes: minutes, Exact: s.Exact, Brake: brake, Enabled: s.Enabled}, nil
}

// sourcesView is the page of the roster sources.
type sourcesView struct {
	Shell   shell
	Sources []lms.RosterSource
	Form    sourceForm
	Problem problem
}

func (w *Web) sources(rw http.ResponseWriter, r *request) error {
	return w.showSources(rw, r, http.StatusOK, sourceForm{Kind: string(lms.SourceUpload), Minutes: "60", Brake: "10", Exact: true, Enabled: true}, problem{})
}

func (w *Web) showSources(rw http.ResponseWriter, r *request, status int, typed sourceForm, p problem) error {
	list, err := w.svc.Sources(r.Context(), r.caller)
	if err != nil {
		return err
	}
	v := sourcesView{Shell: w.shell(r, r.words.T("Roster sources")), Sources: list, Form: typed, Problem: p}
	v.Shell.Section, v.Form.Key = "admin-sources", formKey()
	w.render(rw, r, status, sourcesPage(v))
	return nil
}

func (w *Web) createSource(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	typed := readSourceForm(f)
	fields, err := typed.fields()
	var made lms.RosterSource
	if err == nil {
		made, err = w.svc.CreateSource(r.Context(), r.caller, fields, once("POST /admin/sources", typed.Key, typed.Name, typed.Kind, typed.Place))
	}
	if err == nil {
		return w.done(rw, r, sourcePath(made.ID, ""), "source-made")
	}
	p, status, ok := asProblem(r.words, err)
	if !ok || lms.CodeOf(err) == lms.CodeForbidden {
		return err
	}
	return w.showSources(rw, r, status, typed, sentTwice(r.words, p))
}

// sourceView is the page of one source with its last runs.
type sourceView struct {
	Shell   shell
	Source  lms.RosterSource
	Runs    []lms.SourceRun
	Next    int64
	Later   bool
	Form    sourceForm
	Problem problem
}

func (w *Web) source(rw http.ResponseWriter, r *request) error {
	return w.showSource(rw, r, http.StatusOK, nil, problem{})
}

func (w *Web) showSource(rw http.ResponseWriter, r *request, status int, typed *sourceForm, p problem) error {
	id, err := pathID(r, "source_id", "roster source")
	if err != nil {
		return err
	}
	s, err := w.svc.Source(r.Context(), r.caller, id)
	if err != nil {
		return err
	}
	from := int64(0)
	if r.Method == http.MethodGet {
		if from, err = before(r); err != nil {
			return err
		}
	}
	page, err := w.svc.SourceRuns(r.Context(), r.caller, id, from, runsOnPage)
	if err != nil {
		return err
	}
	v := sourceView{Shell: w.shell(r, s.Name), Source: s, Runs: page.Runs, Next: page.Next, Later: from > 0, Problem: p}
	v.Shell.Section = "admin-sources"
	v.Form = sourceForm{
		Name: s.Name, Kind: string(s.Kind), Place: s.Place, Role: s.Role, Minutes: num(s.Minutes), Brake: num(s.Brake), Exact: s.Exact, Enabled: s.Enabled,
	}
	if typed != nil {
		v.Form = *typed
	}
	if len(page.Runs) > 0 && (page.Runs[0].State == lms.RunReading || page.Runs[0].State == lms.RunChecking || page.Runs[0].State == lms.RunRunning) {
		v.Shell.Reload = 3
	}
	w.render(rw, r, status, sourcePage(v))
	return nil
}

func (w *Web) backToSource(rw http.ResponseWriter, r *request) error {
	id, err := pathID(r, "source_id", "roster source")
	if err != nil {
		return err
	}
	if _, err := w.svc.Source(r.Context(), r.caller, id); err != nil {
		return err
	}
	w.redirect(rw, r, sourcePath(id, ""))
	return nil
}

// onSource runs what a form of a source's page asks for.
func (w *Web) onSource(rw http.ResponseWriter, r *request, do func(form, int64) (done string, to string, err error)) error {
	id, err := pathID(r, "source_id", "roster source")
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	done, to, err := do(f, id)
	if err == nil {
		return w.done(rw, r, to, done)
	}
	p, status, ok := asProblem(r.words, err)
	if !ok || lms.CodeOf(err) == lms.CodeForbidden {
		return err
	}
	typed := readSourceForm(f)
	if !f.has("name") {
		return w.showSource(rw, r, status, nil, p)
	}
	return w.showSource(rw, r, status, &typed, p)
}

func (w *Web) saveSource(rw http.ResponseWriter, r *request) error {
	return w.onSource(rw, r, func(f form, id int64) (string, string, error) {
		fields, err := readSourceForm(f).fields()
		if err != nil {
			return "", "", err
		}
		_, err = w.svc.UpdateSource(r.Context(), r.caller, id, service.SourcePatch{
			Name: &fields.Name, Place: &fields.Place, Role: &fields.Role, Minutes: &fields.Minutes, Exact: &fields.Exact, Brake: &fields.Brake, Enabled: &fields.Enabled,
		})
		return "saved", sourcePath(id, ""), err
	})
}

func (w *Web) deleteSource(rw http.ResponseWriter, r *request) error {
	return w.onSource(rw, r, func(_ form, id int64) (string, string, error) {
		return "source-deleted", "/admin/sources", w.svc.DeleteSource(r.Context(), r.caller, id)
	})
}

func (w *Web) lookAtSource(rw http.ResponseWriter, r *request) error {
	return w.onSource(rw, r, func(_ form, id int64) (string, string, error) {
		return "source-soon", sourcePath(id, ""), w.svc.LookNow(r.Context(), r.caller, id)
	})
}

// uploadRun takes a file for a source.
func (w *Web) uploadRun(rw http.ResponseWriter, r *request) (err error) {
	id, err := pathID(r, "source_id", "roster source")
	if err != nil {
		return err
	}
	if err := access.Decide(r.caller, access.SourceRun, nil); err != nil {
		return err
	}
	if _, err := w.svc.Source(r.Context(), r.caller, id); err != nil {
		return err
	}
	got, err := readBundle(r)
	if err == nil {
		defer func() { err = errors.Join(err, got.Close()) }()
		var run lms.SourceRun
		if run, err = w.svc.UploadBundle(r.Context(), r.caller, id, got); err == nil {
			w.redirect(rw, r, runPath(run.ID, ""))
			return nil
		}
	}
	p, status, ok := asProblem(r.words, err)
	if !ok || lms.CodeOf(err) == lms.CodeForbidden {
		return err
	}
	return w.showSource(rw, r, status, nil, p)
}

func readBundle(r *request) (got *fetch.Got, err error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return nil, lms.Errorf(lms.CodeMalformed, "not-a-form", "This address is for a form of this site. Go back to the page before and use its buttons.")
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, errDamagedForm
	}
	part, err := parts.NextPart()
	if errors.Is(err, io.EOF) {
		return nil, errDamagedForm
	}
	if err != nil {
		return nil, uploadFault(err)
	}
	name := path.Base(strings.ReplaceAll(part.FileName(), `\`, "/"))
	if part.FormName() != "file" {
		return nil, errDamagedForm
	}
	if name == "." || name == "" {
		return nil, lms.Invalid("no-bundle", "file", "Choose a file first: the archive that the student system exported.")
	}
	if got, err = fetch.Upload(part, lms.Clip(name, 80)); err != nil {
		return nil, uploadFault(err)
	}
	return got, nil
}

// runView is the page of one run.
type runView struct {
	Shell   shell
	Source  lms.RosterSource
	Run     lms.SourceRun
	Reason  lms.Text   // why it waits or has failed
	Notes   []lms.Text // all others
	Lists   []service.RunImport
	Next    int64
	Later   bool
	Problem problem
}

func (w *Web) sourceRun(rw http.ResponseWriter, r *request) error {
	return w.showRun(rw, r, http.StatusOK, problem{})
}

func (w *Web) showRun(rw http.ResponseWriter, r *request, status int, p problem) error {
	id, err := pathID(r, "run_id", "run")
	if err != nil {
		return err
	}
	run, src, err := w.svc.SourceRun(r.Context(), r.caller, id)
	if err != nil {
		return err
	}
	after, err := afterRow(r)
	if err != nil {
		return err
	}
	v := runView{Shell: w.shell(r, r.words.T("Run of %s", src.Name)), Source: src, Run: run, Later: after > 0, Problem: p}
	v.Shell.Section = "admin-sources"
	v.Reason, v.Notes = reasonOf(&run)
	if v.Lists, v.Next, err = w.svc.RunImports(r.Context(), r.caller, id, after, runImportsOnPage); err != nil {
		return err
	}
	if run.State == lms.RunReading || run.State == lms.RunChecking || run.State == lms.RunRunning {
		v.Shell.Reload = 3
	}
	w.render(rw, r, status, runPage(v))
	return nil
}

func (w *Web) onRun(rw http.ResponseWriter, r *request, done string, do func(id int64) error) error {
	id, err := pathID(r, "run_id", "run")
	if err != nil {
		return err
	}
	if _, err := readForm(rw, r, formLimit); err != nil {
		return err
	}
	if err := do(id); err != nil {
		p, status, ok := asProblem(r.words, err)
		if !ok || lms.CodeOf(err) == lms.CodeForbidden {
			return err
		}
		return w.showRun(rw, r, status, p)
	}
	return w.done(rw, r, runPath(id, ""), done)
}

func (w *Web) approveRun(rw http.ResponseWriter, r *request) error {
	return w.onRun(rw, r, "run-approved", func(id int64) error {
		_, err := w.svc.ApproveRun(r.Context(), r.caller, id)
		return err
	})
}

func (w *Web) cancelRun(rw http.ResponseWriter, r *request) error {
	return w.onRun(rw, r, "run-canceled", func(id int64) error {
		_, err := w.svc.CancelRun(r.Context(), r.caller, id)
		return err
	})
}

// sourceKinds say how a source is looked at.
var sourceKinds = map[lms.SourceKind]lms.Term{
	lms.SourceUpload: "Somebody uploads each file", lms.SourceFolder: "A folder of the server", lms.SourceHTTPS: "An https address",
}

// runStates say how far a run is.
var runStates = map[lms.RunState]lms.Term{
	lms.RunReading: "Being read", lms.RunChecking: "Being checked", lms.RunWaiting: "Waits for you", lms.RunRunning: "Being carried out", lms.RunDone: "Done",
	lms.RunUnchanged: "Nothing new", lms.RunFailed: "Failed", lms.RunCanceled: "Thrown away",
}

// reasonOf parts the notes of a run: why it waits for somebody or has failed, which
// was written last, and whatever else was noted.
func reasonOf(r *lms.SourceRun) (reason lms.Text, others []lms.Text) {
	last := len(r.Notes) - 1
	if last < 0 || r.State != lms.RunWaiting && r.State != lms.RunFailed {
		return lms.Text{}, r.Notes
	}
	return r.Notes[last], r.Notes[:last]
}

// runKind is how the badge of a run looks.
func runKind(s lms.RunState) string {
	switch s {
	case lms.RunWaiting:
		return "pending"
	case lms.RunFailed:
		return "suspended"
	case lms.RunDone:
		return "staff"
	}
	return "role"
}

// groupsOfRun are what the rows of a run would do or did.
func groupsOfRun(counts lms.ImportCount) (list []importGroup) {
	for _, g := range importGroups {
		if n := counts[g.Key]; n > 0 {
			list = append(list, importGroup{g.Key, g.Label, n})
		}
	}
	return list
}
