package store

import (
	"context"
	"fmt"
	"strconv"

	"matricula/internal/lms"
)

// What gives somebody a say in a course: a role with privileges, or privileges (and
// what is denied) beside it. Students are many, and have neither.
const (
	rolesGiven = `SELECT en.user_id, en.added_by AS giver FROM enrollments en JOIN course_roles gr ON gr.id = en.role_id
		WHERE en.course_id = $1 AND gr.privileges <> '[]'`
	grantsGiven = `SELECT cp.user_id, cp.granted_by AS giver FROM course_privileges cp WHERE cp.course_id = $1`
)

var (
	sqlGivers = stmt(`SELECT DISTINCT giver FROM (` + rolesGiven + ` UNION ALL ` + grantsGiven + `) g ORDER BY giver`)
	sqlGiven  = stmt(`SELECT ` + memberColumns + `
		FROM (
			SELECT DISTINCT user_id FROM (` + rolesGiven + ` UNION ALL ` + grantsGiven + `) g
			WHERE giver IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$2}) AND giver <> user_id AND user_id > $3
		) m
		JOIN users u ON u.id = m.user_id AND u.status <> 'erased'` + joinEmail + joinMembershipIn("$1") + `
		ORDER BY u.id LIMIT $4`)
	sqlSetAddedBy = stmt(`UPDATE enrollments SET added_by = $3 WHERE course_id = $1 AND user_id = $2`)
)

// mayBeDoubted holds for courses c in which somebody has a say from another person
// who is neither an active owner, without an end and without exceptions, nor an
// active administrator: from anybody else it takes a closer look, except from
// Matricula itself.
var mayBeDoubted = `EXISTS (
			SELECT 1 FROM (
				SELECT x.user_id, x.added_by AS giver FROM enrollments x JOIN course_roles y ON y.id = x.role_id WHERE x.course_id = c.id AND y.privileges <> '[]'
				UNION ALL
				SELECT x.user_id, x.granted_by FROM course_privileges x WHERE x.course_id = c.id
			) g JOIN users z ON z.id = g.giver
			WHERE g.giver <> g.user_id AND g.giver <> ` + matricula + ` AND NOT (z.status = 'active' AND (z.site_role = 'admin' OR EXISTS (
				SELECT 1 FROM enrollments o JOIN course_roles y ON y.id = o.role_id AND y.is_preset AND y.key = 'owner'
				WHERE o.course_id = c.id AND o.user_id = z.id AND o.begins_at IS NULL AND o.ends_at IS NULL
				AND NOT EXISTS (SELECT 1 FROM course_privileges h WHERE h.course_id = c.id AND h.user_id = z.id)))))`

// matricula is the account of Matricula itself.
var matricula = strconv.FormatInt(lms.SystemUserID, 10)

// Givers lists who gave somebody a say in a course.
func (tx *Tx) Givers(ctx context.Context, courseID int64) ([]int64, error) {
	rows, err := tx.query(ctx, sqlGivers, courseID)
	list, err := collect(rows, err, func(r scanner) (id int64, err error) { return id, r.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("list who gave privileges in course %d: %w", courseID, err)
	}
	return list, nil
}

// GivenBy lists those to whom some people gave a say in a course, in the order of
// their ids.
func (tx *Tx) GivenBy(ctx context.Context, courseID int64, givers []int64, after int64, limit int) ([]lms.Member, error) {
	rows, err := tx.query(ctx, sqlGiven, courseID, idList(givers), after, limit)
	list, err := collect(rows, err, scanMember)
	if err != nil {
		return nil, fmt.Errorf("list what %d people gave in course %d: %w", len(givers), courseID, err)
	}
	return list, nil
}

// SetAddedBy notes who answers for somebody's role from now on.
func (tx *Tx) SetAddedBy(ctx context.Context, courseID, userID, by int64) error {
	if err := tx.later(ctx, "set who added", sqlSetAddedBy, courseID, userID, by); err != nil {
		return fmt.Errorf("set who added user %d to course %d: %w", userID, courseID, err)
	}
	return nil
}
