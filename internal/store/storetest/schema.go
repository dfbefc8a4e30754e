package storetest

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
)

// Column is a column of a table.
type Column struct {
	Table, Name string
	Nullable    bool
}

func (c Column) String() string { return c.Table + "." + c.Name }

// Columns lists every column of the program's own tables.
func (d *Database) Columns(tb testing.TB, db *sql.DB) []Column {
	tb.Helper()
	query := `SELECT table_name, column_name, is_nullable = 'YES' FROM information_schema.columns
		WHERE table_schema = 'public' ORDER BY 1, 2`
	if d.Engine == SQLite {
		query = `SELECT t.name, c.name, c."notnull" = 0 FROM sqlite_schema t, pragma_table_info(t.name) c
			WHERE t.type = 'table' ORDER BY 1, 2`
	}
	return columns(tb, db, query)
}

// Texts lists every column of the program's own tables that holds text or bytes.
func (d *Database) Texts(tb testing.TB, db *sql.DB) []Column {
	tb.Helper()
	query := `SELECT table_name, column_name, is_nullable = 'YES' FROM information_schema.columns
		WHERE table_schema = 'public' AND data_type NOT IN ('bigint', 'integer', 'boolean', 'date', 'timestamp with time zone') ORDER BY 1, 2`
	if d.Engine == SQLite {
		query = `SELECT t.name, c.name, c."notnull" = 0 FROM sqlite_schema t, pragma_table_info(t.name) c
			WHERE t.type = 'table' AND c.type NOT IN ('INTEGER', 'BOOLEAN', 'DATE', 'TIMESTAMP') ORDER BY 1, 2`
	}
	return columns(tb, db, query)
}

// References lists every column with a declared foreign key to a table.
func (d *Database) References(tb testing.TB, db *sql.DB, table string) []Column {
	tb.Helper()
	query := `SELECT c.conrelid::regclass::text, a.attname, NOT a.attnotnull
		FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
		WHERE c.contype = 'f' AND c.confrelid = $1::regclass ORDER BY 1, 2`
	if d.Engine == SQLite {
		query = `SELECT t.name, k."from", c."notnull" = 0
			FROM sqlite_schema t, pragma_foreign_key_list(t.name) k, pragma_table_info(t.name) c
			WHERE t.type = 'table' AND k."table" = $1 AND c.name = k."from" ORDER BY 1, 2`
	}
	return columns(tb, db, query, table)
}

func columns(tb testing.TB, db *sql.DB, query string, args ...any) []Column {
	tb.Helper()
	rows, err := db.Query(query, args...)
	if err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var list []Column
	for rows.Next() {
		var c Column
		if err := rows.Scan(&c.Table, &c.Name, &c.Nullable); err != nil {
			tb.Fatal(err)
		}
		if !strings.HasPrefix(c.Table, "goose_") && !strings.HasPrefix(c.Table, "user_search") && !strings.HasPrefix(c.Table, "sqlite_") {
			list = append(list, c)
		}
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	return list
}

// WatchChanges counts, by triggers on every table, each row that is inserted,
// updated or deleted from now on, whoever does it. What it returns reads the
// counts, such as "users UPDATE": 1, and begins again from nothing.
func (d *Database) WatchChanges(tb testing.TB) func() map[string]int {
	tb.Helper()
	db := d.SQL(tb)
	number := map[string]string{SQLite: "INTEGER PRIMARY KEY", PostgreSQL: "BIGINT GENERATED ALWAYS AS IDENTITY"}[d.Engine]
	Exec(tb, db, `CREATE TABLE watched_changes (n `+number+`, what TEXT NOT NULL)`)
	if d.Engine == PostgreSQL {
		Exec(tb, db, `CREATE FUNCTION watch_change() RETURNS trigger LANGUAGE plpgsql AS $$
			BEGIN
				INSERT INTO watched_changes (what) VALUES (TG_TABLE_NAME || ' ' || TG_OP);
				RETURN NULL;
			END $$`)
	}
	done := map[string]bool{"watched_changes": true}
	for _, c := range d.Columns(tb, db) {
		if done[c.Table] {
			continue
		}
		done[c.Table] = true
		for _, change := range []string{"INSERT", "UPDATE", "DELETE"} {
			name := fmt.Sprintf("watch_%s_%s", c.Table, strings.ToLower(change))
			body := "EXECUTE FUNCTION watch_change()"
			if d.Engine == SQLite {
				body = fmt.Sprintf("BEGIN INSERT INTO watched_changes (what) VALUES ('%s %s'); END", c.Table, change)
			}
			Exec(tb, db, fmt.Sprintf("CREATE TRIGGER %s AFTER %s ON %s FOR EACH ROW %s", name, change, c.Table, body))
		}
	}
	return func() map[string]int {
		tb.Helper()
		rows, err := db.Query(`SELECT what, count(*) FROM watched_changes GROUP BY what`)
		if err != nil {
			tb.Fatal(err)
		}
		defer rows.Close()
		counts := map[string]int{}
		for rows.Next() {
			var what string
			var n int
			if err := rows.Scan(&what, &n); err != nil {
				tb.Fatal(err)
			}
			counts[what] = n
		}
		if err := rows.Err(); err != nil {
			tb.Fatal(err)
		}
		Exec(tb, db, `DELETE FROM watched_changes`)
		return counts
	}
}
