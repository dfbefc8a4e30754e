package web_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// upload sends a form with a file.
func (b *browser) upload(path, name, content string, fields ...string) *answer {
	b.s.tb.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for i := 0; i+1 < len(fields); i += 2 {
		if err := m.WriteField(fields[i], fields[i+1]); err != nil {
			b.s.tb.Fatal(err)
		}
	}
	if name != "" {
		part, err := m.CreateFormFile("file", name)
		if err != nil {
			b.s.tb.Fatal(err)
		}
		if _, err := part.Write([]byte(content)); err != nil {
			b.s.tb.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		b.s.tb.Fatal(err)
	}
	r := b.request(http.MethodPost, path, &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	return b.do(r)
}

func sheetOf(t *testing.T, rows ...[]any) string {
	t.Helper()
	x := excelize.NewFile()
	for i, row := range rows {
		at, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			t.Fatal(err)
		}
		if err := x.SetSheetRow("Sheet1", at, &row); err != nil {
			t.Fatal(err)
		}
	}
	b, err := x.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAClassListComesFromASpreadsheet(t *testing.T) {
	c := algorithms(t)
	to := c.path + "/people/file"
	c.ada.get(c.path+"/people/add").says("#file-heading", "Or a file")
	for name, content := range map[string]string{
		"class.xlsx":             sheetOf(t, []any{"Cognome", "Nome", "Indirizzo e-mail"}, []any{"Noether", "Emmy", "emmy@uni.example"}, []any{"Lamarr", "Hedy", "hedy@gmial.com"}),
		"class.csv":              "sep=;\r\nCognome;Nome;Indirizzo e-mail\r\nNoether;Emmy;emmy@uni.example\r\nLamarr;Hedy;hedy@gmial.com\r\n",
		`C:\Users\ada\class.tsv`: "\ufeffCognome\tNome\tIndirizzo e-mail\nNoether\tEmmy\temmy@uni.example\nLamarr\tHedy\thedy@gmial.com\n",
	} {
		page := c.ada.upload(to, name, content, "role", "student").want(http.StatusOK).says(".notice", "2 addresses were read from “class.").says(".notice", "column “Indirizzo e-mail”").says(".notice", "Not used: Cognome, Nome.").
			says("main", "Nothing is saved yet").says("#check", "gmail.com")
		if strings.Contains(page.body, "Users") {
			t.Errorf("%s: a path is shown", name)
		}
	}
	if _, known := c.find(c.admin, "emmy@uni.example"); known {
		t.Fatal("checking a file has named somebody")
	}
	c.ada.upload(to, "class.csv", "emmy@uni.example,Emmy\nhedy@uni.example,Hedy\n", "role", "assistant").want(http.StatusOK).says(".notice", "2 addresses were read from “class.csv”.").
		submit("#check").want(http.StatusOK).says(".results", "2 Added; not signed in yet")
	emmy, _ := c.find(c.admin, "emmy@uni.example")
	if m := c.member(emmy.ID); m.Enrollment == nil || m.Enrollment.Role.Key != "assistant" {
		t.Errorf("Emmy is %+v", m.Enrollment)
	}
	for name, w := range map[string]struct {
		content, says string
		status        int
	}{
		"none.csv":  {"Name,Age\nAda,36\n", "No column of this file holds e-mail addresses", 422},
		"twice.csv": {"Email,E-mail\na@b.example,c@d.example\n", "Columns 1 and 2", 422},
		"empty.csv": {"", "empty", 422},
		"scan.pdf":  {"%PDF-1.7", "a PDF", 422},
		"many.csv":  {"Email\n" + strings.Repeat("a@uni.example\n", 10_001), "more than 10,000 people", 413},
		"huge.csv":  {"Email\n" + strings.Repeat("x", 5<<20), "more than one form can take", 413},
		"":          {"", "Choose a file first", 422},
	} {
		c.ada.upload(to, name, w.content, "role", "student").want(w.status).says(".summary", w.says)
	}
	c.ada.upload(to, "a.csv", "Email\na@uni.example\n", "role", "king").want(http.StatusUnprocessableEntity).says("#role-fault", "no role")
	c.ada.upload(to, "a.csv", "Email\na@uni.example\n", "who", "x").want(http.StatusBadRequest)
	c.ada.post(to, "file", "x").want(http.StatusBadRequest)
	c.enroll("student", "sam@uni.example")
	c.signedIn("sam@uni.example", "Sam", "Okoro").upload(to, "a.csv", "a@uni.example", "role", "student").want(http.StatusForbidden)
}

func TestColumnsOfASpreadsheetArePasted(t *testing.T) {
	c := algorithms(t)
	c.ada.post(c.path+"/people/check", "role", "student", "emails", "Cognome\tNome\tE-mail\nNoether\tEmmy\temmy@uni.example\nLamarr\tHedy\thedy@uni.example\n").
		want(http.StatusOK).says("main", "2 people are ready to be added")
	c.ada.post(c.path+"/people/check", "role", "student", "emails", "Emmy\temmy@uni.example\nHedy\thedy@uni.example").want(http.StatusOK).says("main", "2 people are ready to be added")
}

func TestInABrowserAClassListIsUploaded(t *testing.T) {
	c := algorithms(t)
	p := c.browse("ada@uni.example", "Ada", "Lovelace")
	p.Open(c.url(c.path + "/people/add"))
	path := filepath.Join(t.TempDir(), "class.xlsx")
	if err := os.WriteFile(path, []byte(sheetOf(t, []any{"Email"}, []any{"emmy@uni.example"})), 0o600); err != nil {
		t.Fatal(err)
	}
	p.Upload("#file", path)
	p.ClickText("main button", "Check the file")
	p.WaitText(".notice", "1 address was read")
	p.Accessible()
	p.ClickText("#check button", "Add 1 person")
	p.WaitText(".results", "1 Added")
	c.quiet(t, p)
}
