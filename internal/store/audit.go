package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

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

// AddAudit adds an entry, and what webhooks are to tell of it. Its id is the database's
// to choose.
func (tx *Tx) AddAudit(ctx context.Context, e lms.AuditEntry) error {
	err := tx.later(ctx, "add audit entry", sqlAddAudit, at(e.At), e.ActorID, e.Action, string(e.Outcome), e.Reason, e.SubjectID,
		orNull(e.CourseID), orEmpty(e.Before), orEmpty(e.After), e.RequestID)
	if err != nil {
		return fmt.Errorf("add audit entry %s: %w", e.Action, err)
	}
	return tx.tellWebhooks(ctx, e)
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
	return tx.tellWebhooksOfMany(ctx, e, subjects)
}

// AuditQuery asks for a page of the audit. The zero values of its filters do not
// filter.
type AuditQuery struct {
	CourseID int64
	PersonID int64 // who did it, or whom it concerned
	Actions  []string
	Outcome  lms.Outcome
	From, To time.Time // from the first until before the second
	Before   int64     // only entries with a lower id
	Limit    int
}

// auditShape picks one of the statements for a query: only what changes the
// plan is a shape, everything else is a parameter.
type auditShape struct{ course, person, actions bool }

func (q *AuditQuery) shape() auditShape {
	return auditShape{q.CourseID != 0, q.PersonID != 0, len(q.Actions) > 0}
}

var auditStatements = map[auditShape]*statement{}

func init() {
	for _, course := range []bool{false, true} {
		for _, person := range []bool{false, true} {
			for _, actions := range []bool{false, true} {
				sh := auditShape{course, person, actions}
				auditStatements[sh] = stmt(auditText(sh))
			}
		}
	}
}

// auditText first finds the ids of the page and then reads all about them. What
// concerns a person is found by two indexes, each in the order of the page. Whoever
// was merged is shown as who they are now.
func auditText(sh auditShape) string {
	where := `a.id < $1 AND a.id > $2 AND ($4 = '' OR a.outcome = $4) AND ($5 = 0 OR a.at >= $6) AND ($7 = 0 OR a.at < $8)`
	next := 9
	param := func() string {
		next++
		return "$" + strconv.Itoa(next-1)
	}
	if sh.course {
		where += ` AND a.course_id = ` + param()
	}
	if sh.actions {
		where += ` AND a.action IN (SELECT j.value->>0 FROM {rows:` + param() + `})`
	}
	ids := func(more string) string {
		return `SELECT a.id FROM audit_entries a WHERE ` + where + more + ` ORDER BY a.id DESC LIMIT $3`
	}
	found := ids("")
	if sh.person {
		who := param()
		found = `SELECT id FROM (
			SELECT id FROM (` + ids(` AND a.actor_id = `+who) + `) b
			UNION ALL
			SELECT id FROM (` + ids(` AND a.subject_id = `+who+` AND a.actor_id <> `+who) + `) c
		) d ORDER BY id DESC LIMIT $3`
	}
	return `SELECT a.id, a.at, a.action, a.outcome, a.reason, a.course_id, a.before, a.after, a.request_id, co.title,
		u.id, u.kind, u.status, u.site_role, e.address, u.given_name, u.family_name, u.name,
		v.id, v.kind, v.status, v.site_role, f.address, v.given_name, v.family_name, v.name
		FROM (` + found + `) t
		JOIN audit_entries a ON a.id = t.id
		JOIN users u0 ON u0.id = a.actor_id JOIN users u ON u.id = coalesce(u0.merged_into, u0.id)
		LEFT JOIN emails e ON e.user_id = u.id AND e.is_primary
		JOIN users v0 ON v0.id = a.subject_id JOIN users v ON v.id = coalesce(v0.merged_into, v0.id)
		LEFT JOIN emails f ON f.user_id = v.id AND f.is_primary
		LEFT JOIN courses co ON co.id = a.course_id
		ORDER BY a.id DESC`
}

// Entries get their ids and their times in nearly the same order: transactions
// that overlap differ by far less than this.
const auditSlack = 10_000

var (
	sqlAuditFirstSince = stmt(`SELECT id FROM audit_entries WHERE at >= $1 ORDER BY at LIMIT 1`)
	sqlAuditLastBefore = stmt(`SELECT id FROM audit_entries WHERE at < $1 ORDER BY at DESC LIMIT 1`)
)

// auditBounds finds between which ids a time range lies, so that a range of long
// ago is not looked for from today on.
func (tx *Tx) auditBounds(ctx context.Context, q *AuditQuery) (above int64, err error) {
	var id int64
	if !q.To.IsZero() {
		ok, err := tx.one(ctx, sqlAuditFirstSince, []any{at(q.To)}, &id)
		if err != nil {
			return 0, err
		}
		if ok {
			q.Before = min(q.Before, id+auditSlack)
		}
	}
	if !q.From.IsZero() {
		ok, err := tx.one(ctx, sqlAuditLastBefore, []any{at(q.From)}, &id)
		if err != nil {
			return 0, err
		}
		if ok {
			above = max(0, id-auditSlack)
		}
	}
	return above, nil
}

// Audit lists entries, newest first. Those of a person are also those of the
// accounts that were merged into theirs, since entries stay as they were written.
func (tx *Tx) Audit(ctx context.Context, q AuditQuery) ([]lms.AuditRecord, error) {
	if q.PersonID == 0 {
		return tx.auditPage(ctx, q)
	}
	into, merged, err := tx.MergedInto(ctx, q.PersonID)
	if err != nil {
		return nil, err
	}
	if merged {
		q.PersonID = into
	}
	others, err := tx.mergedFrom(ctx, q.PersonID)
	if err != nil {
		return nil, err
	}
	var list []lms.AuditRecord
	for _, q.PersonID = range append([]int64{q.PersonID}, others...) {
		some, err := tx.auditPage(ctx, q)
		if err != nil {
			return nil, err
		}
		list = append(list, some...)
	}
	if len(others) > 0 {
		slices.SortFunc(list, func(a, b lms.AuditRecord) int { return cmp.Compare(b.ID, a.ID) })
		list = slices.CompactFunc(list, func(a, b lms.AuditRecord) bool { return a.ID == b.ID })
	}
	return list[:min(len(list), q.Limit)], nil
}

func (tx *Tx) auditPage(ctx context.Context, q AuditQuery) ([]lms.AuditRecord, error) {
	above, err := tx.auditBounds(ctx, &q)
	if err != nil {
		return nil, fmt.Errorf("list audit: %w", err)
	}
	args := []any{q.Before, above, q.Limit, string(q.Outcome), flag(!q.From.IsZero()), at(q.From), flag(!q.To.IsZero()), at(q.To)}
	if q.CourseID != 0 {
		args = append(args, q.CourseID)
	}
	if len(q.Actions) > 0 {
		names := make([][1]string, len(q.Actions))
		for i, a := range q.Actions {
			names[i][0] = a
		}
		args = append(args, mustJSON(names))
	}
	if q.PersonID != 0 {
		args = append(args, q.PersonID)
	}
	rows, err := tx.query(ctx, auditStatements[q.shape()], args...)
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
		return nil, fmt.Errorf("list audit: %w", err)
	}
	return list, nil
}
