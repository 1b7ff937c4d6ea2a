package postgres_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/coinslot/coinslot/internal/store/postgres"
	"github.com/coinslot/coinslot/test/postgrestest"
)

// BenchmarkCreateSession makes sessions as the API does: with an answer for their repeats.
// What it is measured against is BenchmarkBareInsert.
func BenchmarkCreateSession(b *testing.B) {
	s, err := postgres.Open(b.Context(), postgrestest.URL(b), postgres.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var n atomic.Int64
	b.SetParallelism(8)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			if _, err := create(b.Context(), s, order(b, int(i)), fmt.Sprint(i)); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkBareInsert is the least that can be stored of a session: one statement, one row.
func BenchmarkBareInsert(b *testing.B) {
	pool, err := pgxpool.New(b.Context(), postgrestest.URL(b)+"&pool_max_conns=20")
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(b.Context(), `CREATE TABLE bare (id TEXT COLLATE "C" PRIMARY KEY, body TEXT, at BIGINT)`); err != nil {
		b.Fatal(err)
	}
	var n atomic.Int64
	b.SetParallelism(8)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c := order(b, int(n.Add(1)))
			if _, err := pool.Exec(b.Context(), `INSERT INTO bare (id, body, at) VALUES ($1, $2, $3)`,
				string(c.Session.ID), string(c.Session.ReturnURL), c.Session.CreatedAt.UnixMicro()); err != nil {
				b.Error(err)
			}
		}
	})
	b.StopTimer()
	_, _ = pool.Exec(b.Context(), `DROP TABLE bare`)
}
