package store

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

// listed are the numbers in the JSON list $1.
const listed = `(SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1})`

// What erasing writes and removes, beside what is found in texts (erase_texts.go).
// Whoever adds a column in which something personal stands adds it here; a test
// lists all columns and asks of each what becomes of it (erase_columns_test.go).
var (
	// Nobody may refer to the person by a row that is on its way while they are
	// being erased, so that the lock is stronger than that of LockUser.
	sqlHoldErased = stmtFor(`SELECT status, claimed_at FROM users WHERE id = $1`, `SELECT status, claimed_at FROM users WHERE id = $1 FOR UPDATE`)
	sqlEraseUser  = stmt(`UPDATE users SET status = 'erased', site_role = 'member', given_name = '', family_name = '', name = '',
		search_key = $2, sort_key = $2, language = '', last_seen_at = NULL WHERE id = $1`)

	sqlEraseRequests = stmt(`UPDATE erasure_requests SET note = '', answer = '' WHERE user_id = $1`)

	// Removed with all that stands in the row, and what is emptied; $1 lists the people.
	eraseRows = []struct {
		label string
		st    *statement
	}{
		{"erase addresses", stmt(`DELETE FROM emails WHERE user_id IN ` + listed)},
		{"erase identities", stmt(`DELETE FROM identities WHERE user_id IN ` + listed)},
		{"erase sessions", stmt(`DELETE FROM sessions WHERE user_id IN ` + listed)},
		{"erase API tokens", stmt(`DELETE FROM api_tokens WHERE user_id IN ` + listed)},
		{"erase idempotency keys", stmt(`DELETE FROM idempotency_keys WHERE user_id IN ` + listed)},
		{"erase privileges", stmt(`DELETE FROM course_privileges WHERE user_id IN ` + listed)},
		{"erase mails", stmt(`DELETE FROM mails WHERE user_id IN ` + listed)},
		{"erase proofs", stmt(`DELETE FROM proofs WHERE user_id IN ` + listed)},
		{"erase lifted limits", stmt(`DELETE FROM limit_lifts WHERE user_id IN ` + listed)},
		{"erase notices", stmt(`DELETE FROM notices WHERE user_id IN ` + listed)},
		{"erase records of merges", stmt(`DELETE FROM merge_rows WHERE merge_id IN (SELECT m.id FROM merges m WHERE m.kept_id IN ` + listed + ` OR m.gone_id IN ` + listed + `)`)},
		{"erase links", stmt(`DELETE FROM directory_links WHERE user_id IN ` + listed)},
		{"erase what directories say", stmt(`DELETE FROM directory_people WHERE user_id IN ` + listed)},
		{"erase identifiers", stmt(`DELETE FROM sourced_ids WHERE kind = 'user' AND local_id IN ` + listed)},
		{"erase numbers", stmt(`UPDATE enrollments SET number = '' WHERE number <> '' AND user_id IN ` + listed)},
		{"erase past numbers", stmt(`UPDATE past_places SET number = '' WHERE number <> '' AND user_id IN ` + listed)},
	}

	// Without its record, a merge cannot be split any more, nor is there anybody to ask.
	sqlEndMerges = stmt(`UPDATE merges SET expires_at = $2 WHERE (kept_id IN ` + listed + ` OR gone_id IN ` + listed + `) AND state IN ('asked', 'done') AND expires_at > $2`)

	sqlEndAllPlaces = stmt(`INSERT INTO past_places (course_id, user_id, role_key, role_name, is_preset, allow, deny, added_by, began_at, ended_by, ended_at, section, number, begins_at, ends_at, limited_to)
		SELECT en.course_id, en.user_id, r.key, r.name, r.is_preset, '[]', '[]', en.added_by, en.created_at, $2, $3, coalesce(sec.name, ''), '', en.begins_at, en.ends_at, en.limited_to
		FROM enrollments en JOIN course_roles r ON r.id = en.role_id LEFT JOIN sections sec ON sec.id = en.section_id
		WHERE en.user_id = $1`)
	sqlLeaveAll = stmt(`DELETE FROM enrollments WHERE user_id = $1`)
)

