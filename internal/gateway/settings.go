package gateway

import (
	"context"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// settings is what every call needs to know of games and keys, kept in memory. They
// are few, and read far more often than they change.
type settings struct {
	games   map[pay.GameID]pay.Game
	keys    map[pay.KeyHash]pay.Key
	callers map[pay.KeyID]pay.Key // the same keys
}

func (s *Service) loadSettings(ctx context.Context) error {
	now := &settings{games: map[pay.GameID]pay.Game{}, keys: map[pay.KeyHash]pay.Key{}, callers: map[pay.KeyID]pay.Key{}}
	err := s.store.View(ctx, func(r store.Reader) error {
		games, err := r.Games()
		if err != nil {
			return err
		}
		for _, g := range games {
			now.games[g.ID] = g
		}
		keys, err := r.Keys()
		for _, k := range keys {
			now.keys[k.Hash], now.callers[k.ID] = k, k
		}
		return err
	})
	if err == nil {
		s.settings.Store(now)
	}
	return err
}

// configure writes settings and takes them into use before it returns, so that a
// key that was revoked lets nobody in any more.
func (s *Service) configure(ctx context.Context, fn func(store.Settings) error) error {
	s.configuring.Lock()
	defer s.configuring.Unlock()
	if err := s.store.Configure(ctx, fn); err != nil {
		return err
	}
	return s.loadSettings(context.WithoutCancel(ctx))
}
