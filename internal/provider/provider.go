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

	// ErrForgedReport: the report is not the provider's, or was altered on its way.
	ErrForgedReport = errors.New("the report is not the provider's")

	// ErrNoChallenge: the payment does not wait for its player.
	ErrNoChallenge = errors.New("the payment does not wait for its player")
)

// Provider moves money. Every call is idempotent by the payment's or the refund's id,
// concurrent repeats included: a repeat moves nothing.
//
// An Outcome is what the provider said: where the payment stands once the call is
// done, whichever call it was. So a repeat of Authorize gets the first outcome until
// Capture or Void moved the payment on, and Capture of a voided payment gets OutcomeVoided.
//
// An error means that the provider did not say where the payment stands, so the
// payment stays as it is until Lookup tells; it never means "refused". A call may hang until
// its context ends, so that must have a deadline.
//
// OutcomePending ends by itself, whether or not anybody looks, and Lookup tells how. With an
// Action it waits for the player, and ends without them too.
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

	// ReadReport verifies what came as a report of the provider's and says what it is
	// about, or ErrForgedReport. It asks nobody.
	ReadReport(raw RawReport) (Report, error)
}

// RawReport is a report as it came, from whoever it may be.
type RawReport struct {
	Header map[string]string // by lower-case names
	Body   []byte
}

// Report says that something became of a payment, and never what: a report can come twice,
// late, out of order or before the call that it is of has returned. It is a hint to look.
type Report struct {
	ID      string // the same of a report that is sent again
	Payment pay.PaymentID
	Refund  pay.RefundID // the one that it is about; empty: the payment itself
}

// Reporter is a provider that brings its reports by itself rather than over the network.
type Reporter interface {
	// Run delivers reports until ctx is done. One that deliver does not take in is sent
	// again, some times.
	Run(ctx context.Context, deliver func(context.Context, RawReport) error)
}

// Challenger is a provider whose challenges are answered on Coinslot's own page.
type Challenger interface {
	// Challenged says whether the payment waits for its player. Errors are as with Lookup.
	Challenged(ctx context.Context, payment pay.PaymentID) (bool, error)

	// Answer gives the player's answer, once. ErrNoChallenge where the payment does not
	// wait for one, or not any more.
	Answer(ctx context.Context, payment pay.PaymentID, approved bool) error
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
