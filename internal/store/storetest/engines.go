package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"matricula/internal/store"
)

// The engines on which everything that touches a database is tested.
const (
	SQLite     = "sqlite"
	PostgreSQL = "postgres"
)

// Database is a migrated database of one test's own, without any people but
// Matricula itself.
type Database struct {
	Engine string // SQLite or PostgreSQL
	DSN    string // as store.Open takes it
}

// Each runs a test on both engines, one after the other, each time with a
// database of its own, and in parallel with other tests: making and dropping
// databases is mostly waiting.
//
//	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
//		st := db.Open(t)
//		…
//	})
func Each(t *testing.T, test func(t *testing.T, db *Database)) {
	t.Helper()
	t.Parallel()
	for _, engine := range []string{SQLite, PostgreSQL} {
		t.Run(engine, func(t *testing.T) { test(t, New(t, engine)) })
	}
}

// New makes a migrated database of an engine.
func New(tb testing.TB, engine string) *Database {
	tb.Helper()
	if engine == PostgreSQL {
		return &Database{engine, migratedPostgres(tb)}
	}
	blank, err := migratedFile()
	if err != nil {
		tb.Fatal(err)
	}
	path := filepath.Join(tb.TempDir(), "matricula.db")
	if err := os.WriteFile(path, blank, 0o600); err != nil {
		tb.Fatal(err)
	}
	return &Database{engine, "sqlite:" + path}
}

// Empty gives the address of a database of an engine that nobody has migrated.
func Empty(tb testing.TB, engine string) *Database {
	tb.Helper()
	if engine == PostgreSQL {
		return &Database{engine, Postgres(tb)}
	}
	return &Database{engine, "sqlite:" + filepath.Join(tb.TempDir(), "matricula.db")}
}

// blankTemplate is a migrated database that new ones are copied from.
const blankTemplate = "template_migrated"

var makeBlankTemplate = sync.OnceValue(func() error {
	c, err := shared()
	if err != nil {
		return err
	}
	if err := c.createNamed(blankTemplate, "template0"); err != nil {
		return err
	}
	return migrate(c.address(owner, blankTemplate))
})

// migratedPostgres is what PostgresFrom does, for databases of which a package
// needs very many. Dropping one makes the server write all that it holds to
// the disk, so they are dropped in heaps; what is left at the end goes with the
// server's folder.
func migratedPostgres(tb testing.TB) string {
	tb.Helper()
	c := sharedCluster(tb)
	if err := makeBlankTemplate(); err != nil {
		tb.Fatalf("PostgreSQL: prepare the migrated template: %v", err)
	}
	name, err := c.create(blankTemplate)
	if err != nil {
		tb.Fatalf("PostgreSQL: %v", err)
	}
	tb.Cleanup(func() {
		if err := retired.add(c, name); err != nil {
			tb.Errorf("PostgreSQL: %v", err)
		}
	})
	return c.address(owner, name)
}

// retired are databases whose tests have ended.
var retired heap

type heap struct {
	mu    sync.Mutex
	names []string
}

// heapSize bounds the disk that ended tests hold, at about 8 MB each.
const heapSize = 40

func (h *heap) add(c *Cluster, name string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.names = append(h.names, name); len(h.names) < heapSize {
		return nil
	}
	names := h.names
	h.names = nil
	var errs []error
	for _, n := range names {
		_, err := c.admin.Exec(`DROP DATABASE ` + quote(n) + ` WITH (FORCE)`)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func migrate(dsn string) error {
	ctx := context.Background()
	st, err := store.Open(ctx, dsn)
	if err != nil {
		return err
	}
	return errors.Join(st.Migrate(ctx), st.Close())
}

// migratedFile is a migrated SQLite file, made once for each test process.
var migratedFile = sync.OnceValues(func() (file []byte, err error) {
	folder, err := os.MkdirTemp("", "matricula-template-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	path := filepath.Join(folder, "blank.db")
	if err := migrate("sqlite:" + path); err != nil {
		return nil, fmt.Errorf("migrate a new file: %w", err)
	}
	return os.ReadFile(path)
})

// Open opens the database as one node of the program does, ready for writes,
// until the test ends. On PostgreSQL a test may open as many nodes as it likes.
func (d *Database) Open(tb testing.TB) *store.Store {
	tb.Helper()
	st := d.OpenUnstarted(tb)
	if err := st.Start(context.Background()); err != nil {
		tb.Fatal(err)
	}
	return st
}

// OpenUnstarted opens the database without looking at its schema.
func (d *Database) OpenUnstarted(tb testing.TB) *store.Store {
	tb.Helper()
	st, err := store.Open(context.Background(), d.DSN)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := st.Close(); err != nil {
			tb.Errorf("close the store: %v", err)
		}
	})
	return st
}

// SQL opens the database beside the program, for what a test must see or do
// that the program's own statements cannot. Foreign keys and triggers hold.
func (d *Database) SQL(tb testing.TB) *sql.DB {
	tb.Helper()
	driver, dsn := "pgx", d.DSN
	if path, ok := strings.CutPrefix(d.DSN, "sqlite:"); ok {
		u := url.URL{Scheme: "file", Path: path, RawQuery: "_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_txlock=immediate"}
		driver, dsn = "sqlite", u.String()
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	db.SetMaxOpenConns(4)
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Errorf("close the database: %v", err)
		}
	})
	return db
}

// Query1 reads one value.
func Query1[T any](tb testing.TB, db *sql.DB, query string, args ...any) T {
	tb.Helper()
	var v T
	if err := db.QueryRow(query, args...).Scan(&v); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	return v
}

// Exec runs a statement that must succeed.
func Exec(tb testing.TB, db *sql.DB, statement string, args ...any) {
	tb.Helper()
	if _, err := db.Exec(statement, args...); err != nil {
		tb.Fatalf("%s: %v", statement, err)
	}
}
