package store_test

import (
	"strings"
	"testing"

	"matricula/internal/store/storetest"
)

// A trigger that sees all that a statement has added looks each person up by their
// key. Written as a join, it is the planner's to turn round: in a database of which it
// knows nothing, the time of a class list then grows with the square of its length.
func TestWhatAStatementAddsIsLookedUpRowByRow(t *testing.T) {
	db := storetest.New(t, "postgres")
	rows, err := db.SQL(t).Query(`SELECT t.tgname, p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
WHERE t.tgnewtable IS NOT NULL ORDER BY t.tgname`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	seen := 0
	for rows.Next() {
		var trigger, source string
		if err := rows.Scan(&trigger, &source); err != nil {
			t.Fatal(err)
		}
		seen++
		words := strings.Join(strings.Fields(strings.ToUpper(source)), " ")
		for _, turned := range []string{" JOIN ", " IN (SELECT", "FROM USERS, ", "ADDED, ", ", ADDED"} {
			if strings.Contains(words, turned) {
				t.Errorf("the trigger %s has %q; write it as (SELECT … FROM users u WHERE u.id = a.…) of each row of added:\n%s", trigger, strings.TrimSpace(turned), source)
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Error("no trigger that sees what a statement adds was found")
	}
}
