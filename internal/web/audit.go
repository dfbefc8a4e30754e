package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"matricula/internal/access"
	"matricula/internal/lang"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/sheet"
)

// auditOnPage is how many entries a page lists.
const auditOnPage = 50

var auditRoutes = []route{
	{"GET /courses/{course_id}/audit", false, (*Web).courseAudit},
	{"GET /courses/{course_id}/audit/search", false, (*Web).courseAudit},
	{"POST /courses/{course_id}/audit/search", false, (*Web).searchCourseAudit},
	{"POST /courses/{course_id}/audit/csv", false, (*Web).courseAuditCSV},
	{"GET /admin/audit", false, (*Web).adminAudit},
	{"GET /admin/audit/search", false, (*Web).adminAudit},
	{"POST /admin/audit/search", false, (*Web).searchAdminAudit},
	{"POST /admin/audit/csv", false, (*Web).adminAuditCSV},
}

// auditView is a page of the audit, of one course or of the site.
type auditView struct {
	Shell   shell
	Heading string
	Site    bool
	Entries []auditLine
	Path    string
	Filter  auditFilter
	Actions []access.Action
	Found   []lms.User // who may be meant by what was typed, when it is not one
	Problem problem
	Next    int64
	Later   bool
}

// auditFilter is what a page of the audit shows. Everything in it but Typed
// stands in the address of the page: ids, names of actions and days.
type auditFilter struct {
	Person     int64
	PersonName string
	Course     int64
	CourseName string
	Action     string
	Outcome    string
	From, To   string // days, such as 2026-09-07
	Typed      string // a name or an address, on its way to Person
}

// narrowed tells whether the filter leaves anything out.
func (f auditFilter) narrowed() bool {
	return f.Person != 0 || f.Course != 0 || f.Action != "" || f.Outcome != "" || f.From != "" || f.To != ""
}

// query is the filter as a part of an address.
func (f auditFilter) query(before int64) string {
	q := url.Values{}
	set := func(name, value string) {
		if value != "" && value != "0" {
			q.Set(name, value)
		}
	}
	set("person", num(f.Person))
	set("course", num(f.Course))
	set("action", f.Action)
	set("outcome", f.Outcome)
	set("from", f.From)
	set("to", f.To)
	set("before", num(before))
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// about is the address of the same page, about one person.
func (v auditView) about(person int64) string {
	f := v.Filter
	f.Person = person
	return v.Path + f.query(0)
}

// in is the address of the same page, about one course.
func (v auditView) in(course int64) string {
	f := v.Filter
	f.Course = course
	return v.Path + f.query(0)
}

// readAuditFilter reads a filter; get gives the values by their names.
func readAuditFilter(get func(string) string) (f auditFilter, err error) {
	id := func(name string) (n int64) {
		if s := get(name); s != "" && s != "0" {
			var e error
			if n, e = strconv.ParseInt(s, 10, 64); e != nil || n < 0 {
				err = errNoPage
			}
		}
		return n
	}
	f = auditFilter{
		Person: id("person"), Course: id("course"), Action: get("action"), Outcome: get("outcome"),
		From: strings.TrimSpace(get("from")), To: strings.TrimSpace(get("to")), Typed: strings.TrimSpace(get("who")),
	}
	return f, err
}

// request is the filter in the words of the service. To is a whole day.
func (f auditFilter) request(zone *time.Location) (service.AuditRequest, error) {
	r := service.AuditRequest{PersonID: f.Person, CourseID: f.Course}
	if f.Action != "" {
		if !slices.Contains(recordedActions(), access.Action(f.Action)) {
			return r, lms.Invalid("unknown-action", "action", "Choose an action from the list.")
		}
		r.Actions = []access.Action{access.Action(f.Action)}
	}
	switch o := lms.Outcome(f.Outcome); o {
	case "", lms.OutcomeDone, lms.OutcomeRefused:
		r.Outcome = o
	default:
		return r, lms.Invalid("unknown-outcome", "outcome", "Choose from the list whether it was done or refused.")
	}
	var err error
	if r.From, err = dayOf(f.From, "from", zone); err != nil {
		return r, err
	}
	if r.To, err = dayOf(f.To, "to", zone); err != nil || r.To.IsZero() {
		return r, err
	}
	r.To = r.To.AddDate(0, 0, 1)
	return r, nil
}

func dayOf(s, location string, zone *time.Location) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, s, zone)
	if err != nil {
		return t, lms.Invalid("day", location, "This day cannot be read. Write it like 2026-09-07, or leave it empty.")
	}
	return t, nil
}

