package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// memory brings a huge list to the program and prints the most that its process
// has held until the list was read, checked and carried out.
func (b *bench) memory(ctx context.Context, engine string) (err error) {
	s, err := b.start(ctx, engine, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	file, err := b.list(b.huge, "huge")
	if err != nil {
		return err
	}
	var peaks [3]int64
	if peaks[0], err = s.peak(); err != nil {
		return err
	}
	start := time.Now()
	i, err := s.upload(ctx, s.courses[0], file)
	if err != nil {
		return err
	}
	ready := time.Since(start)
	if peaks[1], err = s.peak(); err != nil {
		return err
	}
	if err := s.carry(ctx, i.ID); err != nil {
		return err
	}
	if i, err = s.await(ctx, i.ID, "done", nil); err != nil {
		return err
	}
	if peaks[2], err = s.peak(); err != nil {
		return err
	}
	fmt.Fprintf(b.out, "\n%s: a list of %d people over HTTP: checked after %v, done after %v, %v; the program's peak of memory: %d MB idle, %d MB when checked, %d MB when done (target: below 256)\n",
		engine, b.huge, round(ready), round(time.Since(start)), i.Counts, peaks[0]>>20, peaks[1]>>20, peaks[2]>>20)
	return nil
}

// latencies are how long requests took.
type latencies struct {
	mu     sync.Mutex
	took   []time.Duration
	failed error
}

func (l *latencies) add(d time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took = append(l.took, d)
	if l.failed == nil {
		l.failed = err
	}
}

func (l *latencies) percentile(p float64) time.Duration {
	slices.Sort(l.took)
	if len(l.took) == 0 {
		return 0
	}
	return l.took[min(int(p*float64(len(l.took))), len(l.took)-1)]
}

func (l *latencies) String() string {
	return fmt.Sprintf("p50 %v, p99 %v, longest %v (%d requests)", l.percentile(0.5).Round(100*time.Microsecond), l.percentile(0.99).Round(100*time.Microsecond), l.percentile(1).Round(100*time.Microsecond), len(l.took))
}

// users ask, each with a pause of about think between two requests, until ctx ends.
func users(ctx context.Context, n int, think time.Duration, ask func(ctx context.Context, user, turn int) error) *latencies {
	l := &latencies{}
	var wait sync.WaitGroup
	for user := range n {
		wait.Go(func() {
			pause := time.Duration(rand.Int64N(int64(think)))
			for turn := 0; ; turn++ {
				select {
				case <-time.After(pause):
				case <-ctx.Done():
					return
				}
				start := time.Now()
				// What has begun is waited for.
				if err := ask(context.WithoutCancel(ctx), user, turn); err != nil {
					l.add(time.Since(start), err)
					return
				}
				l.add(time.Since(start), nil)
				pause = think/2 + time.Duration(rand.Int64N(int64(think)))
			}
		})
	}
	wait.Wait()
	return l
}

// during has users ask while work goes on, or for a while without any.
func during(ctx context.Context, work func(context.Context) error, n int, think time.Duration, ask func(ctx context.Context, user, turn int) error) (*latencies, error) {
	asking, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() {
		done <- work(ctx)
		stop()
	}()
	l := users(asking, n, think, ask)
	stop()
	return l, errors.Join(<-done, l.failed)
}

func quiet(ctx context.Context) error {
	select {
	case <-time.After(10 * time.Second):
	case <-ctx.Done():
	}
	return ctx.Err()
}

// felt asks for the People page of a course while nothing happens, and while a list
// is carried out in another course.
func (b *bench) felt(ctx context.Context, engine string) (err error) {
	s, err := b.start(ctx, engine, 2)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	file, err := b.list(b.others, "felt")
	if err != nil {
		return err
	}
	page := func(ctx context.Context, _, _ int) error {
		_, err := s.send(ctx, http.MethodGet, fmt.Sprintf("/courses/%d/people", s.courses[1]), "", nil)
		return err
	}
	const visitors, think = 8, 200 * time.Millisecond
	if _, err := during(ctx, func(context.Context) error { time.Sleep(2 * time.Second); return nil }, visitors, think, page); err != nil {
		return err
	}
	alone, err := during(ctx, quiet, visitors, think, page)
	if err != nil {
		return err
	}
	var i imported
	checked, err := during(ctx, func(ctx context.Context) (err error) {
		i, err = s.upload(ctx, s.courses[0], file)
		return err
	}, visitors, think, page)
	if err != nil {
		return err
	}
	start := time.Now()
	carried, err := during(ctx, func(ctx context.Context) error {
		if err := s.carry(ctx, i.ID); err != nil {
			return err
		}
		_, err := s.await(ctx, i.ID, "done", nil)
		return err
	}, visitors, think, page)
	if err != nil {
		return err
	}
	took := time.Since(start)
	after, err := during(ctx, quiet, visitors, think, page)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "\n%s: the People page of another course, %d visitors, while a list of %d rows goes in (target: p99 below 2 times the quiet one)\n", engine, visitors, b.others)
	fmt.Fprintf(b.out, "  quiet:          %v\n", alone)
	for _, l := range []struct {
		name string
		*latencies
	}{{"read, checked:", checked}, {"carried out:", carried}, {"afterwards:", after}} {
		fmt.Fprintf(b.out, "  %-15s %v; p50 x %.2f, p99 x %.2f\n", l.name, l.latencies,
			float64(l.percentile(0.5))/float64(alone.percentile(0.5)), float64(l.percentile(0.99))/float64(alone.percentile(0.99)))
	}
	fmt.Fprintf(b.out, "  carried out in %v\n", round(took))
	return nil
}

