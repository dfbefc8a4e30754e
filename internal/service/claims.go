package service

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/mail"
	"matricula/internal/store"
)

// How long a request for an address can be decided, how many somebody can make in a
// day, how many mails about such requests go to one address in a day, and how long a
// request is kept beyond its time.
const (
	claimLife      = 14 * day
	claimsADay     = 5
	claimMailsADay = 3
	keptClaims     = 90 * day
	claimsAtOnce   = 100
)

// ClaimAsked is a request for an address as whoever made it may know it. It says
// nothing that depends on whether anybody is known by the address (H-02).
type ClaimAsked struct {
	ID        int64
	Address   string // masked
	Answer    lms.ClaimAnswer
	Reason    string // of a refusal; may be empty
	AskedAt   time.Time
	ExpiresAt time.Time
}

func askedOf(q *lms.ClaimRequest, now time.Time) ClaimAsked {
	a := ClaimAsked{ID: q.ID, Address: q.Masked, Answer: q.Answer(now), AskedAt: q.AskedAt, ExpiresAt: q.ExpiresAt}
	if a.Answer == lms.AnswerRefused {
		a.Reason = q.Why()
	}
	return a
}

// claimAudit is how the audit shows a request for an address.
type claimAudit struct {
	Request int64  `json:"request"`
	Address string `json:"address,omitempty"` // masked
	Kept    int64  `json:"kept,omitempty"`
	Merged  int64  `json:"merged,omitempty"`
	Role    string `json:"role,omitempty"`
	*grantAudit
}

// AskClaim notes that the caller says that what waits for an address is theirs,
// although they have signed in with another account. Those who gave it decide. Whether
// anything waits is neither looked at nor told, and asking again changes nothing.
func (s *Service) AskClaim(ctx context.Context, c access.Caller, typed string) (ClaimAsked, error) {
	if c.Anonymous() {
		return ClaimAsked{}, access.ErrAnonymous
	}
	key, err := s.addressKey(ctx)
	if err != nil {
		return ClaimAsked{}, err
	}
	return doOnce(ctx, s, c, access.ClaimAsk, 0, nil, func(ctx context.Context, w *work) (ClaimAsked, error) {
		address, err := lms.ParseEmail(typed)
		if err != nil {
			return ClaimAsked{}, at(err, "email")
		}
		if w.caller.Kind == lms.KindService {
			return ClaimAsked{}, lms.Errorf(lms.CodeConflict, "no-person", "A service account is nobody, and nothing waits for it.")
		}
		own, err := w.tx.Addresses(ctx, c.UserID)
		if err != nil {
			return ClaimAsked{}, err
		}
		if slices.ContainsFunc(own, func(a store.Address) bool { return a.Email == address }) {
			return ClaimAsked{}, lms.Errorf(lms.CodeConflict, "address-yours", "This address is yours already.")
		}
		if err := w.tx.LockUser(ctx, c.UserID); err != nil { // so that requests are counted one after another
			return ClaimAsked{}, err
		}
		if q, asked, err := w.tx.AskedClaim(ctx, c.UserID, hashAddress(key, address), w.now); err != nil || asked {
			w.nothingChanged()
			return askedOf(&q, w.now), err
		}
		n, err := w.tx.ClaimsSince(ctx, c.UserID, w.now.Add(-day))
		if err != nil {
			return ClaimAsked{}, err
		}
		if n >= claimsADay {
			return ClaimAsked{}, lms.Errorf(lms.CodeTooMany, "too-many-claims", "You have asked for %d addresses within a day, which is as many as one person can. Ask your teacher in person, or go on tomorrow.", n)
		}
		id, err := w.tx.AskClaim(ctx, c.UserID, address, hashAddress(key, address), w.now, w.now.Add(claimLife))
		if err != nil {
			return ClaimAsked{}, err
		}
		q, _, err := w.tx.ClaimRequest(ctx, id)
		if err != nil {
			return ClaimAsked{}, err
		}
		return askedOf(&q, w.now), w.record(ctx, 0, nil, claimAudit{Request: id, Address: address.Masked()})
	})
}

var errNoClaim = lms.NotFound("request")

