package web

import (
	"net/http"
	"strings"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// addView is the form for a pasted list, and what became of the last one.
type addView struct {
	Shell    shell
	CourseID int64
	Text     string
	Role     string
	Roles    []roleChoice
	Problem  problem
	Outside  int // rows that need a confirmation that somebody outside is meant
	Results  []addResult
	Counts   []addCount
	Mail     bool
}

// addResult is what became of one row.
type addResult struct {
	service.RowResult
	Row int // from 1
}

// addCount is how many rows had one result.
type addCount struct {
	Result service.EnrollResult
	N      int
}

// resultLabels say in words what became of a row.
var resultLabels = map[service.EnrollResult]string{
	service.ResultEnrolled: "Added",
	service.ResultNamed:    "Added, has not signed in yet",
	service.ResultAlready:  "Nothing to do",
	service.ResultRefused:  "Not added",
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
	view := addView{Shell: w.courseShell(r, v, "Add people", "people"), CourseID: v.Course.ID, Role: role, Mail: w.opts.MailEnabled}
	if err := access.Decide(r.caller, access.EnrollmentAdd, standing(v)); err != nil {
		return view, err
	}
	var err error
	view.Roles, err = w.rolesToGive(r, v, &lms.Member{})
	return view, err
}

// addPeople enrolls a pasted list and shows what became of each row. Rows that
// were refused stand in the form again, to be corrected there.
func (w *Web) addPeople(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, pasteLimit)
	if err != nil {
		return err
	}
	role, text := f.text("role"), f.text("emails")
	emails := lms.SplitEmails(text)
	rows, err := w.enrollList(r, v, role, emails, f.flag("confirm_outside"))
	view, viewErr := w.addViewOf(r, v, role)
	if viewErr != nil {
		if err == nil {
			err = viewErr
		}
		return err
	}
	status := http.StatusOK
	if err != nil {
		p, s, ok := asProblem(r.words, err)
		if !ok {
			return err
		}
		view.Problem, view.Text, status = p, text, s
	} else {
		view.settle(rows)
	}
	w.render(rw, r, status, addPage(view))
	return nil
}

func (w *Web) enrollList(r *request, v service.CourseView, role string, emails []string, confirmOutside bool) ([]service.RowResult, error) {
	if len(emails) == 0 {
		return nil, lms.Invalid("no-rows", "emails", "There is no address in the list. Paste at least one, such as grace@uni.example.")
	}
	return w.svc.Enroll(r.Context(), r.caller, service.EnrollRequest{
		CourseID: v.Course.ID, Role: role, Emails: emails, Source: lms.SourcePaste, ConfirmOutside: confirmOutside,
	})
}

// settle takes the results into the page.
func (v *addView) settle(rows []service.RowResult) {
	var again []string
	counts := map[service.EnrollResult]int{}
	for i, row := range rows {
		v.Results = append(v.Results, addResult{row, i + 1})
		counts[row.Result]++
		if row.Result == service.ResultRefused {
			again = append(again, row.Typed)
			if row.Reason == "outside-address" {
				v.Outside++
			}
		}
	}
	for _, result := range []service.EnrollResult{service.ResultRefused, service.ResultNamed, service.ResultEnrolled, service.ResultAlready} {
		if counts[result] > 0 {
			v.Counts = append(v.Counts, addCount{result, counts[result]})
		}
	}
	v.Text = strings.Join(again, "\n")
}

// refused tells how many rows were refused.
func (v addView) refused() int {
	for _, c := range v.Counts {
		if c.Result == service.ResultRefused {
			return c.N
		}
	}
	return 0
}

// rowAddress is a row's address as it is stored, or as it was typed when it is
// none.
func rowAddress(r addResult) string {
	if r.Email != "" {
		return r.Email.Display()
	}
	return lms.Clip(r.Typed, 120)
}
