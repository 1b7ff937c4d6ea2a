package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/postgres"
	"github.com/coinslot/coinslot/test/postgrestest"
)

const shop = pay.GameID("chess")

// order decides on a session that differs by its number.
func order(t testing.TB, n int) pay.Change {
	t.Helper()
	now := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC).Add(time.Duration(n) * time.Millisecond)
	c, err := pay.NewSession(pay.NewSessionID(now, pay.Entropy{byte(n), byte(n >> 8), byte(n >> 16)}), pay.Sandbox, pay.Game{ID: shop}.WithDefaults(), pay.Order{
		Game: shop, User: "ann", Item: &pay.ItemOrder{Title: "Gems", Price: 499, Currency: "USD"}, ReturnURL: "chess://done",
	}, now)
	if err != nil {
		t.Fatal(err)
	}
	c.Events[0].Payload = []byte("{}")
	return c
}

// create stores a session as the gateway does: with an answer for its repeats.
func create(ctx context.Context, s store.Store, c pay.Change, key string) (replayed bool, err error) {
	err = s.Update(ctx, c.Session.ID, func(tx store.Tx) error {
		replayed = false
		scope := store.Scope{Environment: pay.Sandbox, Game: shop, Method: "CreateSession"}
		now := c.Session.CreatedAt
		if key != "" {
			switch _, err := tx.Answer(scope, key, now); {
			case err == nil:
				replayed = true
				return nil
			case !errors.Is(err, store.ErrNotFound):
				return err
			}
		}
		session := *c.Session
		if err := tx.Apply(pay.Change{Session: &session, Events: c.Events}); err != nil || key == "" {
			return err
		}
		return tx.Remember(store.Answer{Scope: scope, Key: key, Result: string(session.ID), ExpiresAt: now.Add(24 * time.Hour)}, now)
	})
	return replayed, err
}

func subscribe(t *testing.T, s store.Store, name string) {
	t.Helper()
	if err := s.Configure(t.Context(), func(tx store.Settings) error {
		return tx.CreateEndpoint(pay.Endpoint{ID: pay.EndpointID(name), Environment: pay.Sandbox, Game: shop, URL: "https://x.test", Enabled: true})
	}); err != nil {
		t.Fatal(err)
	}
}

