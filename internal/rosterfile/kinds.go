package rosterfile

import (
	"bytes"
	"strings"

	"matricula/internal/lms"
)

// otherKinds are the beginnings of files that are no lists, by what people call
// them.
var otherKinds = []struct {
	magic string
	name  lms.Term
}{
	{"%PDF", "a PDF"},
	{"\xd0\xcf\x11\xe0", "a spreadsheet of before 2007, or one with a password"},
	{"\x89PNG", "a picture"},
	{"\xff\xd8\xff", "a picture"},
	{"GIF8", "a picture"},
	{"MZ", "a program"},
	{"\x7fELF", "a program"},
	{"{\\rtf", "a text document"},
}

// markup are the beginnings of web pages, which some systems call ".xls", and of
// other texts that only programs read.
var markup = []string{"<!doctype", "<html", "<head", "<body", "<table", "<meta", "<?xml", "<script", "<!--"}

// refuseOtherKind looks at the beginning of a file.
func refuseOtherKind(begin []byte) error {
	for _, k := range otherKinds {
		if !bytes.HasPrefix(begin, []byte(k.magic)) {
			continue
		}
		if k.magic == "MZ" && bytes.IndexByte(begin, 0) < 0 {
			continue // somebody's initials
		}
		return notAList(k.name)
	}
	text := strings.ToLower(strings.TrimLeft(strings.TrimPrefix(string(begin), utf8BOM), " \t\r\n"))
	for _, m := range markup {
		if strings.HasPrefix(text, m) {
			return notAList(lms.Term("a web page"))
		}
	}
	// A document of OpenDocument says its kind first, and not compressed.
	if kind, ok := strings.CutPrefix(string(begin[min(30, len(begin)):]), "mimetypeapplication/vnd.oasis.opendocument."); ok && bytes.HasPrefix(begin, []byte("PK")) {
		if !strings.HasPrefix(kind, "spreadsheet") {
			return notAList(lms.Term("a text document"))
		}
		return lms.Invalid("file-kind", "file", "This is an OpenDocument spreadsheet (ODS), which cannot be read. Open it in LibreOffice, save it as XLSX or CSV, and choose that file.")
	}
	return nil
}

func notAList(kind lms.Term) error {
	return lms.Invalid("file-kind", "file", "This is %s, and not a list. Save the list as CSV or XLSX and choose that file.", kind)
}
