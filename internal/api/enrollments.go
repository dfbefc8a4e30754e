package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

type (
	listEnrollmentsIn struct {
		InCourse
		Role    string `query:"role" doc:"Only who has this role, by its key."`
		Status  string `query:"status" enum:"pending,active,suspended"`
		Group   string `query:"group" enum:"staff,students" doc:"staff: only who may do anything beyond being there; students: only the others."`
		May     string `query:"privilege" doc:"Only who may do this, by role or by themselves."`
		Sort    string `query:"sort" enum:"name,-name,role,-role,added,-added,arrival,-arrival" doc:"By family name, role (highest first), when they were added, or their first sign-in (those who have not arrived last); a minus sign reverses it."`
		Section int64  `query:"section_id" minimum:"-1" doc:"Only who is in this section; -1: in none."`
		Search  string `query:"search" doc:"A part of a name or an address."`
		Paging
	}
	enrollIn struct {
		InCourse
		Body EnrollRequest
	}
	removeIn struct {
		InCourse
		Body RemoveRequest
	}
	changeManyIn struct {
		InCourse
		Body ManyRoles
	}
	switchManyIn struct {
		InCourse
		Body ManyPrivileges
	}
	patchEnrollmentIn struct {
		InCourse
		AboutUser
		Body EnrollmentPatch
	}
	lookUpIn struct {
		InCourse
		Body PersonRef
	}
)

// PersonRef names a person: by exactly one of the two.
type PersonRef struct {
	UserID int64  `json:"user_id,omitempty" minimum:"1"`
	Email  string `json:"email,omitempty"`
}

// EnrollRequest puts people into a course, known or not.
type EnrollRequest struct {
	Emails         []string    `json:"emails,omitempty" doc:"Known or not, in any case and order."`
	UserIDs        []int64     `json:"user_ids,omitempty"`
	People         []PersonRef `json:"people,omitempty" doc:"The same, one by one: {\"user_id\": 42} or {\"email\": \"grace@uni.example\"}."`
	Role           string      `json:"role" doc:"The key of one of the course's roles." example:"student"`
	SectionID      int64       `json:"section_id,omitempty" minimum:"1" doc:"Puts them into a section of the course."`
	ConfirmOutside bool        `json:"confirm_outside,omitempty" doc:"Confirms that unknown addresses outside the school's own domains are meant."`
}

// RemoveRequest takes people out of a course.
type RemoveRequest struct {
	UserIDs []int64 `json:"user_ids" minItems:"1"`
}

// ManyRoles gives several people a role.
type ManyRoles struct {
	UserIDs []int64 `json:"user_ids" minItems:"1" doc:"At most 1,000."`
	Role    string  `json:"role" minLength:"1" doc:"The key of one of the course's roles."`
}

// ManyPrivileges switches privileges for several people.
type ManyPrivileges struct {
	UserIDs []int64  `json:"user_ids" minItems:"1" doc:"At most 1,000."`
	On      []string `json:"on,omitempty" doc:"What they all may do from now on, whatever their role."`
	Off     []string `json:"off,omitempty" doc:"What none of them may do any more, whatever their role."`
}

// EnrollmentPatch changes what is there, all of it or nothing.
type EnrollmentPatch struct {
	Role          *string  `json:"role,omitempty" nullable:"false" doc:"The key of one of the course's roles."`
	SectionID     *int64   `json:"section_id,omitempty" nullable:"false" minimum:"0" doc:"0: in no section."`
	StudentNumber *string  `json:"student_number,omitempty" nullable:"false"`
	BeginsOn      *string  `json:"begins_on,omitempty" nullable:"false" doc:"The first day; empty: from the beginning." example:"2026-10-01"`
	EndsOn        *string  `json:"ends_on,omitempty" nullable:"false" doc:"The last day; empty: with the course." example:"2027-01-31"`
	LimitedTo     *[]int64 `json:"limited_to,omitempty" doc:"Sections; empty: all of the course. For staff."`
}

