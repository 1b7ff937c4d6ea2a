package installation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/coinslot/coinslot/internal/clock"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider/sandbox"
	"github.com/coinslot/coinslot/internal/store"
)

// clockKey is where the sandbox's ledger keeps how far its clock is ahead. It is no
// payment's id.
const clockKey = "clock"

// sandboxClock is a clock that can be moved, and is where it was after a restart.
type sandboxClock struct {
	*clock.Movable
	ledger sandbox.Ledger
}

var _ gateway.Movable = sandboxClock{}

// Advance moves the clock once it is written down how far: a clock that had been moved
// and was back after a crash would have gone back.
func (c sandboxClock) Advance(ctx context.Context, by time.Duration) error {
	offset := c.Offset() + by
	if err := c.ledger.Save(ctx, clockKey, []byte(offset.String())); err != nil {
		return fmt.Errorf("write down how far the clock is ahead: %w", err)
	}
	c.Movable.Advance(by)
	return nil
}

// Ahead is how far ahead the clock was that the data was written by.
func Ahead(ctx context.Context, l sandbox.Ledger) (time.Duration, error) {
	if l == nil {
		return 0, nil
	}
	text, err := l.Load(ctx, clockKey)
	if err != nil || text == nil {
		return 0, err
	}
	d, err := time.ParseDuration(string(text))
	if err == nil && d < 0 {
		err = errors.New("it is negative")
	}
	if err != nil {
		return 0, fmt.Errorf("read how far the sandbox's clock is ahead, %.40q: %w", text, err)
	}
	return d, nil
}

// setClock picks the clock, and refuses data that is not for it.
func (o *Options) setClock(ctx context.Context) (gateway.Movable, error) {
	ahead, err := Ahead(ctx, o.Ledger)
	switch {
	case err != nil:
		return nil, err
	case !o.SandboxClock && ahead > 0:
		return nil, fmt.Errorf("the data was written by a server whose clock was %s ahead; serve it with --sandbox-clock, or begin with another data directory", ahead.Round(time.Second))
	case !o.SandboxClock:
		return nil, nil
	case o.Ledger == nil:
		return nil, errors.New("a clock that can be moved needs the sandbox's ledger")
	}
	if err := noProduction(ctx, o.Store); err != nil {
		return nil, err
	}
	movable := sandboxClock{clock.New(ahead), o.Ledger}
	o.Clock = movable
	return movable, nil
}

// noProduction refuses data of production: its sessions would expire, and its webhooks be
// given up, by a clock that somebody plays with.
func noProduction(ctx context.Context, s store.Store) error {
	return s.View(ctx, func(r store.Reader) error {
		keys, err := r.Keys()
		if err != nil {
			return fmt.Errorf("look for keys of production: %w", err)
		}
		if slices.ContainsFunc(keys, func(k pay.Key) bool { return k.Environment == pay.Production }) {
			return errors.New("--sandbox-clock is for sandboxes, but the data holds a production key; use another data directory")
		}
		return nil
	})
}
