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

// How often a node looks whom to tell that people expire, and how many pairs of them it
// reads at once.
const (
	expiringEvery  = time.Hour
	expiringAtOnce = 500
)

// weekOf is the Monday of the week in which a time falls, in the school's zone.
func (s *Service) weekOf(at time.Time) time.Time {
	at = at.In(s.opts.Zone)
	back := (int(at.Weekday()) + 6) % 7
	return time.Date(at.Year(), at.Month(), at.Day()-back, 0, 0, 0, 0, s.opts.Zone)
}

// TellExpiring tells by mail, a fortnight before, those who named people or gave them
// something that these expire: one mail to each of them about all who expire in a week.
// The week is the event, so that nobody is told twice of anybody's end: whoever is named
// again expires in another one.
func (s *Service) TellExpiring(ctx context.Context) error {
	if s.waits() == 0 || !s.SendsMail() {
		return nil
	}
	now := s.now()
	if last := s.toldExpiring.Load(); last != 0 && now.Sub(time.UnixMicro(last)) < expiringEvery {
		return nil
	}
	type digest struct {
		granter int64
		week    time.Time
	}
	told := map[digest]bool{}
	for after := (ExpiryNotice{}); ; {
		list, next, err := s.expiryNotices(ctx, after, expiringAtOnce)
		if err != nil {
			return err
		}
		for _, n := range list {
			d := digest{n.GranterID, s.weekOf(n.ExpiresAt)}
			if told[d] {
				continue
			}
			told[d] = true
			if err := s.tellExpiring(ctx, d.granter, d.week); err != nil {
				return err
			}
		}
		if next == (ExpiryNotice{}) {
			break
		}
		after = next
	}
	s.toldExpiring.Store(now.UnixMicro())
	if len(told) > 0 {
		s.mailQueued()
	}
	return nil
}

func (s *Service) tellExpiring(ctx context.Context, granter int64, week time.Time) error {
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		w := &work{tx: tx, caller: access.Caller{UserID: lms.SystemUserID}, now: s.now(), mails: true}
		u, ok, err := tx.User(ctx, granter)
		if err != nil || !ok {
			return err
		}
		day := week.Format(time.DateOnly)
		return w.queue(ctx, lms.Mail{
			Kind: lms.MailExpiring, UserID: u.ID, Address: u.Email, Language: u.Language, Event: fmt.Sprintf("expiring:%d:%s", u.ID, day),
			Data: map[string]string{mail.DataDay: day},
		})
	})
}

// aboutExpiring counts, just before the mail is sent, who expires in its week of those
// to whom its reader gave something. It is not wanted when they have all come.
func (s *Service) aboutExpiring(ctx context.Context, tx *store.Tx, m *lms.Mail) (wanted bool, err error) {
	u, ok, err := tx.User(ctx, m.UserID)
	if err != nil || !ok || u.Status != lms.StatusActive {
		return false, err
	}
	week, err := time.ParseInLocation(time.DateOnly, m.Data[mail.DataDay], s.opts.Zone)
	if err != nil {
		return false, nil
	}
	ends := week.AddDate(0, 0, 7)
	people := 0
	for after := (store.ToTell{GranterID: m.UserID}); ; {
		pairs, err := tx.ToTell(ctx, ends.Add(-s.waits()), after, expiringAtOnce)
		if err != nil {
			return false, err
		}
		var ids []int64
		for _, p := range pairs {
			if p.GranterID == m.UserID {
				ids = append(ids, p.UserID)
			}
		}
		expire, err := s.expiresAt(ctx, tx, ids)
		if err != nil {
			return false, err
		}
		for _, at := range expire {
			if !at.Before(week) && at.Before(ends) {
				people++
			}
		}
		if len(pairs) < expiringAtOnce || len(ids) < len(pairs) {
			break
		}
		after = pairs[len(pairs)-1]
	}
	m.Data[mail.DataPeople] = strconv.Itoa(people)
	return people > 0, nil
}
