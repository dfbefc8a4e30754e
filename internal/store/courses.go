package store

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

const courseColumns = `c.id, c.title, c.code, c.description, c.term_id, c.created_by, c.created_at, c.archived_at`

func courseDest(c *lms.Course) []any {
	return []any{&c.ID, &c.Title, &c.Code, &c.Description, number{&c.TermID}, &c.CreatedBy, timestamp{&c.CreatedAt}, timestamp{&c.ArchivedAt}}
}

var (
	sqlInsertCourse = stmt(`INSERT INTO courses (title, code, description, term_id, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`)
	sqlUpdateCourse = stmt(`UPDATE courses SET title = $2, code = $3, description = $4, term_id = $5 WHERE id = $1`)
	sqlArchive      = stmt(`UPDATE courses SET archived_at = $2 WHERE id = $1`)
	sqlDeleteCourse = stmt(`UPDATE courses SET deleted_at = $2 WHERE id = $1`)
	sqlLockCourse   = stmt(`SELECT id FROM courses WHERE id = $1 AND deleted_at IS NULL {lock}`)
	sqlCourse       = stmt(`SELECT ` + courseColumns + ` FROM courses c WHERE c.id = $1 AND c.deleted_at IS NULL`)
)

// CreateCourse makes a course with its preset roles and returns its id.
func (tx *Tx) CreateCourse(ctx context.Context, c lms.Course) (int64, error) {
	var id int64
	if _, err := tx.one(ctx, sqlInsertCourse, []any{c.Title, c.Code, c.Description, idOrNull(c.TermID), c.CreatedBy, at(c.CreatedAt)}, &id); err != nil {
		return 0, fmt.Errorf("create course: %w", err)
	}
	rows := make([][3]string, 0, 5)
	for _, r := range lms.PresetRoles() {
		rows = append(rows, [3]string{r.Key, r.Name, storedPrivileges(r.Privileges)})
	}
	if _, err := tx.exec(ctx, sqlInsertPresets, mustJSON(rows), id); err != nil {
		return 0, fmt.Errorf("create roles of course %d: %w", id, err)
	}
	return id, nil
}

// UpdateCourse changes what is written about a course.
func (tx *Tx) UpdateCourse(ctx context.Context, id int64, f lms.CourseFields) error {
	if _, err := tx.exec(ctx, sqlUpdateCourse, id, f.Title, f.Code, f.Description, idOrNull(f.TermID)); err != nil {
		return fmt.Errorf("update course %d: %w", id, err)
	}
	return nil
}

// ArchiveCourse archives a course, or restores it when the time is zero.
func (tx *Tx) ArchiveCourse(ctx context.Context, id int64, when time.Time) error {
	if _, err := tx.exec(ctx, sqlArchive, id, atOrNull(when)); err != nil {
		return fmt.Errorf("archive course %d: %w", id, err)
	}
	return nil
}

// DeleteCourse hides a course from everybody. Its rows stay, since the audit
// refers to them.
func (tx *Tx) DeleteCourse(ctx context.Context, id int64, now time.Time) error {
	if _, err := tx.exec(ctx, sqlDeleteCourse, id, at(now)); err != nil {
		return fmt.Errorf("delete course %d: %w", id, err)
	}
	return nil
}

// LockCourse makes changes to one course's staff wait for each other, so that
// two owners cannot remove each other at the same time. What is read after it,
// in the same transaction, includes what the one before committed.
func (tx *Tx) LockCourse(ctx context.Context, id int64) error {
	return tx.lock(ctx, "lock course", sqlLockCourse, id)
}

// Course reads a course that was not deleted.
func (tx *Tx) Course(ctx context.Context, id int64) (c lms.Course, ok bool, err error) {
	ok, err = tx.one(ctx, sqlCourse, []any{id}, courseDest(&c)...)
	if err != nil {
		return c, false, fmt.Errorf("read course %d: %w", id, err)
	}
	return c, ok, nil
}

// CourseOf is a course with the place of one user in it.
type CourseOf struct {
	Course lms.Course
	Member lms.Member
}

// CoursesQuery asks for a page of courses, newest first.
type CoursesQuery struct {
	UserID   int64 // whose places they are shown with
	All      bool  // also those in which the user has no place
	Orphaned bool  // only those without an owner who is active; with All
	Doubted  bool  // only those in which what somebody holds may be in doubt; with All
	TermID   int64 // only those of this term, or of this academic year and its terms
	Before   int64 // only those with a lower id
	Limit    int
}

const (
	coursesWith = `SELECT ` + courseColumns + `, ` + memberColumns + `
		FROM courses c
		JOIN users u ON u.id = $1` + joinEmail

	// isOrphaned holds for courses c without an active owner.
	isOrphaned = `NOT EXISTS (
			SELECT 1 FROM enrollments x JOIN course_roles y ON y.id = x.role_id AND y.is_preset AND y.key = 'owner'
			JOIN users z ON z.id = x.user_id AND z.status = 'active' WHERE x.course_id = c.id)`
)

