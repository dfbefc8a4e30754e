package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"matricula/internal/lms"
)

// userColumnsAs are userColumns of other tables than users u and emails e.
func userColumnsAs(u, e string) string {
	return strings.NewReplacer("u.", u+".", "e.", e+".").Replace(userColumns)
}

// mergeColumns are a merge m with its people, in the order of mergeOf. An account
// that is gone has its address among the rows of the merge.
var mergeSelect = `SELECT m.id, m.was, m.state, m.asked_at, m.kept_said_at, m.gone_said_at, m.done_at, m.ended_at, m.expires_at, coalesce(x.rows, '[]'),
	` + userColumnsAs("k", "ke") + `, ` + userColumnsAs("g", "ge") + `, ` + userColumnsAs("a", "ae") + `
	FROM merges m
	JOIN users k ON k.id = m.kept_id LEFT JOIN emails ke ON ke.user_id = k.id AND ke.is_primary
	JOIN users g ON g.id = m.gone_id LEFT JOIN emails ge ON ge.user_id = g.id AND ge.is_primary
	JOIN users b ON b.id = m.asked_by JOIN users a ON a.id = coalesce(b.merged_into, b.id) LEFT JOIN emails ae ON ae.user_id = a.id AND ae.is_primary
	LEFT JOIN merge_rows x ON x.merge_id = m.id AND x.part = 'emails.user_id'`

var (
	sqlMerge     = stmt(mergeSelect + ` WHERE m.id = $1`)
	sqlMerges    = stmt(mergeSelect + ` WHERE m.id < $1 ORDER BY m.id DESC LIMIT $2`)
	sqlMergesFor = stmt(mergeSelect + ` WHERE m.id < $1 AND m.id IN (
			SELECT id FROM merges WHERE kept_id = $3 UNION SELECT id FROM merges WHERE asked_by = $3 UNION SELECT id FROM merges WHERE gone_id = $3 AND state = 'asked')
		ORDER BY m.id DESC LIMIT $2`)
	sqlMergesAsking = stmt(mergeSelect + ` WHERE m.state = 'asked' AND m.expires_at > $2 AND m.id IN (
			SELECT id FROM merges WHERE kept_id = $1 UNION SELECT id FROM merges WHERE gone_id = $1)
		ORDER BY m.id`)
	sqlLockMerge = stmt(`SELECT id FROM merges WHERE id = $1 {lock}`)

	sqlAddMerge = stmt(`INSERT INTO merges (kept_id, gone_id, was, state, asked_by, asked_at, done_by, ended_by, expires_at)
		VALUES ($1, $2, $3, 'asked', $4, $5, $4, $4, $6) ON CONFLICT DO NOTHING RETURNING id`)
	sqlOpenMerge  = stmt(`SELECT id FROM merges WHERE state = 'asked' AND ((kept_id = $1 AND gone_id = $2) OR (kept_id = $2 AND gone_id = $1))`)
	sqlSayKept    = stmt(`UPDATE merges SET kept_said_at = $3 WHERE id = $1 AND kept_id = $2 AND kept_said_at IS NULL AND state = 'asked'`)
	sqlSayGone    = stmt(`UPDATE merges SET gone_said_at = $3 WHERE id = $1 AND gone_id = $2 AND gone_said_at IS NULL AND state = 'asked'`)
	sqlMergeDone  = stmt(`UPDATE merges SET state = 'done', done_by = $2, done_at = $3, expires_at = $4 WHERE id = $1`)
	sqlMergeEnded = stmt(`UPDATE merges SET state = $2, ended_by = $3, ended_at = $4 WHERE id = $1`)
	sqlLaterMerge = stmt(`SELECT id FROM merges WHERE state = 'done' AND id <> $1 AND (kept_id IN ($2, $3) OR gone_id IN ($2, $3))
		AND (done_at > $4 OR (done_at = $4 AND id > $1)) ORDER BY done_at, id LIMIT 1`)
	sqlLockPeople   = stmtFor(`SELECT id FROM users WHERE id IN ($1, $2)`, `SELECT id FROM users WHERE id IN ($1, $2) ORDER BY id FOR UPDATE`)
	sqlMergedInto   = stmt(`SELECT merged_into FROM users WHERE id = $1 AND merged_into IS NOT NULL`)
	sqlMergedFrom   = stmt(`SELECT id FROM users WHERE merged_into = $1 ORDER BY id`)
	sqlPlacesOfBoth = stmt(`SELECT course_id FROM enrollments WHERE user_id IN ($1, $2)
		UNION SELECT course_id FROM course_privileges WHERE user_id IN ($1, $2) ORDER BY 1`)
)

