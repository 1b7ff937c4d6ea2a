package storetest

import (
	"slices"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

var redeliveryCases = []testCase{
	{"every field of a delivery's state and of its attempts comes back", func(w *world) {
		e := w.endpoint(home)
		s := w.sell(home)
		event := w.events(s.ID)[0]
		want := store.DeliveryState{ID: w.deliveries(e)[0].ID, Endpoint: e, Event: event.ID, Type: pay.SessionCreatedEvent, Session: s.ID,
			At: event.At, Status: pay.DeliveryPending}
		w.state(want)
		w.now = w.now.Add(time.Minute)
		next := w.now.Add(time.Hour)
		d := w.claim(e, 1)[0]
		attempts := []pay.Attempt{
			{Delivery: d.ID, Number: 1, At: w.now, Duration: 1234 * time.Microsecond, Error: "no route"},
			{Delivery: d.ID, Number: 2, At: next, Duration: time.Second, Status: 201, Answer: []byte("th\x00anks\xff")},
		}
		w.must(w.store.Record(w.Context(), store.Outcome{Attempt: attempts[0], Next: next}))
		want.Attempts, want.DueAt = 1, next
		w.state(want)
		w.now = next
		w.claim(e, 1)
		w.must(w.store.Record(w.Context(), store.Outcome{Attempt: attempts[1]}))
		want.Status, want.Attempts, want.DueAt = pay.DeliveryDelivered, 2, time.Time{}
		w.state(want)
		w.same("attempts", w.attempts(d.ID), attempts)
	}},
	{"deliveries come newest first, each once, whatever the page and whatever happens meanwhile", func(w *world) {
		e, other := w.endpoint(home), w.endpoint(home)
		for range 7 {
			w.sell(home)
		}
		all := w.deliveries(e)
		w.same("deliveries", len(all), 7)
		w.same("newest first", slices.IsSortedFunc(all, func(a, b store.DeliveryState) int { return b.At.Compare(a.At) }), true)
		var got []store.DeliveryState
		for q := (store.DeliveryQuery{Endpoint: e, Limit: 3}); ; {
			page := w.deliveryPage(q)
			got = append(got, page.Rows...)
			w.sell(home)
			if page.Next == 0 {
				break
			}
			q.Before = page.Next
		}
		w.same("by pages", got, all)
		w.same("the other's", len(w.deliveries(other)), 10)
	}},
	{"deliveries are listed by status and by event", func(w *world) {
		e := w.endpoint(home)
		exhausted, delivered := w.fail(e, w.sell(home)), w.sell(home)
		w.record(w.claim(e, 1)[0], 200, time.Time{})
		pending := w.sell(home)
		for status, want := range map[pay.DeliveryStatus]pay.SessionID{
			pay.DeliveryExhausted: exhausted.ID, pay.DeliveryDelivered: delivered.ID, pay.DeliveryPending: pending.ID,
		} {
			w.same(string(status), listed(w.deliveryPage(store.DeliveryQuery{Endpoint: e, Status: status, Limit: 10}).Rows), []pay.SessionID{want})
			event := w.events(want)[0].ID
			w.same("of its event", listed(w.deliveryPage(store.DeliveryQuery{Endpoint: e, Event: event, Limit: 10}).Rows), []pay.SessionID{want})
			w.same("of both", len(w.deliveryPage(store.DeliveryQuery{Endpoint: e, Event: event, Status: status, Limit: 10}).Rows), 1)
			for _, other := range pay.DeliveryStatuses {
				if other != status {
					w.same("of another", len(w.deliveryPage(store.DeliveryQuery{Endpoint: e, Event: event, Status: other, Limit: 10}).Rows), 0)
				}
			}
		}
		w.same("of no event", w.deliveryPage(store.DeliveryQuery{Endpoint: e, Event: "nothing", Limit: 10}), store.Deliveries{})
	}},
	{"exhausted deliveries are paged through, and no other endpoint's", func(w *world) {
		e, other := w.endpoint(home), w.endpoint(home)
		var want []pay.SessionID
		for range 5 {
			s := w.fail(e, w.sell(home))
			want = slices.Insert(want, 0, s.ID)
			w.record(w.claim(other, 1)[0], 500, time.Time{})
		}
		var got []pay.SessionID
		for q := (store.DeliveryQuery{Endpoint: e, Status: pay.DeliveryExhausted, Limit: 2}); ; {
			page := w.deliveryPage(q)
			got = append(got, listed(page.Rows)...)
			if q.Before = page.Next; q.Before == 0 {
				break
			}
		}
		w.same("exhausted", got, want)
	}},
	{"what few deliveries are is found behind many, be it by short pages", func(w *world) {
		e := w.endpoint(home)
		first := w.sell(home)
		w.record(w.claim(e, 1)[0], 200, time.Time{})
		w.sellMany(2100)
		var got []pay.SessionID
		pages := 0
		for q := (store.DeliveryQuery{Endpoint: e, Status: pay.DeliveryDelivered, Limit: 10}); ; pages++ {
			page := w.deliveryPage(q)
			got = append(got, listed(page.Rows)...)
			if page.Next == 0 || pages > 2100 {
				break
			}
			q.Before = page.Next
		}
		w.same("delivered", got, []pay.SessionID{first.ID})
	}},
	{"what is not there is not found, and cannot be sent again", func(w *world) {
		w.view(func(r store.Reader) {
			_, err := r.Delivery(1)
			w.wants(err, store.ErrNotFound)
			_, err = r.Deliveries(store.DeliveryQuery{Endpoint: "we_0", Limit: 1})
			w.wants(err, store.ErrNotFound)
		})
		w.wants(w.store.Redeliver(w.Context(), 1, w.now), store.ErrNotFound)
		_, err := w.store.RedeliverEvent(w.Context(), "nothing", w.now)
		w.wants(err, store.ErrNotFound)
		_, err = w.store.Recover(w.Context(), "we_0", longAgo, w.now, 1)
		w.wants(err, store.ErrNotFound)
	}},
	{"whatever became of a delivery, it is due at once when it is sent again", func(w *world) {
		for _, became := range []struct {
			status int
			next   time.Duration
		}{{status: 200}, {status: 500}, {status: 500, next: time.Hour}} {
			e := w.endpoint(home)
			w.sell(home)
			d := w.claim(e, 1)[0]
			next := time.Time{}
			if became.next > 0 {
				next = w.now.Add(became.next)
			}
			w.record(d, became.status, next)
			w.due()
			w.now = w.now.Add(time.Minute)
			w.must(w.store.Redeliver(w.Context(), d.ID, w.now))
			w.due(e)
			again := w.claim(e, 10)
			d.Attempts, d.Earlier, d.Since = 1, 1, w.now
			w.same("again", again, []pay.Delivery{d})
			w.record(again[0], 200, time.Time{})
			w.due()
			w.configure(func(s store.Settings) error { return s.DeleteEndpoint(e) })
		}
	}},
	{"attempts go on counting, and the schedule begins anew", func(w *world) {
		e := w.endpoint(home)
		w.sell(home)
		for range 12 {
			w.record(w.claim(e, 1)[0], 500, w.now.Add(time.Hour))
			w.now = w.now.Add(time.Hour)
		}
		w.record(w.claim(e, 1)[0], 500, time.Time{})
		id := w.deliveries(e)[0].ID
		w.now = w.now.Add(forever)
		w.must(w.store.Redeliver(w.Context(), id, w.now))
		d := w.claim(e, 1)[0]
		w.same("attempts", d.Attempts, 13)
		next, ok := d.NextAttempt(14, w.now, 0)
		w.same("next", next, w.now.Add(5*time.Second))
		w.same("within the window", ok, true)
		w.record(d, 500, next)
		w.now = next
		d = w.claim(e, 1)[0]
		w.same("earlier", d.Earlier, 13)
		next, _ = d.NextAttempt(15, w.now, 0)
		w.same("then", next, w.now.Add(30*time.Second))
		w.same("kept", len(w.attempts(id)), 14)
	}},
	{"a delivery that waits for its first attempt stays what it is", func(w *world) {
		e := w.endpoint(home)
		w.sell(home)
		id := w.deliveries(e)[0].ID
		w.must(w.store.Redeliver(w.Context(), id, w.now))
		w.due(e)
		d := w.claim(e, 10)
		w.same("claimed", len(d), 1)
		w.same("attempts", d[0].Attempts, 0)
	}},
	{"a delivery that is on its way keeps its lease, and what comes of it counts", func(w *world) {
		e := w.endpoint(home)
		w.sell(home)
		d := w.claim(e, 1)[0]
		w.must(w.store.Redeliver(w.Context(), d.ID, w.now))
		w.due()
		w.same("claimed", len(w.claim(e, 1)), 0)
		w.record(d, 200, time.Time{})
		w.same("status", w.deliveries(e)[0].Status, pay.DeliveryDelivered)
		w.now = w.now.Add(forever)
		w.due()
	}},
	{"a delivery that fails while it is wanted again begins anew, whatever its schedule says", func(w *world) {
		e := w.endpoint(home)
		w.sell(home)
		d := w.claim(e, 1)[0]
		w.must(w.store.Redeliver(w.Context(), d.ID, w.now))
		w.record(d, 500, time.Time{}) // it was its last attempt
		again := w.claim(e, 1)
		w.same("claimed", len(again), 1)
		w.same("attempts, and those before", []int{again[0].Attempts, again[0].Earlier}, []int{1, 1})
		w.record(again[0], 500, time.Time{})
		w.same("status", w.deliveries(e)[0].Status, pay.DeliveryExhausted) // it was wanted once
	}},
	{"a delivery whose lease has ended is due at once when it is sent again", func(w *world) {
		e := w.endpoint(home)
		w.sell(home)
		late := w.claim(e, 1)[0]
		w.now = w.now.Add(lease)
		w.must(w.store.Redeliver(w.Context(), late.ID, w.now))
		d := w.claim(e, 1)
		w.same("claimed", len(d), 1)
		w.record(d[0], 500, w.now.Add(time.Hour))
		w.record(late, 200, time.Time{})
		w.same("status", w.deliveries(e)[0].Status, pay.DeliveryPending)
	}},
	{"an event goes again to all that it went to, and to who wants it by now", func(w *world) {
		had := w.endpoint(home)
		loses := w.endpoint(home)
		s := w.sell(home)
		event := w.events(s.ID)[0]
		for _, e := range []pay.EndpointID{had, loses} {
			w.record(w.claim(e, 1)[0], 200, time.Time{})
		}
		w.edit(loses, func(e *pay.Endpoint) { e.Types = []pay.EventType{pay.SessionPaidEvent} })
		w.tick()
		wants, all := w.endpoint(home, pay.SessionCreatedEvent), w.endpoint(home)
		w.endpoint(home, pay.SessionPaidEvent)
		w.endpoint(shelf{pay.Production, home.game})
		w.endpoint(shelf{home.env, "go"})
		sent, err := w.store.RedeliverEvent(w.Context(), event.ID, w.now)
		w.must(err)
		w.same("sent", sent, 4)
		for e, attempts := range map[pay.EndpointID]int{had: 1, loses: 1, wants: 0, all: 0} {
			w.same("claimed", w.claim(e, 10), []pay.Delivery{{ID: w.deliveries(e)[0].ID, Endpoint: e, Event: event.ID, Session: s.ID,
				Sequence: 1, Payload: event.Payload, Attempts: attempts, Earlier: attempts, Since: w.now}})
		}
		w.due()
	}},
	{"what is sent again waits for a disabled endpoint to be enabled", func(w *world) {
		e := w.endpoint(home)
		s := w.fail(e, w.sell(home))
		w.enable(e, false)
		newcomer := w.endpoint(home)
		w.enable(newcomer, false)
		sent, err := w.store.RedeliverEvent(w.Context(), w.events(s.ID)[0].ID, w.now)
		w.must(err)
		w.same("sent", sent, 2)
		w.due()
		w.noneDue()
		w.enable(e, true)
		w.enable(newcomer, true)
		w.same("claimed", w.claimed(e, 10), []pay.SessionID{s.ID})
		w.same("claimed", w.claimed(newcomer, 10), []pay.SessionID{s.ID})
	}},
	{"what an endpoint was never given since a time is recovered, a bounded number at a time, and goes out oldest first", func(w *world) {
		e, other := w.endpoint(home), w.endpoint(home)
		var lost []pay.Session
		for range 5 {
			lost = append(lost, w.fail(e, w.sell(home)))
			w.record(w.claim(other, 1)[0], 500, time.Time{})
		}
		w.sell(home)
		w.record(w.claim(e, 1)[0], 200, time.Time{})
		w.sell(home)
		later := w.now.Add(time.Hour)
		w.record(w.claim(e, 1)[0], 500, later)
		since := w.events(lost[1].ID)[0].At
		var claimed []pay.SessionID
		for _, want := range []int{2, 2, 0} {
			got, err := w.store.Recover(w.Context(), e, since, w.now, 2)
			w.must(err)
			w.same("recovered", got, want)
			claimed = append(claimed, w.claimed(e, 10)...)
		}
		w.same("claimed", claimed, []pay.SessionID{lost[1].ID, lost[2].ID, lost[3].ID, lost[4].ID})
		w.same("the rest", listed(w.deliveryPage(store.DeliveryQuery{Endpoint: e, Status: pay.DeliveryExhausted, Limit: 10}).Rows), []pay.SessionID{lost[0].ID})
		w.same("the other's", len(w.deliveryPage(store.DeliveryQuery{Endpoint: other, Status: pay.DeliveryExhausted, Limit: 10}).Rows), 5)
	}},
	{"a recovered backlog goes out in the order of its events, before what is retried later", func(w *world) {
		e := w.endpoint(home)
		var want []pay.SessionID
		for range 3 {
			want = append(want, w.fail(e, w.sell(home)).ID)
		}
		_, err := w.store.Recover(w.Context(), e, time.Time{}, w.now, 10)
		w.must(err)
		want = append(want, w.sell(home).ID)
		w.same("claimed", w.claimed(e, 10), want)
	}},
	{"a failing endpoint says since when, until one attempt succeeds", func(w *world) {
		e, other := w.endpoint(home), w.endpoint(home)
		w.failing(e, time.Time{})
		w.sell(home)
		began := w.now
		w.record(w.claim(e, 1)[0], 500, w.now.Add(time.Minute))
		w.failing(e, began)
		w.now = w.now.Add(time.Minute)
		w.record(w.claim(e, 1)[0], 0, w.now.Add(time.Minute))
		w.failing(e, began)
		w.failing(other, time.Time{})
		w.now = w.now.Add(time.Minute)
		w.record(w.claim(e, 1)[0], 200, time.Time{})
		w.failing(e, time.Time{})
		w.sell(home)
		w.record(w.claim(e, 1)[0], 500, time.Time{})
		w.failing(e, w.now)
	}},
	{"an attempt that comes too late says nothing of the endpoint", func(w *world) {
		e := w.endpoint(home)
		w.sell(home)
		late := w.claim(e, 1)[0]
		w.now = w.now.Add(lease)
		w.record(w.claim(e, 1)[0], 500, w.now)
		w.record(late, 200, time.Time{})
		w.failing(e, w.now)
		late = w.claim(e, 1)[0]
		w.now = w.now.Add(lease)
		w.record(w.claim(e, 1)[0], 200, time.Time{})
		w.record(late, 500, time.Time{})
		w.failing(e, time.Time{})
	}},
	{"a deleted endpoint's deliveries are gone, and its events go to the others alone", func(w *world) {
		gone, stays := w.endpoint(home), w.endpoint(home)
		s := w.fail(gone, w.sell(home))
		id := w.deliveries(gone)[0].ID
		w.configure(func(s store.Settings) error { return s.DeleteEndpoint(gone) })
		w.view(func(r store.Reader) {
			_, err := r.Delivery(id)
			w.wants(err, store.ErrNotFound)
			_, err = r.Deliveries(store.DeliveryQuery{Endpoint: gone, Limit: 1})
			w.wants(err, store.ErrNotFound)
		})
		w.wants(w.store.Redeliver(w.Context(), id, w.now), store.ErrNotFound)
		sent, err := w.store.RedeliverEvent(w.Context(), w.events(s.ID)[0].ID, w.now)
		w.must(err)
		w.same("sent", sent, 1)
		w.due(stays)
	}},
	{"a watcher is told of what is sent again", func(w *world) {
		e := w.endpoint(home)
		s := w.fail(e, w.sell(home))
		id := w.deliveries(e)[0].ID
		for _, again := range []func() error{
			func() error { return w.store.Redeliver(w.Context(), id, w.now) },
			func() error {
				_, err := w.store.RedeliverEvent(w.Context(), w.events(s.ID)[0].ID, w.now)
				return err
			},
			func() error {
				_, err := w.store.Recover(w.Context(), e, longAgo, w.now, 1)
				return err
			},
		} {
			written, stop := w.store.Watch()
			w.must(again())
			<-written
			stop()
		}
	}},
}

// fail makes an endpoint's only attempt at a session's only event be in vain.
func (w *world) fail(e pay.EndpointID, s pay.Session) pay.Session {
	w.Helper()
	w.record(w.claim(e, 1)[0], 500, time.Time{})
	return s
}

// sellMany stores sessions in one transaction, which is quick.
func (w *world) sellMany(n int) {
	w.Helper()
	var changes []pay.Change
	for range n {
		changes = append(changes, w.order(home, "ann", ""))
	}
	w.must(w.store.Update(w.Context(), changes[0].Session.ID, func(tx store.Tx) error {
		for _, c := range changes {
			if err := tx.Apply(clone(c)); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (w *world) deliveryPage(q store.DeliveryQuery) (page store.Deliveries) {
	w.Helper()
	w.view(func(r store.Reader) {
		var err error
		page, err = r.Deliveries(q)
		w.must(err)
	})
	if len(page.Rows) > q.Limit {
		w.Fatalf("a page of %d rows, though at most %d are wanted", len(page.Rows), q.Limit)
	}
	return page
}

// deliveries are an endpoint's, newest first, of which there must be few.
func (w *world) deliveries(e pay.EndpointID) []store.DeliveryState {
	w.Helper()
	return w.deliveryPage(store.DeliveryQuery{Endpoint: e, Limit: 100}).Rows
}

func listed(rows []store.DeliveryState) (ids []pay.SessionID) {
	for _, d := range rows {
		ids = append(ids, d.Session)
	}
	return ids
}

// state wants a delivery to be as it says, by itself and in its endpoint's list.
func (w *world) state(want store.DeliveryState) {
	w.Helper()
	w.view(func(r store.Reader) {
		got, err := r.Delivery(want.ID)
		w.must(err)
		w.same("delivery", got, want)
	})
	w.same("in the list", w.deliveries(want.Endpoint), []store.DeliveryState{want})
}

func (w *world) attempts(id pay.DeliveryID) (attempts []pay.Attempt) {
	w.Helper()
	w.view(func(r store.Reader) {
		var err error
		attempts, err = r.Attempts(id)
		w.must(err)
	})
	return attempts
}

func (w *world) failing(id pay.EndpointID, since time.Time) {
	w.Helper()
	w.view(func(r store.Reader) {
		e, err := r.Endpoint(id)
		w.must(err)
		w.same("failing since", e.FailingSince, since)
	})
}
