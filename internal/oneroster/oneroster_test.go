package oneroster

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"matricula/internal/lms"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

// The same bundle is read from an archive, from one with a folder in it, from the
// file of an archive and from a folder.
func TestABundleIsReadFromAnArchiveAndAFolder(t *testing.T) {
	zipped := filepath.Join(t.TempDir(), "bundle.zip")
	content, err := io.ReadAll(school().archive(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(zipped, content, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func() (*Bundle, error){
		"an archive":                func() (*Bundle, error) { return school().open(t) },
		"an archive with a folder":  func() (*Bundle, error) { r := school().archive(t, "export/"); return OpenArchive(r, r.Size()) },
		"one that Windows packed":   func() (*Bundle, error) { r := school().archive(t, `export\`); return OpenArchive(r, r.Size()) },
		"an archive that is a file": func() (*Bundle, error) { return Open(zipped) },
		"a folder":                  func() (*Bundle, error) { return Open(school().folder(t)) },
	} {
		b, err := open()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if m := b.Manifest; m.Version != "1.2" || m.SystemName != "Segreteria" || m.SystemCode != "SEG-1" || len(m.Modes) != 7 {
			t.Errorf("%s: %+v", name, m)
		}
		if b.Mode(Users) != Bulk || b.Mode("results") != Absent {
			t.Errorf("%s: users are %s", name, b.Mode(Users))
		}
		if report, err := b.Check(); err != nil || report.Count != 0 {
			t.Errorf("%s: %+v (%v)", name, report, err)
		}
		if users := whole(t, b.Users()); len(users) != 4 {
			t.Errorf("%s: %d users", name, len(users))
		}
		if err := b.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRecordsSayWhatTheirTablesSay(t *testing.T) {
	b := school().opened(t)
	orgs := whole(t, b.Orgs())
	if o := orgs[1]; o.SourcedID != "math" || o.Name != "Dipartimento di Matematica" || o.Type != "school" || o.Identifier != "MAT" || o.ParentSourcedID != "uni" || o.Status != Active || o.File != "orgs.csv" || o.Line != 3 {
		t.Errorf("%+v", o)
	}
	sessions := whole(t, b.AcademicSessions())
	if s := sessions[1]; s.Title != "Primo semestre" || s.Type != "semester" || !s.Start.Equal(day("2026-10-01")) || !s.End.Equal(day("2027-02-01")) || s.ParentSourcedID != "y27" || s.SchoolYear != "2027" {
		t.Errorf("%+v", s)
	}
	courses := whole(t, b.Courses())
	if c := courses[0]; c.Title != "Algebra 1" || c.CourseCode != "MAT-01" || c.OrgSourcedID != "math" || c.SchoolYearSourcedID != "y27" {
		t.Errorf("%+v", c)
	}
	classes := whole(t, b.Classes())
	if c := classes[0]; c.Title != "Algebra 1, corso A" || c.ClassCode != "ALG-A" || c.ClassType != "scheduled" || c.CourseSourcedID != "alg" || c.SchoolSourcedID != "math" || !slices.Equal(c.TermSourcedIDs, []string{"t1", "t2"}) {
		t.Errorf("%+v", c)
	}
	users := whole(t, b.Users())
	if u := users[1]; !u.EnabledUser || u.GivenName != "Ștefan" || u.FamilyName != "Brânză" || u.MiddleName != "Ion" || u.PreferredGivenName != "Fane" || u.Email != "stefan@uni.example" ||
		u.Username != "stefan" || u.Identifier != "0012356" || u.UserMasterIdentifier != "m-2" || u.PrimaryOrgSourcedID != "math" || u.Line != 3 {
		t.Errorf("%+v", u)
	}
	if users[0].FamilyName != "Noether, Amalie" || users[2].GivenName != "太郎" || users[3].GivenName != `Jean "le Rond"` || users[3].EnabledUser {
		t.Errorf("%+v", users)
	}
	if strings.Contains(fmt.Sprintf("%+v", users), "secret") {
		t.Error("a password was read")
	}
	roles := whole(t, b.UserRoles())
	if r := roles[2]; r.UserSourcedID != "u2" || r.OrgSourcedID != "math" || r.Role != "ext:tutor" || r.Primary || !r.End.Equal(day("2027-10-01")) || !roles[0].Primary {
		t.Errorf("%+v", roles)
	}
	enrollments := whole(t, b.Enrollments())
	if e := enrollments[1]; e.ClassSourcedID != "alg-a" || e.UserSourcedID != "u2" || e.SchoolSourcedID != "math" || e.Role != "student" || e.Primary || !e.Begin.Equal(day("2026-10-01")) || !e.End.Equal(day("2027-02-01")) {
		t.Errorf("%+v", e)
	}
	if e := enrollments[0]; !e.Primary || e.Role != "teacher" || !e.Begin.IsZero() {
		t.Errorf("%+v", e)
	}
}

// Columns are known by their names alone; a byte order mark and unknown columns
// are no matter.
func TestColumnsStandInAnyOrderAndCase(t *testing.T) {
	b := school().but("enrollments.csv", text("\ufeffROLE,metadata.x,UserSourcedId,classsourcedid,SchoolSourcedID,SOURCEDID\nStudent,\"a\nb\", u2 ,alg-a,math,e1\nteacher,,u1,alg-b,math,e2\n")).opened(t)
	list := whole(t, b.Enrollments())
	if len(list) != 2 || list[0].Role != "student" || list[0].UserSourcedID != "u2" || list[1].SourcedID != "e2" || list[1].Line != 4 {
		t.Errorf("%+v", list)
	}
}

func TestAnOlderBundleHasTheRoleAtTheUser(t *testing.T) {
	b := tables{
		"manifest.csv": manifestOf("1.1", map[string]string{"users": "bulk"}),
		"users.csv": tableOf(
			[]string{"sourcedId", "status", "dateLastModified", "enabledUser", "orgSourcedIds", "role", "username", "userIds", "givenName", "familyName", "middleName", "identifier", "email"},
			[]string{"u1", "active", "", "TRUE", "math, phys", "Teacher", "emmy", "", "Emmy", "Noether", "", "", "emmy@uni.example"},
		),
	}.opened(t)
	users := whole(t, b.Users())
	if u := users[0]; b.Manifest.Version != "1.1" || u.Role != "teacher" || !u.EnabledUser || !slices.Equal(u.OrgSourcedIDs, []string{"math", "phys"}) {
		t.Errorf("%+v", users)
	}
	for range b.Orgs() {
		t.Error("an absent table has a record")
	}
	if _, err := school().edited("manifest.csv", "1.2", "1.2.1").open(t); err != nil {
		t.Errorf("a correction of 1.2: %v", err)
	}
}

// delta is what changed in the school since yesterday.
func delta() tables {
	return tables{
		"manifest.csv": manifestOf("1.2", map[string]string{"users": "delta", "enrollments": "Delta"}),
		"users.csv": tableOf(
			[]string{"sourcedId", "status", "dateLastModified", "enabledUser", "username", "givenName", "familyName", "email"},
			[]string{"u2", "active", "2026-11-20T08:30:00.000Z", "true", "stefan", "Ștefan", "Brânză", "stefan.branza@uni.example"},
			[]string{"u9", "tobedeleted", "2026-11-20T10:30:00+02:00", "", "", "", "", ""},
		),
		"enrollments.csv": tableOf(
			[]string{"sourcedId", "status", "dateLastModified", "classSourcedId", "schoolSourcedId", "userSourcedId", "role"},
			[]string{"e9", "ToBeDeleted", "2026-11-20", "", "", "", ""},
			[]string{"e10", "active", "2026-11-20T08:30:00", "alg-z", "math", "u1", "student"},
		),
	}
}

func TestADeltaSaysWhatChangedAndWhatIsToGo(t *testing.T) {
	b := delta().opened(t)
	if b.Mode(Users) != Delta || b.Mode(Enrollments) != Delta || b.Mode(Orgs) != Absent {
		t.Errorf("%+v", b.Manifest)
	}
	users := whole(t, b.Users())
	if users[0].Status != Active || users[1].Status != ToBeDeleted || users[1].SourcedID != "u9" || !users[1].LastModified.Equal(users[0].LastModified) || users[0].LastModified.Location() != time.UTC {
		t.Errorf("%+v", users)
	}
	enrollments := whole(t, b.Enrollments())
	if enrollments[0].Status != ToBeDeleted || enrollments[0].SourcedID != "e9" || enrollments[1].ClassSourcedID != "alg-z" {
		t.Errorf("%+v", enrollments)
	}
	// What a delta does not name may be known from before.
	if report, err := b.Check(); err != nil || report.Count != 0 {
		t.Errorf("%+v (%v)", report, err)
	}
	for name, c := range map[string]struct {
		bundle tables
		says   []string
	}{
		"a delta without statuses": {delta().edited("users.csv", "status", "state"), []string{"users.csv", `no column "status"`}},
		"a delta without moments":  {delta().edited("users.csv", "dateLastModified", "changed"), []string{"users.csv", `no column "dateLastModified"`}},
	} {
		_, faults := collected(c.bundle.opened(t).Users())
		if len(faults) != 1 {
			t.Errorf("%s: %v", name, faults)
			continue
		}
		refused(t, name, faults[0], "oneroster-column", c.says...)
	}
	for name, c := range map[string]struct {
		bundle tables
		says   []string
	}{
		"an empty status": {delta().edited("users.csv", "u2,active", "u2,"), []string{"users.csv, line 2", `"status" is empty`}},
		"an empty moment": {delta().edited("users.csv", "2026-11-20T08:30:00.000Z", ""), []string{"users.csv, line 2", `"dateLastModified" is empty`}},
	} {
		list, faults := collected(c.bundle.opened(t).Users())
		if len(faults) != 1 || len(list) != 1 {
			t.Errorf("%s: %v", name, faults)
			continue
		}
		refused(t, name, faults[0], "oneroster-value", c.says...)
	}
}

// What is wrong with one record does not take the next ones with it.
func TestEachRecordIsRefusedForItself(t *testing.T) {
	for name, c := range map[string]struct {
		file, old, changed string
		typ, at            string
		says               string
	}{
		"no identifier":        {"users.csv", "u2,,", ",,", "oneroster-value", "users.csv:3:sourcedId", `"sourcedId" is empty`},
		"no name":              {"users.csv", "Brânză", "", "oneroster-value", "users.csv:3:familyName", `"familyName" is empty`},
		"neither on nor off":   {"users.csv", "u2,,,true", "u2,,,yes", "oneroster-value", "users.csv:3:enabledUser", `"yes": it may be true or false`},
		"an unknown status":    {"users.csv", "u2,", "u2,inactive", "oneroster-value", "users.csv:3:status", "active or tobedeleted"},
		"an unknown role":      {"enrollments.csv", "u2,student", "u2,Studente", "oneroster-value", "enrollments.csv:3:role", `"Studente", which OneRoster does not have`},
		"an impossible day":    {"enrollments.csv", "2026-10-01", "2026-02-31", "oneroster-value", "enrollments.csv:3:beginDate", `"2026-02-31", and no day`},
		"a day of Europe":      {"enrollments.csv", "2026-10-01", "01/10/2026", "oneroster-value", "enrollments.csv:3:beginDate", "no day such as 2026-10-31"},
		"an end before":        {"enrollments.csv", "2026-10-01", "2027-10-01", "oneroster-value", "enrollments.csv:3:endDate", "before it begins on 2027-10-01"},
		"an odd moment":        {"enrollments.csv", "e2,,", "e2,,yesterday", "oneroster-value", "enrollments.csv:3:dateLastModified", "no moment such as"},
		"a cell too few":       {"enrollments.csv", "e2,,,", "e2,,", "oneroster-row", "enrollments.csv:3", "9 cells for 10 columns"},
		"a cell too many":      {"enrollments.csv", "e2,,,", "e2,,,,", "oneroster-row", "enrollments.csv:3", "11 cells for 10 columns"},
		"a long cell":          {"users.csv", "Brânză", strings.Repeat("x", 4001), "oneroster-row", "users.csv:3:familyName", "more than 4000 characters"},
		"a lost character":     {"users.csv", "Brânză", "Br\ufffdnz\ufffd", "oneroster-row", "users.csv:3:familyName", "a character that was lost"},
		"a zero":               {"users.csv", "Brânză", "Br\x00", "oneroster-row", "users.csv:3:familyName", "a character that was lost"},
		"neither first nor so": {"roles.csv", "u2,primary", "u2,main", "oneroster-value", "roles.csv:3:roleType", "primary or secondary"},
	} {
		b := school().edited(c.file, c.old, c.changed).opened(t)
		report, err := b.Check()
		if err != nil || report.Count < 1 {
			t.Errorf("%s: %+v (%v)", name, report, err)
			continue
		}
		f := report.Faults[0]
		refused(t, name, f.Err, c.typ, c.says, fmt.Sprintf("%s, line 3", c.file))
		if f.Err.Fields[0].Location != c.at || f.File != c.file || f.Line != 3 {
			t.Errorf("%s: in %s at %q, line %d", name, f.File, f.Err.Fields[0].Location, f.Line)
		}
		if users, _ := collected(b.Users()); len(users) < 3 {
			t.Errorf("%s: only %d users are left", name, len(users))
		}
	}
}

// A table that cannot be trusted is refused as a whole, with the cure.
func TestATableIsRefusedAsAWhole(t *testing.T) {
	head := "sourcedId,classSourcedId,schoolSourcedId,userSourcedId,role\n"
	for name, c := range map[string]struct {
		content, typ string
		says         []string
	}{
		"nothing":              {"", "oneroster-column", []string{"enrollments.csv is empty"}},
		"a column missing":     {strings.Replace(head, "role", "ruolo", 1) + "e1,alg-a,math,u1,teacher\n", "oneroster-column", []string{`enrollments.csv has no column "role"`, "export again"}},
		"a column twice":       {strings.Replace(head, "schoolSourcedId", "ROLE", 1), "oneroster-column", []string{`the column "role" twice`, "column 3 and column 5"}},
		"semicolons":           {strings.ReplaceAll(head, ",", ";"), "oneroster-column", []string{"not separated by commas"}},
		"a quotation mark":     {head + "e1,alg \"a\",math,u1,teacher\n", "oneroster-row", []string{"enrollments.csv, line 2, character 8", "quotation mark"}},
		"one that stays open":  {head + "e1,\"alg-a,math,u1,teacher\n" + strings.Repeat("e2,alg-a,math,u2,student\n", 100_000), "oneroster-row", []string{"after line 1 never ends"}},
		"one at the very end":  {head + "e1,alg-a,math,u1,\"teacher", "oneroster-row", []string{"enrollments.csv, line 2"}},
		"letters of Windows":   {head + "e1,alg-\xe0,math,u1,teacher\n", "oneroster-row", []string{"enrollments.csv, line 2", "not UTF-8"}},
		"letters of UTF-16":    {"\xff\xfes\x00o\x00\n\x00", "oneroster-row", []string{"line 1", "not UTF-8"}},
		"an endless first row": {strings.Repeat("a,", 1<<20), "oneroster-row", []string{"never ends"}},
	} {
		_, faults := collected(school().but("enrollments.csv", text(c.content)).opened(t).Enrollments())
		if len(faults) != 1 {
			t.Errorf("%s: %v", name, faults)
			continue
		}
		refused(t, name, faults[0], c.typ, c.says...)
	}
}

func TestTheManifestAndTheFilesMustAgree(t *testing.T) {
	for name, c := range map[string]struct {
		bundle tables
		says   []string
	}{
		"no manifest":             {school().but("manifest.csv", nil), []string{"no manifest.csv", "1.1 or 1.2"}},
		"another version":         {school().edited("manifest.csv", "oneroster.version,1.2", "oneroster.version,2.0"), []string{`OneRoster "2.0"`}},
		"no version":              {school().edited("manifest.csv", "oneroster.version", "x"), []string{`OneRoster ""`}},
		"a property twice":        {school().edited("manifest.csv", "manifest.version", "oneroster.VERSION"), []string{"manifest.csv, line 3", "twice"}},
		"an odd mode":             {school().edited("manifest.csv", "file.users,bulk", "file.users,full"), []string{`"full" of users.csv`, "absent, bulk or delta"}},
		"a promise":               {school().but("users.csv", nil), []string{"promises users.csv"}},
		"a file that is not said": {school().edited("manifest.csv", "file.users,bulk", "file.users,absent"), []string{"users.csv", "absent"}},
		"nothing that is read":    {tables{"manifest.csv": manifestOf("1.2", map[string]string{"results": "bulk"}), "results.csv": text("")}, []string{"none of the files"}},
	} {
		_, err := c.bundle.open(t)
		refused(t, name, err, "oneroster-manifest", c.says...)
	}
	_, err := school().but("manifest.csv", text("property,wert\n")).open(t)
	refused(t, "a manifest without its columns", err, "oneroster-column", "manifest.csv", `"propertyName"`)
}

func TestAnArchiveThatIsNoneOrADangerIsRefused(t *testing.T) {
	many := school()
	for i := range MaxFiles {
		many[fmt.Sprintf("notes%d.txt", i)] = text("x")
	}
	for name, c := range map[string]struct {
		bundle tables
		typ    string
		says   string
	}{
		"a name that leads out":   {school().but("../users.csv", text("x")), "oneroster-archive", "leads out"},
		"an absolute name":        {school().but("/etc/users.csv", text("x")), "oneroster-archive", "leads out"},
		"one of Windows":          {school().but(`..\..\users.csv`, text("x")), "oneroster-archive", "leads out"},
		"a drive":                 {school().but(`C:\users.csv`, text("x")), "oneroster-archive", "leads out"},
		"the same table twice":    {school().but("Users.csv", text("x")), "oneroster-archive", "two files"},
		"more files than any has": {many, "oneroster-limit", "1000 files"},
	} {
		_, err := c.bundle.open(t)
		refused(t, name, err, c.typ, c.says)
	}
	_, err := OpenArchive(strings.NewReader("no archive"), 10)
	refused(t, "a text", err, "oneroster-archive", "no ZIP archive")

	content, err := io.ReadAll(school().archive(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	_, err = OpenArchive(bytes.NewReader(content[:len(content)/2]), int64(len(content)/2))
	refused(t, "half an archive", err, "oneroster-archive", "no ZIP archive")

	// The directory at the end says of each file whether it is encrypted and how
	// large it is unpacked, 8 and 24 bytes after its signature.
	change := func(at int, put func(b []byte)) *bytes.Reader {
		b := slices.Clone(content)
		put(b[bytes.LastIndex(b, []byte("PK\x01\x02"))+at:])
		return bytes.NewReader(b)
	}
	locked := change(8, func(b []byte) { b[0] |= 1 })
	_, err = OpenArchive(locked, locked.Size())
	refused(t, "a locked archive", err, "oneroster-archive", "password")
	huge := change(24, func(b []byte) { binary.LittleEndian.PutUint32(b, MaxUnpacked+1) })
	_, err = OpenArchive(huge, huge.Size())
	refused(t, "a huge archive", err, "oneroster-limit", "2048 MB")

	// Other archives, and what operating systems add, are left alone.
	nested := school().but("backup.zip", text("PK")).but("__MACOSX/._users.csv", text("\x00")).but("old/users.csv", text("x")).but(".DS_Store", text("x"))
	if report, err := nested.opened(t).Check(); err != nil || report.Count != 0 {
		t.Errorf("an archive with more in it: %+v (%v)", report, err)
	}
}

// A file that is not what the directory says of it is a fault, not a shorter table.
func TestADamagedTableIsNotAShorterOne(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, write := range school() {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		write(w)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Replace(b.Bytes(), []byte("alg-b,math,u3"), []byte("alg-b,math,u2"), 1)
	bundle, err := OpenArchive(bytes.NewReader(damaged), int64(len(damaged)))
	if err != nil {
		t.Fatal(err)
	}
	_, faults := collected(bundle.Enrollments())
	if len(faults) != 1 {
		t.Fatalf("%v", faults)
	}
	refused(t, "a damaged table", faults[0], "oneroster-archive", "enrollments.csv", "damaged")
}

func TestAFolderDoesNotLeadOut(t *testing.T) {
	folder := school().but("users.csv", nil).folder(t)
	outside := filepath.Join(t.TempDir(), "users.csv")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(folder, "users.csv")); err != nil {
		t.Fatal(err)
	}
	_, err := Open(folder)
	refused(t, "a link that leads out", err, "oneroster-archive", "users.csv")
	if _, err := Open(filepath.Join(folder, "nothing")); !os.IsNotExist(err) || lms.CodeOf(err) != lms.CodeInternal {
		t.Errorf("nothing: %v", err)
	}
}
