package gateway

import (
	"sync"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// Caller is a game server that has shown a valid key, and what that key lets it do.
type Caller struct {
	Key         pay.KeyID
	Environment pay.Environment
	Game        pay.GameID // empty: every game
	ReadOnly    bool
}

// Authenticate says who holds an API key.
func (s *Service) Authenticate(text string) (Caller, error) {
	now := s.now()
	if hash, ok := pay.HashKey(text); ok {
		if key, ok := s.settings.Load().keys[hash]; ok && key.Valid(now) {
			s.used.note(key.ID, now)
			return Caller{key.ID, key.Environment, key.Game, key.ReadOnly}, nil
		}
	}
	return Caller{}, pay.Refuse(pay.Unauthorized, "the Authorization header must be \"Bearer\" and a valid API key (sk_sandbox_… or sk_production_…)")
}

// stillIn refuses a caller whose key was revoked or has expired since it was let in. A
// caller without a key is the operator.
func (s *Service) stillIn(c Caller) error {
	if c.Key == "" {
		return nil
	}
	now := s.now()
	if key, ok := s.settings.Load().callers[c.Key]; !ok || !key.Valid(now) {
		return pay.Refuse(pay.Unauthorized, "the API key is no longer valid")
	}
	s.used.note(c.Key, now)
	return nil
}

// sees says whether an entity of the environment and game is the caller's to know of.
func (c Caller) sees(env pay.Environment, game pay.GameID) bool {
	return c.Environment == env && (c.Game == "" || c.Game == game)
}

func (c Caller) mayWrite() error {
	if c.ReadOnly {
		return pay.Refuse(pay.Forbidden, "this API key is limited to reading")
	}
	return nil
}

// Covers refuses a game that the caller may not act for, before anything else of its
// request is looked at.
func (s *Service) Covers(c Caller, game pay.GameID) error {
	_, err := s.game(c, game)
	return err
}

// game is a game that the caller may act for. One that is not there and one that is
// somebody else's are the same to it.
func (s *Service) game(c Caller, id pay.GameID) (pay.Game, error) {
	if id == "" {
		return pay.Game{}, pay.RefuseField(pay.InvalidGameID, "game_id", "is required")
	}
	game, ok := s.settings.Load().games[id]
	if !ok || c.Game != "" && c.Game != id {
		return pay.Game{}, pay.RefuseField(pay.InvalidGameID, "game_id", "must be the id of a game that this API key covers")
	}
	return game, nil
}

// session is a session that the caller may know of.
func (c Caller) session(r store.Reader, id pay.SessionID) (pay.Session, error) {
	session, err := r.Session(id)
	if err == nil && !c.sees(session.Environment, session.Game) {
		err = store.ErrNotFound
	}
	return session, notFound(err, pay.SessionNotFound, "session", string(id))
}

// standing is where a session stands that the caller may know of.
func (c Caller) standing(r store.Reader, id pay.SessionID) (pay.Standing, error) {
	standing, err := r.Standing(id)
	if err == nil && !c.sees(standing.Environment, standing.Game) {
		err = store.ErrNotFound
	}
	return standing, notFound(err, pay.SessionNotFound, "session", string(id))
}

// payment is a payment that the caller may know of.
func (c Caller) payment(r store.Reader, id pay.PaymentID) (pay.Payment, error) {
	payment, err := r.Payment(id)
	if err == nil && !c.sees(payment.Environment, payment.Game) {
		err = store.ErrNotFound
	}
	return payment, notFound(err, pay.PaymentNotFound, "payment", string(id))
}

// refund is a refund that the caller may know of.
func (c Caller) refund(r store.Reader, id pay.RefundID) (pay.Refund, error) {
	refund, err := r.Refund(id)
	if err == nil && !c.sees(refund.Environment, refund.Game) {
		err = store.ErrNotFound
	}
	return refund, notFound(err, pay.RefundNotFound, "refund", string(id))
}

// event is an event that the caller may know of.
func (c Caller) event(r store.Reader, id pay.EventID) (pay.Event, error) {
	event, err := r.Event(id)
	if err == nil && !c.sees(event.Environment, event.Game) {
		err = store.ErrNotFound
	}
	return event, notFound(err, pay.EventNotFound, "event", string(id))
}

// coveredGame is the game that a list is to be limited to: the one asked for, which the
// caller must cover, else the one that its key is limited to, else none.
func (s *Service) coveredGame(c Caller, asked pay.GameID) (pay.GameID, error) {
	if asked == "" {
		return c.Game, nil
	}
	_, err := s.game(c, asked)
	return asked, err
}

// lastUse gathers when keys were used, to be stored once a minute.
type lastUse struct {
	mu sync.Mutex
	at map[pay.KeyID]time.Time
}

func (u *lastUse) note(id pay.KeyID, now time.Time) {
	minute := pay.Clock(now).Truncate(time.Minute)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.at == nil {
		u.at = map[pay.KeyID]time.Time{}
	}
	if u.at[id].Before(minute) {
		u.at[id] = minute
	}
}

// take hands over what was gathered since the last call.
func (u *lastUse) take() map[pay.KeyID]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	at := u.at
	u.at = nil
	return at
}
