package rosterfile

import (
	"slices"
	"strings"
	"unicode"

	"matricula/internal/lms"
)

// Field is what a column holds.
type Field string

// The fields.
const (
	Address       Field = "email"
	GivenName     Field = "given_name"
	FamilyName    Field = "family_name"
	FullName      Field = "name"
	Role          Field = "role"
	StudentNumber Field = "student_number"
	Section       Field = "section"
	Begins        Field = "begins"
	Ends          Field = "ends"
	Privileges    Field = "privileges"
	Leaves        Field = "leaves"
	SourcedID     Field = "sourced_id"
)

// FieldInfo describes a field to people.
type FieldInfo struct {
	Field Field
	Label lms.Term
}

// Fields lists the fields in the order in which pages show them.
func Fields() []FieldInfo { return fields }

var fields = []FieldInfo{
	{Address, "E-mail address"},
	{GivenName, "Given name"},
	{FamilyName, "Family name"},
	{FullName, "Full name"},
	{Role, "Role"},
	{StudentNumber, "Student number"},
	{Section, "Section"},
	{Begins, "From"},
	{Ends, "Until"},
	{Privileges, "Privileges"},
	{Leaves, "Leaves the course"},
	{SourcedID, "Identifier in the student system"},
}

// headings are how columns are called in English and Italian, folded, by the
// letters and digits alone.
var headings = map[Field][]string{
	Address: {
		"email", "emailaddress", "mail", "address", "primaryemail", "loginemail", "useremail", "studentemail", "institutionalemail", "userprincipalname", "upn",
		"indirizzoemail", "indirizzodiposta", "indirizzo", "postaelettronica", "emailistituzionale", "mailistituzionale", "indirizzodipostaelettronica", "emailstudente",
	},
	GivenName:     {"givenname", "firstname", "forename", "first", "nome", "preferredgivenname", "nomeproprio"},
	FamilyName:    {"familyname", "lastname", "surname", "last", "cognome"},
	FullName:      {"name", "fullname", "displayname", "student", "studentname", "nominativo", "nomeecognome", "cognomeenome", "nomecompleto", "studente"},
	Role:          {"role", "courserole", "ruolo"},
	StudentNumber: {"studentnumber", "studentid", "idnumber", "studentno", "sisid", "sisuserid", "matricola", "numerodimatricola", "nmatricola", "numeromatricola"},
	Section:       {"section", "group", "class", "sezione", "gruppo", "classe", "turno"},
	Begins:        {"startdate", "begindate", "start", "from", "datainizio", "inizio", "datadiinizio", "dal"},
	Ends:          {"enddate", "end", "until", "to", "datafine", "fine", "datadifine", "al"},
	Privileges:    {"privileges", "privilege", "permissions", "privilegi", "privilegio", "permessi"},
	Leaves:        {"leaves", "leavesthecourse", "tobedeleted", "remove", "lasciailcorso", "esce", "darimuovere"},
	SourcedID:     {"sourcedid", "usersourcedid", "identifierinthestudentsystem", "identificativonelsistemadisegreteria"},
}

// Columns tells which column holds which field, from 0.
type Columns map[Field]int

// foldHeading keeps the letters and digits of a heading.
func foldHeading(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, lms.FoldSearch(s))
}

// FindColumns reads a first row as headings. It answers ok when one of them is
// that of the addresses; a heading that stands twice is refused, since a wrong
// column is a wrong person.
func FindColumns(first Row) (c Columns, ok bool, err error) {
	c = Columns{}
	for i, cell := range first.Cells {
		folded := foldHeading(cell)
		for _, info := range fields {
			if folded != foldHeading(string(info.Field)) && !slices.Contains(headings[info.Field], folded) {
				continue
			}
			if at, twice := c[info.Field]; twice {
				return nil, false, lms.Invalid("column-twice", "file", "Columns %d and %d are both called %q. Remove or rename one of them.", at+1, i+1, lms.Clip(cell, 60))
			}
			c[info.Field] = i
		}
	}
	_, ok = c[Address]
	return c, ok, nil
}

// GuessColumns finds the addresses of a list without headings: the column in
// which most rows have one. Ok is false when there is none.
func GuessColumns(rows []Row) (Columns, bool) {
	counts := map[int]int{}
	for _, r := range rows {
		for i, cell := range r.Cells {
			if strings.Contains(cell, "@") {
				counts[i]++
			}
		}
	}
	best, most := -1, 0
	for i, n := range counts {
		if n > most || (n == most && i < best) {
			best, most = i, n
		}
	}
	if best < 0 {
		return nil, false
	}
	return Columns{Address: best}, true
}

// Yes tells whether a cell says so, in English or Italian; ok is false when it says
// neither yes nor no. An empty one says no.
func Yes(cell string) (yes, ok bool) {
	switch foldHeading(cell) {
	case "", "no", "n", "false", "0", "active", "falso":
		return false, true
	case "yes", "y", "true", "1", "x", "tobedeleted", "si", "vero":
		return true, true
	}
	return false, false
}