func mergeOf(r scanner) (m lms.Merge, err error) {
	var addresses string
	dest := []any{
		&m.ID, &m.Was, &m.State,
		timestamp{&m.AskedAt},
		timestamp{&m.KeptSaid},
		timestamp{&m.GoneSaid},
		timestamp{&m.Done},
		timestamp{&m.Ended},
		timestamp{&m.Expires},
		&addresses,
	}
	for _, u := range []*lms.User{&m.Kept, &m.Gone, &m.AskedBy} {
		dest = append(dest, userDest(u)...)
	}
	if err := r.Scan(dest...); err != nil {
		return m, err
	}
	var list []joinedAddress
	if err := json.Unmarshal([]byte(addresses), &list); err != nil {
		return m, err
	}
	for _, a := range list {
		if a.Primary && m.Gone.Email == "" {
			m.Gone.Email = a.Address
			if strings.TrimSpace(m.Gone.Name+m.Gone.GivenName+m.Gone.FamilyName) == "" {
				m.Gone.Name = string(a.Address) // as they were called
			}
		}
	}
	return m, nil
}

func (tx *Tx) merges(ctx context.Context, st *statement, args ...any) ([]lms.Merge, error) {
	rows, err := tx.query(ctx, st, args...)
	list, err := collect(rows, err, mergeOf)
	if err != nil {
		return nil, fmt.Errorf("list merges: %w", err)
	}
	return list, nil
}

// Merge reads a merge.
func (tx *Tx) Merge(ctx context.Context, id int64) (m lms.Merge, ok bool, err error) {
	list, err := tx.merges(ctx, sqlMerge, id)
	if err != nil || len(list) == 0 {
		return m, false, err
	}
	return list[0], true, nil
}

// LockMerge keeps others from changing a merge until the transaction ends.
func (tx *Tx) LockMerge(ctx context.Context, id int64) error {
	if err := tx.lock(ctx, "lock merge", sqlLockMerge, id); err != nil {
		return fmt.Errorf("lock merge %d: %w", id, err)
	}
	return nil
}

// Merges lists merges, the newest first, with an id below before: all of them, or
// when user is not 0 those that they asked for, that made them whom they are, or
// that ask them.
func (tx *Tx) Merges(ctx context.Context, user, before int64, limit int) ([]lms.Merge, error) {
	if user == 0 {
		return tx.merges(ctx, sqlMerges, before, limit)
	}
	return tx.merges(ctx, sqlMergesFor, before, limit, user)
}

// MergesAsking lists the merges about which somebody is asked at a time.
func (tx *Tx) MergesAsking(ctx context.Context, user int64, now time.Time) ([]lms.Merge, error) {
	return tx.merges(ctx, sqlMergesAsking, user, at(now))
}

// AddMerge begins a merge, which is asked about until expires. Ok is false when
// it is asked about the same two already.
func (tx *Tx) AddMerge(ctx context.Context, m lms.Merge) (id int64, ok bool, err error) {
	ok, err = tx.one(ctx, sqlAddMerge, []any{m.Kept.ID, m.Gone.ID, string(m.Was), m.AskedBy.ID, at(m.AskedAt), at(m.Expires)}, &id)
	if err != nil {
		return 0, false, fmt.Errorf("add merge of %d into %d: %w", m.Gone.ID, m.Kept.ID, err)
	}
	return id, ok, nil
}

// OpenMerge finds the merge that is asked about two people, whichever is kept.
func (tx *Tx) OpenMerge(ctx context.Context, one, other int64) (id int64, ok bool, err error) {
	ok, err = tx.one(ctx, sqlOpenMerge, []any{one, other}, &id)
	if err != nil {
		return 0, false, fmt.Errorf("find the merge of %d and %d: %w", one, other, err)
	}
	return id, ok, nil
}

