package sqlite_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlite"
)

// BenchmarkList reads pages of 50 out of a thousand sessions of one game, and out of
// as many as COINSLOT_BENCH_SESSIONS says: a million take minutes to make.
func BenchmarkList(b *testing.B) {
	sizes := []int{1000}
	if n, err := strconv.Atoi(os.Getenv("COINSLOT_BENCH_SESSIONS")); err == nil {
		sizes = append(sizes, n)
	}
	for _, size := range sizes {
		s := open(b, sqlite.Options{})
		middle := fill(b, s, size)
		for _, page := range []struct {
			name string
			store.Window
		}{
			{"first", store.Window{Limit: 50}},
			{"cursor", store.Window{Limit: 50, After: string(middle)}},
			{"offset=90%", store.Window{Limit: 50, Offset: size * 9 / 10}},
		} {
			b.Run(fmt.Sprintf("sessions=%d/%s", size, page.name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					err := s.View(context.Background(), func(r store.Reader) error {
						got, err := r.Sessions(store.SessionQuery{Environment: pay.Sandbox, Game: game.ID, Window: page.Window})
						if err == nil && (len(got.Rows) != 50 || got.Total != int64(size)) {
							err = fmt.Errorf("got %d rows of %d", len(got.Rows), got.Total)
						}
						return err
					})
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// fill makes sessions of one game, one each ten milliseconds, and returns the one in the middle.
func fill(b *testing.B, s store.Store, size int) (middle pay.SessionID) {
	const together = 500
	at := pay.Clock(time.Now())
	for made := 0; made < size; {
		err := s.Update(context.Background(), "sess_0", func(tx store.Tx) error {
			for range min(together, size-made) {
				c := newSession(b, made%100_000)
				var e pay.Entropy
				rand.Read(e[:])
				c.Session.ID = pay.NewSessionID(at, e)
				c.Events[0].Session = c.Session.ID
				if err := tx.Apply(c); err != nil {
					return err
				}
				if made == size/2 {
					middle = c.Session.ID
				}
				made++
				at = at.Add(10 * time.Millisecond)
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return middle
}
