package lang

import (
	"time"

	"matricula/internal/lms"
)

// Days of the calendar are in no zone: they are written as they are.

// dayOfYear is a day without its year, in the order in which all our languages
// write it.
const dayOfYear = "2 Jan"

// Date writes a day of the calendar.
func (p *Printer) Date(d lms.Day) string { return p.In(time.UTC).date(d.In(time.UTC), p.c.day) }

// Span writes the days from one to another, such as "1 Oct 2026 – 31 Jan 2027".
// The year is written once where both have the same.
func (p *Printer) Span(first, last lms.Day) string {
	a, b := first.In(time.UTC), last.In(time.UTC)
	layout := p.c.day
	if a.Year() == b.Year() {
		layout = dayOfYear
	}
	utc := p.In(time.UTC)
	return utc.date(a, layout) + " – " + utc.date(b, p.c.day)
}

// ShortSpan is Span for readers who know the year, such as "1 Oct – 31 Jan".
func (p *Printer) ShortSpan(first, last lms.Day) string {
	utc := p.In(time.UTC)
	return utc.date(first.In(time.UTC), dayOfYear) + " – " + utc.date(last.In(time.UTC), dayOfYear)
}