// WithdrawClaim takes one of the caller's own requests back.
func (s *Service) WithdrawClaim(ctx context.Context, c access.Caller, id int64) error {
	return s.do(ctx, c, access.ClaimRecall, 0, func(ctx context.Context, w *work) error {
		if err := w.tx.LockClaim(ctx, id); err != nil {
			return err
		}
		q, ok, err := w.tx.ClaimRequest(ctx, id)
		if err != nil {
			return err
		}
		if !ok || q.Requester.ID != c.UserID || q.Answer(w.now) != lms.AnswerWaiting {
			return errNoClaim
		}
		if err := w.tx.EndClaim(ctx, id, lms.ClaimWithdrawn, c.UserID, "", w.now); err != nil {
			return err
		}
		return w.record(ctx, 0, nil, claimAudit{Request: id, Address: q.Masked})
	})
}

// ClaimsAskedPage is a page of the caller's own requests, the newest first.
type ClaimsAskedPage struct {
	Requests []ClaimAsked
	Next     int64 // 0 when there are no more
}

// ClaimsAsked lists the caller's own requests.
func (s *Service) ClaimsAsked(ctx context.Context, c access.Caller, before int64, limit int) (ClaimsAskedPage, error) {
	if err := access.Decide(c, access.AccountView, nil); err != nil {
		return ClaimsAskedPage{}, err
	}
	if before == 0 {
		before = maxID
	}
	list, err := s.store.Reader().ClaimsOf(ctx, c.UserID, before, limit+1)
	if err != nil {
		return ClaimsAskedPage{}, err
	}
	rows, more := page(list, limit)
	out := ClaimsAskedPage{}
	for i := range rows {
		out.Requests = append(out.Requests, askedOf(&rows[i], s.now()))
	}
	if more {
		out.Next = rows[len(rows)-1].ID
	}
	return out, nil
}

// TellClaims finds those who were named with an address after it was asked for, and
// tells whoever reads an address that somebody else says it is theirs, so that they can
// object. It is done in the background: a request takes no longer, and no other path,
// for an address that is known.
func (s *Service) TellClaims(ctx context.Context) error {
	if err := s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return tx.BindClaims(ctx, s.now()) }); err != nil {
		return err
	}
	if !s.SendsMail() {
		return nil
	}
	for after := int64(0); ; {
		list, err := s.store.Reader().ClaimsToTell(ctx, s.now(), after, claimsAtOnce)
		if err != nil || len(list) == 0 {
			return err
		}
		for i := range list {
			after = list[i].ID
			if err := s.tellClaim(ctx, &list[i]); err != nil {
				return err
			}
		}
		s.mailQueued()
	}
}

func (s *Service) tellClaim(ctx context.Context, q *lms.ClaimRequest) error {
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		w := &work{tx: tx, caller: access.Caller{UserID: lms.SystemUserID}, now: s.now(), mails: true}
		n, err := tx.ClaimMails(ctx, q.Address, w.now.Add(-day))
		if err != nil || n >= claimMailsADay {
			return err
		}
		notices, err := tx.NoticeStates(ctx, []int64{q.Waits.ID})
		if err != nil || !notices[q.Waits.ID].Objected.IsZero() {
			return err // whoever reads it wants no mail from here
		}
		secret := rand.Text()
		told, err := tx.TellClaim(ctx, q.ID, hashSecret(secret), w.now)
		if err != nil || !told {
			return err
		}
		return w.queue(ctx, lms.Mail{
			Kind: lms.MailClaimAsked, UserID: q.Waits.ID, Address: q.Address, Language: q.Waits.Language, Event: fmt.Sprintf("claim:%d", q.ID),
			Data: map[string]string{mail.DataCode: secret, mail.DataWhoIs: q.Requester.Email.Masked(), mail.DataRequest: fmt.Sprint(q.ID)},
		})
	})
}

// objectClaim notes that whoever reads an address has not asked for what waits for it.
// The request falls; whoever made it is not told why.
func (w *work) objectClaim(ctx context.Context, hash []byte) (found bool, err error) {
	q, ok, err := w.tx.ClaimByAnswer(ctx, hash)
	if err != nil || !ok {
		return false, err
	}
	done, err := w.tx.ObjectClaim(ctx, q.ID, w.now)
	if err != nil || !done {
		return true, err
	}
	w.action = access.ClaimObject
	return true, w.record(ctx, q.Waits.ID, nil, claimAudit{Request: q.ID, Address: q.Masked})
}

func (s *Service) expireClaims(ctx context.Context) error {
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		now := s.now()
		return tx.ExpireClaims(ctx, now, now.Add(-keptClaims))
	})
}
