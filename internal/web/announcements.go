package web

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/markdown"
	"matricula/internal/service"
)

// How many announcements a page shows.
const (
	announcementsOnPage   = 20
	announcementsOnCourse = 5 // on the front page of a course
)

var announcementRoutes = []route{
	{"GET /courses/{course_id}/announcements", false, (*Web).announcements},
	{"POST /courses/{course_id}/announcements", false, (*Web).createAnnouncement},
	{"GET /courses/{course_id}/announcements/new", false, (*Web).newAnnouncement},
	{"GET /courses/{course_id}/announcements/preview", false, (*Web).backToAnnouncements},
	{"POST /courses/{course_id}/announcements/preview", false, (*Web).previewAnnouncement},
	{"GET /courses/{course_id}/announcements/{announcement_id}", false, (*Web).announcement},
	{"POST /courses/{course_id}/announcements/{announcement_id}", false, (*Web).saveAnnouncement},
	{"GET /courses/{course_id}/announcements/{announcement_id}/edit", false, (*Web).editAnnouncement},
	{"GET /courses/{course_id}/announcements/{announcement_id}/delete", false, (*Web).askToDeleteAnnouncement},
	{"POST /courses/{course_id}/announcements/{announcement_id}/delete", false, (*Web).deleteAnnouncement},
	{"POST /courses/{course_id}/announcements/{announcement_id}/pin", false, (*Web).pinAnnouncement},
}

// announcementLine is an announcement as a page shows it.
type announcementLine struct {
	lms.Announcement
	HTML      string // of the text, harmless
	Scheduled bool
	MayEdit   bool
	Plain     bool // its title leads nowhere
}

// announcementLine shows an announcement whose own heading is of a level.
func (w *Web) announcementLine(v service.CourseView, a lms.Announcement, level int) (announcementLine, error) {
	html, err := markdown.HTML(a.Body, level+1)
	if err != nil {
		return announcementLine{}, fmt.Errorf("announcement %d: %w", a.ID, err)
	}
	return announcementLine{
		Announcement: a, HTML: html, Scheduled: !a.Published(w.opts.Now()), MayEdit: v.Holds.Has(lms.AnnouncementsManage) && !v.Course.Archived(),
	}, nil
}

func (w *Web) announcementLines(v service.CourseView, list []lms.Announcement, level int) ([]announcementLine, error) {
	lines := make([]announcementLine, len(list))
	for i, a := range list {
		var err error
		if lines[i], err = w.announcementLine(v, a, level); err != nil {
			return nil, err
		}
	}
	return lines, nil
}

// announcementsView is a page of a course's announcements.
type announcementsView struct {
	Shell   shell
	Lines   []announcementLine
	Next    int64
	Later   bool // not the first page
	MayTell bool
}

func (w *Web) announcements(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	after, err := before(r)
	if err != nil {
		return err
	}
	page, err := w.svc.Announcements(r.Context(), r.caller, v.Course.ID, after, announcementsOnPage)
	if err != nil {
		return err
	}
	view := announcementsView{
		Shell: w.courseShell(r, v, r.words.T("Announcements"), "announcements"), Next: page.Next, Later: after > 0,
		MayTell: may(r, access.AnnouncementCreate, v),
	}
	if view.Lines, err = w.announcementLines(v, page.Announcements, 2); err != nil {
		return err
	}
	w.render(rw, r, http.StatusOK, announcementsPage(view))
	return nil
}

func (w *Web) backToAnnouncements(rw http.ResponseWriter, r *request) error {
	id, err := courseID(r)
	if err != nil {
		return err
	}
	w.redirect(rw, r, announcementsPath(id, ""))
	return nil
}

// announcementView is one announcement on a page of its own.
type announcementView struct {
	Shell shell
	Line  announcementLine
}

func (w *Web) readAnnouncement(r *request) (v service.CourseView, a lms.Announcement, err error) {
	if v, err = w.readCourse(r); err != nil {
		return v, a, err
	}
	id, err := pathID(r, "announcement_id", "announcement")
	if err != nil {
		return v, a, err
	}
	a, err = w.svc.Announcement(r.Context(), r.caller, v.Course.ID, id)
	return v, a, err
}

func (w *Web) announcement(rw http.ResponseWriter, r *request) error {
	v, a, err := w.readAnnouncement(r)
	if err != nil {
		return err
	}
	line, err := w.announcementLine(v, a, 1)
	if err != nil {
		return err
	}
	w.render(rw, r, http.StatusOK, announcementPage(announcementView{w.courseShell(r, v, a.Title, "announcements"), line}))
	return nil
}

