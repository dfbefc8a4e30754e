package lang_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"matricula/internal/lang"
)

// speaking are the functions and methods whose literal arguments are texts for
// people, with the places of those arguments.
var speaking = map[string][]int{
	"T": {0}, "N": {1, 2}, "Say": {0}, "Errorf": {2}, "Invalid": {2}, "NotFound": {0}, "Term": {0}, // of lang and lms
	"t": {1}, "n": {2, 3}, "phrase": {0}, // of web
	"refuse": {1}, "refuseSuggesting": {3}, // of lms
}

// found is where each text was found first.
type found map[string]string

func (f found) add(fset *token.FileSet, e ast.Expr) {
	if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
		text, err := strconv.Unquote(lit.Value)
		if err != nil {
			return
		}
		if _, seen := f[text]; !seen && text != "" {
			f[text] = fset.Position(lit.Pos()).String()
		}
	}
	if sum, ok := e.(*ast.BinaryExpr); ok && sum.Op == token.ADD { // a long text over several lines
		if text, ok := joined(sum); ok {
			f[text] = fset.Position(sum.Pos()).String()
		}
	}
}

func joined(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		a, okA := joined(e.X)
		b, okB := joined(e.Y)
		return a + b, okA && okB
	}
	return "", false
}

// texts finds every text for people in the program.
func texts(t *testing.T) found {
	t.Helper()
	all := found{}
	fset := token.NewFileSet()
	var files []*ast.File
	root := filepath.Join("..", "..", "internal")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		folder := filepath.ToSlash(filepath.Dir(path))
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
			strings.Contains(folder, "/apptest") || strings.Contains(folder, "/lang") || strings.HasSuffix(folder, "/api") {
			return nil // programs read the API in English
		}
		file, err := parser.ParseFile(fset, path, nil, 0)
		if err == nil {
			files = append(files, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		learn(f)
	}
	// Constants of texts are used by name.
	constants := map[string]ast.Expr{}
	for _, f := range files {
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.CONST {
				for _, s := range g.Specs {
					v := s.(*ast.ValueSpec)
					for i, name := range v.Names {
						if i < len(v.Values) {
							constants[f.Name.Name+"."+name.Name] = v.Values[i]
						}
					}
				}
			}
		}
	}
	for _, f := range files {
		pkg := f.Name.Name
		ast.Inspect(f, func(node ast.Node) bool {
			switch x := node.(type) {
			case *ast.CallExpr:
				for _, i := range speaking[calledName(x)] {
					if i >= len(x.Args) {
						continue
					}
					if id, ok := x.Args[i].(*ast.Ident); ok {
						if c := constants[pkg+"."+id.Name]; c != nil {
							all.add(fset, c)
						}
					}
					all.add(fset, x.Args[i])
				}
			case *ast.CompositeLit:
				all.composite(fset, x)
			case *ast.FuncDecl:
				all.returned(fset, x)
				all.assigned(fset, x)
			}
			return true
		})
	}
	return all
}

func calledName(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// composite finds texts in tables: maps to lms.Term, slices of lms.Term, and
// fields that hold one.
func (f found) composite(fset *token.FileSet, c *ast.CompositeLit) {
	var element ast.Expr
	switch kind := c.Type.(type) {
	case *ast.MapType:
		element = kind.Value
	case *ast.ArrayType:
		element = kind.Elt
	}
	if element == nil {
		if c.Type != nil {
			f.fields(fset, c, termsOf(c.Type))
		}
		return
	}
	term := isTerm(element)
	fields := termsOf(element)
	for _, e := range c.Elts {
		value := e
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			value = kv.Value
		}
		if term {
			f.add(fset, value)
		}
		inner, ok := value.(*ast.CompositeLit)
		if !ok {
			continue
		}
		f.fields(fset, inner, fields)
		// A list of terms in a table has no type of its own.
		if list, ok := element.(*ast.ArrayType); ok && isTerm(list.Elt) {
			for _, one := range inner.Elts {
				f.add(fset, one)
			}
		}
	}
}

// fields finds texts in the fields of a struct that are terms.
func (f found) fields(fset *token.FileSet, c *ast.CompositeLit, terms structTerms) {
	for i, field := range c.Elts {
		if kv, ok := field.(*ast.KeyValueExpr); ok {
			if name, ok := kv.Key.(*ast.Ident); ok && terms.named[name.Name] {
				f.add(fset, kv.Value)
			}
			continue
		}
		if terms.placed[i] {
			f.add(fset, field)
		}
	}
}

// structTerms are which fields of a struct are terms.
type structTerms struct {
	named  map[string]bool
	placed map[int]bool
}