// EraseUser removes all that is personal about somebody, and leaves what others
// rely on under the same id, which never leads to anybody else: their places in
// courses, those that they had, what they announced and what stands in the audit.
// Their address is free again. Whoever never arrived has done nothing in their
// courses, and leaves them, ended by by. Erased is false when there is no such person,
// or none any more.
//
// It does not look at who owns courses, and writes no audit entry: whoever calls it
// does.
func (tx *Tx) EraseUser(ctx context.Context, id, by int64, now time.Time) (erased bool, err error) {
	var status lms.UserStatus
	var claimed time.Time
	ok, err := tx.one(ctx, sqlHoldErased, []any{id}, &status, timestamp{&claimed})
	if err != nil {
		return false, fmt.Errorf("hold user %d: %w", id, err)
	}
	if !ok || status == lms.StatusErased {
		return false, nil
	}
	p, err := tx.personalOf(ctx, id)
	if err != nil {
		return false, err
	}
	pseudonym := lms.FoldSearch(lms.Pseudonym(id))
	if _, err := tx.exec(ctx, sqlEraseUser, id, pseudonym); err != nil {
		return false, fmt.Errorf("erase user %d: %w", id, err)
	}
	tx.search.add(searchEntry{id: id, key: pseudonym})
	if claimed.IsZero() {
		if err := tx.leaveAll(ctx, id, by, now); err != nil {
			return false, err
		}
	}
	return true, tx.forget(ctx, []*personal{p}, nil, now)
}

// forget removes what is kept of people beside their row in users, which says already
// that they are erased: of those whom EraseUser erases and of those who never came alike.
// Lists are the chunks of class lists in which they stand; nil: it looks for them.
func (tx *Tx) forget(ctx context.Context, people []*personal, lists []ChunkKey, now time.Time) error {
	ids := make([]int64, len(people))
	for i, p := range people {
		ids[i] = p.id
	}
	param := idList(ids)
	for _, e := range eraseRows {
		if err := tx.later(ctx, e.label, e.st, param); err != nil {
			return fmt.Errorf("%s of %d people: %w", e.label, len(people), err)
		}
	}
	if err := tx.later(ctx, "end merges", sqlEndMerges, param, at(now)); err != nil {
		return fmt.Errorf("end merges of %d people: %w", len(people), err)
	}
	if lists != nil {
		if err := tx.eraseChunks(ctx, people, lists); err != nil {
			return err
		}
	}
	for _, p := range people {
		merged, err := tx.mergedFrom(ctx, p.id)
		if err != nil {
			return err
		}
		// What was written while somebody had another account is about them too.
		for _, p.id = range append(merged, p.id) {
			if err := tx.later(ctx, "erase notes", sqlEraseRequests, p.id); err != nil {
				return fmt.Errorf("erase notes of user %d: %w", p.id, err)
			}
			if err := tx.eraseClaims(ctx, p.id); err != nil {
				return err
			}
			if err := tx.forgetDeliveries(ctx, []int64{p.id}); err != nil {
				return err
			}
			if err := tx.eraseTexts(ctx, p, lists == nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func (tx *Tx) leaveAll(ctx context.Context, id, by int64, now time.Time) error {
	if err := tx.later(ctx, "end places", sqlEndAllPlaces, id, by, at(now)); err != nil {
		return fmt.Errorf("end the places of user %d: %w", id, err)
	}
	if err := tx.later(ctx, "leave courses", sqlLeaveAll, id); err != nil {
		return fmt.Errorf("take user %d out of courses: %w", id, err)
	}
	return nil
}

var sqlAnyUser = stmt(`SELECT ` + userColumns + ` FROM users u` + joinEmail + ` WHERE u.id = $1`)

// AnyUser reads one user, erased or not, for whoever shows what the user did.
func (tx *Tx) AnyUser(ctx context.Context, id int64) (u lms.User, ok bool, err error) {
	ok, err = tx.one(ctx, sqlAnyUser, []any{id}, userDest(&u)...)
	if err != nil {
		return u, false, fmt.Errorf("read user %d: %w", id, err)
	}
	return u, ok, nil
}
