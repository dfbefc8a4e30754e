package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// The tags under which operations stand in the document.
const (
	tagAccount = "Account"
	tagUsers   = "Users"
	tagCourses = "Courses"
	tagPeople  = "People of a course"
	tagAudit   = "Audit"

	tagAnnouncements = "Announcements"
	tagTerms         = "Terms"
	tagLimits        = "Limits"
	tagSources       = "Roster sources"
	tagWebhooks      = "Webhooks"
	tagDirectories   = "Directories"
)

const introduction = `Everything that Matricula's pages can do, for programs.

**Who is calling.** Send an API token as "Authorization: Bearer mat_…", or call from the web app with its session. Tokens are made on the account page, by POST /api/v1/tokens in a session, or with "matricula token create". A token can do what its user can, within its scopes (read, write) and its courses.

**Names.** Fields are in snake_case, times are RFC 3339 in UTC, days of the calendar are written like 2026-10-01, ids are whole numbers. A body may name a person wherever a person can be named, as {"user_id": 42} or {"email": "grace@uni.example"}; an address that nobody has makes a pending person, who finds everything on their first sign-in.

**Lists** are {"items": […], "next_cursor": "…" or null}, with the parameters limit (1 to 200, else 50) and cursor.

**Strictness.** Unknown fields and parameters, a field or parameter twice, and null for what is merely not meant are refused. Bodies are JSON in UTF-8 of at most 1 MB, with the header Content-Type: application/json.

**Errors** are problem documents (RFC 9457) with a stable type, such as …/problems/last-owner. 404 also stands for what the caller may not know exists. 429 and 503 say in Retry-After when to try again.

**Repeating.** A creating POST with the header Idempotency-Key can be sent again after a failure: it answers what the first one answered, and creates nothing twice. Everything else can be repeated as it is.`

// config describes the API and how it reads and writes.
func (a *API) config(opts Options) huma.Config {
	cookie := opts.SessionCookie
	if cookie == "" {
		cookie = "__Host-matricula"
	}
	version := opts.Version
	if version == "" {
		version = "dev"
	}
	format := huma.Format{Marshal: writeJSON, Unmarshal: json.Unmarshal}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Matricula API", Version: version, Description: introduction},
			Servers: []*huma.Server{{URL: a.url}},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", schemaName),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"token":   {Type: "http", Scheme: "bearer", Description: "An API token, or the access token of a program that signed somebody in by POST /oauth/token."},
					"session": {Type: "apiKey", In: "cookie", Name: cookie, Description: "The session of the web app. Browsers may change something with it from the web app's own pages only."},
				},
			},
			Security: []map[string][]string{{"token": {}}, {"session": {}}},
			Tags: []*huma.Tag{
				{Name: tagAccount, Description: "The caller's own account: who they are, their API tokens and sessions."},
				{Name: tagUsers, Description: "Everybody who was ever named, whether or not they have signed in."},
				{Name: tagCourses, Description: "Courses, their roles, and what can be allowed."},
				{Name: tagPeople, Description: "Who is in a course, and what they may do there."},
				{Name: tagAnnouncements, Description: "What a course is told by its staff."},
				{Name: tagSources, Description: "Where rosters come from by themselves: OneRoster bundles and lists."},
				{Name: tagWebhooks, Description: "Programs that are told what happens, in a course or on the whole site."},
				{Name: tagDirectories, Description: "Directories of the institution, such as Entra and Okta, which provision people by SCIM 2.0 at /scim/v2."},
				{Name: tagTerms, Description: "Academic years, and the terms in which courses are taught."},
				{Name: tagLimits, Description: "How often something may happen, on all nodes together, and for whom that is lifted."},
				{Name: tagAudit, Description: "What was done and refused, by whom and to whom."},
			},
		},
		Formats:       map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat: "application/json",
	}
}

// schemaName names a schema after its type; a List of users is a UserList.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	if strings.HasPrefix(t.Name(), "List[") {
		return strings.TrimPrefix(name, "List") + "List"
	}
	return name
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// writeJSON renders a whole answer before any of it is sent. Huma would panic
// when the client has gone, which is no fault.
func writeJSON(w io.Writer, v any) error {
	buf := buffers.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= maxBody {
			buf.Reset()
			buffers.Put(buf)
		}
	}()
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	_, _ = w.Write(buf.Bytes())
	return nil
}

