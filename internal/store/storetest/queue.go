package storetest

import (
	"errors"
	"sync"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// lease is how long a claim in these tests lasts.
const lease = 30 * time.Second

var queueCases = []testCase{
	{"an event goes to the endpoints of its game and environment that want it", func(w *world) {
		all := w.endpoint(home)
		paid := w.endpoint(home, pay.SessionPaidEvent)
		strangers := []pay.EndpointID{w.endpoint(shelf{pay.Production, home.game}), w.endpoint(shelf{home.env, "go"})}
		p := w.paid(home)
		w.due(all, paid)
		got := w.claim(paid, 10)
		w.same("claimed", len(got), 1)
		w.same("event", got[0].Sequence, int64(4))
		w.same("delivery", got[0], pay.Delivery{ID: got[0].ID, Endpoint: paid, Event: got[0].Event, Session: p.Session, Sequence: 4,
			Payload: got[0].Payload, Since: w.now})
		w.same("payload", string(got[0].Payload), string(w.events(p.Session)[3].Payload))
		w.same("event's id", got[0].Event, w.events(p.Session)[3].ID)
		for _, e := range strangers {
			w.same("claimed", len(w.claim(e, 10)), 0)
		}
	}},
	{"deliveries are claimed in the order of their events, and only once", func(w *world) {
		e := w.endpoint(home)
		var want []pay.SessionID
		for range 5 {
			want = append(want, w.sell(home).ID)
		}
		w.same("first", w.claimed(e, 2), want[:2])
		w.same("then", w.claimed(e, 10), want[2:])
		w.same("no more", len(w.claim(e, 10)), 0)
		w.due()
	}},
	{"many workers claim each delivery once", func(w *world) {
		const deliveries = 40
		e := w.endpoint(home)
		for range deliveries {
			w.sell(home)
		}
		var mu sync.Mutex
		seen := map[pay.DeliveryID]int{}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for {
					got, err := w.store.Claim(w.Context(), e, w.now, w.now.Add(lease), 3)
					if err != nil {
						w.Error(err)
					}
					if len(got) == 0 {
						return
					}
					mu.Lock()
					for _, d := range got {
						seen[d.ID]++
					}
					mu.Unlock()
				}
			})
		}
		all.Wait()
		w.same("different ones", len(seen), deliveries)
		for id, n := range seen {
			if n != 1 {
				w.Errorf("delivery %d was claimed %d times", id, n)
			}
		}
	}},
	{"events of one session are leased one at a time, in turn", func(w *world) {
		e := w.endpoint(home)
		p := w.paid(home)
		other := w.sell(home)
		first := w.claim(e, 10)
		w.same("sessions", sessionsOf(first), []pay.SessionID{p.Session, other.ID})
		w.same("sequence", first[0].Sequence, int64(1))
		w.same("no more", len(w.claim(e, 10)), 0)
		w.record(first[0], 200, time.Time{})
		w.same("then", w.claim(e, 10)[0].Sequence, int64(2))
	}},
	{"events of one session do not wait for one that is failing", func(w *world) {
		e := w.endpoint(home)
		w.paid(home)
		first := w.claim(e, 10)[0]
		w.record(first, 500, w.now.Add(time.Hour))
		second := w.claim(e, 10)
		w.same("second", second[0].Sequence, int64(2))
		w.record(second[0], 200, time.Time{})
		w.now = w.now.Add(time.Hour)
		again := w.claim(e, 1)
		w.same("the first, which is older than the third", again[0].ID, first.ID)
		w.same("attempts", again[0].Attempts, 1)
		w.same("since", again[0].Since, first.Since)
	}},
	{"a lease that ends makes a delivery due again", func(w *world) {
		e := w.endpoint(home)
		w.sell(home)
		first := w.claim(e, 1)
		w.nextDue(w.now.Add(lease))
		w.due()
		w.now = w.now.Add(lease)
		w.due(e)
		w.same("again", w.claim(e, 1), first)
	}},
	{"a delivered event does not come again", func(w *world) {
		e := w.endpoint(home)
		w.sell(home)
		w.record(w.claim(e, 1)[0], 204, time.Time{})
		w.now = w.now.Add(forever)
		w.due()
		w.noneDue()
		w.same("claimed", len(w.claim(e, 10)), 0)
	}},
	{"a failed delivery is due at the time that was recorded", func(w *world) {
		e := w.endpoint(home)
		w.sell(home)
		next := w.now.Add(time.Minute)
		w.record(w.claim(e, 1)[0], 0, next)
		w.nextDue(next)
		w.now = next.Add(-time.Microsecond)
		w.same("early", len(w.claim(e, 10)), 0)
		w.now = next
		w.due(e)
		w.same("attempts", w.claim(e, 10)[0].Attempts, 1)
	}},
	{"a delivery without a next time is exhausted", func(w *world) {
		e := w.endpoint(home)
		w.sell(home)
		w.record(w.claim(e, 1)[0], 500, time.Time{})
		w.now = w.now.Add(forever)
		w.due()
		w.noneDue()
	}},
	{"an attempt that comes too late changes nothing", func(w *world) {
		e := w.endpoint(home)
		w.sell(home)
		late := w.claim(e, 1)[0]
		w.now = w.now.Add(lease)
		next := w.now.Add(time.Hour)
		w.record(w.claim(e, 1)[0], 500, next)
		w.record(late, 200, time.Time{})
		w.nextDue(next)
		w.now = next
		w.same("attempts", w.claim(e, 1)[0].Attempts, 1)
	}},
	{"an attempt of a deleted endpoint is not found", func(w *world) {
		e := w.endpoint(home)
		w.sell(home)
		d := w.claim(e, 1)[0]
		w.configure(func(s store.Settings) error { return s.DeleteEndpoint(e) })
		w.wants(w.store.Record(w.Context(), store.Outcome{Attempt: pay.Attempt{Delivery: d.ID, Number: 1, At: w.now, Status: 200}}), store.ErrNotFound)
	}},
	{"of attempts that are recorded together, those of a deleted endpoint are not found and the others kept", func(w *world) {
		gone, e := w.endpoint(home), w.endpoint(home)
		w.sell(home)
		w.sell(home)
		lost, kept := w.claim(gone, 1)[0], w.claim(e, 2)
		w.configure(func(s store.Settings) error { return s.DeleteEndpoint(gone) })
		w.wants(w.store.Record(w.Context(), outcome(kept[0], 200, w.now, time.Time{}), outcome(lost, 200, w.now, time.Time{}),
			outcome(kept[1], 200, w.now, time.Time{})), store.ErrNotFound)
		w.now = w.now.Add(lease)
		w.same("claimed once the leases ended", len(w.claim(e, 2)), 0)
	}},
	{"of attempts that are recorded together, the last says whether the endpoint fails", func(w *world) {
		e := w.endpoint(home)
		for range 5 {
			w.sell(home)
		}
		d := w.claim(e, 5)
		failing := func() (since time.Time) {
			w.must(w.store.View(w.Context(), func(r store.Reader) error {
				found, err := r.Endpoint(e)
				since = found.FailingSince
				return err
			}))
			return since
		}
		next := w.now.Add(time.Hour)
		w.must(w.store.Record(w.Context(), outcome(d[0], 200, w.now, time.Time{}), outcome(d[1], 500, w.now, next)))
		w.same("failing since", failing(), w.now)
		w.must(w.store.Record(w.Context(), outcome(d[2], 200, w.now, time.Time{}), outcome(d[3], 500, w.now, next), outcome(d[4], 200, w.now, time.Time{})))
		w.same("failing since", failing(), time.Time{})
	}},
	{"a disabled endpoint is given nothing, and all that happened meanwhile once it is enabled", func(w *world) {
		e := w.endpoint(home)
		s := w.sell(home)
		w.enable(e, false)
		w.due()
		w.noneDue()
		w.same("claimed", len(w.claim(e, 10)), 0)
		later := w.sell(home)
		w.enable(e, true)
		w.due(e)
		w.same("claimed", w.claimed(e, 10), []pay.SessionID{s.ID, later.ID})
	}},
	{"a deleted endpoint leaves the others alone", func(w *world) {
		gone, stays := w.endpoint(home), w.endpoint(home)
		w.paid(home)
		w.record(w.claim(gone, 1)[0], 500, w.now)
		w.configure(func(s store.Settings) error { return s.DeleteEndpoint(gone) })
		w.due(stays)
		w.same("claimed", len(w.claim(stays, 1)), 1)
		w.same("claimed", len(w.claim(gone, 1)), 0)
		added := w.endpoint(home)
		w.same("claimed", len(w.claim(added, 1)), 0)
	}},
	{"endpoints that have waited longest come first", func(w *world) {
		a, b := w.endpoint(home), w.endpoint(shelf{home.env, "go"})
		w.sell(shelf{home.env, "go"})
		w.sell(home)
		w.due(b, a)
		got, err := w.store.DueEndpoints(w.Context(), w.now, 1)
		w.must(err)
		w.same("first", got, []pay.EndpointID{b})
	}},
	{"an endpoint whose only due events wait their turn is not due", func(w *world) {
		e := w.endpoint(home)
		w.paid(home)
		w.claim(e, 10)
		w.due()
		w.nextDue(w.now.Add(lease))
	}},
	{"nothing due is not found", func(w *world) {
		w.endpoint(home)
		w.noneDue()
	}},
	{"what was rolled back is not delivered", func(w *world) {
		e := w.endpoint(home)
		c := w.order(home, "ann", "")
		w.wants(w.store.Update(w.Context(), c.Session.ID, func(tx store.Tx) error {
			return errors.Join(tx.Apply(clone(c)), errMine)
		}), errMine)
		w.same("claimed", len(w.claim(e, 10)), 0)
	}},
	{"an endpoint whose making was undone is told nothing", func(w *world) {
		e := pay.Endpoint{ID: "we_1", Environment: home.env, Game: home.game, Enabled: true}
		w.wants(w.store.Configure(w.Context(), func(s store.Settings) error { return errors.Join(s.CreateEndpoint(e), errMine) }), errMine)
		w.sell(home)
		w.due()
	}},
}

