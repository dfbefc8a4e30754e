package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"matricula/internal/lms"
)

// PlaceOf says that somebody has something in a course.
type PlaceOf struct {
	CourseID, UserID int64
	Deleted          bool // the course is
}

var (
	sqlPlacesOf = stmt(`SELECT m.course_id, m.user_id, CASE WHEN c.deleted_at IS NULL THEN 0 ELSE 1 END FROM (
			SELECT course_id, user_id FROM enrollments WHERE user_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1})
			UNION
			SELECT course_id, user_id FROM course_privileges WHERE user_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1})
		) m JOIN courses c ON c.id = m.course_id ORDER BY m.course_id, m.user_id`)
	sqlLockCourses = stmt(`SELECT c.id FROM courses c WHERE c.id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1}) ORDER BY c.id {lock}`)
)

// PlacesOf lists where people have something, in the order of the courses.
func (tx *Tx) PlacesOf(ctx context.Context, users []int64) ([]PlaceOf, error) {
	rows, err := tx.query(ctx, sqlPlacesOf, idList(users))
	list, err := collect(rows, err, func(r scanner) (p PlaceOf, err error) {
		var deleted int64
		err = r.Scan(&p.CourseID, &p.UserID, &deleted)
		p.Deleted = deleted != 0
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("list the places of %d users: %w", len(users), err)
	}
	return list, nil
}

// LockCourses is LockCourse for several, deleted ones too.
func (tx *Tx) LockCourses(ctx context.Context, ids []int64) error {
	return tx.lock(ctx, "lock courses", sqlLockCourses, idList(ids))
}

// holdText locks the addresses of people, and then the people themselves, so that
// nobody claims them, names them or gives them anything until the transaction ends.
// Whoever names somebody holds the address first, too.
const (
	heldAddresses = `SELECT a.user_id FROM emails a WHERE a.user_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1}) ORDER BY a.address`
	heldPeople    = `SELECT u.id FROM users u WHERE u.id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1}) ORDER BY u.id`
)

var (
	sqlHoldAddressesOf = stmtFor(heldAddresses, heldAddresses+` FOR UPDATE OF a`)
	sqlHoldPeople      = stmtFor(heldPeople, heldPeople+` FOR UPDATE OF u`)
	// Two pending people who were merged have several addresses, of which somebody may
	// be claiming one.
	sqlFreeAddressesOf = stmtFor(heldAddresses, `WITH free AS MATERIALIZED (`+heldAddresses+` FOR UPDATE OF a SKIP LOCKED)
		SELECT f.user_id FROM free f GROUP BY f.user_id HAVING count(*) = (SELECT count(*) FROM emails x WHERE x.user_id = f.user_id)`)
	sqlFreePeople = stmtFor(heldPeople, heldPeople+` FOR UPDATE OF u SKIP LOCKED`)
)

// HoldPeople keeps everybody else from doing anything with people until the
// transaction ends. What is read after it includes what others have done before.
func (tx *Tx) HoldPeople(ctx context.Context, users []int64) error {
	_, err := tx.hold(ctx, users, sqlHoldAddressesOf, sqlHoldPeople)
	return err
}

// HoldFree is HoldPeople for those with whom nobody is doing anything at the
// moment. It waits for nobody, and gives those whom it holds.
func (tx *Tx) HoldFree(ctx context.Context, users []int64) ([]int64, error) {
	return tx.hold(ctx, users, sqlFreeAddressesOf, sqlFreePeople)
}

func (tx *Tx) hold(ctx context.Context, users []int64, each ...*statement) ([]int64, error) {
	for _, st := range each {
		rows, err := tx.query(ctx, st, idList(users))
		if users, err = collect(rows, err, func(r scanner) (id int64, err error) { return id, r.Scan(&id) }); err != nil {
			return nil, fmt.Errorf("hold people: %w", err)
		}
		if len(users) == 0 {
			return nil, nil
		}
	}
	return users, nil
}

// since is from when on a pending person u waits, as far as it is kept in the row.
const since = `coalesce(u.renewed_at, u.created_at)`

// isDue holds for people u who have not arrived, whom nobody has named or given
// anything since $1, and whom no directory keeps.
const isDue = `u.status = 'pending' AND ` + since + ` <= $1
	AND NOT EXISTS (SELECT 1 FROM directory_people d WHERE d.user_id = u.id AND d.deleted_at IS NULL)
	AND NOT EXISTS (SELECT 1 FROM enrollments x WHERE x.user_id = u.id AND x.created_at > $1)
	AND NOT EXISTS (SELECT 1 FROM course_privileges y WHERE y.user_id = u.id AND y.granted_at > $1)`

var (
	sqlPendingDue = stmt(`SELECT u.id FROM users u WHERE ` + isDue + ` AND u.id > $2 ORDER BY u.id LIMIT $3`)
	sqlStillDue   = stmt(`SELECT ` + userColumns + ` FROM users u` + joinEmail + `
		WHERE ` + isDue + ` AND u.id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$2}) ORDER BY u.id`)
	sqlExpiringIn = stmt(`SELECT ` + memberColumns + `
		FROM (SELECT user_id FROM enrollments WHERE course_id = $2 UNION SELECT user_id FROM course_privileges WHERE course_id = $2) m
		JOIN users u ON u.id = m.user_id` + joinEmail + joinMembershipIn("$2") + `
		WHERE ` + isDue + ` AND ` + withinSections("$3", "$4") + `
		ORDER BY ` + since + `, u.id LIMIT $5`).eachTime()
	sqlWaitingSince = stmt(`SELECT u.id, ` + since + `,
			(SELECT max(x.created_at) FROM enrollments x WHERE x.user_id = u.id), (SELECT max(y.granted_at) FROM course_privileges y WHERE y.user_id = u.id)
		FROM users u WHERE u.id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1}) AND u.status = 'pending'`)
	sqlRenew = stmt(`UPDATE users SET renewed_at = $2 WHERE id IN (
		SELECT u.id FROM users u WHERE u.id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1}) AND u.status = 'pending' AND ` + since + ` < $3 ORDER BY u.id {lock})`)
)

// PendingDue lists people with an id above after who have not arrived, and whom
// nobody has named or given anything since a time.
func (tx *Tx) PendingDue(ctx context.Context, since time.Time, after int64, limit int) ([]int64, error) {
	rows, err := tx.query(ctx, sqlPendingDue, at(since), after, limit)
	list, err := collect(rows, err, func(r scanner) (id int64, err error) { return id, r.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("list who has waited since %s: %w", since, err)
	}
	return list, nil
}

// StillDue reads those of some people who are due as PendingDue says.
func (tx *Tx) StillDue(ctx context.Context, since time.Time, users []int64) ([]lms.User, error) {
	rows, err := tx.query(ctx, sqlStillDue, at(since), idList(users))
	list, err := collect(rows, err, func(r scanner) (u lms.User, err error) { return u, r.Scan(userDest(&u)...) })
	if err != nil {
		return nil, fmt.Errorf("read %d people who were due: %w", len(users), err)
	}
	return list, nil
}

// ExpiringIn lists the people of a course who are due as PendingDue says, who waits
// longest first. Within and self narrow them as for PeopleCounts.
func (tx *Tx) ExpiringIn(ctx context.Context, courseID int64, since time.Time, within lms.IDs, self int64, limit int) ([]lms.Member, error) {
	rows, err := tx.query(ctx, sqlExpiringIn, at(since), courseID, idList(within.List()), self, limit)
	list, err := collect(rows, err, scanMember)
	if err != nil {
		return nil, fmt.Errorf("list who expires in course %d: %w", courseID, err)
	}
	return list, nil
}

// WaitingSince tells since when pending people wait: since they were last named, or
// given something. Whoever is not pending is left out.
func (tx *Tx) WaitingSince(ctx context.Context, users []int64) (map[int64]time.Time, error) {
	out := make(map[int64]time.Time, len(users))
	rows, err := tx.query(ctx, sqlWaitingSince, idList(users))
	_, err = collect(rows, err, func(r scanner) (struct{}, error) {
		var id int64
		var named, added, granted time.Time
		err := r.Scan(&id, timestamp{&named}, timestamp{&added}, timestamp{&granted})
		out[id] = slices.MaxFunc([]time.Time{named, added, granted}, time.Time.Compare)
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("read since when %d users wait: %w", len(users), err)
	}
	return out, nil
}

// Renew lets the pending among some people wait anew from now on, if they were last
// named before a time.
func (tx *Tx) Renew(ctx context.Context, users []int64, now, before time.Time) error {
	if len(users) == 0 {
		return nil
	}
	if err := tx.later(ctx, "renew", sqlRenew, idList(users), at(now), at(before)); err != nil {
		return fmt.Errorf("renew %d people: %w", len(users), err)
	}
	return nil
}

var sqlCorrectAddress = stmt(`UPDATE emails SET address = $3, as_typed = $4, created_at = $5 WHERE user_id = $1 AND address = $2 AND is_primary`)

// CorrectAddress gives a pending person, whom the transaction holds, another address
// in the place of the one that they have; taken says that somebody has it. What was
// on its way to the old address is stopped.
func (tx *Tx) CorrectAddress(ctx context.Context, u lms.User, to lms.Email, typed string, now time.Time) (taken bool, err error) {
	n, err := tx.exec(ctx, sqlCorrectAddress, u.ID, string(u.Email), string(to), typed, at(now))
	switch {
	case isUnique(err):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("correct the address of user %d: %w", u.ID, err)
	case n != 1:
		return false, fmt.Errorf("correct the address of user %d: %d addresses changed", u.ID, n)
	}
	if err := tx.stopMail(ctx, idList([]int64{u.ID}), now); err != nil {
		return false, err
	}
	u.Email = to
	return false, tx.SetNames(ctx, u, Names{Given: u.GivenName, Family: u.FamilyName, Full: u.Name})
}
