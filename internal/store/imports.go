package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"matricula/internal/lms"
)

const importColumns = `i.id, i.course_id, i.created_by, i.created_at, i.name, i.fingerprint, i.state, i.options, i.heading, i.columns,
	i.row_count, i.chunk_count, i.done_count, i.counts, i.new_sections, i.fault, i.checked_at, i.started_by, i.started_at, i.ended_at, i.undone_by, i.run_id, i.names, i.paused_for, i.paused_until`

func importDest(i *lms.Import) []any {
	return []any{
		&i.ID, &i.CourseID, &i.CreatedBy,
		timestamp{&i.CreatedAt},
		&i.Name, &i.Fingerprint, (*string)(&i.State),
		jsonValue{&i.Options},
		jsonValue{&i.Heading},
		jsonValue{&i.Columns},
		&i.Rows, &i.Chunks, &i.Done,
		jsonValue{&i.Counts},
		jsonValue{&i.NewSections},
		&i.Fault,
		timestamp{&i.CheckedAt},
		&i.StartedBy,
		timestamp{&i.StartedAt},
		timestamp{&i.EndedAt},
		&i.UndoneBy,
		number{&i.RunID},
		&i.Names, (*string)(&i.PausedFor),
		timestamp{&i.PausedUntil},
	}
}

func importOf(r scanner) (i lms.Import, err error) { return i, r.Scan(importDest(&i)...) }

// jsonValue scans a value that is stored as JSON.
type jsonValue struct{ to any }

func (j jsonValue) Scan(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("scan JSON: unexpected %T", v)
	}
	if err := json.Unmarshal([]byte(s), j.to); err != nil {
		return fmt.Errorf("scan JSON: %w", err)
	}
	return nil
}

var (
	sqlInsertImport = stmt(`INSERT INTO imports (course_id, created_by, created_at, name, fingerprint, state, options, heading, columns, row_count, chunk_count, done_count,
			counts, new_sections, leased_until, turn_at, started_by, undone_by, run_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, '{}', '[]', $3, $3, $2, $2, $12) RETURNING id`)
	sqlImport     = stmt(`SELECT ` + importColumns + ` FROM imports i JOIN courses c ON c.id = i.course_id AND c.deleted_at IS NULL WHERE i.id = $1`)
	sqlLockImport = stmt(`SELECT ` + importColumns + ` FROM imports i WHERE i.id = $1 {lock}`)
	sqlImportsOf  = stmt(`SELECT ` + importColumns + ` FROM imports i WHERE i.course_id = $1 AND i.id < $2 AND ($4 = 0 OR i.created_by = $4) AND i.state <> 'reading' ORDER BY i.id DESC LIMIT $3`)
	sqlSameImport = stmt(`SELECT ` + importColumns + ` FROM imports i WHERE i.course_id = $1 AND i.created_by = $2 AND i.fingerprint = $3 AND i.created_at > $4
			AND i.state IN ('reading', 'columns', 'checking', 'ready', 'running') ORDER BY i.id DESC LIMIT 1`)
	sqlUpdateImport = stmt(`UPDATE imports SET state = $2, options = $3, heading = $4, columns = $5, row_count = $6, chunk_count = $7, done_count = $8, counts = $9, new_sections = $10,
			fault = $11, checked_at = $12, started_by = $13, started_at = $14, ended_at = $15, undone_by = $16, fingerprint = $17, names = $18, paused_for = $19, paused_until = $20 WHERE id = $1`)

	// Turns are fair among people first, so that one list does not wait for the
	// five hundred that a source brings, and then among the lists of each.
	sqlFindImportWork = stmt(`SELECT i.id, i.course_id FROM (
			SELECT id, course_id, leased_until, turn_at, max(turn_at) OVER (PARTITION BY started_by) AS last_turn
			FROM imports WHERE state IN ('checking', 'running', 'undoing')
		) i
		WHERE i.leased_until <= $1 ORDER BY i.last_turn, i.turn_at, i.id LIMIT 1`)
	sqlLeaseImport  = stmt(`UPDATE imports SET lease_node = $2, leased_until = $3, turn_at = $4 WHERE id = $1 AND state IN ('checking', 'running', 'undoing') AND leased_until <= $4`)
	sqlRenewImport  = stmt(`UPDATE imports SET leased_until = $3 WHERE id = $1 AND lease_node = $2`)
	sqlTakeReading  = stmt(`UPDATE imports SET leased_until = $3 WHERE id = $1 AND state = 'reading' AND leased_until <= $2`)
	sqlReturnImport = stmt(`UPDATE imports SET lease_node = '', leased_until = $3 WHERE id = $1 AND lease_node = $2`)
	sqlHoldsImport  = stmt(`SELECT ` + importColumns + ` FROM imports i WHERE i.id = $1 AND i.lease_node = $2 {lock}`)

	sqlPutChunk = stmt(`INSERT INTO import_chunks (import_id, n, kind, row_count, step, counts, rows) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (import_id, n) DO UPDATE SET step = excluded.step, counts = excluded.counts, rows = excluded.rows, row_count = excluded.row_count, kind = excluded.kind`)
	sqlChunk        = stmt(`SELECT n, kind, step, counts, rows FROM import_chunks WHERE import_id = $1 AND n = $2`)
	sqlChunkCounts  = stmt(`SELECT n, kind, step, counts, row_count FROM import_chunks WHERE import_id = $1 ORDER BY n`)
	sqlDropLeaving  = stmt(`DELETE FROM import_chunks WHERE import_id = $1 AND kind = 'remove'`)
	sqlDropChunks   = stmt(`DELETE FROM import_chunks WHERE import_id = $1`)
	sqlRememberCols = stmt(`INSERT INTO import_columns (course_id, fingerprint, columns, chosen_by, chosen_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (course_id, fingerprint) DO UPDATE SET columns = excluded.columns, chosen_by = excluded.chosen_by, chosen_at = excluded.chosen_at`)
	sqlRemembered = stmt(`SELECT columns FROM import_columns WHERE course_id = $1 AND fingerprint = $2`)

	// The rows of lists that are over are kept while they can be undone.
	sqlOldImports = stmt(`SELECT i.id FROM imports i WHERE i.state IN ('done', 'canceled', 'failed', 'undone') AND i.chunk_count > 0 AND i.ended_at < $1 ORDER BY i.id LIMIT 100`)

	// Lists that nobody carried out are kept for a while, what came in half for less.
	sqlStaleImports = stmt(`SELECT i.id FROM imports i WHERE (i.state = 'reading' AND i.created_at < $1) OR (i.state IN ('columns', 'ready') AND i.created_at < $2) ORDER BY i.id LIMIT 100`)
)

