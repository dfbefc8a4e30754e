package api_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// told is what a receiver on this machine was sent.
type told struct {
	header http.Header
	body   string
}

func (s *school) receiver(status int) (url string, next func() told) {
	s.Helper()
	got := make(chan told, 100)
	r := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		b, _ := io.ReadAll(q.Body)
		got <- told{q.Header, string(b)}
		w.WriteHeader(status)
		io.WriteString(w, "inner workings of the receiver")
	}))
	s.Cleanup(r.Close)
	return r.URL, func() told {
		s.Helper()
		for worked := true; worked; {
			var err error
			if worked, err = s.svc.WorkOnWebhook(context.Background(), "node"); err != nil {
				s.Fatal(err)
			}
		}
		select {
		case one := <-got:
			return one
		default:
			return told{}
		}
	}
}

func TestAProgramMakesAWebhookVerifiesWhatItTellsAndEndsIt(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		url, next := s.receiver(200)
		list := path("/courses/%d/webhooks", course)
		new := object{"url": url, "description": "The door", "events": []string{"enrollment.created", "user.named"}}
		made := s.ask(s.ada, "POST", list, new, "Idempotency-Key: w").is(201)
		again := s.ask(s.ada, "POST", list, new, "Idempotency-Key: w").is(201)
		same(t, "sent twice", string(again.raw), string(made.raw))
		secret, at := made.text("secret"), made.header.Get("Location")
		same(t, "Location", at, path("/webhooks/%d", made.id()))
		for _, where := range []string{at, list} {
			if read := s.ask(s.ada, "GET", where, nil).is(200); strings.Contains(string(read.raw), "secret\"") || strings.Contains(string(read.raw), secret) {
				t.Errorf("the secret is shown again: %s", read.raw)
			}
		}
		s.enroll(s.ada, course, "student", "new@uni.example")
		for range 2 {
			one := next()
			key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
			if err != nil {
				t.Fatal(err)
			}
			mac := hmac.New(sha256.New, key)
			io.WriteString(mac, one.header.Get("webhook-id")+"."+one.header.Get("webhook-timestamp")+"."+one.body)
			same(t, "the signature", one.header.Get("webhook-signature"), "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		}
		log := s.ask(s.ada, "GET", at+"/deliveries", nil).is(200).items()
		if len(log) != 2 || log[0]["state"] != "delivered" || number(t, log[0]["status"]) != 200 || log[0]["fault"] != nil || log[0]["next_at"] != nil {
			t.Errorf("the log is %v", log)
		}
		first := s.ask(s.ada, "GET", at+"/deliveries?limit=1", nil).is(200)
		if rest := s.ask(s.ada, "GET", at+"/deliveries?limit=1&cursor="+first.text("next_cursor"), nil).is(200).items(); len(rest) != 1 || rest[0]["id"] == first.items()[0]["id"] {
			t.Errorf("the second page is %v", rest)
		}
		if none := s.ask(s.ada, "GET", at+"/deliveries?state=failed", nil).is(200).items(); len(none) != 0 {
			t.Errorf("failed: %v", none)
		}
		sent := s.ask(s.ada, "POST", path("/webhooks/%d/deliveries/%d/again", made.id(), number(t, log[0]["id"])), nil).is(202)
		same(t, "sent again", next().header.Get("webhook-id"), sent.text("event_id"))
		s.ask(s.ada, "POST", at+"/test", nil).is(202)
		if one := next(); !strings.Contains(one.body, `"type":"webhook.test"`) {
			t.Errorf("the test is %s", one.body)
		}
		renewed := s.ask(s.ada, "POST", at+"/secret", nil).is(200)
		if renewed.text("secret") == secret || renewed.body["old_secret_until"] == nil {
			t.Errorf("renewed: %s", renewed.raw)
		}
		off := s.ask(s.ada, "PATCH", at, object{"enabled": false}).is(200)
		if off.body["enabled"] != false || off.body["paused"] != nil {
			t.Errorf("switched off: %s", off.raw)
		}
		s.ask(s.ada, "POST", at+"/test", nil).refused(409, "webhook-off")
		s.ask(s.ada, "DELETE", at, nil).is(204)
		s.ask(s.ada, "GET", at, nil).refused(404, "not-found")
		s.ask(s.ada, "POST", list, object{"url": "http://intern.example", "events": []string{"user.named"}}).refused(422, "webhook-url").at("body.url")
		s.ask(s.ada, "POST", list, object{"url": url, "events": []string{"user.named", "x"}}).refused(422, "webhook-event").at("body.events[1]")
		if strings.Contains(s.log.String(), secret) || strings.Contains(s.log.String(), url) {
			t.Error("the log has a secret or an address")
		}
	})
}

func TestNothingOfAReceiversAnswerIsShown(t *testing.T) {
	onEachEngine(t, func(s *school) {
		url, next := s.receiver(500)
		made := s.ask(s.admin, "POST", "/api/v1/webhooks", object{"url": url, "events": []string{"user.named"}}).is(201)
		s.ask(s.admin, "POST", path("/webhooks/%d/test", made.id()), nil).is(202)
		next()
		log := s.ask(s.admin, "GET", path("/webhooks/%d/deliveries", made.id()), nil).is(200)
		if one := log.items()[0]; one["state"] != "queued" || number(t, one["status"]) != 500 || one["fault"] != "status" || one["next_at"] == nil || one["user_id"] != nil {
			t.Errorf("the log is %v", one)
		}
		if strings.Contains(string(log.raw), "inner workings") {
			t.Errorf("the answer is shown: %s", log.raw)
		}
	})
}
