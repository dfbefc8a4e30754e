package service

import (
	"context"
	"errors"
	"strings"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/signin"
	"matricula/internal/store"
)

// A program in which somebody signed in by themselves, such as a mobile app,
// holds two secrets (ADR 38): an access token for the API, which lives for
// accessLife, and a refresh token that works once and brings the next two. Its
// session is one of the person's, and ends like one.
//
// A refresh token is a part that all those of one session share, and a part of
// its own. The first alone tells to which session it belongs, so that one which
// was used is known for what it is, however many came after it.

// The prefixes of a program's tokens, so that leaked ones can be found.
const (
	AccessPrefix  = "maa_"
	RefreshPrefix = "mar_"
)

// accessLife is how long an access token works.
const accessLife = 15 * time.Minute

// secretLength is that of a secret without its prefix, see newSecret.
const secretLength = 43

// ProgramSignIn is a program's sign-in, or the renewal of one. Access and Refresh
// are for the program alone, and stored nowhere.
type ProgramSignIn struct {
	SignedIn
	Access, Refresh string
	Life            time.Duration // of the access token
}

var (
	errIDTokenUsed = lms.Errorf(lms.CodeForbidden, "id-token-used", "This ID token was exchanged before, and works once. Sign in again and exchange the new one.")
	errRefresh     = lms.Errorf(lms.CodeForbidden, "refresh-token-invalid", "This refresh token is not valid: it may have expired or been used, or the sign-in was ended. Sign in again.")
	errReused      = lms.Errorf(lms.CodeForbidden, "refresh-token-reused", "This refresh token was used before. Since somebody else may hold it, everything that came of this sign-in has ended. Sign in again.")
	errBeyondScope = lms.Invalid("scope-exceeded", "scope", "A renewed token can do no more than was asked for at the sign-in. Sign in again to ask for more.")
)

// errUnknownRefresh says the same as errRefresh, so that nobody learns from it whether a
// token was ever known.
var errUnknownRefresh = func() *lms.Error { e := *errRefresh; return &e }()

// SignInProgram signs somebody in to a program that brought the ID token of a
// provider, by the same decision as in a browser.
func (s *Service) SignInProgram(ctx context.Context, p signin.Presented, scopes []lms.Scope, userAgent, requestID string) (ProgramSignIn, error) {
	var out ProgramSignIn
	in, err := s.enter(ctx, p.Provider, p.Token, requestID, door{
		program: p.Client,
		before: func(ctx context.Context, w *work) error {
			first, err := w.tx.SpendIDToken(ctx, p.Fingerprint[:], p.Until)
			if err == nil && !first {
				return errIDTokenUsed
			}
			return err
		},
		begin: func(ctx context.Context, w *work, in *SignedIn) error {
			in.Session = w.newSession(in.User.ID, userAgent)
			in.Session.Program, in.Session.Scopes = p.Client, scopes
			family, hash := newSecret(RefreshPrefix)
			keys := out.renew(family, in.Session.ExpiresAt, w.now)
			keys.Family = hash
			var err error
			if in.Session.ID, err = w.tx.AddProgram(ctx, keys, in.Session); err != nil {
				return err
			}
			return w.useTokens(ctx, in.User.ID, p.Client)
		},
	})
	if err != nil {
		s.recordTooManyTokens(ctx, requestID, err)
		return ProgramSignIn{}, err
	}
	out.SignedIn = in
	return out, nil
}

// recordTooManyTokens records that a program got no tokens for somebody since it has had
// too many.
func (s *Service) recordTooManyTokens(ctx context.Context, requestID string, cause error) {
	var beyond *overLimit
	if errors.As(cause, &beyond) {
		s.recordRefusal(ctx, access.Caller{UserID: beyond.use.UserID, RequestID: requestID}, access.UserSignIn, 0, cause)
	}
}

// renew makes new secrets for a session that ends at a time, and gives their hashes.
func (p *ProgramSignIn) renew(family string, end, now time.Time) store.ProgramKeys {
	var k store.ProgramKeys
	own, _ := newSecret("")
	p.Refresh = family + own
	k.Refresh = hashSecret(p.Refresh)
	p.Access, k.Access = newSecret(AccessPrefix)
	if k.AccessUntil = now.Add(accessLife); k.AccessUntil.After(end) {
		k.AccessUntil = end
	}
	p.Life = k.AccessUntil.Sub(now)
	return k
}

// familyOf is the part of a refresh token that all those of a session share.
func familyOf(refresh string) (family string, ok bool) {
	const end = len(RefreshPrefix) + secretLength
	if !strings.HasPrefix(refresh, RefreshPrefix) || len(refresh) != end+secretLength {
		return "", false
	}
	return refresh[:end], true
}

// RefreshProgram gives a program new tokens for its refresh token, which works
// once: when it comes again, either time may have been a thief, and the session
// ends for both. Client, if not empty, has to be the one that signed in; scopes,
// if any, lie within what was asked for then.
func (s *Service) RefreshProgram(ctx context.Context, refresh, client string, scopes []lms.Scope, requestID string) (ProgramSignIn, error) {
	var out ProgramSignIn
	family, ok := familyOf(refresh)
	if !ok {
		return out, errUnknownRefresh
	}
	var refusal error
	err := s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		out, refusal = ProgramSignIn{}, nil
		w := &work{tx: tx, caller: access.Caller{UserID: lms.SystemUserID, RequestID: requestID}, action: access.SessionReused, now: s.now()}
		ses, ok, err := tx.ProgramByFamily(ctx, hashSecret(family))
		if err != nil {
			return err
		}
		if !ok {
			return errUnknownRefresh
		}
		if !w.now.Before(ses.ExpiresAt) {
			return errRefresh
		}
		out, refusal, err = w.refreshProgram(ctx, ses, family, refresh, client, scopes)
		return err
	})
	if err == nil {
		err = refusal
	}
	if err != nil {
		s.recordTooManyTokens(ctx, requestID, err)
		return ProgramSignIn{}, err
	}
	return out, nil
}

