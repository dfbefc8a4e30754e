package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestIdempotencyKeysMakeCreatingSafeToRepeat_F21(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.admin, "Algorithms")
		key := "Idempotency-Key: a key of ours"
		creating := []struct {
			to   string
			body object
		}{
			{"/api/v1/courses", object{"title": "Compilers"}},
			{"/api/v1/users", object{"email": "new@uni.example", "given_name": "Nova"}},
			{path("/courses/%d/roles", course), object{"name": "Tutor", "privileges": []string{"roster.view"}}},
		}
		for _, c := range creating {
			first := s.ask(s.admin, "POST", c.to, c.body, key).is(http.StatusCreated)
			again := s.ask(s.admin, "POST", c.to, c.body, key).is(http.StatusCreated)
			same(t, c.to+" again", string(again.raw), string(first.raw))
			same(t, "Location", again.header.Get("Location"), first.header.Get("Location"))
			other := object{"x": 1}
			for k, v := range c.body {
				other[k] = v
			}
			delete(other, "x")
			for k := range other {
				if text, ok := other[k].(string); ok {
					other[k] = "other" + text
				}
			}
			s.ask(s.admin, "POST", c.to, other, key).refused(422, "idempotency-key-reused")
			s.ask(s.admin, "POST", c.to, c.body, "Idempotency-Key: "+strings.Repeat("k", 201)).refused(400, "idempotency-key")
			s.ask(s.admin, "POST", c.to, c.body, "Idempotency-Key: "+strings.Repeat("k", 1<<20)).refused(400, "idempotency-key")
			s.ask(s.admin, "POST", c.to, c.body, key, key).refused(400, "malformed").at("header.Idempotency-Key")
			s.ask(s.admin, "POST", c.to, c.body, "Idempotency-Key: \xff").refused(400, "malformed")
			s.ask(s.admin, "POST", c.to, c.body, "Idempotency-Key: ").refused(400, "malformed")
		}
		// Another user's key, and the same key on another course, are others.
		a := s.ask(s.ada, "POST", "/api/v1/courses", object{"title": "Compilers"}, key).is(201)
		b := s.ask(s.grace, "POST", "/api/v1/courses", object{"title": "Databases"}, key).is(201)
		if a.id() == b.id() {
			t.Error("two users share a key")
		}
		s.ask(s.ada, "POST", path("/courses/%d/roles", a.id()), object{"name": "Tutor", "privileges": []string{}}, key).is(201)
		// Without a key, again is again.
		if one, two := s.course(s.ada, "Twice"), s.course(s.ada, "Twice"); one == two {
			t.Error("two courses are one")
		}
		// A refusal uses up nothing.
		s.ask(s.sam, "POST", "/api/v1/courses", object{"title": "Mine"}, "Idempotency-Key: sam").refused(403, "forbidden")
	})
}

func TestIdempotencyKeyHoldsWhileTheFirstRequestRuns_F21(t *testing.T) {
	onEachEngine(t, func(s *school) {
		answers := make([]string, 12)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() {
				_, w := s.request(s.ada, "POST", "/api/v1/courses", object{"title": "Compilers"}, "Idempotency-Key: at once")
				answers[i] = fmt.Sprint(w.Code, w.Body)
			})
		}
		wg.Wait()
		for _, a := range answers {
			if a != answers[0] || !strings.HasPrefix(a, "201") {
				t.Errorf("one request was answered %s, another %s", answers[0], a)
			}
		}
		same(t, "courses", len(s.ask(s.ada, "GET", "/api/v1/courses", nil).is(200).items()), 1)
	})
}

func TestIdempotencyKeyEndsAfterADay_F21(t *testing.T) {
	onEachEngine(t, func(s *school) {
		create := func() int64 {
			return s.ask(s.ada, "POST", "/api/v1/courses", object{"title": "Compilers"}, "Idempotency-Key: a day").is(201).id()
		}
		first := create()
		for _, step := range []struct {
			later time.Duration
			same  bool
		}{{23 * time.Hour, true}, {2 * time.Hour, false}} {
			s.mu.Lock()
			s.at = s.at.Add(step.later)
			s.mu.Unlock()
			if err := s.svc.Expire(t.Context()); err != nil {
				t.Fatal(err)
			}
			same(t, "after "+step.later.String()+" it is the same course", create() == first, step.same)
		}
	})
}

func TestIdempotencyKeyOfATokenNeverShowsItAgain_F21(t *testing.T) {
	onEachEngine(t, func(s *school) {
		key := "Idempotency-Key: once"
		s.ask(s.ada, "POST", "/api/v1/tokens", object{"name": "sync"}, key).is(201)
		s.ask(s.ada, "POST", "/api/v1/tokens", object{"name": "sync"}, key).refused(409, "token-shown-once")
		same(t, "tokens", len(s.ask(s.ada, "GET", "/api/v1/tokens", nil).is(200).items()), 1)
	})
}
