package gateway

import (
	"sync"
	"time"
)

// others tells what may be under way in other processes from what they left behind when
// they died. It goes by how long this process has seen it, and not by how old it is: clocks
// differ, and may be set back.
type others struct {
	shared bool // there may be other processes

	mu   sync.Mutex
	seen map[string]time.Time // when it was seen first, of all that the last pass came by
}

func newOthers(shared bool) *others { return &others{shared: shared} }

// pass is one look at all that is under way.
type pass struct {
	of  *others
	now time.Time

	mu   sync.Mutex
	seen map[string]time.Time
}

func (o *others) pass() *pass { return &pass{of: o, now: time.Now(), seen: map[string]time.Time{}} }

// mayHave says whether another process may be at a payment or a refund.
func (p *pass) mayHave(id string) bool {
	if !p.of.shared {
		return false
	}
	p.of.mu.Lock()
	first, known := p.of.seen[id]
	p.of.mu.Unlock()
	if !known {
		first = p.now
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen[id] = first
	return p.now.Sub(first) < othersPatience
}

// end forgets what the pass did not come by any more.
func (p *pass) end() {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	p.of.seen = p.seen
}
