package service_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/fetch"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// receiver is a program that is told things, by HTTP on this machine.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	got  []received
	tell func(http.ResponseWriter, *http.Request) // nil: it is content
}

type received struct {
	header http.Header
	body   string
	event  told
}

// told is the body of a delivery.
type told struct {
	ID        string    `json:"id"`
	Type      string    `json:"type"`
	CreatedAt time.Time `json:"created_at"`
	Data      struct {
		User   int64  `json:"user_id"`
		Course int64  `json:"course_id"`
		Role   string `json:"role"`
		Merged int64  `json:"merged_user_id"`
		Kept   int64  `json:"kept_user_id"`
		Site   string `json:"site_role"`
	} `json:"data"`
}

func (t told) String() string {
	s := t.Type
	for _, part := range []struct {
		name string
		id   int64
	}{{"user", t.Data.User}, {"course", t.Data.Course}, {"merged", t.Data.Merged}, {"kept", t.Data.Kept}} {
		if part.id != 0 {
			s += fmt.Sprintf(" %s %d", part.name, part.id)
		}
	}
	return strings.TrimSpace(s + " " + t.Data.Role + t.Data.Site)
}

func receive(tb testing.TB) *receiver {
	tb.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		b, err := io.ReadAll(q.Body)
		if err != nil {
			return
		}
		one := received{header: q.Header, body: string(b)}
		if err := json.Unmarshal(b, &one.event); err != nil {
			tb.Errorf("the body is %q: %v", b, err)
		}
		r.mu.Lock()
		r.got = append(r.got, one)
		tell := r.tell
		r.mu.Unlock()
		if tell != nil {
			tell(w, q)
		}
	}))
	tb.Cleanup(r.Close)
	return r
}

func (r *receiver) answer(tell func(http.ResponseWriter, *http.Request)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tell = tell
}

func (r *receiver) answers(status int) {
	r.answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
}

// taken gives what has come since it was asked last.
func (r *receiver) taken() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.got
	r.got = nil
	return list
}

func (r *receiver) events() []string {
	var list []string
	for _, one := range r.taken() {
		list = append(list, one.event.String())
	}
	return list
}

// verified does what a receiver does, by the specification and not by our code.
func (r received) verified(tb testing.TB, secret string) bool {
	tb.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) < 24 {
		tb.Fatalf("the secret is %q: %v", secret, err)
	}
	mac := hmac.New(sha256.New, key)
	io.WriteString(mac, r.header.Get("webhook-id")+"."+r.header.Get("webhook-timestamp")+"."+r.body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return slices.Contains(strings.Split(r.header.Get("webhook-signature"), " "), want)
}

// hooked runs a test in a school that sends webhooks to this machine.
func hooked(t *testing.T, test func(t *testing.T, s *school), change ...func(*service.Options)) {
	t.Helper()
	poster := fetch.NewPoster(fetch.PostOptions{Loopback: true, Timeout: 2 * time.Second})
	each(t, test, append([]func(*service.Options){func(o *service.Options) {
		o.Webhooks = &service.WebhookOptions{Check: poster.Check, Post: poster.Post}
	}}, change...)...)
}

var everyEvent = func() (list []string) {
	for _, i := range lms.WebhookEvents() {
		list = append(list, string(i.Event))
	}
	return list
}()

// hook makes a webhook that tells everything.
func (s *school) hook(by access.Caller, course int64, url string, events ...string) service.MadeWebhook {
	s.tb.Helper()
	if len(events) == 0 {
		events = everyEvent
	}
	made, err := s.CreateWebhook(ctx, by, course, service.WebhookFields{URL: url, Events: events}, nil)
	if err != nil {
		s.tb.Fatal(err)
	}
	return made
}

// send has a node send all that is due.
func (s *school) send() {
	s.tb.Helper()
	for {
		worked, err := s.WorkOnWebhook(ctx, "node")
		if err != nil {
			s.tb.Fatal(err)
		}
		if !worked {
			return
		}
	}
}

func (s *school) log(by access.Caller, id int64) []lms.WebhookDelivery {
	s.tb.Helper()
	p, err := s.WebhookDeliveries(ctx, by, id, "", 0, 200)
	if err != nil {
		s.tb.Fatal(err)
	}
	return p.Deliveries
}

func (s *school) webhook(id int64) lms.Webhook {
	s.tb.Helper()
	h, err := s.Webhook(ctx, s.admin, id)
	if err != nil {
		s.tb.Fatal(err)
	}
	return h
}

