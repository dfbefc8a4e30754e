package lms

import (
	"strings"
	"testing"
	"time"
)

func TestYearsAndTermsAreCleaned(t *testing.T) {
	year := Period{ID: 1, Name: "2026/27", Begins: "2026-10-01", Ends: "2027-09-30"}
	got, err := PeriodFields{"  Autumn \n 2026 ", "2026-10-01", "2027-01-31"}.Clean(&year)
	if want := (PeriodFields{"Autumn 2026", "2026-10-01", "2027-01-31"}); err != nil || got != want {
		t.Errorf("got %+v, want %+v (%v)", got, want, err)
	}
	for what, c := range map[string]struct {
		f        PeriodFields
		year     *Period
		typ, loc string
	}{
		"no name":                 {PeriodFields{" ", "2026-10-01", "2027-01-31"}, &year, "name-missing", "name"},
		"a year without a name":   {PeriodFields{"", "2026-10-01", "2027-01-31"}, nil, "name-missing", "name"},
		"a long name":             {PeriodFields{strings.Repeat("x", MaxPeriodRunes+1), "2026-10-01", "2027-01-31"}, nil, "text-too-long", "name"},
		"no first day":            {PeriodFields{"x", "", "2027-01-31"}, &year, "date", "begins_on"},
		"no last day":             {PeriodFields{"x", "2026-10-01", ""}, &year, "date", "ends_on"},
		"a day that is none":      {PeriodFields{"x", "2026-10-01", "2027-02-29"}, &year, "date", "ends_on"},
		"a day written otherwise": {PeriodFields{"x", "1 Oct 2026", "2027-01-31"}, &year, "date", "begins_on"},
		"a year of two digits":    {PeriodFields{"x", "0026-10-01", "0027-01-31"}, nil, "date", "begins_on"},
		"a far year":              {PeriodFields{"x", "2026-10-01", "9999-01-31"}, nil, "date", "ends_on"},
		"the wrong order":         {PeriodFields{"x", "2027-01-31", "2026-10-01"}, &year, "term-order", "ends_on"},
		"one day":                 {PeriodFields{"x", "2026-10-01", "2026-10-01"}, &year, "term-order", "ends_on"},
		"before the year":         {PeriodFields{"x", "2026-09-30", "2027-01-31"}, &year, "term-outside-year", "begins_on"},
		"after the year":          {PeriodFields{"x", "2026-10-01", "2027-10-01"}, &year, "term-outside-year", "ends_on"},
		"a term of 401 days":      {PeriodFields{"x", "2026-10-01", "2027-11-05"}, &year, "term-too-long", "ends_on"},
		"a year of 801 days":      {PeriodFields{"x", "2026-10-01", "2028-12-09"}, nil, "term-too-long", "ends_on"},
	} {
		_, err := c.f.Clean(c.year)
		if TypeOf(err) != c.typ || strings.Join(locationsOf(err), " ") != c.loc {
			t.Errorf("%s: %v at %v, want %s at %s", what, err, locationsOf(err), c.typ, c.loc)
		}
	}
	wide := Period{Name: "x", Begins: "2026-01-01", Ends: "2028-12-31"}
	for what, c := range map[string]struct {
		f    PeriodFields
		year *Period
	}{
		"a term of the whole year": {PeriodFields{"x", "2026-10-01", "2027-09-30"}, &year},
		"two days":                 {PeriodFields{"x", "2026-10-01", "2026-10-02"}, &year},
		"a leap day":               {PeriodFields{"x", "2028-02-01", "2028-02-29"}, nil},
		"a term of 400 days":       {PeriodFields{"x", "2026-10-01", "2027-11-04"}, &wide},
		"a year of 800 days":       {PeriodFields{"x", "2026-10-01", "2028-12-08"}, nil},
	} {
		if _, err := c.f.Clean(c.year); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestAYearHoldsItsTerms(t *testing.T) {
	terms := []Period{{Name: "Autumn", Begins: "2026-10-01", Ends: "2027-01-31"}, {Name: "Spring", Begins: "2027-03-01", Ends: "2027-07-31"}}
	for _, c := range []struct {
		begins, ends Day
		loc, names   string
	}{
		{"2026-10-01", "2027-07-31", "", ""},
		{"2026-10-02", "2027-07-31", "begins_on", "Autumn"},
		{"2026-10-01", "2027-07-30", "ends_on", "Spring"},
	} {
		err := PeriodFields{"x", c.begins, c.ends}.Holds(terms)
		if (err == nil) != (c.loc == "") || strings.Join(locationsOf(err), " ") != c.loc || (err != nil && !strings.Contains(err.Error(), c.names)) {
			t.Errorf("%s to %s: %v", c.begins, c.ends, err)
		}
	}
}

func TestTheLastDayBelongsToATerm(t *testing.T) {
	p := Period{YearID: 1, Begins: "2026-10-01", Ends: "2027-01-31"}
	for day, want := range map[Day]string{"2026-09-30": "future", "2026-10-01": "current", "2027-01-31": "current", "2027-02-01": "past"} {
		got := "future"
		if p.Current(day) {
			got = "current"
		}
		if p.Past(day) {
			got = "past"
		}
		if got != want {
			t.Errorf("on %s it is %s, want %s", day, got, want)
		}
	}
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	// Half an hour before midnight in London, February has begun in Rome.
	if got := DayOf(time.Date(2027, 1, 31, 23, 30, 0, 0, time.UTC).In(rome)); got != "2027-02-01" {
		t.Errorf("in Rome it is %s", got)
	}
}
