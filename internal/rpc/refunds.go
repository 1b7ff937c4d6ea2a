package rpc

import (
	"context"
	"slices"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// RefundServer is pay.v1.RefundService: it converts, calls the use case, converts.
type RefundServer struct {
	gateway *gateway.Service
	convert Converter
}

// CreateRefund implements pay.v1.RefundService.
func (s *RefundServer) CreateRefund(ctx context.Context, req *payv1.CreateRefundRequest) (*payv1.CreateRefundResponse, error) {
	order, err := refundOrderOf(req.GetPaymentId(), req.GetReason(), req.Amount)
	if err != nil {
		return nil, err
	}
	idem, err := idempotency(ctx, req)
	if err != nil {
		return nil, err
	}
	refund, replayed, err := s.gateway.CreateRefund(ctx, callerOf(ctx), order, idem)
	if err != nil {
		return nil, err
	}
	tellReplayed(ctx, replayed)
	return &payv1.CreateRefundResponse{Id: string(refund.ID), Refund: s.convert.Refund(refund)}, nil
}

// GetRefund implements pay.v1.RefundService.
func (s *RefundServer) GetRefund(ctx context.Context, req *payv1.GetRefundRequest) (*payv1.GetRefundResponse, error) {
	id, err := pay.ParseRefundID("id", req.GetId())
	if err != nil {
		return nil, err
	}
	refund, err := s.gateway.Refund(ctx, callerOf(ctx), id)
	if err != nil {
		return nil, err
	}
	m := s.convert.Refund(refund)
	return &payv1.GetRefundResponse{
		Refund: m,
		Id:     m.Id, PaymentId: m.PaymentId, Status: m.Status, Reason: m.Reason,
		CreatedAt: m.CreatedAt, SucceededAt: m.SucceededAt, FailedAt: m.FailedAt, CancelledAt: m.CancelledAt,
	}, nil
}

// ListRefunds implements pay.v1.RefundService.
func (s *RefundServer) ListRefunds(ctx context.Context, req *payv1.ListRefundsRequest) (*payv1.ListRefundsResponse, error) {
	caller := callerOf(ctx)
	if err := coversFilter(s.gateway, caller, req.GetGameId()); err != nil {
		return nil, err
	}
	payment, status, err := refundFilters(req)
	if err != nil {
		return nil, err
	}
	filters := []string{"refunds", string(caller.Environment), string(caller.Game), req.GetGameId(), req.GetPaymentId(), req.GetStatus()}
	window, err := windowOf(req.Limit, req.Offset, req.Cursor, filters...)
	if err != nil {
		return nil, err
	}
	page, err := s.gateway.Refunds(ctx, caller, store.RefundQuery{
		Game: pay.GameID(req.GetGameId()), Payment: payment, Status: status, Window: window,
	})
	if err != nil {
		return nil, err
	}
	out := &payv1.ListRefundsResponse{Total: int32(page.Total), Refunds: messages(&page, s.convert.Refund)}
	out.HasMore = page.More
	out.NextCursor = nextCursor(ctx, page, idOfRefund, filters)
	return out, nil
}

// refundOrderOf is what is asked of CreateRefund.
func refundOrderOf(payment, reason string, amount *int32) (pay.RefundOrder, error) {
	id, err := pay.ParsePaymentID("payment_id", payment)
	o := pay.RefundOrder{Payment: id, Reason: reason}
	if amount != nil {
		minor := int64(*amount)
		o.Amount = &minor
	}
	return o, err
}

// refundFilters reads what a list of refunds is narrowed to; empty is nothing.
func refundFilters(req interface {
	GetPaymentId() string
	GetStatus() string
}) (payment pay.PaymentID, status pay.RefundStatus, err error) {
	if id := req.GetPaymentId(); id != "" {
		if payment, err = pay.ParsePaymentID("payment_id", id); err != nil {
			return "", "", err
		}
	}
	status = pay.RefundStatus(req.GetStatus())
	if status != "" && !slices.Contains(pay.RefundStatuses, status) {
		return "", "", pay.RefuseField(pay.InvalidStatus, "status", "must be %s, got %.60q", pay.OneOf(pay.RefundStatuses), req.GetStatus())
	}
	return payment, status, nil
}

func idOfRefund(r pay.Refund) string { return string(r.ID) }
