package service

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

const (
	warnedFor   = 14 * day            // for how long it is announced that somebody expires
	maskedFor   = 90 * day            // for how long it is told whose address somebody had who is gone
	expireBatch = 100                 // people in one transaction
	goneSecret  = "address-of-a-gone" // the key of the hashes that are kept of addresses
	expiresMost = 500                 // that are announced in one course
)

const day = 24 * time.Hour

// waits is for how long somebody is expected; 0: for ever.
func (s *Service) waits() time.Duration { return time.Duration(s.opts.PendingDays) * day }

// PendingDays is for how many days somebody is expected who was named; 0: for ever.
func (s *Service) PendingDays() int { return s.opts.PendingDays }

// warned is for how long before it is announced. Where people wait for a few days
// only, it is announced in the second half of them.
func (s *Service) warned() time.Duration { return min(warnedFor, s.waits()/2) }

// renewNamed lets those wait anew who were named again. What moves the end by next
// to nothing is not written, so that a list that comes each night costs nothing.
func (s *Service) renewNamed(ctx context.Context, w *work, ids []int64) error {
	if s.waits() == 0 {
		return nil
	}
	return w.tx.Renew(ctx, ids, w.now, w.now.Add(-s.waits()/20))
}

// expiresAt tells when each of some people expires; whoever does not is left out.
func (s *Service) expiresAt(ctx context.Context, tx *store.Tx, ids []int64) (map[int64]time.Time, error) {
	if s.waits() == 0 || len(ids) == 0 {
		return nil, nil
	}
	list, err := tx.WaitingSince(ctx, ids)
	for id, since := range list {
		list[id] = since.Add(s.waits())
	}
	return list, err
}

// ExpiringPerson is somebody of a course who has not arrived and expires soon.
type ExpiringPerson struct {
	Member    lms.Member
	ExpiresAt time.Time
}

// Expiring lists the people of a course who expire in the next fortnight, the first
// to expire first. A course with very many shows the first of them.
func (s *Service) Expiring(ctx context.Context, c access.Caller, courseID int64) ([]ExpiringPerson, error) {
	st, err := s.look(ctx, c, access.RosterView, courseID)
	if err != nil || s.waits() == 0 {
		return nil, err
	}
	tx := s.store.Reader()
	members, err := tx.ExpiringIn(ctx, courseID, s.now().Add(s.warned()-s.waits()), st.Within(c), c.UserID, expiresMost)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(members))
	for i := range members {
		ids[i] = members[i].User.ID
	}
	ends, err := s.expiresAt(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]ExpiringPerson, len(members))
	for i, m := range members {
		out[i] = ExpiringPerson{m, ends[m.User.ID]}
	}
	return out, nil
}

type renewedAudit struct {
	ExpiresAt time.Time `json:"expires_at"`
}

// Renew lets people of a course who have not arrived wait for the whole time anew, as
// naming them again does, and gives the ids of those it concerned. Whoever has arrived
// or is not in the course is left out.
func (s *Service) Renew(ctx context.Context, c access.Caller, courseID int64, ids []int64) ([]int64, error) {
	switch n := len(ids); {
	case n == 0:
		return nil, lms.Invalid("nobody-selected", "user_ids", "Nobody is selected. Mark the people that are meant first.")
	case n > MaxMany:
		return nil, lms.Errorf(lms.CodeTooLarge, "too-many-rows", "These are %d people: at most %d can be changed at once.", n, MaxMany)
	}
	return doOnce(ctx, s, c, access.UserRenew, courseID, nil, func(ctx context.Context, w *work) ([]int64, error) {
		members, err := w.tx.MembersByID(ctx, courseID, ids)
		if err != nil {
			return nil, err
		}
		renewed := []int64{}
		var entries []lms.AuditEntry
		for i := range members {
			m := &members[i]
			if !m.User.Pending() || (m.Enrollment == nil && m.Grant == nil) || !w.delegator().Reaches(m) {
				continue
			}
			e, err := w.entry(w.action, m.User.ID, nil, renewedAudit{w.now.Add(s.waits())})
			if err != nil {
				return nil, err
			}
			renewed, entries = append(renewed, m.User.ID), append(entries, e)
		}
		if len(renewed) == 0 {
			w.nothingChanged()
			return renewed, nil
		}
		if err := w.tx.Renew(ctx, renewed, w.now, w.now); err != nil {
			return nil, err
		}
		w.recorded = true
		return renewed, w.tx.AddAuditMany(ctx, entries[0], entries)
	})
}

