package store_test

import (
	"fmt"
	"testing"

	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

// TestPlansOfANewInstallationDoNotStay names a few people, so that every plan is
// made while the tables are nearly empty, and then many: no check of a foreign key,
// and no look for an address, may go on reading the whole table.
func TestPlansOfANewInstallationDoNotStay(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, storetest.PostgreSQL)
	st := db.Open(t)
	_, roles := course(t, st, "Algorithms")
	for i := range 8 { // a generic plan is made at the sixth time
		enroll(t, st, roles["student"], nameOne(t, st, fmt.Sprintf("first%d@uni.example", i)))
	}
	const batches, size = 6, 1000
	for b := range batches {
		list := make([]string, size)
		for i := range list {
			list[i] = fmt.Sprintf("s%05d@uni.example", b*size+i)
		}
		enroll(t, st, roles["student"], nameAll(t, st, list...)...)
	}
	sql := db.SQL(t)
	sql.SetMaxOpenConns(1)
	if err := st.Close(); err != nil { // with its connections, what they have counted is told
		t.Fatal(err)
	}
	for _, table := range []string{"users", "emails"} {
		size := storetest.Query1[int64](t, sql, `SELECT count(*) FROM `+table)
		known := storetest.Query1[float64](t, sql, `SELECT reltuples FROM pg_class WHERE oid = '`+table+`'::regclass`)
		read := storetest.Query1[int64](t, sql, `SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = '`+table+`'`)
		if known < 1000 || read > 100*size {
			t.Errorf("%s: %d rows, of which the planner knows %.0f; %d were read one after the other", table, size, known, read)
		}
	}
}

// TestPeopleArePlannedForTheirCourse makes sure that no connection keeps a plan for
// the people of all courses, which is wrong for every other one where one course
// holds most of a school.
func TestPeopleArePlannedForTheirCourse(t *testing.T) {
	t.Parallel()
	st := storetest.New(t, storetest.PostgreSQL).Open(t)
	id, roles := course(t, st, "Algorithms")
	enroll(t, st, roles["student"], nameOne(t, st, "ada@uni.example"))
	st.ReadPool().SetMaxOpenConns(1)
	for range 8 { // a generic plan is made at the sixth time
		people, err := st.Reader().People(t.Context(), store.PeopleQuery{CourseID: id, Limit: 10})
		if err != nil || len(people) != 1 {
			t.Fatalf("%v (%v)", people, err)
		}
		if n, err := st.Reader().PeopleCounts(t.Context(), id, "", 0); err != nil || n.All != 1 {
			t.Fatalf("%+v (%v)", n, err)
		}
		if _, _, err := st.Reader().Course(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	kept := func(part string) (n int) {
		t.Helper()
		if err := st.ReadPool().QueryRow(`SELECT count(*) FROM pg_prepared_statements WHERE strpos(statement, $1) > 0`, part).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := kept("SELECT user_id FROM enrollments"); n != 0 {
		t.Errorf("%d statements about people are kept with their plans", n)
	}
	if kept("FROM courses") == 0 {
		t.Error("no other statement is kept, so that this test proves nothing")
	}
}
