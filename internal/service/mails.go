package service

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"matricula/internal/access"
	"matricula/internal/lang"
	"matricula/internal/lms"
	"matricula/internal/mail"
	"matricula/internal/store"
)

// MailOptions is how mail is sent.
type MailOptions struct {
	Sender mail.Sender
	Site   mail.Site
}

// How mail is sent: so many in one conversation, within the time for which a node
// holds them; a mail that is not taken is tried again after longer and longer waits,
// and given up after two days.
const (
	mailsAtOnce   = 20
	mailLease     = 5 * time.Minute
	firstRetry    = time.Minute
	longestRetry  = 2 * time.Hour
	giveMailUp    = 48 * time.Hour
	keepMailNotes = 90 * 24 * time.Hour // what became of a mail
)

// SendsMail tells whether mail can be sent at all.
func (s *Service) SendsMail() bool { return s.opts.Mail != nil }

// MailWoken tells when a mail was queued on this node.
func (s *Service) MailWoken() <-chan struct{} { return s.wakeMail }

// mailQueued has the mails of a transaction that is committed sent soon.
func (s *Service) mailQueued() {
	select {
	case s.wakeMail <- struct{}{}:
	default:
	}
}

// queue adds a mail, unless its event was told before, or no mail is sent here.
func (w *work) queue(ctx context.Context, m lms.Mail) error {
	if !w.mails {
		return nil
	}
	m.CreatedBy, m.CreatedAt = w.caller.UserID, w.now
	if m.CreatedBy == 0 {
		m.CreatedBy = lms.SystemUserID
	}
	if m.NextAt.IsZero() {
		m.NextAt = w.now
	}
	_, err := w.tx.AddMail(ctx, m)
	return err
}

// WorkOnMail sends some of the mails that are due, and tells whether there were any.
// Nodes share the work by leases in the database. A node that dies, or that stands
// still for longer than its lease, between sending a mail and noting that it did has
// that one mail sent again, with the same Message-ID.
func (s *Service) WorkOnMail(ctx context.Context, node string) (worked bool, err error) {
	if s.opts.Mail == nil {
		return false, nil
	}
	due, err := s.store.Reader().MailIsDue(ctx, s.now())
	if err != nil || !due {
		return false, err
	}
	var list []lms.Mail
	err = s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		now := s.now()
		list, err = tx.LeaseMails(ctx, node, now, now.Add(mailLease), mailsAtOnce)
		return err
	})
	if err != nil || len(list) == 0 {
		return false, err
	}
	defer func() { err = errors.Join(err, s.returnMails(ctx, node)) }()
	session, err := s.opts.Mail.Sender.Open(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = session.Close() }() // whatever was taken is noted already
	for _, m := range list {
		if ctx.Err() != nil {
			return true, nil
		}
		if err := s.sendOne(ctx, session, node, m.ID); err != nil {
			return true, err
		}
	}
	return true, nil
}

// returnMails gives back what was not tried, also when the node is about to stop.
func (s *Service) returnMails(ctx context.Context, node string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return tx.ReturnMails(ctx, node, s.now()) })
}

// sendOne sends a mail that the node holds and notes what became of it. The error is
// of the conversation with the server, which is over then.
func (s *Service) sendOne(ctx context.Context, session mail.Session, node string, id int64) error {
	var m lms.Mail
	var ok bool
	err := s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if m, ok, err = tx.HoldMail(ctx, id, node, s.now()); err != nil || !ok {
			return err
		}
		wanted, err := s.stillWanted(ctx, tx, &m)
		if err != nil || wanted {
			return err
		}
		ok = false
		return tx.EndMail(ctx, id, lms.MailCanceled, "", s.now())
	})
	if err != nil || !ok {
		return err
	}
	message, err := mail.Compose(m, lang.Pick("", m.Language), s.opts.Mail.Site)
	if err != nil {
		return err
	}
	sent := session.Send(ctx, message)
	// It is noted also when the node is about to stop: the mail is out of the house.
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err = s.store.Write(noting, func(ctx context.Context, tx *store.Tx) error { return s.noteMail(ctx, tx, m, sent) })
	var f *mail.Fault
	if sent != nil && !errors.As(sent, &f) {
		return errors.Join(sent, err)
	}
	return err
}

func (s *Service) noteMail(ctx context.Context, tx *store.Tx, m lms.Mail, sent error) error {
	now := s.now()
	var f *mail.Fault
	switch {
	case sent == nil:
		return tx.EndMail(ctx, m.ID, lms.MailSent, "", now)
	case errors.As(sent, &f) && f.Permanent:
		return tx.EndMail(ctx, m.ID, lms.MailBounced, f.Text, now)
	case now.Sub(m.CreatedAt) >= giveMailUp:
		return tx.EndMail(ctx, m.ID, lms.MailFailed, faultText(sent), now)
	}
	return tx.RetryMail(ctx, m.ID, now.Add(retryAfter(m.Attempts)), faultText(sent))
}

func faultText(err error) string {
	var f *mail.Fault
	if errors.As(err, &f) {
		return f.Text
	}
	return "the conversation with the mail server broke off"
}

// retryAfter doubles with each attempt. A part of it is chance, so that what failed
// together is not tried again together.
func retryAfter(attempts int) time.Duration {
	d := firstRetry
	for range min(attempts, 30) - 1 {
		if d *= 2; d >= longestRetry {
			d = longestRetry
			break
		}
	}
	return d/2 + rand.N(d/2)
}

// stillWanted tells whether there is still a reason for a mail, just before it is
// sent, and completes what it says.
func (s *Service) stillWanted(ctx context.Context, tx *store.Tx, m *lms.Mail) (bool, error) {
	switch m.Kind {
	case lms.MailNamed:
		return s.aboutNotice(ctx, tx, m)
	case lms.MailSignInCode, lms.MailAddressCode:
		return s.now().Sub(m.CreatedAt) < codeLife, nil
	case lms.MailExpiring:
		return s.aboutExpiring(ctx, tx, m)
	case lms.MailClaimAsked:
		id, err := strconv.ParseInt(m.Data[mail.DataRequest], 10, 64)
		if err != nil {
			return false, nil
		}
		q, ok, err := tx.ClaimRequest(ctx, id)
		return ok && q.Live(s.now()) && q.Address == m.Address, err
	case lms.MailMerged, lms.MailAddressChanged, lms.MailAddressHeld, lms.MailArrived:
		u, ok, err := tx.User(ctx, m.UserID)
		return ok && u.Status != lms.StatusErased, err
	}
	return true, nil
}

// MailsPage is a page of mails, newest first, with how many there are of each state.
type MailsPage struct {
	Mails  []lms.Mail
	Counts map[lms.MailState]int64
	Next   int64 // 0 when there are no more
}

// Mails lists what was sent, or is to be, to administrators.
func (s *Service) Mails(ctx context.Context, c access.Caller, state lms.MailState, before int64, limit int) (MailsPage, error) {
	if err := access.Decide(c, access.MailView, nil); err != nil {
		return MailsPage{}, err
	}
	if before == 0 {
		before = maxID
	}
	list, err := s.store.Reader().Mails(ctx, state, before, limit+1)
	if err != nil {
		return MailsPage{}, err
	}
	mails, more := page(list, limit)
	p := MailsPage{Mails: mails}
	if more {
		p.Next = mails[len(mails)-1].ID
	}
	p.Counts, err = s.store.Reader().MailCounts(ctx)
	return p, err
}
