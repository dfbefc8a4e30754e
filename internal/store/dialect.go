package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"regexp"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"matricula/internal/lms"
)

// engine is the database underneath. Whatever must differ between the two is
// in this file and in the paired migrations; all other SQL is written once.
type engine int

const (
	engineSQLite engine = iota
	enginePostgres
)

func (e engine) String() string {
	if e == enginePostgres {
		return "postgres"
	}
	return "sqlite"
}

// statement is one SQL text in the words of both engines. Texts may use
//
//	{rows:$1}   the elements of a JSON array, as table j with the column value
//	{lock}      a lock on the selected rows until the transaction ends
//	{share:x}   keeps the rows of table x from being changed until then
//	{time:x}    a time in such an element, made by Tx.jsonTime
//	{never}     a time after all others
//	{last}      a number after all ids
//
// SQLite has a single writer, so that nothing needs to be locked there.
type statement struct {
	text   [2]string
	skewed bool
}

// eachTime has PostgreSQL plan a statement for the values of each execution, and
// returns it. A plan that is made once for all values is one for the average course:
// it is wrong for every other one where one course holds most of a school's people.
func (s *statement) eachTime() *statement {
	s.skewed = true
	return s
}

// statements holds every statement of the package, so that a test can prepare
// each of them on both engines.
var statements []*statement

var (
	rowsMacro  = regexp.MustCompile(`\{rows:(\$\d+)\}`)
	shareMacro = regexp.MustCompile(`\{share:(\w+)\}`)
	timeMacro  = regexp.MustCompile(`\{time:([^}]+)\}`)

	// SQLite plans for the value of a LIMIT that is a parameter and nothing
	// else: it would prepare the statement anew for each execution.
	limitParameter = regexp.MustCompile(`LIMIT (\$\d+)`)
)

func expand(e engine, text string) string {
	if e == enginePostgres {
		text = rowsMacro.ReplaceAllString(text, "jsonb_array_elements($1::jsonb) AS j(value)")
		text = shareMacro.ReplaceAllString(text, "FOR SHARE OF $1")
		text = timeMacro.ReplaceAllString(text, "CAST($1 AS timestamptz)")
		text = strings.NewReplacer("{never}", "timestamptz '9999-12-31 00:00:00+00'", "{last}", "9000000000000000000").Replace(text)
		return strings.ReplaceAll(text, "{lock}", "FOR NO KEY UPDATE")
	}
	text = rowsMacro.ReplaceAllString(text, "json_each($1) AS j")
	text = shareMacro.ReplaceAllString(text, "")
	text = timeMacro.ReplaceAllString(text, "($1)")
	text = strings.NewReplacer("{never}", "'9999-12-31 00:00:00+00:00'", "{last}", "9000000000000000000").Replace(text)
	text = limitParameter.ReplaceAllString(text, "LIMIT +$1")
	return strings.ReplaceAll(text, "{lock}", "")
}

// stmt registers a statement. It is called for package variables only.
func stmt(text string) *statement {
	return stmtFor(text, text)
}

// stmtFor registers a statement whose text differs between the engines.
func stmtFor(sqliteText, postgresText string) *statement {
	s := &statement{}
	s.text[engineSQLite] = expand(engineSQLite, sqliteText)
	s.text[enginePostgres] = expand(enginePostgres, postgresText)
	statements = append(statements, s)
	return s
}

// sqlDeclaredReferences lists the foreign keys of all tables, each of one
// column, with the first column of the table's primary key and whether that is
// a number.
var sqlDeclaredReferences = stmtFor(
	`SELECT t.name, k."from", k."table", k."to", p.name, CASE WHEN p.type = 'INTEGER' THEN 1 ELSE 0 END
		FROM sqlite_schema t JOIN pragma_foreign_key_list(t.name) k LEFT JOIN pragma_table_info(t.name) p ON p.pk = 1
		WHERE t.type = 'table' ORDER BY t.name, k."from"`,
	`SELECT CAST(c.conrelid::regclass AS text), CAST(a.attname AS text), CAST(c.confrelid::regclass AS text), CAST(f.attname AS text), CAST(k.attname AS text),
			CAST(CASE WHEN k.atttypid = 'bigint'::regtype THEN 1 ELSE 0 END AS bigint)
		FROM pg_constraint c
		JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
		JOIN pg_attribute f ON f.attrelid = c.confrelid AND f.attnum = c.confkey[1]
		LEFT JOIN pg_constraint p ON p.conrelid = c.conrelid AND p.contype = 'p'
		LEFT JOIN pg_attribute k ON k.attrelid = p.conrelid AND k.attnum = p.conkey[1]
		WHERE c.contype = 'f' AND c.connamespace = current_schema()::regnamespace ORDER BY 1, 2`)

// likeEscaper makes text literal inside a LIKE pattern with ESCAPE '\'.
var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func likePattern(folded string) string { return "%" + likeEscaper.Replace(folded) + "%" }

