package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/webhook"
)

func TestASessionsEventsGoOutInSequence(t *testing.T) {
	inWorld(t, func(w *world) {
		w.receiver.answer = func(call) reply { return reply{after: time.Second} }
		w.endpoint("game.test")
		w.run()
		for range 20 {
			w.sell()
		}
		w.pass(10 * time.Minute)
		seen := map[string]int{}
		ended := map[string]time.Time{}
		for _, c := range w.receiver.got("game.test") {
			_, session, _ := strings.Cut(c.body, `"session_id":"`)
			seen[session]++
			if !strings.Contains(c.body, fmt.Sprintf(`"sequence":%d,`, seen[session])) {
				t.Errorf("event %d of %s is %s", seen[session], session, c.body)
			}
			if c.at.Before(ended[session]) {
				t.Errorf("%s began before its predecessor was answered", c.body)
			}
			ended[session] = c.at.Add(time.Second)
		}
		for session, n := range seen {
			if n != 4 {
				t.Errorf("%d events of %s came, want 4", n, session)
			}
		}
		if len(seen) != 20 {
			t.Errorf("events of %d sessions came, want 20", len(seen))
		}
	})
}

func TestNoEventWaitsForOneThatIsFailing(t *testing.T) {
	inWorld(t, func(w *world) {
		w.receiver.answer = func(c call) reply {
			if strings.Contains(c.body, `"sequence":2,`) {
				return reply{status: 500}
			}
			return reply{}
		}
		w.endpoint("game.test")
		w.run()
		w.sell()
		w.pass(100 * time.Millisecond)
		if calls := w.receiver.got("game.test"); len(calls) != 4 || !strings.Contains(calls[3].body, `"sequence":4,`) {
			t.Errorf("calls = %v", calls)
		}
	})
}

func TestASlowEndpointHoldsUpNoOther(t *testing.T) {
	inWorld(t, func(w *world) {
		w.receiver.answer = func(c call) reply {
			if c.host == "slow.test" {
				return reply{after: time.Hour}
			}
			return reply{}
		}
		w.endpoint("slow.test")
		w.endpoint("quick.test")
		w.run()
		for i := range 200 {
			written := time.Now()
			w.offer()
			w.pass(50 * time.Millisecond)
			calls := w.receiver.got("quick.test")
			if len(calls) != i+1 {
				t.Fatalf("event %d: %d calls", i+1, len(calls))
			}
			if late := calls[i].at.Sub(written); late > 10*time.Millisecond {
				t.Errorf("event %d came after %v", i+1, late)
			}
		}
	})
}

func TestManyDeadEndpointsHoldUpNoOther(t *testing.T) {
	inWorld(t, func(w *world) {
		w.receiver.answer = func(c call) reply {
			if c.host != "alive.test" {
				return reply{after: time.Hour}
			}
			return reply{}
		}
		w.endpoint("alive.test", pay.SessionCreatedEvent, pay.SessionCancelledEvent)
		w.run()
		w.offer()
		w.pass(time.Second)
		for i := range 100 {
			w.endpoint(fmt.Sprintf("dead%d.test", i))
		}
		for i := range 20 {
			written := time.Now()
			w.offer()
			w.pass(3 * time.Second)
			calls := w.receiver.got("alive.test")
			if len(calls) != i+2 {
				t.Fatalf("event %d has not come", i+1)
			}
			if late := calls[i+1].at.Sub(written); late > 10*time.Millisecond {
				t.Errorf("event %d came after %v", i+1, late)
			}
		}
		if w.receiver.most > webhook.DefaultWorkers/2+1 {
			t.Errorf("%d posts at a time, though all but one endpoint are dead", w.receiver.most)
		}
	})
}

func TestPostsAtATimeAreBounded(t *testing.T) {
	for _, tt := range []struct{ endpoints, most int }{{1, webhook.DefaultPerEndpoint}, {20, webhook.DefaultWorkers}} {
		inWorld(t, func(w *world) {
			w.receiver.answer = func(call) reply { return reply{after: 100 * time.Millisecond} }
			for i := range tt.endpoints {
				w.endpoint(fmt.Sprintf("game%d.test", i))
			}
			for range 100 {
				w.offer()
			}
			w.run()
			w.pass(time.Minute)
			for i := range tt.endpoints {
				calls := w.receiver.got(fmt.Sprintf("game%d.test", i))
				if len(calls) != 100 {
					t.Errorf("endpoint %d got %d calls", i, len(calls))
				}
				for _, c := range calls {
					if c.under > webhook.DefaultPerEndpoint {
						t.Errorf("%d posts at a time to one endpoint", c.under)
					}
				}
			}
			if w.receiver.most > tt.most || w.receiver.most < tt.most/2 {
				t.Errorf("%d endpoints: %d posts at a time, want up to %d", tt.endpoints, w.receiver.most, tt.most)
			}
		})
	}
}

