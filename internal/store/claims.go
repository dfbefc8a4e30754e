package store

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

// claimSelect are claim requests q with whoever asked, who waits and who decided, in
// the order of claimOf.
var claimSelect = `SELECT q.id, q.address, q.masked, q.state, q.asked_at, q.expires_at, q.told_at, q.objected_at, q.decided_at, q.reason,
		(SELECT count(*) FROM claim_decisions d WHERE d.request_id = q.id AND d.approved),
		(SELECT count(*) FROM claim_decisions d WHERE d.request_id = q.id AND NOT d.approved),
		(SELECT d.reason FROM claim_decisions d WHERE d.request_id = q.id AND NOT d.approved ORDER BY d.decided_at DESC, d.course_id LIMIT 1),
		` + userColumnsAs("ru", "re") + `, ` + userColumnsAs("wu", "we") + `, ` + userColumnsAs("du", "de") + claimFrom

const claimFrom = `
	FROM claim_requests q
	JOIN users ru ON ru.id = q.requester_id LEFT JOIN emails re ON re.user_id = ru.id AND re.is_primary
	JOIN users wu ON wu.id = q.waits_id LEFT JOIN emails we ON we.user_id = wu.id AND we.is_primary
	JOIN users du ON du.id = q.decided_by LEFT JOIN emails de ON de.user_id = du.id AND de.is_primary`

// claimLive holds for requests of claimSelect that can be decided at $1: what
// ClaimRequest.Live says.
const claimLive = `q.state = 'open' AND q.expires_at > $1 AND ru.status = 'active' AND wu.status = 'pending' AND we.address = q.address`

// waitsFor is who waits with the address $2 and nobody else; the system user when
// nobody does, so that a request for an address that is not known is made by the same
// steps as any other.
const waitsFor = `coalesce((SELECT u.id FROM emails a JOIN users u ON u.id = a.user_id AND u.status = 'pending' WHERE a.address = $2 AND a.is_primary), 1)`

