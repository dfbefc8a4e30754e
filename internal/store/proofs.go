package store

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

// The kinds of Proof.
const (
	ProofSignIn  = "sign-in"
	ProofAddress = "address"
)

// MaxProofTries is how often a code may be wrong before its proof is worth nothing.
const MaxProofTries = 5

// Proof is an address that somebody says is theirs, until the code comes back that
// was sent to it.
type Proof struct {
	ID         int64
	Kind       string
	SecretHash []byte // of the browser's secret
	UserID     int64  // who waits for the address, or wants it; SystemUserID for nobody yet
	SessionID  int64  // 0 for a sign-in
	Address    lms.Email
	Provider   string
	Token      string // what the provider said, as the service wrote it
	Next       string
	CodeHash   []byte
	Tries      int
	Sends      int
	SentAt     time.Time
	CreatedAt  time.Time
	ExpiresAt  time.Time
}

const proofColumns = `id, kind, secret_hash, user_id, session_id, address, provider, token, next, code_hash, tries, sends, sent_at, created_at, expires_at`

func proofOf(r scanner) (p Proof, err error) {
	return p, r.Scan(&p.ID, &p.Kind, &p.SecretHash, &p.UserID, &p.SessionID, (*string)(&p.Address), &p.Provider, &p.Token, &p.Next, &p.CodeHash, &p.Tries, &p.Sends,
		timestamp{&p.SentAt}, timestamp{&p.CreatedAt}, timestamp{&p.ExpiresAt})
}

var (
	sqlAddProof = stmt(`INSERT INTO proofs (kind, secret_hash, user_id, session_id, address, provider, token, next, code_hash, sent_at, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11) RETURNING id`)
	sqlSetCode = stmt(`UPDATE proofs SET code_hash = $2, sent_at = $3, sends = sends + 1 WHERE id = $1`)
	// What was begun in a session is worth nothing when that has ended.
	sqlProof = stmt(`SELECT ` + proofColumns + ` FROM proofs WHERE secret_hash = $1 AND expires_at > $2 AND tries < 5
		AND (kind = 'sign-in' OR EXISTS (SELECT 1 FROM sessions s WHERE s.id = proofs.session_id))`)
	// The condition is looked at again by whoever waited for another's try, so that
	// no more are counted than there are.
	sqlTryProof   = stmt(`UPDATE proofs SET tries = tries + 1 WHERE id = $1 AND tries < 5 AND expires_at > $2 RETURNING ` + proofColumns)
	sqlTakeProof  = stmt(`DELETE FROM proofs WHERE id = $1`)
	sqlDropProofs = stmt(`DELETE FROM proofs WHERE user_id = $1 AND kind = 'address'`)
	sqlDropEnded  = stmt(`DELETE FROM proofs WHERE expires_at <= $1`)
)

// AddProof stores a proof that waits for its code.
func (tx *Tx) AddProof(ctx context.Context, p Proof) (id int64, err error) {
	_, err = tx.one(ctx, sqlAddProof, []any{
		p.Kind, p.SecretHash, p.UserID, p.SessionID, string(p.Address), p.Provider, p.Token, p.Next, p.CodeHash, at(p.CreatedAt), at(p.ExpiresAt),
	}, &id)
	if err != nil {
		return 0, fmt.Errorf("add proof: %w", err)
	}
	return id, nil
}

// SetProofCode replaces the code of a proof by another one that is sent now.
func (tx *Tx) SetProofCode(ctx context.Context, id int64, hash []byte, now time.Time) error {
	if err := tx.later(ctx, "set code", sqlSetCode, id, hash, at(now)); err != nil {
		return fmt.Errorf("set code of proof %d: %w", id, err)
	}
	return nil
}

func (tx *Tx) oneProof(ctx context.Context, st *statement, args ...any) (p Proof, ok bool, err error) {
	rows, err := tx.query(ctx, st, args...)
	list, err := collect(rows, err, proofOf)
	if err != nil {
		return p, false, fmt.Errorf("read proof: %w", err)
	}
	if len(list) == 0 {
		return p, false, nil
	}
	return list[0], true, nil
}

// Proof finds the proof of a browser that still waits for its code.
func (tx *Tx) Proof(ctx context.Context, secretHash []byte, now time.Time) (Proof, bool, error) {
	return tx.oneProof(ctx, sqlProof, secretHash, at(now))
}

// TryProof counts a try and returns the proof; ok is false when there is none left.
func (tx *Tx) TryProof(ctx context.Context, id int64, now time.Time) (Proof, bool, error) {
	return tx.oneProof(ctx, sqlTryProof, id, at(now))
}

// TakeProof uses a proof up; ok is false when somebody else did.
func (tx *Tx) TakeProof(ctx context.Context, id int64) (ok bool, err error) {
	n, err := tx.exec(ctx, sqlTakeProof, id)
	if err != nil {
		return false, fmt.Errorf("take proof %d: %w", id, err)
	}
	return n == 1, nil
}

// DropProofs ends what somebody has begun in order to add an address.
func (tx *Tx) DropProofs(ctx context.Context, userID int64) error {
	if err := tx.later(ctx, "drop proofs", sqlDropProofs, userID); err != nil {
		return fmt.Errorf("drop proofs of user %d: %w", userID, err)
	}
	return nil
}
