package rpc

import (
	"context"
	"fmt"
	"slices"

	"connectrpc.com/connect"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// EventServer is pay.v1.EventService: it converts, calls the use case, converts.
type EventServer struct {
	gateway *gateway.Service
	convert Converter
	places  Places
}

// GetEvent implements pay.v1.EventService.
func (s *EventServer) GetEvent(ctx context.Context, req *payv1.GetEventRequest) (*payv1.GetEventResponse, error) {
	id, err := pay.ParseEventID("id", req.GetId())
	if err != nil {
		return nil, err
	}
	event, err := s.gateway.Event(ctx, callerOf(ctx), id)
	if err != nil {
		return nil, err
	}
	message, err := written(event)
	return &payv1.GetEventResponse{Event: message}, err
}

// ListEvents implements pay.v1.EventService.
func (s *EventServer) ListEvents(ctx context.Context, req *payv1.ListEventsRequest) (*payv1.ListEventsResponse, error) {
	q, marks, _, err := s.queryOf(ctx, req)
	if err != nil {
		return nil, err
	}
	window, err := windowOf(req.Limit, nil, nil)
	if err != nil {
		return nil, err
	}
	q.Limit = window.Limit
	feed, err := s.gateway.Events(ctx, callerOf(ctx), q)
	if err != nil {
		return nil, err
	}
	out := &payv1.ListEventsResponse{HasMore: feed.More, NextCursor: s.places.cursor(feed.Next, marks)}
	for _, event := range feed.Rows {
		message, err := written(event)
		if err != nil {
			return nil, err
		}
		out.Events = append(out.Events, message)
	}
	tellFeed(ctx, out)
	return out, nil
}

// WatchEvents implements pay.v1.EventService.
func (s *EventServer) WatchEvents(ctx context.Context, req *payv1.WatchEventsRequest, stream *connect.ServerStream[payv1.WatchEventsResponse]) error {
	q, marks, fresh, err := s.queryOf(ctx, req)
	if err != nil {
		return err
	}
	if fresh && req.GetFromNow() {
		if q.After, err = s.gateway.Latest(ctx, callerOf(ctx), q.Game); err != nil {
			return err
		}
	}
	return s.gateway.WatchEvents(ctx, callerOf(ctx), q, func(feed store.Feed) error {
		if len(feed.Rows) == 0 {
			return stream.Send(&payv1.WatchEventsResponse{NextCursor: s.places.cursor(feed.Next, marks)})
		}
		for _, event := range feed.Rows {
			message, err := written(event)
			if err != nil {
				return err
			}
			if err := stream.Send(&payv1.WatchEventsResponse{Event: message, NextCursor: s.places.cursor(event.Position, marks)}); err != nil {
				return err
			}
		}
		return nil
	})
}

// WatchSession implements pay.v1.EventService.
func (s *EventServer) WatchSession(ctx context.Context, req *payv1.WatchSessionRequest, stream *connect.ServerStream[payv1.WatchSessionResponse]) error {
	id, err := pay.ParseSessionID("id", req.GetId())
	if err != nil {
		return err
	}
	return s.gateway.WatchSession(ctx, callerOf(ctx), id, func(session *pay.Session) error {
		if session == nil {
			return stream.Send(&payv1.WatchSessionResponse{})
		}
		return stream.Send(&payv1.WatchSessionResponse{Session: s.convert.Session(*session)})
	})
}

// AcknowledgeEvents implements pay.v1.EventService.
func (s *EventServer) AcknowledgeEvents(ctx context.Context, req *payv1.AcknowledgeEventsRequest) (*payv1.AcknowledgeEventsResponse, error) {
	at, ok := s.places.whatever(req.GetCursor())
	if !ok {
		at = -1 // which is nowhere
	}
	place, err := s.gateway.Acknowledge(ctx, callerOf(ctx), req.GetConsumer(), store.Place{Position: at, Cursor: req.GetCursor()})
	if err != nil {
		return nil, err
	}
	return &payv1.AcknowledgeEventsResponse{Cursor: place.Cursor}, nil
}

// feedRequest is what ListEvents and WatchEvents are both asked.
type feedRequest interface {
	GetGameId() string
	GetSessionId() string
	GetTypes() []string
	GetCursor() string
	GetConsumer() string
}

// queryOf is the part of the feed that is asked for, what its cursors are marked with, and
// whether it begins at the first event because nothing says where to go on. The marks are
// what the feed is filtered by. The types are not among that: the place in the feed is
// the same whatever types are wanted.
func (s *EventServer) queryOf(ctx context.Context, req feedRequest) (q store.EventQuery, marks []string, fresh bool, err error) {
	caller := callerOf(ctx)
	if err := coversFilter(s.gateway, caller, req.GetGameId()); err != nil {
		return q, nil, false, err
	}
	q = store.EventQuery{Game: pay.GameID(req.GetGameId()), Session: pay.SessionID(req.GetSessionId()), Limit: defaultLimit}
	if q.Session != "" {
		if _, err := pay.ParseSessionID("session_id", req.GetSessionId()); err != nil {
			return q, nil, false, err
		}
	}
	if q.Types, err = eventTypes("types", req.GetTypes()); err != nil {
		return q, nil, false, err
	}
	marks = []string{"events", string(caller.Environment), string(caller.Game), req.GetGameId(), req.GetSessionId()}
	from, err := s.whereToGoOn(ctx, req)
	if err != nil || from.cursor == "" {
		return q, marks, true, err
	}
	var ok bool
	if q.After, ok = s.places.at(from.cursor, marks); !ok {
		return q, nil, false, pay.RefuseField(pay.InvalidCursor, from.field, "%s", from.wanted)
	}
	return q, marks, false, nil
}

// start is the cursor to go on from, empty where there is none, and the field that says so.
type start struct{ cursor, field, wanted string }

func (s *EventServer) whereToGoOn(ctx context.Context, req feedRequest) (start, error) {
	if req.GetCursor() != "" || req.GetConsumer() == "" {
		return start{req.GetCursor(), "cursor", "must go on from a next_cursor that came with the same game_id and session_id"}, nil
	}
	place, err := s.gateway.Consumer(ctx, callerOf(ctx), req.GetConsumer())
	return start{place.Cursor, "consumer", "has acknowledged a cursor that came with other filters; ask with those, or under another name"}, err
}

// written is an event as it was written down when it happened.
func written(e pay.Event) (*payv1.Event, error) {
	message := &payv1.Event{}
	if err := ReadJSON.Unmarshal(e.Payload, message); err != nil {
		return nil, fmt.Errorf("read the payload of event %s: %w", e.ID, err)
	}
	return message, nil
}

func eventTypes(field string, names []string) (types []pay.EventType, err error) {
	for _, name := range names {
		t := pay.EventType(name)
		if !slices.Contains(pay.EventTypes, t) {
			return nil, pay.RefuseField(pay.InvalidRequest, field, "must be event types such as %s, got %.60q", pay.PaymentSucceededEvent, name)
		}
		types = append(types, t)
	}
	return types, nil
}
