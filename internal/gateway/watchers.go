package gateway

import (
	"context"
	"sync"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// mostFollowed is how many events are looked at in one go to find who watches them.
const mostFollowed = 1000

// place is where things happen: in a session, or in a game, or in any game of an environment.
type place struct {
	session     pay.SessionID // and nothing else
	environment pay.Environment
	game        pay.GameID
}

// watchers wakes those who watch. One goroutine follows the feed for all of them, so an
// event costs those nothing that it does not concern.
type watchers struct {
	store store.Store

	mu       sync.Mutex
	at       map[place]map[watcher]struct{} // no place without a watcher
	position int64                          // up to which the feed was followed; meaningless while nobody watches
}

// watcher holds a token when there may be news.
type watcher chan struct{}

func newWatchers(s store.Store) *watchers {
	return &watchers{store: s, at: map[place]map[watcher]struct{}{}}
}

// add begins to watch. What happens from here on wakes the watcher; what was there before
// it has to read for itself.
func (w *watchers) add(ctx context.Context, p place) (wake <-chan struct{}, stop func(), err error) {
	latest, err := w.latest(ctx)
	if err != nil {
		return nil, nil, err
	}
	one := make(watcher, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.at) == 0 {
		w.position = latest
	}
	if w.at[p] == nil {
		w.at[p] = map[watcher]struct{}{}
	}
	w.at[p][one] = struct{}{}
	return one, func() { w.remove(p, one) }, nil
}

func (w *watchers) latest(ctx context.Context) (int64, error) {
	return view(ctx, w.store, func(r store.Reader) (int64, error) { return r.LatestEvent("", "") })
}

func (w *watchers) remove(p place, one watcher) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if delete(w.at[p], one); len(w.at[p]) == 0 {
		delete(w.at, p)
	}
}

// follow wakes watchers until ctx ends.
func (w *watchers) follow(ctx context.Context, trouble func(error)) {
	written, stop := w.store.Watch()
	defer stop()
	for {
		for { // at first too: who began to watch before this may have been passed over
			more, err := w.look(ctx)
			if err != nil && ctx.Err() == nil {
				trouble(err)
			}
			if err != nil || !more {
				break
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-written:
		}
	}
}

// look follows the feed for a stretch. Where that fails everybody is woken, since nobody
// knows whom it concerned.
func (w *watchers) look(ctx context.Context) (more bool, err error) {
	after, somebody := w.followed()
	if !somebody {
		return false, nil
	}
	happened, err := view(ctx, w.store, func(r store.Reader) ([]store.Happening, error) { return r.Happened(after, mostFollowed) })
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		for p := range w.at {
			w.wake(p)
		}
		return false, err
	}
	for _, h := range happened {
		w.wake(place{session: h.Session})
		w.wake(place{environment: h.Environment, game: h.Game})
		w.wake(place{environment: h.Environment})
		w.position = max(w.position, h.Position)
	}
	return len(happened) == mostFollowed, nil
}

func (w *watchers) followed() (position int64, somebody bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.position, len(w.at) > 0
}

// hint wakes those who watch a session, in which something has changed without an event.
func (w *watchers) hint(id pay.SessionID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wake(place{session: id})
}

// wake gives each watcher of a place a token, unless it has one that it did not take yet.
func (w *watchers) wake(p place) {
	for one := range w.at[p] {
		select {
		case one <- struct{}{}:
		default:
		}
	}
}
