package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
	"github.com/coinslot/coinslot/internal/store"
)

// How often upkeep runs, and how much it does side by side.
const (
	reconcileEvery = time.Minute // the net below pursue: payments and refunds of processes that died

	// Where other servers use the same database, what is under way may be so in one of
	// them. It is theirs for longer than any call takes, and looked at more often meanwhile.
	othersPatience       = time.Minute
	reconcileOthersEvery = 10 * time.Second

	voidEvery     = time.Hour
	noteUseEvery  = time.Minute
	forgetEvery   = 10 * time.Minute
	upkeepWorkers = 64
	upkeepBatch   = 256

	// lookAhead is the longest time between two looks for deadlines. A new session's
	// deadline is farther off than that, so none is seen too late.
	lookAhead = pay.ShortestExpiresIn / 2

	// afterSweep is how long later deadlines wait for each other.
	afterSweep = 100 * time.Millisecond

	// afterTrouble is the pause after the store failed.
	afterTrouble = 5 * time.Second

	// abandonedAfter is how long past its session's deadline an authorization is kept.
	abandonedAfter = 7 * 24 * time.Hour
)

// Run looks after what nobody asks for: deadlines, payments whose answer was lost,
// authorizations that nobody completed. It returns when ctx is done, once the
// payments under way are written.
func (s *Service) Run(ctx context.Context) {
	context.AfterFunc(ctx, func() { close(s.stopping) })
	var jobs sync.WaitGroup
	jobs.Go(func() { s.expireInTime(ctx) })
	jobs.Go(func() { s.followSettings(ctx) })
	jobs.Go(func() {
		s.watchers.follow(ctx, func(err error) { s.log.ErrorContext(ctx, "follow the feed for those who watch", "error", err) })
	})
	jobs.Go(func() {
		s.attempt(ctx, "reconcile payments", s.reconcile) // those of an earlier process
		every := reconcileEvery
		if s.store.Shared() {
			every = reconcileOthersEvery
		}
		s.repeat(ctx, "reconcile payments", every, s.reconcile)
	})
	s.hear(ctx, &jobs)
	jobs.Go(func() { s.repeat(ctx, "void abandoned authorizations", voidEvery, s.voidAbandoned) })
	jobs.Go(func() { s.repeat(ctx, "note the use of keys", noteUseEvery, s.noteUse) })
	jobs.Go(func() { s.repeat(ctx, "forget expired answers", forgetEvery, s.forget) })
	jobs.Wait()
	s.calls.Wait()
	s.attempt(context.WithoutCancel(ctx), "note the use of keys", s.noteUse)
}

// expireInTime stores each expiry when its deadline passes.
func (s *Service) expireInTime(ctx context.Context) {
	for {
		pause := s.untilNextDeadline(ctx)
		if pause <= 0 {
			pause = afterSweep
			if !s.attempt(ctx, "expire sessions", s.sweep) {
				pause = afterTrouble
			}
		}
		timer := s.clock.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		case <-s.reopened:
			timer.Stop()
		}
	}
}

// untilNextDeadline is for how long nothing expires, but never more than lookAhead.
func (s *Service) untilNextDeadline(ctx context.Context) time.Duration {
	next, err := view(ctx, s.store, store.Reader.NextDeadline)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return lookAhead
	case err != nil:
		return 0 // the sweep says what the trouble is
	}
	return min(next.Sub(s.now()), lookAhead)
}

func (s *Service) repeat(ctx context.Context, what string, every time.Duration, job func(context.Context, time.Time) error) {
	timer := s.clock.NewTimer(every)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			timer.Reset(every)
			s.attempt(ctx, what, job)
		}
	}
}

func (s *Service) attempt(ctx context.Context, what string, job func(context.Context, time.Time) error) (done bool) {
	err := job(ctx, s.now())
	if err != nil && ctx.Err() == nil {
		s.log.ErrorContext(ctx, "upkeep failed; it will be tried again", "job", what, "error", err)
	}
	return err == nil
}

// reconcile asks the provider about every payment that is processing though no call of
// this process is about it, has every capture and void done that was intended and whose
// outcome is not known, every game asked that has not decided, every refund done that is
// pending, and late money returned. It looks up first; it never charges. It goes by what is under way rather than by
// age, since the clock may have been set back.
func (s *Service) reconcile(ctx context.Context, _ time.Time) error {
	theirs := s.others.pass()
	defer theirs.end()
	unlessUnderWay := func(resolve func(context.Context, pay.Payment) error) func(pay.Payment) error {
		return func(p pay.Payment) error {
			if _, underWay := s.charging.Load(p.ID); underWay || theirs.mayHave(string(p.ID)) {
				return nil
			}
			return resolve(ctx, p)
		}
	}
	return errors.Join(
		eachPage(ctx, s, processing, paymentID, unlessUnderWay(s.resolve)),
		eachPage(ctx, s, store.Reader.IntendedPayments, paymentID, unlessUnderWay(s.resolve)),
		eachPage(ctx, s, store.Reader.AskedPayments, paymentID, func(p pay.Payment) error {
			if !theirs.mayHave(string(p.ID)) {
				s.askInBackground(ctx, p)
			}
			return nil
		}),
		eachPage(ctx, s, store.Reader.OwedPayments, paymentID, func(p pay.Payment) error { return s.returnLate(ctx, p) }),
		eachPage(ctx, s, store.Reader.PendingRefunds, refundID, func(r pay.Refund) error {
			if _, underWay := s.returning.Load(r.ID); underWay || theirs.mayHave(string(r.ID)) {
				return nil
			}
			return s.resolveRefund(ctx, r)
		}))
}

