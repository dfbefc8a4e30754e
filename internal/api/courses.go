package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// Course is a course as the caller stands in it.
type Course struct {
	ID          int64           `json:"id"`
	Title       string          `json:"title"`
	Code        string          `json:"code" doc:"The school's own code, such as CS-201; may be empty."`
	Description string          `json:"description"`
	TermID      *int64          `json:"term_id" doc:"The term in which the course is taught, or the academic year of a course that takes all of it; null when none was chosen. See /api/v1/terms."`
	CreatedAt   time.Time       `json:"created_at"`
	ArchivedAt  *time.Time      `json:"archived_at" doc:"Since when the course can only be read; null while it is taught."`
	Role        *string         `json:"role" doc:"The caller's role in the course; null when they have none."`
	RoleName    *string         `json:"role_name"`
	Privileges  []lms.Privilege `json:"privileges" doc:"What the caller may do in the course, also as an administrator."`
}

func courseWire(v *service.CourseView) Course {
	c := Course{
		ID: v.Course.ID, Title: v.Course.Title, Code: v.Course.Code, Description: v.Course.Description, TermID: idOrNull(v.Course.TermID),
		CreatedAt: v.Course.CreatedAt.UTC(), ArchivedAt: timeOrNull(v.Course.ArchivedAt), Privileges: v.Holds.List(),
	}
	if e := v.Member.Enrollment; e != nil {
		c.Role, c.RoleName = textOrNull(e.Role.Key), textOrNull(e.Role.Name)
	}
	return c
}

type (
	listCoursesIn struct {
		All    bool   `query:"all" doc:"true, for administrators: all courses, not only those in which the caller has a place."`
		Only   string `query:"only" enum:"without-owner,grants-to-review" doc:"With all=true, for administrators: only those without an owner who can act, or only those with grants to review, of which a page may hold fewer than were asked for though more follow."`
		TermID int64  `query:"term_id" minimum:"1" doc:"Only the courses of this term, or of this academic year and its terms."`
		Paging
	}
	createCourseIn struct {
		Repeatable
		Body NewCourse
	}
	courseIn      struct{ InCourse }
	patchCourseIn struct {
		InCourse
		Body CoursePatch
	}
)

// NewCourse is a course to be made.
type NewCourse struct {
	Title       string `json:"title" doc:"At most 200 characters."`
	Code        string `json:"code,omitempty" doc:"At most 40 characters."`
	Description string `json:"description,omitempty" doc:"At most 2000 characters."`
	TermID      *int64 `json:"term_id,omitempty" nullable:"true" minimum:"1" doc:"The term or the academic year in which it is taught; absent or null: none."`
}

// CoursePatch changes what is there.
type CoursePatch struct {
	Title       *string    `json:"title,omitempty" nullable:"false"`
	Code        *string    `json:"code,omitempty" nullable:"false"`
	Description *string    `json:"description,omitempty" nullable:"false"`
	TermID      TermOrNull `json:"term_id,omitempty" doc:"null takes it out of its term."`
	Archived    *bool      `json:"archived,omitempty" nullable:"false" doc:"true makes the course read-only, false brings it back."`
}

// Counts are the people of a course.
type Counts struct {
	People  int64 `json:"people" doc:"Everybody with a role or privileges."`
	Staff   int64 `json:"staff" doc:"Those who may do anything beyond being there."`
	Pending int64 `json:"pending" doc:"Those who have never signed in."`
}

