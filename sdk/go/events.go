package coinslot

import (
	"context"
	"iter"

	"github.com/coinslot/coinslot/gen/pay/v1/payv1connect"
)

// Events are what happened, for servers that ask instead of being told by webhook.
type Events struct {
	*caller
	rpc payv1connect.EventServiceClient
}

// Get returns an event. It never changes.
func (e *Events) Get(ctx context.Context, req *GetEventRequest) (*Event, error) {
	res, err := read(ctx, e.caller, e.rpc.GetEvent, req)
	return res.GetEvent(), err
}

// List returns one page of events, oldest first. Keep its NextCursor, on the last page
// too, and send it as Cursor later for what has happened since.
func (e *Events) List(ctx context.Context, req *ListEventsRequest) (*ListEventsResponse, error) {
	return read(ctx, e.caller, e.rpc.ListEvents, req)
}

// All returns every event that List would until now, asking for a page when it is
// needed. An error ends it.
func (e *Events) All(ctx context.Context, req *ListEventsRequest) iter.Seq2[*Event, error] {
	return all(req, func(r *ListEventsRequest) ([]*Event, *string, error) {
		page, err := e.List(ctx, r)
		var next *string // the last page has a cursor too, for later
		if page.GetHasMore() {
			next = &page.NextCursor
		}
		return page.GetEvents(), next, err
	}, func(r *ListEventsRequest, cursor string) { r.Cursor = &cursor })
}
