package store

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

const (
	webhookColumns = `w.id, w.course_id, w.owned_by, w.url, w.description, w.events, w.enabled, w.paused, w.salt, w.old_salt, w.old_until,
		w.created_at, w.failures, w.failing_since, w.next_at`
	deliveryColumns = `d.id, d.webhook_id, d.event_id, d.event, d.user_id, d.course_id, d.data, d.state, d.status, d.fault, d.attempts, d.took_ms,
		d.created_at, d.next_at, d.give_up_at, d.tried_at`
)

func webhookOf(r scanner) (w lms.Webhook, err error) {
	return w, r.Scan(&w.ID, number{&w.CourseID}, &w.OwnerID, &w.URL, &w.Description, jsonValue{&w.Events}, &w.Enabled, (*string)(&w.Paused), &w.Salt, &w.OldSalt,
		timestamp{&w.OldUntil}, timestamp{&w.CreatedAt}, &w.Failures, timestamp{&w.FailingSince}, timestamp{&w.NextAt})
}

func deliveryOf(r scanner) (d lms.WebhookDelivery, err error) {
	var ms int64
	err = r.Scan(&d.ID, &d.WebhookID, &d.EventID, (*string)(&d.Event), &d.UserID, number{&d.CourseID}, jsonValue{&d.Data}, (*string)(&d.State), &d.Status,
		(*string)(&d.Fault), &d.Attempts, &ms, timestamp{&d.CreatedAt}, timestamp{&d.NextAt}, timestamp{&d.GiveUpAt}, timestamp{&d.TriedAt})
	d.Took = time.Duration(ms) * time.Millisecond
	return d, err
}

var (
	sqlSiteWebhooks   = stmt(`SELECT ` + webhookColumns + ` FROM webhooks w WHERE w.course_id IS NULL ORDER BY w.id LIMIT $1`)
	sqlCourseWebhooks = stmt(`SELECT ` + webhookColumns + ` FROM webhooks w WHERE w.course_id = $1 ORDER BY w.id LIMIT $2`)
	sqlWebhooksOf     = stmt(`SELECT ` + webhookColumns + ` FROM webhooks w WHERE w.owned_by = $1 ORDER BY w.id LIMIT $2`)
	sqlWebhook        = stmt(`SELECT ` + webhookColumns + ` FROM webhooks w WHERE w.id = $1`)
	sqlLockWebhook    = stmt(`SELECT ` + webhookColumns + ` FROM webhooks w WHERE w.id = $1 {lock}`)
	sqlAddWebhook     = stmt(`INSERT INTO webhooks (course_id, owned_by, url, description, events, enabled, salt, created_at, next_at, leased_until)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $8) RETURNING id`)
	sqlUpdateWebhook = stmt(`UPDATE webhooks SET owned_by = $2, url = $3, description = $4, events = $5, enabled = $6, paused = $7, salt = $8, old_salt = $9, old_until = $10,
		failures = $11, failing_since = $12, next_at = $13 WHERE id = $1`)
	sqlDropDeliveries = stmt(`DELETE FROM webhook_deliveries WHERE webhook_id = $1`)
	sqlDropWebhook    = stmt(`DELETE FROM webhooks WHERE id = $1`)

	sqlAddDelivery = stmt(`INSERT INTO webhook_deliveries (webhook_id, event_id, event, user_id, course_id, data, state, created_at, next_at, give_up_at)
		VALUES ($1, $2, $3, $4, $5, '{}', 'queued', $6, $6, $7) RETURNING id`)
	sqlDelivery   = stmt(`SELECT ` + deliveryColumns + ` FROM webhook_deliveries d WHERE d.id = $1`)
	sqlDeliveries = stmt(`SELECT ` + deliveryColumns + ` FROM webhook_deliveries d WHERE d.webhook_id = $1 AND ($2 = '' OR d.state = $2) AND d.id < $3 ORDER BY d.id DESC LIMIT $4`)
	sqlDueNow     = stmt(`SELECT ` + deliveryColumns + ` FROM webhook_deliveries d
		WHERE d.webhook_id = $1 AND d.state = 'queued' AND d.next_at <= $2 ORDER BY d.next_at, d.id LIMIT $3`)
	sqlSendAgain = stmt(`UPDATE webhook_deliveries SET state = 'queued', next_at = $2, give_up_at = $3 WHERE id = $1 AND state <> 'queued'`)
	sqlEndQueued = stmt(`UPDATE webhook_deliveries SET state = $2 WHERE webhook_id = $1 AND state = 'queued'`)
	sqlTried     = stmt(`UPDATE webhook_deliveries SET state = $2, status = $3, fault = $4, took_ms = $5, tried_at = $6, next_at = $7, attempts = attempts + 1
		WHERE id = $1 AND state = 'queued'`)
	sqlOldDeliveries = stmt(`DELETE FROM webhook_deliveries WHERE id IN (SELECT d.id FROM webhook_deliveries d WHERE d.created_at < $1 ORDER BY d.created_at LIMIT $2)`)

	sqlFindWork = stmt(`SELECT w.id FROM webhooks w WHERE w.enabled AND w.next_at <= $1 AND w.leased_until <= $1
			AND EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.state = 'queued' AND d.next_at <= $1)
		ORDER BY w.leased_until, w.id LIMIT 1`)
	sqlLeaseWebhook = stmt(`UPDATE webhooks SET lease_node = $2, leased_until = $3 WHERE id = $1 AND enabled AND leased_until <= $4`)
	sqlGiveBack     = stmt(`UPDATE webhooks SET lease_node = '', leased_until = $3 WHERE id = $1 AND lease_node = $2`)
)

