package postgres_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store/postgres"
	"github.com/coinslot/coinslot/test/postgrestest"
)

// What is compared is done by as many callers at the same time, on as many connections,
// and by one server, which is as it is installed: fsync and synchronous_commit are on.
const (
	callers     = 64
	connections = 20 // as the store has
	turn        = time.Second
)

// BenchmarkCreateSession makes sessions as the API does, with an answer for their repeats.
// ratio is its rate divided by that of a bare driver that stores the session's row and nothing
// else, by one statement, in a table without any other index than its primary key. The two take turns, and
// ratio is the median: run it with -benchtime 9x.
func BenchmarkCreateSession(b *testing.B) {
	url := postgrestest.Start(b, "shared_buffers=128MB").URL()
	s, err := postgres.Open(b.Context(), url, postgres.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	pool := bare(b, url)
	var made, stored, ratios []float64
	for b.Loop() {
		made = append(made, rate(b, func() error {
			c := sale(b)
			_, err := create(b.Context(), s, c, string(c.Session.ID))
			return err
		}))
		stored = append(stored, rate(b, func() error {
			_, err := pool.Exec(b.Context(), insertBare, bareRow(sale(b))...)
			return err
		}))
		ratios = append(ratios, made[len(made)-1]/stored[len(stored)-1])
	}
	for _, all := range [][]float64{made, stored, ratios} {
		slices.Sort(all)
	}
	b.ReportMetric(made[len(made)/2], "sessions/s")
	b.ReportMetric(stored[len(stored)/2], "bare/s")
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
	b.ReportMetric(ratios[0], "least")
	b.ReportMetric(ratios[len(ratios)-1], "most")
	b.ReportMetric(0, "ns/op")
}

// rate has all callers at work for a while, and says how many calls a second were done.
func rate(b *testing.B, call func() error) float64 {
	b.Helper()
	var n atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for range callers {
		all.Go(func() {
			for time.Since(began) < turn {
				if err := call(); err != nil {
					b.Error(err)
					return
				}
				n.Add(1)
			}
		})
	}
	all.Wait()
	return float64(n.Load()) / time.Since(began).Seconds()
}

// sale is a session as a game server usually asks for one.
func sale(b *testing.B) pay.Change {
	now := pay.Clock(time.Now())
	var e pay.Entropy
	_, _ = rand.Read(e[:])
	c, err := pay.NewSession(pay.NewSessionID(now, e), pay.Sandbox, pay.Game{ID: shop}.WithDefaults(), pay.Order{
		Game: shop, User: pay.UserID(fmt.Sprintf("player-%03d", e[0])), ReturnURL: "https://game.example.com/shop/thanks",
		Item:     &pay.ItemOrder{Title: "500 Gems", Price: 499, Currency: "USD"},
		Metadata: &pay.Metadata{OfferID: "summer", Values: map[string]string{"level": "12"}},
	}, now)
	if err != nil {
		b.Error(err)
	}
	c.Events[0].Payload = make([]byte, 700) // about what the event of such a session has
	return c
}

// bare is a driver's own pool, with a table of rows as wide as a session's.
func bare(b *testing.B, url string) *pgxpool.Pool {
	b.Helper()
	pool, err := pgxpool.New(context.Background(), fmt.Sprintf("%s&pool_max_conns=%d", url, connections))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	if _, err := pool.Exec(b.Context(), `CREATE TABLE bare (LIKE sessions, PRIMARY KEY (id))`); err != nil {
		b.Fatal(err)
	}
	return pool
}

const insertBare = `INSERT INTO bare (id, environment, game, user_id, status, title, amount, currency, image, country,
	return_url, cancel_url, order_id, locale, metadata, attempts, capture, confirm, payment, live, spent,
	created_at, expires_at, paid_at, failed_at, cancelled_at, expired_at, sequence, version)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', '', $9, '', '', '', $10, $11, $12, 0, '', 0, 0, $13, $14, 0, 0, 0, 0, 1, 1)`

func bareRow(c pay.Change) []any {
	s := c.Session
	return []any{
		string(s.ID), string(s.Environment), string(s.Game), string(s.User), string(s.Status), s.Item.Title, s.Item.Price.Amount,
		string(s.Item.Price.Currency), string(s.ReturnURL), `{"offer_id":"summer","values":{"level":"12"}}`,
		int64(s.Attempts), string(s.Capture), s.CreatedAt.UnixMicro(), s.ExpiresAt.UnixMicro(),
	}
}
