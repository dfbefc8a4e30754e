package service

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/signin"
	"matricula/internal/store"
)

// Lives of what signing in makes.
const (
	attemptLife     = 15 * time.Minute
	sessionIdle     = 7 * 24 * time.Hour  // a session ends when it was not used for so long
	sessionLife     = 30 * 24 * time.Hour // and after this in any case
	touchInterval   = 5 * time.Minute     // how exactly the last use of sessions and tokens is known
	maxUserAgent    = 200
	signInTries     = 5
	maxAttemptState = 200
)

// newSecret makes a token of 256 random bits, and the hash that is stored.
func newSecret(prefix string) (secret string, hash []byte) {
	b := make([]byte, 32)
	rand.Read(b) // never fails, see its documentation
	secret = prefix + base64.RawURLEncoding.EncodeToString(b)
	return secret, hashSecret(secret)
}

func hashSecret(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// StartSignIn remembers a browser that is sent to a provider, and returns the
// secret by which the browser will be known when it comes back. A browser that
// has such a secret already, since it is on its way in another tab, keeps it.
func (s *Service) StartSignIn(ctx context.Context, provider string, a signin.Attempt, next, known string) (browser string, err error) {
	browser, hash := newSecret("")
	if len(known) == len(browser) {
		browser, hash = known, hashSecret(known)
	}
	err = s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		return tx.AddAttempt(ctx, store.Attempt{
			StateHash: hashSecret(a.State), BrowserHash: hash, Provider: provider, Nonce: a.Nonce, Verifier: a.Verifier,
			Next: signin.SafeNext(next), ExpiresAt: s.now().Add(attemptLife),
		})
	})
	return browser, err
}

var errAttempt = lms.Errorf(lms.CodeMalformed, "sign-in-expired", "This sign-in was already used, took too long, or was begun in another browser. Please start again.")

// TakeAttempt finds the attempt that a callback answers and uses it up. It is
// refused when the callback comes to another provider, from another browser, a
// second time or too late.
func (s *Service) TakeAttempt(ctx context.Context, provider, state, browser string) (a signin.Attempt, next string, err error) {
	if state == "" || len(state) > maxAttemptState || browser == "" {
		return a, "", errAttempt
	}
	var taken store.Attempt
	err = s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		var ok bool
		var err error
		taken, ok, err = tx.TakeAttempt(ctx, hashSecret(state))
		if err == nil && !ok {
			return errAttempt
		}
		return err
	})
	if err != nil {
		return a, "", err
	}
	if taken.Provider != provider || !s.now().Before(taken.ExpiresAt) ||
		subtle.ConstantTimeCompare(taken.BrowserHash, hashSecret(browser)) != 1 {
		return a, "", errAttempt
	}
	return signin.Attempt{State: state, Nonce: taken.Nonce, Verifier: taken.Verifier}, taken.Next, nil
}

// SignedIn is a successful sign-in.
type SignedIn struct {
	User    lms.User
	Outcome signin.Outcome
	Secret  string // of the new session, for the browser's cookie alone
	Session lms.Session
}

// errAgain says that somebody else changed what the decision was made on.
var errAgain = errors.New("the account changed meanwhile")

// SignIn acts on a token that a provider issued: it decides, claims or creates
// the account if that is the decision, and begins a session, all in one
// transaction. Whatever refers to a claimed person is not touched.
func (s *Service) SignIn(ctx context.Context, p signin.Provider, t signin.Token, userAgent, requestID string) (SignedIn, error) {
	return s.admit(ctx, p, t, nil, userAgent, requestID)
}

// admit is SignIn for somebody who may have proved the token's address by a code,
// which is used up.
func (s *Service) admit(ctx context.Context, p signin.Provider, t signin.Token, proof *store.Proof, userAgent, requestID string) (SignedIn, error) {
	return s.enter(ctx, p, t, requestID, door{proof: proof, begin: func(ctx context.Context, w *work, out *SignedIn) error {
		return w.beginSession(ctx, out, userAgent)
	}})
}

// door is what differs between the ways in: a browser, or a program.
type door struct {
	program string                                        // the client id; empty for a browser
	proof   *store.Proof                                  // of the token's address, by a code; nil: none
	before  func(context.Context, *work) error            // once it is decided to let them in; nil: nothing
	begin   func(context.Context, *work, *SignedIn) error // makes the session
}

// enter is every sign-in, whatever the door.
func (s *Service) enter(ctx context.Context, p signin.Provider, t signin.Token, requestID string, through door) (SignedIn, error) {
	var out SignedIn
	var d signin.Decision
	var err error
	for range signInTries {
		err = s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			w := &work{tx: tx, action: access.UserSignIn, now: s.now(), mails: s.SendsMail()}
			w.caller.RequestID = requestID
			var proved lms.Email
			if through.proof != nil {
				proved = through.proof.Address
				if err := w.takeProof(ctx, through.proof.ID); err != nil {
					return err
				}
			}
			var err error
			if d, err = s.decideSignIn(ctx, tx, p, t, proved); err != nil {
				return err
			}
			if err := d.Err(p); err != nil {
				return err
			}
			if through.before != nil {
				if err := through.before(ctx, w); err != nil {
					return err
				}
			}
			if out, err = w.signIn(ctx, p, t, d, through.program); err != nil {
				return err
			}
			return through.begin(ctx, w, &out)
		})
		if !errors.Is(err, errAgain) {
			break
		}
	}
	if errors.Is(err, errAgain) {
		err = lms.Errorf(lms.CodeUnavailable, "sign-in-busy", "Somebody is signing in with this account at this very moment. Please try again.")
	}
	if err != nil {
		s.recordRefusedSignIn(ctx, p, d, through.program, requestID, err)
		return SignedIn{}, err
	}
	return out, nil
}

// decideSignIn decides in the transaction that will act on it. proved is the address
// that a code has proved, if there was one.
func (s *Service) decideSignIn(ctx context.Context, tx *store.Tx, p signin.Provider, t signin.Token, proved lms.Email) (signin.Decision, error) {
	// The address first: whoever claims it at this moment attaches the identity
	// in the same transaction, so that an address that is seen as claimed never
	// goes with an identity that is not seen yet.
	var account signin.AccountState
	if address, err := t.Address(); err == nil {
		h, ok, err := tx.AddressHolder(ctx, address)
		if err != nil {
			return signin.Decision{}, err
		}
		if ok {
			account.Address = &signin.Holder{UserID: h.UserID, Status: h.Status}
		}
	}
	h, ok, err := tx.IdentityHolder(ctx, t.Issuer, t.Subject)
	if err != nil {
		return signin.Decision{}, err
	}
	if ok {
		account.Identity = &signin.Holder{UserID: h.UserID, Status: h.Status}
	}
	if err := s.lookUpLinks(ctx, tx, t, &account); err != nil {
		return signin.Decision{}, err
	}
	return signin.Redeem(signin.Policy{Provider: p, SignUp: s.opts.SignUp}, t, account, proved), nil
}

// signInAudit is how the audit shows a sign-in. The address is masked: it is
// the one that the provider sent, which may be nobody's here.
type signInAudit struct {
	Provider string `json:"provider"`
	Program  string `json:"program,omitempty"`
	Address  string `json:"address,omitempty"`
}

func (w *work) signIn(ctx context.Context, p signin.Provider, t signin.Token, d signin.Decision, program string) (SignedIn, error) {
	out := SignedIn{Outcome: d.Kind}
	id := d.UserID
	var err error
	switch d.Kind {
	case signin.Create:
		w.action = access.UserSignUp
		if id, err = w.createSelf(ctx, d.Email); err == nil {
			err = w.claim(ctx, id, t, d.Email)
		}
	case signin.Claim:
		w.action = access.UserClaim
		if d.Linked {
			err = w.claimLinked(ctx, id, t)
		} else {
			err = w.claim(ctx, id, t, d.Email)
		}
	default:
		// Whoever is suspending them at this moment goes first or waits.
		if err = w.tx.LockUser(ctx, id); err == nil {
			err = w.tx.TouchIdentity(ctx, t.Issuer, t.Subject, w.now)
		}
	}
	if err != nil {
		return out, err
	}
	u, ok, err := w.tx.User(ctx, id)
	if err != nil {
		return out, err
	}
	if !ok || u.Status != lms.StatusActive {
		return out, errAgain
	}
	w.caller.UserID = id
	if d.Kind == signin.SignIn {
		if err := w.refresh(ctx, &u, t, d); err != nil {
			return out, err
		}
	}
	out.User = u
	return out, w.record(ctx, 0, nil, signInAudit{Provider: p.Name, Program: program})
}

// createSelf makes the row of somebody whom nobody has named.
func (w *work) createSelf(ctx context.Context, address lms.Email) (int64, error) {
	named, err := w.tx.NamePeople(ctx, lms.SystemUserID, w.now, []store.Naming{{Address: address, AsTyped: string(address)}})
	if err != nil {
		return 0, err
	}
	n := named[address]
	if !n.Created {
		return 0, errAgain
	}
	return n.UserID, nil
}

// claim makes a pending person active and attaches the identity: one update
// and one insert, whatever number of things refer to the person. Of two who
// try at once, one wins; the other decides anew.
func (w *work) claim(ctx context.Context, id int64, t signin.Token, address lms.Email) error {
	u, ok, err := w.tx.User(ctx, id)
	if err != nil {
		return err
	}
	if !ok {
		return errAgain
	}
	won, err := w.tx.Claim(ctx, id, address, namesOf(u, t), w.now)
	if err != nil {
		return err
	}
	if !won {
		return errAgain
	}
	added, err := w.tx.AddIdentity(ctx, t.Issuer, t.Subject, id, address, w.now)
	if err != nil {
		return err
	}
	if !added {
		return errAgain
	}
	if u.Email == address {
		return nil
	}
	// Of the several addresses of two pending people who were merged, the one that
	// was proved is by which others know them.
	n := namesOf(u, t)
	u.GivenName, u.FamilyName, u.Name = n.Given, n.Family, n.Full
	if done, err := w.tx.PromoteAddress(ctx, u, address); err != nil || !done {
		return orElse(err, errAgain)
	}
	return nil
}

// refresh takes over what the provider says about somebody who signs in again:
// names, and a new address when nobody has it.
func (w *work) refresh(ctx context.Context, u *lms.User, t signin.Token, d signin.Decision) error {
	if err := w.tx.Seen(ctx, u.ID, w.now); err != nil {
		return err
	}
	if n := namesOf(*u, t); n != (store.Names{Given: u.GivenName, Family: u.FamilyName, Full: u.Name}) {
		if err := w.tx.SetNames(ctx, *u, n); err != nil {
			return err
		}
		u.GivenName, u.FamilyName, u.Name = n.Given, n.Family, n.Full
	}
	if !d.NewAddress {
		return nil
	}
	added, err := w.tx.AddPrimaryAddress(ctx, *u, d.Email, w.now)
	if err != nil {
		return err
	}
	if !added {
		return errAgain // somebody was named with it meanwhile, and keeps it
	}
	before := u.Email
	u.Email = d.Email
	if err := w.tellChanged(ctx, u, before); err != nil {
		return err
	}
	e, err := w.entry(access.AddressChange, 0, signInAudit{Address: before.Masked()}, signInAudit{Address: d.Email.Masked()})
	if err != nil {
		return err
	}
	return w.tx.AddAudit(ctx, e)
}

// namesOf is what the provider calls the person, as far as it can be shown;
// where it says nothing, what is known stays.
func namesOf(u lms.User, t signin.Token) store.Names {
	pick := func(said, known string) string {
		clean, err := lms.CleanText(said, "name", lms.MaxNameRunes)
		if err != nil || clean == "" {
			return known
		}
		return clean
	}
	return store.Names{Given: pick(t.GivenName, u.GivenName), Family: pick(t.FamilyName, u.FamilyName), Full: pick(t.Name, u.Name)}
}

func (w *work) beginSession(ctx context.Context, out *SignedIn, userAgent string) error {
	secret, hash := newSecret("")
	out.Secret = secret
	out.Session = w.newSession(out.User.ID, userAgent)
	var err error
	out.Session.ID, err = w.tx.AddSession(ctx, hash, out.Session)
	return err
}

func (w *work) newSession(user int64, userAgent string) lms.Session {
	clean, err := lms.CleanText(lms.Clip(userAgent, maxUserAgent), "user_agent", maxUserAgent+1)
	if err != nil {
		clean = ""
	}
	return lms.Session{UserID: user, CreatedAt: w.now, LastUsedAt: w.now, ExpiresAt: w.now.Add(sessionIdle), UserAgent: clean}
}

// sessionEnd is when a session ends that is used now.
func sessionEnd(s lms.Session, now time.Time) time.Time {
	expires := now.Add(sessionIdle)
	if end := s.CreatedAt.Add(sessionLife); expires.After(end) {
		return end
	}
	return expires
}

func (s *Service) recordRefusedSignIn(ctx context.Context, p signin.Provider, d signin.Decision, program, requestID string, cause error) {
	switch lms.CodeOf(cause) {
	case lms.CodeForbidden, lms.CodeConflict:
	default:
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		w := &work{tx: tx, caller: access.Caller{UserID: lms.SystemUserID, RequestID: requestID}, action: access.UserSignIn, now: s.now()}
		after := signInAudit{Provider: p.Name, Program: program}
		if d.Email != "" {
			after.Address = d.Email.Masked()
		}
		e, err := w.entry(w.action, d.UserID, nil, after)
		if err != nil {
			return err
		}
		e.Outcome, e.Reason = lms.OutcomeRefused, lms.TypeOf(cause)
		return tx.AddAudit(ctx, e)
	})
	if err != nil {
		s.log.ErrorContext(ctx, "refused sign-in not recorded", "provider", p.Name, "error", err)
	}
}

// BySession tells who a browser's session secret belongs to: the anonymous
// caller when it belongs to nobody any more.
func (s *Service) BySession(ctx context.Context, secret, requestID string) (access.Caller, lms.User, error) {
	if secret == "" || len(secret) > 200 {
		return access.Caller{RequestID: requestID}, lms.User{}, nil
	}
	ses, u, ok, err := s.store.Reader().Session(ctx, hashSecret(secret), s.now())
	if err != nil || !ok {
		return access.Caller{RequestID: requestID}, lms.User{}, err
	}
	if now := s.now(); now.Sub(ses.LastUsedAt) > touchInterval {
		expires := sessionEnd(ses, now)
		s.touch(ctx, u, func(ctx context.Context, tx *store.Tx) error { return tx.TouchSession(ctx, ses.ID, now, expires) })
	}
	return access.Caller{UserID: u.ID, Kind: u.Kind, SiteRole: u.SiteRole, SessionID: ses.ID, RequestID: requestID}, u, nil
}

var errBadToken = lms.Errorf(lms.CodeUnauthenticated, "bad-token", "This API token is not valid: it may have expired or been revoked.")

// ByToken tells who a bearer token belongs to: an API token, or the access token of
// a program.
func (s *Service) ByToken(ctx context.Context, secret, requestID string) (access.Caller, lms.User, error) {
	if secret == "" || len(secret) > 200 {
		return access.Caller{RequestID: requestID}, lms.User{}, errBadToken
	}
	if strings.HasPrefix(secret, AccessPrefix) {
		return s.byAccess(ctx, secret, requestID)
	}
	t, u, ok, err := s.store.Reader().Token(ctx, hashSecret(secret), s.now())
	if err != nil {
		return access.Caller{RequestID: requestID}, lms.User{}, err
	}
	if !ok {
		return access.Caller{RequestID: requestID}, lms.User{}, errBadToken
	}
	if now := s.now(); now.Sub(t.LastUsedAt) > touchInterval {
		s.touch(ctx, u, func(ctx context.Context, tx *store.Tx) error { return tx.TouchToken(ctx, t.ID, now) })
	}
	return access.Caller{
		UserID: u.ID, Kind: u.Kind, SiteRole: u.SiteRole, TokenID: t.ID, Scopes: t.Scopes, CourseIDs: t.CourseIDs, RequestID: requestID,
	}, u, nil
}

// touch records a use. Whoever is signed in is served also when it cannot be
// recorded. The person comes before the session, as in a suspension, which
// would otherwise wait in a circle.
func (s *Service) touch(ctx context.Context, u lms.User, fn func(context.Context, *store.Tx) error) {
	err := s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.Seen(ctx, u.ID, s.now()); err != nil {
			return err
		}
		return fn(ctx, tx)
	})
	if err != nil {
		s.log.WarnContext(ctx, "use not recorded", "user", u.ID, "error", err)
	}
}
