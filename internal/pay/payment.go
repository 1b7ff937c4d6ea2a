package pay

import (
	"strings"
	"time"
)

// PaymentStatus is where a payment stands.
type PaymentStatus string

// The statuses of a payment. Processing and Authorized are live; the others are
// final, but that a succeeded payment can still be refunded.
const (
	// Processing: stored before the provider was asked, its answer not known yet. The provider acts next, or reconciliation, or the player where the provider asks them to confirm.
	PaymentProcessing PaymentStatus = "processing"
	// Authorized: the funds are held. The game acts next by completing or cancelling, or by its answer where it is asked, or the clock by voiding.
	PaymentAuthorized PaymentStatus = "authorized"
	// Succeeded: the money is ours. Nobody must act next; the operator or the game may refund.
	PaymentSucceeded PaymentStatus = "succeeded"
	// Failed: refused or given up, nothing charged. The player acts next, if the session has attempts left.
	PaymentFailed PaymentStatus = "failed"
	// Cancelled: an authorization that was voided. The player acts next, if the session has attempts left.
	PaymentCancelled PaymentStatus = "cancelled"
	// Refunded: refunds of the whole amount have succeeded. Nobody acts next.
	PaymentRefunded PaymentStatus = "refunded"
)

// PaymentStatuses lists every status of a payment, in the order of a payment's life.
var PaymentStatuses = []PaymentStatus{PaymentProcessing, PaymentAuthorized, PaymentSucceeded, PaymentFailed, PaymentCancelled, PaymentRefunded}

// Live says whether a payment of this status can still take money.
func (s PaymentStatus) Live() bool { return s == PaymentProcessing || s == PaymentAuthorized }

// Method is how the player paid.
type Method string

// The methods, as the wire names them.
const (
	MethodCard          Method = "card"
	MethodTokenizedCard Method = "tokenized_card"
	MethodApplePay      Method = "apple_pay"
	MethodGooglePay     Method = "google_pay"
	MethodPayPal        Method = "paypal"
	MethodPayLater      Method = "paylater"
	MethodVenmo         Method = "venmo"
	MethodToffeeWallet  Method = "toffee_wallet"
)

// Payment is one attempt to pay for a session.
type Payment struct {
	ID          PaymentID
	Session     SessionID
	Environment Environment
	Game        GameID
	User        UserID
	Status      PaymentStatus
	Amount      Money
	Method      Method
	Title       string // of the item
	Card        CardHint
	Reference   string   // the provider's own id of it; empty until it gave one
	Failure     *Failure // why it failed, or will have once its hold is let go

	// Sums of refunds in minor units; neither is ever more than the amount.
	Refunded int64 // those that succeeded
	Reserved int64 // those that succeeded or are pending

	// Intent is what the provider is being asked to do with an authorized payment. It
	// is stored before the provider is called, so that a crash forgets neither a capture nor a void.
	Intent Intent

	// Action is where the player must go before the provider decides, while the payment is
	// processing. It is a note, as Intent is.
	Action string

	// Late is what becomes of money that a provider held or took although the payment
	// had ended without any.
	Late   Late
	LateAt time.Time // when it was first known of

	// Asking: the game is being asked whether the authorized payment may be taken. Nothing
	// is taken until it has said so.
	Asking bool

	CreatedAt    time.Time
	AuthorizedAt time.Time
	CancelledAt  time.Time
	SucceededAt  time.Time
	FailedAt     time.Time
	RefundedAt   time.Time

	Version int64 // raised by one with each stored change; 0: not stored yet
}

// UnderWay says whether somebody is being asked about the payment just now: the provider,
// or its game.
func (p Payment) UnderWay() bool {
	return p.Status == PaymentProcessing || p.Status == PaymentAuthorized && (p.Asking || p.Intent != "")
}

// Intent is how an authorized payment is about to end.
type Intent string

// The intents. A payment without one is not about to end.
const (
	IntentCapture Intent = "capture"
	IntentVoid    Intent = "void"
)

// CardHint is all of a card that may be kept: what a receipt shows.
type CardHint struct {
	Brand string // visa, mastercard, amex …; empty: no card
	Last4 string
}

// FailureCode says why a payment failed, as Payment.error tells it.
type FailureCode string

// The reasons for which a payment fails.
const (
	CardDeclined         FailureCode = "card_declined"
	InsufficientFunds    FailureCode = "insufficient_funds"
	ExpiredCard          FailureCode = "expired_card"
	IncorrectCVC         FailureCode = "incorrect_cvc"
	AuthenticationFailed FailureCode = "authentication_failed"
	ProcessingError      FailureCode = "processing_error"
	ProviderUnavailable  FailureCode = "provider_unavailable"
	ConfirmationRejected FailureCode = "confirmation_rejected"
	ConfirmationTimeout  FailureCode = "confirmation_timeout"
	Abandoned            FailureCode = "abandoned"
)

// Failure is why a payment failed.
type Failure struct {
	Code    FailureCode
	Message string // for developers and logs, never a provider's internals
}

// OutcomeKind is what a provider said of a payment.
type OutcomeKind string

// The kinds of outcome. There is none for "no answer": that is an error of the
// call, and leaves the payment as it was.
const (
	OutcomePending    OutcomeKind = "pending"    // the provider is still at it
	OutcomeAuthorized OutcomeKind = "authorized" // funds held
	OutcomeSucceeded  OutcomeKind = "succeeded"  // funds taken
	OutcomeFailed     OutcomeKind = "failed"     // refused; nothing held or taken
	OutcomeVoided     OutcomeKind = "voided"     // the hold was let go
)

// OutcomeKinds lists every kind of outcome.
var OutcomeKinds = []OutcomeKind{OutcomePending, OutcomeAuthorized, OutcomeSucceeded, OutcomeFailed, OutcomeVoided}

// Outcome is what a provider said of a payment.
type Outcome struct {
	Kind      OutcomeKind
	Reference string   // the provider's own id of the payment
	Failure   *Failure // with OutcomeFailed
	Action    string   // with OutcomePending: the URL where the player must go; empty: nowhere
}

// Late is what becomes of money that came after a payment had ended without any.
type Late string

// The standings of late money. A payment without one has none.
const (
	LateOwed     Late = "owed"     // it is to be returned, which the provider is asked for until it is known to be
	LateReturned Late = "returned" // the player has it back, or it was let go
	LateKept     Late = "kept"     // the provider will not return it: a person must
)

// LateMoney says whether o tells of money held or taken although p has ended without any.
// It must never go unseen, and never stay.
func (p Payment) LateMoney(o Outcome) bool {
	return (p.Status == PaymentFailed || p.Status == PaymentCancelled) &&
		(o.Kind == OutcomeAuthorized || o.Kind == OutcomeSucceeded)
}

// LateRefund is the id under which late money of a payment is returned, always the same,
// so that however often that is asked for it is returned once. No refund of the payment's
// has it: one that failed has none.
func (p Payment) LateRefund() RefundID {
	return RefundID("ref_" + strings.TrimPrefix(string(p.ID), "pay_"))
}
