package storetest

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

var followCases = []testCase{
	{"whoever reads on while others write misses nothing and is told nothing twice", feedWhileWritten},
	{"the latest event is where the feed ends", func(w *world) {
		w.same("before anything happened", w.latest(), int64(0))
		w.sell(home)
		w.same("after one event", w.latest(), w.page(store.EventQuery{}).Next)
		w.same("what follows", len(w.page(store.EventQuery{After: w.latest()}).Rows), 0)
		w.sell(shelf{pay.Production, "chess"})
		w.same("after one of elsewhere", w.page(store.EventQuery{After: w.latest()}).Next, w.latest())
	}},
	{"what happened is told in order, with whom it concerns", func(w *world) {
		here, there := w.sell(home), w.sell(shelf{pay.Production, "go"})
		w.cancel(here.ID)
		var all, second []store.Happening
		w.view(func(r store.Reader) {
			var err error
			all, err = r.Happened(0, 10)
			w.must(err)
			second, err = r.Happened(all[0].Position, 1)
			w.must(err)
		})
		w.same("all", all, []store.Happening{
			{Position: all[0].Position, Environment: pay.Sandbox, Game: "chess", Session: here.ID},
			{Position: all[1].Position, Environment: pay.Production, Game: "go", Session: there.ID},
			{Position: all[2].Position, Environment: pay.Sandbox, Game: "chess", Session: here.ID},
		})
		w.same("the second", second, all[1:2])
		w.same("the end", all[2].Position, w.latest())
	}},
	{"a consumer's place only moves forward", func(w *world) {
		c := store.Consumer{Environment: pay.Sandbox, Game: "chess", Name: "grants"}
		w.same("a place", w.acknowledge(c, 5, "five"), "five")
		w.same("one before it", w.acknowledge(c, 3, "three"), "five")
		w.same("one after it", w.acknowledge(c, 7, "seven"), "seven")
		w.same("the same place by another cursor", w.acknowledge(c, 7, "seven, filtered"), "seven, filtered")
		w.view(func(r store.Reader) {
			place, err := r.Consumer(c)
			w.must(err)
			w.same("what is read", place, store.Place{Position: 7, Cursor: "seven, filtered", At: w.now})
		})
	}},
	{"consumers of one name are as many as environments and games", func(w *world) {
		c := store.Consumer{Environment: pay.Sandbox, Game: "chess", Name: "grants"}
		w.acknowledge(c, 5, "five")
		for _, other := range []store.Consumer{
			{Environment: pay.Production, Game: "chess", Name: "grants"},
			{Environment: pay.Sandbox, Name: "grants"},
			{Environment: pay.Sandbox, Game: "chess", Name: "mails"},
		} {
			w.wants(w.store.View(w.Context(), func(r store.Reader) error {
				_, err := r.Consumer(other)
				return err
			}), store.ErrNotFound)
			w.same("its own", w.acknowledge(other, 1, "one"), "one")
		}
	}},
	{"of many who move a consumer the farthest wins", func(w *world) {
		c := store.Consumer{Environment: pay.Sandbox, Name: "grants"}
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				if _, err := w.store.Acknowledge(w.Context(), c, store.Place{Position: int64(i), Cursor: fmt.Sprint(i), At: w.now}); err != nil {
					w.Error(err)
				}
			})
		}
		all.Wait()
		w.same("its place", w.acknowledge(c, 0, "0"), "19")
	}},
}

func (w *world) acknowledge(c store.Consumer, position int64, cursor string) string {
	w.Helper()
	place, err := w.store.Acknowledge(w.Context(), c, store.Place{Position: position, Cursor: cursor, At: w.now})
	w.must(err)
	return place.Cursor
}

func (w *world) latest() (at int64) {
	w.Helper()
	w.view(func(r store.Reader) {
		var err error
		at, err = r.LatestEvent("", "")
		w.must(err)
	})
	return at
}

// page is a part of the sandbox's feed.
func (w *world) page(q store.EventQuery) (feed store.Feed) {
	w.Helper()
	if q.Environment = pay.Sandbox; q.Limit == 0 {
		q.Limit = 100
	}
	w.view(func(r store.Reader) {
		var err error
		feed, err = r.Events(q)
		w.must(err)
	})
	return feed
}

// feedWhileWritten has writers change sessions of two games while readers with all kinds
// of filters go on from page to page, and holds what these were told against what there is.
func feedWhileWritten(w *world) {
	const writers, each = 8, 15
	var changes [writers][]pay.Change
	for i := range changes {
		for range each {
			changes[i] = append(changes[i], w.order(shelf{pay.Sandbox, []pay.GameID{"chess", "go"}[i%2]}, "ann", ""))
		}
	}
	one := changes[0][0].Session.ID
	var writing, reading sync.WaitGroup
	var over atomic.Bool
	queries := []store.EventQuery{
		{Limit: 1}, {Limit: 3}, {Limit: 100}, {Limit: 2, Game: "chess"}, {Limit: 1, Session: one},
		{Limit: 4, Types: []pay.EventType{pay.SessionCancelledEvent}},
	}
	told := make([][]pay.EventID, len(queries))
	for i, q := range queries {
		reading.Go(func() { told[i] = w.readOn(q, &over, 2*writers*each) })
	}
	for i := range changes {
		writing.Go(func() {
			for _, c := range changes[i] {
				if err := w.sellAndCancel(c); err != nil {
					w.Error(err)
				}
			}
		})
	}
	writing.Wait()
	over.Store(true)
	reading.Wait()
	for i, q := range queries {
		q.Limit = 10 * writers * each
		w.same(fmt.Sprintf("the events of %+v", queries[i]), told[i], idsOf(w.page(q).Rows))
	}
	w.same("how many there are", len(told[0]), 2*writers*each)
	w.same("how many differ", len(slices.Compact(slices.Sorted(slices.Values(told[0])))), 2*writers*each)
}

// sellAndCancel may run at the same time as others.
func (w *world) sellAndCancel(c pay.Change) error {
	if err := w.tryApply(c); err != nil {
		return err
	}
	return w.store.Update(w.Context(), c.Session.ID, func(tx store.Tx) error {
		s, err := tx.Session(c.Session.ID)
		if err != nil {
			return err
		}
		cancelled, err := s.Cancel(s.CreatedAt)
		if err != nil {
			return err
		}
		return tx.Apply(withPayloads(cancelled))
	})
}

// readOn goes through the feed until its end after it is over, or until it is told more
// than there can be.
func (w *world) readOn(q store.EventQuery, over *atomic.Bool, most int) (told []pay.EventID) {
	q.Environment = pay.Sandbox
	for len(told) <= most {
		last := over.Load()
		var feed store.Feed
		err := w.store.View(w.Context(), func(r store.Reader) (err error) {
			feed, err = r.Events(q)
			return err
		})
		if err != nil {
			w.Error(err)
			return told
		}
		q.After = feed.Next
		told = append(told, idsOf(feed.Rows)...)
		if last && !feed.More {
			break
		}
	}
	return told
}

func idsOf(events []pay.Event) (ids []pay.EventID) {
	for _, e := range events {
		ids = append(ids, e.ID)
	}
	return ids
}
