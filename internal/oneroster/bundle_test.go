package oneroster

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"matricula/internal/lms"
)

// tables are the files of a bundle, each as what writes it.
type tables map[string]func(io.Writer)

func text(s string) func(io.Writer) { return func(w io.Writer) { io.WriteString(w, s) } }

// table writes rows as the standard wants them.
func tableOf(rows ...[]string) func(io.Writer) {
	return func(w io.Writer) {
		c := csv.NewWriter(w)
		c.UseCRLF = true
		c.WriteAll(rows)
	}
}

func manifestOf(version string, modes map[string]string) func(io.Writer) {
	rows := [][]string{{"propertyName", "value"}, {"manifest.version", "1.0"}, {"oneroster.version", version}}
	for _, f := range []string{
		"academicSessions", "categories", "classes", "classResources", "courses", "courseResources", "demographics", "enrollments", "lineItems", "lineItemScoreScales",
		"orgs", "resources", "results", "roles", "scoreScales", "userProfiles", "userResources", "users",
	} {
		mode := modes[f]
		if mode == "" {
			mode = "absent"
		}
		rows = append(rows, []string{"file." + f, mode})
	}
	return tableOf(append(rows, []string{"source.systemName", "Segreteria"}, []string{"source.systemCode", "SEG-1"})...)
}

var allBulk = map[string]string{
	"orgs": "bulk", "academicSessions": "bulk", "courses": "bulk", "classes": "bulk", "users": "bulk", "roles": "bulk", "enrollments": "bulk",
}

// school is a faculty in version 1.2: two classes, a teacher, an assistant, and
// students, some with names that need care.
func school() tables {
	return tables{
		"manifest.csv": manifestOf("1.2", allBulk),
		"orgs.csv": tableOf(
			[]string{"sourcedId", "status", "dateLastModified", "name", "type", "identifier", "parentSourcedId"},
			[]string{"uni", "", "", "Università di Esempio", "district", "UNI", ""},
			[]string{"math", "", "", "Dipartimento di Matematica", "school", "MAT", "uni"},
		),
		"academicSessions.csv": tableOf(
			[]string{"sourcedId", "status", "dateLastModified", "title", "type", "startDate", "endDate", "parentSourcedId", "schoolYear"},
			[]string{"y27", "", "", "2026/2027", "schoolYear", "2026-10-01", "2027-10-01", "", "2027"},
			[]string{"t1", "", "", "Primo semestre", "semester", "2026-10-01", "2027-02-01", "y27", "2027"},
			[]string{"t2", "", "", "Secondo semestre", "semester", "2027-02-01", "2027-07-01", "y27", "2027"},
		),
		"courses.csv": tableOf(
			[]string{"sourcedId", "status", "dateLastModified", "schoolYearSourcedId", "title", "courseCode", "grades", "orgSourcedId", "subjects", "subjectCodes"},
			[]string{"alg", "", "", "y27", "Algebra 1", "MAT-01", "", "math", "", ""},
		),
		"classes.csv": tableOf(
			[]string{"sourcedId", "status", "dateLastModified", "title", "grades", "courseSourcedId", "classCode", "classType", "location", "schoolSourcedId", "termSourcedIds", "subjects", "subjectCodes", "periods"},
			[]string{"alg-a", "", "", "Algebra 1, corso A", "", "alg", "ALG-A", "scheduled", "Aula 3", "math", "t1,t2", "", "", ""},
			[]string{"alg-b", "", "", "Algebra 1, corso B", "", "alg", "ALG-B", "scheduled", "Aula 4", "math", "t1", "", "", ""},
		),
		"users.csv": tableOf(
			[]string{
				"sourcedId", "status", "dateLastModified", "enabledUser", "username", "userIds", "givenName", "familyName", "middleName", "identifier", "email", "sms", "phone",
				"agentSourcedIds", "grades", "password", "userMasterIdentifier", "resourceSourcedIds", "preferredGivenName", "preferredMiddleName", "preferredFamilyName", "primaryOrgSourcedId", "pronouns", "metadata.badge",
			},
			[]string{"u1", "", "", "true", "emmy", "", "Emmy", "Noether, Amalie", "", "0000001", "emmy@uni.example", "", "", "", "", "", "m-1", "", "", "", "", "math", "", "7"},
			[]string{"u2", "", "", "true", "stefan", "", "Ștefan", "Brânză", "Ion", "0012356", "stefan@uni.example", "", "", "", "", "secret", "m-2", "", "Fane", "", "", "math", "", ""},
			[]string{"u3", "", "", "true", "taro", "", "太郎", "山田", "", "0012361", "", "", "", "", "", "", "", "", "", "", "", "", "", ""},
			[]string{"u4", "", "", "false", "jean", "", "Jean \"le Rond\"", "D'Alembert", "", "0012345", "jean@uni.example", "", "", "", "", "", "", "", "", "", "", "math", "", ""},
		),
		"roles.csv": tableOf(
			[]string{"sourcedId", "status", "dateLastModified", "userSourcedId", "roleType", "role", "beginDate", "endDate", "orgSourcedId", "userProfileSourcedId"},
			[]string{"r1", "", "", "u1", "primary", "teacher", "2020-10-01", "", "math", ""},
			[]string{"r2", "", "", "u2", "primary", "student", "", "", "math", ""},
			[]string{"r3", "", "", "u2", "secondary", "ext:tutor", "", "2027-10-01", "math", ""},
		),
		"enrollments.csv": tableOf(
			[]string{"sourcedId", "status", "dateLastModified", "classSourcedId", "schoolSourcedId", "userSourcedId", "role", "primary", "beginDate", "endDate"},
			[]string{"e1", "", "", "alg-a", "math", "u1", "teacher", "true", "", ""},
			[]string{"e2", "", "", "alg-a", "math", "u2", "student", "false", "2026-10-01", "2027-02-01"},
			[]string{"e3", "", "", "alg-b", "math", "u3", "student", "", "", ""},
			[]string{"e4", "", "", "alg-b", "math", "u4", "aide", "", "", ""},
		),
		"results.csv": text("this file is not read\n\"at all"),
	}
}

