package rosterfile

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"

	"matricula/internal/lms"
)

// endless is a file that is written while it is read: a beginning, and then the
// same over and over until it has its size.
type endless struct {
	begin, again string
	size, at     int64
}

func (e *endless) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) && off < e.size {
		from := e.begin
		if off < int64(len(from)) {
			from = from[off:]
		} else {
			from = e.again[(off-int64(len(e.begin)))%int64(len(e.again)):]
		}
		copied := copy(p[n:min(len(p), n+int(min(e.size-off, int64(len(p)))))], from)
		n, off = n+copied, off+int64(copied)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (e *endless) Read(p []byte) (int, error) {
	n, err := e.ReadAt(p, e.at)
	e.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (e *endless) Seek(off int64, whence int) (int64, error) {
	if whence != io.SeekStart {
		return 0, errors.New("only from the start")
	}
	e.at = off
	return off, nil
}

// within runs f and fails when the memory in use grew beyond a number of MB at
// any time, or it took longer than a minute.
func within(t *testing.T, name string, megabytes uint64, f func()) {
	t.Helper()
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	most, done, watched := before.HeapAlloc, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		for {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapAlloc)
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	start := time.Now()
	f()
	close(done)
	<-watched
	if used := (most - before.HeapAlloc) >> 20; used > megabytes {
		t.Errorf("%s: %d MB in use, more than %d", name, used, megabytes)
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("%s: took %v", name, took)
	}
}

// read reads a table to its end and tells how many rows it had.
func read(table *Table, err error) (rows int, _ error) {
	if err != nil {
		return 0, err
	}
	defer table.Close()
	for {
		if _, err := table.Next(); errors.Is(err, io.EOF) {
			return rows, nil
		} else if err != nil {
			return rows, err
		}
		rows++
	}
}

// F-03: what is larger than any class stops at a limit, in memory that does not
// grow with it.
func TestF03WhatNeverEndsStopsAtALimit(t *testing.T) {
	for _, c := range []struct {
		name string
		file *endless
		typ  string
		says string
		rows int
	}{
		{"a field of 10 MB", &endless{begin: "a,b\n1,", again: "x", size: 10 << 20}, "row-too-long", "after line 1 never ends", 1},
		{"a field of 10 MB in quotation marks", &endless{begin: "a,b\n1,\"", again: "x\n", size: 10 << 20}, "row-too-long", "after line 1 never ends", 1},
		{"a million columns", &endless{begin: "a", again: ",a", size: 2_000_001}, "row-too-long", "never ends", 0},
		{"300 columns", &endless{begin: "a", again: ",a", size: 601}, "too-many-columns", "Row 1 has 301 columns", 0},
		{"5 million rows", &endless{begin: "email\n", again: "ada@uni.example\n", size: 6 + 5_000_000*16}, "too-many-rows", "more than 1000000 rows", MaxRows},
		{"5 million empty rows", &endless{begin: "email,\n", again: ",\n", size: 7 + 5_000_000*2}, "", "", 1},
		{"5 MB of empty lines", &endless{begin: "email\n", again: "\n", size: 5 << 20}, "row-too-long", "never ends", 1},
		{"a quotation mark open over all that may be read", &endless{begin: "a,b\n\"", again: "ada,", size: MaxBytes}, "row-too-long", "after line 1 never ends", 1},
		{"a quotation mark open over 500 MB", &endless{begin: "a,b\n\"", again: "ada,", size: 500 << 20}, "file-too-large", "500 MB", 0},
		{"Latin letters over all that may be read", &endless{begin: "email\n", again: "ren\xe9@uni.example\n", size: MaxBytes}, "too-many-rows", "more than", MaxRows},
	} {
		within(t, c.name, 64, func() {
			rows, err := read(open(c.file, c.file.size))
			if lms.TypeOf(err) != c.typ && (c.typ != "" || err != nil) || err != nil && !strings.Contains(err.Error(), c.says) || rows != c.rows {
				t.Errorf("%s: %d rows (%v), want %d and %s that says %q", c.name, rows, err, c.rows, c.typ, c.says)
			}
		})
	}
}

// packed is a spreadsheet whose first sheet holds rows of XML, written while it
// is packed, and whose other parts are what more says.
func packed(t *testing.T, sheet func(io.Writer), more map[string]func(io.Writer)) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "packed.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	z := zip.NewWriter(f)
	text := func(s string) func(io.Writer) { return func(w io.Writer) { io.WriteString(w, s) } }
	const main, office = "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	parts := map[string]func(io.Writer){
		"[Content_Types].xml": text(`<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>`),
		"_rels/.rels":         text(`<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="` + office + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`),
		"xl/workbook.xml":     text(`<workbook xmlns="` + main + `" xmlns:r="` + office + `"><sheets><sheet name="Class" sheetId="1" r:id="r1"/></sheets></workbook>`),
		"xl/_rels/workbook.xml.rels": text(`<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="` + office + `/worksheet" Target="worksheets/sheet1.xml"/>` +
			`<Relationship Id="r2" Type="` + office + `/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="r3" Type="` + office + `/styles" Target="styles.xml"/></Relationships>`),
		"xl/worksheets/sheet1.xml": func(w io.Writer) {
			io.WriteString(w, `<worksheet xmlns="`+main+`"><sheetData>`)
			sheet(w)
			io.WriteString(w, `</sheetData></worksheet>`)
		},
	}
	for name, write := range more {
		parts[name] = write
	}
	for name, write := range parts {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		write(w)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return f
}

func times(n int, s string) func(io.Writer) {
	return func(w io.Writer) {
		many := strings.Repeat(s, 1000)
		for ; n >= 1000; n -= 1000 {
			io.WriteString(w, many)
		}
		io.WriteString(w, strings.Repeat(s, n))
	}
}

const adaXML = `<row><c t="inlineStr"><is><t>ada@uni.example</t></is></c></row>`

// F-03: neither does a small spreadsheet unpack to more than there is memory for.
func TestF03ASpreadsheetThatIsLargerThanItLooksStopsAtALimit(t *testing.T) {
	one := times(1, adaXML)
	for name, c := range map[string]struct {
		sheet func(io.Writer)
		more  map[string]func(io.Writer)
		typ   string
		says  string
		rows  int
	}{
		"300,000 rows":                  {times(300_000, adaXML), nil, "", "", 300_000},
		"3 million rows without a cell": {times(3_000_000, "<row/>"), nil, "too-many-rows", "more than", 0},
		"a row of a million cells":      {around("<row>", times(1_000_000, "<c><v>1</v></c>"), "</row>"), nil, "file-kind", "damaged at row 1", 0},
		"a cell of 10 MB":               {around(`<row><c t="inlineStr"><is><t>`, times(10<<20, "x"), `</t></is></c></row>`), nil, "file-kind", "damaged at row 1", 0},
		"a picture of 400 MB":           {one, map[string]func(io.Writer){"xl/media/image1.png": times(400<<10, strings.Repeat("\x00", 1024))}, "file-kind", "larger than it looks", 0},
		"600 MB of sheet":               {times(600<<10, strings.Repeat(" ", 1024)), nil, "file-kind", "larger than it looks", 0},
		"100 sheets of 3 MB":            {one, manySheets(), "file-kind", "larger than it looks", 0},
		"30 million shared texts":       {one, map[string]func(io.Writer){"xl/sharedStrings.xml": around(`<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">`, times(30_000_000, "<si/>"), "</sst>")}, "file-kind", "larger than it looks", 0},
		"5 million formats":             {one, map[string]func(io.Writer){"xl/styles.xml": times(5_000_000, "<xf/>")}, "file-kind", "larger than it looks", 0},
		"6000 parts":                    {one, manyParts(), "file-kind", "larger than it looks", 0},
	} {
		f := packed(t, c.sheet, c.more)
		within(t, name, 128, func() {
			rows, err := read(Open(f))
			if lms.TypeOf(err) != c.typ && (c.typ != "" || err != nil) || err != nil && !strings.Contains(err.Error(), c.says) || rows != c.rows {
				t.Errorf("%s: %d rows (%v), want %d and %s that says %q", name, rows, err, c.rows, c.typ, c.says)
			}
		})
	}
}

func around(begin string, many func(io.Writer), end string) func(io.Writer) {
	return func(w io.Writer) {
		io.WriteString(w, begin)
		many(w)
		io.WriteString(w, end)
	}
}

func manySheets() map[string]func(io.Writer) {
	parts := map[string]func(io.Writer){}
	for i := 2; i <= 101; i++ {
		parts[fmt.Sprintf("xl/worksheets/sheet%d.xml", i)] = around("<worksheet>", times(3<<20, " "), "</worksheet>")
	}
	return parts
}

func manyParts() map[string]func(io.Writer) {
	parts := map[string]func(io.Writer){}
	for i := range 6000 {
		parts[fmt.Sprintf("xl/part%d", i)] = times(1, "x")
	}
	return parts
}

// A sheet that breaks off is refused: the people behind the fault would be
// missing, and nobody would see it.
func TestADamagedSheetIsNotAShorterClass(t *testing.T) {
	for name, sheet := range map[string]string{
		"a control character":   adaXML + `<row><c t="inlineStr"><is><t>` + "Em\x0bmy" + `</t></is></c></row>` + adaXML,
		"a tag that stays open": adaXML + `<row><c t="inlineStr"><is><t>Emmy</row>`,
		"an ampersand":          adaXML + `<row><c t="inlineStr"><is><t>Tom & Jerry</t></is></c></row>`,
	} {
		if rows, err := read(Open(packed(t, times(1, sheet), nil))); lms.TypeOf(err) != "file-kind" || !strings.Contains(err.Error(), "damaged at row") {
			t.Errorf("%s: %d rows (%v)", name, rows, err)
		}
	}
}

// F-01: letters whose encoding cannot be told are refused with their line.
func TestF01NoNameIsReadInAWrongEncoding(t *testing.T) {
	class := latinRoster(t)
	mac := encoded(t, written(class, ";", "\r\n"), charmap.Macintosh.NewEncoder())
	name := func(s string) string { return "email,name\nada@uni.example,Ada\nx@uni.example," + s + "\n" }
	for what, c := range map[string]struct{ content, typ, says string }{
		"Mac Roman with lines of Windows": {mac, "letters-unknown", "Line 5 holds letters in an encoding that cannot be told"},
		"é of Mac Roman":                  {name("Jos\x8e"), "letters-unknown", "Line 3"},
		"ü of Mac Roman":                  {name("M\x9fller"), "letters-unknown", "Line 3"},
		"ò of Mac Roman":                  {name("Niccol\x98"), "letters-unknown", "Line 3"},
		"ß of Mac Roman":                  {name("Gro\xa7"), "letters-unknown", "Line 3"},
		"ø of Mac Roman":                  {name("S\xbfrensen"), "letters-unknown", "Line 3"},
		"a byte that means nothing":       {name("\x81"), "letters-unknown", "Line 3"},
		"UTF-8 with one other byte":       {name("José, Jos\xe9, François, Zoë"), "letters-unknown", "Line 3 holds a character that is no UTF-8"},
		"UTF-8 that breaks off":           {strings.TrimSuffix(name("Zoë, José"), "\xa9\n"), "letters-unknown", "Line 3"},
		"a character that was lost":       {name("Jos\ufffd"), "letters-lost", "Cell 2 of row 3"},
		"a zero":                          {strings.Repeat("email,name\n", 100) + "a@uni.example,A\x00da\n", "letters-lost", "Cell 2 of row 101"},
		"half a character of UTF-16":      {"\xff\xfea\x00,\x00\x00\xd8b\x00\n\x00", "letters-lost", "Cell 2 of row 1"},
	} {
		if rows, err := read(OpenText(c.content)); lms.TypeOf(err) != c.typ || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %d rows (%v), want %s that says %q", what, rows, err, c.typ, c.says)
		}
	}
	for bytes, want := range map[string]string{
		"Ren\xe9e O\x92Neil \x96 Fran\xe7ois": "Renée O’Neil – François",
		"\x8ei\x9eek \x93Bor\x94 DU\x8aAN":    "Žižek “Bor” DUŠAN",
		"Rossi\x96Bianchi\x85 \x80 12":        "Rossi–Bianchi… € 12",
	} {
		table, err := OpenText(name(bytes))
		if err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		rows, err := all(t, table)
		if err != nil || table.Encoding != "Windows-1252" || rows[2].Cell(1) != want {
			t.Errorf("%s: %v in %s (%v)", want, rows, table.Encoding, err)
		}
	}
}

// F-02: headings that are missing, unknown, formulas or numbers are no columns.
func TestF02OddHeadingsAreNoColumns(t *testing.T) {
	for first, want := range map[string]Columns{
		`=HYPERLINK("http://evil.example";"E-mail"),Nome`: {GivenName: 1},
		`=1+1,@SUM(A1),E-mail`:                            {Address: 2},
		`,,E-mail,,`:                                      {Address: 2},
		`Hobby,Taglia,E-MAIL,Colore`:                      {Address: 2},
		`"E-
mail",Ruolo`: {Address: 0, Role: 1},
		`1,2,3`: {},
	} {
		table, err := OpenText(first + "\n")
		if err != nil {
			t.Fatal(err)
		}
		row, err := table.Next()
		if err != nil {
			t.Fatal(err)
		}
		_, has := want[Address]
		got, ok, err := FindColumns(row)
		if err != nil || ok != has || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, %v (%v), want %v", first, got, ok, err, want)
		}
	}
}

