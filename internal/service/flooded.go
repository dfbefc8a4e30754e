package service

import (
	"sync"
	"time"

	"matricula/internal/lms"
)

// flooded are the networks from which more unknown tokens have come than are counted,
// until when. It only spares the database: each node learns of it by itself.
type flooded struct {
	mu    sync.Mutex
	until map[string]floodedUntil
}

type floodedUntil struct {
	err  *lms.Error
	time time.Time
}

// maxFlooded bounds the memory; beyond it, the database is asked.
const maxFlooded = 10_000

func (f *flooded) note(network string, err *lms.Error, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.until) >= maxFlooded {
		for n, u := range f.until {
			if !now.Before(u.time) {
				delete(f.until, n)
			}
		}
		if len(f.until) >= maxFlooded {
			return
		}
	}
	if f.until == nil {
		f.until = map[string]floodedUntil{}
	}
	f.until[network] = floodedUntil{err, now.Add(err.RetryAfter)}
}

// still gives the refusal of a network, for as long as it holds.
func (f *flooded) still(network string, now time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	u, ok := f.until[network]
	if !ok {
		return nil
	}
	if !now.Before(u.time) {
		delete(f.until, network)
		return nil
	}
	e := *u.err
	e.RetryAfter = u.time.Sub(now)
	return &e
}
