package sqlite_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlite"
)

// BenchmarkQueue is what the relay asks of the queue for each new event, beside a thousand
// and a million that were delivered long ago: a look, a claim, and the record.
func BenchmarkQueue(b *testing.B) {
	for _, delivered := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprintf("delivered=%d", delivered), func(b *testing.B) {
			s, endpoint := openDelivered(b, delivered)
			var used time.Duration
			b.ResetTimer()
			for range b.N {
				b.StopTimer()
				c := newSession(b, 0)
				if err := s.Update(b.Context(), c.Session.ID, func(tx store.Tx) error { return tx.Apply(c) }); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				began := cpuTime()
				deliverOne(b, s, endpoint)
				used += cpuTime() - began
			}
			b.ReportMetric(float64(used)/1e3/float64(b.N), "cpu-µs/op")
		})
	}
}

func deliverOne(b *testing.B, s store.Store, endpoint pay.EndpointID) {
	now := pay.Clock(time.Now())
	due, err := s.DueEndpoints(b.Context(), now, 10)
	if err != nil || len(due) != 1 {
		b.Fatalf("due are %v, %v", due, err)
	}
	found, err := s.Claim(b.Context(), endpoint, now, now.Add(time.Minute), 8)
	if err != nil || len(found) != 1 {
		b.Fatalf("claimed were %v, %v", found, err)
	}
	if err := s.Record(b.Context(), store.Outcome{Attempt: pay.Attempt{Delivery: found[0].ID, Number: 1, At: now, Status: 200}}); err != nil {
		b.Fatal(err)
	}
	if _, err := s.NextDue(b.Context()); err == nil {
		b.Fatal("something is due still")
	}
}

// openDelivered opens a store with an endpoint that was given so many events, each with an
// attempt. They are written by SQL: the contract would take minutes for a million.
func openDelivered(b *testing.B, n int) (store.Store, pay.EndpointID) {
	path := filepath.Join(b.TempDir(), "coinslot.db")
	s, err := sqlite.Open(b.Context(), path, sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	e := pay.Endpoint{ID: "we_1", Environment: pay.Sandbox, Game: game.ID, URL: "https://game.example.com", Enabled: true}
	if err := s.Configure(b.Context(), func(tx store.Settings) error { return tx.CreateEndpoint(e) }); err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	numbers := fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) `, n)
	for _, text := range []string{
		`INSERT INTO events (position, id, type, at, session, sequence, environment, game, payment, payload) ` + numbers +
			`SELECT i, printf('%08x-0000-7000-8000-000000000000', i), 'session.created', i, printf('sess_%032d', i), 1, 'sandbox', '` + string(game.ID) + `', '', zeroblob(700) FROM n`,
		`INSERT INTO deliveries (id, endpoint, event, status, leased, attempts, since, due_at) ` + numbers +
			`SELECT p.number * 1099511627776 + i, p.number, i, 'delivered', 0, 1, i, 0 FROM n, endpoints AS p`,
		`INSERT INTO attempts (delivery, number, at, duration, status, error, answer) ` + numbers +
			`SELECT p.number * 1099511627776 + i, 1, i, 1000, 200, '', x'' FROM n, endpoints AS p`,
	} {
		if _, err := db.Exec(text); err != nil {
			b.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	if s, err = sqlite.Open(b.Context(), path, sqlite.Options{}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s, e.ID
}
