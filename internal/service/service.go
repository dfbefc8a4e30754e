// Package service holds the use cases. Each decides through package access,
// does its work in one transaction of the store, and leaves an audit entry in
// the same transaction; a refusal is recorded too. No mutation goes round it,
// and it knows nothing of HTTP or of pages: api and web are two faces of it.
package service

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"matricula/internal/access"
	"matricula/internal/fetch"
	"matricula/internal/lms"
	"matricula/internal/signin"
	"matricula/internal/store"
)

// Directory says whom a course manager may find: the values of
// MATRICULA_DIRECTORY.
type Directory string

// The directories.
const (
	DirectoryExact    Directory = "exact"    // people of one's own courses, and anybody by their whole address
	DirectoryStaff    Directory = "staff"    // also staff, by a part of their name
	DirectoryEveryone Directory = "everyone" // the whole user table
)

// Options are what the operator decides.
type Options struct {
	Now           func() time.Time // the clock; required
	Log           *slog.Logger     // required
	SignUp        signin.SignUp
	Directory     Directory
	NamingDomains []string // canonical domains; addresses outside them need a confirmation. Empty: none is outside

	// How roster sources are fetched; nil: none is.
	Fetch      func(context.Context, lms.SourceKind, string) (*fetch.Got, error)
	CheckPlace func(lms.SourceKind, string) error

	Mail *MailOptions // how mail is sent; nil: none is

	Webhooks *WebhookOptions // how webhooks are sent; nil: none is

	Zone *time.Location // in which days begin and end; nil: UTC

	// Days after which somebody who was named and never came expires; 0: nobody does.
	PendingDays int

	// What administrators are shown, and nothing else depends on.
	Settings  []lms.Setting
	Providers []signin.Provider
}

// Service is the use cases over one store.
type Service struct {
	store *store.Store
	opts  Options
	now   func() time.Time
	log   *slog.Logger
	wake  chan struct{} // that there is work in the background

	wakeMail chan struct{} // that there is mail to send

	webhookKey atomic.Pointer[[]byte] // read once, see webhookSite

	courtesy courtesy
	flooded  flooded

	toldExpiring atomic.Int64 // when this node last looked whom to tell, in microseconds
}

// Wake tells those who work in the background that there is something to do.
// Without it they would find it a little later.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Woken tells when Wake was called.
func (s *Service) Woken() <-chan struct{} { return s.wake }

// New makes the use cases.
func New(st *store.Store, opts Options) *Service {
	if opts.Directory == "" {
		opts.Directory = DirectoryStaff
	}
	if opts.SignUp == "" {
		opts.SignUp = signin.SignUpDomains
	}
	if opts.Zone == nil {
		opts.Zone = time.UTC
	}
	return &Service{store: st, opts: opts, now: opts.Now, log: opts.Log, wake: make(chan struct{}, 1), wakeMail: make(chan struct{}, 1)}
}

// Ready tells whether the database answers.
func (s *Service) Ready(ctx context.Context) error { return s.store.Ping(ctx) }

// For how long what has ended is kept beyond its end: a token, so that whoever made it
// sees that it has ended and not that it is gone; a request to be erased that was
// decided, so that its answer can be read.
const (
	endedTokenLife     = 30 * 24 * time.Hour
	decidedRequestLife = 365 * 24 * time.Hour
	keepLifts          = 365 * 24 * time.Hour
)

// Expire removes what has ended: sessions, sign-in attempts, idempotency keys, API
// tokens, answered requests, the details of merges that are final, the logs of
// webhooks, and what lists said that nobody carried out or that are long over. It also
// forgets what was kept for a while of people who are gone. The documentation has the times (docs/admin/privacy.md).
func (s *Service) Expire(ctx context.Context) error {
	err := s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		now := s.now()
		return tx.Expire(ctx, store.Expiry{Now: now, Keys: now.Add(-keyLife), Tokens: now.Add(-endedTokenLife), Requests: now.Add(-decidedRequestLife), Mails: now.Add(-keepMailNotes), Lifts: now.Add(-keepLifts)})
	})
	if err != nil {
		return err
	}
	if err := s.forgetMasks(ctx); err != nil {
		return err
	}
	if err := s.expireMerges(ctx); err != nil {
		return err
	}
	if err := s.expireClaims(ctx); err != nil {
		return err
	}
	if err := s.dropStaleImports(ctx); err != nil {
		return err
	}
	if err := s.dropOldDeliveries(ctx); err != nil {
		return err
	}
	return s.dropOldRows(ctx)
}

// work is one decided change in progress.
type work struct {
	tx       *store.Tx
	caller   access.Caller
	action   access.Action
	standing *access.Standing // nil for actions that are not about a course
	now      time.Time
	zone     *time.Location
	mails    bool // can be sent

	named     bool // the person whose role changes was named by this
	courseID  int64
	recorded  bool
	unchanged bool
	uses      []store.Use // of limits, counted at the end
}

