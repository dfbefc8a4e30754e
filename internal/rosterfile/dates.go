package rosterfile

import (
	"iter"
	"strings"
	"time"

	"matricula/internal/lms"
)

// DateOrder is the order in which a column writes the parts of a day. The zero
// order is what most of the world writes.
type DateOrder int

// The orders. A day that begins with a year of four digits is read by all of
// them, and one with dots has its day first everywhere.
const (
	DayFirst      DateOrder = iota // 31/1/2026; also when nothing in the column tells
	MonthFirst                     // 1/31/2026
	YearFirst                      // 2026-01-31 in every cell
	Contradictory                  // one cell can only be the one and another only the other
)

// The years in which people enter and leave courses. Beyond them are the 0000
// and 9999 by which databases say "never".
const firstYear, lastYear = 1900, 2199

// DateOrderOf finds out the order from the cells of a column. Those that are no
// days at all do not count: reading them refuses them.
func DateOrderOf(cells iter.Seq[string]) DateOrder {
	var day, month, year, either bool
	for cell := range cells {
		d, err := splitDate(cell)
		switch {
		case err != nil || d.empty():
		case d.yearFirst:
			year = true
		case d.separator == '.':
			day = true
		case d.parts[0] > 12 && d.parts[1] <= 12:
			day = true
		case d.parts[1] > 12 && d.parts[0] <= 12:
			month = true
		default:
			either = true
		}
	}
	switch {
	case day && month:
		return Contradictory
	case month:
		return MonthFirst
	case year && !day && !either:
		return YearFirst
	}
	return DayFirst
}

// ParseDate reads a day as DayFirst does. The answer is its midnight in UTC.
func ParseDate(s string) (time.Time, error) { return DayFirst.Parse(s) }

// Parse reads a day of a column that is written in this order. The answer is its
// midnight in UTC.
func (o DateOrder) Parse(s string) (time.Time, error) {
	d, err := splitDate(s)
	if err != nil {
		return time.Time{}, err
	}
	if d.empty() {
		return time.Time{}, lms.Invalid("date-unreadable", "date", "There is no date here. Write it as 2026-10-31.")
	}
	shown := lms.Clip(strings.TrimSpace(s), 40)
	year, month, day := d.parts[2], d.parts[1], d.parts[0]
	switch {
	case d.yearFirst:
		year, month, day = d.parts[0], d.parts[1], d.parts[2]
	case d.separator == '.':
	case o == Contradictory && month <= 12 && day <= 12 && month != day:
		return time.Time{}, lms.Invalid("date-unreadable", "date", "%q may be two days: other cells of this column begin with the day, and others with the month. Write all as 2026-10-31.", shown)
	case o == MonthFirst, o == Contradictory && month > 12:
		month, day = day, month
	}
	switch {
	case year < firstYear || year > lastYear:
		return time.Time{}, lms.Invalid("date-unreadable", "date", "%q is in the year %s: dates from %s to %s can be read. Leave the cell empty when there is no date.", shown, d.written, "1900", "2199")
	case month < 1 || month > 12:
		return time.Time{}, lms.Invalid("date-unreadable", "date", "%q has no month %d. Write the date as 2026-10-31.", shown, month)
	}
	at := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if day < 1 || at.Day() != day {
		return time.Time{}, lms.Invalid("date-unreadable", "date", "There is no day %q. Write the date as 2026-10-31.", shown)
	}
	return at, nil
}

// dateParts are the three numbers of a day as they stand.
type dateParts struct {
	parts     [3]int
	separator byte
	yearFirst bool
	written   string // the year
}

func (d dateParts) empty() bool { return d.separator == 0 }

// splitDate takes a day apart, without asking whether it exists. Nothing in s is
// no fault: the parts are empty.
func splitDate(s string) (d dateParts, err error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return d, nil
	}
	shown := lms.Clip(s, 40)
	if strings.Trim(s, "0123456789") == "" {
		return d, lms.Invalid("date-unreadable", "date", "%q is a number, and not a date. In the spreadsheet, format the column as a date and save the list again.", shown)
	}
	rest, ok := withoutMidnight(s)
	if !ok {
		return d, lms.Invalid("date-unreadable", "date", "%q has a time of day. Write the day alone, as 2026-10-31.", shown)
	}
	numbers := [3]string{}
	for i := range numbers {
		n := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if n == 0 || n > 4 {
			return dateParts{}, notDate(shown)
		}
		numbers[i], rest = rest[:n], rest[n:]
		for _, digit := range []byte(numbers[i]) {
			d.parts[i] = d.parts[i]*10 + int(digit-'0')
		}
		if i == 2 {
			break
		}
		if rest == "" || strings.IndexByte("-/.", rest[0]) < 0 || (i == 1 && rest[0] != d.separator) {
			return dateParts{}, notDate(shown)
		}
		d.separator, rest = rest[0], strings.TrimLeft(rest[1:], " ") // "1. 10. 2026"
	}
	if rest != "" && rest != "." { // "2026. 10. 1."
		return dateParts{}, notDate(shown)
	}
	first, last := len(numbers[0]), len(numbers[2])
	switch {
	case first == 4 && last <= 2 && len(numbers[1]) <= 2:
		d.yearFirst, d.written = true, numbers[0]
	case first <= 2 && last == 4 && len(numbers[1]) <= 2:
		d.written = numbers[2]
	case first <= 2 && last == 2 && len(numbers[1]) <= 2:
		return dateParts{}, lms.Invalid("date-unreadable", "date", "The year of %q has two digits. Write it with four, as in 2026-10-31.", shown)
	default:
		return dateParts{}, notDate(shown)
	}
	return d, nil
}

func notDate(shown string) error {
	return lms.Invalid("date-unreadable", "date", "%q is no date that can be read. Write it as 2026-10-31.", shown)
}

// withoutMidnight takes a time of day away, which databases and spreadsheets
// write behind a day. One that is not midnight is refused, not cut off: an
// exporter that converts to another time zone makes the evening before of it.
func withoutMidnight(s string) (string, bool) {
	i := strings.IndexAny(s, "T:")
	if i <= 0 || s[0] < '0' || s[0] > '9' {
		return s, true
	}
	if s[i] == ':' {
		if i = strings.LastIndexByte(s[:i], ' '); i < 0 {
			return s, true
		}
	}
	day, clock := s[:i], strings.Trim(s[i:], " T")
	for _, zone := range []string{"Z", "+00:00", "+0000"} {
		clock = strings.TrimSuffix(clock, zone)
	}
	if whole, fraction, ok := strings.Cut(clock, "."); ok {
		if strings.Trim(fraction, "0") != "" {
			return "", false
		}
		clock = whole
	}
	switch clock {
	case "0:00", "00:00", "0:00:00", "00:00:00":
		return strings.TrimSpace(day), true
	}
	return "", false
}
