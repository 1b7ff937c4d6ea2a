package gateway_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// triggered is what leads to each event: those that have happened once Trigger returns, and
// the one that comes later, where it is not among them.
var triggered = map[pay.EventType]struct{ now, later string }{
	"session.created":    {"session.created", ""},
	"session.paid":       {"session.created payment.created payment.succeeded session.paid", ""},
	"session.failed":     {"session.created payment.created payment.failed session.failed", ""},
	"session.expired":    {"session.created", "session.expired"},
	"session.cancelled":  {"session.created session.cancelled", ""},
	"payment.created":    {"session.created payment.created payment.succeeded session.paid", ""},
	"payment.authorized": {"session.created payment.created payment.authorized", ""},
	"payment.succeeded":  {"session.created payment.created payment.succeeded session.paid", ""},
	"payment.failed":     {"session.created payment.created payment.failed session.failed", ""},
	"payment.cancelled":  {"session.created payment.created payment.authorized payment.cancelled session.cancelled", ""},
	"refund.created":     {"session.created payment.created payment.succeeded session.paid refund.created refund.succeeded", ""},
	"refund.succeeded":   {"session.created payment.created payment.succeeded session.paid refund.created refund.succeeded", ""},
	"refund.failed":      {"session.created payment.created payment.succeeded session.paid refund.created", "refund.failed"},
}

func TestEachEventIsTriggered(t *testing.T) {
	if len(gateway.Triggerable()) != len(triggered) {
		t.Errorf("%v can be triggered", gateway.Triggerable())
	}
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		w.newGame(g, pay.Game{ID: game})
		for _, event := range gateway.Triggerable() {
			w.wantTriggered(g, game, event, triggered[event].now)
		}
	})
}

// TestGamesOfAllKindsAreTriggered: whatever a game's settings are, it can sell.
func TestGamesOfAllKindsAreTriggered(t *testing.T) {
	const captured = "session.created payment.created payment.authorized payment.succeeded session.paid"
	kinds := map[pay.GameID]struct {
		settings pay.Game
		captured string // instead of at once
	}{
		"own_scheme":               {pay.Game{ReturnSchemes: []string{"mygame"}}, ""},
		"one_host":                 {pay.Game{ReturnSchemes: []string{"https"}, ReturnHosts: []string{"games.example"}}, ""},
		"hosts_without_schemes":    {pay.Game{ReturnHosts: []string{"games.example"}}, ""},
		"yen_only":                 {pay.Game{Currencies: []pay.Currency{"JPY"}}, ""},
		"dinars_of_1000_fils":      {pay.Game{Currencies: []pay.Currency{"KWD", "USD"}}, ""},
		"many_attempts":            {pay.Game{Attempts: 3}, ""},
		"sessions_of_a_month":      {pay.Game{SessionTTL: pay.LongestSessionTTL}, ""},
		"captured_by_the_game":     {pay.Game{Capture: pay.CaptureManual}, captured},
		"approved_before_captures": {pay.Game{ConfirmURL: "https://games.example/confirm"}, captured},
	}
	play(t, func(w *world) {
		g, stop := w.openAsking(func() (pay.Decision, error) { return pay.Decision{Approve: true}, nil })
		defer stop()
		for id, kind := range kinds {
			kind.settings.ID = id
			w.newGame(g, kind.settings)
			for _, event := range gateway.Triggerable() {
				now := triggered[event].now
				if kind.captured != "" {
					now = strings.Replace(now, "session.created payment.created payment.succeeded session.paid", kind.captured, 1)
				}
				w.wantTriggered(g, id, event, now)
			}
		}
	})
}