// Row is what became of one person in a request about many.
type Row struct {
	Location   string  `json:"location" doc:"Where the person stands in the request." example:"body.emails[3]"`
	Typed      *string `json:"typed,omitempty" doc:"The address as it was sent, when there was one."`
	Email      *string `json:"email" doc:"The canonical address; null when it is no address, or not looked up."`
	UserID     *int64  `json:"user_id" doc:"null when nobody was found or named."`
	Result     string  `json:"result" enum:"enrolled,named,already,removed,changed,refused" doc:"named: nobody knew the address before; the person exists now, and is in the course."`
	Reason     *string `json:"reason" doc:"The problem type of a refusal, or why it is \"already\"."`
	Message    *string `json:"message" doc:"The same, for people."`
	Suggestion *string `json:"suggestion" doc:"The address that a refused one was perhaps meant to be."`
}

// Rows answers a request about many people, in its order.
type Rows struct {
	Items  []Row          `json:"items"`
	Counts map[string]int `json:"counts" doc:"How many rows have each result."`
}

func (a *API) registerEnrollments() {
	const path = "/courses/{course_id}/enrollments"
	register(a, op(http.MethodGet, path, "list-enrollments", tagPeople, "The roster",
		"The people with a role in the course, by family name. Who has privileges and no role stands in GET /api/v1/users?course_id=…&has_privileges=true. The caller needs roster.view."), a.listEnrollments)
	register(a, op(http.MethodPut, path, "enroll", tagPeople, "Put people into the course",
		"Known or not, by address or id, at most 10,000 at once. The answer has one result for each, and a bad row never spoils a good one. Sending the same list again changes nothing. A role without privileges needs roster.manage, another one staff.manage.",
		http.StatusConflict), a.enroll)
	register(a, op(http.MethodDelete, path, "remove-enrollments", tagPeople, "Take people out of the course",
		"With their roles and privileges in it. The answer has one result for each; a single person who cannot be removed is answered with the problem itself.",
		http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity), a.removePeople)
	register(a, op(http.MethodPatch, path, "change-roles", tagPeople, "Give several people a role",
		"They are in the course already. The answer has one result for each; who cannot be changed spoils nobody else.",
		http.StatusConflict, http.StatusRequestEntityTooLarge), a.changeRoles)
	register(a, op(http.MethodPatch, "/courses/{course_id}/privileges", "switch-privileges", tagPeople, "Switch privileges for several people",
		"They are in the course already. What their role gives is denied where it is switched off. The answer has one result for each.",
		http.StatusConflict, http.StatusRequestEntityTooLarge), a.switchPrivileges)
	check := op(http.MethodPost, "/courses/{course_id}/enrollment-check", "check-enrollments", tagPeople, "What would enrolling do?",
		"Answers as PUT …/enrollments would, and changes nothing. A row that would be good and is probably a slip has a reason (slip-domain, slip-twin) and a suggestion.",
		http.StatusConflict, http.StatusRequestEntityTooLarge)
	check.DefaultStatus = http.StatusOK
	register(a, check, a.checkEnrollments)
	register(a, op(http.MethodPatch, path+"/{user_id}", "change-enrollment", tagPeople, "Change somebody's place",
		"The role, the section, the student number, the dates, and the sections to which somebody of the staff is limited: what is sent changes, all of it or nothing. A role also goes to somebody who has only privileges so far. 409 last-owner when the course would be left without an active owner.",
		http.StatusConflict), a.patchEnrollment)
	lookUp := op(http.MethodPost, "/courses/{course_id}/lookup", "look-up-person", tagPeople, "Whom would this name?",
		"Finds whom an id or an address means, and changes nothing: the person, when they are known and the caller may find them, else the canonical address of somebody who would be named. It is a POST because addresses do not belong into URLs.")
	lookUp.DefaultStatus = http.StatusOK
	register(a, lookUp, a.lookUp)
}

// The groups of a roster, numbered as the service's RosterRequest has them. The
// type is the store's, which this package does not name.
const (
	staffOnly    = 1
	studentsOnly = 2
)