func TestAWebhookIsToldWhatHappensAndItsSignatureHolds(t *testing.T) {
	hooked(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		r := receive(t)
		made := s.hook(ada, course, r.URL+"/in?x=1")
		grace := s.enroll(ada, course, "student", "grace@uni.example")[0]
		s.person("grace@uni.example")
		s.send()
		list := r.taken()
		var got []string
		for _, one := range list {
			got = append(got, one.event.String())
			if !one.verified(t, made.Secret) {
				t.Errorf("the signature of %s does not hold", one.body)
			}
			at, err := strconv.ParseInt(one.header.Get("webhook-timestamp"), 10, 64)
			if err != nil || at != s.clock.now().Unix() || one.header.Get("webhook-id") != one.event.ID || one.header.Get("Content-Type") != "application/json" {
				t.Errorf("the headers are %v (%v)", one.header, err)
			}
			if strings.Contains(one.body, "grace") || strings.Contains(one.body, "@") {
				t.Errorf("an address is told: %s", one.body)
			}
			one.body = strings.Replace(one.body, "student", "owner", 1)
			if strings.Contains(one.body, "owner") && one.verified(t, made.Secret) {
				t.Error("the signature holds for another body")
			}
		}
		same(t, "told", got, []string{
			fmt.Sprintf("user.named user %d course %d", grace, course), fmt.Sprintf("enrollment.created user %d course %d student", grace, course),
			fmt.Sprintf("user.claimed user %d course %d", grace, course),
		})
		for _, d := range s.log(ada, made.Webhook.ID) {
			if d.State != lms.DeliveryDelivered || d.Status != 200 || d.Attempts != 1 || d.Fault != "" || d.TriedAt.IsZero() {
				t.Errorf("the log says %+v", d)
			}
		}
	})
}

// TestWhatIsRolledBackIsNotTold enrolls somebody in a request of which the rest fails.
func TestWhatIsRolledBackIsNotTold(t *testing.T) {
	hooked(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		r := receive(t)
		s.hook(s.admin, 0, r.URL)
		// A tutor, who is named and enrolled first, cannot be given what no role allows.
		refused(t, "a privilege for an owner", second(s.SetPrivileges(ctx, ada, service.PrivilegeChange{
			CourseID: course, Person: byEmail("new@uni.example"), Role: "owner", Deny: []string{"roster.view"},
		})), lms.CodeInvalid, "owner-holds-all")
		s.send()
		if got := r.events(); len(got) != 0 || s.count(`webhook_deliveries`) != 0 {
			t.Errorf("told %v", got)
		}
	})
}

func TestAFailedDeliveryIsTriedAgainUnderTheSameID(t *testing.T) {
	hooked(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		r := receive(t)
		made := s.hook(ada, course, r.URL, "enrollment.created")
		id := made.Webhook.ID
		last := func() lms.WebhookDelivery { return s.log(ada, id)[0] }

		// It answers 500, then not in time, then it is away, then it is content.
		r.answers(http.StatusInternalServerError)
		s.enroll(ada, course, "student", "grace@uni.example")
		s.send()
		if d := last(); d.State != lms.DeliveryQueued || d.Status != 500 || d.Fault != lms.FaultStatus || d.Attempts != 1 {
			t.Fatalf("after a 500: %+v", d)
		}
		s.send()
		if n := len(r.taken()); n != 1 {
			t.Fatalf("it was asked %d times at once", n)
		}
		s.clock.advance(16 * time.Second)
		hold := make(chan struct{})
		r.answer(func(_ http.ResponseWriter, q *http.Request) {
			select {
			case <-hold:
			case <-q.Context().Done():
			}
		})
		s.send()
		close(hold)
		if d := last(); d.State != lms.DeliveryQueued || d.Status != 0 || d.Fault != lms.FaultTimeout || d.Attempts != 2 {
			t.Fatalf("after a time-out: %+v", d)
		}
		first := r.taken()
		s.clock.advance(time.Minute)
		address := r.Listener.Addr().String()
		r.Close()
		s.send()
		if d := last(); d.State != lms.DeliveryQueued || d.Status != 0 || d.Fault != lms.FaultConnect || d.Attempts != 3 {
			t.Fatalf("after nobody was there: %+v", d)
		}
		again := receive(t)
		other := strings.TrimPrefix(again.URL, "http://")
		if _, err := s.UpdateWebhook(ctx, ada, id, service.WebhookPatch{URL: ptr("http://" + other)}); err != nil {
			t.Fatal(address, err)
		}
		s.clock.advance(5 * time.Minute)
		s.send()
		got := again.taken()
		if len(got) != 1 || len(first) != 1 || got[0].header.Get("webhook-id") != first[0].header.Get("webhook-id") || got[0].body != first[0].body {
			t.Fatalf("at last %+v, first %+v", got, first)
		}
		if !got[0].verified(t, made.Secret) || got[0].header.Get("webhook-timestamp") == first[0].header.Get("webhook-timestamp") {
			t.Error("a further attempt is not signed for its own time")
		}
		if d := last(); d.State != lms.DeliveryDelivered || d.Attempts != 4 || d.Fault != "" {
			t.Errorf("at last: %+v", d)
		}
		if h := s.webhook(id); h.Failures != 0 || !h.FailingSince.IsZero() {
			t.Errorf("it is well again, and is %+v", h)
		}
	})
}

