package oneroster

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"matricula/internal/lms"
	"matricula/internal/rosterfile"
)

// row is one record of a table. Its cells are those of the reader until the next
// row; a string taken from it stays.
type row struct {
	file    string
	line    int
	cells   []string
	columns map[string]int // by their names in small letters
	named   []string       // the columns as the file calls them
}

// get is the cell of a column, trimmed; empty when there is no such column.
func (r *row) get(column string) string {
	i, ok := r.columns[column]
	if !ok {
		return ""
	}
	return strings.TrimSpace(r.cells[i])
}

// at is the place of a column in this row, as errors name it.
func (r *row) at(column string) string { return place(r.file, r.line, column) }

// place is where something stands, such as "users.csv:12:role".
func place(file string, line int, column string) string {
	if line == 0 {
		return file
	}
	if column == "" {
		return file + ":" + strconv.Itoa(line)
	}
	return file + ":" + strconv.Itoa(line) + ":" + column
}

// lineOf is the line in the place of a fault; 0 when it has none.
func lineOf(err *lms.Error) int {
	if len(err.Fields) == 0 {
		return 0
	}
	parts := strings.SplitN(err.Fields[0].Location, ":", 3)
	if len(parts) < 2 {
		return 0
	}
	line, err2 := strconv.Atoi(parts[1])
	if err2 != nil {
		return 0
	}
	return line
}

// rows reads a table. After a fault of one row the next ones follow; after a
// fault of the table, such as a column that is missing, none do.
func (b *Bundle) rows(file string, mode Mode, required []string) iter.Seq2[*row, error] {
	return func(yield func(*row, error) bool) {
		content, err := b.files[strings.ToLower(file)].open()
		if err != nil {
			yield(nil, errUnpack(file).Because(err))
			return
		}
		defer content.Close() // it was only read
		t := newTable(file, content)
		if err := t.readHeader(mode, required); err != nil {
			yield(nil, err)
			return
		}
		for n := 0; ; n++ {
			r, err := t.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err == nil && n == MaxRecords {
				err = lms.Invalid("oneroster-limit", file, "%s has more than %d records. Export less at once, such as one school.", file, MaxRecords)
				t.broken = true
			}
			if !yield(r, err) || t.broken {
				return
			}
		}
	}
}

func errUnpack(file string) *lms.Error {
	return lms.Invalid("oneroster-archive", file, "%s cannot be unpacked: the archive is damaged. Export it again.", file)
}

// table reads a CSV file (RFC 4180) in UTF-8, as the standard has it, with or
// without a byte order mark.
type table struct {
	csv    *csv.Reader
	limit  *limit
	row    row
	last   int  // the line on which the last record began
	broken bool // after which nothing can be read
}

func newTable(file string, content io.Reader) *table {
	lines := bufio.NewReaderSize(content, 64<<10)
	if bom, err := lines.Peek(3); err == nil && string(bom) == "\ufeff" {
		lines.Discard(3) // what was peeked can be discarded
	}
	t := &table{limit: &limit{r: lines}, row: row{file: file}}
	t.csv = csv.NewReader(t.limit)
	t.csv.FieldsPerRecord, t.csv.ReuseRecord = -1, true
	return t
}

// readHeader finds the columns by their names, in any order and case.
func (t *table) readHeader(mode Mode, required []string) error {
	cells, err := t.read()
	if errors.Is(err, io.EOF) {
		return lms.Invalid("oneroster-column", t.row.file, "%s is empty: not even the names of its columns are there. Export it again, or say in manifest.csv that it is absent.", t.row.file)
	}
	if err != nil {
		return err
	}
	if len(cells) == 1 && strings.ContainsAny(cells[0], ";\t|") {
		return lms.Invalid("oneroster-column", t.row.file, "The columns of %s are not separated by commas. Choose commas in the student system, or do not save the file with a spreadsheet.", t.row.file)
	}
	t.row.columns, t.row.named = map[string]int{}, slices.Clone(cells)
	for i, c := range cells {
		name := strings.ToLower(strings.TrimSpace(c))
		if at, twice := t.row.columns[name]; twice && name != "" {
			return lms.Invalid("oneroster-column", t.row.at(lms.Clip(c, 40)), "%s has the column %q twice: it is column %d and column %d. Remove one of them.", t.row.file, lms.Clip(c, 40), at+1, i+1)
		}
		t.row.columns[name] = i
	}
	if mode == Delta {
		required = slices.Concat(required, []string{"status", "dateLastModified"})
	}
	for _, name := range required {
		if _, ok := t.row.columns[strings.ToLower(name)]; !ok {
			return lms.Invalid("oneroster-column", t.row.at(name), "%s has no column %q. Choose it in the student system, and export again.", t.row.file, name)
		}
	}
	return nil
}

