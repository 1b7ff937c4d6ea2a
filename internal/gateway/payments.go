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
	return view(ctx, s.Store, func(r store.Reader) (pay.Payment, error) { return c.payment(r, id) })
}

// Payments pages through a game's succeeded payments, newest first.
func (s *Service) Payments(ctx context.Context, c Caller, q store.PaymentQuery) (store.Page[pay.Payment], error) {
	if _, err := s.game(c, q.Game); err != nil {
		return store.Page[pay.Payment]{}, err
	}
	q.Environment = c.Environment
	return view(ctx, s.Store, func(r store.Reader) (store.Page[pay.Payment], error) { return r.Payments(q) })
}

// CompletePayment captures an authorized payment. Completing a succeeded one again is a success.
func (s *Service) CompletePayment(ctx context.Context, c Caller, id pay.PaymentID, idem Idempotency) (replayed bool, err error) {
	return s.finish(ctx, c, id, idem, finishing{"CompletePayment", pay.Payment.CheckComplete, provider.Provider.Capture})
}

// CancelPayment voids an authorized payment. Cancelling a cancelled one again is a success.
func (s *Service) CancelPayment(ctx context.Context, c Caller, id pay.PaymentID, idem Idempotency) (replayed bool, err error) {
	return s.finish(ctx, c, id, idem, finishing{"CancelPayment", pay.Payment.CheckCancel, provider.Provider.Void})
}

// finishing is one of the two ways in which a game ends an authorized payment.
type finishing struct {
	method string
	check  func(pay.Payment) (needed bool, err error)
	call   func(provider.Provider, context.Context, pay.PaymentID) (pay.Outcome, error)
}

func (s *Service) finish(ctx context.Context, c Caller, id pay.PaymentID, idem Idempotency, f finishing) (replayed bool, err error) {
	if err := c.checkWrite(idem); err != nil {
		return false, err
	}
	now := s.Now()
	payment, replayed, err := s.findForFinish(ctx, c, id, idem, f, now)
	if err != nil || replayed {
		return replayed, err
	}
	needed, err := f.check(payment)
	if err != nil {
		return false, err
	}
	outcome := pay.Outcome{Kind: pay.OutcomePending} // which settles nothing
	if needed {
		if outcome, err = s.callProvider(ctx, payment, f); err != nil {
			return false, err
		}
	}
	defer s.noteReopened()
	err = s.Store.Update(context.WithoutCancel(ctx), payment.Session, func(tx store.Tx) error {
		_, replayed, err = idem.once(tx, f.scope(payment), now, s.IdempotencyWindow, func() (string, error) {
			after, err := s.settleIn(tx, payment.ID, outcome)
			if err != nil {
				return "", err
			}
			if again, err := f.check(after); err != nil || again {
				return "", pay.Refuse(pay.PaymentNotAuthorized, "payment %s must be authorized, but is %s", id, after.Status)
			}
			return string(id), nil
		})
		return err
	})
	return replayed, err
}

func (f finishing) scope(p pay.Payment) store.Scope {
	return store.Scope{Environment: p.Environment, Game: p.Game, Method: f.method}
}

// findForFinish reads the payment, and the answer given before where there is one:
// a repeat must not reach the provider.
func (s *Service) findForFinish(ctx context.Context, c Caller, id pay.PaymentID, idem Idempotency, f finishing, now time.Time) (payment pay.Payment, replayed bool, err error) {
	err = s.Store.View(ctx, func(r store.Reader) error {
		if payment, err = c.payment(r, id); err != nil {
			return err
		}
		_, replayed, err = idem.replay(r, f.scope(payment), now)
		return err
	})
	return payment, replayed, err
}

// callProvider asks the provider to capture or void. No answer is told as
// unavailable: what happened is unknown, and the same call asks again.
func (s *Service) callProvider(ctx context.Context, p pay.Payment, f finishing) (pay.Outcome, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), providerDeadline)
	defer cancel()
	by, err := s.provider(p.Environment)
	if err != nil {
		return pay.Outcome{}, err
	}
	outcome, err := f.call(by, ctx, p.ID)
	if err != nil {
		s.Logger.WarnContext(ctx, "provider gave no answer", "method", f.method, "payment", p.ID, "error", err)
		return pay.Outcome{}, pay.Refuse(pay.Unavailable, "the payment provider gave no answer, so the outcome is not known yet; ask again")
	}
	return outcome, nil
}

func (s *Service) provider(env pay.Environment) (provider.Provider, error) {
	if by := s.Provider(env); by != nil {
		return by, nil
	}
	return nil, pay.Refuse(pay.Unavailable, "no payment provider is set up for %s", env)
}

// settle writes what a provider said of a payment. Settling a settled payment changes nothing.
func (s *Service) settle(ctx context.Context, p pay.Payment, o pay.Outcome) error {
	err := s.Store.Update(ctx, p.Session, func(tx store.Tx) error {
		_, err := s.settleIn(tx, p.ID, o)
		return err
	})
	s.noteReopened()
	return err
}

// noteReopened has deadlines looked for now.
func (s *Service) noteReopened() {
	select {
	case s.reopened <- struct{}{}:
	default: // a look is due already
	}
}

// settleIn does so within a transaction, and returns the payment as it is then.
func (s *Service) settleIn(tx store.Tx, id pay.PaymentID, o pay.Outcome) (pay.Payment, error) {
	payment, err := tx.Payment(id)
	if err != nil {
		return pay.Payment{}, notFound(err, pay.PaymentNotFound, "payment", string(id))
	}
	session, err := tx.Session(payment.Session)
	if err != nil {
		return pay.Payment{}, notFound(err, pay.SessionNotFound, "session", string(payment.Session))
	}
	change := session.Settle(payment, o, s.Now())
	if change.Empty() {
		return payment, nil
	}
	return *change.Payment, s.apply(tx, change)
}
