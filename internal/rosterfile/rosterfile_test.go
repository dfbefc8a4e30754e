package rosterfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"matricula/internal/lms"
)

// class is the same list in every dress.
var class = [][]string{
	{"Cognome", "Nome", "Indirizzo e-mail", "Ruolo"},
	{"Lovelace", "Ada", "ada@uni.example", "teacher"},
	{"Noether, Emmy", "Emmy", "emmy@uni.example", ""},
	{"D'Alembert", "Jean \"le Rond\"", "jean@uni.example", "student"},
	{"Brânză", "Ștefan", "stefan@uni.example", "student"},
	{"Over\ntwo lines", "Zoë", "zoe@uni.example", "student"},
}

// western leaves out what Windows-1252 has no letters for.
func western(rows [][]string) [][]string {
	return append(slices.Clone(rows[:4]), rows[5])
}

func written(rows [][]string, sep, end string) string {
	var b strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				b.WriteString(sep)
			}
			if strings.ContainsAny(cell, sep+"\"\n\r") {
				cell = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
			}
			b.WriteString(cell)
		}
		b.WriteString(end)
	}
	return b.String()
}

func encoded(t *testing.T, s string, e interface{ String(string) (string, error) }) string {
	t.Helper()
	out, err := e.String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sheetFile(t *testing.T, rows [][]string) string {
	t.Helper()
	x := excelize.NewFile()
	if _, err := x.NewSheet("Class"); err != nil { // the first sheet stays empty
		t.Fatal(err)
	}
	for i, row := range rows {
		for j, cell := range row {
			at, err := excelize.CoordinatesToCellName(j+1, i+2) // below an empty row
			if err != nil {
				t.Fatal(err)
			}
			if err := x.SetCellStr("Class", at, cell); err != nil {
				t.Fatal(err)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "class.xlsx")
	if err := x.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func openString(t *testing.T, content string) (*Table, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return Open(f)
}

func all(t *testing.T, table *Table) (rows []Row, err error) {
	t.Helper()
	for {
		row, err := table.Next()
		if errors.Is(err, io.EOF) {
			return rows, table.Close()
		}
		if err != nil {
			table.Close()
			return rows, err
		}
		rows = append(rows, row)
	}
}

// F-01: whatever dress a list comes in, its cells are the same.
func TestF01EveryDressOfAListIsRead(t *testing.T) {
	utf8CSV := written(class, ",", "\r\n")
	utf16 := func(order unicode.Endianness, bom unicode.BOMPolicy, s string) string {
		return encoded(t, s, unicode.UTF16(order, bom).NewEncoder())
	}
	for name, c := range map[string]struct {
		content   string
		encoding  string
		separator rune
		want      [][]string
	}{
		"UTF-8, commas":                      {utf8CSV, "UTF-8", ',', class},
		"UTF-8 with a byte order mark":       {"\ufeff" + utf8CSV, "UTF-8", ',', class},
		"semicolons, line feeds":             {written(class, ";", "\n"), "UTF-8", ';', class},
		"tabs":                               {written(class, "\t", "\r\n"), "UTF-8", '\t', class},
		"bars":                               {written(class, "|", "\n"), "UTF-8", '|', class},
		"sep=;":                              {"sep=;\r\n" + written(class, ";", "\r\n"), "UTF-8", ';', class},
		"sep=; after a byte order mark":      {"\ufeffsep=;\n" + written(class, ";", "\n"), "UTF-8", ';', class},
		"carriage returns alone":             {written(slices.Concat(class[:5]), ",", "\r"), "UTF-8", ',', class[:5]},
		"Excel's Unicode text":               {utf16(unicode.LittleEndian, unicode.UseBOM, written(class, "\t", "\r\n")), "UTF-16LE", '\t', class},
		"UTF-16, the other way round":        {utf16(unicode.BigEndian, unicode.UseBOM, written(class, ";", "\r\n")), "UTF-16BE", ';', class},
		"UTF-16 without a byte order mark":   {utf16(unicode.LittleEndian, unicode.IgnoreBOM, written(western(class), ",", "\r\n")), "UTF-16LE", ',', western(class)},
		"Windows-1252 with semicolons":       {encoded(t, written(western(class), ";", "\r\n"), charmap.Windows1252.NewEncoder()), "Windows-1252", ';', western(class)},
		"empty lines and columns at the end": {"\n\n" + strings.ReplaceAll(written(class[:5], ",", ",,\n"), "\n", "\n,,,,\n"), "UTF-8", ',', class[:5]},
		"spaces that are not seen":           {strings.ReplaceAll(written(class[:5], ";", "\n"), "ada@uni.example", "\u00a0 ada@uni.example\u200b "), "UTF-8", ';', class[:5]},
		"no line end at the end":             {strings.TrimSuffix(utf8CSV, "\r\n"), "UTF-8", ',', class},
	} {
		table, err := openString(t, c.content)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if table.Encoding != c.encoding || table.Separator != c.separator || table.Format != FormatText {
			t.Errorf("%s: %s with %q", name, table.Encoding, table.Separator)
		}
		rows, err := all(t, table)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		same(t, name, rows, c.want)
	}
	table, err := openString(t, sheetFile(t, class))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := all(t, table)
	if err != nil || table.Format != FormatSheet {
		t.Errorf("a spreadsheet: %s (%v)", table.Format, err)
	}
	same(t, "a spreadsheet", rows, class)
	if rows[0].Line != 2 || rows[1].Line != 3 {
		t.Errorf("a spreadsheet: lines %d and %d", rows[0].Line, rows[1].Line)
	}
}

func same(t *testing.T, name string, rows []Row, want [][]string) {
	t.Helper()
	if len(rows) != len(want) {
		t.Errorf("%s: %d rows, want %d", name, len(rows), len(want))
		return
	}
	for i, row := range rows {
		for j, cell := range want[i] {
			if got := row.Cell(j); got != cell {
				t.Errorf("%s: row %d, cell %d is %q, want %q", name, i, j, got, cell)
			}
		}
	}
}

func TestLinesAreThoseThatAnEditorShows(t *testing.T) {
	for content, want := range map[string][]int{
		"a\n\nb\n\"c\nd\"\ne\n": {1, 3, 4, 6},
		"sep=;\na;b\nc;d\n":     {2, 3},
	} {
		table, err := OpenText(content)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := all(t, table)
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, r := range rows {
			got = append(got, r.Line)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: lines %v, want %v", content, got, want)
		}
	}
}

// F-03, F-40: what is no list, or would never end, is refused in words.
func TestF03F40WhatIsNoListIsRefused(t *testing.T) {
	wide := strings.Repeat("a,", MaxColumns+1)
	for name, c := range map[string]struct{ content, typ, says string }{
		"nothing":               {"", "file-empty", "empty"},
		"a PDF":                 {"%PDF-1.7 …", "file-kind", "a PDF"},
		"an old spreadsheet":    {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "file-kind", "before 2007"},
		"a web page":            {"<!DOCTYPE html><p>", "file-kind", "a web page"},
		"a program":             {"MZ\x90\x00", "file-kind", "a program"},
		"bytes":                 {"abc\x00def,\x01\x02\n", "file-kind", "no text"},
		"half a spreadsheet":    {"PK\x03\x04 and no more", "file-kind", "no spreadsheet"},
		"a quotation mark open": {"a,b\n\"c," + strings.Repeat("x", 3<<20), "row-too-long", "after line 1 never ends"},
		"too many columns":      {wide + "\n", "too-many-columns", "Row 1 has"},
		"a huge cell":           {"a," + strings.Repeat("x", MaxCellRunes+1) + "\n", "cell-too-long", "Cell 2 of row 1"},
	} {
		table, err := openString(t, c.content)
		if err == nil {
			_, err = all(t, table)
		}
		if lms.TypeOf(err) != c.typ || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %s that says %q", name, err, c.typ, c.says)
		}
	}
	if table, err := openString(t, sheetFile(t, nil)); lms.TypeOf(err) != "file-empty" {
		t.Errorf("an empty spreadsheet: %v (%v)", table, err)
	}
}

func TestAMillionRowsAreTheMost(t *testing.T) {
	table, err := OpenText(strings.Repeat("a@b\n", MaxRows+1))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for {
		if _, err = table.Next(); err != nil {
			break
		}
		n++
	}
	if n != MaxRows || lms.TypeOf(err) != "too-many-rows" {
		t.Errorf("%d rows (%v)", n, err)
	}
}

// F-02: columns are found by their names, in both languages, in any order.
func TestF02ColumnsAreFoundByName(t *testing.T) {
	for first, want := range map[string]Columns{
		"Email,First name,Last name":                    {Address: 0, GivenName: 1, FamilyName: 2},
		"COGNOME;NOME;INDIRIZZO E-MAIL;N. MATRICOLA":    {FamilyName: 0, GivenName: 1, Address: 2, StudentNumber: 3},
		" e-mail address ,Role,Section,Start date,Ends": {Address: 0, Role: 1, Section: 2, Begins: 3, Ends: 4},
		"id,Cognome e nome,Posta elettronica,Ruolo,Dal": {FullName: 1, Address: 2, Role: 3, Begins: 4},
		"userPrincipalName,displayName,Fìrst_Name":      {Address: 0, FullName: 1, GivenName: 2},
	} {
		table, err := OpenText(first + "\n")
		if err != nil {
			t.Fatal(err)
		}
		row, err := table.Next()
		if err != nil {
			t.Fatal(err)
		}
		got, ok, err := FindColumns(row)
		if err != nil || !ok || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, %v (%v), want %v", first, got, ok, err, want)
		}
	}
	if _, _, err := FindColumns(Row{Cells: []string{"Email", "Name", "E-Mail"}}); lms.TypeOf(err) != "column-twice" || !strings.Contains(err.Error(), "Columns 1 and 3") {
		t.Errorf("a column twice: %v", err)
	}
	if _, ok, err := FindColumns(Row{Cells: []string{"ada@uni.example", "Ada"}}); ok || err != nil {
		t.Errorf("a list without headings has some: %v", err)
	}
	if c, ok := GuessColumns([]Row{{Cells: []string{"Ada", "ada@uni.example", "x@"}}, {Cells: []string{"Emmy", "emmy@uni.example"}}}); !ok || c[Address] != 1 {
		t.Errorf("the addresses are in %v", c)
	}
	if _, ok := GuessColumns([]Row{{Cells: []string{"Ada", "Lovelace"}}}); ok {
		t.Error("names are taken for addresses")
	}
}

func FuzzOpenText(f *testing.F) {
	f.Add("sep=;\n\"a\n;b\r\nc")
	f.Add("\xff\xfea\x00,\x00")
	f.Fuzz(func(t *testing.T, content string) {
		table, err := OpenText(content)
		if err != nil {
			return
		}
		for range 1000 {
			row, err := table.Next()
			if err != nil {
				return
			}
			if row.Line < 1 {
				t.Fatalf("line %d", row.Line)
			}
			FindColumns(row)
		}
	})
}
