package rosterfile

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/htmlindex"

	"matricula/internal/lms"
)

// Limits on the parts of a spreadsheet. excelize holds in memory what is below
// sheetInMemory and every part that is no table, so a file of a few kilobytes
// could make it hold gigabytes; and a table that is not well-formed ends for it
// where the fault is, without a word, so that the rest of the class would be
// missing. Therefore the parts are looked at before it is asked.
const (
	sheetInMemory = 4 << 20  // of one table; larger ones go to a temporary folder
	sheetPart     = 4 << 20  // of a part that is no table, but is parsed
	sheetHeld     = 48 << 20 // of everything that is held in memory
	sheetParts    = 5000
	sheetRow      = 4 << 20 // of the XML of one row or text
	sheetRows     = 1 << 20 // as many as Excel has
	sheetTexts    = 2 << 20 // that the cells share
)

func errSheetUnreadable() error {
	return lms.Invalid("file-kind", "file", "This is no spreadsheet that can be read: it is damaged, protected by a password, or larger than it looks. Save the list as CSV and choose that file.")
}

func errDamagedAt(row int) error {
	return lms.Invalid("file-kind", "file", "This spreadsheet is damaged at row %d. Save the list as CSV and choose that file.", row)
}

// checkParts looks at all parts of a spreadsheet.
func checkParts(f source, size int64) error {
	z, err := zip.NewReader(f, size)
	if err != nil || len(z.File) > sheetParts {
		return errSheetUnreadable()
	}
	var all, held uint64
	for _, part := range z.File {
		name := strings.ToLower(strings.ReplaceAll(part.Name, `\`, "/"))
		table := strings.HasPrefix(name, "xl/worksheets/sheet") || name == "xl/sharedstrings.xml"
		if all += part.UncompressedSize64; all > MaxUnzipped || all < part.UncompressedSize64 {
			return errSheetUnreadable()
		}
		if !table || part.UncompressedSize64 <= sheetInMemory {
			held += part.UncompressedSize64
		}
		parsed := strings.HasSuffix(name, ".xml") || strings.HasSuffix(name, ".rels")
		if held > sheetHeld || (!table && parsed && part.UncompressedSize64 > sheetPart) {
			return errSheetUnreadable()
		}
		if table || strings.HasPrefix(name, "xl/worksheets/") && parsed && !strings.Contains(name, "_rels/") {
			if err := checkTable(part); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkTable reads the XML of a sheet, or of the texts that sheets share, to its end.
func checkTable(part *zip.File) error {
	content, err := part.Open()
	if err != nil {
		return errSheetUnreadable()
	}
	defer content.Close()
	limit := &recordLimit{r: content, left: sheetRow}
	x := xml.NewDecoder(limit)
	x.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		enc, err := htmlindex.Get(label)
		if err != nil {
			return nil, err
		}
		return enc.NewDecoder().Reader(in), nil
	}
	depth, row, rows, texts := 0, 0, 0, 0
	for {
		token, err := x.RawToken()
		if errors.Is(err, io.EOF) && depth == 0 {
			return nil
		}
		if err != nil {
			return errDamagedAt(row)
		}
		switch token := token.(type) {
		case xml.StartElement:
			depth++
			switch {
			case token.Name.Local == "row":
				row, rows = rowNumber(token, row), rows+1
				limit.left = sheetRow
			case token.Name.Local == "si":
				texts++
				limit.left = sheetRow
			case depth <= 2:
				limit.left = sheetRow
			}
			if rows > sheetRows {
				return lms.Invalid("too-many-rows", "file", "This file has more than %d rows. Split it.", MaxRows)
			}
			if texts > sheetTexts {
				return errSheetUnreadable()
			}
		case xml.EndElement:
			depth--
		}
	}
}

func rowNumber(row xml.StartElement, before int) int {
	for _, a := range row.Attr {
		if a.Name.Local == "r" {
			if n, err := strconv.Atoi(a.Value); err == nil {
				return n
			}
		}
	}
	return before + 1
}
