package gateway

import (
	"context"
	"errors"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
)

// Challenged is a session as it stands, and whether its payment waits for the player to
// confirm on Coinslot's own page, which is the sandbox's in place of a bank's.
func (s *Service) Challenged(ctx context.Context, id pay.SessionID) (c Checkout, open bool, err error) {
	c, by, err := s.challenge(ctx, id)
	if err != nil || by == nil {
		return c, false, err
	}
	open, err = by.Challenged(ctx, c.Payment.ID)
	if err == nil && open {
		return c, true, nil
	}
	return s.afterChallenge(ctx, c, err)
}

// Answer gives the player's answer to what was asked of them at that attempt. One that comes
// again, too late, or about another attempt changes nothing.
func (s *Service) Answer(ctx context.Context, id pay.SessionID, attempt int, approved bool) (Checkout, error) {
	c, by, err := s.challenge(ctx, id)
	if err != nil || by == nil || c.Session.Spent != attempt {
		return c, err
	}
	err = by.Answer(ctx, c.Payment.ID, approved)
	c, _, err = s.afterChallenge(ctx, c, err)
	return c, err
}

// challenge is a session and who takes its player's answer; nobody where there is nothing to
// answer, or the provider has not said so yet: to look would be to end what is on its way.
func (s *Service) challenge(ctx context.Context, id pay.SessionID) (Checkout, provider.Challenger, error) {
	c, err := s.Checkout(ctx, id)
	if err != nil || c.Payment == nil || c.Payment.Action == "" {
		return c, nil, err
	}
	by, _ := s.providers(c.Session.Environment).(provider.Challenger)
	return c, by, nil
}

// afterChallenge finds out at once where the payment stands, rather than wait for the
// provider's report, and returns the session as it is then.
func (s *Service) afterChallenge(ctx context.Context, c Checkout, err error) (Checkout, bool, error) {
	if err != nil && !errors.Is(err, provider.ErrNoChallenge) && !errors.Is(err, provider.ErrUnknownPayment) {
		return c, false, err
	}
	if err := s.lookAgain(context.WithoutCancel(ctx), *c.Payment); err != nil {
		s.log.WarnContext(ctx, "outcome not known yet", "payment", c.Payment.ID, "error", err)
	}
	c, err = s.Checkout(ctx, c.Session.ID)
	return c, false, err
}
