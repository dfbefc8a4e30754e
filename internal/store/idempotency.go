package store

import (
	"context"
	"fmt"
	"time"
)

var (
	sqlTakeKey = stmt(`INSERT INTO idempotency_keys (user_id, route, key, fingerprint, answer, created_at)
		VALUES ($1, $2, $3, $4, '', $5) ON CONFLICT (user_id, route, key) DO NOTHING`)
	sqlKey       = stmt(`SELECT fingerprint, answer FROM idempotency_keys WHERE user_id = $1 AND route = $2 AND key = $3`)
	sqlAnswerKey = stmt(`UPDATE idempotency_keys SET answer = $4 WHERE user_id = $1 AND route = $2 AND key = $3`)
	sqlOldKeys   = stmt(`DELETE FROM idempotency_keys WHERE created_at <= $1`)
)

// Key is an Idempotency-Key as one user sent it to one route. Fingerprint is a
// hash of the request's body.
type Key struct {
	UserID      int64
	Route       string
	Key         string
	Fingerprint []byte
}

// TakeKey reserves a key within the transaction; when it is taken already, it
// returns the fingerprint and the answer of the request that took it. A second
// request with the same key waits until the first has ended.
func (tx *Tx) TakeKey(ctx context.Context, k Key, now time.Time) (taken bool, fingerprint []byte, answer string, err error) {
	n, err := tx.exec(ctx, sqlTakeKey, k.UserID, k.Route, k.Key, k.Fingerprint, at(now))
	if err != nil {
		return false, nil, "", fmt.Errorf("take idempotency key: %w", err)
	}
	if n == 1 {
		return true, nil, "", nil
	}
	if _, err := tx.one(ctx, sqlKey, []any{k.UserID, k.Route, k.Key}, &fingerprint, &answer); err != nil {
		return false, nil, "", fmt.Errorf("read idempotency key: %w", err)
	}
	return false, fingerprint, answer, nil
}

// AnswerKey keeps the answer with the key.
func (tx *Tx) AnswerKey(ctx context.Context, k Key, answer string) error {
	if err := tx.later(ctx, "keep answer of idempotency key", sqlAnswerKey, k.UserID, k.Route, k.Key, answer); err != nil {
		return fmt.Errorf("keep answer of idempotency key: %w", err)
	}
	return nil
}
