package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// side is one of those that are compared: the server, or bare handlers.
type side struct {
	name    string
	url     string
	token   string
	client  *http.Client
	product *product // nil on a bare side
	bare    *bare    // nil on the server's
}

func newSide(name, url, token string) *side {
	return &side{name: name, url: url, token: token, client: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// send makes one request and answers the body. Every status but 2xx is an error.
func (s *side) send(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, reader)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: status %d: %s", method, path, resp.StatusCode, got[:min(len(got), 300)])
	}
	return got, err
}

// measurement is one of the things that are measured.
type measurement struct {
	key, title  string
	concurrency int
	requests    int // in a round; 0: as many as fit in the time of a round
	rounds      int // 0: as many as asked for

	// prepare is done before a side's round, and verify after it; neither is
	// timed. call is one timed request. All three are the same for every side.
	prepare func(ctx context.Context, s *side, requests int) error
	call    func(ctx context.Context, s *side, worker int) error
	verify  func(ctx context.Context, s *side) error
}

// round is what one side did in one round.
type round struct {
	elapsed   time.Duration
	cpu       time.Duration   // of this process: client, handler and, with SQLite, the database
	latencies []time.Duration // sorted
}

func (r *round) cpuEach() float64 { return float64(r.cpu) / float64(len(r.latencies)) }

// processorTime is what this process has used so far.
func processorTime() (time.Duration, error) {
	var r syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), err
}

func (r *round) rate() float64 { return float64(len(r.latencies)) / r.elapsed.Seconds() }

func (r *round) percentile(p float64) time.Duration {
	return r.latencies[min(int(p*float64(len(r.latencies))), len(r.latencies)-1)]
}

// drive keeps workers busy with call until the deadline, or until so many
// requests have been made. Requests that have begun are waited for.
func (m *measurement) drive(ctx context.Context, s *side, seconds float64, requests int) (round, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var begun atomic.Int64
	all := make([][]time.Duration, m.concurrency)
	var wait sync.WaitGroup
	used, err := processorTime()
	if err != nil {
		return round{}, err
	}
	start := time.Now()
	limit := time.Duration(seconds * float64(time.Second))
	more := func() bool {
		if requests > 0 {
			return begun.Add(1) <= int64(requests)
		}
		return time.Since(start) < limit
	}
	for worker := range m.concurrency {
		wait.Go(func() {
			for ctx.Err() == nil && more() {
				sent := time.Now()
				if err := m.call(ctx, s, worker); err != nil {
					cancel(fmt.Errorf("%s: %s: %w", m.title, s.name, err))
					return
				}
				all[worker] = append(all[worker], time.Since(sent))
			}
		})
	}
	wait.Wait()
	r := round{elapsed: time.Since(start), latencies: slices.Concat(all...)}
	now, err := processorTime()
	if err != nil {
		return r, err
	}
	r.cpu = now - used
	slices.Sort(r.latencies)
	if err := context.Cause(ctx); err != nil {
		return r, err
	}
	if len(r.latencies) == 0 {
		return r, fmt.Errorf("%s: %s: no request was made", m.title, s.name)
	}
	return r, nil
}

// one round of one side, prepared and verified.
func (m *measurement) round(ctx context.Context, s *side, seconds float64, requests int) (r round, err error) {
	if m.prepare != nil {
		if err := m.prepare(ctx, s, requests); err != nil {
			return r, fmt.Errorf("%s: %s: prepare: %w", m.title, s.name, err)
		}
	}
	runtime.GC()
	if r, err = m.drive(ctx, s, seconds, requests); err != nil {
		return r, err
	}
	if m.verify != nil {
		if err := m.verify(ctx, s); err != nil {
			return r, fmt.Errorf("%s: %s: what was acknowledged is not what is there: %w", m.title, s.name, err)
		}
	}
	return r, nil
}

// warmUp is how long each side runs before its first round, in rounds.
const warmUp = 1

// warmUpRequests is the same, where a round is a number of requests.
func (m *measurement) warmUpRequests() int { return (m.requests + 3) / 4 }

// measureTogether makes measurements whose rounds take turns, and within each
// the sides, so that what else the machine does falls on all of them. Every
// other round goes backwards.
func measureTogether(ctx context.Context, results []*result, rounds int, seconds float64) error {
	type turn struct {
		*result
		side *side
	}
	var turns []turn
	for _, r := range results {
		r.rounds = map[*side][]round{}
		if r.measurement.rounds > 0 {
			rounds = r.measurement.rounds
		}
		for _, s := range r.sides {
			turns = append(turns, turn{r, s})
			if _, err := r.measurement.round(ctx, s, seconds*warmUp, r.measurement.warmUpRequests()); err != nil {
				return err
			}
		}
	}
	for range rounds {
		for _, t := range turns {
			one, err := t.measurement.round(ctx, t.side, seconds, t.measurement.requests)
			if err != nil {
				return err
			}
			t.rounds[t.side] = append(t.rounds[t.side], one)
		}
		slices.Reverse(turns)
	}
	return nil
}

var errShape = errors.New("the bare handler answers another shape than the server")
