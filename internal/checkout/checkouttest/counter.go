package checkouttest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlite"
)

// counter is the use cases on a database of their own.
type counter struct {
	*gateway.Service
	store *brittle
	games atomic.Int32
}

func newCounter(t testing.TB, bank provider.Provider, c *clock) *counter {
	t.Helper()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	db, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "shop.db"), sqlite.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	fragile := &brittle{Store: db}
	service, err := gateway.New(context.Background(), gateway.Options{
		Store: fragile, Provider: func(pay.Environment) provider.Provider { return bank },
		Payload: func(pay.Change, pay.Event) []byte { return []byte("{}") },
		Now:     c.Now, Logger: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		finish(service)
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return &counter{Service: service, store: fragile}
}

// finish lets the payments under way end. Upkeep does not run while a test does, so
// that a payment without an answer stays so for as long as the test looks at it.
func finish(service *gateway.Service) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	service.Run(over)
}

// sell registers a game of its own for each sale, since its settings are part of it.
func (c *counter) sell(sale Sale) (pay.SessionID, error) {
	sale.Game.ID = pay.GameID(fmt.Sprintf("game_%d", c.games.Add(1)))
	game, err := c.CreateGame(context.Background(), sale.Game)
	if err != nil {
		return "", err
	}
	sale.Order.Game = game.ID
	session, _, err := c.CreateSession(context.Background(), gateway.Caller{Environment: sale.Environment}, sale.Order, gateway.Idempotency{})
	return session.ID, err
}

// brittle is a store that can be made to fail.
type brittle struct {
	store.Store
	broken atomic.Pointer[error]
}

func (b *brittle) fail(err error) { b.broken.Store(&err) }

func (b *brittle) failure() error {
	if err := b.broken.Load(); err != nil {
		return *err
	}
	return nil
}

// Update fails where the store was broken.
func (b *brittle) Update(ctx context.Context, id pay.SessionID, fn func(store.Tx) error) error {
	if err := b.failure(); err != nil {
		return err
	}
	return b.Store.Update(ctx, id, fn)
}

// View fails where the store was broken.
func (b *brittle) View(ctx context.Context, fn func(store.Reader) error) error {
	if err := b.failure(); err != nil {
		return err
	}
	return b.Store.View(ctx, fn)
}