// five carries five lists out at once beside a hundred people (G-04).
func (b *bench) five(ctx context.Context, engine string) (err error) {
	const lists, people, think = 5, 100, time.Second
	s, err := b.start(ctx, engine, lists+1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	page := func(ctx context.Context, _, _ int) error {
		_, err := s.send(ctx, http.MethodGet, fmt.Sprintf("/courses/%d/people", s.courses[lists]), "", nil)
		return err
	}
	alone, err := during(ctx, quiet, people, think, page)
	if err != nil {
		return err
	}
	var ids []int64
	for k := range lists {
		file, err := b.list(b.fifth, string(rune('p'+k)))
		if err != nil {
			return err
		}
		i, err := s.upload(ctx, s.courses[k], file)
		if err != nil {
			return err
		}
		ids = append(ids, i.ID)
	}
	var mu sync.Mutex
	done, apart := map[int64]int64{}, int64(0)
	var ends []string
	start := time.Now()
	work := func(ctx context.Context) error {
		var wait sync.WaitGroup
		errs := make([]error, lists)
		for _, id := range ids {
			if err := s.carry(ctx, id); err != nil {
				return err
			}
		}
		for k, id := range ids {
			wait.Go(func() {
				_, errs[k] = s.await(ctx, id, "done", func(i imported) {
					mu.Lock()
					defer mu.Unlock()
					done[id] = i.Done
					if len(done) < lists {
						return
					}
					least, most := i.Done, i.Done
					for _, n := range done {
						least, most = min(least, n), max(most, n)
					}
					apart = max(apart, most-least)
				})
				mu.Lock()
				defer mu.Unlock()
				delete(done, id)
				ends = append(ends, round(time.Since(start)).String())
			})
		}
		wait.Wait()
		return errors.Join(errs...)
	}
	beside, err := during(ctx, work, people, think, page)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "\n%s: G-04, %d lists of %d rows at once beside %d people at the People page of another course (target: p99 at most 250 ms)\n", engine, lists, b.fifth, people)
	fmt.Fprintf(b.out, "  quiet:          %v\n  carried out:    %v; p99 x %.2f\n", alone, beside, float64(beside.percentile(0.99))/float64(alone.percentile(0.99)))
	fmt.Fprintf(b.out, "  the five ended after %s; while all ran, they were at most %d rows apart\n", strings.Join(ends, ", "), apart)
	return nil
}

// writers change privileges beside a list that is carried out (G-06). Nobody may be
// told that the database is locked: any answer but success ends the measurement.
func (b *bench) writers(ctx context.Context, engine string) (err error) {
	const writers, think = 200, time.Second
	s, err := b.start(ctx, engine, 2)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	file, err := b.list(b.others, "w")
	if err != nil {
		return err
	}
	grants := [2]string{`{"course_privileges":["audit.view"]}`, `{"course_privileges":["roster.view"]}`}
	write := func(ctx context.Context, user, turn int) error {
		path := fmt.Sprintf("/api/v1/users/%d/privileges?course_id=%d", s.people[user], s.courses[0])
		_, err := s.send(ctx, http.MethodPatch, path, "application/json", strings.NewReader(grants[turn%2]))
		return err
	}
	alone, err := during(ctx, quiet, writers, think, write)
	if err != nil {
		return err
	}
	i, err := s.upload(ctx, s.courses[1], file)
	if err != nil {
		return err
	}
	start := time.Now()
	beside, err := during(ctx, func(ctx context.Context) error {
		if err := s.carry(ctx, i.ID); err != nil {
			return err
		}
		_, err := s.await(ctx, i.ID, "done", nil)
		return err
	}, writers, think, write)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "\n%s: G-06, %d people who write beside a list of %d rows; none was refused (target: p99 at most 500 ms)\n", engine, writers, b.others)
	fmt.Fprintf(b.out, "  quiet:          %v\n  carried out:    %v; p99 x %.2f; the list took %v\n", alone, beside, float64(beside.percentile(0.99))/float64(alone.percentile(0.99)), round(time.Since(start)))
	return nil
}
