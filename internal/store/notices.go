package store

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

// Awaited is somebody in a course who has not arrived, with what is known about
// telling them.
type Awaited struct {
	UserID   int64
	Address  lms.Email
	Language string
	Notice   lms.NoticeState
}

// toThisAddress holds for notices n that went to the address e: what somebody was told,
// or answered, to whom an address belonged that has been corrected since, is nothing of
// whoever is meant now.
const toThisAddress = `n.created_at >= e.created_at`

const noticeColumns = `count(n.id), max(n.created_at), max(n.objected_at)`

var (
	sqlAwaited = stmt(`
		SELECT u.id, e.address, u.language, ` + noticeColumns + `
		FROM (SELECT user_id FROM enrollments WHERE course_id = $1 UNION SELECT user_id FROM course_privileges WHERE course_id = $1) m
		JOIN users u ON u.id = m.user_id AND u.status = 'pending' JOIN emails e ON e.user_id = u.id AND e.is_primary
		LEFT JOIN enrollments en ON en.course_id = $1 AND en.user_id = u.id
		LEFT JOIN notices n ON n.user_id = u.id AND ` + toThisAddress + `
		WHERE u.id > $2 AND ($3 = '[]' OR u.id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$3})) AND ` + withinSections("$4", "$5") + `
		GROUP BY u.id, e.address, u.language ORDER BY u.id LIMIT $6`)
	sqlNotices = stmt(`
		SELECT n.user_id, ` + noticeColumns + `, coalesce((SELECT m.state FROM mails m WHERE m.user_id = n.user_id AND m.kind = 'named' ORDER BY m.id DESC LIMIT 1), '')
		FROM {rows:$1} JOIN emails e ON e.user_id = CAST(j.value->>0 AS BIGINT) AND e.is_primary
		JOIN notices n ON n.user_id = e.user_id AND ` + toThisAddress + ` GROUP BY n.user_id`)
	sqlAddNotice = stmt(`INSERT INTO notices (user_id, course_id, told_by, answer_hash, created_at, outside) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`)
	sqlNoticeBy  = stmt(`SELECT n.id, n.user_id, n.course_id, n.told_by, n.created_at, n.objected_at FROM notices n JOIN users u ON u.id = n.user_id AND u.status = 'pending'
		JOIN emails e ON e.user_id = u.id AND e.is_primary AND ` + toThisAddress + ` WHERE n.answer_hash = $1`)
	sqlObject      = stmt(`UPDATE notices SET objected_at = $2 WHERE id = $1 AND objected_at IS NULL`)
	sqlPlacesTold  = stmt(`SELECT r.name, count(*) FROM enrollments en JOIN course_roles r ON r.id = en.role_id AND r.is_preset JOIN courses c ON c.id = en.course_id AND c.deleted_at IS NULL WHERE en.user_id = $1 GROUP BY r.name ORDER BY count(*) DESC, r.name`)
	sqlCountPlaces = stmt(`SELECT count(*) FROM (SELECT course_id FROM enrollments WHERE user_id = $1 UNION SELECT course_id FROM course_privileges WHERE user_id = $1) m
		JOIN courses c ON c.id = m.course_id AND c.deleted_at IS NULL`)
)

// Awaited lists people of a course who have not arrived, by id: those of a list when
// there is one, and of some sections when these are given.
func (tx *Tx) Awaited(ctx context.Context, courseID, after int64, only []int64, within lms.IDs, self int64, limit int) ([]Awaited, error) {
	rows, err := tx.query(ctx, sqlAwaited, courseID, after, idList(only), idList(within.List()), self, limit)
	list, err := collect(rows, err, func(r scanner) (a Awaited, err error) {
		return a, r.Scan(&a.UserID, (*string)(&a.Address), &a.Language, &a.Notice.Times, timestamp{&a.Notice.Last}, timestamp{&a.Notice.Objected})
	})
	if err != nil {
		return nil, fmt.Errorf("list who is awaited in course %d: %w", courseID, err)
	}
	return list, nil
}

