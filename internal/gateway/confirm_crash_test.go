package gateway_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
	"github.com/coinslot/coinslot/internal/store"
)

// fuse ends a process at the nth call that it makes of store, provider or game for a sale:
// before the call or after it, so that its answer is lost. Nothing gets out of a process
// that has ended. One that is weak only loses that one call.
type fuse struct {
	at    int
	after bool
	weak  bool

	mu    sync.Mutex
	calls int
	blown bool
}

func (f *fuse) String() string {
	return fmt.Sprintf("call %d, after %v, weak %v", f.at, f.after, f.weak)
}

// ofSale marks the context of the calls that a fuse counts.
type ofSale struct{}

// through makes a call, or not.
func (f *fuse) through(ctx context.Context, call func() error) error {
	hit, dead := f.count(ctx.Value(ofSale{}) != nil)
	if dead || hit && !f.after {
		return store.ErrUnavailable
	}
	if err := call(); err != nil || !hit {
		return err
	}
	return store.ErrUnavailable
}

func (f *fuse) count(counts bool) (hit, dead bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	dead = f.blown
	if !counts {
		return false, dead
	}
	hit = f.calls == f.at && !dead
	f.calls++
	f.blown = dead || hit && !f.weak
	return hit, dead
}

func (f *fuse) counted() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// mortal is all that a process calls, behind its fuse.
type mortal struct {
	store.Store
	provider.Provider
	asker gateway.Asker
	fuse  *fuse
}

func (m mortal) Update(ctx context.Context, id pay.SessionID, fn func(store.Tx) error) error {
	return m.fuse.through(ctx, func() error { return m.Store.Update(ctx, id, fn) })
}

// View counts only where it can fail alone: to end at one is to end at the call after it.
func (m mortal) View(ctx context.Context, fn func(store.Reader) error) error {
	if !m.fuse.weak || m.fuse.after {
		return m.Store.View(ctx, fn)
	}
	return m.fuse.through(ctx, func() error { return m.Store.View(ctx, fn) })
}

func (m mortal) Ask(ctx context.Context, of pay.Game, e pay.Event, n int) (d pay.Decision, err error) {
	err = m.fuse.through(ctx, func() (err error) { d, err = m.asker.Ask(ctx, of, e, n); return err })
	if err != nil {
		d = pay.Decision{}
	}
	return d, err
}

func (m mortal) Authorize(ctx context.Context, c provider.Charge) (pay.Outcome, error) {
	return m.outcome(ctx, func() (pay.Outcome, error) { return m.Provider.Authorize(ctx, c) })
}

func (m mortal) Capture(ctx context.Context, id pay.PaymentID) (pay.Outcome, error) {
	return m.outcome(ctx, func() (pay.Outcome, error) { return m.Provider.Capture(ctx, id) })
}

func (m mortal) Void(ctx context.Context, id pay.PaymentID) (pay.Outcome, error) {
	return m.outcome(ctx, func() (pay.Outcome, error) { return m.Provider.Void(ctx, id) })
}

func (m mortal) Lookup(ctx context.Context, id pay.PaymentID) (pay.Outcome, error) {
	return m.outcome(ctx, func() (pay.Outcome, error) { return m.Provider.Lookup(ctx, id) })
}

func (m mortal) Refund(ctx context.Context, r provider.Return) (o pay.RefundOutcome, err error) {
	err = m.fuse.through(ctx, func() (err error) { o, err = m.Provider.Refund(ctx, r); return err })
	if err != nil {
		o = pay.RefundOutcome{}
	}
	return o, err
}

func (m mortal) outcome(ctx context.Context, call func() (pay.Outcome, error)) (o pay.Outcome, err error) {
	err = m.fuse.through(ctx, func() (err error) { o, err = call(); return err })
	if err != nil {
		o = pay.Outcome{}
	}
	return o, err
}

// quiet is enough for whatever reconciliation has to do.
const quiet = 3 * time.Minute

// never is a call that no process gets to.
const never = 1 << 30

