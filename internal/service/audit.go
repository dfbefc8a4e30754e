package service

import (
	"context"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// AuditRequest asks for a page of the audit. The zero values of its filters do
// not filter.
type AuditRequest struct {
	CourseID int64 // only of this course
	Site     bool  // with the right of an administrator; else by the right in the course
	PersonID int64 // who did it, or whom it concerned
	Actions  []access.Action
	Outcome  lms.Outcome
	From, To time.Time // from the first until before the second
	Before   int64     // the last id of the page before; 0: from the newest
	Limit    int
}

// AuditPage is a page of audit entries, newest first.
type AuditPage struct {
	Entries []lms.AuditRecord
	Next    int64 // 0 when there are no more
}

// mayAudit decides who may read the audit that is asked for.
func (s *Service) mayAudit(ctx context.Context, c access.Caller, r *AuditRequest) error {
	if r.Site || r.CourseID == 0 {
		return access.Decide(c, access.SiteAuditView, nil)
	}
	_, err := s.look(ctx, c, access.AuditView, r.CourseID)
	return err
}

// Audit lists what was done and refused: in one course, or on the whole site.
func (s *Service) Audit(ctx context.Context, c access.Caller, r AuditRequest) (AuditPage, error) {
	if err := s.mayAudit(ctx, c, &r); err != nil {
		return AuditPage{}, err
	}
	if !r.From.IsZero() && !r.To.IsZero() && !r.From.Before(r.To) {
		return AuditPage{}, lms.Invalid("audit-range", "to", "The end lies before the beginning. Choose a later end.")
	}
	return s.auditPage(ctx, r)
}

// auditPage reads a page for whoever was found to be allowed to.
func (s *Service) auditPage(ctx context.Context, r AuditRequest) (AuditPage, error) {
	q := store.AuditQuery{CourseID: r.CourseID, PersonID: r.PersonID, Outcome: r.Outcome, From: r.From, To: r.To, Before: r.Before, Limit: r.Limit + 1}
	for _, a := range r.Actions {
		q.Actions = append(q.Actions, string(a))
	}
	if q.Before == 0 {
		q.Before = maxID
	}
	list, err := s.store.Reader().Audit(ctx, q)
	if err != nil {
		return AuditPage{}, err
	}
	entries, more := page(list, r.Limit)
	out := AuditPage{Entries: entries}
	if more {
		out.Next = entries[len(entries)-1].ID
	}
	return out, nil
}
