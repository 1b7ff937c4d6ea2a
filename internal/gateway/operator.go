package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// The use cases of the operator. Whoever may call them may do all of it.

// DefaultSecretOverlap is how long a replaced signing secret still signs.
const DefaultSecretOverlap = 24 * time.Hour

// CreateGame registers a game; what its settings leave out gets its default. Pictures
// that the settings name are stored with them.
func (s *Service) CreateGame(ctx context.Context, g pay.Game, pictures ...pay.Image) (pay.Game, error) {
	g = g.WithDefaults()
	g.CreatedAt = pay.Clock(s.now())
	g.UpdatedAt = g.CreatedAt
	if err := g.Check(); err != nil {
		return pay.Game{}, err
	}
	err := s.configure(ctx, func(tx store.Settings) error {
		if err := tx.CreateGame(g); err != nil {
			return err
		}
		return putImages(tx, pictures)
	})
	if errors.Is(err, store.ErrConflict) {
		err = pay.RefuseField(pay.AlreadyExists, "id", "must be new; there is a game %q", g.ID)
	}
	return g, err
}

// UpdateGame changes a game's settings. Pictures that they name are stored with them.
func (s *Service) UpdateGame(ctx context.Context, id pay.GameID, edit func(*pay.Game), pictures ...pay.Image) (game pay.Game, err error) {
	err = s.configure(ctx, func(tx store.Settings) error {
		if game, err = tx.Game(id); err != nil {
			return notFound(err, pay.NotFound, "game", string(id))
		}
		edit(&game)
		game.UpdatedAt = pay.Clock(s.now())
		if err := game.Check(); err != nil {
			return err
		}
		if err := tx.UpdateGame(game); err != nil {
			return err
		}
		return putImages(tx, pictures)
	})
	return game, err
}

func putImages(tx store.Settings, pictures []pay.Image) error {
	for _, p := range pictures {
		if err := tx.PutImage(p); err != nil {
			return err
		}
	}
	return nil
}

// Games lists all games.
func (s *Service) Games(ctx context.Context) ([]pay.Game, error) {
	return view(ctx, s.store, store.Reader.Games)
}

// Game is one game.
func (s *Service) Game(ctx context.Context, id pay.GameID) (pay.Game, error) {
	game, err := view(ctx, s.store, func(r store.Reader) (pay.Game, error) { return r.Game(id) })
	return game, notFound(err, pay.NotFound, "game", string(id))
}

// CreateKey makes an API key. Its text is returned here and never again.
func (s *Service) CreateKey(ctx context.Context, k pay.Key) (key pay.Key, text string, err error) {
	k, text = s.newKey(k)
	err = s.configure(ctx, func(tx store.Settings) error {
		if err := k.Check(); err != nil {
			return err
		}
		if s.movable != nil && k.Environment == pay.Production {
			return pay.RefuseField(pay.InvalidSetting, "environment", "must be sandbox: the server was started with --sandbox-clock, which is for sandboxes")
		}
		if err := checkGame(tx, k.Game); err != nil {
			return err
		}
		return tx.CreateKey(k)
	})
	return k, text, err
}

// newKey gives a key its id, secret and time of birth.
func (s *Service) newKey(k pay.Key) (pay.Key, string) {
	now := s.now()
	var secret pay.KeySecret
	_, _ = rand.Read(secret[:])
	text := pay.KeyText(k.Environment, secret)
	k.ID = pay.NewKeyID(now, entropy())
	k.Hash, _ = pay.HashKey(text)
	k.Hint = text[len(text)-4:]
	k.CreatedAt = pay.Clock(now)
	k.RevokedAt, k.LastUsedAt = time.Time{}, time.Time{}
	return k, text
}

// KeyFilter narrows down a list of keys. Empty fields do not filter.
type KeyFilter struct {
	Game        pay.GameID // keys that cover it
	Environment pay.Environment
	Ended       bool // keys that let nobody in any more are listed too
}

// Keys lists keys, newest first.
func (s *Service) Keys(ctx context.Context, f KeyFilter) ([]pay.Key, error) {
	keys, err := view(ctx, s.store, store.Reader.Keys)
	now := s.now()
	keys = slices.DeleteFunc(keys, func(k pay.Key) bool {
		return f.Game != "" && !k.Covers(f.Game) || f.Environment != "" && k.Environment != f.Environment || !f.Ended && !k.Valid(now)
	})
	slices.Reverse(keys)
	return keys, err
}

// RotateKey makes a new key with an old one's rights; the old one expires after the overlap.
func (s *Service) RotateKey(ctx context.Context, id pay.KeyID, overlap time.Duration) (key pay.Key, text string, old pay.Key, err error) {
	if overlap < 0 {
		return pay.Key{}, "", pay.Key{}, pay.Refuse(pay.InvalidSetting, "overlap must not be negative, got %v", overlap)
	}
	err = s.configure(ctx, func(tx store.Settings) error {
		if old, err = tx.Key(id); err != nil {
			return notFound(err, pay.NotFound, "key", string(id))
		}
		now := pay.Clock(s.now())
		if !old.Valid(now) {
			return pay.Refuse(pay.InvalidSetting, "key %s must be valid to be rotated; create a new one", id)
		}
		key, text = s.newKey(old)
		if end := now.Add(overlap); old.ExpiresAt.IsZero() || end.Before(old.ExpiresAt) {
			old.ExpiresAt = end
		}
		if err := tx.UpdateKey(old); err != nil {
			return err
		}
		return tx.CreateKey(key)
	})
	return key, text, old, err
}

