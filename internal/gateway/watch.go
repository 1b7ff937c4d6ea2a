package gateway

import (
	"context"
	"errors"
	"regexp"
	"sync"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

const (
	// heartbeat is how long a watcher is told nothing at most.
	heartbeat = 15 * time.Second

	// mostFollowed is how many events are looked at in one go to find who watches them.
	mostFollowed = 1000
)

// WatchSession tells a session as it is now, and after each change, until it is final. It
// tells nil as a heartbeat. What tell cannot pass on ends the watch: nothing is kept for
// a caller who does not take it.
func (s *Service) WatchSession(ctx context.Context, c Caller, id pay.SessionID, tell func(*pay.Session) error) error {
	wake, stop, err := s.watchers.add(ctx, c, watching{session: id})
	if err != nil {
		return err
	}
	defer stop()
	var told int64
	return s.keepTelling(ctx, wake, func() (done bool, err error) {
		session, err := s.Session(ctx, c, id)
		if err != nil || session.Version == told {
			return false, err
		}
		told = session.Version
		return session.Status != pay.SessionPending, tell(&session)
	}, func() error { return tell(nil) })
}

// WatchEvents goes on in the feed as events happen, until ctx ends. It tells a Feed
// without rows as a heartbeat.
func (s *Service) WatchEvents(ctx context.Context, c Caller, q store.EventQuery, tell func(store.Feed) error) error {
	game, err := s.coveredGame(c, q.Game)
	if err != nil {
		return err
	}
	wake, stop, err := s.watchers.add(ctx, c, watching{game: game, session: q.Session})
	if err != nil {
		return err
	}
	defer stop()
	return s.keepTelling(ctx, wake, func() (bool, error) {
		for {
			feed, err := s.Events(ctx, c, q)
			if err != nil {
				return false, err
			}
			q.After = feed.Next
			if len(feed.Rows) > 0 {
				if err := tell(feed); err != nil {
					return false, err
				}
			}
			if !feed.More {
				return false, ctx.Err()
			}
		}
	}, func() error { return tell(store.Feed{Next: q.After}) })
}

// keepTelling tells what is new at once and whenever it is woken, and lets hear from
// itself while nothing is.
func (s *Service) keepTelling(ctx context.Context, wake <-chan struct{}, news func() (done bool, err error), quiet func() error) error {
	timer := time.NewTimer(heartbeat)
	defer timer.Stop()
	for {
		if done, err := news(); done || err != nil {
			return err
		}
		select {
		case <-wake:
		case <-timer.C:
			if err := quiet(); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
		timer.Reset(heartbeat)
	}
}

// Latest is the place in the feed after all that has happened.
func (s *Service) Latest(ctx context.Context) (int64, error) {
	return view(ctx, s.store, store.Reader.LatestEvent)
}

// watching is what a watcher wants to be woken for. Empty fields do not filter.
type watching struct {
	game    pay.GameID
	session pay.SessionID
}

// watchers wakes those who watch. One goroutine follows the feed for all of them, so an
// event costs those nothing that it does not concern.
type watchers struct {
	store store.Store

	mu       sync.Mutex
	sessions map[pay.SessionID]map[*watcher]struct{}
	others   map[*watcher]struct{} // those that watch no one session
	position int64                 // up to which the feed was followed; meaningless while nobody watches
}

type watcher struct {
	watching
	environment pay.Environment
	wake        chan struct{} // holds a token when there may be news
}

func newWatchers(s store.Store) *watchers {
	return &watchers{store: s, sessions: map[pay.SessionID]map[*watcher]struct{}{}, others: map[*watcher]struct{}{}}
}

// add begins to watch. What happens from here on wakes the watcher; what was there before
// it has to read for itself.
func (w *watchers) add(ctx context.Context, c Caller, what watching) (wake <-chan struct{}, stop func(), err error) {
	latest, err := view(ctx, w.store, store.Reader.LatestEvent)
	if err != nil {
		return nil, nil, err
	}
	if c.Game != "" {
		what.game = c.Game
	}
	one := &watcher{watching: what, environment: c.Environment, wake: make(chan struct{}, 1)}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.sessions)+len(w.others) == 0 {
		w.position = latest
	}
	if what.session == "" {
		w.others[one] = struct{}{}
	} else {
		if w.sessions[what.session] == nil {
			w.sessions[what.session] = map[*watcher]struct{}{}
		}
		w.sessions[what.session][one] = struct{}{}
	}
	return one.wake, func() { w.remove(one) }, nil
}

func (w *watchers) remove(one *watcher) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.others, one)
	if beside := w.sessions[one.session]; beside != nil {
		if delete(beside, one); len(beside) == 0 {
			delete(w.sessions, one.session)
		}
	}
}

