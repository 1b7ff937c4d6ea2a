package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
	"github.com/coinslot/coinslot/internal/store"
)

func (l *line) Refund(ctx context.Context, r provider.Return) (pay.RefundOutcome, error) {
	if l.loseCall.Load() {
		return pay.RefundOutcome{}, errNoAnswer
	}
	time.Sleep(time.Duration(l.slow.Load()))
	outcome, err := l.Provider.Refund(ctx, r)
	if l.loseAnswer.Load() {
		return pay.RefundOutcome{}, errNoAnswer
	}
	return outcome, err
}

func (l *line) LookupRefund(ctx context.Context, p pay.PaymentID, id pay.RefundID) (pay.RefundOutcome, error) {
	if l.loseCall.Load() || l.loseAnswer.Load() {
		return pay.RefundOutcome{}, errNoAnswer
	}
	return l.Provider.LookupRefund(ctx, p, id)
}

// The cards whose refunds are pending for ten seconds.
const (
	returnsSlowly = "4000000000007726"
	failsRefunds  = "4000000000005126"
)

// bought is a payment by a card that succeeded.
func (w *world) bought(g *gateway.Service, number string) pay.Payment {
	w.Helper()
	c := w.pay(g, w.session(g, 1), card(number, 0))
	if c.Payment.Status != pay.PaymentSucceeded {
		w.Fatalf("payment %s, want succeeded", c.Payment.Status)
	}
	return *c.Payment
}

// part is an order of an amount; 0 is all that is left.
func part(p pay.Payment, amount int64) pay.RefundOrder {
	if amount == 0 {
		return pay.RefundOrder{Payment: p.ID}
	}
	return pay.RefundOrder{Payment: p.ID, Amount: &amount}
}

func (w *world) refund(g *gateway.Service, o pay.RefundOrder) pay.Refund {
	w.Helper()
	r, _, err := g.CreateRefund(w.Context(), w.caller, o, gateway.Idempotency{})
	if err != nil {
		w.Fatal(err)
	}
	return r
}

func (w *world) refuses(g *gateway.Service, o pay.RefundOrder, want pay.Code) {
	w.Helper()
	if r, _, err := g.CreateRefund(w.Context(), w.caller, o, gateway.Idempotency{}); pay.CodeOf(err) != want {
		w.Errorf("got %+v, %v; want %s", r, err, want)
	}
}

func (w *world) wantRefund(g *gateway.Service, id pay.RefundID, want pay.RefundStatus) {
	w.Helper()
	if r, err := g.Refund(w.Context(), w.caller, id); err != nil || r.Status != want {
		w.Errorf("refund %s, %v; want %s", r.Status, err, want)
	}
}

// returned holds the provider's books of a payment against what should have been returned.
func (w *world) returned(p pay.PaymentID, want int64) {
	w.Helper()
	raw, err := w.ledger.Load(w.Context(), string(p))
	if err != nil {
		w.Fatal(err)
	}
	var book struct {
		Refunds []struct {
			ID     string
			Amount int64
		}
		History []struct{ Did, Refund string }
	}
	if err := json.Unmarshal(raw, &book); err != nil {
		w.Fatal(err)
	}
	got := int64(0)
	for _, step := range book.History {
		for _, r := range book.Refunds {
			if step.Did == "returned" && r.ID == step.Refund {
				got += r.Amount
			}
		}
	}
	if got != want {
		w.Errorf("the provider returned %d, want %d: %s", got, want, raw)
	}
}

func TestARefundIsDoneWhenItIsAnswered(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		p := w.bought(g, good)
		r := w.refund(g, part(p, 100))
		if r.Status != pay.RefundSucceeded || r.Amount.Amount != 100 || r.Reference == "" || r.SucceededAt.IsZero() {
			w.Errorf("refund %+v", r)
		}
		w.returned(p.ID, 100)
		w.wantPayment(g, p.ID, pay.PaymentSucceeded)
		w.refuses(g, part(p, 400), pay.InvalidAmount)
		if rest := w.refund(g, part(p, 0)); rest.Amount.Amount != 399 {
			w.Errorf("all that is left is %d, want 399", rest.Amount.Amount)
		}
		w.returned(p.ID, 499)
		w.wantPayment(g, p.ID, pay.PaymentRefunded)
		w.refuses(g, part(p, 1), pay.AlreadyRefunded)
	})
}

