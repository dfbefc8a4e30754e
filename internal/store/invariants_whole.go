package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// allChecks is all that CheckInvariants asks by statements alone.
type allChecks struct {
	tables []tableCheck
	large  *statement // the tables of which one statement is not to read all
	whole  *statement // all checks at once, with the invariant that each is of
}

// smallTable is how many rows a table has at most that is looked at together with all
// others. A small database is checked in no time, which tests do very often.
const smallTable = 1000

// allChecks writes the checks, once for each store: a schema does not change while it
// is open.
func (s *Store) allChecks(ctx context.Context) (*allChecks, error) {
	if known := s.checks.Load(); known != nil {
		return known, nil
	}
	refs, err := s.Reader().declaredReferences(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	all := &allChecks{tables: tableChecksOf(refs)}
	keys, looks := map[string]string{}, []string{}
	for _, t := range all.tables {
		if t.numbered {
			keys[t.table] = t.key
		}
		looks = append(looks, t.text)
	}
	for _, inv := range invariants {
		for _, c := range inv.checks {
			if c.run == nil {
				keys[c.table] = c.key
				looks = append(looks, `SELECT '`+inv.name+`', `+strings.TrimPrefix(c.text, "SELECT "))
			}
		}
	}
	var large []string
	for _, table := range slices.Sorted(maps.Keys(keys)) {
		large = append(large, `SELECT `+`'`+table+`' FROM (SELECT `+keys[table]+` FROM `+table+` LIMIT 1 OFFSET `+strconv.Itoa(smallTable)+`) x`)
	}
	all.large = written(strings.Join(large, "\nUNION ALL "))
	everything := strings.NewReplacer("$1", "-1", "$2", strconv.FormatInt(lastKey, 10))
	all.whole = written(everything.Replace(strings.Join(looks, "\nUNION ALL ")))
	s.checks.Store(all)
	return all, nil
}

// checkWhole runs all statements as one where no table is large. Done is false where
// one is.
func (s *Store) checkWhole(ctx context.Context, all *allChecks, f *findings) (done bool, err error) {
	tx := s.Reader()
	rows, err := tx.query(ctx, all.large)
	large, err := collect(rows, err, func(r scanner) (table string, err error) { return table, r.Scan(&table) })
	if err != nil || len(large) > 0 {
		return false, err
	}
	rows, err = tx.query(ctx, all.whole)
	return true, each(rows, err, func(r scanner) error {
		var invariant, where string
		err := r.Scan(&invariant, &where)
		if err == nil {
			f.brokenFor(invariant, where)
		}
		return err
	})
}