var (
	sqlAskClaim = stmt(`INSERT INTO claim_requests (requester_id, waits_id, address, masked, address_hash, state, asked_at, expires_at, decided_by)
		VALUES ($1, ` + waitsFor + `, $2, $3, $6, 'open', $4, $5, $1) RETURNING id`)
	sqlClaimsSince = stmt(`SELECT count(*) FROM claim_requests WHERE requester_id = $1 AND asked_at > $2`)
	sqlAskedClaim  = stmt(claimSelect + ` WHERE q.requester_id = $1 AND q.address_hash = $2 AND q.expires_at > $3 AND q.state IN ('open', 'refused', 'fallen') ORDER BY q.id DESC LIMIT 1`)
	sqlClaimsOf    = stmt(claimSelect + ` WHERE q.requester_id = $1 AND q.id < $2 ORDER BY q.id DESC LIMIT $3`)
	sqlClaimsFor   = stmt(claimSelect + ` WHERE q.waits_id = $1 AND q.id < $2 ORDER BY q.id DESC LIMIT $3`)
	sqlClaim1      = stmt(claimSelect + ` WHERE q.id = $1`)
	sqlLockClaim   = stmt(`SELECT id FROM claim_requests WHERE id = $1 {lock}`)
	sqlEndClaim    = stmt(`UPDATE claim_requests SET state = $2, decided_by = $3, decided_at = $4, reason = $5, answer_hash = NULL WHERE id = $1`)

	sqlDecideClaim  = stmt(`INSERT INTO claim_decisions (request_id, course_id, approved, reason, decided_by, decided_at) VALUES ($1, $2, $3, $4, $5, $6)`)
	sqlClaimDecided = stmt(`SELECT count(*) FROM claim_decisions WHERE request_id = $1 AND course_id = $2`)

	sqlOpenClaims  = stmt(claimSelect + ` WHERE ` + claimLive + ` AND ru.id <> $2 AND q.id < $3 ORDER BY q.id DESC LIMIT $4`)
	sqlCountClaims = stmt(`SELECT count(*)` + claimFrom + ` WHERE ` + claimLive + ` AND ru.id <> $2`)
	sqlClaimsIn    = stmt(claimSelect + `
		LEFT JOIN enrollments en ON en.course_id = $2 AND en.user_id = wu.id
		LEFT JOIN course_privileges p ON p.course_id = $2 AND p.user_id = wu.id
		WHERE ` + claimLive + ` AND (en.user_id IS NOT NULL OR p.user_id IS NOT NULL)
			AND NOT EXISTS (SELECT 1 FROM claim_decisions d WHERE d.request_id = q.id AND d.course_id = $2)
			AND ru.id <> $3 AND wu.id <> $3 AND q.id < $4
			AND ($5 = '[]' OR en.section_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$5}))
		ORDER BY q.id DESC LIMIT $6`)
	sqlCountClaimsIn = stmt(`SELECT k.id, count(*)` + claimFrom + `
		JOIN courses k ON k.id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$3})
		WHERE ` + claimLive + ` AND ru.id <> $2
			AND (EXISTS (SELECT 1 FROM enrollments en WHERE en.course_id = k.id AND en.user_id = wu.id) OR EXISTS (SELECT 1 FROM course_privileges p WHERE p.course_id = k.id AND p.user_id = wu.id))
			AND NOT EXISTS (SELECT 1 FROM claim_decisions d WHERE d.request_id = q.id AND d.course_id = k.id)
		GROUP BY k.id`)

	sqlBindClaims = stmt(`UPDATE claim_requests SET waits_id = (SELECT u.id FROM emails a JOIN users u ON u.id = a.user_id AND u.status = 'pending'
			WHERE a.address = claim_requests.address AND a.is_primary)
		WHERE state = 'open' AND waits_id = 1 AND expires_at > $1 AND EXISTS (SELECT 1 FROM emails a JOIN users u ON u.id = a.user_id AND u.status = 'pending'
			WHERE a.address = claim_requests.address AND a.is_primary)`)
	sqlClaimsToTell = stmt(claimSelect + ` WHERE ` + claimLive + ` AND q.told_at IS NULL AND q.id > $2 ORDER BY q.id LIMIT $3`)
	sqlTellClaim    = stmt(`UPDATE claim_requests SET told_at = $2, answer_hash = $3 WHERE id = $1 AND state = 'open' AND told_at IS NULL`)
	sqlClaimMails   = stmt(`SELECT count(*) FROM mails WHERE address = $1 AND kind = 'claim-asked' AND created_at > $2`)
	sqlClaimAnswer  = stmt(claimSelect + ` WHERE q.answer_hash = $1`)
	sqlObjectClaim  = stmt(`UPDATE claim_requests SET state = 'fallen', objected_at = $2 WHERE id = $1 AND state = 'open'`)

	// What a request is about is not there any more, or whoever asked is not.
	sqlFallClaims  = stmt(`UPDATE claim_requests SET state = 'fallen', answer_hash = NULL WHERE state = 'open' AND waits_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1})`)
	sqlDropClaims  = stmt(`UPDATE claim_requests SET state = 'fallen', answer_hash = NULL, expires_at = $2 WHERE state = 'open' AND requester_id = $1`)
	sqlMetClaims   = stmt(`UPDATE claim_requests SET state = 'approved', decided_by = $3, decided_at = $4, answer_hash = NULL WHERE state = 'open' AND waits_id = $1 AND requester_id = $2`)
	sqlSweepClaims = stmt(`UPDATE claim_requests SET state = 'fallen', answer_hash = NULL WHERE state = 'open'
		AND (expires_at <= $1 OR waits_id IN (SELECT u.id FROM users u WHERE u.status IN ('active', 'erased') AND u.kind = 'person'))`)
	// Of somebody who was being erased while they were asked for.
	sqlForgetGone   = stmt(`UPDATE claim_requests SET address = '', reason = '' WHERE address <> '' AND waits_id IN (SELECT u.id FROM users u WHERE u.status = 'erased' AND u.merged_into IS NULL)`)
	sqlOldDecisions = stmt(`DELETE FROM claim_decisions WHERE request_id IN (SELECT id FROM claim_requests WHERE expires_at <= $1)`)
	sqlOldClaims    = stmt(`DELETE FROM claim_requests WHERE expires_at <= $1`)

	// Erasing: what somebody asked for goes, and so does what names them in what others asked for.
	sqlEraseDecisions = stmt(`DELETE FROM claim_decisions WHERE request_id IN (SELECT id FROM claim_requests WHERE requester_id = $1)`)
	sqlEraseClaims    = stmt(`DELETE FROM claim_requests WHERE requester_id = $1`)
	sqlEraseReasons   = stmt(`UPDATE claim_decisions SET reason = '' WHERE request_id IN (SELECT id FROM claim_requests WHERE waits_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1}))`)
	sqlForgetClaims   = stmt(`UPDATE claim_requests SET address = '', reason = '', answer_hash = NULL, state = CASE WHEN state = 'open' THEN 'fallen' ELSE state END
		WHERE waits_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$1})`)
	sqlForgetAddressees = stmt(`UPDATE claim_requests SET address = '', reason = '', answer_hash = NULL, state = CASE WHEN state = 'open' THEN 'fallen' ELSE state END
		WHERE address IN (SELECT j.value->>0 FROM {rows:$1})`)
)

