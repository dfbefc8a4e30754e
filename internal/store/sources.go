package store

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

const (
	sourceColumns = `s.id, s.name, s.kind, s.place, s.course_id, s.role, s.every_minutes, s.exact, s.brake, s.enabled, s.created_by, s.created_at, s.next_at`
	runColumns    = `r.id, r.source_id, r.started_by, r.started_at, r.ended_at, r.state, r.name, r.fingerprint, r.counts, r.people, r.courses, r.notes`
)

func sourceOf(r scanner) (s lms.RosterSource, err error) {
	return s, r.Scan(&s.ID, &s.Name, (*string)(&s.Kind), &s.Place, number{&s.CourseID}, &s.Role, &s.Minutes, &s.Exact, &s.Brake, &s.Enabled, &s.CreatedBy,
		timestamp{&s.CreatedAt}, timestamp{&s.NextAt})
}

func runOf(r scanner) (s lms.SourceRun, err error) {
	return s, r.Scan(&s.ID, &s.SourceID, &s.StartedBy, timestamp{&s.StartedAt}, timestamp{&s.EndedAt}, (*string)(&s.State), &s.Name, &s.Fingerprint, jsonValue{&s.Counts},
		&s.People, &s.Courses, jsonValue{&s.Notes})
}

var (
	sqlSources      = stmt(`SELECT ` + sourceColumns + ` FROM sources s WHERE s.deleted_at IS NULL ORDER BY s.id LIMIT $1`)
	sqlSource       = stmt(`SELECT ` + sourceColumns + ` FROM sources s WHERE s.id = $1 AND s.deleted_at IS NULL`)
	sqlLockSource   = stmt(`SELECT ` + sourceColumns + ` FROM sources s WHERE s.id = $1 AND s.deleted_at IS NULL {lock}`)
	sqlInsertSource = stmt(`INSERT INTO sources (name, kind, place, course_id, role, every_minutes, exact, brake, enabled, created_by, created_at, next_at, leased_until)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $11) RETURNING id`)
	sqlUpdateSource = stmt(`UPDATE sources SET name = $2, place = $3, role = $4, every_minutes = $5, exact = $6, brake = $7, enabled = $8, next_at = $9, created_by = $10 WHERE id = $1`)
	sqlDeleteSource = stmt(`UPDATE sources SET deleted_at = $2 WHERE id = $1`)

	// What is due, or has a run to go on with.
	sqlFindSource = stmt(`SELECT s.id FROM sources s WHERE s.deleted_at IS NULL AND s.leased_until <= $1 AND (
			(s.enabled AND s.kind <> 'upload' AND s.next_at <= $1 AND NOT EXISTS (SELECT 1 FROM source_runs r WHERE r.source_id = s.id AND r.state IN ('checking', 'waiting', 'running')))
			OR EXISTS (SELECT 1 FROM source_runs r WHERE r.source_id = s.id AND r.state IN ('checking', 'running')))
		ORDER BY s.leased_until, s.id LIMIT 1`)
	sqlLeaseSource  = stmt(`UPDATE sources SET lease_node = $2, leased_until = $3 WHERE id = $1 AND leased_until <= $4`)
	sqlReturnSource = stmt(`UPDATE sources SET lease_node = '', leased_until = $3 WHERE id = $1 AND lease_node = $2`)

	sqlInsertRun = stmt(`INSERT INTO source_runs (source_id, started_by, started_at, state, name, fingerprint, counts, people, courses, notes)
		VALUES ($1, $2, $3, $4, $5, $6, '{}', 0, 0, '[]') RETURNING id`)
	sqlUpdateRun = stmt(`UPDATE source_runs SET ended_at = $2, state = $3, counts = $4, people = $5, courses = $6, notes = $7, fingerprint = $8, name = $9 WHERE id = $1`)
	sqlRun       = stmt(`SELECT ` + runColumns + ` FROM source_runs r JOIN sources s ON s.id = r.source_id AND s.deleted_at IS NULL WHERE r.id = $1`)
	sqlLockRun   = stmt(`SELECT ` + runColumns + ` FROM source_runs r WHERE r.id = $1 {lock}`)
	sqlRuns      = stmt(`SELECT ` + runColumns + ` FROM source_runs r WHERE r.source_id = $1 AND r.id < $2 ORDER BY r.id DESC LIMIT $3`)
	sqlOpenRun   = stmt(`SELECT ` + runColumns + ` FROM source_runs r WHERE r.source_id = $1 AND r.state IN ('reading', 'checking', 'waiting', 'running') ORDER BY r.id DESC LIMIT 1`)
	sqlLastPrint = stmt(`SELECT r.fingerprint FROM source_runs r WHERE r.source_id = $1 AND r.state IN ('done', 'unchanged') ORDER BY r.id DESC LIMIT 1`)

	sqlRunImports = stmt(`SELECT ` + importColumns + ` FROM imports i WHERE i.run_id = $1 AND i.id > $2 ORDER BY i.id LIMIT $3`)
	sqlByLists    = stmt(`SELECT count(*) FROM enrollments en WHERE en.source = 'import' AND en.course_id IN (SELECT i.course_id FROM imports i WHERE i.run_id = $1)`)

	sqlPutSourced = stmt(`INSERT INTO sourced_ids (source_id, kind, sourced_id, local_id)
		SELECT $2, $3, j.value->>0, CAST(j.value->>1 AS BIGINT) FROM {rows:$1} WHERE TRUE
		ON CONFLICT (source_id, kind, sourced_id) DO UPDATE SET local_id = excluded.local_id`)
	sqlSourced      = stmt(`SELECT x.sourced_id, x.local_id FROM {rows:$1} JOIN sourced_ids x ON x.source_id = $2 AND x.kind = $3 AND x.sourced_id = j.value->>0`)
	sqlAddressesOf  = stmt(`SELECT e.user_id, e.address FROM {rows:$1} JOIN emails e ON e.user_id = CAST(j.value->>0 AS BIGINT) AND e.is_primary`)
	sqlSectionsByID = stmt(`SELECT x.id, x.course_id, x.name FROM {rows:$1} JOIN sections x ON x.id = CAST(j.value->>0 AS BIGINT)`)
)

