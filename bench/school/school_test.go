package school_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"matricula/bench/school"
	"matricula/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var small = school.Size{People: 300, Courses: 7, Enrollments: 500}

// counted is what a small school holds, with ten things waiting for each of
// three further people.
var counted = map[string]int64{
	"SELECT count(*) FROM users WHERE kind = 'person'":                                                            303,
	"SELECT count(*) FROM emails WHERE is_primary":                                                                303,
	"SELECT count(*) FROM courses":                                                                                7,
	"SELECT count(*) FROM enrollments":                                                                            500 + 3*5,
	"SELECT count(*) FROM course_privileges WHERE granted_at > '2026-01-01'":                                      21 + 3*5,
	"SELECT count(*) FROM audit_entries":                                                                          0,
	"SELECT count(*) FROM users WHERE status = 'active' AND kind = 'person' AND claimed_at IS NULL":               0,
	"SELECT count(*) FROM courses c WHERE 1 <> (" + activeOwners + " AND en.course_id = c.id)":                    0,
	"SELECT count(*) FROM users u JOIN emails e ON e.user_id = u.id WHERE u.search_key NOT LIKE '%' || e.address": 0,
}

const activeOwners = `SELECT count(*) FROM enrollments en JOIN course_roles r ON r.id = en.role_id AND r.key = 'owner'
	JOIN users u ON u.id = en.user_id AND u.status = 'active' WHERE TRUE`

func TestTheSchoolHasWhatWasAskedForOnBothEngines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "school.db")
	var built []*school.School
	for _, engine := range []struct{ name, driver, dsn, source string }{
		{"sqlite", "sqlite", "sqlite:" + file, file},
		{"postgres", "pgx", storetest.Postgres(t), ""},
	} {
		t.Run(engine.name, func(t *testing.T) {
			s, err := school.Build(t.Context(), engine.dsn, small)
			if err != nil {
				t.Fatal(err)
			}
			built = append(built, s)
			waiting, err := s.Waiting(t.Context(), engine.dsn, s.People[len(s.People)-1].ID+1, 3, 10)
			if err != nil {
				t.Fatal(err)
			}
			if len(waiting) != 3 {
				t.Fatalf("%d people wait, want 3", len(waiting))
			}
			if engine.source == "" {
				engine.source = engine.dsn
			}
			db, err := sql.Open(engine.driver, engine.source)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if engine.name == "sqlite" {
				if got := count(t, t.Context(), db, "SELECT count(*) FROM pragma_foreign_key_check"); got != 0 {
					t.Errorf("%d rows refer to one that is not there", got)
				}
			}
			for query, want := range counted {
				if got := count(t, t.Context(), db, query); got != want {
					t.Errorf("%s: %d, want %d", query, got, want)
				}
			}
		})
	}
	if len(built) == 2 && !cmp.Equal(built[0].People, built[1].People) {
		t.Error("the same size gave different people")
	}
}

func count(t *testing.T, ctx context.Context, db *sql.DB, query string) (n int64) {
	t.Helper()
	if err := db.QueryRowContext(ctx, query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func TestImpossibleSchoolsAreRefused(t *testing.T) {
	for _, size := range []school.Size{{}, {People: 100}, {People: 100, Courses: 1, Enrollments: 90}, {People: 200, Courses: 10, Enrollments: 5}} {
		if _, err := school.Build(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "school.db"), size); err == nil {
			t.Errorf("%+v was accepted", size)
		}
	}
}