func claimOf(r scanner) (q lms.ClaimRequest, err error) {
	dest := []any{
		&q.ID,
		(*string)(&q.Address), &q.Masked, (*string)(&q.State),
		timestamp{&q.AskedAt},
		timestamp{&q.ExpiresAt},
		timestamp{&q.ToldAt},
		timestamp{&q.Objected},
		timestamp{&q.DecidedAt},
		&q.Reason, &q.Approvals, &q.Refusals,
		text{&q.RefusedBecause},
	}
	for _, u := range []*lms.User{&q.Requester, &q.Waits, &q.DecidedBy} {
		dest = append(dest, userDest(u)...)
	}
	return q, r.Scan(dest...)
}

func (tx *Tx) claims(ctx context.Context, st *statement, args ...any) ([]lms.ClaimRequest, error) {
	rows, err := tx.query(ctx, st, args...)
	list, err := collect(rows, err, claimOf)
	if err != nil {
		return nil, fmt.Errorf("list requests for an address: %w", err)
	}
	return list, nil
}

func (tx *Tx) oneClaim(ctx context.Context, st *statement, args ...any) (q lms.ClaimRequest, ok bool, err error) {
	list, err := tx.claims(ctx, st, args...)
	if err != nil || len(list) == 0 {
		return q, false, err
	}
	return list[0], true, nil
}

// AskClaim notes that somebody says that what waits for an address, of which hash is a
// keyed one, is theirs. Whether anything does is not looked at.
func (tx *Tx) AskClaim(ctx context.Context, requester int64, address lms.Email, hash string, now, expires time.Time) (id int64, err error) {
	_, err = tx.one(ctx, sqlAskClaim, []any{requester, string(address), address.Masked(), at(now), at(expires), hash}, &id)
	if err != nil {
		return 0, fmt.Errorf("ask for what waits, as user %d: %w", requester, err)
	}
	return id, nil
}

// AskedClaim finds the request of somebody for an address, by its keyed hash, that is
// neither over nor withdrawn nor approved. The address itself is perhaps forgotten.
func (tx *Tx) AskedClaim(ctx context.Context, requester int64, hash string, now time.Time) (lms.ClaimRequest, bool, error) {
	return tx.oneClaim(ctx, sqlAskedClaim, requester, hash, at(now))
}

// ClaimsSince counts the requests that somebody has made since a time.
func (tx *Tx) ClaimsSince(ctx context.Context, requester int64, since time.Time) (n int64, err error) {
	if _, err = tx.one(ctx, sqlClaimsSince, []any{requester, at(since)}, &n); err != nil {
		return 0, fmt.Errorf("count the requests of user %d: %w", requester, err)
	}
	return n, nil
}

// ClaimsOf lists the requests of somebody, newest first, with an id below before.
func (tx *Tx) ClaimsOf(ctx context.Context, requester, before int64, limit int) ([]lms.ClaimRequest, error) {
	return tx.claims(ctx, sqlClaimsOf, requester, before, limit)
}

// ClaimsFor lists the requests for what waits, or waited, for somebody, newest first,
// with an id below before.
func (tx *Tx) ClaimsFor(ctx context.Context, waits, before int64, limit int) ([]lms.ClaimRequest, error) {
	return tx.claims(ctx, sqlClaimsFor, waits, before, limit)
}

// ClaimRequest reads one request.
func (tx *Tx) ClaimRequest(ctx context.Context, id int64) (lms.ClaimRequest, bool, error) {
	return tx.oneClaim(ctx, sqlClaim1, id)
}

