package store

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

// Alike is two people who look like one.
type Alike struct {
	One, Other int64
	Kind       lms.Likeness
}

var (
	sqlPeopleAfter = stmt(`SELECT ` + userColumns + ` FROM users u` + joinEmail + `
		WHERE u.id > $1 AND u.kind = 'person' AND u.status IN ('pending', 'active') ORDER BY u.id LIMIT $2`)
	sqlPeopleByID = stmt(`SELECT ` + userColumns + ` FROM {rows:$1} JOIN users u ON u.id = CAST(j.value->>0 AS BIGINT)` + joinEmail + `
		WHERE u.kind = 'person' AND u.status IN ('pending', 'active')`)
	sqlLikeAddresses = stmt(`SELECT CAST(j.value->>0 AS BIGINT), a.user_id, j.value->>2 FROM {rows:$1} JOIN emails a ON a.address = j.value->>1
		WHERE a.user_id <> CAST(j.value->>0 AS BIGINT) LIMIT $2`)
	// "A" comes right after "@". Without the limit of each, PostgreSQL would think of
	// reading all addresses for each.
	sqlLikeLocals = stmtFor(`SELECT j.value->>0, a.user_id, j.value->>2 FROM {rows:$1} JOIN emails a ON a.address >= j.value->>1 AND a.address < rtrim(j.value->>1, '@') || 'A'
		WHERE a.user_id <> j.value->>0 LIMIT $2`,
		`SELECT CAST(j.value->>0 AS BIGINT), a.user_id, j.value->>2 FROM {rows:$1} JOIN LATERAL (
			SELECT x.user_id FROM emails x WHERE x.address >= j.value->>1 AND x.address < rtrim(j.value->>1, '@') || 'A' ORDER BY x.address LIMIT 20
		) a ON a.user_id <> CAST(j.value->>0 AS BIGINT) LIMIT $2`)
	sqlLikeNumbers = stmt(`SELECT a.user_id, b.user_id, 'number' FROM {rows:$1} JOIN enrollments a ON a.user_id = CAST(j.value->>0 AS BIGINT) AND a.number <> ''
		JOIN enrollments b ON b.course_id = a.course_id AND b.number = a.number AND b.user_id < a.user_id LIMIT $2`)
	sqlTogether = stmt(`SELECT CAST(j.value->>0 AS BIGINT), CAST(j.value->>1 AS BIGINT), '' FROM {rows:$1}
		WHERE EXISTS (SELECT 1 FROM enrollments a JOIN enrollments b ON b.course_id = a.course_id
			WHERE a.user_id = CAST(j.value->>0 AS BIGINT) AND b.user_id = CAST(j.value->>1 AS BIGINT))`)
	sqlDistinct = stmt(`SELECT d.one_id, d.other_id, '' FROM {rows:$1} JOIN distinct_people d ON d.one_id = CAST(j.value->>0 AS BIGINT) AND d.other_id = CAST(j.value->>1 AS BIGINT)`)
	sqlDismiss  = stmt(`INSERT INTO distinct_people (one_id, other_id, said_by, said_at) VALUES ($1, $2, $3, $4) ON CONFLICT (one_id, other_id) DO NOTHING`)
)

// PeopleAfter lists people, in the order of their ids.
func (tx *Tx) PeopleAfter(ctx context.Context, after int64, limit int) ([]lms.User, error) {
	rows, err := tx.query(ctx, sqlPeopleAfter, after, limit)
	list, err := collect(rows, err, func(r scanner) (u lms.User, err error) { return u, r.Scan(userDest(&u)...) })
	if err != nil {
		return nil, fmt.Errorf("list people after %d: %w", after, err)
	}
	return list, nil
}

// PeopleByID reads people by their ids.
func (tx *Tx) PeopleByID(ctx context.Context, ids []int64) (map[int64]lms.User, error) {
	rows, err := tx.query(ctx, sqlPeopleByID, idList(ids))
	list, err := collect(rows, err, func(r scanner) (u lms.User, err error) { return u, r.Scan(userDest(&u)...) })
	if err != nil {
		return nil, fmt.Errorf("read %d people: %w", len(ids), err)
	}
	byID := make(map[int64]lms.User, len(list))
	for _, u := range list {
		byID[u.ID] = u
	}
	return byID, nil
}

func (tx *Tx) alike(ctx context.Context, st *statement, args ...any) ([]Alike, error) {
	rows, err := tx.query(ctx, st, args...)
	list, err := collect(rows, err, func(r scanner) (a Alike, err error) { return a, r.Scan(&a.One, &a.Other, &a.Kind) })
	if err != nil {
		return nil, fmt.Errorf("look for people who are alike: %w", err)
	}
	return list, nil
}

// LikeAddresses finds, for each of some people, who has an address that is like
// theirs, at most limit in all.
func (tx *Tx) LikeAddresses(ctx context.Context, people []lms.User, limit int) ([]Alike, error) {
	var whole, begin [][3]any
	for _, u := range people {
		for _, l := range lms.LikeAddresses(u.Email) {
			row := [3]any{u.ID, l.Address, string(l.Kind)}
			if l.Whole() {
				whole = append(whole, row)
			} else {
				begin = append(begin, row)
			}
		}
	}
	found, err := tx.alike(ctx, sqlLikeAddresses, mustJSON(whole), limit)
	if err != nil {
		return nil, err
	}
	more, err := tx.alike(ctx, sqlLikeLocals, mustJSON(begin), limit)
	return append(found, more...), err
}

// LikeNumbers finds who has the student number of one of some people in a course.
func (tx *Tx) LikeNumbers(ctx context.Context, people []lms.User, limit int) ([]Alike, error) {
	ids := make([]int64, len(people))
	for i, u := range people {
		ids[i] = u.ID
	}
	return tx.alike(ctx, sqlLikeNumbers, idList(ids), limit)
}

func pairs(list []Alike) string {
	out := make([][2]int64, len(list))
	for i, a := range list {
		out[i] = [2]int64{min(a.One, a.Other), max(a.One, a.Other)}
	}
	return mustJSON(out)
}

// Together picks the pairs who are in a course together.
func (tx *Tx) Together(ctx context.Context, list []Alike) ([]Alike, error) {
	return tx.alike(ctx, sqlTogether, pairs(list))
}

// Distinct picks the pairs of whom somebody has said that they are two.
func (tx *Tx) Distinct(ctx context.Context, list []Alike) ([]Alike, error) {
	return tx.alike(ctx, sqlDistinct, pairs(list))
}

// Dismiss notes that two people are two; changed is false when that was said before.
func (tx *Tx) Dismiss(ctx context.Context, one, other, by int64, now time.Time) (changed bool, err error) {
	n, err := tx.exec(ctx, sqlDismiss, min(one, other), max(one, other), by, at(now))
	if err != nil {
		return false, fmt.Errorf("tell users %d and %d apart: %w", one, other, err)
	}
	return n > 0, nil
}