func (w *work) delegator() access.Delegator { return access.DelegatorOf(w.caller, w.standing) }

// record writes the audit entry of the change: whom it concerns, and what was
// before and after. A subject of 0 means that it concerns the actor alone.
func (w *work) record(ctx context.Context, subject int64, before, after any) error {
	w.recorded = true
	e, err := w.entry(w.action, subject, before, after)
	if err != nil {
		return err
	}
	return w.tx.AddAudit(ctx, e)
}

func (w *work) entry(a access.Action, subject int64, before, after any) (lms.AuditEntry, error) {
	if subject == 0 {
		subject = w.caller.UserID
	}
	b, err := json.Marshal(orEmpty(before))
	if err != nil {
		return lms.AuditEntry{}, fmt.Errorf("record %s: %w", a, err)
	}
	f, err := json.Marshal(orEmpty(after))
	if err != nil {
		return lms.AuditEntry{}, fmt.Errorf("record %s: %w", a, err)
	}
	return lms.AuditEntry{
		At: w.now, ActorID: w.caller.UserID, Action: string(a), Outcome: lms.OutcomeDone, SubjectID: subject,
		CourseID: w.courseID, Before: b, After: f, RequestID: w.caller.RequestID,
	}, nil
}

func orEmpty(v any) any {
	if v == nil {
		return struct{}{}
	}
	return v
}

// nothingChanged says that the state already was what was asked for, so that
// there is nothing to record.
func (w *work) nothingChanged() { w.unchanged = true }

// do is the gate of every mutation: in one transaction it reads who the caller
// is now, decides, runs fn and makes sure that fn recorded what it did. A
// refusal is recorded in a transaction of its own, since the first leaves
// nothing behind. courseID is 0 for actions that are not about a course.
func (s *Service) do(ctx context.Context, c access.Caller, a access.Action, courseID int64, fn func(context.Context, *work) error) error {
	_, err := doOnce(ctx, s, c, a, courseID, nil, func(ctx context.Context, w *work) (struct{}, error) {
		return struct{}{}, fn(ctx, w)
	})
	return err
}

// Once makes a creating request safe to repeat: the same key from the same
// user on the same route answers what the first request answered and does
// nothing again.
type Once struct {
	Route string
	Key   string // the Idempotency-Key header; empty: not asked for
	Body  []byte // another body with the same key is a mistake of the client
}

const (
	maxKeyLength = 200
	keyLife      = 24 * time.Hour
)

// check refuses a key that no client would make and no database would keep.
func (o *Once) check() error {
	if len(o.Key) > maxKeyLength {
		return lms.Errorf(lms.CodeMalformed, "idempotency-key", "The Idempotency-Key is too long: at most %d characters.", maxKeyLength)
	}
	for i := range len(o.Key) {
		if o.Key[i] < 0x20 || o.Key[i] > 0x7e {
			return lms.Errorf(lms.CodeMalformed, "idempotency-key", "The Idempotency-Key may hold only printable ASCII characters.")
		}
	}
	return nil
}

func doOnce[T any](ctx context.Context, s *Service, c access.Caller, a access.Action, courseID int64, once *Once, fn func(context.Context, *work) (T, error)) (T, error) {
	var out T
	if c.Anonymous() {
		return out, access.ErrAnonymous
	}
	if once != nil {
		if err := once.check(); err != nil {
			return out, err
		}
	}
	err := s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		w := &work{tx: tx, caller: c, action: a, courseID: courseID, now: s.now(), zone: s.opts.Zone, mails: s.SendsMail()}
		if err := w.decide(ctx); err != nil {
			return err
		}
		if once == nil || once.Key == "" {
			var err error
			out, err = fn(ctx, w)
			return w.finish(ctx, err)
		}
		return w.onlyOnce(ctx, once, &out, func() (err error) {
			out, err = fn(ctx, w)
			return w.finish(ctx, err)
		})
	})
	if err != nil {
		s.recordRefusal(ctx, c, a, courseID, err)
		var zero T
		return zero, err
	}
	return out, nil
}

// decide reads the caller as they are now, inside the transaction, so that a
// right that was withdrawn or an account that was suspended a moment ago does
// not count any more.
func (w *work) decide(ctx context.Context) error {
	if !w.action.OfCourse() {
		u, ok, err := w.tx.User(ctx, w.caller.UserID)
		if err != nil {
			return err
		}
		if !ok || u.Status != lms.StatusActive {
			return access.ErrAnonymous
		}
		w.caller.SiteRole = u.SiteRole
		return access.Decide(w.caller, w.action, nil)
	}
	if err := w.tx.LockCourse(ctx, w.courseID); err != nil {
		return err
	}
	course, member, ok, err := w.tx.Standing(ctx, w.courseID, w.caller.UserID)
	if err != nil {
		return err
	}
	if !ok {
		return access.Decide(w.caller, w.action, nil)
	}
	if member.User.Status != lms.StatusActive {
		return access.ErrAnonymous
	}
	w.caller.SiteRole = member.User.SiteRole
	w.standing = &access.Standing{Course: course, Member: member.At(w.now)}
	return access.Decide(w.caller, w.action, w.standing)
}

