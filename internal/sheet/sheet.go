// Package sheet writes tables that people open in a spreadsheet: CSV (RFC 4180)
// in UTF-8 with the byte order mark by which Excel knows it, and without
// anything that a spreadsheet would run. It knows nothing of what is in them.
package sheet

import (
	"encoding/csv"
	"io"
	"strings"
	"unicode/utf8"
)

// ContentType is what Writer writes.
const ContentType = "text/csv; charset=utf-8"

// Writer writes rows.
type Writer struct {
	w     io.Writer
	csv   *csv.Writer
	begun bool
	rows  int64
}

// NewWriter makes a writer. Nothing is written before the first row.
func NewWriter(w io.Writer) *Writer {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	return &Writer{w: w, csv: c}
}

// Row writes a row. A cell that a spreadsheet would take for a formula begins
// with an apostrophe, by which spreadsheets know text: see Escape.
func (w *Writer) Row(cells ...string) error {
	if !w.begun {
		w.begun = true
		if _, err := io.WriteString(w.w, "\uFEFF"); err != nil {
			return err
		}
	}
	safe := make([]string, len(cells))
	for i, c := range cells {
		safe[i] = Escape(c)
	}
	w.rows++
	return w.csv.Write(safe)
}

// Rows is how many rows were written, headings included.
func (w *Writer) Rows() int64 { return w.rows }

// Flush sends what was written on its way.
func (w *Writer) Flush() error {
	w.csv.Flush()
	return w.csv.Error()
}

// Escape makes a cell harmless (OWASP ASVS 5.0, 1.2.10). What begins, white
// space and quotation marks aside, with a sign that starts a formula in some
// spreadsheet gets an apostrophe before it, and so does what begins with an
// apostrophe, so that Unescape restores every cell.
func Escape(cell string) string {
	if strings.HasPrefix(cell, "'") || startsFormula(cell) {
		return "'" + cell
	}
	return cell
}

// Unescape is the reverse of Escape.
func Unescape(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && (strings.HasPrefix(rest, "'") || startsFormula(rest)) {
		return rest
	}
	return cell
}

// startsFormula tells what a spreadsheet may take for a formula. Some drop
// white space and quotation marks before they look, and some take the
// full-width signs for the plain ones.
func startsFormula(cell string) bool {
	if cell == "" {
		return false
	}
	if cell[0] == '\t' || cell[0] == '\r' || cell[0] == '\n' {
		return true
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(cell, " \t\r\n\"\u00a0\u3000\ufeff"))
	return strings.ContainsRune("=+-@＝＋－＠|%", first) && first != utf8.RuneError
}
