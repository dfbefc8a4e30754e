package web

import (
	"net/http"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// homeView is the page with which everybody begins: their courses, what these
// were told lately and, for administrators, how the site stands.
type homeView struct {
	Shell     shell
	Current   []homeCourse
	Earlier   []homeCourse // whose term is over
	Past      []homeCourse // archived
	Told      []toldLine
	Site      *siteCounts
	MayCreate bool
	Next      int64
	Later     bool // not the first page
}

// homeCourse is a course of the reader's.
type homeCourse struct {
	service.CourseView
	Term    string // with its days; empty when none was chosen
	People  int64  // 0 for who may not see the roster
	Missing int64  // of them, who has not arrived
	Told    bool   // whether anything is known about its people
	Claims  int64  // people who say that they are one of those who have not arrived
}

// toldLine is an announcement of one of the reader's courses.
type toldLine struct {
	lms.Announcement
	Course string
}

// siteCounts is what administrators see at a glance.
type siteCounts struct{ People, Missing, Suspended, Orphaned, Erasures, Claims int64 }

func (w *Web) home(rw http.ResponseWriter, r *request) error {
	from, err := before(r)
	if err != nil {
		return err
	}
	page, err := w.svc.Courses(r.Context(), r.caller, service.CoursesRequest{Before: from, Limit: coursesOnPage})
	if err != nil {
		return err
	}
	h, err := w.svc.Home(r.Context(), r.caller, page.Courses)
	if err != nil {
		return err
	}
	v := homeView{
		Shell: w.shell(r, r.words.T("My courses")), Next: page.Next, Later: from > 0,
		MayCreate: access.Decide(r.caller, access.CourseCreate, nil) == nil,
	}
	v.Shell.Section = "home"
	terms, err := w.termsByID(r, page.Courses)
	if err != nil {
		return err
	}
	claims, err := w.svc.CountClaimsIn(r.Context(), r.caller, page.Courses)
	if err != nil {
		return err
	}
	titles := map[int64]string{}
	for _, c := range page.Courses {
		titles[c.Course.ID] = c.Course.Title
		line := homeCourse{CourseView: c, Claims: claims[c.Course.ID]}
		if n, ok := h.Counts[c.Course.ID]; ok {
			line.People, line.Missing, line.Told = n.All, n.Pending, true
		}
		term, dates := terms[c.Course.TermID]
		if dates {
			line.Term = dated(r.words, &term)
		}
		switch {
		case c.Course.Archived():
			v.Past = append(v.Past, line)
		case dates && term.Past(w.today()):
			v.Earlier = append(v.Earlier, line)
		default:
			v.Current = append(v.Current, line)
		}
	}
	for _, a := range h.Told {
		v.Told = append(v.Told, toldLine{a, titles[a.CourseID]})
	}
	if s := h.Site; s != nil {
		v.Site = &siteCounts{People: s.Active + s.Pending, Missing: s.Pending, Suspended: s.Suspended, Orphaned: s.Orphaned, Erasures: s.Erasures}
		if v.Site.Claims, err = w.svc.CountClaims(r.Context(), r.caller); err != nil {
			return err
		}
	}
	w.render(rw, r, http.StatusOK, homePage(v))
	return nil
}

// ownsIt tells whether the reader owns a course, so that there is no need to say
// what they may do in it.
func ownsIt(v service.CourseView) bool {
	return v.Member.Enrollment != nil && v.Member.Enrollment.Role.Owner()
}