// ExpirePending withdraws everybody who was named, has not come for the days of
// MATRICULA_PENDING_DAYS, and whom nobody has named or given anything in that time.
// It does so in batches, and several nodes may do it at once: whoever is being named,
// claimed or expired elsewhere at this moment is left for later.
func (s *Service) ExpirePending(ctx context.Context) (n int, err error) {
	if s.waits() == 0 {
		return 0, nil
	}
	var key []byte
	for after := int64(0); ; {
		due, err := s.store.Reader().PendingDue(ctx, s.now().Add(-s.waits()), after, expireBatch)
		if err != nil || len(due) == 0 {
			return n, err
		}
		after = due[len(due)-1]
		if key == nil {
			if key, err = s.addressKey(ctx); err != nil {
				return n, err
			}
		}
		lists, err := s.store.Reader().ChunksAbout(ctx, due)
		if err != nil {
			return n, err
		}
		gone, err := s.expire(ctx, key, due, lists)
		if err != nil {
			return n, err
		}
		n += gone
	}
}

func (s *Service) expire(ctx context.Context, key []byte, due []int64, lists []store.ChunkKey) (n int, err error) {
	err = s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		w := &work{tx: tx, caller: access.Caller{UserID: lms.SystemUserID}, action: access.UserExpire, now: s.now()}
		known, err := tx.PlacesOf(ctx, due)
		if err != nil {
			return err
		}
		if err := tx.LockCourses(ctx, coursesOf(known)); err != nil {
			return err
		}
		held, err := tx.HoldFree(ctx, due)
		if err != nil || len(held) == 0 {
			return err
		}
		// Who was given something meanwhile is not due any more, so that all places of
		// those who are lie in the courses that are locked.
		people, err := tx.StillDue(ctx, w.now.Add(-s.waits()), held)
		if err != nil || len(people) == 0 {
			return err
		}
		ids := make([]int64, len(people))
		for i := range people {
			ids[i] = people[i].ID
		}
		places, err := tx.PlacesOf(ctx, ids)
		if err != nil {
			return err
		}
		n = len(people)
		return w.endAll(ctx, key, people, places, true, lists)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// goneAudit is how the audit shows that somebody is gone: by a keyed hash of the
// address, by which it can be found by whoever knows it and by nobody else.
type goneAudit struct {
	AddressHash string `json:"address_hash"`
	Courses     int    `json:"courses,omitempty"`
}

// endAll ends all places of people who are held, and erases them. Each place is
// recorded in its course, and each person once beside.
func (w *work) endAll(ctx context.Context, key []byte, people []lms.User, places []store.PlaceOf, expired bool, lists []store.ChunkKey) error {
	in, courses := map[int64][]int64{}, map[int64]int{}
	for _, p := range places {
		in[p.CourseID] = append(in[p.CourseID], p.UserID)
		courses[p.UserID]++
	}
	for _, course := range coursesOf(places) {
		if err := w.endPlacesIn(ctx, course, in[course]); err != nil {
			return err
		}
	}
	gone := make([]store.Gone, len(people))
	entries := make([]lms.AuditEntry, len(people))
	w.courseID = 0
	for i, u := range people {
		gone[i] = store.Gone{UserID: u.ID, Hash: hashAddress(key, u.Email), Masked: u.Email.Masked()}
		var err error
		if entries[i], err = w.entry(w.action, u.ID, nil, goneAudit{gone[i].Hash, courses[u.ID]}); err != nil {
			return err
		}
	}
	if err := w.tx.ErasePending(ctx, gone, w.caller.UserID, expired, lists, w.now); err != nil {
		return err
	}
	w.recorded = true
	return w.tx.AddAuditMany(ctx, entries[0], entries)
}

func (w *work) endPlacesIn(ctx context.Context, course int64, ids []int64) error {
	members, err := w.tx.MembersByID(ctx, course, ids)
	if err != nil || len(members) == 0 {
		return err
	}
	w.courseID = course
	entries := make([]lms.AuditEntry, len(members))
	for i := range members {
		m := &members[i]
		before := removedAudit{grantAudit: grantView(m.Grant)}
		if m.Enrollment != nil {
			before.Role = m.Enrollment.Role.Key
		}
		if entries[i], err = w.entry(w.action, m.User.ID, before, nil); err != nil {
			return err
		}
	}
	if err := w.tx.RemoveMembers(ctx, course, ids, w.caller.UserID, w.now); err != nil {
		return err
	}
	return w.tx.AddAuditMany(ctx, entries[0], entries)
}

// addressKey is the key of the hashes of addresses, which all nodes share.
func (s *Service) addressKey(ctx context.Context) ([]byte, error) {
	return s.store.Secret(ctx, goneSecret)
}

func hashAddress(key []byte, e lms.Email) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(e))
	return hex.EncodeToString(mac.Sum(nil))
}

