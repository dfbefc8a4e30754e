package service

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// How webhooks are sent: a node holds a webhook, not its single deliveries, so that
// whatever one receiver does, it keeps nobody else's waiting for longer than one
// attempt, and nothing is sent twice at the same time.
const (
	webhookLease   = 2 * time.Minute
	webhookMargin  = 20 * time.Second // before the end of its lease a node begins nothing more: an attempt takes less
	webhooksAtOnce = 50
	failingFor     = 60 * time.Hour // then a webhook is paused: with the last attempt of what is given up after three days

	firstWebhookRetry   = 10 * time.Second
	longestWebhookRetry = 8 * time.Hour
	longestWebhookRest  = 5 * time.Minute
)

// webhookRetry is after how long a delivery is tried again: three times as long with
// each attempt. A part of it is chance, so that what failed together is not tried again
// together.
func webhookRetry(attempts int64) time.Duration {
	d := firstWebhookRetry
	for range min(attempts, 20) - 1 {
		if d *= 3; d >= longestWebhookRetry {
			d = longestWebhookRetry
			break
		}
	}
	return d - d/4 + rand.N(d/2)
}

// webhookRest is for how long all of a webhook rests after failures in a row, so that
// a receiver that is down is not asked once for every event.
func webhookRest(failures int64) time.Duration {
	d := time.Second
	for range min(failures, 20) - 1 {
		if d *= 2; d >= longestWebhookRest {
			return longestWebhookRest
		}
	}
	return d
}

// WorkOnWebhook sends what one webhook has to tell, and tells whether there was one. A
// node that dies, or stands still for longer than its lease, between sending and noting
// has that one delivery sent again, under the same id.
func (s *Service) WorkOnWebhook(ctx context.Context, node string) (worked bool, err error) {
	if s.opts.Webhooks == nil {
		return false, nil
	}
	id, due, err := s.store.Reader().WebhookWork(ctx, s.now())
	if err != nil || !due {
		return false, err
	}
	now := s.now()
	until := now.Add(webhookLease)
	var list []lms.WebhookDelivery
	err = s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if worked, err = tx.LeaseWebhook(ctx, id, node, now, until); err != nil || !worked {
			return err
		}
		list, err = tx.DueDeliveries(ctx, id, now, webhooksAtOnce)
		return err
	})
	if err != nil || !worked {
		return err == nil, err // another one was quicker, and there may be more
	}
	defer func() { err = errors.Join(err, s.giveBackWebhook(ctx, id, node)) }()
	for _, d := range list {
		if ctx.Err() != nil || s.now().After(until.Add(-webhookMargin)) {
			return true, nil
		}
		more, err := s.deliver(ctx, id, d.ID)
		if err != nil || !more {
			return true, err
		}
	}
	return true, nil
}

func (s *Service) giveBackWebhook(ctx context.Context, id int64, node string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return tx.GiveBackWebhook(ctx, id, node, s.now()) })
}

// deliver makes one attempt, and tells whether the webhook can go on. All that it
// needs it reads just before, so that it counts what is so then.
func (s *Service) deliver(ctx context.Context, id, delivery int64) (more bool, err error) {
	h, ok, err := s.store.Reader().Webhook(ctx, id)
	if err != nil || !ok || !h.Enabled {
		return false, err
	}
	d, ok, err := s.store.Reader().Delivery(ctx, delivery)
	if err != nil || !ok || d.State != lms.DeliveryQueued {
		return true, err
	}
	may, err := s.ownerMaySee(ctx, h)
	if err != nil {
		return false, err
	}
	if !may {
		return false, s.pauseWebhook(ctx, h, lms.PauseOwner)
	}
	header, body, err := s.signed(ctx, h, d)
	if err != nil {
		return false, err
	}
	begun := s.now()
	status, fault := s.opts.Webhooks.Post(ctx, h.URL, header, body)
	if ctx.Err() != nil && fault != lms.FaultNone {
		return false, nil // the node is about to stop, and nobody knows what became of it: another one sends it again
	}
	d.Status, d.Fault, d.TriedAt, d.Took = int64(status), fault, begun, s.now().Sub(begun)
	return s.noteDelivery(ctx, h, d)
}

// ownerMaySee tells whether whoever owns a webhook may see now what it tells.
func (s *Service) ownerMaySee(ctx context.Context, h lms.Webhook) (bool, error) {
	u, ok, err := s.store.Reader().User(ctx, h.OwnerID)
	if err != nil || !ok || u.Status != lms.StatusActive {
		return false, err
	}
	c := access.Caller{UserID: u.ID, Kind: u.Kind, SiteRole: u.SiteRole, RequestID: "webhook"}
	err = s.lookAtWebhooks(ctx, c, h.CourseID)
	if code := lms.CodeOf(err); code == lms.CodeForbidden || code == lms.CodeNotFound || code == lms.CodeUnauthenticated {
		return false, nil
	}
	return err == nil, err
}

