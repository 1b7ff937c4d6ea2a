package coinslottest

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// FaultyStore is a store that fails, or panics, once it is told to: inside the
// transaction, and only where a request came over the wire. Upkeep is spared, since
// it would not outlive a panic.
type FaultyStore struct {
	store.Store
	fault atomic.Pointer[func() error]
}

// Fail has every transaction of a request end with err until Mend.
func (f *FaultyStore) Fail(err error) { f.do(func() error { return err }) }

// Panic has every transaction of a request panic until Mend.
func (f *FaultyStore) Panic(reason any) { f.do(func() error { panic(reason) }) }

// Mend makes the store work again.
func (f *FaultyStore) Mend() { f.fault.Store(nil) }

func (f *FaultyStore) do(fault func() error) { f.fault.Store(&fault) }

func (f *FaultyStore) broken(ctx context.Context) error {
	if fault := f.fault.Load(); fault != nil && ctx.Value(http.ServerContextKey) != nil {
		return (*fault)()
	}
	return nil
}

// Update fails where the store was told to.
func (f *FaultyStore) Update(ctx context.Context, id pay.SessionID, fn func(store.Tx) error) error {
	return f.Store.Update(ctx, id, func(tx store.Tx) error {
		if err := f.broken(ctx); err != nil {
			return err
		}
		return fn(tx)
	})
}

// View fails where the store was told to.
func (f *FaultyStore) View(ctx context.Context, fn func(store.Reader) error) error {
	return f.Store.View(ctx, func(r store.Reader) error {
		if err := f.broken(ctx); err != nil {
			return err
		}
		return fn(r)
	})
}
