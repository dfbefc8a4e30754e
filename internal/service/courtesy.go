package service

import (
	"sync/atomic"
	"time"
)

// A courtesy lets work in the background step back while somebody waits for a
// page. Statements of a class list keep a CPU of the database busy for many
// milliseconds, and a page is a dozen moments in which its turn can come late.
type courtesy struct{ reading atomic.Int64 }

// How long work steps back at most before each of its longer statements, so that
// it goes on, more slowly, where somebody always waits.
const (
	stepBackFor  = 20 * time.Millisecond
	lookAgainFor = 500 * time.Microsecond
)

// Reading tells that somebody waits for an answer that only reads, until done is
// called. Whoever waits for a write is not counted: they may wait for the very
// rows that the work has locked.
func (s *Service) Reading() (done func()) {
	s.courtesy.reading.Add(1)
	return func() { s.courtesy.reading.Add(-1) }
}

// stepBack waits until nobody waits for a page of this node, but not for long.
func (c *courtesy) stepBack() {
	for waited := time.Duration(0); c.reading.Load() > 0 && waited < stepBackFor; waited += lookAgainFor {
		time.Sleep(lookAgainFor)
	}
}
