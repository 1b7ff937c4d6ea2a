package gateway

import (
	"context"
	"errors"
	"fmt"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
	"github.com/coinslot/coinslot/internal/store"
)

// raiseLate sees to it that money which came after its payment had ended does not go unseen.
// That it is owed is written already.
func (s *Service) raiseLate(ctx context.Context, p pay.Payment, o pay.Outcome) {
	s.late.Add(1)
	s.log.ErrorContext(ctx, "ALARM: the provider holds or took money for a payment that had ended without it; it is being returned",
		"payment", p.ID, "status", p.Status, "outcome", o.Kind)
}

// LateMoney is for how many payments money came late since this process began.
func (s *Service) LateMoney() int64 { return s.late.Load() }

// LatePayments lists payments for which money came late, newest first, before the given id.
func (s *Service) LatePayments(ctx context.Context, before pay.PaymentID, most int) ([]pay.Payment, error) {
	return view(ctx, s.store, func(r store.Reader) ([]pay.Payment, error) { return r.LatePayments(before, most) })
}

// returnLate has the provider return money that came late, and notes that it did. It can be
// done any number of times, by any number of processes: the refund has always the same id.
func (s *Service) returnLate(ctx context.Context, p pay.Payment) error {
	ctx, cancel := context.WithTimeout(ctx, providerDeadline)
	defer cancel()
	late, err := s.giveLateBack(ctx, p)
	if err != nil {
		return fmt.Errorf("return late money of payment %s: %w", p.ID, err)
	}
	if late == pay.LateOwed {
		return nil // the provider takes its time
	}
	err = s.store.Update(ctx, p.Session, func(tx store.Tx) error { return tx.NoteLate(p.ID, late, s.now()) })
	switch {
	case errors.Is(err, store.ErrConflict):
		return nil // another process noted it
	case err != nil:
		return err
	case late == pay.LateKept:
		s.log.ErrorContext(ctx, "ALARM: the provider does not return money that came late; somebody must return it there", "payment", p.ID)
	default:
		s.log.WarnContext(ctx, "money that came late was returned", "payment", p.ID)
	}
	return nil
}

// giveLateBack says how the late money stands once the provider was asked to return it.
func (s *Service) giveLateBack(ctx context.Context, p pay.Payment) (pay.Late, error) {
	by, err := s.provider(p.Environment)
	if err != nil {
		return "", err
	}
	outcome, err := by.Lookup(ctx, p.ID)
	if err == nil && outcome.Kind == pay.OutcomeAuthorized {
		outcome, err = by.Void(ctx, p.ID)
	}
	switch {
	case errors.Is(err, provider.ErrUnknownPayment):
		return pay.LateKept, nil // it knew of it before
	case err != nil:
		return "", err
	}
	switch outcome.Kind {
	case pay.OutcomeSucceeded:
		return refundLate(ctx, by, p)
	case pay.OutcomePending, pay.OutcomeAuthorized:
		return pay.LateOwed, nil
	}
	return pay.LateReturned, nil // nothing is held or taken
}

func refundLate(ctx context.Context, by provider.Provider, p pay.Payment) (pay.Late, error) {
	outcome, err := by.Refund(ctx, provider.Return{Refund: p.LateRefund(), Payment: p.ID, Amount: p.Amount})
	switch {
	case errors.Is(err, provider.ErrUnknownPayment), errors.Is(err, provider.ErrDifferentRefund):
		return pay.LateKept, nil
	case err != nil:
		return "", err
	case outcome.Status == pay.RefundSucceeded:
		return pay.LateReturned, nil
	case outcome.Status == pay.RefundPending:
		return pay.LateOwed, nil
	}
	return pay.LateKept, nil
}
