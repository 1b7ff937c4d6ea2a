// Package gateway holds the use cases: one Service, one method per verb. It owns
// the order in which things happen — decide, write, then call the provider — and
// knows neither who calls nor how anything is stored.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coinslot/coinslot/internal/clock"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
	"github.com/coinslot/coinslot/internal/store"
)

// Options is all that a Service needs from outside.
type Options struct {
	Store    store.Store
	Provider Providers

	// Payload writes the body that receivers of an event get: the one moment at
	// which an event's bytes are made.
	Payload func(pay.Change, pay.Event) []byte

	// Secrets makes the secrets that webhooks are signed with.
	Secrets Secrets

	// Asker asks games about payments before their players are charged.
	Asker Asker

	Clock   clock.Clock
	Movable Movable // the same, where it can be moved
	Relay   Relay   // is waited for when the clock is moved

	// Ledger is the sandbox's books, which a backup has beside the store; nil: none.
	Ledger store.Copier

	Logger            *slog.Logger
	IdempotencyWindow time.Duration // how long an answer is remembered; at least a day
}

// Secrets makes a signing secret: its text, which the operator is shown once, and
// its encrypted form, which is stored.
type Secrets interface {
	New(pay.EndpointID) (text string, sealed []byte)

	// Check says why a stored secret cannot be opened any more, or nil.
	Check(pay.EndpointID, []byte) error
}

// Providers picks who moves the money of an environment. It is nil where nobody does.
type Providers func(pay.Environment) provider.Provider

// Service is Coinslot's use cases. Its methods are safe for concurrent use.
type Service struct {
	store     store.Store
	providers Providers
	payload   func(pay.Change, pay.Event) []byte
	secrets   Secrets
	asker     Asker
	ledger    store.Copier
	watchers  *watchers
	clock     clock.Clock
	movable   Movable // nil: the clock cannot be moved
	relay     Relay
	log       *slog.Logger
	window    time.Duration // for which an answer is remembered

	settings    atomic.Pointer[settings]
	used        lastUse
	images      images
	others      *others       // what may be under way in other processes
	charging    sync.Map      // ids of payments whose own call is under way in this process
	copying     sync.Mutex    // held while a backup is taken
	configuring sync.Mutex    // settings are reloaded in the order in which they were written
	returning   sync.Map      // the same of refunds
	asked       chan struct{} // holds a token for each game that is asked after a crash
	heard       heard         // reports that were taken in
	late        atomic.Int64  // payments for which money came late
	pursuits    pursuits
	advancing   chan struct{}  // holds a token while the clock is being moved
	calls       sync.WaitGroup // payments and refunds whose provider is being asked
	stopping    chan struct{}  // closed when Run is told to end
	reopened    chan struct{}  // a payment ended, so its session can expire again, perhaps soon
}

// New loads the settings and returns a Service. Run must be running for deadlines
// and lost answers to be looked after.
func New(ctx context.Context, o Options) (*Service, error) {
	s := &Service{
		store: o.Store, providers: o.Provider, payload: o.Payload, secrets: o.Secrets, asker: o.Asker, ledger: o.Ledger, clock: o.Clock, log: o.Logger,
		watchers: newWatchers(o.Store), others: newOthers(o.Store.Shared()), asked: make(chan struct{}, mostAsked), advancing: make(chan struct{}, 1),
		movable: o.Movable, relay: o.Relay,
		window:   max(o.IdempotencyWindow, 24*time.Hour),
		stopping: make(chan struct{}), reopened: make(chan struct{}, 1),
	}
	return s, s.loadSettings(ctx)
}

// now is the time by which the use cases go.
func (s *Service) now() time.Time { return s.clock.Now() }

// decision says what becomes of a session. It runs inside a transaction: it must not
// wait, log or draw ids.
type decision func(tx store.Tx, session pay.Session) (pay.Change, error)

// change runs a decision on a session as it is stored and writes what came of it.
// It returns the session and payment as they are then.
func (s *Service) change(ctx context.Context, id pay.SessionID, decide decision) (pay.Change, error) {
	var done pay.Change
	err := s.store.Update(ctx, id, func(tx store.Tx) error {
		session, err := tx.Session(id)
		if err != nil {
			return notFound(err, pay.SessionNotFound, "session", string(id))
		}
		if done, err = decide(tx, session); err != nil {
			return err
		}
		return s.apply(tx, done)
	})
	return done, err
}

// apply completes a change's events and writes it.
func (s *Service) apply(tx store.Tx, c pay.Change) error {
	s.writePayloads(c)
	return tx.Apply(c)
}

func (s *Service) writePayloads(c pay.Change) {
	for i := range c.Events {
		c.Events[i].Payload = s.payload(c, c.Events[i])
	}
}

// notFound turns a store's "no such row" into the refusal that a caller may read.
func notFound(err error, code pay.Code, what, id string) error {
	if errors.Is(err, store.ErrNotFound) {
		return pay.Refuse(code, "there is no %s %q", what, id)
	}
	if err != nil && pay.CodeOf(err) == pay.Internal {
		return fmt.Errorf("read %s: %w", what, err)
	}
	return err
}

// view reads within one snapshot.
func view[T any](ctx context.Context, s store.Store, read func(store.Reader) (T, error)) (T, error) {
	var out T
	err := s.View(ctx, func(r store.Reader) (err error) {
		out, err = read(r)
		return err
	})
	return out, err
}
