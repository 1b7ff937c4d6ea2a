package rpc

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/coinslot/coinslot/gen/admin/v1/adminv1connect"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
)

// AdminServer is admin.v1.AdminService: it converts, calls the use case, converts.
type AdminServer struct {
	gateway *gateway.Service
	convert Converter
	places  Places
	relay   Relay
}

var _ adminv1connect.AdminServiceHandler = (*AdminServer)(nil)

// Relay is what the operator has done by whoever delivers webhooks.
type Relay interface {
	// SendTest sends a test event to an endpoint, once, and says what came of it.
	SendTest(context.Context, pay.Endpoint) (pay.EventID, pay.Attempt)

	// ListenerSecret is what events are signed with that a listener forwards.
	ListenerSecret(pay.Environment) string
}

// NewAdminServer makes the operator's API of the use cases.
func NewAdminServer(g *gateway.Service, convert Converter, places Places, relay Relay) *AdminServer {
	return &AdminServer{g, convert, places, relay}
}

// overlapOf is for how long what is rotated still works beside what follows it.
func overlapOf(asked *durationpb.Duration) (time.Duration, error) {
	if asked == nil {
		return gateway.DefaultSecretOverlap, nil
	}
	return durationOf("overlap", asked)
}

func durationOf(field string, d *durationpb.Duration) (time.Duration, error) {
	if err := d.CheckValid(); err != nil {
		return 0, pay.RefuseField(pay.InvalidSetting, field, "must be a duration such as 86400s")
	}
	return d.AsDuration(), nil
}

func timeOf(field string, t *timestamppb.Timestamp) (time.Time, error) {
	if t == nil {
		return time.Time{}, nil
	}
	if err := t.CheckValid(); err != nil {
		return time.Time{}, pay.RefuseField(pay.InvalidSetting, field, "must be a time such as 2030-01-31T12:00:00Z")
	}
	return pay.Clock(t.AsTime()), nil
}

// environmentFilter reads an environment that a list is narrowed to; empty is none.
func environmentFilter(asked *string) (pay.Environment, error) {
	if asked == nil {
		return "", nil
	}
	env := pay.Environment(*asked)
	if env != pay.Sandbox && env != pay.Production {
		return "", pay.RefuseField(pay.InvalidSetting, "environment", "must be sandbox or production")
	}
	return env, nil
}

// texts and textsAs turn lists of named text into plain text and back.
func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

func textsAs[T ~string](list []string) []T {
	out := make([]T, len(list))
	for i, v := range list {
		out[i] = T(v)
	}
	return out
}
