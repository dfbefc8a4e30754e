package web

import (
	"net/http"

	"matricula/internal/service"
)

// adminCoursesView is the table of all courses of the site.
type adminCoursesView struct {
	Shell    shell
	Courses  []service.CourseView
	Orphaned bool // only those without an owner who can act
	Next     int64
	Later    bool // not the first page
}

// path is the address of a page of the list.
func (v adminCoursesView) path(orphaned bool, before int64) string {
	path := "/admin/courses"
	sign := "?"
	if orphaned {
		path += "?show=orphaned"
		sign = "&"
	}
	if before > 0 {
		path += sign + "before=" + num(before)
	}
	return path
}

func (w *Web) adminCourses(rw http.ResponseWriter, r *request) error {
	if err := adminOnly(r); err != nil {
		return err
	}
	from, err := before(r)
	if err != nil {
		return err
	}
	v := adminCoursesView{Shell: w.shell(r, r.words.T("Courses of the site")), Orphaned: r.URL.Query().Get("show") == "orphaned", Later: from > 0}
	v.Shell.Section = "admin-courses"
	page, err := w.svc.Courses(r.Context(), r.caller, service.CoursesRequest{All: true, Orphaned: v.Orphaned, Before: from, Limit: coursesOnPage})
	if err != nil {
		return err
	}
	v.Courses, v.Next = page.Courses, page.Next
	w.render(rw, r, http.StatusOK, adminCoursesPage(v))
	return nil
}