func TestARefundsKeyIsOfOneRefund(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		p := w.bought(g, returnsSlowly)
		key := gateway.Idempotency{Key: "k", Fingerprint: [32]byte{1}}
		first, replayed, err := g.CreateRefund(w.Context(), w.caller, part(p, 100), key)
		if err != nil || replayed || first.Status != pay.RefundPending {
			w.Fatalf("%+v, replayed %t, %v", first, replayed, err)
		}
		time.Sleep(time.Minute)
		rotated := w.caller
		rotated.Key = "key_other"
		again, replayed, err := g.CreateRefund(w.Context(), rotated, part(p, 100), key)
		if err != nil || !replayed || again.ID != first.ID || again.Status != pay.RefundSucceeded {
			w.Errorf("with the key that the first was rotated to: %+v, replayed %t, %v", again, replayed, err)
		}
		other := gateway.Idempotency{Key: "k", Fingerprint: [32]byte{2}}
		if _, _, err := g.CreateRefund(w.Context(), w.caller, part(p, 101), other); pay.CodeOf(err) != pay.IdempotencyConflict {
			w.Errorf("the key with another request: %v", err)
		}
		refusedKey := gateway.Idempotency{Key: "refused", Fingerprint: [32]byte{3}}
		if _, _, err := g.CreateRefund(w.Context(), w.caller, part(p, 400), refusedKey); pay.CodeOf(err) != pay.InvalidAmount {
			w.Errorf("too much: %v", err)
		}
		if _, replayed, err := g.CreateRefund(w.Context(), w.caller, part(p, 1), refusedKey); err != nil || replayed {
			w.Errorf("a refusal was remembered: replayed %t, %v", replayed, err)
		}
		time.Sleep(time.Minute)
		w.returned(p.ID, 101)
	})
}

func TestConcurrentRepeatsMakeOneRefund(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		p := w.bought(g, good)
		const callers = 20
		ids, firsts := make([]pay.RefundID, callers), make([]bool, callers)
		var all sync.WaitGroup
		for i := range callers {
			all.Go(func() {
				r, replayed, err := g.CreateRefund(w.Context(), w.caller, part(p, 10), gateway.Idempotency{Key: "k"})
				if err != nil {
					w.Error(err)
				}
				ids[i], firsts[i] = r.ID, !replayed
			})
		}
		all.Wait()
		first := 0
		for i := range callers {
			if ids[i] != ids[0] {
				w.Errorf("refunds %s and %s", ids[0], ids[i])
			}
			if firsts[i] {
				first++
			}
		}
		if first != 1 {
			w.Errorf("%d callers were told that theirs is the first", first)
		}
		w.returned(p.ID, 10)
	})
}

func TestConcurrentRefundsNeverReturnMoreThanWasPaid(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		p := w.bought(g, good)
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() {
				_, _, err := g.CreateRefund(w.Context(), w.caller, part(p, 100), gateway.Idempotency{})
				if err != nil && pay.CodeOf(err) != pay.InvalidAmount {
					w.Error(err)
				}
			})
		}
		all.Wait()
		w.returned(p.ID, 400)
		w.refund(g, part(p, 0))
		w.returned(p.ID, 499)
		w.wantPayment(g, p.ID, pay.PaymentRefunded)
	})
}

