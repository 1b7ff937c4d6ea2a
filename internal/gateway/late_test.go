package gateway_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
)

// signedBy is a report that says that a payment succeeded, as the sandbox would sign it.
func signedBy(t *testing.T, id pay.PaymentID, key [32]byte) provider.RawReport {
	t.Helper()
	body := []byte(`{"payment":"` + string(id) + `","id":"rep_of_` + string(id) + `","state":"succeeded"}`)
	mac := hmac.New(sha256.New, key[:])
	mac.Write(body)
	return provider.RawReport{Header: map[string]string{"sandbox-signature": hex.EncodeToString(mac.Sum(nil))}, Body: body}
}

// wantLate wants the late money of a payment returned once, and all else as it had ended.
func (w *world) wantLate(g *gateway.Service, failed pay.Payment, context string) {
	w.Helper()
	late, err := g.LatePayments(w.Context(), "", 10)
	if err != nil || len(late) != 1 || late[0].ID != failed.ID || late[0].Late != pay.LateReturned || late[0].LateAt.IsZero() {
		w.Errorf("%s: late money: %+v and error %v", context, late, err)
		return
	}
	if p := late[0]; p.Status != failed.Status || p.Version != failed.Version || *p.Failure != *failed.Failure {
		w.Errorf("%s: the payment is %s of version %d, %+v", context, p.Status, p.Version, p.Failure)
	}
	back := w.did(failed.ID, "returned") + w.did(failed.ID, "released")
	if came := w.did(failed.ID, "taken") + w.did(failed.ID, "held"); came != 1 || back != 1 {
		w.Errorf("%s: money came %d times, and went back %d times", context, came, back)
	}
}

func TestLateMoneyIsReturnedAndChangesNothing(t *testing.T) {
	for name, capture := range map[string]pay.CaptureMode{"taken": pay.CaptureAutomatic, "held": pay.CaptureManual} {
		t.Run(name, func(t *testing.T) {
			play(t, func(w *world) {
				g, stop := w.open()
				defer stop()
				id := w.sessionOf(g, pay.Game{ID: game, Attempts: 1, Capture: capture})
				failed := *w.pay(g, id, card(succeedsLate, 0)).Payment
				time.Sleep(6 * time.Second)
				w.wantEnd(g, id, pay.SessionFailed, pay.PaymentFailed, pay.ProcessingError)
				w.wantLate(g, failed, name)
				w.wantEvents(id, "session.created payment.created payment.failed session.failed")
				if g.LateMoney() != 1 {
					w.Errorf("the counter says %d", g.LateMoney())
				}
			})
		})
	}
}

// A player whose first attempt failed has paid by another one when the first one's money comes.
func TestLateMoneyOfASessionThatIsPaidByNowIsReturned(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		id := w.session(g, 2)
		failed := *w.pay(g, id, card(succeedsLate, 0)).Payment
		w.pay(g, id, card(good, 1))
		time.Sleep(time.Minute)
		paid := w.wantEnd(g, id, pay.SessionPaid, pay.PaymentSucceeded, "")
		w.wantLate(g, failed, "paid by another")
		if n := w.did(paid.ID, "returned"); n != 0 {
			w.Errorf("the payment that counts was returned %d times", n)
		}
	})
}

// TestNoCrashForgetsLateMoney breaks off at every call that a process makes once the report
// of late money has come, before and after it, and lets another go on.
func TestNoCrashForgetsLateMoney(t *testing.T) {
	for _, mode := range []struct{ after, weak bool }{{}, {after: true}, {weak: true}, {after: true, weak: true}} {
		whole := breakOffLate(t, &fuse{at: never, after: mode.after, weak: mode.weak})
		if whole < 4 {
			t.Fatalf("the return of late money makes %d calls: something is not counted", whole)
		}
		for at := range whole {
			breakOffLate(t, &fuse{at: at, after: mode.after, weak: mode.weak})
		}
	}
}

// breakOffLate returns how many calls the process made that heard of late money first.
func breakOffLate(t *testing.T, f *fuse) (calls int) {
	play(t, func(w *world) {
		w.line.deaf.Store(true) // the test brings the report
		g, stop := w.open()
		id := w.session(g, 1)
		failed := *w.pay(g, id, card(succeedsLate, 0)).Payment
		stop()
		time.Sleep(6 * time.Second)

		sound, ledger := w.store, w.line.Provider
		m := mortal{sound, ledger, nil, f}
		w.store, w.line.Provider = m, m
		g, stop = w.open()
		_ = g.Report(context.WithValue(w.Context(), ofSale{}, true), pay.Sandbox, signedBy(w.T, failed.ID, [32]byte{}))
		calls = f.counted()
		if f.weak {
			time.Sleep(quiet)
		}
		stop()
		w.store, w.line.Provider = sound, ledger
		w.line.deaf.Store(false) // it is reported again, unless it was taken in
		g, stop = w.open()
		defer stop()
		time.Sleep(2 * quiet)
		w.wantLate(g, failed, fmt.Sprint(f))
	})
	return calls
}
