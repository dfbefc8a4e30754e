package store

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

const erasureSelect = `SELECT q.id, q.state, q.note, q.asked_at, q.decided_at, q.answer, ` + userColumns + `,
		v.id, v.kind, v.status, v.site_role, f.address, v.given_name, v.family_name, v.name
	FROM erasure_requests q JOIN users u ON u.id = q.user_id` + joinEmail + `
	JOIN users v ON v.id = q.decided_by LEFT JOIN emails f ON f.user_id = v.id AND f.is_primary`

var (
	sqlAskErasure = stmt(`INSERT INTO erasure_requests (user_id, state, note, asked_at, decided_by) VALUES ($1, 'open', $2, $3, $1)
		ON CONFLICT DO NOTHING RETURNING id`)
	sqlDecideErasure = stmt(`UPDATE erasure_requests SET state = $2, decided_by = $3, decided_at = $4, answer = $5 WHERE user_id = $1 AND state = 'open'`)
	sqlErasures      = stmt(erasureSelect + ` WHERE q.state = $1 AND q.id < $2 ORDER BY q.id DESC LIMIT $3`)
	sqlErasuresOf    = stmt(erasureSelect + ` WHERE q.user_id = $1 AND q.id < $2 ORDER BY q.id DESC LIMIT $3`)
	sqlErasure       = stmt(erasureSelect + ` WHERE q.id = $1`)
	sqlCountErasures = stmt(`SELECT count(*) FROM erasure_requests WHERE state = 'open'`)
)

func erasureOf(r scanner) (q lms.ErasureRequest, err error) {
	v := &q.DecidedBy
	dest := append([]any{&q.ID, (*string)(&q.State), &q.Note, timestamp{&q.AskedAt}, timestamp{&q.DecidedAt}, &q.Answer}, userDest(&q.User)...)
	return q, r.Scan(append(dest, &v.ID, &v.Kind, &v.Status, &v.SiteRole, text{(*string)(&v.Email)}, &v.GivenName, &v.FamilyName, &v.Name)...)
}

// AskErasure notes that somebody wants to be erased; asked is false when they have
// asked already.
func (tx *Tx) AskErasure(ctx context.Context, userID int64, note string, now time.Time) (id int64, asked bool, err error) {
	if asked, err = tx.one(ctx, sqlAskErasure, []any{userID, note, at(now)}, &id); err != nil {
		return 0, false, fmt.Errorf("ask to erase user %d: %w", userID, err)
	}
	return id, asked, nil
}

// DecideErasure ends somebody's open request; decided is false when there is none.
func (tx *Tx) DecideErasure(ctx context.Context, userID int64, to lms.ErasureState, by int64, answer string, now time.Time) (decided bool, err error) {
	n, err := tx.exec(ctx, sqlDecideErasure, userID, string(to), by, at(now), answer)
	if err != nil {
		return false, fmt.Errorf("decide about erasing user %d: %w", userID, err)
	}
	return n > 0, nil
}

// FinishErasure notes that an open request, if there is one, is carried out.
func (tx *Tx) FinishErasure(ctx context.Context, userID, by int64, now time.Time) error {
	_, err := tx.DecideErasure(ctx, userID, lms.ErasureDone, by, "", now)
	return err
}

// Erasures lists the requests in a state, newest first, with an id below before.
func (tx *Tx) Erasures(ctx context.Context, state lms.ErasureState, before int64, limit int) ([]lms.ErasureRequest, error) {
	rows, err := tx.query(ctx, sqlErasures, string(state), before, limit)
	list, err := collect(rows, err, erasureOf)
	if err != nil {
		return nil, fmt.Errorf("list requests to be erased: %w", err)
	}
	return list, nil
}

// ErasuresOf lists the requests of one person, newest first, with an id below before.
func (tx *Tx) ErasuresOf(ctx context.Context, userID, before int64, limit int) ([]lms.ErasureRequest, error) {
	rows, err := tx.query(ctx, sqlErasuresOf, userID, before, limit)
	list, err := collect(rows, err, erasureOf)
	if err != nil {
		return nil, fmt.Errorf("list requests of user %d: %w", userID, err)
	}
	return list, nil
}

// Erasure reads one request.
func (tx *Tx) Erasure(ctx context.Context, id int64) (q lms.ErasureRequest, ok bool, err error) {
	rows, err := tx.query(ctx, sqlErasure, id)
	list, err := collect(rows, err, erasureOf)
	if err != nil || len(list) == 0 {
		return q, false, err
	}
	return list[0], true, nil
}

// OpenErasures counts the requests that nobody has decided.
func (tx *Tx) OpenErasures(ctx context.Context) (n int64, err error) {
	if _, err := tx.one(ctx, sqlCountErasures, nil, &n); err != nil {
		return 0, fmt.Errorf("count requests to be erased: %w", err)
	}
	return n, nil
}

// Identifier is by what a student system or a directory knows a person.
type Identifier struct{ Source, Identifier string }

var sqlIdentifiersOf = stmt(`SELECT s.name, i.sourced_id FROM sourced_ids i JOIN sources s ON s.id = i.source_id WHERE i.kind = 'user' AND i.local_id = $1
	UNION SELECT u.name, p.external_id FROM directory_people p JOIN users u ON u.id = p.directory_id WHERE p.external_id <> '' AND p.user_id = $1
	UNION SELECT u.name, l.subject FROM directory_links l JOIN users u ON u.id = l.directory_id WHERE l.user_id = $1
	ORDER BY 1, 2`)

// IdentifiersOf lists by what student systems and directories know a person.
func (tx *Tx) IdentifiersOf(ctx context.Context, userID int64) ([]Identifier, error) {
	rows, err := tx.query(ctx, sqlIdentifiersOf, userID)
	list, err := collect(rows, err, func(r scanner) (i Identifier, err error) { return i, r.Scan(&i.Source, &i.Identifier) })
	if err != nil {
		return nil, fmt.Errorf("list identifiers of user %d: %w", userID, err)
	}
	return list, nil
}
