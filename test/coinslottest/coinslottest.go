// Package coinslottest starts whole installations for tests: the product's own
// assembly on a store in a temporary directory, with a receiver of webhooks that
// writes down what it gets. A test that wants trouble puts a Bank that keeps players
// waiting, a FaultyStore or a Log that it can read into the options; Shop has all
// three, and a game that sells.
package coinslottest

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"

	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider/sandbox"
	"github.com/coinslot/coinslot/internal/server"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/postgres"
	"github.com/coinslot/coinslot/internal/store/sqlite"
	"github.com/coinslot/coinslot/internal/vault"
)

// AdminToken is the token of every test installation.
const AdminToken = "admin-token-of-a-test"

// PublicURL is where test installations say that they are.
const PublicURL = "http://pay.test"

// Installation is a running installation and what its webhooks reached.
type Installation struct {
	*installation.Installation
	Store    store.Store
	Receiver *Receiver
}

// Start runs an installation until the test ends. edit may change its options.
func Start(t testing.TB, edit ...func(*installation.Options)) *Installation {
	t.Helper()
	o := installation.Options{
		Store: OpenStore(t), Ledger: sandbox.NewMemoryLedger(), Vault: vault.New([vault.KeySize]byte{1}),
		AdminToken: AdminToken, PublicURL: PublicURL, Logger: slog.New(slog.DiscardHandler),
	}
	receiver := &Receiver{}
	o.WebhookTransport = receiver
	for _, change := range edit {
		change(&o)
	}
	whole, err := installation.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { whole.Run(ctx) })
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
	return &Installation{whole, o.Store, receiver}
}

// OpenStore opens a store of its own for the test.
func OpenStore(t testing.TB) store.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "coinslot.db"), sqlite.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// OnPostgres puts an installation on the database that a URL names, the sandbox's books
// too. It is for installations under a fake clock: no other process is listened to.
func OnPostgres(t testing.TB, url string) func(*installation.Options) {
	return func(o *installation.Options) {
		t.Helper()
		s, err := postgres.Open(t.Context(), url, postgres.Options{Logger: slog.New(slog.DiscardHandler), Alone: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		o.Store, o.Ledger = s, s.Ledger()
	}
}

// Key registers the game, unless it is there, and makes a key for it.
func (i *Installation) Key(t testing.TB, env pay.Environment, game pay.Game) string {
	t.Helper()
	if _, err := i.Gateway.CreateGame(t.Context(), game); err != nil && pay.CodeOf(err) != pay.AlreadyExists {
		t.Fatal(err)
	}
	_, text, err := i.Gateway.CreateKey(t.Context(), pay.Key{Environment: env, Game: game.ID})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Listen serves the installation on a port of its own with the product's own
// http.Server, and returns its URL.
func (i *Installation) Listen(t testing.TB) string {
	t.Helper()
	return i.serve(t, httptest.NewUnstartedServer(nil))
}

func (i *Installation) serve(t testing.TB, s *httptest.Server) string {
	t.Helper()
	s.Config = server.HTTP(i.Handler, slog.New(slog.DiscardHandler))
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}