func TestASessionIsMadeInOneRoundTrip(t *testing.T) {
	t.Parallel()
	var trips atomic.Int64
	s, err := postgres.Open(t.Context(), postgrestest.URL(t), postgres.Options{Alone: true, Counted: func(int) { trips.Add(1) }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	made := 0
	cost := func(key string) int64 {
		made++
		before := trips.Load()
		if replayed, err := create(t.Context(), s, order(t, made), key); err != nil || replayed {
			t.Fatal(replayed, err)
		}
		return trips.Load() - before
	}
	cost("") // the first one learns who wants to be told
	for _, key := range []string{"", "k1", "k2"} {
		if n := cost(key); n != 1 {
			t.Errorf("a session with the key %q took %d round trips", key, n)
		}
	}
	subscribe(t, s, "we_1")
	subscribe(t, s, "we_2")
	cost("k3")
	for _, key := range []string{"", "k4"} {
		if n := cost(key); n != 1 {
			t.Errorf("a session with two endpoints and the key %q took %d round trips", key, n)
		}
	}
	due, err := s.Claim(t.Context(), "we_1", time.Now().AddDate(10, 0, 0), time.Now().AddDate(10, 0, 1), 10)
	if err != nil || len(due) != 3 {
		t.Errorf("%d deliveries, %v", len(due), err)
	}
}

func TestARepeatIsAnsweredAsTheFirstWas(t *testing.T) {
	t.Parallel()
	s := open(t, postgrestest.URL(t))
	for n, want := range []bool{false, true, true} {
		if replayed, err := create(t.Context(), s, order(t, n), "k"); err != nil || replayed != want {
			t.Errorf("call %d: replayed %v, %v", n, replayed, err)
		}
	}
	if n := total(t, s); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

func total(t testing.TB, s store.Store) (n int64) {
	t.Helper()
	if err := s.View(context.Background(), func(r store.Reader) error {
		page, err := r.Sessions(store.SessionQuery{Environment: pay.Sandbox, Game: shop, Window: store.Window{Limit: 1}})
		n = page.Total
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// Servers on one database are stores of their own: what holds between goroutines must hold
// between them.
func TestOfRepeatsAtSeveralServersOneMakesTheSession(t *testing.T) {
	t.Parallel()
	url := postgrestest.URL(t)
	servers := []store.Store{open(t, url), open(t, url), open(t, url)}
	const keys = 20
	var first [keys]atomic.Int64
	var all sync.WaitGroup
	for k := range keys {
		for i, s := range servers {
			c := order(t, 10*k+i)
			all.Go(func() {
				replayed, err := create(t.Context(), s, c, fmt.Sprint(k))
				if err != nil {
					t.Error(err)
				} else if !replayed {
					first[k].Add(1)
				}
			})
		}
	}
	all.Wait()
	for k := range keys {
		if n := first[k].Load(); n != 1 {
			t.Errorf("key %d made %d sessions", k, n)
		}
	}
	for _, s := range servers {
		if n := total(t, s); n != keys {
			t.Errorf("%d sessions, want %d", n, keys)
		}
	}
}

// What a server remembers of the endpoints is of no use once another has changed them.
func TestAnEventGoesToAnEndpointThatAnotherServerMade(t *testing.T) {
	t.Parallel()
	url := postgrestest.URL(t)
	here, there := open(t, url), open(t, url)
	for n := range 6 {
		if n%2 == 0 {
			subscribe(t, there, fmt.Sprintf("we_%d", n))
		}
		if _, err := create(t.Context(), here, order(t, n), fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
	}
	for n, want := range map[int]int{0: 6, 2: 4, 4: 2} {
		found, err := here.Claim(t.Context(), pay.EndpointID(fmt.Sprintf("we_%d", n)), time.Now().AddDate(10, 0, 0), time.Now().AddDate(10, 0, 1), 10)
		if err != nil || len(found) != want {
			t.Errorf("endpoint %d has %d deliveries, want %d: %v", n, len(found), want, err)
		}
	}
}

// Updates of one session at several servers: each finds what the one before it left.
func TestOneSessionAtSeveralServersIsChangedByOneAtATime(t *testing.T) {
	t.Parallel()
	url := postgrestest.URL(t)
	servers := []store.Store{open(t, url), open(t, url), open(t, url)}
	c := order(t, 1)
	if _, err := create(t.Context(), servers[0], c, ""); err != nil {
		t.Fatal(err)
	}
	const each = 20
	var all sync.WaitGroup
	for _, s := range servers {
		for range each {
			all.Go(func() {
				if err := s.Update(t.Context(), c.Session.ID, func(tx store.Tx) error {
					session, err := tx.Session(c.Session.ID)
					if err != nil {
						return err
					}
					session.Sequence++
					e := c.Events[0]
					e.Sequence, e.ID = session.Sequence, pay.EventID(fmt.Sprintf("e%d", session.Sequence))
					return tx.Apply(pay.Change{Session: &session, Events: []pay.Event{e}})
				}); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	if err := servers[1].View(t.Context(), func(r store.Reader) error {
		session, err := r.Session(c.Session.ID)
		if want := int64(1 + len(servers)*each); session.Version != want || session.Sequence != want {
			t.Errorf("version %d, sequence %d, want %d", session.Version, session.Sequence, want)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// Nobody waits for a writer of another session, whatever he has locked.
func TestWritersOfDifferentSessionsDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	s := open(t, postgrestest.URL(t))
	subscribe(t, s, "we_1")
	inside, goOn := make(chan bool), make(chan bool)
	held := order(t, 1)
	var holding sync.WaitGroup
	holding.Go(func() {
		if err := s.Update(t.Context(), held.Session.ID, func(tx store.Tx) error {
			session := *held.Session
			if err := tx.Apply(pay.Change{Session: &session, Events: held.Events}); err != nil {
				return err
			}
			if _, err := tx.Session(session.ID); err != nil { // all is sent and uncommitted
				return err
			}
			inside <- true
			<-goOn
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	<-inside
	for n := 2; n < 20; n++ {
		if _, err := create(t.Context(), s, order(t, n), fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
	}
	close(goOn)
	holding.Wait()
	if n := total(t, s); n != 19 {
		t.Errorf("%d sessions", n)
	}
}
