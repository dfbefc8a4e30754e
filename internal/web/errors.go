package web

import (
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"

	"matricula/internal/lms"
)

// statuses is the one table from codes to HTTP statuses of pages.
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

func statusOf(err error) int {
	if errors.Is(err, errMethod) {
		return http.StatusMethodNotAllowed
	}
	if s, ok := statuses[lms.CodeOf(err)]; ok {
		return s
	}
	return http.StatusInternalServerError
}

// headings say in a few words what happened.
var headings = map[int]lms.Term{
	http.StatusBadRequest:            "This could not be read",
	http.StatusForbidden:             "You may not do this",
	http.StatusNotFound:              "Not found",
	http.StatusMethodNotAllowed:      "This page is for a form",
	http.StatusConflict:              "This cannot be done now",
	http.StatusGone:                  "This is somewhere else now",
	http.StatusRequestEntityTooLarge: "This is too much at once",
	http.StatusUnprocessableEntity:   "This cannot be accepted",
	http.StatusTooManyRequests:       "That was a lot at once",
	http.StatusServiceUnavailable:    "Please try again in a moment",
	http.StatusInternalServerError:   "Something went wrong here",
}

// failure is an error as its page shows it.
type failure struct {
	Heading   string // in the reader's language
	Message   string
	Reference string // to find the fault in the log; only for what is our fault
}

// WriteError answers a request with the page of an error: what happened, and
// what to do. What is our fault gets a reference under which the log has its
// cause. What is the caller's is not logged, since its message may hold an
// address.
func (w *Web) WriteError(rw http.ResponseWriter, r *http.Request, err error) {
	req := w.readCaller(r)
	if lms.CodeOf(err) == lms.CodeUnauthenticated {
		w.askToSignIn(rw, req)
		return
	}
	status := statusOf(err)
	f := w.describe(req, err, status)
	h := rw.Header()
	retryAfter(h, err)
	if h.Get("Retry-After") == "" && (status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests) {
		h.Set("Retry-After", "5")
	}
	if req.enhanced() {
		h.Set("HX-Retarget", "#problems")
		h.Set("HX-Reswap", "innerHTML show:top")
		w.renderPart(rw, req, status, failurePart(f))
		return
	}
	w.render(rw, req, status, failurePage(w.shell(req, f.Heading), f))
}

// retryAfter sets the header that says when it makes sense to try again.
func retryAfter(h http.Header, err error) {
	var e *lms.Error
	if errors.As(err, &e) && e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	}
}

// refusedIn is asProblem for what a limit can refuse: the page that shows it says in its
// head, too, when it makes sense to try again.
func refusedIn(rw http.ResponseWriter, r *request, err error) (problem, int, bool) {
	retryAfter(rw.Header(), err)
	return asProblem(r.words, err)
}

func (w *Web) describe(r *request, err error, status int) failure {
	f := failure{Heading: r.words.Term(headings[status])}
	var e *lms.Error
	known := errors.As(err, &e)
	if known {
		f.Message = r.words.Error(e)
	}
	if status < http.StatusInternalServerError {
		return f
	}
	f.Reference = r.caller.RequestID
	if !known || e.Code == lms.CodeInternal {
		f.Message = r.words.T("This is our fault, and it was noted. Nothing was half done. Please try again; if it happens again, tell the administrator of this site the reference below.")
	}
	cause := err
	if known && e.Err != nil {
		cause = e.Err
	}
	w.opts.Log.LogAttrs(r.Context(), slog.LevelError, "page failed",
		slog.String("route", r.Pattern), slog.Int("status", status), slog.String("type", lms.TypeOf(err)),
		slog.String("request_id", r.caller.RequestID), slog.Int64("user", r.caller.UserID), slog.Any("error", cause))
	return f
}