// CreateImport makes an import and returns its id.
func (tx *Tx) CreateImport(ctx context.Context, i lms.Import) (id int64, err error) {
	_, err = tx.one(ctx, sqlInsertImport, []any{
		i.CourseID, i.CreatedBy, at(i.CreatedAt), i.Name, i.Fingerprint, string(i.State), mustJSON(i.Options), listJSON(i.Heading), mapJSON(i.Columns), i.Rows, i.Chunks, orNull(i.RunID),
	}, &id)
	if err != nil {
		return 0, fmt.Errorf("create import in course %d: %w", i.CourseID, err)
	}
	return id, nil
}

// listJSON and mapJSON write what is missing as empty.
func listJSON(list []string) string {
	if list == nil {
		return "[]"
	}
	return mustJSON(list)
}

func mapJSON[V any](m map[string]V) string {
	if m == nil {
		return "{}"
	}
	return mustJSON(m)
}

// Import reads an import of a course that was not deleted.
func (tx *Tx) Import(ctx context.Context, id int64) (i lms.Import, ok bool, err error) {
	if ok, err = tx.one(ctx, sqlImport, []any{id}, importDest(&i)...); err != nil {
		return i, false, fmt.Errorf("read import %d: %w", id, err)
	}
	return i, ok, nil
}

// LockImport reads an import and keeps it as it is until the transaction ends.
func (tx *Tx) LockImport(ctx context.Context, id int64) (i lms.Import, ok bool, err error) {
	if ok, err = tx.one(ctx, sqlLockImport, []any{id}, importDest(&i)...); err != nil {
		return i, false, fmt.Errorf("lock import %d: %w", id, err)
	}
	return i, ok, nil
}

