package web

import (
	"maps"
	"net/url"

	"matricula/internal/access"
	"matricula/internal/lms"
)

// webhookHost is where a webhook goes. The rest of its address can hold a secret, and
// is shown only where it is changed.
func webhookHost(h *lms.Webhook) string {
	if u, err := url.Parse(h.URL); err == nil && u.Host != "" {
		return u.Host
	}
	return h.URL
}

// eventLabel says what an event is.
func eventLabel(e lms.WebhookEvent) lms.Term {
	for _, i := range lms.WebhookEvents() {
		if i.Event == e {
			return i.Label
		}
	}
	return "An event to try it"
}

// pauseWords say why a webhook stopped by itself.
var pauseWords = map[lms.WebhookPause]lms.Term{
	lms.PauseOwner:   "Whoever saved it last may not see any more what it tells. Save it to answer for it yourself.",
	lms.PauseFailing: "Nothing could be delivered for days. See below what was wrong, mend it, and switch it on again.",
	lms.PauseGone:    "The receiver answered that it is gone for good (410).",
}

// deliveryStates say how far a delivery is.
var deliveryStates = map[lms.WebhookState]struct {
	Label lms.Term
	Badge string
}{
	lms.DeliveryQueued:    {"Waiting", "pending"},
	lms.DeliveryDelivered: {"Delivered", "staff"},
	lms.DeliveryFailed:    {"Given up", "refused"},
	lms.DeliveryCanceled:  {"Not sent", "archived"},
}

// faultWords say what was wrong with an attempt.
var faultWords = map[lms.WebhookFault]lms.Term{
	lms.FaultStatus:   "The receiver did not take it.",
	lms.FaultRedirect: "It answered with another address, which is not followed.",
	lms.FaultTimeout:  "It did not answer in time.",
	lms.FaultAddress:  "Its name leads to an address that may not be called.",
	lms.FaultName:     "Its name leads nowhere.",
	lms.FaultTLS:      "Its certificate is not to be trusted.",
	lms.FaultConnect:  "There was no connection, or it broke off.",
}

func init() {
	for _, site := range []access.Action{"", "site-"} {
		maps.Copy(verbs, map[access.Action]struct{ of, alone lms.Term }{
			site + access.WebhookCreate: {"made a webhook for", "made a webhook"},
			site + access.WebhookUpdate: {"changed a webhook for", "changed a webhook"},
			site + access.WebhookDelete: {"deleted a webhook for", "deleted a webhook"},
			site + access.WebhookSend:   {"sent a webhook for", "sent a webhook"},
		})
		maps.Copy(attempts, map[access.Action]lms.Term{
			site + access.WebhookCreate: "wanted to make a webhook",
			site + access.WebhookUpdate: "wanted to change a webhook",
			site + access.WebhookDelete: "wanted to delete a webhook",
			site + access.WebhookSend:   "wanted to send a webhook",
		})
	}
	verbs[access.WebhookPause] = struct{ of, alone lms.Term }{"paused a webhook of", "paused a webhook"}
}
