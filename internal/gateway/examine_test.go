package gateway_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// examined is what a server finds that runs, by check.
func (w *world) examined(g *gateway.Service, e gateway.Examination) map[string]gateway.Finding {
	w.Helper()
	found := map[string]gateway.Finding{}
	e.Tell = func(f gateway.Finding) error {
		if _, twice := found[f.Check]; twice {
			w.Errorf("%s was told twice", f.Check)
		}
		found[f.Check] = f
		return nil
	}
	if err := g.Examine(w.Context(), e); err != nil {
		w.Fatal(err)
	}
	return found
}

// wantFound wants this verdict of one check, and all others to be all right.
func (w *world) wantFound(g *gateway.Service, e gateway.Examination, check string, verdict gateway.Verdict, found string) {
	w.Helper()
	all := w.examined(g, e)
	if _, told := all[check]; check != "" && !told {
		w.Errorf("nothing was told of %s", check)
	}
	for name, f := range all {
		switch {
		case name != check && f.Verdict != gateway.AllRight:
			w.Errorf("%s: %s %s; want it to be all right", name, f.Verdict, f.Found)
		case name == check && (f.Verdict != verdict || !strings.Contains(f.Found, found)):
			w.Errorf("%s: %s %s; want %s %s", name, f.Verdict, f.Found, verdict, found)
		case name == check && f.Verdict == gateway.Trouble && f.Advice == "":
			w.Errorf("%s: trouble, and no word on what to do", name)
		}
	}
}

func TestAPaymentThatNobodyLooksUpIsTroubleAfterAWhile(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		id := w.session(g, 1)
		w.line.loseAnswer.Store(true)
		stop()
		w.pay(g, id, card(good, 0))
		time.Sleep(9 * time.Minute)
		w.wantFound(g, gateway.Examination{}, "", "", "")
		time.Sleep(2 * time.Minute)
		w.wantFound(g, gateway.Examination{}, "payments", gateway.Trouble, "is processing")
		w.wantFound(g, gateway.Examination{Quick: true}, "payments", gateway.Trouble, string(id))
		w.wantFound(g, gateway.Examination{Stopped: true}, "payments", gateway.Noted, "1, the oldest since")
	})
}

// A player may leave at the bank's check, and it takes a while until that has failed.
func TestAPlayerAtTheBankIsNoTrouble(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		w.pay(g, w.session(g, 1), card(challenged, 0))
		stop() // so that nobody ends it
		time.Sleep(50 * time.Minute)
		w.wantFound(g, gateway.Examination{}, "", "", "")
		time.Sleep(11 * time.Minute)
		w.wantFound(g, gateway.Examination{}, "payments", gateway.Trouble, "is processing")
	})
}

func TestLateMoneyIsToldUntilItIsReturned(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		var noted []pay.PaymentID
		for range 2 {
			id := w.session(g, 1)
			p := w.pay(g, id, card("4000000000000002", 0)).Payment
			noted = append(noted, p.ID)
			if err := w.store.Update(w.Context(), id, func(tx store.Tx) error { return tx.NoteLate(p.ID, pay.LateOwed, pay.Clock(time.Now())) }); err != nil {
				w.Fatal(err)
			}
		}
		w.wantFound(g, gateway.Examination{}, "late money", gateway.AllRight, "none is held")
		stop()
		time.Sleep(11 * time.Minute)
		w.wantFound(g, gateway.Examination{}, "late money", gateway.Trouble, string(noted[0]))
		w.wantFound(g, gateway.Examination{Stopped: true}, "late money", gateway.Noted, "2, the oldest since")
		kept, err := g.Payment(w.Context(), w.caller, noted[1])
		if err != nil {
			w.Fatal(err)
		}
		if err := w.store.Update(w.Context(), kept.Session, func(tx store.Tx) error { return tx.NoteLate(kept.ID, pay.LateKept, kept.LateAt) }); err != nil {
			w.Fatal(err)
		}
		w.wantFound(g, gateway.Examination{Stopped: true}, "late money", gateway.Trouble, "would not take it back: 1, ")
	})
}

