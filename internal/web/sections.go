package web

import (
	"net/http"
	"slices"
	"strconv"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

var sectionRoutes = []route{
	{"GET /courses/{course_id}/sections", false, (*Web).sections},
	{"POST /courses/{course_id}/sections", false, (*Web).createSection},
	{"GET /courses/{course_id}/sections/{section_id}", false, (*Web).editSection},
	{"POST /courses/{course_id}/sections/{section_id}", false, (*Web).renameSection},
	{"GET /courses/{course_id}/sections/{section_id}/delete", false, (*Web).editSection},
	{"POST /courses/{course_id}/sections/{section_id}/delete", false, (*Web).deleteSection},
	{"GET /courses/{course_id}/people/{user_id}/place", false, (*Web).place},
	{"POST /courses/{course_id}/people/{user_id}/place", false, (*Web).savePlace},
}

func sectionPath(courseID, sectionID int64, rest string) string {
	return coursePath(courseID, "/sections/"+num(sectionID)+rest)
}

// sectionsView is the page of a course's sections, with the form for a new one.
type sectionsView struct {
	Shell    shell
	CourseID int64
	Sections []service.SectionOf
	MayEdit  bool
	Name     string
	Key      string // see formKey
	Problem  problem
}

func (w *Web) sections(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	return w.showSections(rw, r, v, http.StatusOK, "", problem{})
}

func (w *Web) showSections(rw http.ResponseWriter, r *request, v service.CourseView, status int, name string, p problem) error {
	list, err := w.svc.Sections(r.Context(), r.caller, v.Course.ID)
	if err != nil {
		return err
	}
	w.render(rw, r, status, sectionsPage(sectionsView{
		Shell: w.courseShell(r, v, r.words.T("Sections"), "people"), CourseID: v.Course.ID, Sections: list, MayEdit: mayShape(r, v), Name: name, Key: formKey(), Problem: p,
	}))
	return nil
}

// mayShape tells whether the caller may make and change sections: who works in
// single ones may not.
func mayShape(r *request, v service.CourseView) bool {
	return may(r, access.SectionCreate, v) && standing(v).Within(r.caller) == ""
}

func (w *Web) createSection(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	name := f.text("name")
	_, err = w.svc.CreateSection(r.Context(), r.caller, v.Course.ID, name, once("POST "+coursePath(v.Course.ID, "/sections"), f.text("key"), name))
	if err == nil {
		return w.done(rw, r, coursePath(v.Course.ID, "/sections"), "section-made")
	}
	p, status, ok := asProblem(r.words, err)
	if !ok {
		return err
	}
	return w.showSections(rw, r, v, status, name, sentTwice(r.words, p))
}

// sectionView is the page of one section.
type sectionView struct {
	Shell    shell
	CourseID int64
	Section  service.SectionOf
	Name     string
	Problem  problem
}

// readSection finds the section of a path.
func (w *Web) readSection(r *request) (service.CourseView, service.SectionOf, error) {
	v, err := w.readCourse(r)
	if err != nil {
		return v, service.SectionOf{}, err
	}
	id, err := pathID(r, "section_id", "section")
	if err != nil {
		return v, service.SectionOf{}, err
	}
	list, err := w.svc.Sections(r.Context(), r.caller, v.Course.ID)
	if err != nil {
		return v, service.SectionOf{}, err
	}
	if i := slices.IndexFunc(list, func(o service.SectionOf) bool { return o.Section.ID == id }); i >= 0 {
		return v, list[i], nil
	}
	return v, service.SectionOf{}, lms.NotFound("section")
}

func (w *Web) showSection(rw http.ResponseWriter, r *request, v service.CourseView, sec service.SectionOf, status int, name string, p problem) {
	w.render(rw, r, status, sectionPage(sectionView{
		Shell: w.courseShell(r, v, r.words.T("Section %s", sec.Section.Name), "people"), CourseID: v.Course.ID, Section: sec, Name: name, Problem: p,
	}))
}

func (w *Web) editSection(rw http.ResponseWriter, r *request) error {
	v, sec, err := w.readSection(r)
	if err != nil {
		return err
	}
	if err := access.Decide(r.caller, access.SectionUpdate, standing(v)); err != nil {
		return err
	}
	w.showSection(rw, r, v, sec, http.StatusOK, sec.Section.Name, problem{})
	return nil
}

func (w *Web) renameSection(rw http.ResponseWriter, r *request) error {
	v, sec, err := w.readSection(r)
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	name := f.text("name")
	if _, err := w.svc.RenameSection(r.Context(), r.caller, v.Course.ID, sec.Section.ID, name); err != nil {
		return w.sectionProblem(rw, r, v, sec, name, err)
	}
	return w.done(rw, r, coursePath(v.Course.ID, "/sections"), "section-saved")
}

func (w *Web) sectionProblem(rw http.ResponseWriter, r *request, v service.CourseView, sec service.SectionOf, name string, err error) error {
	p, status, ok := asProblem(r.words, err)
	if !ok || lms.CodeOf(err) == lms.CodeForbidden {
		return err
	}
	w.showSection(rw, r, v, sec, status, name, p)
	return nil
}

func (w *Web) deleteSection(rw http.ResponseWriter, r *request) error {
	v, sec, err := w.readSection(r)
	if err != nil {
		return err
	}
	if _, err := readForm(rw, r, formLimit); err != nil {
		return err
	}
	if err := w.svc.DeleteSection(r.Context(), r.caller, v.Course.ID, sec.Section.ID); err != nil {
		return w.sectionProblem(rw, r, v, sec, sec.Section.Name, err)
	}
	return w.done(rw, r, coursePath(v.Course.ID, "/sections"), "section-deleted")
}

// placeView is the form of what a course notes about somebody beside the role.
type placeView struct {
	CourseID int64
	UserID   int64
	Sections []service.SectionOf
	Section  int64
	Number   string
	Begins   string
	Ends     string
	Staff    bool // may be limited to sections
	Limited  lms.IDs
	Problem  problem
}

// placeOf is the form for a member, nil when the caller may not change it.
func (w *Web) placeOf(r *request, v service.CourseView, m *lms.Member) (*placeView, error) {
	d := access.DelegatorOf(r.caller, standing(v))
	if m == nil || m.Enrollment == nil || !may(r, access.EnrollmentChange, v) || d.MayTouch(m) != nil || (m.Staff() && !d.Holds.Has(lms.StaffManage)) {
		return nil, nil
	}
	list, err := w.svc.Sections(r.Context(), r.caller, v.Course.ID)
	if err != nil {
		return nil, err
	}
	begins, ends := w.svc.Days(m.Enrollment)
	return &placeView{
		CourseID: v.Course.ID, UserID: m.User.ID, Sections: list, Section: m.Enrollment.SectionID, Number: m.Enrollment.Number,
		Begins: string(begins), Ends: string(ends), Staff: m.Enrollment.Role.Staff() && !m.Enrollment.Role.Owner(), Limited: m.Enrollment.LimitedTo,
	}, nil
}

type placePageView struct {
	Shell  shell
	Member lms.Member
	Place  *placeView
}

func (w *Web) place(rw http.ResponseWriter, r *request) error {
	v, id, err := w.readMember(r)
	if err != nil {
		return err
	}
	return w.showPlace(rw, r, v, id, http.StatusOK, nil)
}

func (w *Web) showPlace(rw http.ResponseWriter, r *request, v service.CourseView, id int64, status int, change func(*placeView)) error {
	report, err := w.svc.Access(r.Context(), r.caller, v.Course.ID, id)
	if err != nil {
		return err
	}
	if err := access.Decide(r.caller, access.EnrollmentChange, standing(v)); err != nil {
		return err
	}
	p, err := w.placeOf(r, v, &report.Member)
	if err != nil {
		return err
	}
	if p == nil {
		if report.Member.Enrollment == nil {
			return lms.Errorf(lms.CodeNotFound, "not-in-course", "This person is not in this course. Add them first.")
		}
		d := access.DelegatorOf(r.caller, standing(v))
		if err := d.MayTouch(&report.Member); err != nil {
			return err
		}
		return lms.Errorf(lms.CodeForbidden, "forbidden", "You need the privilege %q in this course to change this for staff.", lms.StaffManage.Label())
	}
	if change != nil {
		change(p)
	}
	w.render(rw, r, status, placePage(placePageView{
		Shell: w.courseShell(r, v, r.words.T("Section and dates"), "people"), Member: report.Member, Place: p,
	}))
	return nil
}

func (w *Web) savePlace(rw http.ResponseWriter, r *request) error {
	v, id, err := w.readMember(r)
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	section, number, begins, ends := f.id("section_id"), f.text("student_number"), f.text("begins_on"), f.text("ends_on")
	change := service.DetailsChange{CourseID: v.Course.ID, UserID: id, SectionID: &section, Number: &number, Begins: &begins, Ends: &ends}
	limited := []int64{}
	for _, s := range f.list("limited_to") {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			limited = append(limited, n)
		}
	}
	if f.has("staff") {
		change.LimitedTo = &limited
	}
	_, err = w.svc.ChangePlace(r.Context(), r.caller, change)
	if err == nil {
		return w.done(rw, r, personPath(v.Course.ID, id, ""), "saved")
	}
	p, status, ok := asProblem(r.words, err)
	if !ok || lms.CodeOf(err) == lms.CodeForbidden {
		return err
	}
	return w.showPlace(rw, r, v, id, status, func(view *placeView) {
		view.Section, view.Number, view.Begins, view.Ends, view.Limited, view.Problem = section, number, begins, ends, lms.MakeIDs(limited...), p
	})
}
