package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"matricula/internal/lms"
)

// memberColumns are a user u (with address e) as a member of a course: the
// enrollment en, its role r and the grant p, each of which may be absent.
const memberColumns = userColumns + `,
	en.course_id, en.source, en.added_by, en.created_at, en.section_id, sec.name, en.number, en.begins_at, en.ends_at, en.limited_to, en.by_hand, en.import_id, r.id, r.key, r.name, r.is_preset, r.privileges,
	p.course_id, p.allow, p.deny, p.granted_by, p.granted_at`

// joinMembership joins the membership of user u in course c.
var joinMembership = joinMembershipIn("c.id")

// joinMembershipIn joins the membership of user u in a course, given by its id.
func joinMembershipIn(course string) string {
	return `
	LEFT JOIN enrollments en ON en.course_id = ` + course + ` AND en.user_id = u.id
	LEFT JOIN course_roles r ON r.id = en.role_id
	LEFT JOIN sections sec ON sec.id = en.section_id
	LEFT JOIN course_privileges p ON p.course_id = ` + course + ` AND p.user_id = u.id`
}

// memberScan scans memberColumns.
type memberScan struct {
	user           lms.User
	enrolled       int64
	source         string
	enrollment     lms.Enrollment
	role           lms.Role
	byHand         int64
	preset         *bool
	granted        int64
	grant          lms.Grant
	grantAllow     lms.PrivilegeSet
	grantDeny      lms.PrivilegeSet
	grantGrantedBy int64
}

func (m *memberScan) dest() []any {
	return append(userDest(&m.user),
		number{&m.enrolled}, text{&m.source}, number{&m.enrollment.AddedBy}, timestamp{&m.enrollment.CreatedAt},
		number{&m.enrollment.SectionID}, text{&m.enrollment.Section}, text{&m.enrollment.Number}, timestamp{&m.enrollment.Begins}, timestamp{&m.enrollment.Ends}, ids{&m.enrollment.LimitedTo}, number{&m.byHand}, number{&m.enrollment.ImportID},
		number{&m.role.ID}, text{&m.role.Key}, text{&m.role.Name}, &m.preset, privileges{&m.role.Privileges},
		number{&m.granted}, privileges{&m.grantAllow}, privileges{&m.grantDeny}, number{&m.grantGrantedBy}, timestamp{&m.grant.GrantedAt})
}

func (m *memberScan) member() lms.Member {
	out := lms.Member{User: m.user}
	if m.enrolled != 0 {
		e := m.enrollment
		e.UserID, e.CourseID, e.Source = m.user.ID, m.enrolled, lms.EnrollmentSource(m.source)
		e.ByHand = lms.Fields(m.byHand)
		e.Role = m.role
		e.Role.CourseID, e.Role.Preset = m.enrolled, m.preset != nil && *m.preset
		out.Enrollment = &e
	}
	if m.granted != 0 {
		out.Grant = &lms.Grant{
			UserID: m.user.ID, CourseID: m.granted, Allow: m.grantAllow, Deny: m.grantDeny,
			GrantedBy: m.grantGrantedBy, GrantedAt: m.grant.GrantedAt,
		}
	}
	return out
}

func scanMember(r scanner) (lms.Member, error) {
	m := memberScan{}
	err := r.Scan(m.dest()...)
	return m.member(), err
}

var (
	sqlStanding = stmt(`SELECT ` + courseColumns + `, ` + memberColumns + `
		FROM courses c JOIN users u ON u.id = $2` + joinEmail + joinMembership + `
		WHERE c.id = $1 AND c.deleted_at IS NULL`)
	sqlMember = stmt(`SELECT ` + memberColumns + `
		FROM users u` + joinEmail + joinMembershipIn("$1") + `
		WHERE u.id = $2 AND EXISTS (SELECT 1 FROM courses c WHERE c.id = $1)`)
	sqlMembersByID = stmt(`SELECT ` + memberColumns + `
		FROM courses c JOIN {rows:$2} ON TRUE JOIN users u ON u.id = CAST(j.value->>0 AS BIGINT)` + joinEmail + joinMembership + `
		WHERE c.id = $1 ORDER BY u.id`)
)

