package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"matricula/internal/lms"
	"matricula/internal/service"
)

var limitRoutes = []route{
	{"GET /admin/limits", false, (*Web).limits},
	{"POST /admin/limits", false, (*Web).setLimit},
	{"GET /admin/limits/lift", false, (*Web).backToLimits},
	{"POST /admin/limits/lift", false, (*Web).liftLimit},
	{"GET /admin/limits/end", false, (*Web).backToLimits},
	{"POST /admin/limits/end", false, (*Web).endLift},
}

const liftsOnPage = 50

// limitsView is the page of the limits.
type limitsView struct {
	Shell   shell
	Limits  []service.LimitState
	Lifts   service.LiftsPage
	Form    liftForm
	Wrong   problem // of the form
	Set     string  // the limit that was to be set
	Amount  string  // to what
	Problem problem // of that
	Today   lms.Day
}

// liftForm is a lift as typed.
type liftForm struct {
	Limit, For, Until, Reason, Key string
}

// limitPeriods are the periods of limits, for people.
var limitPeriods = map[time.Duration]lms.Term{
	24 * time.Hour:  "a day",
	time.Hour:       "an hour",
	5 * time.Minute: "in five minutes",
	time.Minute:     "a minute",
	0:               "at once",
}

// limitPers say of what a limit is counted.
var limitPers = map[lms.LimitPer]lms.Term{
	lms.PerPerson:  "Each person",
	lms.PerCourse:  "Each course",
	lms.PerDomain:  "Each domain",
	lms.PerAddress: "Each address",
	lms.PerNetwork: "Each network",
	lms.PerClient:  "Each program",
}

func limitLabel(name lms.LimitName) lms.Term {
	l, _ := lms.LimitOf(name)
	return l.Label
}

// amountField are the attributes of the field for a limit.
func amountField(l *service.LimitState) templ.Attributes {
	return templ.Attributes{"type": "number", "min": "1", "max": strconv.Itoa(lms.MaxLimit), "inputmode": "numeric", "autocomplete": "off", "placeholder": strconv.FormatInt(l.Default, 10)}
}

// untilField are those of the field for the day until which a limit is lifted.
func untilField(today lms.Day) templ.Attributes {
	return templ.Attributes{"type": "date", "required": true, "autocomplete": "off", "min": string(today)}
}

func (w *Web) limits(rw http.ResponseWriter, r *request) error {
	return w.showLimits(rw, r, http.StatusOK, limitsView{})
}

func (w *Web) backToLimits(rw http.ResponseWriter, r *request) error {
	if err := adminOnly(r); err != nil {
		return err
	}
	w.redirect(rw, r, "/admin/limits")
	return nil
}

func (w *Web) showLimits(rw http.ResponseWriter, r *request, status int, v limitsView) (err error) {
	v.Shell = w.shell(r, r.words.T("Limits"))
	v.Shell.Section = "admin-settings"
	if v.Limits, err = w.svc.Limits(r.Context(), r.caller); err != nil {
		return err
	}
	before, err := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
	if err != nil || before < 0 {
		before = 0
	}
	if v.Lifts, err = w.svc.Lifts(r.Context(), r.caller, true, before, liftsOnPage); err != nil {
		return err
	}
	v.Today, v.Form.Key = w.today(), formKey()
	w.render(rw, r, status, limitsPage(v))
	return nil
}

func (w *Web) setLimit(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	v := limitsView{Set: f.text("limit"), Amount: strings.TrimSpace(f.text("amount"))}
	amount := int64(0)
	if v.Amount != "" {
		if amount, err = strconv.ParseInt(v.Amount, 10, 64); err != nil || amount == 0 {
			amount = -1
		}
	}
	if _, err = w.svc.SetLimit(r.Context(), r.caller, lms.LimitName(v.Set), amount); err == nil {
		return w.done(rw, r, "/admin/limits", "limit-set")
	}
	p, status, ok := asProblem(r.words, err)
	if !ok || lms.CodeOf(err) == lms.CodeForbidden {
		return err
	}
	v.Problem = p
	return w.showLimits(rw, r, status, v)
}

// liftOf reads whom or what a limit is lifted for: an address, a course's number or a
// domain, as the limit wants.
func (w *Web) liftOf(f liftForm) service.NewLift {
	n := service.NewLift{Limit: lms.LimitName(f.Limit), Reason: f.Reason}
	if d, err := lms.ParseDay(strings.TrimSpace(f.Until), "until"); err == nil && d != "" {
		n.Until = d.EndIn(w.opts.Zone)
	}
	subject := strings.TrimSpace(f.For)
	l, _ := lms.LimitOf(n.Limit)
	switch l.Per {
	case lms.PerPerson:
		n.Person.Email = subject
	case lms.PerCourse:
		if id, err := strconv.ParseInt(strings.TrimPrefix(subject, "#"), 10, 64); err == nil {
			n.CourseID = id
		}
	default:
		n.Domain = subject
	}
	return n
}

func (w *Web) liftLimit(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	typed := liftForm{Limit: f.text("limit"), For: f.text("for"), Until: f.text("until"), Reason: f.text("reason"), Key: f.text("key")}
	_, err = w.svc.Lift(r.Context(), r.caller, w.liftOf(typed), once("POST /admin/limits/lift", typed.Key, typed.Limit, typed.For, typed.Until, typed.Reason))
	if err == nil {
		return w.done(rw, r, "/admin/limits", "limit-lifted")
	}
	p, status, ok := asProblem(r.words, err)
	if !ok || lms.CodeOf(err) == lms.CodeForbidden {
		return err
	}
	for _, name := range []string{"email", "course_id", "domain"} { // which share one field
		if p.fields[name] != "" {
			p.fields["for"] = p.fields[name]
		}
	}
	return w.showLimits(rw, r, status, limitsView{Form: typed, Wrong: sentTwice(r.words, p)})
}

func (w *Web) endLift(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	if err := w.svc.EndLift(r.Context(), r.caller, f.id("lift")); err != nil {
		return err
	}
	return w.done(rw, r, "/admin/limits", "lift-ended")
}

// amountOf is what stands in the field of a limit: what was typed and refused, or what
// somebody has set.
func amountOf(v limitsView, l *service.LimitState) string {
	switch {
	case v.Problem.Message != "" && v.Set == string(l.Name):
		return v.Amount
	case l.SetBy == 0:
		return ""
	}
	return strconv.FormatInt(l.Amount, 10)
}
