package service_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/store/storetest"
)

// term makes an academic year or, in a year, a term.
func (s *school) term(year int64, name string, begins, ends lms.Day) int64 {
	s.tb.Helper()
	p, err := s.CreateTerm(ctx, s.admin, year, lms.PeriodFields{Name: name, Begins: begins, Ends: ends}, nil)
	if err != nil {
		s.tb.Fatal(err)
	}
	return p.ID
}

func TestAnAcademicYearHasTermsThatLieWithinIt(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		year := s.term(0, " 2026/27 ", "2026-10-01", "2027-09-30")
		autumn := s.term(year, "Autumn", "2026-10-01", "2027-01-31")
		s.term(year, "Block week", "2027-01-25", "2027-02-05") // terms may overlap
		create := func(year int64, name string, begins, ends lms.Day) error {
			return second(s.CreateTerm(ctx, s.admin, year, lms.PeriodFields{Name: name, Begins: begins, Ends: ends}, nil))
		}
		update := func(id int64, p service.TermPatch) error { return second(s.UpdateTerm(ctx, s.admin, id, p)) }
		entries := s.count("audit_entries")
		for what, c := range map[string]struct {
			err error
			typ string
		}{
			"no name":                           {create(year, " ", "2026-10-01", "2027-01-31"), "name-missing"},
			"no day":                            {create(year, "x", "", "2027-01-31"), "date"},
			"the wrong order":                   {create(year, "x", "2027-01-31", "2026-10-01"), "term-order"},
			"too long":                          {create(0, "x", "2026-10-01", "2030-09-30"), "term-too-long"},
			"before its year":                   {create(year, "x", "2026-09-30", "2027-01-31"), "term-outside-year"},
			"after its year":                    {create(year, "x", "2027-09-01", "2027-10-01"), "term-outside-year"},
			"a name that is taken":              {create(year, "AUTUMN", "2026-10-01", "2027-01-31"), "term-name-taken"},
			"a year's name that is taken":       {create(0, "2026/27", "2026-10-01", "2027-01-31"), "term-name-taken"},
			"no such year":                      {create(999, "x", "2026-10-01", "2027-01-31"), "unknown-term"},
			"a term of a term":                  {create(autumn, "x", "2026-10-01", "2027-01-31"), "unknown-term"},
			"changed to a taken name":           {update(autumn, service.TermPatch{Name: ptr("block week")}), "term-name-taken"},
			"moved out of its year":             {update(autumn, service.TermPatch{Begins: ptr(lms.Day("2026-09-30"))}), "term-outside-year"},
			"a year that would lose a term":     {update(year, service.TermPatch{Begins: ptr(lms.Day("2026-10-02"))}), "term-outside-year"},
			"a year that would end in its term": {update(year, service.TermPatch{Ends: ptr(lms.Day("2027-02-04"))}), "term-outside-year"},
		} {
			refused(t, what, c.err, lms.CodeInvalid, c.typ)
		}
		if err := update(year, service.TermPatch{Ends: ptr(lms.Day("2027-02-04"))}); err == nil || !strings.Contains(err.Error(), "Block week ends on 2027-02-05") {
			t.Errorf("the term is not named: %v", err)
		}
		if n := s.count("audit_entries"); n != entries {
			t.Errorf("mistakes in the input have left %d entries", n-entries)
		}
		if err := update(year, service.TermPatch{Ends: ptr(lms.Day("2027-02-05")), Name: ptr("Short year")}); err != nil {
			t.Errorf("a year that just holds its terms: %v", err)
		}
		years, err := s.Years(ctx, s.admin)
		if err != nil || len(years) != 1 || years[0].Name != "Short year" || years[0].Ends != "2027-02-05" || len(years[0].Terms) != 2 || years[0].Terms[0].Name != "Autumn" {
			t.Errorf("the years are %+v (%v)", years, err)
		}
		refused(t, "a year with terms", s.DeleteTerm(ctx, s.admin, year), lms.CodeConflict, "term-in-use")
		refused(t, "what is not there", s.DeleteTerm(ctx, s.admin, 999), lms.CodeNotFound, "not-found")
		refused(t, "changed, what is not there", update(999, service.TermPatch{Name: ptr("x")}), lms.CodeNotFound, "not-found")
		refused(t, "read, what is not there", second(s.Term(ctx, s.admin, 999)), lms.CodeNotFound, "not-found")
		for _, id := range []int64{autumn, years[0].Terms[1].ID, year} {
			if err := s.DeleteTerm(ctx, s.admin, id); err != nil {
				t.Error(err)
			}
		}
		if years, err := s.Years(ctx, s.admin); err != nil || len(years) != 0 {
			t.Errorf("left are %+v (%v)", years, err)
		}
	})
}

