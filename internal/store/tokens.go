package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"matricula/internal/lms"
)

// MaxTokens is how many API tokens a user can have at once.
const MaxTokens = 50

const tokenColumns = `t.id, t.user_id, t.name, t.hint, t.scopes, t.course_ids, t.created_at, t.expires_at, t.last_used_at`

var (
	sqlKnownToken = stmt(`SELECT 1 FROM sessions WHERE access_hash = $1 UNION ALL SELECT 1 FROM api_tokens WHERE token_hash = $1`)
	sqlAddToken   = stmt(`INSERT INTO api_tokens (token_hash, user_id, name, hint, scopes, course_ids, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id`)
	sqlToken = stmt(`SELECT ` + tokenColumns + `, ` + userColumns + ` FROM api_tokens t JOIN users u ON u.id = t.user_id` + joinEmail + `
		WHERE t.token_hash = $1 AND (t.expires_at IS NULL OR t.expires_at > $2) AND u.status = 'active'`)
	sqlTokens       = stmt(`SELECT ` + tokenColumns + ` FROM api_tokens t WHERE t.user_id = $1 AND t.id < $2 ORDER BY t.id DESC LIMIT $3`)
	sqlRevokeTokens = stmt(`DELETE FROM api_tokens WHERE user_id = $1`)
	sqlRevokeToken  = stmt(`DELETE FROM api_tokens WHERE user_id = $1 AND id = $2`)
	sqlTouchToken   = stmt(`UPDATE api_tokens SET last_used_at = $2 WHERE id = $1`)
	sqlCountTokens  = stmt(`SELECT count(*) FROM api_tokens WHERE user_id = $1`)
)

// stored reads a JSON column.
type stored struct{ v any }

func (s stored) Scan(v any) error {
	str, ok := v.(string)
	if !ok {
		return fmt.Errorf("scan JSON: unexpected %T", v)
	}
	return json.Unmarshal([]byte(str), s.v)
}

func tokenDest(t *lms.APIToken) []any {
	return []any{
		&t.ID, &t.UserID, &t.Name, &t.Hint,
		stored{&t.Scopes},
		stored{&t.CourseIDs},
		timestamp{&t.CreatedAt},
		timestamp{&t.ExpiresAt},
		timestamp{&t.LastUsedAt},
	}
}

// AddToken stores the hash of a new API token. The database refuses it for
// anybody who is not active.
func (tx *Tx) AddToken(ctx context.Context, hash []byte, t lms.APIToken) (int64, error) {
	var id int64
	ids := t.CourseIDs
	if ids == nil {
		ids = []int64{}
	}
	args := []any{hash, t.UserID, t.Name, t.Hint, mustJSON(t.Scopes), mustJSON(ids), at(t.CreatedAt), atOrNull(t.ExpiresAt)}
	if _, err := tx.one(ctx, sqlAddToken, args, &id); err != nil {
		return 0, fmt.Errorf("add token of user %d: %w", t.UserID, err)
	}
	return id, nil
}

// CountTokens counts a user's API tokens.
func (tx *Tx) CountTokens(ctx context.Context, userID int64) (n int64, err error) {
	if _, err := tx.one(ctx, sqlCountTokens, []any{userID}, &n); err != nil {
		return 0, fmt.Errorf("count tokens of user %d: %w", userID, err)
	}
	return n, nil
}

// Token finds the live token of a hash and its active user.
func (tx *Tx) Token(ctx context.Context, hash []byte, now time.Time) (t lms.APIToken, u lms.User, ok bool, err error) {
	ok, err = tx.one(ctx, sqlToken, []any{hash, at(now)}, append(tokenDest(&t), userDest(&u)...)...)
	if err != nil {
		return t, u, false, fmt.Errorf("find token: %w", err)
	}
	return t, u, ok, nil
}

// TouchToken records a use.
func (tx *Tx) TouchToken(ctx context.Context, id int64, now time.Time) error {
	if err := tx.later(ctx, "touch token", sqlTouchToken, id, at(now)); err != nil {
		return fmt.Errorf("touch token %d: %w", id, err)
	}
	return nil
}

// Tokens lists a user's tokens, newest first, those with an id below before.
func (tx *Tx) Tokens(ctx context.Context, userID, before int64, limit int) ([]lms.APIToken, error) {
	rows, err := tx.query(ctx, sqlTokens, userID, before, limit)
	list, err := collect(rows, err, func(r scanner) (t lms.APIToken, err error) { return t, r.Scan(tokenDest(&t)...) })
	if err != nil {
		return nil, fmt.Errorf("list tokens of user %d: %w", userID, err)
	}
	return list, nil
}

// RevokeToken ends a user's token; revoked is false when there is none.
func (tx *Tx) RevokeToken(ctx context.Context, userID, id int64) (revoked bool, err error) {
	n, err := tx.exec(ctx, sqlRevokeToken, userID, id)
	if err != nil {
		return false, fmt.Errorf("revoke token %d: %w", id, err)
	}
	return n > 0, nil
}

// KnownToken tells whether there is a program's access token or an API token with a
// hash, whether or not it works any more.
func (tx *Tx) KnownToken(ctx context.Context, hash []byte) (bool, error) {
	var n int64
	ok, err := tx.one(ctx, sqlKnownToken, []any{hash}, &n)
	if err != nil {
		return false, fmt.Errorf("look for token: %w", err)
	}
	return ok, nil
}

// RevokeTokens ends all tokens of a user, and tells how many.
func (tx *Tx) RevokeTokens(ctx context.Context, userID int64) (n int64, err error) {
	if n, err = tx.exec(ctx, sqlRevokeTokens, userID); err != nil {
		return 0, fmt.Errorf("revoke tokens of user %d: %w", userID, err)
	}
	return n, nil
}
