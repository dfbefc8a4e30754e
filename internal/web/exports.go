package web

import (
	"net/http"
	"strings"
	"time"

	"matricula/internal/lang"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/sheet"
)

var exportRoutes = []route{
	{"POST /courses/{course_id}/people/csv", false, (*Web).peopleCSV},
	{"POST /admin/people/csv", false, (*Web).adminPeopleCSV},
	{"POST /admin/courses/csv", false, (*Web).adminCoursesCSV},
}

// headOnce writes the headings of a table before its first row, so that a
// refusal can still be shown as a page.
func headOnce(s *sheet.Writer, p *lang.Printer, headings []lms.Term) func() error {
	done := false
	return func() error {
		if done {
			return nil
		}
		done = true
		cells := make([]string, len(headings))
		for i, h := range headings {
			cells[i] = p.Term(h)
		}
		return s.Row(cells...)
	}
}

// cellTime is a time in a cell: one that spreadsheets know, in the zone of the
// site. The zero time is an empty cell.
func (w *Web) cellTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(w.opts.Zone).Format("2006-01-02 15:04:05")
}

// peopleCSV is the table of people as it is filtered and sorted.
func (w *Web) peopleCSV(rw http.ResponseWriter, r *request) error {
	id, err := courseID(r)
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	search := readPeopleSearch(f)
	search.After = ""
	return w.rosterCSV(rw, r, "people.csv", search.request(id))
}

// rosterCSV is a table of a course's people in the shape that a class list has, so
// that it can be brought into a course: roles and privileges are called as
// programs call them, and days have their year first. What stands under "May do"
// and behind it is for people alone.
func (w *Web) rosterCSV(rw http.ResponseWriter, r *request, name string, q service.RosterRequest) error {
	return w.download(rw, r, name, func(s *sheet.Writer) error {
		head := headOnce(s, r.words, []lms.Term{"E-mail address", "Given name", "Family name", "Role", "Section", "Student number", "From", "Until", "Privileges", "May do", "Status", "Added", "First signed in"})
		err := w.svc.ExportRoster(r.Context(), r.caller, q, func(m *lms.Member) error {
			if err := head(); err != nil {
				return err
			}
			var e lms.Enrollment
			if m.Enrollment != nil {
				e = *m.Enrollment
			}
			allow := lms.PrivilegeSet(0)
			if m.Grant != nil {
				allow = m.Grant.Allow
			}
			begins, ends := w.svc.Days(&e)
			given, family := cellNames(&m.User)
			return s.Row(string(m.User.Email), given, family, e.Role.Key, e.Section, e.Number, string(begins), string(ends), cellPrivileges(allow), cellPrivileges(m.Effective()),
				string(m.User.Status), w.cellTime(addedAt(m)), w.cellTime(m.User.ClaimedAt))
		})
		if err != nil {
			return err
		}
		return head()
	})
}

// cellNames are the names of somebody; who has only a full name has it as the
// family name.
func cellNames(u *lms.User) (given, family string) {
	switch {
	case u.Status == lms.StatusErased:
		return "", u.DisplayName()
	case u.GivenName == "" && u.FamilyName == "":
		return "", u.Name
	}
	return u.GivenName, u.FamilyName
}

func cellPrivileges(set lms.PrivilegeSet) string {
	names := make([]string, 0, len(lms.Privileges()))
	for _, p := range set.List() {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}

func (w *Web) adminPeopleCSV(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	return w.directoryCSV(rw, r, directoryRequest(f))
}

func (w *Web) directoryCSV(rw http.ResponseWriter, r *request, q service.DirectoryRequest) error {
	return w.download(rw, r, "people.csv", func(s *sheet.Writer) error {
		head := headOnce(s, r.words, []lms.Term{"E-mail address", "Given name", "Family name", "Role on the site", "Status", "Named", "First signed in", "Last seen"})
		err := w.svc.ExportDirectory(r.Context(), r.caller, q, func(u *lms.User) error {
			if err := head(); err != nil {
				return err
			}
			given, family := cellNames(u)
			return s.Row(string(u.Email), given, family, string(u.SiteRole), string(u.Status), w.cellTime(u.CreatedAt), w.cellTime(u.ClaimedAt), w.cellTime(u.LastSeenAt))
		})
		if err != nil {
			return err
		}
		return head()
	})
}

func (w *Web) adminCoursesCSV(rw http.ResponseWriter, r *request) error {
	if _, err := readForm(rw, r, formLimit); err != nil {
		return err
	}
	terms := map[int64]string{}
	list, err := w.svc.Terms(r.Context(), r.caller, 0)
	if err != nil {
		return err
	}
	for _, t := range list {
		terms[t.ID] = t.Name
	}
	return w.download(rw, r, "courses.csv", func(s *sheet.Writer) error {
		head := headOnce(s, r.words, []lms.Term{"Number", "Title", "Code", "Description", "Term", "Made", "Archived"})
		err := w.svc.ExportCourses(r.Context(), r.caller, func(v *service.CourseView) error {
			if err := head(); err != nil {
				return err
			}
			c := &v.Course
			return s.Row(num(c.ID), c.Title, c.Code, c.Description, terms[c.TermID], w.cellTime(c.CreatedAt), w.cellTime(c.ArchivedAt))
		})
		if err != nil {
			return err
		}
		return head()
	})
}
