// Package provider is the contract with whoever moves the money. A provider is
// handed what it needs and says what came of it; it never writes Coinslot's state.
// Package providertest is this contract as tests, which every provider passes.
package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/coinslot/coinslot/internal/pay"
)

// The errors that say something. Any other only says that there was no answer.
var (
	// ErrUnknownPayment: the payment never reached the provider. Having said so, the
	// provider refuses a later Authorize of that payment, so that the answer stays true.
	ErrUnknownPayment = errors.New("the provider does not know this payment")

	// ErrDifferentCharge: the payment reached the provider before with another
	// session, amount, method or way to capture. Nothing was done, and the payment
	// stands where it stood.
	ErrDifferentCharge = errors.New("the provider knows this payment as a different charge")

	// ErrUnknownRefund: the refund has not reached the provider. It still may: a later
	// Refund is carried out.
	ErrUnknownRefund = errors.New("the provider does not know this refund")

	// ErrDifferentRefund: the refund reached the provider before with another amount.
	// Nothing was done, and the refund stands where it stood.
	ErrDifferentRefund = errors.New("the provider knows this refund as a different one")
)

// Provider moves money. Every call is idempotent by the payment's or the refund's id,
// concurrent repeats included: a repeat moves nothing.
//
// An Outcome is what the provider said: where the payment stands once the call is
// done, whichever call it was. So a repeat of Authorize gets the first outcome until
// Capture or Void moved the payment on, and Capture of a voided payment gets OutcomeVoided.
//
// An error means that the provider did not say where the payment stands, so the
// payment stays as it is until Lookup tells; it never means "refused".
type Provider interface {
	// Authorize holds the amount, or takes it at once where Capture is set. A repeat
	// must be of the same charge, else ErrDifferentCharge; the card and the token are
	// not compared, since they are not kept.
	Authorize(ctx context.Context, charge Charge) (pay.Outcome, error)

	// Capture takes the amount that was held. ErrUnknownPayment as with Lookup.
	Capture(ctx context.Context, payment pay.PaymentID) (pay.Outcome, error)

	// Void lets go of the amount that was held. ErrUnknownPayment as with Lookup.
	Void(ctx context.Context, payment pay.PaymentID) (pay.Outcome, error)

	// Lookup says where the payment stands, or ErrUnknownPayment.
	Lookup(ctx context.Context, payment pay.PaymentID) (pay.Outcome, error)

	// Refund returns money that was taken. It fails, as an outcome, where that much was
	// not taken or has been returned already; a later refund may still find that much. A
	// repeat, by the ids of the payment and the refund, gets where the refund stands; it
	// must be of the same amount, else ErrDifferentRefund. ErrUnknownPayment where the
	// payment never came, and nothing keeps it from coming later.
	Refund(ctx context.Context, r Return) (pay.RefundOutcome, error)

	// LookupRefund says where the refund stands, or ErrUnknownRefund.
	LookupRefund(ctx context.Context, payment pay.PaymentID, refund pay.RefundID) (pay.RefundOutcome, error)
}

// Return is what Refund is to do.
type Return struct {
	Refund  pay.RefundID // also the idempotency key
	Payment pay.PaymentID
	Amount  pay.Money // all of the payment's, or a part
}

// Charge is what Authorize is to do.
type Charge struct {
	Payment pay.PaymentID // also the idempotency key
	Session pay.SessionID
	Amount  pay.Money
	Capture bool
	Method  pay.Method

	// Card comes with MethodCard only. It must not be kept or logged.
	Card *pay.Card `json:"-"`

	// Token is what the wallet handed over, with the methods that are wallets; only
	// the provider can read it. The sandbox's wallets hand over tok_approved or
	// tok_declined. It can be worth money, so it must not be kept or logged either.
	Token string `json:"-"`
}

// String shows the charge without what must not be logged.
func (c Charge) String() string {
	return fmt.Sprintf("%s of %d %s by %s", c.Payment, c.Amount.Amount, c.Amount.Currency, c.Method)
}

// GoString hides the card and the token from %#v as well.
func (c Charge) GoString() string { return c.String() }
