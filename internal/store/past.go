package store

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

var (
	sqlKeepPast = stmt(`INSERT INTO past_places (course_id, user_id, role_key, role_name, is_preset, allow, deny, added_by, began_at, ended_by, ended_at, section, number, begins_at, ends_at, limited_to)
		SELECT $1, u.id, coalesce(r.key, ''), coalesce(r.name, ''), coalesce(r.is_preset, FALSE), coalesce(p.allow, '[]'), coalesce(p.deny, '[]'),
			coalesce(en.added_by, p.granted_by), coalesce(en.created_at, p.granted_at), $3, $4,
			coalesce(sec.name, ''), coalesce(en.number, ''), en.begins_at, en.ends_at, coalesce(en.limited_to, '[]')
		FROM users u` + joinMembershipIn("$1") + `
		WHERE u.id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$2}) AND (en.user_id IS NOT NULL OR p.user_id IS NOT NULL)`)

	pastSelect = `SELECT t.id, t.course_id, t.role_key, t.role_name, t.is_preset, t.allow, t.deny, t.added_by, t.began_at, t.ended_by, t.ended_at, t.section, t.number, t.begins_at, t.ends_at, t.limited_to,
		CASE WHEN EXISTS (SELECT 1 FROM enrollments x WHERE x.course_id = t.course_id AND x.user_id = t.user_id)
			OR EXISTS (SELECT 1 FROM course_privileges y WHERE y.course_id = t.course_id AND y.user_id = t.user_id) THEN 1 ELSE 0 END, ` + userColumns + `
		FROM past_places t JOIN users u ON u.id = t.user_id` + joinEmail

	// Of each person, the last place alone. Whoever is limited to sections sees
	// those who were in one of that name.
	sqlPastPeople = stmt(pastSelect + `
		WHERE t.course_id = $1 AND t.id < $2
			AND NOT EXISTS (SELECT 1 FROM past_places z WHERE z.course_id = t.course_id AND z.user_id = t.user_id AND z.id > t.id)
			AND ($4 = '[]' OR t.section IN (SELECT s.name FROM sections s WHERE s.course_id = $1 AND s.id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$4})))
		ORDER BY t.id DESC LIMIT $3`)
	// Of each of some people, the last place.
	sqlLastPlaces = stmt(pastSelect + `
		WHERE t.course_id = $1 AND t.user_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$2})
			AND NOT EXISTS (SELECT 1 FROM past_places z WHERE z.course_id = t.course_id AND z.user_id = t.user_id AND z.id > t.id)`)
	sqlPastOf    = stmt(pastSelect + ` WHERE t.user_id = $1 AND t.course_id = $2 ORDER BY t.id DESC LIMIT $3`)
	sqlPastOfOne = stmt(pastSelect + ` WHERE t.user_id = $1 AND t.id < $2 ORDER BY t.id DESC LIMIT $3`)
)

func pastOf(r scanner) (p lms.PastPlace, err error) {
	var back int64
	dest := []any{
		&p.ID, &p.CourseID, &p.Role.Key, &p.Role.Name, &p.Role.Preset,
		privileges{&p.Allow},
		privileges{&p.Deny},
		&p.AddedBy,
		timestamp{&p.Began},
		&p.EndedBy,
		timestamp{&p.Ended},
		&p.Section, &p.Number,
		timestamp{&p.Begins},
		timestamp{&p.Ends},
		ids{&p.LimitedTo},
		&back,
	}
	err = r.Scan(append(dest, userDest(&p.User)...)...)
	p.Back = back != 0
	return p, err
}

// PastPeople lists those who were in a course, the last to leave first, each
// with their last place, with an id below before.
func (tx *Tx) PastPeople(ctx context.Context, courseID, before int64, limit int, within lms.IDs) ([]lms.PastPlace, error) {
	rows, err := tx.query(ctx, sqlPastPeople, courseID, before, limit, idList(within.List()))
	list, err := collect(rows, err, pastOf)
	if err != nil {
		return nil, fmt.Errorf("list past people of course %d: %w", courseID, err)
	}
	return list, nil
}

// LastPlaces gives the last place that each of some people had in a course, by
// the user's id.
func (tx *Tx) LastPlaces(ctx context.Context, courseID int64, users []int64) (map[int64]lms.PastPlace, error) {
	rows, err := tx.query(ctx, sqlLastPlaces, courseID, idList(users))
	list, err := collect(rows, err, pastOf)
	if err != nil {
		return nil, fmt.Errorf("read the last places of %d users in course %d: %w", len(users), courseID, err)
	}
	places := make(map[int64]lms.PastPlace, len(list))
	for _, p := range list {
		places[p.User.ID] = p
	}
	return places, nil
}

// PastPlaces lists the places that somebody had in a course, the last first.
func (tx *Tx) PastPlaces(ctx context.Context, userID, courseID int64, limit int) ([]lms.PastPlace, error) {
	rows, err := tx.query(ctx, sqlPastOf, userID, courseID, limit)
	list, err := collect(rows, err, pastOf)
	if err != nil {
		return nil, fmt.Errorf("list past places of user %d: %w", userID, err)
	}
	return list, nil
}

// PastPlacesOf lists the places that somebody had in any course, the last first,
// with an id below before.
func (tx *Tx) PastPlacesOf(ctx context.Context, userID, before int64, limit int) ([]lms.PastPlace, error) {
	rows, err := tx.query(ctx, sqlPastOfOne, userID, before, limit)
	list, err := collect(rows, err, pastOf)
	if err != nil {
		return nil, fmt.Errorf("list past places of user %d: %w", userID, err)
	}
	return list, nil
}

// keepPast notes the places that users are about to lose.
func (tx *Tx) keepPast(ctx context.Context, courseID int64, ids string, by int64, now time.Time) error {
	if err := tx.later(ctx, "keep past places", sqlKeepPast, courseID, ids, by, at(now)); err != nil {
		return fmt.Errorf("keep past places in course %d: %w", courseID, err)
	}
	return nil
}
