package story_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// webhooks is one to a program that takes every other thing that it is told, of which
// something is in each state.
func (s *scene) webhooks(t *testing.T, owner access.Caller, course int64) int64 {
	t.Helper()
	var asked atomic.Int64
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1)%2 == 0 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(receiver.Close)
	made, err := s.Service.CreateWebhook(t.Context(), owner, course, service.WebhookFields{
		URL: receiver.URL + "/hooks", Description: "Doors of the " + strings.Repeat("Donaudampfschifffahrts", 2), Events: []string{"enrollment.created", "user.named"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.enroll(t, owner, course, lms.RoleStudent, colleague("told.of@uni.example", "", ""))
	for range 2 {
		if _, err := s.Service.TestWebhook(t.Context(), owner, made.Webhook.ID); err != nil {
			t.Fatal(err)
		}
	}
	deadline := time.Now().Add(30 * time.Second)
	for asked.Load() < 2 && time.Now().Before(deadline) {
		if _, err := s.Service.WorkOnWebhook(t.Context(), "tour"); err != nil {
			t.Fatal(err)
		}
	}
	if asked.Load() < 2 {
		t.Fatal("nothing was sent")
	}
	return made.Webhook.ID
}

// webhookPages looks at the webhooks of a course, and makes one, which shows its secret.
func (r *tour) webhookPages(course string) {
	r.t.Helper()
	r.open(course+"/webhooks", "webhooks")
	r.v.Type("#url", "http://intern.example/")
	r.v.ClickText("main button", "Make the webhook")
	r.v.sees("main", "has to begin with https://")
	r.check("webhook-refused")
	r.v.Fill("#url", r.URL+"/no-such-receiver-of-"+r.look.name)
	r.v.Click("input[value='enrollment.created']")
	r.v.ClickText("main button", "Make the webhook")
	r.v.sees("main", "The secret of this webhook")
	r.check("webhook-made")
	r.v.ClickText("main button", "Send a test event")
	r.v.sees("main", "webhook.test")
	r.check("webhook-tried")
	r.open(fmt.Sprintf("/webhooks/%d", r.webhook), "webhook")
	r.v.ClickText("details.card summary", "Change the webhook")
	r.check("webhook-change")
	r.open(fmt.Sprintf("/webhooks/%d/secret", r.webhook), "webhook-after-its-secret")
}
