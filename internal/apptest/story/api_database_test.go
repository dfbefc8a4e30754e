package story_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
	_ "modernc.org/sqlite"             // registers the driver "sqlite"
)

// lookInto opens the database beside the server, to look on.
func lookInto(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	driver, source := "pgx", dsn
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		driver, source = "sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// rows reads a query's answer, each row as one text.
func (s *school) rows(t *testing.T, query string, args ...any) []string {
	t.Helper()
	found, err := s.db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer found.Close()
	columns, err := found.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for found.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		if err := found.Scan(values...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		var b strings.Builder
		for i, name := range columns {
			fmt.Fprintf(&b, "%s=%v ", name, *values[i].(*any))
		}
		list = append(list, b.String())
	}
	if err := found.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return list
}

func (s *school) number(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	if err := s.db.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// referring is everything that refers to people and that a first sign-in must
// leave as it is, to the last byte.
func (s *school) referring(t *testing.T) map[string]string {
	t.Helper()
	tables := map[string]string{}
	for table, order := range map[string]string{
		"courses": "id", "course_roles": "id", "enrollments": "course_id, user_id", "course_privileges": "course_id, user_id",
		"api_tokens": "id",
	} {
		columns := "*"
		if table == "api_tokens" {
			columns = "id, user_id, name, scopes" // when it was last used is not what it says
		}
		tables[table] = strings.Join(s.rows(t, "SELECT "+columns+" FROM "+table+" ORDER BY "+order), "\n")
	}
	return tables
}

// reference is a column that leads to users.
type reference struct{ table, column string }

// references lists the declared foreign keys to users, as the database has
// them. All are of one column.
func (s *school) references(t *testing.T) []reference {
	t.Helper()
	query := `SELECT m.name, f."from" FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f
		WHERE m.type = 'table' AND f."table" = 'users'`
	if s.engine == "postgres" {
		query = `SELECT c.conrelid::regclass::text, a.attname::text FROM pg_constraint c
			JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
			WHERE c.contype = 'f' AND c.confrelid = 'users'::regclass AND cardinality(c.conkey) = 1`
	}
	return s.pairs(t, query)
}

// nullable lists every column that may be null.
func (s *school) nullable(t *testing.T) []reference {
	t.Helper()
	query := `SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c."notnull" = 0`
	if s.engine == "postgres" {
		query = `SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public' AND is_nullable = 'YES'`
	}
	return s.pairs(t, query)
}

// personColumns lists every column whose name says that it holds a person, so
// that one without a foreign key is seen too.
func (s *school) personColumns(t *testing.T) []reference {
	t.Helper()
	const like = `(%[1]s = 'user_id' OR %[1]s = 'actor_id' OR %[1]s = 'subject_id' OR %[1]s LIKE '%%\_by' ESCAPE '\')`
	query := `SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND ` + fmt.Sprintf(like, "c.name")
	if s.engine == "postgres" {
		query = `SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public' AND ` + fmt.Sprintf(like, "column_name")
	}
	return s.pairs(t, query)
}

func (s *school) pairs(t *testing.T, query string) []reference {
	t.Helper()
	found, err := s.db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer found.Close()
	var list []reference
	for found.Next() {
		var r reference
		if err := found.Scan(&r.table, &r.column); err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(list, func(a, b reference) int { return strings.Compare(a.table+"."+a.column, b.table+"."+b.column) })
	return list
}

func (s *school) referencesHold(t *testing.T) {
	references := s.references(t)
	for _, known := range []reference{
		{"users", "created_by"},
		{"emails", "user_id"},
		{"identities", "user_id"},
		{"sessions", "user_id"},
		{"api_tokens", "user_id"},
		{"courses", "created_by"},
		{"enrollments", "user_id"},
		{"enrollments", "added_by"},
		{"course_privileges", "user_id"},
		{"course_privileges", "granted_by"},
		{"audit_entries", "actor_id"},
		{"audit_entries", "subject_id"},
	} {
		if !slices.Contains(references, known) {
			t.Errorf("%s.%s is no declared reference to users", known.table, known.column)
		}
	}
	for _, r := range s.personColumns(t) {
		if !slices.Contains(references, r) {
			t.Errorf("%s.%s names a person and is no declared reference to users", r.table, r.column)
		}
	}
	nullable := s.nullable(t)
	for _, r := range references {
		if (r == reference{"users", "merged_into"}) {
			continue // to whom an account leads that is nobody's any more: nothing refers to a person by it (ADR 40)
		}
		if slices.Contains(nullable, r) {
			t.Errorf("%s.%s may be null", r.table, r.column)
		}
		if n := s.number(t, fmt.Sprintf(`SELECT count(*) FROM %[1]s WHERE %[2]s IS NULL OR %[2]s NOT IN (SELECT id FROM users)`, r.table, r.column)); n != 0 {
			t.Errorf("%d rows of %s have no person in %s", n, r.table, r.column)
		}
	}
	// I1, I2 and I3 of the invariants, as far as the story goes.
	for _, c := range []struct {
		want int
		what string
		sql  string
	}{
		{0, "addresses belong to two people", `SELECT count(*) - count(DISTINCT lower(address)) FROM emails`},
		{allStudents + 2, "people have an address", `SELECT count(DISTINCT user_id) FROM emails`},
		{allStudents + 2, "people have an identity", `SELECT count(DISTINCT user_id) FROM identities`},
		{0, "active people have no identity", `SELECT count(*) FROM users WHERE kind = 'person' AND status = 'active' AND id NOT IN (SELECT user_id FROM identities)`},
		{allStudents + 2, "people are active", `SELECT count(*) FROM users WHERE kind = 'person' AND status = 'active'`},
		{0, "people still wait", `SELECT count(*) FROM users WHERE status = 'pending'`},
	} {
		if n := s.number(t, c.sql); n != c.want {
			t.Errorf("%d %s, want %d", n, c.what, c.want)
		}
	}
}
