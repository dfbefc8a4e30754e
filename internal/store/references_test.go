package store_test

import (
	"slices"
	"strings"
	"testing"

	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

// TestI5EveryReferenceToAPersonHasAFateWhenTwoAreMerged reads the foreign keys that
// both engines declare. A new one that merging does not know fails here, and so does
// a line of the registry that the schema has no more.
func TestI5EveryReferenceToAPersonHasAFateWhenTwoAreMerged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		raw := db.SQL(t)
		var declared, known []string
		for _, c := range db.References(t, raw, "users") {
			declared = append(declared, c.String())
		}
		columns := map[string][]string{}
		for _, c := range db.Columns(t, raw) {
			columns[c.Table] = append(columns[c.Table], c.Name)
		}
		for _, r := range store.References {
			if r.Where == "" {
				known = append(known, r.Name())
			}
			if !slices.Contains(columns[r.Table], r.Column) {
				t.Errorf("%s is in the registry and not in the schema", r.Name())
			}
			if (r.Fate == store.FateMoves) != (len(r.Key) > 0) {
				t.Errorf("%s %s, and its key is %v", r.Name(), r.Fate, r.Key)
			}
			for _, k := range r.Key {
				if !slices.Contains(columns[r.Table], k) {
					t.Errorf("%s is found again by %s, which %s has not", r.Name(), k, r.Table)
				}
			}
		}
		slices.Sort(known)
		for _, d := range declared {
			if !slices.Contains(known, d) {
				t.Errorf("%s refers to a person, and merging does not know it: give it a line in store.References", d)
			}
		}
		for _, k := range known {
			if !slices.Contains(declared, k) {
				t.Errorf("%s is in the registry, and no foreign key to users", k)
			}
		}
		if len(slices.Compact(known)) != len(declared) {
			t.Errorf("%d references are known and %d declared", len(known), len(declared))
		}
	})
}

// Rows that unite are kept whole, and a column that is not kept would not come back.
func TestI5APlaceIsKeptWithAllItsColumnsWhenTwoAreMerged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		for _, table := range []string{"enrollments", "course_privileges"} {
			var there []string
			for _, c := range db.Columns(t, db.SQL(t)) {
				if c.Table == table {
					there = append(there, c.Name)
				}
			}
			kept := store.PlaceColumns(table)
			slices.Sort(kept)
			slices.Sort(there)
			if !slices.Equal(kept, there) {
				t.Errorf("%s has the columns %v, and %v are kept", table, there, kept)
			}
		}
	})
}

// A place is a row for each person in a course, and nothing else is unique for them:
// of what moves, two rows never meet.
func TestI5WhatMovesIsNotUniqueForAPerson(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		raw := db.SQL(t)
		for _, r := range store.References {
			if r.Fate != store.FateMoves {
				continue
			}
			query := `SELECT count(*) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
				WHERE i.indisunique AND i.indrelid = CAST($1 AS regclass) AND a.attname = $2`
			if db.Engine == storetest.SQLite {
				query = `SELECT count(*) FROM pragma_index_list($1) l, pragma_index_info(l.name) c WHERE l."unique" = 1 AND c.name = $2`
			}
			if n := storetest.Query1[int](t, raw, query, r.Table, r.Column); n > 0 {
				t.Errorf("%s is unique, and two rows of one person would meet", r.Name())
			}
		}
		if !strings.HasPrefix(store.References[0].Name(), "enrollments") {
			t.Error("places do not go first")
		}
	})
}
