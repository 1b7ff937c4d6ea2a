package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/coinslot/coinslot/internal/clock"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
	"github.com/coinslot/coinslot/internal/store"
)

// Unavailable says whether an error is that nothing can be done just now.
func Unavailable(err error) bool {
	return pay.CodeOf(err) == pay.Unavailable || errors.Is(err, store.ErrUnavailable)
}

// Checkout is what the payment page shows. A session's id is all that a player
// needs to see it: nobody can guess one.
type Checkout struct {
	Session pay.Session  // as of now, its expiry included
	Payment *pay.Payment // the latest; nil: none yet
	Game    pay.Game
	Methods []pay.Method // that the page can offer; none where no provider is set up
}

// Tender is how the player wants to pay.
type Tender struct {
	Method  pay.Method
	Card    *pay.Card // with MethodCard only
	Token   string    // what a wallet handed over, with the other methods
	Attempt int       // the session's Spent when the form was made; another one means that the form is stale
}

// patience is how long a request waits for the provider before it is answered that the
// payment is being processed, or that the refund is pending.
const patience = 3 * time.Second

// offered lists the methods that the page can take, in the order it shows them.
var offered = []pay.Method{
	pay.MethodCard, pay.MethodApplePay, pay.MethodGooglePay, pay.MethodPayPal, pay.MethodPayLater, pay.MethodVenmo,
}

// Checkout is the payment page of a session, as of now.
func (s *Service) Checkout(ctx context.Context, id pay.SessionID) (Checkout, error) {
	var c Checkout
	err := s.store.View(ctx, func(r store.Reader) error {
		session, err := r.Session(id)
		if err != nil {
			return notFound(err, pay.SessionNotFound, "session", string(id))
		}
		c.Session = session
		if session.Payment == "" {
			return nil
		}
		payment, err := r.Payment(session.Payment)
		c.Payment = &payment
		return notFound(err, pay.PaymentNotFound, "payment", string(session.Payment))
	})
	if err == nil && c.Session.Standing().Overdue(s.now()) {
		if err = s.expire(ctx, id, s.now()); err == nil {
			return s.Checkout(ctx, id)
		}
	}
	c.Game = s.settings.Load().games[c.Session.Game]
	if s.providers(c.Session.Environment) != nil {
		c.Methods = offered
	}
	return c, err
}

// Pay tries to pay a session once. The payment is stored before the provider is
// asked, and the answer is written whether or not the player still waits for it. A
// tender that was made before another attempt ended is stale and pays nothing.
func (s *Service) Pay(ctx context.Context, id pay.SessionID, t Tender) (Checkout, error) {
	if err := s.checkTender(t); err != nil {
		return Checkout{}, err
	}
	paymentID := pay.NewPaymentID(s.now(), entropy())
	s.charging.Store(paymentID, true) // before reconciliation can see it as processing
	started, err := s.change(ctx, id, func(_ store.Tx, session pay.Session) (pay.Change, error) {
		if session.Spent != t.Attempt && !session.Live {
			return pay.Change{}, nil
		}
		if _, err := s.provider(session.Environment); err != nil {
			return pay.Change{}, err
		}
		return session.StartPayment(paymentID, t.Method, t.hint(), s.now())
	})
	if err != nil || started.Empty() {
		s.charging.Delete(paymentID)
	}
	if err != nil {
		return Checkout{}, s.storeExpiry(ctx, id, err)
	}
	if !started.Empty() {
		s.wait(ctx, s.charge(ctx, *started.Session, *started.Payment, t))
	}
	return s.Checkout(ctx, id)
}

// Leave calls a session off for the player.
func (s *Service) Leave(ctx context.Context, id pay.SessionID) (Checkout, error) {
	if _, err := s.change(ctx, id, func(_ store.Tx, session pay.Session) (pay.Change, error) {
		return session.Cancel(s.now())
	}); err != nil {
		return Checkout{}, s.storeExpiry(ctx, id, err)
	}
	return s.Checkout(ctx, id)
}

func (s *Service) checkTender(t Tender) error {
	switch {
	case !slices.Contains(offered, t.Method):
		return pay.Refuse(pay.InvalidRequest, "method must be %s, got %q", pay.OneOf(offered), t.Method)
	case t.Method == pay.MethodCard && t.Card == nil:
		return pay.RefuseField(pay.InvalidCard, "number", "is required")
	case t.Method == pay.MethodCard:
		return t.Card.Check(s.now())
	}
	return nil
}

func (t Tender) hint() pay.CardHint {
	if t.Card == nil {
		return pay.CardHint{}
	}
	return t.Card.Hint()
}

// charge asks the provider in the background and goes on until the outcome is written, or
// left to reconciliation. The channel is closed then, or once the provider has said that it
// takes its time or that the player must go somewhere: no reason for them to wait here.
func (s *Service) charge(ctx context.Context, session pay.Session, p pay.Payment, t Tender) <-chan struct{} {
	ctx = context.WithoutCancel(ctx)
	done := make(chan struct{})
	told := sync.OnceFunc(func() { close(done) })
	ask := func() (pay.Outcome, error) { return s.authorize(ctx, session, p, t) }
	s.calls.Go(func() {
		defer told()
		defer s.charging.Delete(p.ID)
		s.pursue(ctx, slog.String("payment", string(p.ID)), func() (bool, error) {
			outcome, err := ask()
			ask = func() (pay.Outcome, error) { return s.lookUp(ctx, p) } // it never charges again
			if err != nil {
				return false, err
			}
			if outcome.Kind == pay.OutcomePending {
				defer told()
				_, err := s.settle(ctx, p, outcome)
				return false, err
			}
			settled, err := s.settleAndAsk(ctx, p, outcome)
			return settled, err
		})
	})
	return done
}

// How pursue goes on: with pauses that grow to the longest, and for how long in all.
const (
	longestPause = 2 * time.Second
	pursuedFor   = 15 * time.Second
)

// pursue tries for an outcome with pauses, for a while, then leaves it to reconciliation.
func (s *Service) pursue(ctx context.Context, of slog.Attr, try func() (known bool, err error)) {
	turn := s.pursuits.begin()
	defer turn.end()
	for pause, spent := time.Second, time.Duration(0); ; pause = min(2*pause, longestPause) {
		known := false
		err := guarded(func() (err error) {
			known, err = try()
			return err
		})
		if known {
			return
		}
		if err != nil {
			s.log.WarnContext(ctx, "outcome not known yet", of, slog.Any("error", err))
		}
		if spent += pause; spent > pursuedFor {
			return
		}
		turn.sleeps(s.now().Add(pause))
		if !clock.Sleep(s.clock, pause, s.stopping) {
			return
		}
		turn.tries()
	}
}

// guarded turns a panic into an error. What a provider does in the background must not end
// the server for everybody, and at each start anew.
func guarded(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return do()
}

func (s *Service) authorize(ctx context.Context, session pay.Session, p pay.Payment, t Tender) (pay.Outcome, error) {
	by, err := s.provider(p.Environment)
	if err != nil {
		return pay.Outcome{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, providerDeadline)
	defer cancel()
	return by.Authorize(ctx, provider.Charge{
		Payment: p.ID, Session: p.Session, Amount: p.Amount, Method: p.Method,
		Capture: session.TakenAtOnce(), Card: t.Card, Token: t.Token,
	})
}

// wait waits until done, or as long as whoever asked should.
func (s *Service) wait(ctx context.Context, done <-chan struct{}) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	case <-ctx.Done():
	}
}
