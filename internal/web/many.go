package web

import (
	"net/http"
	"strconv"
	"strings"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// manyView is what became of several people who were changed together, or of
// what was undone.
type manyView struct {
	Changed int
	Already int
	Left    []service.PlaceResult // who was left as they were, and why
	Undo    []string              // see writeUndo
	Undone  bool
	Problem problem
	Status  int
}

// offeredForMany is what the reader may do for several people at once: the
// roles that they may give and the privileges that they may switch.
func offeredForMany(r *request, v service.CourseView, roles []service.RoleOf) (give []roleChoice, switches []lms.PrivilegeInfo) {
	if !may(r, access.EnrollmentChange, v) {
		return nil, nil
	}
	d := access.DelegatorOf(r.caller, standing(v))
	for _, ro := range roles {
		if d.MayEnroll(ro.Role) == nil {
			give = append(give, choiceOf(ro.Role))
		}
	}
	if may(r, access.PrivilegesSet, v) {
		for _, info := range lms.Privileges() {
			if d.Holds.Has(info.Privilege) {
				switches = append(switches, info)
			}
		}
	}
	return give, switches
}

// changeMany changes the selected people and shows the table again.
func (w *Web) changeMany(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	change := service.ManyChange{CourseID: v.Course.ID, UserIDs: selectedIDs(f)}
	switch f.text("do") {
	case "role":
		change.Role = f.text("give")
	case "on":
		change.On = []string{f.text("switch")}
	case "off":
		change.Off = []string{f.text("switch")}
	case "remove":
		change.Remove = true
	}
	results, err := w.svc.ChangeMany(r.Context(), r.caller, change)
	return w.showMany(rw, r, readPeopleSearch(f), results, err, false)
}

// selectedIDs are the people who are marked in a form.
func selectedIDs(f form) (ids []int64) {
	for _, s := range f.list("selected") {
		if id, err := strconv.ParseInt(s, 10, 64); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// undo gives people back what they had before a change.
func (w *Web) undo(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	var changes []service.PlaceChange
	for _, s := range f.list("undo") {
		if c, ok := readUndo(s); ok {
			changes = append(changes, c)
		}
	}
	results, err := w.svc.RestorePlaces(r.Context(), r.caller, v.Course.ID, changes)
	return w.showMany(rw, r, readPeopleSearch(f), results, err, true)
}

func (w *Web) showMany(rw http.ResponseWriter, r *request, s peopleSearch, results []service.PlaceResult, cause error, undone bool) error {
	many := &manyView{Undone: undone}
	if cause != nil {
		p, status, ok := refusedIn(rw, r, cause)
		if !ok || lms.CodeOf(cause) == lms.CodeForbidden {
			return cause
		}
		many.Problem, many.Status = p, status
	}
	for _, res := range results {
		switch res.Result {
		case service.ResultChanged:
			many.Changed++
		case service.ResultAlready:
			many.Already++
		default:
			many.Left = append(many.Left, res)
		}
	}
	if !undone {
		for _, c := range service.Undoing(results) {
			many.Undo = append(many.Undo, writeUndo(c))
		}
	}
	return w.showPeople(rw, r, s, many)
}

// An undo is a person with the place that a change gave them and the one that
// they had before: 17|student|audit.view||teacher||course.update. Whoever sends
// one may do no more with it than by any other form.

func writeUndo(c service.PlaceChange) string {
	place := func(p service.Place) string {
		return p.Role + "|" + strings.Join(nameList(p.Allow), ",") + "|" + strings.Join(nameList(p.Deny), ",")
	}
	return num(c.UserID) + "|" + place(c.Was) + "|" + place(c.To)
}

func readUndo(s string) (c service.PlaceChange, ok bool) {
	parts := strings.Split(s, "|")
	if len(parts) != 7 {
		return c, false
	}
	id, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil || id <= 0 {
		return c, false
	}
	place := func(parts []string) service.Place {
		return service.Place{Role: parts[0], Allow: readSet(parts[1]), Deny: readSet(parts[2])}
	}
	return service.PlaceChange{UserID: id, Was: place(parts[1:4]), To: place(parts[4:7])}, true
}

func readSet(s string) lms.PrivilegeSet {
	var names []lms.Privilege
	for _, name := range strings.Split(s, ",") {
		names = append(names, lms.Privilege(name))
	}
	return lms.SetOf(names...)
}
