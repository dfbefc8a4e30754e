// Command make writes the folders of class lists beside it from class.json. It
// needs LibreOffice and gnumeric, which the tests that read the files do not:
//
//	go run ./internal/rosterfile/testdata/make internal/rosterfile/testdata
//
// ../README.md says which file stands for which program.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// The columns that hold days, from 0.
var days = []int{6, 7}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("say the folder in which class.json is")
	}
	if err := run(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(folder string) error {
	content, err := os.ReadFile(filepath.Join(folder, "class.json"))
	if err != nil {
		return err
	}
	var rows [][]string
	if err := json.Unmarshal(content, &rows); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "class-lists-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	class, latin := filepath.Join(folder, "class"), filepath.Join(folder, "class_latin")
	return errors.Join(
		libreoffice(work, rows, class),
		libreofficeOfOldLetters(work, western(rows), latin),
		gnumeric(work, rows, class),
		likeExcel(rows, class),
		likeExcelOfOldLetters(western(rows), latin),
		likeOthers(rows, class),
	)
}

// western keeps the people whose names both Windows-1252 and Mac Roman can write.
func western(rows [][]string) (kept [][]string) {
	for _, row := range rows {
		_, win := charmap.Windows1252.NewEncoder().String(strings.Join(row, ""))
		_, mac := charmap.Macintosh.NewEncoder().String(strings.Join(row, ""))
		if win == nil && mac == nil {
			kept = append(kept, row)
		}
	}
	return kept
}

// dress is how a program writes a text.
type dress struct {
	first     string // before the first row
	separator string
	end       string // of each row
	day       string // layout of days
	last      bool   // whether the last row has an end too
	encoding  encoding.Encoding
	flat      bool // line breaks in cells become spaces
}

func (d dress) write(folder, name string, rows [][]string) error {
	var b strings.Builder
	b.WriteString(d.first)
	for i, row := range rows {
		for j, cell := range row {
			if j > 0 {
				b.WriteString(d.separator)
			}
			if i > 0 && slices.Contains(days, j) {
				day, err := time.Parse(time.DateOnly, cell)
				if err != nil {
					return err
				}
				cell = day.Format(d.day)
			}
			if d.flat {
				cell = strings.ReplaceAll(cell, "\n", " ")
			} else if strings.ContainsAny(cell, d.separator+"\"\n") {
				cell = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
			}
			b.WriteString(cell)
		}
		if d.last || i < len(rows)-1 {
			b.WriteString(d.end)
		}
	}
	out := b.String()
	if d.encoding != nil {
		var err error
		if out, err = d.encoding.NewEncoder().String(out); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return os.WriteFile(filepath.Join(folder, name), []byte(out), 0o644)
}

func likeExcel(rows [][]string, folder string) error {
	utf16 := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	return errors.Join(
		dress{first: "\ufeff", separator: ",", end: "\r\n", day: "1/2/2006", last: true}.write(folder, "like-excel-csv-utf8-american.csv", rows),
		dress{first: "\ufeff", separator: ";", end: "\r\n", day: "02/01/2006", last: true}.write(folder, "like-excel-csv-utf8-italian.csv", rows),
		dress{first: "\ufeffsep=;\r\n", separator: ";", end: "\r\n", day: "02/01/2006", last: true}.write(folder, "like-excel-sep.csv", rows),
		dress{separator: "\t", end: "\r\n", day: "02/01/2006", last: true, encoding: utf16}.write(folder, "like-excel-unicode-text.txt", rows),
		workbook(rows, filepath.Join(folder, "like-excel.xlsx")),
	)
}

func likeExcelOfOldLetters(rows [][]string, folder string) error {
	return errors.Join(
		dress{separator: ";", end: "\r\n", day: "02/01/2006", last: true, encoding: charmap.Windows1252}.write(folder, "like-excel-italian.csv", rows),
		dress{separator: ";", end: "\r", day: "02/01/2006", last: true, encoding: charmap.Macintosh}.write(folder, "like-excel-macintosh.csv", rows),
		dress{separator: ";", end: "\r\n", day: "02.01.2006", last: true, encoding: charmap.Windows1252}.write(folder, "like-excel-german.csv", rows),
	)
}

func likeOthers(rows [][]string, folder string) error {
	return errors.Join(
		dress{separator: ",", end: "\n", day: "02/01/2006"}.write(folder, "like-numbers.csv", rows),
		dress{separator: ",", end: "\r\n", day: "02/01/2006"}.write(folder, "like-google-sheets.csv", rows),
		dress{separator: "\t", end: "\r\n", day: "02/01/2006", flat: true}.write(folder, "like-google-sheets.tsv", rows),
	)
}

// workbook writes days as Excel does when somebody types one: a number whose
// format is the short day of the reader's system (number 14).
func workbook(rows [][]string, path string) (err error) {
	x := excelize.NewFile()
	defer func() { err = errors.Join(err, x.Close()) }()
	short, err := x.NewStyle(&excelize.Style{NumFmt: 14})
	if err != nil {
		return err
	}
	for i, row := range rows {
		for j, cell := range row {
			at, err := excelize.CoordinatesToCellName(j+1, i+1)
			if err != nil {
				return err
			}
			if i == 0 || !slices.Contains(days, j) {
				if err := x.SetCellStr("Sheet1", at, cell); err != nil {
					return err
				}
				continue
			}
			day, err := time.Parse(time.DateOnly, cell)
			if err != nil {
				return err
			}
			if err := errors.Join(x.SetCellValue("Sheet1", at, day), x.SetCellStyle("Sheet1", at, at, short)); err != nil {
				return err
			}
		}
	}
	return x.SaveAs(path)
}
