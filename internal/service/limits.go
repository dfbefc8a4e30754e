package service

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// Limits hold over all nodes, since each use is counted by a row of the database, in
// the transaction of what it counts (ADR 0044): what is refused or rolled back does not
// count, and nobody gets through between two others. A transaction collects what it
// uses and counts it at its end, in one statement, so that the rows are locked for no
// longer than it takes to commit.

// use notes that the work uses a limit n times.
func (w *work) use(name lms.LimitName, user int64, subject string, n int64) {
	if n == 0 {
		return
	}
	for i := range w.uses {
		if u := &w.uses[i]; u.Limit == name && u.UserID == user && u.Subject == subject {
			u.N += n
			return
		}
	}
	w.uses = append(w.uses, useOf(name, user, subject, n, w.now))
}

func useOf(name lms.LimitName, user int64, subject string, n int64, now time.Time) store.Use {
	l, _ := lms.LimitOf(name)
	return store.Use{Limit: name, UserID: user, Subject: subject, N: n, Until: now.Add(l.Period)}
}

// useForCourse, useForDomain and useHashed are use for limits that are not per person.
func (w *work) useForCourse(name lms.LimitName, courseID, n int64) {
	w.use(name, lms.SystemUserID, strconv.FormatInt(courseID, 10), n)
}

func (w *work) useForDomain(name lms.LimitName, domain string, n int64) {
	w.use(name, lms.SystemUserID, domain, n)
}

func (w *work) useHashed(name lms.LimitName, subject string, n int64) {
	w.use(name, lms.SystemUserID, hashedSubject(subject), n)
}

// hashedSubject is how what is nobody's business stands in the database, where it is
// gone within an hour.
func hashedSubject(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:15])
}

// countUses counts what the work uses. It is the last thing that a transaction does.
func (w *work) countUses(ctx context.Context) error {
	if len(w.uses) == 0 {
		return nil
	}
	slices.SortFunc(w.uses, func(a, b store.Use) int {
		return strings.Compare(string(a.Limit)+"\x00"+a.Subject, string(b.Limit)+"\x00"+b.Subject)
	})
	list, err := w.tx.CountUses(ctx, w.uses, w.now)
	if err != nil {
		return err
	}
	for _, u := range list {
		if err := over(u, w.now); err != nil {
			return err
		}
	}
	return nil
}

// overLimit is the refusal of a use, with what it was.
type overLimit struct {
	err *lms.Error
	use store.Use
}

func (e *overLimit) Error() string { return e.err.Error() }
func (e *overLimit) Unwrap() error { return e.err }

func amountOf(u store.Used) int64 {
	if u.Amount > 0 {
		return u.Amount
	}
	l, _ := lms.LimitOf(u.Limit)
	return l.Default
}

func over(u store.Used, now time.Time) error {
	amount := amountOf(u)
	if u.Lifted || u.Used <= amount {
		return nil
	}
	l, _ := lms.LimitOf(u.Limit)
	return &overLimit{l.Exceeded(lms.Use{Amount: amount, Used: u.Used, Asked: u.N, Free: u.Ends}, now), u.Use}
}

// useAlone counts in a transaction of its own, for what only reads. Administrators are
// not counted.
func (s *Service) useAlone(ctx context.Context, c access.Caller, a access.Action, name lms.LimitName) error {
	if c.Admin() {
		return nil
	}
	err := s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		w := &work{tx: tx, caller: c, action: a, now: s.now()}
		w.use(name, c.UserID, "", 1)
		return w.countUses(ctx)
	})
	if err != nil {
		s.recordRefusal(ctx, c, a, 0, err)
	}
	return err
}

// useNaming counts people who were named just now. Administrators are trusted with it,
// since they could lift the limits: so are the roster sources, which they set up.
func (w *work) useNaming(s *Service, named []lms.Email) {
	if len(named) == 0 || w.caller.SiteRole == lms.SiteAdmin {
		return
	}
	w.use(lms.LimitNamingPerson, w.caller.UserID, "", int64(len(named)))
	if w.courseID != 0 {
		w.useForCourse(lms.LimitNamingCourse, w.courseID, int64(len(named)))
	}
	for _, address := range named {
		if s.foreign(address) {
			w.useForDomain(lms.LimitNamingDomain, address.Domain(), 1)
		}
	}
}

// foreign tells whether an address belongs neither to the domains in which people are
// usually named nor to one for which a provider speaks. Where no domain is known to be
// the school's, none is foreign.
func (s *Service) foreign(e lms.Email) bool {
	known := len(s.opts.NamingDomains) > 0
	if slices.Contains(s.opts.NamingDomains, e.Domain()) {
		return false
	}
	for _, p := range s.opts.Providers {
		for _, d := range p.Domains {
			if known = true; d == e.Domain() {
				return false
			}
		}
	}
	return known
}

