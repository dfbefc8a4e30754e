package neverrules_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The never-rules of CONTRIBUTING.md, as a table: what each forbids, why, and a
// sample that breaks it, so that a rule which catches nothing cannot stay.
// Tests and generated files are free of most of them.

type rule struct {
	name   string
	why    string
	broken func(*source) []fault
	bad    []sample // each must be caught
	good   []sample // each must pass
}

type sample struct{ path, text string }

// exception lets a file, or the files of a folder, break one rule for a reason.
// An exception that nothing needs any more is a fault of its own.
type exception struct {
	rule, place string
	what        string // part of the fault that is excused; empty: any
	most        int    // how many faults it excuses; 0: any number
	why         string
}

var exceptions = []*exception{
	{"clock", "cmd/matricula", "time.Now", 1, "the one place that hands the clock to everybody"},
	{"environment", "cmd/matricula", "os.Environ", 1, "the one place that hands the environment to config"},
	{"engine", "internal/store/store.go", "", 0, "opens, migrates and checks the database: here the dialect is chosen"},
	{"engine", "internal/store/groupcommit.go", "", 0, "exists for the engine that has one writer"},
	{"engine", "internal/store/pipeline.go", "", 0, "exists for the engine that is across a network"},
	{"engine", "internal/store/tx.go", "", 0, "reads times back from the engine that keeps them as text"},
	{"engine", "internal/store/directory.go", "", 0, "substring search differs: each engine has an index of its own kind"},
	{"engine", "internal/store/users.go", "", 0, "naming many at once differs, as does the search index that it maintains"},
}

const module = "matricula"

func internal(names ...string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = module + "/internal/" + name
	}
	return out
}

var (
	handlers = internal("api", "web", "oauth", "scim", "server")
	edges    = append(internal("demo"), module+"/cmd")
	testKits = internal("apptest", "store/storetest", "mail/mailtest")
)

