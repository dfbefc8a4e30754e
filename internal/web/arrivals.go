package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"matricula/internal/access"
	"matricula/internal/lang"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/sheet"
)

const (
	missingOnPage  = 50
	addressesShown = 500 // in the field from which they are copied; the download has all
	daysShown      = 60
)

var arrivalRoutes = []route{
	{"GET /courses/{course_id}/arrivals", false, (*Web).courseArrivals},
	{"POST /courses/{course_id}/arrivals", false, (*Web).courseArrivals},
	{"POST /courses/{course_id}/arrivals/csv", false, (*Web).courseMissingCSV},
	{"POST /courses/{course_id}/arrivals/days", false, (*Web).courseDaysCSV},
	{"GET /admin/arrivals", false, (*Web).siteArrivals},
	{"POST /admin/arrivals", false, (*Web).siteArrivals},
	{"POST /admin/arrivals/csv", false, (*Web).siteMissingCSV},
	{"POST /admin/arrivals/days", false, (*Web).siteDaysCSV},
}

// arrivalsView tells who has arrived, in a course or on the whole site.
type arrivalsView struct {
	Shell     shell
	Path      string
	Course    int64 // 0: the whole site
	Arrivals  service.Arrivals
	Days      []service.ArrivalDay // the last ones, newest first
	Chart     chart
	Missing   []missingLine
	Addresses string // of the missing, a line each
	More      bool   // there are more addresses than that
	Next      string
	Later     bool // not the first page
	Mail      bool // can be sent
	MayTell   bool
	Told      *toldView // what became of telling them; nil when nobody asked for it
	Expiring  []service.ExpiringPerson
	MayRenew  bool
}

// missingLine is somebody who has not arrived.
type missingLine struct {
	User  lms.User
	Role  lms.Text
	Since time.Time
	Path  string
	Told  lms.Text // how they were told; empty when they were not
}

func (w *Web) courseArrivals(rw http.ResponseWriter, r *request) error {
	id, err := courseID(r)
	if err != nil {
		return err
	}
	after, err := w.afterOf(rw, r)
	if err != nil {
		return err
	}
	return w.showCourseArrivals(rw, r, id, after, http.StatusOK, nil)
}

func (w *Web) showCourseArrivals(rw http.ResponseWriter, r *request, id int64, after string, status int, told *toldView) error {
	v, err := w.svc.Course(r.Context(), r.caller, id)
	if err != nil {
		return err
	}
	view := arrivalsView{
		Shell: w.courseShell(r, v, r.words.T("Arrivals"), "people"), Path: coursePath(v.Course.ID, "/arrivals"), Course: v.Course.ID, Later: after != "",
		Mail: w.svc.SendsMail(), MayTell: may(r, access.NoticeSend, v), Told: told,
	}
	q := missingFrom(v.Course.ID)
	q.After, q.Limit = readCursor(after), missingOnPage
	page, err := w.svc.Roster(r.Context(), r.caller, q)
	if err != nil {
		return err
	}
	var ids []int64
	for _, p := range page.People {
		ids = append(ids, p.User.ID)
	}
	states, err := w.svc.NoticeStates(r.Context(), r.caller, v.Course.ID, ids)
	if err != nil {
		return err
	}
	for _, p := range page.People {
		view.Missing = append(view.Missing, missingLine{p.User, p.RoleName(), addedAt(&p.Member), personPath(v.Course.ID, p.User.ID, ""), noticeText(states[p.User.ID])})
	}
	if page.More {
		view.Next = writeCursor(page.People[len(page.People)-1].Cursor)
	}
	q.After, q.Limit = service.RosterCursor{}, addressesShown
	all, err := w.svc.Roster(r.Context(), r.caller, q)
	if err != nil {
		return err
	}
	var addresses []string
	for _, p := range all.People {
		addresses = append(addresses, p.User.Email.Display())
	}
	view.Addresses, view.More = strings.Join(addresses, ",\n"), all.More
	if view.Expiring, err = w.svc.Expiring(r.Context(), r.caller, v.Course.ID); err != nil {
		return err
	}
	view.MayRenew = may(r, access.UserRenew, v)
	return w.showArrivals(rw, r, status, view)
}

// missingFrom asks for those of a course who have not arrived, who waits
// longest first.
func missingFrom(course int64) service.RosterRequest {
	q := service.RosterRequest{CourseID: course, Status: lms.StatusPending}
	i, _ := sortOf("added")
	q.SetOrder(i, false)
	return q
}

// afterOf reads where the list of the missing is continued. It travels in a
// form, since the place in a list of people holds a name.
func (w *Web) afterOf(rw http.ResponseWriter, r *request) (string, error) {
	if r.Method != http.MethodPost {
		return "", nil
	}
	f, err := readForm(rw, r, formLimit)
	return f.text("after"), err
}

