package gateway_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
	"github.com/coinslot/coinslot/internal/store"
)

const (
	challenged         = "4000002500003155"
	challengedDeclined = "4000008400001629"
	takesTime          = "4000009900000012"
	neverAnswers       = "4000009900000020"
	reportsThrice      = "4000009900000038"
	reportsEarly       = "4000009900000046"
	succeedsLate       = "4000009900000053"
	reportsMixed       = "4000009900000061"
)

// did is how often the provider's own books say that something was done with a payment.
func (w *world) did(id pay.PaymentID, what string) (n int) {
	w.Helper()
	raw, err := w.ledger.Load(w.Context(), string(id))
	if err != nil {
		w.Fatal(err)
	}
	var book struct{ History []struct{ Did string } }
	if raw != nil {
		if err := json.Unmarshal(raw, &book); err != nil {
			w.Fatal(err)
		}
	}
	for _, s := range book.History {
		if s.Did == what {
			n++
		}
	}
	return n
}

// wantEnd wants how a session and its latest payment stand.
func (w *world) wantEnd(g *gateway.Service, id pay.SessionID, session pay.SessionStatus, payment pay.PaymentStatus, code pay.FailureCode) pay.Payment {
	w.Helper()
	c := w.look(g, id)
	got := pay.FailureCode("")
	if c.Payment.Failure != nil {
		got = c.Payment.Failure.Code
	}
	if c.Session.Status != session || c.Payment.Status != payment || got != code {
		w.Errorf("session %s, payment %s %q; want %s, %s %q", c.Session.Status, c.Payment.Status, got, session, payment, code)
	}
	return *c.Payment
}

// wantEvents wants all events of a session, in order.
func (w *world) wantEvents(id pay.SessionID, want string) {
	w.Helper()
	var got []string
	if err := w.store.View(w.Context(), func(r store.Reader) error {
		events, err := r.SessionEvents(id)
		got = nil
		for _, e := range events {
			got = append(got, string(e.Type))
		}
		return err
	}); err != nil {
		w.Fatal(err)
	}
	if text := strings.Join(got, " "); text != want {
		w.Errorf("events: %s, want %s", text, want)
	}
}

const onePayment = "session.created payment.created payment.succeeded session.paid"

func TestEachReportedCardIsPaidOnceWhateverIsReported(t *testing.T) {
	for name, number := range map[string]string{
		"three times": reportsThrice, "before the answer": reportsEarly, "out of order": reportsMixed, "after ten seconds": takesTime,
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(w *world) {
				g, stop := w.open()
				defer stop()
				id := w.session(g, 1)
				w.pay(g, id, card(number, 0))
				time.Sleep(12 * time.Second)
				p := w.wantEnd(g, id, pay.SessionPaid, pay.PaymentSucceeded, "")
				w.wantEvents(id, onePayment)
				if n := w.did(p.ID, "taken"); n != 1 {
					w.Errorf("taken %d times", n)
				}
			})
		})
	}
}

// A player is not kept waiting for what takes its time, and a report tells when it is done
// sooner than any look would.
func TestADelayedPaymentIsProcessingUntilItsReport(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		id := w.session(g, 1)
		began := time.Now()
		c := w.pay(g, id, card(takesTime, 0))
		if c.Payment.Status != pay.PaymentProcessing || time.Since(began) > time.Second {
			w.Errorf("after %v it is %s", time.Since(began), c.Payment.Status)
		}
		stop()
		g, stop = w.open()
		defer stop()
		time.Sleep(10*time.Second - time.Since(began) + time.Millisecond)
		w.wantEnd(g, id, pay.SessionPaid, pay.PaymentSucceeded, "")
	})
}

