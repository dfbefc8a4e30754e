package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"matricula/internal/lms"
)

// ArrivalHour counts those who were added, and those who arrived, in one hour.
type ArrivalHour struct {
	Hour           time.Time // its beginning, in UTC
	Added, Arrived int64
}

// Whoever had an account already arrived when they were added. Suspended people
// are not expected.
const (
	coursePeople = `
		SELECT coalesce(en.created_at, p.granted_at) AS added, u.claimed_at AS claimed
		FROM (
			SELECT user_id FROM enrollments WHERE course_id = $1
			UNION
			SELECT user_id FROM course_privileges WHERE course_id = $1
		) m
		JOIN users u ON u.id = m.user_id
		LEFT JOIN enrollments en ON en.course_id = $1 AND en.user_id = u.id
		LEFT JOIN course_privileges p ON p.course_id = $1 AND p.user_id = u.id
		WHERE u.kind = 'person' AND u.status IN ('pending', 'active') AND `
	sitePeople = `
		SELECT u.created_at AS added, u.claimed_at AS claimed FROM users u
		WHERE u.kind = 'person' AND u.status IN ('pending', 'active') AND u.id <> CAST($1 AS BIGINT)
			AND CAST($2 AS TEXT) = '[]' AND CAST($3 AS BIGINT) = 0`
)

func arrivalsText(people, hour string) string {
	of := func(column string) string { return strings.ReplaceAll(hour, "?", column) }
	return `WITH m AS (` + people + `)
		SELECT h, sum(added), sum(arrived) FROM (
			SELECT ` + of("added") + ` AS h, 1 AS added, 0 AS arrived FROM m
			UNION ALL
			SELECT ` + of("(CASE WHEN claimed < added THEN added ELSE claimed END)") + `, 0, 1 FROM m WHERE claimed IS NOT NULL
		) e GROUP BY h ORDER BY h`
}

func arrivalsStmt(people string) *statement {
	return stmtFor(arrivalsText(people, "substr(?, 1, 13)"), arrivalsText(people, "to_char(? AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24')"))
}

var (
	sqlCourseArrivals = arrivalsStmt(coursePeople + withinSections("$2", "$3"))
	sqlSiteArrivals   = arrivalsStmt(sitePeople)
)

// Arrivals counts by the hour, in their order, when the people of a course were
// added and when they arrived; of the whole site when courseID is 0. Within and
// self narrow a course's people as for PeopleCounts.
func (tx *Tx) Arrivals(ctx context.Context, courseID int64, within lms.IDs, self int64) ([]ArrivalHour, error) {
	st := sqlCourseArrivals
	if courseID == 0 {
		st = sqlSiteArrivals
	}
	rows, err := tx.query(ctx, st, courseID, idList(within.List()), self)
	list, err := collect(rows, err, func(r scanner) (h ArrivalHour, err error) {
		var hour string
		if err := r.Scan(&hour, &h.Added, &h.Arrived); err != nil {
			return h, err
		}
		h.Hour, err = time.Parse("2006-01-02 15", hour)
		return h, err
	})
	if err != nil {
		return nil, fmt.Errorf("count arrivals of course %d: %w", courseID, err)
	}
	return list, nil
}
