package store

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

const mailColumns = `m.id, m.kind, m.user_id, m.address, m.event, m.course_id, m.language, m.data, m.state, m.fault, m.attempts, m.created_by, m.created_at, m.next_at, m.ended_at`

func mailOf(r scanner) (m lms.Mail, err error) {
	return m, r.Scan(&m.ID, (*string)(&m.Kind), &m.UserID, (*string)(&m.Address), &m.Event, number{&m.CourseID}, &m.Language, stored{&m.Data}, (*string)(&m.State), &m.Fault,
		&m.Attempts, &m.CreatedBy, timestamp{&m.CreatedAt}, timestamp{&m.NextAt}, timestamp{&m.EndedAt})
}

var (
	sqlAddMail = stmt(`INSERT INTO mails (kind, user_id, address, event, course_id, language, data, state, created_by, created_at, next_at, leased_until)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued', $8, $9, $10, $9) ON CONFLICT (event) DO NOTHING RETURNING id`)
	sqlLeaseMails = stmtFor(
		`UPDATE mails SET lease_node = $1, leased_until = $2, attempts = attempts + 1 WHERE id IN (
			SELECT id FROM mails WHERE state = 'queued' AND next_at <= $3 AND leased_until <= $3 ORDER BY next_at, id LIMIT $4)`,
		`UPDATE mails SET lease_node = $1, leased_until = $2, attempts = attempts + 1 WHERE id IN (
			SELECT id FROM mails WHERE state = 'queued' AND next_at <= $3 AND leased_until <= $3 ORDER BY next_at, id LIMIT $4 FOR UPDATE SKIP LOCKED)`)
	sqlLeasedMails = stmt(`SELECT ` + mailColumns + ` FROM mails m WHERE m.state = 'queued' AND m.lease_node = $1 AND m.leased_until = $2 ORDER BY m.next_at, m.id`)
	sqlHoldMail    = stmt(`SELECT ` + mailColumns + ` FROM mails m WHERE m.id = $1 AND m.lease_node = $2 AND m.state = 'queued' AND m.leased_until > $3 {lock}`)
	sqlEndMail     = stmt(`UPDATE mails SET state = $2, fault = $3, ended_at = $4, data = '{}', lease_node = '' WHERE id = $1`)
	sqlRetryMail   = stmt(`UPDATE mails SET next_at = $2, fault = $3, lease_node = '', leased_until = $2 WHERE id = $1`)
	sqlReturnMails = stmt(`UPDATE mails SET lease_node = '', leased_until = $2, attempts = attempts - 1 WHERE lease_node = $1 AND state = 'queued'`)
	sqlMailIsDue   = stmt(`SELECT count(*) FROM (SELECT 1 AS x FROM mails WHERE state = 'queued' AND next_at <= $1 AND leased_until <= $1 LIMIT 1) d`)
	sqlMails       = stmt(`SELECT ` + mailColumns + ` FROM mails m WHERE ($1 = '' OR m.state = $1) AND m.id < $2 ORDER BY m.id DESC LIMIT $3`)
	sqlMailCounts  = stmt(`SELECT state, count(*) FROM mails GROUP BY state`)
	sqlDropMails   = stmt(`DELETE FROM mails WHERE ended_at < $1`)
)

// AddMail queues a mail. It is not there when its event was told before: then id
// is 0.
func (tx *Tx) AddMail(ctx context.Context, m lms.Mail) (id int64, err error) {
	data := m.Data
	if data == nil {
		data = map[string]string{}
	}
	_, err = tx.one(ctx, sqlAddMail, []any{
		string(m.Kind), m.UserID, string(m.Address), m.Event, orNull(m.CourseID), m.Language, mustJSON(data), m.CreatedBy, at(m.CreatedAt), at(m.NextAt),
	}, &id)
	if err != nil {
		return 0, fmt.Errorf("queue mail %s: %w", m.Kind, err)
	}
	return id, nil
}

// MailIsDue tells whether there is a mail to send that no node holds.
func (tx *Tx) MailIsDue(ctx context.Context, now time.Time) (bool, error) {
	var n int64
	if _, err := tx.one(ctx, sqlMailIsDue, []any{at(now)}, &n); err != nil {
		return false, fmt.Errorf("look for mail: %w", err)
	}
	return n > 0, nil
}

// LeaseMails takes mails that are due, the oldest first, for a node.
func (tx *Tx) LeaseMails(ctx context.Context, node string, now, until time.Time, limit int) ([]lms.Mail, error) {
	n, err := tx.exec(ctx, sqlLeaseMails, node, at(until), at(now), limit)
	if err != nil || n == 0 {
		return nil, err
	}
	rows, err := tx.query(ctx, sqlLeasedMails, node, at(until))
	list, err := collect(rows, err, mailOf)
	if err != nil {
		return nil, fmt.Errorf("lease mails: %w", err)
	}
	return list, nil
}

// HoldMail keeps a mail that a node has leased until the transaction ends; ok is
// false when the lease is over, or the mail.
func (tx *Tx) HoldMail(ctx context.Context, id int64, node string, now time.Time) (m lms.Mail, ok bool, err error) {
	rows, err := tx.query(ctx, sqlHoldMail, id, node, at(now))
	list, err := collect(rows, err, mailOf)
	if err != nil || len(list) == 0 {
		return m, false, err
	}
	return list[0], true, nil
}

// EndMail notes what became of a mail, and forgets what it said.
func (tx *Tx) EndMail(ctx context.Context, id int64, state lms.MailState, fault string, now time.Time) error {
	if err := tx.later(ctx, "end mail", sqlEndMail, id, string(state), fault, at(now)); err != nil {
		return fmt.Errorf("end mail %d: %w", id, err)
	}
	return nil
}

// RetryMail has a mail tried again later.
func (tx *Tx) RetryMail(ctx context.Context, id int64, next time.Time, fault string) error {
	if err := tx.later(ctx, "retry mail", sqlRetryMail, id, at(next), fault); err != nil {
		return fmt.Errorf("retry mail %d: %w", id, err)
	}
	return nil
}

// ReturnMails gives back what a node has leased and not tried.
func (tx *Tx) ReturnMails(ctx context.Context, node string, now time.Time) error {
	if err := tx.later(ctx, "return mails", sqlReturnMails, node, at(now)); err != nil {
		return fmt.Errorf("return mails: %w", err)
	}
	return nil
}

// Mails lists mails, newest first; of one state when it is given.
func (tx *Tx) Mails(ctx context.Context, state lms.MailState, before int64, limit int) ([]lms.Mail, error) {
	rows, err := tx.query(ctx, sqlMails, string(state), before, limit)
	list, err := collect(rows, err, mailOf)
	if err != nil {
		return nil, fmt.Errorf("list mails: %w", err)
	}
	return list, nil
}

// MailCounts counts the mails in each state.
func (tx *Tx) MailCounts(ctx context.Context) (map[lms.MailState]int64, error) {
	counts := map[lms.MailState]int64{}
	rows, err := tx.query(ctx, sqlMailCounts)
	_, err = collect(rows, err, func(r scanner) (struct{}, error) {
		var state string
		var n int64
		err := r.Scan(&state, &n)
		counts[lms.MailState(state)] = n
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("count mails: %w", err)
	}
	return counts, nil
}
