// Command alternatives measures what a person's first sign-in costs under the
// three designs that docs/adr compares, with nothing, a hundred and ten thousand
// grants waiting for that person, on both databases with durable settings:
//
//	go run ./bench/alternatives
//
// The two rejected designs are written at their best: one statement for all that
// waits, with an index on the address, where the obvious code goes row by row.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"matricula/internal/store/storetest"
)

// design is one way to keep what waits for somebody who has not signed in yet.
type design struct {
	name   string
	tables []string // {json} stands for the engine's type of a JSON column
	// wait makes $2 grants wait for the address $1.
	wait []string
	// claim is the transaction of the first sign-in of the address $1, whose
	// subject at the provider is $2.
	claim []string
	// granted counts what the person with the address $1 holds afterwards.
	granted string
}

// numbers is the integers from 1 to $2, in the SQL of both engines.
const numbers = `WITH RECURSIVE numbers(n) AS (SELECT 1 WHERE CAST($2 AS integer) > 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < CAST($2 AS integer)) `

const identities = `CREATE TABLE identities (issuer text NOT NULL, subject text NOT NULL, user_id bigint NOT NULL REFERENCES users, PRIMARY KEY (issuer, subject))`

const insertIdentity = `INSERT INTO identities (issuer, subject, user_id) SELECT 'https://accounts.example', CAST($2 AS text), id FROM users WHERE email = $1`

const courses = `CREATE TABLE courses (id integer PRIMARY KEY, name text NOT NULL)`

var designs = []design{
	{
		name: "a row for everyone (ours)",
		tables: []string{
			`CREATE TABLE users (id {id}, email text NOT NULL UNIQUE, status text NOT NULL)`,
			courses, identities,
			`CREATE TABLE grants (id {id}, user_id bigint NOT NULL REFERENCES users, course_id integer NOT NULL REFERENCES courses, allow text NOT NULL, UNIQUE (user_id, course_id))`,
		},
		wait: []string{
			`INSERT INTO users (email, status) VALUES ($1, 'pending')`,
			numbers + `INSERT INTO grants (user_id, course_id, allow) SELECT users.id, n, 'roster.manage' FROM numbers, users WHERE email = $1`,
		},
		claim: []string{
			`UPDATE users SET status = 'active' WHERE email = $1 AND status = 'pending'`,
			insertIdentity,
		},
		granted: `SELECT count(*) FROM grants JOIN users ON users.id = user_id WHERE email = $1`,
	},
	{
		name: "null foreign key, table of pending instances",
		tables: []string{
			`CREATE TABLE users (id {id}, email text NOT NULL UNIQUE)`,
			courses, identities,
			`CREATE TABLE grants (id {id}, user_id bigint REFERENCES users, course_id integer NOT NULL REFERENCES courses, allow text NOT NULL, UNIQUE (user_id, course_id))`,
			`CREATE TABLE pending (id {id}, kind text NOT NULL, object_id bigint NOT NULL, email text NOT NULL)`,
			`CREATE INDEX pending_email ON pending (email)`,
		},
		wait: []string{
			numbers + `INSERT INTO grants (course_id, allow) SELECT n, CAST($1 AS text) FROM numbers`,
			`INSERT INTO pending (kind, object_id, email) SELECT 'grant', id, allow FROM grants WHERE allow = $1`,
			`UPDATE grants SET allow = 'roster.manage' WHERE allow = $1`,
		},
		claim: []string{
			`INSERT INTO users (email) VALUES ($1)`,
			insertIdentity,
			`UPDATE grants SET user_id = (SELECT id FROM users WHERE email = $1) WHERE id IN (SELECT object_id FROM pending WHERE kind = 'grant' AND email = $1)`,
			`DELETE FROM pending WHERE email = $1`,
		},
		granted: `SELECT count(*) FROM grants JOIN users ON users.id = user_id WHERE email = $1`,
	},
	{
		name: "JSON, replayed at the first sign-in",
		tables: []string{
			`CREATE TABLE users (id {id}, email text NOT NULL UNIQUE)`,
			courses, identities,
			`CREATE TABLE grants (id {id}, user_id bigint NOT NULL REFERENCES users, course_id integer NOT NULL REFERENCES courses, allow text NOT NULL, UNIQUE (user_id, course_id))`,
			`CREATE TABLE pending (id {id}, kind text NOT NULL, fields {json} NOT NULL, email text NOT NULL)`,
			`CREATE INDEX pending_email ON pending (email)`,
		},
		wait: []string{
			numbers + `INSERT INTO pending (kind, fields, email) SELECT 'grant', CAST('{"course_id": ' || n || ', "allow": "roster.manage"}' AS {json}), CAST($1 AS text) FROM numbers`,
		},
		claim: []string{
			`INSERT INTO users (email) VALUES ($1)`,
			insertIdentity,
			`INSERT INTO grants (user_id, course_id, allow) SELECT users.id, CAST(fields->>'course_id' AS integer), fields->>'allow' FROM pending JOIN users ON users.email = pending.email WHERE kind = 'grant' AND pending.email = $1`,
			`DELETE FROM pending WHERE email = $1`,
		},
		granted: `SELECT count(*) FROM grants JOIN users ON users.id = user_id WHERE email = $1`,
	},
}