func TestOnlyAdministratorsChangeTheCalendarAndEverybodyReadsIt(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		year := s.term(0, "2026/27", "2026-10-01", "2027-09-30")
		autumn := s.term(year, "Autumn", "2026-10-01", "2027-01-31")
		ada, member := s.teacher("ada@uni.example"), s.person("m@uni.example")
		course := s.course(ada, "Algorithms")
		if _, err := s.UpdateCourse(ctx, ada, course, service.CoursePatch{TermID: &autumn}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []access.Caller{ada, member} {
			f := lms.PeriodFields{Name: "x", Begins: "2026-10-01", Ends: "2027-01-31"}
			refused(t, "making", second(s.CreateTerm(ctx, c, year, f, nil)), lms.CodeForbidden, "forbidden")
			refused(t, "changing", second(s.UpdateTerm(ctx, c, autumn, service.TermPatch{Name: ptr("x")})), lms.CodeForbidden, "forbidden")
			refused(t, "deleting", s.DeleteTerm(ctx, c, autumn), lms.CodeForbidden, "forbidden")
			years, err := s.Years(ctx, c)
			if err != nil || len(years) != 1 || len(years[0].Terms) != 1 || years[0].Terms[0].Courses != 0 {
				t.Errorf("they read %+v (%v)", years, err)
			}
			if p, err := s.Term(ctx, c, autumn); err != nil || p.Name != "Autumn" || p.Courses != 0 {
				t.Errorf("they read %+v (%v)", p, err)
			}
		}
		if n := s.audited(access.TermCreate, lms.OutcomeRefused) + s.audited(access.TermUpdate, lms.OutcomeRefused) + s.audited(access.TermDelete, lms.OutcomeRefused); n != 6 {
			t.Errorf("%d refusals are on record, want 6", n)
		}
		if p, err := s.Term(ctx, s.admin, autumn); err != nil || p.Courses != 1 {
			t.Errorf("an administrator reads %+v (%v)", p, err)
		}
		refused(t, "anonymous", second(s.Years(ctx, access.Caller{})), lms.CodeUnauthenticated, "sign-in-required")
		refused(t, "anonymous", second(s.Term(ctx, access.Caller{}, autumn)), lms.CodeUnauthenticated, "sign-in-required")
		list, err := s.Terms(ctx, member, year)
		if err != nil || len(list) != 2 || list[0].ID != year || list[1].ID != autumn {
			t.Errorf("of one year: %+v (%v)", list, err)
		}
	})
}