// follow wakes watchers until ctx ends.
func (w *watchers) follow(ctx context.Context, trouble func(error)) {
	written, stop := w.store.Watch()
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-written:
		}
		for {
			more, err := w.look(ctx)
			if err != nil && ctx.Err() == nil {
				trouble(err)
			}
			if err != nil || !more {
				break
			}
		}
	}
}

// look follows the feed for a stretch. Where that fails everybody is woken, since nobody
// knows whom it concerned.
func (w *watchers) look(ctx context.Context) (more bool, err error) {
	w.mu.Lock()
	after, nobody := w.position, len(w.sessions)+len(w.others) == 0
	w.mu.Unlock()
	if nobody {
		return false, nil
	}
	happened, err := view(ctx, w.store, func(r store.Reader) ([]store.Happening, error) { return r.Happened(after, mostFollowed) })
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.wakeAll()
		return false, err
	}
	for _, h := range happened {
		w.tell(h)
		w.position = max(w.position, h.Position)
	}
	return len(happened) == mostFollowed, nil
}

func (w *watchers) tell(h store.Happening) {
	for one := range w.sessions[h.Session] {
		one.rouse(h)
	}
	for one := range w.others {
		one.rouse(h)
	}
}

func (w *watchers) wakeAll() {
	for one := range w.others {
		one.token()
	}
	for _, beside := range w.sessions {
		for one := range beside {
			one.token()
		}
	}
}

func (w *watcher) rouse(h store.Happening) {
	if w.environment == h.Environment && (w.game == "" || w.game == h.Game) {
		w.token()
	}
}

func (w *watcher) token() {
	select {
	case w.wake <- struct{}{}:
	default: // there is one that was not taken yet
	}
}

var consumerName = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,100}$`)

func (c Caller) consumer(name string) (store.Consumer, error) {
	if !consumerName.MatchString(name) {
		return store.Consumer{}, pay.RefuseField(pay.InvalidConsumer, "consumer", "must be 1 to 100 letters, digits and . _ : -, got %.120q", name)
	}
	return store.Consumer{Environment: c.Environment, Game: c.Game, Name: name}, nil
}

// Acknowledge moves a consumer's place forward, and returns it as it is then.
func (s *Service) Acknowledge(ctx context.Context, c Caller, name string, p store.Place) (store.Place, error) {
	consumer, err := c.consumer(name)
	if err != nil {
		return store.Place{}, err
	}
	if err := c.mayWrite(); err != nil {
		return store.Place{}, err
	}
	p.At = pay.Clock(s.now())
	return s.store.Acknowledge(ctx, consumer, p)
}

// Consumer is how far a consumer has come; the zero Place where it has acknowledged nothing.
func (s *Service) Consumer(ctx context.Context, c Caller, name string) (store.Place, error) {
	consumer, err := c.consumer(name)
	if err != nil {
		return store.Place{}, err
	}
	place, err := view(ctx, s.store, func(r store.Reader) (store.Place, error) { return r.Consumer(consumer) })
	if errors.Is(err, store.ErrNotFound) {
		return store.Place{}, nil
	}
	return place, err
}
