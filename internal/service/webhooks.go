package service

import (
	"context"
	"crypto/rand"
	"net/url"
	"slices"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// WebhookOptions is how webhooks are sent.
type WebhookOptions struct {
	Check func(address string) (string, error) // whether an address may be called, and how it is stored
	Post  func(ctx context.Context, address string, header map[string]string, body []byte) (status int, fault lms.WebhookFault)
}

// webhookSecret is the name of the key from which the secrets of webhooks are derived.
const webhookSecret = "webhooks"

// secretOverlap is for how long the secret before signs too.
const secretOverlap = 24 * time.Hour

var (
	errNoWebhook  = lms.NotFound("webhook")
	errNoDelivery = lms.NotFound("delivery")
	errNoWebhooks = lms.Errorf(lms.CodeConflict, "webhooks-off", "This server sends no webhooks.")
)

// WebhookFields is what people write about a webhook.
type WebhookFields struct {
	URL         string
	Description string
	Events      []string
}

// MadeWebhook is a webhook with its secret, which nobody is shown again.
type MadeWebhook struct {
	Webhook lms.Webhook
	Secret  string
}

// webhookAudit is how the audit shows a webhook. The rest of its address can hold a
// secret, so that the host alone is shown.
type webhookAudit struct {
	Webhook int64              `json:"webhook"`
	Host    string             `json:"host"`
	Events  []lms.WebhookEvent `json:"events,omitempty"`
	Enabled bool               `json:"enabled"`
	Paused  lms.WebhookPause   `json:"paused,omitempty"`
	Moved   bool               `json:"address_changed,omitempty"`
	Secret  bool               `json:"secret_renewed,omitempty"`
}

func webhookView(h lms.Webhook) webhookAudit {
	v := webhookAudit{Webhook: h.ID, Events: h.Events, Enabled: h.Enabled, Paused: h.Paused}
	if u, err := url.Parse(h.URL); err == nil {
		v.Host = u.Host
	}
	return v
}

// webhookAction is an action on the webhooks of a course, or of the site when there is
// none.
func webhookAction(a access.Action, course int64) access.Action {
	if course != 0 {
		return a
	}
	return "site-" + a
}

func (s *Service) cleanWebhook(f WebhookFields) (h lms.Webhook, err error) {
	if s.opts.Webhooks == nil {
		return h, errNoWebhooks
	}
	if h.URL, err = s.opts.Webhooks.Check(f.URL); err != nil {
		return h, err
	}
	if h.Description, err = lms.CleanText(f.Description, "description", lms.MaxWebhookRunes); err != nil {
		return h, err
	}
	h.Events, err = lms.ParseWebhookEvents(f.Events, "events")
	return h, err
}

// Webhooks lists those of a course, or of the site when course is 0.
func (s *Service) Webhooks(ctx context.Context, c access.Caller, course int64) ([]lms.Webhook, error) {
	if err := s.lookAtWebhooks(ctx, c, course); err != nil {
		return nil, err
	}
	return s.store.Reader().Webhooks(ctx, course)
}

func (s *Service) lookAtWebhooks(ctx context.Context, c access.Caller, course int64) error {
	if course == 0 {
		return access.Decide(c, access.SiteWebhookView, nil)
	}
	st, err := s.look(ctx, c, access.WebhookView, course)
	if err != nil {
		return err
	}
	return wholeCourseOf(c, st)
}

// wholeCourseOf refuses whoever works in single sections: a webhook tells of everybody
// in the course.
func wholeCourseOf(c access.Caller, st *access.Standing) error {
	if st.Within(c) == "" {
		return nil
	}
	return lms.Errorf(lms.CodeForbidden, "outside-sections", "A webhook tells of everybody in the course, and you work in single sections of it. Ask one of its owners.")
}

// Webhook reads one. Whoever may not see it is not told whether there is one.
func (s *Service) Webhook(ctx context.Context, c access.Caller, id int64) (lms.Webhook, error) {
	h, ok, err := s.store.Reader().Webhook(ctx, id)
	if err != nil {
		return h, err
	}
	if err := s.lookAtWebhooks(ctx, c, h.CourseID); err != nil {
		return lms.Webhook{}, hideWebhook(err)
	}
	if !ok {
		return h, errNoWebhook
	}
	return h, nil
}

// hideWebhook makes of a refusal that depends on whose webhook it is what is said where
// there is none.
func hideWebhook(err error) error {
	switch lms.TypeOf(err) {
	case "forbidden", "not-found", "outside-sections":
		return errNoWebhook
	}
	return err
}

// newSalt makes what makes the secret of a webhook one of its own.
func newSalt() []byte {
	salt := make([]byte, 32)
	rand.Read(salt) // never fails, see its documentation
	return salt
}

// CreateWebhook makes a webhook of a course, or of the site when course is 0. It tells
// what the caller may see, as long as they may.
func (s *Service) CreateWebhook(ctx context.Context, c access.Caller, course int64, f WebhookFields, once *Once) (MadeWebhook, error) {
	h, cleanErr := s.cleanWebhook(f)
	site, err := s.webhookSite(ctx)
	if err != nil {
		return MadeWebhook{}, err
	}
	made, err := doOnce(ctx, s, c, webhookAction(access.WebhookCreate, course), course, once, func(ctx context.Context, w *work) (lms.Webhook, error) {
		if cleanErr != nil {
			return h, cleanErr
		}
		most := lms.MaxWebhooksOfSite
		if w.standing != nil {
			most = lms.MaxWebhooksOfCourse
			if err := wholeCourseOf(w.caller, w.standing); err != nil {
				return h, err
			}
		}
		list, err := w.tx.Webhooks(ctx, course)
		if err != nil {
			return h, err
		}
		if len(list) >= most {
			return h, lms.Errorf(lms.CodeConflict, "too-many-webhooks", "There are %d webhooks here, and more cannot be made. Delete one that is no longer needed.", most)
		}
		h := h
		h.CourseID, h.OwnerID, h.Enabled, h.Salt, h.CreatedAt, h.NextAt = course, w.caller.UserID, true, newSalt(), w.now, w.now
		if h.ID, err = w.tx.AddWebhook(ctx, h); err != nil {
			return h, err
		}
		return h, w.record(ctx, 0, nil, webhookView(h))
	})
	if err != nil {
		return MadeWebhook{}, err
	}
	return MadeWebhook{made, lms.WebhookSecret(lms.WebhookKey(site, made.Salt))}, nil
}

// WebhookPatch changes what is not nil.
type WebhookPatch struct {
	URL         *string
	Description *string
	Events      *[]string
	Enabled     *bool
}

// onWebhook is the gate of every change of a webhook. Whoever may not see it is not
// told whether there is one; the refusal is recorded in its course.
func onWebhook[T any](ctx context.Context, s *Service, c access.Caller, a access.Action, id int64, fn func(context.Context, *work, *lms.Webhook) (T, error)) (T, error) {
	h, _, err := s.store.Reader().Webhook(ctx, id)
	if err != nil {
		var zero T
		return zero, err
	}
	out, err := doOnce(ctx, s, c, webhookAction(a, h.CourseID), h.CourseID, nil, func(ctx context.Context, w *work) (T, error) {
		var zero T
		if w.standing != nil {
			if err := wholeCourseOf(w.caller, w.standing); err != nil {
				return zero, err
			}
		}
		h, ok, err := w.tx.LockWebhook(ctx, id)
		if err == nil && !ok {
			err = errNoWebhook
		}
		if err != nil {
			return zero, err
		}
		return fn(ctx, w, &h)
	})
	if err != nil {
		return out, hideWebhook(err)
	}
	return out, nil
}

// UpdateWebhook changes a webhook, which tells what the caller may see from then on.
// Switching it on again lets it begin anew; switching it off cancels what it had still
// to tell.
func (s *Service) UpdateWebhook(ctx context.Context, c access.Caller, id int64, p WebhookPatch) (lms.Webhook, error) {
	return onWebhook(ctx, s, c, access.WebhookUpdate, id, func(ctx context.Context, w *work, h *lms.Webhook) (lms.Webhook, error) {
		before := *h
		f := WebhookFields{URL: h.URL, Description: h.Description}
		for _, e := range h.Events {
			f.Events = append(f.Events, string(e))
		}
		set(&f.URL, p.URL)
		set(&f.Description, p.Description)
		set(&f.Events, p.Events)
		if p.URL != nil || p.Description != nil || p.Events != nil { // one that cannot be called any more can still be switched off
			clean, err := s.cleanWebhook(f)
			if err != nil {
				return *h, err
			}
			h.URL, h.Description, h.Events = clean.URL, clean.Description, clean.Events
		}
		set(&h.Enabled, p.Enabled)
		h.OwnerID = w.caller.UserID
		if h.Enabled && !before.Enabled {
			h.Paused, h.Failures, h.FailingSince, h.NextAt = lms.PauseNone, 0, time.Time{}, w.now
		}
		if same := h.URL == before.URL && h.Description == before.Description && slices.Equal(h.Events, before.Events); same && h.Enabled == before.Enabled && h.OwnerID == before.OwnerID {
			w.nothingChanged()
			return *h, nil
		}
		if err := w.tx.UpdateWebhook(ctx, *h); err != nil {
			return *h, err
		}
		if before.Enabled && !h.Enabled {
			if err := w.tx.EndQueued(ctx, id, lms.DeliveryCanceled); err != nil {
				return *h, err
			}
		}
		after := webhookView(*h)
		after.Moved = before.URL != h.URL
		return *h, w.record(ctx, 0, webhookView(before), after)
	})
}

// RenewWebhookSecret gives a webhook another secret. Both sign for a day, so that its
// receiver can change over without missing anything.
func (s *Service) RenewWebhookSecret(ctx context.Context, c access.Caller, id int64) (MadeWebhook, error) {
	site, err := s.webhookSite(ctx)
	if err != nil {
		return MadeWebhook{}, err
	}
	return onWebhook(ctx, s, c, access.WebhookUpdate, id, func(ctx context.Context, w *work, h *lms.Webhook) (MadeWebhook, error) {
		before := webhookView(*h)
		h.OldSalt, h.OldUntil, h.Salt, h.OwnerID = h.Salt, w.now.Add(secretOverlap), newSalt(), w.caller.UserID
		if err := w.tx.UpdateWebhook(ctx, *h); err != nil {
			return MadeWebhook{}, err
		}
		after := webhookView(*h)
		after.Secret = true
		return MadeWebhook{*h, lms.WebhookSecret(lms.WebhookKey(site, h.Salt))}, w.record(ctx, 0, before, after)
	})
}

// DeleteWebhook removes a webhook with its log.
func (s *Service) DeleteWebhook(ctx context.Context, c access.Caller, id int64) error {
	_, err := onWebhook(ctx, s, c, access.WebhookDelete, id, func(ctx context.Context, w *work, h *lms.Webhook) (struct{}, error) {
		if err := w.tx.DeleteWebhook(ctx, id); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, w.record(ctx, 0, webhookView(*h), nil)
	})
	return err
}

// sentAudit is how the audit shows that something is sent because somebody asked.
type sentAudit struct {
	Webhook int64            `json:"webhook"`
	Event   lms.WebhookEvent `json:"event"`
}

// sendSoon lets a webhook that rests after a failure go on now.
func (w *work) sendSoon(ctx context.Context, h *lms.Webhook) error {
	if !h.Enabled {
		return lms.Errorf(lms.CodeConflict, "webhook-off", "This webhook is switched off. Switch it on first.")
	}
	h.NextAt = w.now
	return w.tx.UpdateWebhook(ctx, *h)
}

// TestWebhook sends an event that means nothing, so that its owner sees whether it
// arrives.
func (s *Service) TestWebhook(ctx context.Context, c access.Caller, id int64) (lms.WebhookDelivery, error) {
	return onWebhook(ctx, s, c, access.WebhookSend, id, func(ctx context.Context, w *work, h *lms.Webhook) (d lms.WebhookDelivery, err error) {
		if err := w.sendSoon(ctx, h); err != nil {
			return d, err
		}
		d = lms.WebhookDelivery{
			WebhookID: id, EventID: "evt_" + rand.Text(), Event: lms.EventTest, UserID: lms.SystemUserID, CourseID: h.CourseID, State: lms.DeliveryQueued,
			CreatedAt: w.now, NextAt: w.now,
		}
		if d.ID, err = w.tx.AddDelivery(ctx, d); err != nil {
			return d, err
		}
		return d, w.record(ctx, 0, nil, sentAudit{id, d.Event})
	})
}

// SendWebhookAgain sends an event again that has been delivered or given up, under the
// same id.
func (s *Service) SendWebhookAgain(ctx context.Context, c access.Caller, id, delivery int64) (lms.WebhookDelivery, error) {
	return onWebhook(ctx, s, c, access.WebhookSend, id, func(ctx context.Context, w *work, h *lms.Webhook) (d lms.WebhookDelivery, err error) {
		d, ok, err := w.tx.Delivery(ctx, delivery)
		if err == nil && (!ok || d.WebhookID != id) {
			err = errNoDelivery
		}
		if err != nil {
			return d, err
		}
		if err := w.sendSoon(ctx, h); err != nil {
			return d, err
		}
		done, err := w.tx.SendAgain(ctx, delivery, w.now)
		if err != nil {
			return d, err
		}
		if !done {
			w.nothingChanged() // it is about to be sent anyway
			return d, nil
		}
		d.State, d.NextAt = lms.DeliveryQueued, w.now
		return d, w.record(ctx, 0, nil, sentAudit{id, d.Event})
	})
}

// DeliveriesPage is a page of a webhook's log, newest first.
type DeliveriesPage struct {
	Deliveries []lms.WebhookDelivery
	Next       int64 // 0 when there are no more
}

// WebhookDeliveries lists what a webhook has told and is to tell; of one state when it
// is given.
func (s *Service) WebhookDeliveries(ctx context.Context, c access.Caller, id int64, state lms.WebhookState, before int64, limit int) (DeliveriesPage, error) {
	if _, err := s.Webhook(ctx, c, id); err != nil {
		return DeliveriesPage{}, err
	}
	if before == 0 {
		before = maxID
	}
	list, err := s.store.Reader().Deliveries(ctx, id, state, before, limit+1)
	if err != nil {
		return DeliveriesPage{}, err
	}
	rows, more := page(list, limit)
	p := DeliveriesPage{Deliveries: rows}
	if more {
		p.Next = rows[len(rows)-1].ID
	}
	return p, nil
}

// keepDeliveries is for how long the log of a webhook is kept.
const (
	keepDeliveries = 30 * 24 * time.Hour
	dropAtOnce     = 5000
)

func (s *Service) dropOldDeliveries(ctx context.Context) error {
	for {
		var n int64
		err := s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			n, err = tx.DropDeliveries(ctx, s.now().Add(-keepDeliveries), dropAtOnce)
			return err
		})
		if err != nil || n < dropAtOnce {
			return err
		}
	}
}
