package gateway

import (
	"context"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

const (
	// heartbeat is how long a watcher is told nothing at most.
	heartbeat = 15 * time.Second

	// mostToldAtOnce is how many events a watcher has in memory at most.
	mostToldAtOnce = 25
)

// WatchSession tells a session as it is now, and after each change, until it is final.
// Changes that follow each other closely can be told as one. It tells nil as a heartbeat.
// What tell cannot pass on ends the watch: nothing is kept for a caller who does not take it.
func (s *Service) WatchSession(ctx context.Context, c Caller, id pay.SessionID, tell func(*pay.Session) error) error {
	wake, stop, err := s.watchers.add(ctx, place{session: id})
	if err != nil {
		return err
	}
	defer stop()
	var told pay.Session
	return s.keepTelling(ctx, c, wake, func() (telling, error) {
		session, err := s.Session(ctx, c, id)
		if err != nil || session.Version == told.Version && session.Status == told.Status {
			return nothing, err
		}
		told = session
		if session.Status != pay.SessionPending {
			return theLast, tell(&session)
		}
		return something, tell(&session)
	}, func() error { return tell(nil) })
}

// WatchCheckout tells the payment page of a session as it is now, and after each change,
// until it is final. It tells nil as a heartbeat, and looks again after each: not all that
// a page shows is an event.
func (s *Service) WatchCheckout(ctx context.Context, id pay.SessionID, tell func(*Checkout) error) error {
	wake, stop, err := s.watchers.add(ctx, place{session: id})
	if err != nil {
		return err
	}
	defer stop()
	var told *Checkout
	return s.keepTelling(ctx, Caller{}, wake, func() (telling, error) {
		c, err := s.Checkout(ctx, id)
		if err != nil || told != nil && c.sameAs(*told) {
			return nothing, err
		}
		told = &c
		if c.Session.Status != pay.SessionPending {
			return theLast, tell(&c)
		}
		return something, tell(&c)
	}, func() error { return tell(nil) })
}

// sameAs says whether nothing has changed between two looks at a session. What is noted on
// a payment while it is under way does not raise its version.
func (c Checkout) sameAs(o Checkout) bool {
	if c.Session.Version != o.Session.Version || c.Session.Status != o.Session.Status || (c.Payment == nil) != (o.Payment == nil) {
		return false
	}
	if c.Payment == nil {
		return true
	}
	now, was := *c.Payment, *o.Payment
	return now.ID == was.ID && now.Version == was.Version &&
		now.Action == was.Action && now.Asking == was.Asking && now.Intent == was.Intent && (now.Failure == nil) == (was.Failure == nil)
}

// WatchEvents goes on in the feed as events happen, until ctx ends. It tells a Feed
// without rows as a heartbeat, and once when all is told that was there already.
func (s *Service) WatchEvents(ctx context.Context, c Caller, q store.EventQuery, tell func(store.Feed) error) error {
	game, err := s.coveredGame(c, q.Game)
	if err != nil {
		return err
	}
	at := place{environment: c.Environment, game: game}
	if q.Session != "" {
		at = place{session: q.Session}
	}
	wake, stop, err := s.watchers.add(ctx, at)
	if err != nil {
		return err
	}
	defer stop()
	q.Limit = mostToldAtOnce
	quiet := func() error { return tell(store.Feed{Next: q.After}) }
	past := true
	return s.keepTelling(ctx, c, wake, func() (telling, error) {
		feed, err := s.Events(ctx, c, q)
		if err != nil {
			return nothing, err
		}
		q.After = feed.Next
		if len(feed.Rows) > 0 {
			err = tell(feed)
		}
		switch {
		case err != nil:
			return nothing, err
		case feed.More:
			return somethingAndMore, nil
		case past:
			past = false
			return something, quiet()
		case len(feed.Rows) == 0:
			return nothing, nil
		}
		return something, nil
	}, quiet)
}

// telling is how much a watcher was just told.
type telling int

const (
	nothing telling = iota
	something
	somethingAndMore // follows, without anybody waking the watcher
	theLast
)

// keepTelling tells the news at once and whenever it is woken, and lets hear from itself
// while there are none. It ends when the caller's key is no longer valid.
func (s *Service) keepTelling(ctx context.Context, c Caller, wake <-chan struct{}, news func() (telling, error), quiet func() error) error {
	timer := time.NewTimer(heartbeat)
	defer timer.Stop()
	for {
		if err := s.stillIn(c); err != nil {
			return err
		}
		told, err := news()
		if err != nil || told == theLast {
			return err
		}
		if told != nothing {
			timer.Reset(heartbeat)
		}
		if told == somethingAndMore {
			continue
		}
		select {
		case <-wake:
		case <-timer.C:
			if err := s.stillIn(c); err != nil {
				return err
			}
			if err := quiet(); err != nil {
				return err
			}
			timer.Reset(heartbeat)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Latest is the place in the feed after all that has happened: of a game, where one is
// asked for or the caller's key is limited to one, so that nobody learns when others sell.
func (s *Service) Latest(ctx context.Context, c Caller, game pay.GameID) (int64, error) {
	if game == "" {
		game = c.Game
	}
	return view(ctx, s.store, func(r store.Reader) (int64, error) { return r.LatestEvent(c.Environment, game) })
}