var rules = []rule{
	{
		name: "lms", why: "the rules of the field hold without a database, a network or a clock, and are tested without them",
		broken: all(inside("internal/lms"), never(join(internal(""), []string{"net/http", "database/sql", "os", "os/exec"})...),
			onlyModules("golang.org/x/text", "golang.org/x/net")),
		bad: []sample{
			{"internal/lms/user.go", `package lms; import "matricula/internal/store"`},
			{"internal/lms/user.go", `package lms; import "database/sql"`},
			{"internal/lms/user.go", `package lms; import "github.com/google/uuid"`},
		},
		good: []sample{{"internal/lms/email.go", `package lms; import ("errors"; "golang.org/x/net/idna"; "golang.org/x/text/unicode/norm")`}},
	},
	{
		name: "access", why: "the one decision is a pure function of the field's own types",
		broken: all(inside("internal/access"), neverBut(internal(""), internal("lms")), never("net/http", "database/sql", "os"), onlyModules()),
		bad: []sample{
			{"internal/access/decide.go", `package access; import "matricula/internal/store"`},
			{"internal/access/decide.go", `package access; import "golang.org/x/text/cases"`},
		},
		good: []sample{{"internal/access/decide.go", `package access; import ("slices"; "matricula/internal/lms")`}},
	},
	{
		name: "store", why: "it writes what others have decided, and knows nothing of requests",
		broken: all(inside("internal/store"), never(join(internal("access", "service", "signin", "jobs"), handlers, edges, []string{"net/http"})...)),
		bad: []sample{
			{"internal/store/users.go", `package store; import "matricula/internal/service"`},
			{"internal/store/users.go", `package store; import "matricula/internal/access"`},
			{"internal/store/users.go", `package store; import "net/http"`},
		},
		good: []sample{{"internal/store/users.go", `package store; import ("database/sql"; "matricula/internal/lms")`}},
	},
	{
		name: "service", why: "use cases are the same for every face, so they know none",
		broken: all(inside("internal/service", "internal/signin", "internal/jobs", "internal/mail", "internal/config"), never(join(handlers, edges)...)),
		bad: []sample{
			{"internal/service/courses.go", `package service; import "matricula/internal/api"`},
			{"internal/signin/decide.go", `package signin; import "matricula/internal/demo"`},
		},
		good: []sample{{"internal/service/courses.go", `package service; import ("matricula/internal/access"; "matricula/internal/store")`}},
	},
	{
		name: "api", why: "what goes round the service goes round the decision and the audit; two faces that know each other are one",
		broken: all(inside("internal/api"), never(join(internal("store", "web", "oauth", "scim", "server"), edges, []string{"database/sql"})...)),
		bad: []sample{
			{"internal/api/users.go", `package api; import "matricula/internal/store"`},
			{"internal/api/users.go", `package api; import "matricula/internal/web/templates"`},
			{"internal/api/users.go", `package api; import _ "database/sql"`},
		},
		good: []sample{{"internal/api/users.go", `package api; import ("net/http"; "matricula/internal/service")`}},
	},
	{
		name: "web", why: "what goes round the service goes round the decision and the audit; two faces that know each other are one",
		broken: all(inside("internal/web"), never(join(internal("store", "api", "oauth", "scim", "server"), edges, []string{"database/sql"})...)),
		bad: []sample{
			{"internal/web/people.go", `package web; import "matricula/internal/store"`},
			{"internal/web/people.go", `package web; import "matricula/internal/api"`},
			{"internal/web/templates/page_templ.go", "// Code generated by templ - DO NOT EDIT.\npackage templates; import \"database/sql\""},
		},
		good: []sample{{"internal/web/people.go", `package web; import ("matricula/internal/service"; "matricula/internal/web/templates")`}},
	},
	{
		name: "oauth", why: "what goes round the service goes round the decision and the audit; it is a face like the other two",
		broken: all(inside("internal/oauth"), never(join(internal("store", "api", "web", "scim", "server"), edges, []string{"database/sql"})...)),
		bad: []sample{
			{"internal/oauth/token.go", `package oauth; import "matricula/internal/store"`},
			{"internal/oauth/token.go", `package oauth; import "matricula/internal/api"`},
		},
		good: []sample{{"internal/oauth/token.go", `package oauth; import ("matricula/internal/service"; "matricula/internal/signin")`}},
	},
	{
		name: "scim", why: "what goes round the service goes round the decision and the audit; it is a face like the others",
		broken: all(inside("internal/scim"), never(join(internal("store", "api", "web", "oauth", "server"), edges, []string{"database/sql"})...)),
		bad: []sample{
			{"internal/scim/users.go", `package scim; import "matricula/internal/store"`},
			{"internal/scim/users.go", `package scim; import "matricula/internal/api"`},
		},
		good: []sample{{"internal/scim/users.go", `package scim; import ("matricula/internal/lms"; "matricula/internal/service")`}},
	},
	{
		name: "demo", why: "a sample school with a sign-in page for invented accounts has no business in what serves a real one",
		broken: all(outside("cmd", "internal/demo", "internal/apptest", "bench"), never(internal("demo")...)),
		bad:    []sample{{"internal/server/mux.go", `package server; import "matricula/internal/demo"`}},
		good:   []sample{{"cmd/matricula/demo.go", `package main; import "matricula/internal/demo"`}},
	},
	{
		name: "tests", why: "what production needs is not a test kit",
		broken: all(outside("internal/apptest", "internal/store/storetest", "internal/mail/mailtest", "bench"), never(testKits...)),
		bad:    []sample{{"internal/demo/provider.go", `package demo; import "matricula/internal/apptest"`}},
		good:   []sample{{"internal/demo/provider_test.go", `package demo; import "matricula/internal/apptest"`}},
	},
	{
		name: "sql", why: "SQL is found in one place, and tried on both engines there",
		broken: all(outside("internal/store", "bench"), literals(`(?s)\bSELECT\b.*\bFROM\b|(?i:\binsert\s+into\s+\w+\s*\(|\bupdate\s+\w+\s+set\s+\w+\s*=|\bdelete\s+from\s+\w+)|\bCREATE\s+(TABLE|INDEX)\b`)),
		bad: []sample{
			{"internal/service/users.go", "package service; const q = `SELECT id\nFROM users`"},
			{"internal/service/users.go", `package service; const q = "insert into users (id)" + " values (1)"`},
			{"internal/service/users.go", `package service; const q = "update users " + "set name = $1"`},
			{"internal/demo/school.go", `package demo; const q = "DELETE FROM users"`},
		},
		good: []sample{
			{"internal/store/users.go", "package store; const q = `SELECT id FROM users`"},
			{"internal/web/people.go", `package web; const help = "Select people from the table, or update your settings = done."`},
			{"internal/service/users_test.go", "package service; const q = `SELECT id FROM users`"},
		},
	},
	{
		name: "engine", why: "nobody above the dialect may behave differently on one engine; comments may name them",
		broken: all(outside("internal/store/dialect.go", "internal/store/migrations", "internal/store/storetest", "internal/config", "internal/apptest", "bench", "scripts"), names(`(?i)sqlite|postgres|\bpgx\b|\bpgconn\b`)),
		bad: []sample{
			{"internal/service/users.go", `package service; func f(engine string) bool { return engine == "sqlite" }`},
			{"internal/web/people.go", `package web; var isPostgres bool`},
			{"internal/store/users.go", `package store; import "github.com/jackc/pgx/v5/pgconn"; var _ pgconn.PgError`},
		},
		good: []sample{
			{"internal/store/users.go", "package store // SQLite has one writer"},
			{"internal/config/config.go", `package config; const fallback = "sqlite:matricula.db"`},
		},
	},
	{
		name: "caller", why: "who is calling is an argument: a function that needs to know says so in its signature",
		broken: all(inside("internal/lms", "internal/service", "internal/store", "internal/signin", "internal/jobs"),
			calls("context", "WithValue"), calls(module+"/internal/access", "CallerOf", "WithCaller")),
		bad: []sample{
			{"internal/service/do.go", `package service; import "context"; func f(c context.Context) { context.WithValue(c, 1, 2) }`},
			{"internal/service/do.go", `package service; import ("context"; "matricula/internal/access"); func f(c context.Context) { access.CallerOf(c) }`},
		},
		good: []sample{{"internal/server/log.go", `package server; import "context"; func f(c context.Context) { context.WithValue(c, 1, 2) }`}},
	},
	{
		name: "environment", why: "an unknown or bad variable stops the start, which only holds when one place reads them",
		broken: all(outside("internal/config", "internal/apptest", "internal/store/storetest", "scripts", "bench"), calls("os", "Getenv", "LookupEnv", "Environ", "ExpandEnv")),
		bad: []sample{
			{"internal/mail/smtp.go", `package mail; import "os"; var host = os.Getenv("SMTP")`},
			{"internal/mail/smtp.go", `package mail; import system "os"; var read = system.LookupEnv`},
		},
		good: []sample{
			{"internal/config/config.go", `package config; import "os"; var all = os.Environ()`},
			{"internal/mail/smtp.go", `package mail; import "os"; var read = os.ReadFile`},
		},
	},
	{
		name: "clock", why: "expiry, quotas and sessions are tested by moving one clock",
		broken: all(outside("internal/apptest", "internal/store/storetest", "bench", "scripts"), calls("time", "Now", "Since", "Until")),
		bad: []sample{
			{"internal/service/do.go", `package service; import "time"; var t = time.Now()`},
			{"internal/service/do.go", `package service; import "time"; type s struct{ now func() time.Time }; var _ = s{now: time.Now}`},
			{"internal/signin/token.go", `package signin; import "time"; func old(t time.Time) bool { return time.Since(t) > 0 }`},
		},
		good: []sample{{"internal/service/do.go", `package service; import "time"; func f(now func() time.Time) time.Time { return now().Add(time.Hour) }`}},
	},
	{
		name: "package names", why: "a package is named for what it is, so that one knows what does not belong there",
		broken: packageNames("util", "utils", "common", "helper", "helpers", "model", "models", "type", "types", "misc"),
		bad: []sample{
			{"internal/util/strings.go", `package util`},
			{"internal/web/helpers/forms.go", `package helpers`},
			{"internal/web/forms/forms.go", `package common`},
		},
		good: []sample{{"internal/jobs/jobs.go", `package jobs`}},
	},
	{
		name: "no interface", why: "\"go to definition\" on what the service calls leads to SQL, not to an interface",
		broken: all(inside("internal/service"), interfaces()),
		bad:    []sample{{"internal/service/service.go", `package service; type Store interface { User(id int64) error }`}},
		good: []sample{
			{"internal/service/service.go", `package service; import "matricula/internal/store"; type Service struct { store *store.Store }`},
			{"internal/service/list.go", `package service; type id interface { ~int64 | ~string }`},
		},
	},
	{
		name: "length", why: "a file is one subject; what does not fit on a few screens is several",
		broken: longerThan(500),
		bad:    []sample{{"internal/web/people.go", "package web" + strings.Repeat("\n", 501)}},
		good: []sample{
			{"internal/web/people.go", "package web" + strings.Repeat("\n", 499)},
			{"internal/web/people_test.go", "package web" + strings.Repeat("\n", 600)},
			{"internal/web/templates/page_templ.go", "// Code generated by templ - DO NOT EDIT.\npackage templates" + strings.Repeat("\n", 600)},
		},
	},
}

