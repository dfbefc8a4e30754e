package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"matricula/internal/lms"
)

// Tx is a transaction, or the reader of a Store. Its methods are spread over
// the package's files, one file for each noun.
type Tx struct {
	engine engine
	run    runner
	search *searchQueue  // nil where the search index follows its column by itself
	ran    *atomic.Int64 // statements, see Store.Ran
	grown  bool          // that many rows were added, see statistics.go
}

// runner runs statements: prepared and cached on SQLite; on PostgreSQL the
// driver does the same by itself.
type runner interface {
	query(ctx context.Context, text string, st *statement, args []any) (rowSet, error)
	exec(ctx context.Context, text string, st *statement, args []any) (int64, error)
	later(ctx context.Context, label, text string, st *statement, args []any) error
}

// rowSet is the rows of a query, of database/sql or of the driver itself. It
// is closed before the next statement.
type rowSet interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// Errors are classified here and not only by Write, since a Reader's never pass
// there.
func (tx *Tx) query(ctx context.Context, st *statement, args ...any) (rowSet, error) {
	tx.ran.Add(1)
	rows, err := tx.run.query(ctx, st.text[tx.engine], st, args)
	return rows, classify(err)
}

// exec runs a statement and counts the rows that it changed.
func (tx *Tx) exec(ctx context.Context, st *statement, args ...any) (int64, error) {
	tx.ran.Add(1)
	n, err := tx.run.exec(ctx, st.text[tx.engine], st, args)
	return n, classify(err)
}

// later runs a statement whose outcome nobody looks at. It runs in its turn,
// but a database across a network hears of it only together with the next
// statement that is looked at, or with the commit. Its error, which the label
// explains, may come then too.
func (tx *Tx) later(ctx context.Context, label string, st *statement, args ...any) error {
	tx.ran.Add(1)
	return classify(tx.run.later(ctx, label, st.text[tx.engine], st, args))
}

// lock runs a statement that only locks rows until the transaction ends.
// SQLite has one writer, for whom nothing needs to be locked.
func (tx *Tx) lock(ctx context.Context, label string, st *statement, args ...any) error {
	if tx.engine == engineSQLite {
		return nil
	}
	return tx.later(ctx, label, st, args...)
}

// Exclusive tells whether nobody else can write until the transaction ends.
func (tx *Tx) Exclusive() bool { return tx.engine == engineSQLite }

// one scans a single row; ok is false when there is none.
func (tx *Tx) one(ctx context.Context, st *statement, args []any, dest ...any) (ok bool, err error) {
	rows, err := tx.query(ctx, st, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return false, err
		}
		ok = true
	}
	return ok, classify(errors.Join(rows.Err(), rows.Close()))
}

type scanner interface{ Scan(dest ...any) error }

// collect scans all rows of a query.
func collect[T any](rows rowSet, err error, scan func(scanner) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, classify(errors.Join(rows.Err(), rows.Close()))
}

// readOnly is the half of a runner that a reader lacks.
type readOnly struct{}

var errReadOnly = errors.New("a reader cannot write")

func (readOnly) exec(context.Context, string, *statement, []any) (int64, error) {
	return 0, errReadOnly
}

func (readOnly) later(context.Context, string, string, *statement, []any) error { return errReadOnly }

// poolReader reads from PostgreSQL, whose driver prepares each statement once
// for each connection.
type poolReader struct {
	readOnly
	db *sql.DB
}

func (r poolReader) query(ctx context.Context, text string, st *statement, args []any) (rowSet, error) {
	if st.skewed {
		args = slices.Concat([]any{pgx.QueryExecModeCacheDescribe}, args)
	}
	return r.db.QueryContext(ctx, text, args...)
}

// cachedReader reads from SQLite through statements that are prepared once for
// each connection.
type cachedReader struct {
	readOnly
	s *Store
}

