package config

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Names of variables in a text: whole, with a provider's name or a placeholder for
// it, and by their end alone, as in "…_DOMAINS".
var (
	namedWhole = regexp.MustCompile(prefix + `[A-Z0-9_]*(?:<NAME>_[A-Z0-9_]*)?[*…]?`)
	namedEnd   = regexp.MustCompile(`…_([A-Z][A-Z0-9_]*)`)
)

// documented are the variables that a text names, the settings of any provider as
// "OIDC ISSUER" and so on, and the names that nobody knows.
func documented(text string) (names map[string]bool, unknown []string) {
	names = map[string]bool{}
	for _, name := range namedWhole.FindAllString(text, -1) {
		if strings.HasSuffix(name, "*") || strings.HasSuffix(name, "…") {
			continue // several at once
		}
		_, field, provider := cutOIDC(strings.Replace(name, "<NAME>", "NAME", 1))
		switch {
		case slices.Contains(plain, name):
			names[name] = true
		case provider:
			names["OIDC "+field] = true
		default:
			unknown = append(unknown, name)
		}
	}
	for _, end := range namedEnd.FindAllStringSubmatch(text, -1) {
		if slices.Contains(oidcFields, end[1]) {
			names["OIDC "+end[1]] = true
		} else {
			unknown = append(unknown, end[0])
		}
	}
	return names, unknown
}

// knownNames are what documented finds in a text that names everything.
func knownNames() []string {
	return append(slices.Clone(plain), withPrefix("OIDC ", oidcFields)...)
}

func TestEveryVariableStandsInThePagesForAdministratorsAndNoOther(t *testing.T) {
	const root = "../.."
	pages, err := filepath.Glob(root + "/docs/admin/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages for administrators: %v", err)
	}
	named := map[string]bool{}
	for _, page := range append(pages, root+"/docs/operations.md") {
		names, unknown := documentedIn(t, page)
		for name := range names {
			named[name] = true
		}
		for _, name := range unknown {
			t.Errorf("%s names %s, which no version of this program reads", page, name)
		}
	}
	for _, name := range knownNames() {
		if !named[name] {
			t.Errorf("neither docs/admin nor docs/operations.md names %s: docs/admin/settings.md is the place", name)
		}
	}
	for _, page := range []string{"README.md", "CONTRIBUTING.md", "docs/design.md"} {
		if _, unknown := documentedIn(t, root+"/"+page); len(unknown) > 0 {
			t.Errorf("%s names %v, which nothing reads", page, unknown)
		}
	}
}

func documentedIn(t *testing.T, page string) (map[string]bool, []string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return documented(string(text))
}

func TestNamesOfVariablesAreFoundInTexts(t *testing.T) {
	names, unknown := documented("`MATRICULA_ADDR` and MATRICULA_URL=x, MATRICULA_OIDC_<NAME>_ISSUER, `…_DOMAINS=*`, $MATRICULA_OIDC_MY_OWN_LABEL; " +
		"MATRICULA_* and MATRICULA_OIDC_… stand for many; MATRICULA_ADRR, MATRICULA_OIDC_<NAME>_SECRET, MATRICULA_OIDC_UNI_NAME and …_HOST for nothing.")
	for _, name := range []string{"MATRICULA_ADDR", "MATRICULA_URL", "OIDC ISSUER", "OIDC DOMAINS", "OIDC LABEL"} {
		if !names[name] {
			t.Errorf("%s is not found", name)
		}
	}
	want := []string{"MATRICULA_ADRR", "MATRICULA_OIDC_<NAME>_SECRET", "MATRICULA_OIDC_UNI_NAME", "…_HOST"}
	if len(names) != 5 || !slices.Equal(unknown, want) {
		t.Errorf("%v %v", names, unknown)
	}
}
