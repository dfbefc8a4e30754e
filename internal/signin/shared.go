package signin

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// refreshInterval is the least time between two fetches of something that
	// we hold already, however many callers would like a newer one.
	refreshInterval = 10 * time.Second
	// maxBackOff bounds the pause after repeated failures to fetch something
	// for the first time; the first pause is a second.
	maxBackOff = 30 * time.Second
	// maxAge is when something fetched is asked for again. Until that works,
	// the old one serves on.
	maxAge = time.Hour
)

// shared is a value of a provider, fetched when first needed and kept. All
// callers that need it at once wait for the same fetch, and a provider that is
// down is asked seldom, so that its trouble does not become a stampede.
type shared[T any] struct {
	fetch func(context.Context) (T, error)
	now   func() time.Time

	mu        sync.Mutex
	value     T
	fetched   time.Time // zero: there is no value yet
	attempted time.Time
	failures  int
	err       error         // of the last attempt
	flight    chan struct{} // closed when the fetch under way is over; nil: none is
}

// get answers the value. A value that is too old, or that good does not
// accept, is fetched again first, unless that was tried too recently; then
// the one at hand is answered, good or not.
func (s *shared[T]) get(ctx context.Context, good func(T) bool) (T, error) {
	s.mu.Lock()
	now := s.now()
	if s.have() && now.Sub(s.fetched) < maxAge && good(s.value) {
		defer s.mu.Unlock()
		return s.value, nil
	}
	if s.flight == nil {
		if !s.due(now) {
			defer s.mu.Unlock()
			return s.latest()
		}
		s.begin(ctx, now)
	}
	flight := s.flight
	s.mu.Unlock()

	select {
	case <-flight:
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.latest()
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

func (s *shared[T]) have() bool { return !s.fetched.IsZero() }

// latest is called with the lock held.
func (s *shared[T]) latest() (T, error) {
	if s.have() {
		return s.value, nil
	}
	var none T
	return none, s.err
}

// due tells whether it is time for another attempt. A clock that was set back
// must not forbid attempts until it has caught up.
func (s *shared[T]) due(now time.Time) bool {
	since := now.Sub(s.attempted)
	if s.attempted.IsZero() || since < 0 {
		return true
	}
	if s.have() {
		return since >= refreshInterval
	}
	return since >= min(time.Second<<min(s.failures-1, 10), maxBackOff)
}

// begin starts a fetch that outlives the caller: others wait for it too, and
// one impatient browser must not make all of them begin again.
func (s *shared[T]) begin(ctx context.Context, now time.Time) {
	s.attempted = now
	done := make(chan struct{})
	s.flight = done
	go func() {
		defer close(done)
		value, err := s.fetchSafely(context.WithoutCancel(ctx))
		s.mu.Lock()
		defer s.mu.Unlock()
		s.flight, s.err = nil, err
		if err != nil {
			s.failures++
			return
		}
		s.value, s.fetched, s.failures = value, s.now(), 0
	}()
}

var errPanicked = errors.New("reading the provider's answer failed")

// fetchSafely turns a panic over a hostile answer into an error: on this
// goroutine no HTTP server would catch it.
func (s *shared[T]) fetchSafely(ctx context.Context) (value T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errPanicked, p)
		}
	}()
	return s.fetch(ctx)
}