// LockClaim keeps others from deciding about a request until the transaction ends. The
// course and the people come first, as for whoever ends a request because of them.
func (tx *Tx) LockClaim(ctx context.Context, id int64) error {
	if err := tx.lock(ctx, "lock request", sqlLockClaim, id); err != nil {
		return fmt.Errorf("lock request %d for an address: %w", id, err)
	}
	return nil
}

// EndClaim ends a request as a whole.
func (tx *Tx) EndClaim(ctx context.Context, id int64, state lms.ClaimState, by int64, reason string, now time.Time) error {
	if err := tx.later(ctx, "end request", sqlEndClaim, id, string(state), by, at(now), reason); err != nil {
		return fmt.Errorf("end request %d for an address: %w", id, err)
	}
	return nil
}

// ClaimDecision is what was decided about a request in a course.
type ClaimDecision struct {
	RequestID, CourseID int64
	Approved            bool
	Reason              string
	By                  int64
}

// DecideClaim notes a decision, of which there is one in a course.
func (tx *Tx) DecideClaim(ctx context.Context, d ClaimDecision, now time.Time) error {
	if err := tx.later(ctx, "decide about a request", sqlDecideClaim, d.RequestID, d.CourseID, d.Approved, d.Reason, d.By, at(now)); err != nil {
		return fmt.Errorf("decide about request %d in course %d: %w", d.RequestID, d.CourseID, err)
	}
	return nil
}

// ClaimDecided tells whether a request was decided in a course.
func (tx *Tx) ClaimDecided(ctx context.Context, id, courseID int64) (bool, error) {
	var n int64
	if _, err := tx.one(ctx, sqlClaimDecided, []any{id, courseID}, &n); err != nil {
		return false, fmt.Errorf("read what was decided about request %d: %w", id, err)
	}
	return n > 0, nil
}

// OpenClaims lists the requests that can be decided, but those of somebody themselves,
// newest first, with an id below before.
func (tx *Tx) OpenClaims(ctx context.Context, self int64, now time.Time, before int64, limit int) ([]lms.ClaimRequest, error) {
	return tx.claims(ctx, sqlOpenClaims, at(now), self, before, limit)
}

// CountClaims counts the requests of OpenClaims.
func (tx *Tx) CountClaims(ctx context.Context, self int64, now time.Time) (n int64, err error) {
	if _, err = tx.one(ctx, sqlCountClaims, []any{at(now), self}, &n); err != nil {
		return 0, fmt.Errorf("count requests for an address: %w", err)
	}
	return n, nil
}

// ClaimsIn lists the requests that can be decided in a course: those for people who
// have something in it, but those that somebody made themselves. Whoever is limited to sections sees
// those that are about people of these.
func (tx *Tx) ClaimsIn(ctx context.Context, courseID, self int64, within lms.IDs, now time.Time, before int64, limit int) ([]lms.ClaimRequest, error) {
	return tx.claims(ctx, sqlClaimsIn, at(now), courseID, self, before, idList(within.List()), limit)
}