func (r cachedReader) query(ctx context.Context, text string, st *statement, args []any) (rowSet, error) {
	v, ok := r.s.cached.Load(st)
	if !ok {
		p, err := r.s.read.PrepareContext(ctx, text)
		if err != nil {
			return nil, err
		}
		var loaded bool
		if v, loaded = r.s.cached.LoadOrStore(st, p); loaded {
			if err := p.Close(); err != nil {
				return nil, err
			}
		}
	}
	return v.(*sql.Stmt).QueryContext(ctx, args...)
}

// timestamp scans a time from either engine; NULL is the zero time. It is
// needed because SQLite loses a column's type in expressions.
type timestamp struct{ t *time.Time }

const sqliteTime = "2006-01-02 15:04:05.999999999-07:00"

func (ts timestamp) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*ts.t = time.Time{}
	case time.Time:
		*ts.t = v.UTC()
	case string:
		t, err := time.Parse(sqliteTime, v)
		if err != nil {
			return fmt.Errorf("scan time: %w", err)
		}
		*ts.t = t.UTC()
	default:
		return fmt.Errorf("scan time: unexpected %T", v)
	}
	return nil
}

// at makes a time fit to store: UTC, in the microseconds that both engines
// keep, so that a value read back equals the value written.
func at(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// atOrNull is at, with NULL for the zero time.
func atOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return at(t)
}

// date scans a day of the calendar, which one engine gives as a time and the
// other as text wherever it has lost the column's type.
type date struct{ d *lms.Day }

func (d date) Scan(v any) error {
	switch v := v.(type) {
	case time.Time:
		*d.d = lms.DayOf(v)
	case string:
		*d.d = lms.Day(v)
	default:
		return fmt.Errorf("scan date: unexpected %T", v)
	}
	return nil
}

// idOrNull is an id, with NULL for 0.
func idOrNull(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

// privileges scans a stored set.
type privileges struct{ s *lms.PrivilegeSet }

func (p privileges) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*p.s = 0
		return nil
	case string:
		if v == "[]" {
			*p.s = 0
			return nil
		}
		var names []lms.Privilege
		if err := json.Unmarshal([]byte(v), &names); err != nil {
			return fmt.Errorf("scan privileges: %w", err)
		}
		*p.s = lms.SetOf(names...)
		return nil
	}
	return fmt.Errorf("scan privileges: unexpected %T", v)
}

func storedPrivileges(s lms.PrivilegeSet) string { return mustJSON(s.List()) }

// ids scans a list of ids.
type ids struct{ l *lms.IDs }

func (i ids) Scan(v any) error {
	var list []int64
	switch v := v.(type) {
	case nil:
	case string:
		if err := json.Unmarshal([]byte(v), &list); err != nil {
			return fmt.Errorf("scan ids: %w", err)
		}
	default:
		return fmt.Errorf("scan ids: unexpected %T", v)
	}
	*i.l = lms.MakeIDs(list...)
	return nil
}

func storedIDs(l lms.IDs) string { return "[" + string(l) + "]" }

// jsonTime is a time as an element of {rows}, which {time} reads.
func (tx *Tx) jsonTime(t time.Time) any {
	switch {
	case t.IsZero():
		return nil
	case tx.engine == engineSQLite:
		return at(t).Format(sqliteTime)
	}
	return at(t).Format(time.RFC3339Nano)
}

// text scans a string; NULL is the empty string.
type text struct{ s *string }

func (t text) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*t.s = ""
	case string:
		*t.s = v
	case []byte:
		*t.s = string(v)
	default:
		return fmt.Errorf("scan text: unexpected %T", v)
	}
	return nil
}

// number scans an integer; NULL is 0.
type number struct{ n *int64 }

func (n number) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*n.n = 0
	case int64:
		*n.n = v
	default:
		return fmt.Errorf("scan number: unexpected %T", v)
	}
	return nil
}

// mustJSON encodes values of the package's own making, which cannot fail.
func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encode %T: %v", v, err))
	}
	return string(b)
}