// Imports lists the imports of a course, newest first, with an id below before;
// those of one person alone when by is not 0.
func (tx *Tx) Imports(ctx context.Context, courseID, before int64, limit int, by int64) ([]lms.Import, error) {
	rows, err := tx.query(ctx, sqlImportsOf, courseID, before, limit, by)
	list, err := collect(rows, err, importOf)
	if err != nil {
		return nil, fmt.Errorf("list imports of course %d: %w", courseID, err)
	}
	return list, nil
}

// SameImport finds an import of the same content that somebody began after a time
// and that has not ended.
func (tx *Tx) SameImport(ctx context.Context, courseID, by int64, fingerprint string, after time.Time) (i lms.Import, ok bool, err error) {
	if ok, err = tx.one(ctx, sqlSameImport, []any{courseID, by, fingerprint, at(after)}, importDest(&i)...); err != nil {
		return i, false, fmt.Errorf("look for the same import in course %d: %w", courseID, err)
	}
	return i, ok, nil
}

// UpdateImport writes what changes about an import.
func (tx *Tx) UpdateImport(ctx context.Context, i lms.Import) error {
	err := tx.later(ctx, "update import", sqlUpdateImport, i.ID, string(i.State), mustJSON(i.Options), listJSON(i.Heading), mapJSON(i.Columns), i.Rows, i.Chunks, i.Done,
		mapJSON(i.Counts), listJSON(i.NewSections), i.Fault, atOrNull(i.CheckedAt), i.StartedBy, atOrNull(i.StartedAt), atOrNull(i.EndedAt), i.UndoneBy, i.Fingerprint, i.Names, string(i.PausedFor), atOrNull(i.PausedUntil))
	if err != nil {
		return fmt.Errorf("update import %d: %w", i.ID, err)
	}
	return nil
}

// LeaseImport takes the import whose turn it is for a node, until a time;
// ok is false when none waits. Whoever holds the lease works on it.
func (tx *Tx) LeaseImport(ctx context.Context, node string, now, until time.Time) (id int64, ok bool, err error) {
	var course int64
	if ok, err = tx.one(ctx, sqlFindImportWork, []any{at(now)}, &id, &course); err != nil || !ok {
		return 0, false, err
	}
	n, err := tx.exec(ctx, sqlLeaseImport, id, node, at(until), at(now))
	if err != nil {
		return 0, false, fmt.Errorf("lease import %d: %w", id, err)
	}
	return id, n == 1, nil
}

// TakeReading takes an import whose list nobody reads any more; ok is false for
// every other. While a list is read, the lease is of no node.
func (tx *Tx) TakeReading(ctx context.Context, id int64, now, until time.Time) (ok bool, err error) {
	n, err := tx.exec(ctx, sqlTakeReading, id, at(now), at(until))
	if err != nil {
		return false, fmt.Errorf("take the reading of import %d: %w", id, err)
	}
	return n == 1, nil
}

// RenewImport lengthens a lease that is held.
func (tx *Tx) RenewImport(ctx context.Context, id int64, node string, until time.Time) error {
	if err := tx.later(ctx, "renew lease", sqlRenewImport, id, node, at(until)); err != nil {
		return fmt.Errorf("renew the lease of import %d: %w", id, err)
	}
	return nil
}

// ReturnImport gives a lease back, so that the next node, or the same, may take it.
func (tx *Tx) ReturnImport(ctx context.Context, id int64, node string, now time.Time) error {
	if err := tx.later(ctx, "return lease", sqlReturnImport, id, node, at(now)); err != nil {
		return fmt.Errorf("return the lease of import %d: %w", id, err)
	}
	return nil
}

// HoldImport reads an import whose lease the node still holds, and keeps it until
// the transaction ends; ok is false when another node has taken it over.
func (tx *Tx) HoldImport(ctx context.Context, id int64, node string) (i lms.Import, ok bool, err error) {
	if ok, err = tx.one(ctx, sqlHoldsImport, []any{id, node}, importDest(&i)...); err != nil {
		return i, false, fmt.Errorf("hold import %d: %w", id, err)
	}
	return i, ok, nil
}