// TestASlowGameIsWaitedFor: what was asked for is there when Trigger returns.
func TestASlowGameIsWaitedFor(t *testing.T) {
	play(t, func(w *world) {
		asked := 0
		g, stop := w.openAsking(func() (pay.Decision, error) {
			if asked++; asked < 3 {
				return pay.Decision{}, errors.New("not now")
			}
			return pay.Decision{Approve: true}, nil
		})
		defer stop()
		w.newGame(g, pay.Game{ID: game, ConfirmURL: "https://games.example/confirm"})
		w.wantTriggered(g, game, pay.RefundSucceededEvent, "session.created payment.created payment.authorized payment.succeeded session.paid refund.created refund.succeeded")
	})
}

func TestAGameThatRejectsIsNoSuccess(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.openAsking(func() (pay.Decision, error) { return pay.Decision{Reason: "out_of_stock"}, nil })
		defer stop()
		w.newGame(g, pay.Game{ID: game, ConfirmURL: "https://games.example/confirm"})
		done, err := g.Trigger(w.Context(), game, pay.PaymentSucceededEvent)
		if pay.CodeOf(err) != pay.SessionNotPending || !strings.Contains(err.Error(), "confirmation_rejected: out_of_stock") || done.Session == "" {
			t.Errorf("%+v, %v", done, err)
		}
	})
}

func TestWhatCannotBeTriggered(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		w.newGame(g, pay.Game{ID: game})
		for event, want := range map[pay.EventType]string{
			pay.RefundCancelledEvent: "nothing there leads to refund.cancelled",
			pay.ConfirmType:          `must be one of [session.created session.paid `,
			"payment.paid":           `refund.failed], got "payment.paid"`,
		} {
			if _, err := g.Trigger(w.Context(), game, event); pay.CodeOf(err) != pay.InvalidSetting || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", event, err)
			}
		}
		if _, err := g.Trigger(w.Context(), "no_such_game", pay.SessionPaidEvent); pay.CodeOf(err) != pay.NotFound {
			t.Error(err)
		}
	})
}

func (w *world) newGame(g *gateway.Service, settings pay.Game) {
	w.Helper()
	if _, err := g.CreateGame(w.Context(), settings); err != nil {
		w.Fatal(err)
	}
}

// wantTriggered triggers an event and waits for it, where it is said to come later: not
// much longer than was said.
func (w *world) wantTriggered(g *gateway.Service, id pay.GameID, event pay.EventType, now string) {
	w.Helper()
	done, err := g.Trigger(w.Context(), id, event)
	if err != nil {
		w.Fatal(id, event, err)
	}
	if diff := cmp.Diff(now, words(done.Events)); diff != "" {
		w.Errorf("%s of %s (-want +got):\n%s", event, id, diff)
	}
	if diff := cmp.Diff(now, w.eventsOf(done.Session)); diff != "" {
		w.Errorf("%s of %s, as it is stored (-want +got):\n%s", event, id, diff)
	}
	later := triggered[event].later
	if (later != "") != !done.Later.IsZero() {
		w.Fatalf("%s is to come at %v", event, done.Later)
	}
	if later == "" {
		return
	}
	time.Sleep(time.Until(done.Later) + time.Second)
	if diff := cmp.Diff(now+" "+later, w.eventsOf(done.Session)); diff != "" {
		w.Errorf("%s, a second after %v (-want +got):\n%s", event, done.Later, diff)
	}
}

func (w *world) eventsOf(id pay.SessionID) string {
	w.Helper()
	var types []pay.EventType
	err := w.store.View(w.Context(), func(r store.Reader) error {
		events, err := r.SessionEvents(id)
		slices.SortFunc(events, func(a, b pay.Event) int { return int(a.Sequence - b.Sequence) })
		types = nil
		for _, e := range events {
			types = append(types, e.Type)
		}
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return words(types)
}

func words(types []pay.EventType) string {
	var all []string
	for _, t := range types {
		all = append(all, string(t))
	}
	return strings.Join(all, " ")
}

// asker is a game's own answer.
type asker func() (pay.Decision, error)

func (a asker) Ask(context.Context, pay.Game, pay.Event, int) (pay.Decision, error) { return a() }
