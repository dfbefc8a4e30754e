package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// AuditEntry is one thing that was done or refused.
type AuditEntry struct {
	ID        int64           `json:"id"`
	At        time.Time       `json:"at"`
	Actor     *Person         `json:"actor" doc:"Who did it."`
	Action    string          `json:"action" example:"privileges.set"`
	Outcome   string          `json:"outcome" enum:"done,refused"`
	Reason    *string         `json:"reason" doc:"The problem type of a refusal."`
	Subject   *Person         `json:"subject" doc:"Whom it concerns; the actor when it concerns nobody else."`
	Course    *AuditCourse    `json:"course" doc:"null when no course is concerned."`
	Before    json.RawMessage `json:"before" doc:"What was, as an object."`
	After     json.RawMessage `json:"after" doc:"What is since, as an object."`
	RequestID *string         `json:"request_id" doc:"Under this id the request stands in the server's log."`
}

// AuditCourse is the course that an entry is about.
type AuditCourse struct {
	ID    int64  `json:"id"`
	Title string `json:"title"`
}

func auditWire(e *lms.AuditRecord) AuditEntry {
	w := AuditEntry{
		ID: e.ID, At: e.At.UTC(), Actor: personWire(&e.Actor), Action: e.Action, Outcome: string(e.Outcome), Reason: textOrNull(e.Reason),
		Subject: personWire(&e.Subject), Before: e.Before, After: e.After, RequestID: textOrNull(e.RequestID),
	}
	if e.CourseID != 0 {
		w.Course = &AuditCourse{e.CourseID, e.CourseTitle}
	}
	return w
}

type (
	courseAuditIn struct {
		InCourse
		AuditFilter
		Paging
	}
	siteAuditIn struct {
		CourseID int64 `query:"course_id" minimum:"1" doc:"Only what concerns this course."`
		AuditFilter
		Paging
	}
)

// AuditFilter narrows the audit.
type AuditFilter struct {
	UserID  int64     `query:"user_id" minimum:"1" doc:"Only what this user did, or what concerned them."`
	Action  string    `query:"action" doc:"Only this action, such as privileges.set."`
	Outcome string    `query:"outcome" enum:"done,refused"`
	From    time.Time `query:"from" doc:"Only since then."`
	To      time.Time `query:"to" doc:"Only before then."`
}

func (f *AuditFilter) request() (service.AuditRequest, error) {
	r := service.AuditRequest{PersonID: f.UserID, Outcome: lms.Outcome(f.Outcome), From: f.From, To: f.To}
	if f.Action != "" {
		if !slices.Contains(access.Actions(), access.Action(f.Action)) {
			return r, invalid("query.action", "There is no such action. The actions are those that the audit shows, such as privileges.set.")
		}
		r.Actions = []access.Action{access.Action(f.Action)}
	}
	return r, nil
}

func (a *API) registerAudit() {
	register(a, op(http.MethodGet, "/courses/{course_id}/audit", "list-course-audit", tagAudit, "What was done in a course",
		"Newest first. The caller needs audit.view."), a.courseAudit)
	register(a, op(http.MethodGet, "/audit", "list-audit", tagAudit, "What was done on the whole site",
		"Newest first, for administrators."), a.siteAudit)
}

func (a *API) courseAudit(ctx context.Context, c *call, in *courseAuditIn) (*page[AuditEntry], error) {
	r, err := in.request()
	if err != nil {
		return nil, err
	}
	r.CourseID = in.CourseID
	return a.audit(ctx, c, r, in.Paging)
}

func (a *API) siteAudit(ctx context.Context, c *call, in *siteAuditIn) (*page[AuditEntry], error) {
	r, err := in.request()
	if err != nil {
		return nil, err
	}
	r.CourseID, r.Site = in.CourseID, true
	return a.audit(ctx, c, r, in.Paging)
}

func (a *API) audit(ctx context.Context, c *call, r service.AuditRequest, p Paging) (*page[AuditEntry], error) {
	from, err := c.from(p.Cursor)
	if err != nil {
		return nil, err
	}
	r.Before, r.Limit = from.id, p.Limit
	found, err := a.svc.Audit(ctx, c.caller, r)
	if err != nil {
		return nil, err
	}
	return listOf(found.Entries, auditWire, c.next(place{id: found.Next})), nil
}
