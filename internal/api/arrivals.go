package api

import (
	"context"
	"net/http"
	"time"

	"matricula/internal/service"
)

// Arrivals tells how many of those who are expected have arrived.
type Arrivals struct {
	Expected int64        `json:"expected" doc:"Everybody who was named, suspended people aside."`
	Arrived  int64        `json:"arrived" doc:"Who has signed in at least once."`
	Days     []ArrivalDay `json:"days" doc:"The state at the end of each day on which something changed, oldest first."`
}

// ArrivalDay is how things stood at the end of a day.
type ArrivalDay struct {
	Day      string `json:"day" doc:"In UTC." example:"2026-09-07"`
	Expected int64  `json:"expected"`
	Arrived  int64  `json:"arrived"`
}

func arrivalsWire(a service.Arrivals) *answer[Arrivals] {
	out := Arrivals{Expected: a.Expected, Arrived: a.Arrived, Days: []ArrivalDay{}}
	for _, d := range a.Days(time.UTC) {
		out.Days = append(out.Days, ArrivalDay{d.Day.Format(time.DateOnly), d.Expected, d.Arrived})
	}
	return &answer[Arrivals]{out}
}

func (a *API) registerArrivals() {
	register(a, op(http.MethodGet, "/courses/{course_id}/arrivals", "get-course-arrivals", tagPeople, "Who has arrived",
		"How many people of the course have signed in at least once, over time. Whoever had an account already arrived when they were added. The missing are listed by GET …/enrollments?status=pending. The caller needs roster.view."), a.courseArrivals)
	register(a, op(http.MethodGet, "/arrivals", "get-arrivals", tagUsers, "Who has arrived on the whole site",
		"The same for everybody on the site, for administrators."), a.siteArrivals)
}

func (a *API) courseArrivals(ctx context.Context, c *call, in *courseIn) (*answer[Arrivals], error) {
	found, err := a.svc.Arrivals(ctx, c.caller, in.CourseID)
	if err != nil {
		return nil, err
	}
	return arrivalsWire(found), nil
}

func (a *API) siteArrivals(ctx context.Context, c *call, _ *nothing) (*answer[Arrivals], error) {
	found, err := a.svc.Arrivals(ctx, c.caller, 0)
	if err != nil {
		return nil, err
	}
	return arrivalsWire(found), nil
}
