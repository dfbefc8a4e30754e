package service

import (
	"context"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
)

// Arrivals tells how many of those who are expected have arrived, over time.
type Arrivals struct {
	Expected, Arrived int64
	Steps             []ArrivalStep // in their order; empty when nobody is expected
}

// ArrivalStep is how things stood at the end of an hour in which something
// changed.
type ArrivalStep struct {
	Hour              time.Time // its beginning, in UTC
	Expected, Arrived int64
}

// Missing is how many have not arrived yet.
func (a *Arrivals) Missing() int64 { return a.Expected - a.Arrived }

// Day is the state at the end of a day.
type ArrivalDay struct {
	Day               time.Time // its beginning, in the zone asked for
	Expected, Arrived int64
}

// Days gives the state at the end of each day on which something changed.
func (a *Arrivals) Days(zone *time.Location) []ArrivalDay {
	var days []ArrivalDay
	for _, s := range a.Steps {
		y, m, d := s.Hour.In(zone).Date()
		day := ArrivalDay{time.Date(y, m, d, 0, 0, 0, 0, zone), s.Expected, s.Arrived}
		if n := len(days); n > 0 && days[n-1].Day.Equal(day.Day) {
			days[n-1] = day
			continue
		}
		days = append(days, day)
	}
	return days
}

// Arrivals counts the people of a course, or of the whole site, for its
// administrators, when courseID is 0. Who had an account before being added
// arrived when they were added; suspended people are not expected.
func (s *Service) Arrivals(ctx context.Context, c access.Caller, courseID int64) (Arrivals, error) {
	var a Arrivals
	var within lms.IDs
	var self int64
	var err error
	if courseID == 0 {
		err = access.Decide(c, access.SiteAuditView, nil)
	} else {
		var st *access.Standing
		if st, err = s.look(ctx, c, access.RosterView, courseID); err == nil {
			within, self = st.Within(c), c.UserID
		}
	}
	if err != nil {
		return a, err
	}
	hours, err := s.store.Reader().Arrivals(ctx, courseID, within, self)
	if err != nil {
		return a, err
	}
	for _, h := range hours {
		a.Expected += h.Added
		a.Arrived += h.Arrived
		a.Steps = append(a.Steps, ArrivalStep{h.Hour, a.Expected, a.Arrived})
	}
	return a, nil
}