func TestARefundWhoseAnswerWasLostIsFoundOutAndNeverReturnedTwice(t *testing.T) {
	for name, lost := range map[string]func(*line, bool){
		"the call":   func(l *line, on bool) { l.loseCall.Store(on) },
		"the answer": func(l *line, on bool) { l.loseAnswer.Store(on) },
	} {
		for _, within := range []time.Duration{2 * time.Second, time.Minute} { // by this call itself, by reconciliation
			t.Run(fmt.Sprintf("%s, for %v", name, within), func(t *testing.T) {
				play(t, func(w *world) {
					g, stop := w.open()
					defer stop()
					p := w.bought(g, good)
					lost(w.line, true)
					begun := time.Now()
					r := w.refund(g, part(p, 0))
					if waited := time.Since(begun); r.Status != pay.RefundPending || waited > 4*time.Second {
						w.Errorf("refund %s after %v", r.Status, waited)
					}
					w.refuses(g, part(p, 1), pay.AlreadyRefunded) // it may have been returned
					time.Sleep(within)
					w.wantRefund(g, r.ID, pay.RefundPending)
					lost(w.line, false)
					time.Sleep(within + 10*time.Second)
					w.wantRefund(g, r.ID, pay.RefundSucceeded)
					w.wantPayment(g, p.ID, pay.PaymentRefunded)
					w.returned(p.ID, 499)
				})
			})
		}
	}
}

func TestARefundOfAProcessThatDiedIsFinishedByTheNext(t *testing.T) {
	for name, lost := range map[string]func(*line, bool){
		"before the provider was asked": func(l *line, on bool) { l.loseCall.Store(on) },
		"before it answered":            func(l *line, on bool) { l.loseAnswer.Store(on) },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(w *world) {
				g, stop := w.open()
				p := w.bought(g, good)
				lost(w.line, true)
				stop() // from here on nobody looks anything up
				r := w.refund(g, part(p, 200))
				w.wantRefund(g, r.ID, pay.RefundPending)
				lost(w.line, false)
				w.clock.by.Store(int64(-2 * time.Hour)) // nor does a clock that was set back hide it
				again, stop := w.open()
				defer stop()
				synctest.Wait()
				w.wantRefund(again, r.ID, pay.RefundSucceeded)
				w.returned(p.ID, 200)
				w.refuses(again, part(p, 300), pay.InvalidAmount)
			})
		})
	}
}

func TestAProviderThatIsSlowToAnswerKeepsTheCallerForAWhileOnly(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		p := w.bought(g, good)
		w.line.slow.Store(int64(20 * time.Second))
		begun := time.Now()
		r := w.refund(g, part(p, 0))
		if waited := time.Since(begun); r.Status != pay.RefundPending || waited != 3*time.Second {
			w.Errorf("refund %s after %v, want it pending after 3 s", r.Status, waited)
		}
		time.Sleep(20 * time.Second)
		w.wantRefund(g, r.ID, pay.RefundSucceeded)
		w.returned(p.ID, 499)
	})
}

func TestARefundIsDoneThoughItsCallerHasGone(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		p := w.bought(g, good)
		w.line.slow.Store(int64(time.Second))
		ctx, cancel := context.WithTimeout(w.Context(), time.Millisecond)
		defer cancel()
		if r, _, err := g.CreateRefund(ctx, w.caller, part(p, 0), gateway.Idempotency{}); err != nil || r.Status != pay.RefundPending {
			w.Errorf("refund %+v, %v", r, err)
		}
		time.Sleep(2 * time.Second)
		w.wantPayment(g, p.ID, pay.PaymentRefunded)
		w.returned(p.ID, 499)
	})
}

func TestARefundThatTakesItsTimeIsAnsweredAtOnceAndEnds(t *testing.T) {
	for number, want := range map[string]pay.RefundStatus{returnsSlowly: pay.RefundSucceeded, failsRefunds: pay.RefundFailed} {
		t.Run(string(want), func(t *testing.T) {
			play(t, func(w *world) {
				g, stop := w.open()
				defer stop()
				p := w.bought(g, number)
				begun := time.Now()
				r := w.refund(g, part(p, 0))
				if waited := time.Since(begun); r.Status != pay.RefundPending || waited > time.Second {
					w.Errorf("refund %s after %v", r.Status, waited)
				}
				time.Sleep(9 * time.Second)
				w.wantRefund(g, r.ID, pay.RefundPending)
				time.Sleep(10 * time.Second)
				w.wantRefund(g, r.ID, want)
				if want == pay.RefundSucceeded {
					w.returned(p.ID, 499)
					w.wantPayment(g, p.ID, pay.PaymentRefunded)
					return
				}
				w.returned(p.ID, 0)
				w.wantPayment(g, p.ID, pay.PaymentSucceeded)
				if again := w.refund(g, part(p, 0)); again.Amount.Amount != 499 { // the money is free again
					w.Errorf("refund of %d", again.Amount.Amount)
				}
			})
		})
	}
}