// Sources lists the roster sources.
func (tx *Tx) Sources(ctx context.Context) ([]lms.RosterSource, error) {
	rows, err := tx.query(ctx, sqlSources, lms.MaxSources)
	list, err := collect(rows, err, sourceOf)
	if err != nil {
		return nil, fmt.Errorf("list sources: %w", err)
	}
	return list, nil
}

func (tx *Tx) oneSource(ctx context.Context, st *statement, id int64) (s lms.RosterSource, ok bool, err error) {
	rows, err := tx.query(ctx, st, id)
	list, err := collect(rows, err, sourceOf)
	if err != nil || len(list) == 0 {
		return s, false, err
	}
	return list[0], true, nil
}

// Source reads a source that was not deleted.
func (tx *Tx) Source(ctx context.Context, id int64) (s lms.RosterSource, ok bool, err error) {
	if s, ok, err = tx.oneSource(ctx, sqlSource, id); err != nil {
		return s, false, fmt.Errorf("read source %d: %w", id, err)
	}
	return s, ok, nil
}

// LockSource reads a source and keeps it until the transaction ends.
func (tx *Tx) LockSource(ctx context.Context, id int64) (s lms.RosterSource, ok bool, err error) {
	if s, ok, err = tx.oneSource(ctx, sqlLockSource, id); err != nil {
		return s, false, fmt.Errorf("lock source %d: %w", id, err)
	}
	return s, ok, nil
}

// CreateSource makes a source and returns its id.
func (tx *Tx) CreateSource(ctx context.Context, s lms.RosterSource) (id int64, err error) {
	_, err = tx.one(ctx, sqlInsertSource, []any{
		s.Name, string(s.Kind), s.Place, orNull(s.CourseID), s.Role, s.Minutes, s.Exact, s.Brake, s.Enabled, s.CreatedBy, at(s.CreatedAt), at(s.NextAt),
	}, &id)
	if err != nil {
		return 0, fmt.Errorf("create source: %w", err)
	}
	return id, nil
}