func TestACaptureThatIsHalfDoneIsNoted(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		p := w.authorized(g)
		stop()
		w.line.loseCall.Store(true)
		if _, err := g.CompletePayment(w.Context(), w.caller, p.ID, gateway.Idempotency{}); err == nil {
			w.Fatal("the call was to be lost")
		}
		w.wantFound(g, gateway.Examination{}, "captures", gateway.Noted, string(p.ID))
	})
}

func TestARefundThatTakesAWeekIsTrouble(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		p := w.bought(g, good)
		stop()
		r := w.pendingRefund(g, p)
		time.Sleep(23 * time.Hour)
		w.wantFound(g, gateway.Examination{}, "", "", "")
		time.Sleep(2 * time.Hour)
		w.wantFound(g, gateway.Examination{}, "refunds", gateway.Noted, string(r))
		time.Sleep(7 * 24 * time.Hour)
		w.wantFound(g, gateway.Examination{}, "refunds", gateway.Trouble, string(r))
	})
}

// pendingRefund is a refund of all of a payment that its provider was never asked for.
func (w *world) pendingRefund(g *gateway.Service, p pay.Payment) pay.RefundID {
	w.Helper()
	history, err := g.History(w.Context(), p.Session)
	if err != nil {
		w.Fatal(err)
	}
	id := pay.NewRefundID(time.Now(), pay.Entropy{1})
	err = w.store.Update(w.Context(), p.Session, func(tx store.Tx) error {
		c, err := history.Session.StartRefund(p, id, pay.RefundOrder{}, time.Now())
		if err != nil {
			return err
		}
		for i := range c.Events {
			c.Events[i].Payload = []byte("{}")
		}
		return tx.Apply(c)
	})
	if err != nil {
		w.Fatal(err)
	}
	return id
}

func TestASessionThatNobodyEndsIsTrouble(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		id := w.session(g, 1)
		stop()
		time.Sleep(24*time.Hour + 11*time.Minute)
		w.wantFound(g, gateway.Examination{}, "deadlines", gateway.Trouble, string(id))
		w.wantFound(g, gateway.Examination{Stopped: true}, "deadlines", gateway.Noted, string(id))
	})
}

func TestAClockThatIsBehindIsTrouble(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		w.session(g, 1)
		w.clock.by.Store(int64(-30 * time.Second))
		w.wantFound(g, gateway.Examination{}, "", "", "")
		w.clock.by.Store(int64(-2 * time.Hour))
		w.wantFound(g, gateway.Examination{}, "clock", gateway.Trouble, "the latest events in sandbox are of")
	})
}

func TestEndpointsThatReceiveNothingAreTold(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		w.newGame(g, pay.Game{ID: game})
		e, _, err := g.CreateEndpoint(w.Context(), pay.Endpoint{Environment: pay.Sandbox, Game: game, URL: "http://localhost:1/"})
		if err != nil {
			w.Fatal(err)
		}
		w.wantFound(g, gateway.Examination{}, "", "", "")
		if _, err := g.UpdateEndpoint(w.Context(), e.ID, func(e *pay.Endpoint) { e.Enabled = false }); err != nil {
			w.Fatal(err)
		}
		w.wantFound(g, gateway.Examination{}, "endpoints", gateway.Noted, string(e.ID))
		if _, err := g.UpdateEndpoint(w.Context(), e.ID, func(e *pay.Endpoint) { e.Enabled = true }); err != nil {
			w.Fatal(err)
		}
		w.session(g, 1)
		time.Sleep(9 * time.Minute) // nobody delivers here
		w.wantFound(g, gateway.Examination{}, "", "", "")
		time.Sleep(2 * time.Minute)
		w.wantFound(g, gateway.Examination{}, "webhooks", gateway.Trouble, "wait to be delivered since")
		w.wantFound(g, gateway.Examination{Stopped: true}, "webhooks", gateway.Noted, "")
		w.give(e.ID, func(d pay.Delivery, now time.Time) store.Outcome {
			return store.Outcome{Attempt: pay.Attempt{Delivery: d.ID, Number: d.Attempts + 1, At: now, Status: 500}}
		})
		w.wantFound(g, gateway.Examination{}, "deliveries", gateway.Trouble, "1 to "+string(e.ID))
		time.Sleep(11 * time.Minute)
		if f := w.examined(g, gateway.Examination{})["endpoints"]; f.Verdict != gateway.Trouble || !strings.Contains(f.Found, "has only failed since") {
			w.Errorf("endpoints: %+v", f)
		}
		if _, err := g.UpdateEndpoint(w.Context(), e.ID, func(e *pay.Endpoint) { e.Enabled, e.Disabled = false, "it answered 410 Gone" }); err != nil {
			w.Fatal(err)
		}
		if f := w.examined(g, gateway.Examination{})["endpoints"]; f.Verdict != gateway.Trouble || !strings.Contains(f.Found, "410 Gone") {
			w.Errorf("endpoints: %+v", f)
		}
	})
}

