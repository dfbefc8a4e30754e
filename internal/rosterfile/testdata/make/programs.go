package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// reader is a LibreOffice in a language, into which the class is typed with days
// as people write them there.
type reader struct {
	language string
	day      string // layout of days
	order    string // the same, as the options of LibreOffice's CSV filter say it
}

var (
	italian  = reader{"it-IT", "02/01/2006", "4"}
	american = reader{"en-US", "01/02/2006", "3"}
	german   = reader{"de-DE", "02.01.2006", "4"}
	swedish  = reader{"sv-SE", "2006-01-02", "5"}
)

// How the options of LibreOffice's CSV filter call the separators and encodings.
const (
	comma, semicolon, tab             = "44", "59", "9"
	utf8, utf16, windows1252          = "76", "65535", "1"
	csvOfWhatIsShown, csvFilter       = "1,,0,false,true,false,false,false,0", "csv:Text - txt - csv (StarCalc):"
	excel2007, openDocument, notTyped = "xlsx", "ods", ""
	registry                          = `<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Setup/L10N"><prop oor:name="ooSetupSystemLocale" oor:op="fuse"><value>%s</value></prop></item>
</oor:items>
`
)

// open has LibreOffice read the class; the answer saves it in a form, such as
// "xlsx", under a name.
func (r reader) open(work string, rows [][]string) (save func(form, path string) error, err error) {
	own := filepath.Join(work, r.language)
	settings := filepath.Join(own, "profile", "user")
	if err := os.MkdirAll(settings, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(settings, "registrymodifications.xcu"), fmt.Appendf(nil, registry, r.language), 0o644); err != nil {
		return nil, err
	}
	if err := (dress{separator: ",", end: "\n", day: r.day, last: true}).write(own, "typed.csv", rows); err != nil {
		return nil, err
	}
	convert := func(from, form, typed string) error {
		args := []string{"-env:UserInstallation=file://" + filepath.Join(own, "profile"), "--headless", "--convert-to", form, "--outdir", own}
		if typed != "" {
			args = append(args, "--infilter="+typed)
		}
		return execute("soffice", append(args, filepath.Join(own, from))...)
	}
	// Every column is text, so that numbers keep their zeros, but for the days.
	columns := fmt.Sprintf("CSV:44,34,76,1,1/2/2/2/3/2/4/2/5/2/6/2/7/%s/8/%[1]s/9/2", r.order)
	if err := convert("typed.csv", openDocument, columns); err != nil {
		return nil, err
	}
	return func(form, path string) error {
		if form != openDocument {
			if err := convert("typed.ods", form, notTyped); err != nil {
				return err
			}
		}
		extension, _, _ := strings.Cut(form, ":")
		content, err := os.ReadFile(filepath.Join(own, "typed."+extension))
		if err != nil {
			return err
		}
		return os.WriteFile(path, content, 0o644)
	}, nil
}

func asText(separator, encoding string) string {
	return csvFilter + separator + ",34," + encoding + "," + csvOfWhatIsShown
}

// saved is one file that LibreOffice writes.
type saved struct {
	by         reader
	form, name string
}

func save(work string, rows [][]string, folder string, files []saved) error {
	opened := map[reader]func(form, path string) error{}
	for _, f := range files {
		if opened[f.by] == nil {
			var err error
			if opened[f.by], err = f.by.open(work, rows); err != nil {
				return err
			}
		}
		if err := opened[f.by](f.form, filepath.Join(folder, f.name)); err != nil {
			return err
		}
	}
	return nil
}

func libreoffice(work string, rows [][]string, folder string) error {
	return save(work, rows, folder, []saved{
		{italian, asText(comma, utf8), "libreoffice-utf8-comma.csv"},
		{italian, asText(semicolon, utf8), "libreoffice-utf8-semicolon.csv"},
		{italian, asText(semicolon, utf16), "libreoffice-utf16.csv"},
		{italian, asText(tab, utf8), "libreoffice.tsv"},
		{italian, excel2007, "libreoffice.xlsx"},
		{italian, openDocument, "libreoffice.ods"},
		{american, asText(comma, utf8), "libreoffice-american.csv"},
		{american, excel2007, "libreoffice-american.xlsx"},
		{german, asText(semicolon, utf8), "libreoffice-german.csv"},
		{german, excel2007, "libreoffice-german.xlsx"},
		{swedish, asText(comma, utf8), "libreoffice-swedish.csv"},
	})
}

func libreofficeOfOldLetters(work string, rows [][]string, folder string) error {
	return save(work, rows, folder, []saved{
		{italian, asText(semicolon, windows1252), "libreoffice-windows1252.csv"},
		{german, asText(comma, windows1252), "libreoffice-windows1252-comma.csv"},
	})
}

// gnumeric lets gnumeric's ssconvert read LibreOffice's spreadsheet and write it
// in its own way.
func gnumeric(_ string, _ [][]string, folder string) error {
	from := filepath.Join(folder, "libreoffice.ods")
	return errors.Join(
		execute("ssconvert", "--export-type=Gnumeric_stf:stf_csv", from, filepath.Join(folder, "gnumeric.csv")),
		execute("ssconvert", "--export-type=Gnumeric_stf:stf_assistant", "--export-options=separator=; quote='\"' format=preserve eol=windows", from, filepath.Join(folder, "gnumeric-semicolon.txt")),
		execute("ssconvert", "--export-type=Gnumeric_Excel:xlsx2", from, filepath.Join(folder, "gnumeric.xlsx")),
	)
}

func execute(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}
