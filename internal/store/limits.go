package store

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

// Use is what is to be counted for a limit, for one subject.
type Use struct {
	Limit   lms.LimitName
	UserID  int64  // of a limit per person; else SystemUserID
	Subject string // of any other limit
	N       int64
	Until   time.Time // when a period that begins now ends
}

// Used is how far a limit is used within its present period.
type Used struct {
	Use
	Used   int64     // with N
	Ends   time.Time // the period
	Amount int64     // as an administrator has set it; 0: nobody has
	Lifted bool      // for the subject, at the moment
}

// How a limit is set, and whether it is lifted, is read in the statement that counts.
// A second round trip would hold the locks of the rows for longer.
const limitColumns = `,
	coalesce((SELECT l.amount FROM limits l WHERE l.name = limit_uses.limit_name), 0),
	(SELECT count(*) FROM limit_lifts f WHERE f.limit_name = limit_uses.limit_name AND f.user_id = limit_uses.user_id AND f.subject = limit_uses.subject
		AND f.until_at > $2 AND f.ended_at IS NULL)`

var (
	// Rows are written in one order by everybody, so that no two wait for each other.
	sqlCountUses = stmt(`
		INSERT INTO limit_uses (limit_name, user_id, subject, used, ends_at)
		SELECT j.value->>0, CAST(j.value->>1 AS BIGINT), j.value->>2, CAST(j.value->>3 AS BIGINT), {time:j.value->>4} FROM {rows:$1} WHERE TRUE ORDER BY 1, 2, 3
		ON CONFLICT (limit_name, user_id, subject) DO UPDATE SET
			used = excluded.used + CASE WHEN limit_uses.ends_at > $2 THEN limit_uses.used ELSE 0 END,
			ends_at = CASE WHEN limit_uses.ends_at > $2 THEN limit_uses.ends_at ELSE excluded.ends_at END
		RETURNING limit_name, user_id, subject, used, ends_at` + limitColumns)
	sqlUses = stmt(`
		SELECT limit_uses.limit_name, limit_uses.user_id, limit_uses.subject, coalesce(u.used, 0), coalesce(u.ends_at, limit_uses.ends_at)` + limitColumns + `
		FROM (SELECT j.value->>0 AS limit_name, CAST(j.value->>1 AS BIGINT) AS user_id, j.value->>2 AS subject, {time:j.value->>4} AS ends_at FROM {rows:$1}) limit_uses
		LEFT JOIN limit_uses u ON u.limit_name = limit_uses.limit_name AND u.user_id = limit_uses.user_id AND u.subject = limit_uses.subject AND u.ends_at > $2`)
	sqlOldUses  = stmt(`DELETE FROM limit_uses WHERE ends_at <= $1`)
	sqlOldLifts = stmt(`DELETE FROM limit_lifts WHERE until_at <= $1`)

	sqlLimits   = stmt(`SELECT name, amount, set_by, set_at FROM limits ORDER BY name`)
	sqlSetLimit = stmt(`INSERT INTO limits (name, amount, set_by, set_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (name) DO UPDATE SET amount = excluded.amount, set_by = excluded.set_by, set_at = excluded.set_at`)
	sqlDropLimit = stmt(`DELETE FROM limits WHERE name = $1`)
	sqlTakeLimit = stmt(`SELECT name, amount, set_by, set_at FROM limits WHERE name = $1 {lock}`)

	sqlAddLift  = stmt(`INSERT INTO limit_lifts (limit_name, user_id, course_id, subject, reason, lifted_by, lifted_at, until_at, ended_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $6) RETURNING id`)
	sqlEndLift  = stmt(`UPDATE limit_lifts SET ended_by = $2, ended_at = $3 WHERE id = $1 AND ended_at IS NULL AND until_at > $3`)
	sqlEndLifts = stmt(`UPDATE limit_lifts SET ended_by = $4, ended_at = $5
		WHERE limit_name = $1 AND user_id = $2 AND subject = $3 AND ended_at IS NULL AND until_at > $5 RETURNING id`)
	sqlLift  = stmt(`SELECT ` + liftColumns + liftFrom + ` WHERE f.id = $1`)
	sqlLifts = stmt(`SELECT ` + liftColumns + liftFrom + ` WHERE f.id < $1 AND ($3 = 0 OR f.ended_at IS NULL AND f.until_at > $4) ORDER BY f.id DESC LIMIT $2`)
)

