package postgres_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/postgres"
	"github.com/coinslot/coinslot/test/postgrestest"
)

// Each key is used twice at the same time: whichever comes first makes the session, and its
// neighbours notice nothing of the other's refusal.
func TestSessionsMadeAtTheSameTimeShareTransactionsAndNoFailures(t *testing.T) {
	t.Parallel()
	var trips atomic.Int64
	s := openAlone(t, postgrestest.URL(t), func(int) { trips.Add(1) })
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

// What a server believes of the endpoints may be out of date for all that it writes at once.
func TestSessionsMadeAtTheSameTimeAreToldToAnEndpointOfAnotherServer(t *testing.T) {
	t.Parallel()
	url := postgrestest.URL(t)
	here, there := openAlone(t, url, nil), openAlone(t, url, nil)
	subscribe(t, here, "we_1")
	if _, err := create(t.Context(), here, order(t, 0), ""); err != nil { // it learns who wants to be told
		t.Fatal(err)
	}
	subscribe(t, there, "we_2")
	const sessions = 100
	var all sync.WaitGroup
	for n := range sessions {
		c := order(t, 1+n)
		all.Go(func() {
			if _, err := create(t.Context(), here, c, fmt.Sprint(n)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	var told int
	if err := connect(t, url).QueryRow(t.Context(), `SELECT COUNT(*) FROM deliveries`).Scan(&told); err != nil || told != 1+2*sessions {
		t.Errorf("%d deliveries of %d sessions to one endpoint and then two: %v", told, 1+sessions, err)
	}
}

// A caller that breaks off while it writes for others too leaves none of them waiting.
func TestAWriterThatBreaksOffLeavesNobodyWaiting(t *testing.T) {
	t.Parallel()
	var breaks atomic.Bool
	s := openAlone(t, postgrestest.URL(t), func(int) {
		if breaks.Load() {
			panic("in the midst of it")
		}
	})
	breaks.Store(true)
	var panics, untold atomic.Int64
	var all sync.WaitGroup
	for n := range 50 {
		c := order(t, n)
		all.Go(func() {
			defer func() {
				if recover() != nil {
					panics.Add(1)
				}
			}()
			if _, err := create(t.Context(), s, c, ""); !errors.Is(err, store.ErrUnavailable) {
				t.Error(err)
			}
			untold.Add(1)
		})
	}
	all.Wait()
	breaks.Store(false)
	if panics.Load() == 0 || panics.Load()+untold.Load() != 50 {
		t.Errorf("%d panics, %d were told nothing", panics.Load(), untold.Load())
	}
	if _, err := create(t.Context(), s, order(t, 100), ""); err != nil {
		t.Error(err)
	}
}

func openAlone(t *testing.T, url string, counted func(int)) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, postgres.Options{Alone: true, Counted: counted})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
