package rpc

import (
	"context"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// ListDeliveries implements admin.v1.AdminService.
func (s *AdminServer) ListDeliveries(ctx context.Context, req *adminv1.ListDeliveriesRequest) (*adminv1.ListDeliveriesResponse, error) {
	window, err := windowOf(req.Limit, nil, nil)
	if err != nil {
		return nil, err
	}
	q := store.DeliveryQuery{Endpoint: pay.EndpointID(req.GetEndpointId()), Status: pay.DeliveryStatus(req.GetStatus()), Limit: window.Limit}
	if q.Status != "" && !slices.Contains(pay.DeliveryStatuses, q.Status) {
		return nil, pay.RefuseField(pay.InvalidStatus, "status", "must be %s, got %.60q", pay.OneOf(pay.DeliveryStatuses), req.GetStatus())
	}
	if req.EventId != nil {
		if q.Event, err = pay.ParseEventID("event_id", req.GetEventId()); err != nil {
			return nil, err
		}
	}
	if req.GetCursor() != "" {
		if q.Before, err = pay.ParseDeliveryID("cursor", req.GetCursor()); err != nil {
			return nil, err
		}
	}
	found, err := s.gateway.Deliveries(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &adminv1.ListDeliveriesResponse{}
	for _, d := range found.Rows {
		out.Deliveries = append(out.Deliveries, deliveryMessage(d))
	}
	if found.Next != 0 {
		out.NextCursor = proto.String(found.Next.String())
	}
	return out, nil
}

// ListAttempts implements admin.v1.AdminService.
func (s *AdminServer) ListAttempts(ctx context.Context, req *adminv1.ListAttemptsRequest) (*adminv1.ListAttemptsResponse, error) {
	id, err := pay.ParseDeliveryID("delivery_id", req.GetDeliveryId())
	if err != nil {
		return nil, err
	}
	delivery, attempts, err := s.gateway.Attempts(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &adminv1.ListAttemptsResponse{Delivery: deliveryMessage(delivery)}
	for _, a := range attempts {
		m := &adminv1.Attempt{
			Number: int32(a.Number), At: timestamp(a.At), Duration: durationpb.New(a.Duration),
			Error: optional(a.Error), Answer: a.Answer,
		}
		if a.Status != 0 {
			m.HttpStatus = proto.Int32(int32(a.Status))
		}
		out.Attempts = append(out.Attempts, m)
	}
	return out, nil
}

// Redeliver implements admin.v1.AdminService.
func (s *AdminServer) Redeliver(ctx context.Context, req *adminv1.RedeliverRequest) (*adminv1.RedeliverResponse, error) {
	switch what := req.GetWhat().(type) {
	case *adminv1.RedeliverRequest_DeliveryId:
		id, err := pay.ParseDeliveryID("delivery_id", what.DeliveryId)
		if err != nil {
			return nil, err
		}
		return &adminv1.RedeliverResponse{Deliveries: 1}, s.gateway.Redeliver(ctx, id)
	case *adminv1.RedeliverRequest_EventId:
		id, err := pay.ParseEventID("event_id", what.EventId)
		if err != nil {
			return nil, err
		}
		sent, err := s.gateway.RedeliverEvent(ctx, id)
		return &adminv1.RedeliverResponse{Deliveries: int32(sent)}, err
	}
	return nil, pay.Refuse(pay.InvalidSetting, "delivery_id or event_id is required")
}

// Recover implements admin.v1.AdminService.
func (s *AdminServer) Recover(ctx context.Context, req *adminv1.RecoverRequest) (*adminv1.RecoverResponse, error) {
	since, err := timeOf("since", req.Since)
	if err != nil {
		return nil, err
	}
	sent, err := s.gateway.Recover(ctx, pay.EndpointID(req.GetEndpointId()), since)
	return &adminv1.RecoverResponse{Deliveries: int32(sent)}, err
}

func deliveryMessage(d store.DeliveryState) *adminv1.Delivery {
	m := &adminv1.Delivery{
		Id: d.ID.String(), EndpointId: string(d.Endpoint), EventId: string(d.Event), EventType: string(d.Type),
		SessionId: string(d.Session), Status: string(d.Status), Attempts: int32(d.Attempts), EventAt: timestamp(d.At),
	}
	if d.Status == pay.DeliveryPending {
		m.NextAttemptAt = timestamp(d.DueAt)
		if m.NextAttemptAt == nil {
			m.NextAttemptAt = timestamp(d.At) // it has been due since
		}
	}
	return m
}