func (w *world) endpoint(at shelf, types ...pay.EventType) pay.EndpointID {
	w.Helper()
	e := pay.Endpoint{ID: pay.NewEndpointID(w.tick(), w.entropy()), Environment: at.env, Game: at.game,
		URL: "https://example.com", Types: types, Enabled: true, CreatedAt: w.now}
	w.configure(func(s store.Settings) error { return s.CreateEndpoint(e) })
	return e.ID
}

func (w *world) enable(id pay.EndpointID, enabled bool) {
	w.Helper()
	w.edit(id, func(e *pay.Endpoint) { e.Enabled = enabled })
}

func (w *world) edit(id pay.EndpointID, change func(*pay.Endpoint)) {
	w.Helper()
	w.configure(func(s store.Settings) error {
		e, err := s.Endpoint(id)
		if err != nil {
			return err
		}
		change(&e)
		return s.UpdateEndpoint(e)
	})
}

func (w *world) events(id pay.SessionID) (events []pay.Event) {
	w.Helper()
	w.view(func(r store.Reader) {
		var err error
		events, err = r.SessionEvents(id)
		w.must(err)
	})
	return events
}

func (w *world) claim(id pay.EndpointID, most int) []pay.Delivery {
	w.Helper()
	got, err := w.store.Claim(w.Context(), id, w.now, w.now.Add(lease), most)
	w.must(err)
	return got
}

