package sandbox

import (
	"context"
	"sync"

	"github.com/coinslot/coinslot/internal/pay"
)

// turns lets one call at a time at a payment, and any number at different ones. It
// holds only the payments that are being worked on.
type turns struct {
	mu    sync.Mutex
	taken map[pay.PaymentID]chan struct{} // closed when the turn is over
}

// take waits for a turn at the payment, which lasts until done is called. The only
// error is ctx's, if that ends first.
func (t *turns) take(ctx context.Context, id pay.PaymentID) (done func(), err error) {
	for {
		busy := t.tryTake(id)
		if busy == nil {
			return func() { t.release(id) }, nil
		}
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// tryTake takes the turn, or returns what is closed when the present one is over.
func (t *turns) tryTake(id pay.PaymentID) (busy <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if busy, ok := t.taken[id]; ok {
		return busy
	}
	if t.taken == nil {
		t.taken = map[pay.PaymentID]chan struct{}{}
	}
	t.taken[id] = make(chan struct{})
	return nil
}

func (t *turns) release(id pay.PaymentID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.taken[id])
	delete(t.taken, id)
}
