package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"matricula/internal/lms"
)

// Looking for each of a hundred people in each class list, as a database does it, takes
// seconds, for which nobody else could write on SQLite. So where many expire at once, the
// lists are read once for all of them, before the transaction, and only those rows are
// looked at again in it in which somebody stands.

// ChunkKey is a chunk of a class list.
type ChunkKey struct{ ImportID, N int64 }

var (
	sqlEveryChunk   = stmt(`SELECT import_id, n, rows FROM import_chunks ORDER BY import_id, n`)
	sqlAddressesNow = stmt(`SELECT user_id, address FROM emails WHERE user_id IN ` + listed)
	sqlNotesLike    = stmt(`SELECT count(*) FROM source_runs WHERE ` + inText("notes"))
	sqlHeadsLike    = stmt(`SELECT count(*) FROM imports WHERE ` + inText("name || heading"))
)

// ChunksAbout finds the chunks of class lists in which some people stand. It is never
// nil. A list that comes in later names them anew.
func (tx *Tx) ChunksAbout(ctx context.Context, ids []int64) ([]ChunkKey, error) {
	people, addresses := map[int64]bool{}, map[lms.Email]bool{}
	for _, id := range ids {
		people[id] = true
	}
	rows, err := tx.query(ctx, sqlAddressesNow, idList(ids))
	_, err = collect(rows, err, func(r scanner) (struct{}, error) {
		var id int64
		var address string
		err := r.Scan(&id, &address)
		addresses[lms.Email(address)] = true
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the addresses of %d people: %w", len(ids), err)
	}
	found := []ChunkKey{}
	rows, err = tx.query(ctx, sqlEveryChunk)
	_, err = collect(rows, err, func(r scanner) (struct{}, error) {
		var k ChunkKey
		var text string
		if err := r.Scan(&k.ImportID, &k.N, &text); err != nil {
			return struct{}{}, err
		}
		var list []lms.ImportRow
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			return struct{}{}, fmt.Errorf("chunk %d of import %d: %w", k.N, k.ImportID, err)
		}
		if slices.ContainsFunc(list, func(row lms.ImportRow) bool {
			return people[row.UserID] || addresses[lms.Email(row.Other)] || slices.ContainsFunc(row.Cells, func(cell string) bool { return namesOne(cell, addresses) })
		}) {
			found = append(found, k)
		}
		return struct{}{}, nil
	})
	if err != nil {
		return nil, fmt.Errorf("look through class lists: %w", err)
	}
	return found, nil
}

// namesOne tells whether a cell holds one of some addresses, alone or among other words.
func namesOne(cell string, addresses map[lms.Email]bool) bool {
	if !strings.Contains(cell, "@") {
		return false
	}
	for _, word := range strings.FieldsFunc(cell, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`,;:<>()[]"`, r) }) {
		if e, err := lms.ParseEmail(strings.TrimRight(word, ".!?")); err == nil && addresses[e] {
			return true
		}
	}
	return false
}

// eraseChunks takes people out of chunks of class lists. A list that is being carried out
// waits, or sees the rows without them.
func (tx *Tx) eraseChunks(ctx context.Context, people []*personal, keys []ChunkKey) error {
	held := map[int64]bool{}
	for _, k := range keys {
		if !held[k.ImportID] {
			held[k.ImportID] = true
			if _, _, err := tx.LockImport(ctx, k.ImportID); err != nil {
				return err
			}
		}
		c, ok, err := tx.Chunk(ctx, k.ImportID, k.N)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		changed := false
		for _, p := range people {
			changed = p.cleanRows(c.Rows) || changed
		}
		if changed {
			if err := tx.PutChunk(ctx, &c); err != nil {
				return err
			}
		}
	}
	return nil
}

// eraseSmallTexts takes people out of the names of files and the notes of sources, of
// which there are few: they are looked for together, and one by one only where there is
// something.
func (tx *Tx) eraseSmallTexts(ctx context.Context, people []*personal) error {
	var patterns [][]any
	for _, p := range people {
		var list [][]any
		if err := json.Unmarshal([]byte(p.patterns()), &list); err != nil {
			return err
		}
		patterns = append(patterns, list...)
	}
	for _, one := range []struct {
		look  *statement
		erase func(context.Context, *personal) error
	}{{sqlNotesLike, tx.eraseNotes}, {sqlHeadsLike, tx.eraseHeads}} {
		var n int64
		if _, err := tx.one(ctx, one.look, []any{mustJSON(patterns)}, &n); err != nil {
			return fmt.Errorf("look for %d people in texts: %w", len(people), err)
		}
		for _, p := range people {
			if n == 0 {
				break
			}
			if err := one.erase(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}
