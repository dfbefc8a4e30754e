package store

import (
	"context"
	"fmt"
	"strings"
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

// tableCheck looks at all references of one table in one pass.
type tableCheck struct {
	table    string
	key      string
	numbered bool // then in portions
	text     string
	ends     *statement
	bad      *statement
}

func tableChecksOf(refs []reference) (list []tableCheck) {
	for len(refs) > 0 {
		n := 1
		for n < len(refs) && refs[n].table == refs[0].table {
			n++
		}
		first := refs[0]
		c := tableCheck{table: first.table, key: first.key, numbered: first.numbered}
		where := "TRUE"
		if c.numbered {
			c.ends = written(portionEnds(first.table, first.key))
			where = `t.` + first.key + ` > $1 AND t.` + first.key + ` <= $2`
		}
		c.text = referenceText(refs[:n], where)
		c.bad = written(c.text)
		list, refs = append(list, c), refs[n:]
	}
	return list
}

func written(text string) *statement { return &statement{text: [2]string{text, text}} }

// checkReferences looks at every declared reference, one pass for each table.
// Where it finds that somebody acted who has not arrived, that is I3's.
func checkReferences(ctx context.Context, tx *Tx, f *findings) error {
	if f.whole {
		return nil
	}
	for _, c := range f.tables {
		if err := c.look(ctx, tx, f); err != nil {
			return fmt.Errorf("table %s: %w", c.table, err)
		}
	}
	return nil
}

func (c *tableCheck) look(ctx context.Context, tx *Tx, f *findings) error {
	look := func(args ...any) error {
		rows, err := tx.query(ctx, c.bad, args...)
		return each(rows, err, func(r scanner) error {
			var invariant, where string
			err := r.Scan(&invariant, &where)
			if err == nil {
				f.brokenFor(invariant, where)
			}
			return err
		})
	}
	if !c.numbered {
		return look()
	}
	return f.eachPortion(ctx, tx, c.ends, func(above, to int64) error { return look(above, to) })
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
		// Most people were never merged into anybody.
		if !r.person() || r.column == "merged_into" {
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