// auditLine is one entry in words.
type auditLine struct {
	lms.AuditRecord
	Verb    string // what was done, to be read after the actor
	Whom    string // the person concerned; empty when it is the actor alone
	Changes []auditChange
	Refusal string // why it was refused; empty when it was done
}

// auditChange is one thing that became something else.
type auditChange struct{ Label, Before, After string } // in the reader's language

// courseAuditView begins the page of a course's audit.
func (w *Web) courseAuditView(r *request) (v auditView, course service.CourseView, err error) {
	if course, err = w.readCourse(r); err != nil {
		return v, course, err
	}
	if err := decide(r, access.AuditView, course); err != nil {
		return v, course, err
	}
	return auditView{
		Shell: w.courseShell(r, course, r.words.T("Audit"), "audit"), Heading: r.words.T("Audit"), Path: coursePath(course.Course.ID, "/audit"),
	}, course, nil
}

func (w *Web) courseAudit(rw http.ResponseWriter, r *request) error {
	v, course, err := w.courseAuditView(r)
	if err != nil {
		return err
	}
	if v.Filter, err = readAuditFilter(r.URL.Query().Get); err != nil {
		return err
	}
	return w.showAudit(rw, r, course, v, http.StatusOK)
}

func (w *Web) searchCourseAudit(rw http.ResponseWriter, r *request) error {
	v, course, err := w.courseAuditView(r)
	if err != nil {
		return err
	}
	return w.searchAudit(rw, r, course, v)
}

func (w *Web) adminAuditView(r *request) (auditView, error) {
	if err := adminOnly(r); err != nil {
		return auditView{}, err
	}
	s := w.shell(r, r.words.T("Audit of the site"))
	s.Section = "admin-audit"
	return auditView{Shell: s, Heading: r.words.T("Audit of the site"), Path: "/admin/audit", Site: true}, nil
}

func (w *Web) adminAudit(rw http.ResponseWriter, r *request) error {
	v, err := w.adminAuditView(r)
	if err != nil {
		return err
	}
	if v.Filter, err = readAuditFilter(r.URL.Query().Get); err != nil {
		return err
	}
	return w.showAudit(rw, r, service.CourseView{}, v, http.StatusOK)
}

func (w *Web) searchAdminAudit(rw http.ResponseWriter, r *request) error {
	v, err := w.adminAuditView(r)
	if err != nil {
		return err
	}
	return w.searchAudit(rw, r, service.CourseView{}, v)
}

// searchAudit makes of what was typed an address with ids and days alone.
func (w *Web) searchAudit(rw http.ResponseWriter, r *request, course service.CourseView, v auditView) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	if v.Filter, err = readAuditFilter(f.text); err != nil {
		return err
	}
	if v.Filter.Typed != "" {
		v.Filter.Person = 0
		found, err := w.whoIsMeant(r, v.Filter.Typed)
		p, status, ok := asProblem(r.words, err)
		switch {
		case err != nil && !ok:
			return err
		case err != nil:
			v.Problem = p
			return w.showAudit(rw, r, course, v, status)
		case len(found) == 1:
			v.Filter.Person = found[0].ID
		default:
			v.Found = found
			if len(found) == 0 {
				v.Problem = problem{Message: r.words.T("Nobody whom you can find matches “%s”.", lms.Clip(v.Filter.Typed, 60))}
			}
			return w.showAudit(rw, r, course, v, http.StatusOK)
		}
	}
	if _, err := v.Filter.request(w.opts.Zone); err != nil {
		p, status, ok := asProblem(r.words, err)
		if !ok {
			return err
		}
		v.Problem = p
		return w.showAudit(rw, r, course, v, status)
	}
	w.redirect(rw, r, v.Path+v.Filter.query(0))
	return nil
}

// whoIsMeant finds the people whom a name or an address may mean.
func (w *Web) whoIsMeant(r *request, typed string) ([]lms.User, error) {
	const most = 10
	page, err := w.svc.Directory(r.Context(), r.caller, service.DirectoryRequest{Search: typed, Limit: most})
	if err != nil {
		return nil, err
	}
	var found []lms.User
	for _, m := range page.Members {
		if address, err := lms.ParseEmail(typed); err == nil && address == m.User.Email {
			return []lms.User{m.User}, nil
		}
		found = append(found, m.User)
	}
	return found, nil
}

