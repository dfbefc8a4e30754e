package web

import (
	"errors"
	"io"
	"net/http"
	"time"

	"matricula/internal/sheet"
)

// downloadTimeout is how long a table may take to go out, whatever its length.
const downloadTimeout = 10 * time.Minute

// download answers with a table for a spreadsheet. rows writes it, a page of
// the list at a time.
func (w *Web) download(rw http.ResponseWriter, r *request, name string, rows func(*sheet.Writer) error) error {
	return w.send(rw, r, sheet.ContentType, name, func(out io.Writer) error {
		s := sheet.NewWriter(out)
		if err := rows(s); err != nil {
			return err
		}
		return s.Flush()
	})
}

// send answers with a file. Nothing is kept in memory, and the request's context
// ends when the reader goes away. An error before the first bytes is rendered as
// any other; after them the connection is cut, so that half a file cannot pass
// for a whole one.
func (w *Web) send(rw http.ResponseWriter, r *request, kind, name string, write func(io.Writer) error) error {
	out := &lateHeader{rw: rw, kind: kind, name: name}
	// The server's own limit is for pages. A writer that has no deadline, as in
	// a test, has no need of a longer one.
	if err := http.NewResponseController(rw).SetWriteDeadline(w.opts.Now().Add(downloadTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	err := write(out)
	if err != nil && out.sent {
		w.opts.Log.WarnContext(r.Context(), "download cut", "route", r.Pattern, "request_id", r.caller.RequestID, "error", err)
		panic(http.ErrAbortHandler)
	}
	return err
}

// lateHeader sends the header with the first bytes.
type lateHeader struct {
	rw         http.ResponseWriter
	kind, name string
	sent       bool
}

func (l *lateHeader) Write(b []byte) (int, error) {
	if !l.sent {
		l.sent = true
		h := l.rw.Header()
		h.Set("Content-Type", l.kind)
		h.Set("Content-Disposition", `attachment; filename="`+l.name+`"`)
		h.Set("Cache-Control", "no-store")
	}
	return l.rw.Write(b)
}
