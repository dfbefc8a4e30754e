package scim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"
)

// object is a JSON object that was sent. Names of attributes are the same in any case
// (RFC 7643, section 2.1), so that they stand here in lower case, each once. Values are
// objects, []any, string, json.Number, bool and nil.
type object map[string]any

// maxDepth is far above what SCIM nests.
const maxDepth = 12

var errNotObject = bad(invalidSyntax, "The body has to be one JSON object in UTF-8, with each name once.")

// readObject reads a whole body as one object.
func readObject(r io.Reader) (object, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		var size *http.MaxBytesError
		if errors.As(err, &size) {
			return nil, err
		}
		return nil, errNotObject
	}
	if !utf8.Valid(raw) {
		return nil, errNotObject
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	v, err := readValue(dec, 0)
	if err != nil {
		return nil, errNotObject
	}
	o, ok := v.(object)
	if _, err := dec.Token(); !ok || err != io.EOF {
		return nil, errNotObject
	}
	return o, nil
}

func readValue(dec *json.Decoder, depth int) (any, error) {
	t, err := dec.Token()
	if err != nil {
		return nil, err
	}
	d, ok := t.(json.Delim)
	if !ok {
		return t, nil
	}
	if depth++; depth > maxDepth {
		return nil, errNotObject
	}
	if d == '[' {
		list := []any{}
		for dec.More() {
			v, err := readValue(dec, depth)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := dec.Token()
		return list, err
	}
	o := object{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, ok := t.(string)
		name = strings.ToLower(name)
		if _, twice := o[name]; !ok || twice {
			return nil, errNotObject
		}
		if o[name], err = readValue(dec, depth); err != nil {
			return nil, err
		}
	}
	_, err = dec.Token()
	return o, err
}

// checkSchemas refuses an object of another kind. One that does not say of what kind it
// is passes for what was expected.
func (o object) checkSchemas(want string) error {
	v, ok := o["schemas"]
	if !ok {
		return nil
	}
	list, ok := v.([]any)
	for _, one := range list {
		if s, isText := one.(string); isText && strings.EqualFold(s, want) {
			return nil
		}
	}
	if ok && len(list) == 0 {
		return nil
	}
	return bad(invalidSyntax, "The schemas of this request have to hold "+want+".")
}

// text reads a string. Entra sends a single value as a list of one object with it, and
// null stands for nothing.
func text(v any, name string) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case []any:
		if len(v) == 1 {
			if o, ok := v[0].(object); ok {
				return text(o["value"], name)
			}
		}
	case object:
		if inner, ok := v["value"]; ok {
			return text(inner, name)
		}
	}
	return "", bad(invalidValue, name+" has to be a text.")
}

// truth reads a boolean, which Entra sends as a text.
func truth(v any, name string) (bool, error) {
	switch v := v.(type) {
	case bool:
		return v, nil
	case string:
		switch strings.ToLower(v) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
	case []any:
		if len(v) == 1 {
			if o, ok := v[0].(object); ok {
				return truth(o["value"], name)
			}
		}
	}
	return false, bad(invalidValue, name+" has to be true or false.")
}
