package storetest

import (
	"sync"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

var lifeCases = []testCase{
	{"a watcher is told of events that were written", func(w *world) {
		written, stop := w.store.Watch()
		defer stop()
		other, stopOther := w.store.Watch()
		defer stopOther()
		w.sell(home)
		<-written
		<-other
		w.sell(home)
		<-written
	}},
	{"a token waits for a watcher that is busy, and is no count", func(w *world) {
		written, stop := w.store.Watch()
		defer stop()
		for range 3 {
			w.sell(home)
		}
		<-written
		select {
		case <-written:
			// Another store's writes may be told twice, but never as often as they were made.
		default:
		}
	}},
	{"a watcher that stopped is told nothing more", func(w *world) {
		written, stop := w.store.Watch()
		stop()
		w.sell(home)
		select {
		case <-written:
			w.Fatal("it was told")
		default:
		}
	}},
	{"a store that can write says so", func(w *world) { w.must(w.store.Check(w.Context())) }},
	{"after Close everything is unavailable", func(w *world) {
		s := w.sell(home)
		w.must(w.store.Close())
		w.wants(w.tryApply(w.order(home, "ann", "")), store.ErrUnavailable)
		w.wants(w.store.Configure(w.Context(), func(store.Settings) error { return nil }), store.ErrUnavailable)
		w.wants(w.store.View(w.Context(), func(r store.Reader) error {
			_, err := r.Session(s.ID)
			return err
		}), store.ErrUnavailable)
		w.wants(w.store.Check(w.Context()), store.ErrUnavailable)
		_, err := w.store.NextDue(w.Context())
		w.wants(err, store.ErrUnavailable)
		_, err = w.store.DueEndpoints(w.Context(), w.now, 1)
		w.wants(err, store.ErrUnavailable)
		_, err = w.store.Claim(w.Context(), "we_1", w.now, w.now, 1)
		w.wants(err, store.ErrUnavailable)
		w.wants(w.store.Record(w.Context(), store.Outcome{Attempt: pay.Attempt{Delivery: 1, Number: 1, At: w.now}, Next: w.now}), store.ErrUnavailable)
		w.wants(w.store.Redeliver(w.Context(), 1, w.now), store.ErrUnavailable)
		_, err = w.store.RedeliverEvent(w.Context(), "nothing", w.now)
		w.wants(err, store.ErrUnavailable)
		_, err = w.store.Recover(w.Context(), "we_1", w.now, w.now, 1)
		w.wants(err, store.ErrUnavailable)
	}},
	{"Close waits for a write that has begun, and that write is kept or unavailable", func(w *world) {
		c := w.order(home, "ann", "")
		begun, goOn := make(chan bool), make(chan bool)
		var all sync.WaitGroup
		all.Go(func() {
			err := w.store.Update(w.Context(), c.Session.ID, func(tx store.Tx) error {
				close(begun)
				<-goOn
				return tx.Apply(clone(c))
			})
			if err != nil {
				w.Error(err)
			}
		})
		<-begun
		all.Go(func() {
			if err := w.store.Close(); err != nil {
				w.Error(err)
			}
		})
		close(goOn)
		all.Wait()
	}},
	{"Close may be called again", func(w *world) {
		w.must(w.store.Close())
		w.must(w.store.Close())
	}},
}
