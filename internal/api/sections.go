package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// Section is a group into which a course is parted, such as a lab.
type Section struct {
	ID        int64     `json:"id"`
	Name      string    `json:"name" example:"Lab A"`
	CreatedAt time.Time `json:"created_at"`
	People    *int64    `json:"people,omitempty" doc:"How many are in it; only when sections are read."`
}

func sectionWire(s *lms.Section) Section {
	return Section{ID: s.ID, Name: s.Name, CreatedAt: s.CreatedAt.UTC()}
}

func sectionOfWire(s *service.SectionOf) Section {
	w := sectionWire(&s.Section)
	w.People = &s.People
	return w
}

type (
	createSectionIn struct {
		InCourse
		Repeatable
		Body SectionName
	}
	sectionIn struct {
		InCourse
		SectionID int64 `path:"section_id" minimum:"1"`
	}
	patchSectionIn struct {
		InCourse
		SectionID int64 `path:"section_id" minimum:"1"`
		Body      SectionName
	}
)

// SectionName is what people write about a section.
type SectionName struct {
	Name string `json:"name" doc:"At most 60 characters; no other section of the course has it." example:"Lab A"`
}

func (a *API) registerSections() {
	const path = "/courses/{course_id}/sections"
	register(a, op(http.MethodGet, path, "list-sections", tagCourses, "The sections of a course",
		"By name, with the number of people in each. Whoever is limited to some sees those. The caller needs roster.view."), a.listSections)
	register(a, op(http.MethodPost, path, "create-section", tagCourses, "Make a section",
		"Somebody is in one section of a course at most. The caller needs roster.manage.", http.StatusConflict), a.createSection)
	register(a, op(http.MethodGet, path+"/{section_id}", "get-section", tagCourses, "One section", "A section of the course."), a.getSection)
	register(a, op(http.MethodPatch, path+"/{section_id}", "update-section", tagCourses, "Rename a section", "Its people stay in it.", http.StatusConflict), a.patchSection)
	register(a, op(http.MethodDelete, path+"/{section_id}", "delete-section", tagCourses, "Delete a section",
		"Its people stay in the course, in no section. 409 section-in-use when somebody of the staff is limited to it.", http.StatusConflict), a.deleteSection)
}

func (a *API) listSections(ctx context.Context, c *call, in *courseIn) (*page[Section], error) {
	list, err := a.svc.Sections(ctx, c.caller, in.CourseID)
	if err != nil {
		return nil, err
	}
	return listOf(list, sectionOfWire, nil), nil
}

func (a *API) createSection(ctx context.Context, c *call, in *createSectionIn) (*created[Section], error) {
	s, err := a.svc.CreateSection(ctx, c.caller, in.CourseID, in.Body.Name, c.once())
	if err != nil {
		return nil, err
	}
	return &created[Section]{Location: fmt.Sprintf("%s/courses/%d/sections/%d", v1, in.CourseID, s.ID), Body: sectionWire(&s)}, nil
}

func (a *API) getSection(ctx context.Context, c *call, in *sectionIn) (*answer[Section], error) {
	list, err := a.svc.Sections(ctx, c.caller, in.CourseID)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].Section.ID == in.SectionID {
			return &answer[Section]{sectionOfWire(&list[i])}, nil
		}
	}
	return nil, lms.NotFound("section")
}

func (a *API) patchSection(ctx context.Context, c *call, in *patchSectionIn) (*answer[Section], error) {
	s, err := a.svc.RenameSection(ctx, c.caller, in.CourseID, in.SectionID, in.Body.Name)
	if err != nil {
		return nil, err
	}
	return &answer[Section]{sectionWire(&s)}, nil
}

func (a *API) deleteSection(ctx context.Context, c *call, in *sectionIn) (*empty, error) {
	return nil, a.svc.DeleteSection(ctx, c.caller, in.CourseID, in.SectionID)
}
