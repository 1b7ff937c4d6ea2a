package gateway_test

import (
	"context"
	"errors"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlite"
)

// twice is a store that finds that every closure has to run again: nothing is left of the
// first time but what the closure did to memory. All use cases are tested on it.
type twice struct{ *sqlite.Store }

var errAgain = errors.New("run it again")

// Update runs the closure twice.
func (s twice) Update(ctx context.Context, id pay.SessionID, fn func(store.Tx) error) error {
	_ = s.Store.Update(ctx, id, func(tx store.Tx) error { return errors.Join(fn(tx), errAgain) })
	return s.Store.Update(ctx, id, fn)
}

// Configure runs the closure twice.
func (s twice) Configure(ctx context.Context, fn func(store.Settings) error) error {
	_ = s.Store.Configure(ctx, func(tx store.Settings) error { return errors.Join(fn(tx), errAgain) })
	return s.Store.Configure(ctx, fn)
}

// View runs the closure twice.
func (s twice) View(ctx context.Context, fn func(store.Reader) error) error {
	_ = s.Store.View(ctx, fn)
	return s.Store.View(ctx, fn)
}
