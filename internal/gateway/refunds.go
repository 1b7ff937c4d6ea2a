package gateway

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
	"github.com/coinslot/coinslot/internal/store"
)

// CreateRefund returns money of a payment. The refund is stored before the provider is
// asked, and the answer is written whether or not the caller still waits for it: one that
// takes longer than a caller should wait is returned as pending. A repeat gets the refund
// as it stands now.
func (s *Service) CreateRefund(ctx context.Context, c Caller, o pay.RefundOrder, idem Idempotency) (refund pay.Refund, replayed bool, err error) {
	return s.refundIn(ctx, "CreateRefund", c, o, idem)
}

// refundIn does so with idempotency keys that count for one method.
func (s *Service) refundIn(ctx context.Context, method string, c Caller, o pay.RefundOrder, idem Idempotency) (refund pay.Refund, replayed bool, err error) {
	if err := c.checkWrite(idem); err != nil {
		return pay.Refund{}, false, err
	}
	payment, err := s.Payment(ctx, c, o.Payment)
	if err != nil {
		return pay.Refund{}, false, err
	}
	id := pay.NewRefundID(s.now(), entropy())
	s.returning.Store(id, true) // before reconciliation can see it as pending
	scope := store.Scope{Environment: payment.Environment, Game: payment.Game, Method: method}
	refund, replayed, err = s.startRefund(ctx, payment, id, o, idem, scope)
	if err != nil || replayed {
		s.returning.Delete(id)
		return refund, replayed, err
	}
	s.wait(ctx, s.giveBack(ctx, refund))
	refund, err = s.Refund(context.WithoutCancel(ctx), c, id)
	return refund, false, err
}

// startRefund stores the refund as pending, or finds the one that a call with this
// idempotency key has made.
func (s *Service) startRefund(ctx context.Context, p pay.Payment, id pay.RefundID, o pay.RefundOrder, idem Idempotency, scope store.Scope) (refund pay.Refund, replayed bool, err error) {
	now := s.now()
	err = s.store.Update(ctx, p.Session, func(tx store.Tx) error {
		made, again, err := idem.once(tx, scope, now, s.window, func() (string, error) {
			if _, err := s.provider(p.Environment); err != nil {
				return "", err
			}
			session, payment, err := owned(tx, p.ID)
			if err != nil {
				return "", err
			}
			before, err := tx.SessionRefunds(session.ID)
			if err != nil {
				return "", err
			}
			if err := payment.CheckRefunds(len(before)); err != nil {
				return "", err
			}
			change, err := session.StartRefund(payment, id, o, s.now())
			if err != nil {
				return "", err
			}
			refund = *change.Refund
			return string(id), s.apply(tx, change)
		})
		if replayed = again; again && err == nil {
			refund, err = tx.Refund(pay.RefundID(made))
		}
		return err
	})
	return refund, replayed, err
}

// giveBack asks the provider in the background, and goes on until the outcome is written
// or left to reconciliation. The channel is closed once the provider has been asked: one
// that takes its time is no reason for the caller to wait.
func (s *Service) giveBack(ctx context.Context, r pay.Refund) (asked <-chan struct{}) {
	ctx = context.WithoutCancel(ctx)
	done := make(chan struct{})
	told := sync.OnceFunc(func() { close(done) })
	ask := s.askRefund
	s.calls.Go(func() {
		defer s.returning.Delete(r.ID)
		s.pursue(ctx, slog.String("refund", string(r.ID)), func() (bool, error) {
			defer told()
			outcome, err := ask(ctx, r)
			ask = s.lookUpRefund
			if err != nil || outcome.Status == pay.RefundPending {
				return false, err
			}
			err = s.settleRefund(ctx, r, outcome)
			return err == nil, err
		})
	})
	return done
}

// resolveRefund finds out where a refund stands.
func (s *Service) resolveRefund(ctx context.Context, r pay.Refund) error {
	outcome, err := s.lookUpRefund(ctx, r)
	if err != nil {
		return err
	}
	s.log.InfoContext(ctx, "refund reconciled", "refund", r.ID, "outcome", outcome.Status)
	return s.settleRefund(ctx, r, outcome)
}

