package web

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// peopleOnPage is how many people a page lists.
const peopleOnPage = 50

// peopleView is the table of a course's people, with what stands around it.
type peopleView struct {
	Shell    shell
	Search   peopleSearch
	Counts   []peopleCount
	Rows     []rowView
	Next     string // where the list goes on; empty at its end
	MayAdd   bool
	MayEdit  bool // at least one switch on this page can be used
	Find     findView
	Known    []lms.User // who matches the search, may be found by the caller, and is not in the course
	Problem  problem
	CourseID int64
}

// knownAtMost bounds the people from outside the course that a search shows:
// it is a help to find a colleague, not a list.
const knownAtMost = 8

// peopleSearch is what was asked for, as typed.
type peopleSearch struct {
	Text  string
	Show  string // a key of peopleGroups
	After string // see cursor
}

// narrowed tells whether the table shows less than everybody.
func (s peopleSearch) narrowed() bool { return strings.TrimSpace(s.Text) != "" || s.Show != showAll }

// The groups of people that the table can show.
const (
	showAll      = "all"
	showStaff    = "staff"
	showStudents = "students"
	showPending  = "pending"
)

// peopleCount is one group with its size.
type peopleCount struct {
	Show  string
	Label string
	N     int64
}

// rowView is one person in the table.
type rowView struct {
	CourseID int64
	Member   lms.Member
	Switches []switchView
	Editable bool
	You      bool
	Saved    string  // what was just saved
	Problem  problem // why it was not
}

// switchView is one privilege of one person.
type switchView struct {
	ID        string // of the element, by which the focus stays where it was; empty where nothing is replaced
	Privilege lms.Privilege
	Label     lms.Term
	On        bool
	Locked    bool // the reader cannot change it
}

// formID joins the switches of a row, which lie in cells, to their form.
func (v rowView) formID() string { return "f" + num(v.Member.User.ID) }

func (v rowView) rowID() string { return "p" + num(v.Member.User.ID) }

// rowOf makes the row of a member as the caller may see and change it.
func rowOf(r *request, v service.CourseView, m lms.Member) rowView {
	row := rowView{CourseID: v.Course.ID, Member: m, You: m.User.ID == r.caller.UserID, Editable: maySwitch(r, v, &m)}
	holds := access.DelegatorOf(r.caller, standing(v)).Holds
	effective := m.Effective()
	for i, info := range lms.Privileges() {
		row.Switches = append(row.Switches, switchView{
			ID:        fmt.Sprintf("s%d.%d", m.User.ID, i),
			Privilege: info.Privilege, Label: info.Label, On: effective.Has(info.Privilege),
			Locked: !row.Editable || !holds.Has(info.Privilege),
		})
	}
	return row
}

// maySwitch tells whether the caller may set what the member may do. An owner
// holds everything whatever the switches say.
func maySwitch(r *request, v service.CourseView, m *lms.Member) bool {
	if !may(r, access.PrivilegesSet, v) || (m.Enrollment != nil && m.Enrollment.Role.Owner()) {
		return false
	}
	d := access.DelegatorOf(r.caller, standing(v))
	return d.MayTouch(m) == nil
}

func (w *Web) people(rw http.ResponseWriter, r *request) error {
	return w.showPeople(rw, r, peopleSearch{Show: showAll})
}

func (w *Web) searchPeople(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	s := peopleSearch{Text: f.text("search"), Show: f.text("show"), After: f.text("after")}
	switch s.Show {
	case showAll, showStaff, showStudents, showPending:
	default:
		s.Show = showAll
	}
	return w.showPeople(rw, r, s)
}

// backToPeople is where the address of a form leads when it is opened as a page.
func (w *Web) backToPeople(rw http.ResponseWriter, r *request) error {
	id, err := courseID(r)
	if err != nil {
		return err
	}
	w.redirect(rw, r, coursePath(id, "/people"))
	return nil
}

func (w *Web) showPeople(rw http.ResponseWriter, r *request, s peopleSearch) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	view, status, err := w.peopleOf(r, v, s)
	if err != nil {
		return err
	}
	if r.enhanced() {
		w.renderPart(rw, r, status, peopleResults(view))
		return nil
	}
	w.render(rw, r, status, peoplePage(view))
	return nil
}

