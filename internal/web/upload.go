package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"path"
	"strings"

	"matricula/internal/lms"
	"matricula/internal/rosterfile"
	"matricula/internal/service"
)

var uploadRoutes = []route{
	{"GET /courses/{course_id}/people/file", false, (*Web).backToPeople},
	{"POST /courses/{course_id}/people/file", false, (*Web).checkFile},
}

// listFile is what was read of a file with a list.
type listFile struct {
	Name   string
	Rows   int
	Used   string   // the heading of the column with the addresses; empty when there are no headings
	Unused []string // the headings of the others
}

// checkFile shows what would become of the people of a file.
func (w *Web) checkFile(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	view, err := w.addViewOf(r, v, lms.RoleStudent)
	if err != nil {
		return err
	}
	c, file, err := readUpload(rw, r)
	if err == nil {
		view.File = &file
		return w.showCheck(rw, r, view, c)
	}
	p, status, ok := asProblem(r.words, err)
	if !ok {
		return err
	}
	view.Problem = p
	if c.Role != "" {
		view.Role = c.Role
	}
	w.render(rw, r, status, addPage(view))
	return nil
}

// readUpload reads a form with a file, which lies in a temporary one meanwhile.
func readUpload(rw http.ResponseWriter, r *request) (c checkRequest, file listFile, err error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return c, file, lms.Errorf(lms.CodeMalformed, "not-a-form", "This address is for a form of this site. Go back to the page before and use its buttons.")
	}
	r.Body = http.MaxBytesReader(rw, r.Body, pasteLimit)
	parts, err := r.MultipartReader()
	if err != nil {
		return c, file, errDamagedForm
	}
	found := false
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return c, file, uploadFault(err)
		}
		switch part.FormName() {
		case "role":
			text, err := io.ReadAll(io.LimitReader(part, 200))
			if err != nil {
				return c, file, uploadFault(err)
			}
			c.Role = string(text)
		case "file":
			if found {
				return c, file, errDamagedForm
			}
			found = true
			// Browsers send the name alone; what others send may have a path.
			file.Name = lms.Clip(path.Base(strings.ReplaceAll(part.FileName(), `\`, "/")), 80)
			if c.Emails, err = addressesOf(part, &file); err != nil {
				return c, file, err
			}
		default:
			return c, file, errDamagedForm
		}
	}
	if !found || file.Name == "." || file.Name == "" {
		return c, file, lms.Invalid("no-file", "file", "Choose a file first: a class list saved as XLSX or CSV.")
	}
	return c, file, nil
}

var errDamagedForm = lms.Errorf(lms.CodeMalformed, "form-unreadable", "The form arrived damaged. Go back, reload the page and send it again.")

func uploadFault(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return lms.Errorf(lms.CodeTooLarge, "form-too-large", "This is more than one form can take (%d KB). Split it into smaller pieces.", pasteLimit>>10)
	}
	return errDamagedForm
}

// addressesOf reads the addresses of a file.
func addressesOf(content io.Reader, file *listFile) (addresses []string, err error) {
	kept, err := os.CreateTemp("", "matricula-list-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, kept.Close(), os.Remove(kept.Name())) }()
	if _, err := io.Copy(kept, content); err != nil {
		return nil, uploadFault(err)
	}
	table, err := rosterfile.Open(kept)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, table.Close()) }()
	return columnOfAddresses(table, file)
}

// columnOfAddresses reads the column that holds the addresses: the one that is
// called so, else the one in which they are.
func columnOfAddresses(table *rosterfile.Table, file *listFile) ([]string, error) {
	var rows []rosterfile.Row
	for {
		row, err := table.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if rows = append(rows, row); len(rows) > service.MaxRows+1 {
			return nil, lms.Errorf(lms.CodeTooLarge, "too-many-rows", "These are more than %d people, the most that can be added at once. Split the list.", service.MaxRows)
		}
	}
	if len(rows) == 0 {
		return nil, errNoRows
	}
	columns, headed, err := rosterfile.FindColumns(rows[0])
	if err != nil {
		return nil, err
	}
	if headed {
		for i, h := range rows[0].Cells {
			if i == columns[rosterfile.Address] {
				file.Used = h
			} else if h != "" {
				file.Unused = append(file.Unused, lms.Clip(h, 40))
			}
		}
		rows = rows[1:]
	} else if columns, headed = rosterfile.GuessColumns(rows); !headed {
		return nil, lms.Invalid("no-addresses", "file", "No column of this file holds e-mail addresses. Add one, with the heading \"E-mail\".")
	}
	var addresses []string
	for _, row := range rows {
		if cell := row.Cell(columns[rosterfile.Address]); cell != "" {
			addresses = append(addresses, cell)
		}
	}
	file.Rows = len(addresses)
	return addresses, nil
}

// pastedAddresses reads what was pasted. From several columns of a spreadsheet it
// takes the one that holds the addresses; a list that only has tabs in it is read
// as any other.
func pastedAddresses(text string) []string {
	if table, err := rosterfile.OpenText(text); err == nil && table.Separator == '\t' {
		file := listFile{}
		list, err := columnOfAddresses(table, &file)
		if err == nil && len(list) == strings.Count(text, "@") {
			return list
		}
	}
	return lms.SplitEmails(text)
}
