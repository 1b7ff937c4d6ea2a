package gateway

import (
	"context"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// settings is what every call needs to know of games and keys, kept in memory. They
// are few, and read far more often than they change.
type settings struct {
	games   map[pay.GameID]pay.Game
	keys    map[pay.KeyHash]pay.Key
	callers map[pay.KeyID]pay.Key // the same keys

	generation int64 // of the store, by which changes of other processes are noticed
}

// settingsPause is the least time between two looks for settings that others changed.
const settingsPause = 300 * time.Millisecond

// followSettings takes into use what other processes decide, until ctx is done.
func (s *Service) followSettings(ctx context.Context) {
	written, stop := s.store.Watch()
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-written:
		}
		s.attempt(ctx, "follow settings", s.refreshSettings)
		timer := time.NewTimer(settingsPause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// refreshSettings reads the settings again where they are of another generation.
func (s *Service) refreshSettings(ctx context.Context, _ time.Time) error {
	generation, err := view(ctx, s.store, store.Reader.Generation)
	if err != nil || generation == s.settings.Load().generation {
		return err
	}
	s.configuring.Lock()
	defer s.configuring.Unlock()
	return s.loadSettings(ctx)
}

func (s *Service) loadSettings(ctx context.Context) error {
	now := &settings{games: map[pay.GameID]pay.Game{}, keys: map[pay.KeyHash]pay.Key{}, callers: map[pay.KeyID]pay.Key{}}
	err := s.store.View(ctx, func(r store.Reader) error {
		generation, err := r.Generation()
		if err != nil {
			return err
		}
		now.generation = generation
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