func (w *Web) askToDeleteAnnouncement(rw http.ResponseWriter, r *request) error {
	v, a, err := w.readAnnouncement(r)
	if err != nil {
		return err
	}
	if err := decide(r, access.AnnouncementDelete, v); err != nil {
		return err
	}
	w.render(rw, r, http.StatusOK, deleteAnnouncementPage(announcementView{
		w.courseShell(r, v, r.words.T("Delete %s?", a.Title), "announcements"), announcementLine{Announcement: a},
	}))
	return nil
}

func (w *Web) deleteAnnouncement(rw http.ResponseWriter, r *request) error {
	course, err := courseID(r)
	if err != nil {
		return err
	}
	id, err := pathID(r, "announcement_id", "announcement")
	if err != nil {
		return err
	}
	if err := w.svc.DeleteAnnouncement(r.Context(), r.caller, course, id); err != nil {
		return err
	}
	return w.done(rw, r, announcementsPath(course, ""), "untold")
}

func (w *Web) pinAnnouncement(rw http.ResponseWriter, r *request) error {
	course, err := courseID(r)
	if err != nil {
		return err
	}
	id, err := pathID(r, "announcement_id", "announcement")
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	pinned := f.flag("pinned")
	if _, err := w.svc.UpdateAnnouncement(r.Context(), r.caller, course, id, service.AnnouncementPatch{Pinned: &pinned}); err != nil {
		return err
	}
	code := "unpinned"
	if pinned {
		code = "pinned"
	}
	return w.done(rw, r, announcementsPath(course, ""), code)
}

// announcementForm is an announcement as typed.
type announcementForm struct {
	ID          int64 // 0: a new one
	Title, Body string
	Pinned      bool
	At          string // as the field for a time has it; empty: at once
	Key         string
	Seen        string // when it had last been edited as the form was opened
}

// localTime is how browsers send the value of a field for a time (HTML, section
// 2.3.5.5), and how people without such a field can write one.
const localTime = "2006-01-02T15:04"

func (w *Web) readAnnouncementForm(rw http.ResponseWriter, r *request) (typed announcementForm, at time.Time, err error) {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return typed, at, err
	}
	typed = announcementForm{ID: f.id("announcement_id"), Seen: f.text("seen"), Title: f.text("title"), Body: f.text("body"), Pinned: f.flag("pinned"), At: f.text("publish_at"), Key: f.text("key")}
	if typed.At == "" {
		return typed, at, nil
	}
	for _, layout := range []string{localTime, "2006-01-02T15:04:05", "2006-01-02 15:04"} {
		if at, err = time.ParseInLocation(layout, typed.At, w.opts.Zone); err == nil {
			return typed, at, nil
		}
	}
	return typed, at, lms.Invalid("publish-time", "publish_at", "This time cannot be read. Write it like 2026-09-07 08:00, or leave it empty to publish at once.")
}

// writeView is the page on which an announcement is written.
type writeView struct {
	Shell   shell
	Form    announcementForm
	Zone    string
	Preview string // the text as it will be read, when that was asked for
	Problem problem
}

func (w *Web) writePage(r *request, v service.CourseView, f announcementForm) writeView {
	title := r.words.T("New announcement")
	if f.ID != 0 {
		title = r.words.T("Edit the announcement")
	}
	return writeView{Shell: w.courseShell(r, v, title, "announcements"), Form: f, Zone: w.opts.Now().In(w.opts.Zone).Format("MST")}
}

func (w *Web) newAnnouncement(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	if err := decide(r, access.AnnouncementCreate, v); err != nil {
		return err
	}
	w.render(rw, r, http.StatusOK, writeAnnouncementPage(w.writePage(r, v, announcementForm{Key: formKey()})))
	return nil
}

func (w *Web) editAnnouncement(rw http.ResponseWriter, r *request) error {
	v, a, err := w.readAnnouncement(r)
	if err != nil {
		return err
	}
	if err := decide(r, access.AnnouncementUpdate, v); err != nil {
		return err
	}
	w.render(rw, r, http.StatusOK, writeAnnouncementPage(w.writePage(r, v, announcementForm{
		ID: a.ID, Title: a.Title, Body: a.Body, Pinned: a.Pinned, At: a.PublishAt.In(w.opts.Zone).Format(localTime), Seen: seen(&a),
	})))
	return nil
}

