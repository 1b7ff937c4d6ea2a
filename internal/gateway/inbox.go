package gateway

import (
	"context"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// What the sandbox's inbox shows: every event as a webhook, whether or not anybody is
// told of it. None of this ever reads an event of production.

// inboxReader is who looks at the inbox: the operator, and in the sandbox only.
var inboxReader = Caller{Environment: pay.Sandbox}

// InboxQuery selects events of the sandbox. Empty fields do not filter.
type InboxQuery struct {
	Game    pay.GameID
	Session pay.SessionID
	Type    pay.EventType
}

func (q InboxQuery) events(most int) store.EventQuery {
	found := store.EventQuery{Environment: inboxReader.Environment, Game: q.Game, Session: q.Session, Limit: most}
	if q.Type != "" {
		found.Types = []pay.EventType{q.Type}
	}
	return found
}

// InboxPage is a part of the inbox, the newest event first.
type InboxPage struct {
	Events []pay.Event
	Before int64 // where older ones go on; 0: there are none
	Latest int64 // the place in the feed from which WatchInbox tells what came after this page
	Games  []pay.Game
}

// Inbox pages through the sandbox's events before a position; 0: from the newest.
func (s *Service) Inbox(ctx context.Context, q InboxQuery, before int64, most int) (InboxPage, error) {
	return view(ctx, s.store, func(r store.Reader) (p InboxPage, err error) {
		if p.Games, err = r.Games(); err != nil {
			return p, err
		}
		if err := checkGame(r, q.Game); err != nil {
			return p, err
		}
		if p.Latest, err = r.LatestEvent(inboxReader.Environment, ""); err != nil {
			return p, err
		}
		feed, err := r.Recent(q.events(most), before)
		if feed.More {
			p.Before = feed.Next
		}
		p.Events = feed.Rows
		return p, err
	})
}

// WatchInbox tells a place in the feed whenever events that are asked for have happened
// since the one it began at, until ctx ends. It tells 0 as a heartbeat.
func (s *Service) WatchInbox(ctx context.Context, q InboxQuery, after int64, tell func(latest int64) error) error {
	follow := q.events(mostToldAtOnce)
	follow.After = after
	return s.WatchEvents(ctx, inboxReader, follow, func(f store.Feed) error {
		if len(f.Rows) == 0 {
			return tell(0)
		}
		return tell(f.Next)
	})
}

// Captured is an event of the sandbox, and how it stands with each endpoint that is told of it.
type Captured struct {
	pay.Event
	Told []Told
}

// Told is how a delivery stands.
type Told struct {
	Endpoint pay.Endpoint
	Delivery store.DeliveryState
	Last     *pay.Attempt // nil: none was made yet
}

// InboxEvent is one event of the sandbox.
func (s *Service) InboxEvent(ctx context.Context, id pay.EventID) (Captured, error) {
	return view(ctx, s.store, func(r store.Reader) (c Captured, err error) {
		if c.Event, err = inboxReader.event(r, id); err != nil {
			return c, err
		}
		endpoints, err := r.Endpoints()
		if err != nil {
			return c, err
		}
		for _, e := range endpoints {
			if e.Environment != c.Environment || e.Game != c.Game {
				continue
			}
			found, err := r.Deliveries(store.DeliveryQuery{Endpoint: e.ID, Event: id, Limit: 1})
			if err != nil {
				return c, err
			}
			for _, d := range found.Rows {
				attempts, err := r.Attempts(d.ID)
				if err != nil {
					return c, err
				}
				e.Secrets = nil // which are nobody's to see
				c.Told = append(c.Told, Told{e, d, last(attempts)})
			}
		}
		return c, nil
	})
}

func last(attempts []pay.Attempt) *pay.Attempt {
	if len(attempts) == 0 {
		return nil
	}
	return &attempts[len(attempts)-1]
}