// NoticeStates tells how people were told that they were named, by their ids; whoever
// never was is not among them.
func (tx *Tx) NoticeStates(ctx context.Context, users []int64) (map[int64]lms.NoticeState, error) {
	states := make(map[int64]lms.NoticeState, len(users))
	rows, err := tx.query(ctx, sqlNotices, idList(users))
	_, err = collect(rows, err, func(r scanner) (struct{}, error) {
		var id int64
		var n lms.NoticeState
		err := r.Scan(&id, &n.Times, timestamp{&n.Last}, timestamp{&n.Objected}, (*string)(&n.Mail))
		states[id] = n
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("read notices: %w", err)
	}
	return states, nil
}

// AddNotice notes that somebody is told; outside is whether they lie outside the
// school's domains.
func (tx *Tx) AddNotice(ctx context.Context, userID, courseID, by int64, answerHash []byte, outside bool, now time.Time) (id int64, err error) {
	if _, err = tx.one(ctx, sqlAddNotice, []any{userID, courseID, by, answerHash, at(now), outside}, &id); err != nil {
		return 0, fmt.Errorf("add notice for user %d: %w", userID, err)
	}
	return id, nil
}

// Notice is one notice.
type Notice struct {
	ID, UserID, CourseID, ToldBy int64
	CreatedAt, ObjectedAt        time.Time
}

// NoticeByAnswer finds the notice of somebody who has not arrived by the secret in
// its mail.
func (tx *Tx) NoticeByAnswer(ctx context.Context, hash []byte) (n Notice, ok bool, err error) {
	ok, err = tx.one(ctx, sqlNoticeBy, []any{hash}, &n.ID, &n.UserID, &n.CourseID, &n.ToldBy, timestamp{&n.CreatedAt}, timestamp{&n.ObjectedAt})
	if err != nil {
		return n, false, fmt.Errorf("find notice: %w", err)
	}
	return n, ok, nil
}

// Object notes that whoever got a notice does not want to be here; done is false when
// they had said so before.
func (tx *Tx) Object(ctx context.Context, id int64, now time.Time) (done bool, err error) {
	n, err := tx.exec(ctx, sqlObject, id, at(now))
	if err != nil {
		return false, fmt.Errorf("note objection %d: %w", id, err)
	}
	return n == 1, nil
}

// PlacesTold are the built-in roles that somebody has, the commonest first, and in how
// many courses they are. Other roles have names that people chose.
func (tx *Tx) PlacesTold(ctx context.Context, userID int64) (roles []string, courses int64, err error) {
	rows, err := tx.query(ctx, sqlPlacesTold, userID)
	roles, err = collect(rows, err, func(r scanner) (name string, err error) { return name, r.Scan(&name, new(int64)) })
	if err == nil {
		_, err = tx.one(ctx, sqlCountPlaces, []any{userID}, &courses)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read places of user %d: %w", userID, err)
	}
	return roles, courses, nil
}

var (
	sqlWatchArrivals = stmt(`UPDATE users SET arrivals_told_at = $2 WHERE id = $1`)
	sqlWatches       = stmt(`SELECT count(*) FROM users WHERE id = $1 AND arrivals_told_at IS NOT NULL`)
	sqlWatchersDue   = stmt(`SELECT u.id, u.arrivals_told_at FROM users u WHERE u.arrivals_told_at <= $1 AND u.status = 'active' ORDER BY u.arrivals_told_at, u.id LIMIT $2`)
	sqlToldArrivals  = stmt(`UPDATE users SET arrivals_told_at = $3 WHERE id = $1 AND arrivals_told_at = $2`)
	sqlArrivedFor    = stmt(`SELECT count(*) FROM users u WHERE u.claimed_at > $2 AND u.claimed_at <= $3 AND u.id <> $1 AND (u.created_by = $1
		OR EXISTS (SELECT 1 FROM enrollments en WHERE en.user_id = u.id AND en.added_by = $1)
		OR EXISTS (SELECT 1 FROM course_privileges p WHERE p.user_id = u.id AND p.granted_by = $1))`)
)

// WatchArrivals has somebody told, from now on, who of those whom they named has
// arrived; the zero time ends it.
func (tx *Tx) WatchArrivals(ctx context.Context, userID int64, from time.Time) error {
	if _, err := tx.exec(ctx, sqlWatchArrivals, userID, atOrNull(from)); err != nil {
		return fmt.Errorf("watch arrivals for user %d: %w", userID, err)
	}
	return nil
}

// WatchesArrivals tells whether somebody wants to be told.
func (tx *Tx) WatchesArrivals(ctx context.Context, userID int64) (bool, error) {
	var n int64
	if _, err := tx.one(ctx, sqlWatches, []any{userID}, &n); err != nil {
		return false, fmt.Errorf("read whether user %d watches arrivals: %w", userID, err)
	}
	return n > 0, nil
}

// Watcher is somebody who is told of arrivals, and has been until a time.
type Watcher struct {
	UserID int64
	Until  time.Time
}

// WatchersToTell are those who have not been told since a time.
func (tx *Tx) WatchersToTell(ctx context.Context, since time.Time, limit int) ([]Watcher, error) {
	rows, err := tx.query(ctx, sqlWatchersDue, at(since), limit)
	list, err := collect(rows, err, func(r scanner) (w Watcher, err error) { return w, r.Scan(&w.UserID, timestamp{&w.Until}) })
	if err != nil {
		return nil, fmt.Errorf("list who is told of arrivals: %w", err)
	}
	return list, nil
}

// TakeArrivals counts who has arrived for a watcher until now, and notes that they are
// told; ok is false when another node does it.
func (tx *Tx) TakeArrivals(ctx context.Context, w Watcher, now time.Time) (n int64, ok bool, err error) {
	taken, err := tx.exec(ctx, sqlToldArrivals, w.UserID, at(w.Until), at(now))
	if err != nil || taken == 0 {
		return 0, false, err
	}
	if _, err := tx.one(ctx, sqlArrivedFor, []any{w.UserID, at(w.Until), at(now)}, &n); err != nil {
		return 0, false, fmt.Errorf("count arrivals for user %d: %w", w.UserID, err)
	}
	return n, true, nil
}
