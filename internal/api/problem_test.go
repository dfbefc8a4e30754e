package api_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"matricula/internal/lms"
)

func TestEveryCodeHasItsStatus_I10(t *testing.T) {
	s := newSchool(t, "sqlite:"+filepath.Join(t.TempDir(), "school.db"), noOptions)
	for code, want := range map[lms.Code]int{
		lms.CodeMalformed: 400, lms.CodeUnauthenticated: 401, lms.CodeForbidden: 403, lms.CodeNotFound: 404, lms.CodeConflict: 409,
		lms.CodeTooLarge: 413, lms.CodeInvalid: 422, lms.CodeTooMany: 429, lms.CodeUnavailable: 503, lms.CodeInternal: 500, "unheard-of": 500,
	} {
		re := s.problem(lms.Errorf(code, "some-type", "Secret? No: safe to show."))
		re.is(want)
		if want == 500 {
			re.refused(500, "internal")
			if strings.Contains(string(re.raw), "Secret") {
				t.Errorf("500 tells: %s", re.raw)
			}
			continue
		}
		re.refused(want, "some-type")
		same(t, "detail", re.text("detail"), "Secret? No: safe to show.")
		same(t, "WWW-Authenticate", re.header.Get("WWW-Authenticate") != "", want == 401)
		same(t, "Retry-After", re.header.Get("Retry-After") != "", want == 429 || want == 503)
		same(t, "Cache-Control", re.header.Get("Cache-Control"), "no-store")
	}
}

// problem renders an error as the server's middleware does.
func (s *school) problem(err error) *reply {
	s.Helper()
	r := httptest.NewRequest("GET", schoolURL+"/api/v1/anything", nil)
	w := httptest.NewRecorder()
	s.api.WriteProblem(w, r, err)
	return s.read(r, w)
}

func TestErrorsOfOurOwnAreLoggedAndNotTold_I10(t *testing.T) {
	s := newSchool(t, "sqlite:"+filepath.Join(t.TempDir(), "school.db"), noOptions)
	s.problem(fmt.Errorf("list users: %w", errors.New("SQL logic error near SELECT"))).refused(500, "internal")
	if !strings.Contains(s.log.String(), "SQL logic error") {
		t.Errorf("the log does not have it:\n%s", s.log)
	}
	s.problem(&lms.Error{Code: lms.CodeUnavailable, Type: "database-busy", Message: "Busy.", Err: errors.New("lock timeout")}).refused(503, "database-busy")
	if !strings.Contains(s.log.String(), "lock timeout") {
		t.Errorf("the log does not say why it is unavailable:\n%s", s.log)
	}
	s.problem(context.DeadlineExceeded).refused(503, "timeout")
	s.problem(fmt.Errorf("query: %w", context.Canceled)).refused(503, "canceled")
}

func TestDatabaseThatIsGoneIsAProblem_I10(t *testing.T) {
	onEachEngine(t, func(s *school) {
		if err := s.store.Close(); err != nil {
			t.Fatal(err)
		}
		for _, re := range []*reply{
			s.ask(s.ada, "GET", "/api/v1/me", nil), s.ask(s.ada, "POST", "/api/v1/courses", object{"title": "x"}),
		} {
			if re.status != 500 && re.status != 503 {
				t.Errorf("%s: %d", re.asked, re.status)
			}
		}
		if log := s.log.String(); !strings.Contains(log, "request=request-1") {
			t.Errorf("the log does not name the request:\n%s", log)
		}
	})
}

func TestAnonymousCallersLearnNothing(t *testing.T) {
	s := newSchool(t, "sqlite:"+filepath.Join(t.TempDir(), "school.db"), noOptions)
	for _, route := range s.api.Routes() {
		method, to, _ := strings.Cut(route, " ")
		if !strings.HasPrefix(to, "/api/v1/") {
			continue
		}
		to = strings.NewReplacer("{course_id}", "x", "{user_id}", "-7", "{role_id}", "0", "{token_id}", "x", "{session_id}", "x").Replace(to)
		re := s.ask(anonymous, method, to+"?nonsense=1", "no json", "Content-Type: text/plain").refused(401, "sign-in-required")
		same(t, "WWW-Authenticate", re.header.Get("WWW-Authenticate"), `Bearer realm="matricula"`)
	}
}

// Problem types are part of the API: each has a title, and so stands in the
// page for people.
func TestEveryProblemTypeHasATitle(t *testing.T) {
	s := newSchool(t, "sqlite:"+filepath.Join(t.TempDir(), "school.db"), noOptions)
	_, w := s.request(anonymous, "GET", "/api/docs", nil)
	found := map[string]bool{}
	for _, folder := range []string{"../lms", "../access", "../store", "../service", "../rosterfile", "."} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				problemTypes(t, file, found)
			}
		}
	}
	if len(found) < 40 {
		t.Errorf("only %d problem types were found: the test looks for them in the wrong way", len(found))
	}
	for typ := range found {
		if !strings.HasPrefix(typ, "address-") && !strings.Contains(w.Body.String(), "<dt><code>"+typ+"</code></dt>") {
			t.Errorf("the problem type %s has no title", typ)
		}
	}
}

// problemTypes finds the types in calls such as lms.Errorf(code, "type", …)
// and lms.Invalid("type", …), and in literals with Type: "type" or typ: "type".
func problemTypes(t *testing.T, file string, found map[string]bool) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	note := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if typ, err := strconv.Unquote(lit.Value); err == nil {
				found[typ] = true
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			name := ""
			switch fn := n.Fun.(type) {
			case *ast.Ident:
				name = fn.Name
			case *ast.SelectorExpr:
				if pkg, ok := fn.X.(*ast.Ident); ok && pkg.Name == "lms" {
					name = fn.Sel.Name
				}
			}
			switch {
			case name == "Errorf" && len(n.Args) > 2:
				note(n.Args[1])
			case name == "Invalid" && len(n.Args) > 2, (name == "unavailable" || name == "already") && len(n.Args) == 2:
				note(n.Args[0])
			}
		case *ast.KeyValueExpr:
			key, ok := n.Key.(*ast.Ident)
			if ok && (key.Name == "typ" || key.Name == "Type") && !strings.Contains(file, "openapi") && !strings.Contains(file, "docs") {
				note(n.Value)
			}
		}
		return true
	})
}

func TestRoutesAreWhatIsServed(t *testing.T) {
	s := newSchool(t, "sqlite:"+filepath.Join(t.TempDir(), "school.db"), noOptions)
	routes := s.api.Routes()
	if len(routes) < 35 {
		t.Errorf("there are only %d routes: %q", len(routes), routes)
	}
	for _, wanted := range []string{"GET /api/v1/me", "PATCH /api/v1/users/{user_id}/privileges", "GET /api/openapi.json", "GET /api/docs"} {
		found := false
		for _, route := range routes {
			found = found || route == wanted
		}
		if !found {
			t.Errorf("there is no %s among %q", wanted, routes)
		}
	}
	for _, route := range routes {
		method, to, _ := strings.Cut(route, " ")
		to = strings.NewReplacer("{", "", "}", "").Replace(to)
		if _, w := s.request(s.ada, method, to, nil); w.Code == http.StatusMethodNotAllowed {
			t.Errorf("%s is not served", route)
		}
	}
}
