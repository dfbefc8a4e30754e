package storetest_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"matricula/internal/store/storetest"
)

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func exec1(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func query1[T any](t *testing.T, db *sql.DB, statement string) T {
	t.Helper()
	var v T
	if err := db.QueryRow(statement).Scan(&v); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return v
}

func TestPostgresGivesEachTestADatabaseOfItsOwn(t *testing.T) {
	a, b := open(t, storetest.Postgres(t)), open(t, storetest.Postgres(t))
	exec1(t, a, `CREATE TABLE only_here (id int)`)
	if got := query1[bool](t, b, `SELECT to_regclass('only_here') IS NULL`); !got {
		t.Error("a table made in one database is in the other")
	}
}

func TestPostgresIsAsStrictAsAnInstallation(t *testing.T) {
	db := open(t, storetest.Postgres(t))
	for setting, want := range map[string]string{
		"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on",
		"server_encoding": "UTF8", "lc_collate": "C.UTF-8", "is_superuser": "off",
	} {
		if got := query1[string](t, db, `SHOW `+setting); got != want {
			t.Errorf("%s is %q, want %q", setting, got, want)
		}
	}
	exec1(t, db, `CREATE EXTENSION pg_trgm`)
}

func TestPostgresDropsTheDatabaseWithOpenConnections(t *testing.T) {
	var name string
	t.Run("a test that leaks a connection", func(t *testing.T) {
		db, err := sql.Open("pgx", storetest.Postgres(t))
		if err != nil {
			t.Fatal(err)
		}
		name = query1[string](t, db, `SELECT current_database()`)
	})
	if query1[bool](t, storetest.Admin(t), `SELECT EXISTS (SELECT FROM pg_database WHERE datname = '`+name+`')`) {
		t.Errorf("the database %s outlived its test", name)
	}
}

func TestPostgresFromCopiesATemplateThatIsPreparedOnce(t *testing.T) {
	// A template lives as long as the test process, which may run this test
	// more than once.
	name := fmt.Sprintf("numbers%d", time.Now().UnixNano())
	prepared := 0
	prepare := func(dsn string) error {
		prepared++
		db, err := sql.Open("pgx", dsn)
		if err != nil {
			return err
		}
		_, err = db.Exec(`CREATE TABLE numbers AS SELECT generate_series(1, 3) AS n`)
		return errors.Join(err, db.Close())
	}
	for range 2 {
		db := open(t, storetest.PostgresFrom(t, name, prepare))
		if got := query1[int](t, db, `SELECT count(*) FROM numbers`); got != 3 {
			t.Errorf("the copy has %d rows, want 3", got)
		}
		exec1(t, db, `DELETE FROM numbers`)
	}
	if prepared != 1 {
		t.Errorf("the template was prepared %d times, want once", prepared)
	}
}

func TestPrivateClusterKeepsWhatItAcknowledgedThroughEveryKindOfStop(t *testing.T) {
	start := time.Now()
	c := storetest.PrivateCluster(t)
	t.Logf("a cluster is up after %v", time.Since(start).Round(time.Millisecond))
	db := open(t, c.DSN())
	exec1(t, db, `CREATE TABLE kept (id int)`)
	stops := map[string]func() error{"Stop": c.Stop, "StopImmediate": c.StopImmediate, "Kill": c.Kill}
	rows := 0
	for name, stop := range stops {
		rows++
		exec1(t, db, fmt.Sprintf(`INSERT INTO kept VALUES (%d)`, rows))
		if err := stop(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if c.Running() {
			t.Errorf("the cluster says that it runs after %s", name)
		}
		if err := db.Ping(); err == nil {
			t.Errorf("the server still answers after %s", name)
		}
		start := time.Now()
		if err := c.Start(); err != nil {
			t.Fatalf("start after %s: %v", name, err)
		}
		t.Logf("up again %v after %s", time.Since(start).Round(time.Millisecond), name)
		if got := query1[int](t, db, `SELECT count(*) FROM kept`); got != rows {
			t.Errorf("%d rows after %s, want %d", got, name, rows)
		}
	}
}

func TestPrivateClusterLeavesNothingBehind(t *testing.T) {
	var folder string
	t.Run("a test with a cluster of its own", func(t *testing.T) {
		folder = query1[string](t, storetest.PrivateCluster(t).Admin(), `SHOW data_directory`)
	})
	out, err := exec.Command("pgrep", "-f", folder).Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if pids := strings.Fields(string(out)); len(pids) > 0 {
		t.Errorf("processes %v still run in %s", pids, folder)
	}
	if err := exec.Command("test", "-e", folder).Run(); err == nil {
		t.Errorf("the folder %s is still there", folder)
	}
}

func BenchmarkDatabase(b *testing.B) {
	for b.Loop() {
		storetest.Postgres(b)
	}
}
