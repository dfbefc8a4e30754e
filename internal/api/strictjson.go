package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"

	"matricula/internal/lms"
)

// maxDepth bounds how deep the values of a body may be nested. No body of the
// API needs more than four.
const maxDepth = 64

// checkJSON refuses what encoding/json would let pass or guess about (RFC 8259
// and RFC 7493 say why each is dangerous): bytes before or after the value,
// text that is not UTF-8, half surrogate pairs, a key twice in an object,
// numbers that are no 64-bit integer (a body of this API has no others), null
// where it would mean nothing, and deep nesting. The fields that may be null
// are those of the outermost object that are named.
func checkJSON(body []byte, nullable map[string]bool) *fault {
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		return malformed("", "This request needs a body in JSON.")
	case bytes.HasPrefix(body, []byte("\xef\xbb\xbf")):
		return malformed("body", "The body begins with a byte order mark. Send it without.")
	case !utf8.Valid(body):
		return malformed("body", "The body is not in UTF-8.")
	case !json.Valid(body):
		return malformed("body", "The body is not valid JSON"+where(body)+".")
	}
	w := walker{text: body, nullable: nullable}
	f := w.value(1, true)
	if f != nil {
		f.location = lms.Clip("body"+f.location, maxLocationRunes)
	}
	return f
}

// where says where the JSON goes wrong, for people who look for it.
func where(body []byte) string {
	var raw json.RawMessage
	var syntax *json.SyntaxError
	if err := json.Unmarshal(body, &raw); errors.As(err, &syntax) {
		return ", at byte " + strconv.FormatInt(syntax.Offset, 10)
	}
	return ""
}

// walker goes once through a text that is known to be valid JSON. A fault's
// location is put together on the way back, so that good bodies cost nothing.
type walker struct {
	text     []byte
	at       int
	nullable map[string]bool
}

func (w *walker) space() {
	for w.text[w.at] == ' ' || w.text[w.at] == '\t' || w.text[w.at] == '\n' || w.text[w.at] == '\r' {
		w.at++
	}
}

func (w *walker) value(depth int, null bool) *fault {
	if depth > maxDepth {
		return malformed("", "The body is nested too deeply.")
	}
	w.space()
	switch c := w.text[w.at]; c {
	case '{':
		return w.object(depth)
	case '[':
		return w.array(depth)
	case '"':
		_, _, f := w.str()
		return f
	case 't':
		w.at += len("true")
	case 'f':
		w.at += len("false")
	case 'n':
		w.at += len("null")
		if !null {
			return invalid("", "This cannot be null. Leave it out if it is not meant.")
		}
	default:
		return w.number()
	}
	return nil
}

func (w *walker) object(depth int) *fault {
	w.at++
	var few []string
	var many map[string]bool
	for {
		w.space()
		switch w.text[w.at] {
		case '}':
			w.at++
			return nil
		case ',':
			w.at++
			continue
		}
		key, f := w.key()
		if f != nil {
			return f
		}
		if seen(key, &few, &many) {
			return invalid("."+key, "This field is there more than once.")
		}
		w.space()
		w.at++ // the colon
		if f := w.value(depth+1, depth == 1 && w.nullable[key]); f != nil {
			f.location = "." + key + f.location
			return f
		}
	}
}

// seen notes a key. Objects of this API are small; hostile ones are not.
func seen(key string, few *[]string, many *map[string]bool) bool {
	const small = 16
	if *many == nil {
		for _, k := range *few {
			if k == key {
				return true
			}
		}
		if len(*few) < small {
			*few = append(*few, key)
			return false
		}
		*many = make(map[string]bool, 2*small)
		for _, k := range *few {
			(*many)[k] = true
		}
	}
	if (*many)[key] {
		return true
	}
	(*many)[key] = true
	return false
}

func (w *walker) array(depth int) *fault {
	w.at++
	for i := 0; ; {
		w.space()
		switch w.text[w.at] {
		case ']':
			w.at++
			return nil
		case ',':
			w.at++
			i++
			continue
		}
		if f := w.value(depth+1, false); f != nil {
			f.location = "[" + strconv.Itoa(i) + "]" + f.location
			return f
		}
	}
}

// str reads a string and gives it as it is written, with its quotation marks.
func (w *walker) str() (quoted []byte, escaped bool, f *fault) {
	start := w.at
	for w.at++; w.text[w.at] != '"'; w.at++ {
		if w.text[w.at] != '\\' {
			continue
		}
		escaped = true
		w.at++
		if w.text[w.at] == 'u' {
			if f := w.surrogate(); f != nil {
				return nil, false, f
			}
		}
	}
	w.at++
	return w.text[start:w.at], escaped, nil
}

func (w *walker) key() (string, *fault) {
	quoted, escaped, f := w.str()
	if f != nil {
		return "", f
	}
	if !escaped {
		return string(quoted[1 : len(quoted)-1]), nil
	}
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		return "", malformed("", "The name of a field cannot be read.")
	}
	return s, nil
}

// surrogate checks \uXXXX, with w.at on the u, and leaves w.at on its last
// digit. UTF-16 surrogates must come in pairs, else they are no characters.
func (w *walker) surrogate() *fault {
	first := w.hex()
	if first < 0xD800 || first > 0xDFFF {
		return nil
	}
	if first <= 0xDBFF && w.text[w.at+1] == '\\' && w.text[w.at+2] == 'u' {
		w.at += 2
		if second := w.hex(); second >= 0xDC00 && second <= 0xDFFF {
			return nil
		}
	}
	return malformed("", "A text here has half a character in it (a surrogate without its pair).")
}

func (w *walker) hex() uint64 {
	v, _ := strconv.ParseUint(string(w.text[w.at+1:w.at+5]), 16, 32) // valid JSON has four digits here
	w.at += 4
	return v
}

func (w *walker) number() *fault {
	start := w.at
	for w.at < len(w.text) && bytes.IndexByte([]byte("0123456789+-.eE"), w.text[w.at]) >= 0 {
		w.at++
	}
	if _, err := strconv.ParseInt(string(w.text[start:w.at]), 10, 64); err != nil {
		return invalid("", "This is no whole number that fits here.")
	}
	return nil
}
