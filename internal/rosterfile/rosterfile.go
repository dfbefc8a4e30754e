// Package rosterfile reads lists of people in the dresses in which spreadsheets
// and student systems give them: CSV and TSV in any of their encodings and with
// any of their separators, and XLSX. It reads a row at a time, finds out what each
// column holds, and knows nothing of courses, databases or HTTP.
package rosterfile

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"

	"matricula/internal/lms"
)

// Limits on what is read. A file beyond them is refused with the place.
const (
	MaxBytes      = 200 << 20 // of a file
	MaxSheetBytes = 48 << 20  // of a spreadsheet, which is held in memory as it is
	MaxUnzipped   = 512 << 20 // of a spreadsheet
	MaxRows       = 1_000_000
	MaxColumns    = 200
	MaxCellRunes  = 4000
	maxRecord     = 1 << 20 // bytes of one row, so that a quotation mark that is never closed ends somewhere
)

// Row is one row of a table. Cells are trimmed; there may be fewer than columns.
type Row struct {
	Line  int // in a text, the line on which it begins; in a spreadsheet, its row; from 1
	Cells []string
}

// Cell is the cell of a column; empty when the row is shorter.
func (r Row) Cell(column int) string {
	if column < 0 || column >= len(r.Cells) {
		return ""
	}
	return r.Cells[column]
}

// empty tells whether nothing stands in a row.
func (r Row) empty() bool {
	for _, c := range r.Cells {
		if c != "" {
			return false
		}
	}
	return true
}

// Format is how a file is dressed.
type Format string

// The formats.
const (
	FormatText  Format = "text" // CSV, TSV and what is pasted
	FormatSheet Format = "xlsx"
)

// Table is a file that is read a row at a time. Empty rows are left out.
type Table struct {
	Format    Format
	Encoding  string // of a text, such as "UTF-8", "UTF-16LE" or "Windows-1252"
	Separator rune   // of a text

	next  func() (Row, error)
	close func() error
	rows  int
}

// Open reads a file, which stays the caller's to close and remove. Its name is
// not looked at: what it contains tells what it is.
func Open(f *os.File) (*Table, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return open(f, info.Size())
}

// OpenText reads what somebody pasted.
func OpenText(s string) (*Table, error) {
	r := bytes.NewReader([]byte(s))
	return open(r, r.Size())
}

type source interface {
	io.Reader
	io.ReaderAt
	io.Seeker
}

func open(f source, size int64) (*Table, error) {
	switch {
	case size == 0:
		return nil, lms.Invalid("file-empty", "file", "This file is empty. Choose the one with the list in it.")
	case size > MaxBytes:
		return nil, lms.Invalid("file-too-large", "file", "This file has %d MB: at most %d MB can be read. Split it.", size>>20, MaxBytes>>20)
	}
	begin := make([]byte, min(size, 512))
	if _, err := f.ReadAt(begin, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := refuseOtherKind(begin); err != nil {
		return nil, err
	}
	if bytes.HasPrefix(begin, []byte("PK\x03\x04")) {
		return openSheet(f, size)
	}
	return openText(f)
}

// Next reads the next row that is not empty; io.EOF ends.
func (t *Table) Next() (Row, error) {
	for {
		row, err := t.next()
		if err != nil {
			return Row{}, err
		}
		if len(row.Cells) > MaxColumns {
			return Row{}, lms.Invalid("too-many-columns", "file", "Row %d has %d columns: at most %d can be read.", row.Line, len(row.Cells), MaxColumns)
		}
		for i, c := range row.Cells {
			if len(c) > MaxCellRunes && len([]rune(c)) > MaxCellRunes {
				return Row{}, lms.Invalid("cell-too-long", "file", "Cell %d of row %d has more than %d characters. Perhaps a quotation mark is missing before it.", i+1, row.Line, MaxCellRunes)
			}
			if strings.ContainsAny(c, "\x00\ufffd") {
				return Row{}, lms.Invalid("letters-lost", "file", "Cell %d of row %d holds a character that was lost when the file was saved. Correct it there, or save the list as XLSX from where it comes.", i+1, row.Line)
			}
		}
		if row.empty() {
			continue
		}
		if t.rows++; t.rows > MaxRows {
			return Row{}, lms.Invalid("too-many-rows", "file", "This file has more than %d rows. Split it.", MaxRows)
		}
		return row, nil
	}
}

// Close frees what reading took.
func (t *Table) Close() error { return t.close() }
