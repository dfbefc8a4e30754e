package scim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	filter "github.com/scim2/filter-parser/v2"
)

// resource is a user, a group or anything else that is answered.
type resource = map[string]any

const (
	listSchema   = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	searchSchema = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
	patchSchema  = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

	defaultCount = 100
	maxCount     = 200
)

// query is what a list was asked for (RFC 7644, sections 3.4.2 and 3.4.3).
type query struct {
	start int // from 1
	count int
	where []filter.Expression // all of them
	sel   selection
}

// query reads the parameters of the address, or of a search request.
func (c *call) query() (q query, err error) {
	get := c.r.URL.Query().Get
	if c.r.Method == http.MethodPost {
		body, err := c.body()
		if err != nil {
			return q, err
		}
		if err := body.checkSchemas(searchSchema); err != nil {
			return q, err
		}
		get = func(name string) string { return parameter(body[strings.ToLower(name)]) }
	}
	q.start, q.count = 1, defaultCount
	for _, p := range []struct {
		name string
		to   *int
	}{{"startIndex", &q.start}, {"count", &q.count}} {
		if typed := get(p.name); typed != "" {
			if *p.to, err = strconv.Atoi(typed); err != nil {
				return q, bad(invalidValue, p.name+" has to be a whole number.")
			}
		}
	}
	q.start, q.count = max(q.start, 1), min(max(q.count, 0), maxCount)
	if q.sel, err = selectionOf(get("attributes"), get("excludedAttributes")); err != nil {
		return q, err
	}
	if raw := get("filter"); raw != "" {
		e, err := parse(raw)
		if err != nil {
			return q, err
		}
		q.where = conditions(e)
	}
	return q, nil
}

// parameter writes a value of a search request as it would stand in an address.
func parameter(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case []any:
		texts := make([]string, len(v))
		for i := range v {
			texts[i] = parameter(v[i])
		}
		return strings.Join(texts, ",")
	case nil:
		return ""
	}
	return fmt.Sprint(v)
}

// all tells whether a resource is what the filter wants.
func all(where []filter.Expression, res resource) bool {
	for _, e := range where {
		if !matches(e, res) {
			return false
		}
	}
	return true
}

// list answers with a page of resources.
func (c *call) list(q query, total int, page []resource) error {
	shown := make([]resource, len(page))
	for i := range page {
		shown[i] = q.sel.of(page[i])
	}
	write(c.w, c.r, http.StatusOK, resource{
		"schemas": []string{listSchema}, "totalResults": total, "startIndex": q.start, "itemsPerPage": len(page), "Resources": shown,
	})
	return nil
}

// selection is which attributes to answer with (RFC 7644, section 3.9). The zero one is
// all of them.
type selection struct {
	only [][]string // names in lower case, outermost first; nil: all
	not  [][]string
}

// selection reads what the address asks for.
func (c *call) selection() (selection, error) {
	get := c.r.URL.Query().Get
	return selectionOf(get("attributes"), get("excludedAttributes"))
}

func selectionOf(only, not string) (selection, error) {
	if only != "" && not != "" {
		return selection{}, bad(invalidValue, "Ask with attributes or with excludedAttributes, not with both.")
	}
	return selection{namesOf(only), namesOf(not)}, nil
}

func namesOf(list string) (names [][]string) {
	for name := range strings.SplitSeq(strings.ToLower(list), ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		var path []string
		if i := strings.LastIndexByte(name, ':'); i >= 0 {
			uri, rest := name[:i], name[i+1:]
			switch {
			case name == strings.ToLower(personSchema):
				uri, rest = name, ""
			case strings.EqualFold(uri, userSchema) || strings.EqualFold(uri, groupSchema):
				uri = ""
			}
			if uri != "" {
				path = append(path, uri)
			}
			name = rest
		}
		if name != "" {
			path = append(path, strings.Split(name, ".")...)
		}
		if len(path) == 0 {
			path = []string{""} // of nothing
		}
		names = append(names, path)
	}
	return names
}

// wants tells whether an attribute is asked for, so that what costs much is not read in
// vain. Name is in lower case.
func (s selection) wants(name string) bool {
	for _, n := range s.not {
		if len(n) == 1 && n[0] == name {
			return false
		}
	}
	if s.only == nil {
		return true
	}
	for _, n := range s.only {
		if n[0] == name {
			return true
		}
	}
	return false
}

// of picks from a resource. Its id and its schemas are always there.
func (s selection) of(res resource) resource {
	if s.only == nil && s.not == nil {
		return res
	}
	out := resource{}
	for k, v := range res {
		name := strings.ToLower(k)
		switch {
		case name == "id" || name == "schemas":
			out[k] = v
		case s.only != nil:
			if kept, ok := pick(v, rest(s.only, name), true); ok {
				out[k] = kept
			}
		default:
			if kept, ok := pick(v, rest(s.not, name), false); ok {
				out[k] = kept
			}
		}
	}
	return out
}

// rest are the paths below an attribute; an empty one means the attribute itself.
func rest(paths [][]string, name string) (below [][]string) {
	for _, p := range paths {
		if len(p) > 0 && p[0] == name {
			below = append(below, p[1:])
		}
	}
	return below
}

// pick keeps, or leaves out, what is below an attribute.
func pick(v any, below [][]string, keep bool) (any, bool) {
	if len(below) == 0 {
		return v, !keep
	}
	for _, p := range below {
		if len(p) == 0 {
			return v, keep
		}
	}
	switch v := v.(type) {
	case map[string]any:
		return pickFrom(v, below, keep), true
	case []map[string]any:
		out := make([]map[string]any, len(v))
		for i := range v {
			out[i] = pickFrom(v[i], below, keep)
		}
		return out, true
	}
	return v, !keep
}

func pickFrom(o map[string]any, below [][]string, keep bool) map[string]any {
	out := map[string]any{}
	for k, inner := range o {
		if kept, ok := pick(inner, rest(below, strings.ToLower(k)), keep); ok {
			out[k] = kept
		}
	}
	return out
}
