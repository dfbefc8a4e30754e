package store

import (
	"context"
	"encoding/json"
	"fmt"

	"matricula/internal/lms"
)

var (
	sqlAddAudit = stmt(`INSERT INTO audit_entries (at, actor_id, action, outcome, reason, subject_id, course_id, before, after, request_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`)
	sqlAddAuditMany = stmt(`INSERT INTO audit_entries (at, actor_id, action, outcome, reason, subject_id, course_id, before, after, request_id)
		SELECT $2, $3, $4, 'done', '', CAST(j.value->>0 AS BIGINT), $5, j.value->>1, j.value->>2, $6 FROM {rows:$1}`)
)

func orEmpty(j json.RawMessage) string {
	if len(j) == 0 {
		return "{}"
	}
	return string(j)
}

func orNull(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

// AddAudit adds an entry. Its id is the database's to choose.
func (tx *Tx) AddAudit(ctx context.Context, e lms.AuditEntry) error {
	err := tx.later(ctx, "add audit entry", sqlAddAudit, at(e.At), e.ActorID, e.Action, string(e.Outcome), e.Reason, e.SubjectID,
		orNull(e.CourseID), orEmpty(e.Before), orEmpty(e.After), e.RequestID)
	if err != nil {
		return fmt.Errorf("add audit entry %s: %w", e.Action, err)
	}
	return nil
}

// AddAuditMany adds an entry for each subject; all share what e says, and each
// has its own before and after.
func (tx *Tx) AddAuditMany(ctx context.Context, e lms.AuditEntry, subjects []lms.AuditEntry) error {
	if len(subjects) == 0 {
		return nil
	}
	list := make([][3]any, len(subjects))
	for i, s := range subjects {
		list[i] = [3]any{s.SubjectID, orEmpty(s.Before), orEmpty(s.After)}
	}
	if err := tx.later(ctx, "add audit entries", sqlAddAuditMany, mustJSON(list), at(e.At), e.ActorID, e.Action, orNull(e.CourseID), e.RequestID); err != nil {
		return fmt.Errorf("add %d audit entries %s: %w", len(subjects), e.Action, err)
	}
	return nil
}

const auditSelect = `SELECT a.id, a.at, a.action, a.outcome, a.reason, a.course_id, a.before, a.after, a.request_id, co.title,
	u.id, u.kind, u.status, u.site_role, e.address, u.given_name, u.family_name, u.name,
	v.id, v.kind, v.status, v.site_role, f.address, v.given_name, v.family_name, v.name
	FROM audit_entries a
	JOIN users u ON u.id = a.actor_id LEFT JOIN emails e ON e.user_id = u.id AND e.is_primary
	JOIN users v ON v.id = a.subject_id LEFT JOIN emails f ON f.user_id = v.id AND f.is_primary
	LEFT JOIN courses co ON co.id = a.course_id`

var (
	sqlAuditOfCourse = stmt(auditSelect + ` WHERE a.course_id = $1 AND a.id < $2 ORDER BY a.id DESC LIMIT $3`)
	sqlAudit         = stmt(auditSelect + ` WHERE a.id < $1 ORDER BY a.id DESC LIMIT $2`)
)

// Audit lists entries, newest first, those with an id below before: of one
// course, or of the whole site when courseID is 0.
func (tx *Tx) Audit(ctx context.Context, courseID, before int64, limit int) ([]lms.AuditRecord, error) {
	st, args := sqlAudit, []any{before, limit}
	if courseID != 0 {
		st, args = sqlAuditOfCourse, []any{courseID, before, limit}
	}
	rows, err := tx.query(ctx, st, args...)
	list, err := collect(rows, err, func(r scanner) (a lms.AuditRecord, err error) {
		var before, after string
		dest := []any{&a.ID, timestamp{&a.At}, &a.Action, &a.Outcome, &a.Reason, number{&a.CourseID}, &before, &after, &a.RequestID, text{&a.CourseTitle}}
		for _, u := range []*lms.User{&a.Actor, &a.Subject} {
			dest = append(dest, &u.ID, &u.Kind, &u.Status, &u.SiteRole, text{(*string)(&u.Email)}, &u.GivenName, &u.FamilyName, &u.Name)
		}
		err = r.Scan(dest...)
		a.ActorID, a.SubjectID = a.Actor.ID, a.Subject.ID
		a.Before, a.After = json.RawMessage(before), json.RawMessage(after)
		return a, err
	})
	if err != nil {
		return nil, fmt.Errorf("list audit of course %d: %w", courseID, err)
	}
	return list, nil
}
