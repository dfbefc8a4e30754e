package web

import (
	"maps"
	"net/http"

	"github.com/a-h/templ"

	"matricula/internal/lms"
	"matricula/internal/service"
)

var erasingRoutes = []route{
	{"GET /admin/people/{user_id}/erase", false, (*Web).confirmErase},
	{"POST /admin/people/{user_id}/erase", false, (*Web).erase},
	{"POST /admin/people/{user_id}/data", false, (*Web).personData},
	{"GET /admin/erasures", false, (*Web).erasures},
	{"GET /admin/erasures/{request_id}/refuse", false, (*Web).backToErasures},
	{"POST /admin/erasures/{request_id}/refuse", false, (*Web).refuseErasure},
	{"GET /account/erasure", false, (*Web).backToAccount},
	{"POST /account/erasure", false, (*Web).askErasure},
	{"GET /account/erasure/withdraw", false, (*Web).backToAccount},
	{"POST /account/erasure/withdraw", false, (*Web).withdrawErasure},
}

const erasuresOnPage = 50

func init() {
	maps.Copy(doneMessages, map[string]lms.Term{
		"erased":            "Erased. The address is free again.",
		"erasure-asked":     "Asked. An administrator will answer; you find the answer here.",
		"erasure-withdrawn": "Withdrawn. Your account stays as it is.",
		"erasure-refused":   "Refused. The person finds the reason on their account page.",
		"grant-confirmed":   "Confirmed. From now on it counts as given by you.",
		"grant-taken":       "Taken away.",
	})
}

// eraseView asks an administrator whether somebody is to be erased.
type eraseView struct {
	Shell     shell
	Person    lms.User
	Courses   int // in how many courses they are, at most as many as are shown
	Successor string
	Problem   problem
	Owns      bool // they are the only owner of a course
}

func (w *Web) confirmErase(rw http.ResponseWriter, r *request) error {
	return w.showErase(rw, r, http.StatusOK, "", problem{})
}

func (w *Web) showErase(rw http.ResponseWriter, r *request, status int, successor string, p problem) error {
	if err := adminOnly(r); err != nil {
		return err
	}
	id, err := pathID(r, "user_id", "person")
	if err != nil {
		return err
	}
	u, err := w.svc.User(r.Context(), r.caller, id)
	if err != nil {
		return err
	}
	if u.Status == lms.StatusErased || u.Kind != lms.KindPerson {
		return lms.NotFound("person")
	}
	places, err := w.svc.UserPlaces(r.Context(), r.caller, id)
	if err != nil {
		return err
	}
	v := eraseView{Shell: w.shell(r, r.words.T("Erase %s?", callName(r.words, &u))), Person: u, Courses: len(places.Courses), Successor: successor, Problem: p}
	v.Shell.Section = "admin-people"
	v.Owns = p.Type == "last-owner" || p.Type == "no-successor"
	w.render(rw, r, status, erasePage(v))
	return nil
}

func (w *Web) erase(rw http.ResponseWriter, r *request) error {
	id, err := pathID(r, "user_id", "person")
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	if !f.flag("sure") {
		return w.showErase(rw, r, http.StatusUnprocessableEntity, f.text("successor"), problem{
			Message: r.words.T("Confirm that you know that this cannot be undone."), fields: map[string]string{"sure": r.words.T("Confirm this.")},
		})
	}
	_, err = w.svc.EraseUser(r.Context(), r.caller, id, leaving(f))
	if err == nil {
		return w.done(rw, r, adminPersonPath(id, ""), "erased")
	}
	p, status, ok := asProblem(r.words, err)
	if !ok || adminOnly(r) != nil {
		return err
	}
	return w.showErase(rw, r, status, f.text("successor"), p)
}

// leaving reads what becomes of the courses that only this person owns.
func leaving(f form) service.Leaving {
	return service.Leaving{OrphanCourses: f.flag("orphan_courses"), Successor: service.PersonRef{Email: f.text("successor")}}
}

// personData answers with all that is kept about somebody, whom it concerns having
// asked an administrator.
func (w *Web) personData(rw http.ResponseWriter, r *request) error {
	id, err := pathID(r, "user_id", "person")
	if err != nil {
		return err
	}
	if _, err := readForm(rw, r, formLimit); err != nil {
		return err
	}
	d, err := w.svc.DataOf(r.Context(), r.caller, id)
	if err != nil {
		return err
	}
	return w.sendData(rw, r, &d, "matricula-data-"+num(id)+".json", func(before int64) (service.AuditPage, error) {
		return w.svc.AuditOf(r.Context(), r.caller, id, before, auditOnPage)
	})
}

