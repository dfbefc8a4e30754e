package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"matricula/internal/config"
)

// lockDatabase makes sure that no other server runs on the same database file:
// two would each believe to be its only writer. Databases that are servers
// themselves need no lock. Other commands work beside a running server and
// take none.
func lockDatabase(db config.Database) (release func() error, err error) {
	path, ok := db.File()
	if !ok {
		return func() error { return nil }, nil
	}
	if err := checkFolder(path); err != nil {
		return nil, databaseFault(db, err)
	}
	name, err := lockName(path)
	if err != nil {
		return nil, databaseFault(db, err)
	}
	// The file is never removed: whoever removed it would take the lock away
	// from somebody who has opened it a moment before.
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, databaseFault(db, fmt.Errorf("lock it: %w", err))
	}
	held, err := flock(f)
	if err == nil {
		return f.Close, nil
	}
	if held {
		err = errors.New("another matricula server is running on it: stop that one first, or use a database server to run several nodes")
	} else {
		err = fmt.Errorf("lock it: %w", err)
	}
	return nil, errors.Join(databaseFault(db, err), f.Close())
}

// lockName is the name of the lock file, beside the database file itself and
// not beside a link to it.
func lockName(path string) (string, error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(whole); err == nil {
		return real + "-lock", nil
	}
	// The file is not there yet.
	folder, err := filepath.EvalSymlinks(filepath.Dir(whole))
	if err != nil {
		return "", err
	}
	return filepath.Join(folder, filepath.Base(whole)) + "-lock", nil
}
