package histories_test

import (
	"database/sql"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

// What CI runs: a few thousand short histories. Whoever has more time gives other
// numbers, see the comment of the package.
const (
	usualChecks = "2500"
	usualSteps  = "30"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// A history allocates much and keeps little.
	debug.SetGCPercent(400)
	// Rapid's own numbers, which are for tests of functions, are not what anybody asks for.
	for name, value := range map[string]string{"rapid.checks": usualChecks, "rapid.steps": usualSteps} {
		if f := flag.Lookup(name); f.Value.String() == f.DefValue {
			if err := f.Value.Set(value); err != nil {
				panic(err)
			}
		}
	}
	storetest.Main(m)
}

// share has each of some tests run its share of the histories, until the test ends.
func share(t *testing.T, among int) {
	checks := flag.Lookup("rapid.checks").Value
	before := checks.String()
	n, err := strconv.Atoi(before)
	must(t, err)
	must(t, checks.Set(strconv.Itoa((n+among-1)/among)))
	t.Cleanup(func() { must(t, checks.Set(before)) })
}

// TestHistoriesOnSQLite uses all CPUs, each for histories of its own.
func TestHistoriesOnSQLite(t *testing.T) {
	workers := runtime.GOMAXPROCS(0)
	share(t, workers)
	for n := range workers {
		t.Run(strconv.Itoa(n+1), func(t *testing.T) {
			t.Parallel()
			f, counted := newFile(t), tally{}
			defer counted.log(t)
			rapid.Check(t, func(rt *rapid.T) {
				f.reset(rt)
				begin(rt, f, counted).live(rt)
			})
		})
	}
}

// file is a SQLite database that many histories use, one after the other. Most of what
// a history costs would else be opening it, and preparing the statements.
type file struct {
	path    string
	blank   []byte
	store   *store.Store
	sql     *sql.DB
	all     *sql.Stmt
	version *sql.Stmt
}

func newFile(t *testing.T) *file {
	blank, err := os.ReadFile(strings.TrimPrefix(storetest.New(t, storetest.SQLite).DSN, "sqlite:"))
	must(t, err)
	f := &file{path: filepath.Join(folder(t), "history.db"), blank: blank}
	must(t, os.WriteFile(f.path, blank, 0o600))
	f.sql, err = sql.Open("sqlite", "file:"+f.path+"?_pragma=busy_timeout(5000)")
	must(t, err)
	f.sql.SetMaxOpenConns(1)
	f.all, err = f.sql.Prepare(sqlLines)
	must(t, err)
	f.version, err = f.sql.Prepare(`PRAGMA data_version`)
	must(t, err)
	t.Cleanup(func() {
		if f.store != nil {
			must(t, f.store.Close())
		}
		must(t, f.sql.Close())
	})
	return f
}

// reset makes the file what it was before anything happened, under the feet of all who
// have it open: the log goes into the file, the file is written over, and a change by
// somebody who has read nothing yet tells the others to read it anew.
func (f *file) reset(t *rapid.T) {
	if f.store == nil {
		return // it is new
	}
	var busy, log, moved int
	if err := f.sql.QueryRow(`PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &log, &moved); err != nil || busy != 0 {
		t.Fatalf("empty the log: %d, %v", busy, err)
	}
	if err := os.WriteFile(f.path, f.blank, 0o600); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite", "file:"+f.path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.Exec(`PRAGMA user_version = 1`); err != nil {
		t.Fatal(err)
	}
}

func (f *file) raw() *sql.DB     { return f.sql }
func (f *file) lines() *sql.Stmt { return f.all }

func (f *file) open(t *rapid.T) *store.Store {
	if f.store == nil {
		f.store = opened(t, "sqlite:"+f.path)
	}
	return f.store
}

func opened(t *rapid.T, dsn string) *store.Store {
	s, err := store.Open(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

func (f *file) restart(t *rapid.T) {
	if err := f.store.Close(); err != nil {
		t.Fatal(err)
	}
	f.store = nil
}

func (f *file) changed(t *rapid.T) string {
	var n int64
	if err := f.version.QueryRow().Scan(&n); err != nil {
		t.Fatal(err)
	}
	return strconv.FormatInt(n, 10)
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

// TestHistoriesOnPostgreSQL runs one history for each hundred on SQLite: making a
// database takes longer there than using it.
func TestHistoriesOnPostgreSQL(t *testing.T) {
	share(t, 100)
	rapid.Check(t, func(rt *rapid.T) {
		d := newServer(t, rt)
		defer d.close(rt)
		begin(rt, d, tally{}).live(rt)
	})
}

// server is a database on PostgreSQL of one history.
type server struct {
	dsn   string
	store *store.Store
	sql   *sql.DB
	all   *sql.Stmt
}

func newServer(t *testing.T, rt *rapid.T) *server {
	d := &server{dsn: storetest.New(t, storetest.PostgreSQL).DSN}
	var err error
	if d.sql, err = sql.Open("pgx", d.dsn); err != nil {
		rt.Fatal(err)
	}
	if d.all, err = d.sql.Prepare(sqlLines); err != nil {
		rt.Fatal(err)
	}
	return d
}

func (d *server) raw() *sql.DB            { return d.sql }
func (d *server) lines() *sql.Stmt        { return d.all }
func (d *server) changed(*rapid.T) string { return "" }

func (d *server) open(t *rapid.T) *store.Store {
	if d.store == nil {
		d.store = opened(t, d.dsn)
	}
	return d.store
}

func (d *server) restart(t *rapid.T) {
	if d.store == nil {
		return
	}
	if err := d.store.Close(); err != nil {
		t.Error(err)
	}
	d.store = nil
}

func (d *server) close(t *rapid.T) {
	d.restart(t)
	if err := d.sql.Close(); err != nil {
		t.Error(err)
	}
}

// log tells with -v what the histories were about.
func (c tally) log(t *testing.T) {
	for _, what := range slices.Sorted(maps.Keys(c)) {
		t.Logf("%8d %s", c[what], what)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// live lets a history happen.
func (w *world) live(t *rapid.T) { t.Repeat(w.actions()) }