// RevokeKey shuts a key out at once. Revoking it again changes nothing.
func (s *Service) RevokeKey(ctx context.Context, id pay.KeyID) (key pay.Key, err error) {
	err = s.configure(ctx, func(tx store.Settings) error {
		if key, err = tx.Key(id); err != nil {
			return notFound(err, pay.NotFound, "key", string(id))
		}
		if !key.RevokedAt.IsZero() {
			return nil
		}
		key.RevokedAt = pay.Clock(s.now())
		return tx.UpdateKey(key)
	})
	return key, err
}

// CreateEndpoint registers a URL to be told of events. Its secret is returned here
// and never again.
func (s *Service) CreateEndpoint(ctx context.Context, e pay.Endpoint) (endpoint pay.Endpoint, secret string, err error) {
	now := s.now()
	e.ID, e.Enabled, e.Disabled = pay.NewEndpointID(now, entropy()), true, ""
	e.CreatedAt = pay.Clock(now)
	e.UpdatedAt = e.CreatedAt
	secret, sealed := s.secrets.New(e.ID)
	e.Secrets = []pay.SealedSecret{{Sealed: sealed}}
	err = s.configure(ctx, func(tx store.Settings) error {
		if err := checkGame(tx, e.Game); err != nil {
			return err
		}
		if e.Game == "" {
			return pay.RefuseField(pay.InvalidSetting, "game_id", "is required")
		}
		if err := e.Check(); err != nil {
			return err
		}
		return tx.CreateEndpoint(e)
	})
	return e, secret, err
}

// Endpoints lists the endpoints of a game, or all where none is named, oldest first.
func (s *Service) Endpoints(ctx context.Context, game pay.GameID) ([]pay.Endpoint, error) {
	all, err := view(ctx, s.store, store.Reader.Endpoints)
	return slices.DeleteFunc(all, func(e pay.Endpoint) bool { return game != "" && e.Game != game }), err
}

// Endpoint is one endpoint.
func (s *Service) Endpoint(ctx context.Context, id pay.EndpointID) (pay.Endpoint, error) {
	e, err := view(ctx, s.store, func(r store.Reader) (pay.Endpoint, error) { return r.Endpoint(id) })
	return e, notFound(err, pay.NotFound, "webhook endpoint", string(id))
}

// UpdateEndpoint changes an endpoint. Enabling it sends what has waited.
func (s *Service) UpdateEndpoint(ctx context.Context, id pay.EndpointID, edit func(*pay.Endpoint)) (e pay.Endpoint, err error) {
	err = s.configure(ctx, func(tx store.Settings) error {
		if e, err = tx.Endpoint(id); err != nil {
			return notFound(err, pay.NotFound, "webhook endpoint", string(id))
		}
		was := e
		edit(&e)
		e.UpdatedAt = pay.Clock(s.now())
		if e.Enabled {
			e.Disabled = ""
		}
		if e.URL != was.URL || e.Enabled && !was.Enabled {
			e.FailingSince = time.Time{} // it gets a fresh start
		}
		if err := e.Check(); err != nil {
			return err
		}
		return tx.UpdateEndpoint(e)
	})
	return e, err
}

// DeleteEndpoint forgets an endpoint and what it was never told.
func (s *Service) DeleteEndpoint(ctx context.Context, id pay.EndpointID) error {
	return s.configure(ctx, func(tx store.Settings) error {
		return notFound(tx.DeleteEndpoint(id), pay.NotFound, "webhook endpoint", string(id))
	})
}

// RotateSecret gives an endpoint a new signing secret; the old ones sign beside it
// until the overlap has passed.
func (s *Service) RotateSecret(ctx context.Context, id pay.EndpointID, overlap time.Duration) (pay.Endpoint, string, error) {
	if overlap < 0 {
		return pay.Endpoint{}, "", pay.Refuse(pay.InvalidSetting, "overlap must not be negative, got %v", overlap)
	}
	secret, sealed := s.secrets.New(id)
	now := pay.Clock(s.now())
	e, err := s.UpdateEndpoint(ctx, id, func(e *pay.Endpoint) {
		e.Secrets = pay.RotateSecret(e.Secrets, sealed, now, overlap)
	})
	return e, secret, err
}

// History is all that is kept of a session.
type History struct {
	Session  pay.Session // as of now
	Payments []pay.Payment
	Refunds  []pay.Refund
	Events   []pay.Event
}

// History is what an operator is shown of a session, of whichever environment.
func (s *Service) History(ctx context.Context, id pay.SessionID) (History, error) {
	if err := s.sweep(ctx, s.now()); err != nil {
		return History{}, err
	}
	return view(ctx, s.store, func(r store.Reader) (h History, err error) {
		if h.Session, err = r.Session(id); err != nil {
			return h, notFound(err, pay.SessionNotFound, "session", string(id))
		}
		if h.Payments, err = r.SessionPayments(id); err != nil {
			return h, err
		}
		if h.Refunds, err = r.SessionRefunds(id); err != nil {
			return h, err
		}
		h.Events, err = r.SessionEvents(id)
		return h, err
	})
}

// checkGame refuses a game that is not registered; none at all is fine.
func checkGame(r store.Reader, id pay.GameID) error {
	if id == "" {
		return nil
	}
	_, err := r.Game(id)
	if errors.Is(err, store.ErrNotFound) {
		return pay.RefuseField(pay.InvalidSetting, "game_id", "must be a registered game; there is no game %q", id)
	}
	return err
}

// entropy draws the random part of an id.
func entropy() (e pay.Entropy) {
	_, _ = rand.Read(e[:]) // never fails: crypto/rand ends the program rather than give less
	return e
}
