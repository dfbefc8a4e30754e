package store

import (
	"context"
	"fmt"

	"matricula/internal/lms"
)

// PeriodOf is an academic year or a term with the number of its courses. Those
// of a year are the ones that are taught all year, without its terms'.
type PeriodOf struct {
	lms.Period
	Courses int64
}

// A year stands before its terms, and the latest year first.
const (
	periodSelect = `SELECT t.id, t.year_id, t.name, t.begins_on, t.ends_on, t.created_by, t.created_at,
		(SELECT count(*) FROM courses c WHERE c.term_id = t.id AND c.deleted_at IS NULL)
		FROM terms t JOIN terms y ON y.id = COALESCE(t.year_id, t.id)`
	periodOrder = ` ORDER BY y.begins_on DESC, y.id DESC, CASE WHEN t.year_id IS NULL THEN 0 ELSE 1 END, t.begins_on, t.id`
)

var (
	sqlPeriods       = stmt(periodSelect + periodOrder)
	sqlPeriodsOfYear = stmt(periodSelect + ` WHERE y.id = $1` + periodOrder)
	sqlPeriod        = stmt(periodSelect + ` WHERE t.id = $1`)
	sqlInsertPeriod  = stmt(`INSERT INTO terms (year_id, name, name_key, begins_on, ends_on, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT DO NOTHING RETURNING id`)
	sqlUpdatePeriod = stmt(`UPDATE terms SET name = $2, name_key = $3, begins_on = $4, ends_on = $5 WHERE id = $1`)
	sqlDeletePeriod = stmt(`DELETE FROM terms WHERE id = $1`)
	sqlForgetPeriod = stmt(`UPDATE courses SET term_id = NULL WHERE term_id = $1 AND deleted_at IS NOT NULL`)
	sqlLockPeriod   = stmt(`SELECT id FROM terms WHERE id = $1 {lock}`)
	sqlKeepPeriod   = stmt(`SELECT t.id FROM terms t WHERE t.id = $1 {share:t}`)
)

func periodOf(r scanner) (p PeriodOf, err error) {
	return p, r.Scan(&p.ID, number{&p.YearID}, &p.Name, date{&p.Begins}, date{&p.Ends}, &p.CreatedBy, timestamp{&p.CreatedAt}, &p.Courses)
}

// CreatePeriod adds an academic year or a term; ok is false when its name is
// taken.
func (tx *Tx) CreatePeriod(ctx context.Context, p lms.Period) (id int64, ok bool, err error) {
	args := []any{idOrNull(p.YearID), p.Name, lms.FoldSearch(p.Name), string(p.Begins), string(p.Ends), p.CreatedBy, at(p.CreatedAt)}
	if ok, err = tx.one(ctx, sqlInsertPeriod, args, &id); err != nil {
		return 0, false, fmt.Errorf("create term in year %d: %w", p.YearID, err)
	}
	return id, ok, nil
}

// UpdatePeriod changes what is written about an academic year or a term; ok is
// false when its name is taken, and then the transaction must not be kept.
func (tx *Tx) UpdatePeriod(ctx context.Context, id int64, f lms.PeriodFields) (ok bool, err error) {
	_, err = tx.exec(ctx, sqlUpdatePeriod, id, f.Name, lms.FoldSearch(f.Name), string(f.Begins), string(f.Ends))
	if isUnique(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("update term %d: %w", id, err)
	}
	return true, nil
}

// DeletePeriod removes an academic year without terms, or a term, that has no
// courses. Courses that were deleted themselves forget it.
func (tx *Tx) DeletePeriod(ctx context.Context, id int64) error {
	if _, err := tx.exec(ctx, sqlForgetPeriod, id); err != nil {
		return fmt.Errorf("forget term %d: %w", id, err)
	}
	if _, err := tx.exec(ctx, sqlDeletePeriod, id); err != nil {
		return fmt.Errorf("delete term %d: %w", id, err)
	}
	return nil
}

// LockPeriod makes changes to an academic year or a term wait for each other,
// and for the courses that are being put into it.
func (tx *Tx) LockPeriod(ctx context.Context, id int64) error {
	return tx.lock(ctx, "lock term", sqlLockPeriod, id)
}

// KeepPeriod keeps an academic year or a term from being changed or deleted
// until the transaction ends.
func (tx *Tx) KeepPeriod(ctx context.Context, id int64) error {
	return tx.lock(ctx, "keep term", sqlKeepPeriod, id)
}

// Period reads an academic year or a term.
func (tx *Tx) Period(ctx context.Context, id int64) (p PeriodOf, ok bool, err error) {
	rows, err := tx.query(ctx, sqlPeriod, id)
	list, err := collect(rows, err, periodOf)
	if err != nil {
		return p, false, fmt.Errorf("read term %d: %w", id, err)
	}
	if len(list) == 0 {
		return p, false, nil
	}
	return list[0], true, nil
}

// Periods lists the academic years, the latest first, each followed by its
// terms; only one year with its terms when yearID is not 0.
func (tx *Tx) Periods(ctx context.Context, yearID int64) ([]PeriodOf, error) {
	st, args := sqlPeriods, []any(nil)
	if yearID != 0 {
		st, args = sqlPeriodsOfYear, []any{yearID}
	}
	rows, err := tx.query(ctx, st, args...)
	list, err := collect(rows, err, periodOf)
	if err != nil {
		return nil, fmt.Errorf("list terms of year %d: %w", yearID, err)
	}
	return list, nil
}
