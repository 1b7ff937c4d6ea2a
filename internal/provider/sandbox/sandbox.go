// Package sandbox is a payment provider without money: a state machine with books
// of its own behind the same interface as a real provider. Nothing leaves the machine.
//
// The card's number, or the token of the sandbox's wallets, decides what comes of a payment.
package sandbox

import (
	"context"
	"fmt"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
)

// Provider is the sandbox. It remembers nothing but through its ledger, so that a
// restart or a failed write never leaves it believing what was not kept.
type Provider struct {
	ledger Ledger
	now    func() time.Time
	turns  turns
}

var _ provider.Provider = (*Provider)(nil)

// New opens the sandbox over its ledger. The clock is for what takes its time.
func New(ledger Ledger, now func() time.Time) *Provider { return &Provider{ledger: ledger, now: now} }

// Authorize decides on the charge by its card or token and keeps what it decided.
// provider.ErrDifferentCharge where the payment began as another charge; any other
// error is one of the ledger, of ctx, or of a charge that makes no sense.
func (p *Provider) Authorize(ctx context.Context, c provider.Charge) (pay.Outcome, error) {
	if err := check(c); err != nil {
		return pay.Outcome{}, failed(opAuthorize, c.Payment, err)
	}
	return change(ctx, p, opAuthorize, c.Payment, func(e *entry) (pay.Outcome, error) { return e.authorize(c) })
}

// Capture takes what is held. provider.ErrUnknownPayment where Authorize never came;
// any other error is one of the ledger or of ctx.
func (p *Provider) Capture(ctx context.Context, payment pay.PaymentID) (pay.Outcome, error) {
	return change(ctx, p, opCapture, payment, (*entry).capture)
}

// Void lets go of what is held. Errors are as with Capture.
func (p *Provider) Void(ctx context.Context, payment pay.PaymentID) (pay.Outcome, error) {
	return change(ctx, p, opVoid, payment, (*entry).void)
}

// Lookup says where the payment stands. Errors are as with Capture.
func (p *Provider) Lookup(ctx context.Context, payment pay.PaymentID) (pay.Outcome, error) {
	return change(ctx, p, opLookup, payment, (*entry).lookup)
}

// change runs one operation on a payment's entry, alone with that payment, and
// answers only once what it did is kept: refusals and tombstones too.
func change[T any](ctx context.Context, p *Provider, o operation, id pay.PaymentID, do func(*entry) (T, error)) (T, error) {
	var nothing T
	done, err := p.turns.take(ctx, id)
	if err != nil {
		return nothing, failed(o, id, err)
	}
	defer done()
	for {
		e, was, err := load(ctx, p.ledger, id)
		if err != nil {
			return nothing, failed(o, id, err)
		}
		steps := len(e.History)
		outcome, refusal := do(&e)
		if len(e.History) > steps {
			kept, err := save(ctx, p.ledger, e, was)
			if err != nil {
				return nothing, failed(o, id, err)
			}
			if !kept {
				continue // another server was at the payment
			}
		}
		if refusal != nil {
			return nothing, failed(o, id, refusal)
		}
		return outcome, nil
	}
}

func failed(o operation, id pay.PaymentID, err error) error {
	return fmt.Errorf("sandbox: %s %s: %w", o, id, err)
}
