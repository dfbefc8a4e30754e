package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// bareStore is a database as a handler written by hand uses it: prepared
// statements, and one transaction for each write with the same durability as
// the server's own.
type bareStore interface {
	engine() engine
	read() queryer
	write(ctx context.Context, fn func(queryer) error) error
	close() error
}

type queryer interface {
	query(ctx context.Context, text string, args ...any) (*sql.Rows, error)
	exec(ctx context.Context, text string, args ...any) error
}

// one scans a single row; ok is false when there is none.
func one(ctx context.Context, q queryer, text string, args []any, dest ...any) (ok bool, err error) {
	rows, err := q.query(ctx, text, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if rows.Next() {
		ok = true
		if err := rows.Scan(dest...); err != nil {
			return false, err
		}
	}
	return ok, errors.Join(rows.Err(), rows.Close())
}

// barePostgres begins and commits each write by itself. The driver prepares
// each statement once for each connection.
type barePostgres struct{ db *sql.DB }

// The server's own settings, which its store does not show.
const postgresConnections = 20

func openBarePostgres(dsn string) (bareStore, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	for k, v := range map[string]string{"timezone": "UTC", "synchronous_commit": "on", "jit": "off"} {
		cfg.RuntimeParams[k] = v
	}
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(postgresConnections)
	db.SetMaxIdleConns(postgresConnections)
	return barePostgres{db}, nil
}

func (barePostgres) engine() engine  { return postgres }
func (b barePostgres) read() queryer { return sqlQueryer{b.db} }
func (b barePostgres) close() error  { return b.db.Close() }

func (b barePostgres) write(ctx context.Context, fn func(queryer) error) error {
	tx, err := b.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(sqlQueryer{tx}); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// sqlQueryer is a pool or a transaction.
type sqlQueryer struct {
	q interface {
		QueryContext(context.Context, string, ...any) (*sql.Rows, error)
		ExecContext(context.Context, string, ...any) (sql.Result, error)
	}
}

func (s sqlQueryer) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	return s.q.QueryContext(ctx, text, args...)
}

func (s sqlQueryer) exec(ctx context.Context, text string, args ...any) error {
	_, err := s.q.ExecContext(ctx, text, args...)
	return err
}

// bareSQLite has a pool of readers and one writer, each statement prepared
// once. A write is BEGIN IMMEDIATE, the statements, COMMIT.
type bareSQLite struct {
	readers, writers *sql.DB
	prepared         sync.Map // text -> *sql.Stmt on readers

	mu     sync.Mutex // whoever holds it writes
	writer *preparedConn
}

func openBareSQLite(ctx context.Context, path string) (*bareSQLite, error) {
	common := "_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_pragma=cache_size(-8000)&_pragma=temp_store(2)&_time_format=sqlite&_timezone=UTC&_dqs=0"
	open := func(query string) (*sql.DB, error) {
		return sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: query + "&" + common}).String())
	}
	writers, err := open("_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	readers, err := open("mode=ro&_pragma=query_only(1)")
	if err != nil {
		return nil, errors.Join(err, writers.Close())
	}
	n := max(4, 2*runtime.GOMAXPROCS(0))
	readers.SetMaxOpenConns(n)
	readers.SetMaxIdleConns(n)
	writers.SetMaxOpenConns(1)
	conn, err := writers.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, writers.Close(), readers.Close())
	}
	return &bareSQLite{readers: readers, writers: writers, writer: &preparedConn{conn: conn, stmts: map[string]*sql.Stmt{}}}, nil
}

func (*bareSQLite) engine() engine  { return sqlite }
func (b *bareSQLite) read() queryer { return preparedPool{b} }

func (b *bareSQLite) close() error {
	return errors.Join(b.writer.conn.Close(), b.writers.Close(), b.readers.Close())
}

func (b *bareSQLite) write(ctx context.Context, fn func(queryer) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.writer.transact(ctx, func() error { return fn(b.writer) })
}

// preparedConn is one connection with its prepared statements.
type preparedConn struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

func (p *preparedConn) transact(ctx context.Context, fn func() error) error {
	if err := p.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := fn(); err != nil {
		return errors.Join(err, p.exec(ctx, "ROLLBACK"))
	}
	return p.exec(ctx, "COMMIT")
}

func (p *preparedConn) stmt(ctx context.Context, text string) (*sql.Stmt, error) {
	if st, ok := p.stmts[text]; ok {
		return st, nil
	}
	st, err := p.conn.PrepareContext(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	p.stmts[text] = st
	return st, nil
}

func (p *preparedConn) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	st, err := p.stmt(ctx, text)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

func (p *preparedConn) exec(ctx context.Context, text string, args ...any) error {
	st, err := p.stmt(ctx, text)
	if err != nil {
		return err
	}
	_, err = st.ExecContext(ctx, args...)
	return err
}

// preparedPool reads.
type preparedPool struct{ b *bareSQLite }

func (p preparedPool) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	st, ok := p.b.prepared.Load(text)
	if !ok {
		fresh, err := p.b.readers.PrepareContext(ctx, text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
		st, ok = p.b.prepared.LoadOrStore(text, fresh)
		if ok {
			if err := fresh.Close(); err != nil {
				return nil, err
			}
		}
	}
	return st.(*sql.Stmt).QueryContext(ctx, args...)
}

func (preparedPool) exec(context.Context, string, ...any) error {
	return errors.New("a reader does not write")
}

// bareGrouped is bareSQLite whose writes share a commit when they wait at the
// same time. Unlike the server's it has no savepoints: the failure of one is
// the failure of all that share its commit, which a measurement can afford.
type bareGrouped struct {
	*bareSQLite
	jobs chan bareJob
	done chan struct{}
}

type bareJob struct {
	fn     func(queryer) error
	answer chan error
}

const maxGroup = 128

func openBareGrouped(ctx context.Context, path string) (bareStore, error) {
	b, err := openBareSQLite(ctx, path)
	if err != nil {
		return nil, err
	}
	g := &bareGrouped{bareSQLite: b, jobs: make(chan bareJob, 4*maxGroup), done: make(chan struct{})}
	go g.loop()
	return g, nil
}

func (g *bareGrouped) write(_ context.Context, fn func(queryer) error) error {
	job := bareJob{fn, make(chan error, 1)}
	g.jobs <- job
	return <-job.answer
}

func (g *bareGrouped) loop() {
	defer close(g.done)
	for first := range g.jobs {
		group := []bareJob{first}
		err := g.writer.transact(context.Background(), func() error {
			err := first.fn(g.writer)
			for err == nil && len(group) < maxGroup {
				select {
				case next, open := <-g.jobs:
					if !open {
						return nil
					}
					group = append(group, next)
					err = next.fn(g.writer)
				default:
					return nil
				}
			}
			return err
		})
		for _, job := range group {
			job.answer <- err
		}
	}
}

func (g *bareGrouped) close() error {
	close(g.jobs)
	<-g.done
	return g.bareSQLite.close()
}

func openBare(ctx context.Context, dsn string, grouped bool) (bareStore, error) {
	path, isFile := strings.CutPrefix(dsn, "sqlite:")
	switch {
	case !isFile:
		return openBarePostgres(dsn)
	case grouped:
		return openBareGrouped(ctx, path)
	}
	return openBareSQLite(ctx, path)
}
