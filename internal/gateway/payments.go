package gateway

import (
	"context"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
	"github.com/coinslot/coinslot/internal/store"
)

// providerDeadline is how long one call of a provider may take.
const providerDeadline = 30 * time.Second

// Payment is a payment as it stands.
func (s *Service) Payment(ctx context.Context, c Caller, id pay.PaymentID) (pay.Payment, error) {
	return view(ctx, s.store, func(r store.Reader) (pay.Payment, error) { return c.payment(r, id) })
}

// Payments pages through a game's succeeded payments, newest first.
func (s *Service) Payments(ctx context.Context, c Caller, q store.PaymentQuery) (store.Page[pay.Payment], error) {
	if _, err := s.game(c, q.Game); err != nil {
		return store.Page[pay.Payment]{}, err
	}
	q.Environment = c.Environment
	return view(ctx, s.store, func(r store.Reader) (store.Page[pay.Payment], error) { return r.Payments(q) })
}

// CompletePayment captures an authorized payment. Completing a succeeded one again is a success.
func (s *Service) CompletePayment(ctx context.Context, c Caller, id pay.PaymentID, idem Idempotency) (replayed bool, err error) {
	return s.end(ctx, c, id, idem, capturing)
}

// CancelPayment voids an authorized payment. Cancelling a cancelled one again is a success.
func (s *Service) CancelPayment(ctx context.Context, c Caller, id pay.PaymentID, idem Idempotency) (replayed bool, err error) {
	return s.end(ctx, c, id, idem, voiding)
}

// ending is one of the two ways in which an authorized payment ends.
type ending struct {
	method string
	intent pay.Intent
	check  func(pay.Payment) (needed bool, err error)
	call   func(provider.Provider, context.Context, pay.PaymentID) (pay.Outcome, error)
}

var (
	capturing = ending{"CompletePayment", pay.IntentCapture, pay.Payment.CheckComplete, provider.Provider.Capture}
	voiding   = ending{"CancelPayment", pay.IntentVoid, pay.Payment.CheckCancel, provider.Provider.Void}
)

// end ends an authorized payment in the order of all that moves money: the intent is
// written, the provider is called, the outcome is written.
func (s *Service) end(ctx context.Context, c Caller, id pay.PaymentID, idem Idempotency, e ending) (replayed bool, err error) {
	if err := c.checkWrite(idem); err != nil {
		return false, err
	}
	payment, err := s.Payment(ctx, c, id)
	if err != nil {
		return false, err
	}
	if _, err := s.provider(payment.Environment); err != nil {
		return false, err
	}
	needed, replayed, err := s.intend(ctx, payment, idem, e)
	if err != nil || !needed {
		return replayed, err
	}
	after, err := s.carryOut(context.WithoutCancel(ctx), payment, e)
	if err != nil {
		return false, err
	}
	if needed, err = e.check(after); err == nil && needed {
		err = pay.Refuse(pay.Unavailable, "the payment provider has not ended payment %s yet; ask again", id)
	}
	return false, err
}

// intend writes what is about to be done, and takes the idempotency key for it in the
// same transaction: a key that came with another request must not reach the provider. What
// a repeat is answered follows from where the payment stands.
func (s *Service) intend(ctx context.Context, p pay.Payment, idem Idempotency, e ending) (needed, replayed bool, err error) {
	now := s.now()
	scope := store.Scope{Environment: p.Environment, Game: p.Game, Method: e.method}
	err = s.store.Update(ctx, p.Session, func(tx store.Tx) error {
		_, known, err := idem.replay(tx, scope, now)
		if err != nil {
			return err
		}
		payment, err := tx.Payment(p.ID)
		if err != nil {
			return notFound(err, pay.PaymentNotFound, "payment", string(p.ID))
		}
		if needed, err = e.check(payment); err != nil {
			return err
		}
		if replayed = known && !needed; needed {
			err = tx.Intend(p.ID, e.intent, payment.Failure) // that its game has decided stands
		}
		if err != nil || known {
			return err
		}
		return idem.remember(tx, scope, string(p.ID), now, s.window)
	})
	return needed, replayed, err
}