func TestNeverRules(t *testing.T) {
	files := repository(t)
	used := map[*exception]int{}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, f := range files {
				for _, fault := range r.broken(f) {
					if e := excuse(r.name, f.path, fault.what); e != nil && (e.most == 0 || used[e] < e.most) {
						used[e]++
						continue
					}
					t.Errorf("%s:%d: %s\n  why not: %s", f.path, fault.line, fault.what, r.why)
				}
			}
		})
	}
	t.Run("exceptions", func(t *testing.T) {
		for _, e := range exceptions {
			if used[e] == 0 {
				t.Errorf("%s no longer breaks the rule %q with %q: remove the exception", e.place, e.rule, e.what)
			}
			if e.why == "" {
				t.Errorf("the exception of %s from the rule %q has no reason", e.place, e.rule)
			}
		}
	})
}

func TestNeverRulesCatchWhatBreaksThem(t *testing.T) {
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			if len(r.bad) == 0 || len(r.good) == 0 {
				t.Fatal("the rule has no sample that breaks it, or none that keeps it")
			}
			for _, s := range r.bad {
				if len(r.broken(parse(t, s.path, s.text))) == 0 {
					t.Errorf("not caught in %s: %.200s", s.path, s.text)
				}
			}
			for _, s := range r.good {
				if faults := r.broken(parse(t, s.path, s.text)); len(faults) > 0 {
					t.Errorf("caught without cause in %s: %v: %.200s", s.path, faults, s.text)
				}
			}
		})
	}
}

