package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// Webhook is a program that is told what happens.
type Webhook struct {
	ID           int64      `json:"id"`
	CourseID     *int64     `json:"course_id" doc:"The course of which it tells; null: the whole site."`
	URL          string     `json:"url" example:"https://hooks.uni.example/matricula"`
	Description  string     `json:"description"`
	Events       []string   `json:"events" doc:"Of which it tells."`
	Enabled      bool       `json:"enabled"`
	Paused       *string    `json:"paused" enum:"owner,failing,gone" nullable:"true" doc:"Why it stopped by itself: its owner may not see any more what it tells (owner), nothing could be delivered for days (failing), or the receiver answered 410 (gone). Enable it again to begin anew."`
	OwnerID      int64      `json:"owner_id" doc:"Who saved it last. It tells what they may see, as long as they may."`
	CreatedAt    time.Time  `json:"created_at"`
	FailingSince *time.Time `json:"failing_since" doc:"null while it works."`
	OldSecret    *time.Time `json:"old_secret_until" doc:"Until when the secret before signs too; null: there is none."`
}

// WebhookWithSecret is a webhook whose secret is new.
type WebhookWithSecret struct {
	Webhook
	Secret string `json:"secret" doc:"With which every delivery is signed; shown this once." example:"whsec_…"`
}

func (a *API) webhookWire(h *lms.Webhook) Webhook {
	w := Webhook{
		ID: h.ID, CourseID: idOrNull(h.CourseID), URL: h.URL, Description: h.Description, Events: []string{}, Enabled: h.Enabled, Paused: textOrNull(string(h.Paused)),
		OwnerID: h.OwnerID, CreatedAt: h.CreatedAt.UTC(), FailingSince: timeOrNull(h.FailingSince),
	}
	for _, e := range h.Events {
		w.Events = append(w.Events, string(e))
	}
	if h.OldUntil.After(a.now()) {
		w.OldSecret = timeOrNull(h.OldUntil)
	}
	return w
}

// WebhookDelivery is one event that a webhook has told, or is to tell.
type WebhookDelivery struct {
	ID        int64      `json:"id"`
	EventID   string     `json:"event_id" doc:"The webhook-id header: the same for each attempt."`
	Event     string     `json:"event" example:"enrollment.created"`
	UserID    *int64     `json:"user_id" doc:"Whom it is about; null: nobody in particular."`
	CourseID  *int64     `json:"course_id"`
	State     string     `json:"state" enum:"queued,delivered,failed,canceled"`
	Attempts  int64      `json:"attempts"`
	Status    *int64     `json:"status" doc:"Of the last answer; null: there was none. What the answer says is not kept."`
	Fault     *string    `json:"fault" enum:"status,redirect,timeout,address,name,certificate,connection" nullable:"true" doc:"What was wrong with the last attempt; null: nothing."`
	TookMS    int64      `json:"took_ms" doc:"The last attempt."`
	CreatedAt time.Time  `json:"created_at"`
	TriedAt   *time.Time `json:"tried_at" doc:"The last attempt; null: there was none."`
	NextAt    *time.Time `json:"next_at" doc:"The next attempt; null when there is none."`
}

func deliveryWire(d *lms.WebhookDelivery) WebhookDelivery {
	w := WebhookDelivery{
		ID: d.ID, EventID: d.EventID, Event: string(d.Event), CourseID: idOrNull(d.CourseID), State: string(d.State), Attempts: d.Attempts, Status: idOrNull(d.Status),
		Fault: textOrNull(string(d.Fault)), TookMS: d.Took.Milliseconds(), CreatedAt: d.CreatedAt.UTC(), TriedAt: timeOrNull(d.TriedAt),
	}
	if d.UserID != lms.SystemUserID {
		w.UserID = &d.UserID
	}
	if d.State == lms.DeliveryQueued {
		w.NextAt = timeOrNull(d.NextAt)
	}
	return w
}

