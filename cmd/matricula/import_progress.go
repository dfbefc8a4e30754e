package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// progress shows how far something is: on a terminal as a bar that moves, and else
// as a line now and then, so that a log stays short. It is used by several
// goroutines.
type progress struct {
	mu   sync.Mutex
	w    io.Writer
	live bool
	now  func() time.Time
	rows int64 // of the step, where more is known than the server says

	stage   string
	quarter int64
	shown   time.Time
	drawn   bool // the cursor stands behind a bar
	gone    bool // the server does not answer
}

// Between two pictures of a bar, and how many signs it is long.
const (
	drawEvery = 100 * time.Millisecond
	barSigns  = 30
)

func newProgress(w io.Writer, now func() time.Time) *progress {
	return &progress{w: w, live: isTerminal(w), now: now}
}

// show says that a stage is through with so much of so much.
func (p *progress) show(stage string, done, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	done = min(done, total)
	fresh := stage != p.stage
	if p.stage = stage; fresh {
		p.quarter = 0
	}
	if p.live {
		if now := p.now(); fresh || done == total || now.Sub(p.shown) >= drawEvery {
			p.shown = now
			p.draw(stage, done, total)
		}
		return
	}
	quarter := int64(0)
	if total > 0 {
		quarter = 4 * done / total
	}
	if fresh || quarter > p.quarter {
		p.quarter = quarter
		fmt.Fprintf(p.w, "%s: %d%%\n", stage, 25*quarter)
	}
}

func (p *progress) draw(stage string, done, total int64) {
	full, percent := int64(0), int64(0)
	if total > 0 {
		full, percent = barSigns*done/total, 100*done/total
	}
	p.drawn = true
	fmt.Fprintf(p.w, "\r%-12s [%s%s] %3d%%\x1b[K", stage, strings.Repeat("#", int(full)), strings.Repeat(".", int(barSigns-full)), percent)
}

// away says that the server does not answer at the moment, and back that it does.
func (p *progress) away() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return
	}
	p.gone = true
	p.clear()
	fmt.Fprintln(p.w, "The server does not answer at the moment; trying again…")
}

func (p *progress) back() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		p.gone = false
		fmt.Fprintln(p.w, "The server answers again.")
	}
}

// end takes the bar away, so that what is written next begins a line.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.stage = ""
}

func (p *progress) clear() {
	if p.drawn {
		p.drawn = false
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
