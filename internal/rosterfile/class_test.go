package rosterfile

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"

	"matricula/internal/lms"
)

// classRoster is the class that every file of testdata/class holds.
func classRoster(t *testing.T) (rows [][]string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "class.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// latinRoster is the part of it that the files of testdata/class_latin hold: whom
// both Windows-1252 and Mac Roman can write.
func latinRoster(t *testing.T) [][]string {
	t.Helper()
	return slices.DeleteFunc(classRoster(t), func(row []string) bool {
		_, win := charmap.Windows1252.NewEncoder().String(strings.Join(row, ""))
		_, mac := charmap.Macintosh.NewEncoder().String(strings.Join(row, ""))
		return win != nil || mac != nil
	})
}

// roster reads a file as an import does: the columns by their names, the days in
// the order that each column shows, written year first.
func roster(t *testing.T, path string) (rows [][]string, err error) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table, err := Open(f)
	if err != nil {
		return nil, err
	}
	read, err := all(t, table)
	if err != nil {
		return nil, err
	}
	columns, ok, err := FindColumns(read[0])
	if err != nil || !ok || len(columns) != 8 {
		t.Errorf("%s: the columns are %v (%v)", path, columns, err)
		return nil, err
	}
	width := len(read[0].Cells)
	rows = append(rows, read[0].Cells)
	for _, row := range read[1:] {
		cells := make([]string, width)
		for i := range cells {
			cells[i] = row.Cell(i)
		}
		rows = append(rows, cells)
	}
	for _, field := range []Field{Begins, Ends} {
		at := columns[field]
		order := DateOrderOf(func(yield func(string) bool) {
			for _, row := range rows[1:] {
				if !yield(row[at]) {
					return
				}
			}
		})
		for i, row := range rows[1:] {
			day, err := order.Parse(row[at])
			if err != nil {
				t.Fatalf("%s: row %d: %v", path, i+2, err)
			}
			row[at] = day.Format(time.DateOnly)
		}
	}
	return rows, nil
}

// F-01: the same class, saved by each program in each of its ways, is the same
// roster. testdata/README.md says how each file was made.
func TestF01TheClassIsTheSameWhicheverProgramSavedIt(t *testing.T) {
	for folder, want := range map[string][][]string{"class": classRoster(t), "class_latin": latinRoster(t)} {
		files, err := filepath.Glob(filepath.Join("testdata", folder, "*"))
		if err != nil || len(files) < 5 {
			t.Fatalf("%s has %d files (%v)", folder, len(files), err)
		}
		if len(want) < 12 {
			t.Fatalf("%s has only %d rows", folder, len(want))
		}
		for _, path := range files {
			if filepath.Ext(path) == ".ods" {
				continue // refused, which has a test of its own
			}
			t.Run(filepath.Base(path), func(t *testing.T) {
				got, err := roster(t, path)
				if err != nil {
					t.Fatal(err)
				}
				if len(got) != len(want) {
					t.Fatalf("%d rows, want %d", len(got), len(want))
				}
				for i := range want {
					expected := slices.Clone(want[i])
					if strings.HasSuffix(path, "google-sheets.tsv") { // its export keeps no line breaks
						for j := range expected {
							expected[j] = strings.ReplaceAll(expected[j], "\n", " ")
						}
					}
					if !slices.Equal(got[i], expected) {
						t.Errorf("row %d is\n%q, want\n%q", i+1, got[i], expected)
					}
				}
			})
		}
	}
}

func TestOpenDocumentIsRefusedWithTheWayOut(t *testing.T) {
	_, err := roster(t, filepath.Join("testdata", "class", "libreoffice.ods"))
	if lms.TypeOf(err) != "file-kind" || !strings.Contains(err.Error(), "OpenDocument") || !strings.Contains(err.Error(), "XLSX or CSV") {
		t.Errorf("an OpenDocument spreadsheet: %v", err)
	}
}

// Every file of the folders is in the document that says where it is from.
func TestEveryClassFileIsExplained(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("testdata", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join("testdata", "class*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if !strings.Contains(string(readme), "`"+filepath.Base(path)+"`") {
			t.Errorf("testdata/README.md does not say how %s was made", path)
		}
	}
}
