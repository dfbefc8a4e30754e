package web

import (
	"maps"
	"net/http"

	"github.com/a-h/templ"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

var claimRoutes = []route{
	{"GET /account/claims", false, (*Web).backToAccount},
	{"POST /account/claims", false, (*Web).askClaim},
	{"GET /account/claims/{claim_id}/withdraw", false, (*Web).backToAccount},
	{"POST /account/claims/{claim_id}/withdraw", false, (*Web).withdrawClaim},
	{"GET /courses/{course_id}/people/requests", false, (*Web).claims},
	{"GET /courses/{course_id}/people/requests/{claim_id}/approve", false, (*Web).backToClaims},
	{"POST /courses/{course_id}/people/requests/{claim_id}/approve", false, (*Web).approveClaim},
	{"GET /courses/{course_id}/people/requests/{claim_id}/refuse", false, (*Web).backToClaims},
	{"POST /courses/{course_id}/people/requests/{claim_id}/refuse", false, (*Web).refuseClaim},
	{"GET /admin/claims", false, (*Web).adminClaims},
	{"GET /admin/claims/{claim_id}/refuse", false, (*Web).backToAdminClaims},
	{"POST /admin/claims/{claim_id}/refuse", false, (*Web).rejectClaim},
}

const claimsOnPage = 50

func init() {
	maps.Copy(doneMessages, map[string]lms.Term{
		"claim-asked":     "Asked. If something waits for this address, its teachers will see your request.",
		"claim-withdrawn": "Withdrawn.",
		"claim-approved":  "Given. They find the course among theirs the next time that they look.",
		"claim-refused":   "Refused. Whoever asked finds that on their account page.",
	})
	maps.Copy(verbs, map[access.Action]struct{ of, alone lms.Term }{
		access.ClaimAsk:     {"asked for what waits for", "asked for what waits for another address"},
		access.ClaimRecall:  {"withdrew the request for what waits for", "withdrew a request for what waits for another address"},
		access.ClaimObject:  {"noted that somebody else asks for what waits for", "noted that somebody else asks for what waits"},
		access.ClaimApprove: {"moved what waits to another account, for", "moved what waits to another account"},
		access.ClaimRefuse:  {"refused to move to another account what waits for", "refused to move what waits to another account"},
		access.ClaimReject:  {"refused to move to another account all that waits for", "refused to move all that waits to another account"},
	})
	maps.Copy(attempts, map[access.Action]lms.Term{
		access.ClaimAsk:     "wanted to ask for what waits for another address",
		access.ClaimRecall:  "wanted to withdraw a request for what waits for another address",
		access.ClaimApprove: "wanted to move what waits to another account",
		access.ClaimRefuse:  "wanted to refuse a request for what waits",
		access.ClaimReject:  "wanted to refuse a request for all that waits",
	})
}

// claimsOfAccount are the reader's own requests, and a new one as typed.
type claimsOfAccount struct {
	Asked   []service.ClaimAsked
	Email   string
	Problem problem
}

// claimAnswers say how a request stands, with the badge that goes with it.
var claimAnswers = map[lms.ClaimAnswer]struct {
	Label lms.Term
	Badge string
}{
	lms.AnswerWaiting:   {"Waiting for an answer", "pending"},
	lms.AnswerApproved:  {"Given to you", "staff"},
	lms.AnswerRefused:   {"Not given to you", "suspended"},
	lms.AnswerWithdrawn: {"Withdrawn", "archived"},
	lms.AnswerOver:      {"Nobody has answered", "archived"},
}

func claimPath(id int64, rest string) string { return "/account/claims/" + num(id) + rest }

// ownClaims reads the reader's requests for their account page.
func (w *Web) ownClaims(r *request) (c claimsOfAccount, err error) {
	page, err := w.svc.ClaimsAsked(r.Context(), r.caller, 0, claimsOnAccount)
	c.Asked = page.Requests
	return c, err
}

// claimsOnAccount is how many of their requests people see; the API lists all.
const claimsOnAccount = 10

func (w *Web) askClaim(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	if _, err := w.svc.AskClaim(r.Context(), r.caller, f.text("email")); err != nil {
		p, status, ok := asProblem(r.words, err)
		if !ok {
			return err
		}
		v, err := w.accountOf(r)
		if err != nil {
			return err
		}
		v.Form = newTokenForm()
		v.Claims.Email, v.Claims.Problem = f.text("email"), p
		w.render(rw, r, status, accountPage(v))
		return nil
	}
	return w.done(rw, r, "/account", "claim-asked")
}

func (w *Web) withdrawClaim(rw http.ResponseWriter, r *request) error {
	id, err := pathID(r, "claim_id", "request")
	if err != nil {
		return err
	}
	if _, err := readForm(rw, r, formLimit); err != nil {
		return err
	}
	if err := w.svc.WithdrawClaim(r.Context(), r.caller, id); err != nil {
		return err
	}
	return w.done(rw, r, "/account", "claim-withdrawn")
}

// refusing is what was wrong with a decision, about which request, and the reason as
// typed.
type refusing struct {
	ID      int64
	Reason  string
	Problem problem
}

// typed tells whether the reason of a request is at fault, and not the request.
func (v refusing) typed(id int64) bool { return v.ID == id && v.Problem.field("reason") != "" }

func (v refusing) reasonOf(id int64) string {
	if !v.typed(id) {
		return ""
	}
	return v.Reason
}

func (v refusing) faultOf(id int64) string {
	if !v.typed(id) {
		return ""
	}
	return v.Problem.field("reason")
}

// claimsView is who says that they are one of those who have not arrived in a course.
type claimsView struct {
	Shell    shell
	CourseID int64
	Requests []service.ClaimToDecide
	Next     int64
	Later    bool
	MayAct   bool
	Mail     bool // can be sent
	Refusing refusing
	words    func(error) string
}

// why says why the reader cannot approve.
func (v claimsView) why(q *service.ClaimToDecide) string { return v.words(q.Why) }

func claimsPath(course int64) string { return coursePath(course, "/people/requests") }

func courseClaimPath(course, id int64, rest string) string {
	return claimsPath(course) + "/" + num(id) + rest
}

func (w *Web) claims(rw http.ResponseWriter, r *request) error {
	return w.showClaims(rw, r, http.StatusOK, refusing{})
}

func (w *Web) showClaims(rw http.ResponseWriter, r *request, status int, refused refusing) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	from, err := before(r)
	if err != nil {
		return err
	}
	page, err := w.svc.ClaimsIn(r.Context(), r.caller, v.Course.ID, from, claimsOnPage)
	if err != nil {
		return err
	}
	w.render(rw, r, status, claimsPage(claimsView{
		Shell: w.courseShell(r, v, r.words.T("Requests from other accounts"), "people"), CourseID: v.Course.ID, Requests: page.Requests, Next: page.Next, Later: from > 0,
		MayAct: may(r, access.ClaimApprove, v), Mail: w.svc.SendsMail(), Refusing: refused,
		words: func(err error) string {
			p, _, _ := asProblem(r.words, err)
			return p.Message
		},
	}))
	return nil
}