// SayMerge notes that one of the two people said that they are one.
func (tx *Tx) SayMerge(ctx context.Context, id, user int64, now time.Time) error {
	for _, st := range []*statement{sqlSayKept, sqlSayGone} {
		if err := tx.later(ctx, "answer merge", st, id, user, at(now)); err != nil {
			return fmt.Errorf("answer merge %d: %w", id, err)
		}
	}
	return nil
}

// EndMerge notes that a merge was split or withdrawn.
func (tx *Tx) EndMerge(ctx context.Context, id int64, state lms.MergeState, by int64, now time.Time) error {
	if err := tx.later(ctx, "end merge", sqlMergeEnded, id, string(state), by, at(now)); err != nil {
		return fmt.Errorf("end merge %d: %w", id, err)
	}
	return nil
}

// LaterMerge finds a merge that was carried out after another, concerns one of the same
// accounts, and has to be split before it. The two may have been asked for in the other
// order.
func (tx *Tx) LaterMerge(ctx context.Context, m lms.Merge) (id int64, ok bool, err error) {
	ok, err = tx.one(ctx, sqlLaterMerge, []any{m.ID, m.Kept.ID, m.Gone.ID, at(m.Done)}, &id)
	if err != nil {
		return 0, false, fmt.Errorf("find what came after merge %d: %w", m.ID, err)
	}
	return id, ok, nil
}

// LockPeople keeps two people as they are until the transaction ends, and holds up
// whoever is about to refer to one of them, until it is known who they are.
func (tx *Tx) LockPeople(ctx context.Context, one, other int64) error {
	if err := tx.lock(ctx, "lock people", sqlLockPeople, one, other); err != nil {
		return fmt.Errorf("lock users %d and %d: %w", one, other, err)
	}
	return nil
}

// MergedInto tells into whom an account was merged.
func (tx *Tx) MergedInto(ctx context.Context, id int64) (into int64, ok bool, err error) {
	ok, err = tx.one(ctx, sqlMergedInto, []any{id}, &into)
	if err != nil {
		return 0, false, fmt.Errorf("look where user %d is now: %w", id, err)
	}
	return into, ok, nil
}

// mergedFrom lists the accounts that were merged into one.
func (tx *Tx) mergedFrom(ctx context.Context, id int64) ([]int64, error) {
	rows, err := tx.query(ctx, sqlMergedFrom, id)
	list, err := collect(rows, err, func(r scanner) (id int64, err error) { return id, r.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("list what was merged into user %d: %w", id, err)
	}
	return list, nil
}

// CoursesOfBoth lists the courses in which at least one of two people has a place.
func (tx *Tx) CoursesOfBoth(ctx context.Context, one, other int64) ([]int64, error) {
	rows, err := tx.query(ctx, sqlPlacesOfBoth, one, other)
	list, err := collect(rows, err, func(r scanner) (id int64, err error) { return id, r.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("list the courses of users %d and %d: %w", one, other, err)
	}
	return list, nil
}

// PartCount is how many rows of a reference are meant.
type PartCount struct {
	Part string // the name of a Reference
	Rows int64
}

// MergeCounts counts what would move from an account to another or end with it,
// without the places in courses and the addresses. Of somebody who never signed in,
// what people do is not looked for.
func (tx *Tx) MergeCounts(ctx context.Context, gone lms.User) ([]PartCount, error) {
	var list []PartCount
	count := func(r Reference, st *statement) error {
		var n int64
		if _, err := tx.one(ctx, st, []any{gone.ID}, &n); err != nil {
			return fmt.Errorf("count %s of user %d: %w", r.Name(), gone.ID, err)
		}
		if n > 0 {
			list = append(list, PartCount{r.Name(), n})
		}
		return nil
	}
	for _, m := range movements {
		if m.Acts && gone.Pending() {
			continue
		}
		if err := count(m.Reference, m.count); err != nil {
			return nil, err
		}
	}
	for _, e := range endings {
		if err := count(e.Reference, e.count); err != nil {
			return nil, err
		}
	}
	return list, nil
}
