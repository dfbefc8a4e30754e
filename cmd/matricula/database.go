package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"matricula/internal/config"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// openTimeout bounds the wait for a database that does not answer.
const openTimeout = 10 * time.Second

// openDatabase opens the database and makes sure that it answers.
func openDatabase(ctx context.Context, db config.Database) (*store.Store, error) {
	if path, ok := db.File(); ok {
		if err := checkFolder(path); err != nil {
			return nil, databaseFault(db, err)
		}
	}
	st, err := store.Open(ctx, db.DSN())
	if err != nil {
		return nil, databaseFault(db, err)
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if err := st.Ping(ctx); err != nil {
		return nil, errors.Join(databaseFault(db, err), st.Close())
	}
	return st, nil
}

// openExisting is for commands that only look, or that work beside a server: a
// slip in the path must not make a new database.
func openExisting(ctx context.Context, db config.Database) (*store.Store, error) {
	if path, ok := db.File(); ok {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, databaseFault(db, errors.New("there is no such file: \"matricula migrate\" makes it"))
		}
	}
	return openDatabase(ctx, db)
}

// checkFolder gives a clear reason before the database's own, which would only
// say that it cannot open the file.
func checkFolder(path string) error {
	folder := filepath.Dir(path)
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no folder %s: make it first", folder)
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is no folder", folder)
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return errors.New("it is no file")
	}
	return nil
}

// databaseFault names the variable, and the database without its password. The
// store's message for users gives way to what the operator needs to know.
func databaseFault(db config.Database, err error) error {
	var e *lms.Error
	if errors.As(err, &e) && e.Err != nil {
		err = e.Err
	}
	return fmt.Errorf("MATRICULA_DATABASE: cannot use %s: %w", db, err)
}
