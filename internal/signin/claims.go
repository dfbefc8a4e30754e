package signin

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"time"
	"unicode/utf8"
)

// claims is a JSON object as it was sent: names match byte for byte and each
// occurs once. encoding/json into a struct would match names whatever their
// case and quietly take the last of two, so that {"email_verified": false,
// "EMAIL_VERIFIED": true} is read as true.
type claims map[string]json.RawMessage

var errClaims = errors.New("not one JSON object in UTF-8 with each name once")

func parseClaims(raw []byte) (claims, error) {
	if !utf8.Valid(raw) {
		return nil, errClaims
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errClaims
	}
	c := claims{}
	for dec.More() {
		t, err := dec.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, errClaims
		}
		if _, twice := c[name]; twice {
			return nil, errClaims
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, errClaims
		}
		c[name] = value
	}
	if _, err := dec.Token(); err != nil { // the closing brace
		return nil, errClaims
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errClaims
	}
	return c, nil
}

func (c claims) has(name string) bool {
	_, ok := c[name]
	return ok
}

// text is the value of a claim that is a JSON string, else "".
func (c claims) text(name string) string {
	raw := c[name]
	if len(raw) == 0 || raw[0] != '"' {
		return ""
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// verified reads a claim that should be a boolean and often is not.
func (c claims) verified(name string) Verified {
	raw, ok := c[name]
	switch {
	case !ok:
		return VerifiedAbsent
	case string(raw) == "true":
		return VerifiedTrue
	default:
		return VerifiedNot
	}
}

// instant reads a NumericDate of RFC 7519: a JSON number of seconds since
// 1970, possibly with a fraction. Dates outside the years 1970 to 5138 are
// taken for milliseconds or nonsense.
func (c claims) instant(name string) (time.Time, bool) {
	raw := c[name]
	if len(raw) == 0 || raw[0] < '0' || raw[0] > '9' {
		return time.Time{}, false
	}
	var seconds float64
	if json.Unmarshal(raw, &seconds) != nil || seconds >= 1e11 {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), true
}

// list reads a claim that is a string or an array of strings, as aud is.
func (c claims) list(name string) []string {
	raw := c[name]
	if len(raw) > 0 && raw[0] == '"' {
		return []string{c.text(name)}
	}
	var items []json.RawMessage
	if len(raw) == 0 || raw[0] != '[' || json.Unmarshal(raw, &items) != nil {
		return nil
	}
	list := make([]string, 0, len(items))
	for _, item := range items {
		s := claims{"": item}.text("")
		if s == "" {
			return nil
		}
		list = append(list, s)
	}
	return list
}
