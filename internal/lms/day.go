package lms

import "time"

// Day is a date of the calendar, such as "2026-10-01", without a time or a zone.
// Days compare as text. The empty Day is none.
type Day string

// Years that dates of courses lie in. Others are slips.
const (
	firstYear = 1990
	lastYear  = 2150
)

// ParseDay reads a date in the form of ISO 8601; an empty one is none.
func ParseDay(s, location string) (Day, error) {
	if s == "" {
		return "", nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return "", Invalid("date", location, "%q is no date. Write the year first, such as 2026-10-01.", Clip(s, 40))
	}
	return MakeDay(t, location)
}

// MakeDay is the day of a time, in that time's own zone.
func MakeDay(t time.Time, location string) (Day, error) {
	if y := t.Year(); y < firstYear || y > lastYear {
		return "", Invalid("date", location, "The year %d cannot be right.", y)
	}
	return DayOf(t), nil
}

// DayOf is the day of a time, in that time's own zone; none for the zero time.
func DayOf(t time.Time) Day {
	if t.IsZero() {
		return ""
	}
	return Day(t.Format(time.DateOnly))
}

// In is the moment at which the day begins in a zone; zero for none.
func (d Day) In(zone *time.Location) time.Time {
	if d == "" {
		return time.Time{}
	}
	t, err := time.ParseInLocation(time.DateOnly, string(d), zone)
	if err != nil {
		return time.Time{}
	}
	return t
}

// EndIn is the moment at which the day is over in a zone; zero for none.
func (d Day) EndIn(zone *time.Location) time.Time {
	t := d.In(zone)
	if t.IsZero() {
		return t
	}
	return t.AddDate(0, 0, 1)
}

// LastDay is the last whole day before a moment, which undoes EndIn.
func LastDay(end time.Time, zone *time.Location) Day {
	if end.IsZero() {
		return ""
	}
	return DayOf(end.In(zone).Add(-time.Nanosecond))
}
