package web

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"matricula/internal/access"
	"matricula/internal/lang"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// peopleOnPage is how many people a page lists.
const peopleOnPage = 40

// peopleView is the table of a course's people, with what stands around it.
type peopleView struct {
	Shell     shell
	Search    peopleSearch
	Counts    []peopleCount
	Roles     []service.RoleOf
	Sections  []service.SectionOf
	Rows      []rowView
	Next      string // where the list goes on; empty at its end
	MayAdd    bool
	MayReview bool
	Claims    int64 // requests from other accounts that wait for a decision
	MayEdit   bool  // at least one switch on this page can be used
	Add       addBoxView
	Problem   problem
	Many      *manyView // what became of those who were just changed together
	Give      []roleChoice
	Switch    []lms.PrivilegeInfo // that the reader may switch for several at once
	CourseID  int64
}

// mayMany tells whether several people can be changed at once.
func (v peopleView) mayMany() bool { return len(v.Give) > 0 || len(v.Switch) > 0 }

// peopleSearch is what was asked for, as typed.
type peopleSearch struct {
	Text    string
	Show    string // a key of peopleGroups
	Role    string // a role's key; empty: any
	Section string // the id of a section, or of service.NoSection; empty: any
	May     string // a privilege; empty: any
	Sort    string // a key of peopleSorts, after a minus sign for the reverse
	After   string // see cursor
}

// narrowed tells whether the table shows less than everybody.
func (s peopleSearch) narrowed() bool {
	return strings.TrimSpace(s.Text) != "" || s.Show != showAll || s.Role != "" || s.Section != "" || s.May != ""
}

// The groups of people that the table can show.
const (
	showAll      = "all"
	showStaff    = "staff"
	showStudents = "students"
	showPending  = "pending"
)

// sortName is the order that nobody needs to ask for.
const sortName = "name"

// peopleSorts are the orders of the table, numbered as the service's
// RosterRequest has them. The type is the store's, which this package does not
// name.
var peopleSorts = []struct {
	Key   string
	Label lms.Term
}{{sortName, "Person"}, {"role", "Role"}, {"added", "Added"}, {"arrival", "First sign-in"}}

// peopleCount is one group with its size.
type peopleCount struct {
	Show  string
	Label lms.Term
	N     int64
}

