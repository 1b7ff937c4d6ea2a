package torture

import (
	"bytes"
	"fmt"

	"github.com/coinslot/coinslot/internal/pay"
)

func checkEvents(w World, breach report) {
	for id, a := range w.Truth.Accounts {
		if a.Row.ID == "" {
			continue // checkViews tells of it
		}
		if err := add(a); err != nil {
			breach("session %s: %v", id, err)
		}
	}
}

// sum is what a session's events add up to.
type sum struct {
	attempts int
	status   pay.SessionStatus
	payments map[pay.PaymentID]pay.PaymentStatus
	refunds  map[pay.RefundID]pay.RefundStatus
	returned map[pay.PaymentID]int64
	amounts  map[string]int64 // of payments and refunds, which only rows have
	live     pay.PaymentID
	spent    int
	changes  int64 // stored ones: what belongs together is one
	last     pay.EventType
}

// add adds up an account's events and compares them with its row.
func add(a *Account) error {
	s := sum{
		attempts: a.Row.Attempts, payments: map[pay.PaymentID]pay.PaymentStatus{}, refunds: map[pay.RefundID]pay.RefundStatus{},
		returned: map[pay.PaymentID]int64{}, amounts: map[string]int64{},
	}
	for _, p := range a.Payments {
		s.amounts[string(p.ID)] = p.Amount.Amount
	}
	for _, r := range a.Refunds {
		s.amounts[string(r.ID)] = r.Amount.Amount
	}
	for i, e := range a.Events {
		if e.Sequence != int64(i+1) {
			return fmt.Errorf("event %d in order has the sequence %d", i+1, e.Sequence)
		}
		if err := s.take(e); err != nil {
			return fmt.Errorf("event %d: %w", e.Sequence, err)
		}
	}
	row := a.Row
	switch {
	case row.Status != s.status || row.Live != (s.live != "") || row.Spent != s.spent:
		return fmt.Errorf("its events make it %s, live %q, %d attempts spent; its row says %s, %t, %d", s.status, s.live, s.spent, row.Status, row.Live, row.Spent)
	case row.Sequence != int64(len(a.Events)) || row.Version != s.changes:
		return fmt.Errorf("it has %d events of %d changes; its row says %d and version %d", len(a.Events), s.changes, row.Sequence, row.Version)
	case len(s.payments) != len(a.Payments) || len(s.refunds) != len(a.Refunds):
		return fmt.Errorf("its events tell of %d payments and %d refunds, and it has %d and %d", len(s.payments), len(s.refunds), len(a.Payments), len(a.Refunds))
	}
	for _, r := range a.Refunds {
		if s.refunds[r.ID] != r.Status {
			return fmt.Errorf("its events make refund %s %q; its row says %s", r.ID, s.refunds[r.ID], r.Status)
		}
	}
	for _, p := range a.Payments {
		if s.payments[p.ID] != p.Status {
			return fmt.Errorf("its events make payment %s %q; its row says %s", p.ID, s.payments[p.ID], p.Status)
		}
	}
	return nil
}

// take adds one event, if it can come after those before it.
func (s *sum) take(e pay.Event) error {
	before, open := s.last, s.status == pay.SessionPending && s.live == ""
	s.last = e.Type
	s.changes++
	payment := s.payments[e.Payment]
	var fits bool
	switch e.Type {
	case pay.SessionCreatedEvent:
		fits = s.status == ""
		s.status = pay.SessionPending
	case pay.PaymentCreatedEvent:
		fits = open && payment == ""
		s.live, s.payments[e.Payment] = e.Payment, pay.PaymentProcessing
	case pay.PaymentAuthorizedEvent:
		fits = payment == pay.PaymentProcessing
		s.payments[e.Payment] = pay.PaymentAuthorized
	case pay.PaymentSucceededEvent:
		fits = s.end(e.Payment, pay.PaymentSucceeded)
	case pay.PaymentFailedEvent:
		fits = s.end(e.Payment, pay.PaymentFailed)
		s.spent++
	case pay.PaymentCancelledEvent:
		fits = payment == pay.PaymentAuthorized && s.end(e.Payment, pay.PaymentCancelled)
		s.spent++
	case pay.SessionPaidEvent:
		fits = open && before == pay.PaymentSucceededEvent
		s.status = pay.SessionPaid
		s.changes--
	case pay.SessionFailedEvent:
		fits = open && before == pay.PaymentFailedEvent && s.spent >= s.attempts
		s.status = pay.SessionFailed
		s.changes--
	case pay.SessionCancelledEvent:
		fits = open
		s.status = pay.SessionCancelled
		if before == pay.PaymentCancelledEvent && s.spent >= s.attempts {
			s.changes--
		}
	case pay.SessionExpiredEvent:
		fits = open
		s.status = pay.SessionExpired
	case pay.RefundCreatedEvent, pay.RefundSucceededEvent, pay.RefundFailedEvent, pay.RefundCancelledEvent:
		fits = s.takeRefund(e)
	}
	if !fits {
		return fmt.Errorf("%s came after %s", e.Type, before)
	}
	return nil
}

// takeRefund adds an event of a refund. Its payment is refunded once all of it is returned.
func (s *sum) takeRefund(e pay.Event) bool {
	paid, was := s.payments[e.Payment] == pay.PaymentSucceeded, s.refunds[e.Refund]
	if e.Type == pay.RefundCreatedEvent {
		s.refunds[e.Refund] = pay.RefundPending
		return paid && was == ""
	}
	s.refunds[e.Refund] = map[pay.EventType]pay.RefundStatus{
		pay.RefundSucceededEvent: pay.RefundSucceeded, pay.RefundFailedEvent: pay.RefundFailed, pay.RefundCancelledEvent: pay.RefundCancelled,
	}[e.Type]
	if e.Type == pay.RefundSucceededEvent {
		if s.returned[e.Payment] += s.amounts[string(e.Refund)]; s.returned[e.Payment] == s.amounts[string(e.Payment)] {
			s.payments[e.Payment] = pay.PaymentRefunded
		}
	}
	return paid && was == pay.RefundPending
}

// end ends the live payment.
func (s *sum) end(id pay.PaymentID, as pay.PaymentStatus) bool {
	fits := s.live == id && s.payments[id].Live()
	s.live, s.payments[id] = "", as
	return fits
}

func checkWebhooks(w World, breach report) {
	written := map[string]bool{}
	for id, a := range w.Truth.Accounts {
		for _, e := range a.Events {
			if written[string(e.ID)] {
				breach("event %s is there twice", e.ID)
			}
			written[string(e.ID)] = true
			got, arrived := w.Arrivals[string(e.ID)]
			switch {
			case !arrived:
				breach("event %s (%s of session %s) never arrived", e.ID, e.Type, id)
			case !bytes.Equal(got.Body, e.Payload):
				breach("event %s arrived as %s, and is stored as %s", e.ID, got.Body, e.Payload)
			case got.Game != string(e.Game):
				breach("event %s of %s arrived at the endpoint of %s", e.ID, e.Game, got.Game)
			}
		}
	}
	for id, got := range w.Arrivals {
		if !written[id] {
			breach("event %s arrived, and is not there: %s", id, got.Body)
		}
		for _, strange := range got.Strange {
			breach("event %s: %s", id, strange)
		}
	}
}
