package gateway

import (
	"context"
	"sync"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
	"github.com/coinslot/coinslot/internal/store"
)

// hear takes in the reports of providers that bring them by themselves.
func (s *Service) hear(ctx context.Context, jobs *sync.WaitGroup) {
	running := map[provider.Reporter]bool{}
	for _, env := range []pay.Environment{pay.Sandbox, pay.Production} {
		reporter, ok := s.providers(env).(provider.Reporter)
		if !ok || running[reporter] {
			continue
		}
		running[reporter] = true
		jobs.Go(func() {
			reporter.Run(ctx, func(ctx context.Context, raw provider.RawReport) error {
				err := guarded(func() error { return s.Report(ctx, env, raw) })
				if err != nil && ctx.Err() == nil {
					s.log.WarnContext(ctx, "a report of the provider's was not taken in", "error", err)
				}
				return err
			})
		})
	}
}

// Report takes in what somebody says to be a report of an environment's provider. It is a
// hint: what has become of the payment is looked up, and settled as any outcome is. So one
// that comes twice, late or out of order does no harm. An error means that it was not taken
// in: it is no report of the provider's, is about nothing that is known here, or could not be
// followed up. Only the last is worth sending it again.
func (s *Service) Report(ctx context.Context, env pay.Environment, raw provider.RawReport) error {
	by, err := s.provider(env)
	if err != nil {
		return err
	}
	report, err := by.ReadReport(raw)
	if err != nil {
		return err
	}
	if s.heard.has(env, report.ID) {
		return nil
	}
	payment, err := view(ctx, s.store, func(r store.Reader) (pay.Payment, error) { return r.Payment(report.Payment) })
	if err == nil && payment.Environment != env {
		err = store.ErrNotFound
	}
	if err != nil {
		return notFound(err, pay.PaymentNotFound, "payment", string(report.Payment))
	}
	if report.Refund == "" || report.Refund == payment.LateRefund() {
		err = s.lookAgain(ctx, payment)
	} else {
		err = s.lookAgainAtRefund(ctx, payment, report.Refund)
	}
	if err == nil {
		s.heard.add(env, report.ID)
	}
	return err
}

// lookAgain finds out where a payment stands about which there is news.
func (s *Service) lookAgain(ctx context.Context, p pay.Payment) error {
	outcome, err := s.lookUp(ctx, p)
	if err != nil {
		return err
	}
	after, err := s.settle(ctx, p, outcome)
	if err != nil {
		return err
	}
	if after.Asking {
		s.askInBackground(ctx, after)
	}
	if after.Late == pay.LateOwed {
		if err := s.returnLate(context.WithoutCancel(ctx), after); err != nil {
			s.log.ErrorContext(ctx, "late money is not returned yet; it will be tried again", "payment", p.ID, "error", err)
		}
	}
	return nil
}

func (s *Service) lookAgainAtRefund(ctx context.Context, p pay.Payment, id pay.RefundID) error {
	refund, err := view(ctx, s.store, func(r store.Reader) (pay.Refund, error) { return r.Refund(id) })
	if err == nil && refund.Payment != p.ID {
		err = store.ErrNotFound
	}
	if err != nil {
		return notFound(err, pay.RefundNotFound, "refund", string(id))
	}
	if refund.Status != pay.RefundPending {
		return nil
	}
	outcome, err := s.lookUpRefund(ctx, refund)
	if err != nil {
		return err
	}
	return s.settleRefund(ctx, refund, outcome)
}

// mostHeard bounds how many reports are remembered. One that was forgotten is looked up
// again, which changes nothing.
const mostHeard = 4096

// heard remembers the reports that were taken in last.
type heard struct {
	mu    sync.Mutex
	known map[hearing]bool
	order []hearing // oldest at next, once it is full
	next  int
}

type hearing struct {
	env pay.Environment
	id  string
}

func (h *heard) has(env pay.Environment, id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.known[hearing{env, id}]
}

func (h *heard) add(env pay.Environment, id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	one := hearing{env, id}
	if h.known[one] {
		return
	}
	if h.known == nil {
		h.known = map[hearing]bool{}
	}
	if h.known[one] = true; len(h.order) < mostHeard {
		h.order = append(h.order, one)
		return
	}
	delete(h.known, h.order[h.next])
	h.order[h.next] = one
	h.next = (h.next + 1) % mostHeard
}
