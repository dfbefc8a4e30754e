package web

import (
	"net/http"
	"net/url"
	"strconv"

	"matricula/internal/service"
)

// adminCoursesView is the table of all courses of the site.
type adminCoursesView struct {
	Shell   shell
	Courses []service.CourseView
	Years   []service.AcademicYear
	Terms   map[int64]string // names, by id
	Term    int64            // only those of this academic year or term
	Only    string           // empty, showOrphaned or showDoubted
	Next    int64
	Later   bool // not the first page
}

// Of the courses of the site, those without an owner who can act, and those with
// grants to review.
const (
	showOrphaned = "orphaned"
	showDoubted  = "review"
)

// path is the address of a page of the list.
func (v adminCoursesView) path(only string, before int64) string {
	q := url.Values{}
	if only == showOrphaned || only == showDoubted {
		q.Set("show", only)
	}
	if v.Term > 0 {
		q.Set("term", num(v.Term))
	}
	if before > 0 {
		q.Set("before", num(before))
	}
	if len(q) == 0 {
		return "/admin/courses"
	}
	return "/admin/courses?" + q.Encode()
}

func (w *Web) adminCourses(rw http.ResponseWriter, r *request) error {
	if err := adminOnly(r); err != nil {
		return err
	}
	from, err := before(r)
	if err != nil {
		return err
	}
	v := adminCoursesView{Shell: w.shell(r, r.words.T("Courses of the site")), Only: r.URL.Query().Get("show"), Later: from > 0}
	v.Shell.Section = "admin-courses"
	if s := r.URL.Query().Get("term"); s != "" {
		if v.Term, err = strconv.ParseInt(s, 10, 64); err != nil || v.Term <= 0 {
			return errNoPage
		}
	}
	if v.Years, err = w.svc.Years(r.Context(), r.caller); err != nil {
		return err
	}
	v.Terms = map[int64]string{}
	for _, y := range v.Years {
		v.Terms[y.ID] = y.Name
		for _, t := range y.Terms {
			v.Terms[t.ID] = t.Name
		}
	}
	page, err := w.svc.Courses(r.Context(), r.caller, service.CoursesRequest{
		All: true, Orphaned: v.Only == showOrphaned, Doubted: v.Only == showDoubted, TermID: v.Term, Before: from, Limit: coursesOnPage,
	})
	if err != nil {
		return err
	}
	v.Courses, v.Next = page.Courses, page.Next
	w.render(rw, r, http.StatusOK, adminCoursesPage(v))
	return nil
}

// filterAdminCourses leads to the list of the term that was chosen.
func (w *Web) filterAdminCourses(rw http.ResponseWriter, r *request) error {
	if err := adminOnly(r); err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	v := adminCoursesView{Term: f.id("term")}
	w.redirect(rw, r, v.path(f.text("show"), 0))
	return nil
}
