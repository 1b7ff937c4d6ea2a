package coinslot

import (
	"context"
	"iter"

	"google.golang.org/protobuf/proto"

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

// Watch returns what List would, and goes on with each event as it happens. Keep the
// NextCursor of what you have worked off, and send it as Cursor to go on after a restart.
//
// It ends with ctx, or with an error that trying again does not help. A connection that
// breaks is made anew and goes on after what was returned last, so nothing is missed and
// nothing comes twice; only the first is given up on, after as many attempts as
// WithRetries allows.
func (e *Events) Watch(ctx context.Context, req *WatchEventsRequest) iter.Seq2[*WatchEventsResponse, error] {
	return func(yield func(*WatchEventsResponse, error) bool) {
		own := &WatchEventsRequest{}
		proto.Merge(own, req)
		failed := watch(ctx, e.caller, e.rpc.WatchEvents, func() *WatchEventsRequest { return own }, func(told *WatchEventsResponse) bool {
			own.Cursor = proto.String(told.GetNextCursor())
			return told.GetEvent() == nil || yield(told, nil)
		})
		if failed != nil {
			yield(nil, failed)
		}
	}
}

// Acknowledge moves the cursor that the server keeps for a consumer, so that List and
// Watch go on there when they are asked for that consumer. It never moves back.
func (e *Events) Acknowledge(ctx context.Context, req *AcknowledgeEventsRequest) (*AcknowledgeEventsResponse, error) {
	return read(ctx, e.caller, e.rpc.AcknowledgeEvents, req) // doing it again does no harm
}
