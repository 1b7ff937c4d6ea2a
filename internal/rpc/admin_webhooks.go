package rpc

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/internal/pay"
)

// CreateWebhookEndpoint implements admin.v1.AdminService.
func (s *AdminServer) CreateWebhookEndpoint(ctx context.Context, req *adminv1.CreateWebhookEndpointRequest) (*adminv1.CreateWebhookEndpointResponse, error) {
	endpoint, secret, err := s.gateway.CreateEndpoint(ctx, pay.Endpoint{
		Environment: pay.Environment(req.GetEnvironment()), Game: pay.GameID(req.GetGameId()), URL: req.GetUrl(),
		Types: textsAs[pay.EventType](req.GetEvents()), Description: req.GetDescription(),
	})
	if err != nil {
		return nil, err
	}
	return &adminv1.CreateWebhookEndpointResponse{Endpoint: endpointMessage(endpoint), Secret: secret}, nil
}

// ListWebhookEndpoints implements admin.v1.AdminService.
func (s *AdminServer) ListWebhookEndpoints(ctx context.Context, req *adminv1.ListWebhookEndpointsRequest) (*adminv1.ListWebhookEndpointsResponse, error) {
	env, err := environmentFilter(req.Environment)
	if err != nil {
		return nil, err
	}
	endpoints, err := s.gateway.Endpoints(ctx, pay.GameID(req.GetGameId()))
	if err != nil {
		return nil, err
	}
	out := &adminv1.ListWebhookEndpointsResponse{}
	for _, e := range endpoints {
		if env == "" || e.Environment == env {
			out.Endpoints = append(out.Endpoints, endpointMessage(e))
		}
	}
	return out, nil
}

// UpdateWebhookEndpoint implements admin.v1.AdminService.
func (s *AdminServer) UpdateWebhookEndpoint(ctx context.Context, req *adminv1.UpdateWebhookEndpointRequest) (*adminv1.UpdateWebhookEndpointResponse, error) {
	endpoint, err := s.gateway.UpdateEndpoint(ctx, pay.EndpointID(req.GetId()), func(e *pay.Endpoint) {
		if req.Url != nil {
			e.URL = req.GetUrl()
		}
		if req.Description != nil {
			e.Description = req.GetDescription()
		}
		if req.Enabled != nil {
			e.Enabled = req.GetEnabled()
		}
		setList(&e.Types, req.GetEvents())
	})
	if err != nil {
		return nil, err
	}
	return &adminv1.UpdateWebhookEndpointResponse{Endpoint: endpointMessage(endpoint)}, nil
}

// DeleteWebhookEndpoint implements admin.v1.AdminService.
func (s *AdminServer) DeleteWebhookEndpoint(ctx context.Context, req *adminv1.DeleteWebhookEndpointRequest) (*adminv1.DeleteWebhookEndpointResponse, error) {
	return &adminv1.DeleteWebhookEndpointResponse{}, s.gateway.DeleteEndpoint(ctx, pay.EndpointID(req.GetId()))
}

// RotateWebhookSecret implements admin.v1.AdminService.
func (s *AdminServer) RotateWebhookSecret(ctx context.Context, req *adminv1.RotateWebhookSecretRequest) (*adminv1.RotateWebhookSecretResponse, error) {
	overlap, err := overlapOf(req.GetOverlap())
	if err != nil {
		return nil, err
	}
	endpoint, secret, err := s.gateway.RotateSecret(ctx, pay.EndpointID(req.GetId()), overlap)
	if err != nil {
		return nil, err
	}
	oldEnds := endpoint.UpdatedAt // without an overlap it signs no more
	if len(endpoint.Secrets) > 1 {
		oldEnds = endpoint.Secrets[1].ExpiresAt
	}
	return &adminv1.RotateWebhookSecretResponse{
		Endpoint: endpointMessage(endpoint), Secret: secret, OldExpiresAt: timestamp(oldEnds),
	}, nil
}

// TestWebhookEndpoint implements admin.v1.AdminService.
func (s *AdminServer) TestWebhookEndpoint(ctx context.Context, req *adminv1.TestWebhookEndpointRequest) (*adminv1.TestWebhookEndpointResponse, error) {
	endpoint, err := s.gateway.Endpoint(ctx, pay.EndpointID(req.GetId()))
	if err != nil {
		return nil, err
	}
	event, attempt := s.relay.SendTest(ctx, endpoint)
	out := &adminv1.TestWebhookEndpointResponse{EventId: string(event), Error: optional(attempt.Error), Duration: durationpb.New(attempt.Duration)}
	if attempt.Status != 0 {
		out.HttpStatus = proto.Int32(int32(attempt.Status))
		if !attempt.Delivered() {
			out.Error = proto.String(fmt.Sprintf("the receiver answered %d, where only a status from 200 to 299 takes the event", attempt.Status))
		}
	}
	return out, nil
}

func endpointMessage(e pay.Endpoint) *adminv1.WebhookEndpoint {
	return &adminv1.WebhookEndpoint{
		Id: string(e.ID), GameId: string(e.Game), Environment: string(e.Environment), Url: e.URL, Events: texts(e.Types),
		Description: e.Description, Enabled: e.Enabled, DisabledReason: e.Disabled,
		CreatedAt: timestamp(e.CreatedAt), UpdatedAt: timestamp(e.UpdatedAt), FailingSince: timestamp(e.FailingSince),
	}
}
