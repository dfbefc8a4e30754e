package lms

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Code sorts every failure that a user can meet into one of a handful of
// kinds. The api and web packages each hold the one table that maps a Code to
// an HTTP status.
type Code string

// The codes, with the HTTP status that each becomes.
const (
	CodeMalformed       Code = "malformed"       // 400: the request cannot be read
	CodeUnauthenticated Code = "unauthenticated" // 401: nobody is signed in
	CodeForbidden       Code = "forbidden"       // 403: the caller may not do this
	CodeNotFound        Code = "not-found"       // 404: absent, or hidden from the caller
	CodeConflict        Code = "conflict"        // 409: the state of things forbids it
	CodeGone            Code = "gone"            // 410: it has another name now, which the message tells
	CodeTooLarge        Code = "too-large"       // 413: more than the limit
	CodeInvalid         Code = "invalid"         // 422: well formed, but not acceptable
	CodeTooMany         Code = "too-many"        // 429: over a quota
	CodeUnavailable     Code = "unavailable"     // 503: try again later
	CodeInternal        Code = "internal"        // 500: our fault
)

// Error is a failure whose Message is safe to show to the user who caused it:
// it says what happened, to what, and what to do. Err, when set, is for the
// log alone.
type Error struct {
	Code    Code
	Type    string       // stable name of the problem, the last part of its problem+json type, such as "last-owner"
	Message string       // in English
	Text    Text         // the same, for other languages
	Fields  []FieldError // the places at fault, when there are any
	Err     error

	RetryAfter time.Duration // with CodeTooMany: when it makes sense to try again; 0: not known
}

// FieldError names one place in the input and what is wrong there. Location is
// relative to the input that the function was given, such as "emails[3]".
type FieldError struct {
	Location string
	Message  string // in English
	Text     Text   // the same, for other languages
}

// At makes a FieldError that says a text.
func At(location string, t Text) FieldError { return FieldError{location, t.String(), t} }

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	for _, f := range e.Fields {
		fmt.Fprintf(&b, "; %s: %s", f.Location, f.Message)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error. The message is shown to users: it must not hold
// secrets, SQL or paths.
func Errorf(code Code, typ, format string, args ...any) *Error {
	said := Say(format, args...)
	return &Error{Code: code, Type: typ, Message: said.String(), Text: said}
}

// Invalid makes a CodeInvalid error about one place in the input.
func Invalid(typ, location, format string, args ...any) *Error {
	e := Errorf(CodeInvalid, typ, format, args...)
	e.Fields = []FieldError{At(location, e.Text)}
	return e
}

// Because notes for the log what is behind an error.
func (e *Error) Because(cause error) *Error {
	e.Err = cause
	return e
}

// NotFound makes a CodeNotFound error for a noun such as "course". Other
// languages have a word for it that goes with each noun.
func NotFound(noun Term) *Error {
	return Errorf(CodeNotFound, "not-found", "There is no such %s, or it is not yours to see.", noun)
}

// CodeOf tells the code of err: CodeInternal when it is no Error, and the
// empty Code for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

// TypeOf tells the problem type of err, "internal" when it is no Error.
func TypeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Type
	}
	return "internal"
}