func TestRefundsAreForWhoMaySeeAndChangeThem(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		p := w.bought(g, good)
		if _, err := g.CreateGame(w.Context(), pay.Game{ID: "chess"}); err != nil {
			w.Fatal(err)
		}
		r := w.refund(g, part(p, 100))
		events, err := g.Events(w.Context(), w.caller, store.EventQuery{Session: p.Session, Limit: 10})
		if err != nil || len(events.Rows) != 6 {
			w.Fatalf("%d events, %v", len(events.Rows), err)
		}
		for name, c := range map[string]gateway.Caller{
			"of another game":        {Environment: pay.Sandbox, Game: "chess"},
			"of another environment": {Environment: pay.Production},
		} {
			_, _, errCreate := g.CreateRefund(w.Context(), c, part(p, 0), gateway.Idempotency{})
			_, errRefund := g.Refund(w.Context(), c, r.ID)
			_, errEvent := g.Event(w.Context(), c, events.Rows[0].ID)
			got := []pay.Code{pay.CodeOf(errCreate), pay.CodeOf(errRefund), pay.CodeOf(errEvent)}
			if diff := cmp.Diff([]pay.Code{pay.PaymentNotFound, pay.RefundNotFound, pay.EventNotFound}, got); diff != "" {
				w.Errorf("a key %s (-want +got):\n%s", name, diff)
			}
			list, err := g.Refunds(w.Context(), c, store.RefundQuery{Window: store.Window{Limit: 10}})
			ofPayment, err2 := g.Refunds(w.Context(), c, store.RefundQuery{Payment: p.ID, Window: store.Window{Limit: 10}})
			feed, err3 := g.Events(w.Context(), c, store.EventQuery{Limit: 10})
			ofSession, err4 := g.Events(w.Context(), c, store.EventQuery{Session: p.Session, Limit: 10})
			if list.Total != 0 || ofPayment.Total != 0 || len(feed.Rows) != 0 || len(ofSession.Rows) != 0 || err != nil || err2 != nil || err3 != nil || err4 != nil {
				w.Errorf("a key %s sees %d and %d refunds, %d and %d events; %v %v %v %v", name,
					list.Total, ofPayment.Total, len(feed.Rows), len(ofSession.Rows), err, err2, err3, err4)
			}
		}
		chess := gateway.Caller{Environment: pay.Sandbox, Game: "chess"}
		if _, err := g.Refunds(w.Context(), chess, store.RefundQuery{Game: game, Window: store.Window{Limit: 10}}); pay.CodeOf(err) != pay.InvalidGameID {
			w.Errorf("refunds of a game that the key does not cover: %v", err)
		}
		if _, err := g.Events(w.Context(), chess, store.EventQuery{Game: game, Limit: 10}); pay.CodeOf(err) != pay.InvalidGameID {
			w.Errorf("events of a game that the key does not cover: %v", err)
		}
		reader := w.caller
		reader.ReadOnly = true
		if _, _, err := g.CreateRefund(w.Context(), reader, part(p, 0), gateway.Idempotency{}); pay.CodeOf(err) != pay.Forbidden {
			w.Errorf("a key that is limited to reading: %v", err)
		}
		w.wantRefund(g, r.ID, pay.RefundSucceeded)
		if _, err := g.Refund(w.Context(), reader, r.ID); err != nil {
			w.Error(err)
		}
		w.returned(p.ID, 100)
	})
}

