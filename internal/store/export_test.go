package store

import (
	"context"
	"database/sql"
)

// What the tests, which stand outside of the package because their kit imports
// it, must see of its inside.

// Statements are the texts of all registered statements for a store's engine.
func (s *Store) Statements() []string {
	texts := make([]string, len(statements))
	for i, st := range statements {
		texts[i] = st.text[s.engine]
	}
	return texts
}

// ReadPool is the pool that reads.
func (s *Store) ReadPool() *sql.DB { return s.read }

// WritePool is the pool that writes; before Start, its connection is free.
func (s *Store) WritePool() *sql.DB { return s.write }

// OnWriter runs fn on SQLite's writer connection, between the transactions of
// others.
func (s *Store) OnWriter(fn func(*sql.Conn) error) error {
	return s.commit.withConn(context.Background(), fn)
}

// MaxBatch is how many transactions share a commit at most.
const MaxBatch = maxBatch

// AsIfLarge has the invariants checked in portions, as in a large database.
func (s *Store) AsIfLarge(ctx context.Context, large bool) error {
	s.checks.Store(nil)
	all, err := s.allChecks(ctx)
	if err == nil && large {
		all.large = written(`SELECT 'users'`)
	}
	return err
}
