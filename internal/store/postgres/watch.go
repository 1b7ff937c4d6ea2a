package postgres

import "sync"

// watched tells those who watch that events have been written.
type watched struct {
	mu       sync.Mutex
	watchers map[chan struct{}]bool
}

// watch adds a watcher, until it calls stop.
func (w *watched) watch() (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.watchers == nil {
		w.watchers = map[chan struct{}]bool{}
	}
	w.watchers[c] = true
	return c, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.watchers, c)
	}
}

// tell gives each watcher a token, unless it has one that it did not take yet.
func (w *watched) tell() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.watchers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
