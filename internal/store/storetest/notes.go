package storetest

import (
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

var noteCases = []testCase{
	{"where a player must go is noted while a payment is processing, and told to nobody", func(w *world) {
		p := w.processing()
		const url = "https://bank.example/check?id=1"
		w.must(w.direct(p.ID, url))
		p.Action = url
		w.same("payment", w.payment(p.ID), p)
		w.must(w.direct(p.ID, ""))
		p.Action = ""
		w.same("payment", w.payment(p.ID), p)
	}},
	{"a payment that goes on has nowhere to send its player", func(w *world) {
		for _, o := range []pay.OutcomeKind{pay.OutcomeAuthorized, pay.OutcomeSucceeded, pay.OutcomeFailed} {
			p := w.processing()
			w.must(w.direct(p.ID, "https://bank.example/"))
			w.settle(p.ID, o)
			w.same("action", w.payment(p.ID).Action, "")
			w.wants(w.direct(p.ID, "https://bank.example/"), store.ErrConflict)
		}
		w.wants(w.direct("pay_unknown", "https://bank.example/"), store.ErrConflict)
	}},
	{"late money is owed once and ends once, and told to nobody", func(w *world) {
		for _, end := range []pay.Late{pay.LateReturned, pay.LateKept} {
			p := w.failed()
			w.wants(w.late(p.ID, end), store.ErrConflict)
			w.must(w.late(p.ID, pay.LateOwed))
			w.wants(w.late(p.ID, pay.LateOwed), store.ErrConflict)
			p.Late, p.LateAt = pay.LateOwed, noon
			w.same("payment", w.payment(p.ID), p)
			w.must(w.late(p.ID, end))
			p.Late = end
			for _, again := range []pay.Late{pay.LateOwed, pay.LateReturned, pay.LateKept} {
				w.wants(w.late(p.ID, again), store.ErrConflict)
			}
			w.same("payment", w.payment(p.ID), p)
		}
	}},
	{"only a payment that ended without money has late money", func(w *world) {
		for _, outcomes := range [][]pay.OutcomeKind{{}, {pay.OutcomeAuthorized}, {pay.OutcomeSucceeded}} {
			p := w.processing()
			for _, o := range outcomes {
				w.settle(p.ID, o)
			}
			w.wants(w.late(p.ID, pay.LateOwed), store.ErrConflict)
		}
		p := w.processing()
		w.settle(p.ID, pay.OutcomeAuthorized)
		w.settle(p.ID, pay.OutcomeVoided)
		w.must(w.late(p.ID, pay.LateOwed))
	}},
	{"what is owed is listed until it is not, and what was late for ever", func(w *world) {
		a, b, c := w.failed().ID, w.failed().ID, w.failed().ID
		w.failed()
		for _, id := range []pay.PaymentID{a, b, c} {
			w.must(w.late(id, pay.LateOwed))
		}
		w.owed("", 10, a, b, c)
		w.owed("", 2, a, b)
		w.owed(a, 10, b, c)
		w.must(w.late(b, pay.LateReturned))
		w.must(w.late(c, pay.LateKept))
		w.owed("", 10, a)
		w.wasLate("", 10, c, b, a)
		w.wasLate("", 1, c)
		w.wasLate(c, 10, b, a)
	}},
}

func (w *world) processing() pay.Payment {
	w.Helper()
	return w.payment(w.start(w.sell(home).ID).ID)
}

func (w *world) failed() pay.Payment {
	w.Helper()
	p := w.processing()
	w.settle(p.ID, pay.OutcomeFailed)
	return w.payment(p.ID)
}

func (w *world) direct(id pay.PaymentID, url string) error {
	return w.store.Update(w.Context(), "sess_1", func(tx store.Tx) error { return tx.Direct(id, url) })
}

func (w *world) late(id pay.PaymentID, l pay.Late) error {
	return w.store.Update(w.Context(), "sess_1", func(tx store.Tx) error { return tx.NoteLate(id, l, noon) })
}

func (w *world) owed(after pay.PaymentID, most int, want ...pay.PaymentID) {
	w.Helper()
	w.view(func(r store.Reader) {
		found, err := r.OwedPayments(after, most)
		w.must(err)
		w.same("owed payments", paymentIDs(found), want)
	})
}

func (w *world) wasLate(before pay.PaymentID, most int, want ...pay.PaymentID) {
	w.Helper()
	w.view(func(r store.Reader) {
		found, err := r.LatePayments(before, most)
		w.must(err)
		w.same("late payments", paymentIDs(found), want)
	})
}

// noon is when something was noted.
var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