func (a *API) listEnrollments(ctx context.Context, c *call, in *listEnrollmentsIn) (*page[Member], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	r := service.RosterRequest{
		CourseID: in.CourseID, Enrolled: true, Role: in.Role, Status: lms.UserStatus(in.Status), Section: in.Section, Search: in.Search, Limit: in.Limit,
	}
	if in.May != "" {
		if _, err := lms.ParsePrivileges([]string{in.May}, "query.privilege"); err != nil {
			return nil, err
		}
		r.May = lms.Privilege(in.May)
	}
	r.SetOrder(max(0, slices.Index([]string{"name", "role", "added", "arrival"}, strings.TrimPrefix(in.Sort, "-"))), strings.HasPrefix(in.Sort, "-"))
	if from.key != "" {
		if err := json.Unmarshal([]byte(from.key), &r.After); err != nil {
			return nil, fmt.Errorf("read cursor: %w", err) // cannot happen: it is sealed
		}
	}
	switch in.Group {
	case "staff":
		r.Group = staffOnly
	case "students":
		r.Group = studentsOnly
	}
	found, err := a.svc.Roster(ctx, c.caller, r)
	if err != nil {
		return nil, err
	}
	var end place
	if found.More {
		last := found.People[len(found.People)-1].Cursor
		key, err := json.Marshal(last)
		if err != nil {
			return nil, fmt.Errorf("write cursor: %w", err)
		}
		end = place{id: last.UserID, key: string(key)}
	}
	return listOf(found.People, func(p *service.Member) Member { return a.memberWire(&p.Member) }, c.next(end)), nil
}

func (a *API) enroll(ctx context.Context, c *call, in *enrollIn) (*answer[Rows], error) {
	return a.enrollBy(ctx, c, in, a.svc.Enroll)
}

func (a *API) checkEnrollments(ctx context.Context, c *call, in *enrollIn) (*answer[Rows], error) {
	return a.enrollBy(ctx, c, in, a.svc.CheckEnroll)
}

type enrollUseCase func(context.Context, access.Caller, service.EnrollRequest) ([]service.RowResult, error)

// enrollBy reads a request to enroll and hands it to what carries it out, or
// only tells what that would do.
func (a *API) enrollBy(ctx context.Context, c *call, in *enrollIn, enroll enrollUseCase) (*answer[Rows], error) {
	b := &in.Body
	r := service.EnrollRequest{
		CourseID: in.CourseID, Role: b.Role, Emails: b.Emails, UserIDs: b.UserIDs, SectionID: b.SectionID, Source: lms.SourcePaste, ConfirmOutside: b.ConfirmOutside,
	}
	places := newPlaces(b)
	for i, p := range b.People {
		if err := p.check(fmt.Sprintf("body.people[%d]", i)); err != nil {
			return nil, err
		}
		if p.Email != "" {
			r.Emails = append(r.Emails, p.Email)
			places.emails = append(places.emails, i)
		} else {
			r.UserIDs = append(r.UserIDs, p.UserID)
			places.ids = append(places.ids, i)
		}
	}
	if len(r.Emails)+len(r.UserIDs) == 0 {
		return nil, &fault{status: http.StatusUnprocessableEntity, typ: "nobody-named", location: "body.emails", message: "Name somebody, in emails, user_ids or people."}
	}
	rows, err := enroll(ctx, c.caller, r)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		rows[i].Location = places.of(i, len(r.Emails), rows[i].Location)
	}
	return rowsWire(rows), nil
}

func (a *API) changeRoles(ctx context.Context, c *call, in *changeManyIn) (*answer[Rows], error) {
	return a.changeMany(ctx, c, service.ManyChange{CourseID: in.CourseID, UserIDs: in.Body.UserIDs, Role: in.Body.Role})
}

