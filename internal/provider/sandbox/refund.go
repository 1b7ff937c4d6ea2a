package sandbox

import (
	"context"
	"strings"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
)

// refundTakes is how long a refund that takes its time is pending.
const refundTakes = 10 * time.Second

// slowly is what becomes of a payment's refunds after a while; empty: they succeed at once.
type slowly string

const (
	slowlyReturned slowly = "returned"
	slowlyFailed   slowly = "failed"
)

// refund is what the ledger keeps of one refund.
type refund struct {
	ID      pay.RefundID     `json:"id"`
	Amount  int64            `json:"amount"` // minor units
	Status  pay.RefundStatus `json:"status"`
	DueAt   time.Time        `json:"due_at,omitzero"` // when it ends, while it is pending
	Failure *failure         `json:"failure,omitempty"`
}

var (
	nothingLeft = failure{pay.ProcessingError, "the sandbox has not taken that much for this payment, or has returned it already"}
	notAccepted = failure{pay.ProcessingError, "the sandbox's card that fails its refunds"}
)

// Refund returns money that was taken, at once or, with some of the cards, after a
// while. provider.ErrDifferentRefund and provider.ErrUnknownPayment as the contract
// says; any other error is one of the ledger or of ctx.
func (p *Provider) Refund(ctx context.Context, r provider.Return) (pay.RefundOutcome, error) {
	return change(ctx, p, opRefund, r.Payment, func(e *entry) (pay.RefundOutcome, error) { return e.refund(r, p.Clock.Now()) })
}

// LookupRefund says where the refund stands, or provider.ErrUnknownRefund; any other
// error is one of the ledger or of ctx.
func (p *Provider) LookupRefund(ctx context.Context, payment pay.PaymentID, id pay.RefundID) (pay.RefundOutcome, error) {
	return change(ctx, p, opReview, payment, func(e *entry) (pay.RefundOutcome, error) {
		r := e.find(id)
		if r == nil {
			return pay.RefundOutcome{}, provider.ErrUnknownRefund
		}
		return r.outcome(), nil
	})
}

func (e *entry) find(id pay.RefundID) *refund {
	for _, r := range e.Refunds {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// refund begins the refund. For one that has begun it tells where that stands.
func (e *entry) refund(asked provider.Return, now time.Time) (pay.RefundOutcome, error) {
	if e.State == "" || e.State == stateUnknown {
		return pay.RefundOutcome{}, provider.ErrUnknownPayment
	}
	r := e.find(asked.Refund)
	switch {
	case r == nil:
		r = &refund{ID: asked.Refund, Amount: asked.Amount.Amount}
		e.beginRefund(r, asked.Amount, now)
		e.Refunds = append(e.Refunds, r)
	case r.Amount != asked.Amount.Amount || e.Currency != asked.Amount.Currency:
		return pay.RefundOutcome{}, provider.ErrDifferentRefund
	}
	return r.outcome(), nil
}

func (e *entry) beginRefund(r *refund, asked pay.Money, now time.Time) {
	switch {
	case e.State != stateSucceeded || asked.Currency != e.Currency || asked.Amount < 1 || asked.Amount > e.left():
		e.endRefund(r, opRefund, pay.RefundFailed, &nothingLeft)
	case e.Slowly != "":
		r.Status, r.DueAt = pay.RefundPending, now.Add(refundTakes)
		e.History = append(e.History, step{opRefund, didAccept, r.ID})
	default:
		e.endRefund(r, opRefund, pay.RefundSucceeded, nil)
	}
}

// ripen ends a refund whose time has come.
func (e *entry) ripen(r *refund) {
	if e.Slowly == slowlyFailed {
		e.endRefund(r, opTime, pay.RefundFailed, &notAccepted)
		return
	}
	e.endRefund(r, opTime, pay.RefundSucceeded, nil)
}

func (e *entry) endRefund(r *refund, o operation, status pay.RefundStatus, why *failure) {
	r.Status, r.DueAt, r.Failure = status, time.Time{}, why
	d := didReturn
	if why != nil {
		d = didFail
	}
	e.History = append(e.History, step{o, d, r.ID})
}

// left is how much can still be returned.
func (e *entry) left() int64 {
	left := e.Amount
	for _, r := range e.Refunds {
		if r.Status == pay.RefundPending || r.Status == pay.RefundSucceeded {
			left -= r.Amount
		}
	}
	return left
}

func (r *refund) outcome() pay.RefundOutcome {
	o := pay.RefundOutcome{Status: r.Status, Reference: "sandbox_" + strings.TrimPrefix(string(r.ID), "ref_")}
	if r.Failure != nil {
		o.Failure = &pay.Failure{Code: r.Failure.Code, Message: r.Failure.Message}
	}
	return o
}

// refundsOf is how the refunds of a charge will end.
func refundsOf(c provider.Charge) slowly {
	if c.Card == nil {
		return ""
	}
	return cardsByDigits[c.Card.Digits()].slowly
}
