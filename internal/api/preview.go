package api

import (
	"context"
	"net/http"
)

// Preview is a course as somebody else would see it.
type Preview struct {
	Course        Course         `json:"course" doc:"As that person stands in it."`
	Announcements []Announcement `json:"announcements" doc:"The first ten that they would read."`
	Counts        *Counts        `json:"counts" doc:"null when they may not see the roster."`
	People        []Member       `json:"people" doc:"The first forty whom they would see."`
}

type previewIn struct {
	InCourse
	AboutUser
}

func (a *API) registerPreview() {
	o := op(http.MethodPost, "/courses/{course_id}/users/{user_id}/preview", "preview-course", tagPeople, "The course as somebody sees it",
		"What one of the course's people, pending or not, would see of it. It changes nothing but stands in the audit, so it is a POST. The caller needs roster.view and everything that the person holds.", http.StatusConflict)
	o.DefaultStatus = http.StatusOK
	register(a, o, a.previewCourse)
}

func (a *API) previewCourse(ctx context.Context, c *call, in *previewIn) (*answer[Preview], error) {
	p, err := a.svc.PreviewCourse(ctx, c.caller, in.CourseID, in.UserID)
	if err != nil {
		return nil, err
	}
	out := Preview{Course: courseWire(&p.View), Announcements: []Announcement{}, People: []Member{}}
	for i := range p.Announcements.Announcements {
		w, err := a.announcementWire(&p.Announcements.Announcements[i])
		if err != nil {
			return nil, err
		}
		out.Announcements = append(out.Announcements, w)
	}
	if p.Counts != nil {
		out.Counts = &Counts{People: p.Counts.All, Staff: p.Counts.Staff, Pending: p.Counts.Pending}
	}
	for i := range p.People {
		out.People = append(out.People, a.memberWire(&p.People[i].Member))
	}
	return &answer[Preview]{out}, nil
}
