package histories_test

import (
	"database/sql"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"matricula/internal/store/storetest"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// Thirty steps are hardly more than what it takes to have a course with people.
	if err := setUnlessGiven("rapid.steps", "60"); err != nil {
		panic(err)
	}
	storetest.Main(m)
}

// setUnlessGiven sets a flag that nobody has given.
func setUnlessGiven(name, value string) error {
	f := flag.Lookup(name)
	if f.Value.String() != f.DefValue {
		return nil
	}
	return f.Value.Set(value)
}

// TestHistoriesOnSQLite gives each history the same file, which begins anew.
func TestHistoriesOnSQLite(t *testing.T) {
	blank, err := os.ReadFile(strings.TrimPrefix(storetest.New(t, storetest.SQLite).DSN, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder(t), "history.db")
	rapid.Check(t, func(rt *rapid.T) {
		for _, suffix := range []string{"-wal", "-shm"} {
			if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
				rt.Fatal(err)
			}
		}
		if err := os.WriteFile(path, blank, 0o600); err != nil {
			rt.Fatal(err)
		}
		history(rt, "sqlite:"+path, "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_pragma=query_only(1)")
	})
}

// folder is one in memory where the machine has that: what these tests find does
// not depend on the disk, and the disk is most of their time.
func folder(t *testing.T) string {
	memory, err := os.MkdirTemp("/dev/shm", "matricula-histories-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(memory); err != nil {
			t.Error(err)
		}
	})
	return memory
}

// TestHistoriesOnPostgreSQL runs few histories unless others are asked for: making
// a database takes longer there than using it.
func TestHistoriesOnPostgreSQL(t *testing.T) {
	checks := flag.Lookup("rapid.checks").Value
	before := checks.String()
	must(t, setUnlessGiven("rapid.checks", "25"))
	defer func() { must(t, checks.Set(before)) }()
	rapid.Check(t, func(rt *rapid.T) {
		dsn := storetest.New(t, storetest.PostgreSQL).DSN
		history(rt, dsn, "pgx", dsn)
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func history(rt *rapid.T, dsn, driver, rawDSN string) {
	raw, err := sql.Open(driver, rawDSN)
	if err != nil {
		rt.Fatal(err)
	}
	defer raw.Close()
	w := begin(rt, dsn, raw)
	defer func() {
		if err := w.close(); err != nil {
			rt.Error(err)
		}
	}()
	rt.Repeat(w.actions())
}