// What is never answered is unknown for as long as a call may take, and was never charged.
func TestAPaymentThatIsNeverAnsweredEndsUncharged(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		id := w.session(g, 1)
		if c := w.pay(g, id, card(neverAnswers, 0)); c.Payment.Status != pay.PaymentProcessing {
			w.Errorf("it is %s", c.Payment.Status)
		}
		time.Sleep(26 * time.Second)
		if c := w.look(g, id); c.Payment.Status != pay.PaymentProcessing {
			w.Errorf("after half a minute it is %s", c.Payment.Status)
		}
		time.Sleep(5 * time.Second)
		p := w.wantEnd(g, id, pay.SessionFailed, pay.PaymentFailed, pay.ProviderUnavailable)
		time.Sleep(24 * time.Hour)
		if w.did(p.ID, "taken")+w.did(p.ID, "held") != 0 {
			w.Error("it was charged later")
		}
	})
}

func TestAChallengeIsKeptUntilItIsAnswered(t *testing.T) {
	for name, c := range map[string]struct {
		number   string
		approved bool
		session  pay.SessionStatus
		payment  pay.PaymentStatus
		code     pay.FailureCode
	}{
		"approved":               {challenged, true, pay.SessionPaid, pay.PaymentSucceeded, ""},
		"refused":                {challenged, false, pay.SessionFailed, pay.PaymentFailed, pay.AuthenticationFailed},
		"approved, and declined": {challengedDeclined, true, pay.SessionFailed, pay.PaymentFailed, pay.CardDeclined},
		"refused, not declined":  {challengedDeclined, false, pay.SessionFailed, pay.PaymentFailed, pay.AuthenticationFailed},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(w *world) {
				g, stop := w.open()
				id := w.session(g, 1)
				began := time.Now()
				first := w.pay(g, id, card(c.number, 0)).Payment
				if first.Status != pay.PaymentProcessing || first.Action == "" || time.Since(began) > time.Second {
					w.Fatalf("after %v it is %s, action %q", time.Since(began), first.Status, first.Action)
				}
				stop()
				g, stop = w.open()
				defer stop()
				time.Sleep(5 * time.Minute)
				if now := w.look(g, id).Payment; now.Action != first.Action || now.Version != first.Version {
					w.Errorf("after a restart the action is %q, the version %d", now.Action, now.Version)
				}
				if _, open, err := g.Challenged(w.Context(), id); err != nil || !open {
					w.Errorf("challenged: %t and error %v", open, err)
				}
				if _, err := g.Answer(w.Context(), id, 7, true); err != nil {
					w.Error(err)
				}
				for range 2 {
					if _, err := g.Answer(w.Context(), id, 0, c.approved); err != nil {
						w.Error(err)
					}
				}
				if _, err := g.Answer(w.Context(), id, 0, !c.approved); err != nil {
					w.Error(err)
				}
				if p := w.wantEnd(g, id, c.session, c.payment, c.code); p.Action != "" {
					w.Errorf("it has ended, and the action is %q", p.Action)
				}
				if _, open, err := g.Challenged(w.Context(), id); err != nil || open {
					w.Errorf("challenged: %t and error %v", open, err)
				}
			})
		})
	}
}

// A player who never comes back ends the payment, heard of or not.
func TestAnUnansweredChallengeFails(t *testing.T) {
	for name, deaf := range map[string]bool{"and is reported": false, "and no report gets through": true} {
		t.Run(name, func(t *testing.T) {
			play(t, func(w *world) {
				w.line.deaf.Store(deaf)
				g, stop := w.open()
				defer stop()
				id := w.session(g, 1)
				w.pay(g, id, card(challenged, 0))
				time.Sleep(14 * time.Minute)
				if c := w.look(g, id); c.Payment.Action == "" {
					w.Error("it has given up already")
				}
				time.Sleep(2*time.Minute + time.Second)
				w.wantEnd(g, id, pay.SessionFailed, pay.PaymentFailed, pay.AuthenticationFailed)
			})
		})
	}
}

