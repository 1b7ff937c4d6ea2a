package sqlite_test

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlite"
)

var game = pay.Game{ID: "space_shooter"}.WithDefaults()

// newSession decides what a game server's usual request asks for.
func newSession(tb testing.TB, user int) pay.Change {
	now := pay.Clock(time.Now())
	var e pay.Entropy
	rand.Read(e[:])
	c, err := pay.NewSession(pay.NewSessionID(now, e), pay.Sandbox, game, pay.Order{
		Game: game.ID, User: pay.UserID(fmt.Sprintf("player-%07d", user)),
		Item:      &pay.ItemOrder{Title: "500 Gems", Price: 499, Currency: "USD"},
		ReturnURL: "https://game.example.com/shop/thanks",
		Metadata:  &pay.Metadata{OfferID: "summer", Values: map[string]string{"level": "12"}},
	}, now)
	if err != nil {
		tb.Fatal(err)
	}
	c.Events[0].Payload = make([]byte, 700)
	return c
}

// create stores a new session with its idempotency record, as CreateSession does.
func create(tb testing.TB, s store.Store) pay.SessionID {
	c := newSession(tb, mathrand.IntN(100_000))
	id := c.Session.ID
	scope := store.Scope{Environment: pay.Sandbox, Game: game.ID, Method: "CreateSession"}
	key := rand.Text()
	err := s.Update(context.Background(), id, func(tx store.Tx) error {
		if _, err := tx.Answer(scope, key, c.Session.CreatedAt); err == nil {
			return nil
		}
		change := c
		copied := *c.Session
		change.Session = &copied
		if err := tx.Apply(change); err != nil {
			return err
		}
		return tx.Remember(store.Answer{Scope: scope, Key: key, Result: string(id), ExpiresAt: c.Session.CreatedAt.Add(24 * time.Hour)}, c.Session.CreatedAt)
	})
	if err != nil {
		tb.Error(err)
	}
	return id
}

func open(tb testing.TB, o sqlite.Options) store.Store {
	s, err := sqlite.Open(context.Background(), filepath.Join(tb.TempDir(), "coinslot.db"), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func BenchmarkCreateSession(b *testing.B) {
	for _, callers := range []int{1, 16, 64} {
		for _, solo := range []bool{false, true} {
			b.Run(fmt.Sprintf("callers=%d/solo=%v", callers, solo), func(b *testing.B) {
				s := open(b, sqlite.Options{Solo: solo})
				b.ReportAllocs()
				b.ResetTimer()
				began := cpuTime()
				var left atomic.Int64
				left.Store(int64(b.N))
				done := make(chan bool)
				for range callers {
					go func() {
						for left.Add(-1) >= 0 {
							create(b, s)
						}
						done <- true
					}()
				}
				for range callers {
					<-done
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
				b.ReportMetric(float64(cpuTime()-began)/1e3/float64(b.N), "cpu-µs/op")
			})
		}
	}
}

func BenchmarkSession(b *testing.B) {
	s := open(b, sqlite.Options{})
	var ids []pay.SessionID
	for range 1000 {
		ids = append(ids, create(b, s))
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			err := s.View(context.Background(), func(r store.Reader) error {
				_, err := r.Session(ids[mathrand.IntN(len(ids))])
				return err
			})
			if err != nil {
				b.Error(err)
			}
		}
	})
}

// cpuTime is what this process has used: the steadiest figure on a machine that others use too.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
