package web

import (
	"net/http"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
)

var designRoutes = []route{{"GET /design", true, (*Web).design}}

// designView is the page that shows each component in each of its states.
type designView struct {
	Shell   shell
	Colors  []string // the custom properties that hold them
	People  []lms.User
	Chart   arrivalsView
	Problem problem
}

// designColors are the colors of docs/design.md.
var designColors = []string{
	"page", "card", "text", "quiet", "line", "edge", "accent", "accent-strong", "on-accent", "tint", "pending-bg", "pending-text", "good", "bad", "bad-bg", "focus",
}

// design is the visual language on one page. It exists where it was asked for,
// which the demo does.
func (w *Web) design(rw http.ResponseWriter, r *request) error {
	if !w.opts.Design {
		return errNoPage
	}
	now := w.opts.Now()
	a := service.Arrivals{Expected: 40, Arrived: 28}
	for i := range 10 {
		at := now.Add(time.Duration(i-10) * 24 * time.Hour)
		a.Steps = append(a.Steps, service.ArrivalStep{Hour: at, Expected: int64(30 + min(i, 2)*5), Arrived: int64(i * 3)})
	}
	v := designView{Shell: w.shell(r, r.words.T("Visual language")), Colors: designColors, Chart: arrivalsView{Arrivals: a, Days: a.Days(w.opts.Zone), Chart: chartOf(r.words, a, now)}}
	v.People = []lms.User{
		{ID: 2, Kind: lms.KindPerson, Status: lms.StatusActive, Name: "Ada Lovelace", Email: "ada@uni.example"},
		{ID: 3, Kind: lms.KindPerson, Status: lms.StatusPending, Email: "grace@uni.example"},
		{ID: 4, Kind: lms.KindPerson, Status: lms.StatusSuspended, Name: "Charles Babbage", Email: "charles@uni.example"},
	}
	v.Problem = problem{Message: r.words.T("A course needs a title, such as \"Algorithms\".")}
	w.render(rw, r, http.StatusOK, designPage(v))
	return nil
}
