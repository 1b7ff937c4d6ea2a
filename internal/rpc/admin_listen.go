package rpc

import (
	"context"

	"connectrpc.com/connect"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// listeners is what the cursors of listeners are marked with. A listener's place is in the
// feed of its environment, whatever it filters by.
var listeners = []string{"listeners"}

// Listen implements admin.v1.AdminService.
func (s *AdminServer) Listen(ctx context.Context, req *adminv1.ListenRequest, stream *connect.ServerStream[adminv1.ListenResponse]) error {
	env, err := environmentFilter(&req.Environment)
	if err != nil {
		return err
	}
	types, err := eventTypes("events", req.GetEvents())
	if err != nil {
		return err
	}
	if req.GetGameId() != "" {
		if _, err := s.gateway.Game(ctx, pay.GameID(req.GetGameId())); err != nil {
			return err
		}
	}
	operator := gateway.Caller{Environment: env}
	place, err := s.gateway.Consumer(ctx, operator, req.GetName())
	if err != nil {
		return err
	}
	q := store.EventQuery{Game: pay.GameID(req.GetGameId()), Types: types, After: place.Position, Limit: defaultLimit}
	resumed := place != store.Place{}
	if !resumed {
		if q.After, err = s.gateway.Latest(ctx, operator, q.Game); err != nil {
			return err
		}
	}
	secret := s.relay.ListenerSecret(env)
	if err := stream.Send(&adminv1.ListenResponse{Secret: &secret, Resumed: resumed, Cursor: s.places.cursor(q.After, listeners)}); err != nil {
		return err
	}
	return s.gateway.WatchEvents(ctx, operator, q, func(feed store.Feed) error {
		if len(feed.Rows) == 0 {
			return stream.Send(&adminv1.ListenResponse{Cursor: s.places.cursor(feed.Next, listeners)})
		}
		for _, e := range feed.Rows {
			id := string(e.ID)
			if err := stream.Send(&adminv1.ListenResponse{
				EventId: &id, EventType: string(e.Type), SessionId: string(e.Session), Payload: e.Payload,
				Cursor: s.places.cursor(e.Position, listeners),
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Heard implements admin.v1.AdminService.
func (s *AdminServer) Heard(ctx context.Context, req *adminv1.HeardRequest) (*adminv1.HeardResponse, error) {
	env, err := environmentFilter(&req.Environment)
	if err != nil {
		return nil, err
	}
	at, ok := s.places.whatever(req.GetCursor())
	if !ok {
		return nil, pay.RefuseField(pay.InvalidCursor, "cursor", "must be a cursor that Listen gave")
	}
	_, err = s.gateway.Acknowledge(ctx, gateway.Caller{Environment: env}, req.GetName(), store.Place{Position: at, Cursor: req.GetCursor()})
	return &adminv1.HeardResponse{}, err
}

// Trigger implements admin.v1.AdminService.
func (s *AdminServer) Trigger(ctx context.Context, req *adminv1.TriggerRequest) (*adminv1.TriggerResponse, error) {
	done, err := s.gateway.Trigger(ctx, pay.GameID(req.GetGameId()), pay.EventType(req.GetEvent()))
	if err != nil {
		return nil, err
	}
	return &adminv1.TriggerResponse{
		SessionId: string(done.Session), Events: texts(done.Events), Later: timestamp(done.Later), Now: timestamp(s.gateway.Time().Now),
	}, nil
}