// minIndexedSearch is the shortest text, in runes, that the trigram indexes of
// both engines can find.
const minIndexedSearch = 3

// searchArg is what finds folded text through the engine's substring index.
func (e engine) searchArg(folded string) string {
	if e == enginePostgres || len([]rune(folded)) < minIndexedSearch {
		return likePattern(folded)
	}
	return `"` + strings.ReplaceAll(folded, `"`, `""`) + `"`
}

// searchFrom gives the FROM item and the condition that restrict users u to
// those in whose search key the parameter occurs.
func (e engine) searchFrom(indexed bool, param string) (from, where string) {
	if e == engineSQLite && indexed {
		return "user_search s CROSS JOIN users u ON u.id = s.rowid", "s.search_key MATCH " + param
	}
	return "users u", "u.search_key LIKE " + param + ` ESCAPE '\'`
}

// idColumn is the column by which a search walks: the index's own on SQLite,
// so that it can stop early.
func (e engine) idColumn(indexed bool) string {
	if e == engineSQLite && indexed {
		return "s.rowid"
	}
	return "u.id"
}

// PostgreSQL error codes, from appendix A of its manual.
const (
	pgSerializationFailure = "40001"
	pgDeadlock             = "40P01"
	pgUniqueViolation      = "23505"
	pgDiskFull             = "53100"
	pgTooManyConnections   = "53300"
	pgQueryCanceled        = "57014"
	pgLockNotAvailable     = "55P03"
	pgOperatorIntervention = "57P" // the server is going down or coming up
)

// retryable tells whether running the whole transaction again can succeed: it
// collided with another, or its connection was gone before anything was sent
// on it, which happens to whoever is handed the connection of a caller that
// went away.
func retryable(err error) bool {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe.Code == pgSerializationFailure || pe.Code == pgDeadlock
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, ErrMoved)
}

// ErrMoved says that whoever was found at an address is not there any more, since
// another transaction has merged or erased them meanwhile. The transaction runs again,
// and finds who is.
var ErrMoved = errors.New("who has the address changed meanwhile")

// isUnique tells whether err is a violated uniqueness.
func isUnique(err error) bool {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe.Code == pgUniqueViolation
	}
	var se *sqlite.Error
	if errors.As(err, &se) {
		return se.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || se.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return false
}

// classify turns a driver's error into an lms.Error where the user can be told
// something useful, by code and never by text. Everything else stays as it is
// and is an internal error to whoever renders it.
func classify(err error) error {
	var le *lms.Error
	if err == nil || errors.As(err, &le) {
		return err
	}
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		switch {
		case pe.Code == pgDiskFull:
			return lms.Errorf(lms.CodeUnavailable, "storage-full", "The database has no space left, so nothing was saved. Please tell whoever runs this server.").Because(err)
		case pe.Code == pgTooManyConnections, pe.Code == pgQueryCanceled, pe.Code == pgLockNotAvailable, retryable(err), strings.HasPrefix(pe.Code, pgOperatorIntervention):
			return lms.Errorf(lms.CodeUnavailable, "database-busy", "The database is busy, so nothing was saved. Please try again in a moment.").Because(err)
		}
		return err
	}
	var se *sqlite.Error
	if errors.As(err, &se) {
		switch se.Code() & 0xff {
		case sqlite3.SQLITE_FULL:
			return lms.Errorf(lms.CodeUnavailable, "storage-full", "The disk has no space left, so nothing was saved. Please tell whoever runs this server.").Because(err)
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			return lms.Errorf(lms.CodeUnavailable, "database-busy", "The database is busy, so nothing was saved. Please try again in a moment.").Because(err)
		case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
			return lms.Errorf(lms.CodeUnavailable, "database-unavailable", "The database cannot be written at the moment. Please tell whoever runs this server.").Because(err)
		}
		return err
	}
	if errors.Is(err, ErrMoved) {
		return lms.Errorf(lms.CodeUnavailable, "database-busy", "Somebody is changing this person at this very moment, so nothing was saved. Please try again.").Because(err)
	}
	if isConnectionError(err) {
		return lms.Errorf(lms.CodeUnavailable, "database-unavailable", "The database cannot be reached at the moment. Please try again in a moment.").Because(err)
	}
	return err
}

// inDoubt tells whether a commit that failed may have happened all the same:
// the connection broke, or the server said that it was going down.
func inDoubt(err error) bool {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return strings.HasPrefix(pe.Code, pgOperatorIntervention)
	}
	return isConnectionError(err)
}

func isConnectionError(err error) bool {
	var ne net.Error
	var ce *pgconn.ConnectError
	return errors.Is(err, driver.ErrBadConn) || errors.As(err, &ce) || errors.As(err, &ne) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, pgx.ErrTxClosed) || pgconn.SafeToRetry(err)
}