// refusalEvery is for how long refusals by one limit of one person leave one entry in
// the audit: else a flood of refused requests would be one of entries.
const refusalEvery = time.Hour

// limitRefusal is the name under which refusals are counted. It is no limit.
const limitRefusal = "refusal"

// firstRefusal tells whether an entry is due for a refusal by a limit.
func (s *Service) firstRefusal(ctx context.Context, tx *store.Tx, c access.Caller, e *overLimit) (bool, error) {
	u := store.Use{Limit: limitRefusal, UserID: c.UserID, Subject: string(e.use.Limit) + ":" + e.use.Subject, N: 1, Until: s.now().Add(refusalEvery)}
	if u.UserID == 0 {
		u.UserID = lms.SystemUserID
	}
	list, err := tx.CountUses(ctx, []store.Use{u}, s.now())
	return err == nil && len(list) == 1 && list[0].Used == 1, err
}

// refusedLately tells the same beforehand, without writing anything: in a flood of
// refusals only the first one writes.
func (s *Service) refusedLately(ctx context.Context, c access.Caller, e *overLimit) bool {
	u := store.Use{Limit: limitRefusal, UserID: max(c.UserID, lms.SystemUserID), Subject: string(e.use.Limit) + ":" + e.use.Subject, Until: s.now()}
	list, err := s.store.Reader().Uses(ctx, []store.Use{u}, s.now())
	return err == nil && len(list) == 1 && list[0].Used > 0
}

// Presented counts an unknown token that came from a network, in the name of a program
// where that is known. Its error, if it is one of too many, is the better answer: only
// what is unknown is refused by it, so that nobody can keep out others behind the same
// address. Once there are too many, the node answers so without asking the database.
func (s *Service) Presented(ctx context.Context, network, client string) error {
	now := s.now()
	if err := s.flooded.still(network, now); err != nil {
		return err
	}
	err := s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		w := &work{tx: tx, now: now}
		w.useHashed(lms.LimitFailures, network, 1)
		if client != "" {
			w.useHashed(lms.LimitFailuresOf, client, 1)
		}
		return w.countUses(ctx)
	})
	if e := lmsError(err); e != nil && e.Code == lms.CodeTooMany {
		s.flooded.note(network, e, now)
		s.log.WarnContext(ctx, "too many unknown tokens", "limit", e.Type, "from", network)
	}
	return err
}

// KnownToken tells whether a token is one of ours that has ended. Whoever presents it
// is told so however many unknown ones have come from the same network.
func (s *Service) KnownToken(ctx context.Context, secret string) (bool, error) {
	if secret == "" || len(secret) > 200 {
		return false, nil
	}
	return s.store.Reader().KnownToken(ctx, hashSecret(secret))
}

// namePeople is NamePeople, counted.
func (s *Service) namePeople(ctx context.Context, w *work, people []store.Naming) (map[lms.Email]store.Named, error) {
	named, err := w.tx.NamePeople(ctx, w.caller.UserID, w.now, people)
	if err == nil {
		w.useNaming(s, createdOf(named))
	}
	return named, err
}

func createdOf(named map[lms.Email]store.Named) []lms.Email {
	var list []lms.Email
	for address, n := range named {
		if n.Created {
			list = append(list, address)
		}
	}
	return list
}

// ImportOutlook says, of a checked list, whether it would meet a limit if somebody
// carried it out now; empty when it would not.
func (s *Service) ImportOutlook(ctx context.Context, c access.Caller, i *lms.Import) (lms.Text, error) {
	if i.State != lms.ImportReady || i.Names == 0 || c.SiteRole == lms.SiteAdmin {
		return lms.Text{}, nil
	}
	now := s.now()
	list, err := s.store.Reader().Uses(ctx, []store.Use{
		useOf(lms.LimitNamingPerson, c.UserID, "", i.Names, now),
		useOf(lms.LimitNamingCourse, lms.SystemUserID, strconv.FormatInt(i.CourseID, 10), i.Names, now),
	}, now)
	if err != nil {
		return lms.Text{}, err
	}
	for _, u := range list {
		if left := max(0, amountOf(u)-u.Used); !u.Lifted && i.Names > left {
			l, _ := lms.LimitOf(u.Limit)
			return lms.Say("This list names %d people whom nobody knows here, and the limit “%s” leaves %d at the moment. Carried out, it would wait at that point and go on by itself the next day; an administrator can lift the limit before.",
				i.Names, l.Label, left), nil
		}
	}
	return lms.Text{}, nil
}
