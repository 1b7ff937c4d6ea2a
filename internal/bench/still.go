package bench

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// stillStore is a store that only knows one game, one key and one session, and keeps
// nothing. A call that reaches it has cost all that a call costs but for storage.
type stillStore struct {
	store.Store // nil: nothing else is ever asked of it
	key         pay.Key
	session     pay.Session
}

func newStillStore() (s *stillStore, text string) {
	var secret pay.KeySecret
	_, _ = rand.Read(secret[:])
	text = pay.KeyText(pay.Sandbox, secret)
	hash, _ := pay.HashKey(text)
	change, err := newSession(0)
	if err != nil {
		panic(err)
	}
	s = &stillStore{session: *change.Session}
	s.key = pay.Key{ID: pay.NewKeyID(time.Now(), pay.Entropy{}), Hash: hash, Environment: pay.Sandbox}
	return s, text
}

// View is store.Store's.
func (s *stillStore) View(_ context.Context, fn func(store.Reader) error) error {
	return fn(stillReader{s: s})
}

// Shared is store.Store's.
func (s *stillStore) Shared() bool { return false }

// Check is store.Store's.
func (s *stillStore) Check(context.Context) error { return nil }

type stillReader struct {
	store.Reader // nil, likewise
	s            *stillStore
}

func (r stillReader) Generation() (int64, error) { return 0, nil }
func (r stillReader) Games() ([]pay.Game, error) { return []pay.Game{game}, nil }
func (r stillReader) Keys() ([]pay.Key, error)   { return []pay.Key{r.s.key}, nil }
func (r stillReader) Standing(pay.SessionID) (pay.Standing, error) {
	return r.s.session.Standing(), nil
}
func (r stillReader) Session(pay.SessionID) (pay.Session, error) { return r.s.session, nil }