// CountClaimsIn counts the requests that can be decided in each of some courses, but those of
// somebody themselves. Courses without any are left out.
func (tx *Tx) CountClaimsIn(ctx context.Context, courses []int64, self int64, now time.Time) (map[int64]int64, error) {
	counts := map[int64]int64{}
	rows, err := tx.query(ctx, sqlCountClaimsIn, at(now), self, idList(courses))
	_, err = collect(rows, err, func(r scanner) (struct{}, error) {
		var id, n int64
		err := r.Scan(&id, &n)
		counts[id] = n
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("count requests in %d courses: %w", len(courses), err)
	}
	return counts, nil
}

// BindClaims finds those who were named with an address after somebody had asked for
// what waits for it.
func (tx *Tx) BindClaims(ctx context.Context, now time.Time) error {
	if _, err := tx.exec(ctx, sqlBindClaims, at(now)); err != nil {
		return fmt.Errorf("find who is waited for: %w", err)
	}
	return nil
}

// ClaimsToTell lists requests that can be decided and of which nobody at the address
// was told, with an id above after.
func (tx *Tx) ClaimsToTell(ctx context.Context, now time.Time, after int64, limit int) ([]lms.ClaimRequest, error) {
	return tx.claims(ctx, sqlClaimsToTell, at(now), after, limit)
}

// TellClaim notes that whoever reads the address is told of a request, and the hash of
// the secret by which they can object. Told is false when another node does it.
func (tx *Tx) TellClaim(ctx context.Context, id int64, answerHash []byte, now time.Time) (told bool, err error) {
	n, err := tx.exec(ctx, sqlTellClaim, id, at(now), answerHash)
	if err != nil {
		return false, fmt.Errorf("tell of request %d: %w", id, err)
	}
	return n == 1, nil
}

// ClaimMails counts the mails about requests that an address got since a time.
func (tx *Tx) ClaimMails(ctx context.Context, address lms.Email, since time.Time) (n int64, err error) {
	if _, err = tx.one(ctx, sqlClaimMails, []any{string(address), at(since)}, &n); err != nil {
		return 0, fmt.Errorf("count mails about requests: %w", err)
	}
	return n, nil
}

// ClaimByAnswer finds the request of a mail by the secret in it.
func (tx *Tx) ClaimByAnswer(ctx context.Context, hash []byte) (lms.ClaimRequest, bool, error) {
	return tx.oneClaim(ctx, sqlClaimAnswer, hash)
}

// ObjectClaim notes that whoever reads the address did not ask; done is false when the
// request was over before.
func (tx *Tx) ObjectClaim(ctx context.Context, id int64, now time.Time) (done bool, err error) {
	n, err := tx.exec(ctx, sqlObjectClaim, id, at(now))
	if err != nil {
		return false, fmt.Errorf("note objection to request %d: %w", id, err)
	}
	return n == 1, nil
}

// fallClaims ends the requests for what waits for some people, a JSON list of ids.
func (tx *Tx) fallClaims(ctx context.Context, ids string) error {
	if err := tx.later(ctx, "end requests", sqlFallClaims, ids); err != nil {
		return fmt.Errorf("end requests for an address: %w", err)
	}
	return nil
}

// DropClaims ends what somebody has asked for, and what others have asked for of what
// waits for them.
func (tx *Tx) DropClaims(ctx context.Context, user int64, now time.Time) error {
	if err := tx.later(ctx, "drop requests", sqlDropClaims, user, at(now)); err != nil {
		return fmt.Errorf("drop the requests of user %d: %w", user, err)
	}
	return tx.fallClaims(ctx, idList([]int64{user}))
}

// mergeClaims is what becomes of requests when two people are one: what one asked of
// the other is given, and whatever else is about the one who is gone falls.
func (tx *Tx) mergeClaims(ctx context.Context, gone, kept, by int64, now time.Time) error {
	if err := tx.later(ctx, "meet requests", sqlMetClaims, gone, kept, by, at(now)); err != nil {
		return fmt.Errorf("meet requests of user %d: %w", kept, err)
	}
	return tx.DropClaims(ctx, gone, now)
}

// forgetClaims takes people who are erased, a JSON list of ids, out of the requests for
// what waited for them.
func (tx *Tx) forgetClaims(ctx context.Context, ids string) error {
	for label, st := range map[string]*statement{"forget reasons": sqlEraseReasons, "forget requests": sqlForgetClaims} {
		if err := tx.later(ctx, label, st, ids); err != nil {
			return fmt.Errorf("%s for an address: %w", label, err)
		}
	}
	return nil
}

// eraseClaims removes what somebody who is erased has asked for.
func (tx *Tx) eraseClaims(ctx context.Context, id int64) error {
	for _, st := range []*statement{sqlEraseDecisions, sqlEraseClaims} {
		if err := tx.later(ctx, "erase requests", st, id); err != nil {
			return fmt.Errorf("erase the requests of user %d: %w", id, err)
		}
	}
	return tx.forgetClaims(ctx, idList([]int64{id}))
}

// ExpireClaims ends requests whose time is over, or that mean nobody any more, and
// removes those that ended before a time.
func (tx *Tx) ExpireClaims(ctx context.Context, now, before time.Time) error {
	if _, err := tx.exec(ctx, sqlSweepClaims, at(now)); err != nil {
		return fmt.Errorf("end requests for an address: %w", err)
	}
	if _, err := tx.exec(ctx, sqlForgetGone); err != nil {
		return fmt.Errorf("forget who was asked for and is gone: %w", err)
	}
	for _, st := range []*statement{sqlOldDecisions, sqlOldClaims} {
		if _, err := tx.exec(ctx, st, at(before)); err != nil {
			return fmt.Errorf("remove old requests for an address: %w", err)
		}
	}
	return nil
}
