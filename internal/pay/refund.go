package pay

import (
	"fmt"
	"time"
)

// RefundStatus is where a refund stands. All but Pending are final.
type RefundStatus string

// The statuses of a refund.
const (
	// Pending: stored before the provider was asked, or the provider is still at it. The provider acts next, or reconciliation.
	RefundPending RefundStatus = "pending"
	// Succeeded: the money is on its way back to the player. Nobody acts next.
	RefundSucceeded RefundStatus = "succeeded"
	// Failed: the provider could not return the money. Nobody must act next; the game or the operator may try another refund.
	RefundFailed RefundStatus = "failed"
	// Cancelled: the provider called it off before anything was returned. Nobody must act next; the game or the operator may try another refund.
	RefundCancelled RefundStatus = "cancelled"
)

// RefundStatuses lists every status of a refund, in the order of a refund's life.
var RefundStatuses = []RefundStatus{RefundPending, RefundSucceeded, RefundFailed, RefundCancelled}

// Refund is money returned from a payment: all of it, or a part.
type Refund struct {
	ID          RefundID
	Payment     PaymentID
	Session     SessionID
	Environment Environment
	Game        GameID
	User        UserID
	Status      RefundStatus
	Amount      Money
	Reason      string // in the words of whoever asked; empty: none given
	Reference   string // the provider's own id of it; empty until it gave one
	Failure     *Failure

	CreatedAt   time.Time
	SucceededAt time.Time
	FailedAt    time.Time
	CancelledAt time.Time

	Version int64 // raised by one with each stored change; 0: not stored yet
}

// RefundOrder is what is asked of CreateRefund, as it came.
type RefundOrder struct {
	Payment PaymentID
	Amount  *int64 // minor units; nil: all that is left
	Reason  string
}

// RefundOutcome is what a provider said of a refund: where it stands.
type RefundOutcome struct {
	Status    RefundStatus
	Reference string   // the provider's own id of the refund
	Failure   *Failure // with RefundFailed
}

const mostReason = 500 // characters

// MostRefunds is how many refunds a payment can have, failed ones counted: each is looked
// at with the next.
const MostRefunds = 1000

// CheckRefunds refuses another refund of a payment that has had so many.
func (p Payment) CheckRefunds(had int) error {
	if had < MostRefunds {
		return nil
	}
	return Refuse(RefundNotAllowed, "payment %s has had %d refunds, failed ones among them, which is the most there can be", p.ID, had)
}

// Left is how much of the payment can still be refunded, in minor units: what it took,
// less the refunds that are pending or have succeeded.
func (p Payment) Left() int64 {
	if p.Status != PaymentSucceeded {
		return 0
	}
	return p.Amount.Amount - p.Reserved
}

// StartRefund decides that money of payment p, which is this session's, is to be
// returned. The refund is stored as pending before the provider is asked, and from then
// on counts against what is left, so that no two refunds can return the same money.
func (s Session) StartRefund(p Payment, id RefundID, o RefundOrder, now time.Time) (Change, error) {
	s.mustOwn(p)
	amount := p.Left()
	if o.Amount != nil {
		amount = *o.Amount
	}
	switch {
	case p.Status != PaymentSucceeded && p.Status != PaymentRefunded:
		return Change{}, Refuse(RefundNotAllowed, "payment %s must have succeeded to be refunded, but is %s", p.ID, p.Status)
	case p.Left() == 0:
		return Change{}, Refuse(AlreadyRefunded, "payment %s is refunded already, or is about to be: nothing of it is left", p.ID)
	case amount < 1:
		return Change{}, RefuseField(InvalidAmount, "amount", "must be a positive integer in minor units, got %d", amount)
	case amount > p.Left():
		return Change{}, RefuseField(InvalidAmount, "amount", "must be at most the %d that are left of payment %s, got %d", p.Left(), p.ID, amount)
	}
	if err := checkText(InvalidRequest, "reason", o.Reason, 0, mostReason); err != nil {
		return Change{}, err
	}
	now = latest(s.notBefore(now), p.SucceededAt)
	r := Refund{
		ID: id, Payment: p.ID, Session: s.ID, Environment: s.Environment, Game: s.Game, User: s.User,
		Status: RefundPending, Amount: Money{amount, p.Amount.Currency}, Reason: o.Reason, CreatedAt: now,
	}
	p.Reserved += amount
	c := Change{Session: &s, Payment: &p, Refund: &r}
	c.tellRefund(RefundCreatedEvent, now)
	return c, nil
}

// SettleRefund decides what an outcome does to refund r of payment p, and to the payment.
// An outcome that says nothing new, or comes after r has ended, changes nothing.
func (s Session) SettleRefund(p Payment, r Refund, o RefundOutcome, now time.Time) Change {
	s.mustOwn(p)
	if r.Payment != p.ID || r.Amount.Currency != p.Amount.Currency {
		panic(fmt.Sprintf("pay: refund %s of payment %s settled on payment %s", r.ID, r.Payment, p.ID))
	}
	if r.Status != RefundPending {
		return Change{}
	}
	now = latest(s.notBefore(now), r.CreatedAt)
	r.Status = o.Status
	if o.Reference != "" {
		r.Reference = o.Reference
	}
	c := Change{Session: &s, Payment: &p, Refund: &r}
	switch o.Status {
	case RefundSucceeded:
		r.SucceededAt = now
		p.Refunded += r.Amount.Amount
		if p.Refunded == p.Amount.Amount {
			p.Status, p.RefundedAt = PaymentRefunded, now
		}
		c.tellRefund(RefundSucceededEvent, now)
	case RefundFailed:
		r.FailedAt, r.Failure = now, o.failure()
		p.Reserved -= r.Amount.Amount
		c.tellRefund(RefundFailedEvent, now)
	case RefundCancelled:
		r.CancelledAt = now
		p.Reserved -= r.Amount.Amount
		c.tellRefund(RefundCancelledEvent, now)
	default:
		return Change{}
	}
	return c
}

func (o RefundOutcome) failure() *Failure {
	if o.Failure != nil {
		return o.Failure
	}
	return &Failure{ProcessingError, "the provider gave no reason"}
}

// mustOwn panics where the payment is not this session's: the caller mixed them up.
func (s Session) mustOwn(p Payment) {
	if p.Session != s.ID || p.Amount != s.Item.Price {
		panic(fmt.Sprintf("pay: payment %s of session %s decided on with session %s", p.ID, p.Session, s.ID))
	}
}
