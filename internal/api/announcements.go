package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"matricula/internal/lms"
	"matricula/internal/markdown"
	"matricula/internal/service"
)

// Announcement is something that a course is told.
type Announcement struct {
	ID        int64      `json:"id"`
	Title     string     `json:"title"`
	Body      string     `json:"body" doc:"As it was written, in CommonMark."`
	HTML      string     `json:"html" doc:"The same as harmless HTML. Headings begin at h3; pictures are links."`
	Pinned    bool       `json:"pinned" doc:"Stands before the others."`
	PublishAt time.Time  `json:"publish_at" doc:"From when everybody in the course can read it."`
	Published bool       `json:"published" doc:"Whether that time has come. Only those who may write announcements get others."`
	Author    Author     `json:"author"`
	CreatedAt time.Time  `json:"created_at"`
	EditedAt  *time.Time `json:"edited_at" doc:"null when it was never edited."`
}

// Author is who wrote something. There is no address: everybody in the course
// reads it.
type Author struct {
	ID   int64  `json:"id"`
	Name string `json:"name" doc:"Empty when no name is known."`
}

func (a *API) announcementWire(n *lms.Announcement) (Announcement, error) {
	html, err := markdown.HTML(n.Body, 3)
	if err != nil {
		return Announcement{}, fmt.Errorf("announcement %d: %w", n.ID, err)
	}
	w := Announcement{
		ID: n.ID, Title: n.Title, Body: n.Body, HTML: html, Pinned: n.Pinned, PublishAt: n.PublishAt.UTC(), Published: n.Published(a.now()),
		Author: Author{ID: n.Author.ID}, CreatedAt: n.CreatedAt.UTC(), EditedAt: timeOrNull(n.EditedAt),
	}
	if n.Author.Named() {
		w.Author.Name = n.Author.DisplayName()
	}
	return w, nil
}

type (
	listAnnouncementsIn struct {
		InCourse
		Paging
	}
	createAnnouncementIn struct {
		InCourse
		Repeatable
		Body NewAnnouncement
	}
	announcementIn struct {
		InCourse
		AnnouncementID int64 `path:"announcement_id" minimum:"1"`
	}
	patchAnnouncementIn struct {
		InCourse
		AnnouncementID int64 `path:"announcement_id" minimum:"1"`
		Body           AnnouncementPatch
	}
)

// NewAnnouncement is an announcement to be made.
type NewAnnouncement struct {
	Title     string     `json:"title" doc:"At most 200 characters."`
	Body      string     `json:"body" doc:"CommonMark, at most 20,000 characters."`
	Pinned    bool       `json:"pinned,omitempty"`
	PublishAt *time.Time `json:"publish_at,omitempty" doc:"Within the next five years; absent or null: at once."`
}

// AnnouncementPatch changes what is there.
type AnnouncementPatch struct {
	Title     *string    `json:"title,omitempty" nullable:"false"`
	Body      *string    `json:"body,omitempty" nullable:"false"`
	Pinned    *bool      `json:"pinned,omitempty" nullable:"false"`
	PublishAt *time.Time `json:"publish_at,omitempty" nullable:"false" doc:"A later time takes it back until then."`
}

func (a *API) registerAnnouncements() {
	const path = "/courses/{course_id}/announcements"
	register(a, op(http.MethodGet, path, "list-announcements", tagAnnouncements, "What the course is told",
		"The pinned ones first, and the newest first among both. Everybody in the course reads what is published; those with announcements.manage also what is scheduled."), a.listAnnouncements)
	register(a, op(http.MethodPost, path, "create-announcement", tagAnnouncements, "Tell the course something",
		"At once, or from a given time on. The caller needs announcements.manage.", http.StatusConflict), a.createAnnouncement)
	register(a, op(http.MethodGet, path+"/{announcement_id}", "get-announcement", tagAnnouncements, "One announcement", "An announcement of the course."), a.getAnnouncement)
	register(a, op(http.MethodPatch, path+"/{announcement_id}", "update-announcement", tagAnnouncements, "Change an announcement",
		"Changes the fields that are there. The caller needs announcements.manage.", http.StatusConflict), a.patchAnnouncement)
	register(a, op(http.MethodDelete, path+"/{announcement_id}", "delete-announcement", tagAnnouncements, "Delete an announcement",
		"Takes it away from everybody. The caller needs announcements.manage.", http.StatusConflict), a.deleteAnnouncement)
}

func (a *API) listAnnouncements(ctx context.Context, c *call, in *listAnnouncementsIn) (*page[Announcement], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := a.svc.Announcements(ctx, c.caller, in.CourseID, from.id, in.Limit)
	if err != nil {
		return nil, err
	}
	items := make([]Announcement, len(found.Announcements))
	for i := range found.Announcements {
		if items[i], err = a.announcementWire(&found.Announcements[i]); err != nil {
			return nil, err
		}
	}
	return listOf(items, func(w *Announcement) Announcement { return *w }, c.next(place{id: found.Next})), nil
}

func (a *API) createAnnouncement(ctx context.Context, c *call, in *createAnnouncementIn) (*created[Announcement], error) {
	f := lms.AnnouncementFields{Title: in.Body.Title, Body: in.Body.Body, Pinned: in.Body.Pinned}
	if in.Body.PublishAt != nil {
		f.PublishAt = *in.Body.PublishAt
	}
	n, err := a.svc.CreateAnnouncement(ctx, c.caller, in.CourseID, f, c.once())
	if err != nil {
		return nil, err
	}
	w, err := a.announcementWire(&n)
	if err != nil {
		return nil, err
	}
	id := func(n int64) string { return strconv.FormatInt(n, 10) }
	return &created[Announcement]{Location: v1 + "/courses/" + id(in.CourseID) + "/announcements/" + id(n.ID), Body: w}, nil
}

func (a *API) getAnnouncement(ctx context.Context, c *call, in *announcementIn) (*answer[Announcement], error) {
	return a.oneAnnouncement(a.svc.Announcement(ctx, c.caller, in.CourseID, in.AnnouncementID))
}

func (a *API) patchAnnouncement(ctx context.Context, c *call, in *patchAnnouncementIn) (*answer[Announcement], error) {
	return a.oneAnnouncement(a.svc.UpdateAnnouncement(ctx, c.caller, in.CourseID, in.AnnouncementID, service.AnnouncementPatch{
		Title: in.Body.Title, Body: in.Body.Body, Pinned: in.Body.Pinned, PublishAt: in.Body.PublishAt,
	}))
}

func (a *API) oneAnnouncement(n lms.Announcement, err error) (*answer[Announcement], error) {
	if err != nil {
		return nil, err
	}
	w, err := a.announcementWire(&n)
	if err != nil {
		return nil, err
	}
	return &answer[Announcement]{w}, nil
}

func (a *API) deleteAnnouncement(ctx context.Context, c *call, in *announcementIn) (*empty, error) {
	return nil, a.svc.DeleteAnnouncement(ctx, c.caller, in.CourseID, in.AnnouncementID)
}