// rowView is one person in the table.
type rowView struct {
	CourseID int64
	Member   lms.Member
	Switches []switchView
	Editable bool
	Pickable bool // may be changed together with others
	You      bool
	Now      time.Time
	Saved    string // what was just saved
	Toast    lms.Text
	Undo     string  // see writeUndo; empty when there is nothing to undo
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

// switchedOn names the switches that are on as the row is shown.
func (v rowView) switchedOn() string {
	var names []string
	for _, s := range v.Switches {
		if s.On && !s.Locked {
			names = append(names, string(s.Privilege))
		}
	}
	return strings.Join(names, " ")
}

func (v rowView) rowID() string { return "p" + num(v.Member.User.ID) }

// nameID is the element that names the person.
func (v rowView) nameID() string { return "n" + num(v.Member.User.ID) }

// rowFrom tells the server of which table a row is: one with or without a
// column in which people are selected.
func rowFrom(picks bool) string {
	if picks {
		return "picks"
	}
	return "table"
}

// holding counts what is switched on.
func (v rowView) holding() int {
	n := 0
	for _, s := range v.Switches {
		if s.On {
			n++
		}
	}
	return n
}

// rowOf makes the row of a member as the caller may see and change it.
func (w *Web) rowOf(r *request, v service.CourseView, m lms.Member) rowView {
	row := rowView{Now: w.opts.Now(), CourseID: v.Course.ID, Member: m, You: m.User.ID == r.caller.UserID, Editable: maySwitch(r, v, &m)}
	d := access.DelegatorOf(r.caller, standing(v))
	row.Pickable = may(r, access.EnrollmentChange, v) && d.MayTouch(&m) == nil
	effective := m.Effective()
	for i, info := range lms.Privileges() {
		row.Switches = append(row.Switches, switchView{
			ID:        fmt.Sprintf("s%d.%d", m.User.ID, i),
			Privilege: info.Privilege, Label: info.Label, On: effective.Has(info.Privilege),
			Locked: !row.Editable || !d.Holds.Has(info.Privilege),
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
	return w.showPeople(rw, r, peopleSearch{Show: showAll, Sort: sortName}, nil)
}

func (w *Web) searchPeople(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	return w.showPeople(rw, r, readPeopleSearch(f), nil)
}

// readPeopleSearch reads what the table is asked to show. What no control of
// ours sends is as if nothing had been sent.
func readPeopleSearch(f form) peopleSearch {
	s := peopleSearch{Text: f.text("search"), Show: f.text("show"), Role: f.text("in_role"), Section: f.text("in_section"), May: f.text("may"), Sort: f.text("sort"), After: f.text("after")}
	if order := f.text("order"); order != "" { // a heading was pressed
		s.Sort, s.After = order, ""
	}
	switch s.Show {
	case showAll, showStaff, showStudents, showPending:
	default:
		s.Show = showAll
	}
	if _, ok := lms.Privilege(s.May).Info(); !ok {
		s.May = ""
	}
	if id, err := strconv.ParseInt(s.Section, 10, 64); err != nil || id < service.NoSection || id == 0 {
		s.Section = ""
	}
	if _, ok := sortOf(s.Sort); !ok {
		s.Sort = sortName
	}
	return s
}

// sortOf finds the place of an order in peopleSorts.
func sortOf(sort string) (i int, ok bool) {
	key := strings.TrimPrefix(sort, "-")
	i = slices.IndexFunc(peopleSorts, func(s struct {
		Key   string
		Label lms.Term
	},
	) bool {
		return s.Key == key
	})
	return i, i >= 0
}

// ariaSort says how a column is ordered, in the words of ARIA.
func (s peopleSearch) ariaSort(key string) string {
	switch s.Sort {
	case key:
		return "ascending"
	case "-" + key:
		return "descending"
	}
	return "none"
}

// press is the order that pressing a heading asks for.
func (s peopleSearch) press(key string) string {
	if s.Sort == key {
		return "-" + key
	}
	return key
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

// showPeople shows the table, below what became of a change of many, if there
// was one.
func (w *Web) showPeople(rw http.ResponseWriter, r *request, s peopleSearch, many *manyView) error {
	id, err := courseID(r)
	if err != nil {
		return err
	}
	p, err := w.svc.CoursePeople(r.Context(), r.caller, s.request(id))
	if err != nil {
		return err
	}
	view, status := w.peopleOf(r, p, s)
	if view.MayAdd && !r.enhanced() {
		claims, err := w.svc.CountClaimsIn(r.Context(), r.caller, []service.CourseView{p.Course})
		if err != nil {
			return err
		}
		view.Claims = claims[id]
	}
	if view.Many = many; many != nil && many.Problem.Message != "" {
		status = many.Status
	}
	if r.enhanced() {
		w.renderPart(rw, r, status, peoplePart(view))
		return nil
	}
	w.render(rw, r, status, peoplePage(view))
	return nil
}

func (w *Web) peopleOf(r *request, p service.CoursePeople, s peopleSearch) (peopleView, int) {
	v, counts := p.Course, p.Counts
	view := peopleView{
		Shell: w.courseShell(r, v, r.words.T("People"), "people"), Search: s, CourseID: v.Course.ID, MayAdd: may(r, access.EnrollmentAdd, v), MayReview: may(r, access.GrantReview, v),
		Add: addBoxView{CourseID: v.Course.ID}, Roles: p.Roles, Sections: p.Sections,
		Counts: []peopleCount{
			{showAll, "Everyone", counts.All},
			{showStaff, "Staff", counts.Staff},
			{showStudents, "Students", counts.All - counts.Staff},
			{showPending, "Not here yet", counts.Pending},
		},
	}
	view.Give, view.Switch = offeredForMany(r, v, p.Roles)
	if p.Refused != nil {
		var status int
		view.Problem, status, _ = asProblem(r.words, p.Refused)
		return view, status
	}
	for _, person := range p.Roster.People {
		row := w.rowOf(r, v, person.Member)
		view.MayEdit = view.MayEdit || row.Editable
		view.Rows = append(view.Rows, row)
	}
	if n := len(p.Roster.People); p.Roster.More && n > 0 {
		view.Next = writeCursor(p.Roster.People[n-1].Cursor)
	}
	return view, http.StatusOK
}

// request is the search in the words of the service.
func (s peopleSearch) request(courseID int64) service.RosterRequest {
	r := service.RosterRequest{CourseID: courseID, Search: s.Text, Role: s.Role, May: lms.Privilege(s.May), Limit: peopleOnPage, After: readCursor(s.After)}
	if id, err := strconv.ParseInt(s.Section, 10, 64); err == nil {
		r.Section = id
	}
	switch s.Show {
	case showStaff:
		r.Group = 1
	case showStudents:
		r.Group = 2
	case showPending:
		r.Status = lms.StatusPending
	}
	if i, ok := sortOf(s.Sort); ok {
		r.SetOrder(i, strings.HasPrefix(s.Sort, "-"))
	}
	return r
}

// A cursor is where a list of people is continued. It holds a name and an
// address, so it travels in forms only, and in no readable form lest somebody
// take it for a place to put an address.

func writeCursor(c service.RosterCursor) string {
	b, err := json.Marshal(c)
	if err != nil {
		return "" // cannot happen: numbers, times and text
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// readCursor reads a cursor; what is none means the beginning.
func readCursor(s string) (c service.RosterCursor) {
	if len(s) > 8<<10 {
		return c
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || json.Unmarshal(b, &c) != nil || c.UserID < 0 || strings.ContainsRune(c.SortKey, 0) {
		return service.RosterCursor{}
	}
	return c
}

// nothingFound says in words that the table is empty, and why.
func (v peopleView) nothingFound(p *lang.Printer) string {
	text := lms.Clip(strings.TrimSpace(v.Search.Text), 60)
	switch {
	case text != "" && (v.Search.Role != "" || v.Search.Section != "" || v.Search.May != "" || v.Search.Show != showAll):
		return p.T("Nobody in this course matches “%s” and the other filters.", text)
	case text != "":
		return p.T("Nobody in this course matches “%s”.", text)
	case v.Search.Role != "" || v.Search.Section != "" || v.Search.May != "":
		return p.T("Nobody in this course matches these filters.")
	case v.Search.Show == showStaff:
		return p.T("There is no staff in this course yet.")
	case v.Search.Show == showStudents:
		return p.T("There are no students in this course yet.")
	case v.Search.Show == showPending:
		return p.T("Everybody has signed in at least once.")
	}
	return p.T("There is nobody in this course yet.")
}

// spoken is what a screen reader is told of a row that was just sent.
func (v rowView) spoken(p *lang.Printer) string {
	name := callName(p, &v.Member.User)
	if v.Problem.Message != "" {
		return p.T("Not saved for %s. %s", name, v.Problem.Message)
	}
	return p.T("%s for %s.", v.Saved, name)
}
