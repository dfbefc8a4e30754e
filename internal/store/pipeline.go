package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"matricula/internal/lms"
)

// pipeline is one transaction on PostgreSQL that does not wait for an answer
// which nobody looks at: BEGIN, locks and most writes are sent together with
// the next query, or with COMMIT. The server runs them in their order, each
// with its own view of what is committed, as if they had been sent one by one.
type pipeline struct {
	conn   *pgx.Conn
	queued *pgx.Batch
	labels []string // of the queued statements
	sent   bool     // the server has been asked to begin
}

func newPipeline(conn *pgx.Conn) *pipeline {
	p := &pipeline{conn: conn, queued: &pgx.Batch{}}
	p.queue("begin", "BEGIN", nil)
	return p
}

func (p *pipeline) queue(label, text string, args []any) {
	p.queued.Queue(text, args...)
	p.labels = append(p.labels, label)
}

func (p *pipeline) later(_ context.Context, label, text string, _ *statement, args []any) error {
	p.queue(label, text, args)
	return nil
}

// flush sends what is queued and reads the answers of all but the last
// statement, which is left to the caller.
func (p *pipeline) flush(ctx context.Context) (pgx.BatchResults, error) {
	batch, labels := p.queued, p.labels
	p.queued, p.labels, p.sent = &pgx.Batch{}, nil, true
	results := p.conn.SendBatch(ctx, batch)
	for _, label := range labels[:len(labels)-1] {
		if _, err := results.Exec(); err != nil {
			_ = results.Close() // repeats the error
			return nil, fmt.Errorf("%s: %w", label, err)
		}
	}
	return results, nil
}

func (p *pipeline) query(ctx context.Context, text string, _ *statement, args []any) (rowSet, error) {
	p.queue("", text, args)
	results, err := p.flush(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		_ = results.Close() // repeats the error
		return nil, err
	}
	return pipelineRows{rows, results}, nil
}

func (p *pipeline) exec(ctx context.Context, text string, _ *statement, args []any) (int64, error) {
	p.queue("", text, args)
	results, err := p.flush(ctx)
	if err != nil {
		return 0, err
	}
	tag, err := results.Exec()
	return tag.RowsAffected(), errors.Join(err, results.Close())
}

// commit sends what is left together with COMMIT. It does nothing when there
// was no statement at all. An error is in doubt when the transaction may have
// been committed all the same.
func (p *pipeline) commit(ctx context.Context) (doubt bool, err error) {
	if !p.sent && len(p.labels) == 1 {
		return false, nil
	}
	p.queue("", "COMMIT", nil)
	results, err := p.flush(ctx)
	if err != nil {
		// What the server says about an earlier statement it says of a
		// transaction that it does not commit.
		return isConnectionError(err), err
	}
	tag, err := results.Exec()
	if err == nil && tag.String() != "COMMIT" {
		err = pgx.ErrTxCommitRollback // a statement failed, and whoever ran it went on
	}
	err = errors.Join(err, results.Close())
	return inDoubt(err), err
}

const rollbackTimeout = 5 * time.Second

// rollback undoes what was begun. It has no error: the one that led here is to
// be told, and a connection that cannot roll back is not used again.
func (p *pipeline) rollback(ctx context.Context) {
	if p.conn.IsClosed() || p.conn.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	_, _ = p.conn.Exec(ctx, "ROLLBACK")
}

// pipelineRows are the rows of the last statement of a batch.
type pipelineRows struct {
	pgx.Rows
	results pgx.BatchResults
}

// Close also frees the connection for the next statement.
func (r pipelineRows) Close() error {
	r.Rows.Close()
	return r.results.Close()
}

// renewStatistics has every connection, of all nodes, plan anew where a table has
// outgrown its statistics. What fails here, autovacuum does a little later, so that
// nobody needs to hear of it.
func (p *pipeline) renewStatistics(ctx context.Context) {
	rows, err := p.conn.Query(ctx, outgrown)
	if err != nil {
		return
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(names) == 0 {
		return
	}
	_, _ = p.conn.Exec(ctx, "ANALYZE "+strings.Join(names, ", "))
}

func (s *Store) writePostgres(ctx context.Context, fn func(context.Context, *Tx) error) error {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer conn.Close() // gives it back; it may have been discarded before
	return conn.Raw(func(driverConn any) (err error) {
		p := newPipeline(driverConn.(*stdlib.Conn).Conn())
		done := false
		defer func() {
			if !done { // also when fn panics
				p.rollback(ctx)
			}
		}()
		tx := &Tx{engine: s.engine, run: p, ran: &s.ran}
		if err := fn(ctx, tx); err != nil {
			return err
		}
		if doubt, err := p.commit(ctx); err != nil {
			if doubt {
				return lms.Errorf(lms.CodeUnavailable, "commit-unknown", "The database went away while saving, so it is not known whether this was saved. Please look, and try again if it was not.").Because(err)
			}
			return fmt.Errorf("commit: %w", err)
		}
		done = true
		if tx.grown {
			p.renewStatistics(ctx)
		}
		return nil
	})
}
