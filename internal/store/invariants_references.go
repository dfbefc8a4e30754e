package store

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// reference is a declared foreign key of one column.
type reference struct {
	table, column     string
	toTable, toColumn string
	key               string // the first column of the table's primary key; empty: it has none
	numbered          bool   // the key is a number
}

func (r reference) person() bool { return r.toTable == "users" }

// acts tells whether the column holds somebody who has done something, and not
// somebody to whom it was done.
func (r reference) acts() bool {
	return r.person() && (strings.HasSuffix(r.column, "_by") || r.column == "actor_id" || r.column == "author_id")
}

// declaredReferences lists the foreign keys that the schema declares, table by table.
func (tx *Tx) declaredReferences(ctx context.Context) ([]reference, error) {
	rows, err := tx.query(ctx, sqlDeclaredReferences)
	return collect(rows, err, func(r scanner) (ref reference, err error) {
		var numbered int64
		err = r.Scan(&ref.table, &ref.column, &ref.toTable, &ref.toColumn, text{&ref.key}, &numbered)
		ref.numbered = numbered == 1
		return ref, err
	})
}

// checkReferences looks at every declared reference, one pass for each table.
// Where it finds that somebody acted who has not arrived, that is I3's.
func checkReferences(ctx context.Context, tx *Tx, f *findings) error {
	list, err := tx.declaredReferences(ctx)
	if err != nil {
		return err
	}
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].table == list[0].table {
			n++
		}
		if err := tx.checkTable(ctx, list[:n], f); err != nil {
			return fmt.Errorf("table %s: %w", list[0].table, err)
		}
		list = list[n:]
	}
	return nil
}

func (tx *Tx) checkTable(ctx context.Context, refs []reference, f *findings) error {
	table, key := refs[0].table, refs[0].key
	look := func(where string, args ...any) error {
		rows, err := tx.query(ctx, written(referenceText(refs, where)), args...)
		return each(rows, err, func(r scanner) error {
			var empty, what string
			if err := r.Scan(&empty, &what); err != nil {
				return err
			}
			f.brokenFor(empty, what)
			return nil
		})
	}
	if !refs[0].numbered {
		return look("TRUE")
	}
	return tx.eachPortion(ctx, written(portionEnds(table, key)), func(above, to int64) error {
		return look(`t.`+key+` > $1 AND t.`+key+` <= $2`, above, to)
	})
}

// referenceText selects, for each row with a bad reference, the invariant and
// where the first such reference stands.
func referenceText(refs []reference, where string) string {
	table := refs[0].table
	at := ""
	if refs[0].numbered {
		at = ` || ' where ` + refs[0].key + ` is ' || t.` + refs[0].key
	}
	var joins, name, what, bad strings.Builder
	for i, r := range refs {
		to := fmt.Sprintf("r%d", i)
		fmt.Fprintf(&joins, " LEFT JOIN %s %s ON %s.%s = t.%s", r.toTable, to, to, r.toColumn, r.column)
		lost := fmt.Sprintf("%s.%s IS NULL", to, r.toColumn)
		if !r.person() {
			lost = fmt.Sprintf("(t.%s IS NOT NULL AND %s)", r.column, lost)
		}
		conditions := [][2]string{{"I5", lost}}
		if r.acts() {
			conditions = append(conditions, [2]string{"I3", fmt.Sprintf("(%s.kind = 'person' AND %s.claimed_at IS NULL)", to, to)})
		}
		for _, c := range conditions {
			fmt.Fprintf(&name, " WHEN %s THEN '%s'", c[1], c[0])
			fmt.Fprintf(&what, " WHEN %s THEN '%s.%s is ' || COALESCE(CAST(t.%s AS TEXT), 'empty')%s", c[1], table, r.column, r.column, at)
			if bad.Len() > 0 {
				bad.WriteString(" OR ")
			}
			bad.WriteString(c[1])
		}
	}
	return `SELECT CASE` + name.String() + ` END, CASE` + what.String() + ` END FROM ` + table + ` t` + joins.String() + ` WHERE ` + where + ` AND (` + bad.String() + `)`
}

// statementsOfSchema are the statements that are written by the schema. There are as many
// as it has tables.
var statementsOfSchema sync.Map // text -> *statement

func written(text string) *statement {
	if st, ok := statementsOfSchema.Load(text); ok {
		return st.(*statement)
	}
	st, _ := statementsOfSchema.LoadOrStore(text, &statement{text: [2]string{text, text}})
	return st.(*statement)
}