type engine struct {
	name  string
	open  func() (*sql.DB, func() error, error) // a fresh database, and how to be rid of it
	types *strings.Replacer
}

func main() {
	runs := flag.Int("runs", 15, "claims measured for each figure; the table shows their median")
	flag.Parse()
	if err := run(context.Background(), *runs); err != nil {
		fmt.Fprintln(os.Stderr, "alternatives:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, runs int) (err error) {
	folder, err := os.MkdirTemp("", "matricula-alternatives-")
	if err != nil {
		return fmt.Errorf("make a folder for SQLite: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	cluster, err := storetest.StartCluster()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Close()) }()

	fmt.Printf("%-10s  %-46s  %8s  %12s  %8s\n", "engine", "design", "waiting", "claim", "to ours")
	for _, e := range []engine{sqliteIn(folder), postgresOn(cluster)} {
		for _, waiting := range []int{0, 100, 10_000} {
			var ours time.Duration
			for i, d := range designs {
				took, err := measure(ctx, e, d, waiting, runs)
				if err != nil {
					return fmt.Errorf("%s, %s, %d waiting: %w", e.name, d.name, waiting, err)
				}
				if i == 0 {
					ours = took
				}
				fmt.Printf("%-10s  %-46s  %8d  %12v  %8.1f\n", e.name, d.name, waiting, took.Round(time.Microsecond), float64(took)/float64(ours))
			}
		}
	}
	return nil
}

// measure is the median time of a claim, from BEGIN to the durable COMMIT.
func measure(ctx context.Context, e engine, d design, waiting, runs int) (median time.Duration, err error) {
	db, remove, err := e.open()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	for _, statement := range d.tables {
		if _, err := db.ExecContext(ctx, e.types.Replace(statement)); err != nil {
			return 0, fmt.Errorf("%s: %w", statement, err)
		}
	}
	if _, err := db.ExecContext(ctx, strings.ReplaceAll(numbers, "$2", "$1")+`INSERT INTO courses (id, name) SELECT n, 'Course' FROM numbers`, max(waiting, 1)); err != nil {
		return 0, fmt.Errorf("courses: %w", err)
	}
	// Everybody waits before anybody claims, so that the tables have the size
	// that they have in a school before its first morning.
	for i := range runs {
		if err := transact(ctx, e, db, d.wait, address(i), waiting); err != nil {
			return 0, fmt.Errorf("let wait: %w", err)
		}
	}
	took := make([]time.Duration, runs)
	for i := range runs {
		start := time.Now()
		if err := transact(ctx, e, db, d.claim, address(i), "subject of "+address(i)); err != nil {
			return 0, fmt.Errorf("claim: %w", err)
		}
		took[i] = time.Since(start)
		var granted int
		if err := db.QueryRowContext(ctx, d.granted, address(i)).Scan(&granted); err != nil {
			return 0, fmt.Errorf("count what was granted: %w", err)
		}
		if granted != waiting {
			return 0, fmt.Errorf("after the claim %s holds %d grants, want %d", address(i), granted, waiting)
		}
	}
	slices.Sort(took)
	return took[runs/2], nil
}

func address(i int) string { return fmt.Sprintf("person%d@uni.example", i) }

// transact runs statements of $1 and, where they name it, $2 in one transaction.
func transact(ctx context.Context, e engine, db *sql.DB, statements []string, first, second any) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit there is nothing to undo
	for _, statement := range statements {
		args := []any{first}
		if strings.Contains(statement, "$2") {
			args = append(args, second)
		}
		if _, err := tx.ExecContext(ctx, e.types.Replace(statement), args...); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return tx.Commit()
}

func sqliteIn(folder string) engine {
	opened := 0
	return engine{
		name:  "SQLite",
		types: strings.NewReplacer("{id}", "integer PRIMARY KEY", "{json}", "text"),
		open: func() (*sql.DB, func() error, error) {
			opened++
			file := filepath.Join(folder, fmt.Sprintf("%d.db", opened))
			db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=busy_timeout(5000)&_txlock=immediate")
			if err != nil {
				return nil, nil, err
			}
			db.SetMaxOpenConns(1)
			return db, func() error {
				return errors.Join(db.Close(), os.Remove(file))
			}, nil
		},
	}
}

func postgresOn(cluster *storetest.Cluster) engine {
	return engine{
		name:  "PostgreSQL",
		types: strings.NewReplacer("{id}", "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "{json}", "jsonb"),
		open: func() (*sql.DB, func() error, error) {
			db, err := sql.Open("pgx", cluster.DSN())
			if err != nil {
				return nil, nil, err
			}
			return db, func() error {
				_, err := db.Exec(`DROP TABLE IF EXISTS pending, grants, identities, users, courses`)
				return errors.Join(err, db.Close())
			}, nil
		},
	}
}
