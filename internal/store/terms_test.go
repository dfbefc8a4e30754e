package store_test

import (
	"fmt"
	"slices"
	"testing"

	"matricula/internal/lms"
	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

// period makes an academic year or, in a year, a term.
func period(t testing.TB, st *store.Store, year int64, name string, begins, ends lms.Day) int64 {
	t.Helper()
	var id int64
	write(t, st, func(tx *store.Tx) error {
		var ok bool
		var err error
		id, ok, err = tx.CreatePeriod(ctx, lms.Period{YearID: year, Name: name, Begins: begins, Ends: ends, CreatedBy: lms.SystemUserID, CreatedAt: now})
		if err == nil && !ok {
			err = fmt.Errorf("the name %s is taken", name)
		}
		return err
	})
	return id
}

func periodNames(list []store.PeriodOf) (names []string) {
	for _, p := range list {
		names = append(names, p.Name)
	}
	return names
}

func TestYearsAreListedLatestFirstEachBeforeItsTerms(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		early := period(t, st, 0, "2025/26", "2025-10-01", "2026-09-30")
		late := period(t, st, 0, "2026/27", "2026-10-01", "2027-09-30")
		period(t, st, late, "Spring", "2027-03-01", "2027-07-31")
		autumn := period(t, st, late, "Autumn", "2026-10-01", "2027-01-31")
		period(t, st, early, "Autumn", "2025-10-01", "2026-01-31")
		all, err := st.Reader().Periods(ctx, 0)
		if want := []string{"2026/27", "Autumn", "Spring", "2025/26", "Autumn"}; err != nil || !slices.Equal(periodNames(all), want) {
			t.Errorf("got %v, want %v (%v)", periodNames(all), want, err)
		}
		one, err := st.Reader().Periods(ctx, early)
		if want := []string{"2025/26", "Autumn"}; err != nil || !slices.Equal(periodNames(one), want) {
			t.Errorf("of one year: %v (%v)", periodNames(one), err)
		}
		got, ok, err := st.Reader().Period(ctx, autumn)
		want := store.PeriodOf{Period: lms.Period{ID: autumn, YearID: late, Name: "Autumn", Begins: "2026-10-01", Ends: "2027-01-31", CreatedBy: lms.SystemUserID, CreatedAt: now}}
		if err != nil || !ok || got != want {
			t.Errorf("got %+v, want %+v (%v)", got, want, err)
		}
		if _, ok, err := st.Reader().Period(ctx, 999); ok || err != nil {
			t.Errorf("a term that is not there is read (%v)", err)
		}
	})
}

func TestANameIsThereOnceInAYearHoweverItIsWritten(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		year := period(t, st, 0, "2026/27", "2026-10-01", "2027-09-30")
		other := period(t, st, 0, "2027/28", "2027-10-01", "2028-09-30")
		period(t, st, year, "Été", "2026-10-01", "2027-01-31")
		spring := period(t, st, year, "Spring", "2027-03-01", "2027-07-31")
		period(t, st, other, "Spring", "2028-03-01", "2028-07-31") // of another year
		period(t, st, year, "2026/27", "2026-10-01", "2027-09-30") // a term called like its year
		for _, p := range []lms.Period{{YearID: year, Name: "ÉTÉ"}, {YearID: year, Name: "spring"}, {Name: "2026/27"}} {
			p.Begins, p.Ends, p.CreatedBy, p.CreatedAt = "2026-10-01", "2027-01-31", lms.SystemUserID, now
			write(t, st, func(tx *store.Tx) error {
				if id, ok, err := tx.CreatePeriod(ctx, p); ok || err != nil {
					t.Errorf("%s in year %d was made as %d (%v)", p.Name, p.YearID, id, err)
				}
				return nil
			})
		}
		err := st.Write(ctx, func(_ ctxT, tx *store.Tx) error {
			if ok, err := tx.UpdatePeriod(ctx, spring, lms.PeriodFields{Name: "Ete", Begins: "2027-03-01", Ends: "2027-07-31"}); ok || err != nil {
				t.Errorf("a term got the name of another (%v)", err)
			}
			return fmt.Errorf("not kept")
		})
		if err == nil {
			t.Error("the transaction was kept")
		}
		write(t, st, func(tx *store.Tx) error {
			ok, err := tx.UpdatePeriod(ctx, spring, lms.PeriodFields{Name: "SPRING", Begins: "2027-02-28", Ends: "2027-08-01"})
			if err == nil && !ok {
				err = fmt.Errorf("its own name is taken")
			}
			return err
		})
		if p, _, err := st.Reader().Period(ctx, spring); err != nil || p.Name != "SPRING" || p.Begins != "2027-02-28" || p.Ends != "2027-08-01" {
			t.Errorf("changed, it is %+v (%v)", p, err)
		}
	})
}

func TestCoursesStandInATermAndAreFoundByIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		year := period(t, st, 0, "2026/27", "2026-10-01", "2027-09-30")
		autumn := period(t, st, year, "Autumn", "2026-10-01", "2027-01-31")
		me := active(t, st, "me@uni.example")
		put := func(title string, term int64, mine bool) int64 {
			id, roles := course(t, st, title)
			if mine {
				enroll(t, st, roles["student"], me)
			}
			write(t, st, func(tx *store.Tx) error {
				return tx.UpdateCourse(ctx, id, lms.CourseFields{Title: title, TermID: term})
			})
			return id
		}
		put("none", 0, true)
		put("in autumn, and not mine", autumn, false)
		put("all year", year, true)
		gone := put("deleted", autumn, true)
		put("in autumn", autumn, true)
		write(t, st, func(tx *store.Tx) error { return tx.DeleteCourse(ctx, gone, now) })
		for _, c := range []struct {
			q    store.CoursesQuery
			want []string
		}{
			{store.CoursesQuery{}, []string{"in autumn", "all year", "none"}},
			{store.CoursesQuery{TermID: autumn}, []string{"in autumn"}},
			{store.CoursesQuery{TermID: year}, []string{"in autumn", "all year"}},
			{store.CoursesQuery{TermID: 999}, nil},
			{store.CoursesQuery{All: true, TermID: autumn}, []string{"in autumn", "in autumn, and not mine"}},
			{store.CoursesQuery{All: true, Orphaned: true, TermID: year}, []string{"in autumn", "all year", "in autumn, and not mine"}},
		} {
			c.q.UserID, c.q.Before, c.q.Limit = me, 1<<62, 10
			list, err := st.Reader().Courses(ctx, c.q)
			var got []string
			for _, one := range list {
				got = append(got, one.Course.Title)
			}
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%+v: %q, want %q (%v)", c.q, got, c.want, err)
			}
		}
		list, err := st.Reader().Periods(ctx, year)
		if err != nil || len(list) != 2 || list[0].Courses != 1 || list[1].Courses != 2 {
			t.Errorf("the courses are counted as %+v (%v)", list, err)
		}
		var made int64
		write(t, st, func(tx *store.Tx) (err error) {
			made, err = tx.CreateCourse(ctx, lms.Course{Title: "made in it", TermID: autumn, CreatedBy: lms.SystemUserID, CreatedAt: now})
			return err
		})
		if c, _, err := st.Reader().Course(ctx, made); err != nil || c.TermID != autumn {
			t.Errorf("made in a term, it is %+v (%v)", c, err)
		}
	})
}

func TestATermWithCoursesCannotBeDeletedAndOneOfDeletedCoursesCan(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		year := period(t, st, 0, "2026/27", "2026-10-01", "2027-09-30")
		autumn := period(t, st, year, "Autumn", "2026-10-01", "2027-01-31")
		id, _ := course(t, st, "Algorithms")
		write(t, st, func(tx *store.Tx) error {
			return tx.UpdateCourse(ctx, id, lms.CourseFields{Title: "Algorithms", TermID: autumn})
		})
		remove := func(id int64) error {
			return st.Write(ctx, func(_ ctxT, tx *store.Tx) error { return tx.DeletePeriod(ctx, id) })
		}
		if remove(autumn) == nil || remove(year) == nil {
			t.Error("a term with a course, or a year with a term, was deleted")
		}
		write(t, st, func(tx *store.Tx) error { return tx.DeleteCourse(ctx, id, now) })
		if err := remove(autumn); err != nil {
			t.Errorf("a term whose only course was deleted: %v", err)
		}
		if err := remove(year); err != nil {
			t.Errorf("a year without terms: %v", err)
		}
		if list, err := st.Reader().Periods(ctx, 0); err != nil || len(list) != 0 {
			t.Errorf("there are still %v (%v)", periodNames(list), err)
		}
	})
}

func TestTheDatabaseRefusesTermsThatNoCodeShouldWrite(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		pending := nameOne(t, st, "grace@uni.example")
		for what, p := range map[string]lms.Period{
			"by a pending person": {Name: "a", Begins: "2026-10-01", Ends: "2027-09-30", CreatedBy: pending},
			"that ends too early": {Name: "b", Begins: "2026-10-01", Ends: "2026-10-01", CreatedBy: lms.SystemUserID},
			"of no year":          {Name: "c", Begins: "2026-10-01", Ends: "2027-09-30", CreatedBy: lms.SystemUserID, YearID: 999},
			"of nobody":           {Name: "d", Begins: "2026-10-01", Ends: "2027-09-30", CreatedBy: 999},
		} {
			p.CreatedAt = now
			err := st.Write(ctx, func(_ ctxT, tx *store.Tx) error {
				_, _, err := tx.CreatePeriod(ctx, p)
				return err
			})
			if err == nil {
				t.Errorf("a term %s was written", what)
			}
		}
		if list, err := st.Reader().Periods(ctx, 0); err != nil || len(list) != 0 {
			t.Errorf("there are %v (%v)", periodNames(list), err)
		}
	})
}