func (s *Service) askRefund(ctx context.Context, r pay.Refund) (pay.RefundOutcome, error) {
	by, err := s.provider(r.Environment)
	if err != nil {
		return pay.RefundOutcome{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, providerDeadline)
	defer cancel()
	return by.Refund(ctx, provider.Return{Refund: r.ID, Payment: r.Payment, Amount: r.Amount})
}

// lookUpRefund asks the provider where a refund stands, and asks for the refund again
// where it never got there: it was promised, and its id sees to it that it is done once.
func (s *Service) lookUpRefund(ctx context.Context, r pay.Refund) (pay.RefundOutcome, error) {
	by, err := s.provider(r.Environment)
	if err != nil {
		return pay.RefundOutcome{}, err
	}
	limited, cancel := context.WithTimeout(ctx, providerDeadline)
	defer cancel()
	outcome, err := by.LookupRefund(limited, r.Payment, r.ID)
	if errors.Is(err, provider.ErrUnknownRefund) {
		outcome, err = s.askRefund(ctx, r)
	}
	return s.hopeless(ctx, r, outcome, err)
}

// hopeless ends a refund of which the provider says what no asking again can change.
func (s *Service) hopeless(ctx context.Context, r pay.Refund, o pay.RefundOutcome, err error) (pay.RefundOutcome, error) {
	switch {
	case errors.Is(err, provider.ErrUnknownPayment):
		s.log.ErrorContext(ctx, "ALARM: the provider does not know a payment that it took", "payment", r.Payment, "refund", r.ID)
		return pay.RefundOutcome{Status: pay.RefundFailed, Failure: &pay.Failure{
			Code: pay.ProcessingError, Message: "the provider does not know the payment; nothing was returned",
		}}, nil
	case errors.Is(err, provider.ErrDifferentRefund):
		s.log.ErrorContext(ctx, "ALARM: the provider has another refund under this one's id; it stays pending until somebody has looked", "payment", r.Payment, "refund", r.ID)
	}
	return o, err
}

// settleRefund writes what a provider said of a refund. Settling a settled one changes nothing.
func (s *Service) settleRefund(ctx context.Context, r pay.Refund, o pay.RefundOutcome) error {
	return s.store.Update(ctx, r.Session, func(tx store.Tx) error {
		refund, err := tx.Refund(r.ID)
		if err != nil {
			return notFound(err, pay.RefundNotFound, "refund", string(r.ID))
		}
		session, payment, err := owned(tx, r.Payment)
		if err != nil {
			return err
		}
		return s.apply(tx, session.SettleRefund(payment, refund, o, s.now()))
	})
}

// owned is a payment and the session that it is of.
func owned(r store.Reader, id pay.PaymentID) (pay.Session, pay.Payment, error) {
	payment, err := r.Payment(id)
	if err != nil {
		return pay.Session{}, payment, notFound(err, pay.PaymentNotFound, "payment", string(id))
	}
	session, err := r.Session(payment.Session)
	return session, payment, notFound(err, pay.SessionNotFound, "session", string(payment.Session))
}

// Refund is a refund as it stands.
func (s *Service) Refund(ctx context.Context, c Caller, id pay.RefundID) (pay.Refund, error) {
	return view(ctx, s.store, func(r store.Reader) (pay.Refund, error) { return c.refund(r, id) })
}

// Refunds pages through the refunds that the caller may know of, newest first.
func (s *Service) Refunds(ctx context.Context, c Caller, q store.RefundQuery) (page store.Page[pay.Refund], err error) {
	if q.Game, err = s.coveredGame(c, q.Game); err != nil {
		return page, err
	}
	q.Environment = c.Environment
	return view(ctx, s.store, func(r store.Reader) (store.Page[pay.Refund], error) { return r.Refunds(q) })
}
