package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

var errMine = errors.New("my own error")

var updateCases = []testCase{
	{"what fn wrote is there once Update has returned", func(w *world) {
		c := w.order(home, "ann", "")
		w.apply(c)
		w.same("session", w.session(c.Session.ID).ID, c.Session.ID)
	}},
	{"a read within fn sees what fn wrote", func(w *world) {
		c := w.order(home, "ann", "")
		w.must(w.store.Update(w.Context(), c.Session.ID, func(tx store.Tx) error {
			if err := tx.Apply(clone(c)); err != nil {
				return err
			}
			_, err := tx.Session(c.Session.ID)
			if err != nil {
				return err
			}
			page, err := tx.Sessions(store.SessionQuery{Environment: home.env, Game: home.game, Window: store.Window{Limit: 10}})
			if err == nil && (len(page.Rows) != 1 || page.Total != 1) {
				err = fmt.Errorf("list has %d rows, total %d, want 1", len(page.Rows), page.Total)
			}
			return err
		}))
	}},
	{"an error of fn is returned and undoes what fn wrote", func(w *world) {
		c := w.order(home, "ann", "")
		w.wants(w.store.Update(w.Context(), c.Session.ID, func(tx store.Tx) error {
			if err := tx.Apply(clone(c)); err != nil {
				return err
			}
			return errMine
		}), errMine)
		w.absent(c.Session.ID)
		w.totals(home, 0)
	}},
	{"a panic of fn is raised again in its caller and undoes what fn wrote", func(w *world) {
		c := w.order(home, "ann", "")
		w.same("recovered", recovered(func() {
			_ = w.store.Update(w.Context(), c.Session.ID, func(tx store.Tx) error {
				if err := tx.Apply(clone(c)); err != nil {
					return err
				}
				panic("my own panic")
			})
		}), any("my own panic"))
		w.absent(c.Session.ID)
		w.totals(home, 0)
	}},
	{"a panic of fn in View and Configure is raised again in its caller", func(w *world) {
		w.same("view", recovered(func() {
			_ = w.store.View(w.Context(), func(store.Reader) error { panic("view") })
		}), any("view"))
		w.same("configure", recovered(func() {
			_ = w.store.Configure(w.Context(), func(store.Settings) error { panic("configure") })
		}), any("configure"))
		w.sell(home)
	}},
	{"a call whose ctx has ended before its turn is not run", func(w *world) {
		ctx, cancel := context.WithCancel(w.Context())
		cancel()
		w.wants(w.store.Update(ctx, "sess_1", func(store.Tx) error {
			w.Error("it ran")
			return nil
		}), context.Canceled)
	}},
	{"a call whose ctx ends while it waits for its turn is not run", cancelledInQueue},
	{"a call whose ctx ends while fn runs is finished", func(w *world) {
		c := w.order(home, "ann", "")
		ctx, cancel := context.WithCancel(w.Context())
		w.must(w.store.Update(ctx, c.Session.ID, func(tx store.Tx) error {
			cancel()
			return tx.Apply(clone(c))
		}))
		w.session(c.Session.ID)
	}},
	{"updates of one session run one after the other", oneAfterTheOther},
	{"neighbours of an error or a panic are not hurt", neighbours},
}

// recovered is what fn panics with.
func recovered(fn func()) (reason any) {
	defer func() { reason = recover() }()
	fn()
	return nil
}

// totals checks how many sessions a game has, by the list's total.
func (w *world) totals(at shelf, want int64) {
	w.Helper()
	w.view(func(r store.Reader) {
		page, err := r.Sessions(store.SessionQuery{Environment: at.env, Game: at.game, Window: store.Window{Limit: 1}})
		w.must(err)
		w.same("total", page.Total, want)
	})
}

func cancelledInQueue(w *world) {
	s := w.sell(home)
	begun, goOn := make(chan bool), make(chan bool)
	var blocker sync.WaitGroup
	blocker.Go(func() {
		err := w.store.Update(w.Context(), s.ID, func(store.Tx) error {
			begun <- true
			<-goOn
			return nil
		})
		if err != nil {
			w.Error(err)
		}
	})
	<-begun
	ctx, cancel := context.WithCancel(w.Context())
	errs := make(chan error)
	go func() {
		errs <- w.store.Update(ctx, s.ID, func(store.Tx) error {
			w.Error("it ran")
			return nil
		})
	}()
	cancel()
	w.wants(<-errs, context.Canceled)
	close(goOn)
	blocker.Wait()
}

// oneAfterTheOther has many callers read a session and decide on what they read. Were
// two of them to interleave, one would find the session at another version.
func oneAfterTheOther(w *world) {
	const callers = 20
	s := w.sell(home)
	var inside atomic.Int32
	var all sync.WaitGroup
	for i := range callers {
		at := w.tick()
		id := pay.NewPaymentID(at, w.entropy())
		all.Go(func() {
			err := w.store.Update(w.Context(), s.ID, func(tx store.Tx) error {
				if inside.Add(1) != 1 {
					return errors.New("two at the same time")
				}
				defer inside.Add(-1)
				now, err := tx.Session(s.ID)
				if err != nil || now.Status != pay.SessionPending || now.Live {
					return err
				}
				c, err := now.StartPayment(id, pay.MethodCard, pay.CardHint{}, at)
				if err != nil {
					return err
				}
				return tx.Apply(withPayloads(c))
			})
			if err != nil {
				w.Errorf("caller %d: %v", i, err)
			}
		})
	}
	all.Wait()
	w.view(func(r store.Reader) {
		payments, err := r.SessionPayments(s.ID)
		w.must(err)
		w.same("payments", len(payments), 1)
	})
}

// neighbours lets many callers write at once, of whom some fail before they wrote,
// some after, and some panic.
func neighbours(w *world) {
	const callers = 96
	changes := make([]pay.Change, callers)
	for i := range changes {
		changes[i] = w.order(home, "ann", "")
	}
	// One that is inside holds the others up, so that many of them come at once.
	begun, goOn := make(chan bool), make(chan bool)
	var all sync.WaitGroup
	all.Go(func() {
		if err := w.store.Update(w.Context(), "sess_0", func(store.Tx) error {
			begun <- true
			<-goOn
			return nil
		}); err != nil {
			w.Error(err)
		}
	})
	<-begun
	for i, c := range changes {
		all.Go(func() { w.misbehave(i, c) })
	}
	close(goOn)
	all.Wait()
	kept := int64(0)
	for i, c := range changes {
		if i%4 == 0 {
			w.session(c.Session.ID)
			kept++
		} else {
			w.absent(c.Session.ID)
		}
	}
	w.totals(home, kept)
}

// misbehave stores the change if i is a multiple of four, and else fails in one of three ways.
func (w *world) misbehave(i int, c pay.Change) {
	var err error
	reason := recovered(func() {
		err = w.store.Update(w.Context(), c.Session.ID, func(tx store.Tx) error {
			if i%4 == 1 {
				return errMine
			}
			if err := tx.Apply(clone(c)); err != nil {
				return err
			}
			switch i % 4 {
			case 2:
				return errMine
			case 3:
				panic(i)
			}
			return nil
		})
	})
	switch i % 4 {
	case 0:
		if err != nil || reason != nil {
			w.Errorf("a neighbour was hurt: error %v, panic %v", err, reason)
		}
	case 1, 2:
		if !errors.Is(err, errMine) {
			w.Errorf("got error %v, want its own", err)
		}
	case 3:
		if reason != i {
			w.Errorf("got panic %v, want %v", reason, i)
		}
	}
}