func excuse(rule, file, what string) *exception {
	for _, e := range exceptions {
		if e.rule == rule && below(file, e.place) && strings.Contains(what, e.what) {
			return e
		}
	}
	return nil
}

// source is one Go file of the repository, or of a sample.
type source struct {
	path      string // from the root of the repository, with slashes
	test      bool
	generated bool
	lines     int
	set       *token.FileSet
	tree      *ast.File
}

type fault struct {
	line int
	what string
}

func repository(t *testing.T) []*source {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatalf("this test no longer lies three folders below go.mod: %v", err)
	}
	var files []*source
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != root && (strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_") || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		files = append(files, parse(t, filepath.ToSlash(relative), string(text)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func parse(t *testing.T, name, text string) *source {
	t.Helper()
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, name, text, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return &source{
		path: name, set: set, tree: tree,
		test:      strings.HasSuffix(name, "_test.go"),
		generated: ast.IsGenerated(tree) || strings.HasSuffix(name, "_templ.go"),
		lines:     strings.Count(text, "\n"),
	}
}

func (s *source) at(n ast.Node, what string) fault { return fault{s.set.Position(n.Pos()).Line, what} }

// importPaths are what the file imports, with the place of each.
func (s *source) importPaths() map[string]ast.Node {
	paths := map[string]ast.Node{}
	for _, spec := range s.tree.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			panic(err) // the parser has checked it
		}
		paths[name] = spec
	}
	return paths
}

// below tells whether name is root or lies in it, in whole path elements. A
// root that ends in a slash takes all that begins so.
func below(name, root string) bool {
	return name == root || strings.HasPrefix(name, strings.TrimSuffix(root, "/")+"/")
}

func belowAny(name string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return below(name, root) })
}

func join(lists ...[]string) []string { return slices.Concat(lists...) }

// check is a part of a rule: a filter says whether the rule is about the file.
type (
	filter func(*source) bool
	check  func(*source) []fault
)

func all(about filter, checks ...check) check {
	return func(s *source) []fault {
		if s.test || !about(s) {
			return nil
		}
		var faults []fault
		for _, c := range checks {
			faults = append(faults, c(s)...)
		}
		return faults
	}
}

// inside is about production files below these folders; a test kit that lies
// within one is no part of it.
func inside(folders ...string) filter {
	return func(s *source) bool {
		return belowAny(s.path, folders) && !belowAny(module+"/"+s.path, testKits)
	}
}

func outside(places ...string) filter {
	return func(s *source) bool { return !belowAny(s.path, places) }
}

