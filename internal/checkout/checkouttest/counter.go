package checkouttest

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
)

// counter keeps sessions in memory and lets the domain decide.
type counter struct {
	bank     provider.Provider
	clock    *clock
	mu       sync.Mutex
	sessions map[pay.SessionID]gateway.Checkout
	images   map[pay.ImageName]pay.Image
	broken   error
}

func newCounter(bank provider.Provider, c *clock) *counter {
	return &counter{bank: bank, clock: c, sessions: map[pay.SessionID]gateway.Checkout{}, images: map[pay.ImageName]pay.Image{}}
}

func entropy() (e pay.Entropy) { _, _ = rand.Read(e[:]); return e }

func (s *counter) breakWith(err error) { s.mu.Lock(); defer s.mu.Unlock(); s.broken = err }

func (s *counter) sell(sale Sale) (pay.SessionID, error) {
	id := pay.NewSessionID(s.clock.Now(), entropy())
	made, err := pay.NewSession(id, sale.Environment, sale.Game, sale.Order, s.clock.Now())
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[id] = gateway.Checkout{Session: *made.Session, Game: sale.Game, Methods: []pay.Method{
		pay.MethodCard, pay.MethodApplePay, pay.MethodGooglePay, pay.MethodPayPal, pay.MethodPayLater, pay.MethodVenmo,
	}}
	if made.Image != nil {
		s.images[made.Image.Name] = *made.Image
	}
	return id, nil
}

func (s *counter) Checkout(_ context.Context, id pay.SessionID) (gateway.Checkout, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.sessions[id]
	switch {
	case s.broken != nil:
		return c, s.broken
	case !ok:
		return c, pay.Refuse(pay.SessionNotFound, "there is no session")
	}
	c.Session = c.Session.At(s.clock.Now())
	return c, nil
}

func (s *counter) Pay(ctx context.Context, id pay.SessionID, t gateway.Tender) (gateway.Checkout, error) {
	if t.Method != pay.MethodCard && t.Token == "" {
		return gateway.Checkout{}, pay.Refuse(pay.InvalidRequest, "method")
	}
	change, c, err := s.start(id, t)
	if err != nil || change.Empty() {
		return c, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		o, err := s.bank.Authorize(context.WithoutCancel(ctx), provider.Charge{
			Payment: change.Payment.ID, Session: id, Amount: change.Payment.Amount, Method: t.Method,
			Capture: c.Session.Capture == pay.CaptureAutomatic, Card: t.Card, Token: t.Token,
		})
		if err == nil {
			s.settle(id, o)
		}
	}()
	select {
	case <-done:
	case <-time.After(time.Second):
	}
	return s.Checkout(ctx, id)
}

func (s *counter) start(id pay.SessionID, t gateway.Tender) (pay.Change, gateway.Checkout, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.sessions[id]
	switch {
	case s.broken != nil:
		return pay.Change{}, c, s.broken
	case !ok:
		return pay.Change{}, c, pay.Refuse(pay.SessionNotFound, "there is no session")
	case c.Session.Spent != t.Attempt && !c.Session.Live:
		return pay.Change{}, c, nil
	}
	hint := pay.CardHint{}
	if t.Card != nil {
		hint = t.Card.Hint()
	}
	now := s.clock.Now()
	change, err := c.Session.StartPayment(pay.NewPaymentID(now, entropy()), t.Method, hint, now)
	if err != nil {
		return pay.Change{}, c, err
	}
	c.Session, c.Payment = *change.Session, change.Payment
	s.sessions[id] = c
	return change, c, nil
}

func (s *counter) settle(id pay.SessionID, o pay.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.sessions[id]
	if change := c.Session.Settle(*c.Payment, o, s.clock.Now()); !change.Empty() {
		c.Session, c.Payment = *change.Session, change.Payment
	}
	s.sessions[id] = c
}

func (s *counter) Leave(_ context.Context, id pay.SessionID) (gateway.Checkout, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.sessions[id]
	switch {
	case s.broken != nil:
		return c, s.broken
	case !ok:
		return c, pay.Refuse(pay.SessionNotFound, "there is no session")
	}
	change, err := c.Session.Cancel(s.clock.Now())
	if err != nil {
		return c, err
	}
	if !change.Empty() {
		c.Session = *change.Session
	}
	s.sessions[id] = c
	return c, nil
}

func (s *counter) Image(_ context.Context, name pay.ImageName) (pay.Image, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if img, ok := s.images[name]; ok {
		return img, nil
	}
	return pay.Image{}, pay.Refuse(pay.NotFound, "there is no image")
}

func (s *counter) edit(id pay.SessionID, edit func(*pay.Session)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.sessions[id]
	edit(&c.Session)
	s.sessions[id] = c
}
