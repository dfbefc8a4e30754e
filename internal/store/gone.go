package store

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

// Gone is somebody who is withdrawn or expires.
type Gone struct {
	UserID int64
	Hash   string // of the address, keyed
	Masked string
}

// A pending person has one address, the primary one: others are added by whoever
// has signed in.
var (
	sqlFreeAddresses = stmt(`DELETE FROM emails WHERE is_primary AND user_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1})`)
	sqlEraseUsers    = stmt(`UPDATE users SET status = 'erased', site_role = 'member', given_name = '', family_name = '', name = '',
			search_key = '', sort_key = '', language = '', renewed_at = NULL
		WHERE id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1}) AND status = 'pending'`)
	sqlForgetNumbers = stmt(`UPDATE past_places SET number = '' WHERE user_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1})`)
	sqlStopMails     = stmt(`UPDATE mails SET state = 'canceled', data = '{}', ended_at = $2, lease_node = '' WHERE state = 'queued' AND user_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1})`)
	sqlForgetMails   = stmt(`UPDATE mails SET address = '' WHERE user_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1})`)
	sqlStopProofs    = stmt(`DELETE FROM proofs WHERE user_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1})`)
	sqlUnlink        = stmt(`DELETE FROM directory_links WHERE user_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1})`)
	sqlUnprovision   = stmt(`DELETE FROM directory_people WHERE user_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1})`)
	sqlAddGone       = stmt(`INSERT INTO gone_people (user_id, gone_at, gone_by, expired, address_hash, masked)
		SELECT CAST(j.value->>0 AS BIGINT), $2, $3, $4, j.value->>1, j.value->>2 FROM {rows:$1}`)
)

// ErasePending erases pending people whom the transaction holds and who have no
// places any more: their addresses are free, and nothing personal is left in their
// rows or in their past places. The rows stay, so that their ids never lead to
// anybody else.
func (tx *Tx) ErasePending(ctx context.Context, people []Gone, by int64, expired bool, now time.Time) error {
	ids := make([]int64, len(people))
	list := make([][3]any, len(people))
	for i, p := range people {
		ids[i] = p.UserID
		list[i] = [3]any{p.UserID, p.Hash, p.Masked}
	}
	param := idList(ids)
	if _, err := tx.exec(ctx, sqlFreeAddresses, param); err != nil {
		return fmt.Errorf("free the addresses of %d people: %w", len(people), err)
	}
	n, err := tx.exec(ctx, sqlEraseUsers, param)
	if err != nil {
		return fmt.Errorf("erase %d people: %w", len(people), err)
	}
	if n != int64(len(people)) {
		return fmt.Errorf("erase %d people: %d were pending", len(people), n)
	}
	if err := tx.later(ctx, "forget student numbers", sqlForgetNumbers, param); err != nil {
		return fmt.Errorf("forget student numbers: %w", err)
	}
	if err := tx.stopMail(ctx, param, now); err != nil {
		return err
	}
	if err := tx.later(ctx, "forget addresses of mails", sqlForgetMails, param); err != nil {
		return fmt.Errorf("forget addresses of mails: %w", err)
	}
	for _, st := range []*statement{sqlUnlink, sqlUnprovision} {
		if err := tx.later(ctx, "forget what directories say", st, param); err != nil {
			return fmt.Errorf("forget what directories say: %w", err)
		}
	}
	for _, id := range ids {
		tx.search.add(searchEntry{id: id})
	}
	if err := tx.later(ctx, "keep who is gone", sqlAddGone, mustJSON(list), at(now), by, expired); err != nil {
		return fmt.Errorf("keep who is gone: %w", err)
	}
	return nil
}

// stopMail ends the mails that wait for people, and the codes that were sent to their
// addresses: these are somebody else's from now on.
func (tx *Tx) stopMail(ctx context.Context, ids string, now time.Time) error {
	if err := tx.later(ctx, "stop mails", sqlStopMails, ids, at(now)); err != nil {
		return fmt.Errorf("stop mails: %w", err)
	}
	if err := tx.later(ctx, "stop proofs", sqlStopProofs, ids); err != nil {
		return fmt.Errorf("stop proofs: %w", err)
	}
	return nil
}

