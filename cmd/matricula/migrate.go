package main

import (
	"context"
	"errors"
	"fmt"

	"matricula/internal/config"
	"matricula/internal/store"
)

type migrateCommand struct{}

// Run brings the database to this version.
func (migrateCommand) Run(ctx context.Context, p *program) (err error) {
	cfg, err := config.Load(p.environ)
	if err != nil {
		return err
	}
	st, err := openDatabase(ctx, cfg.Database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if err := st.Migrate(ctx); err != nil {
		return databaseFault(cfg.Database, err)
	}
	_, err = fmt.Fprintf(p.stdout, "%s is at schema version %d.\n", cfg.Database, store.SchemaVersion())
	return err
}