type (
	// OneWebhook is a request about a webhook.
	OneWebhook struct {
		WebhookID int64 `path:"webhook_id" minimum:"1"`
	}
	createSiteWebhookIn struct {
		Repeatable
		Body NewWebhook
	}
	createWebhookIn struct {
		InCourse
		Repeatable
		Body NewWebhook
	}
	patchWebhookIn struct {
		OneWebhook
		Body WebhookPatch
	}
	listDeliveriesIn struct {
		OneWebhook
		Paging
		State string `query:"state" enum:"queued,delivered,failed,canceled" doc:"Only those."`
	}
	oneDeliveryIn struct {
		OneWebhook
		DeliveryID int64 `path:"delivery_id" minimum:"1"`
	}
)

// NewWebhook is a webhook to be made.
type NewWebhook struct {
	URL         string   `json:"url" example:"https://hooks.uni.example/matricula" doc:"An https address on the internet, or one that whoever runs the server allows."`
	Description string   `json:"description,omitempty" doc:"For people; at most 200 characters."`
	Events      []string `json:"events" doc:"Of which it tells: user.named, user.claimed, user.merged, user.split, user.erased, enrollment.created, enrollment.changed, enrollment.ended, privileges.changed."`
}

// WebhookPatch changes what is there.
type WebhookPatch struct {
	URL         *string   `json:"url,omitempty" nullable:"false"`
	Description *string   `json:"description,omitempty" nullable:"false"`
	Events      *[]string `json:"events,omitempty" nullable:"false"`
	Enabled     *bool     `json:"enabled,omitempty" nullable:"false" doc:"Switching it off cancels what it had still to tell."`
}

func (a *API) registerWebhooks() {
	const ofCourse, one = "/courses/{course_id}/webhooks", "/webhooks/{webhook_id}"
	const signed = "The secret is in the answer and nowhere else. Sent again with the same Idempotency-Key, the answer is the same. docs/programs.md says how deliveries are verified."
	register(a, op(http.MethodGet, "/webhooks", "list-site-webhooks", tagWebhooks, "Webhooks of the site", "They tell of all courses. For administrators."), a.listSiteWebhooks)
	register(a, op(http.MethodPost, "/webhooks", "create-site-webhook", tagWebhooks, "Make a webhook of the site", signed, http.StatusConflict), a.createSiteWebhook)
	register(a, op(http.MethodGet, ofCourse, "list-webhooks", tagWebhooks, "Webhooks of a course", "The caller needs staff.manage, and not in single sections alone."), a.listWebhooks)
	register(a, op(http.MethodPost, ofCourse, "create-webhook", tagWebhooks, "Make a webhook of a course", signed+" The caller needs staff.manage.", http.StatusConflict), a.createWebhook)
	register(a, op(http.MethodGet, one, "get-webhook", tagWebhooks, "One webhook", "Of the site or of a course."), a.getWebhook)
	register(a, op(http.MethodPatch, one, "update-webhook", tagWebhooks, "Change a webhook", "Whoever saves it owns it: it tells what they may see from then on.", http.StatusConflict), a.patchWebhook)
	register(a, op(http.MethodDelete, one, "delete-webhook", tagWebhooks, "Delete a webhook", "With its log."), a.deleteWebhook)
	renew := op(http.MethodPost, one+"/secret", "renew-webhook-secret", tagWebhooks, "Give a webhook another secret", "For 24 hours the secret before signs too, so that the receiver can change over.")
	renew.DefaultStatus = http.StatusOK
	register(a, renew, a.renewWebhookSecret)
	test := op(http.MethodPost, one+"/test", "test-webhook", tagWebhooks, "Send a test event", "webhook.test, which means nothing. 409 webhook-off when it is switched off.", http.StatusConflict)
	test.DefaultStatus = http.StatusAccepted
	register(a, test, a.testWebhook)
	register(a, op(http.MethodGet, one+"/deliveries", "list-webhook-deliveries", tagWebhooks, "The log of a webhook", "Newest first. It is kept for 30 days."), a.listDeliveries)
	again := op(http.MethodPost, one+"/deliveries/{delivery_id}/again", "resend-webhook-delivery", tagWebhooks, "Send an event again",
		"Under the same id. 409 webhook-off when the webhook is switched off.", http.StatusConflict)
	again.DefaultStatus = http.StatusAccepted
	register(a, again, a.resendDelivery)
}

