package service

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/mail"
	"matricula/internal/store"
)

// How often whoever wants to is told of arrivals, and how many of them in one turn.
const (
	arrivalsEvery  = time.Hour
	watchersAtOnce = 100
)

// watchAudit is how the audit shows that somebody wants to be told of arrivals.
type watchAudit struct {
	MailArrivals bool `json:"mail_arrivals"`
}

// WatchesArrivals tells whether the caller is told by mail who arrives of those whom
// they named.
func (s *Service) WatchesArrivals(ctx context.Context, c access.Caller) (bool, error) {
	if err := access.Decide(c, access.AccountView, nil); err != nil {
		return false, err
	}
	return s.store.Reader().WatchesArrivals(ctx, c.UserID)
}

// WatchArrivals chooses whether the caller is told by mail, once an hour at most, who
// arrives of those whom they named.
func (s *Service) WatchArrivals(ctx context.Context, c access.Caller, on bool) error {
	return s.do(ctx, c, access.AccountUpdate, 0, func(ctx context.Context, w *work) error {
		was, err := w.tx.WatchesArrivals(ctx, c.UserID)
		if err != nil {
			return err
		}
		if was == on {
			w.nothingChanged()
			return nil
		}
		var from time.Time
		if on {
			from = w.now
		}
		if err := w.tx.WatchArrivals(ctx, c.UserID, from); err != nil {
			return err
		}
		return w.record(ctx, 0, watchAudit{was}, watchAudit{on})
	})
}

// TellArrivals tells whoever wants to know how many of those whom they named have
// arrived since they were told last. It counts then and not at the sign-ins, which are
// many at once when a term begins.
func (s *Service) TellArrivals(ctx context.Context) error {
	if !s.SendsMail() {
		return nil
	}
	for {
		list, err := s.store.Reader().WatchersToTell(ctx, s.now().Add(-arrivalsEvery), watchersAtOnce)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, one := range list {
			if err := s.tellArrivals(ctx, one); err != nil {
				return err
			}
		}
		s.mailQueued()
	}
}

func (s *Service) tellArrivals(ctx context.Context, one store.Watcher) error {
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		w := &work{tx: tx, caller: access.Caller{UserID: lms.SystemUserID}, now: s.now(), mails: true}
		n, ok, err := tx.TakeArrivals(ctx, one, w.now)
		if err != nil || !ok || n == 0 {
			return err
		}
		u, ok, err := tx.User(ctx, one.UserID)
		if err != nil || !ok {
			return err
		}
		return w.queue(ctx, lms.Mail{
			Kind: lms.MailArrived, UserID: u.ID, Address: u.Email, Language: u.Language, Event: fmt.Sprintf("arrived:%d:%d", u.ID, w.now.UnixNano()),
			Data: map[string]string{mail.DataPeople: strconv.FormatInt(n, 10)},
		})
	})
}