// Webhooks lists those of a course, or of the site when course is 0.
func (tx *Tx) Webhooks(ctx context.Context, course int64) ([]lms.Webhook, error) {
	var rows rowSet
	var err error
	if course == 0 {
		rows, err = tx.query(ctx, sqlSiteWebhooks, lms.MaxWebhooksOfSite)
	} else {
		rows, err = tx.query(ctx, sqlCourseWebhooks, course, lms.MaxWebhooksOfCourse)
	}
	list, err := collect(rows, err, webhookOf)
	if err != nil {
		return nil, fmt.Errorf("list webhooks: %w", err)
	}
	return list, nil
}

// WebhooksOf lists those for which a person answers.
func (tx *Tx) WebhooksOf(ctx context.Context, userID int64, limit int) ([]lms.Webhook, error) {
	rows, err := tx.query(ctx, sqlWebhooksOf, userID, limit)
	list, err := collect(rows, err, webhookOf)
	if err != nil {
		return nil, fmt.Errorf("list webhooks of user %d: %w", userID, err)
	}
	return list, nil
}

// Webhook reads one.
func (tx *Tx) Webhook(ctx context.Context, id int64) (lms.Webhook, bool, error) {
	return tx.webhook(ctx, sqlWebhook, id)
}

// LockWebhook reads one and keeps it as it is until the transaction ends.
func (tx *Tx) LockWebhook(ctx context.Context, id int64) (lms.Webhook, bool, error) {
	return tx.webhook(ctx, sqlLockWebhook, id)
}

func (tx *Tx) webhook(ctx context.Context, st *statement, args ...any) (w lms.Webhook, ok bool, err error) {
	rows, err := tx.query(ctx, st, args...)
	list, err := collect(rows, err, webhookOf)
	if err != nil || len(list) == 0 {
		return w, false, err
	}
	return list[0], true, nil
}

// AddWebhook makes one.
func (tx *Tx) AddWebhook(ctx context.Context, w lms.Webhook) (id int64, err error) {
	_, err = tx.one(ctx, sqlAddWebhook, []any{orNull(w.CourseID), w.OwnerID, w.URL, w.Description, mustJSON(w.Events), w.Enabled, w.Salt, at(w.CreatedAt)}, &id)
	if err != nil {
		return 0, fmt.Errorf("make a webhook: %w", err)
	}
	return id, nil
}

// UpdateWebhook writes all that can change of one.
func (tx *Tx) UpdateWebhook(ctx context.Context, w lms.Webhook) error {
	_, err := tx.exec(ctx, sqlUpdateWebhook, w.ID, w.OwnerID, w.URL, w.Description, mustJSON(w.Events), w.Enabled, string(w.Paused), w.Salt, w.OldSalt, atOrNull(w.OldUntil),
		w.Failures, atOrNull(w.FailingSince), at(w.NextAt))
	if err != nil {
		return fmt.Errorf("update webhook %d: %w", w.ID, err)
	}
	return nil
}

// DeleteWebhook removes one with its log.
func (tx *Tx) DeleteWebhook(ctx context.Context, id int64) error {
	if _, err := tx.exec(ctx, sqlDropDeliveries, id); err != nil {
		return fmt.Errorf("delete the log of webhook %d: %w", id, err)
	}
	if _, err := tx.exec(ctx, sqlDropWebhook, id); err != nil {
		return fmt.Errorf("delete webhook %d: %w", id, err)
	}
	return nil
}

