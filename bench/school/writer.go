package school

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// writer writes many rows in the way that is quickest on an engine. All that
// is written between open and close is one transaction.
type writer interface {
	rows(ctx context.Context, table string, columns []string, rows iter.Seq[[]any]) error
	// index makes the people of these ids, both included, searchable.
	index(ctx context.Context, first, last int64) error
}

func write(ctx context.Context, dsn string, fn func(writer) error) error {
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		return writeSQLite(ctx, path, fn)
	}
	return writePostgres(ctx, dsn, fn)
}

// sqliteWriter inserts some hundred rows with each statement. It does not look
// whether what they refer to is there; a test does.
type sqliteWriter struct{ tx *sql.Tx }

// maxParameters is SQLite's limit, SQLITE_MAX_VARIABLE_NUMBER.
const maxParameters = 32766

func writeSQLite(ctx context.Context, path string, fn func(writer) error) (err error) {
	query := "_pragma=busy_timeout(60000)&_pragma=synchronous(0)&_pragma=foreign_keys(0)&_pragma=cache_size(-200000)&_txlock=immediate&_time_format=sqlite&_timezone=UTC"
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: query}).String())
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(sqliteWriter{tx}); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	// With the samples of sqlite_stat4, a statement is prepared anew for each
	// value of a parameter that they could speak about.
	for _, q := range []string{"ANALYZE", "DROP TABLE IF EXISTS sqlite_stat4", "PRAGMA synchronous = 2", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if _, err := db.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("%s: %w", q, err)
		}
	}
	return nil
}

func (w sqliteWriter) rows(ctx context.Context, table string, columns []string, rows iter.Seq[[]any]) error {
	batch := min(200, maxParameters/len(columns))
	full, err := w.tx.PrepareContext(ctx, insertText(table, columns, batch))
	if err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	defer full.Close()
	args := make([]any, 0, batch*len(columns))
	for row := range rows {
		args = append(args, row...)
		if len(args) < batch*len(columns) {
			continue
		}
		if _, err := full.ExecContext(ctx, args...); err != nil {
			return fmt.Errorf("%s: %w", table, err)
		}
		args = args[:0]
	}
	if len(args) == 0 {
		return nil
	}
	if _, err := w.tx.ExecContext(ctx, insertText(table, columns, len(args)/len(columns)), args...); err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	return nil
}

func insertText(table string, columns []string, rows int) string {
	one := "(" + strings.Join(slices.Repeat([]string{"?"}, len(columns)), ", ") + ")"
	return "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES " + strings.Join(slices.Repeat([]string{one}, rows), ", ")
}

func (w sqliteWriter) index(ctx context.Context, first, last int64) error {
	_, err := w.tx.ExecContext(ctx, "INSERT INTO user_search (rowid, search_key) SELECT id, search_key FROM users WHERE id BETWEEN ? AND ?", first, last)
	if err != nil {
		return fmt.Errorf("user_search: %w", err)
	}
	return nil
}

// postgresWriter copies.
type postgresWriter struct{ tx pgx.Tx }

// bulkTables are those whose foreign keys are checked once at the end instead
// of row by row, which is three quarters of the time otherwise.
var bulkTables = []string{"enrollments", "course_privileges", "audit_entries"}

func writePostgres(ctx context.Context, dsn string, fn func(writer) error) (err error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		restore, err := liftReferences(ctx, tx)
		if err != nil {
			return err
		}
		if err := fn(postgresWriter{tx}); err != nil {
			return err
		}
		for _, table := range []string{"users", "courses", "course_roles"} {
			q := fmt.Sprintf("SELECT setval('%s_id_seq', greatest((SELECT max(id) FROM %s), (SELECT last_value FROM %s_id_seq)))", table, table, table)
			if _, err := tx.Exec(ctx, q); err != nil {
				return fmt.Errorf("%s: %w", q, err)
			}
		}
		return restore()
	})
	if err != nil {
		return err
	}
	for _, q := range []string{"VACUUM ANALYZE", "CHECKPOINT"} {
		// CHECKPOINT is for those whom the server lets; it only quiets the disk.
		if _, err := conn.Exec(ctx, q); err != nil && q != "CHECKPOINT" {
			return fmt.Errorf("%s: %w", q, err)
		}
	}
	return nil
}

// liftReferences drops the foreign keys of the bulk tables, and returns what
// declares them anew.
func liftReferences(ctx context.Context, tx pgx.Tx) (restore func() error, err error) {
	rows, err := tx.Query(ctx, `SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)
		FROM pg_constraint WHERE contype = 'f' AND conrelid::regclass::text = ANY ($1)`, bulkTables)
	if err != nil {
		return nil, err
	}
	type key struct{ table, name, definition string }
	keys, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (k key, err error) {
		return k, r.Scan(&k.table, &k.name, &k.definition)
	})
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if _, err := tx.Exec(ctx, "ALTER TABLE "+k.table+" DROP CONSTRAINT "+k.name); err != nil {
			return nil, err
		}
	}
	return func() error {
		for _, k := range keys {
			if _, err := tx.Exec(ctx, "ALTER TABLE "+k.table+" ADD CONSTRAINT "+k.name+" "+k.definition); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

func (w postgresWriter) rows(ctx context.Context, table string, columns []string, rows iter.Seq[[]any]) error {
	next, stop := iter.Pull(rows)
	defer stop()
	_, err := w.tx.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromFunc(func() ([]any, error) {
		row, _ := next()
		return row, nil
	}))
	if err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	return nil
}

func (w postgresWriter) index(context.Context, int64, int64) error { return nil } // the index follows its column