// erasuresView is the list of those who want to be erased.
type erasuresView struct {
	Shell    shell
	State    lms.ErasureState
	Requests []lms.ErasureRequest
	Next     int64
	Later    bool
	Refused  int64 // the request whose refusal is at fault
	Reason   string
	Problem  problem
}

// erasureStates are the tabs of that list.
var erasureStates = []struct {
	State lms.ErasureState
	Label lms.Term
}{
	{lms.ErasureOpen, "Open"}, {lms.ErasureDone, "Carried out"}, {lms.ErasureRefused, "Refused"}, {lms.ErasureWithdrawn, "Withdrawn"},
}

func (v erasuresView) path() string {
	if v.State == lms.ErasureOpen {
		return "/admin/erasures"
	}
	return "/admin/erasures?state=" + string(v.State)
}

// older is the address of the page that goes on after this one.
func (v erasuresView) older() string {
	return "/admin/erasures?state=" + string(v.State) + "&before=" + num(v.Next)
}

func (w *Web) erasures(rw http.ResponseWriter, r *request) error {
	return w.showErasures(rw, r, http.StatusOK, erasuresView{})
}

func (w *Web) backToErasures(rw http.ResponseWriter, r *request) error {
	if err := adminOnly(r); err != nil {
		return err
	}
	w.redirect(rw, r, "/admin/erasures")
	return nil
}

func (w *Web) showErasures(rw http.ResponseWriter, r *request, status int, v erasuresView) error {
	v.State = lms.ErasureOpen
	if s, err := lms.ParseErasureState(r.URL.Query().Get("state")); err == nil {
		v.State = s
	}
	from, err := before(r)
	if err != nil {
		return err
	}
	page, err := w.svc.Erasures(r.Context(), r.caller, v.State, from, erasuresOnPage)
	if err != nil {
		return err
	}
	v.Shell = w.shell(r, r.words.T("Requests to be erased"))
	v.Shell.Section = "admin-people"
	v.Requests, v.Next, v.Later = page.Requests, page.Next, from > 0
	w.render(rw, r, status, erasuresPage(v))
	return nil
}

func (w *Web) refuseErasure(rw http.ResponseWriter, r *request) error {
	id, err := pathID(r, "request_id", "request")
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	if _, err := w.svc.RefuseErasure(r.Context(), r.caller, id, f.text("reason")); err != nil {
		p, status, ok := asProblem(r.words, err)
		if !ok || adminOnly(r) != nil {
			return err
		}
		return w.showErasures(rw, r, status, erasuresView{Refused: id, Reason: f.text("reason"), Problem: p})
	}
	return w.done(rw, r, "/admin/erasures", "erasure-refused")
}

// noteField are the attributes of a field for a note about erasing.
var noteField = templ.Attributes{"maxlength": num(lms.MaxErasureRunes), "autocomplete": "off"}

func (w *Web) askErasure(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	if _, err := w.svc.AskErasure(r.Context(), r.caller, f.text("note")); err != nil {
		p, status, ok := asProblem(r.words, err)
		if !ok {
			return err
		}
		v, err := w.accountOf(r)
		if err != nil {
			return err
		}
		v.Form = tokenForm{Days: defaultTokenDays, Scopes: []string{string(lms.ScopeRead)}, Key: formKey()}
		v.Note, v.Refused = f.text("note"), p
		w.render(rw, r, status, accountPage(v))
		return nil
	}
	return w.done(rw, r, "/account", "erasure-asked")
}

func (w *Web) withdrawErasure(rw http.ResponseWriter, r *request) error {
	if _, err := readForm(rw, r, formLimit); err != nil {
		return err
	}
	if err := w.svc.WithdrawErasure(r.Context(), r.caller); err != nil {
		return err
	}
	return w.done(rw, r, "/account", "erasure-withdrawn")
}

// refusalField are the attributes of the field for the reason of a refusal.
var refusalField = templ.Attributes{"maxlength": num(lms.MaxErasureRunes), "autocomplete": "off", "required": true}

// reasonOf and faultOf are what was typed as the reason for refusing a request, and
// what is wrong with it.
func (v erasuresView) reasonOf(id int64) string {
	if v.Refused != id {
		return ""
	}
	return v.Reason
}

func (v erasuresView) faultOf(id int64) string {
	if v.Refused != id {
		return ""
	}
	return v.Problem.field("reason")
}

func erasurePath(id int64, rest string) string { return "/admin/erasures/" + num(id) + rest }