const (
	liftColumns = `f.id, f.limit_name, f.user_id, f.course_id, f.subject, f.reason, f.lifted_by, f.lifted_at, f.until_at, f.ended_by, f.ended_at,
		u.given_name, u.family_name, u.name, coalesce(e.address, ''), coalesce(c.title, ''), b.given_name, b.family_name, b.name, coalesce(d.address, '')`
	liftFrom = ` FROM limit_lifts f JOIN users u ON u.id = f.user_id LEFT JOIN emails e ON e.user_id = u.id AND e.is_primary
		LEFT JOIN courses c ON c.id = f.course_id JOIN users b ON b.id = f.lifted_by LEFT JOIN emails d ON d.user_id = b.id AND d.is_primary`
)

func (tx *Tx) usesJSON(list []Use) string {
	rows := make([][5]any, len(list))
	for i, u := range list {
		rows[i] = [5]any{u.Limit, u.UserID, u.Subject, u.N, tx.jsonTime(u.Until)}
	}
	return mustJSON(rows)
}

func usedOf(r scanner) (u Used, err error) {
	var lifts int64
	err = r.Scan((*string)(&u.Limit), &u.UserID, &u.Subject, &u.Used, timestamp{&u.Ends}, &u.Amount, &lifts)
	u.Lifted = lifts > 0
	return u, err
}

// CountUses counts what happens in this transaction, each limit and subject once, and
// tells how far the limits are used with it. Whoever counts for the same subject waits
// until the transaction ends, so that it belongs at its end.
func (tx *Tx) CountUses(ctx context.Context, list []Use, now time.Time) ([]Used, error) {
	return tx.uses(ctx, sqlCountUses, list, now)
}

// Uses tells how far limits are used.
func (tx *Tx) Uses(ctx context.Context, list []Use, now time.Time) ([]Used, error) {
	return tx.uses(ctx, sqlUses, list, now)
}

func (tx *Tx) uses(ctx context.Context, st *statement, list []Use, now time.Time) ([]Used, error) {
	if len(list) == 0 {
		return nil, nil
	}
	rows, err := tx.query(ctx, st, tx.usesJSON(list), at(now))
	out, err := collect(rows, err, usedOf)
	if err != nil {
		return nil, fmt.Errorf("count for %d limits: %w", len(list), err)
	}
	type key struct {
		limit   lms.LimitName
		user    int64
		subject string
	}
	asked := make(map[key]Use, len(list))
	for _, u := range list {
		asked[key{u.Limit, u.UserID, u.Subject}] = u
	}
	for i := range out {
		out[i].Use = asked[key{out[i].Limit, out[i].UserID, out[i].Subject}]
	}
	return out, nil
}

// SetLimit is a limit as an administrator has set it.
type SetLimit struct {
	Name   lms.LimitName
	Amount int64
	SetBy  int64
	SetAt  time.Time
}

func setLimitOf(r scanner) (l SetLimit, err error) {
	return l, r.Scan((*string)(&l.Name), &l.Amount, &l.SetBy, timestamp{&l.SetAt})
}

// SetLimits lists the limits that administrators have set.
func (tx *Tx) SetLimits(ctx context.Context) ([]SetLimit, error) {
	rows, err := tx.query(ctx, sqlLimits)
	list, err := collect(rows, err, setLimitOf)
	if err != nil {
		return nil, fmt.Errorf("list limits: %w", err)
	}
	return list, nil
}

