package lms

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// WebhookEvent names a kind of thing that webhooks tell of. The names are stored and
// are part of the API.
type WebhookEvent string

// The events.
const (
	EventUserNamed         WebhookEvent = "user.named"
	EventUserClaimed       WebhookEvent = "user.claimed"
	EventUserMerged        WebhookEvent = "user.merged"
	EventUserSplit         WebhookEvent = "user.split"
	EventUserErased        WebhookEvent = "user.erased"
	EventEnrollmentCreated WebhookEvent = "enrollment.created"
	EventEnrollmentChanged WebhookEvent = "enrollment.changed"
	EventEnrollmentEnded   WebhookEvent = "enrollment.ended"
	EventPrivilegesChanged WebhookEvent = "privileges.changed"

	// EventTest is sent when somebody asks for it, and is not subscribed to.
	EventTest WebhookEvent = "webhook.test"
)

// WebhookEventInfo describes an event to people.
type WebhookEventInfo struct {
	Event WebhookEvent
	Label Term
}

var webhookEvents = []WebhookEventInfo{
	{EventUserNamed, "Somebody is named who was unknown"},
	{EventUserClaimed, "Somebody who was named signs in for the first time"},
	{EventUserMerged, "Two people turn out to be one"},
	{EventUserSplit, "Two people who were merged are split again"},
	{EventUserErased, "Somebody is erased, withdrawn or expires"},
	{EventEnrollmentCreated, "Somebody comes into a course"},
	{EventEnrollmentChanged, "Somebody's role, section or dates change"},
	{EventEnrollmentEnded, "Somebody leaves a course"},
	{EventPrivilegesChanged, "What somebody may do changes"},
}

// WebhookEvents lists the events to which a webhook can be subscribed, in the order
// in which pages show them.
func WebhookEvents() []WebhookEventInfo { return webhookEvents }

// ParseWebhookEvents reads the names of events as a person or a program sent them,
// and gives them in the order of WebhookEvents, each once.
func ParseWebhookEvents(names []string, location string) ([]WebhookEvent, error) {
	var known []string
	for _, i := range webhookEvents {
		known = append(known, string(i.Event))
	}
	for i, n := range names {
		if !slices.Contains(known, n) {
			return nil, Invalid("webhook-event", indexed(location, i), "There is no event %q. The events are: %s.", Clip(n, 60), strings.Join(known, ", "))
		}
	}
	var list []WebhookEvent
	for _, n := range known {
		if slices.Contains(names, n) {
			list = append(list, WebhookEvent(n))
		}
	}
	if len(list) == 0 {
		return nil, Invalid("webhook-event", location, "Choose at least one event.")
	}
	return list, nil
}

// WebhookPause is why a webhook stopped by itself.
type WebhookPause string

// The reasons.
const (
	PauseNone    WebhookPause = ""
	PauseOwner   WebhookPause = "owner"   // whoever owns it may not see any more what it tells
	PauseFailing WebhookPause = "failing" // nothing was delivered for days
	PauseGone    WebhookPause = "gone"    // the receiver answered 410
)

// Limits of webhooks.
const (
	MaxWebhooksOfCourse = 10
	MaxWebhooksOfSite   = 50
	MaxWebhookURL       = 500 // bytes
	MaxWebhookRunes     = 200 // of a description
)

// Webhook is a program that is told what happens in a course, or on the whole site.
type Webhook struct {
	ID           int64
	CourseID     int64 // 0: the whole site
	OwnerID      int64 // what it tells, they may see
	URL          string
	Description  string
	Events       []WebhookEvent
	Enabled      bool
	Paused       WebhookPause // set only when it is not enabled
	Salt         []byte       // from which its secret is derived
	OldSalt      []byte       // that of the secret before
	OldUntil     time.Time    // so long the secret before signs too; zero: there is none
	CreatedAt    time.Time
	Failures     int64     // deliveries in a row that failed
	FailingSince time.Time // zero while it works
	NextAt       time.Time // it rests until then after a failure
}

