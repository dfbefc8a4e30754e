package store

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

var (
	sqlAddProgram = stmt(`INSERT INTO sessions (token_hash, user_id, created_at, last_used_at, expires_at, user_agent, program, scopes, refresh_hash, access_hash, access_until)
		VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id`)
	sqlTrimPrograms = stmt(`DELETE FROM sessions WHERE user_id = $1 AND program <> '' AND id NOT IN
		(SELECT id FROM sessions WHERE user_id = $1 AND program <> '' ORDER BY id DESC LIMIT $2)`)
	sqlProgramByAccess = stmt(`SELECT ` + sessionColumns + `, ` + userColumns + `
		FROM sessions s JOIN users u ON u.id = s.user_id` + joinEmail + `
		WHERE s.access_hash = $1 AND s.access_until > $2 AND s.expires_at > $2 AND u.status = 'active'`)
	sqlProgramByFamily = stmt(`SELECT ` + sessionColumns + ` FROM sessions s WHERE s.token_hash = $1 AND s.program <> ''`)
	sqlProgramOfAccess = stmt(`SELECT ` + sessionColumns + ` FROM sessions s WHERE s.access_hash = $1`)
	sqlRotateProgram   = stmt(`UPDATE sessions SET refresh_hash = $3, access_hash = $4, access_until = $5, last_used_at = $6, expires_at = $7
		WHERE id = $1 AND refresh_hash = $2`)
	sqlTouchProgram = stmt(`UPDATE sessions SET last_used_at = $2 WHERE id = $1`)

	sqlSpendIDToken = stmt(`INSERT INTO spent_id_tokens (fingerprint, expires_at) VALUES ($1, $2) ON CONFLICT (fingerprint) DO NOTHING`)
	sqlOldIDTokens  = stmt(`DELETE FROM spent_id_tokens WHERE expires_at <= $1`)
)

// ProgramKeys are the hashes of what a program holds for a session.
type ProgramKeys struct {
	Family      []byte // of the part that all refresh tokens of the session share
	Refresh     []byte // of the one refresh token that works
	Access      []byte
	AccessUntil time.Time
}

// AddProgram signs a person in to a program. The database refuses it for anybody
// who is not active.
func (tx *Tx) AddProgram(ctx context.Context, k ProgramKeys, s lms.Session) (int64, error) {
	var id int64
	args := []any{k.Family, s.UserID, at(s.CreatedAt), at(s.ExpiresAt), s.UserAgent, s.Program, mustJSON(s.Scopes), k.Refresh, k.Access, at(k.AccessUntil)}
	if _, err := tx.one(ctx, sqlAddProgram, args, &id); err != nil {
		return 0, fmt.Errorf("add program of user %d: %w", s.UserID, err)
	}
	if err := tx.later(ctx, "trim programs", sqlTrimPrograms, s.UserID, MaxSessions); err != nil {
		return 0, fmt.Errorf("trim programs of user %d: %w", s.UserID, err)
	}
	return id, nil
}

// ProgramByAccess finds the live session of an access token that still works,
// and its active user.
func (tx *Tx) ProgramByAccess(ctx context.Context, hash []byte, now time.Time) (s lms.Session, u lms.User, ok bool, err error) {
	ok, err = tx.one(ctx, sqlProgramByAccess, []any{hash, at(now)}, append(sessionDest(&s), userDest(&u)...)...)
	if err != nil {
		return s, u, false, fmt.Errorf("find access token: %w", err)
	}
	return s, u, ok, nil
}

// ProgramByFamily finds the session to which a refresh token belongs or once
// belonged, over or not.
func (tx *Tx) ProgramByFamily(ctx context.Context, hash []byte) (s lms.Session, ok bool, err error) {
	if ok, err = tx.one(ctx, sqlProgramByFamily, []any{hash}, sessionDest(&s)...); err != nil {
		return s, false, fmt.Errorf("find refresh token: %w", err)
	}
	return s, ok, nil
}

// ProgramOfAccess finds the session of an access token, over or not.
func (tx *Tx) ProgramOfAccess(ctx context.Context, hash []byte) (s lms.Session, ok bool, err error) {
	if ok, err = tx.one(ctx, sqlProgramOfAccess, []any{hash}, sessionDest(&s)...); err != nil {
		return s, false, fmt.Errorf("find access token: %w", err)
	}
	return s, ok, nil
}

// RotateProgram puts new tokens in the place of those of a session, and moves its
// end; done is false when the refresh token was not the one that works. Of two who
// come with the same one, one is told so.
func (tx *Tx) RotateProgram(ctx context.Context, id int64, used []byte, k ProgramKeys, now, expires time.Time) (done bool, err error) {
	n, err := tx.exec(ctx, sqlRotateProgram, id, used, k.Refresh, k.Access, at(k.AccessUntil), at(now), at(expires))
	if err != nil {
		return false, fmt.Errorf("rotate program %d: %w", id, err)
	}
	return n == 1, nil
}

// TouchProgram records a use of an access token.
func (tx *Tx) TouchProgram(ctx context.Context, id int64, now time.Time) error {
	if err := tx.later(ctx, "touch program", sqlTouchProgram, id, at(now)); err != nil {
		return fmt.Errorf("touch program %d: %w", id, err)
	}
	return nil
}

// SpendIDToken notes that an ID token was used; first is false when it was used
// before. It is remembered until it ends.
func (tx *Tx) SpendIDToken(ctx context.Context, fingerprint []byte, expires time.Time) (first bool, err error) {
	n, err := tx.exec(ctx, sqlSpendIDToken, fingerprint, at(expires))
	if err != nil {
		return false, fmt.Errorf("spend ID token: %w", err)
	}
	return n == 1, nil
}