func (w *Web) showAudit(rw http.ResponseWriter, r *request, course service.CourseView, v auditView, status int) error {
	from, err := before(r)
	if err != nil {
		return err
	}
	v.Actions, v.Later = recordedActions(), from > 0
	names, err := w.roleNames(r, course)
	if err != nil {
		return err
	}
	q, err := v.Filter.request(w.opts.Zone)
	if v.Problem.Message == "" && v.Found == nil {
		if err == nil {
			var page service.AuditPage
			q.Before, q.Limit = from, auditOnPage
			if q.Site = v.Site; !v.Site {
				q.CourseID = course.Course.ID
			}
			if page, err = w.svc.Audit(r.Context(), r.caller, q); err == nil {
				for _, e := range page.Entries {
					v.Entries = append(v.Entries, inWords(r.words, e, names))
				}
				v.Next = page.Next
			}
		}
		if err != nil {
			p, s, ok := asProblem(r.words, err)
			if !ok || lms.CodeOf(err) == lms.CodeForbidden {
				return err
			}
			v.Problem, status = p, s
		}
	}
	w.nameFilter(r, &v)
	w.render(rw, r, status, auditPage(v))
	return nil
}

// roleNames are the names of a course's own roles by their keys, for who may
// see them.
func (w *Web) roleNames(r *request, course service.CourseView) (map[string]string, error) {
	names := map[string]string{}
	if !course.Holds.Has(lms.RosterView) || course.Course.ID == 0 {
		return names, nil
	}
	roles, err := w.svc.Roles(r.Context(), r.caller, course.Course.ID)
	for _, role := range roles {
		names[role.Role.Key] = r.words.Text(role.Role.Title())
	}
	return names, err
}

// nameFilter says who and what the filter's ids are: as the entries have it,
// else as the reader may find it, else by the id.
func (w *Web) nameFilter(r *request, v *auditView) {
	if id := v.Filter.Person; id != 0 {
		v.Filter.PersonName = "#" + num(id)
		if u, err := w.svc.User(r.Context(), r.caller, id); err == nil {
			v.Filter.PersonName = callName(r.words, &u)
		}
		for _, e := range v.Entries {
			for _, u := range []*lms.User{&e.Actor, &e.Subject} {
				if u.ID == id {
					v.Filter.PersonName = callName(r.words, u)
				}
			}
		}
	}
	if id := v.Filter.Course; id != 0 {
		v.Filter.CourseName = "#" + num(id)
		if c, err := w.svc.Course(r.Context(), r.caller, id); err == nil {
			v.Filter.CourseName = c.Course.Title
		}
	}
}

func (w *Web) courseAuditCSV(rw http.ResponseWriter, r *request) error {
	id, err := courseID(r)
	if err != nil {
		return err
	}
	return w.auditCSV(rw, r, func(q *service.AuditRequest) { q.CourseID = id })
}

func (w *Web) adminAuditCSV(rw http.ResponseWriter, r *request) error {
	return w.auditCSV(rw, r, func(q *service.AuditRequest) { q.Site = true })
}

func (w *Web) auditCSV(rw http.ResponseWriter, r *request, scope func(*service.AuditRequest)) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	filter, err := readAuditFilter(f.text)
	if err != nil {
		return err
	}
	q, err := filter.request(w.opts.Zone)
	if err != nil {
		return err
	}
	scope(&q)
	return w.download(rw, r, "audit.csv", func(s *sheet.Writer) error {
		head := headOnce(s, r.words, []lms.Term{"When", "Who", "What", "Whom", "Course", "Outcome", "Reason", "Before", "After", "Request"})
		err := w.svc.ExportAudit(r.Context(), r.caller, q, func(e *lms.AuditRecord) error {
			if err := head(); err != nil {
				return err
			}
			whom := ""
			if e.SubjectID != e.ActorID {
				whom = actorName(r.words, &e.Subject)
			}
			return s.Row(w.cellTime(e.At), actorName(r.words, &e.Actor), e.Action, whom, e.CourseTitle, string(e.Outcome), e.Reason, string(e.Before), string(e.After), e.RequestID)
		})
		if err != nil {
			return err
		}
		return head()
	})
}

// recordedActions are the actions that stand in the audit.
func recordedActions() []access.Action {
	list := make([]access.Action, 0, len(verbs))
	for _, a := range access.Actions() {
		if _, ok := verbs[a]; ok {
			list = append(list, a)
		}
	}
	return list
}

// actionName says what an action is, for a list to choose from.
func actionName(p *lang.Printer, a access.Action) string { return p.Term(verbs[a].alone) }
