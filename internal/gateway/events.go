package gateway

import (
	"context"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// Event is one event. It never changes.
func (s *Service) Event(ctx context.Context, c Caller, id pay.EventID) (pay.Event, error) {
	return view(ctx, s.store, func(r store.Reader) (pay.Event, error) { return c.event(r, id) })
}

// Events goes on in the feed of the events that the caller may know of, oldest first.
func (s *Service) Events(ctx context.Context, c Caller, q store.EventQuery) (feed store.Feed, err error) {
	if q.Game, err = s.coveredGame(c, q.Game); err != nil {
		return feed, err
	}
	q.Environment = c.Environment
	return view(ctx, s.store, func(r store.Reader) (store.Feed, error) {
		if q.Session != "" {
			// One of somebody else has no events, and moves no cursor: not even that it is there is told.
			if _, err := c.session(r, q.Session); pay.CodeOf(err) == pay.SessionNotFound {
				return store.Feed{Next: q.After}, nil
			}
		}
		return r.Events(q)
	})
}
