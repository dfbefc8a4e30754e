package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

var mergeRoutes = []route{
	{"GET /merges", false, (*Web).merges},
	{"POST /merges", false, (*Web).mergePeople},
	{"GET /merges/new", false, (*Web).newMerge},
	{"POST /merges/new", false, (*Web).findMerge},
	{"GET /merges/{merge_id}", false, (*Web).merge},
	{"POST /merges/{merge_id}/accept", false, (*Web).acceptMerge},
	{"POST /merges/{merge_id}/complete", false, (*Web).completeMerge},
	{"POST /merges/{merge_id}/withdraw", false, (*Web).withdrawMerge},
	{"POST /merges/{merge_id}/split", false, (*Web).splitMerge},
	{"GET /admin/duplicates", false, (*Web).duplicates},
	{"POST /admin/duplicates", false, (*Web).tellApart},
}

const mergesOnPage = 50

func mergePath(id int64, rest string) string { return "/merges/" + num(id) + rest }

// newMergePath is where two people are looked at before they are merged. Its form
// asks for whom it has not.
func newMergePath(keep, merge int64) string {
	path := "/merges/new?merge=" + num(merge)
	if keep != 0 {
		path += "&keep=" + num(keep)
	}
	return path
}

// mergesView is the list of merges.
type mergesView struct {
	Shell  shell
	Merges []lms.Merge
	Next   int64
	Later  bool
	Admin  bool
}

func (w *Web) merges(rw http.ResponseWriter, r *request) error {
	from, err := before(r)
	if err != nil {
		return err
	}
	page, err := w.svc.Merges(r.Context(), r.caller, from, mergesOnPage)
	if err != nil {
		return err
	}
	v := mergesView{Shell: w.shell(r, r.words.T("Merged accounts")), Merges: page.Merges, Next: page.Next, Later: from > 0, Admin: r.caller.Admin()}
	v.Shell.Section = mergeSection(r)
	w.render(rw, r, http.StatusOK, mergesPage(v))
	return nil
}

func mergeSection(r *request) string {
	if r.caller.Admin() {
		return "admin-people"
	}
	return "account"
}

// newMergeView is the page on which two people are looked at before they are merged.
type newMergeView struct {
	Shell   shell
	Form    mergeForm
	Problem problem
	Person  *lms.User             // who is merged, where the page was opened about them
	Preview *service.MergePreview // nil until both are known
}

// mergeForm is two people as typed, or as a page has named them by id.
type mergeForm struct {
	Keep, Merge     string // addresses
	KeepID, MergeID int64
	Key             string
}

func readMergeForm(f form) mergeForm {
	return mergeForm{Keep: f.text("keep"), Merge: f.text("merge"), KeepID: f.id("keep_id"), MergeID: f.id("merge_id"), Key: f.text("key")}
}

// request is the two people; what is typed counts only where no id is given.
func (f mergeForm) request() service.MergeRequest {
	ref := func(id int64, typed string) service.PersonRef {
		if id != 0 {
			return service.PersonRef{UserID: id}
		}
		return service.PersonRef{Email: strings.TrimSpace(typed)}
	}
	return service.MergeRequest{Keep: ref(f.KeepID, f.Keep), Merge: ref(f.MergeID, f.Merge)}
}

func (w *Web) newMerge(rw http.ResponseWriter, r *request) error {
	if err := access.Decide(r.caller, access.UserMerge, nil); err != nil {
		return err
	}
	var f mergeForm
	for name, id := range map[string]*int64{"keep": &f.KeepID, "merge": &f.MergeID} {
		if s := r.URL.Query().Get(name); s != "" {
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil || n <= 0 {
				return lms.NotFound("person")
			}
			*id = n
		}
	}
	if f.KeepID == 0 || f.MergeID == 0 {
		return w.showNewMerge(rw, r, http.StatusOK, newMergeView{Form: f})
	}
	p, err := w.svc.PreviewMerge(r.Context(), r.caller, f.request())
	if err != nil {
		return w.mergeProblem(rw, r, f, err)
	}
	return w.showNewMerge(rw, r, http.StatusOK, newMergeView{Form: f, Preview: &p})
}

func (w *Web) showNewMerge(rw http.ResponseWriter, r *request, status int, v newMergeView) error {
	if v.Preview == nil && v.Form.MergeID != 0 {
		u, err := w.svc.User(r.Context(), r.caller, v.Form.MergeID)
		if err != nil {
			return err
		}
		v.Person = &u
	}
	v.Shell = w.shell(r, r.words.T("Merge two accounts"))
	v.Shell.Section = mergeSection(r)
	v.Form.Key = formKey()
	w.render(rw, r, status, newMergePage(v))
	return nil
}