// checkOnce wants n events to have arrived, no attempt at any of them more than once.
func checkOnce(t *testing.T, calls []call, n int) {
	t.Helper()
	attempts := map[string]int{}
	events := map[string]bool{}
	for _, c := range calls {
		events[c.header.Get("webhook-id")] = true
		attempts[c.header.Get("webhook-id")+" attempt "+c.attempt()]++
	}
	for attempt, times := range attempts {
		if times != 1 {
			t.Errorf("%s was made %d times", attempt, times)
		}
	}
	if len(events) != n {
		t.Errorf("%d events came, want %d", len(events), n)
	}
}

func TestAReceiverMayStallAndComeBack(t *testing.T) {
	inWorld(t, func(w *world) {
		began := time.Now()
		took := map[string]bool{}
		w.receiver.answer = func(c call) reply {
			if since := c.at.Sub(began); since > 500*time.Millisecond && since < 5*time.Minute {
				return reply{after: time.Hour}
			}
			took[c.header.Get("webhook-id")] = true
			return reply{after: 100 * time.Millisecond}
		}
		w.endpoint("game.test")
		for range 100 {
			w.offer()
		}
		w.run()
		w.pass(time.Hour)
		checkOnce(t, w.receiver.got("game.test"), 100)
		if len(took) != 100 {
			t.Errorf("%d events were taken, want 100", len(took))
		}
	})
}

func TestRelaysShareTheWork(t *testing.T) {
	inWorld(t, func(w *world) {
		w.receiver.answer = func(call) reply { return reply{after: 100 * time.Millisecond} }
		w.endpoint("game.test")
		for range 25 {
			w.sell()
		}
		w.run()
		stopFirst, firstReturned := w.stop, w.returned
		w.run()
		w.pass(time.Minute)
		checkOnce(t, w.receiver.got("game.test"), 100)
		stopFirst()
		if err := <-firstReturned; err != nil {
			t.Error(err)
		}
	})
}

func TestARetryIsOnTimeBesideOtherEvents(t *testing.T) {
	inWorld(t, func(w *world) {
		w.receiver.answer = func(c call) reply {
			if c.host == "failing.test" && c.attempt() == "1" {
				return reply{status: 500}
			}
			return reply{after: 2 * time.Second}
		}
		w.endpoint("failing.test", pay.SessionCreatedEvent)
		w.endpoint("busy.test", pay.PaymentCreatedEvent, pay.PaymentSucceededEvent)
		w.run()
		w.offer()
		w.pass(4500 * time.Millisecond)
		w.sell()
		w.pass(time.Minute)
		if got := offsets(w.receiver.got("failing.test")); len(got) < 3 || got[2] != 5*time.Second {
			t.Errorf("attempts at %v, want a retry at 5s", got)
		}
	})
}

func TestTheEndClaimsNoMore(t *testing.T) {
	inWorld(t, func(w *world) {
		counting := &countingStore{fullStore: w.store}
		w.options.Store = counting
		w.receiver.answer = func(call) reply { return reply{after: 10 * time.Millisecond} }
		w.endpoint("game.test")
		for range 1000 {
			w.offer()
		}
		w.run()
		w.pass(100 * time.Millisecond)
		w.receiver.answer = func(call) reply { return reply{after: 300 * time.Millisecond} }
		counting.claims.Store(0)
		w.end()
		if n := counting.claims.Load(); n > 0 {
			t.Errorf("%d claims after the end was called", n)
		}
		w.receiver.answer = nil
		w.run()
		w.pass(time.Minute)
		checkOnce(t, w.receiver.got("game.test"), 1000)
	})
}

func TestEndpointsTakeTurns(t *testing.T) {
	inWorld(t, func(w *world) {
		w.options.Workers = 2
		w.receiver.answer = func(call) reply { return reply{after: 100 * time.Millisecond} }
		w.endpoint("big.test", pay.SessionCreatedEvent)
		for range 300 {
			w.offer()
		}
		w.run()
		w.pass(5 * time.Second)
		w.endpoint("small.test", pay.SessionCreatedEvent)
		written := time.Now()
		w.offer()
		w.pass(time.Second)
		calls := w.receiver.got("small.test")
		if len(calls) != 1 || calls[0].at.Sub(written) > 300*time.Millisecond {
			t.Errorf("beside a backlog of hundreds: %v, written at %v", calls, written)
		}
	})
}

func TestACrashLosesNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		e := w.endpoint("game.test")
		w.sell()
		now := pay.Clock(time.Now())
		got, err := w.store.Claim(w.Context(), e.ID, now, now.Add(30*time.Second), 10)
		if err != nil || len(got) == 0 {
			t.Fatalf("Claim = %v, %v", got, err)
		}
		w.run() // as after a crash: nobody will ever record that claim
		w.pass(30*time.Second - time.Millisecond)
		if calls := w.receiver.got("game.test"); len(calls) > 0 {
			t.Fatalf("calls while another holds the lease = %v", calls)
		}
		w.pass(time.Millisecond)
		if calls := w.receiver.got("game.test"); len(calls) == 0 || !calls[0].at.Equal(now.Add(30*time.Second)) {
			t.Fatalf("calls when the lease ended = %v", calls)
		}
		w.pass(time.Second)
		if calls := w.receiver.got("game.test"); len(calls) != 4 {
			t.Errorf("calls = %v, want all four", calls)
		}
	})
}

func TestTheEndWaitsForWhatIsUnderWay(t *testing.T) {
	inWorld(t, func(w *world) {
		w.receiver.answer = func(call) reply { return reply{after: 3 * time.Second} }
		w.endpoint("game.test")
		w.run()
		w.offer()
		w.pass(time.Second)
		w.offer()
		began := time.Now()
		w.end()
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("Run returned after %v, want 2s", took)
		}
		w.receiver.answer = nil
		w.run()
		w.pass(time.Minute)
		calls := w.receiver.got("game.test")
		if len(calls) != 2 || calls[0].body == calls[1].body {
			t.Errorf("calls = %v, want each event once", calls)
		}
	})
}

// countingStore counts looks, and can be made to fail.
type countingStore struct {
	fullStore
	looks  atomic.Int64
	claims atomic.Int64
	broken atomic.Bool
}

func (s *countingStore) DueEndpoints(ctx context.Context, now time.Time, most int) ([]pay.EndpointID, error) {
	s.looks.Add(1)
	if s.broken.Load() {
		return nil, store.ErrUnavailable
	}
	return s.fullStore.DueEndpoints(ctx, now, most)
}

func (s *countingStore) Claim(ctx context.Context, id pay.EndpointID, now, until time.Time, most int) ([]pay.Delivery, error) {
	s.claims.Add(1)
	if s.broken.Load() {
		return nil, store.ErrUnavailable
	}
	return s.fullStore.Claim(ctx, id, now, until, most)
}

func (s *countingStore) Record(ctx context.Context, made ...store.Outcome) error {
	if s.broken.Load() {
		return errors.New("no space left on device")
	}
	return s.fullStore.Record(ctx, made...)
}

func TestWaitingCostsNothing(t *testing.T) {
	tests := []struct {
		name string
		most int64 // looks in an hour
		have func(w *world, e pay.Endpoint)
	}{
		{"nothing to send", 3600/15 + 1, func(*world, pay.Endpoint) {}},
		{"a disabled endpoint's backlog", 3600/15 + 1, func(w *world, e pay.Endpoint) {
			w.offer()
			e.Enabled = false
			w.configure(func(tx store.Settings) error { return tx.UpdateEndpoint(e) })
		}},
		{"what another process holds", 3600 + 1, func(w *world, e pay.Endpoint) {
			w.sell()
			now := pay.Clock(time.Now())
			if _, err := w.store.Claim(w.Context(), e.ID, now, now.Add(2*time.Hour), 1); err != nil {
				w.Fatal(err)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				counting := &countingStore{fullStore: w.store}
				w.options.Store = counting
				tt.have(w, w.endpoint("game.test"))
				w.run()
				counting.looks.Store(0)
				counting.claims.Store(0)
				w.pass(time.Hour)
				if looks, claims := counting.looks.Load(), counting.claims.Load(); looks > tt.most || claims > tt.most {
					t.Errorf("%d looks and %d claims in an hour, want at most %d", looks, claims, tt.most)
				}
			})
		})
	}
}

func TestAStoreThatFailsIsTriedAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		flaky := &countingStore{fullStore: w.store}
		w.options.Store = flaky
		w.endpoint("game.test")
		w.run()
		flaky.broken.Store(true)
		w.offer()
		flaky.looks.Store(0)
		w.pass(time.Minute)
		if n := flaky.looks.Load(); n < 50 || n > 62 {
			t.Errorf("%d looks in a minute, want one a second", n)
		}
		flaky.broken.Store(false)
		w.pass(time.Second)
		if calls := w.receiver.got("game.test"); len(calls) != 1 {
			t.Errorf("calls = %v", calls)
		}
	})
}

func TestWhatWasNotRecordedIsSentAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		flaky := &countingStore{fullStore: w.store}
		w.options.Store = flaky
		w.receiver.answer = func(call) reply { return reply{after: time.Second} }
		w.endpoint("game.test")
		w.run()
		w.offer()
		w.pass(500 * time.Millisecond)
		flaky.broken.Store(true)
		w.pass(time.Second)
		flaky.broken.Store(false)
		w.pass(time.Minute)
		calls := w.receiver.got("game.test")
		if len(calls) != 2 || calls[0].body != calls[1].body || calls[1].attempt() != "1" {
			t.Errorf("calls = %v", calls)
		}
	})
}
