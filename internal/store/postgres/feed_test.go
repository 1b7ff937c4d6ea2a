package postgres_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/test/postgrestest"
)

// soon is within what the contract promises of other processes, on a busy machine.
const soon = 30 * time.Second

// feed is the sessions whose events are to be seen.
func feed(t testing.TB, s store.Store) (sessions []pay.SessionID) {
	t.Helper()
	if err := s.View(context.Background(), func(r store.Reader) error {
		sessions = nil
		page, err := r.Events(store.EventQuery{Environment: pay.Sandbox, Limit: 1000})
		for _, e := range page.Rows {
			sessions = append(sessions, e.Session)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return sessions
}

// hold writes a session and waits, uncommitted, until end is called with what comes of it.
func hold(t *testing.T, s store.Store, c pay.Change) (end func(error)) {
	t.Helper()
	inside, outcome, done := make(chan bool), make(chan error), make(chan error)
	go func() {
		done <- s.Update(context.Background(), c.Session.ID, func(tx store.Tx) error {
			session := *c.Session
			if err := tx.Apply(pay.Change{Session: &session, Events: c.Events}); err != nil {
				return err
			}
			if _, err := tx.Session(session.ID); err != nil { // so that all was sent
				return err
			}
			inside <- true
			return <-outcome
		})
	}()
	<-inside
	return func(err error) {
		outcome <- err
		if got := <-done; !errors.Is(got, err) {
			t.Errorf("got %v, want %v", got, err)
		}
	}
}

// eventually waits, by looking at each token of Watch, until something holds.
func eventually(t *testing.T, s store.Store, what string, holds func() bool) {
	t.Helper()
	written, stop := s.Watch()
	defer stop()
	end := time.After(soon)
	for !holds() {
		select {
		case <-written:
		case <-end:
			t.Fatal("it did not come about: " + what)
		}
	}
}

func sellOne(t *testing.T, s store.Store, n int) pay.SessionID {
	t.Helper()
	c := order(t, n)
	if _, err := create(t.Context(), s, c, ""); err != nil {
		t.Fatal(err)
	}
	return c.Session.ID
}

// What is committed first is told first, but only once nothing before it can come any more.
func TestTheFeedWaitsForWhatWasGivenAPlaceEarlier(t *testing.T) {
	t.Parallel()
	url := postgrestest.URL(t)
	here, there := open(t, url), open(t, url)
	first := sellOne(t, here, 1)
	slow := order(t, 2)
	commit := hold(t, here, slow)
	after := sellOne(t, there, 3)
	for _, s := range []store.Store{here, there} {
		if got := feed(t, s); len(got) != 1 || got[0] != first {
			t.Fatalf("the feed has %v while one before its end is not committed", got)
		}
	}
	commit(nil)
	for _, s := range []store.Store{here, there} {
		eventually(t, s, "the feed goes on", func() bool { return len(feed(t, s)) == 3 })
		if got := feed(t, s); got[1] != slow.Session.ID || got[2] != after {
			t.Errorf("the feed has %v", got)
		}
	}
}

// The place of what came to nothing is passed over.
func TestTheFeedGoesOnAfterWhatCameToNothing(t *testing.T) {
	t.Parallel()
	url := postgrestest.URL(t)
	here, there := open(t, url), open(t, url)
	rollBack := hold(t, here, order(t, 1))
	after := sellOne(t, there, 2)
	rollBack(errors.New("not wanted"))
	for _, s := range []store.Store{here, there} {
		eventually(t, s, "the feed goes on", func() bool { got := feed(t, s); return len(got) == 1 && got[0] == after })
	}
}

// A server that crashes leaves out numbers by the dozen.
func TestTheFeedGoesOnAfterNumbersThatAreLeftOut(t *testing.T) {
	t.Parallel()
	url := postgrestest.URL(t)
	s, c := open(t, url), connect(t, url)
	sellOne(t, s, 1)
	if _, err := c.Exec(t.Context(), `SELECT nextval(pg_get_serial_sequence('events', 'position')) FROM generate_series(1, 40)`); err != nil {
		t.Fatal(err)
	}
	last := sellOne(t, s, 2)
	eventually(t, s, "the feed goes on", func() bool { got := feed(t, s); return len(got) == 2 && got[1] == last })
}

// Whoever was given a place and comes to it after it was filled is given another one.
func TestAPlaceThatWasFilledIsNobodysAnyMore(t *testing.T) {
	t.Parallel()
	url := postgrestest.URL(t)
	s, c := open(t, url), connect(t, url)
	sellOne(t, s, 1)
	if _, err := c.Exec(t.Context(), `SELECT nextval(pg_get_serial_sequence('events', 'position')) FROM generate_series(1, 3)`); err != nil {
		t.Fatal(err)
	}
	sellOne(t, s, 2)
	eventually(t, s, "the feed goes on", func() bool { return len(feed(t, s)) == 2 })
	for _, text := range []string{
		`CREATE SEQUENCE late`,
		`CREATE FUNCTION come_late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF nextval('late') = 1 THEN NEW.position := 3; END IF;
			RETURN NEW;
		END $$`,
		`CREATE TRIGGER come_late BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION come_late()`,
	} {
		if _, err := c.Exec(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		_, _ = connect(t, url).Exec(context.Background(), `DROP FUNCTION come_late CASCADE; DROP SEQUENCE late`, pgx.QueryExecModeSimpleProtocol)
	})
	sellOne(t, s, 3) // which is given 3 at first
	eventually(t, s, "the feed goes on", func() bool { return len(feed(t, s)) == 3 })
}

func TestWatchersLearnOfWhatAnotherServerWrote(t *testing.T) {
	t.Parallel()
	url := postgrestest.URL(t)
	here, there := open(t, url), open(t, url)
	written, stop := here.Watch()
	defer stop()
	n := 0
	for what, write := range map[string]func(){
		"an event":  func() { n++; sellOne(t, there, n) },
		"a setting": func() { n++; subscribe(t, there, time.Now().String()) },
	} {
		for range 3 {
			quiet(written)
			write()
			select {
			case <-written:
			case <-time.After(soon):
				t.Errorf("nothing is told of %s", what)
			}
		}
	}
}

// quiet takes what was told, until nothing is any more.
func quiet(written <-chan struct{}) {
	for {
		select {
		case <-written:
		case <-time.After(100 * time.Millisecond):
			return
		}
	}
}

// Polling is the net below: those that listen are cut off again and again.
func TestWatchersLearnOfItWithoutBeingNotified(t *testing.T) {
	t.Parallel()
	url := postgrestest.URL(t)
	here, there, c := open(t, url), open(t, url), connect(t, url)
	var cutting sync.WaitGroup
	ctx, enough := context.WithCancel(t.Context())
	defer cutting.Wait()
	defer enough()
	cut := func() {
		_, _ = c.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'coinslot listener'`)
	}
	cut()
	cutting.Go(func() {
		for ctx.Err() == nil {
			cut()
			select {
			case <-ctx.Done():
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	id := sellOne(t, there, 1)
	eventually(t, here, "the event is seen", func() bool { got := feed(t, here); return len(got) == 1 && got[0] == id })
}
