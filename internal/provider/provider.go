// Package provider is the contract with whoever moves the money. A provider is
// handed what it needs and says what came of it; it never writes Coinslot's state.
package provider

import (
	"context"
	"errors"

	"github.com/coinslot/coinslot/internal/pay"
)

// ErrUnknownPayment is Lookup's answer for a payment that never reached the
// provider. Having given it, the provider refuses a later Authorize of that
// payment, so that the answer stays true.
var ErrUnknownPayment = errors.New("the provider does not know this payment")

// Provider moves money. Every call is idempotent by the payment's id: a repeat
// gets the first call's outcome and charges nothing.
//
// An Outcome is what the provider said. An error means that it did not say
// anything, so the payment stays as it is until Lookup tells; it never means "refused".
type Provider interface {
	// Authorize holds the amount, or takes it at once where Capture is set.
	Authorize(ctx context.Context, charge Charge) (pay.Outcome, error)

	// Capture takes the amount that was held.
	Capture(ctx context.Context, payment pay.PaymentID) (pay.Outcome, error)

	// Void lets go of the amount that was held.
	Void(ctx context.Context, payment pay.PaymentID) (pay.Outcome, error)

	// Lookup says where the payment stands.
	Lookup(ctx context.Context, payment pay.PaymentID) (pay.Outcome, error)
}

// Charge is what Authorize is to do.
type Charge struct {
	Payment pay.PaymentID // also the idempotency key
	Session pay.SessionID
	Amount  pay.Money
	Capture bool
	Method  pay.Method
	Card    *pay.Card // with MethodCard only; must not be kept or logged
}
