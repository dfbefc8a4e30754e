package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// Problem is an error as it is sent: RFC 9457.
type Problem struct {
	Type   string         `json:"type" format:"uri" doc:"What kind of problem this is. It never changes its meaning, so that programs can go by it." example:"https://lms.uni.example/problems/last-owner"`
	Title  string         `json:"title" doc:"The kind of problem, for people."`
	Status int            `json:"status" doc:"The HTTP status."`
	Detail string         `json:"detail" doc:"What happened, to what, and what to do, for people."`
	Errors []ProblemField `json:"errors,omitempty" doc:"The places in the request that are at fault, when there are any."`

	MergedInto int64 `json:"merged_into,omitempty" doc:"With merged: the id that the person has now."`

	retryAfter int // seconds; 0: not said
}

// ProblemField is one place in a request that is at fault.
type ProblemField struct {
	Location string `json:"location" doc:"The place, such as body.course_privileges[1], query.limit or header.Idempotency-Key."`
	Message  string `json:"message" doc:"What is wrong there."`
}

const (
	problemType = "application/problem+json"

	// maxProblemFields bounds a problem document: a hostile body can have a
	// hundred thousand faults.
	maxProblemFields = 50

	retryOverQuota   = 30 // seconds
	retryUnavailable = 2
)

// statuses is the one table from codes to HTTP statuses.
var statuses = map[lms.Code]int{
	lms.CodeMalformed:       http.StatusBadRequest,
	lms.CodeUnauthenticated: http.StatusUnauthorized,
	lms.CodeForbidden:       http.StatusForbidden,
	lms.CodeNotFound:        http.StatusNotFound,
	lms.CodeConflict:        http.StatusConflict,
	lms.CodeGone:            http.StatusGone,
	lms.CodeTooLarge:        http.StatusRequestEntityTooLarge,
	lms.CodeInvalid:         http.StatusUnprocessableEntity,
	lms.CodeTooMany:         http.StatusTooManyRequests,
	lms.CodeUnavailable:     http.StatusServiceUnavailable,
	lms.CodeInternal:        http.StatusInternalServerError,
}

// Error makes a Problem an error, for huma.
func (p *Problem) Error() string { return p.Title }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType replaces the content type that huma has chosen.
func (p *Problem) ContentType(string) string { return problemType }

// GetHeaders are the headers that go with the problem.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="matricula"`)
	}
	return h
}

// A fault is an error that this package finds by itself, with statuses for
// which package lms has no code.
type fault struct {
	status   int
	typ      string
	location string // absolute, such as body.role; may be empty
	message  string
}

func (f *fault) Error() string { return f.message }

func malformed(location, message string) *fault {
	return &fault{status: http.StatusBadRequest, typ: "malformed", location: location, message: message}
}

func invalid(location, message string) *fault {
	return &fault{status: http.StatusUnprocessableEntity, typ: "invalid", location: location, message: message}
}

// problem renders an error. The places of an lms.Error are relative to the
// input; those of a request with a body stand below body, others below query.
func (a *API) problem(ctx context.Context, err error) *Problem {
	var f *fault
	if errors.As(err, &f) {
		p := a.newProblem(f.status, f.typ, f.message)
		if f.location != "" {
			p.Errors = []ProblemField{{f.location, f.message}}
		}
		return p
	}
	var e *lms.Error
	status := 0
	if errors.As(err, &e) {
		status = statuses[e.Code]
	}
	switch {
	case status == 0 || status == http.StatusInternalServerError:
		return a.internal(ctx, err)
	case status == http.StatusServiceUnavailable:
		a.log.LogAttrs(ctx, slog.LevelWarn, "unavailable", requestAttr(ctx), slog.String("type", e.Type), slog.Any("error", e.Err))
	}
	p := a.newProblem(status, e.Type, e.Message)
	p.MergedInto = service.MergedInto(err)
	if e.RetryAfter > 0 {
		p.retryAfter = int(math.Ceil(e.RetryAfter.Seconds()))
	}
	prefix, upload := "query.", false
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		if upload = c.route.upload; c.route.body {
			prefix = "body."
		}
	}
	for _, field := range e.Fields {
		location := field.Location
		if upload && location == "file" {
			location = "body" // which is nothing else
		} else if !strings.HasPrefix(location, "body.") && !strings.HasPrefix(location, "query.") {
			location = prefix + location
		}
		p.Errors = append(p.Errors, ProblemField{location, field.Message})
	}
	return p
}

// internal renders an error that is not the caller's. Nothing of it is told.
func (a *API) internal(ctx context.Context, err error) *Problem {
	switch {
	case errors.Is(err, context.Canceled):
		// Whoever asked has gone.
		return a.newProblem(http.StatusServiceUnavailable, "canceled", "The request was given up before it was answered.")
	case errors.Is(err, context.DeadlineExceeded):
		a.log.LogAttrs(ctx, slog.LevelWarn, "timeout", requestAttr(ctx))
		return a.newProblem(http.StatusServiceUnavailable, "timeout", "This took too long. Please look whether it was done, and try again if it was not.")
	}
	a.log.LogAttrs(ctx, slog.LevelError, "request failed", requestAttr(ctx), slog.Any("error", err))
	return a.newProblem(http.StatusInternalServerError, "internal", "Something went wrong on our side. Please try again, and tell whoever runs this server if it happens again.")
}