// Standing reads a course together with one user's place in it, in one query;
// ok is false when there is no such course or user.
func (tx *Tx) Standing(ctx context.Context, courseID, userID int64) (c lms.Course, m lms.Member, ok bool, err error) {
	scan := memberScan{}
	ok, err = tx.one(ctx, sqlStanding, []any{courseID, userID}, append(courseDest(&c), scan.dest()...)...)
	if err != nil {
		return c, m, false, fmt.Errorf("read standing of user %d in course %d: %w", userID, courseID, err)
	}
	return c, scan.member(), ok, nil
}

// Member reads one user who was not erased with their place in a course, whether or
// not they have one; ok is false when there is no such user, or no such course.
func (tx *Tx) Member(ctx context.Context, courseID, userID int64) (m lms.Member, ok bool, err error) {
	m, ok, err = tx.AnyMember(ctx, courseID, userID)
	if ok && m.User.Status == lms.StatusErased {
		return lms.Member{}, false, nil
	}
	return m, ok, err
}

// AnyMember is Member for whoever shows or ends what is left of the erased.
func (tx *Tx) AnyMember(ctx context.Context, courseID, userID int64) (m lms.Member, ok bool, err error) {
	scan := memberScan{}
	ok, err = tx.one(ctx, sqlMember, []any{courseID, userID}, scan.dest()...)
	if err != nil {
		return m, false, fmt.Errorf("read member %d of course %d: %w", userID, courseID, err)
	}
	return scan.member(), ok, nil
}

// MembersByID reads users with their places in a course, whether or not they
// have one; users who do not exist, or not any more, are left out. The result is
// ordered by id.
func (tx *Tx) MembersByID(ctx context.Context, courseID int64, ids []int64) ([]lms.Member, error) {
	members, err := tx.AnyMembersByID(ctx, courseID, ids)
	return slices.DeleteFunc(members, func(m lms.Member) bool { return m.User.Status == lms.StatusErased }), err
}

// AnyMembersByID is MembersByID for whoever shows or ends what is left of the erased.
func (tx *Tx) AnyMembersByID(ctx context.Context, courseID int64, ids []int64) ([]lms.Member, error) {
	rows, err := tx.query(ctx, sqlMembersByID, courseID, idList(ids))
	members, err := collect(rows, err, scanMember)
	if err != nil {
		return nil, fmt.Errorf("read %d members of course %d: %w", len(ids), courseID, err)
	}
	return members, nil
}

var (
	sqlEnroll = stmt(`INSERT INTO enrollments (course_id, source, added_by, created_at, user_id, role_id, section_id, number, begins_at, ends_at, limited_to, by_hand, import_id)
		SELECT $2, $3, $4, $5, CAST(j.value->>0 AS BIGINT), CAST(j.value->>1 AS BIGINT), CAST(j.value->>2 AS BIGINT), j.value->>3, {time:j.value->>4}, {time:j.value->>5},
			j.value->>6, CAST(j.value->>7 AS BIGINT), CAST(j.value->>8 AS BIGINT)
		FROM {rows:$1} WHERE TRUE
		ON CONFLICT (course_id, user_id) DO NOTHING RETURNING user_id`)
	sqlSetRole    = stmt(`UPDATE enrollments SET role_id = $3, by_hand = $4, import_id = $5, added_by = $6 WHERE course_id = $1 AND user_id = $2`)
	sqlSetDetails = stmt(`UPDATE enrollments SET section_id = $3, number = $4, begins_at = $5, ends_at = $6, limited_to = $7, by_hand = $8, import_id = $9
		WHERE course_id = $1 AND user_id = $2`)
	sqlUnenroll = stmt(`DELETE FROM enrollments WHERE course_id = $1 AND user_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$2})`)
	sqlUngrant  = stmt(`DELETE FROM course_privileges WHERE course_id = $1 AND user_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$2})`)
	sqlOwners   = stmt(`SELECT count(*) FROM (
		SELECT u.id FROM enrollments en JOIN course_roles r ON r.id = en.role_id JOIN users u ON u.id = en.user_id
		WHERE en.course_id = $1 AND r.is_preset AND r.key = 'owner' AND u.status = 'active' {share:u}) o`)
)

