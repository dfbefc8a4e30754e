package service

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/mail"
	"matricula/internal/signin"
	"matricula/internal/store"
)

// How long a code is good, and how often it can be asked for. lms.LimitCodes says how
// many go to one address, whoever asks for them.
const (
	codeLife     = 20 * time.Minute
	resendAfter  = time.Minute
	maxCodeSends = 4
)

// codeLetters are those of codes: none looks like another, and none makes a word. A
// code has eight of them, so that of 6.5e11 at most five are tried.
const (
	codeLetters = "BCDFGHJKMNPQRSTVWXYZ23456789"
	codeLength  = 8
)

func newCode() string {
	var b strings.Builder
	raw := make([]byte, 1)
	for b.Len() < codeLength {
		rand.Read(raw)                                      // never fails, see its documentation
		if n := int(raw[0]); n < 256-256%len(codeLetters) { // else some would be likelier
			b.WriteByte(codeLetters[n%len(codeLetters)])
		}
	}
	return b.String()
}

// shownCode is a code as people read it.
func shownCode(code string) string { return code[:codeLength/2] + "-" + code[codeLength/2:] }

// cleanCode is a code as people type it: in any case, with blanks and hyphens.
func cleanCode(typed string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r == ' ' || r == '-' || r == '\u00a0' || r == '\u2013' || r == '\t' || r == '\r' || r == '\n':
			return -1
		}
		return r
	}, typed)
}

// codeHash needs the browser's secret too, so that whoever reads the database finds
// no code by trying them all.
func codeHash(secret, code string) []byte {
	sum := sha256.Sum256([]byte(secret + "\x00" + code))
	return sum[:]
}

var (
	errNoProof   = lms.Errorf(lms.CodeNotFound, "no-proof", "There is no code to wait for in this browser: it took too long, was used already, or was wrong too often. Please start again.")
	errNoMail    = lms.Errorf(lms.CodeConflict, "no-mail", "This site sends no mail, so that a code cannot be sent. Ask its administrator.")
	errCodeWrong = "code-wrong"
)

// Proving is what the page of somebody shows who is to type a code.
type Proving struct {
	Address   lms.Email
	SignIn    bool // else it is an address that they add to their account
	ExpiresAt time.Time
	Tries     int // that are left
	Resend    time.Time
	MayResend bool // at that time; else no more
}

func provingOf(p store.Proof) Proving {
	return Proving{
		Address: p.Address, SignIn: p.Kind == store.ProofSignIn, ExpiresAt: p.ExpiresAt, Tries: store.MaxProofTries - p.Tries,
		Resend: p.SentAt.Add(resendAfter), MayResend: p.Sends < maxCodeSends,
	}
}

// BeginProof sends a code to the address of a token whose provider's word is not
// enough for it, and returns the secret by which the browser will be known. The
// proof is bound to the issuer, the subject and the address. Where a code would not
// help, the error is that of SignIn.
func (s *Service) BeginProof(ctx context.Context, p signin.Provider, t signin.Token, next, language, requestID string) (secret string, err error) {
	if s.opts.Mail == nil {
		return "", errNoMail
	}
	token, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("keep a token: %w", err)
	}
	secret, hash := newSecret("")
	code := newCode()
	err = s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		w := &work{tx: tx, caller: access.Caller{UserID: lms.SystemUserID, RequestID: requestID}, action: access.UserProve, now: s.now(), mails: true}
		d, err := s.decideSignIn(ctx, tx, p, t, "")
		if err != nil {
			return err
		}
		if d.Kind != signin.ProveAddress {
			return errors.Join(d.Err(p), errNoProof)
		}
		about := d.UserID
		if about == 0 {
			about = lms.SystemUserID
		}
		proof := store.Proof{
			Kind: store.ProofSignIn, SecretHash: hash, UserID: about, Address: d.Email, Provider: p.Name, Token: string(token), Next: signin.SafeNext(next),
			CodeHash: codeHash(secret, code), CreatedAt: w.now, ExpiresAt: w.now.Add(codeLife),
		}
		if err := w.sendCode(ctx, proof, code, language); err != nil {
			return err
		}
		if err := w.record(ctx, about, nil, signInAudit{Provider: p.Name, Address: d.Email.Masked()}); err != nil {
			return err
		}
		return w.countUses(ctx)
	})
	if err != nil {
		s.recordRefusedCode(ctx, requestID, err)
		return "", err
	}
	s.mailQueued()
	return secret, nil
}

// sendCode stores a proof, or another code of one, and queues its mail.
func (w *work) sendCode(ctx context.Context, p store.Proof, code, language string) error {
	w.useHashed(lms.LimitCodes, string(p.Address), 1)
	var err error
	if p.ID == 0 {
		p.ID, err = w.tx.AddProof(ctx, p)
	} else {
		err = w.tx.SetProofCode(ctx, p.ID, p.CodeHash, w.now)
	}
	if err != nil {
		return err
	}
	kind := lms.MailSignInCode
	if p.Kind == store.ProofAddress {
		kind = lms.MailAddressCode
	}
	return w.queue(ctx, lms.Mail{
		Kind: kind, UserID: p.UserID, Address: p.Address, Language: language, Event: fmt.Sprintf("code:%d:%d", p.ID, p.Sends),
		Data: map[string]string{mail.DataCode: shownCode(code), mail.DataMinutes: strconv.Itoa(int(codeLife / time.Minute))},
	})
}

// recordRefusedCode records that a limit has kept a code from being sent.
func (s *Service) recordRefusedCode(ctx context.Context, requestID string, cause error) {
	if lms.CodeOf(cause) == lms.CodeTooMany {
		s.recordRefusal(ctx, access.Caller{UserID: lms.SystemUserID, RequestID: requestID}, access.UserProve, 0, cause)
	}
}