func (w *world) claimed(id pay.EndpointID, most int) []pay.SessionID {
	w.Helper()
	return sessionsOf(w.claim(id, most))
}

func sessionsOf(deliveries []pay.Delivery) (ids []pay.SessionID) {
	for _, d := range deliveries {
		ids = append(ids, d.Session)
	}
	return ids
}

func (w *world) record(d pay.Delivery, status int, next time.Time) {
	w.Helper()
	w.must(w.store.Record(w.Context(), outcome(d, status, w.now, next)))
}

func outcome(d pay.Delivery, status int, now, next time.Time) store.Outcome {
	return store.Outcome{Next: next, Attempt: pay.Attempt{Delivery: d.ID, Number: d.Attempts + 1, At: now,
		Duration: time.Millisecond, Status: status, Answer: []byte("ok")}}
}

func (w *world) due(want ...pay.EndpointID) {
	w.Helper()
	got, err := w.store.DueEndpoints(w.Context(), w.now, 10)
	w.must(err)
	w.same("due endpoints", got, want)
}

func (w *world) nextDue(want time.Time) {
	w.Helper()
	got, err := w.store.NextDue(w.Context())
	w.must(err)
	w.same("next due", got, want)
}

func (w *world) noneDue() {
	w.Helper()
	_, err := w.store.NextDue(w.Context())
	w.wants(err, store.ErrNotFound)
}
