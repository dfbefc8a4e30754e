package store

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

// MaxSessions is how many browsers a person can be signed in with at once, and in
// how many programs; the oldest ends when there are more.
const MaxSessions = 20

const sessionColumns = `s.id, s.user_id, s.created_at, s.last_used_at, s.expires_at, s.user_agent, s.program, s.scopes`

var (
	sqlAddSession = stmt(`INSERT INTO sessions (token_hash, user_id, created_at, last_used_at, expires_at, user_agent)
		VALUES ($1, $2, $3, $3, $4, $5) RETURNING id`)
	sqlTrimSessions = stmt(`DELETE FROM sessions WHERE user_id = $1 AND program = '' AND id NOT IN
		(SELECT id FROM sessions WHERE user_id = $1 AND program = '' ORDER BY id DESC LIMIT $2)`)
	sqlSession = stmt(`SELECT ` + sessionColumns + `, ` + userColumns + `
		FROM sessions s JOIN users u ON u.id = s.user_id` + joinEmail + `
		WHERE s.token_hash = $1 AND s.program = '' AND s.expires_at > $2 AND u.status = 'active'`)
	sqlTouchSession   = stmt(`UPDATE sessions SET last_used_at = $2, expires_at = $3 WHERE id = $1`)
	sqlSessions       = stmt(`SELECT ` + sessionColumns + ` FROM sessions s WHERE s.user_id = $1 AND s.expires_at > $2 ORDER BY s.id DESC`)
	sqlEndSession     = stmt(`DELETE FROM sessions WHERE user_id = $1 AND id = $2`)
	sqlEndSessions    = stmt(`DELETE FROM sessions WHERE user_id = $1 AND id <> $2`)
	sqlExpireSessions = stmt(`DELETE FROM sessions WHERE expires_at <= $1`)
)

// AddSession signs a person in with the hash of a new session token. The
// database refuses it for anybody who is not active.
func (tx *Tx) AddSession(ctx context.Context, hash []byte, s lms.Session) (int64, error) {
	var id int64
	if _, err := tx.one(ctx, sqlAddSession, []any{hash, s.UserID, at(s.CreatedAt), at(s.ExpiresAt), s.UserAgent}, &id); err != nil {
		return 0, fmt.Errorf("add session of user %d: %w", s.UserID, err)
	}
	if err := tx.later(ctx, "trim sessions", sqlTrimSessions, s.UserID, MaxSessions); err != nil {
		return 0, fmt.Errorf("trim sessions of user %d: %w", s.UserID, err)
	}
	return id, nil
}

func sessionDest(s *lms.Session) []any {
	return []any{&s.ID, &s.UserID, timestamp{&s.CreatedAt}, timestamp{&s.LastUsedAt}, timestamp{&s.ExpiresAt}, &s.UserAgent, &s.Program, stored{&s.Scopes}}
}

// Session finds the live session of a browser by its token's hash, and its active user.
func (tx *Tx) Session(ctx context.Context, hash []byte, now time.Time) (s lms.Session, u lms.User, ok bool, err error) {
	ok, err = tx.one(ctx, sqlSession, []any{hash, at(now)}, append(sessionDest(&s), userDest(&u)...)...)
	if err != nil {
		return s, u, false, fmt.Errorf("find session: %w", err)
	}
	return s, u, ok, nil
}

// TouchSession records a use and moves the session's end.
func (tx *Tx) TouchSession(ctx context.Context, id int64, now, expires time.Time) error {
	if err := tx.later(ctx, "touch session", sqlTouchSession, id, at(now), at(expires)); err != nil {
		return fmt.Errorf("touch session %d: %w", id, err)
	}
	return nil
}

// Sessions lists a person's live sessions, in browsers and in programs, newest first.
func (tx *Tx) Sessions(ctx context.Context, userID int64, now time.Time) ([]lms.Session, error) {
	rows, err := tx.query(ctx, sqlSessions, userID, at(now))
	list, err := collect(rows, err, func(r scanner) (s lms.Session, err error) { return s, r.Scan(sessionDest(&s)...) })
	if err != nil {
		return nil, fmt.Errorf("list sessions of user %d: %w", userID, err)
	}
	return list, nil
}

