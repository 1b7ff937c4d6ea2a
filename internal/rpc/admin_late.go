package rpc

import (
	"context"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/internal/pay"
)

// ListLatePayments implements admin.v1.AdminService.
func (s *AdminServer) ListLatePayments(ctx context.Context, req *adminv1.ListLatePaymentsRequest) (*adminv1.ListLatePaymentsResponse, error) {
	window, err := windowOf(req.Limit, nil, nil)
	if err != nil {
		return nil, err
	}
	before := pay.PaymentID("")
	if req.GetBefore() != "" {
		if before, err = pay.ParsePaymentID("before", req.GetBefore()); err != nil {
			return nil, err
		}
	}
	late, err := s.gateway.LatePayments(ctx, before, window.Limit)
	if err != nil {
		return nil, err
	}
	out := &adminv1.ListLatePaymentsResponse{}
	for _, p := range late {
		out.Payments = append(out.Payments, &adminv1.LatePayment{
			Payment: s.convert.Payment(p), LateMoney: string(p.Late), LateAt: timestamp(p.LateAt), Environment: string(p.Environment),
		})
	}
	return out, nil
}
