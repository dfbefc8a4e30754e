package store

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

// SectionOf is a section with the number of people in it.
type SectionOf struct {
	Section lms.Section
	People  int64
	Staff   int64 // who are limited to it, in it or not
}

var (
	sqlSections = stmt(`SELECT s.id, s.course_id, s.name, s.created_by, s.created_at,
			(SELECT count(*) FROM enrollments en WHERE en.section_id = s.id),
			(SELECT count(*) FROM enrollments en WHERE en.course_id = s.course_id AND en.limited_to <> '[]' AND
				replace(replace(en.limited_to, '[', ','), ']', ',') LIKE '%,' || CAST(s.id AS TEXT) || ',%')
		FROM sections s WHERE s.course_id = $1 ORDER BY s.name_key, s.id`)
	sqlInsertSection = stmt(`INSERT INTO sections (course_id, name, name_key, created_by, created_at)
		SELECT $2, j.value->>0, j.value->>1, $3, $4 FROM {rows:$1} WHERE TRUE
		ON CONFLICT (course_id, name_key) DO NOTHING`)
	sqlSectionIDs    = stmt(`SELECT id, course_id, name, created_by, created_at FROM sections WHERE course_id = $1 ORDER BY name_key, id`)
	sqlRenameSection = stmt(`UPDATE sections SET name = $2, name_key = $3 WHERE id = $1`)
	sqlEmptySection  = stmt(`UPDATE enrollments SET section_id = NULL WHERE section_id = $1`)
	sqlDeleteSection = stmt(`DELETE FROM sections WHERE id = $1`)
	sqlPlacesToEnd   = stmt(`SELECT course_id, user_id FROM enrollments WHERE ends_at <= $1 ORDER BY ends_at, course_id, user_id LIMIT $2`)
	sqlEndedOfCourse = stmt(`SELECT user_id FROM enrollments WHERE course_id = $1 AND ends_at <= $2 AND user_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$3}) ORDER BY user_id`)
)

func sectionDest(s *lms.Section) []any {
	return []any{&s.ID, &s.CourseID, &s.Name, &s.CreatedBy, timestamp{&s.CreatedAt}}
}

// Sections lists the sections of a course by name, without counting anybody.
func (tx *Tx) Sections(ctx context.Context, courseID int64) ([]lms.Section, error) {
	rows, err := tx.query(ctx, sqlSectionIDs, courseID)
	list, err := collect(rows, err, func(r scanner) (s lms.Section, err error) { return s, r.Scan(sectionDest(&s)...) })
	if err != nil {
		return nil, fmt.Errorf("list sections of course %d: %w", courseID, err)
	}
	return list, nil
}

// SectionCounts lists the sections of a course by name, with who is in them.
func (tx *Tx) SectionCounts(ctx context.Context, courseID int64) ([]SectionOf, error) {
	rows, err := tx.query(ctx, sqlSections, courseID)
	list, err := collect(rows, err, func(r scanner) (s SectionOf, err error) {
		return s, r.Scan(append(sectionDest(&s.Section), &s.People, &s.Staff)...)
	})
	if err != nil {
		return nil, fmt.Errorf("count the people of the sections of course %d: %w", courseID, err)
	}
	return list, nil
}

// CreateSections makes the sections of a course that it does not have, by name.
func (tx *Tx) CreateSections(ctx context.Context, courseID int64, names []string, by int64, now time.Time) error {
	list := make([][2]string, len(names))
	for i, n := range names {
		list[i] = [2]string{n, lms.SectionKey(n)}
	}
	if _, err := tx.exec(ctx, sqlInsertSection, mustJSON(list), courseID, by, at(now)); err != nil {
		return fmt.Errorf("make sections of course %d: %w", courseID, err)
	}
	return nil
}

// RenameSection changes the name of a section, which no other of the course may
// have.
func (tx *Tx) RenameSection(ctx context.Context, id int64, name string) error {
	if _, err := tx.exec(ctx, sqlRenameSection, id, name, lms.SectionKey(name)); err != nil {
		return fmt.Errorf("rename section %d: %w", id, err)
	}
	return nil
}

// DeleteSection removes a section, whose people are in none afterwards.
func (tx *Tx) DeleteSection(ctx context.Context, id int64) error {
	if err := tx.later(ctx, "empty section", sqlEmptySection, id); err != nil {
		return fmt.Errorf("empty section %d: %w", id, err)
	}
	if err := tx.later(ctx, "delete section", sqlDeleteSection, id); err != nil {
		return fmt.Errorf("delete section %d: %w", id, err)
	}
	return nil
}

// PlaceID is one person's place in one course.
type PlaceID struct{ CourseID, UserID int64 }

// PlacesToEnd lists enrollments whose time is over, the oldest first.
func (tx *Tx) PlacesToEnd(ctx context.Context, now time.Time, limit int) ([]PlaceID, error) {
	rows, err := tx.query(ctx, sqlPlacesToEnd, at(now), limit)
	list, err := collect(rows, err, func(r scanner) (p PlaceID, err error) { return p, r.Scan(&p.CourseID, &p.UserID) })
	if err != nil {
		return nil, fmt.Errorf("list places to end: %w", err)
	}
	return list, nil
}

// StillToEnd tells which of some people's enrollments in a course are over, read
// again in the transaction that ends them.
func (tx *Tx) StillToEnd(ctx context.Context, courseID int64, users []int64, now time.Time) ([]int64, error) {
	rows, err := tx.query(ctx, sqlEndedOfCourse, courseID, at(now), idList(users))
	list, err := collect(rows, err, func(r scanner) (id int64, err error) { return id, r.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("list places to end in course %d: %w", courseID, err)
	}
	return list, nil
}