// F-02: a formula is what its program computed, and nothing is computed here.
func TestF02AFormulaIsWhatWasSavedInItsCell(t *testing.T) {
	sheet := `<row><c t="str"><f>"E-"&amp;"mail"</f><v>E-mail</v></c><c><f>HYPERLINK("x","Nome")</f></c></row>` +
		`<row><c t="str"><f>LOWER("ADA@UNI.EXAMPLE")</f><v>ada@uni.example</v></c></row>`
	table, err := Open(packed(t, times(1, sheet), nil))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := all(t, table)
	if err != nil || rows[0].Cell(0) != "E-mail" || rows[0].Cell(1) != "" || rows[1].Cell(0) != "ada@uni.example" {
		t.Errorf("%v (%v)", rows, err)
	}
}

// A number is the student's, however the cell shows it, unless the format is what
// gives it its zeros; and a day is a day.
func TestNumbersAndDaysOfASpreadsheetAreWhatTheyMean(t *testing.T) {
	x := excelize.NewFile()
	defer x.Close()
	zeros, long, text := "0000000", "[$-410]d mmmm yyyy", "dd/mm/yy"
	moment := "dd/mm/yyyy hh:mm"
	for at, c := range map[string]struct {
		value any
		style excelize.Style
	}{
		"A1": {202600012345, excelize.Style{Font: &excelize.Font{Bold: true}}},
		"B1": {12345, excelize.Style{CustomNumFmt: &zeros}},
		"C1": {46296, excelize.Style{CustomNumFmt: &long}},
		"D1": {46296, excelize.Style{CustomNumFmt: &text}},
		"E1": {46296, excelize.Style{NumFmt: 14}},
		"F1": {46296, excelize.Style{NumFmt: 15}},
		"G1": {46296, excelize.Style{NumFmt: 22}},
		"H1": {46296, excelize.Style{CustomNumFmt: &moment}},
		"I1": {"0012", excelize.Style{NumFmt: 49}},
	} {
		style, err := x.NewStyle(&c.style)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(x.SetCellValue("Sheet1", at, c.value), x.SetCellStyle("Sheet1", at, at, style)); err != nil {
			t.Fatal(err)
		}
	}
	content, err := x.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	table, err := open(bytes.NewReader(content.Bytes()), int64(content.Len()))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := all(t, table)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "numbers", rows, [][]string{{"202600012345", "0012345", "2026-10-01", "2026-10-01", "2026-10-01", "2026-10-01", "2026-10-01 00:00", "2026-10-01 00:00", "0012"}})
	for _, cell := range rows[0].Cells[2:8] {
		if day, err := ParseDate(cell); err != nil || day.Format(time.DateOnly) != "2026-10-01" {
			t.Errorf("%q is %v (%v)", cell, day, err)
		}
	}
}

