package coinslot

import (
	"context"
	"iter"

	"github.com/coinslot/coinslot/gen/pay/v1/payv1connect"
)

// Refunds are money returned from payments.
type Refunds struct {
	*caller
	rpc payv1connect.RefundServiceClient
}

// Create returns money from a payment, all that is left of it unless req says how much.
// The refund may stay pending for as long as the provider takes.
func (r *Refunds) Create(ctx context.Context, req *CreateRefundRequest, opts ...CallOption) (*Refund, error) {
	res, err := change(ctx, r.caller, r.rpc.CreateRefund, req, opts)
	return res.GetRefund(), err
}

// Get returns a refund, whatever its status.
func (r *Refunds) Get(ctx context.Context, req *GetRefundRequest) (*Refund, error) {
	res, err := read(ctx, r.caller, r.rpc.GetRefund, req)
	return res.GetRefund(), err
}

// List returns one page of refunds, newest first.
func (r *Refunds) List(ctx context.Context, req *ListRefundsRequest) (*ListRefundsResponse, error) {
	return read(ctx, r.caller, r.rpc.ListRefunds, req)
}

// All returns every refund that List would, asking for a page when it is needed. An
// error ends it.
func (r *Refunds) All(ctx context.Context, req *ListRefundsRequest) iter.Seq2[*Refund, error] {
	return all(req, func(q *ListRefundsRequest) ([]*Refund, *string, error) {
		page, err := r.List(ctx, q)
		return page.GetRefunds(), following(page), err
	}, func(q *ListRefundsRequest, cursor string) { q.Cursor, q.Offset = &cursor, nil })
}