// carryOut has the provider do what was intended, writes what came of it, and returns
// the payment as it is then. No answer is told as unavailable: what happened is
// unknown, and is asked again, by the caller or by reconciliation. A hold that the
// provider left as it is frees the payment of the intent.
func (s *Service) carryOut(ctx context.Context, p pay.Payment, e ending) (pay.Payment, error) {
	ctx, cancel := context.WithTimeout(ctx, providerDeadline)
	defer cancel()
	by, err := s.provider(p.Environment)
	if err != nil {
		return pay.Payment{}, err
	}
	outcome, err := e.call(by, ctx, p.ID)
	if err != nil {
		s.log.WarnContext(ctx, "provider gave no answer", "intent", e.intent, "payment", p.ID, "error", err)
		return pay.Payment{}, pay.Refuse(pay.Unavailable, "the payment provider gave no answer, so the outcome is not known yet; ask again")
	}
	if outcome.Kind == pay.OutcomeAuthorized {
		return p, s.release(ctx, p)
	}
	return s.settle(ctx, p, outcome)
}

// release frees a payment of its intent, since the provider was asked and left the hold as
// it was: the game may now decide otherwise. One that was asked beforehand has decided.
func (s *Service) release(ctx context.Context, p pay.Payment) error {
	return s.store.Update(ctx, p.Session, func(tx store.Tx) error {
		session, _, err := owned(tx, p.ID)
		if err != nil || session.Confirm {
			return err
		}
		return tx.Intend(p.ID, "", nil)
	})
}

// settleAndAsk writes what a provider said of a payment. Where that calls for the game's
// word, the game is asked and obeyed, or left to reconciliation.
func (s *Service) settleAndAsk(ctx context.Context, p pay.Payment, o pay.Outcome) (settled bool, err error) {
	after, err := s.settle(ctx, p, o)
	if err != nil {
		return false, err
	}
	if after.Asking {
		if err := s.confirm(ctx, after); err != nil {
			s.log.WarnContext(ctx, "a payment waits for its game's decision, or for the provider to carry it out", "payment", p.ID, "error", err)
		}
	}
	return true, nil
}

func (s *Service) provider(env pay.Environment) (provider.Provider, error) {
	if by := s.providers(env); by != nil {
		return by, nil
	}
	return nil, pay.Refuse(pay.Unavailable, "no payment provider is set up for %s", env)
}

// settle writes what a provider said of a payment, and returns the payment as it is
// then. Settling a settled payment changes nothing.
func (s *Service) settle(ctx context.Context, p pay.Payment, o pay.Outcome) (after pay.Payment, err error) {
	late := false
	err = s.store.Update(ctx, p.Session, func(tx store.Tx) error {
		after, late, err = s.settleIn(tx, p.ID, o)
		return err
	})
	s.noteReopened()
	if o.Kind == pay.OutcomePending {
		s.watchers.hint(p.Session) // where the player must go is no event
	}
	if err == nil && late {
		s.raiseLate(ctx, after, o)
	}
	return after, err
}

// noteReopened has deadlines looked for now.
func (s *Service) noteReopened() {
	select {
	case s.reopened <- struct{}{}:
	default: // a look is due already
	}
}

// settleIn does so within a transaction, and says whether it has noted money that came late.
// Of a payment that is still pending it notes where its player must go, if anywhere.
func (s *Service) settleIn(tx store.Tx, id pay.PaymentID, o pay.Outcome) (after pay.Payment, late bool, err error) {
	session, payment, err := owned(tx, id)
	if err != nil {
		return pay.Payment{}, false, err
	}
	if change := session.Settle(payment, o, s.now()); !change.Empty() {
		return *change.Payment, false, s.apply(tx, change)
	}
	if o.Kind == pay.OutcomePending && payment.Status == pay.PaymentProcessing && payment.Action != o.Action {
		payment.Action = o.Action
		return payment, false, tx.Direct(id, o.Action)
	}
	if !payment.LateMoney(o) || payment.Late != "" {
		return payment, false, nil
	}
	payment.Late, payment.LateAt = pay.LateOwed, pay.Clock(s.now())
	return payment, true, tx.NoteLate(id, payment.Late, payment.LateAt)
}
