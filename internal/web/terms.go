package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"matricula/internal/access"
	"matricula/internal/lang"
	"matricula/internal/lms"
	"matricula/internal/service"
)

var termRoutes = []route{
	{"GET /admin/terms", false, (*Web).terms},
	{"POST /admin/terms", false, (*Web).createTerm},
	{"GET /admin/terms/{term_id}", false, (*Web).editTerm},
	{"POST /admin/terms/{term_id}", false, (*Web).saveTerm},
	{"GET /admin/terms/{term_id}/delete", false, (*Web).backToTerm},
	{"POST /admin/terms/{term_id}/delete", false, (*Web).deleteTerm},
}

func termPath(id int64, rest string) string { return "/admin/terms/" + num(id) + rest }

// termsView is the page of the academic years and their terms.
type termsView struct {
	Shell shell
	Years []yearView
	Form  termForm // of a new academic year
	Wrong problem  // of it
}

// yearView is an academic year on that page, with the form for a term in it.
type yearView struct {
	service.AcademicYear
	Today lms.Day
	Form  termForm
	Wrong problem
}

// termForm is an academic year or a term as typed. The ids of its fields begin
// with Prefix, since a page has several.
type termForm struct {
	Prefix             string
	YearID             int64
	Name, Begins, Ends string
	Least, Most        lms.Day // between which the days of a term can lie
	Key                string  // see formKey
}

func readTermForm(f form) termForm {
	return termForm{YearID: f.id("year_id"), Name: f.text("name"), Begins: f.text("begins_on"), Ends: f.text("ends_on"), Key: f.text("key")}
}

func (f termForm) fields() lms.PeriodFields {
	return lms.PeriodFields{Name: f.Name, Begins: lms.Day(strings.TrimSpace(f.Begins)), Ends: lms.Day(strings.TrimSpace(f.Ends))}
}

// termNameField are the attributes of the field for a name.
var termNameField = templ.Attributes{"required": true, "maxlength": strconv.Itoa(lms.MaxPeriodRunes), "autocomplete": "off"}

// dayField are the attributes of a field for a day. Browsers that have no such
// field take it as it is written in the message.
func (f termForm) dayField() templ.Attributes {
	a := templ.Attributes{"type": "date", "required": true, "autocomplete": "off"}
	if f.Least != "" {
		a["min"], a["max"] = string(f.Least), string(f.Most)
	}
	return a
}

// today is the day of the site's own zone.
func (w *Web) today() lms.Day { return lms.DayOf(w.opts.Now().In(w.opts.Zone)) }

func (w *Web) terms(rw http.ResponseWriter, r *request) error {
	return w.showTerms(rw, r, http.StatusOK, termForm{}, problem{})
}

// showTerms shows the page with what was typed into one of its forms, and what
// is wrong with that.
func (w *Web) showTerms(rw http.ResponseWriter, r *request, status int, typed termForm, p problem) error {
	if err := access.Decide(r.caller, access.TermCreate, nil); err != nil {
		return err
	}
	years, err := w.svc.Years(r.Context(), r.caller)
	if err != nil {
		return err
	}
	v := termsView{Shell: w.shell(r, r.words.T("Academic years and terms")), Form: termForm{Key: formKey()}}
	v.Shell.Section = "admin-terms"
	for _, y := range years {
		one := yearView{AcademicYear: y, Today: w.today(), Form: termForm{YearID: y.ID, Key: formKey()}}
		if typed.YearID == y.ID {
			one.Form, one.Wrong = typed, p
			one.Form.Key = formKey()
		}
		one.Form.Prefix, one.Form.Least, one.Form.Most = "in-"+num(y.ID)+"-", y.Begins, y.Ends
		v.Years = append(v.Years, one)
	}
	if typed.YearID == 0 {
		typed.Key = formKey()
		v.Form, v.Wrong = typed, p
	}
	v.Form.Prefix = "year-"
	w.render(rw, r, status, termsPage(v))
	return nil
}

func (w *Web) createTerm(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	typed := readTermForm(f)
	made, err := w.svc.CreateTerm(r.Context(), r.caller, typed.YearID, typed.fields(),
		once("POST /admin/terms", typed.Key, num(typed.YearID), typed.Name, typed.Begins, typed.Ends))
	if err == nil {
		code := "term-created"
		if made.IsYear() {
			code = "year-created"
		}
		return w.done(rw, r, "/admin/terms", code)
	}
	p, status, ok := asProblem(r.words, err)
	if !ok || p.Type == "unknown-term" {
		return err // its year was deleted meanwhile, so there is no form to show it in
	}
	return w.showTerms(rw, r, status, typed, sentTwice(r.words, p))
}

// termView is the page of one academic year or term.
type termView struct {
	Shell   shell
	Term    service.TermOf
	Year    service.TermOf // of a term
	Terms   int            // of an academic year
	Form    termForm
	Problem problem
}