// next reads the next record.
func (t *table) next() (*row, error) {
	cells, err := t.read()
	if err != nil {
		return nil, err
	}
	if len(cells) != len(t.row.named) {
		return nil, lms.Invalid("oneroster-row", t.row.at(""), "%s, line %d: there are %d cells for %d columns. Perhaps a quotation mark or a comma is missing there.", t.row.file, t.row.line, len(cells), len(t.row.named))
	}
	t.row.cells = cells
	for i, c := range cells {
		switch {
		case len(c) > rosterfile.MaxCellRunes && utf8.RuneCountInString(c) > rosterfile.MaxCellRunes:
			return nil, lms.Invalid("oneroster-row", t.row.at(t.row.named[i]), "%s, line %d: %q has more than %d characters. Perhaps a quotation mark is missing before it.", t.row.file, t.row.line, lms.Clip(t.row.named[i], 40), rosterfile.MaxCellRunes)
		case strings.ContainsAny(c, "\x00\ufffd"):
			return nil, lms.Invalid("oneroster-row", t.row.at(t.row.named[i]), "%s, line %d: %q holds a character that was lost. Correct it in the student system, and export again.", t.row.file, t.row.line, lms.Clip(t.row.named[i], 40))
		}
	}
	return &t.row, nil
}

// read reads one record and notes its line.
func (t *table) read() ([]string, error) {
	t.limit.left = maxRecord
	cells, err := t.csv.Read()
	var wrong *csv.ParseError
	switch {
	case err == nil:
	case errors.Is(err, errNeverEnds):
		t.broken = true
		return nil, lms.Invalid("oneroster-row", t.row.at(""), "%s: the record after line %d never ends. Perhaps a quotation mark is missing in it.", t.row.file, t.last)
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case errors.As(err, &wrong):
		t.broken = true
		t.row.line = wrong.StartLine
		return nil, lms.Invalid("oneroster-row", t.row.at(strconv.Itoa(wrong.Column)), "%s, line %d, character %d: a quotation mark stands where none belongs. Double those inside of a text.", t.row.file, wrong.Line, wrong.Column)
	default:
		t.broken = true
		return nil, errUnpack(t.row.file).Because(err)
	}
	t.row.line, _ = t.csv.FieldPos(0)
	t.last = t.row.line
	for _, c := range cells {
		if !utf8.ValidString(c) {
			t.broken = true
			return nil, lms.Invalid("oneroster-row", t.row.at(""), "%s, line %d: the letters are not UTF-8. Choose UTF-8 in the student system, and do not save the file with a spreadsheet.", t.row.file, t.row.line)
		}
	}
	return cells, nil
}

// limit ends a record that does not end.
type limit struct {
	r    io.Reader
	left int
}

var errNeverEnds = errors.New("a record does not end")

func (l *limit) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errNeverEnds
	}
	n, err := l.r.Read(p)
	l.left -= n
	return n, err
}

// want is the cell of a column that may not be empty, by its name in the standard.
func (r *row) want(column string) (string, error) {
	if s := r.get(strings.ToLower(column)); s != "" {
		return s, nil
	}
	return "", lms.Invalid("oneroster-value", r.at(column), "%s, line %d: %q is empty. Fill it in in the student system.", r.file, r.line, column)
}

// truth reads true or false; empty is false.
func (r *row) truth(column string) (bool, error) {
	s := r.get(strings.ToLower(column))
	switch strings.ToLower(s) {
	case "true":
		return true, nil
	case "false", "":
		return false, nil
	}
	return false, lms.Invalid("oneroster-value", r.at(column), "%s, line %d: %q is %q: it may be true or false.", r.file, r.line, column, lms.Clip(s, 40))
}

// day reads a day; empty is the zero time. Only year first is a day here: the
// standard has it so, and a bundle has no column from which to learn otherwise.
func (r *row) day(column string) (time.Time, error) {
	s := r.get(strings.ToLower(column))
	if s == "" {
		return time.Time{}, nil
	}
	if len(s) >= 10 && s[4] == '-' {
		if day, err := rosterfile.YearFirst.Parse(s); err == nil {
			return day, nil
		}
	}
	return time.Time{}, lms.Invalid("oneroster-value", r.at(column), "%s, line %d: %q is %q, and no day such as 2026-10-31.", r.file, r.line, column, lms.Clip(s, 40))
}

// moments are the forms of ISO 8601 in which systems write a moment.
var moments = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05.999Z0700", time.DateTime, time.DateOnly}

func (r *row) moment(column string) (time.Time, error) {
	s := r.get(strings.ToLower(column))
	if s == "" {
		return time.Time{}, nil
	}
	for _, form := range moments {
		if at, err := time.Parse(form, s); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, lms.Invalid("oneroster-value", r.at(column), "%s, line %d: %q is %q, and no moment such as 2026-10-31T08:30:00Z.", r.file, r.line, column, lms.Clip(s, 40))
}

// list reads identifiers that are separated by commas.
func (r *row) list(column string) (ids []string) {
	for id := range strings.SplitSeq(r.get(strings.ToLower(column)), ",") {
		if id = strings.TrimSpace(id); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}