// but is a bundle with one file changed; nothing takes it away.
func (t tables) but(name string, write func(io.Writer)) tables {
	if t[name] = write; write == nil {
		delete(t, name)
	}
	return t
}

// edited is a bundle in one file of which something is written otherwise.
func (t tables) edited(name, old, changed string) tables {
	var b bytes.Buffer
	t[name](&b)
	if !strings.Contains(b.String(), old) {
		panic(fmt.Sprintf("%s has no %q", name, old))
	}
	return t.but(name, text(strings.Replace(b.String(), old, changed, 1)))
}

func (t tables) archive(tb testing.TB, folder string) *bytes.Reader {
	tb.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, write := range t {
		w, err := z.Create(folder + name)
		if err != nil {
			tb.Fatal(err)
		}
		write(w)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return bytes.NewReader(b.Bytes())
}

func (t tables) folder(tb testing.TB) string {
	tb.Helper()
	folder := tb.TempDir()
	for name, write := range t {
		f, err := os.Create(filepath.Join(folder, name))
		if err != nil {
			tb.Fatal(err)
		}
		write(f)
		if err := f.Close(); err != nil {
			tb.Fatal(err)
		}
	}
	return folder
}

func (t tables) open(tb testing.TB) (*Bundle, error) {
	tb.Helper()
	r := t.archive(tb, "")
	return OpenArchive(r, r.Size())
}

func (t tables) opened(tb testing.TB) *Bundle {
	tb.Helper()
	b, err := t.open(tb)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// collected reads a table to its end, records and faults.
func collected[T any](records iter.Seq2[T, error]) (list []T, faults []error) {
	for r, err := range records {
		if err != nil {
			faults = append(faults, err)
		} else {
			list = append(list, r)
		}
	}
	return list, faults
}

// whole reads a table that has no fault.
func whole[T any](tb testing.TB, records iter.Seq2[T, error]) []T {
	tb.Helper()
	list, faults := collected(records)
	for _, err := range faults {
		tb.Error(err)
	}
	return list
}

// refused fails unless err is of a type and says all the words.
func refused(tb testing.TB, name string, err error, typ string, says ...string) {
	tb.Helper()
	if lms.TypeOf(err) != typ || lms.CodeOf(err) != lms.CodeInvalid {
		tb.Errorf("%s: %v, want %s", name, err, typ)
		return
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			tb.Errorf("%s: %q does not say %q", name, err, s)
		}
	}
}