func (w *Web) siteArrivals(rw http.ResponseWriter, r *request) error {
	if err := adminOnly(r); err != nil {
		return err
	}
	after, err := w.afterOf(rw, r)
	if err != nil {
		return err
	}
	s := w.shell(r, r.words.T("Arrivals"))
	s.Section = "admin-people"
	view := arrivalsView{Shell: s, Path: "/admin/arrivals", Later: after != ""}
	id, err := strconv.ParseInt(after, 10, 64)
	if err != nil || id < 0 {
		id = 0
	}
	page, err := w.svc.Directory(r.Context(), r.caller, service.DirectoryRequest{Status: lms.StatusPending, After: id, Limit: addressesShown})
	if err != nil {
		return err
	}
	var addresses []string
	for i, m := range page.Members {
		addresses = append(addresses, m.User.Email.Display())
		switch {
		case i < missingOnPage:
			view.Missing = append(view.Missing, missingLine{m.User, lms.Say("%s", siteRoleName(m.User.SiteRole)), m.User.CreatedAt, adminPersonPath(m.User.ID, ""), lms.Text{}})
		case i == missingOnPage:
			view.Next = num(page.Members[i-1].User.ID)
		}
	}
	view.Addresses, view.More = strings.Join(addresses, ",\n"), page.Next != 0
	return w.showArrivals(rw, r, http.StatusOK, view)
}

func (w *Web) showArrivals(rw http.ResponseWriter, r *request, status int, v arrivalsView) error {
	var err error
	if v.Arrivals, err = w.svc.Arrivals(r.Context(), r.caller, v.Course); err != nil {
		return err
	}
	v.Chart = chartOf(r.words, v.Arrivals, w.opts.Now())
	days := v.Arrivals.Days(w.opts.Zone)
	for i := len(days) - 1; i >= 0 && len(v.Days) < daysShown; i-- {
		v.Days = append(v.Days, days[i])
	}
	w.render(rw, r, status, arrivalsPage(v))
	return nil
}

func (w *Web) courseMissingCSV(rw http.ResponseWriter, r *request) error {
	id, err := courseID(r)
	if err != nil {
		return err
	}
	if _, err := readForm(rw, r, formLimit); err != nil {
		return err
	}
	return w.rosterCSV(rw, r, "not-here-yet.csv", missingFrom(id))
}

func (w *Web) siteMissingCSV(rw http.ResponseWriter, r *request) error {
	if _, err := readForm(rw, r, formLimit); err != nil {
		return err
	}
	return w.directoryCSV(rw, r, service.DirectoryRequest{Status: lms.StatusPending})
}

// chart is the drawing of arrivals over time, in the units of its viewBox: two
// areas, those who are expected and, within, those who have arrived.
type chart struct {
	Expected, Arrived string // paths
	Top               string // what the highest line stands for
	From, To          string // the first and the last day
}

const (
	chartWidth  = 720
	chartHeight = 180
)

// chartOf draws the steps until now. A single moment is drawn as if it had
// lasted an hour, so that there is something to see.
func chartOf(p *lang.Printer, a service.Arrivals, now time.Time) chart {
	if len(a.Steps) == 0 {
		return chart{}
	}
	first := a.Steps[0].Hour
	last := now
	if end := first.Add(time.Hour); last.Before(end) {
		last = end
	}
	highest := int64(1)
	for _, s := range a.Steps {
		highest = max(highest, s.Expected)
	}
	x := func(t time.Time) string { return point(float64(t.Sub(first)) / float64(last.Sub(first)) * chartWidth) }
	y := func(n int64) string { return point(chartHeight - float64(n)/float64(highest)*chartHeight) }
	area := func(value func(service.ArrivalStep) int64) string {
		var b strings.Builder
		b.WriteString("M0 " + strconv.Itoa(chartHeight))
		for _, s := range a.Steps {
			b.WriteString("H" + x(s.Hour) + "V" + y(value(s)))
		}
		b.WriteString("H" + strconv.Itoa(chartWidth) + "V" + strconv.Itoa(chartHeight) + "Z")
		return b.String()
	}
	return chart{
		Expected: area(func(s service.ArrivalStep) int64 { return s.Expected }),
		Arrived:  area(func(s service.ArrivalStep) int64 { return s.Arrived }),
		Top:      p.Number(highest), From: p.Day(first), To: p.Day(last),
	}
}

func point(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// sinceLabel names since when somebody is missing.
func (v arrivalsView) sinceLabel() lms.Term {
	if v.Course == 0 {
		return "Named"
	}
	return "Added"
}

func (w *Web) courseDaysCSV(rw http.ResponseWriter, r *request) error {
	id, err := courseID(r)
	if err != nil {
		return err
	}
	return w.daysCSV(rw, r, id)
}

func (w *Web) siteDaysCSV(rw http.ResponseWriter, r *request) error { return w.daysCSV(rw, r, 0) }

// daysCSV is how things stood at the end of each day, all of them.
func (w *Web) daysCSV(rw http.ResponseWriter, r *request, course int64) error {
	if _, err := readForm(rw, r, formLimit); err != nil {
		return err
	}
	a, err := w.svc.ExportArrivals(r.Context(), r.caller, course)
	if err != nil {
		return err
	}
	return w.download(rw, r, "arrivals.csv", func(s *sheet.Writer) error {
		if err := headOnce(s, r.words, []lms.Term{"Day", "Expected", "Arrived"})(); err != nil {
			return err
		}
		for _, d := range a.Days(w.opts.Zone) {
			if err := s.Row(d.Day.Format(time.DateOnly), num(d.Expected), num(d.Arrived)); err != nil {
				return err
			}
		}
		return nil
	})
}