// known are the structs of the program that have terms. A preset role's name is
// one, though a custom role's is not.
var known = map[string]structTerms{"Role": {map[string]bool{"Name": true}, nil}}

func learn(f *ast.File) {
	ast.Inspect(f, func(node ast.Node) bool {
		if spec, ok := node.(*ast.TypeSpec); ok {
			if _, isStruct := spec.Type.(*ast.StructType); isStruct {
				if terms := termsOf(spec.Type); len(terms.named) > 0 {
					known[spec.Name.Name] = terms
				}
			}
		}
		return true
	})
}

func termsOf(e ast.Expr) structTerms {
	switch kind := e.(type) {
	case *ast.Ident:
		return known[kind.Name]
	case *ast.SelectorExpr:
		return known[kind.Sel.Name]
	case *ast.StructType:
		out := structTerms{map[string]bool{}, map[int]bool{}}
		i := 0
		for _, field := range kind.Fields.List {
			for _, name := range field.Names {
				if isTerm(field.Type) {
					out.named[name.Name], out.placed[i] = true, true
				}
				i++
			}
		}
		return out
	}
	return structTerms{}
}

func isTerm(e ast.Expr) bool {
	switch kind := e.(type) {
	case *ast.Ident:
		return kind.Name == "Term"
	case *ast.SelectorExpr:
		return kind.Sel.Name == "Term"
	}
	return false
}

// returned finds texts that a function returns as lms.Term.
func (f found) returned(fset *token.FileSet, d *ast.FuncDecl) {
	if d.Type.Results == nil || len(d.Type.Results.List) == 0 || d.Body == nil {
		return
	}
	for i, result := range d.Type.Results.List {
		if !isTerm(result.Type) {
			continue
		}
		ast.Inspect(d.Body, func(node ast.Node) bool {
			if r, ok := node.(*ast.ReturnStmt); ok && i < len(r.Results) {
				f.add(fset, r.Results[i])
			}
			return true
		})
	}
}

// assigned finds texts that are given to a variable that began as a term.
func (f found) assigned(fset *token.FileSet, d *ast.FuncDecl) {
	terms := map[string]bool{}
	ast.Inspect(d, func(node ast.Node) bool {
		a, ok := node.(*ast.AssignStmt)
		if !ok || len(a.Lhs) != len(a.Rhs) {
			return true
		}
		for i, left := range a.Lhs {
			name, ok := left.(*ast.Ident)
			if !ok {
				continue
			}
			if call, ok := a.Rhs[i].(*ast.CallExpr); ok && a.Tok == token.DEFINE && calledName(call) == "Term" && len(call.Args) == 1 {
				terms[name.Name] = true
			}
			if terms[name.Name] {
				f.add(fset, a.Rhs[i])
			}
		}
		return true
	})
}

// letters tells whether there is anything to translate.
var letters = regexp.MustCompile(`\pL`)

var verbs = regexp.MustCompile(`%(?:\[(\d+)\])?[-+# 0-9.]*([a-zA-Z%])`)

// verbsOf lists what a format takes, in the order of its arguments.
func verbsOf(format string) []string {
	var list []string
	next := 1
	for _, m := range verbs.FindAllStringSubmatch(format, -1) {
		if m[2] == "%" {
			continue
		}
		if m[1] != "" {
			next, _ = strconv.Atoi(m[1])
		}
		list = append(list, strconv.Itoa(next)+strings.NewReplacer("q", "s", "v", "s").Replace(m[2]))
		next++
	}
	slices.Sort(list)
	return list
}

func onlyVerbs(text string) bool { return !letters.MatchString(verbs.ReplaceAllString(text, "")) }

func TestEveryTextHasATranslation(t *testing.T) {
	all := texts(t)
	if len(all) < 300 {
		t.Fatalf("only %d texts were found: the search is broken", len(all))
	}
	for tag, translations := range lang.Catalogs() {
		var missing []string
		for _, text := range slices.Sorted(maps.Keys(all)) {
			translated, ok := translations[text]
			switch {
			case onlyVerbs(text):
			case !ok:
				missing = append(missing, all[text]+": "+strconv.Quote(text))
			case !slices.Equal(verbsOf(text), verbsOf(translated)):
				t.Errorf("%s: %q takes %v, and its translation %q %v", tag, text, verbsOf(text), translated, verbsOf(translated))
			}
		}
		if len(missing) > 0 {
			t.Errorf("%s: %d texts have no translation:\n%s", tag, len(missing), strings.Join(missing, "\n"))
		}
		for text := range translations {
			if _, used := all[text]; !used {
				t.Errorf("%s: nothing says %q any more", tag, text)
			}
		}
	}
}
