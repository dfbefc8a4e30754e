package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// maxBody is the most that a request may send, in bytes.
const maxBody = 1 << 20

// adapter puts huma's operations on the mux, each behind the gate.
type adapter struct{ api *API }

// route is what the gate must know about an operation.
type route struct {
	op       *huma.Operation
	paths    []pathID
	query    map[string]bool
	body     bool
	upload   bool            // the body is a file
	once     bool            // takes an Idempotency-Key
	nullable map[string]bool // the body's fields that may be null
}

type pathID struct {
	name  string
	noun  lms.Term
	dummy bool // takes -1 for "nobody whose id is known"
}

// nouns are what the ids in paths stand for, in messages.
var nouns = map[string]lms.Term{
	"course_id": "course", "user_id": "person", "role_id": "role", "token_id": "token", "session_id": "session", "section_id": "section", "import_id": "import", "source_id": "roster source", "run_id": "run",
	"term_id": "term", "lift_id": "lifted limit", "merge_id": "merge", "request_id": "request",
}

// Handle registers an operation.
func (ad adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	a := ad.api
	rt := newRoute(a.huma.OpenAPI().Components.Schemas, op)
	a.handle(op.Method, op.Path, func(w http.ResponseWriter, r *http.Request) {
		c, f := a.gate(rt, r)
		if f != nil {
			a.WriteProblem(w, r.WithContext(context.WithValue(r.Context(), callKey{}, c)), f)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
		handler(&strictContext{plainContext: humago.NewContext(op, r, w), call: c})
	})
}

// ServeHTTP makes the adapter huma's.
func (ad adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { ad.api.serve(w, r) }

func newRoute(schemas huma.Registry, op *huma.Operation) *route {
	rt := &route{op: op, query: map[string]bool{}, nullable: map[string]bool{}}
	for _, p := range op.Parameters {
		switch p.In {
		case "path":
			rt.paths = append(rt.paths, pathID{name: p.Name, noun: nouns[p.Name], dummy: p.Schema.Minimum != nil && *p.Schema.Minimum < 0})
		case "query":
			rt.query[p.Name] = true
		case "header":
			rt.once = rt.once || p.Name == idempotencyKey
		}
	}
	if op.RequestBody != nil && op.RequestBody.Content["application/json"] == nil {
		rt.upload = true
	} else if op.RequestBody != nil {
		rt.body = true
		schema := op.RequestBody.Content["application/json"].Schema
		if schema.Ref != "" {
			schema = schemas.SchemaFromRef(schema.Ref)
		}
		for name, property := range schema.Properties {
			rt.nullable[name] = property.Nullable
		}
	}
	return rt
}

// call is one request that has passed the gate.
type call struct {
	api    *API
	route  *route
	caller access.Caller
	path   string
	query  url.Values
	key    string // the Idempotency-Key
	body   []byte
	upload io.Reader // of a route that takes a file
}

type callKey struct{}

const idempotencyKey = "Idempotency-Key"

// once is what makes a creating request safe to repeat. Keys are the caller's
// own on one route; the ids in its path are part of the route.
func (c *call) once() *service.Once {
	return &service.Once{Route: c.route.op.Method + " " + c.path, Key: c.key, Body: c.body}
}

// gate checks, in this order: who is calling, the ids in the path, the query,
// the headers and the body. What passes is of the form that the operation's
// schema then looks into.
func (a *API) gate(rt *route, r *http.Request) (*call, error) {
	c := &call{api: a, route: rt, path: r.URL.Path}
	c.caller, _ = access.CallerOf(r.Context())
	if c.caller.Anonymous() {
		return c, access.ErrAnonymous
	}
	for _, id := range rt.paths {
		if !id.plausible(r.PathValue(id.name)) {
			return c, lms.NotFound(id.noun)
		}
	}
	if f := c.readQuery(r.URL.RawQuery); f != nil {
		return c, f
	}
	if rt.once {
		if f := c.readKey(r.Header.Values(idempotencyKey)); f != nil {
			return c, f
		}
	}
	if rt.upload {
		c.upload = r.Body
	}
	if rt.body {
		if f := c.readBody(r); f != nil {
			return c, f
		}
	}
	return c, nil
}

// plausible tells whether a text in a path is an id: a positive number in its
// one decimal spelling.
func (p pathID) plausible(s string) bool {
	if p.dummy && s == "-1" {
		return true
	}
	if s == "" || s[0] < '1' || s[0] > '9' {
		return false
	}
	_, err := strconv.ParseInt(s, 10, 64)
	return err == nil
}

// readQuery refuses a parameter that is given twice (two readers could each
// take another one), that is unknown (it would be ignored although it was
// meant), or that is no text.
func (c *call) readQuery(raw string) *fault {
	if raw == "" {
		return nil
	}
	var err error
	if c.query, err = url.ParseQuery(raw); err != nil {
		return malformed("", "The query cannot be read. Check how it is escaped.")
	}
	for name, values := range c.query {
		location := "query." + lms.Clip(name, maxLocationRunes)
		switch {
		case !c.route.query[name]:
			return malformed(location, "There is no such parameter here.")
		case len(values) > 1:
			return malformed(location, "This parameter is given more than once.")
		case !utf8.ValidString(values[0]) || strings.ContainsFunc(values[0], isControl):
			return malformed(location, "This parameter holds characters that are no text.")
		}
	}
	return nil
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

// readKey takes the Idempotency-Key: printable ASCII, once. The service bounds
// its length.
func (c *call) readKey(values []string) *fault {
	if len(values) == 0 {
		return nil
	}
	location := "header." + idempotencyKey
	if len(values) > 1 {
		return malformed(location, "The Idempotency-Key is given more than once.")
	}
	for i := range len(values[0]) {
		if b := values[0][i]; b < 0x20 || b > 0x7e {
			return malformed(location, "The Idempotency-Key should be plain letters, digits and signs.")
		}
	}
	if values[0] == "" {
		return malformed(location, "The Idempotency-Key is empty. Leave the header out if the request need not be safe to repeat.")
	}
	c.key = values[0]
	return nil
}

var errBody = &fault{status: http.StatusRequestEntityTooLarge, typ: "too-large", message: "The body is longer than 1 MB, the most that one request may send. Split it."}

func (c *call) readBody(r *http.Request) *fault {
	if r.ContentLength > maxBody {
		return errBody
	}
	var buf bytes.Buffer
	if r.ContentLength > 0 {
		buf.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	if r.Body != nil {
		if _, err := buf.ReadFrom(io.LimitReader(r.Body, maxBody+1)); err != nil {
			return unread(err)
		}
	}
	c.body = buf.Bytes()
	if len(c.body) > maxBody {
		return errBody
	}
	if len(c.body) > 0 && !isJSON(r.Header.Values("Content-Type")) {
		return &fault{status: http.StatusUnsupportedMediaType, typ: "content-type", location: "header.Content-Type", message: "The body should be JSON, with the header Content-Type: application/json."}
	}
	return checkJSON(c.body, c.route.nullable)
}

// unread answers for a body that did not come.
func unread(err error) *fault {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return errBody
	}
	return malformed("body", "The body could not be read to its end.")
}

func isJSON(values []string) bool {
	if len(values) != 1 {
		return false
	}
	if values[0] == "application/json" {
		return true
	}
	media, params, err := mime.ParseMediaType(values[0])
	if err != nil || media != "application/json" {
		return false
	}
	charset, ok := params["charset"]
	return !ok || strings.EqualFold(charset, "utf-8")
}

// strictContext shows huma what the gate has read.
type strictContext struct {
	plainContext
	call *call
}

// plainContext has a name of its own because huma.Context has a method Context.
type plainContext = huma.Context

// Query gives a parameter that the gate has parsed.
func (c *strictContext) Query(name string) string { return c.call.query.Get(name) }

// BodyReader gives the body that the gate has read.
func (c *strictContext) BodyReader() io.Reader { return bytes.NewReader(c.call.body) }

// Header hides what the client would like to get: there is only JSON.
func (c *strictContext) Header(name string) string {
	if name == "Accept" {
		return ""
	}
	return c.plainContext.Header(name)
}

// handler is one operation: the caller's request to the service, in wire types.
type handler[I, O any] func(ctx context.Context, c *call, in *I) (*O, error)

// register adds an operation to the API. Its description follows from the
// types and their tags.
func register[I, O any](a *API, op huma.Operation, h handler[I, O]) {
	op.MaxBodyBytes = -1 // the gate has its own bound
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		c := ctx.Value(callKey{}).(*call)
		out, err := h(ctx, c, in)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return out, nil
	})
}