var (
	// The place that ended together with the person, and while there is a masked
	// address. Whoever is limited to sections sees those who were in one of that name.
	sqlGonePlaces = stmt(`SELECT t.id, t.user_id, g.masked, t.role_key, t.role_name, t.is_preset, t.allow, t.deny, t.began_at, t.ended_at,
			CASE WHEN g.expired THEN 1 ELSE 0 END, ` + userColumns + `
		FROM past_places t JOIN gone_people g ON g.user_id = t.user_id AND g.gone_at = t.ended_at JOIN users u ON u.id = g.gone_by` + joinEmail + `
		WHERE t.course_id = $1 AND t.id < $2 AND g.masked <> ''
			AND ($4 = '[]' OR t.section IN (SELECT s.name FROM sections s WHERE s.course_id = $1 AND s.id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$4})))
		ORDER BY t.id DESC LIMIT $3`)
	sqlGoneByHash  = stmt(`SELECT user_id, gone_at, CASE WHEN expired THEN 1 ELSE 0 END FROM gone_people WHERE address_hash = $1 ORDER BY gone_at DESC, user_id DESC LIMIT 1`)
	sqlForgetMasks = stmt(`UPDATE gone_people SET masked = '' WHERE masked <> '' AND gone_at < $1`)
)

// GonePlaces lists the places in a course of those who were named, never came and
// are gone, the last first, with an id below before.
func (tx *Tx) GonePlaces(ctx context.Context, courseID, before int64, limit int, within lms.IDs) ([]lms.GonePlace, error) {
	rows, err := tx.query(ctx, sqlGonePlaces, courseID, before, limit, idList(within.List()))
	list, err := collect(rows, err, func(r scanner) (p lms.GonePlace, err error) {
		var expired int64
		dest := []any{
			&p.ID, &p.UserID, &p.Masked, &p.Role.Key, &p.Role.Name, &p.Role.Preset,
			privileges{&p.Allow},
			privileges{&p.Deny},
			timestamp{&p.Began},
			timestamp{&p.Ended},
			&expired,
		}
		err = r.Scan(append(dest, userDest(&p.EndedBy)...)...)
		p.Expired = expired != 0
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("list who is gone from course %d: %w", courseID, err)
	}
	return list, nil
}

// GoneByHash finds who last had the address with a keyed hash and is gone.
func (tx *Tx) GoneByHash(ctx context.Context, hash string) (g lms.GonePerson, ok bool, err error) {
	var expired int64
	ok, err = tx.one(ctx, sqlGoneByHash, []any{hash}, &g.UserID, timestamp{&g.At}, &expired)
	if err != nil {
		return g, false, fmt.Errorf("find who is gone: %w", err)
	}
	g.Expired = expired != 0
	return g, ok, nil
}

// ForgetMasks removes the masked addresses of those who were gone before a time.
func (tx *Tx) ForgetMasks(ctx context.Context, before time.Time) error {
	if _, err := tx.exec(ctx, sqlForgetMasks, at(before)); err != nil {
		return fmt.Errorf("forget masked addresses: %w", err)
	}
	return nil
}

// The people to be told are those who are there to hear it, and gave something
// themselves: each once for each person.
var sqlToTell = stmt(`SELECT DISTINCT g.granter, u.id FROM (
			SELECT u.id AS id, u.created_by AS granter FROM users u WHERE ` + isDue + `
			UNION
			SELECT u.id, x.added_by FROM users u JOIN enrollments x ON x.user_id = u.id WHERE ` + isDue + `
			UNION
			SELECT u.id, y.granted_by FROM users u JOIN course_privileges y ON y.user_id = u.id WHERE ` + isDue + `
		) g JOIN users u ON u.id = g.id JOIN users b ON b.id = g.granter AND b.status = 'active' AND b.kind = 'person'
		WHERE g.granter > $2 OR (g.granter = $2 AND u.id > $3)
		ORDER BY g.granter, u.id LIMIT $4`)

// ToTell says that somebody gave something to a person who waits.
type ToTell struct{ GranterID, UserID int64 }

// ToTell lists who has named or given something to people who are due as PendingDue
// says, in the order of both ids and after a pair of them.
func (tx *Tx) ToTell(ctx context.Context, since time.Time, after ToTell, limit int) ([]ToTell, error) {
	rows, err := tx.query(ctx, sqlToTell, at(since), after.GranterID, after.UserID, limit)
	list, err := collect(rows, err, func(r scanner) (t ToTell, err error) { return t, r.Scan(&t.GranterID, &t.UserID) })
	if err != nil {
		return nil, fmt.Errorf("list who is to be told: %w", err)
	}
	return list, nil
}
