package web

import (
	"net/http"
	"slices"
	"strings"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// addView is a pasted list: the form for it, what would become of it, and what
// did.
type addView struct {
	Shell    shell
	CourseID int64
	Text     string
	Role     string
	Roles    []roleChoice
	Problem  problem
	Outside  int // rows that need a confirmation that somebody outside is meant
	Check    *listCheck
	Results  []service.RowResult
	Counts   []addCount
	Mail     bool
}

// addCount is how many rows had one result.
type addCount struct {
	Result service.EnrollResult
	N      int
}

// listCheck is a list before it is carried out.
type listCheck struct {
	Ready   []service.RowResult // what will be done
	Idle    []service.RowResult // where nothing is to be done
	Ask     []service.RowResult // what somebody has to look at
	MoreAsk int                 // so many more, which the page does not show
	rest    []string            // what stands in those
}

// How many rows a page shows. All are carried out.
const (
	askedOnPage = 200
	rowsOnPage  = 200
)

// resultLabels say in words what became of a row, checkLabels what would.
var (
	resultLabels = map[service.EnrollResult]lms.Term{
		service.ResultEnrolled: "Added",
		service.ResultNamed:    "Added; not signed in yet",
		service.ResultAlready:  "Nothing to do",
		service.ResultRefused:  "Not added",
	}
	checkLabels = map[service.EnrollResult]lms.Term{
		service.ResultEnrolled: "Will be added",
		service.ResultNamed:    "Will be added; not signed in yet",
		service.ResultAlready:  "Nothing to do",
	}
)

func (c *listCheck) readyText() string {
	lines := make([]string, 0, len(c.Ready)+len(c.Idle)+len(c.rest))
	for _, row := range slices.Concat(c.Ready, c.Idle) {
		lines = append(lines, string(row.Email))
	}
	return strings.Join(append(lines, c.rest...), "\n")
}

func (c *listCheck) shown() []service.RowResult {
	all := slices.Concat(c.Ready, c.Idle)
	return all[:min(len(all), rowsOnPage)]
}

func (c *listCheck) notShown() int { return max(0, len(c.Ready)+len(c.Idle)-rowsOnPage) }

func (v addView) shownResults() []service.RowResult {
	return v.Results[:min(len(v.Results), rowsOnPage)]
}

func (w *Web) addPeoplePage(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	view, err := w.addViewOf(r, v, lms.RoleStudent)
	if err != nil {
		return err
	}
	w.render(rw, r, http.StatusOK, addPage(view))
	return nil
}

func (w *Web) addViewOf(r *request, v service.CourseView, role string) (addView, error) {
	view := addView{Shell: w.courseShell(r, v, r.words.T("Add people"), "people"), CourseID: v.Course.ID, Role: role, Mail: w.opts.MailEnabled}
	if err := access.Decide(r.caller, access.EnrollmentAdd, standing(v)); err != nil {
		return view, err
	}
	var err error
	view.Roles, err = w.rolesToGive(r, v, &lms.Member{})
	return view, err
}

// checkRequest is a list as it was sent.
type checkRequest struct {
	Role           string
	Emails         []string
	Sure           []string // addresses that are right although they look like a slip
	ConfirmOutside bool
}

// readCheck reads a list from the form of the paste and from that of the check.
func readCheck(f form) checkRequest {
	c := checkRequest{Role: f.text("role"), Emails: pastedAddresses(f.text("emails")), Sure: f.list("sure"), ConfirmOutside: f.flag("confirm_outside")}
	// The button beside a slip sends what was typed and what to use instead.
	typed, meant, _ := strings.Cut(strings.ReplaceAll(f.text("use"), "\r", ""), "\n")
	for _, row := range f.list("row") {
		if row = strings.TrimSpace(row); row == "" {
			continue // taken out of the list
		}
		if meant != "" && row == typed {
			row = meant
		}
		c.Emails = append(c.Emails, row)
	}
	return c
}

func (c checkRequest) enroll(courseID int64) service.EnrollRequest {
	return service.EnrollRequest{CourseID: courseID, Role: c.Role, Emails: c.Emails, Source: lms.SourcePaste, ConfirmOutside: c.ConfirmOutside}
}

var errNoRows = lms.Invalid("no-rows", "emails", "There is no address in the list. Paste at least one, such as grace@uni.example.")

// checkPeople shows what would become of a list.
func (w *Web) checkPeople(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, pasteLimit)
	if err != nil {
		return err
	}
	return w.checkList(rw, r, v, readCheck(f))
}

