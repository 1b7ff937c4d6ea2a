package rpc

import (
	"context"
	"time"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// CreateRefund implements admin.v1.AdminService.
func (s *AdminServer) CreateRefund(ctx context.Context, req *adminv1.CreateRefundRequest) (*adminv1.CreateRefundResponse, error) {
	order, err := refundOrderOf(req.GetPaymentId(), req.GetReason(), req.Amount)
	if err != nil {
		return nil, err
	}
	idem, err := idempotency(ctx, req)
	if err != nil {
		return nil, err
	}
	refund, replayed, err := s.gateway.RefundAsOperator(ctx, order, idem)
	if err != nil {
		return nil, err
	}
	tellReplayed(ctx, replayed)
	return &adminv1.CreateRefundResponse{Refund: refundMessage(refund)}, nil
}

// GetRefund implements admin.v1.AdminService.
func (s *AdminServer) GetRefund(ctx context.Context, req *adminv1.GetRefundRequest) (*adminv1.GetRefundResponse, error) {
	id, err := pay.ParseRefundID("id", req.GetId())
	if err != nil {
		return nil, err
	}
	refund, err := s.gateway.AnyRefund(ctx, id)
	if err != nil {
		return nil, err
	}
	return &adminv1.GetRefundResponse{Refund: refundMessage(refund)}, nil
}

// ListRefunds implements admin.v1.AdminService.
func (s *AdminServer) ListRefunds(ctx context.Context, req *adminv1.ListRefundsRequest) (*adminv1.ListRefundsResponse, error) {
	env, err := environmentFilter(req.Environment)
	if err != nil {
		return nil, err
	}
	payment, status, err := refundFilters(req)
	if err != nil {
		return nil, err
	}
	filters := []string{"refunds", "operator", string(env), req.GetGameId(), req.GetPaymentId(), req.GetStatus()}
	window, err := windowOf(req.Limit, nil, req.Cursor, filters...)
	if err != nil {
		return nil, err
	}
	page, err := s.gateway.AllRefunds(ctx, store.RefundQuery{
		Environment: env, Game: pay.GameID(req.GetGameId()), Payment: payment, Status: status, Window: window,
	})
	if err != nil {
		return nil, err
	}
	out := &adminv1.ListRefundsResponse{Total: int32(page.Total)}
	for _, refund := range page.Rows {
		out.Refunds = append(out.Refunds, refundMessage(refund))
	}
	out.NextCursor = nextCursor(ctx, page, idOfRefund, filters)
	return out, nil
}

// refundMessage is a refund as the operator is shown it.
func refundMessage(r pay.Refund) *adminv1.Refund {
	out := &adminv1.Refund{
		Id: string(r.ID), PaymentId: string(r.Payment), SessionId: string(r.Session),
		GameId: string(r.Game), UserId: string(r.User), Environment: string(r.Environment), Status: string(r.Status),
		Amount: int32(r.Amount.Amount), Currency: string(r.Amount.Currency), Exponent: int32(r.Amount.Currency.Exponent()),
		Reason: optional(r.Reason), CreatedAt: timestamp(r.CreatedAt),
	}
	for _, at := range []time.Time{r.SucceededAt, r.FailedAt, r.CancelledAt} {
		if !at.IsZero() {
			out.EndedAt = timestamp(at)
		}
	}
	if r.Failure != nil {
		out.Error = &payv1.Error{Code: string(r.Failure.Code), Message: r.Failure.Message}
	}
	return out
}
