package lms

import "time"

// Course is a class that is taught once: people are enrolled in it.
type Course struct {
	ID          int64
	Title       string
	Code        string // the school's own code, such as "CS-201"; may be empty
	Description string
	TermID      int64 // the term or the academic year in which it is taught; 0: none was chosen
	CreatedBy   int64
	CreatedAt   time.Time
	ArchivedAt  time.Time // zero while the course is taught; an archived course can be read but not changed
}

// Archived tells whether the course can only be read.
func (c *Course) Archived() bool { return !c.ArchivedAt.IsZero() }

// CourseFields is what people write about a course.
type CourseFields struct {
	Title       string
	Code        string
	Description string
	TermID      int64 // 0: none
}

// Clean checks the fields and makes them fit to store.
func (f CourseFields) Clean() (CourseFields, error) {
	var err error
	if f.Title, err = CleanText(f.Title, "title", MaxTitleRunes); err != nil {
		return f, err
	}
	if f.Title == "" {
		return f, Invalid("title-missing", "title", "A course needs a title, such as \"Algorithms\".")
	}
	if f.Code, err = CleanText(f.Code, "code", MaxCodeRunes); err != nil {
		return f, err
	}
	if f.Description, err = CleanText(f.Description, "description", 2000); err != nil {
		return f, err
	}
	return f, nil
}

// Enrollment is a person's place in a course. There is at most one for each
// person and course.
type Enrollment struct {
	UserID    int64
	CourseID  int64
	Role      Role
	Source    EnrollmentSource
	AddedBy   int64
	CreatedAt time.Time
	Details
	Section  string // the name of the section, as it was read; writing takes the id
	ByHand   Fields // what a person has set, and an import does not change by itself
	ImportID int64  // the import that set it last, 0 for none
}

// Details are what a course notes about an enrollment beside the role.
type Details struct {
	SectionID int64     // 0: in none
	Number    string    // the student number, as the course's lists have it
	Begins    time.Time // zero: at once. Before it, the place gives nothing
	Ends      time.Time // zero: with the course. From then on, the place is past
	LimitedTo IDs       // sections; whoever is limited to some has nothing to do with other people
}

// Fields is a set of what an enrollment consists of.
type Fields int

// The fields. The numbers stand in the database.
const (
	FieldRole Fields = 1 << iota
	FieldSection
	FieldNumber
	FieldBegins
	FieldEnds
)

// Has tells whether a field is in the set.
func (f Fields) Has(one Fields) bool { return f&one != 0 }

// Current tells whether the enrollment gives its place now.
func (e *Enrollment) Current(now time.Time) bool {
	return !now.Before(e.Begins) && (e.Ends.IsZero() || now.Before(e.Ends))
}

// Limited tells whether the person is concerned with single sections alone.
func (e *Enrollment) Limited() bool { return e.LimitedTo != "" }

// LimitedPrivileges are what somebody can hold who is limited to sections: what
// concerns single people. Everything else concerns the whole course.
func LimitedPrivileges() PrivilegeSet { return SetOf(RosterView, RosterManage) }

// EnrollmentSource is the door through which somebody came into a course.
type EnrollmentSource string

// The sources.
const (
	SourceManual EnrollmentSource = "manual" // named one by one, or the course's creator
	SourcePaste  EnrollmentSource = "paste"  // a pasted or scripted list
	SourceImport EnrollmentSource = "import" // a class list that was looked over

	SourceDirectory EnrollmentSource = "directory" // a group of a directory
)

// Grant is what was set for one person in one course beside the role.
type Grant struct {
	UserID    int64
	CourseID  int64
	Allow     PrivilegeSet
	Deny      PrivilegeSet
	GrantedBy int64
	GrantedAt time.Time // zero when nothing was ever set
}

// Member is a person as a course knows them: role and grant, either of which
// may be absent. Effective is what follows from both.
type Member struct {
	User       User
	Enrollment *Enrollment
	Grant      *Grant
}

// Effective is what the person may do in the course, site roles aside.
func (m *Member) Effective() PrivilegeSet {
	var role, allow, deny PrivilegeSet
	if m.Enrollment != nil {
		if m.Enrollment.Role.Owner() {
			return AllPrivileges()
		}
		role = m.Enrollment.Role.Privileges
	}
	if m.Grant != nil {
		allow, deny = m.Grant.Allow, m.Grant.Deny
	}
	all := Effective(role, allow, deny)
	if m.Limited() {
		all &= LimitedPrivileges()
	}
	return all
}

// Limited tells whether the person is concerned with single sections alone.
func (m *Member) Limited() bool { return m.Enrollment != nil && m.Enrollment.Limited() }

// At is the member as they stand at a time: without a place before it begins and
// after it has ended, whatever was set beside it.
func (m Member) At(now time.Time) Member {
	if m.Enrollment != nil && !m.Enrollment.Current(now) {
		m.Enrollment, m.Grant = nil, nil
	}
	return m
}

// Staff tells whether the person has a say in the course: a role with
// privileges, or privileges of their own.
func (m *Member) Staff() bool {
	return m.Effective() != 0 || (m.Enrollment != nil && m.Enrollment.Role.Staff())
}

// RoleName is the role for people, "No role" when there is only a grant.
func (m *Member) RoleName() Text {
	if m.Enrollment == nil {
		return Say("No role")
	}
	return m.Enrollment.Role.Title()
}
