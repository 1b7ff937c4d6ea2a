// Package webhook tells receivers what happened: it signs events, posts them to
// endpoints, and goes on until each is taken. It decides nothing.
//
// A delivery is claimed from the store under a lease, posted, and recorded. A
// relay that dies in between loses nothing: its leases end, and what it had claimed
// is claimed again. So an event can arrive twice, but never not at all.
package webhook

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"

	"github.com/coinslot/coinslot/internal/clock"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/vault"
)

// Defaults of Options.
const (
	DefaultWorkers     = 64
	DefaultPerEndpoint = 8
)

// Store is what the relay needs of a store.Store.
type Store interface {
	store.Queue
	View(ctx context.Context, fn func(store.Reader) error) error
	Configure(ctx context.Context, fn func(store.Settings) error) error
	Watch() (written <-chan struct{}, stop func())
}

// Options is all that a Relay needs from outside.
type Options struct {
	Store Store
	Vault *vault.Vault

	// Client is asked for a client before each attempt, and must answer with the same
	// one each time for an environment, so that connections are used again. It keeps
	// requests out of the operator's own network; package safehttp makes such clients.
	Client func(pay.Environment) *http.Client

	Clock  clock.Clock  // when what is due; clock.System if nil
	Logger *slog.Logger // none if nil

	// Jitter returns a number in [-1, 1] that spreads retries; random if nil.
	Jitter func() float64

	// Workers bounds all posts and claims at a time, DefaultWorkers if zero;
	// PerEndpoint the posts to one endpoint, DefaultPerEndpoint if zero.
	Workers, PerEndpoint int
}

// Relay delivers what waits in the store's queue. Any number of relays, in other
// processes too, can share a store.
type Relay struct {
	sender
	clock       clock.Clock
	store       Store
	log         *slog.Logger
	jitter      func() float64
	workers     int
	perEndpoint int
	settling    chan chan struct{} // who waits for rest
}

// NewRelay returns a relay that does nothing until Run is called.
func NewRelay(o Options) *Relay {
	if o.Clock == nil {
		o.Clock = clock.System
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Jitter == nil {
		o.Jitter = func() float64 { return 2*rand.Float64() - 1 }
	}
	if o.Workers == 0 {
		o.Workers = DefaultWorkers
	}
	if o.PerEndpoint == 0 {
		o.PerEndpoint = DefaultPerEndpoint
	}
	return &Relay{
		sender: sender{secrets: NewSecrets(o.Vault), client: o.Client, now: o.Clock.Now},
		clock:  o.Clock, store: o.Store, log: o.Logger, jitter: o.Jitter,
		workers: o.Workers, perEndpoint: o.PerEndpoint, settling: make(chan chan struct{}),
	}
}

// Run delivers until ctx ends. Then it claims no more, finishes what it has begun,
// which takes at most the time of one attempt and a second, and returns nil. What
// it claimed and could not begin is claimed again when its lease ends.
//
// Trouble with the store is logged and tried again; it never ends Run.
func (r *Relay) Run(ctx context.Context) error {
	written, stop := r.store.Watch()
	defer stop()
	d := newDispatcher(ctx, r)
	d.run(ctx, written)
	return nil
}