func never(roots ...string) check { return neverBut(roots, nil) }

func neverBut(roots, but []string) check {
	return func(s *source) []fault {
		var faults []fault
		for name, node := range s.importPaths() {
			own := module + "/" + path.Dir(s.path)
			if belowAny(name, roots) && !belowAny(name, but) && !below(name, own) {
				faults = append(faults, s.at(node, "imports "+name))
			}
		}
		return faults
	}
}

// onlyModules lets a file import the standard library, this module, and these.
func onlyModules(modules ...string) check {
	return func(s *source) []fault {
		var faults []fault
		for name, node := range s.importPaths() {
			first, _, _ := strings.Cut(name, "/")
			if strings.Contains(first, ".") && !belowAny(name, modules) {
				faults = append(faults, s.at(node, "imports "+name))
			}
		}
		return faults
	}
}

// literals finds strings, joined over plus signs, that match the pattern.
func literals(pattern string) check {
	want := regexp.MustCompile(pattern)
	return func(s *source) []fault {
		var faults []fault
		ast.Inspect(s.tree, func(n ast.Node) bool {
			if _, ok := n.(*ast.ImportSpec); ok {
				return false
			}
			if e, ok := n.(ast.Expr); ok {
				if text, ok := constant(e); ok {
					if want.MatchString(text) {
						faults = append(faults, s.at(n, fmt.Sprintf("holds %.60q", text)))
					}
					return false
				}
			}
			return true
		})
		return faults
	}
}

// constant is the text of an expression that is made of literals alone.
func constant(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			text, err := strconv.Unquote(e.Value)
			return text, err == nil
		}
	case *ast.ParenExpr:
		return constant(e.X)
	case *ast.BinaryExpr:
		left, ok := constant(e.X)
		right, also := constant(e.Y)
		return left + right, e.Op == token.ADD && ok && also
	}
	return "", false
}

// names finds identifiers, imports and strings that match the pattern.
func names(pattern string) check {
	want := regexp.MustCompile(pattern)
	inStrings := literals(pattern)
	return func(s *source) []fault {
		faults := inStrings(s)
		for name, node := range s.importPaths() {
			if want.MatchString(name) {
				faults = append(faults, s.at(node, "imports "+name))
			}
		}
		ast.Inspect(s.tree, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && want.MatchString(id.Name) {
				faults = append(faults, s.at(n, "names "+id.Name))
			}
			return true
		})
		return faults
	}
}

// calls finds uses of functions of a package, whatever the file calls that
// package, and whether they are called or handed on.
func calls(pkg string, functions ...string) check {
	return func(s *source) []fault {
		spec, imported := s.importPaths()[pkg].(*ast.ImportSpec)
		if !imported {
			return nil
		}
		local := path.Base(pkg)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		if local == "." {
			return []fault{s.at(spec, "imports all names of "+pkg)}
		}
		var faults []fault
		ast.Inspect(s.tree, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && slices.Contains(functions, sel.Sel.Name) {
				if id, ok := sel.X.(*ast.Ident); ok && id.Name == local {
					faults = append(faults, s.at(n, "uses "+pkg+"."+sel.Sel.Name))
				}
			}
			return true
		})
		return faults
	}
}

func packageNames(forbidden ...string) check {
	return func(s *source) []fault {
		name := strings.TrimSuffix(s.tree.Name.Name, "_test")
		if slices.Contains(forbidden, name) || slices.Contains(forbidden, path.Base(path.Dir(s.path))) {
			return []fault{s.at(s.tree.Name, "is in a package called "+name)}
		}
		return nil
	}
}

// interfaces finds declared interfaces with methods; constraints have none.
func interfaces() check {
	return func(s *source) []fault {
		var faults []fault
		ast.Inspect(s.tree, func(n ast.Node) bool {
			decl, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if t, ok := decl.Type.(*ast.InterfaceType); ok {
				for _, field := range t.Methods.List {
					if _, ok := field.Type.(*ast.FuncType); ok {
						faults = append(faults, s.at(n, "declares the interface "+decl.Name.Name))
						break
					}
				}
			}
			return true
		})
		return faults
	}
}

func longerThan(limit int) check {
	return func(s *source) []fault {
		if s.test || s.generated || s.lines <= limit {
			return nil
		}
		return []fault{{limit + 1, fmt.Sprintf("has %d lines", s.lines)}}
	}
}
