package api

import (
	"time"

	"matricula/internal/lms"
)

// User is a person, or a service account, which has no address.
type User struct {
	ID          int64      `json:"id" doc:"Never used again for anybody else."`
	Email       *string    `json:"email" doc:"The primary address, in its canonical form; null for a service account and for whoever was erased."`
	DisplayName string     `json:"display_name" doc:"What pages call the person: the name, else the address; a pseudonym for whoever was erased."`
	GivenName   string     `json:"given_name"`
	FamilyName  string     `json:"family_name"`
	Status      string     `json:"status" enum:"pending,active,suspended,erased" doc:"pending: has been named by somebody and has never signed in. erased: only the record is left."`
	SiteRole    string     `json:"site_role" enum:"member,teacher,admin" doc:"Teachers may create courses; administrators hold everything everywhere."`
	CreatedAt   time.Time  `json:"created_at"`
	ClaimedAt   *time.Time `json:"claimed_at" doc:"The first sign-in; null while pending."`
	LastSeenAt  *time.Time `json:"last_seen_at"`
}

func userWire(u *lms.User) User {
	return User{
		ID: u.ID, Email: textOrNull(string(u.Email)), DisplayName: u.DisplayName(), GivenName: u.GivenName, FamilyName: u.FamilyName,
		Status: string(u.Status), SiteRole: string(u.SiteRole),
		CreatedAt: u.CreatedAt.UTC(), ClaimedAt: timeOrNull(u.ClaimedAt), LastSeenAt: timeOrNull(u.LastSeenAt),
	}
}

// Enrollment is a person's role in a course.
type Enrollment struct {
	Role      string    `json:"role" doc:"The role's key, such as student." example:"student"`
	RoleName  string    `json:"role_name" doc:"The role's name, for people." example:"Student"`
	Source    string    `json:"source" enum:"manual,paste,import" doc:"How they came in: one by one, in a list, or in a class list that was looked over."`
	CreatedAt time.Time `json:"created_at"`

	SectionID     *int64   `json:"section_id" doc:"null: in no section."`
	SectionName   *string  `json:"section_name"`
	StudentNumber *string  `json:"student_number" doc:"As this course's lists have it."`
	BeginsOn      *lms.Day `json:"begins_on" doc:"The first day on which the place gives anything; null: from the beginning." example:"2026-10-01"`
	EndsOn        *lms.Day `json:"ends_on" doc:"The last day; null: with the course." example:"2027-01-31"`
	LimitedTo     []int64  `json:"limited_to" doc:"The sections in which somebody of the staff works; empty: in all of the course."`
}

func (a *API) enrollmentWire(e *lms.Enrollment) *Enrollment {
	if e == nil {
		return nil
	}
	w := &Enrollment{
		Role: e.Role.Key, RoleName: e.Role.Name, Source: string(e.Source), CreatedAt: e.CreatedAt.UTC(),
		SectionID: idOrNull(e.SectionID), SectionName: textOrNull(e.Section), StudentNumber: textOrNull(e.Number), LimitedTo: noIDs,
	}
	if ids := e.LimitedTo.List(); len(ids) > 0 {
		w.LimitedTo = ids
	}
	begins, ends := a.svc.Days(e)
	if begins != "" {
		w.BeginsOn = &begins
	}
	if ends != "" {
		w.EndsOn = &ends
	}
	return w
}

// CoursePlace is a person's place in a course.
type CoursePlace struct {
	CoursePrivileges []lms.Privilege `json:"course_privileges" doc:"What the person may do in the course: (role + allow) - deny. Site roles are not counted."`
	Enrollment       *Enrollment     `json:"enrollment" doc:"The role in the course; null for whoever has none."`
	Allow            []lms.Privilege `json:"allow" doc:"What was allowed beside the role."`
	Deny             []lms.Privilege `json:"deny" doc:"What was denied; it wins over everything else."`
}

// Member is a person and their place in a course.
type Member struct {
	User
	CoursePlace
}

func (a *API) placeWire(m *lms.Member) CoursePlace {
	p := CoursePlace{
		CoursePrivileges: privilegeList(m.Effective()), Enrollment: a.enrollmentWire(m.Enrollment),
		Allow: noPrivileges, Deny: noPrivileges,
	}
	if m.Grant != nil {
		p.Allow, p.Deny = privilegeList(m.Grant.Allow), privilegeList(m.Grant.Deny)
	}
	return p
}

// noIDs is an empty list, and not null. Nobody writes to it.
var noIDs = []int64{}

// noPrivileges is an empty list, and not null. Nobody writes to it.
var noPrivileges = []lms.Privilege{}

// privilegeList spares the many who have no privileges a list of their own.
func privilegeList(s lms.PrivilegeSet) []lms.Privilege {
	if s == 0 {
		return noPrivileges
	}
	return s.List()
}

func (a *API) memberWire(m *lms.Member) Member {
	return Member{userWire(&m.User), a.placeWire(m)}
}

// Person is somebody who did something, or to whom it was done.
type Person struct {
	ID          int64  `json:"id"`
	DisplayName string `json:"display_name"`
}

func personWire(u *lms.User) *Person {
	if u == nil {
		return nil
	}
	return &Person{u.ID, u.DisplayName()}
}

func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func idOrNull(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}

// idOrNone is an id that may be absent; 0 is none.
func idOrNone(id *int64) int64 {
	if id == nil {
		return 0
	}
	return *id
}

// The inputs that name what a path is about.
type (
	// InCourse is a request about a course.
	InCourse struct {
		CourseID int64 `path:"course_id" minimum:"1"`
	}
	// AboutUser is a request about a user.
	AboutUser struct {
		UserID int64 `path:"user_id" minimum:"1"`
	}
	// Repeatable is a creating request.
	Repeatable struct {
		IdempotencyKey string `header:"Idempotency-Key" doc:"A text of your own, at most 200 characters. The same key within a day answers what the first request answered, and creates nothing again."`
	}
)

// nothing is the input of an operation that takes none.
type nothing struct{}

// empty is the answer 204.
type empty struct{}

// answer is an answer with a body.
type answer[T any] struct{ Body T }

// created is the answer of a creating operation.
type created[T any] struct {
	Location string `header:"Location" doc:"The path of what was created."`
	Body     T
}