// give makes the attempt of every delivery that is due to an endpoint.
func (w *world) give(to pay.EndpointID, attempt func(pay.Delivery, time.Time) store.Outcome) {
	w.Helper()
	now := pay.Clock(time.Now())
	due, err := w.store.Claim(w.Context(), to, now, now.Add(time.Minute), 100)
	if err != nil || len(due) == 0 {
		w.Fatalf("%d deliveries are due, %v", len(due), err)
	}
	for _, d := range due {
		if err := w.store.Record(w.Context(), attempt(d, now)); err != nil {
			w.Fatal(err)
		}
	}
}

func TestSecretsOfAnotherKeyAreTrouble(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		w.newGame(g, pay.Game{ID: game})
		e, _, err := g.CreateEndpoint(w.Context(), pay.Endpoint{Environment: pay.Sandbox, Game: game, URL: "http://localhost:1/"})
		if err != nil {
			w.Fatal(err)
		}
		if f := w.examined(g, gateway.Examination{})["key"]; f.Verdict != gateway.AllRight || !strings.Contains(f.Found, "opens all 1") {
			w.Errorf("key: %+v", f)
		}
		_, err = g.UpdateEndpoint(w.Context(), e.ID, func(e *pay.Endpoint) { e.Secrets[0].Sealed[20] ^= 1 })
		if err != nil {
			w.Fatal(err)
		}
		w.wantFound(g, gateway.Examination{}, "key", gateway.Trouble, "does not open 1 of 1 stored secrets: "+string(e.ID))
	})
}

func TestAnExaminationEndsWhenNobodyListens(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		gone := errors.New("gone")
		told := 0
		err := g.Examine(w.Context(), gateway.Examination{Tell: func(gateway.Finding) error { told++; return gone }})
		if !errors.Is(err, gone) || told != 1 {
			w.Errorf("%v after %d findings", err, told)
		}
	})
}

func TestASecondBackupAtTheSameTimeIsRefused(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		w.session(g, 1)
		var second error
		err := g.Backup(w.Context(), func(string, []byte, int64) error {
			second = g.Backup(w.Context(), func(string, []byte, int64) error { return nil })
			return nil
		})
		if err != nil || pay.CodeOf(second) != pay.Unavailable {
			w.Errorf("the first: %v; the second: %v", err, second)
		}
		if err := g.Backup(w.Context(), func(string, []byte, int64) error { return nil }); err != nil {
			w.Errorf("after them: %v", err)
		}
	})
}

func TestABackupIsBrokenOffAfterTwoHours(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		for range 300 {
			w.session(g, 1)
		}
		err := g.Backup(w.Context(), func(string, []byte, int64) error { time.Sleep(3 * time.Hour); return nil })
		if pay.CodeOf(err) != pay.Unavailable || !strings.Contains(err.Error(), "longer than 2h0m0s") {
			w.Errorf("got %v", err)
		}
	})
}