func TestChangesOfTheCalendarAreRecordedOnceWithWhatTheyChange(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		once := &service.Once{Route: "POST", Key: "k", Body: []byte("b")}
		f := lms.PeriodFields{Name: "2026/27", Begins: "2026-10-01", Ends: "2027-09-30"}
		a, err := s.CreateTerm(ctx, s.admin, 0, f, once)
		b, err2 := s.CreateTerm(ctx, s.admin, 0, f, once)
		if err != nil || err2 != nil || a != b || s.audited(access.TermCreate, lms.OutcomeDone) != 1 {
			t.Errorf("sent twice: %+v, %+v (%v, %v)", a, b, err, err2)
		}
		last := func(want string) {
			t.Helper()
			e := s.lastEntry()
			if got := e.Action + " " + string(e.Before) + " " + string(e.After); !strings.Contains(strings.ReplaceAll(got, " ", ""), strings.ReplaceAll(want, " ", "")) {
				t.Errorf("recorded %s, want %s", got, want)
			}
		}
		autumn := s.term(a.ID, "Autumn", "2026-10-01", "2027-01-31")
		last(`"name":"Autumn","year":"2026/27","begins_on":"2026-10-01","ends_on":"2027-01-31"}`)
		entries := s.count("audit_entries")
		if _, err := s.UpdateTerm(ctx, s.admin, autumn, service.TermPatch{Name: ptr("  Autumn "), Ends: ptr(lms.Day("2027-01-31"))}); err != nil || s.count("audit_entries") != entries {
			t.Errorf("nothing was changed, and it is on record (%v)", err)
		}
		if _, err := s.UpdateTerm(ctx, s.admin, autumn, service.TermPatch{Ends: ptr(lms.Day("2027-02-07"))}); err != nil {
			t.Fatal(err)
		}
		last(`"ends_on":"2027-01-31"}`)
		last(`"name":"Autumn","ends_on":"2027-02-07"}`)
		if err := s.DeleteTerm(ctx, s.admin, autumn); err != nil {
			t.Fatal(err)
		}
		last(`term.delete`)
		last(`"ends_on":"2027-02-07"} {}`)
	})
}

func TestACourseStandsInATermThatItsEditorsChoose(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		year := s.term(0, "2026/27", "2026-10-01", "2027-09-30")
		autumn := s.term(year, "Autumn", "2026-10-01", "2027-01-31")
		spring := s.term(year, "Spring", "2027-03-01", "2027-07-31")
		ada := s.teacher("ada@uni.example")
		v, err := s.CreateCourse(ctx, ada, lms.CourseFields{Title: "Algorithms", TermID: autumn}, nil)
		if err != nil || v.Course.TermID != autumn {
			t.Fatalf("%+v (%v)", v, err)
		}
		if e := s.lastEntry(); !strings.Contains(string(e.After), `"Autumn"`) {
			t.Errorf("recorded %s", e.After)
		}
		course := v.Course.ID
		student := s.member(ada, course, "student", "s@uni.example")
		refused(t, "a student", second(s.UpdateCourse(ctx, student, course, service.CoursePatch{TermID: &spring})), lms.CodeForbidden, "forbidden")
		courses := s.count("courses")
		for what, err := range map[string]error{
			"made in no such term":   second(s.CreateCourse(ctx, ada, lms.CourseFields{Title: "x", TermID: 999}, nil)),
			"put into no such term":  second(s.UpdateCourse(ctx, ada, course, service.CoursePatch{TermID: ptr(int64(999))})),
			"put into less":          second(s.UpdateCourse(ctx, ada, course, service.CoursePatch{TermID: ptr(int64(-1))})),
			"copied to no such term": second(s.CopyCourse(ctx, ada, course, service.CourseCopy{Title: "x", TermID: 999}, nil)),
		} {
			refused(t, what, err, lms.CodeInvalid, "unknown-term")
		}
		if s.count("courses") != courses {
			t.Error("a refused course is there")
		}
		entries := s.count("audit_entries")
		if v, err := s.UpdateCourse(ctx, ada, course, service.CoursePatch{TermID: &autumn}); err != nil || v.Course.TermID != autumn || s.count("audit_entries") != entries {
			t.Errorf("put where it is: %+v (%v)", v.Course, err)
		}
		if v, err := s.UpdateCourse(ctx, ada, course, service.CoursePatch{Title: ptr("Algorithms II")}); err != nil || v.Course.TermID != autumn {
			t.Errorf("with another title: %+v (%v)", v.Course, err)
		}
		if e := s.lastEntry(); strings.Contains(string(e.Before)+string(e.After), "term") {
			t.Errorf("its term was not changed, and recorded is %s %s", e.Before, e.After)
		}
		if v, err := s.UpdateCourse(ctx, ada, course, service.CoursePatch{TermID: &spring}); err != nil || v.Course.TermID != spring {
			t.Errorf("moved: %+v (%v)", v.Course, err)
		}
		if e := s.lastEntry(); !strings.Contains(string(e.Before), `"Autumn"`) || !strings.Contains(string(e.After), `"Spring"`) {
			t.Errorf("recorded %s %s", e.Before, e.After)
		}
		refused(t, "a term with a course", s.DeleteTerm(ctx, s.admin, spring), lms.CodeConflict, "term-in-use")

		plain, err := s.CopyCourse(ctx, ada, course, service.CourseCopy{Title: "Copy"}, nil)
		later, err2 := s.CopyCourse(ctx, ada, course, service.CourseCopy{Title: "Copy for the whole year", TermID: year}, nil)
		if err != nil || err2 != nil {
			t.Fatal(errors.Join(err, err2))
		}
		for id, want := range map[int64]int64{plain.CourseID: 0, later.CourseID: year} {
			if v, err := s.Course(ctx, ada, id); err != nil || v.Course.TermID != want {
				t.Errorf("copied, it is in %d, want %d (%v)", v.Course.TermID, want, err)
			}
		}
		titles := func(term int64) (list []string) {
			p, err := s.Courses(ctx, ada, service.CoursesRequest{TermID: term, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range p.Courses {
				list = append(list, v.Course.Title)
			}
			return list
		}
		if got := titles(year); !slices.Equal(got, []string{"Copy for the whole year", "Algorithms II"}) {
			t.Errorf("in the year are %q", got)
		}
		if got := titles(spring); !slices.Equal(got, []string{"Algorithms II"}) {
			t.Errorf("in spring are %q", got)
		}
		if _, err := s.UpdateCourse(ctx, ada, course, service.CoursePatch{TermID: ptr(int64(0))}); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteTerm(ctx, s.admin, spring); err != nil {
			t.Errorf("taken out, the term cannot be deleted: %v", err)
		}
		refused(t, "a year with a course", s.DeleteTerm(ctx, s.admin, year), lms.CodeConflict, "term-in-use")
	})
}

