package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/coinslot/coinslot/internal/clock"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// Asker asks a game about a payment, once. An error means that the game did not decide,
// and says nothing either way.
type Asker interface {
	Ask(ctx context.Context, game pay.Game, authorized pay.Event, attempt int) (pay.Decision, error)
}

const (
	asks     = 3               // how often a game is asked
	askEvery = 5 * time.Second // and how long each time it has to answer
)

// errLeft: the service stops, and the question is left to the next start.
var errLeft = errors.New("the question is left to reconciliation")

// confirm asks the game about an authorized payment and does what it decides. Whatever
// breaks off in between leaves an authorization about which the game is asked again.
func (s *Service) confirm(ctx context.Context, p pay.Payment) error {
	refusal, err := s.askGame(ctx, p)
	if err != nil {
		return err
	}
	if refusal == nil {
		return s.obey(ctx, p, capturing, nil)
	}
	return s.obey(ctx, p, voiding, refusal)
}

// errDecided: the game's word was taken already, and a later one changes nothing.
var errDecided = errors.New("the payment is decided already")

// obey ends the payment as its game has decided. The decision is written first, and once.
func (s *Service) obey(ctx context.Context, p pay.Payment, e ending, refusal *pay.Failure) error {
	err := s.store.Update(ctx, p.Session, func(tx store.Tx) error {
		now, err := tx.Payment(p.ID)
		if err == nil && !now.Asking {
			err = errDecided
		}
		if err != nil {
			return err
		}
		return tx.Intend(p.ID, e.intent, refusal)
	})
	if errors.Is(err, errDecided) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("note the game's decision: %w", err)
	}
	_, err = s.carryOut(ctx, p, e)
	return err
}

// askGame is why the game will not have the payment, or nil where it approves.
func (s *Service) askGame(ctx context.Context, p pay.Payment) (*pay.Failure, error) {
	authorized, err := view(ctx, s.store, func(r store.Reader) (pay.Event, error) { return authorization(r, p) })
	if err != nil {
		return nil, err
	}
	began := time.Now()
	for attempt := 1; attempt <= asks; attempt++ {
		game := s.settings.Load().games[p.Game] // as the operator has it by now
		if !game.ConfirmableIn(p.Environment) {
			return pay.Unconfirmed("the game has no confirm_url that can be asked about " + string(p.Environment) + " payments"), nil
		}
		decision, err := s.askOnce(ctx, game, authorized, attempt)
		if err == nil {
			s.log.InfoContext(ctx, "the game has decided", "payment", p.ID, "approved", decision.Approve)
			return decision.Refusal(), nil
		}
		s.log.WarnContext(ctx, "the game did not decide", "payment", p.ID, "attempt", attempt, "error", err)
		if !clock.Sleep(clock.System, time.Until(began.Add(time.Duration(attempt)*askEvery)), s.stopping) {
			return nil, errLeft
		}
	}
	return pay.Unconfirmed(fmt.Sprintf("the game did not decide in %v", asks*askEvery)), nil
}

func (s *Service) askOnce(ctx context.Context, game pay.Game, authorized pay.Event, attempt int) (pay.Decision, error) {
	ctx, cancel := context.WithTimeout(ctx, askEvery)
	defer cancel()
	return s.asker.Ask(ctx, game, authorized, attempt)
}

// authorization is the event that told of the payment's authorization.
func authorization(r store.Reader, p pay.Payment) (pay.Event, error) {
	events, err := r.SessionEvents(p.Session)
	if err != nil {
		return pay.Event{}, err
	}
	i := slices.IndexFunc(events, func(e pay.Event) bool { return e.Type == pay.PaymentAuthorizedEvent && e.Payment == p.ID })
	if i < 0 {
		return pay.Event{}, fmt.Errorf("payment %s is authorized, but no event tells of it", p.ID)
	}
	return events[i], nil
}

// mostAsked bounds how many games' answers are waited for at a time after a crash.
const mostAsked = 256

// askInBackground goes on with a payment about which its game was being asked, unless that
// is under way. It does not wait: a game that does not answer must not hold up the others.
func (s *Service) askInBackground(ctx context.Context, p pay.Payment) {
	if _, underWay := s.charging.LoadOrStore(p.ID, true); underWay {
		return
	}
	ctx = context.WithoutCancel(ctx)
	s.calls.Go(func() {
		defer s.charging.Delete(p.ID)
		select {
		case s.asked <- struct{}{}:
			defer func() { <-s.asked }()
		case <-s.stopping:
			return
		}
		if err := guarded(func() error { return s.resolveAsked(ctx, p) }); err != nil {
			s.log.WarnContext(ctx, "a payment waits for its game's decision, or for the provider to carry it out", "payment", p.ID, "error", err)
		}
	})
}

// resolveAsked goes on with a payment about which its game was being asked when a process
// died. The game is asked again, unless the player has long stopped waiting.
func (s *Service) resolveAsked(ctx context.Context, p pay.Payment) error {
	outcome, err := s.lookUp(ctx, p)
	if err != nil {
		return err
	}
	if outcome.Kind != pay.OutcomeAuthorized {
		_, err = s.settle(ctx, p, outcome)
		return err
	}
	session, err := view(ctx, s.store, func(r store.Reader) (pay.Session, error) { return r.Session(p.Session) })
	if err != nil {
		return err
	}
	if !s.now().Before(session.ExpiresAt) {
		return s.obey(ctx, p, voiding, pay.Unconfirmed("the session's deadline passed before the game had decided"))
	}
	return s.confirm(ctx, p)
}

// RotateConfirmSecret gives a game a new secret for what it is asked; the old ones sign
// beside it until the overlap has passed.
func (s *Service) RotateConfirmSecret(ctx context.Context, id pay.GameID, overlap time.Duration) (game pay.Game, secret string, err error) {
	if overlap < 0 {
		return pay.Game{}, "", pay.Refuse(pay.InvalidSetting, "overlap must not be negative, got %v", overlap)
	}
	now := pay.Clock(s.now())
	game, err = s.UpdateGame(ctx, id, func(g *pay.Game) {
		var sealed []byte
		secret, sealed = s.secrets.New(g.ConfirmEndpoint(pay.Sandbox).ID)
		g.ConfirmSecret = pay.RotateSecret(g.ConfirmSecret, sealed, now, overlap)
	})
	return game, secret, err
}
