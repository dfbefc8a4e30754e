// Package storetest is the kit with which every package tests against real
// databases: a PostgreSQL server of the test process's own, and the suite that
// the store passes on both engines. Production code never imports it.
package storetest

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"matricula/internal/apptest/leash"
)

const (
	// owner is the role that tests connect as. It is no superuser, so that a
	// test cannot pass on rights that an installation does not give.
	owner     = "matricula"
	superuser = "postgres"
)

// Cluster is one PostgreSQL server with a data folder of its own, listening on
// loopback. Its settings keep what was acknowledged, as an installation's
// do: fsync, full_page_writes and synchronous_commit are on.
type Cluster struct {
	folder, binaries string
	port             int
	credential       *syscall.Credential // nil when the tests do not run as root
	leash            *leash.Leash
	admin            *sql.DB
	first            string // name of the database that DSN leads to
	named            atomic.Int64

	mu     sync.Mutex // guards what follows: one Start or Stop at a time
	server *exec.Cmd
	exited chan struct{}

	templatesMu sync.Mutex
	templates   map[string]*template
}

type template struct {
	once sync.Once
	err  error
}

// shared is the cluster that all tests of this process use, started when the
// first of them asks.
var shared = sync.OnceValues(newCluster)

// sharedStarted tells Main whether there is anything to stop.
var sharedStarted atomic.Bool

// Main runs the tests of a package, then stops the shared cluster and removes
// its folder:
//
//	func TestMain(m *testing.M) { storetest.Main(m) }
//
// A package without it leaves nothing behind either; only the end of its test
// process does not wait until all is removed.
func Main(m *testing.M) {
	code := m.Run()
	if err := Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// Close stops the shared cluster, if any test started it, and removes its
// folder. It is for a TestMain that has more to do than Main.
func Close() error {
	if !sharedStarted.Load() {
		return nil
	}
	c, err := shared()
	if err != nil {
		return nil // the tests that asked for it have said why
	}
	return c.Close()
}

// Postgres returns the address of an empty database of this test's own, which
// is dropped when the test ends. The server is shared by the test process and
// starts when the first test asks for it.
func Postgres(tb testing.TB) string {
	tb.Helper()
	return sharedCluster(tb).Database(tb)
}

// PostgresFrom is like Postgres, but the database starts as a copy of a template
// that prepare fills once for each name in the life of the test process: a
// schema that many tests need is migrated once. No connection to the template
// may stay open when prepare returns.
func PostgresFrom(tb testing.TB, name string, prepare func(dsn string) error) string {
	tb.Helper()
	return sharedCluster(tb).DatabaseFrom(tb, name, prepare)
}

// Admin connects to the shared cluster as its superuser, for what a test does
// to a database from outside, such as ending its connections.
func Admin(tb testing.TB) *sql.DB {
	tb.Helper()
	return sharedCluster(tb).Admin()
}

func sharedCluster(tb testing.TB) *Cluster {
	tb.Helper()
	sharedStarted.Store(true)
	c, err := shared()
	if err != nil {
		tb.Fatalf("PostgreSQL: %v", err)
	}
	return c
}

// PrivateCluster starts a server for one test alone, which may stop and start
// it as it likes. It ends with the test.
func PrivateCluster(tb testing.TB) *Cluster {
	tb.Helper()
	c, err := StartCluster()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.Close(); err != nil {
			tb.Error(err)
		}
	})
	return c
}

// StartCluster starts a server for a program that is no test, such as a
// benchmark. Whoever calls it calls Close.
func StartCluster() (*Cluster, error) {
	c, err := newCluster()
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL: %w", err)
	}
	if c.first, err = c.create("template0"); err != nil {
		return nil, errors.Join(fmt.Errorf("PostgreSQL: %w", err), c.Close())
	}
	return c, nil
}

// DSN is the address of the database that a cluster of one's own starts with.
func (c *Cluster) DSN() string { return c.address(owner, c.first) }

// Admin is a pool of superuser connections to the database "postgres".
func (c *Cluster) Admin() *sql.DB { return c.admin }

// Database makes an empty database, which is dropped when the test ends, and
// returns its address.
func (c *Cluster) Database(tb testing.TB) string {
	tb.Helper()
	return c.database(tb, "template0")
}

// DatabaseFrom is what PostgresFrom does, in this cluster.
func (c *Cluster) DatabaseFrom(tb testing.TB, name string, prepare func(dsn string) error) string {
	tb.Helper()
	c.templatesMu.Lock()
	t := c.templates[name]
	if t == nil {
		t = &template{}
		c.templates[name] = t
	}
	c.templatesMu.Unlock()

	source := "template_" + name
	t.once.Do(func() {
		if t.err = c.createNamed(source, "template0"); t.err == nil {
			t.err = prepare(c.address(owner, source))
		}
	})
	if t.err != nil {
		tb.Fatalf("PostgreSQL: prepare the template %q: %v", name, t.err)
	}
	return c.database(tb, source)
}

func (c *Cluster) database(tb testing.TB, source string) string {
	tb.Helper()
	name, err := c.create(source)
	if err != nil {
		tb.Fatalf("PostgreSQL: %v", err)
	}
	tb.Cleanup(func() {
		// FORCE ends connections that the test left open: a leak must not
		// show as a failure of the next test.
		_, err := c.admin.Exec(`DROP DATABASE ` + quote(name) + ` WITH (FORCE)`)
		if err != nil && c.Running() {
			tb.Errorf("PostgreSQL: drop the database %s: %v", name, err)
		}
	})
	return c.address(owner, name)
}

func (c *Cluster) create(source string) (string, error) {
	name := "test_" + strconv.FormatInt(c.named.Add(1), 10)
	return name, c.createNamed(name, source)
}

func (c *Cluster) createNamed(name, source string) error {
	_, err := c.admin.Exec(`CREATE DATABASE ` + quote(name) + ` OWNER ` + owner + ` TEMPLATE ` + quote(source))
	if err != nil {
		return fmt.Errorf("create the database %s from %s: %w", name, source, err)
	}
	return nil
}

func (c *Cluster) address(user, database string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable", user, c.port, database)
}
