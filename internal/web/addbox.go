package web

import (
	"net/http"
	"strings"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// addBoxView is the box by which anyone is added.
type addBoxView struct {
	CourseID int64
	Typed    string
	Problem  problem
	Suggest  lms.Email    // what a slip was perhaps meant to be
	Found    []lms.Member // whom the reader may find
	Offer    lms.Email    // an address that none of them has
	Nobody   bool         // a name was typed that finds nobody
}

// foundAtMost bounds the people that a search for somebody to add shows: it is
// a help to find a colleague, not a list.
const foundAtMost = 8

// looksLikeAddress tells an address, or the beginning of one, from a name.
func looksLikeAddress(typed string) bool { return strings.Contains(typed, "@") }

// suggestPeople answers what is being typed into the box: the people whom it
// finds and, when it is an address that none of them has, that address.
func (w *Web) suggestPeople(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	box, err := w.boxOf(r, v, strings.TrimSpace(f.text("email")))
	if err != nil {
		return err
	}
	if !r.enhanced() {
		w.redirect(rw, r, coursePath(v.Course.ID, "/people"))
		return nil
	}
	w.renderPart(rw, r, http.StatusOK, suggestPart(box))
	return nil
}

// boxOf looks for whom a text may mean. A text that is no search and no address
// yet finds nobody.
func (w *Web) boxOf(r *request, v service.CourseView, typed string) (addBoxView, error) {
	box := addBoxView{CourseID: v.Course.ID, Typed: typed}
	if err := access.Decide(r.caller, access.EnrollmentAdd, standing(v)); err != nil {
		return box, err
	}
	if typed == "" || len(lms.SplitEmails(typed)) > 1 && looksLikeAddress(typed) {
		return box, nil
	}
	page, err := w.svc.Directory(r.Context(), r.caller, service.DirectoryRequest{Search: typed, CourseID: v.Course.ID, Limit: foundAtMost})
	if err != nil && lms.CodeOf(err) != lms.CodeInvalid { // too short, or no text
		return box, err
	}
	box.Found = page.Members
	address, addressErr := lms.ParseEmail(typed)
	if addressErr == nil {
		box.Offer = address
		for _, m := range box.Found {
			if m.User.Email == address {
				box.Offer = ""
			}
		}
	}
	box.Nobody = err == nil && len(box.Found) == 0 && !looksLikeAddress(typed)
	return box, nil
}

// findPerson answers the box: it leads to who is in the course already, shows
// the panel of somebody else, known or not, the people whom a name finds, or
// the rows of a list to check. Nobody is made here; that happens when the panel
// is saved or the list is confirmed.
func (w *Web) findPerson(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, pasteLimit)
	if err != nil {
		return err
	}
	typed := f.text("email")
	ref := service.PersonRef{UserID: f.id("user_id"), Email: typed}
	if ref.UserID == 0 {
		switch list := lms.SplitEmails(typed); {
		case len(list) > 1 && looksLikeAddress(typed):
			return w.checkList(rw, r, v, checkRequest{Role: lms.RoleStudent, Emails: list})
		case !looksLikeAddress(typed):
			return w.findByName(rw, r, v, typed)
		}
	}
	m, address, err := w.svc.LookUpRef(r.Context(), r.caller, v.Course.ID, ref)
	if err != nil {
		return w.findProblem(rw, r, v, typed, err)
	}
	if m != nil && (m.Enrollment != nil || m.Grant != nil) {
		w.redirect(rw, r, personPath(v.Course.ID, m.User.ID, ""))
		return nil
	}
	panel, err := w.newPanel(r, v, m, address)
	if err != nil {
		return err
	}
	if m == nil {
		if panel.Meant, panel.Doubt, err = w.doubt(r, v, address); err != nil {
			return err
		}
	}
	w.showPanel(rw, r, v, http.StatusOK, panel)
	return nil
}

// doubt tells what an address that nobody has was perhaps meant to be.
func (w *Web) doubt(r *request, v service.CourseView, address lms.Email) (lms.Email, lms.Text, error) {
	rows, err := w.svc.CheckEnroll(r.Context(), r.caller, service.EnrollRequest{
		CourseID: v.Course.ID, Role: lms.RoleStudent, Emails: []string{string(address)}, ConfirmOutside: true,
	})
	if lms.CodeOf(err) == lms.CodeForbidden { // who manages staff alone gives no student's role
		return "", lms.Text{}, nil
	}
	if err != nil || len(rows) != 1 || !rows[0].Doubtful() {
		return "", lms.Text{}, err
	}
	return rows[0].Suggestion, rows[0].Text, nil
}

// findByName shows whom a name finds.
func (w *Web) findByName(rw http.ResponseWriter, r *request, v service.CourseView, typed string) error {
	box, err := w.boxOf(r, v, strings.TrimSpace(typed))
	if err != nil {
		return w.findProblem(rw, r, v, typed, err)
	}
	if box.Typed == "" || len(lms.FoldSearch(box.Typed)) < 2 {
		_, err := lms.ParseEmail(typed)
		return w.findProblem(rw, r, v, typed, err)
	}
	if r.enhanced() {
		w.renderPart(rw, r, http.StatusOK, namedPart(box))
		return nil
	}
	w.render(rw, r, http.StatusOK, addBoxPage(w.courseShell(r, v, r.words.T("Add somebody"), "people"), box))
	return nil
}

// findProblem shows what is wrong with an address that was typed, and what was
// perhaps meant.
func (w *Web) findProblem(rw http.ResponseWriter, r *request, v service.CourseView, typed string, err error) error {
	p, status, ok := refusedIn(rw, r, err)
	if !ok || lms.CodeOf(err) == lms.CodeForbidden {
		return err
	}
	box := addBoxView{CourseID: v.Course.ID, Typed: lms.Clip(typed, 254), Problem: p}
	box.Suggest, _ = lms.SuggestedEmail(err)
	if r.enhanced() {
		w.renderPart(rw, r, status, findPart(box))
		return nil
	}
	w.render(rw, r, status, addBoxPage(w.courseShell(r, v, r.words.T("Add somebody"), "people"), box))
	return nil
}
