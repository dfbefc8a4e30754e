package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"matricula/internal/lms"
)

// Tx is a transaction, or the reader of a Store. Its methods are spread over
// the package's files, one file for each noun.
type Tx struct {
	engine engine
	run    runner
}

// runner runs statements: prepared and cached on SQLite; on PostgreSQL the
// driver does the same by itself.
type runner interface {
	query(ctx context.Context, text string, st *statement, args []any) (*sql.Rows, error)
	exec(ctx context.Context, text string, st *statement, args []any) (sql.Result, error)
}

// Errors are classified here and not only by Write, since a Reader's never pass
// there.
func (tx *Tx) query(ctx context.Context, st *statement, args ...any) (*sql.Rows, error) {
	rows, err := tx.run.query(ctx, st.text[tx.engine], st, args)
	return rows, classify(err)
}

func (tx *Tx) exec(ctx context.Context, st *statement, args ...any) (int64, error) {
	res, err := tx.run.exec(ctx, st.text[tx.engine], st, args)
	if err != nil {
		return 0, classify(err)
	}
	return res.RowsAffected()
}

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
func collect[T any](rows *sql.Rows, err error, scan func(scanner) (T, error)) ([]T, error) {
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

type poolRunner struct {
	q interface {
		QueryContext(context.Context, string, ...any) (*sql.Rows, error)
		ExecContext(context.Context, string, ...any) (sql.Result, error)
	}
}

func (r poolRunner) query(ctx context.Context, text string, _ *statement, args []any) (*sql.Rows, error) {
	return r.q.QueryContext(ctx, text, args...)
}

func (r poolRunner) exec(ctx context.Context, text string, _ *statement, args []any) (sql.Result, error) {
	return r.q.ExecContext(ctx, text, args...)
}

// cachedRunner reads from SQLite through statements that are prepared once for
// each connection.
type cachedRunner struct{ s *Store }

func (r cachedRunner) query(ctx context.Context, text string, st *statement, args []any) (*sql.Rows, error) {
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

func (r cachedRunner) exec(context.Context, string, *statement, []any) (sql.Result, error) {
	return nil, errors.New("a reader cannot write")
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
