package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"matricula/internal/lms"
)

// groupCommitter lets transactions that wait at the same time share one commit
// of SQLite's only writer. Each runs in its own savepoint, one after the
// other, and is answered after the common fsync: nobody is told of success
// before it is durable, and one that fails leaves nothing behind and harms no
// other.
type groupCommitter struct {
	jobs chan *writeJob
	stop chan struct{}
	done chan struct{}
	once sync.Once

	// Owned by the goroutine of loop.
	conn  *sql.Conn
	stmts map[*statement]*sql.Stmt
	raw   map[string]*sql.Stmt

	// What the jobs of the batch want to be found by. The search index is
	// written once for all of them, after the last: it would flush what it
	// holds in memory at each savepoint.
	search searchQueue
	ran    *atomic.Int64
}

type writeJob struct {
	ctx      context.Context
	fn       func(context.Context, *Tx) error
	err      error
	panicked any
	done     chan struct{}
}

// A batch ends when nobody waits, or at these bounds, which keep the first of
// a batch from waiting long for the last.
const (
	maxBatch     = 128
	maxBatchTime = 25 * time.Millisecond
)

func newGroupCommitter(ctx context.Context, db *sql.DB, ran *atomic.Int64) (*groupCommitter, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("open the writer: %w", err)
	}
	g := &groupCommitter{
		jobs: make(chan *writeJob, 4*maxBatch), stop: make(chan struct{}), done: make(chan struct{}),
		conn: conn, stmts: map[*statement]*sql.Stmt{}, raw: map[string]*sql.Stmt{}, ran: ran,
	}
	for _, q := range []string{"BEGIN IMMEDIATE", "COMMIT", "ROLLBACK", "SAVEPOINT job", "RELEASE job", "ROLLBACK TO job"} {
		if g.raw[q], err = conn.PrepareContext(ctx, q); err != nil {
			return nil, fmt.Errorf("prepare %s: %w", q, err)
		}
	}
	go g.loop()
	return g, nil
}

var errClosed = lms.Errorf(lms.CodeUnavailable, "shutting-down", "The server is restarting. Please try again in a moment.")

func (g *groupCommitter) do(ctx context.Context, fn func(context.Context, *Tx) error) error {
	job := &writeJob{ctx: ctx, fn: fn, done: make(chan struct{})}
	select {
	case g.jobs <- job:
	case <-g.stop:
		return errClosed
	case <-ctx.Done():
		return fmt.Errorf("wait for the writer: %w", ctx.Err())
	}
	select {
	case <-job.done:
	case <-g.done:
		select {
		case <-job.done:
		default:
			return errClosed
		}
	}
	if job.panicked != nil {
		panic(job.panicked)
	}
	return job.err
}

// close lets the batch in progress and all who wait finish.
func (g *groupCommitter) close() {
	g.once.Do(func() { close(g.stop) })
	<-g.done
}

func (g *groupCommitter) loop() {
	defer close(g.done)
	defer g.release()
	for {
		select {
		case job := <-g.jobs:
			g.batch(job)
		case <-g.stop:
			for {
				select {
				case job := <-g.jobs:
					g.batch(job)
				default:
					return
				}
			}
		}
	}
}

// release gives the connection back. A statement that stayed open would keep
// SQLite from closing the file, and with it from moving the log into it.
func (g *groupCommitter) release() {
	for _, p := range g.raw {
		_ = p.Close() // finalizing a statement tells only how its last run ended
	}
	for _, p := range g.stmts {
		_ = p.Close()
	}
	_ = g.conn.Close()
}

// batch runs first and whoever waits behind it, commits once, and answers all.
func (g *groupCommitter) batch(first *writeJob) {
	jobs := []*writeJob{first}
	g.search.entries = g.search.entries[:0]
	err := g.control("BEGIN IMMEDIATE")
	if err == nil {
		deadline := time.NewTimer(maxBatchTime)
		err = g.savepoint(first)
	fill:
		for err == nil && len(jobs) < maxBatch {
			select {
			case <-deadline.C:
				break fill
			default:
			}
			select {
			case next := <-g.jobs:
				jobs = append(jobs, next)
				err = g.savepoint(next)
			default:
				break fill
			}
		}
		deadline.Stop()
		if err == nil {
			err = g.search.write(context.Background(), &Tx{engine: engineSQLite, run: g, ran: g.ran})
		}
		if err == nil {
			err = g.control("COMMIT")
		}
		if err != nil {
			// Nothing of the batch is there; a transaction that SQLite has
			// already rolled back cannot be rolled back again.
			_ = g.control("ROLLBACK")
		}
	}
	for _, job := range jobs {
		if err != nil && job.err == nil {
			job.err = fmt.Errorf("commit: %w", err)
		}
		close(job.done)
	}
}

// savepoint runs one job. Its own failure is kept in the job; the error that
// it returns means that the whole batch is lost.
func (g *groupCommitter) savepoint(job *writeJob) error {
	if err := job.ctx.Err(); err != nil {
		job.err = fmt.Errorf("wait for the writer: %w", err)
		return nil
	}
	if err := g.control("SAVEPOINT job"); err != nil {
		return err
	}
	found := len(g.search.entries)
	if g.call(job); job.err == nil && job.panicked == nil {
		return g.control("RELEASE job")
	}
	g.search.entries = g.search.entries[:found]
	err := errors.Join(g.control("ROLLBACK TO job"), g.control("RELEASE job"))
	if err != nil && lms.CodeOf(classify(job.err)) == lms.CodeUnavailable {
		// SQLite has given up the whole transaction, as it may when the disk is
		// full, and that is what everybody in it is told.
		return errors.Join(job.err, err)
	}
	return err
}

// call runs the job's function without its deadline: interrupting a statement
// of one job would roll back the transaction of all.
func (g *groupCommitter) call(job *writeJob) {
	defer func() {
		if p := recover(); p != nil {
			job.panicked = p
			job.err = errors.New("panic in a transaction")
		}
	}()
	job.err = job.fn(context.WithoutCancel(job.ctx), &Tx{engine: engineSQLite, run: g, search: &g.search, ran: g.ran})
}

// withConn runs fn on the writer's connection, in a savepoint of its own.
func (g *groupCommitter) withConn(ctx context.Context, fn func(*sql.Conn) error) error {
	return g.do(ctx, func(context.Context, *Tx) error { return fn(g.conn) })
}

func (g *groupCommitter) control(q string) error {
	_, err := g.raw[q].ExecContext(context.Background())
	return err
}

func (g *groupCommitter) prepared(ctx context.Context, text string, st *statement) (*sql.Stmt, error) {
	if p, ok := g.stmts[st]; ok {
		return p, nil
	}
	p, err := g.conn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	g.stmts[st] = p
	return p, nil
}

func (g *groupCommitter) query(ctx context.Context, text string, st *statement, args []any) (rowSet, error) {
	p, err := g.prepared(ctx, text, st)
	if err != nil {
		return nil, err
	}
	return p.QueryContext(ctx, args...)
}

func (g *groupCommitter) exec(ctx context.Context, text string, st *statement, args []any) (int64, error) {
	p, err := g.prepared(ctx, text, st)
	if err != nil {
		return 0, err
	}
	res, err := p.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// later does not wait: there is no network to save a way over.
func (g *groupCommitter) later(ctx context.Context, label, text string, st *statement, args []any) error {
	if _, err := g.exec(ctx, text, st, args); err != nil {
		return fmt.Errorf("%s: %w", label, err)
	}
	return nil
}
