package storetest

import (
	"slices"
	"sync"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

var feedCases = []testCase{
	{"an event comes back by its id, every field of it", func(w *world) {
		p := w.paid(home)
		w.settleRefund(w.refund(p.ID, 499).ID, pay.RefundSucceeded)
		w.view(func(r store.Reader) {
			events, err := r.SessionEvents(p.Session)
			w.must(err)
			w.same("events", len(events), 6)
			for _, e := range events {
				got, err := r.Event(e.ID)
				w.must(err)
				w.same("event", got, e)
			}
		})
	}},
	{"an id is of one event ever", func(w *world) {
		s, other := w.sell(home), w.sell(home)
		e := w.event(s)
		s.Sequence++
		w.apply(pay.Change{Session: &s, Events: []pay.Event{e}})
		again := w.event(other)
		again.ID = e.ID
		other.Sequence++
		w.conflicts(pay.Change{Session: &other, Events: []pay.Event{again}})
	}},
	{"the feed has every event once, in the order in which they were written", func(w *world) {
		a := w.start(w.sell(home).ID)
		b := w.paid(home)
		w.settle(a.ID, pay.OutcomeSucceeded) // after what came later
		w.refund(b.ID, 100)
		want := []pay.EventType{
			pay.SessionCreatedEvent, pay.PaymentCreatedEvent,
			pay.SessionCreatedEvent, pay.PaymentCreatedEvent, pay.PaymentSucceededEvent, pay.SessionPaidEvent,
			pay.PaymentSucceededEvent, pay.SessionPaidEvent, pay.RefundCreatedEvent,
		}
		for _, q := range []store.EventQuery{{Environment: home.env}, {Environment: home.env, Game: home.game}} {
			for limit := 1; limit <= len(want)+1; limit++ {
				q.Limit = limit
				var got []pay.EventType
				for _, e := range w.feed(q) {
					got = append(got, e.Type)
				}
				w.same("types", got, want)
			}
		}
	}},
	{"the feed is filtered by environment, game, session and types", func(w *world) {
		p := w.paid(home)
		elsewhere, production := w.paid(shelf{pay.Sandbox, "go"}), w.paid(shelf{pay.Production, "chess"})
		w.refund(p.ID, 100)
		w.sell(home)
		sandbox := func(q store.EventQuery) store.EventQuery { q.Environment, q.Limit = pay.Sandbox, 100; return q }
		w.fed(sandbox(store.EventQuery{}), 4+4+2)
		w.fed(sandbox(store.EventQuery{Game: "chess"}), 6)
		w.fed(sandbox(store.EventQuery{Game: "none"}), 0)
		w.fed(sandbox(store.EventQuery{Session: p.Session}), 5)
		w.fed(sandbox(store.EventQuery{Session: elsewhere.Session}), 4)
		w.fed(sandbox(store.EventQuery{Session: elsewhere.Session, Game: "chess"}), 0)
		w.fed(sandbox(store.EventQuery{Session: production.Session}), 0)
		w.fed(sandbox(store.EventQuery{Types: []pay.EventType{pay.SessionCreatedEvent}}), 3)
		w.fed(sandbox(store.EventQuery{Types: []pay.EventType{pay.SessionPaidEvent, pay.RefundCreatedEvent}, Game: "chess"}), 2)
		w.fed(sandbox(store.EventQuery{Types: []pay.EventType{pay.RefundCreatedEvent}, Session: p.Session}), 1)
		w.fed(sandbox(store.EventQuery{Types: []pay.EventType{pay.RefundFailedEvent}}), 0)
		w.fed(store.EventQuery{Environment: pay.Production, Limit: 100}, 4)
	}},
	{"the end of the feed can be kept, and what is written later comes after it", func(w *world) {
		for _, q := range []store.EventQuery{{Environment: home.env, Limit: 10}, {Environment: home.env, Game: home.game, Limit: 10}} {
			w.sell(home)
			var end store.Feed
			for end.More = true; end.More; q.After = end.Next {
				end = w.feedPage(q)
			}
			for range 2 { // it stays where it is
				empty := w.feedPage(q)
				w.same("nothing new", empty, store.Feed{Next: q.After})
			}
			s := w.sell(home)
			page := w.feedPage(q)
			w.same("events", len(page.Rows), 1)
			w.same("session", page.Rows[0].Session, s.ID)
			w.same("more", page.More, false)
		}
	}},
	{"from its other end the feed has the same events, the newest first", func(w *world) {
		p := w.paid(home)
		w.refund(p.ID, 100)
		w.paid(shelf{pay.Sandbox, "go"})
		w.paid(shelf{pay.Production, "chess"})
		for _, q := range []store.EventQuery{
			{Environment: home.env}, {Environment: home.env, Game: home.game}, {Environment: home.env, Session: p.Session},
			{Environment: home.env, Types: []pay.EventType{pay.SessionPaidEvent}}, {Environment: home.env, Session: p.Session, Game: "go"},
			{Environment: pay.Production}, {Environment: pay.Production, Session: p.Session},
		} {
			for _, q.Limit = range []int{1, 2, 100} {
				want := w.feed(q)
				slices.Reverse(want)
				w.same("events", w.recent(q), want)
			}
		}
	}},
	{"whoever follows the feed misses nothing and sees nothing twice, however many write", followed},
	{"a page of the feed looks at no more than a bounded number of events, and goes on after them", shortPages},
}

func (w *world) feedPage(q store.EventQuery) (f store.Feed) {
	w.Helper()
	w.view(func(r store.Reader) {
		var err error
		f, err = r.Events(q)
		w.must(err)
	})
	return f
}

// feed reads all of the feed, page by page.
func (w *world) feed(q store.EventQuery) (all []pay.Event) {
	w.Helper()
	for {
		page := w.feedPage(q)
		if len(page.Rows) > q.Limit || page.Next < q.After {
			w.Fatalf("a page after %d has %d rows and goes on at %d", q.After, len(page.Rows), page.Next)
		}
		all = append(all, page.Rows...)
		if q.After = page.Next; !page.More {
			return all
		}
	}
}

// recent reads all of the feed from its other end, page by page.
func (w *world) recent(q store.EventQuery) (all []pay.Event) {
	w.Helper()
	for before := int64(0); ; {
		var page store.Feed
		w.view(func(r store.Reader) {
			var err error
			page, err = r.Recent(q, before)
			w.must(err)
		})
		if all = append(all, page.Rows...); !page.More {
			return all
		}
		if len(page.Rows) > q.Limit || before != 0 && page.Next >= before {
			w.Fatalf("a page before %d has %d rows and goes on at %d", before, len(page.Rows), page.Next)
		}
		before = page.Next
	}
}

// fed wants a number of events, each as it is by its id and as the filters say.
func (w *world) fed(q store.EventQuery, want int) {
	w.Helper()
	rows := w.feed(q)
	w.same("events", len(rows), want)
	for _, e := range rows {
		if e.Environment != q.Environment || q.Game != "" && e.Game != q.Game || q.Session != "" && e.Session != q.Session ||
			len(q.Types) > 0 && !slices.Contains(q.Types, e.Type) {
			w.Errorf("%+v is in the feed of %+v", e, q)
		}
		w.view(func(r store.Reader) {
			got, err := r.Event(e.ID)
			w.must(err)
			w.same("event", e, got)
		})
	}
}

// followed has many callers write while others read the feed as it grows.
func followed(w *world) {
	const writers, each = 8, 12
	changes := make([][]pay.Change, writers)
	for i := range changes {
		for n := range each {
			changes[i] = append(changes[i], w.order(shelves[n%len(shelves)], "ann", ""))
		}
	}
	var writing, reading sync.WaitGroup
	written := make(chan bool)
	followers := []store.EventQuery{
		{Environment: pay.Sandbox, Limit: 3}, {Environment: pay.Sandbox, Game: "chess", Limit: 1}, {Environment: pay.Production, Limit: 250},
	}
	seen := make([][]pay.Event, len(followers))
	for i, q := range followers {
		reading.Go(func() {
			for done := false; ; {
				page := w.feedPage(q)
				seen[i] = append(seen[i], page.Rows...)
				q.After = page.Next
				if done && !page.More {
					return
				}
				select {
				case <-written:
					done = true
				default:
				}
			}
		})
	}
	for _, mine := range changes {
		writing.Go(func() {
			for _, c := range mine {
				if err := w.tryApply(c); err != nil {
					w.Error(err)
				}
			}
		})
	}
	writing.Wait()
	close(written)
	reading.Wait()
	for i, q := range followers {
		var got, want []string
		for _, e := range seen[i] {
			got = append(got, string(e.ID))
		}
		for _, e := range w.feed(q) {
			want = append(want, string(e.ID))
		}
		w.same("events as they were followed", got, want)
		sold := 0
		for _, mine := range changes {
			for _, c := range mine {
				if c.Session.Environment == q.Environment && (q.Game == "" || c.Session.Game == q.Game) {
					sold++
				}
			}
		}
		w.same("events", len(got), sold)
	}
}

// shortPages buries one event among thousands that no filter passes.
func shortPages(w *world) {
	const many = 9000
	p := w.paid(home)
	crowded := shelf{pay.Production, "go"}
	w.must(w.store.Update(w.Context(), "sess_0", func(tx store.Tx) error {
		c := w.order(crowded, "ann", "")
		for range many {
			e := c.Events[len(c.Events)-1]
			e.Sequence++
			e.ID = pay.EventID(pay.FormatUUID([16]byte{0: 1, 13: byte(w.made), 14: byte(e.Sequence >> 8), 15: byte(e.Sequence)}))
			c.Events = append(c.Events, e)
		}
		c.Session.Sequence += many
		return tx.Apply(c)
	}))
	w.refund(p.ID, 100)
	for _, q := range []store.EventQuery{
		{Environment: home.env, Types: []pay.EventType{pay.RefundCreatedEvent}, Limit: 10}, // by type
		{Environment: home.env, Limit: 10},                                                 // by environment
		{Environment: crowded.env, Game: crowded.game, Types: []pay.EventType{pay.RefundCreatedEvent}, Limit: 10},
	} {
		pages, found := 0, []pay.Event{}
		for more := true; more; pages++ {
			page := w.feedPage(q)
			found = append(found, page.Rows...)
			if more = page.More; more && page.Next == q.After {
				w.Fatal("it does not go on")
			}
			q.After = page.Next
		}
		if pages < 4 {
			w.Errorf("%+v was read in %d pages: one of them looked at thousands", q, pages)
		}
		last := len(found) > 0 && found[len(found)-1].Type == pay.RefundCreatedEvent
		slices.Reverse(found)
		w.same("from the other end", w.recent(q), append([]pay.Event(nil), found...))
		w.same("found what was buried", last, q.Game == "")
	}
}