// useTokens counts that a program gets tokens for somebody.
func (w *work) useTokens(ctx context.Context, user int64, program string) error {
	w.use(lms.LimitTokens, user, hashedSubject(program), 1)
	return w.countUses(ctx)
}

// UnknownRefresh tells whether an error of RefreshProgram means a token that never was
// one of ours, or was one long ago, and not one that has ended.
func UnknownRefresh(err error) bool { return errors.Is(err, errUnknownRefresh) }

// refreshProgram answers a refusal beside err when it has ended the session, which
// is to stay.
func (w *work) refreshProgram(ctx context.Context, ses lms.Session, family, refresh, client string, scopes []lms.Scope) (out ProgramSignIn, refusal, err error) {
	if client != "" && client != ses.Program {
		return out, nil, errRefresh
	}
	if !within(scopes, ses.Scopes) {
		return out, nil, errBeyondScope
	}
	// The person first, as in a suspension.
	if err := w.tx.LockUser(ctx, ses.UserID); err != nil {
		return out, nil, err
	}
	u, ok, err := w.tx.User(ctx, ses.UserID)
	if err != nil {
		return out, nil, err
	}
	if !ok || u.Status != lms.StatusActive {
		return out, nil, errRefresh
	}
	ses.LastUsedAt, ses.ExpiresAt = w.now, sessionEnd(ses, w.now)
	keys := out.renew(family, ses.ExpiresAt, w.now)
	done, err := w.tx.RotateProgram(ctx, ses.ID, hashSecret(refresh), keys, w.now, ses.ExpiresAt)
	if err != nil {
		return out, nil, err
	}
	if !done {
		refusal, err := w.endReused(ctx, ses)
		return out, refusal, err
	}
	out.SignedIn = SignedIn{User: u, Session: ses}
	if err := w.tx.Seen(ctx, u.ID, w.now); err != nil {
		return out, nil, err
	}
	return out, nil, w.useTokens(ctx, u.ID, ses.Program)
}

// endReused ends a session one of whose used refresh tokens came again.
func (w *work) endReused(ctx context.Context, ses lms.Session) (refusal, err error) {
	ended, err := w.tx.EndSession(ctx, ses.UserID, ses.ID)
	if err != nil {
		return nil, err
	}
	if !ended { // somebody ended it meanwhile
		return nil, errRefresh
	}
	return errReused, w.record(ctx, ses.UserID, programAudit{ses.ID, ses.Program}, nil)
}

type programAudit struct {
	Session int64  `json:"session"`
	Program string `json:"program"`
}

func within(asked, granted []lms.Scope) bool {
	c := access.Caller{TokenID: 1, Scopes: granted}
	for _, s := range asked {
		if !c.Allowed(s) {
			return false
		}
	}
	return true
}

// RevokeProgram ends the session to which an access or refresh token belongs, for
// whoever holds the token. One that belongs to nothing is no error (RFC 7009,
// section 2.2), and so is an API token, which its owner revokes.
func (s *Service) RevokeProgram(ctx context.Context, secret, requestID string) error {
	find := func(ctx context.Context, tx *store.Tx) (lms.Session, bool, error) {
		if family, ok := familyOf(secret); ok {
			return tx.ProgramByFamily(ctx, hashSecret(family))
		}
		return tx.ProgramOfAccess(ctx, hashSecret(secret))
	}
	if _, refresh := familyOf(secret); !refresh && !strings.HasPrefix(secret, AccessPrefix) {
		return nil
	}
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		ses, ok, err := find(ctx, tx)
		if err != nil || !ok {
			return err
		}
		if err := tx.LockUser(ctx, ses.UserID); err != nil {
			return err
		}
		ended, err := tx.EndSession(ctx, ses.UserID, ses.ID)
		if err != nil || !ended {
			return err
		}
		w := &work{tx: tx, caller: access.Caller{UserID: ses.UserID, RequestID: requestID}, action: access.SessionEnd, now: s.now()}
		return w.record(ctx, 0, programAudit{ses.ID, ses.Program}, nil)
	})
}

// byAccess tells in whose name the holder of an access token asks.
func (s *Service) byAccess(ctx context.Context, secret, requestID string) (access.Caller, lms.User, error) {
	ses, u, ok, err := s.store.Reader().ProgramByAccess(ctx, hashSecret(secret), s.now())
	if err != nil {
		return access.Caller{RequestID: requestID}, lms.User{}, err
	}
	if !ok {
		return access.Caller{RequestID: requestID}, lms.User{}, errBadToken
	}
	if now := s.now(); now.Sub(ses.LastUsedAt) > touchInterval {
		s.touch(ctx, u, func(ctx context.Context, tx *store.Tx) error { return tx.TouchProgram(ctx, ses.ID, now) })
	}
	return access.Caller{
		UserID: u.ID, Kind: u.Kind, SiteRole: u.SiteRole, TokenID: ses.ID, Program: true, Scopes: ses.Scopes, RequestID: requestID,
	}, u, nil
}
