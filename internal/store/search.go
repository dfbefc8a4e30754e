package store

import (
	"context"
	"fmt"
)

// searchQueue holds what users are to be found by until it is written to
// SQLite's search index. A nil queue belongs to an engine whose index follows
// the column users.search_key by itself.
type searchQueue struct{ entries []searchEntry }

type searchEntry struct {
	id    int64
	key   string
	added bool // the user is new, so that the index holds nothing about them
}

func (q *searchQueue) add(e searchEntry) {
	if q != nil {
		q.entries = append(q.entries, e)
	}
}

var (
	sqlUnindex = stmtFor(`DELETE FROM user_search WHERE rowid IN (SELECT j.value->>0 FROM {rows:$1})`, `SELECT 1 FROM {rows:$1}`)
	sqlIndex   = stmtFor(`INSERT INTO user_search (rowid, search_key) SELECT j.value->>0, j.value->>1 FROM {rows:$1}`, `SELECT 1 FROM {rows:$1}`)
)

// write brings the index up to date. Of several entries of one user the last
// counts.
func (q *searchQueue) write(ctx context.Context, tx *Tx) error {
	if len(q.entries) == 0 {
		return nil
	}
	place := make(map[int64]int, len(q.entries))
	var stale [][1]int64
	list := make([][2]any, 0, len(q.entries))
	for _, e := range q.entries {
		i, again := place[e.id]
		if again {
			list[i][1] = e.key
			continue
		}
		place[e.id] = len(list)
		list = append(list, [2]any{e.id, e.key})
		if !e.added {
			stale = append(stale, [1]int64{e.id})
		}
	}
	if len(stale) > 0 {
		if _, err := tx.exec(ctx, sqlUnindex, mustJSON(stale)); err != nil {
			return fmt.Errorf("take %d users out of the search index: %w", len(stale), err)
		}
	}
	if _, err := tx.exec(ctx, sqlIndex, mustJSON(list)); err != nil {
		return fmt.Errorf("index %d users: %w", len(list), err)
	}
	return nil
}

// Where the index is a table of its own, what was taken out of it is only marked, and
// is there until the index is put in order. That takes a third of a second for fifty
// thousand people.
var sqlTidySearch = stmtFor(`INSERT INTO user_search (user_search) VALUES ('optimize')`, `SELECT 1`)

// TidySearch removes what was taken out of the search index from it.
func (tx *Tx) TidySearch(ctx context.Context) error {
	if _, err := tx.exec(ctx, sqlTidySearch); err != nil {
		return fmt.Errorf("tidy the search index: %w", err)
	}
	return nil
}
