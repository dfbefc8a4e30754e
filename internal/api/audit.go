package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"matricula/internal/lms"
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
		Paging
	}
	siteAuditIn struct{ Paging }
)

func (a *API) registerAudit() {
	register(a, op(http.MethodGet, "/courses/{course_id}/audit", "list-course-audit", tagAudit, "What was done in a course",
		"Newest first. The caller needs audit.view."), a.courseAudit)
	register(a, op(http.MethodGet, "/audit", "list-audit", tagAudit, "What was done on the whole site",
		"Newest first, for administrators."), a.siteAudit)
}

func (a *API) courseAudit(ctx context.Context, c *call, in *courseAuditIn) (*page[AuditEntry], error) {
	return a.audit(ctx, c, in.CourseID, in.Paging)
}

func (a *API) siteAudit(ctx context.Context, c *call, in *siteAuditIn) (*page[AuditEntry], error) {
	return a.audit(ctx, c, 0, in.Paging)
}

func (a *API) audit(ctx context.Context, c *call, courseID int64, p Paging) (*page[AuditEntry], error) {
	from, err := c.from(p.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := a.svc.Audit(ctx, c.caller, courseID, from.id, p.Limit)
	if err != nil {
		return nil, err
	}
	return listOf(found.Entries, auditWire, c.next(place{id: found.Next})), nil
}
