package sheet_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"matricula/internal/sheet"
)

var dangerous = []string{
	`=HYPERLINK("http://x.example")`, "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x", `"=1"`, " =1", "\u00a0=1", "|cmd", "%0a", "-Anna", "+39 050 221",
}

func TestSheet_F07_CellsThatASpreadsheetWouldRunAreText(t *testing.T) {
	for _, cell := range dangerous {
		if got := sheet.Escape(cell); got != "'"+cell {
			t.Errorf("Escape(%q) is %q", cell, got)
		}
	}
	for _, cell := range []string{"", "Anna", "grace@uni.example", "1", "2026-11-25", "O'Brien", "a=b", "李", "Ada Lovelace"} {
		if got := sheet.Escape(cell); got != cell {
			t.Errorf("Escape(%q) is %q, though it is harmless", cell, got)
		}
	}
}

func TestSheet_F07_EscapingIsUndoneByUnescaping(t *testing.T) {
	for _, cell := range append(dangerous, "'", "''", "'=1", "'Anna", "Anna") {
		if got := sheet.Unescape(sheet.Escape(cell)); got != cell {
			t.Errorf("%q came back as %q", cell, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.String().Draw(t, "cell")
		if got := sheet.Unescape(sheet.Escape(cell)); got != cell {
			t.Fatalf("%q came back as %q", cell, got)
		}
		if got := sheet.Unescape(cell); sheet.Escape(got) != cell && got != cell {
			t.Fatalf("%q was changed to %q although nothing had escaped it", cell, got)
		}
	})
}

func TestSheetIsReadBackAsItWasWritten(t *testing.T) {
	rows := [][]string{{"Name", "Address"}, {"Šimić, \"Zoë\"", "a@uni.example"}, {"two\nlines", "=1"}, {"", ""}}
	var b bytes.Buffer
	w := sheet.NewWriter(&b)
	for _, r := range rows {
		if err := w.Row(r...); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	text, marked := strings.CutPrefix(b.String(), "\uFEFF")
	if !marked || !strings.Contains(text, "\r\n") || w.Rows() != int64(len(rows)) {
		t.Errorf("written is %q", b.String())
	}
	got, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range got {
		for j, cell := range row {
			if cell = sheet.Unescape(cell); cell != rows[i][j] {
				t.Errorf("row %d, cell %d is %q, was %q", i, j, cell, rows[i][j])
			}
		}
	}
}
