package pay

import (
	"fmt"
	"slices"
	"time"
)

// StartPayment decides that the player may try to pay. The payment is stored as
// processing before the provider is asked, so that no crash forgets a charge.
func (s Session) StartPayment(id PaymentID, method Method, card CardHint, now time.Time) (Change, error) {
	now = s.notBefore(now)
	s = s.At(now)
	if err := s.checkOpen(); err != nil {
		return Change{}, err
	}
	p := Payment{
		ID: id, Session: s.ID, Environment: s.Environment, Game: s.Game, User: s.User,
		Status: PaymentProcessing, Amount: s.Item.Price, Method: method, Title: s.Item.Title, Card: card,
		CreatedAt: now,
	}
	s.Payment, s.Live = p.ID, true
	c := Change{Session: &s, Payment: &p}
	c.tell(PaymentCreatedEvent, &p, now)
	return c, nil
}

// Cancel decides that the session is called off, by its game or its player. A
// session that is cancelled already is left as it is, and that is no error.
func (s Session) Cancel(now time.Time) (Change, error) {
	now = s.notBefore(now)
	s = s.At(now)
	if s.Status == SessionCancelled {
		return Change{}, nil
	}
	if err := s.checkOpen(); err != nil {
		return Change{}, err
	}
	c := Change{Session: &s}
	c.end(SessionCancelled, now)
	return c, nil
}

// Expire stores what At has shown since the deadline. A session that is not
// overdue is left as it is.
func (s Session) Expire(now time.Time) Change {
	if !s.Standing().Overdue(now) {
		return Change{}
	}
	c := Change{Session: &s}
	c.end(SessionExpired, s.ExpiresAt)
	return c
}

// Settle decides what an outcome does to payment p of this session and to the
// session itself. An outcome that says nothing new, or comes after p has ended, changes nothing.
func (s Session) Settle(p Payment, o Outcome, now time.Time) Change {
	s.mustOwn(p)
	next := settled(p, o.Kind)
	if next == p.Status {
		return Change{}
	}
	if s.Status != SessionPending || !s.Live || s.Payment != p.ID {
		panic(fmt.Sprintf("pay: payment %s is live on session %s, which is %s", p.ID, s.ID, s.Status))
	}
	now = latest(s.notBefore(now), p.CreatedAt, p.AuthorizedAt)
	p.Status, p.Asking, p.Action = next, false, ""
	if o.Reference != "" {
		p.Reference = o.Reference
	}
	c := Change{Session: &s, Payment: &p}
	switch next {
	case PaymentAuthorized:
		p.AuthorizedAt, p.Asking = now, s.Confirm
		c.tell(PaymentAuthorizedEvent, &p, now)
	case PaymentSucceeded:
		p.SucceededAt, p.Failure, s.Live = now, nil, false
		c.tell(PaymentSucceededEvent, &p, now)
		c.end(SessionPaid, now)
	case PaymentFailed:
		p.FailedAt = now
		if p.Failure == nil {
			p.Failure = o.failure()
		}
		c.tell(PaymentFailedEvent, &p, now)
		c.spend(SessionFailed, now)
	case PaymentCancelled:
		p.CancelledAt = now
		c.tell(PaymentCancelledEvent, &p, now)
		c.spend(SessionCancelled, now)
	}
	return c
}

// settled is the table of a payment's transitions: the status that follows when a
// provider says o of p. A hold that was let go because the game would not have the payment
// is a failure, not a cancellation.
func settled(p Payment, o OutcomeKind) PaymentStatus {
	switch from := p.Status; {
	case from == PaymentProcessing && o == OutcomeAuthorized:
		return PaymentAuthorized
	case from.Live() && o == OutcomeSucceeded:
		return PaymentSucceeded
	case from.Live() && o == OutcomeFailed, from == PaymentProcessing && o == OutcomeVoided,
		from == PaymentAuthorized && o == OutcomeVoided && p.Failure != nil:
		return PaymentFailed
	case from == PaymentAuthorized && o == OutcomeVoided:
		return PaymentCancelled
	}
	return p.Status
}