func (w *work) finish(ctx context.Context, err error) error {
	switch {
	case err != nil:
		return err
	case !w.recorded && !w.unchanged:
		return fmt.Errorf("%s changed something and recorded nothing", w.action)
	}
	return w.countUses(ctx)
}

// onlyOnce runs fn unless the key was used before, in the same transaction as
// what fn does, so that a crash leaves either both or neither.
func (w *work) onlyOnce(ctx context.Context, once *Once, out any, fn func() error) error {
	sum := sha256.Sum256(once.Body)
	key := store.Key{UserID: w.caller.UserID, Route: once.Route, Key: once.Key, Fingerprint: sum[:]}
	taken, fingerprint, answer, err := w.tx.TakeKey(ctx, key, w.now)
	if err != nil {
		return err
	}
	if !taken {
		if !bytes.Equal(fingerprint, sum[:]) {
			return lms.Errorf(lms.CodeInvalid, "idempotency-key-reused", "This Idempotency-Key was already used with another body. Use a new key for a new request.")
		}
		w.unchanged = true
		return json.Unmarshal([]byte(answer), out)
	}
	if err := fn(); err != nil {
		return err
	}
	b, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("keep the answer of %s: %w", w.action, err)
	}
	return w.tx.AnswerKey(ctx, key, string(b))
}

// recordRefusal leaves a trace of a change that was refused because of who
// asked for it or of the state of things. Mistakes in the input are no
// refusals. Those by a limit leave one entry an hour, see refusalEvery.
func (s *Service) recordRefusal(ctx context.Context, c access.Caller, a access.Action, courseID int64, cause error) {
	var beyond *overLimit
	limited := errors.As(cause, &beyond)
	if limited && s.refusedLately(ctx, c, beyond) || !limited && !refusalCounts(lms.CodeOf(cause)) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if limited {
			if first, err := s.firstRefusal(ctx, tx, c, beyond); err != nil || !first {
				return err
			}
		}
		course := courseID
		if course != 0 {
			_, ok, err := tx.Course(ctx, course)
			if err != nil {
				return err
			}
			if !ok {
				course = 0
			}
		}
		return tx.AddAudit(ctx, lms.AuditEntry{
			At: s.now(), ActorID: c.UserID, Action: string(a), Outcome: lms.OutcomeRefused, Reason: lms.TypeOf(cause),
			SubjectID: c.UserID, CourseID: course, RequestID: c.RequestID,
		})
	})
	if err != nil {
		s.log.ErrorContext(ctx, "refusal not recorded", "action", string(a), "actor", c.UserID, "error", err)
	}
}

// refusalCounts tells a refusal from a mistake in the input.
func refusalCounts(c lms.Code) bool {
	return c == lms.CodeForbidden || c == lms.CodeNotFound || c == lms.CodeConflict
}

// look is the gate of every read about a course: it finds the course and the
// caller's place in it and decides.
func (s *Service) look(ctx context.Context, c access.Caller, a access.Action, courseID int64) (*access.Standing, error) {
	if c.Anonymous() {
		return nil, access.ErrAnonymous
	}
	course, member, ok, err := s.store.Reader().Standing(ctx, courseID, c.UserID)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, access.Decide(c, a, nil)
	}
	if member.User.Status != lms.StatusActive {
		return nil, access.ErrAnonymous
	}
	// As they are now, since an export or a stream of events may have begun before.
	c.SiteRole = member.User.SiteRole
	st := &access.Standing{Course: course, Member: member.At(s.now())}
	return st, access.Decide(c, a, st)
}

// PersonRef names a person wherever a person can be named: by id, or by
// address, known or not.
type PersonRef struct {
	UserID int64
	Email  string
}

// page reads one more than limit, to know whether there is more.
func page[T any](list []T, limit int) (items []T, more bool) {
	if len(list) > limit {
		return list[:limit], true
	}
	return list, false
}

var errNoUser = lms.NotFound("person")

// isNotFound tells whether err says that something is absent or hidden.
func isNotFound(err error) bool {
	var e *lms.Error
	return errors.As(err, &e) && e.Code == lms.CodeNotFound
}

// lmsError finds the lms.Error in err, nil when there is none.
func lmsError(err error) *lms.Error {
	var e *lms.Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}