// WebhookState is how far a delivery is.
type WebhookState string

// The states of a delivery.
const (
	DeliveryQueued    WebhookState = "queued"
	DeliveryDelivered WebhookState = "delivered" // the receiver answered with a status from 200 to 299
	DeliveryFailed    WebhookState = "failed"    // it was tried again and again, and is given up
	DeliveryCanceled  WebhookState = "canceled"  // the webhook was switched off before
)

// WebhookFault is why an attempt came to nothing. What a receiver says in the body of
// its answer is not kept: it could tell whoever made the webhook about a server that
// they cannot reach themselves, or hold what somebody else's program knows of people.
type WebhookFault string

// The faults.
const (
	FaultNone     WebhookFault = ""
	FaultStatus   WebhookFault = "status"      // another status than 200 to 299
	FaultRedirect WebhookFault = "redirect"    // it answered with another address, which is not followed
	FaultTimeout  WebhookFault = "timeout"     //
	FaultAddress  WebhookFault = "address"     // the name leads to an address that may not be called
	FaultName     WebhookFault = "name"        // the name leads nowhere
	FaultTLS      WebhookFault = "certificate" // the certificate is not to be trusted
	FaultConnect  WebhookFault = "connection"  // no connection, or it broke off
)

// WebhookData is what an event says beside whom and which course it is about: ids and
// roles, never a name or an address.
type WebhookData struct {
	UserID   int64  `json:"user_id,omitempty"`
	CourseID int64  `json:"course_id,omitempty"`
	Role     string `json:"role,omitempty"`
	SiteRole string `json:"site_role,omitempty"`
	MergedID int64  `json:"merged_user_id,omitempty"`
	KeptID   int64  `json:"kept_user_id,omitempty"`
}

// WebhookDelivery is one event for one webhook.
type WebhookDelivery struct {
	ID        int64
	WebhookID int64
	EventID   string // the same for every attempt, by which a receiver knows what it has had
	Event     WebhookEvent
	UserID    int64 // SystemUserID: nobody in particular
	CourseID  int64
	Data      WebhookData // without the two ids
	State     WebhookState
	Status    int64 // the status of the last answer; 0: there was none
	Fault     WebhookFault
	Attempts  int64
	Took      time.Duration // the last attempt
	CreatedAt time.Time
	NextAt    time.Time
	GiveUpAt  time.Time
	TriedAt   time.Time // zero: never
}

// Body is what is sent. It is the same for every attempt.
func (d *WebhookDelivery) Body() ([]byte, error) {
	data := d.Data
	if data.CourseID = d.CourseID; d.UserID != SystemUserID {
		data.UserID = d.UserID
	}
	return json.Marshal(struct {
		ID        string       `json:"id"`
		Event     WebhookEvent `json:"type"`
		CreatedAt time.Time    `json:"created_at"`
		Data      WebhookData  `json:"data"`
	}{d.EventID, d.Event, d.CreatedAt.UTC(), data})
}

// WebhookSecretPrefix begins every secret, as the Standard Webhooks specification has
// it; what follows is the key in base64.
const WebhookSecretPrefix = "whsec_"

// WebhookKey is the key with which a webhook signs, derived from its salt with a key
// of the site's.
func WebhookKey(site, salt []byte) []byte {
	mac := hmac.New(sha256.New, site)
	mac.Write(salt)
	return mac.Sum(nil)
}

// WebhookSecret is a key as its receiver is given it, once.
func WebhookSecret(key []byte) string {
	return WebhookSecretPrefix + base64.StdEncoding.EncodeToString(key)
}

// SignWebhook gives the webhook-signature header of the Standard Webhooks
// specification: a signature for each key, with a space between.
func SignWebhook(id string, at time.Time, body []byte, keys ...[]byte) string {
	var list []string
	for _, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
		mac.Write(body)
		list = append(list, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(list, " ")
}