// inEachTerm makes two statements of a condition: one for the courses of all
// terms, and one for those of an academic year or a term.
func inEachTerm(where string) [2]*statement {
	begins, ends := coursesWith+joinMembership+` WHERE c.deleted_at IS NULL AND c.id < $2`, ` ORDER BY c.id DESC LIMIT $3`
	return [2]*statement{
		stmt(begins + where + ends),
		stmt(begins + where + ` AND c.term_id IN (SELECT t.id FROM terms t WHERE t.id = $4 UNION ALL SELECT t.id FROM terms t WHERE t.year_id = $4)` + ends),
	}
}

var (
	sqlCoursesOf = inEachTerm(`
			AND c.id IN (SELECT course_id FROM enrollments WHERE user_id = $1 UNION ALL SELECT course_id FROM course_privileges WHERE user_id = $1)
			AND (en.user_id IS NOT NULL OR p.allow <> '[]')`)
	sqlAllCourses      = inEachTerm(``)
	sqlOrphanedCourses = inEachTerm(` AND ` + isOrphaned)
	sqlDoubtedCourses  = inEachTerm(` AND ` + mayBeDoubted)
	sqlCountOrphaned   = stmt(`SELECT count(*) FROM courses c WHERE c.deleted_at IS NULL AND ` + isOrphaned)
)

// Courses lists courses with a user's place in them.
func (tx *Tx) Courses(ctx context.Context, q CoursesQuery) ([]CourseOf, error) {
	st := sqlCoursesOf
	switch {
	case q.All && q.Doubted:
		st = sqlDoubtedCourses
	case q.All && q.Orphaned:
		st = sqlOrphanedCourses
	case q.All:
		st = sqlAllCourses
	}
	one, args := st[0], []any{q.UserID, q.Before, q.Limit}
	if q.TermID != 0 {
		one, args = st[1], append(args, q.TermID)
	}
	rows, err := tx.query(ctx, one, args...)
	list, err := collect(rows, err, func(r scanner) (c CourseOf, err error) {
		m := memberScan{}
		err = r.Scan(append(courseDest(&c.Course), m.dest()...)...)
		c.Member = m.member()
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("list courses of user %d: %w", q.UserID, err)
	}
	return list, nil
}

// SiteCounts counts what administrators have to know at a glance.
type SiteCounts struct {
	Active, Pending, Suspended int64 // people
	Orphaned                   int64 // courses without an owner who is active
	Erasures                   int64 // people who asked to be erased and have no answer
}

var sqlCountPeople = stmt(`SELECT
		count(CASE WHEN status = 'active' THEN 1 END), count(CASE WHEN status = 'pending' THEN 1 END), count(CASE WHEN status = 'suspended' THEN 1 END)
	FROM users WHERE kind = 'person'`)

// SiteCounts counts the people of the site and its courses without an owner.
func (tx *Tx) SiteCounts(ctx context.Context) (n SiteCounts, err error) {
	if _, err := tx.one(ctx, sqlCountPeople, nil, &n.Active, &n.Pending, &n.Suspended); err != nil {
		return n, fmt.Errorf("count people: %w", err)
	}
	if n.Erasures, err = tx.OpenErasures(ctx); err != nil {
		return n, err
	}
	if _, err := tx.one(ctx, sqlCountOrphaned, nil, &n.Orphaned); err != nil {
		return n, fmt.Errorf("count courses without an owner: %w", err)
	}
	return n, nil
}

var sqlCourseCounts = stmt(`SELECT m.course_id, count(*), count(CASE WHEN u.status = 'pending' THEN 1 END) FROM (
		SELECT course_id, user_id FROM enrollments WHERE course_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1})
		UNION
		SELECT course_id, user_id FROM course_privileges WHERE course_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1})
	) m JOIN users u ON u.id = m.user_id GROUP BY m.course_id`)

// CourseCounts counts the people of several courses, all and those who have not
// arrived, by the course's id. Who is staff is not counted.
func (tx *Tx) CourseCounts(ctx context.Context, courseIDs []int64) (map[int64]PeopleCounts, error) {
	counts := map[int64]PeopleCounts{}
	rows, err := tx.query(ctx, sqlCourseCounts, idList(courseIDs))
	_, err = collect(rows, err, func(r scanner) (struct{}, error) {
		var id int64
		var n PeopleCounts
		err := r.Scan(&id, &n.All, &n.Pending)
		counts[id] = n
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("count people of %d courses: %w", len(courseIDs), err)
	}
	return counts, nil
}

var sqlCoursesPerUser = stmt(`SELECT m.user_id, count(*) FROM (
		SELECT user_id, course_id FROM enrollments WHERE user_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1})
		UNION
		SELECT user_id, course_id FROM course_privileges WHERE user_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1}) AND allow <> '[]'
	) m JOIN courses c ON c.id = m.course_id AND c.deleted_at IS NULL GROUP BY m.user_id`)

// CoursesPerUser counts the courses in which each of several users has a place,
// by the user's id.
func (tx *Tx) CoursesPerUser(ctx context.Context, userIDs []int64) (map[int64]int64, error) {
	counts := map[int64]int64{}
	rows, err := tx.query(ctx, sqlCoursesPerUser, idList(userIDs))
	_, err = collect(rows, err, func(r scanner) (struct{}, error) {
		var id, n int64
		err := r.Scan(&id, &n)
		counts[id] = n
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("count courses of %d users: %w", len(userIDs), err)
	}
	return counts, nil
}
