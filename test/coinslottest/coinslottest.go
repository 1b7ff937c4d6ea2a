// Package coinslottest starts whole installations for tests: the product's own
// assembly on a store in a temporary directory, with a receiver of webhooks that
// writes down what it gets.
package coinslottest

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider/sandbox"
	"github.com/coinslot/coinslot/internal/server"
	"github.com/coinslot/coinslot/internal/store"
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
	s := httptest.NewUnstartedServer(nil)
	s.Config = server.HTTP(i.Handler, slog.New(slog.DiscardHandler))
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

// Receiver is where webhooks arrive. It answers 200 unless told otherwise.
type Receiver struct {
	mu     sync.Mutex
	got    []Received
	answer func(attempt int) int // the HTTP status; nil: always 200
}

// Received is one request that a receiver got.
type Received struct {
	Header http.Header
	Body   []byte
	At     time.Time
}

// Answer has the receiver answer the nth request, counted from 1, with a status.
func (r *Receiver) Answer(status func(n int) int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = status
}

// Take returns what has arrived since the last call.
func (r *Receiver) Take() []Received {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.got
	r.got = nil
	return got
}

// RoundTrip implements http.RoundTripper.
func (r *Receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, Received{req.Header.Clone(), body, time.Now()})
	w := httptest.NewRecorder()
	if r.answer != nil {
		w.WriteHeader(r.answer(len(r.got)))
	}
	return w.Result(), nil
}