// LockLimit reads a limit that somebody has set, and keeps it until the transaction
// ends.
func (tx *Tx) LockLimit(ctx context.Context, name lms.LimitName) (l SetLimit, ok bool, err error) {
	rows, err := tx.query(ctx, sqlTakeLimit, string(name))
	list, err := collect(rows, err, setLimitOf)
	if err != nil {
		return l, false, fmt.Errorf("read limit %s: %w", name, err)
	}
	if len(list) == 0 {
		return l, false, nil
	}
	return list[0], true, nil
}

// PutLimit sets a limit.
func (tx *Tx) PutLimit(ctx context.Context, l SetLimit) error {
	if _, err := tx.exec(ctx, sqlSetLimit, string(l.Name), l.Amount, l.SetBy, at(l.SetAt)); err != nil {
		return fmt.Errorf("set limit %s: %w", l.Name, err)
	}
	return nil
}

// DropLimit has a limit be as the program has it.
func (tx *Tx) DropLimit(ctx context.Context, name lms.LimitName) error {
	if _, err := tx.exec(ctx, sqlDropLimit, string(name)); err != nil {
		return fmt.Errorf("reset limit %s: %w", name, err)
	}
	return nil
}

// Lift is a lifted limit, with whom or what it is about.
type Lift struct {
	lms.LimitLift
	Person lms.User // of a limit per person: names and address
	Course string   // the title
	By     lms.User // who lifted it: names and address
}

func liftOf(r scanner) (l Lift, err error) {
	var subject string
	err = r.Scan(&l.ID, (*string)(&l.Limit), &l.UserID, number{&l.CourseID}, &subject, &l.Reason, &l.LiftedBy, timestamp{&l.LiftedAt}, timestamp{&l.Until}, &l.EndedBy, timestamp{&l.EndedAt},
		&l.Person.GivenName, &l.Person.FamilyName, &l.Person.Name, (*string)(&l.Person.Email), &l.Course, &l.By.GivenName, &l.By.FamilyName, &l.By.Name, (*string)(&l.By.Email))
	if l.UserID == lms.SystemUserID && l.CourseID == 0 {
		l.Domain = subject
	}
	l.Person.ID, l.By.ID = l.UserID, l.LiftedBy
	return l, err
}

// AddLift lifts a limit for a subject, as it is counted.
func (tx *Tx) AddLift(ctx context.Context, l lms.LimitLift, subject string) (id int64, err error) {
	_, err = tx.one(ctx, sqlAddLift, []any{string(l.Limit), l.UserID, idOrNull(l.CourseID), subject, l.Reason, l.LiftedBy, at(l.LiftedAt), at(l.Until)}, &id)
	if err != nil {
		return 0, fmt.Errorf("lift limit %s: %w", l.Limit, err)
	}
	return id, nil
}

