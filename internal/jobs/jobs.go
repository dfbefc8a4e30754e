// Package jobs does what nobody waits for: it carries out imports, sends mail and
// webhooks, ends places whose time is over, lets people expire who never came, and
// removes what has ended. What there is to do stands in the database, and every node
// looks for it; a node that dies leaves nothing half done, and another goes on where it
// was.
package jobs

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"matricula/internal/service"
)

// How often a node looks for work that nobody told it of, and how often it removes
// what has ended. Whether something has ended is looked at when it is used, so the
// second is about space and about true lists alone.
const (
	lookEvery  = time.Second
	cleanEvery = 5 * time.Minute
)

// webhookWorkers is how many webhooks a node sends for at once, so that receivers that
// do not answer leave room for others.
const webhookWorkers = 4

// After a failure a node waits, longer each time.
const (
	firstWait = time.Second
	longWait  = 30 * time.Second
)

// Start begins to work in the background and returns what ends it: the work in
// progress is given back or finished, and waited for.
func Start(ctx context.Context, svc *service.Service, log *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	r := &runner{svc: svc, log: log, node: rand.Text()}
	var wg sync.WaitGroup
	wg.Go(func() { r.work(ctx, "an import", svc.Woken(), svc.WorkOnImport) })
	wg.Go(func() { r.work(ctx, "a roster source", nil, svc.WorkOnSource) })
	wg.Go(func() { r.work(ctx, "mail", svc.MailWoken(), svc.WorkOnMail) })
	for i := range webhookWorkers { // each by a name of its own, since a lease is one worker's
		node := r.node + "/" + strconv.Itoa(i)
		wg.Go(func() {
			r.work(ctx, "a webhook", nil, func(ctx context.Context, _ string) (bool, error) { return svc.WorkOnWebhook(ctx, node) })
		})
	}
	wg.Go(func() { r.clean(ctx) })
	return func() {
		cancel()
		wg.Wait()
	}
}

type runner struct {
	svc  *service.Service
	log  *slog.Logger
	node string // by which this process is known while it holds a lease
}

// work does one thing after another, so that whoever uses the pages meanwhile hardly
// notices: imports, for one, one at a time for each node.
func (r *runner) work(ctx context.Context, what string, woken <-chan struct{}, next func(context.Context, string) (bool, error)) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	wait := firstWait
	for {
		worked, err := next(ctx, r.node)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			r.log.Warn(what+" could not go on; the next try is soon", "error", err, "wait", wait)
			if !sleep(ctx, wait) {
				return
			}
			wait = min(2*wait, longWait)
			continue
		}
		if wait = firstWait; worked {
			continue
		}
		select {
		case <-woken:
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
}

// clean ends and removes, now and then.
func (r *runner) clean(ctx context.Context) {
	for {
		if err := r.svc.Expire(ctx); err != nil && ctx.Err() == nil {
			r.log.Warn("what has ended was not removed; the next try is soon", "error", err)
		}
		if err := r.svc.TellArrivals(ctx); err != nil && ctx.Err() == nil {
			r.log.Warn("nobody was told of arrivals; the next try is soon", "error", err)
		}
		if err := r.svc.TellExpiring(ctx); err != nil && ctx.Err() == nil {
			r.log.Warn("nobody was told of people who expire; the next try is soon", "error", err)
		}
		if err := r.svc.TellClaims(ctx); err != nil && ctx.Err() == nil {
			r.log.Warn("nobody was told of requests for an address; the next try is soon", "error", err)
		}
		if n, err := r.svc.EndPlaces(ctx); err != nil && ctx.Err() == nil {
			r.log.Warn("places that are over were not ended; the next try is soon", "error", err)
		} else if n > 0 {
			r.log.Info("places have ended", "places", n)
		}
		if n, err := r.svc.ExpirePending(ctx); err != nil && ctx.Err() == nil {
			r.log.Warn("people who never came did not expire; the next try is soon", "error", err)
		} else if n > 0 {
			r.log.Info("people who never came have expired", "people", n)
		}
		if !sleep(ctx, cleanEvery) {
			return
		}
	}
}

// sleep waits, and tells whether it was to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