// op describes an operation. Every one needs a caller and can meet a limit.
func op(method, path, id, tag, summary, description string, errors ...int) huma.Operation {
	errors = append(errors, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable)
	if strings.Contains(path, "{") {
		errors = append(errors, http.StatusNotFound)
	}
	switch method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		errors = append(errors, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
	}
	slices.Sort(errors)
	status := 0
	if method == http.MethodPost {
		status = http.StatusCreated
	}
	return huma.Operation{
		Method: method, Path: v1 + path, OperationID: id, Tags: []string{tag}, Summary: summary, Description: description,
		Errors: slices.Compact(errors), DefaultStatus: status,
	}
}

// finishDocument mends what huma cannot say about the types, and renders the
// document.
func (a *API) finishDocument() {
	doc := a.huma.OpenAPI()
	sent := a.sentSchemas()
	for name, s := range doc.Components.Schemas.Map() {
		t := doc.Components.Schemas.TypeFromRef("#/components/schemas/" + name)
		if !sent[name] {
			// Answers may get further fields, and clients should expect it.
			s.AdditionalProperties = nil
		}
		mendFields(s, t, false)
	}
	for _, item := range doc.Paths {
		for _, o := range operationsOf(item) {
			if !o.hasInput() {
				delete(o.Responses, "422")
			}
		}
	}
	b, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("OpenAPI document: %v", err)) // the same at every start: a test would have met it
	}
	a.doc = append(b, '\n')
}

// sentSchemas are the schemas of what clients send.
func (a *API) sentSchemas() map[string]bool {
	sent := map[string]bool{}
	var visit func(*huma.Schema)
	visit = func(s *huma.Schema) {
		if s == nil {
			return
		}
		if name := strings.TrimPrefix(s.Ref, "#/components/schemas/"); name != "" && !sent[name] {
			sent[name] = true
			visit(a.huma.OpenAPI().Components.Schemas.SchemaFromRef(s.Ref))
		}
		visit(s.Items)
		for _, p := range s.Properties {
			visit(p)
		}
	}
	for _, item := range a.huma.OpenAPI().Paths {
		for _, o := range operationsOf(item) {
			if o.RequestBody == nil {
				continue
			}
			if body := o.RequestBody.Content["application/json"]; body != nil {
				visit(body.Schema)
			}
		}
	}
	return sent
}

// mendFields says of objects that may be null that they may, and of the fields
// of an embedded pointer that they can be absent.
func mendFields(s *huma.Schema, t reflect.Type, absent bool) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			mendFields(s, f.Type, f.Type.Kind() == reflect.Pointer)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if absent {
			s.Required = slices.DeleteFunc(s.Required, func(r string) bool { return r == name })
		}
		p := s.Properties[name]
		if p == nil || f.Type.Kind() != reflect.Pointer || f.Type.Elem().Kind() != reflect.Struct || f.Type.Elem() == reflect.TypeFor[time.Time]() || strings.Contains(options, "omitempty") {
			continue
		}
		s.Properties[name] = &huma.Schema{AnyOf: []*huma.Schema{{Ref: p.Ref}, {Type: "null"}}, Description: p.Description}
	}
}

type described struct {
	method string
	*huma.Operation
}

// hasInput tells whether anything about the request could be well formed and
// still not acceptable.
func (d described) hasInput() bool {
	return d.RequestBody != nil || slices.ContainsFunc(d.Parameters, func(p *huma.Param) bool { return p.Name == "search" })
}

// operationsOf lists the operations of a path.
func operationsOf(item *huma.PathItem) []described {
	var list []described
	for _, d := range []described{
		{http.MethodGet, item.Get},
		{http.MethodPost, item.Post},
		{http.MethodPut, item.Put},
		{http.MethodPatch, item.Patch},
		{http.MethodDelete, item.Delete},
	} {
		if d.Operation != nil {
			list = append(list, d)
		}
	}
	return list
}

// fileBody describes a body that is a file.
func fileBody() *huma.RequestBody {
	file := &huma.Schema{Type: "string", Format: "binary"}
	return &huma.RequestBody{Required: true, Description: "The file.", Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: file}}}
}
