package store

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

const courseColumns = `c.id, c.title, c.code, c.description, c.created_by, c.created_at, c.archived_at`

func courseDest(c *lms.Course) []any {
	return []any{&c.ID, &c.Title, &c.Code, &c.Description, &c.CreatedBy, timestamp{&c.CreatedAt}, timestamp{&c.ArchivedAt}}
}

var (
	sqlInsertCourse = stmt(`INSERT INTO courses (title, code, description, created_by, created_at) VALUES ($1, $2, $3, $4, $5) RETURNING id`)
	sqlUpdateCourse = stmt(`UPDATE courses SET title = $2, code = $3, description = $4 WHERE id = $1`)
	sqlArchive      = stmt(`UPDATE courses SET archived_at = $2 WHERE id = $1`)
	sqlDeleteCourse = stmt(`UPDATE courses SET deleted_at = $2 WHERE id = $1`)
	sqlLockCourse   = stmt(`SELECT id FROM courses WHERE id = $1 AND deleted_at IS NULL {lock}`)
	sqlCourse       = stmt(`SELECT ` + courseColumns + ` FROM courses c WHERE c.id = $1 AND c.deleted_at IS NULL`)
)

// CreateCourse makes a course with its preset roles and returns its id.
func (tx *Tx) CreateCourse(ctx context.Context, c lms.Course) (int64, error) {
	var id int64
	if _, err := tx.one(ctx, sqlInsertCourse, []any{c.Title, c.Code, c.Description, c.CreatedBy, at(c.CreatedAt)}, &id); err != nil {
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
	if _, err := tx.exec(ctx, sqlUpdateCourse, id, f.Title, f.Code, f.Description); err != nil {
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

var (
	sqlCoursesOf = stmt(`SELECT ` + courseColumns + `, ` + memberColumns + `
		FROM courses c
		JOIN users u ON u.id = $1` + joinEmail + joinMembership + `
		WHERE c.deleted_at IS NULL AND c.id < $2
			AND c.id IN (SELECT course_id FROM enrollments WHERE user_id = $1 UNION ALL SELECT course_id FROM course_privileges WHERE user_id = $1)
			AND (en.user_id IS NOT NULL OR p.allow <> '[]')
		ORDER BY c.id DESC LIMIT $3`)
	sqlAllCourses = stmt(`SELECT ` + courseColumns + `, ` + memberColumns + `
		FROM courses c
		JOIN users u ON u.id = $1` + joinEmail + joinMembership + `
		WHERE c.deleted_at IS NULL AND c.id < $2
		ORDER BY c.id DESC LIMIT $3`)
)

// Courses lists courses with a user's place in them, newest first, those with
// an id below before: the user's own, or all.
func (tx *Tx) Courses(ctx context.Context, userID int64, all bool, before int64, limit int) ([]CourseOf, error) {
	st := sqlCoursesOf
	if all {
		st = sqlAllCourses
	}
	rows, err := tx.query(ctx, st, userID, before, limit)
	list, err := collect(rows, err, func(r scanner) (c CourseOf, err error) {
		m := memberScan{}
		err = r.Scan(append(courseDest(&c.Course), m.dest()...)...)
		c.Member = m.member()
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("list courses of user %d: %w", userID, err)
	}
	return list, nil
}
