package store

import (
	"context"
	"fmt"
	"maps"

	"matricula/internal/lms"
)

var (
	endsOfImports = stmt(portionEnds("imports", "id"))
	// An import with its chunks in one statement: both change while it runs. The rows
	// of one that is long over are no longer kept, and it says that it has no chunks.
	sqlImportCounts = stmt(`SELECT i.id, i.state, i.row_count, i.counts, c.kind, c.step, c.row_count, COALESCE(c.counts, '{}')
		FROM imports i LEFT JOIN import_chunks c ON c.import_id = i.id
		WHERE i.id > $1 AND i.id <= $2 AND i.state IN ('running', 'done', 'undoing', 'undone') AND (i.chunk_count > 0 OR c.import_id IS NOT NULL OR i.row_count = 0) ORDER BY i.id, c.n`)
)

// tally is one import as its chunks are read.
type tally struct {
	id, rows, left int64
	state          lms.ImportState
	told, counted  lms.ImportCount
	twice          bool // a row of some chunk has no result, or more than one
}

// checkImports counts the rows of lists once more.
func checkImports(ctx context.Context, tx *Tx, f *findings) error {
	return f.eachPortion(ctx, tx, endsOfImports, func(above, to int64) error {
		var t tally
		rows, err := tx.query(ctx, sqlImportCounts, above, to)
		err = each(rows, err, func(r scanner) error {
			var one tally
			var kind, step string
			var size int64
			var counts lms.ImportCount
			err := r.Scan(&one.id, (*string)(&one.state), &one.rows, jsonValue{&one.told}, text{&kind}, text{&step}, number{&size}, jsonValue{&counts})
			if err != nil {
				return err
			}
			if one.id != t.id {
				t.report(f)
				t = one
				t.counted, t.left = lms.ImportCount{}, t.rows
			}
			t.add(kind, lms.ChunkStep(step), size, counts)
			return nil
		})
		t.report(f)
		return err
	})
}

func (t *tally) add(kind string, step lms.ChunkStep, size int64, counts lms.ImportCount) {
	if step != lms.ChunkDone && step != lms.ChunkUndone {
		return
	}
	if kind == "file" {
		t.left -= size
	}
	for result, n := range counts {
		size -= n
		t.twice = t.twice || (result == "" && n != 0)
	}
	t.twice = t.twice || size != 0
	t.counted.Add(counts)
}

func (t *tally) report(f *findings) {
	none := func(_ string, n int64) bool { return n == 0 }
	maps.DeleteFunc(t.told, none)
	maps.DeleteFunc(t.counted, none)
	switch {
	case t.id == 0:
	case t.twice:
		f.broken(fmt.Sprintf("import %d has rows that are not counted once", t.id))
	case !maps.Equal(t.told, t.counted):
		f.broken(fmt.Sprintf("import %d tells other numbers than its rows", t.id))
	case t.state == lms.ImportDone && t.left != 0:
		f.broken(fmt.Sprintf("import %d is done, and %d of its rows are not", t.id, t.left))
	}
}
