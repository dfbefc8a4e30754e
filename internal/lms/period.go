package lms

import (
	"time"
)

// days counts the days from d to a later one, both included.
func (d Day) days(last Day) int { return int(last.In(time.UTC).Sub(d.In(time.UTC)).Hours()/24) + 1 }

// check refuses what is no date of this age of the world.
func (d Day) check(location string) error {
	if t := d.In(time.UTC); t.Year() < 1900 || t.Year() > 2200 {
		return Invalid("date", location, "This day cannot be read. Write it like 2026-10-01.")
	}
	return nil
}

// Period is an academic year, or a term of one: both have a name, a first and a
// last day. YearID tells them apart.
type Period struct {
	ID        int64
	YearID    int64 // the academic year of a term; 0: this is an academic year itself
	Name      string
	Begins    Day
	Ends      Day // the last day, which belongs to it
	CreatedBy int64
	CreatedAt time.Time
}

// IsYear tells whether this is an academic year, and no term.
func (p *Period) IsYear() bool { return p.YearID == 0 }

// Past tells whether its last day is over.
func (p *Period) Past(today Day) bool { return p.Ends < today }

// Current tells whether today belongs to it.
func (p *Period) Current(today Day) bool { return p.Begins <= today && today <= p.Ends }

// Fields is what people write about it.
func (p *Period) Fields() PeriodFields { return PeriodFields{p.Name, p.Begins, p.Ends} }

// MaxPeriodRunes is the most that the name of a year or a term may have.
const MaxPeriodRunes = 60

// How many days a term and a year may have: enough for every school, and few
// enough to notice a slip in the number of a year.
const (
	maxTermDays = 400
	maxYearDays = 800
)

// PeriodFields is what people write about an academic year or a term.
type PeriodFields struct {
	Name   string
	Begins Day
	Ends   Day
}

// Clean checks the fields and makes them fit to store. Year is the academic year
// of a term, and nil for a year itself.
func (f PeriodFields) Clean(year *Period) (PeriodFields, error) {
	var err error
	if f.Name, err = CleanText(f.Name, "name", MaxPeriodRunes); err != nil {
		return f, err
	}
	if f.Name == "" && year == nil {
		return f, Invalid("name-missing", "name", "An academic year needs a name, such as 2026/27.")
	}
	if f.Name == "" {
		return f, Invalid("name-missing", "name", "A term needs a name, such as Autumn 2026.")
	}
	if err := f.Begins.check("begins_on"); err != nil {
		return f, err
	}
	if err := f.Ends.check("ends_on"); err != nil {
		return f, err
	}
	n := f.Begins.days(f.Ends)
	switch {
	case n < 2:
		return f, Invalid("term-order", "ends_on", "The last day has to come after the first.")
	case year == nil && n > maxYearDays:
		return f, Invalid("term-too-long", "ends_on", "These are %d days, and an academic year has at most %d. Look at the years of both dates.", n, maxYearDays)
	case year != nil && n > maxTermDays:
		return f, Invalid("term-too-long", "ends_on", "These are %d days, and a term has at most %d. Look at the years of both dates.", n, maxTermDays)
	case year != nil && f.Begins < year.Begins:
		return f, Invalid("term-outside-year", "begins_on", "%s begins on %s. A term cannot begin before its academic year.", year.Name, year.Begins)
	case year != nil && f.Ends > year.Ends:
		return f, Invalid("term-outside-year", "ends_on", "%s ends on %s. A term cannot end after its academic year.", year.Name, year.Ends)
	}
	return f, nil
}

// Holds refuses days for an academic year outside of which one of its terms
// would lie, and names that term.
func (f PeriodFields) Holds(terms []Period) error {
	for _, t := range terms {
		switch {
		case t.Begins < f.Begins:
			return Invalid("term-outside-year", "begins_on", "%s begins on %s, before this day. Change that term first, or let the academic year begin earlier.", t.Name, t.Begins)
		case t.Ends > f.Ends:
			return Invalid("term-outside-year", "ends_on", "%s ends on %s, after this day. Change that term first, or let the academic year end later.", t.Name, t.Ends)
		}
	}
	return nil
}
