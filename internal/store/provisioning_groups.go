package store

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

// Group is a course as a directory sees it.
type Group struct {
	CourseID   int64
	Code       string
	Title      string
	Name       string // what the directory calls it; empty: nothing yet
	ExternalID string
	CreatedAt  time.Time
	ChangedAt  time.Time
	Version    int64 // the last entry of its audit: a course does not change without one
	HeldBack   bool  // the directory has deleted it, so that it does not see it
}

// GroupMember is somebody in a course who is no staff there.
type GroupMember struct {
	CourseID int64
	lms.User
}

const (
	groupSelect = `SELECT c.id, c.code, c.title, coalesce(g.name, ''), coalesce(g.external_id, ''), c.created_at, g.changed_at,
			(SELECT a.at FROM audit_entries a WHERE a.course_id = c.id ORDER BY a.id DESC LIMIT 1),
			(SELECT max(a.id) FROM audit_entries a WHERE a.course_id = c.id), CASE WHEN g.deleted_at IS NULL THEN 0 ELSE 1 END
		FROM courses c LEFT JOIN directory_groups g ON g.course_id = c.id AND g.directory_id = $1
		WHERE c.deleted_at IS NULL`
	groupSeen = groupSelect + ` AND g.deleted_at IS NULL`
	// Who has any privilege by their role is staff, whom no directory sees to.
	groupMembers = ` FROM enrollments en JOIN course_roles r ON r.id = en.role_id AND r.privileges = '[]'
		JOIN users u ON u.id = en.user_id AND u.kind = 'person' AND u.status <> 'erased'`
	notHeldBack = ` NOT EXISTS (SELECT 1 FROM directory_people x WHERE x.directory_id = $1 AND x.user_id = u.id AND x.deleted_at IS NOT NULL)`
)

var (
	sqlGroup          = stmt(groupSelect + ` AND c.id = $2`)
	sqlGroupsAfter    = stmt(groupSeen + ` AND c.id > $2 ORDER BY c.id LIMIT $3`)
	sqlGroupsPage     = stmt(groupSeen + ` ORDER BY c.id LIMIT $2 OFFSET $3`)
	sqlGroupByName    = stmt(groupSeen + ` AND g.external_id = $2 AND g.external_id <> ''`)
	sqlGroupsOf       = stmt(groupSeen + ` AND c.id IN (SELECT en.course_id` + groupMembers + ` WHERE en.user_id = $2 AND` + notHeldBack + `) ORDER BY c.id`)
	sqlHiddenGroups   = stmt(groupSelect + ` AND g.deleted_at IS NOT NULL ORDER BY c.id`)
	sqlGroupsCount    = stmt(`SELECT count(*) FROM courses c LEFT JOIN directory_groups g ON g.course_id = c.id AND g.directory_id = $1 WHERE c.deleted_at IS NULL AND g.deleted_at IS NULL`)
	sqlGroupMembers   = stmt(`SELECT en.course_id, ` + userColumns + groupMembers + joinEmail + ` WHERE en.course_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$2}) AND` + notHeldBack + ` ORDER BY en.course_id, u.id LIMIT $3`)
	sqlGroupMemberIDs = stmt(`SELECT en.user_id` + groupMembers + ` WHERE en.course_id = $2 AND` + notHeldBack + ` ORDER BY en.user_id`)
	sqlOwnMembers     = stmt(`SELECT en.user_id` + groupMembers + ` WHERE en.course_id = $2 AND en.source = $3 AND en.added_by = $1 ORDER BY en.user_id`)
	sqlKnownPeople    = stmt(`SELECT u.id FROM users u WHERE u.kind = 'person' AND u.status <> 'erased' AND u.id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$2}) AND` + notHeldBack)
	sqlSetGroup       = stmt(`INSERT INTO directory_groups (directory_id, course_id, external_id, name, changed_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (directory_id, course_id) DO UPDATE SET external_id = excluded.external_id, name = excluded.name, changed_at = excluded.changed_at, deleted_at = NULL`)
	sqlDeleteGroup = stmt(`UPDATE directory_groups SET external_id = '', deleted_at = $3, changed_at = $3 WHERE directory_id = $1 AND course_id = $2`)
)

func scanGroup(r scanner) (g Group, err error) {
	var told, entry time.Time
	var held int64
	err = r.Scan(&g.CourseID, &g.Code, &g.Title, &g.Name, &g.ExternalID, timestamp{&g.CreatedAt}, timestamp{&told}, timestamp{&entry}, number{&g.Version}, &held)
	g.HeldBack = held != 0
	g.ChangedAt = g.CreatedAt
	for _, t := range []time.Time{told, entry} {
		if t.After(g.ChangedAt) {
			g.ChangedAt = t
		}
	}
	return g, err
}

func (tx *Tx) groups(ctx context.Context, st *statement, args ...any) ([]Group, error) {
	rows, err := tx.query(ctx, st, args...)
	list, err := collect(rows, err, scanGroup)
	if err != nil {
		return nil, fmt.Errorf("read groups of a directory: %w", err)
	}
	return list, nil
}

