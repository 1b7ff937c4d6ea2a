package coinslot

import (
	"context"
	"iter"

	"github.com/coinslot/coinslot/gen/pay/v1/payv1connect"
)

// Payments are the attempts of players to pay for sessions.
type Payments struct {
	*caller
	rpc payv1connect.PaymentServiceClient
}

// Get returns a payment, whatever its status.
func (p *Payments) Get(ctx context.Context, req *GetPaymentRequest) (*Payment, error) {
	res, err := read(ctx, p.caller, p.rpc.GetPayment, req)
	return res.GetPayment(), err
}

// List returns one page of a game's payments that brought money, newest first.
func (p *Payments) List(ctx context.Context, req *ListPaymentsRequest) (*ListPaymentsResponse, error) {
	return read(ctx, p.caller, p.rpc.ListPayments, req)
}

// All returns every payment that List would, asking for a page when it is needed. An
// error ends it.
func (p *Payments) All(ctx context.Context, req *ListPaymentsRequest) iter.Seq2[*Payment, error] {
	return all(req, func(r *ListPaymentsRequest) ([]*Payment, *string, error) {
		page, err := p.List(ctx, r)
		return page.GetPayments(), following(page), err
	}, func(r *ListPaymentsRequest, cursor string) { r.Cursor, r.Offset = &cursor, nil })
}

// Complete takes the money of an authorized payment. Only games with manual capture have
// such payments.
func (p *Payments) Complete(ctx context.Context, req *CompletePaymentRequest, opts ...CallOption) error {
	_, err := change(ctx, p.caller, p.rpc.CompletePayment, req, opts)
	return err
}

// Cancel releases the money of an authorized payment without taking it.
func (p *Payments) Cancel(ctx context.Context, req *CancelPaymentRequest, opts ...CallOption) error {
	_, err := change(ctx, p.caller, p.rpc.CancelPayment, req, opts)
	return err
}
