package rosterfile

import (
	"io"

	"github.com/xuri/excelize/v2"

	"matricula/internal/lms"
)

// openSheet reads the first sheet of an XLSX file that has anything in it. Sheets
// are unpacked to a temporary folder a part at a time, within a limit, and no
// formula is computed: a cell has the value that was saved in it.
func openSheet(f source, size int64) (*Table, error) {
	if size > MaxSheetBytes {
		return nil, lms.Invalid("file-too-large", "file", "This spreadsheet has %d MB: at most %d MB can be read. Save the list as CSV and choose that file.", size>>20, MaxSheetBytes>>20)
	}
	if err := checkParts(f, size); err != nil {
		return nil, err
	}
	x, err := excelize.OpenReader(io.NewSectionReader(f, 0, size), excelize.Options{
		UnzipSizeLimit: MaxUnzipped, UnzipXMLSizeLimit: sheetInMemory, ShortDatePattern: isoDay,
	})
	if err != nil {
		return nil, errSheetUnreadable()
	}
	plainFormats(x)
	for _, name := range x.GetSheetList() {
		rows, err := x.Rows(name)
		if err != nil {
			continue // a sheet that holds a chart has no rows
		}
		t := &Table{Format: FormatSheet}
		line := 0
		t.next = func() (Row, error) {
			if !rows.Next() {
				if err := rows.Error(); err != nil {
					return Row{}, lms.Invalid("file-kind", "file", "This spreadsheet is damaged after row %d. Save the list as CSV and choose that file.", line)
				}
				return Row{}, io.EOF
			}
			line++
			cells, err := rows.Columns()
			if err != nil {
				return Row{}, errDamagedAt(line)
			}
			return Row{Line: line, Cells: clean(cells)}, nil
		}
		t.close = func() error {
			err := rows.Close()
			if closeErr := x.Close(); err == nil {
				err = closeErr
			}
			return err
		}
		first, err := t.Next()
		if err == io.EOF {
			if err := rows.Close(); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			t.Close() // the fault in the file is what matters
			return nil, err
		}
		read, again := t.next, true
		t.next = func() (Row, error) {
			if again {
				again = false
				return first, nil
			}
			return read()
		}
		t.rows = 0
		return t, nil
	}
	if err := x.Close(); err != nil {
		return nil, err
	}
	return nil, lms.Invalid("file-empty", "file", "This spreadsheet is empty. Choose the one with the list in it.")
}
