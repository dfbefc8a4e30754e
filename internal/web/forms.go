package web

import (
	"crypto/rand"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strconv"

	"matricula/internal/lang"
	"matricula/internal/lms"
)

// The most that a form may send, in bytes.
const (
	formLimit  = 256 << 10
	pasteLimit = 4 << 20 // a pasted list of service.MaxRows people with their names
)

// form is what a page sent.
type form struct{ values url.Values }

// severally are the fields that may be sent more than once.
var severally = map[string]bool{"privilege": true, "was": true, "scope": true, "course_id": true, "selected": true, "undo": true, "row": true, "sure": true, "limited_to": true, "event": true}

// readForm reads the body of a POST. A field that is sent twice where one is
// meant would be read differently by different readers, so it is refused.
func readForm(rw http.ResponseWriter, r *request, limit int64) (form, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return form{}, lms.Errorf(lms.CodeMalformed, "not-a-form", "This address is for a form of this site. Go back to the page before and use its buttons.")
	}
	r.Body = http.MaxBytesReader(rw, r.Body, limit)
	if err := r.ParseForm(); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return form{}, lms.Errorf(lms.CodeTooLarge, "form-too-large", "This is more than one form can take (%d KB). Split it into smaller pieces.", limit>>10)
		}
		return form{}, lms.Errorf(lms.CodeMalformed, "form-unreadable", "The form arrived damaged. Go back, reload the page and send it again.")
	}
	for name, values := range r.PostForm {
		if len(values) > 1 && !severally[name] {
			return form{}, lms.Errorf(lms.CodeMalformed, "field-twice", "The form arrived with a field twice. Go back, reload the page and send it again.")
		}
	}
	return form{r.PostForm}, nil
}

func (f form) text(name string) string   { return f.values.Get(name) }
func (f form) list(name string) []string { return f.values[name] }
func (f form) has(name string) bool      { return f.values.Has(name) }
func (f form) flag(name string) bool     { return f.values.Get(name) == "yes" }

// id reads an id that a page put into a form; 0 when there is none.
func (f form) id(name string) int64 {
	id, err := strconv.ParseInt(f.values.Get(name), 10, 64)
	if err != nil || id < 0 {
		return 0
	}
	return id
}

// formKey makes the key by which a form that creates something is known when
// it is sent twice by a double click or a reload.
func formKey() string { return rand.Text() }

// problem is a refusal as a form shows it: beside the fields at fault, and in
// a summary above that gets the focus. The zero problem is none.
type problem struct {
	Type    string
	Message string
	fields  map[string]string
}

// field is what is wrong with one field, empty when nothing is.
func (p problem) field(name string) string { return p.fields[name] }

// asProblem makes of an error what a form can show, in the reader's language,
// with its status. What a
// person cannot mend in a form is not ok and belongs on the error page.
func asProblem(words *lang.Printer, err error) (p problem, status int, ok bool) {
	var e *lms.Error
	if !errors.As(err, &e) {
		return problem{}, 0, false
	}
	switch e.Code {
	case lms.CodeInvalid, lms.CodeConflict, lms.CodeForbidden, lms.CodeTooLarge, lms.CodeTooMany:
	default:
		return problem{}, 0, false
	}
	p = problem{Type: e.Type, Message: words.Error(e), fields: map[string]string{}}
	for _, f := range e.Fields {
		name := f.Location
		for i := range name {
			if name[i] == '[' {
				name = name[:i]
				break
			}
		}
		if p.fields[name] == "" {
			p.fields[name] = words.Field(f)
		}
	}
	return p, statusOf(err), true
}
