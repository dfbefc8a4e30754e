package store_test

import (
	"fmt"
	"testing"

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
