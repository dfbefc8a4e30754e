package web

import (
	"net/http"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/sheet"
)

const (
	pastOnPage = 50
	goneShown  = 200 // the API has the others
)

var pastRoutes = []route{
	{"GET /courses/{course_id}/people/left", false, (*Web).pastPeople},
	{"POST /courses/{course_id}/people/left", false, (*Web).pastCSV},
	{"POST /courses/{course_id}/people/{user_id}/back", false, (*Web).takeBack},
}

// pastView is who was in a course.
type pastView struct {
	Shell   shell
	People  []lms.PastPlace
	Next    int64
	Later   bool
	MayBack bool
	Gone    []lms.GonePlace // who never came
	GoneAll bool            // there are no more of them
}

// path is the address of the page that begins after an id.
func (v pastView) path(before int64) string {
	path := coursePath(v.Shell.Course.Course.ID, "/people/left")
	if before > 0 {
		path = olderPage(path, before)
	}
	return path
}

func (w *Web) pastPeople(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	from, err := before(r)
	if err != nil {
		return err
	}
	page, err := w.svc.PastPeople(r.Context(), r.caller, v.Course.ID, from, pastOnPage)
	if err != nil {
		return err
	}
	gone, err := w.svc.GonePeople(r.Context(), r.caller, v.Course.ID, 0, goneShown)
	if err != nil {
		return err
	}
	w.render(rw, r, http.StatusOK, pastPage(pastView{
		Shell: w.courseShell(r, v, r.words.T("Who has left"), "people"), People: page.People, Next: page.Next, Later: from > 0,
		MayBack: may(r, access.EnrollmentRestore, v), Gone: gone.Places, GoneAll: gone.Next == 0,
	}))
	return nil
}

func (w *Web) takeBack(rw http.ResponseWriter, r *request) error {
	course, err := courseID(r)
	if err != nil {
		return err
	}
	id, err := pathID(r, "user_id", "person")
	if err != nil {
		return err
	}
	if _, err := readForm(rw, r, formLimit); err != nil {
		return err
	}
	if _, err := w.svc.RestorePlace(r.Context(), r.caller, course, id); err != nil {
		return err
	}
	return w.done(rw, r, personPath(course, id, ""), "back")
}

// pastCSV is everybody who was in the course.
func (w *Web) pastCSV(rw http.ResponseWriter, r *request) error {
	course, err := courseID(r)
	if err != nil {
		return err
	}
	if _, err := readForm(rw, r, formLimit); err != nil {
		return err
	}
	return w.download(rw, r, "left.csv", func(s *sheet.Writer) error {
		head := headOnce(s, r.words, []lms.Term{"E-mail address", "Given name", "Family name", "Role", "Privileges", "Added", "Left", "In the course again"})
		err := w.svc.ExportPast(r.Context(), r.caller, course, func(p *lms.PastPlace) error {
			if err := head(); err != nil {
				return err
			}
			given, family := cellNames(&p.User)
			back := ""
			if p.Back {
				back = r.words.T("yes")
			}
			return s.Row(string(p.User.Email), given, family, p.Role.Key, cellPrivileges(p.Allow), w.cellTime(p.Began), w.cellTime(p.Ended), back)
		})
		if err != nil {
			return err
		}
		return head()
	})
}

// leftHow says how a past place ended, for the story of a person.
func leftHow(p *lms.PastPlace) lms.Text {
	if p.EndedBy == p.User.ID {
		return lms.Say("Left by themselves")
	}
	return lms.Say("Was removed")
}
