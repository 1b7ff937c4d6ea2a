package gateway

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coinslot/coinslot/internal/clock"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlite"
)

// observed is a store whose reads are counted, and can be made to fail.
type observed struct {
	store.Store
	reads atomic.Int64
	fault atomic.Pointer[error]
}

func (o *observed) View(ctx context.Context, fn func(store.Reader) error) error {
	o.reads.Add(1)
	if fault := o.fault.Load(); fault != nil {
		return *fault
	}
	return o.Store.View(ctx, fn)
}

// hall is a service that is watched, in a bubble of its own time.
type hall struct {
	*testing.T
	*Service
	store *observed
}

func openHall(t *testing.T, test func(h *hall)) {
	synctest.Test(t, func(t *testing.T) {
		opened, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "coinslot.db"), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer opened.Close()
		o := &observed{Store: opened}
		s, err := New(t.Context(), Options{
			Store: o, Provider: func(pay.Environment) provider.Provider { return nil }, Payload: func(pay.Change, pay.Event) []byte { return []byte("{}") }, Clock: clock.System, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { s.Run(ctx) })
		defer func() { stop(); running.Wait() }()
		for _, id := range []pay.GameID{"chess", "go"} {
			if _, err := s.CreateGame(t.Context(), pay.Game{ID: id}); err != nil {
				t.Fatal(err)
			}
		}
		test(&hall{t, s, o})
	})
}

var operator = Caller{Environment: pay.Sandbox}

func (h *hall) sell(game pay.GameID) pay.SessionID {
	s, _, err := h.CreateSession(h.Context(), operator, pay.Order{
		Game: game, User: "ann", ReturnURL: "chess://done", Item: &pay.ItemOrder{Title: "Gems", Price: 499, Currency: "USD"},
	}, Idempotency{})
	if err != nil {
		h.Error(err)
	}
	return s.ID
}

func (h *hall) cancel(id pay.SessionID) {
	if _, err := h.CancelSession(h.Context(), operator, id, Idempotency{}); err != nil {
		h.Error(err)
	}
}

func (h *hall) wantNobody() {
	h.Helper()
	h.watchers.mu.Lock()
	defer h.watchers.mu.Unlock()
	if n := len(h.watchers.at); n > 0 {
		h.Errorf("%d places are still watched", n)
	}
}

// While a session changes, one after the other begins to watch it: whoever does so in the
// moment of the change is told too, and not only at the next heartbeat.
func TestNoChangeIsMissedBetweenTheReadAndTheWatch(t *testing.T) {
	openHall(t, func(h *hall) {
		const sessions, mostWatchers = 40, 200
		began := time.Now()
		var all sync.WaitGroup
		for range sessions {
			id := h.sell("chess")
			var over atomic.Bool
			var changing sync.WaitGroup
			changing.Go(func() { h.cancel(id); over.Store(true) })
			for n := 0; n < mostWatchers && !over.Load(); n++ {
				all.Go(func() { h.watchUntilCancelled(id) })
				if _, err := h.Latest(h.Context(), Caller{}, ""); err != nil { // it takes as long as a watch takes to begin
					h.Error(err)
				}
			}
			changing.Wait()
		}
		all.Wait()
		if took := time.Since(began); took >= heartbeat {
			h.Errorf("it took %v", took)
		}
		h.wantNobody()
	})
}

func (h *hall) watchUntilCancelled(id pay.SessionID) {
	var last pay.Session
	err := h.WatchSession(h.Context(), operator, id, func(s *pay.Session) error {
		if s == nil {
			return errors.New("a heartbeat")
		}
		last = *s
		return nil
	})
	if err != nil || last.Status != pay.SessionCancelled {
		h.Errorf("told last of %s, then %v", last.Status, err)
	}
}

// Feeds that are watched while others write have all, in order and once.
func TestNoEventIsMissedByThoseWhoWatch(t *testing.T) {
	openHall(t, func(h *hall) {
		const writers, each, watchers = 4, 10, 6
		ctx, leave := context.WithCancel(h.Context())
		var all, writing sync.WaitGroup
		told := make([][]int64, watchers)
		for i := range watchers {
			all.Go(func() {
				_ = h.WatchEvents(ctx, operator, store.EventQuery{}, func(f store.Feed) error {
					for _, e := range f.Rows {
						told[i] = append(told[i], e.Position)
					}
					return nil
				})
			})
		}
		for range writers {
			writing.Go(func() {
				for range each {
					h.cancel(h.sell("chess"))
				}
			})
		}
		writing.Wait()
		synctest.Wait() // without time passing
		leave()
		all.Wait()
		for i, positions := range told {
			if len(positions) != 2*writers*each {
				h.Errorf("watcher %d was told %d events, want %d", i, len(positions), 2*writers*each)
			}
			for j := 1; j < len(positions); j++ {
				if positions[j] <= positions[j-1] {
					h.Errorf("watcher %d was told %d after %d", i, positions[j], positions[j-1])
				}
			}
		}
		h.wantNobody()
	})
}