func TestWhatIsNotTakenForThreeDaysIsGivenUpAndTheWebhookPaused(t *testing.T) {
	hooked(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		r := receive(t)
		id := s.hook(ada, course, r.URL, "enrollment.created").Webhook.ID
		r.answers(http.StatusServiceUnavailable)
		s.enroll(ada, course, "student", "grace@uni.example")
		begun := s.clock.now()
		for s.webhook(id).Enabled && s.clock.now().Sub(begun) < 5*24*time.Hour {
			s.send()
			s.clock.advance(10 * time.Minute)
		}
		attempts := len(r.taken())
		h := s.webhook(id)
		if after := s.clock.now().Sub(begun); h.Enabled || h.Paused != lms.PauseFailing || after < 60*time.Hour || after > 84*time.Hour {
			t.Fatalf("after %v: %+v", after, h)
		}
		if attempts < 10 || attempts > 25 {
			t.Errorf("it was tried %d times", attempts)
		}
		if d := s.log(ada, id)[0]; d.State != lms.DeliveryFailed || d.Status != 503 {
			t.Errorf("the log says %+v", d)
		}
		if e := s.lastEntry(); e.Action != string(access.WebhookPause) || e.SubjectID != ada.UserID || e.CourseID != course {
			t.Errorf("recorded is %+v", e)
		}
		// Nothing is kept for it while it is off; what was given up can be sent again.
		s.enroll(ada, course, "student", "bob@uni.example")
		refused(t, "sent while it is off", second(s.SendWebhookAgain(ctx, ada, id, s.log(ada, id)[0].ID)), lms.CodeConflict, "webhook-off")
		r.answer(nil)
		if h, err := s.UpdateWebhook(ctx, ada, id, service.WebhookPatch{Enabled: ptr(true)}); err != nil || h.Paused != "" {
			t.Fatalf("%+v (%v)", h, err)
		}
		if _, err := s.SendWebhookAgain(ctx, ada, id, s.log(ada, id)[0].ID); err != nil {
			t.Fatal(err)
		}
		s.send()
		if got := r.events(); len(got) != 1 {
			t.Errorf("told %v", got)
		}
	})
}

func TestAReceiverThatIsGoneForGoodIsNotAskedAgain(t *testing.T) {
	hooked(t, func(t *testing.T, s *school) {
		r := receive(t)
		id := s.hook(s.admin, 0, r.URL, "user.claimed").Webhook.ID
		r.answers(http.StatusGone)
		s.person("x@uni.example") // nobody has named them
		ada := s.teacher("ada@uni.example")
		s.person("ada@uni.example")
		s.send()
		if h := s.webhook(id); h.Enabled || h.Paused != lms.PauseGone || len(r.taken()) != 1 {
			t.Errorf("%+v, %v", h, ada.UserID)
		}
	})
}

// TestAWorkerThatDiesLeavesItsDeliveryToAnother has a node die after the receiver has
// taken a delivery and before it was noted, as far as it can be told from outside: it
// is sent again when the lease is over, under the same id, and never before.
func TestAWorkerThatDiesLeavesItsDeliveryToAnother(t *testing.T) {
	hooked(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		r := receive(t)
		id := s.hook(ada, course, r.URL, "enrollment.created").Webhook.ID
		s.enroll(ada, course, "student", "grace@uni.example")
		dying, die := context.WithCancel(ctx)
		r.answer(func(_ http.ResponseWriter, q *http.Request) {
			die()
			<-q.Context().Done()
		})
		if _, err := s.WorkOnWebhook(dying, "first"); err != nil {
			t.Fatal(err)
		}
		// One that is killed gives nothing back.
		if _, err := s.raw.Exec(`UPDATE webhooks SET lease_node = 'first', leased_until = $1 WHERE id = $2`, s.clock.now().Add(2*time.Minute), id); err != nil {
			t.Fatal(err)
		}
		first := r.taken()
		r.answer(nil)
		s.clock.advance(119 * time.Second)
		s.send()
		if n := len(r.taken()); n != 0 {
			t.Fatalf("sent %d times while another holds it", n)
		}
		s.clock.advance(2 * time.Second)
		s.send()
		if again := r.taken(); len(first) != 1 || len(again) != 1 || again[0].event.ID != first[0].event.ID || again[0].body != first[0].body {
			t.Errorf("first %+v, again %+v", first, again)
		}
	})
}