// TestNoCrashChargesWithoutApproval breaks off a sale at every call that its process
// makes, before and after it, lets another process go on, and looks at what came of it. A
// game answers the other process as it likes.
func TestNoCrashChargesWithoutApproval(t *testing.T) {
	plots := []struct{ first, then []string }{
		{[]string{"approve"}, []string{"reject changed its mind"}},
		{[]string{"reject out_of_stock"}, nil},
		{[]string{"reject out_of_stock"}, []string{"approve"}},
		{[]string{"refuse", "refuse", "approve"}, []string{"silence"}},
		{[]string{"silence"}, []string{"refuse", "approve"}},
	}
	for _, p := range plots {
		t.Run(fmt.Sprint(p.first, "then", p.then), func(t *testing.T) {
			t.Parallel()
			for _, mode := range []struct{ after, weak bool }{{}, {after: true}, {weak: true}, {after: true, weak: true}} {
				whole := breakOff(t, p.first, p.then, &fuse{at: never, after: mode.after, weak: mode.weak})
				if whole < 6 {
					t.Fatalf("a sale makes %d calls: something is not counted", whole)
				}
				for at := range whole {
					breakOff(t, p.first, p.then, &fuse{at: at, after: mode.after, weak: mode.weak})
				}
			}
		})
	}
}

// breakOff plays one sale to a quiet end, and returns how many calls its first process made.
func breakOff(t *testing.T, first, then []string, f *fuse) (calls int) {
	play(t, func(w *world) {
		a := w.asking(first...)
		g, stop := w.open()
		id := w.sessionOf(g, asksFirst)
		stop()

		sound, ledger := w.store, w.line.Provider
		m := mortal{sound, ledger, a, f}
		w.store, w.asker, w.line.Provider = m, m, m
		g, stop = w.open()
		_, _ = g.Pay(context.WithValue(w.Context(), ofSale{}, true), id, card(good, 0)) // the player of a process that ends hears nothing
		time.Sleep(16 * time.Second)
		calls = f.counted()
		if f.weak {
			time.Sleep(quiet)
		}
		stop()
		w.store, w.asker, w.line.Provider = sound, a, ledger
		if then != nil {
			a.change(then...)
		}
		g, stop = w.open()
		defer stop()
		time.Sleep(quiet)
		w.wantHonest(g, id, a, f)
	})
	return calls
}

// wantHonest wants all to be over, the money where the payment says, and taken only after
// the game has approved.
func (w *world) wantHonest(g *gateway.Service, id pay.SessionID, a *asked, f *fuse) {
	w.Helper()
	record := a.story()
	story := func() string { return fmt.Sprintf("%v: %v", f, record) }
	taken, released := slices.Contains(record, "capture"), slices.Contains(record, "void")
	if approved := slices.Index(record, "approve"); taken && (approved < 0 || approved > slices.Index(record, "capture")) {
		w.Errorf("%s: taken without approval", story())
	}
	if taken && released {
		w.Errorf("%s: taken and let go", story())
	}
	if len(slices.Compact(slices.Clone(a.ids))) > 1 {
		w.Errorf("%s: asked as %v", story(), a.ids)
	}
	c := w.look(g, id)
	if c.Payment == nil {
		if len(record) > 0 {
			w.Errorf("%s: there is no payment", story())
		}
		return
	}
	p := c.Payment
	if p.UnderWay() || p.Status.Live() || taken != (p.Status == pay.PaymentSucceeded) || taken != (c.Session.Status == pay.SessionPaid) {
		w.Errorf("%s: payment %s, asking %v, intent %q; session %s", story(), p.Status, p.Asking, p.Intent, c.Session.Status)
	}
	if p.Status == pay.PaymentFailed {
		rejected := slices.ContainsFunc(record, func(s string) bool { return strings.HasPrefix(s, "reject") })
		if p.Failure.Code == pay.ConfirmationRejected && !rejected {
			w.Errorf("%s: failed with %+v", story(), p.Failure)
		}
		if o, err := w.line.Provider.Lookup(w.Context(), p.ID); err == nil && o.Kind == pay.OutcomeAuthorized {
			w.Errorf("%s: failed, and the provider still holds the money", story())
		}
	}
}