func (a *API) switchPrivileges(ctx context.Context, c *call, in *switchManyIn) (*answer[Rows], error) {
	return a.changeMany(ctx, c, service.ManyChange{CourseID: in.CourseID, UserIDs: in.Body.UserIDs, On: in.Body.On, Off: in.Body.Off})
}

func (a *API) changeMany(ctx context.Context, c *call, r service.ManyChange) (*answer[Rows], error) {
	results, err := a.svc.ChangeMany(ctx, c.caller, r)
	if err != nil {
		return nil, err
	}
	rows := make([]service.RowResult, len(results))
	for i, res := range results {
		rows[i] = res.RowResult
	}
	return rowsWire(rows), nil
}

func (p PersonRef) check(location string) error {
	if (p.UserID != 0) == (p.Email != "") {
		return invalid(location, "Name the person by exactly one of user_id and email.")
	}
	return nil
}

// places remembers which of the rows that go to the service stood in "people",
// and where.
type places struct {
	ownEmails, ownIDs int
	emails, ids       []int
}

func newPlaces(b *EnrollRequest) places {
	return places{ownEmails: len(b.Emails), ownIDs: len(b.UserIDs)}
}

// of tells where the service's i-th row stood in the request. The service
// answers addresses first.
func (p places) of(i, emails int, location string) string {
	if i < emails {
		if i >= p.ownEmails {
			return fmt.Sprintf("people[%d].email", p.emails[i-p.ownEmails])
		}
	} else if i -= emails; i >= p.ownIDs {
		return fmt.Sprintf("people[%d].user_id", p.ids[i-p.ownIDs])
	}
	return location
}

func rowsWire(rows []service.RowResult) *answer[Rows] {
	out := Rows{Items: make([]Row, len(rows)), Counts: map[string]int{}}
	for i := range rows {
		r := &rows[i]
		out.Items[i] = Row{
			Location: "body." + r.Location, Typed: textOrNull(r.Typed), Email: textOrNull(string(r.Email)), UserID: idOrNull(r.UserID),
			Result: string(r.Result), Reason: textOrNull(r.Reason), Message: textOrNull(r.Message), Suggestion: textOrNull(string(r.Suggestion)),
		}
		out.Counts[string(r.Result)]++
	}
	return &answer[Rows]{out}
}

func (a *API) removePeople(ctx context.Context, c *call, in *removeIn) (*answer[Rows], error) {
	rows, err := a.svc.Remove(ctx, c.caller, in.CourseID, in.Body.UserIDs)
	if err != nil {
		return nil, err
	}
	return rowsWire(rows), nil
}

func (a *API) patchEnrollment(ctx context.Context, c *call, in *patchEnrollmentIn) (*answer[Member], error) {
	b := &in.Body
	if *b == (EnrollmentPatch{}) {
		return nil, invalid("body", "Say what is to change: role, section_id, student_number, begins_on, ends_on or limited_to.")
	}
	m, err := a.svc.ChangePlace(ctx, c.caller, service.DetailsChange{
		CourseID: in.CourseID, UserID: in.UserID, Role: b.Role, SectionID: b.SectionID, Number: b.StudentNumber, Begins: b.BeginsOn, Ends: b.EndsOn, LimitedTo: b.LimitedTo,
	})
	if err != nil {
		return nil, err
	}
	return &answer[Member]{a.memberWire(&m)}, nil
}

// LookedUp is whom a reference means.
type LookedUp struct {
	Member *Member `json:"member" doc:"null when nobody has the address yet."`
	Email  *string `json:"email" doc:"The canonical address."`
}

func (a *API) lookUp(ctx context.Context, c *call, in *lookUpIn) (*answer[LookedUp], error) {
	if err := in.Body.check("body"); err != nil {
		return nil, err
	}
	m, address, err := a.svc.LookUpRef(ctx, c.caller, in.CourseID, service.PersonRef(in.Body))
	if err != nil {
		return nil, err
	}
	out := LookedUp{Email: textOrNull(string(address))}
	if m != nil {
		w := a.memberWire(m)
		out.Member = &w
	}
	return &answer[LookedUp]{out}, nil
}