// takeProof uses a proof up.
func (w *work) takeProof(ctx context.Context, id int64) error {
	ok, err := w.tx.TakeProof(ctx, id)
	if err == nil && !ok {
		err = errNoProof
	}
	return err
}

func knownSecret(secret string) bool { return secret != "" && len(secret) <= 200 }

// Proving finds what the browser with a secret waits for.
func (s *Service) Proving(ctx context.Context, secret string) (Proving, error) {
	if !knownSecret(secret) {
		return Proving{}, errNoProof
	}
	p, ok, err := s.store.Reader().Proof(ctx, hashSecret(secret), s.now())
	if err == nil && !ok {
		err = errNoProof
	}
	return provingOf(p), err
}

// ResendCode sends another code, which takes the place of the one before.
func (s *Service) ResendCode(ctx context.Context, secret, language, requestID string) error {
	if s.opts.Mail == nil {
		return errNoMail
	}
	if !knownSecret(secret) {
		return errNoProof
	}
	code := newCode()
	err := s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		w := &work{tx: tx, caller: access.Caller{UserID: lms.SystemUserID, RequestID: requestID}, action: access.UserProve, now: s.now(), mails: true}
		p, ok, err := tx.Proof(ctx, hashSecret(secret), w.now)
		if err != nil {
			return err
		}
		if !ok {
			return errNoProof
		}
		switch v := provingOf(p); {
		case !v.MayResend:
			return lms.Errorf(lms.CodeTooMany, "too-many-codes", "The code was sent %d times. Look for it in your mail, also among the spam, or start again later.", p.Sends)
		case w.now.Before(v.Resend):
			return lms.Errorf(lms.CodeTooMany, "too-soon", "The code was sent just now. Give it a minute, and look among the spam too, before you ask for another.")
		}
		p.CodeHash = codeHash(secret, code)
		if err := w.sendCode(ctx, p, code, language); err != nil {
			return err
		}
		if p.Kind == store.ProofAddress {
			w.caller.UserID, w.action = p.UserID, access.AddressProve
		}
		if err := w.record(ctx, p.UserID, nil, signInAudit{Provider: p.Provider, Address: p.Address.Masked()}); err != nil {
			return err
		}
		return w.countUses(ctx)
	})
	if err != nil {
		s.recordRefusedCode(ctx, requestID, err)
		return err
	}
	s.mailQueued()
	return nil
}

// redeem looks whether a code is that of the browser's proof, and counts the try
// whatever comes of it, in a transaction of its own.
func (s *Service) redeem(ctx context.Context, kind, secret, typed string) (p store.Proof, err error) {
	if !knownSecret(secret) {
		return p, errNoProof
	}
	code := cleanCode(typed)
	if code == "" {
		return p, lms.Invalid("code-missing", "code", "Type the code that was sent to you.")
	}
	if len(code) != codeLength {
		return p, lms.Invalid(errCodeWrong, "code", "A code has %d letters and digits. Compare it with the newest mail.", codeLength)
	}
	err = s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		found, ok, err := tx.Proof(ctx, hashSecret(secret), s.now())
		if err != nil {
			return err
		}
		if !ok || found.Kind != kind {
			return errNoProof
		}
		if p, ok, err = tx.TryProof(ctx, found.ID, s.now()); err == nil && !ok {
			err = errNoProof
		}
		return err
	})
	if err != nil {
		return p, err
	}
	if subtle.ConstantTimeCompare(p.CodeHash, codeHash(secret, code)) == 1 {
		return p, nil
	}
	left := store.MaxProofTries - p.Tries
	if left == 0 {
		return p, lms.Invalid(errCodeWrong, "code", "That was not the code, and it was the last try. Please start again.")
	}
	return p, lms.Invalid(errCodeWrong, "code", "That is not the code. Compare it letter by letter with the newest mail; tries that are left: %d.", left)
}

// ProveSignIn completes the sign-in of somebody who types the code that was sent to
// their address. The decision is made anew with what is so then.
func (s *Service) ProveSignIn(ctx context.Context, secret, code string, provider func(name string) (signin.Provider, bool), userAgent, requestID string) (in SignedIn, next string, err error) {
	proof, err := s.redeem(ctx, store.ProofSignIn, secret, code)
	if err != nil {
		if lms.TypeOf(err) == errCodeWrong {
			s.recordWrongCode(ctx, proof, requestID)
		}
		return in, "", err
	}
	p, ok := provider(proof.Provider)
	if !ok {
		return in, "", errNoProof
	}
	var t signin.Token
	if err := json.Unmarshal([]byte(proof.Token), &t); err != nil {
		return in, "", fmt.Errorf("read a token that was kept: %w", err)
	}
	in, err = s.admit(ctx, p, t, &proof, userAgent, requestID)
	return in, proof.Next, err
}

func (s *Service) recordWrongCode(ctx context.Context, p store.Proof, requestID string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		w := &work{tx: tx, caller: access.Caller{UserID: lms.SystemUserID, RequestID: requestID}, action: access.UserProve, now: s.now()}
		e, err := w.entry(w.action, p.UserID, nil, signInAudit{Provider: p.Provider, Address: p.Address.Masked()})
		if err != nil {
			return err
		}
		e.Outcome, e.Reason = lms.OutcomeRefused, errCodeWrong
		return tx.AddAudit(ctx, e)
	})
	if err != nil {
		s.log.ErrorContext(ctx, "wrong code not recorded", "error", err)
	}
}
