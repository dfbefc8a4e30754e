package web

import (
	"net/http"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// settingsView is the page on which a course is edited, archived and deleted.
type settingsView struct {
	Shell      shell
	Form       courseForm
	Problem    problem
	MayEdit    bool
	MayArchive bool
	MayHand    bool
	MayCopy    bool
	MayHook    bool
}

// standing is the caller's place in a course, for asking package access what
// to show.
func standing(v service.CourseView) *access.Standing {
	return &access.Standing{Course: v.Course, Member: v.Member}
}

func may(r *request, a access.Action, v service.CourseView) bool { return decide(r, a, v) == nil }

func decide(r *request, a access.Action, v service.CourseView) error {
	return access.Decide(r.caller, a, standing(v))
}

// showsSettings tells whether the course's menu has the settings.
func showsSettings(holds lms.PrivilegeSet) bool {
	return holds.Has(lms.CourseUpdate) || holds.Has(lms.CourseArchive) || holds.Has(lms.StaffManage)
}

func (w *Web) settings(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	if !showsSettings(v.Holds) {
		return decide(r, access.CourseArchive, v)
	}
	return w.showSettings(rw, r, http.StatusOK, v, formOfCourse(&v.Course), problem{})
}

func formOfCourse(c *lms.Course) courseForm {
	return courseForm{Title: c.Title, Code: c.Code, Description: c.Description, TermID: c.TermID}
}

func (w *Web) showSettings(rw http.ResponseWriter, r *request, status int, v service.CourseView, f courseForm, p problem) (err error) {
	if f.Years, err = w.svc.Years(r.Context(), r.caller); err != nil {
		return err
	}
	w.render(rw, r, status, settingsPage(settingsView{
		Shell: w.courseShell(r, v, r.words.T("Settings"), "settings"), Form: f, Problem: p,
		MayEdit: may(r, access.CourseUpdate, v), MayArchive: may(r, access.CourseArchive, v),
		MayHand: mayHandOver(r, v), MayCopy: w.mayCopy(r, v) == nil, MayHook: may(r, access.WebhookView, v) && standing(v).Within(r.caller) == "",
	}))
	return nil
}

func (w *Web) updateCourse(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	typed := readCourseForm(f)
	patch := service.CoursePatch{Title: &typed.Title, Code: &typed.Code, Description: &typed.Description}
	if f.has("term_id") { // which is not there where there are no terms
		patch.TermID = &typed.TermID
	}
	_, err = w.svc.UpdateCourse(r.Context(), r.caller, v.Course.ID, patch)
	if err == nil {
		return w.done(rw, r, coursePath(v.Course.ID, "/settings"), "saved")
	}
	return w.settingsProblem(rw, r, v, typed, err)
}

func (w *Web) settingsProblem(rw http.ResponseWriter, r *request, v service.CourseView, typed courseForm, err error) error {
	p, status, ok := asProblem(r.words, err)
	if !ok || !showsSettings(v.Holds) {
		return err
	}
	return w.showSettings(rw, r, status, v, typed, p)
}

func (w *Web) archiveCourse(rw http.ResponseWriter, r *request) error {
	return w.setArchived(rw, r, true, "archived")
}

func (w *Web) restoreCourse(rw http.ResponseWriter, r *request) error {
	return w.setArchived(rw, r, false, "restored")
}

func (w *Web) setArchived(rw http.ResponseWriter, r *request, archive bool, code string) error {
	id, err := courseID(r)
	if err != nil {
		return err
	}
	if _, err := w.svc.ArchiveCourse(r.Context(), r.caller, id, archive); err != nil {
		return err
	}
	return w.done(rw, r, coursePath(id, "/settings"), code)
}

func (w *Web) confirmDeleteCourse(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	if err := access.Decide(r.caller, access.CourseDelete, standing(v)); err != nil {
		return err
	}
	w.render(rw, r, http.StatusOK, deleteCoursePage(settingsView{Shell: w.courseShell(r, v, r.words.T("Delete %s?", v.Course.Title), "settings")}))
	return nil
}

func (w *Web) deleteCourse(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	if err := w.svc.DeleteCourse(r.Context(), r.caller, v.Course.ID); err != nil {
		return w.settingsProblem(rw, r, v, formOfCourse(&v.Course), err)
	}
	return w.done(rw, r, "/", "course-deleted")
}