// resolve finds out where a payment stands, and does what is still intended with it.
func (s *Service) resolve(ctx context.Context, listed pay.Payment) error {
	p, err := view(ctx, s.store, func(r store.Reader) (pay.Payment, error) { return r.Payment(listed.ID) })
	if err != nil || !p.Status.Live() {
		return err // the list is of a while ago
	}
	outcome, err := s.lookUp(ctx, p)
	if err != nil {
		return err
	}
	s.log.InfoContext(ctx, "payment reconciled", "payment", p.ID, "intent", p.Intent, "outcome", outcome.Kind)
	switch {
	case outcome.Kind != pay.OutcomeAuthorized || p.Intent == "":
		if p, err = s.settle(ctx, p, outcome); err == nil && p.Asking {
			s.askInBackground(ctx, p)
		}
	case p.Intent == pay.IntentCapture:
		_, err = s.carryOut(ctx, p, capturing)
	case p.Intent == pay.IntentVoid:
		_, err = s.carryOut(ctx, p, voiding)
	}
	return err
}

// lookUp asks the provider where a payment stands. One that never got there has failed.
func (s *Service) lookUp(ctx context.Context, p pay.Payment) (pay.Outcome, error) {
	by, err := s.provider(p.Environment)
	if err != nil {
		return pay.Outcome{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, providerDeadline)
	defer cancel()
	outcome, err := by.Lookup(ctx, p.ID)
	if errors.Is(err, provider.ErrUnknownPayment) {
		return pay.Outcome{Kind: pay.OutcomeFailed, Failure: &pay.Failure{
			Code: pay.ProviderUnavailable, Message: "the payment never reached the provider; nothing was charged",
		}}, nil
	}
	return outcome, err
}

// voidAbandoned lets go of authorizations that were never completed, a week after
// their session's deadline.
func (s *Service) voidAbandoned(ctx context.Context, now time.Time) error {
	old := func(r store.Reader, after pay.PaymentID, most int) ([]pay.Payment, error) {
		return r.LivePayments(pay.PaymentAuthorized, pay.Clock(now.Add(-abandonedAfter)), after, most)
	}
	return eachPage(ctx, s, old, paymentID, func(p pay.Payment) error {
		turn := s.pursuits.begin() // whoever moves the clock waits for a void of somebody else's too
		defer turn.end()
		session, err := view(ctx, s.store, func(r store.Reader) (pay.Session, error) { return r.Session(p.Session) })
		if err != nil || now.Before(session.ExpiresAt.Add(abandonedAfter)) || p.Intent != "" || p.Asking {
			return err
		}
		if _, _, err := s.intend(ctx, p, Idempotency{}, voiding); err != nil {
			return err
		}
		_, err = s.carryOut(ctx, p, voiding)
		return err
	})
}

// processing lists payments that are processing.
func processing(r store.Reader, after pay.PaymentID, most int) ([]pay.Payment, error) {
	return r.LivePayments(pay.PaymentProcessing, endOfTime, after, most)
}

// endOfTime is later than any payment was created.
var endOfTime = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// eachPage does something for all of a list that is read in parts, each after an id. One
// that fails does not keep the others from their turn.
func eachPage[T any, ID ~string](ctx context.Context, s *Service, list func(store.Reader, ID, int) ([]T, error), id func(T) ID, do func(T) error) error {
	var failed error
	for after := ID(""); ; {
		batch, err := view(ctx, s.store, func(r store.Reader) ([]T, error) { return list(r, after, upkeepBatch) })
		if err != nil || len(batch) == 0 {
			return errors.Join(failed, err)
		}
		failed = errors.Join(failed, each(batch, do))
		after = id(batch[len(batch)-1])
	}
}

func paymentID(p pay.Payment) pay.PaymentID { return p.ID }

func refundID(r pay.Refund) pay.RefundID { return r.ID }

// noteUse stores when keys were last used.
func (s *Service) noteUse(ctx context.Context, _ time.Time) error {
	used := s.used.take()
	if len(used) == 0 {
		return nil
	}
	err := s.configure(ctx, func(tx store.Settings) error {
		for id, at := range used {
			key, err := tx.Key(id)
			if err != nil {
				return err
			}
			key.LastUsedAt = at
			if err := tx.UpdateKey(key); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		for id, at := range used {
			s.used.note(id, at)
		}
	}
	return err
}

// forget deletes answers that no repeat can be given any more, a day late: a clock that
// was ahead for a while must not make a repeat sell twice.
func (s *Service) forget(ctx context.Context, now time.Time) error {
	for {
		if n, err := s.store.Forget(ctx, pay.Clock(now.Add(-24*time.Hour)), upkeepBatch); err != nil || n < upkeepBatch {
			return err
		}
	}
}

// each does something for all of a batch, a bounded number at a time, and joins the errors.
func each[T any](batch []T, do func(T) error) error {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
		slot = make(chan struct{}, upkeepWorkers)
	)
	for _, item := range batch {
		slot <- struct{}{}
		wg.Go(func() {
			defer func() { <-slot }()
			if err := guarded(func() error { return do(item) }); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
