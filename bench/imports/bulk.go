package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
	_ "modernc.org/sqlite"             // registers the driver "sqlite"
)

// tables are those that an import writes, in an order in which what is referred to
// comes first. Where is what a new database has not.
var tables = []struct{ name, where string }{
	{"users", "id > (SELECT min(id) FROM users WHERE kind = 'person')"},
	{"emails", "user_id > (SELECT min(id) FROM users WHERE kind = 'person')"},
	{"enrollments", "import_id > 0"},
	{"audit_entries", "id > (SELECT min(id) FROM audit_entries WHERE action LIKE 'import.%') - 1"},
	{"imports", "1 = 1"},
	{"import_chunks", "1 = 1"},
}

// table is rows in memory.
type table struct {
	name    string
	columns []string
	rows    [][]any
}

// bulkLoad writes what an import has made in one database into another, in one
// transaction, and measures no more than that.
func bulkLoad(ctx context.Context, o options) (f figures, err error) {
	all, err := readTables(ctx, o.from)
	if err != nil {
		return f, err
	}
	if n := len(all[2].rows); n != o.rows {
		return f, fmt.Errorf("%d enrollments were made and not %d", n, o.rows)
	}
	b, err := begin(ctx, o.dsn)
	if err != nil {
		return f, err
	}
	if err := b.store.Close(); err != nil {
		return f, err
	}
	load := copyAll
	if strings.HasPrefix(o.dsn, "sqlite:") {
		load = insertAll
	}
	if f.Whole, err = load(ctx, o.dsn, all); err != nil {
		return f, err
	}
	loaded, err := readTables(ctx, o.dsn)
	if err != nil {
		return f, err
	}
	for i := range all {
		if len(all[i].rows) != len(loaded[i].rows) {
			return f, fmt.Errorf("%s: %d rows were loaded and not %d", all[i].name, len(loaded[i].rows), len(all[i].rows))
		}
	}
	return f, nil
}

// fileDSN opens a file as the store does.
func fileDSN(path string) string {
	return (&url.URL{Scheme: "file", Path: path, RawQuery: "_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_pragma=cache_size(-8000)&_pragma=temp_store(2)" +
		"&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate&_time_format=sqlite&_timezone=UTC&_dqs=0"}).String()
}

func open(dsn string) (*sql.DB, error) {
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		return sql.Open("sqlite", fileDSN(path))
	}
	return sql.Open("pgx", dsn)
}

// analyze does what autovacuum does within a minute, so that what is measured first
// is not measured in a database of whose rows PostgreSQL knows nothing. SQLite does
// without statistics: those of a small database are worse than none once it has grown.
func analyze(ctx context.Context, dsn string) error {
	if strings.HasPrefix(dsn, "sqlite:") {
		return nil
	}
	db, err := open(dsn)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "ANALYZE")
	return errors.Join(err, db.Close())
}

func readTables(ctx context.Context, dsn string) (all []table, err error) {
	db, err := open(dsn)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, t := range tables {
		rows, err := db.QueryContext(ctx, "SELECT * FROM "+t.name+" WHERE "+t.where+" ORDER BY 1, 2")
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		read := table{name: t.name}
		if read.columns, err = rows.Columns(); err != nil {
			return nil, err
		}
		for rows.Next() {
			row := make([]any, len(read.columns))
			dest := make([]any, len(row))
			for i := range row {
				dest[i] = &row[i]
			}
			if err := rows.Scan(dest...); err != nil {
				return nil, err
			}
			read.rows = append(read.rows, row)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return nil, err
		}
		all = append(all, read)
	}
	return all, nil
}

// copyAll loads with COPY.
func copyAll(ctx context.Context, dsn string, all []table) (took time.Duration, err error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	runtime.GC()
	start := time.Now()
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		for _, t := range all {
			if _, err := tx.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, pgx.CopyFromRows(t.rows)); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
		}
		return nil
	})
	return time.Since(start), err
}

// insertAll loads with prepared inserts, each of a few rows, which is quicker than
// one at a time, and with the search index last, as the store itself writes it.
func insertAll(ctx context.Context, dsn string, all []table) (took time.Duration, err error) {
	db, err := open(dsn)
	if err != nil {
		return 0, err
	}
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.PingContext(ctx); err != nil {
		return 0, err
	}
	users := all[0]
	id, key := slices.Index(users.columns, "id"), slices.Index(users.columns, "search_key")
	index := table{name: "user_search", columns: []string{"rowid", "search_key"}, rows: make([][]any, len(users.rows))}
	for i, row := range users.rows {
		index.rows[i] = []any{row[id], row[key]}
	}
	runtime.GC()
	start := time.Now()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	for _, t := range append(slices.Clip(all), index) {
		if err := insert(ctx, tx, t); err != nil {
			return 0, errors.Join(fmt.Errorf("%s: %w", t.name, err), tx.Rollback())
		}
	}
	err = tx.Commit()
	return time.Since(start), err
}

const rowsAnInsert = 20

func insert(ctx context.Context, tx *sql.Tx, t table) error {
	one := "(" + strings.Repeat("?, ", len(t.columns)-1) + "?)"
	text := func(rows int) string {
		return "INSERT INTO " + t.name + " (" + strings.Join(t.columns, ", ") + ") VALUES " + strings.Repeat(one+", ", rows-1) + one
	}
	full, err := tx.PrepareContext(ctx, text(rowsAnInsert))
	if err != nil {
		return err
	}
	defer full.Close()
	for rows := range slices.Chunk(t.rows, rowsAnInsert) {
		args := slices.Concat(rows...)
		if len(rows) == rowsAnInsert {
			_, err = full.ExecContext(ctx, args...)
		} else {
			_, err = tx.ExecContext(ctx, text(len(rows)), args...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
