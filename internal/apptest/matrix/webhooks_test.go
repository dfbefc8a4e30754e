package matrix

import (
	"context"

	"matricula/internal/service"
)

// The policy of webhooks. {webhook_id} is one of course C, of which whoever may not
// manage it does not learn that it is there.
var (
	webhookKeeper = policy(func(a actor) answer {
		if got := staffKeeper(a); got != refused {
			return got
		}
		return hidden
	})
	newHook     = bodyOf(object{"url": "http://127.0.0.1:9/in", "events": []string{"user.named"}})
	newHookForm = formOf("url", "http://127.0.0.1:9/in", "event", "user.named", "enabled", "yes")

	webhooksAPIPolicy = []row{
		{route: "GET /api/v1/webhooks", policy: admins},
		{route: "POST /api/v1/webhooks", policy: admins, write: true, body: newHook},
		{route: "GET /api/v1/courses/{course_id}/webhooks", policy: staffKeeper},
		{route: "POST /api/v1/courses/{course_id}/webhooks", policy: staffKeeper, write: true, body: newHook},
		{route: "GET /api/v1/webhooks/{webhook_id}", policy: webhookKeeper},
		{route: "PATCH /api/v1/webhooks/{webhook_id}", policy: webhookKeeper, write: true, body: bodyOf(object{"description": "The door"})},
		{route: "DELETE /api/v1/webhooks/{webhook_id}", policy: webhookKeeper, write: true},
		{route: "POST /api/v1/webhooks/{webhook_id}/secret", policy: webhookKeeper, write: true},
		{route: "POST /api/v1/webhooks/{webhook_id}/test", policy: webhookKeeper, write: true},
		{route: "GET /api/v1/webhooks/{webhook_id}/deliveries", policy: webhookKeeper},
		{route: "POST /api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/again", policy: webhookKeeper, write: true},
	}
	webhooksWebPolicy = []row{
		{route: "GET /admin/webhooks", policy: admins},
		{route: "POST /admin/webhooks", policy: admins, write: true, form: newHookForm},
		{route: "GET /courses/{course_id}/webhooks", policy: staffKeeper},
		{route: "POST /courses/{course_id}/webhooks", policy: staffKeeper, write: true, form: newHookForm},
		{route: "GET /webhooks/{webhook_id}", policy: webhookKeeper},
		{route: "POST /webhooks/{webhook_id}", policy: webhookKeeper, write: true, form: newHookForm},
		{route: "GET /webhooks/{webhook_id}/secret", policy: webhookKeeper},
		{route: "POST /webhooks/{webhook_id}/secret", policy: webhookKeeper, write: true, form: formOf()},
		{route: "POST /webhooks/{webhook_id}/test", policy: webhookKeeper, write: true, form: formOf()},
		{route: "POST /webhooks/{webhook_id}/delete", policy: webhookKeeper, write: true, form: formOf()},
		{route: "POST /webhooks/{webhook_id}/deliveries/{delivery_id}/again", policy: webhookKeeper, write: true, form: formOf()},
	}
)

// makeWebhook makes a webhook of course C, to where nobody listens, with something to
// tell.
func (f *fixture) makeWebhook() {
	f.t.Helper()
	made, err := f.Service.CreateWebhook(context.Background(), f.adminBy, f.course, service.WebhookFields{URL: "http://127.0.0.1:9/in", Events: []string{"user.named"}}, nil)
	f.must(err)
	d, err := f.Service.TestWebhook(context.Background(), f.adminBy, made.Webhook.ID)
	f.must(err)
	f.webhook, f.delivery = made.Webhook.ID, d.ID
}