// UpdateSource writes what changes about a source.
func (tx *Tx) UpdateSource(ctx context.Context, s lms.RosterSource) error {
	if err := tx.later(ctx, "update source", sqlUpdateSource, s.ID, s.Name, s.Place, s.Role, s.Minutes, s.Exact, s.Brake, s.Enabled, at(s.NextAt), s.CreatedBy); err != nil {
		return fmt.Errorf("update source %d: %w", s.ID, err)
	}
	return nil
}

// DeleteSource hides a source. Its runs stay, since imports refer to them.
func (tx *Tx) DeleteSource(ctx context.Context, id int64, now time.Time) error {
	if err := tx.later(ctx, "delete source", sqlDeleteSource, id, at(now)); err != nil {
		return fmt.Errorf("delete source %d: %w", id, err)
	}
	return nil
}

// LeaseSource takes a source that is due, or whose run can go on, for a node.
func (tx *Tx) LeaseSource(ctx context.Context, node string, now, until time.Time) (id int64, ok bool, err error) {
	if ok, err = tx.one(ctx, sqlFindSource, []any{at(now)}, &id); err != nil || !ok {
		return 0, false, err
	}
	n, err := tx.exec(ctx, sqlLeaseSource, id, node, at(until), at(now))
	if err != nil {
		return 0, false, fmt.Errorf("lease source %d: %w", id, err)
	}
	return id, n == 1, nil
}

// ReturnSource gives a source back; others may take it from a time on.
func (tx *Tx) ReturnSource(ctx context.Context, id int64, node string, from time.Time) error {
	if err := tx.later(ctx, "return source", sqlReturnSource, id, node, at(from)); err != nil {
		return fmt.Errorf("return source %d: %w", id, err)
	}
	return nil
}

// CreateRun makes a run of a source and returns its id.
func (tx *Tx) CreateRun(ctx context.Context, r lms.SourceRun) (id int64, err error) {
	if _, err = tx.one(ctx, sqlInsertRun, []any{r.SourceID, r.StartedBy, at(r.StartedAt), string(r.State), r.Name, r.Fingerprint}, &id); err != nil {
		return 0, fmt.Errorf("create run of source %d: %w", r.SourceID, err)
	}
	return id, nil
}

// UpdateRun writes what changes about a run.
func (tx *Tx) UpdateRun(ctx context.Context, r lms.SourceRun) error {
	notes := "[]"
	if len(r.Notes) > 0 {
		notes = mustJSON(r.Notes)
	}
	if err := tx.later(ctx, "update run", sqlUpdateRun, r.ID, atOrNull(r.EndedAt), string(r.State), mapJSON(r.Counts), r.People, r.Courses, notes, r.Fingerprint, r.Name); err != nil {
		return fmt.Errorf("update run %d: %w", r.ID, err)
	}
	return nil
}

func (tx *Tx) runs(ctx context.Context, st *statement, args ...any) ([]lms.SourceRun, error) {
	rows, err := tx.query(ctx, st, args...)
	return collect(rows, err, runOf)
}

func (tx *Tx) oneRun(ctx context.Context, st *statement, id int64) (r lms.SourceRun, ok bool, err error) {
	list, err := tx.runs(ctx, st, id)
	if err != nil || len(list) == 0 {
		return r, false, err
	}
	return list[0], true, nil
}

// Run reads a run of a source that was not deleted.
func (tx *Tx) Run(ctx context.Context, id int64) (r lms.SourceRun, ok bool, err error) {
	if r, ok, err = tx.oneRun(ctx, sqlRun, id); err != nil {
		return r, false, fmt.Errorf("read run %d: %w", id, err)
	}
	return r, ok, nil
}

// LockRun reads a run and keeps it until the transaction ends.
func (tx *Tx) LockRun(ctx context.Context, id int64) (r lms.SourceRun, ok bool, err error) {
	if r, ok, err = tx.oneRun(ctx, sqlLockRun, id); err != nil {
		return r, false, fmt.Errorf("lock run %d: %w", id, err)
	}
	return r, ok, nil
}

// OpenRun is the run of a source that has not ended.
func (tx *Tx) OpenRun(ctx context.Context, sourceID int64) (r lms.SourceRun, ok bool, err error) {
	if r, ok, err = tx.oneRun(ctx, sqlOpenRun, sourceID); err != nil {
		return r, false, fmt.Errorf("read the open run of source %d: %w", sourceID, err)
	}
	return r, ok, nil
}