func (w *Web) peopleOf(r *request, v service.CourseView, s peopleSearch) (peopleView, int, error) {
	view := peopleView{
		Shell: w.courseShell(r, v, "People", "people"), Search: s, CourseID: v.Course.ID, MayAdd: may(r, access.EnrollmentAdd, v),
		Find: findView{CourseID: v.Course.ID},
	}
	counts, err := w.svc.RosterCounts(r.Context(), r.caller, v.Course.ID)
	if err != nil {
		return view, 0, err
	}
	view.Counts = []peopleCount{
		{showAll, "Everyone", counts.All},
		{showStaff, "Staff", counts.Staff},
		{showStudents, "Students", counts.All - counts.Staff},
		{showPending, "Not here yet", counts.Pending},
	}
	request := service.RosterRequest{CourseID: v.Course.ID, Search: s.Text, Limit: peopleOnPage}
	switch s.Show {
	case showStaff:
		request.Group = 1
	case showStudents:
		request.Group = 2
	case showPending:
		request.Status = lms.StatusPending
	}
	request.After.SortKey, request.After.UserID = readCursor(s.After)
	page, err := w.svc.Roster(r.Context(), r.caller, request)
	if err != nil {
		p, status, ok := asProblem(r.words, err)
		if !ok || lms.CodeOf(err) == lms.CodeForbidden {
			return view, 0, err
		}
		view.Problem = p
		return view, status, nil
	}
	for _, person := range page.People {
		row := rowOf(r, v, person.Member)
		view.MayEdit = view.MayEdit || row.Editable
		view.Rows = append(view.Rows, row)
	}
	if view.MayAdd && s.After == "" {
		if view.Known, err = w.knownElsewhere(r, v, s.Text); err != nil {
			return view, 0, err
		}
	}
	if n := len(page.People); page.More && n > 0 {
		last := page.People[n-1].Cursor
		view.Next = writeCursor(last.SortKey, last.UserID)
	}
	return view, http.StatusOK, nil
}

// knownElsewhere finds people of the school by a part of their name, as far as
// the directory shows them to the caller.
func (w *Web) knownElsewhere(r *request, v service.CourseView, text string) ([]lms.User, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	page, err := w.svc.Directory(r.Context(), r.caller, service.DirectoryRequest{Search: text, CourseID: v.Course.ID, Limit: peopleOnPage})
	if lms.CodeOf(err) == lms.CodeInvalid {
		return nil, nil // too short to look beyond the course
	}
	if err != nil {
		return nil, err
	}
	var known []lms.User
	for _, m := range page.Members {
		if m.Enrollment != nil || m.Grant != nil || m.User.Email == "" || m.User.ID == r.caller.UserID || len(known) == knownAtMost {
			continue
		}
		known = append(known, m.User)
	}
	return known, nil
}

// A cursor is where a list of people is continued. It holds a name and an
// address, so it travels in forms only, and in no readable form lest somebody
// take it for a place to put an address.

func writeCursor(key string, id int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte(num(id) + ":" + key))
}

// readCursor reads a cursor; what is none means the beginning.
func readCursor(s string) (key string, id int64) {
	if len(s) > 8<<10 {
		return "", 0
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || !utf8.Valid(b) || strings.ContainsRune(string(b), 0) {
		return "", 0
	}
	first, key, found := strings.Cut(string(b), ":")
	id, err = strconv.ParseInt(first, 10, 64)
	if !found || err != nil || id < 0 {
		return "", 0
	}
	return key, id
}

// nothingFound says in words that the table is empty, and why.
func (v peopleView) nothingFound() string {
	text := lms.Clip(strings.TrimSpace(v.Search.Text), 60)
	switch {
	case text != "":
		return "Nobody in this course matches “" + text + "”."
	case v.Search.Show == showStaff:
		return "There is no staff in this course yet."
	case v.Search.Show == showStudents:
		return "There are no students in this course yet."
	case v.Search.Show == showPending:
		return "Everybody has signed in at least once."
	}
	return "There is nobody in this course yet."
}

// spoken is what a screen reader is told of a row that was just sent.
func (v rowView) spoken() string {
	name := callName(&v.Member.User)
	if v.Problem.Message != "" {
		return "Not saved for " + name + ". " + v.Problem.Message
	}
	return v.Saved + " for " + name + "."
}
