package rpc

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// EventServer is pay.v1.EventService: it converts, calls the use case, converts.
type EventServer struct {
	gateway *gateway.Service
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
	caller := callerOf(ctx)
	if err := coversFilter(s.gateway, caller, req.GetGameId()); err != nil {
		return nil, err
	}
	session := pay.SessionID(req.GetSessionId())
	if session != "" {
		if _, err := pay.ParseSessionID("session_id", req.GetSessionId()); err != nil {
			return nil, err
		}
	}
	types, err := eventTypes(req.GetTypes())
	if err != nil {
		return nil, err
	}
	// What the types are filtered by may change from page to page: the place in the feed is the same.
	filters := []string{"events", string(caller.Environment), string(caller.Game), req.GetGameId(), req.GetSessionId()}
	window, err := windowOf(req.Limit, nil, req.Cursor, filters...)
	if err != nil {
		return nil, err
	}
	after, err := position(window)
	if err != nil {
		return nil, err
	}
	feed, err := s.gateway.Events(ctx, caller, store.EventQuery{
		Game: pay.GameID(req.GetGameId()), Session: session, Types: types, After: after, Limit: window.Limit,
	})
	if err != nil {
		return nil, err
	}
	out := &payv1.ListEventsResponse{HasMore: feed.More, NextCursor: newCursor(strconv.FormatInt(feed.Next, 10), filters)}
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

// written is an event as it was written down when it happened.
func written(e pay.Event) (*payv1.Event, error) {
	message := &payv1.Event{}
	if err := ReadJSON.Unmarshal(e.Payload, message); err != nil {
		return nil, fmt.Errorf("read the payload of event %s: %w", e.ID, err)
	}
	return message, nil
}

func eventTypes(names []string) (types []pay.EventType, err error) {
	for _, name := range names {
		t := pay.EventType(name)
		if !slices.Contains(pay.EventTypes, t) {
			return nil, pay.RefuseField(pay.InvalidRequest, "types", "must be event types such as %s, got %.60q", pay.PaymentSucceededEvent, name)
		}
		types = append(types, t)
	}
	return types, nil
}

// position is where in the feed a cursor points to.
func position(w store.Window) (int64, error) {
	if w.After == "" {
		return 0, nil
	}
	at, err := strconv.ParseInt(w.After, 10, 64)
	if err != nil || at < 0 {
		return 0, pay.RefuseField(pay.InvalidCursor, "cursor", "must be a next_cursor that a list with the same filters gave")
	}
	return at, nil
}
