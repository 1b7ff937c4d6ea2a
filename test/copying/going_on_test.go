package copying

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coinslot/coinslot/internal/clock"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/postgres"
	"github.com/coinslot/coinslot/internal/store/sqlite"
	"github.com/coinslot/coinslot/internal/store/transfer"
	"github.com/coinslot/coinslot/internal/vault"
	"github.com/coinslot/coinslot/internal/webhook"
	"github.com/coinslot/coinslot/test/postgrestest"
)

const all = 1000 // more than a small season has of anything

// readAll reads what a store's callers can, from every place in the feed and on every page.
func readAll(t *testing.T, s store.Store) (answers []any) {
	t.Helper()
	err := s.View(t.Context(), func(r store.Reader) error {
		keep := func(answer any, err error) {
			if err != nil {
				t.Error(err)
			}
			answers = append(answers, answer)
		}
		keep(list(r.Games()))
		keep(list(r.Keys()))
		keep(list(r.Endpoints()))
		keep(r.Image("0123"))
		keep(r.Consumer(store.Consumer{Environment: pay.Sandbox, Name: "books"}))
		for _, game := range []pay.GameID{"", "space_shooter"} {
			keep(list(r.Counts(pay.Sandbox, game)))
			keep(r.LatestEvent(pay.Sandbox, game))
			for after := range int64(300) {
				keep(r.Events(store.EventQuery{Environment: pay.Sandbox, Game: game, After: after, Limit: 3}))
			}
			keep(r.Recent(store.EventQuery{Environment: pay.Sandbox, Game: game, Limit: all}, 0))
		}
		for offset := range 70 {
			w := store.Window{Limit: 10, Offset: offset}
			keep(r.Sessions(store.SessionQuery{Environment: pay.Sandbox, Game: "space_shooter", Window: w}))
			keep(r.Payments(store.PaymentQuery{Environment: pay.Sandbox, Game: "space_shooter", Window: w}))
			keep(r.Refunds(store.RefundQuery{Environment: pay.Sandbox, Window: w}))
		}
		sessions, err := r.SessionsAfter("", all)
		keep(sessions, err)
		for _, s := range sessions {
			keep(list(r.SessionPayments(s.ID)))
			keep(list(r.SessionRefunds(s.ID)))
			keep(list(r.SessionEvents(s.ID)))
		}
		endpoints, err := r.Endpoints()
		keep(endpoints, err)
		for _, e := range endpoints {
			deliveries, err := r.Deliveries(store.DeliveryQuery{Endpoint: e.ID, Limit: all})
			keep(deliveries, err)
			for _, d := range deliveries.Rows {
				keep(list(r.Attempts(d.ID)))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return answers
}

// list is a list and an error as any answer.
func list[T any](rows []T, err error) (any, error) { return rows, err }

func TestNobodyCanTellACopyFromItsSource(t *testing.T) {
	t.Parallel()
	dir, url := smallSeason(t), postgrestest.URL(t)
	mustRun(t, dir, url, transfer.Options{Batch: 50})
	from, err := sqlite.Open(t.Context(), filepath.Join(dir, "coinslot.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := postgres.Open(t.Context(), url, postgres.Options{Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	here := readAll(t, from)
	if diff := cmp.Diff(here, readAll(t, to)); diff != "" {
		t.Errorf("the copy answers otherwise:\n%s", diff)
	}

	// The doctor is content, and what happens next has the next places.
	key, err := vault.Open(filepath.Join(dir, "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	last := latest(t, from)
	var next, numbers [2]int64
	for at, s := range []store.Store{from, to} {
		service, err := gateway.New(t.Context(), gateway.Options{Store: s, Secrets: webhook.NewSecrets(key), Clock: clock.System,
			Payload: func(pay.Change, pay.Event) []byte { return []byte("{}") }})
		if err != nil {
			t.Fatal(err)
		}
		err = service.Examine(t.Context(), gateway.Examination{Stopped: true, Tell: func(f gateway.Finding) error {
			if f.Verdict == gateway.Trouble {
				t.Errorf("store %d: %s: %s", at, f.Check, f.Found)
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		endpoint, _, err := service.CreateEndpoint(t.Context(), pay.Endpoint{Environment: pay.Sandbox, Game: "space_shooter", URL: "http://localhost:1/"})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := service.CreateSession(t.Context(), gateway.Caller{Environment: pay.Sandbox}, pay.Order{
			Game: "space_shooter", User: "ann", ReturnURL: "chess://done", Item: &pay.ItemOrder{Title: "Gems", Price: 499, Currency: "USD"},
		}, gateway.Idempotency{}); err != nil {
			t.Fatal(err)
		}
		next[at] = latest(t, s)
		err = s.View(t.Context(), func(r store.Reader) error {
			found, err := r.Deliveries(store.DeliveryQuery{Endpoint: endpoint.ID, Limit: 1})
			if err == nil && len(found.Rows) == 1 {
				numbers[at] = int64(found.Rows[0].ID) >> 40
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if next[0] != last+1 || next[1] != next[0] {
		t.Errorf("the feed goes on from %d with %v", last, next)
	}
	if numbers[0] != 3 || numbers[1] != 3 { // 2 was an endpoint's that is gone
		t.Errorf("new endpoints have the numbers %v", numbers)
	}
}

func latest(t *testing.T, s store.Store) (at int64) {
	t.Helper()
	err := s.View(t.Context(), func(r store.Reader) (err error) {
		at, err = r.LatestEvent(pay.Sandbox, "")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return at
}