func (w *Web) checkList(rw http.ResponseWriter, r *request, v service.CourseView, c checkRequest) error {
	view, err := w.addViewOf(r, v, c.Role)
	if err != nil {
		return err
	}
	return w.showCheck(rw, r, view, c)
}

func (w *Web) showCheck(rw http.ResponseWriter, r *request, view addView, c checkRequest) error {
	if c.Role != "" {
		view.Role = c.Role
	}
	status := http.StatusOK
	if err := w.fillCheck(r, &view, c); err != nil {
		p, s, ok := refusedIn(rw, r, err)
		if !ok {
			return err
		}
		view.Problem, view.Text, status = p, strings.Join(c.Emails, "\n"), s
	}
	if r.enhanced() { // it takes a page of its own
		rw.Header().Set("HX-Retarget", "body")
		rw.Header().Set("HX-Reswap", "outerHTML show:top")
	}
	w.render(rw, r, status, addPage(view))
	return nil
}

// fillCheck parts a list into what is ready and what is to be looked at.
func (w *Web) fillCheck(r *request, view *addView, c checkRequest) error {
	if len(c.Emails) == 0 {
		return errNoRows
	}
	rows, err := w.svc.CheckEnroll(r.Context(), r.caller, c.enroll(view.CourseID))
	if err != nil {
		return err
	}
	check := &listCheck{}
	for _, row := range rows {
		switch {
		case row.Result == service.ResultAlready:
			check.Idle = append(check.Idle, row)
		case row.Result == service.ResultRefused, row.Doubtful() && !slices.Contains(c.Sure, string(row.Email)):
			if row.Reason == "outside-address" {
				view.Outside++
			}
			check.Ask = append(check.Ask, row)
		default:
			check.Ready = append(check.Ready, row)
		}
	}
	if more := len(check.Ask) - askedOnPage; more > 0 {
		for _, row := range check.Ask[askedOnPage:] {
			check.rest = append(check.rest, row.Typed)
		}
		check.Ask, check.MoreAsk = check.Ask[:askedOnPage], more
	}
	view.Check = check
	return nil
}

// addPeople enrolls what is ready in a list, shows what became of each row, and
// asks about the rest.
func (w *Web) addPeople(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, pasteLimit)
	if err != nil {
		return err
	}
	c := readCheck(f)
	view, err := w.addViewOf(r, v, c.Role)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if err := w.enrollReady(r, &view, c); err != nil {
		p, s, ok := refusedIn(rw, r, err)
		if !ok {
			return err
		}
		view.Problem, view.Text, status = p, strings.Join(c.Emails, "\n"), s
	}
	w.render(rw, r, status, addPage(view))
	return nil
}

func (w *Web) enrollReady(r *request, view *addView, c checkRequest) error {
	if err := w.fillCheck(r, view, c); err != nil {
		return err
	}
	ready := c
	ready.Emails = nil
	for _, row := range view.Check.Ready {
		ready.Emails = append(ready.Emails, row.Typed)
	}
	if len(ready.Emails) > 0 {
		rows, err := w.svc.Enroll(r.Context(), r.caller, ready.enroll(view.CourseID))
		if err != nil {
			return err
		}
		view.settle(slices.Concat(rows, view.Check.Idle))
	} else if len(view.Check.Ask) == 0 {
		view.settle(view.Check.Idle)
	}
	view.Check.Ready, view.Check.Idle = nil, nil
	if len(view.Check.Ask) == 0 {
		view.Check = nil
	}
	return nil
}

// settle takes the results into the page.
func (v *addView) settle(rows []service.RowResult) {
	v.Results = rows
	counts := map[service.EnrollResult]int{}
	for _, row := range rows {
		counts[row.Result]++
	}
	for _, result := range []service.EnrollResult{service.ResultRefused, service.ResultNamed, service.ResultEnrolled, service.ResultAlready} {
		if counts[result] > 0 {
			v.Counts = append(v.Counts, addCount{result, counts[result]})
		}
	}
}

// rowAddress is a row's address as it is stored, or as it was typed when it is
// none.
func rowAddress(r service.RowResult) string {
	if r.Email != "" {
		return r.Email.Display()
	}
	return lms.Clip(r.Typed, 120)
}

// asTyped is what stands in a row's field.
func asTyped(r service.RowResult) string {
	if r.Email != "" {
		return string(r.Email)
	}
	return r.Typed
}
