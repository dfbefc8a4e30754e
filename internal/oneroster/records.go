package oneroster

import (
	"iter"
	"strings"
	"time"

	"matricula/internal/lms"
)

// Status says whether a thing still is.
type Status string

// The statuses. An empty one in a table that is bulk means active.
const (
	Active      Status = "active"
	ToBeDeleted Status = "tobedeleted"
)

// Record is what all records have.
type Record struct {
	File         string // such as "users.csv"
	Line         int    // on which it begins, from 1
	SourcedID    string // the student system's identifier, compared byte by byte
	Status       Status
	LastModified time.Time // zero when the table does not say
}

// place is where a column of the record stands.
func (r Record) place(column string) string { return place(r.File, r.Line, column) }

// Org is a school, or what it belongs to.
type Org struct {
	Record
	Name, Type, Identifier, ParentSourcedID string
}

// AcademicSession is a school year, or a term of one. End is the first day after
// it, as the standard has it.
type AcademicSession struct {
	Record
	Title, Type, ParentSourcedID, SchoolYear string
	Start, End                               time.Time
}

// Course is what is taught every year.
type Course struct {
	Record
	Title, CourseCode, OrgSourcedID, SchoolYearSourcedID string
}

// Class is a course as it is taught to some people in some terms.
type Class struct {
	Record
	Title, ClassCode, ClassType, CourseSourcedID, SchoolSourcedID string
	TermSourcedIDs                                                []string
}

// User is a person. Passwords, which 1.1 and 1.2 have a column for, are not read.
type User struct {
	Record
	EnabledUser                             bool
	Username, Email                         string
	Identifier, UserMasterIdentifier        string // identifiers that people know, such as a student number
	GivenName, MiddleName, FamilyName       string
	PreferredGivenName, PreferredFamilyName string
	OrgSourcedIDs                           []string // in 1.1
	Role                                    string   // in 1.1; in 1.2, roles.csv has them
	PrimaryOrgSourcedID                     string   // in 1.2
}

// UserRole is what a person is at a school (1.2). An End that is not zero is the
// first day after it.
type UserRole struct {
	Record
	UserSourcedID, OrgSourcedID, Role string
	Primary                           bool
	Begin, End                        time.Time
}

// Enrollment is that a person is in a class. An End that is not zero is the first
// day after it.
type Enrollment struct {
	Record
	ClassSourcedID, SchoolSourcedID, UserSourcedID, Role string
	Primary                                              bool // of several teachers
	Begin, End                                           time.Time
}

// roles are the roles of the standard, in 1.1 and 1.2, of people and of enrollments.
var roles = []string{
	"administrator", "aide", "counselor", "districtAdministrator", "guardian", "parent", "principal", "proctor", "relative",
	"siteAdministrator", "student", "systemAdministrator", "teacher",
}

// role reads a role, as the standard writes it; empty is none. A system's own
// begins with "ext:", and is handed on as it is.
func (r *row) role() (string, error) {
	s := r.get("role")
	if s == "" {
		return "", nil
	}
	for _, known := range roles {
		if strings.EqualFold(s, known) {
			return known, nil
		}
	}
	if strings.HasPrefix(s, "ext:") {
		return s, nil
	}
	return "", lms.Invalid("oneroster-value", r.at("role"), "%s, line %d: the role is %q, which OneRoster does not have. It has, for instance, student, teacher and aide; a role of the system's own begins with ext:.", r.file, r.line, lms.Clip(s, 40))
}

// schema is how a table is read.
type schema[T any] struct {
	file     File
	required []string // columns, as the standard writes them; those of a delta are added
	filled   []string // which of them may not be empty, but in a record that is to be deleted
	record   func(*T) *Record
	read     func(*row, *T) error
}

// all streams a table. A fault comes in the place of the record; after one that
// concerns the whole table, nothing follows.
func all[T any](b *Bundle, s schema[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		mode := b.Mode(s.file)
		if mode == Absent {
			return
		}
		for r, err := range b.rows(s.file.csv(), mode, s.required) {
			var one T
			if err == nil {
				err = s.fill(r, mode, &one)
			}
			if err != nil {
				one = *new(T)
			}
			if !yield(one, err) {
				return
			}
		}
	}
}

func (s schema[T]) fill(r *row, mode Mode, one *T) (err error) {
	head := s.record(one)
	head.File, head.Line = r.file, r.line
	if head.SourcedID, err = r.want("sourcedId"); err != nil {
		return err
	}
	said := r.get("status")
	switch head.Status = Status(strings.ToLower(said)); {
	case head.Status == Active, head.Status == ToBeDeleted:
	case said == "" && mode == Bulk:
		head.Status = Active
	case said == "":
		_, err := r.want("status")
		return err
	default:
		return lms.Invalid("oneroster-value", r.at("status"), "%s, line %d: the status is %q: it may be active or tobedeleted.", r.file, r.line, lms.Clip(said, 40))
	}
	if head.LastModified, err = r.moment("dateLastModified"); err != nil {
		return err
	}
	if mode == Delta && head.LastModified.IsZero() {
		_, err := r.want("dateLastModified")
		return err
	}
	if head.Status != ToBeDeleted {
		for _, c := range s.filled {
			if _, err := r.want(c); err != nil {
				return err
			}
		}
	}
	return s.read(r, one)
}