func (s *Service) forgetMasks(ctx context.Context) error {
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		return tx.ForgetMasks(ctx, s.now().Add(-maskedFor))
	})
}

// ExpiryNotice says that somebody is to be told of a person whom they have named, or
// to whom they have given something, and who expires soon.
type ExpiryNotice struct {
	GranterID int64 // an active person
	UserID    int64 // who has not arrived
	ExpiresAt time.Time
}

// ExpiryNotices lists who is to be told that somebody expires in the next fortnight,
// in the order of granters and after a notice; the zero notice begins. Whoever tells
// them keeps whom they have told.
func (s *Service) ExpiryNotices(ctx context.Context, after ExpiryNotice, limit int) ([]ExpiryNotice, error) {
	list, _, err := s.expiryNotices(ctx, after, limit)
	return list, err
}

// expiryNotices is ExpiryNotices with what it was read up to; the zero notice when there
// is no more. Whoever has come meanwhile is not in the list, which can be empty for that.
func (s *Service) expiryNotices(ctx context.Context, after ExpiryNotice, limit int) (out []ExpiryNotice, next ExpiryNotice, err error) {
	if s.waits() == 0 {
		return nil, next, nil
	}
	tx := s.store.Reader()
	pairs, err := tx.ToTell(ctx, s.now().Add(s.warned()-s.waits()), store.ToTell{GranterID: after.GranterID, UserID: after.UserID}, limit)
	if err != nil {
		return nil, next, err
	}
	ids := make([]int64, len(pairs))
	for i, p := range pairs {
		ids[i] = p.UserID
	}
	ends, err := s.expiresAt(ctx, tx, ids)
	if err != nil {
		return nil, next, err
	}
	for _, p := range pairs {
		if end, ok := ends[p.UserID]; ok { // else they have come meanwhile
			out = append(out, ExpiryNotice{p.GranterID, p.UserID, end})
		}
	}
	if len(pairs) == limit {
		next = ExpiryNotice{GranterID: pairs[limit-1].GranterID, UserID: pairs[limit-1].UserID}
	}
	return out, next, nil
}

// RenewPerson is Renew for administrators and somebody of any course or of none: they
// are named again.
func (s *Service) RenewPerson(ctx context.Context, c access.Caller, id int64) error {
	return s.do(ctx, c, access.UserName, 0, func(ctx context.Context, w *work) error {
		if err := w.tx.LockUser(ctx, id); err != nil {
			return err
		}
		u, ok, err := w.tx.User(ctx, id)
		if err != nil {
			return err
		}
		if !ok || u.Kind != lms.KindPerson {
			return errNoUser
		}
		if !u.Pending() || s.waits() == 0 {
			w.nothingChanged()
			return nil
		}
		if err := w.tx.Renew(ctx, []int64{id}, w.now, w.now); err != nil {
			return err
		}
		return w.record(ctx, id, nil, renewedAudit{w.now.Add(s.waits())})
	})
}
