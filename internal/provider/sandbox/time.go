package sandbox

import (
	"context"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
)

// What takes how long.
const (
	paymentTakes   = 10 * time.Second
	changesMind    = 5 * time.Second
	challengeTakes = 15 * time.Minute // for the player to answer
)

// plan is what becomes of a payment by itself, while it is pending or after it failed.
type plan struct {
	At        time.Time `json:"at"`
	Challenge bool      `json:"challenge,omitempty"` // the player can come before
	Refusal   *failure  `json:"refusal,omitempty"`   // nil: it is approved
}

// advance does the first thing whose time has come, and says whether there was one.
func (e *entry) advance(now time.Time) bool {
	if p := e.Plan; p != nil && !now.Before(p.At) {
		refusal := p.Refusal
		if p.Challenge {
			refusal = &notConfirmed
		}
		e.Plan = nil
		e.decide(opTime, refusal)
		e.report(now, "", string(e.State))
		return true
	}
	for _, r := range e.Refunds {
		if r.Status == pay.RefundPending && !now.Before(r.DueAt) {
			e.ripen(r)
			e.report(now, r.ID, string(r.Status))
			return true
		}
	}
	return false
}

// due is when something becomes of the payment by itself, or is to be reported; zero: never.
func (e *entry) due() (at time.Time) {
	sooner := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	if e.Plan != nil {
		sooner(e.Plan.At)
	}
	for _, r := range e.Refunds {
		if r.Status == pay.RefundPending {
			sooner(r.DueAt)
		}
	}
	for _, r := range e.Reports {
		sooner(r.At)
	}
	return at
}

// Challenged says whether the payment waits for its player. Errors are as with Lookup.
func (p *Provider) Challenged(ctx context.Context, payment pay.PaymentID) (bool, error) {
	return change(ctx, p, opLookup, payment, func(e *entry) (bool, error) {
		if _, err := e.lookup(); err != nil {
			return false, err
		}
		return e.challenged(), nil
	})
}

// Answer gives the player's answer, once, and reports what became of the payment.
// provider.ErrNoChallenge where it does not wait for one.
func (p *Provider) Answer(ctx context.Context, payment pay.PaymentID, approved bool) error {
	_, err := change(ctx, p, opAnswer, payment, func(e *entry) (struct{}, error) {
		if !e.challenged() {
			return struct{}{}, provider.ErrNoChallenge
		}
		refusal := e.Plan.Refusal
		if !approved {
			refusal = &notConfirmed
		}
		e.Plan = nil
		e.decide(opAnswer, refusal)
		e.report(p.Clock.Now(), "", string(e.State))
		return struct{}{}, nil
	})
	return err
}

func (e *entry) challenged() bool { return e.State == statePending && e.Plan.Challenge }