// mergeProblem shows the form again. That there is no such person is a mistake of
// whoever typed an address, and no page that is missing.
func (w *Web) mergeProblem(rw http.ResponseWriter, r *request, f mergeForm, err error) error {
	p, status, ok := asProblem(r.words, err)
	var e *lms.Error
	if !ok && errors.As(err, &e) && e.Code == lms.CodeNotFound {
		p, status, ok = problem{Type: e.Type, Message: r.words.Error(e)}, http.StatusNotFound, true
	}
	if !ok {
		return err
	}
	return w.showNewMerge(rw, r, status, newMergeView{Form: f, Problem: sentTwice(r.words, p)})
}

func (w *Web) findMerge(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	typed := readMergeForm(f)
	p, err := w.svc.PreviewMerge(r.Context(), r.caller, typed.request())
	if err != nil {
		return w.mergeProblem(rw, r, typed, err)
	}
	w.redirect(rw, r, newMergePath(p.Keep.ID, p.Merge.ID))
	return nil
}

func (w *Web) mergePeople(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	typed := readMergeForm(f)
	m, err := w.svc.MergePeople(r.Context(), r.caller, typed.request(), once("POST /merges", typed.Key, num(typed.KeepID), num(typed.MergeID), typed.Keep, typed.Merge))
	if err != nil {
		return w.mergeProblem(rw, r, typed, err)
	}
	code := "merged"
	if m.State == lms.MergeAsked {
		code = "merge-asked"
	}
	return w.done(rw, r, mergePath(m.ID, ""), code)
}

// mergeView is the page of one merge.
type mergeView struct {
	Shell   shell
	Merge   service.MergeView
	You     int64
	Problem problem
}

func (w *Web) merge(rw http.ResponseWriter, r *request) error {
	return w.showMerge(rw, r, http.StatusOK, problem{})
}

func (w *Web) showMerge(rw http.ResponseWriter, r *request, status int, p problem) error {
	id, err := pathID(r, "merge_id", "merge")
	if err != nil {
		return err
	}
	m, err := w.svc.Merge(r.Context(), r.caller, id)
	if err != nil {
		return err
	}
	title := r.words.T("Two accounts of one person")
	if m.State == lms.MergeAsked {
		title = r.words.T("Are these accounts one person’s?")
	}
	v := mergeView{Shell: w.shell(r, title), Merge: m, You: r.caller.UserID, Problem: p}
	v.Shell.Section = mergeSection(r)
	w.render(rw, r, status, mergePage(v))
	return nil
}

// onMerge does something about the merge of a path, and goes to its page or
// another.
func (w *Web) onMerge(rw http.ResponseWriter, r *request, code, then string, do func(id int64) error) error {
	id, err := pathID(r, "merge_id", "merge")
	if err != nil {
		return err
	}
	if err := do(id); err != nil {
		p, status, ok := asProblem(r.words, err)
		if !ok || w.showMerge(rw, r, status, p) != nil { // which they may not see
			return err
		}
		return nil
	}
	if then == "" {
		then = mergePath(id, "")
	}
	return w.done(rw, r, then, code)
}

func (w *Web) acceptMerge(rw http.ResponseWriter, r *request) error {
	return w.onMerge(rw, r, "merge-accepted", "/account", func(id int64) error {
		_, err := w.svc.AcceptMerge(r.Context(), r.caller, id)
		return err
	})
}

func (w *Web) completeMerge(rw http.ResponseWriter, r *request) error {
	return w.onMerge(rw, r, "merged", "", func(id int64) error {
		_, err := w.svc.CompleteMerge(r.Context(), r.caller, id)
		return err
	})
}

func (w *Web) withdrawMerge(rw http.ResponseWriter, r *request) error {
	then := "/account"
	if r.caller.Admin() {
		then = "/merges"
	}
	return w.onMerge(rw, r, "merge-withdrawn", then, func(id int64) error { return w.svc.WithdrawMerge(r.Context(), r.caller, id) })
}

func (w *Web) splitMerge(rw http.ResponseWriter, r *request) error {
	return w.onMerge(rw, r, "split", "", func(id int64) error {
		_, err := w.svc.SplitMerge(r.Context(), r.caller, id)
		return err
	})
}

// duplicatesView is the list of people who look like one.
type duplicatesView struct {
	Shell shell
	Pairs []service.Duplicate
	Next  int64
	After int64
}

func (w *Web) duplicates(rw http.ResponseWriter, r *request) error {
	from, err := before(r) // here: after whom
	if err != nil {
		return err
	}
	page, err := w.svc.Duplicates(r.Context(), r.caller, from, mergesOnPage)
	if err != nil {
		return err
	}
	v := duplicatesView{Shell: w.shell(r, r.words.T("People who look like one")), Pairs: page.Pairs, Next: page.Next, After: from}
	v.Shell.Section = "admin-people"
	w.render(rw, r, http.StatusOK, duplicatesPage(v))
	return nil
}

func (w *Web) tellApart(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	if err := w.svc.TellApart(r.Context(), r.caller, f.id("one"), f.id("other")); err != nil {
		return err
	}
	return w.done(rw, r, "/admin/duplicates", "told-apart")
}