func (w *Web) backToClaims(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	if err := decide(r, access.ClaimView, v); err != nil {
		return err
	}
	w.redirect(rw, r, claimsPath(v.Course.ID))
	return nil
}

func (w *Web) approveClaim(rw http.ResponseWriter, r *request) error {
	return w.onClaim(rw, r, "claim-approved", func(course, id int64, _ form) error {
		return w.svc.ApproveClaim(r.Context(), r.caller, course, id)
	})
}

func (w *Web) refuseClaim(rw http.ResponseWriter, r *request) error {
	return w.onClaim(rw, r, "claim-refused", func(course, id int64, f form) error {
		return w.svc.RefuseClaim(r.Context(), r.caller, course, id, f.text("reason"))
	})
}

// onClaim decides about a request in a course.
func (w *Web) onClaim(rw http.ResponseWriter, r *request, code string, do func(course, id int64, f form) error) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	id, err := pathID(r, "claim_id", "request")
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	if err := do(v.Course.ID, id, f); err != nil {
		p, status, ok := asProblem(r.words, err)
		if !ok || decide(r, access.ClaimView, v) != nil {
			return err
		}
		return w.showClaims(rw, r, status, refusing{id, f.text("reason"), p})
	}
	return w.done(rw, r, claimsPath(v.Course.ID), code)
}

// adminClaimsView is the same for the whole site.
type adminClaimsView struct {
	Shell    shell
	Requests []lms.ClaimRequest
	Next     int64
	Later    bool
	Refusing refusing
}

func (w *Web) adminClaims(rw http.ResponseWriter, r *request) error {
	return w.showAdminClaims(rw, r, http.StatusOK, refusing{})
}

func (w *Web) backToAdminClaims(rw http.ResponseWriter, r *request) error {
	if err := adminOnly(r); err != nil {
		return err
	}
	w.redirect(rw, r, "/admin/claims")
	return nil
}

func (w *Web) showAdminClaims(rw http.ResponseWriter, r *request, status int, refused refusing) error {
	from, err := before(r)
	if err != nil {
		return err
	}
	page, err := w.svc.OpenClaims(r.Context(), r.caller, from, claimsOnPage)
	if err != nil {
		return err
	}
	v := adminClaimsView{Shell: w.shell(r, r.words.T("Requests from other accounts")), Requests: page.Requests, Next: page.Next, Later: from > 0, Refusing: refused}
	v.Shell.Section = "admin-people"
	w.render(rw, r, status, adminClaimsPage(v))
	return nil
}

func (w *Web) rejectClaim(rw http.ResponseWriter, r *request) error {
	id, err := pathID(r, "claim_id", "request")
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	if err := w.svc.RejectClaim(r.Context(), r.caller, id, f.text("reason")); err != nil {
		p, status, ok := asProblem(r.words, err)
		if !ok || adminOnly(r) != nil {
			return err
		}
		return w.showAdminClaims(rw, r, status, refusing{id, f.text("reason"), p})
	}
	return w.done(rw, r, "/admin/claims", "claim-refused")
}

// claimReasonField are the attributes of the field for the reason of a refusal.
var claimReasonField = templ.Attributes{"maxlength": num(lms.MaxReasonRunes), "autocomplete": "off"}