// AddDelivery queues an event for one webhook alone.
func (tx *Tx) AddDelivery(ctx context.Context, d lms.WebhookDelivery) (id int64, err error) {
	_, err = tx.one(ctx, sqlAddDelivery, []any{
		d.WebhookID, d.EventID, string(d.Event), d.UserID, orNull(d.CourseID), at(d.CreatedAt), at(d.CreatedAt.Add(webhookPatience)),
	}, &id)
	if err != nil {
		return 0, fmt.Errorf("queue for webhook %d: %w", d.WebhookID, err)
	}
	return id, nil
}

// Delivery reads one.
func (tx *Tx) Delivery(ctx context.Context, id int64) (d lms.WebhookDelivery, ok bool, err error) {
	rows, err := tx.query(ctx, sqlDelivery, id)
	list, err := collect(rows, err, deliveryOf)
	if err != nil || len(list) == 0 {
		return d, false, err
	}
	return list[0], true, nil
}

// Deliveries lists those of a webhook, newest first; of one state when it is given.
func (tx *Tx) Deliveries(ctx context.Context, webhook int64, state lms.WebhookState, before int64, limit int) ([]lms.WebhookDelivery, error) {
	rows, err := tx.query(ctx, sqlDeliveries, webhook, string(state), before, limit)
	list, err := collect(rows, err, deliveryOf)
	if err != nil {
		return nil, fmt.Errorf("list deliveries of webhook %d: %w", webhook, err)
	}
	return list, nil
}

// SendAgain queues a delivery that has ended.
func (tx *Tx) SendAgain(ctx context.Context, id int64, now time.Time) (done bool, err error) {
	n, err := tx.exec(ctx, sqlSendAgain, id, at(now), at(now.Add(webhookPatience)))
	if err != nil {
		return false, fmt.Errorf("send delivery %d again: %w", id, err)
	}
	return n == 1, nil
}

// EndQueued ends what a webhook still had to tell.
func (tx *Tx) EndQueued(ctx context.Context, webhook int64, state lms.WebhookState) error {
	if _, err := tx.exec(ctx, sqlEndQueued, webhook, string(state)); err != nil {
		return fmt.Errorf("end what webhook %d had to tell: %w", webhook, err)
	}
	return nil
}

// DropDeliveries removes some of the log that is older than a time, and tells how many.
func (tx *Tx) DropDeliveries(ctx context.Context, before time.Time, limit int) (int64, error) {
	n, err := tx.exec(ctx, sqlOldDeliveries, at(before), limit)
	if err != nil {
		return 0, fmt.Errorf("drop old deliveries: %w", err)
	}
	return n, nil
}

// WebhookWork finds a webhook that has something to tell and that no node holds.
func (tx *Tx) WebhookWork(ctx context.Context, now time.Time) (id int64, ok bool, err error) {
	if ok, err = tx.one(ctx, sqlFindWork, []any{at(now)}, &id); err != nil {
		return 0, false, fmt.Errorf("look for what webhooks have to tell: %w", err)
	}
	return id, ok, nil
}

// LeaseWebhook takes a webhook for a node, so that no other one sends for it.
func (tx *Tx) LeaseWebhook(ctx context.Context, id int64, node string, now, until time.Time) (bool, error) {
	n, err := tx.exec(ctx, sqlLeaseWebhook, id, node, at(until), at(now))
	if err != nil {
		return false, fmt.Errorf("lease webhook %d: %w", id, err)
	}
	return n == 1, nil
}

// DueDeliveries lists what a webhook has to tell now, the oldest first.
func (tx *Tx) DueDeliveries(ctx context.Context, webhook int64, now time.Time, limit int) ([]lms.WebhookDelivery, error) {
	rows, err := tx.query(ctx, sqlDueNow, webhook, at(now), limit)
	list, err := collect(rows, err, deliveryOf)
	if err != nil {
		return nil, fmt.Errorf("list what webhook %d has to tell: %w", webhook, err)
	}
	return list, nil
}

// Tried notes an attempt: d is the delivery as it is afterwards.
func (tx *Tx) Tried(ctx context.Context, d lms.WebhookDelivery) error {
	if _, err := tx.exec(ctx, sqlTried, d.ID, string(d.State), d.Status, string(d.Fault), d.Took.Milliseconds(), at(d.TriedAt), at(d.NextAt)); err != nil {
		return fmt.Errorf("note delivery %d: %w", d.ID, err)
	}
	return nil
}

// GiveBackWebhook ends the lease of a node.
func (tx *Tx) GiveBackWebhook(ctx context.Context, id int64, node string, now time.Time) error {
	if err := tx.later(ctx, "give a webhook back", sqlGiveBack, id, node, at(now)); err != nil {
		return fmt.Errorf("give webhook %d back: %w", id, err)
	}
	return nil
}