// previewAnnouncement shows the text as it will be read: below the form, or as
// the part that htmx asked for.
func (w *Web) previewAnnouncement(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	if err := decide(r, access.AnnouncementCreate, v); err != nil {
		return err
	}
	typed, _, err := w.readAnnouncementForm(rw, r)
	if lms.CodeOf(err) != "" && lms.CodeOf(err) != lms.CodeInvalid {
		return err
	}
	body, err := lms.CleanLines(typed.Body, "body", lms.MaxAnnouncementRunes)
	html := ""
	if err == nil {
		html, err = markdown.HTML(body, 3)
	}
	p, status, ok := asProblem(r.words, err)
	if err != nil && !ok {
		return err
	}
	if err == nil {
		status = http.StatusOK
	}
	view := w.writePage(r, v, typed)
	view.Preview, view.Problem = html, p
	if r.enhanced() {
		w.renderPart(rw, r, status, announcementPreview(view))
		return nil
	}
	w.render(rw, r, status, writeAnnouncementPage(view))
	return nil
}

func (w *Web) createAnnouncement(rw http.ResponseWriter, r *request) error {
	id, err := courseID(r)
	if err != nil {
		return err
	}
	typed, at, err := w.readAnnouncementForm(rw, r)
	var a lms.Announcement
	if err == nil {
		a, err = w.svc.CreateAnnouncement(r.Context(), r.caller, id, lms.AnnouncementFields{Title: typed.Title, Body: typed.Body, Pinned: typed.Pinned, PublishAt: at},
			once("POST /courses/announcements", typed.Key, num(id), typed.Title, typed.Body, strconv.FormatBool(typed.Pinned), typed.At))
	}
	if err == nil {
		return w.done(rw, r, announcementPath(id, a.ID, ""), w.toldCode(&a))
	}
	typed.Key = formKey()
	return w.writeAgain(rw, r, typed, err)
}

func (w *Web) saveAnnouncement(rw http.ResponseWriter, r *request) error {
	course, err := courseID(r)
	if err != nil {
		return err
	}
	id, err := pathID(r, "announcement_id", "announcement")
	if err != nil {
		return err
	}
	typed, at, err := w.readAnnouncementForm(rw, r)
	typed.ID = id
	var a lms.Announcement
	if err == nil {
		a, err = w.updateAnnouncement(r, course, typed, at)
	}
	if err == nil {
		return w.done(rw, r, announcementPath(course, a.ID, ""), w.toldCode(&a))
	}
	return w.writeAgain(rw, r, typed, err)
}

// updateAnnouncement saves a form. A time that was left as the form showed it,
// to the minute, stays as it is, and so does that of what was published when
// the field is emptied.
func (w *Web) updateAnnouncement(r *request, course int64, typed announcementForm, at time.Time) (lms.Announcement, error) {
	is, err := w.svc.Announcement(r.Context(), r.caller, course, typed.ID)
	if err != nil {
		return is, err
	}
	patch := service.AnnouncementPatch{Title: &typed.Title, Body: &typed.Body, Pinned: &typed.Pinned, PublishAt: &at}
	if is.PublishAt.Truncate(time.Minute).Equal(at) || (typed.At == "" && is.Published(w.opts.Now())) {
		patch.PublishAt = nil
	}
	was, err := time.Parse(time.RFC3339Nano, typed.Seen)
	if err != nil && typed.Seen != "" {
		return is, service.ErrMeanwhile
	}
	patch.Seen = &was
	return w.svc.UpdateAnnouncement(r.Context(), r.caller, course, typed.ID, patch)
}

// seen marks the version of an announcement that a form shows.
func seen(a *lms.Announcement) string {
	if a.EditedAt.IsZero() {
		return ""
	}
	return a.EditedAt.UTC().Format(time.RFC3339Nano)
}

func (w *Web) toldCode(a *lms.Announcement) string {
	if a.Published(w.opts.Now()) {
		return "told"
	}
	return "told-later"
}

// writeAgain shows a form that was refused with what was typed.
func (w *Web) writeAgain(rw http.ResponseWriter, r *request, typed announcementForm, cause error) error {
	p, status, ok := asProblem(r.words, cause)
	v, err := w.readCourse(r)
	if err != nil || !ok || decide(r, access.AnnouncementCreate, v) != nil {
		return cause
	}
	view := w.writePage(r, v, typed)
	view.Problem = sentTwice(r.words, p)
	w.render(rw, r, status, writeAnnouncementPage(view))
	return nil
}

// action is where the form is sent.
func (v writeView) action() string {
	course := v.Shell.Course.Course.ID
	if v.Form.ID == 0 {
		return announcementsPath(course, "")
	}
	return announcementPath(course, v.Form.ID, "")
}