func (a *API) webhooksOf(ctx context.Context, c *call, course int64) (*page[Webhook], error) {
	list, err := a.svc.Webhooks(ctx, c.caller, course)
	if err != nil {
		return nil, err
	}
	return listOf(list, a.webhookWire, nil), nil
}

func (a *API) listSiteWebhooks(ctx context.Context, c *call, _ *nothing) (*page[Webhook], error) {
	return a.webhooksOf(ctx, c, 0)
}

func (a *API) listWebhooks(ctx context.Context, c *call, in *courseIn) (*page[Webhook], error) {
	return a.webhooksOf(ctx, c, in.CourseID)
}

func (a *API) makeWebhook(ctx context.Context, c *call, course int64, n NewWebhook) (*created[WebhookWithSecret], error) {
	m, err := a.svc.CreateWebhook(ctx, c.caller, course, service.WebhookFields(n), c.once())
	if err != nil {
		return nil, err
	}
	return &created[WebhookWithSecret]{
		Location: fmt.Sprintf("%s/webhooks/%d", v1, m.Webhook.ID), Body: WebhookWithSecret{a.webhookWire(&m.Webhook), m.Secret},
	}, nil
}

func (a *API) createSiteWebhook(ctx context.Context, c *call, in *createSiteWebhookIn) (*created[WebhookWithSecret], error) {
	return a.makeWebhook(ctx, c, 0, in.Body)
}

func (a *API) createWebhook(ctx context.Context, c *call, in *createWebhookIn) (*created[WebhookWithSecret], error) {
	return a.makeWebhook(ctx, c, in.CourseID, in.Body)
}

func (a *API) getWebhook(ctx context.Context, c *call, in *OneWebhook) (*answer[Webhook], error) {
	h, err := a.svc.Webhook(ctx, c.caller, in.WebhookID)
	if err != nil {
		return nil, err
	}
	return &answer[Webhook]{a.webhookWire(&h)}, nil
}

func (a *API) patchWebhook(ctx context.Context, c *call, in *patchWebhookIn) (*answer[Webhook], error) {
	h, err := a.svc.UpdateWebhook(ctx, c.caller, in.WebhookID, service.WebhookPatch(in.Body))
	if err != nil {
		return nil, err
	}
	return &answer[Webhook]{a.webhookWire(&h)}, nil
}

func (a *API) deleteWebhook(ctx context.Context, c *call, in *OneWebhook) (*empty, error) {
	return nil, a.svc.DeleteWebhook(ctx, c.caller, in.WebhookID)
}

func (a *API) renewWebhookSecret(ctx context.Context, c *call, in *OneWebhook) (*answer[WebhookWithSecret], error) {
	m, err := a.svc.RenewWebhookSecret(ctx, c.caller, in.WebhookID)
	if err != nil {
		return nil, err
	}
	return &answer[WebhookWithSecret]{WebhookWithSecret{a.webhookWire(&m.Webhook), m.Secret}}, nil
}

func (a *API) testWebhook(ctx context.Context, c *call, in *OneWebhook) (*answer[WebhookDelivery], error) {
	d, err := a.svc.TestWebhook(ctx, c.caller, in.WebhookID)
	if err != nil {
		return nil, err
	}
	return &answer[WebhookDelivery]{deliveryWire(&d)}, nil
}

func (a *API) listDeliveries(ctx context.Context, c *call, in *listDeliveriesIn) (*page[WebhookDelivery], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := a.svc.WebhookDeliveries(ctx, c.caller, in.WebhookID, lms.WebhookState(in.State), from.id, in.Limit)
	if err != nil {
		return nil, err
	}
	return listOf(found.Deliveries, deliveryWire, c.next(place{id: found.Next})), nil
}

func (a *API) resendDelivery(ctx context.Context, c *call, in *oneDeliveryIn) (*answer[WebhookDelivery], error) {
	d, err := a.svc.SendWebhookAgain(ctx, c.caller, in.WebhookID, in.DeliveryID)
	if err != nil {
		return nil, err
	}
	return &answer[WebhookDelivery]{deliveryWire(&d)}, nil
}
