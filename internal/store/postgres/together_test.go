package postgres_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/coinslot/coinslot/internal/store/postgres"
	"github.com/coinslot/coinslot/test/postgrestest"
)

// Each key is used twice at the same time: whichever comes first makes the session, and its
// neighbours notice nothing of the other's refusal.
func TestSessionsMadeAtTheSameTimeShareTransactionsAndNoFailures(t *testing.T) {
	t.Parallel()
	var trips atomic.Int64
	s, err := postgres.Open(t.Context(), postgrestest.URL(t), postgres.Options{Alone: true, Counted: func(int) { trips.Add(1) }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	subscribe(t, s, "we_1")
	if _, err := create(t.Context(), s, order(t, 0), ""); err != nil { // it learns who wants to be told
		t.Fatal(err)
	}
	const keys, alone = 20, 400
	before := trips.Load()
	var made [keys]atomic.Int64
	var all sync.WaitGroup
	for n := 1; n <= alone; n++ {
		c := order(t, n)
		all.Go(func() {
			if replayed, err := create(t.Context(), s, c, fmt.Sprint("alone-", n)); err != nil || replayed {
				t.Error(replayed, err)
			}
		})
	}
	for n := range 2 * keys {
		c := order(t, 1000+n)
		all.Go(func() {
			if replayed, err := create(t.Context(), s, c, fmt.Sprint("twice-", n%keys)); err != nil {
				t.Error(err)
			} else if !replayed {
				made[n%keys].Add(1)
			}
		})
	}
	all.Wait()
	for k := range keys {
		if n := made[k].Load(); n != 1 {
			t.Errorf("key %d made %d sessions", k, n)
		}
	}
	if n := total(t, s); n != 1+alone+keys {
		t.Errorf("%d sessions", n)
	}
	if n := trips.Load() - before; n > alone {
		t.Errorf("%d round trips for %d sessions", n, alone+keys)
	}
}
