package web

import (
	"net/http"

	"matricula/internal/lms"
	"matricula/internal/service"
)

var lookRoutes = []route{
	{"GET /courses/{course_id}/people/{user_id}/look", false, (*Web).backToPerson},
	{"POST /courses/{course_id}/people/{user_id}/look", false, (*Web).lookAs},
}

// lookView is a course as somebody else would see it. It holds nothing that can
// be pressed but the pages of that course and the way back.
type lookView struct {
	Shell  shell
	Course courseView
	Person lms.User
	Page   string // a key of lookPages
	Pages  []lookPage
	Rows   []rowView
	More   bool // there are further people
}

// lookPage is a page that the person would have in the course's menu.
type lookPage struct {
	Key   string
	Label lms.Term
}

const (
	lookFront  = "course"
	lookTold   = "announcements"
	lookPeople = "people"
)

func (w *Web) backToPerson(rw http.ResponseWriter, r *request) error {
	course, err := courseID(r)
	if err != nil {
		return err
	}
	id, err := pathID(r, "user_id", "person")
	if err != nil {
		return err
	}
	w.redirect(rw, r, personPath(course, id, ""))
	return nil
}

// lookAs shows the course as the person of the path would see it. It is a POST
// because each look is recorded.
func (w *Web) lookAs(rw http.ResponseWriter, r *request) error {
	course, err := courseID(r)
	if err != nil {
		return err
	}
	id, err := pathID(r, "user_id", "person")
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	p, err := w.svc.PreviewCourse(r.Context(), r.caller, course, id)
	if err != nil {
		return err
	}
	v, err := w.lookOf(r, p, f.text("page"))
	if err != nil {
		return err
	}
	w.render(rw, r, http.StatusOK, lookPageOf(v))
	return nil
}

func (w *Web) lookOf(r *request, p service.Preview, page string) (v lookView, err error) {
	s := w.shell(r, r.words.T("%s as %s sees it", p.View.Course.Title, callName(r.words, &p.Member.User)))
	inner := s
	inner.Course = &p.View
	v = lookView{Shell: s, Course: frontOf(r, p.View, inner), Person: p.Member.User, Page: lookFront, Pages: []lookPage{{lookFront, "Overview"}, {lookTold, "Announcements"}}}
	v.Course.Look = true
	if v.Course.Term, err = w.termOf(r, &p.View.Course); err != nil {
		return v, err
	}
	if v.Course.Told, err = w.announcementLines(p.View, p.Announcements.Announcements, 3); err != nil {
		return v, err
	}
	for i := range v.Course.Told {
		v.Course.Told[i].Plain = true
	}
	if page == lookTold {
		v.Page = lookTold
	}
	if p.Counts == nil {
		return v, nil
	}
	v.Course.People = peopleInShort(r.words, p.Counts.All, p.Counts.Pending)
	v.Pages = append(v.Pages, lookPage{lookPeople, "People"})
	if page != lookPeople {
		return v, nil
	}
	v.Page = lookPeople
	for _, person := range p.People {
		v.Rows = append(v.Rows, rowView{CourseID: p.View.Course.ID, Member: person.Member, You: person.User.ID == p.Member.User.ID})
	}
	v.More = p.Counts.All > int64(len(p.People))
	return v, nil
}