func TestWhatWasNotPaidIsNotRefunded(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		held := w.authorized(g)
		w.refuses(g, part(held, 0), pay.RefundNotAllowed)
		w.refuses(g, pay.RefundOrder{Payment: "pay_unknown"}, pay.PaymentNotFound)
		w.wantPayment(g, held.ID, pay.PaymentAuthorized)
	})
}

// odd is a provider that has forgotten its books, or has a bug, once it is told so.
type odd struct {
	provider.Provider
	forgetful, mad atomic.Bool
}

func (o *odd) Refund(ctx context.Context, r provider.Return) (pay.RefundOutcome, error) {
	switch {
	case o.mad.Load():
		panic("a bug of the provider's")
	case o.forgetful.Load():
		return pay.RefundOutcome{}, provider.ErrUnknownPayment
	}
	return o.Provider.Refund(ctx, r)
}

func (o *odd) LookupRefund(ctx context.Context, p pay.PaymentID, id pay.RefundID) (pay.RefundOutcome, error) {
	switch {
	case o.mad.Load():
		panic("a bug of the provider's")
	case o.forgetful.Load():
		return pay.RefundOutcome{}, provider.ErrUnknownRefund
	}
	return o.Provider.LookupRefund(ctx, p, id)
}

// What no asking again can change is not asked for ever.
func TestARefundOfAPaymentThatTheProviderForgotFails(t *testing.T) {
	play(t, func(w *world) {
		behind := &odd{Provider: w.line.Provider}
		w.line.Provider = behind
		g, stop := w.open()
		defer stop()
		p := w.bought(g, good)
		behind.forgetful.Store(true)
		r := w.refund(g, part(p, 0))
		time.Sleep(2 * time.Minute)
		w.wantRefund(g, r.ID, pay.RefundFailed)
		w.wantPayment(g, p.ID, pay.PaymentSucceeded)
		w.returned(p.ID, 0)
	})
}

func TestAPanicOfTheProviderEndsNothing(t *testing.T) {
	play(t, func(w *world) {
		behind := &odd{Provider: w.line.Provider}
		w.line.Provider = behind
		g, stop := w.open()
		defer stop()
		p := w.bought(g, good)
		behind.mad.Store(true)
		r := w.refund(g, part(p, 0))
		time.Sleep(3 * time.Minute) // of reconciliation, too
		w.wantRefund(g, r.ID, pay.RefundPending)
		behind.mad.Store(false)
		time.Sleep(2 * time.Minute)
		w.wantRefund(g, r.ID, pay.RefundSucceeded)
		w.returned(p.ID, 499)
	})
}

func TestTheFeedTellsNothingOfSessionsOfOtherGames(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		p := w.bought(g, good)
		stranger := gateway.Caller{Environment: pay.Sandbox, Game: "chess"}
		for _, session := range []pay.SessionID{p.Session, "sess_nobodys"} {
			feed, err := g.Events(w.Context(), stranger, store.EventQuery{Session: session, Limit: 10})
			if err != nil || len(feed.Rows) > 0 || feed.Next != 0 || feed.More {
				w.Errorf("%s: %+v, %v", session, feed, err)
			}
		}
	})
}

func TestWhatOthersSellMovesNobodysPlace(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		stranger := gateway.Caller{Key: "key_1", Environment: pay.Sandbox, Game: "chess"}
		before, err := g.Latest(w.Context(), stranger, "")
		if err != nil {
			w.Fatal(err)
		}
		w.bought(g, good)
		if after, err := g.Latest(w.Context(), stranger, ""); err != nil || after != before {
			w.Errorf("the place moved from %d to %d, %v", before, after, err)
		}
		operator := gateway.Caller{Environment: pay.Sandbox}
		at := store.Place{Position: 1, Cursor: "here"}
		if _, err := g.Acknowledge(w.Context(), gateway.Caller{Key: "key_1", Environment: pay.Sandbox}, "listen:dev", at); err != nil {
			w.Fatal(err)
		}
		if place, err := g.Consumer(w.Context(), operator, "listen:dev"); err != nil || place != (store.Place{}) {
			w.Errorf("a key has moved the operator's listener to %+v, %v", place, err)
		}
	})
}
