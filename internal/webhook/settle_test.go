package webhook_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coinslot/coinslot/internal/clock"
	"github.com/coinslot/coinslot/internal/webhook"
)

// runMovable starts a relay that goes by a clock that can be moved.
func (w *world) runMovable() (*webhook.Relay, *clock.Movable) {
	moved := clock.New(25 * time.Hour)
	w.options.Clock = moved
	return w.run(), moved
}

func (w *world) settle(r *webhook.Relay) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 20*time.Second)
	defer cancel()
	if err := r.Settle(ctx); err != nil {
		w.Fatal(err)
	}
}

func TestARetryIsMadeWhenTheClockIsMovedToIt(t *testing.T) {
	inWorld(t, func(w *world) {
		w.receiver.answer = func(call) reply { return reply{status: 500} }
		w.endpoint("game.test")
		relay, moved := w.runMovable()
		moved.Advance(time.Hour)
		w.offer()
		w.settle(relay)
		var made []int
		for _, step := range []time.Duration{4 * time.Second, 2 * time.Second, 31 * time.Second, time.Minute, 61 * time.Second, 24 * time.Hour} {
			moved.Advance(step)
			w.settle(relay)
			made = append(made, len(w.receiver.got("game.test")))
		}
		if diff := cmp.Diff([]int{1, 2, 3, 3, 4, 5}, made); diff != "" {
			t.Errorf("attempts after each step (-want +got):\n%s", diff)
		}
	})
}

func TestSettleWaitsForWhatIsUnderWay(t *testing.T) {
	inWorld(t, func(w *world) {
		w.receiver.answer = func(call) reply { return reply{after: 8 * time.Second} }
		w.endpoint("game.test")
		relay, moved := w.runMovable()
		for range 3 { // one at a time at first, then more
			w.offer()
		}
		began := time.Now()
		w.settle(relay)
		if took := time.Since(began); took < 16*time.Second {
			t.Errorf("it took %v, want that of two posts after each other", took)
		}
		moved.Advance(time.Hour)
		w.settle(relay)
		if calls := w.receiver.got("game.test"); len(calls) != 3 {
			t.Errorf("%d posts of 3 events", len(calls))
		}
	})
}

func TestSettleEndsWithItsCaller(t *testing.T) {
	inWorld(t, func(w *world) {
		w.receiver.answer = func(call) reply { return reply{after: 8 * time.Second} }
		w.endpoint("game.test")
		relay, _ := w.runMovable()
		w.offer()
		ctx, cancel := context.WithTimeout(w.Context(), time.Second)
		defer cancel()
		if err := relay.Settle(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Settle = %v", err)
		}
		if err := webhook.NewRelay(w.options).Settle(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Settle of a relay that does not run = %v", err)
		}
		w.settle(relay)
	})
}