func TestWhatNobodyWatchesCostsNoReads(t *testing.T) {
	openHall(t, func(h *hall) {
		h.sell("chess")
		synctest.Wait()
		before := h.store.reads.Load()
		for range 5 {
			if more, err := h.watchers.look(h.Context()); more || err != nil {
				h.Error(more, err)
			}
		}
		if n := h.store.reads.Load() - before; n != 0 {
			h.Errorf("nobody watches, and there were %d reads", n)
		}
	})
}

// What happens elsewhere wakes nobody.
func TestOnlyThoseAreWokenWhomItConcerns(t *testing.T) {
	openHall(t, func(h *hall) {
		mine, other := h.sell("chess"), h.sell("chess")
		for _, p := range []struct {
			place
			wakes int
		}{
			{place{session: mine}, 1}, {place{session: other}, 0}, {place{environment: pay.Sandbox, game: "chess"}, 1},
			{place{environment: pay.Sandbox}, 1}, {place{environment: pay.Sandbox, game: "go"}, 0},
			{place{environment: pay.Production}, 0}, {place{environment: pay.Production, game: "chess"}, 0},
		} {
			wake, stop, err := h.watchers.add(h.Context(), p.place)
			if err != nil {
				h.Fatal(err)
			}
			defer func() {
				if len(wake) != p.wakes {
					h.Errorf("%+v was woken %d times, want %d", p.place, len(wake), p.wakes)
				}
				stop()
			}()
		}
		h.cancel(mine)
		synctest.Wait()
	})
}

// Heartbeats come although things happen all the time that the filter leaves out.
func TestAHeartbeatComesWhateverElseHappens(t *testing.T) {
	openHall(t, func(h *hall) {
		ctx, leave := context.WithCancel(h.Context())
		var beats []time.Duration
		began := time.Now()
		var all sync.WaitGroup
		all.Go(func() {
			_ = h.WatchEvents(ctx, operator, store.EventQuery{Types: []pay.EventType{pay.RefundCreatedEvent}}, func(f store.Feed) error {
				beats = append(beats, time.Since(began))
				return nil
			})
		})
		for range 100 {
			h.sell("chess")
			time.Sleep(time.Second)
		}
		leave()
		all.Wait()
		if len(beats) != 1+6 || beats[0] != 0 || beats[1] != heartbeat || beats[6] != 6*heartbeat {
			h.Errorf("there were heartbeats after %v", beats)
		}
	})
}

// A store that fails is no reason to leave anybody waiting for what nobody tells any more.
func TestAStoreThatFailsEndsEveryWatch(t *testing.T) {
	openHall(t, func(h *hall) {
		id := h.sell("chess")
		broken := errors.New("the disk is on fire")
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if err := h.WatchSession(h.Context(), operator, id, func(*pay.Session) error { return nil }); !errors.Is(err, broken) {
					h.Errorf("the session's watch ended with %v", err)
				}
			})
			all.Go(func() {
				err := h.WatchEvents(h.Context(), operator, store.EventQuery{Game: "go"}, func(store.Feed) error { return nil })
				if !errors.Is(err, broken) {
					h.Errorf("the events' watch ended with %v", err)
				}
			})
		}
		synctest.Wait()
		h.store.fault.Store(&broken)
		began := time.Now()
		if err := h.store.Configure(h.Context(), func(store.Settings) error { return nil }); err != nil { // it has the feed looked at
			h.Error(err)
		}
		all.Wait()
		if took := time.Since(began); took > 0 {
			h.Errorf("that took %v", took)
		}
		h.wantNobody()
		h.store.fault.Store(nil)
	})
}

func TestAKeyThatIsRevokedEndsItsWatches(t *testing.T) {
	openHall(t, func(h *hall) {
		key, text, err := h.CreateKey(h.Context(), pay.Key{Environment: pay.Sandbox})
		if err != nil {
			h.Fatal(err)
		}
		caller, err := h.Authenticate(text)
		if err != nil {
			h.Fatal(err)
		}
		quiet, busy := h.sell("chess"), h.sell("chess")
		var all sync.WaitGroup
		began := time.Now()
		for id, within := range map[pay.SessionID]time.Duration{quiet: heartbeat, busy: 0} {
			all.Go(func() {
				var told []pay.SessionStatus
				err := h.WatchSession(h.Context(), caller, id, func(s *pay.Session) error {
					told = append(told, s.Status)
					return nil
				})
				if pay.CodeOf(err) != pay.Unauthorized || time.Since(began) > within || len(told) != 1 {
					h.Errorf("told %v, and after %v %v", told, time.Since(began), err)
				}
			})
		}
		synctest.Wait()
		if _, err := h.RevokeKey(h.Context(), key.ID); err != nil {
			h.Fatal(err)
		}
		h.cancel(busy)
		all.Wait()
	})
}