// Group reads a course as a directory sees it, also one that it has deleted.
func (tx *Tx) Group(ctx context.Context, directory, course int64) (g Group, ok bool, err error) {
	list, err := tx.groups(ctx, sqlGroup, directory, course)
	if err != nil || len(list) == 0 {
		return g, false, err
	}
	return list[0], true, nil
}

// GroupsAfter lists courses with an id above after that a directory sees.
func (tx *Tx) GroupsAfter(ctx context.Context, directory, after int64, limit int) ([]Group, error) {
	return tx.groups(ctx, sqlGroupsAfter, directory, after, limit)
}

// GroupsPage lists courses that a directory sees, by id.
func (tx *Tx) GroupsPage(ctx context.Context, directory int64, first, limit int) ([]Group, error) {
	return tx.groups(ctx, sqlGroupsPage, directory, limit, first)
}

// GroupsByExternalID finds the course that a directory knows by an identifier of its own.
func (tx *Tx) GroupsByExternalID(ctx context.Context, directory int64, external string) ([]Group, error) {
	return tx.groups(ctx, sqlGroupByName, directory, external)
}

// GroupsOf lists the courses in whose groups somebody is.
func (tx *Tx) GroupsOf(ctx context.Context, directory, user int64) ([]Group, error) {
	return tx.groups(ctx, sqlGroupsOf, directory, user)
}

// HiddenGroups lists the courses whose groups a directory has deleted.
func (tx *Tx) HiddenGroups(ctx context.Context, directory int64) ([]Group, error) {
	return tx.groups(ctx, sqlHiddenGroups, directory)
}

// CountGroups counts the courses that a directory sees.
func (tx *Tx) CountGroups(ctx context.Context, directory int64) (n int, err error) {
	if _, err := tx.one(ctx, sqlGroupsCount, []any{directory}, &n); err != nil {
		return 0, fmt.Errorf("count groups of directory %d: %w", directory, err)
	}
	return n, nil
}

// GroupMembers lists who is in courses and no staff there, in the order of both ids.
func (tx *Tx) GroupMembers(ctx context.Context, directory int64, courses []int64, limit int) ([]GroupMember, error) {
	if len(courses) == 0 {
		return nil, nil
	}
	rows, err := tx.query(ctx, sqlGroupMembers, directory, idList(courses), limit)
	list, err := collect(rows, err, func(r scanner) (m GroupMember, err error) {
		return m, r.Scan(append([]any{&m.CourseID}, userDest(&m.User)...)...)
	})
	if err != nil {
		return nil, fmt.Errorf("list members of %d groups: %w", len(courses), err)
	}
	return list, nil
}

func (tx *Tx) userIDs(ctx context.Context, st *statement, args ...any) ([]int64, error) {
	rows, err := tx.query(ctx, st, args...)
	return collect(rows, err, func(r scanner) (id int64, err error) { return id, r.Scan(&id) })
}

// GroupMemberIDs lists who is in a course and no staff there.
func (tx *Tx) GroupMemberIDs(ctx context.Context, directory, course int64) ([]int64, error) {
	list, err := tx.userIDs(ctx, sqlGroupMemberIDs, directory, course)
	if err != nil {
		return nil, fmt.Errorf("list members of group %d: %w", course, err)
	}
	return list, nil
}

// AddedByDirectory lists those members of a course whom the directory itself added.
func (tx *Tx) AddedByDirectory(ctx context.Context, directory, course int64) ([]int64, error) {
	list, err := tx.userIDs(ctx, sqlOwnMembers, directory, course, string(lms.SourceDirectory))
	if err != nil {
		return nil, fmt.Errorf("list whom directory %d added to course %d: %w", directory, course, err)
	}
	return list, nil
}

// SeenPeople picks those people whom a directory sees.
func (tx *Tx) SeenPeople(ctx context.Context, directory int64, users []int64) ([]int64, error) {
	if len(users) == 0 {
		return nil, nil
	}
	list, err := tx.userIDs(ctx, sqlKnownPeople, directory, idList(users))
	if err != nil {
		return nil, fmt.Errorf("look up %d people: %w", len(users), err)
	}
	return list, nil
}

// SetGroup notes what a directory calls a course; taken says that it calls another one
// so, and then the transaction must be given up.
func (tx *Tx) SetGroup(ctx context.Context, directory int64, g Group, now time.Time) (taken bool, err error) {
	_, err = tx.exec(ctx, sqlSetGroup, directory, g.CourseID, g.ExternalID, g.Name, at(now))
	if isUnique(err) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("note course %d in directory %d: %w", g.CourseID, directory, err)
	}
	return false, nil
}

// DeleteGroup hides a course from a directory.
func (tx *Tx) DeleteGroup(ctx context.Context, directory int64, g Group, now time.Time) error {
	if _, err := tx.SetGroup(ctx, directory, Group{CourseID: g.CourseID, Name: g.Name}, now); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, sqlDeleteGroup, directory, g.CourseID, at(now)); err != nil {
		return fmt.Errorf("hide course %d from directory %d: %w", g.CourseID, directory, err)
	}
	return nil
}
