package api

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

var (
	//go:embed docs.html
	docsPage string
	//go:embed docs.css
	docsStyle []byte
)

// docsView is what the page for people shows of the OpenAPI document.
type docsView struct {
	Title, Version string
	Introduction   []docsParagraph
	Tags           []docsTag
	Schemas        []docsSchema
	Problems       []docsProblem
}

type (
	docsParagraph struct{ Lead, Text string }
	docsTag       struct {
		Name, Anchor, Description string
		Operations                []docsOperation
	}
	docsOperation struct {
		ID, Method, Path, Summary, Description string
		Parameters                             []docsField
		Body                                   docsType
		Responses                              []docsResponse
	}
	docsResponse struct {
		Status, Description string
		Type                docsType
	}
	docsField struct {
		Name, In, Description string
		Required              bool
		Type                  docsType
	}
	docsSchema struct {
		Name   string
		Fields []docsField
	}
	// docsType is a type in words, with a link when it is described below.
	docsType    struct{ Before, Name, After string }
	docsProblem struct{ Type, Title string }
)

// registerDocs serves the document, and a page made from it. The page needs
// nothing from elsewhere and no script.
func (a *API) registerDocs() {
	var page bytes.Buffer
	t := template.Must(template.New("docs").Parse(docsPage))
	if err := t.Execute(&page, a.docsView()); err != nil {
		panic(fmt.Sprintf("API page: %v", err)) // the same at every start: a test would have met it
	}
	a.handle(http.MethodGet, "/api/docs", serveBytes("text/html; charset=utf-8", page.Bytes()))
	a.handle(http.MethodGet, "/api/docs.css", serveBytes("text/css; charset=utf-8", docsStyle))
	a.handle(http.MethodGet, "/api/openapi.json", serveBytes("application/json", a.doc))
}

func serveBytes(contentType string, b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(b) // whoever asked has gone
	}
}

func (a *API) docsView() docsView {
	doc := a.huma.OpenAPI()
	v := docsView{Title: doc.Info.Title, Version: doc.Info.Version}
	for p := range strings.SplitSeq(doc.Info.Description, "\n\n") {
		lead, text := "", p
		if rest, ok := strings.CutPrefix(p, "**"); ok {
			lead, text, _ = strings.Cut(rest, "**")
		}
		v.Introduction = append(v.Introduction, docsParagraph{lead, text})
	}
	for _, tag := range doc.Tags {
		v.Tags = append(v.Tags, docsTag{Name: tag.Name, Anchor: strings.ReplaceAll(strings.ToLower(tag.Name), " ", "-"), Description: tag.Description})
	}
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for _, o := range operationsOf(doc.Paths[path]) {
			i := slices.IndexFunc(v.Tags, func(t docsTag) bool { return t.Name == o.Tags[0] })
			v.Tags[i].Operations = append(v.Tags[i].Operations, docsOperationOf(path, o))
		}
	}
	schemas := doc.Components.Schemas.Map()
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		v.Schemas = append(v.Schemas, docsSchema{Name: name, Fields: docsFields(schemas[name])})
	}
	for _, typ := range slices.Sorted(maps.Keys(titles)) {
		v.Problems = append(v.Problems, docsProblem{typ, titles[typ]})
	}
	return v
}

func docsOperationOf(path string, o described) docsOperation {
	d := docsOperation{ID: o.OperationID, Method: o.method, Path: path, Summary: o.Summary, Description: o.Description}
	for _, p := range o.Parameters {
		d.Parameters = append(d.Parameters, docsField{Name: p.Name, In: p.In, Description: p.Description, Required: p.Required, Type: docsTypeOf(p.Schema)})
	}
	if o.RequestBody != nil {
		for _, media := range o.RequestBody.Content {
			d.Body = docsTypeOf(media.Schema)
		}
	}
	for _, status := range slices.Sorted(maps.Keys(o.Responses)) {
		r := docsResponse{Status: status, Description: o.Responses[status].Description}
		if status < "300" {
			for _, media := range o.Responses[status].Content {
				r.Type = docsTypeOf(media.Schema)
			}
		}
		d.Responses = append(d.Responses, r)
	}
	return d
}

func docsFields(s *huma.Schema) []docsField {
	var fields []docsField
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		fields = append(fields, docsField{Name: name, Description: p.Description, Required: slices.Contains(s.Required, name), Type: docsTypeOf(p)})
	}
	return fields
}

// docsTypeOf puts a schema in words.
func docsTypeOf(s *huma.Schema) docsType {
	if s == nil {
		return docsType{}
	}
	if len(s.AnyOf) > 0 {
		t := docsTypeOf(s.AnyOf[0])
		t.After += " or null"
		return t
	}
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		return docsType{Name: name}
	}
	if s.Items != nil {
		t := docsTypeOf(s.Items)
		t.Before = "list of " + t.Before
		return t
	}
	words := s.Type
	switch {
	case s.Format == "date-time":
		words = "time"
	case s.Type == huma.TypeString:
		words = "text"
	case s.Type == huma.TypeInteger:
		words = "number"
	case s.Type == "":
		words = "object"
	}
	if len(s.Enum) > 0 {
		words = strings.Trim(strings.ReplaceAll(fmt.Sprint(s.Enum), " ", ", "), "[]")
	}
	if s.Nullable {
		words += " or null"
	}
	return docsType{Before: words}
}