// Enroll puts users, given in ascending order, into a course in the same way and
// returns those who were not in it before.
func (tx *Tx) Enroll(ctx context.Context, ids []int64, e lms.Enrollment) ([]int64, error) {
	list := make([]lms.Enrollment, len(ids))
	for i, id := range ids {
		list[i] = e
		list[i].UserID = id
	}
	return tx.EnrollEach(ctx, list)
}

// EnrollEach makes enrollments, given in the ascending order of users, and returns
// the users who were not in the course before. They are of one course and have
// source, time and whoever added them in common.
func (tx *Tx) EnrollEach(ctx context.Context, list []lms.Enrollment) ([]int64, error) {
	if len(list) == 0 {
		return nil, nil
	}
	param := make([][9]any, len(list))
	for i, e := range list {
		param[i] = [9]any{e.UserID, e.Role.ID, orNull(e.SectionID), e.Number, tx.jsonTime(e.Begins), tx.jsonTime(e.Ends), storedIDs(e.LimitedTo), int(e.ByHand), e.ImportID}
	}
	e := list[0]
	rows, err := tx.query(ctx, sqlEnroll, mustJSON(param), e.CourseID, string(e.Source), e.AddedBy, at(e.CreatedAt))
	added, err := collect(rows, err, func(r scanner) (id int64, err error) { return id, r.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("enroll %d users in course %d: %w", len(list), e.CourseID, err)
	}
	return added, nil
}

// SetRole changes the role of somebody who is enrolled. Added by is from then on who
// gave that role.
func (tx *Tx) SetRole(ctx context.Context, e lms.Enrollment) error {
	if err := tx.later(ctx, "set role", sqlSetRole, e.CourseID, e.UserID, e.Role.ID, int(e.ByHand), e.ImportID, e.AddedBy); err != nil {
		return fmt.Errorf("set role of user %d in course %d: %w", e.UserID, e.CourseID, err)
	}
	return nil
}

// SetDetails changes what is noted about an enrollment beside the role.
func (tx *Tx) SetDetails(ctx context.Context, e lms.Enrollment) error {
	err := tx.later(ctx, "set details", sqlSetDetails, e.CourseID, e.UserID, orNull(e.SectionID), e.Number, atOrNull(e.Begins), atOrNull(e.Ends), storedIDs(e.LimitedTo), int(e.ByHand), e.ImportID)
	if err != nil {
		return fmt.Errorf("set details of user %d in course %d: %w", e.UserID, e.CourseID, err)
	}
	return nil
}

// UndoEnroll takes users out of a course as if they had never been in it.
func (tx *Tx) UndoEnroll(ctx context.Context, courseID int64, ids []int64) error {
	param := idList(ids)
	if err := tx.later(ctx, "undo enrollments", sqlUnenroll, courseID, param); err != nil {
		return fmt.Errorf("undo enrollments in course %d: %w", courseID, err)
	}
	if err := tx.later(ctx, "undo privileges", sqlUngrant, courseID, param); err != nil {
		return fmt.Errorf("undo privileges in course %d: %w", courseID, err)
	}
	return nil
}

// RemoveMembers takes users out of a course, with their privileges in it. What
// they had is kept among the past places, with who ended it.
func (tx *Tx) RemoveMembers(ctx context.Context, courseID int64, ids []int64, by int64, now time.Time) error {
	param := idList(ids)
	if err := tx.keepPast(ctx, courseID, param, by, now); err != nil {
		return err
	}
	if err := tx.later(ctx, "unenroll", sqlUnenroll, courseID, param); err != nil {
		return fmt.Errorf("unenroll from course %d: %w", courseID, err)
	}
	if err := tx.later(ctx, "withdraw privileges", sqlUngrant, courseID, param); err != nil {
		return fmt.Errorf("withdraw privileges in course %d: %w", courseID, err)
	}
	return nil
}

// ActiveOwners counts the owners of a course who have arrived, and keeps them
// as they are until the transaction ends: nobody is suspended while another
// leaves because of them.
func (tx *Tx) ActiveOwners(ctx context.Context, courseID int64) (n int64, err error) {
	if _, err := tx.one(ctx, sqlOwners, []any{courseID}, &n); err != nil {
		return 0, fmt.Errorf("count owners of course %d: %w", courseID, err)
	}
	return n, nil
}

var sqlLockOwned = stmt(`SELECT c.id FROM courses c WHERE c.deleted_at IS NULL AND c.id IN (
	SELECT en.course_id FROM enrollments en JOIN course_roles r ON r.id = en.role_id AND r.is_preset AND r.key = 'owner'
	WHERE en.user_id = $1) ORDER BY c.id {lock}`)

// LockOwnedCourses makes changes to the staff of all courses that a user owns
// wait, as LockCourse does for one. It comes before the user's own lock, since
// whoever changes a course holds the course first.
func (tx *Tx) LockOwnedCourses(ctx context.Context, userID int64) error {
	rows, err := tx.query(ctx, sqlLockOwned, userID)
	if _, err := collect(rows, err, func(r scanner) (id int64, err error) { return id, r.Scan(&id) }); err != nil {
		return fmt.Errorf("lock courses of user %d: %w", userID, err)
	}
	return nil
}

var sqlCoOwners = stmt(`SELECT u.id FROM enrollments en
	JOIN course_roles r ON r.id = en.role_id AND r.is_preset AND r.key = 'owner'
	JOIN enrollments e2 ON e2.course_id = en.course_id AND e2.role_id = en.role_id AND e2.user_id <> en.user_id
	JOIN users u ON u.id = e2.user_id
	WHERE en.user_id = $1 ORDER BY u.id {share:u}`)

var sqlSoleOwner = stmt(`SELECT c.id, c.title FROM enrollments en
	JOIN course_roles r ON r.id = en.role_id AND r.is_preset AND r.key = 'owner'
	JOIN courses c ON c.id = en.course_id AND c.deleted_at IS NULL
	WHERE en.user_id = $1 AND NOT EXISTS (
		SELECT 1 FROM enrollments e2 JOIN users u2 ON u2.id = e2.user_id AND u2.status = 'active'
		WHERE e2.course_id = en.course_id AND e2.role_id = en.role_id AND e2.user_id <> $1)
	ORDER BY c.id`)

// SoleOwnerships lists the courses whose only active owner is the user.
// It keeps the other owners as they are until the transaction ends, so that
// two who own a course together are not suspended at the same time.
func (tx *Tx) SoleOwnerships(ctx context.Context, userID int64) ([]lms.Course, error) {
	rows, err := tx.query(ctx, sqlCoOwners, userID)
	if _, err := collect(rows, err, func(r scanner) (id int64, err error) { return id, r.Scan(&id) }); err != nil {
		return nil, fmt.Errorf("hold the co-owners of user %d: %w", userID, err)
	}
	rows, err = tx.query(ctx, sqlSoleOwner, userID)
	list, err := collect(rows, err, func(r scanner) (c lms.Course, err error) { return c, r.Scan(&c.ID, &c.Title) })
	if err != nil {
		return nil, fmt.Errorf("list sole ownerships of user %d: %w", userID, err)
	}
	return list, nil
}

var sqlSetGrant = stmt(`INSERT INTO course_privileges (course_id, user_id, allow, deny, granted_by, granted_at)
	VALUES ($1, $2, $3, $4, $5, $6)
	ON CONFLICT (course_id, user_id) DO UPDATE SET allow = excluded.allow, deny = excluded.deny,
		granted_by = excluded.granted_by, granted_at = excluded.granted_at`)

// SetGrant sets what a person may do in a course beside their role.
func (tx *Tx) SetGrant(ctx context.Context, g lms.Grant) error {
	err := tx.later(ctx, "set privileges", sqlSetGrant, g.CourseID, g.UserID, storedPrivileges(g.Allow), storedPrivileges(g.Deny), g.GrantedBy, at(g.GrantedAt))
	if err != nil {
		return fmt.Errorf("set privileges of user %d in course %d: %w", g.UserID, g.CourseID, err)
	}
	return nil
}

// RemoveGrant removes what was set for a person beside their role.
func (tx *Tx) RemoveGrant(ctx context.Context, courseID, userID int64) error {
	if err := tx.later(ctx, "remove privileges", sqlUngrant, courseID, idList([]int64{userID})); err != nil {
		return fmt.Errorf("remove privileges of user %d in course %d: %w", userID, courseID, err)
	}
	return nil
}