// A process that died before it noted where the player must go leaves that to be found out.
func TestWhereThePlayerMustGoIsFoundOutAgain(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		id := w.session(g, 1)
		first := w.pay(g, id, card(challenged, 0)).Payment
		stop()
		if err := w.store.Update(w.Context(), id, func(tx store.Tx) error { return tx.Direct(first.ID, "") }); err != nil {
			w.Fatal(err)
		}
		g, stop = w.open()
		defer stop()
		time.Sleep(time.Second)
		if now := w.look(g, id).Payment; now.Action != first.Action || now.Action == "" {
			w.Errorf("after a restart the action is %q, want %q", now.Action, first.Action)
		}
		if _, err := g.Answer(w.Context(), id, 0, true); err != nil {
			w.Error(err)
		}
		w.wantEnd(g, id, pay.SessionPaid, pay.PaymentSucceeded, "")
	})
}

// A game that is asked beforehand is asked once about a payment whose player had to confirm.
func TestAGameIsAskedOnceTheChallengeIsMet(t *testing.T) {
	play(t, func(w *world) {
		a := w.asking("approve")
		w.asker = a
		g, stop := w.open()
		defer stop()
		id := w.sessionOf(g, asksFirst)
		w.pay(g, id, card(challenged, 0))
		time.Sleep(time.Minute) // nobody pursues it any more
		if _, err := g.Answer(w.Context(), id, 0, true); err != nil {
			w.Error(err)
		}
		time.Sleep(time.Second)
		w.wantEnd(g, id, pay.SessionPaid, pay.PaymentSucceeded, "")
		if len(a.ids) != 1 {
			w.Errorf("it was asked %d times", len(a.ids))
		}
	})
}

func TestARefundThatTakesItsTimeEndsWithItsReport(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		id := w.session(g, 1)
		p := w.pay(g, id, card("4000000000007726", 0)).Payment
		r, _, err := g.CreateRefund(w.Context(), w.caller, pay.RefundOrder{Payment: p.ID}, gateway.Idempotency{})
		if err != nil || r.Status != pay.RefundPending {
			w.Fatalf("%s and error %v", r.Status, err)
		}
		stop()
		g, stop = w.open() // nobody pursues it any more
		defer stop()
		time.Sleep(10*time.Second + time.Millisecond)
		if r, err = g.Refund(w.Context(), w.caller, r.ID); err != nil || r.Status != pay.RefundSucceeded {
			w.Errorf("%s and error %v", r.Status, err)
		}
	})
}

func TestAReportIsAHint(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		id := w.session(g, 1)
		p := w.pay(g, id, card(declined, 0)).Payment
		for name, raw := range map[string]provider.RawReport{
			"nothing":           {},
			"a made up":         {Body: []byte(`{"id":"rep_1","payment":"` + string(p.ID) + `","state":"succeeded"}`)},
			"no JSON":           {Header: map[string]string{"sandbox-signature": "00"}, Body: []byte("succeeded")},
			"signed by another": signedBy(w.T, p.ID, [32]byte{1}),
		} {
			if err := g.Report(w.Context(), pay.Sandbox, raw); !errors.Is(err, provider.ErrForgedReport) {
				w.Errorf("%s: got error %v, want ErrForgedReport", name, err)
			}
		}
		for range 3 { // it says that the payment succeeded, which the provider does not say
			if err := g.Report(w.Context(), pay.Sandbox, signedBy(w.T, p.ID, [32]byte{})); err != nil {
				w.Error(err)
			}
		}
		w.wantEnd(g, id, pay.SessionFailed, pay.PaymentFailed, pay.CardDeclined)
		if err := g.Report(w.Context(), pay.Sandbox, signedBy(w.T, "pay_00000000000000000000000000000000", [32]byte{})); pay.CodeOf(err) != pay.PaymentNotFound {
			w.Errorf("of an unknown payment: got error %v, want %s", err, pay.PaymentNotFound)
		}
	})
}
