package rosterfile

import (
	"slices"
	"strings"
	"testing"
	"time"

	"matricula/internal/lms"
)

func TestDaysAreReadAsEuropeAndDatabasesWriteThem(t *testing.T) {
	for cell, want := range map[string]string{
		"2026-10-01":                "2026-10-01",
		"2026/10/01":                "2026-10-01",
		"2026. 10. 1.":              "2026-10-01",
		"2026-10-01T00:00:00Z":      "2026-10-01",
		"2026-10-01T00:00:00.000Z":  "2026-10-01",
		"2026-10-01 00:00:00":       "2026-10-01",
		"01/10/2026 0:00":           "2026-10-01",
		"2026-10-01T00:00:00+00:00": "2026-10-01",
		"01/10/2026":                "2026-10-01",
		"1/10/2026":                 "2026-10-01",
		"10/11/2026":                "2026-11-10",
		"1.10.2026":                 "2026-10-01",
		"1. 10. 2026":               "2026-10-01",
		"01-10-2026":                "2026-10-01",
		" 31/01/2027 ":              "2027-01-31",
		"29/02/2028":                "2028-02-29",
	} {
		got, err := ParseDate(cell)
		if err != nil || got.Format(time.DateOnly) != want || got.Location() != time.UTC || !got.Equal(got.Truncate(24*time.Hour)) {
			t.Errorf("%q is %v (%v), want %s", cell, got, err, want)
		}
	}
}

// F-32: a day that does not exist, or may be two, is refused with the cure.
func TestF32ImpossibleAndAmbiguousDaysAreRefused(t *testing.T) {
	for cell, says := range map[string]string{
		"31/02/2026":                "no day",
		"29.02.2027":                "no day",
		"2026-02-30":                "no day",
		"00/10/2026":                "no day",
		"2026-00-10":                "no month 0",
		"13/13/2026":                "no month 13",
		"10/13/2026":                "no month 13",
		"2026-13-01":                "no month 13",
		"0000-00-00":                "year 0000",
		"01/01/0000":                "year 0000",
		"9999-12-31":                "year 9999",
		"31/12/9999":                "Leave the cell empty",
		"1/10/26":                   "two digits",
		"10-01-26":                  "two digits",
		"46296":                     "is a number",
		"2026-09-30T22:00:00Z":      "time of day",
		"01/10/2026 8:30":           "time of day",
		"2026-10-01T00:00:00+02:00": "time of day",
		"٣١/١٢/٢٠٢٦":                "no date that can be read",
		"1 ottobre 2026":            "no date that can be read",
		"1-Oct-2026":                "no date that can be read",
		"1/10-2026":                 "no date that can be read",
		"1/10":                      "no date that can be read",
		"1/10/226":                  "no date that can be read",
		"-1/10/2026":                "no date that can be read",
		"1/10/2026/1":               "no date that can be read",
		"99999/10/1":                "no date that can be read",
		"Infinity":                  "no date that can be read",
		"":                          "no date here",
		"Tuesday":                   "no date that can be read",
	} {
		got, err := ParseDate(cell)
		if lms.TypeOf(err) != "date-unreadable" || lms.CodeOf(err) != lms.CodeInvalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%q is %v (%v), want a fault that says %q", cell, got, err, says)
		}
		if cell != "" && err != nil && !strings.Contains(err.Error(), "2026-10-31") && !strings.Contains(err.Error(), "Leave the cell empty") && !strings.Contains(err.Error(), "format the column") {
			t.Errorf("%q: no cure in %v", cell, err)
		}
	}
}

// F-32: 10/11/2026 is the day that the rest of its column makes it.
func TestF32AColumnTellsTheOrderOfItsDays(t *testing.T) {
	for _, c := range []struct {
		cells []string
		order DateOrder
		tenth string // what 10/11/2026 is; empty when that cannot be told
	}{
		{nil, DayFirst, "2026-11-10"},
		{[]string{"", "never"}, DayFirst, "2026-11-10"},
		{[]string{"1/2/2026", "10/11/2026"}, DayFirst, "2026-11-10"},
		{[]string{"1/2/2026", "31/1/2026"}, DayFirst, "2026-11-10"},
		{[]string{"1/31/2026", "10/11/2026"}, MonthFirst, "2026-10-11"},
		{[]string{"1/31/2026", "2026-10-11"}, MonthFirst, "2026-10-11"},
		{[]string{"2026-10-11", "2026/1/2"}, YearFirst, "2026-11-10"},
		{[]string{"2026-10-11", "1/2/2026"}, DayFirst, "2026-11-10"},
		{[]string{"1.2.2026"}, DayFirst, "2026-11-10"},
		{[]string{"1/31/2026", "31/1/2026"}, Contradictory, ""},
		{[]string{"1/31/2026", "1.2.2026"}, Contradictory, ""},
		{[]string{"13/13/2026"}, DayFirst, "2026-11-10"},
	} {
		order := DateOrderOf(slices.Values(c.cells))
		if order != c.order {
			t.Errorf("%q are in order %d, want %d", c.cells, order, c.order)
		}
		got, err := order.Parse("10/11/2026")
		switch {
		case c.tenth == "" && (lms.TypeOf(err) != "date-unreadable" || !strings.Contains(err.Error(), "may be two days")):
			t.Errorf("%q: 10/11/2026 is %v (%v)", c.cells, got, err)
		case c.tenth != "" && (err != nil || got.Format(time.DateOnly) != c.tenth):
			t.Errorf("%q: 10/11/2026 is %v (%v), want %s", c.cells, got, err, c.tenth)
		}
	}
	for _, c := range []struct {
		order      DateOrder
		cell, want string
	}{
		{MonthFirst, "1/31/2026", "2026-01-31"},
		{MonthFirst, "1.10.2026", "2026-10-01"},
		{MonthFirst, "2026-10-01", "2026-10-01"},
		{Contradictory, "1/31/2026", "2026-01-31"},
		{Contradictory, "31/1/2026", "2026-01-31"},
		{Contradictory, "5/5/2026", "2026-05-05"},
		{Contradictory, "2026-10-11", "2026-10-11"},
		{Contradictory, "10.11.2026", "2026-11-10"},
	} {
		if got, err := c.order.Parse(c.cell); err != nil || got.Format(time.DateOnly) != c.want {
			t.Errorf("order %d: %q is %v (%v), want %s", c.order, c.cell, got, err, c.want)
		}
	}
	if _, err := MonthFirst.Parse("31/1/2026"); !strings.Contains(err.Error(), "no month 31") {
		t.Errorf("a day where the month belongs: %v", err)
	}
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2026-10-01", "1.10.2026", "2026-10-01T00:00:00Z", "10/11/26", ":", " 0:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for o := DayFirst; o <= Contradictory; o++ {
			day, err := o.Parse(s)
			if err != nil {
				continue
			}
			again, err := o.Parse(day.Format(time.DateOnly))
			if err != nil || !again.Equal(day) || day.Year() < firstYear || day.Year() > lastYear {
				t.Fatalf("%q is %v, and that is %v (%v)", s, day, again, err)
			}
		}
	})
}