func (a *API) registerCourses() {
	register(a, op(http.MethodGet, "/courses", "list-courses", tagCourses, "The caller's courses",
		"The courses in which the caller has a place, newest first; an administrator gets all with all=true."), a.listCourses)
	register(a, op(http.MethodPost, "/courses", "create-course", tagCourses, "Make a course",
		"For teachers and administrators. The caller becomes its owner."), a.createCourse)
	register(a, op(http.MethodGet, "/courses/{course_id}", "get-course", tagCourses, "One course",
		"A course in which the caller has a place."), a.getCourse)
	register(a, op(http.MethodPatch, "/courses/{course_id}", "update-course", tagCourses, "Change a course",
		"Changes the fields that are there, among them the term, with the privilege course.update, and archives or restores the course, with course.archive. Where both are asked for, a course is restored before its fields are changed, and archived after; these are two steps, and the first stays when the second is refused.",
		http.StatusConflict), a.patchCourse)
	register(a, op(http.MethodDelete, "/courses/{course_id}", "delete-course", tagCourses, "Delete a course",
		"Hides an archived course from everybody, for good. 409 course-not-archived when it is in use.",
		http.StatusConflict), a.deleteCourse)
	register(a, op(http.MethodGet, "/courses/{course_id}/counts", "count-people", tagPeople, "How many people",
		"Counts the people of a course. The caller needs roster.view."), a.countPeople)
}

func (a *API) listCourses(ctx context.Context, c *call, in *listCoursesIn) (*page[Course], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := a.svc.Courses(ctx, c.caller, service.CoursesRequest{
		All: in.All, Orphaned: in.Only == "without-owner", Doubted: in.Only == "grants-to-review", TermID: in.TermID, Before: from.id, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	return listOf(found.Courses, courseWire, c.next(place{id: found.Next})), nil
}

func (a *API) createCourse(ctx context.Context, c *call, in *createCourseIn) (*created[Course], error) {
	v, err := a.svc.CreateCourse(ctx, c.caller, lms.CourseFields{Title: in.Body.Title, Code: in.Body.Code, Description: in.Body.Description, TermID: idOrNone(in.Body.TermID)}, c.once())
	if err != nil {
		return nil, err
	}
	return &created[Course]{Location: v1 + "/courses/" + strconv.FormatInt(v.Course.ID, 10), Body: courseWire(&v)}, nil
}

func (a *API) getCourse(ctx context.Context, c *call, in *courseIn) (*answer[Course], error) {
	v, err := a.svc.Course(ctx, c.caller, in.CourseID)
	if err != nil {
		return nil, err
	}
	return &answer[Course]{courseWire(&v)}, nil
}

func (a *API) patchCourse(ctx context.Context, c *call, in *patchCourseIn) (*answer[Course], error) {
	b := &in.Body
	fields := func() (service.CourseView, error) {
		return a.svc.UpdateCourse(ctx, c.caller, in.CourseID, service.CoursePatch{Title: b.Title, Code: b.Code, Description: b.Description, TermID: b.TermID.patch()})
	}
	archive := func() (service.CourseView, error) {
		return a.svc.ArchiveCourse(ctx, c.caller, in.CourseID, *b.Archived)
	}
	steps := []func() (service.CourseView, error){fields}
	switch written := b.Title != nil || b.Code != nil || b.Description != nil || b.TermID.there; {
	case b.Archived != nil && !written:
		steps = []func() (service.CourseView, error){archive}
	case b.Archived != nil && *b.Archived:
		steps = append(steps, archive)
	case b.Archived != nil:
		steps = []func() (service.CourseView, error){archive, fields}
	}
	var v service.CourseView
	for _, step := range steps {
		var err error
		if v, err = step(); err != nil {
			return nil, err
		}
	}
	return &answer[Course]{courseWire(&v)}, nil
}

func (a *API) deleteCourse(ctx context.Context, c *call, in *courseIn) (*empty, error) {
	return nil, a.svc.DeleteCourse(ctx, c.caller, in.CourseID)
}

func (a *API) countPeople(ctx context.Context, c *call, in *courseIn) (*answer[Counts], error) {
	n, err := a.svc.RosterCounts(ctx, c.caller, in.CourseID)
	if err != nil {
		return nil, err
	}
	return &answer[Counts]{Counts{People: n.All, Staff: n.Staff, Pending: n.Pending}}, nil
}