// PutChunk stores a chunk of an import, new or changed.
func (tx *Tx) PutChunk(ctx context.Context, c *lms.ImportChunk) error {
	kind := "file"
	if c.Leaving {
		kind = "remove"
	}
	if err := tx.later(ctx, "store chunk", sqlPutChunk, c.ImportID, c.N, kind, len(c.Rows), string(c.Step), mapJSON(c.Counts), mustJSON(c.Rows)); err != nil {
		return fmt.Errorf("store chunk %d of import %d: %w", c.N, c.ImportID, err)
	}
	return nil
}

// Chunk reads one chunk of an import.
func (tx *Tx) Chunk(ctx context.Context, importID, n int64) (c lms.ImportChunk, ok bool, err error) {
	kind := ""
	if ok, err = tx.one(ctx, sqlChunk, []any{importID, n}, &c.N, &kind, (*string)(&c.Step), jsonValue{&c.Counts}, jsonValue{&c.Rows}); err != nil {
		return c, false, fmt.Errorf("read chunk %d of import %d: %w", n, importID, err)
	}
	c.ImportID, c.Leaving = importID, kind == "remove"
	return c, ok, nil
}

// ChunkInfo is a chunk without its rows.
type ChunkInfo struct {
	N       int64
	Leaving bool
	Step    lms.ChunkStep
	Counts  lms.ImportCount
	Rows    int64
}

// ChunkInfos lists the chunks of an import without their rows.
func (tx *Tx) ChunkInfos(ctx context.Context, importID int64) ([]ChunkInfo, error) {
	rows, err := tx.query(ctx, sqlChunkCounts, importID)
	list, err := collect(rows, err, func(r scanner) (c ChunkInfo, err error) {
		kind := ""
		err = r.Scan(&c.N, &kind, (*string)(&c.Step), jsonValue{&c.Counts}, &c.Rows)
		c.Leaving = kind == "remove"
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("list chunks of import %d: %w", importID, err)
	}
	return list, nil
}

// DropLeaving removes the chunks of who would leave, which a check finds anew.
func (tx *Tx) DropLeaving(ctx context.Context, importID int64) error {
	if err := tx.later(ctx, "drop chunks", sqlDropLeaving, importID); err != nil {
		return fmt.Errorf("drop chunks of import %d: %w", importID, err)
	}
	return nil
}

// DropChunks removes the rows of an import that came to nothing.
func (tx *Tx) DropChunks(ctx context.Context, importID int64) error {
	if err := tx.later(ctx, "drop chunks", sqlDropChunks, importID); err != nil {
		return fmt.Errorf("drop chunks of import %d: %w", importID, err)
	}
	return nil
}

// RememberColumns keeps which column of lists with such headings holds what.
func (tx *Tx) RememberColumns(ctx context.Context, courseID int64, fingerprint string, columns map[string]int, by int64, now time.Time) error {
	if err := tx.later(ctx, "remember columns", sqlRememberCols, courseID, fingerprint, mapJSON(columns), by, at(now)); err != nil {
		return fmt.Errorf("remember columns in course %d: %w", courseID, err)
	}
	return nil
}

// RememberedColumns tells what was chosen for lists with such headings.
func (tx *Tx) RememberedColumns(ctx context.Context, courseID int64, fingerprint string) (columns map[string]int, ok bool, err error) {
	if ok, err = tx.one(ctx, sqlRemembered, []any{courseID, fingerprint}, jsonValue{&columns}); err != nil {
		return nil, false, fmt.Errorf("read columns of course %d: %w", courseID, err)
	}
	return columns, ok, nil
}

// OldImports lists imports that were over before a time and whose rows are still kept.
func (tx *Tx) OldImports(ctx context.Context, before time.Time) ([]int64, error) {
	rows, err := tx.query(ctx, sqlOldImports, at(before))
	list, err := collect(rows, err, func(r scanner) (id int64, err error) { return id, r.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("list old imports: %w", err)
	}
	return list, nil
}

// StaleImports lists imports that came in half before one time, or that nobody
// carried out since another.
func (tx *Tx) StaleImports(ctx context.Context, half, unused time.Time) ([]int64, error) {
	rows, err := tx.query(ctx, sqlStaleImports, at(half), at(unused))
	list, err := collect(rows, err, func(r scanner) (id int64, err error) { return id, r.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("list stale imports: %w", err)
	}
	return list, nil
}
