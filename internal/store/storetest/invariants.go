package storetest

import (
	"context"
	"database/sql"
	"net/url"
	"strings"
	"testing"

	"matricula/internal/store"
)

// Invariants fails a test that leaves data behind of which an invariant does
// not hold, as "matricula doctor --invariants" does. Tests of races and of
// faults end with it.
func (d *Database) Invariants(tb testing.TB) {
	tb.Helper()
	Invariants(tb, d.OpenUnstarted(tb))
}

// Invariants is Database.Invariants for a store that is open.
func Invariants(tb testing.TB, st *store.Store) {
	tb.Helper()
	list, err := st.CheckInvariants(context.Background())
	if err != nil {
		tb.Errorf("check the invariants: %v", err)
	}
	for _, i := range list {
		if i.Violations > 0 {
			tb.Errorf("%s does not hold, %d times: %s: %q", i.Name, i.Violations, i.Says, i.Examples)
		}
	}
}

// Unguarded opens the database for a test that breaks it on purpose: neither
// foreign keys nor triggers hold on this connection, and on SQLite no trigger
// holds anywhere any more. Uniqueness and checks of values do hold.
func (d *Database) Unguarded(tb testing.TB) *sql.DB {
	tb.Helper()
	if d.Engine == SQLite {
		db := d.SQL(tb)
		db.SetMaxOpenConns(1)
		Exec(tb, db, `PRAGMA foreign_keys = off`)
		for _, name := range triggers(tb, db) {
			Exec(tb, db, `DROP TRIGGER `+quote(name))
		}
		return db
	}
	u, err := url.Parse(d.DSN)
	if err != nil {
		tb.Fatal(err)
	}
	u.User = url.User(superuser)
	q := u.Query()
	q.Set("session_replication_role", "replica")
	u.RawQuery = q.Encode()
	return (&Database{d.Engine, u.String()}).SQL(tb)
}

func triggers(tb testing.TB, db *sql.DB) []string {
	tb.Helper()
	all := Query1[string](tb, db, `SELECT COALESCE(group_concat(name), '') FROM sqlite_schema WHERE type = 'trigger'`)
	return strings.FieldsFunc(all, func(r rune) bool { return r == ',' })
}
