// Package store holds all SQL. Its methods say what is read or written, in the
// nouns of package lms; they decide nothing about permission, which is the
// service's work, and know nothing of HTTP.
//
// All writes go through Store.Write, one transaction for each call. On SQLite
// there is one writer connection, and transactions that wait at the same time
// share one commit, each in its own savepoint (see ADR 0007); whoever calls
// sees no difference but speed.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

// Store is a database, SQLite or PostgreSQL.
type Store struct {
	engine engine
	read   *sql.DB // on PostgreSQL the same pool as write
	write  *sql.DB
	cached sync.Map        // *statement -> *sql.Stmt on the read pool, SQLite only
	commit *groupCommitter // SQLite only
	ran    atomic.Int64
	checks atomic.Pointer[allChecks] // of CheckInvariants
}

// Open opens the database that dsn names, "sqlite:PATH" or "postgres://…",
// without touching its schema: call Migrate, or CheckSchema.
func Open(ctx context.Context, dsn string) (*Store, error) {
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		return openSQLite(ctx, path)
	}
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		return openPostgres(ctx, dsn)
	}
	return nil, errors.New("a database is named as sqlite:PATH or postgres://…")
}

func openSQLite(ctx context.Context, path string) (*Store, error) {
	if path == "" {
		return nil, errors.New("sqlite: needs a path to a file, such as sqlite:matricula.db")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %s: %w", path, err)
	}
	common := []string{
		"_pragma=busy_timeout(5000)", "_pragma=foreign_keys(1)", "_pragma=cache_size(-8000)", "_pragma=temp_store(2)",
		"_time_format=sqlite", "_timezone=UTC", "_dqs=0",
	}
	dsn := func(extra ...string) string {
		u := url.URL{Scheme: "file", Path: abs, RawQuery: strings.Join(append(extra, common...), "&")}
		return u.String()
	}
	write, err := sql.Open("sqlite", dsn("_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)", "_txlock=immediate"))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	write.SetMaxOpenConns(1)
	if err := write.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), write.Close())
	}
	read, err := sql.Open("sqlite", dsn("mode=ro", "_pragma=query_only(1)", "_txlock=deferred"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), write.Close())
	}
	readers := max(4, 2*runtime.GOMAXPROCS(0))
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	s := &Store{engine: engineSQLite, read: read, write: write}
	return s, nil
}

// PostgreSQL limits: every wait for the database is bounded.
const (
	pgMaxConns        = 20
	pgConnectTimeout  = 3 * time.Second
	pgConnMaxLifetime = 10 * time.Minute // also bounds the age of cached query plans
)

func openPostgres(_ context.Context, dsn string) (*Store, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		// The parser's message can hold the password.
		return nil, errors.New("the postgres:// address cannot be read: it should look like postgres://user:password@host:5432/database")
	}
	cfg.ConnectTimeout = pgConnectTimeout
	for k, v := range map[string]string{
		"application_name": "matricula", "timezone": "UTC", "synchronous_commit": "on", "statement_timeout": "60s",
		"lock_timeout": "10s", "idle_in_transaction_session_timeout": "60s", "tcp_user_timeout": "10s",
		// Both are for statements of seconds. A page that starts workers waits several
		// milliseconds for them, and much longer on a busy machine.
		"jit": "off", "max_parallel_workers_per_gather": "0",
		// What a page asks for lies in memory or on a disk without a head that moves. With
		// the default of 4, all people are read for the few hundred of a course.
		"random_page_cost": "1.1",
	} {
		if _, set := cfg.RuntimeParams[k]; !set {
			cfg.RuntimeParams[k] = v
		}
	}
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(pgMaxConns)
	db.SetMaxIdleConns(pgMaxConns)
	db.SetConnMaxLifetime(pgConnMaxLifetime)
	return &Store{engine: enginePostgres, read: db, write: db}, nil
}

// Engine names the database: "sqlite" or "postgres".
func (s *Store) Engine() string { return s.engine.String() }

// Close waits for writes that have begun and closes the database.
func (s *Store) Close() error {
	if s.commit != nil {
		s.commit.close()
	}
	s.cached.Range(func(_, p any) bool {
		_ = p.(*sql.Stmt).Close()
		return true
	})
	err := s.read.Close()
	if s.write != s.read {
		err = errors.Join(err, s.write.Close())
	}
	return err
}

// Ran counts the statements that this store has run, without those that begin
// and end transactions: what a use case costs is known by it, whatever the
// machine.
func (s *Store) Ran() int64 { return s.ran.Load() }

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.read.PingContext(ctx); err != nil {
		return classify(fmt.Errorf("ping: %w", err))
	}
	return nil
}

func (s *Store) provider() (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations/"+s.engine.String())
	if err != nil {
		return nil, err
	}
	var opts []goose.ProviderOption
	dialect := goose.DialectSQLite3
	if s.engine == enginePostgres {
		dialect = goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120))
		if err != nil {
			return nil, err
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	}
	return goose.NewProvider(dialect, s.write, dir, opts...)
}