// Runs lists the runs of a source, newest first, with an id below before.
func (tx *Tx) Runs(ctx context.Context, sourceID, before int64, limit int) ([]lms.SourceRun, error) {
	list, err := tx.runs(ctx, sqlRuns, sourceID, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list runs of source %d: %w", sourceID, err)
	}
	return list, nil
}

// LastFingerprint is that of the file which a source brought last; empty for none.
func (tx *Tx) LastFingerprint(ctx context.Context, sourceID int64) (print string, err error) {
	if _, err = tx.one(ctx, sqlLastPrint, []any{sourceID}, &print); err != nil {
		return "", fmt.Errorf("read the last file of source %d: %w", sourceID, err)
	}
	return print, nil
}

// RunImports lists the imports of a run with an id above after.
func (tx *Tx) RunImports(ctx context.Context, runID, after int64, limit int) ([]lms.Import, error) {
	rows, err := tx.query(ctx, sqlRunImports, runID, after, limit)
	list, err := collect(rows, err, importOf)
	if err != nil {
		return nil, fmt.Errorf("list imports of run %d: %w", runID, err)
	}
	return list, nil
}

// PeopleByLists counts who is in the courses of a run because a list brought them.
func (tx *Tx) PeopleByLists(ctx context.Context, runID int64) (n int64, err error) {
	if _, err = tx.one(ctx, sqlByLists, []any{runID}, &n); err != nil {
		return 0, fmt.Errorf("count people of run %d: %w", runID, err)
	}
	return n, nil
}

// Sourced is a thing of a student system with what it is here.
type Sourced struct {
	ID    string
	Local int64
}

// PutSourced remembers what things of a source are here.
func (tx *Tx) PutSourced(ctx context.Context, sourceID int64, kind string, list []Sourced) error {
	if len(list) == 0 {
		return nil
	}
	rows := make([][2]any, len(list))
	for i, s := range list {
		rows[i] = [2]any{s.ID, s.Local}
	}
	if err := tx.later(ctx, "remember identifiers", sqlPutSourced, mustJSON(rows), sourceID, kind); err != nil {
		return fmt.Errorf("remember %d identifiers of source %d: %w", len(list), sourceID, err)
	}
	return nil
}

// SourcedIDs tells what things of a source are here; those that are unknown are
// left out.
func (tx *Tx) SourcedIDs(ctx context.Context, sourceID int64, kind string, ids []string) (map[string]int64, error) {
	list := make([][1]string, len(ids))
	for i, id := range ids {
		list[i][0] = id
	}
	found := make(map[string]int64, len(ids))
	rows, err := tx.query(ctx, sqlSourced, mustJSON(list), sourceID, kind)
	_, err = collect(rows, err, func(r scanner) (struct{}, error) {
		var id string
		var local int64
		err := r.Scan(&id, &local)
		found[id] = local
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("find %d identifiers of source %d: %w", len(ids), sourceID, err)
	}
	return found, nil
}

// AddressesOf gives the primary addresses of users, by id.
func (tx *Tx) AddressesOf(ctx context.Context, ids []int64) (map[int64]lms.Email, error) {
	found := make(map[int64]lms.Email, len(ids))
	rows, err := tx.query(ctx, sqlAddressesOf, idList(ids))
	_, err = collect(rows, err, func(r scanner) (struct{}, error) {
		var id int64
		var address string
		err := r.Scan(&id, &address)
		found[id] = lms.Email(address)
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("read addresses of %d users: %w", len(ids), err)
	}
	return found, nil
}

// SectionsByID reads sections of any courses.
func (tx *Tx) SectionsByID(ctx context.Context, ids []int64) (map[int64]lms.Section, error) {
	found := make(map[int64]lms.Section, len(ids))
	rows, err := tx.query(ctx, sqlSectionsByID, idList(ids))
	_, err = collect(rows, err, func(r scanner) (struct{}, error) {
		var s lms.Section
		err := r.Scan(&s.ID, &s.CourseID, &s.Name)
		found[s.ID] = s
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("read %d sections: %w", len(ids), err)
	}
	return found, nil
}