// EndSession ends one session of a person; ended is false when there is none.
func (tx *Tx) EndSession(ctx context.Context, userID, id int64) (ended bool, err error) {
	n, err := tx.exec(ctx, sqlEndSession, userID, id)
	if err != nil {
		return false, fmt.Errorf("end session %d: %w", id, err)
	}
	return n > 0, nil
}

// EndSessions ends all sessions of a person but one (0: all).
func (tx *Tx) EndSessions(ctx context.Context, userID, but int64) (int64, error) {
	n, err := tx.exec(ctx, sqlEndSessions, userID, but)
	if err != nil {
		return 0, fmt.Errorf("end sessions of user %d: %w", userID, err)
	}
	return n, nil
}

var (
	sqlAddAttempt = stmt(`INSERT INTO signin_attempts (state_hash, browser_hash, provider, nonce, verifier, next, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`)
	sqlTakeAttempt = stmt(`DELETE FROM signin_attempts WHERE state_hash = $1 RETURNING browser_hash, provider, nonce, verifier, next, expires_at`)
	sqlOldAttempts = stmt(`DELETE FROM signin_attempts WHERE expires_at <= $1`)
)

// Attempt is one browser on its way to a provider and back.
type Attempt struct {
	StateHash   []byte
	BrowserHash []byte
	Provider    string
	Nonce       string
	Verifier    string
	Next        string
	ExpiresAt   time.Time
}

// AddAttempt remembers a browser that is sent to a provider.
func (tx *Tx) AddAttempt(ctx context.Context, a Attempt) error {
	if err := tx.later(ctx, "add sign-in attempt", sqlAddAttempt, a.StateHash, a.BrowserHash, a.Provider, a.Nonce, a.Verifier, a.Next, at(a.ExpiresAt)); err != nil {
		return fmt.Errorf("add sign-in attempt: %w", err)
	}
	return nil
}

// TakeAttempt finds and removes an attempt, so that it serves once.
func (tx *Tx) TakeAttempt(ctx context.Context, stateHash []byte) (a Attempt, ok bool, err error) {
	a.StateHash = stateHash
	ok, err = tx.one(ctx, sqlTakeAttempt, []any{stateHash}, &a.BrowserHash, &a.Provider, &a.Nonce, &a.Verifier, &a.Next, timestamp{&a.ExpiresAt})
	if err != nil {
		return a, false, fmt.Errorf("take sign-in attempt: %w", err)
	}
	return a, ok, nil
}

// Expiry says what has ended: whatever ended, or was made, until the time of its kind.
type Expiry struct {
	Now      time.Time // sessions, sign-in attempts, proofs and ID tokens
	Keys     time.Time // idempotency keys
	Tokens   time.Time // API tokens
	Requests time.Time // requests to be erased that were decided
	Mails    time.Time // mails that ended
	Lifts    time.Time // lifted limits
}

var (
	sqlOldTokens   = stmt(`DELETE FROM api_tokens WHERE expires_at <= $1`)
	sqlOldRequests = stmt(`DELETE FROM erasure_requests WHERE state <> 'open' AND decided_at <= $1`)
)

// Expire removes what has ended.
func (tx *Tx) Expire(ctx context.Context, e Expiry) error {
	for _, one := range []struct {
		what  string
		st    *statement
		until time.Time
	}{
		{"sessions", sqlExpireSessions, e.Now},
		{"sign-in attempts", sqlOldAttempts, e.Now},
		{"ID tokens", sqlOldIDTokens, e.Now},
		{"idempotency keys", sqlOldKeys, e.Keys},
		{"API tokens", sqlOldTokens, e.Tokens},
		{"requests to be erased", sqlOldRequests, e.Requests},
		{"proofs", sqlDropEnded, e.Now},
		{"mails", sqlDropMails, e.Mails},
		{"uses of limits", sqlOldUses, e.Now},
		{"lifted limits", sqlOldLifts, e.Lifts},
	} {
		if _, err := tx.exec(ctx, one.st, at(one.until)); err != nil {
			return fmt.Errorf("expire %s: %w", one.what, err)
		}
	}
	return nil
}
