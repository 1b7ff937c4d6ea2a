package rpc

import (
	"context"

	"google.golang.org/protobuf/types/known/durationpb"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/internal/pay"
)

// GetClock implements admin.v1.AdminService.
func (s *AdminServer) GetClock(context.Context, *adminv1.GetClockRequest) (*adminv1.GetClockResponse, error) {
	shown := s.gateway.Time()
	out := &adminv1.GetClockResponse{Now: timestamp(shown.Now)}
	if !shown.Fixed {
		out.Ahead = durationpb.New(shown.Ahead)
	}
	return out, nil
}

// AdvanceClock implements admin.v1.AdminService.
func (s *AdminServer) AdvanceClock(ctx context.Context, req *adminv1.AdvanceClockRequest) (*adminv1.AdvanceClockResponse, error) {
	if req.By == nil {
		return nil, pay.RefuseField(pay.InvalidSetting, "by", "is required")
	}
	by, err := durationOf("by", req.By)
	if err != nil {
		return nil, err
	}
	left, err := s.gateway.Advance(ctx, by)
	if err != nil {
		return nil, err
	}
	shown := s.gateway.Time()
	out := &adminv1.AdvanceClockResponse{Now: timestamp(shown.Now), Ahead: durationpb.New(shown.Ahead)}
	if left > 0 {
		out.Left = durationpb.New(left)
	}
	return out, nil
}