// EndLiftsOf ends what is in force of a limit for one subject, and tells which that was.
func (tx *Tx) EndLiftsOf(ctx context.Context, l lms.LimitLift, subject string, now time.Time) ([]int64, error) {
	rows, err := tx.query(ctx, sqlEndLifts, string(l.Limit), l.UserID, subject, l.LiftedBy, at(now))
	list, err := collect(rows, err, func(r scanner) (id int64, err error) { return id, r.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("end what lifts %s: %w", l.Limit, err)
	}
	return list, nil
}

// EndLift ends a lift early; done is false when it was over.
func (tx *Tx) EndLift(ctx context.Context, id, by int64, now time.Time) (done bool, err error) {
	n, err := tx.exec(ctx, sqlEndLift, id, by, at(now))
	if err != nil {
		return false, fmt.Errorf("end lift %d: %w", id, err)
	}
	return n == 1, nil
}

// Lift reads a lift.
func (tx *Tx) Lift(ctx context.Context, id int64) (l Lift, ok bool, err error) {
	rows, err := tx.query(ctx, sqlLift, id)
	list, err := collect(rows, err, liftOf)
	if err != nil {
		return l, false, fmt.Errorf("read lift %d: %w", id, err)
	}
	if len(list) == 0 {
		return l, false, nil
	}
	return list[0], true, nil
}

// Lifts lists lifts, newest first, with an id below before; only those in force where
// that is asked for.
func (tx *Tx) Lifts(ctx context.Context, before int64, limit int, inForce bool, now time.Time) ([]Lift, error) {
	only := 0
	if inForce {
		only = 1
	}
	rows, err := tx.query(ctx, sqlLifts, before, limit, only, at(now))
	list, err := collect(rows, err, liftOf)
	if err != nil {
		return nil, fmt.Errorf("list lifts: %w", err)
	}
	return list, nil
}

var (
	sqlInvitations = stmt(`SELECT coalesce(sum(CASE WHEN x.objected = 0 AND x.status = 'pending' THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN x.objected = 0 AND x.status = 'active' THEN 1 ELSE 0 END), 0),
			coalesce(sum(x.objected), 0)
		FROM (SELECT n.user_id, u.status, max(CASE WHEN n.objected_at IS NULL THEN 0 ELSE 1 END) AS objected FROM notices n JOIN users u ON u.id = n.user_id
			WHERE n.told_by = $1 AND n.outside GROUP BY n.user_id, u.status) x`)
	sqlInvitedBefore = stmt(`SELECT DISTINCT n.user_id FROM notices n WHERE n.told_by = $1 AND n.outside AND n.user_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$2})`)
)

// Invitations are the people outside whom somebody has told that they were named.
type Invitations struct{ Open, Accepted, Objected int64 }

// Invitations counts whom somebody outside has told.
func (tx *Tx) Invitations(ctx context.Context, by int64) (i Invitations, err error) {
	if _, err = tx.one(ctx, sqlInvitations, []any{by}, &i.Open, &i.Accepted, &i.Objected); err != nil {
		return i, fmt.Errorf("count invitations of user %d: %w", by, err)
	}
	return i, nil
}

// InvitedBefore tells which of some people somebody has told before.
func (tx *Tx) InvitedBefore(ctx context.Context, by int64, users []int64) ([]int64, error) {
	rows, err := tx.query(ctx, sqlInvitedBefore, by, idList(users))
	list, err := collect(rows, err, func(r scanner) (id int64, err error) { return id, r.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("find whom user %d has told: %w", by, err)
	}
	return list, nil
}

var (
	sqlPauseImport = stmt(`UPDATE imports SET paused_for = $2, paused_until = $3, leased_until = $3, lease_node = '' WHERE id = $1 AND state = 'running' AND lease_node = $4`)
	sqlWakeImports = stmt(`UPDATE imports SET leased_until = $1, paused_for = '' WHERE state = 'running' AND paused_for <> ''`)
	sqlWakeImport  = stmt(`UPDATE imports SET leased_until = $2, paused_for = '' WHERE id = $1 AND state = 'running' AND paused_for <> ''`)
)

// PauseImport has an import that a node holds wait for a limit, until a time.
func (tx *Tx) PauseImport(ctx context.Context, id int64, node string, limit lms.LimitName, until time.Time) error {
	if _, err := tx.exec(ctx, sqlPauseImport, id, string(limit), at(until), node); err != nil {
		return fmt.Errorf("pause import %d: %w", id, err)
	}
	return nil
}

// WakeImports has all imports that wait for a limit be tried again at once.
func (tx *Tx) WakeImports(ctx context.Context, now time.Time) error {
	if _, err := tx.exec(ctx, sqlWakeImports, at(now)); err != nil {
		return fmt.Errorf("wake imports: %w", err)
	}
	return nil
}

// WakeImport has one be tried again at once.
func (tx *Tx) WakeImport(ctx context.Context, id int64, now time.Time) error {
	if _, err := tx.exec(ctx, sqlWakeImport, id, at(now)); err != nil {
		return fmt.Errorf("wake import %d: %w", id, err)
	}
	return nil
}
