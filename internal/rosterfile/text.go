package rosterfile

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/transform"

	"matricula/internal/lms"
	"matricula/internal/sheet"
)

const utf8BOM = "\ufeff"

// openText finds out a text's encoding and separator.
func openText(f source) (*Table, error) {
	name, enc, err := encodingOf(f)
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	var r io.Reader = f
	if enc != nil {
		r = transform.NewReader(f, enc.NewDecoder())
	}
	lines := bufio.NewReaderSize(&newlines{r: bufio.NewReaderSize(r, 64<<10)}, 64<<10)
	if bom, err := lines.Peek(len(utf8BOM)); err == nil && string(bom) == utf8BOM {
		lines.Discard(len(utf8BOM)) // what was peeked can be discarded
	}
	skipped := 0
	sep, said, err := saidSeparator(lines)
	if err != nil {
		return nil, err
	}
	if said {
		skipped = 1
	} else if sep, err = likelySeparator(lines); err != nil {
		return nil, err
	}
	c := &records{from: &recordLimit{r: lines}}
	c.csv = csv.NewReader(c.from)
	c.csv.Comma, c.csv.FieldsPerRecord, c.csv.LazyQuotes, c.csv.ReuseRecord = sep, -1, true, true
	c.skipped = skipped
	return &Table{Format: FormatText, Encoding: name, Separator: sep, next: c.next, close: func() error { return nil }}, nil
}

// newlines makes a line feed of a carriage return that stands alone, as old
// programs for the Mac write it.
type newlines struct {
	r *bufio.Reader
}

func (l *newlines) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	for i := range n {
		if p[i] != '\r' {
			continue
		}
		if i+1 < n {
			if p[i+1] != '\n' {
				p[i] = '\n'
			}
			continue
		}
		if next, peekErr := l.r.Peek(1); peekErr != nil || next[0] != '\n' {
			p[i] = '\n'
		}
	}
	return n, err
}

var separators = []rune{',', ';', '\t', '|'}

// saidSeparator reads a first line "sep=;", by which Excel says it.
func saidSeparator(r *bufio.Reader) (sep rune, said bool, err error) {
	begin, err := r.Peek(6)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, false, err
	}
	rest, ok := strings.CutPrefix(strings.ToLower(string(begin)), "sep=")
	if !ok || rest == "" {
		return 0, false, nil
	}
	sep, _ = utf8.DecodeRuneInString(rest)
	if sep == '\n' || sep == '\r' || sep == '"' {
		return 0, false, nil
	}
	if _, err := r.ReadString('\n'); err != nil && !errors.Is(err, io.EOF) {
		return 0, false, err
	}
	return sep, true, nil
}

// likelySeparator is the one that stands most evenly in the first lines, outside
// of quotation marks; a comma when there is none.
func likelySeparator(r *bufio.Reader) (rune, error) {
	begin, err := r.Peek(16 << 10)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return 0, err
	}
	counts := map[rune][]int{}
	for _, line := range firstRecords(string(begin)) {
		for _, sep := range separators {
			counts[sep] = append(counts[sep], outsideQuotes(line, sep))
		}
	}
	best, most := ',', 0
	for _, sep := range separators {
		lines, total := 0, 0
		for _, n := range counts[sep] {
			if n > 0 {
				lines++
				total += n
			}
		}
		// Lines count before separators: a comma in one name is no separator.
		if score := lines*1000 + min(total, 999); lines > 0 && score > most {
			best, most = sep, score
		}
	}
	return best, nil
}

// firstRecords are the first lines, where one that ends inside quotation marks
// goes on.
func firstRecords(s string) (records []string) {
	const enough = 40
	quoted, from := false, 0
	for i, r := range s {
		switch {
		case r == '"':
			quoted = !quoted
		case r == '\n' && !quoted:
			if strings.TrimSpace(s[from:i]) != "" {
				records = append(records, s[from:i])
			}
			from = i + 1
			if len(records) == enough {
				return records
			}
		}
	}
	if strings.TrimSpace(s[from:]) != "" {
		records = append(records, s[from:])
	}
	return records
}

func outsideQuotes(line string, sep rune) (n int) {
	quoted := false
	for _, r := range line {
		switch {
		case r == '"':
			quoted = !quoted
		case r == sep && !quoted:
			n++
		}
	}
	return n
}

// records reads rows of a text.
type records struct {
	csv     *csv.Reader
	from    *recordLimit
	skipped int // lines before the first
	last    int // the line on which the last row began
}

func (c *records) next() (Row, error) {
	c.from.left = maxRecord
	cells, err := c.csv.Read()
	if errors.Is(err, errRecordTooLong) {
		return Row{}, lms.Invalid("row-too-long", "file", "The row after line %d never ends. Perhaps a quotation mark is missing in it.", c.last)
	}
	if errors.Is(err, io.EOF) {
		return Row{}, io.EOF
	}
	var wrong *csv.ParseError
	if errors.As(err, &wrong) {
		return Row{}, lms.Invalid("row-unreadable", "file", "Line %d cannot be read: a quotation mark stands where none belongs.", wrong.StartLine+c.skipped)
	}
	if err != nil {
		return Row{}, err
	}
	line, _ := c.csv.FieldPos(0)
	c.last = line + c.skipped
	return Row{Line: c.last, Cells: clean(cells)}, nil
}

// clean trims cells, also of what is not seen.
func clean(cells []string) []string {
	out := make([]string, len(cells))
	for i, c := range cells {
		out[i] = sheet.Unescape(strings.Trim(strings.ToValidUTF8(c, "\ufffd"), " \t\r\n\u00a0\u200b\ufeff"))
	}
	return out
}

// recordLimit ends a row that does not end.
type recordLimit struct {
	r    io.Reader
	left int
}

var errRecordTooLong = errors.New("a row does not end")

func (l *recordLimit) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errRecordTooLong
	}
	n, err := l.r.Read(p)
	l.left -= n
	return n, err
}
