package config

import (
	"log/slog"
	"net/url"
	"strings"
)

const (
	fileScheme = "sqlite:"
	noDatabase = "must be sqlite:PATH, such as sqlite:matricula.db, or postgres://user:password@host:5432/database"
)

// Database names the database. Only DSN shows its password.
type Database struct{ dsn string }

// FileDatabase is the embedded database in a file.
func FileDatabase(path string) Database { return Database{fileScheme + path} }

// DSN is what opens the database. It can hold a password.
func (d Database) DSN() string { return d.dsn }

// File is the path of the embedded database; ok is false for a database that
// is a server.
func (d Database) File() (path string, ok bool) { return strings.CutPrefix(d.dsn, fileScheme) }

// String names the database without its password and its options.
func (d Database) String() string {
	if _, ok := d.File(); ok {
		return d.dsn
	}
	u, err := url.Parse(d.dsn)
	if err != nil || u.Host == "" && u.Path == "" {
		return "postgres"
	}
	return "postgres at " + u.Host + u.Path
}

// GoString keeps the password out of %#v.
func (d Database) GoString() string { return "config.Database(" + d.String() + ")" }

// LogValue keeps the password out of the log.
func (d Database) LogValue() slog.Value { return slog.StringValue(d.String()) }

func (v variables) database(c *Config) error {
	c.Database = Database{v.or(varDatabase, fileScheme+"matricula.db")}
	if path, ok := c.Database.File(); ok {
		if strings.HasPrefix(path, "//") || path == "" || path == ":memory:" {
			return wrong(varDatabase, noDatabase)
		}
		return nil
	}
	// The parser's message can hold the password.
	u, err := url.Parse(c.Database.dsn)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") || u.Opaque != "" {
		return wrong(varDatabase, noDatabase+" (special characters in the password are written as %%40 for @ and so on)")
	}
	return nil
}