func (w *Web) editTerm(rw http.ResponseWriter, r *request) error {
	id, err := pathID(r, "term_id", "term")
	if err != nil {
		return err
	}
	t, err := w.svc.Term(r.Context(), r.caller, id)
	if err != nil {
		return err
	}
	return w.showTerm(rw, r, http.StatusOK, t, termForm{Name: t.Name, Begins: string(t.Begins), Ends: string(t.Ends)}, problem{})
}

func (w *Web) showTerm(rw http.ResponseWriter, r *request, status int, t service.TermOf, f termForm, p problem) error {
	if err := access.Decide(r.caller, access.TermUpdate, nil); err != nil {
		return err
	}
	v := termView{Term: t, Form: f, Problem: p}
	title := r.words.T("Academic year %s", t.Name)
	if t.IsYear() {
		list, err := w.svc.Terms(r.Context(), r.caller, t.ID)
		if err != nil {
			return err
		}
		v.Terms = len(list) - 1
	} else {
		title = r.words.T("Term %s", t.Name)
		var err error
		if v.Year, err = w.svc.Term(r.Context(), r.caller, t.YearID); err != nil {
			return err
		}
		v.Form.Least, v.Form.Most = v.Year.Begins, v.Year.Ends
	}
	v.Form.YearID = t.YearID
	v.Shell = w.shell(r, title)
	v.Shell.Section = "admin-terms"
	w.render(rw, r, status, termPage(v))
	return nil
}

func (w *Web) backToTerm(rw http.ResponseWriter, r *request) error {
	id, err := pathID(r, "term_id", "term")
	if err != nil {
		return err
	}
	if err := access.Decide(r.caller, access.TermDelete, nil); err != nil {
		return err
	}
	w.redirect(rw, r, termPath(id, ""))
	return nil
}

func (w *Web) saveTerm(rw http.ResponseWriter, r *request) error {
	id, err := pathID(r, "term_id", "term")
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	typed := readTermForm(f)
	is := typed.fields()
	if _, err := w.svc.UpdateTerm(r.Context(), r.caller, id, service.TermPatch{Name: &is.Name, Begins: &is.Begins, Ends: &is.Ends}); err != nil {
		return w.termProblem(rw, r, id, &typed, err)
	}
	return w.done(rw, r, "/admin/terms", "saved")
}

func (w *Web) deleteTerm(rw http.ResponseWriter, r *request) error {
	id, err := pathID(r, "term_id", "term")
	if err != nil {
		return err
	}
	if err := w.svc.DeleteTerm(r.Context(), r.caller, id); err != nil {
		return w.termProblem(rw, r, id, nil, err)
	}
	return w.done(rw, r, "/admin/terms", "term-deleted")
}

// termProblem shows the page of a term with what was refused, and with what was
// typed if anything was.
func (w *Web) termProblem(rw http.ResponseWriter, r *request, id int64, typed *termForm, cause error) error {
	p, status, ok := asProblem(r.words, cause)
	if !ok || access.Decide(r.caller, access.TermUpdate, nil) != nil {
		return cause
	}
	t, err := w.svc.Term(r.Context(), r.caller, id)
	if err != nil {
		return err
	}
	if typed == nil {
		typed = &termForm{Name: t.Name, Begins: string(t.Begins), Ends: string(t.Ends)}
	}
	return w.showTerm(rw, r, status, t, *typed, p)
}

// dated names a term with its days, such as "Autumn 2026, 1 Oct – 31 Jan". The
// years of the days are left out where the name says in which it begins.
func dated(p *lang.Printer, t *lms.Period) string {
	span := p.Span(t.Begins, t.Ends)
	if strings.Contains(t.Name, string(t.Begins[:4])) {
		span = p.ShortSpan(t.Begins, t.Ends)
	}
	return p.T("%s, %s", t.Name, span)
}

// termOf names the term of a course with its days, empty where none was chosen.
func (w *Web) termOf(r *request, c *lms.Course) (string, error) {
	if c.TermID == 0 {
		return "", nil
	}
	t, err := w.svc.Term(r.Context(), r.caller, c.TermID)
	if err != nil {
		return "", err
	}
	return dated(r.words, &t.Period), nil
}

// termsByID reads the calendar, for the lists of courses that name their terms.
// Where no course has one there is nothing to read.
func (w *Web) termsByID(r *request, courses []service.CourseView) (map[int64]lms.Period, error) {
	terms := map[int64]lms.Period{}
	for _, c := range courses {
		if c.Course.TermID == 0 || len(terms) > 0 {
			continue
		}
		list, err := w.svc.Terms(r.Context(), r.caller, 0)
		if err != nil {
			return nil, err
		}
		for _, t := range list {
			terms[t.ID] = t.Period
		}
	}
	return terms, nil
}
