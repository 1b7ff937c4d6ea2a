package coinslottest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
	"github.com/coinslot/coinslot/internal/provider/sandbox"
)

// Bank is the sandbox behind a door: it counts who comes, and can keep them waiting
// or send them away without an answer.
type Bank struct {
	*sandbox.Provider
	asked atomic.Int32
	mute  atomic.Bool
	keep  atomic.Bool

	mu   sync.Mutex
	held chan struct{} // closed: come in
}

var errMute = errors.New("the bank does not answer")

// NewBank makes a bank that lets everybody in.
func NewBank() *Bank {
	open := make(chan struct{})
	close(open)
	return &Bank{Provider: sandbox.New(sandbox.Options{Ledger: sandbox.NewMemoryLedger()}), held: open}
}

// Everywhere is a gateway.Providers: the bank moves the money of every environment,
// production too.
func (b *Bank) Everywhere(pay.Environment) provider.Provider { return b }

// Authorize counts, waits while the bank holds, and asks the sandbox.
func (b *Bank) Authorize(ctx context.Context, c provider.Charge) (pay.Outcome, error) {
	b.asked.Add(1)
	if b.mute.Load() {
		return pay.Outcome{}, errMute
	}
	b.mu.Lock()
	held := b.held
	b.mu.Unlock()
	<-held
	return b.Provider.Authorize(ctx, c)
}

// Lookup asks the sandbox, unless the bank is mute.
func (b *Bank) Lookup(ctx context.Context, id pay.PaymentID) (pay.Outcome, error) {
	if b.mute.Load() {
		return pay.Outcome{}, errMute
	}
	return b.Provider.Lookup(ctx, id)
}

// Void asks the sandbox, unless the bank keeps what it holds.
func (b *Bank) Void(ctx context.Context, id pay.PaymentID) (pay.Outcome, error) {
	if b.keep.Load() {
		return pay.Outcome{Kind: pay.OutcomeAuthorized}, nil
	}
	return b.Provider.Void(ctx, id)
}

// Keep makes every later void leave the hold as it is.
func (b *Bank) Keep() { b.keep.Store(true) }

// Asked is how many charges have been asked for.
func (b *Bank) Asked() int { return int(b.asked.Load()) }

// Mute makes every later charge and look-up go without an answer.
func (b *Bank) Mute() { b.mute.Store(true) }

// Hold keeps charges waiting until Release.
func (b *Bank) Hold() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held = make(chan struct{})
}

// Release lets charges through.
func (b *Bank) Release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-b.held:
	default:
		close(b.held)
	}
}
