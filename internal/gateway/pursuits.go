package gateway

import (
	"sync"
	"time"
)

// pursuits are the payments and refunds whose outcome is being pursued. Whoever moves the
// clock waits for them.
type pursuits struct {
	mu    sync.Mutex
	turns map[*turn]time.Time // when each tries again; zero: it is trying
}

// turn is one of them.
type turn struct{ all *pursuits }

func (p *pursuits) begin() *turn {
	t := &turn{p}
	t.tries()
	return t
}

func (t *turn) tries() { t.sleeps(time.Time{}) }

func (t *turn) sleeps(until time.Time) {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	if t.all.turns == nil {
		t.all.turns = map[*turn]time.Time{}
	}
	t.all.turns[t] = until
}

func (t *turn) end() {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	delete(t.all.turns, t)
}

// quiet says whether none is trying at that time or should be, and when the next will;
// zero: never.
func (p *pursuits) quiet(now time.Time) (next time.Time, quiet bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, until := range p.turns {
		if !until.After(now) {
			return time.Time{}, false
		}
		next = sooner(next, until)
	}
	return next, true
}

// sooner is the earlier of two times, where zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
