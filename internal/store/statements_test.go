package store

import (
	"context"
	"path/filepath"
	"testing"

	"matricula/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// TestEveryStatementIsValidOnBothEngines asks each engine to prepare each
// statement of the package against the migrated schema.
func TestEveryStatementIsValidOnBothEngines(t *testing.T) {
	for name, dsn := range map[string]string{
		"sqlite":   "sqlite:" + filepath.Join(t.TempDir(), "test.db"),
		"postgres": storetest.Postgres(t),
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			s, err := Open(ctx, dsn)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			if err := s.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
			if len(statements) < 60 {
				t.Fatalf("only %d statements are registered", len(statements))
			}
			for _, st := range statements {
				p, err := s.read.PrepareContext(ctx, st.text[s.engine])
				if err != nil {
					t.Errorf("%v\n%s", err, st.text[s.engine])
					continue
				}
				if err := p.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