// failure is why the payment failed; a hold that was let go before the payment was
// known to be authorized was abandoned.
func (o Outcome) failure() *Failure {
	switch {
	case o.Failure != nil:
		return o.Failure
	case o.Kind == OutcomeVoided:
		return &Failure{Abandoned, "the authorization was voided before it was used"}
	}
	return &Failure{ProcessingError, "the provider gave no reason"}
}

// spend counts a payment that ended without success. The session ends as out says
// when no attempt is left, expires when its deadline passed meanwhile, and else is open again.
func (c *Change) spend(out SessionStatus, now time.Time) {
	s := c.Session
	s.Spent++
	s.Live = false
	switch {
	case s.Spent >= s.Attempts:
		c.end(out, now)
	case s.Standing().Overdue(now):
		c.end(SessionExpired, now)
	}
}

func (c *Change) end(status SessionStatus, at time.Time) {
	s := c.Session
	s.Status = status
	switch status {
	case SessionPaid:
		s.PaidAt = at
		c.tell(SessionPaidEvent, nil, at)
	case SessionFailed:
		s.FailedAt = at
		c.tell(SessionFailedEvent, nil, at)
	case SessionCancelled:
		s.CancelledAt = at
		c.tell(SessionCancelledEvent, nil, at)
	case SessionExpired:
		s.ExpiredAt = at
		c.tell(SessionExpiredEvent, nil, at)
	default:
		panic("pay: " + string(status) + " ends no session")
	}
}

// checkOpen refuses whatever needs a session that is pending and has no live payment.
func (s Session) checkOpen() error {
	switch {
	case s.Status == SessionExpired:
		return Refuse(SessionHasExpired, "session %s expired at %s", s.ID, s.ExpiredAt.Format(time.RFC3339))
	case s.Status != SessionPending:
		return Refuse(SessionNotPending, "session %s must be pending, but is %s", s.ID, s.Status)
	case s.Live:
		return Refuse(PaymentInProgress, "payment %s of session %s is in progress; wait for its outcome, or end it by CompletePayment or CancelPayment if it is authorized", s.Payment, s.ID)
	}
	return nil
}

// CheckComplete says what completing p calls for: capture it, nothing since it has
// succeeded already, or a refusal.
func (p Payment) CheckComplete() (capture bool, err error) {
	if p.Status == PaymentSucceeded || p.Status == PaymentRefunded {
		return false, nil
	}
	return p.checkEnding(IntentCapture)
}

// CheckCancel says what cancelling p calls for: void it, nothing since it is
// cancelled already, or a refusal.
func (p Payment) CheckCancel() (void bool, err error) {
	if p.Status == PaymentCancelled {
		return false, nil
	}
	return p.checkEnding(IntentVoid)
}

// checkEnding refuses to end a payment that is not authorized, or that is about to
// end in the other way.
func (p Payment) checkEnding(wanted Intent) (bool, error) {
	switch {
	case p.Status != PaymentAuthorized:
		return false, Refuse(PaymentNotAuthorized, "payment %s must be authorized, but is %s", p.ID, p.Status)
	case p.Asking:
		return false, Refuse(PaymentNotAuthorized, "the game is being asked whether to take payment %s; wait for its decision", p.ID)
	case p.Intent != "" && p.Intent != wanted:
		return false, Refuse(PaymentNotAuthorized, "payment %s must be authorized, but its %s is under way", p.ID, p.Intent)
	}
	return true, nil
}

// notBefore is now, but never before the session was made: the clock may have been set
// back meanwhile, and created_at <= paid_at holds all the same.
func (s Session) notBefore(now time.Time) time.Time { return latest(Clock(now), s.CreatedAt) }

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }
