package api_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"matricula/internal/api"
)

var update = flag.Bool("update", false, "write testdata/openapi.json anew")

// document is the OpenAPI document, as far as answers are held against it.
type document struct {
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas         map[string]*schema `json:"schemas"`
		SecuritySchemes map[string]any     `json:"securitySchemes"`
	} `json:"components"`
	Security []map[string][]string `json:"security"`
}

type operation struct {
	OperationID string   `json:"operationId"`
	Summary     string   `json:"summary"`
	Description string   `json:"description"`
	Tags        []string `json:"tags"`
	Parameters  []struct {
		Name string `json:"name"`
		In   string `json:"in"`
	} `json:"parameters"`
	Responses map[string]struct {
		Content map[string]struct {
			Schema *schema `json:"schema"`
		} `json:"content"`
	} `json:"responses"`
}

type schema struct {
	Ref        string             `json:"$ref"`
	Type       any                `json:"type"`
	Enum       []any              `json:"enum"`
	AnyOf      []*schema          `json:"anyOf"`
	Items      *schema            `json:"items"`
	Properties map[string]*schema `json:"properties"`
	Required   []string           `json:"required"`
	Additional any                `json:"additionalProperties"`
}

func readDocument(tb testing.TB, b []byte) *document {
	tb.Helper()
	d := &document{}
	if err := json.Unmarshal(b, d); err != nil {
		tb.Fatal(err)
	}
	return d
}

// check holds an answer against the document: every field is described and of
// its type, and none that is required is missing.
func (d *document) check(s *school, r *http.Request, re *reply) {
	s.Helper()
	o, ok := d.operation(r.Method, r.URL.Path)
	if !ok {
		return // not below /api/v1
	}
	answer, ok := o.Responses[fmt.Sprint(re.status)]
	if !ok {
		s.Errorf("%s: the document does not know the status %d", re.asked, re.status)
		return
	}
	if len(answer.Content) == 0 {
		if len(re.raw) > 0 {
			s.Errorf("%s: %d should have no body", re.asked, re.status)
		}
		return
	}
	if r.Method != http.MethodHead {
		d.hold(s, re.asked, "body", answer.Content["application/json"].Schema, any(re.body))
	}
}

func (d *document) operation(method, path string) (operation, bool) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	parts := strings.Split(path, "/")
	for template, methods := range d.Paths {
		like := strings.Split(template, "/")
		matches := len(like) == len(parts)
		for i := range like {
			matches = matches && (like[i] == parts[i] || strings.HasPrefix(like[i], "{"))
		}
		// No fixed part of ours could be an id.
		if o, ok := methods[strings.ToLower(method)]; ok && matches {
			return o, true
		}
	}
	return operation{}, false
}

func (d *document) hold(tb testing.TB, asked, where string, s *schema, v any) {
	tb.Helper()
	if s == nil {
		tb.Errorf("%s: %s is not described", asked, where)
		return
	}
	if len(s.AnyOf) > 0 {
		if v != nil {
			d.hold(tb, asked, where, s.AnyOf[0], v)
		}
		return
	}
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		d.hold(tb, asked, where, d.Components.Schemas[name], v)
		return
	}
	if s.Type != nil && !isOf(s.Type, v) {
		tb.Errorf("%s: %s is %v, and not of the type %v", asked, where, v, s.Type)
		return
	}
	if len(s.Enum) > 0 && v != nil && !slices.Contains(s.Enum, v) {
		tb.Errorf("%s: %s is %v, and not one of %v", asked, where, v, s.Enum)
	}
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			d.hold(tb, asked, fmt.Sprintf("%s[%d]", where, i), s.Items, item)
		}
	case object:
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				tb.Errorf("%s: %s has no %s", asked, where, name)
			}
		}
		if s.Properties == nil {
			return
		}
		for name, field := range v {
			d.hold(tb, asked, where+"."+name, s.Properties[name], field)
		}
	}
}

func isOf(typ, v any) bool {
	if list, ok := typ.([]any); ok {
		return slices.ContainsFunc(list, func(t any) bool { return isOf(t, v) })
	}
	switch v := v.(type) {
	case nil:
		return typ == "null"
	case bool:
		return typ == "boolean"
	case string:
		return typ == "string"
	case float64:
		return typ == "number" || (typ == "integer" && v == float64(int64(v)))
	case []any:
		return typ == "array"
	default:
		return typ == "object"
	}
}