// signed is what is sent: the headers of the Standard Webhooks specification, and the
// body.
func (s *Service) signed(ctx context.Context, h lms.Webhook, d lms.WebhookDelivery) (map[string]string, []byte, error) {
	body, err := d.Body()
	if err != nil {
		return nil, nil, err
	}
	site, err := s.webhookSite(ctx)
	if err != nil {
		return nil, nil, err
	}
	now := s.now()
	keys := [][]byte{lms.WebhookKey(site, h.Salt)}
	if h.OldUntil.After(now) {
		keys = append(keys, lms.WebhookKey(site, h.OldSalt))
	}
	return map[string]string{
		"Content-Type": "application/json", "User-Agent": "Matricula-Webhooks",
		"webhook-id": d.EventID, "webhook-timestamp": strconv.FormatInt(now.Unix(), 10), "webhook-signature": lms.SignWebhook(d.EventID, now, body, keys...),
	}, body, nil
}

// webhookSite is the key of the site's from which secrets are derived. It never
// changes, so that it is read once.
func (s *Service) webhookSite(ctx context.Context) ([]byte, error) {
	if key := s.webhookKey.Load(); key != nil {
		return *key, nil
	}
	key, err := s.store.Secret(ctx, webhookSecret)
	if err == nil {
		s.webhookKey.Store(&key)
	}
	return key, err
}

// noteDelivery notes what became of an attempt, on the delivery and on the webhook, and
// tells whether it can go on. It does so also when the node is about to stop: the
// receiver has it.
func (s *Service) noteDelivery(ctx context.Context, h lms.Webhook, d lms.WebhookDelivery) (more bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	now := s.now()
	pause := lms.PauseNone
	switch {
	case d.Fault == lms.FaultNone:
		d.State = lms.DeliveryDelivered
	case d.Status == 410:
		d.State, pause = lms.DeliveryFailed, lms.PauseGone
	default:
		if d.NextAt = now.Add(webhookRetry(d.Attempts + 1)); d.NextAt.After(d.GiveUpAt) {
			d.State = lms.DeliveryFailed
		}
	}
	err = s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.Tried(ctx, d); err != nil {
			return err
		}
		is, ok, err := tx.LockWebhook(ctx, h.ID)
		if err != nil || !ok || !is.Enabled {
			return err
		}
		if d.Fault == lms.FaultNone {
			if is.Failures == 0 {
				return nil
			}
			is.Failures, is.FailingSince = 0, time.Time{}
			return tx.UpdateWebhook(ctx, is)
		}
		is.Failures++
		is.NextAt = now.Add(webhookRest(is.Failures))
		if is.FailingSince.IsZero() {
			is.FailingSince = now
		}
		if now.Sub(is.FailingSince) >= failingFor {
			pause = lms.PauseFailing
		}
		return tx.UpdateWebhook(ctx, is)
	})
	if err != nil || pause == lms.PauseNone {
		return err == nil && d.Fault == lms.FaultNone, err
	}
	return false, s.pauseWebhook(ctx, h, pause)
}

// pauseWebhook switches a webhook off and says why. What it had still to tell is
// canceled when nobody may see it, and else given up, so that it stays in sight. It is
// recorded as something that happened to its owner.
func (s *Service) pauseWebhook(ctx context.Context, h lms.Webhook, why lms.WebhookPause) error {
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		w := &work{tx: tx, caller: access.Caller{UserID: lms.SystemUserID, RequestID: "webhook"}, action: access.WebhookPause, courseID: h.CourseID, now: s.now()}
		is, ok, err := tx.LockWebhook(ctx, h.ID)
		if err != nil || !ok || !is.Enabled || is.OwnerID != h.OwnerID || is.URL != h.URL {
			return err // somebody has seen to it meanwhile
		}
		before := webhookView(is)
		is.Enabled, is.Paused = false, why
		if err := tx.UpdateWebhook(ctx, is); err != nil {
			return err
		}
		left := lms.DeliveryFailed
		if why == lms.PauseOwner {
			left = lms.DeliveryCanceled
		}
		if err := tx.EndQueued(ctx, h.ID, left); err != nil {
			return err
		}
		return w.record(ctx, is.OwnerID, before, webhookView(is))
	})
}