func TestNodesNeverSendOneDeliveryAtTheSameTime(t *testing.T) {
	hooked(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		r := receive(t)
		s.hook(ada, course, r.URL, "enrollment.created")
		var addresses []string
		for i := range 40 {
			addresses = append(addresses, fmt.Sprintf("p%d@uni.example", i))
		}
		s.enroll(ada, course, "student", addresses...)
		node := s.grow(3)
		together(6, func(i int) {
			for worked := true; worked; {
				var err error
				if worked, err = node(i).WorkOnWebhook(ctx, fmt.Sprint("node ", i)); err != nil {
					t.Error(err)
				}
			}
		})
		s.send() // whoever lost the race for the lease has stopped looking
		seen := map[string]int{}
		for _, one := range r.taken() {
			seen[one.event.ID]++
		}
		if len(seen) != 40 {
			t.Errorf("%d of 40 were sent", len(seen))
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("%s was sent %d times", id, n)
			}
		}
	})
}

func TestBothSecretsSignForADayAfterOneIsRenewed(t *testing.T) {
	hooked(t, func(t *testing.T, s *school) {
		r := receive(t)
		made := s.hook(s.admin, 0, r.URL)
		id := made.Webhook.ID
		fresh, err := s.RenewWebhookSecret(ctx, s.admin, id)
		if err != nil || fresh.Secret == made.Secret {
			t.Fatal(err)
		}
		for _, c := range []struct {
			after    time.Duration
			old, now bool
		}{{0, true, true}, {23 * time.Hour, true, true}, {2 * time.Hour, false, true}} {
			s.clock.advance(c.after)
			if _, err := s.TestWebhook(ctx, s.admin, id); err != nil {
				t.Fatal(err)
			}
			s.send()
			got := r.taken()
			if len(got) != 1 || got[0].event.Type != "webhook.test" || got[0].verified(t, made.Secret) != c.old || got[0].verified(t, fresh.Secret) != c.now {
				t.Errorf("after %v: %+v", c.after, got)
			}
		}
		// No secret stands in the database or in what is listed.
		for _, secret := range []string{made.Secret, fresh.Secret} {
			for table, lines := range s.dump() {
				if slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, strings.TrimPrefix(secret, "whsec_")) }) {
					t.Errorf("a secret stands in %s", table)
				}
			}
		}
	})
}

func TestSwitchedOffAWebhookTellsNothingAndOnItBeginsAnew(t *testing.T) {
	hooked(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		r := receive(t)
		id := s.hook(ada, course, r.URL, "enrollment.created").Webhook.ID
		s.enroll(ada, course, "student", "a@uni.example")
		if _, err := s.UpdateWebhook(ctx, ada, id, service.WebhookPatch{Enabled: ptr(false)}); err != nil {
			t.Fatal(err)
		}
		s.enroll(ada, course, "student", "b@uni.example")
		s.send()
		if d := s.log(ada, id); len(r.taken()) != 0 || len(d) != 1 || d[0].State != lms.DeliveryCanceled {
			t.Errorf("%+v", d)
		}
		if _, err := s.UpdateWebhook(ctx, ada, id, service.WebhookPatch{Enabled: ptr(true), Events: &[]string{"enrollment.ended"}}); err != nil {
			t.Fatal(err)
		}
		c := s.enroll(ada, course, "student", "c@uni.example")
		if _, err := s.Remove(ctx, ada, course, c); err != nil {
			t.Fatal(err)
		}
		s.send()
		same(t, "told", r.events(), []string{fmt.Sprintf("enrollment.ended user %d course %d student", c[0], course)})
		if err := s.DeleteWebhook(ctx, ada, id); err != nil {
			t.Fatal(err)
		}
		if n := s.count(`webhook_deliveries`); n != 0 {
			t.Errorf("%d lines of its log are left", n)
		}
		refused(t, "reading what was deleted", second(s.Webhook(ctx, ada, id)), lms.CodeNotFound, "not-found")
	})
}

func TestAnImportTellsEachPersonOnce(t *testing.T) {
	hooked(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		r := receive(t)
		s.hook(ada, course, r.URL, "enrollment.created", "enrollment.ended")
		s.hook(s.admin, 0, r.URL, "user.named")
		var list strings.Builder
		list.WriteString("email\n")
		for i := range 300 {
			fmt.Fprintf(&list, "p%d@uni.example\n", i)
		}
		done := s.carry(ada, s.list(ada, course, list.String()).ID)
		s.send()
		counts := map[string]int{}
		ids := map[string]bool{}
		for _, one := range r.taken() {
			counts[one.event.Type]++
			ids[one.event.ID] = true
		}
		if counts["enrollment.created"] != 300 || counts["user.named"] != 300 || len(ids) != 600 {
			t.Errorf("told %v by %d ids", counts, len(ids))
		}
		if _, err := s.UndoImport(ctx, ada, done.ID); err != nil {
			t.Fatal(err)
		}
		s.work()
		s.send()
		if n := len(r.events()); n != 300 {
			t.Errorf("that it was undone is told %d times", n)
		}
	})
}