// Of a course that is put into a term and the deletion of that term at the same
// moment, one happens, and the other is refused in words.
func TestATermIsNotDeletedWhileACourseIsPutIntoIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := open(t, db)
		node := s.grow(2)
		year := s.term(0, "2026/27", "2026-10-01", "2027-09-30")
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		for range 12 {
			id := s.term(year, "Autumn", "2026-10-01", "2027-01-31")
			var errs [2]error
			together(2, func(i int) {
				if i == 0 {
					errs[i] = second(node(i).UpdateCourse(ctx, ada, course, service.CoursePatch{TermID: &id}))
				} else {
					errs[i] = node(i).DeleteTerm(ctx, s.admin, id)
				}
			})
			switch {
			case errs[0] == nil:
				refused(t, "the deletion", errs[1], lms.CodeConflict, "term-in-use")
				if _, err := s.UpdateCourse(ctx, ada, course, service.CoursePatch{TermID: ptr(int64(0))}); err != nil {
					t.Fatal(err)
				}
				if err := s.DeleteTerm(ctx, s.admin, id); err != nil {
					t.Fatal(err)
				}
			case errs[1] == nil:
				refused(t, "the course", errs[0], lms.CodeInvalid, "unknown-term")
			default:
				t.Errorf("neither happened: %v", errors.Join(errs[:]...))
			}
		}
	})
}

// Of a term that is made at the end of its year, and a year that is made
// shorter at the same moment, one is refused.
func TestAYearHoldsItsTermsWhoeverChangesThemAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := open(t, db)
		node := s.grow(2)
		for i := range 12 {
			year := s.term(0, "Year "+string(rune('A'+i)), "2026-10-01", "2027-09-30")
			var errs [2]error
			together(2, func(i int) {
				if i == 0 {
					errs[i] = second(node(i).CreateTerm(ctx, s.admin, year, lms.PeriodFields{Name: "Summer", Begins: "2027-07-01", Ends: "2027-09-30"}, nil))
				} else {
					errs[i] = second(node(i).UpdateTerm(ctx, s.admin, year, service.TermPatch{Ends: ptr(lms.Day("2027-08-31"))}))
				}
			})
			if (errs[0] == nil) == (errs[1] == nil) {
				t.Errorf("both or neither: %v, %v", errs[0], errs[1])
			}
			for _, err := range errs {
				if err != nil && lms.TypeOf(err) != "term-outside-year" {
					t.Error(err)
				}
			}
		}
	})
}
