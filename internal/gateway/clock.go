package gateway

import (
	"context"
	"errors"
	"time"

	"github.com/coinslot/coinslot/internal/clock"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// Movable is a sandbox's clock. Once Advance returns it has been moved for good: it is not
// behind again after a restart.
type Movable interface {
	clock.Clock
	Offset() time.Duration
	Advance(ctx context.Context, by time.Duration) error
}

// Relay is whoever delivers webhooks, as far as it is waited for.
type Relay interface {
	// Settle returns once no delivery is due or under way.
	Settle(context.Context) error
}

const (
	// mostAdvance is how far one call moves the clock, and mostAhead how far it can get.
	mostAdvance = 10 * 365 * 24 * time.Hour
	mostAhead   = 10 * mostAdvance

	// leastStep is how far the clock is moved at least: what falls due within it happens
	// together.
	leastStep = time.Second

	// settleFor is how long whoever moves the clock waits, at each step, for what has
	// fallen due: for an attempt that takes as long as one may, and for it to be written.
	settleFor = 15 * time.Second

	// advanceFor is how long one call goes on to take steps.
	advanceFor = 20 * time.Second

	// quietEvery is the time between two looks whether anything is pursued still.
	quietEvery = 5 * time.Millisecond
)

// Time is what a server's clock shows.
type Time struct {
	Now   time.Time
	Ahead time.Duration // of the machine's
	Fixed bool          // it cannot be moved
}

// Time reads the clock.
func (s *Service) Time() Time {
	if s.movable == nil {
		return Time{Now: s.now(), Fixed: true}
	}
	return Time{Now: s.now(), Ahead: s.movable.Offset()}
}

// Advance moves the clock forward as time would pass, only sooner: it goes from one thing
// that falls due to the next, and waits for each to be done before it goes on. left is
// what could not be moved in a reasonable time, for another call; it is never all of it.
func (s *Service) Advance(ctx context.Context, by time.Duration) (left time.Duration, err error) {
	if err := s.checkAdvance(by); err != nil {
		return by, err
	}
	select {
	case s.advancing <- struct{}{}: // one at a time: the steps of two would skip each other's
		defer func() { <-s.advancing }()
	case <-ctx.Done():
		return by, ctx.Err()
	}
	began, left := time.Now(), by
	for s.settleAll(ctx); left > 0 && ctx.Err() == nil && (left == by || time.Since(began) < advanceFor); s.settleAll(ctx) {
		step, err := s.nextStep(ctx, left)
		if err == nil {
			err = s.movable.Advance(ctx, step)
		}
		if err != nil {
			return left, err
		}
		left -= step
	}
	return left, ctx.Err()
}

// nextStep is how far it is to what falls due next, but no farther than what is left.
func (s *Service) nextStep(ctx context.Context, left time.Duration) (time.Duration, error) {
	now := s.now()
	next, err := s.nextEvent(ctx, now)
	if err != nil || next.IsZero() {
		return left, err
	}
	return min(max(next.Sub(now), leastStep), left), nil
}

func (s *Service) checkAdvance(by time.Duration) error {
	switch {
	case s.movable == nil:
		return pay.Refuse(pay.ClockIsFixed, "the server goes by its machine's clock; one that is started with --sandbox-clock has a clock that can be moved")
	case by <= 0 || by > mostAdvance:
		return pay.RefuseField(pay.InvalidSetting, "by", "must be more than 0 and at most %d days, got %v", mostAdvance/(24*time.Hour), by)
	case s.movable.Offset()+by > mostAhead:
		return pay.RefuseField(pay.InvalidSetting, "by", "must leave the clock at most %d days ahead of the machine's; it is %v ahead already", mostAhead/(24*time.Hour), s.movable.Offset())
	}
	return nil
}

// settleAll has done what has fallen due, and waits for it: but not for ever, since a
// receiver may be slow, and another may always have something due.
func (s *Service) settleAll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, settleFor)
	defer cancel()
	s.attempt(ctx, "expire sessions", s.sweep)
	s.attempt(ctx, "reconcile payments", s.reconcile)
	s.attempt(ctx, "void abandoned authorizations", s.voidAbandoned)
	for {
		if _, quiet := s.pursuits.quiet(s.now()); quiet || !clock.Sleep(clock.System, quietEvery, ctx.Done()) {
			break
		}
	}
	if err := s.relay.Settle(ctx); err != nil {
		s.log.WarnContext(ctx, "the clock is moved on although webhooks are still under way", "error", err)
	}
}

// nextEvent is when something will fall due; zero: nothing is known that will.
func (s *Service) nextEvent(ctx context.Context, now time.Time) (time.Time, error) {
	next, _ := s.pursuits.quiet(now)
	deadline, err := view(ctx, s.store, store.Reader.NextDeadline)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return next, err
	}
	delivery, err := s.store.NextDue(ctx)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return next, err
	}
	for _, at := range []time.Time{deadline, delivery} {
		if at.After(now) { // what should have happened already is late, and does not hold up the rest
			next = sooner(next, at)
		}
	}
	return next, nil
}
