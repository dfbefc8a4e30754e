package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"time"

	"matricula/internal/lms"
)

// webhookPatience is for how long a delivery is tried.
const webhookPatience = 3 * 24 * time.Hour

// Events become deliveries in one statement, for all events and webhooks of a change,
// which finds nothing where nobody wants them. Of the elements, 0 is the event's id, 1
// its name, 2 the person, 3 the data, 4 and 5 whether the site and the course are told.
const (
	toDeliver = `INSERT INTO webhook_deliveries (webhook_id, event_id, event, user_id, course_id, data, state, created_at, next_at, give_up_at)`
	aboutWhom = `w.id, j.value->>0, j.value->>1, CAST(j.value->>2 AS BIGINT)`
	isWanted  = `w.enabled AND w.events LIKE '%"' || (j.value->>1) || '"%'`
)

// ofPlaces finds the webhooks of the courses of a person.
func ofPlaces(table string) string {
	return `SELECT w.id AS webhook_id, j.value->>0 AS event_id, j.value->>1 AS event, CAST(j.value->>2 AS BIGINT) AS user_id, w.course_id, j.value->>3 AS data
		FROM {rows:$1} JOIN ` + table + ` p ON p.user_id = CAST(j.value->>2 AS BIGINT) JOIN webhooks w ON w.course_id = p.course_id WHERE ` + isWanted
}

var (
	sqlTellWebhooks = stmt(toDeliver + ` SELECT ` + aboutWhom + `, CAST($4 AS BIGINT), j.value->>3, 'queued', $2, $2, $3
		FROM webhooks w CROSS JOIN {rows:$1}
		WHERE ((w.course_id IS NULL AND j.value->>4 = 'yes') OR (w.course_id = CAST($4 AS BIGINT) AND j.value->>5 = 'yes')) AND ` + isWanted)

	// Who had a place counts too: whoever was told that somebody came is told that they
	// are erased.
	sqlTellPlaces = stmt(toDeliver + ` SELECT x.webhook_id, x.event_id, x.event, x.user_id, x.course_id, x.data, 'queued', $2, $2, $3
		FROM (` + ofPlaces("enrollments") + ` UNION ` + ofPlaces("course_privileges") + ` UNION ` + ofPlaces("past_places") + `) x`)

	sqlAnyWebhook = stmt(`SELECT count(*) FROM (SELECT 1 AS x FROM webhooks w WHERE w.enabled LIMIT 1) d`)

	// That somebody has left or is erased is told of who is erased by now too: by it a
	// receiver knows that it has to forget them.
	sqlForgetDeliveries = stmt(`DELETE FROM webhook_deliveries WHERE event NOT IN ('enrollment.ended', 'user.erased')
		AND user_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1})`)
)

// tellWebhooks queues what an audit entry means to webhooks, in the transaction of the
// entry. It asks the database nothing that it would have to wait for.
func (tx *Tx) tellWebhooks(ctx context.Context, e lms.AuditEntry) error {
	list, err := lms.Happenings(e)
	if err != nil {
		return err
	}
	return tx.queueHappenings(ctx, e, list)
}

// tellWebhooksOfMany is tellWebhooks for what AddAuditMany adds. A long list is not
// even looked at where no webhook is.
func (tx *Tx) tellWebhooksOfMany(ctx context.Context, e lms.AuditEntry, subjects []lms.AuditEntry) error {
	if !lms.Meaningful(e.Action) {
		return nil
	}
	var n int64
	if _, err := tx.one(ctx, sqlAnyWebhook, nil, &n); err != nil || n == 0 {
		return err
	}
	var all []lms.Happening
	for _, s := range subjects {
		e.SubjectID, e.Before, e.After, e.Outcome = s.SubjectID, s.Before, s.After, lms.OutcomeDone
		list, err := lms.Happenings(e)
		if err != nil {
			return err
		}
		all = append(all, list...)
	}
	return tx.queueHappenings(ctx, e, all)
}

func (tx *Tx) queueHappenings(ctx context.Context, e lms.AuditEntry, list []lms.Happening) error {
	if len(list) == 0 {
		return nil
	}
	yes := map[bool]string{true: "yes", false: "no"}
	here, wherever := make([][6]any, 0, len(list)), [][6]any(nil)
	batch := "evt_" + rand.Text() // one number would do for a database that is never brought back from a backup
	for i, h := range list {
		row := [6]any{batch + "_" + strconv.Itoa(i), string(h.Event), h.UserID, mustJSON(h.Data), yes[h.Site], yes[h.Course]}
		if here = append(here, row); h.Places {
			wherever = append(wherever, row)
		}
	}
	args := []any{nil, at(e.At), at(e.At.Add(webhookPatience)), orNull(e.CourseID)}
	args[0] = mustJSON(here)
	if err := tx.later(ctx, "tell webhooks", sqlTellWebhooks, args...); err != nil {
		return fmt.Errorf("tell webhooks of %s: %w", e.Action, err)
	}
	if len(wherever) == 0 {
		return nil
	}
	args[0] = mustJSON(wherever)
	if err := tx.later(ctx, "tell webhooks of courses", sqlTellPlaces, args[:3]...); err != nil {
		return fmt.Errorf("tell webhooks of courses of %s: %w", e.Action, err)
	}
	return nil
}

// forgetDeliveries removes what webhooks tell, or told, of people who are being
// erased.
func (tx *Tx) forgetDeliveries(ctx context.Context, ids []int64) error {
	if err := tx.later(ctx, "forget deliveries", sqlForgetDeliveries, idList(ids)); err != nil {
		return fmt.Errorf("forget deliveries about %d people: %w", len(ids), err)
	}
	return nil
}