func newDocument(t *testing.T) *api.API {
	t.Helper()
	return api.New(nil, api.Options{URL: schoolURL, Version: "test"})
}

func TestOpenAPIDocumentIsTheGoldenFile(t *testing.T) {
	got := newDocument(t).OpenAPI()
	golden := filepath.Join("testdata", "openapi.json")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("the OpenAPI document has changed. If that is meant, run\n\tgo test ./internal/api -run OpenAPI -update\nand look at the difference: what clients rely on must not be among it.")
	}
}

func TestOpenAPIDescribesEveryOperationWhole(t *testing.T) {
	a := newDocument(t)
	d := readDocument(t, a.OpenAPI())
	ids := map[string]string{}
	var routes []string
	for path, methods := range d.Paths {
		for method, o := range methods {
			route := strings.ToUpper(method) + " " + path
			routes = append(routes, route)
			if o.OperationID == "" || o.Summary == "" || o.Description == "" || len(o.Tags) != 1 {
				t.Errorf("%s lacks an id, a summary, a description or a tag", route)
			}
			if other := ids[o.OperationID]; other != "" {
				t.Errorf("%s and %s have the same id", route, other)
			}
			ids[o.OperationID] = route
			for _, status := range []string{"401", "403", "429", "500", "503"} {
				if got := o.Responses[status].Content["application/problem+json"].Schema; got == nil || got.Ref != "#/components/schemas/Problem" {
					t.Errorf("%s does not say what %s looks like", route, status)
				}
			}
			if strings.Contains(path, "{") && o.Responses["404"].Content == nil {
				t.Errorf("%s has ids in its path and does not know 404", route)
			}
			for _, p := range o.Parameters {
				if p.Name == "Idempotency-Key" && method != "post" {
					t.Errorf("%s takes an Idempotency-Key and creates nothing", route)
				}
			}
		}
	}
	for _, route := range a.Routes() {
		if strings.Contains(route, "/api/v1/") && !slices.Contains(routes, route) {
			t.Errorf("%s is registered and not described", route)
		}
	}
	if len(d.Security) != 2 || len(d.Components.SecuritySchemes) != 2 {
		t.Error("the document should know tokens and sessions")
	}
}

func TestOpenAPITakesNoUnknownFieldAndPromisesNothingOfTheKind(t *testing.T) {
	d := readDocument(t, newDocument(t).OpenAPI())
	for name, sent := range map[string]bool{"PrivilegeChange": true, "EnrollRequest": true, "PersonRef": true, "User": false, "Member": false, "Problem": false} {
		s := d.Components.Schemas[name]
		if s == nil {
			t.Errorf("there is no schema %s", name)
			continue
		}
		if (s.Additional == false) != sent {
			t.Errorf("%s has additionalProperties %v", name, s.Additional)
		}
	}
}

func TestDocumentAndPageAreServedToAnybodyWithoutScriptOrStrangers(t *testing.T) {
	s := newSchool(t, "sqlite:"+filepath.Join(t.TempDir(), "school.db"), noOptions)
	for path, contentType := range map[string]string{
		"/api/openapi.json": "application/json", "/api/docs": "text/html; charset=utf-8", "/api/docs.css": "text/css; charset=utf-8",
	} {
		_, w := s.request(anonymous, "GET", path, nil)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != contentType {
			t.Errorf("GET %s: %d, %q", path, w.Code, w.Header().Get("Content-Type"))
		}
	}
	_, w := s.request(anonymous, "GET", "/api/docs", nil)
	page := w.Body.String()
	for _, wanted := range []string{"/api/v1/users/{user_id}/privileges", "Set what a person may do in a course", `href="#schema-Member"`, "last-owner", `href="/api/docs.css"`} {
		if !strings.Contains(page, wanted) {
			t.Errorf("the page does not have %q", wanted)
		}
	}
	for _, unwanted := range []string{"<script", "style=", "<style", "onclick", `src="http`, `href="http`, "ZgotmplZ", "%!"} {
		if strings.Contains(page, unwanted) {
			t.Errorf("the page has %q", unwanted)
		}
	}
}