// F-40: the content tells what a file is, and its name nothing.
func TestF40OnlyTheContentTellsWhatAFileIs(t *testing.T) {
	sheet := sheetFile(t, class)
	for name, c := range map[string]struct{ content, typ, says string }{
		"a page that is called .xls":     {"\ufeff\r\n <HTML><body><table><tr><td>ada@uni.example", "file-kind", "a web page"},
		"a table alone":                  {"<table><tr><td>a</td></tr></table>", "file-kind", "a web page"},
		"XML":                            {`<?xml version="1.0"?><Workbook/>`, "file-kind", "a web page"},
		"a program":                      {"MZ\x90\x00\x03\x00", "file-kind", "a program"},
		"a picture that is a list too":   {"GIF89a=1;\nada@uni.example;Ada\n", "file-kind", "a picture"},
		"a PDF that is a spreadsheet":    {"%PDF-1.7\n" + sheet, "file-kind", "a PDF"},
		"an archive":                     {"PK\x03\x04" + strings.Repeat("\x00", 60), "file-kind", "no spreadsheet"},
		"an archive without anything":    {"PK\x05\x06" + strings.Repeat("\x00", 18), "letters-lost", "Cell 1 of row 1"},
		"only white space":               {" \r\n\t\r\n", "", ""},
		"somebody whose initials are MZ": {"MZ,mz@uni.example\n", "", ""},
	} {
		path := filepath.Join(t.TempDir(), "class.csv")
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = read(Open(f))
		f.Close()
		if c.typ == "" && err != nil || c.typ != "" && (lms.TypeOf(err) != c.typ || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %s that says %q", name, err, c.typ, c.says)
		}
	}
	two := filepath.Join(t.TempDir(), "..passwd.csv")
	f, err := os.Create(two)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(2 << 30); err != nil { // takes no room on the disk
		t.Fatal(err)
	}
	if _, err := Open(f); lms.TypeOf(err) != "file-too-large" || !strings.Contains(err.Error(), "2048 MB") {
		t.Errorf("2 GB: %v", err)
	}
}
