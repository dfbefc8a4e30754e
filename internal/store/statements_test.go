package store_test

import (
	"context"
	"testing"

	"matricula/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// TestEveryStatementIsValidOnBothEngines asks each engine to prepare each
// statement of the package against the migrated schema.
func TestEveryStatementIsValidOnBothEngines(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		texts := s.Statements()
		if len(texts) < 60 {
			t.Fatalf("only %d statements are registered", len(texts))
		}
		for _, text := range texts {
			p, err := s.ReadPool().PrepareContext(context.Background(), text)
			if err != nil {
				t.Errorf("%v\n%s", err, text)
				continue
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
