package store

import (
	"context"
	"fmt"

	"matricula/internal/lms"
)

// PeopleQuery asks for a page of a course's people, in the order of their sort
// keys. The zero values of its filters do not filter.
type PeopleQuery struct {
	CourseID int64
	Enrolled bool   // leave out those who have privileges but no role
	Role     string // a role's key
	Status   lms.UserStatus
	Group    PeopleGroup
	Search   string // folded with lms.FoldSearch; a part of a name or an address
	After    PeopleCursor
	Limit    int
}

// PeopleGroup is staff, students (whoever is no staff), or both.
type PeopleGroup int

// The groups.
const (
	Everybody PeopleGroup = iota
	StaffOnly
	StudentsOnly
)

// PeopleCursor is the last person of the page before.
type PeopleCursor struct {
	SortKey string
	UserID  int64
}

// sqlPeople first finds the page among all who are in the course, with as
// little as that takes, and then reads all about those on it.
var sqlPeople = stmt(`
	SELECT ` + memberColumns + `, u.sort_key
	FROM (
		SELECT u.id, u.sort_key
		FROM (
			SELECT user_id FROM enrollments WHERE course_id = $1
			UNION ALL
			SELECT g.user_id FROM course_privileges g WHERE g.course_id = $1 AND $2 = 0
				AND NOT EXISTS (SELECT 1 FROM enrollments x WHERE x.course_id = $1 AND x.user_id = g.user_id)
		) m
		JOIN users u ON u.id = m.user_id
		WHERE u.status <> 'erased'
			AND ($3 = '' OR $3 = (SELECT y.key FROM enrollments x JOIN course_roles y ON y.id = x.role_id WHERE x.course_id = $1 AND x.user_id = u.id))
			AND ($4 = '' OR u.status = $4)
			AND ($5 = 0 OR ($5 = 1) = (
				EXISTS (SELECT 1 FROM enrollments x JOIN course_roles y ON y.id = x.role_id WHERE x.course_id = $1 AND x.user_id = u.id AND y.privileges <> '[]')
				OR EXISTS (SELECT 1 FROM course_privileges g WHERE g.course_id = $1 AND g.user_id = u.id AND g.allow <> '[]')))
			AND ($6 = '' OR u.search_key LIKE $6 ESCAPE '\')
			AND (u.sort_key > $7 OR (u.sort_key = $7 AND u.id > $8))
		ORDER BY u.sort_key, u.id LIMIT $9
	) t
	JOIN users u ON u.id = t.id` + joinEmail + joinMembershipIn("$1") + `
	ORDER BY t.sort_key, t.id`)

// Person is a member with the place where the list can be continued.
type Person struct {
	lms.Member
	Cursor PeopleCursor
}

// People lists a course's people.
func (tx *Tx) People(ctx context.Context, q PeopleQuery) ([]Person, error) {
	pattern := ""
	if q.Search != "" {
		pattern = likePattern(q.Search)
	}
	rows, err := tx.query(ctx, sqlPeople, q.CourseID, flag(q.Enrolled), q.Role, string(q.Status), int(q.Group), pattern,
		q.After.SortKey, q.After.UserID, q.Limit)
	list, err := collect(rows, err, func(r scanner) (p Person, err error) {
		m := memberScan{}
		err = r.Scan(append(m.dest(), &p.Cursor.SortKey)...)
		p.Member = m.member()
		p.Cursor.UserID = m.user.ID
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("list people of course %d: %w", q.CourseID, err)
	}
	return list, nil
}

// PeopleCounts counts a course's people.
type PeopleCounts struct{ All, Staff, Pending int64 }

var sqlPeopleCounts = stmt(`
	SELECT count(*),
		count(CASE WHEN coalesce(r.privileges, '[]') <> '[]' OR coalesce(p.allow, '[]') <> '[]' THEN 1 END),
		count(CASE WHEN u.status = 'pending' THEN 1 END)
	FROM (
		SELECT user_id FROM enrollments WHERE course_id = $1
		UNION
		SELECT user_id FROM course_privileges WHERE course_id = $1
	) m
	JOIN users u ON u.id = m.user_id
	JOIN courses c ON c.id = $1` + joinMembership + `
	WHERE u.status <> 'erased'`)

// PeopleCounts counts a course's people, its staff and those who have not
// arrived.
func (tx *Tx) PeopleCounts(ctx context.Context, courseID int64) (n PeopleCounts, err error) {
	if _, err := tx.one(ctx, sqlPeopleCounts, []any{courseID}, &n.All, &n.Staff, &n.Pending); err != nil {
		return n, fmt.Errorf("count people of course %d: %w", courseID, err)
	}
	return n, nil
}