// Migrate brings the schema to this version of the program. Several nodes may
// call it at once: one migrates, the others wait. It refuses a database that a
// newer version has migrated.
func (s *Store) Migrate(ctx context.Context) error {
	if s.commit != nil {
		return errors.New("migrate: the store is already in use")
	}
	p, err := s.provider()
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := s.refuseNewer(ctx, p); err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return classify(fmt.Errorf("migrate: %w", err))
	}
	return s.Start(ctx)
}

// Start makes the store ready for writes. It fails with a clear message when
// the schema is not the one that this program knows.
func (s *Store) Start(ctx context.Context) error {
	p, err := s.provider()
	if err != nil {
		return fmt.Errorf("check schema: %w", err)
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return classify(fmt.Errorf("check schema: %w", err))
	}
	switch {
	case have < want:
		return fmt.Errorf("the database has schema version %d and this program needs %d: run \"matricula migrate\"", have, want)
	case have > want:
		return s.refuseNewer(ctx, p)
	}
	if s.engine == engineSQLite {
		if s.commit, err = newGroupCommitter(ctx, s.write, &s.ran); err != nil {
			return err
		}
	}
	return s.Write(ctx, func(ctx context.Context, tx *Tx) error { return tx.syncPresetRoles(ctx) })
}

func (s *Store) refuseNewer(ctx context.Context, p *goose.Provider) error {
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return classify(fmt.Errorf("check schema: %w", err))
	}
	if have > want {
		return fmt.Errorf("the database has schema version %d, newer than this program's %d: run the newer program", have, want)
	}
	return nil
}

// SchemaVersion is the newest migration that this program knows.
func SchemaVersion() int64 {
	entries, err := migrations.ReadDir("migrations/sqlite")
	if err != nil || len(entries) == 0 {
		return 0
	}
	v, err := goose.NumericComponent(entries[len(entries)-1].Name())
	if err != nil {
		return 0
	}
	return v
}

// CheckDurability lists the settings of the running database under which an
// acknowledged write could be lost, each as a line for the operator. An empty
// list means that what is acknowledged survives a crash.
func (s *Store) CheckDurability(ctx context.Context) ([]string, error) {
	var wants []struct{ query, name, want, cure string }
	add := func(query, name, want, cure string) {
		wants = append(wants, struct{ query, name, want, cure string }{query, name, want, cure})
	}
	if s.engine == enginePostgres {
		for _, name := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
			add("SHOW "+name, name, "on", "set it to on in postgresql.conf")
		}
	} else {
		add("PRAGMA journal_mode", "journal_mode", "wal", "the file system does not support write-ahead logging: use a local disk")
		add("PRAGMA synchronous", "synchronous", "2", "remove the setting that overrides it")
		add("PRAGMA foreign_keys", "foreign_keys", "1", "remove the setting that overrides it")
	}
	var problems []string
	check := func(ctx context.Context, q interface {
		QueryRowContext(context.Context, string, ...any) *sql.Row
	},
	) error {
		for _, w := range wants {
			var got string
			if err := q.QueryRowContext(ctx, w.query).Scan(&got); err != nil {
				return classify(fmt.Errorf("read setting %s: %w", w.name, err))
			}
			if got != w.want {
				problems = append(problems, fmt.Sprintf("%s is %s, not %s, so that a crash could lose what was acknowledged: %s", w.name, got, w.want, w.cure))
			}
		}
		return nil
	}
	var err error
	if s.commit != nil {
		err = s.commit.withConn(ctx, func(c *sql.Conn) error { return check(ctx, c) })
	} else {
		err = check(ctx, s.write)
	}
	return problems, err
}

// Reader reads what is committed, each statement by itself.
func (s *Store) Reader() *Tx {
	if s.engine == enginePostgres {
		return &Tx{engine: s.engine, run: poolReader{db: s.read}, ran: &s.ran}
	}
	return &Tx{engine: s.engine, run: cachedReader{s: s}, ran: &s.ran}
}

// Write runs fn in one transaction. When Write returns nil, what fn wrote is
// durable; when it returns an error, none of it is there. On PostgreSQL fn may
// be run more than once, when it collided with another transaction.
func (s *Store) Write(ctx context.Context, fn func(context.Context, *Tx) error) error {
	if s.engine == engineSQLite {
		if s.commit == nil {
			return errors.New("the store has not been started")
		}
		return classify(s.commit.do(ctx, fn))
	}
	const tries = 6
	var err error
	for i := range tries {
		err = s.writePostgres(ctx, fn)
		if !retryable(err) {
			break
		}
		if i+1 < tries {
			if sleep(ctx, time.Duration(rand.Int64N(int64(5*time.Millisecond)<<i))) != nil {
				break
			}
		}
	}
	return classify(err)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
