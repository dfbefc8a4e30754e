package store

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

const announcementSelect = `SELECT a.id, a.course_id, a.title, a.body, a.pinned, a.publish_at, a.created_at, a.edited_at,
	u.id, u.kind, u.status, u.site_role, e.address, u.given_name, u.family_name, u.name
	FROM announcements a
	JOIN users u ON u.id = a.author_id LEFT JOIN emails e ON e.user_id = u.id AND e.is_primary`

var (
	sqlInsertAnnouncement = stmt(`INSERT INTO announcements (course_id, title, body, pinned, publish_at, author_id, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`)
	sqlUpdateAnnouncement = stmt(`UPDATE announcements SET title = $3, body = $4, pinned = $5, publish_at = $6, edited_at = $7
		WHERE course_id = $1 AND id = $2 AND deleted_at IS NULL`)
	sqlDeleteAnnouncement = stmt(`UPDATE announcements SET deleted_at = $3 WHERE course_id = $1 AND id = $2 AND deleted_at IS NULL`)
	sqlAnnouncement       = stmt(announcementSelect + ` WHERE a.course_id = $1 AND a.id = $2 AND a.deleted_at IS NULL`)

	sqlAnnouncements = stmt(announcementSelect + `
		WHERE a.course_id = $1 AND a.deleted_at IS NULL AND a.publish_at <= $2
		ORDER BY a.pinned DESC, a.publish_at DESC, a.id DESC LIMIT $3`)
	sqlAnnouncementsAfter = stmt(announcementSelect + `
		WHERE a.course_id = $1 AND a.deleted_at IS NULL AND a.publish_at <= $2
			AND (a.pinned, a.publish_at, a.id) < (SELECT b.pinned, b.publish_at, b.id FROM announcements b WHERE b.course_id = $1 AND b.id = $4)
		ORDER BY a.pinned DESC, a.publish_at DESC, a.id DESC LIMIT $3`)
	sqlAnnouncementsBy = stmt(announcementSelect + ` WHERE a.author_id = $1 AND a.deleted_at IS NULL AND a.id < $2 ORDER BY a.id DESC LIMIT $3`)

	sqlLatestAnnouncements = stmt(announcementSelect + `
		WHERE a.course_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1}) AND a.deleted_at IS NULL AND a.publish_at > $2 AND a.publish_at <= $3
		ORDER BY a.publish_at DESC, a.id DESC LIMIT $4`)
)

func announcementOf(r scanner) (a lms.Announcement, err error) {
	u := &a.Author
	err = r.Scan(&a.ID, &a.CourseID, &a.Title, &a.Body, &a.Pinned, timestamp{&a.PublishAt}, timestamp{&a.CreatedAt}, timestamp{&a.EditedAt},
		&u.ID, &u.Kind, &u.Status, &u.SiteRole, text{(*string)(&u.Email)}, &u.GivenName, &u.FamilyName, &u.Name)
	return a, err
}

// CreateAnnouncement adds an announcement and returns its id.
func (tx *Tx) CreateAnnouncement(ctx context.Context, courseID, authorID int64, f lms.AnnouncementFields, now time.Time) (int64, error) {
	var id int64
	if _, err := tx.one(ctx, sqlInsertAnnouncement, []any{courseID, f.Title, f.Body, f.Pinned, at(f.PublishAt), authorID, at(now)}, &id); err != nil {
		return 0, fmt.Errorf("create announcement in course %d: %w", courseID, err)
	}
	return id, nil
}

// UpdateAnnouncement changes what an announcement says.
func (tx *Tx) UpdateAnnouncement(ctx context.Context, courseID, id int64, f lms.AnnouncementFields, now time.Time) error {
	if _, err := tx.exec(ctx, sqlUpdateAnnouncement, courseID, id, f.Title, f.Body, f.Pinned, at(f.PublishAt), at(now)); err != nil {
		return fmt.Errorf("update announcement %d: %w", id, err)
	}
	return nil
}

// DeleteAnnouncement hides an announcement from everybody.
func (tx *Tx) DeleteAnnouncement(ctx context.Context, courseID, id int64, now time.Time) error {
	if _, err := tx.exec(ctx, sqlDeleteAnnouncement, courseID, id, at(now)); err != nil {
		return fmt.Errorf("delete announcement %d: %w", id, err)
	}
	return nil
}

// Announcement reads one announcement of a course.
func (tx *Tx) Announcement(ctx context.Context, courseID, id int64) (a lms.Announcement, ok bool, err error) {
	rows, err := tx.query(ctx, sqlAnnouncement, courseID, id)
	list, err := collect(rows, err, announcementOf)
	if err != nil {
		return a, false, fmt.Errorf("read announcement %d: %w", id, err)
	}
	if len(list) == 0 {
		return a, false, nil
	}
	return list[0], true, nil
}

// Announcements lists what is published until a time, the pinned ones first and
// the newest first among both, from the one that follows the id after; 0
// begins.
func (tx *Tx) Announcements(ctx context.Context, courseID int64, until time.Time, after int64, limit int) ([]lms.Announcement, error) {
	st, args := sqlAnnouncements, []any{courseID, at(until), limit}
	if after != 0 {
		st, args = sqlAnnouncementsAfter, append(args, after)
	}
	rows, err := tx.query(ctx, st, args...)
	list, err := collect(rows, err, announcementOf)
	if err != nil {
		return nil, fmt.Errorf("list announcements of course %d: %w", courseID, err)
	}
	return list, nil
}

// AnnouncementsBy lists what somebody has written, newest first, with an id below
// before.
func (tx *Tx) AnnouncementsBy(ctx context.Context, authorID, before int64, limit int) ([]lms.Announcement, error) {
	rows, err := tx.query(ctx, sqlAnnouncementsBy, authorID, before, limit)
	list, err := collect(rows, err, announcementOf)
	if err != nil {
		return nil, fmt.Errorf("list announcements by user %d: %w", authorID, err)
	}
	return list, nil
}

// LatestAnnouncements lists the newest of several courses that were published
// between two times.
func (tx *Tx) LatestAnnouncements(ctx context.Context, courseIDs []int64, since, until time.Time, limit int) ([]lms.Announcement, error) {
	rows, err := tx.query(ctx, sqlLatestAnnouncements, idList(courseIDs), at(since), at(until), limit)
	list, err := collect(rows, err, announcementOf)
	if err != nil {
		return nil, fmt.Errorf("list latest announcements: %w", err)
	}
	return list, nil
}
