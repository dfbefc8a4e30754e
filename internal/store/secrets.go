package store

import (
	"context"
	"crypto/rand"
	"fmt"
)

var (
	sqlSecret    = stmt(`SELECT value FROM secrets WHERE name = $1`)
	sqlAddSecret = stmt(`INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`)
)

// Secret gives the random key of 32 bytes that all nodes on this database
// share under a name. The first to ask makes it.
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	var value []byte
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		fresh := make([]byte, 32)
		rand.Read(fresh) // never fails, see its documentation
		if _, err := tx.exec(ctx, sqlAddSecret, name, fresh); err != nil {
			return err
		}
		_, err := tx.one(ctx, sqlSecret, []any{name}, &value)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read secret %s: %w", name, err)
	}
	return value, nil
}
