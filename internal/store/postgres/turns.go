package postgres

import (
	"context"
	"sync"
)

// turns lets one call of this process at a time at a session, so that those who wait for
// each other do so here and not on as many connections. Between processes the row's lock
// does the same.
type turns struct {
	mu   sync.Mutex
	busy map[string]chan struct{} // closed when the turn is over
}

// take waits for the turn as long as ctx allows.
func (t *turns) take(ctx context.Context, name string) (done func(), err error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		mine := make(chan struct{})
		t.mu.Lock()
		before, taken := t.busy[name]
		if !taken {
			if t.busy == nil {
				t.busy = map[string]chan struct{}{}
			}
			t.busy[name] = mine
		}
		t.mu.Unlock()
		if !taken {
			return func() { t.end(name, mine) }, nil
		}
		select {
		case <-before:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (t *turns) end(name string, mine chan struct{}) {
	t.mu.Lock()
	delete(t.busy, name)
	t.mu.Unlock()
	close(mine)
}
