// Package sandbox is a payment provider without money: a state machine with books
// of its own behind the same interface as a real provider. Nothing leaves the machine.
//
// The card's number, or the token of the sandbox's wallets, decides what comes of a payment.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/coinslot/coinslot/internal/clock"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
)

// Options is all that the sandbox needs. Ledger is required.
type Options struct {
	Ledger Ledger
	Clock  clock.Clock // for what takes its time; clock.System if nil
	Key    [32]byte    // signs reports, and nothing else

	// VerifyURL is where a session's player answers a challenge.
	VerifyURL func(pay.SessionID) string
}

// Provider is the sandbox. It remembers nothing but through its ledger, so that a
// restart or a failed write never leaves it believing what was not kept.
type Provider struct {
	Options
	turns turns
	moved chan struct{} // holds a token where something is due, perhaps sooner than was known

	mu      sync.Mutex
	deliver func(context.Context, provider.RawReport) error // nil while Run is not running
}

var (
	_ provider.Provider   = (*Provider)(nil)
	_ provider.Reporter   = (*Provider)(nil)
	_ provider.Challenger = (*Provider)(nil)
)

// New opens the sandbox over its ledger.
func New(o Options) *Provider {
	if o.Clock == nil {
		o.Clock = clock.System
	}
	if o.VerifyURL == nil {
		o.VerifyURL = func(id pay.SessionID) string { return "https://sandbox.invalid/" + string(id) + "/verify" }
	}
	return &Provider{Options: o, moved: make(chan struct{}, 1)}
}

// Authorize decides on the charge by its card or token and keeps what it decided.
// provider.ErrDifferentCharge where the payment began as another charge; any other
// error is one of the ledger, of ctx, or of a charge that makes no sense.
func (p *Provider) Authorize(ctx context.Context, c provider.Charge) (pay.Outcome, error) {
	if err := check(c); err != nil {
		return pay.Outcome{}, failed(opAuthorize, c.Payment, err)
	}
	habit := habitOf(c)
	if habit == neverAnswers {
		<-ctx.Done()
		return pay.Outcome{}, failed(opAuthorize, c.Payment, ctx.Err())
	}
	o, err := change(ctx, p, opAuthorize, c.Payment, func(e *entry) (pay.Outcome, error) { return e.authorize(c, p.Clock.Now()) })
	if err == nil && habit == reportsEarly {
		p.reportAtOnce(ctx, c.Payment)
	}
	return o, err
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
// answers only once what it did is kept: refusals and tombstones too. What has become of
// the payment by itself meanwhile comes first.
func change[T any](ctx context.Context, p *Provider, o operation, id pay.PaymentID, do func(*entry) (T, error)) (T, error) {
	var nothing T
	done, err := p.turns.take(ctx, id)
	if err != nil {
		return nothing, failed(o, id, err)
	}
	defer done()
	for {
		e, err := p.current(ctx, id)
		if err != nil {
			return nothing, failed(o, id, err)
		}
		steps := len(e.History)
		outcome, refusal := do(&e)
		if len(e.History) > steps {
			err := p.keep(ctx, &e)
			if errors.Is(err, errOvertaken) {
				continue // another server was at the payment
			}
			if err != nil {
				return nothing, failed(o, id, err)
			}
		}
		if refusal != nil {
			return nothing, failed(o, id, refusal)
		}
		return outcome, nil
	}
}

// current is a payment's entry as of now. Each thing that became of the payment by itself is
// a write of its own.
func (p *Provider) current(ctx context.Context, id pay.PaymentID) (entry, error) {
	for {
		e, err := load(ctx, p.Ledger, id)
		e.verifyURL = p.VerifyURL
		for err == nil && e.advance(p.Clock.Now()) {
			err = p.keep(ctx, &e)
		}
		if !errors.Is(err, errOvertaken) {
			return e, err
		}
	}
}

// keep writes an entry. When it is due comes first: a crash in between makes the sandbox
// look at a payment for nothing, and never forget one.
func (p *Provider) keep(ctx context.Context, e *entry) error {
	if at := e.due(); !at.IsZero() {
		if err := p.schedule(ctx, e.Payment, at); err != nil {
			return err
		}
	}
	return save(ctx, p.Ledger, e)
}

func failed(o operation, id pay.PaymentID, err error) error {
	return fmt.Errorf("sandbox: %s %s: %w", o, id, err)
}
