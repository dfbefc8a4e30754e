package api

import (
	"context"
	"net/http"
	"strconv"

	"matricula/internal/service"
)

// HandOver makes somebody an owner, beside the caller or in their place.
type HandOver struct {
	PersonRef
	Then           string `json:"then,omitempty" enum:"stay,teacher,leave" doc:"What becomes of the caller: an owner too (also when left out), a teacher, or no longer in the course."`
	ConfirmOutside bool   `json:"confirm_outside,omitempty" doc:"Confirms that an unknown address outside the school's own domains is meant."`
}

// CourseCopy is a new course that is to be like another.
type CourseCopy struct {
	Title  string `json:"title" doc:"At most 200 characters."`
	Code   string `json:"code,omitempty" doc:"At most 40 characters."`
	Staff  bool   `json:"staff,omitempty" doc:"true: with its staff, pending included."`
	TermID *int64 `json:"term_id,omitempty" nullable:"true" minimum:"1" doc:"The term or the academic year of the new course; absent or null: none."`
}

// CopiedCourse is what became of a copy.
type CopiedCourse struct {
	ID    int64     `json:"id" doc:"Of the new course."`
	Staff int       `json:"staff" doc:"How many came along, the caller aside."`
	Left  []LeftOut `json:"left" doc:"Who did not, and why."`
}

// LeftOut is somebody who did not come along.
type LeftOut struct {
	UserID  int64  `json:"user_id"`
	Name    string `json:"name"`
	Message string `json:"message"`
}

type (
	handOverIn struct {
		InCourse
		Body HandOver
	}
	copyIn struct {
		InCourse
		Repeatable
		Body CourseCopy
	}
)

func (a *API) registerHandOver() {
	o := op(http.MethodPost, "/courses/{course_id}/hand-over", "hand-over-course", tagCourses, "Hand a course over",
		"Makes somebody an owner, known or not. Only an owner can do that. 409 last-owner when the caller would step back for somebody who has not signed in yet.", http.StatusConflict)
	o.DefaultStatus = http.StatusOK
	register(a, o, a.handOver)
	register(a, op(http.MethodPost, "/courses/{course_id}/copy", "copy-course", tagCourses, "Copy a course",
		"Makes a course with the description, the own roles and, when asked for, the staff of another, archived or not. The caller owns it; they need staff.manage in the old one and the right to create courses. Who holds more there than the caller stays out.",
		http.StatusConflict), a.copyCourse)
}

func (a *API) handOver(ctx context.Context, c *call, in *handOverIn) (*answer[Member], error) {
	b := &in.Body
	if err := b.check("body"); err != nil {
		return nil, err
	}
	m, err := a.svc.HandOverCourse(ctx, c.caller, service.HandOver{
		CourseID: in.CourseID, Person: service.PersonRef(b.PersonRef), Then: service.After(b.Then), ConfirmOutside: b.ConfirmOutside,
	})
	if err != nil {
		return nil, err
	}
	return &answer[Member]{a.memberWire(&m)}, nil
}

func (a *API) copyCourse(ctx context.Context, c *call, in *copyIn) (*created[CopiedCourse], error) {
	done, err := a.svc.CopyCourse(ctx, c.caller, in.CourseID, service.CourseCopy{Title: in.Body.Title, Code: in.Body.Code, Staff: in.Body.Staff, TermID: idOrNone(in.Body.TermID)}, c.once())
	if err != nil {
		return nil, err
	}
	out := CopiedCourse{ID: done.CourseID, Staff: done.Staff, Left: []LeftOut{}}
	for _, l := range done.Left {
		out.Left = append(out.Left, LeftOut{l.UserID, l.Name, l.Message})
	}
	return &created[CopiedCourse]{Location: v1 + "/courses/" + strconv.FormatInt(done.CourseID, 10), Body: out}, nil
}