func requestAttr(ctx context.Context) slog.Attr {
	c, _ := access.CallerOf(ctx)
	return slog.String("request", c.RequestID)
}

func (a *API) newProblem(status int, typ, detail string) *Problem {
	p := &Problem{Type: a.url + "/problems/" + typ, Title: titleOf(status, typ), Status: status, Detail: detail}
	switch status {
	case http.StatusTooManyRequests:
		p.retryAfter = retryOverQuota
	case http.StatusServiceUnavailable:
		p.retryAfter = retryUnavailable
	}
	return p
}

// WriteProblem answers a request with an error, for whoever finds one before a
// handler does.
func (a *API) WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := a.problem(r.Context(), err)
	b, err := json.Marshal(p)
	if err != nil {
		a.log.ErrorContext(r.Context(), "problem not rendered", "error", err)
		b = []byte(`{}`)
	}
	h := w.Header()
	for name, values := range p.GetHeaders() {
		h[name] = values
	}
	h.Set("Content-Type", problemType)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b) // whoever asked has gone
	}
}

// huma keeps these choices in variables of its package.
func init() {
	huma.ValidateStrictCasing = true
	huma.DefaultArrayNullable = false
	huma.NewError = func(status int, msg string, _ ...error) huma.StatusError {
		return &Problem{Status: status, Title: msg}
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, _ string, errs ...error) huma.StatusError {
		c := ctx.Context().Value(callKey{}).(*call)
		if status >= http.StatusInternalServerError {
			return c.api.internal(ctx.Context(), errors.Join(errs...))
		}
		return c.api.refused(status, errs)
	}
}

// refused renders what huma found wrong with a request, without the values
// that it would echo. A query or a header that cannot be used is malformed; a
// body that can be read but not used is invalid.
func (a *API) refused(status int, errs []error) *Problem {
	fields := make([]ProblemField, 0, min(len(errs), maxProblemFields))
	inBody := false
	for _, err := range errs {
		var d huma.ErrorDetailer
		if !errors.As(err, &d) {
			continue
		}
		detail := d.ErrorDetail()
		inBody = inBody || strings.HasPrefix(detail.Location, "body")
		if len(fields) < maxProblemFields {
			fields = append(fields, describe(detail))
		}
	}
	typ, text := "invalid", "The request can be read, but something in it is not acceptable."
	if !inBody || status == http.StatusBadRequest {
		status, typ, text = http.StatusBadRequest, "malformed", "The request cannot be read."
	}
	if len(fields) > 0 {
		text = fields[0].Message
	}
	p := a.newProblem(status, typ, text)
	p.Errors = fields
	return p
}

const maxLocationRunes = 120

// plain are huma's messages in the words of this API; the others are passed on.
var plain = map[string]string{
	validation.MsgUnexpectedProperty:       "There is no such field here. Leave it out, or check how it is spelled.",
	validation.MsgExpectedRFC3339DateTime:  "This should be a time such as 2027-01-31T12:00:00Z.",
	validation.MsgExpectedBoolean:          "This should be true or false.",
	validation.MsgExpectedInteger:          "This should be a whole number.",
	validation.MsgExpectedNumber:           "This should be a number.",
	validation.MsgExpectedString:           "This should be a text.",
	validation.MsgExpectedArray:            "This should be a list.",
	validation.MsgExpectedObject:           "This should be an object.",
	"invalid integer":                      "This should be a whole number.",
	"invalid boolean":                      "This should be true or false.",
	"required query parameter is missing":  "This parameter is missing.",
	"required header parameter is missing": "This header is missing.",
}

// phrases are the beginnings of huma's messages that end in a limit.
var phrases = map[string]string{
	"expected value to be one of ": "This should be one of: ",
	"expected number >= ":          "This should be at least ",
	"expected number <= ":          "This should be at most ",
	"expected array length >= ":    "The least number of items here is ",
	"expected array length <= ":    "The greatest number of items here is ",
}

// describe turns a fault that huma found into one of ours.
func describe(d *huma.ErrorDetail) ProblemField {
	f := ProblemField{Location: lms.Clip(d.Location, maxLocationRunes), Message: d.Message}
	if text, ok := plain[d.Message]; ok {
		f.Message = text
		return f
	}
	before, after, _ := strings.Cut(validation.MsgExpectedRequiredProperty, "%s")
	if rest, ok := strings.CutPrefix(d.Message, before); ok {
		if name, ok := strings.CutSuffix(rest, after); ok {
			return ProblemField{Location: f.Location + "." + name, Message: "This field is missing."}
		}
	}
	if f.Location == "body" {
		// The decoder's own words can quote what was sent.
		f.Message = "Something in the body has another form than this request takes."
		return f
	}
	for prefix, text := range phrases {
		if rest, ok := strings.CutPrefix(d.Message, prefix); ok {
			f.Message = text + strings.Trim(rest, `"`) + "."
		}
	}
	return f
}
