package storetest

import (
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

var applyCases = []testCase{
	{"every field of a session comes back", func(w *world) {
		c := w.order(home, "ann \u00e9 \U0001f600", "order \"7\"")
		s := c.Session
		s.Item.Image, s.Item.Country = "https://example.com/gem.png", "DE"
		s.CancelURL, s.Locale, s.Capture, s.Confirm = "chess://left", "pt-BR", pay.CaptureManual, true
		s.Metadata = &pay.Metadata{OfferID: "<summer>", Values: map[string]string{"a": "1", "ü": "\u2028"}}
		w.apply(c)
		want := *s
		want.Version = 1
		w.same("session", w.session(s.ID), want)

		p := w.start(s.ID)
		got := w.session(s.ID)
		want.Payment, want.Live, want.Sequence, want.Version = p.ID, true, 2, 2
		w.same("session with a live payment", got, want)

		w.settle(p.ID, pay.OutcomeSucceeded)
		want.Live, want.Status, want.PaidAt, want.Sequence, want.Version = false, pay.SessionPaid, w.now, 4, 3
		w.same("paid session", w.session(s.ID), want)
	}},
	{"metadata that is empty is told from metadata that is absent", func(w *world) {
		for _, m := range []*pay.Metadata{nil, {}, {Values: map[string]string{}}, {OfferID: "x"}} {
			c := w.order(home, "ann", "")
			c.Session.Metadata = m
			w.apply(c)
			w.same("metadata", w.session(c.Session.ID).Metadata, m)
		}
	}},
	{"every time of a session comes back", func(w *world) {
		for _, status := range pay.SessionStatuses {
			c := w.order(home, "ann", "")
			s := c.Session
			s.Status, s.Spent = status, 2
			s.FailedAt, s.CancelledAt, s.ExpiredAt = w.tick(), w.tick(), w.tick()
			w.apply(c)
			want := *s
			want.Version = 1
			w.same(string(status), w.session(s.ID), want)
		}
	}},
	{"every field of a payment comes back", func(w *world) {
		s := w.sell(home)
		now := w.tick()
		c, err := s.StartPayment(pay.NewPaymentID(now, w.entropy()), pay.MethodGooglePay, pay.CardHint{Brand: "amex", Last4: "0005"}, now)
		w.must(err)
		w.apply(withPayloads(c))
		want := *c.Payment
		want.Version = 1
		w.same("payment", w.payment(want.ID), want)

		c = w.session(s.ID).Settle(want, pay.Outcome{Kind: pay.OutcomeAuthorized, Reference: "ref"}, w.tick())
		w.apply(withPayloads(c))
		want = *c.Payment
		want.Version = 2
		w.same("authorized payment", w.payment(want.ID), want)

		c = w.session(s.ID).Settle(want, pay.Outcome{Kind: pay.OutcomeFailed, Failure: &pay.Failure{Code: pay.CardDeclined, Message: "no"}}, w.tick())
		w.apply(withPayloads(c))
		want = *c.Payment
		want.Version = 3
		w.same("failed payment", w.payment(want.ID), want)
	}},
	{"a payment that was cancelled or refunded comes back", func(w *world) {
		p := w.start(w.sell(home).ID)
		w.settle(p.ID, pay.OutcomeAuthorized)
		w.settle(p.ID, pay.OutcomeVoided)
		w.same("status", w.payment(p.ID).Status, pay.PaymentCancelled)
		w.same("cancelled at", w.payment(p.ID).CancelledAt, w.now)

		p = w.paid(home)
		want := p
		r := w.refund(p.ID, p.Amount.Amount)
		w.settleRefund(r.ID, pay.RefundSucceeded)
		want.Status, want.Refunded, want.Reserved, want.RefundedAt = pay.PaymentRefunded, p.Amount.Amount, p.Amount.Amount, w.now
		want.Version += 2
		w.same("refunded payment", w.payment(p.ID), want)
	}},
	{"every change writes one row for each of its events, in order", func(w *world) {
		p := w.paid(home)
		w.view(func(r store.Reader) {
			events, err := r.SessionEvents(p.Session)
			w.must(err)
			var types []pay.EventType
			for i, e := range events {
				types = append(types, e.Type)
				w.same("sequence", e.Sequence, int64(i+1))
			}
			w.same("types", types, []pay.EventType{
				pay.SessionCreatedEvent, pay.PaymentCreatedEvent, pay.PaymentSucceededEvent, pay.SessionPaidEvent})
		})
	}},
	{"every field of an event comes back", func(w *world) {
		s := w.sell(home)
		e := w.event(s)
		e.Payment = "pay_1"
		e.Payload = []byte("\x00\xff{}")
		s.Sequence++
		w.apply(pay.Change{Session: &s, Events: []pay.Event{e}})
		w.view(func(r store.Reader) {
			events, err := r.SessionEvents(s.ID)
			w.must(err)
			e.Position = events[1].Position // the store's to give
			w.same("event", events[1], e)
		})
	}},
	{"versions are raised by one and set in the change", func(w *world) {
		c := w.order(home, "ann", "")
		w.must(w.store.Update(w.Context(), c.Session.ID, func(tx store.Tx) error {
			one := clone(c)
			err := tx.Apply(one)
			w.same("version", one.Session.Version, int64(1))
			return err
		}))
		w.same("version", w.session(c.Session.ID).Version, int64(1))
	}},
	{"an empty change writes nothing", func(w *world) {
		s := w.sell(home)
		changed := s
		changed.Status = pay.SessionPaid
		w.apply(pay.Change{Session: &changed})
		w.same("session", w.session(s.ID), s)
	}},
	{"a session that is not at the version decided on is a conflict", func(w *world) {
		s := w.sell(home)
		w.start(s.ID)
		stale, err := s.Cancel(w.tick())
		w.must(err)
		w.conflicts(stale)
		w.same("status", w.session(s.ID).Status, pay.SessionPending)
	}},
	{"a payment that is not at the version decided on is a conflict", func(w *world) {
		p := w.start(w.sell(home).ID)
		w.settle(p.ID, pay.OutcomeAuthorized)
		s := w.session(p.Session)
		s.Sequence++
		w.conflicts(pay.Change{Session: &s, Payment: &p, Events: []pay.Event{w.event(s)}})
	}},
	{"a session whose id is taken, or that is not there, is a conflict", func(w *world) {
		s := w.sell(home)
		s.Version = 0
		s.Sequence++
		w.conflicts(pay.Change{Session: &s, Events: []pay.Event{w.event(s)}})
		s.ID, s.Version = "sess_unknown", 7
		w.conflicts(pay.Change{Session: &s, Events: []pay.Event{w.event(s)}})
	}},
	{"a second event of the same sequence is a conflict", func(w *world) {
		s := w.sell(home)
		e := w.event(s)
		e.Sequence = 1
		w.conflicts(pay.Change{Session: &s, Events: []pay.Event{e}})
	}},
	{"a session has one live payment whatever the code does", func(w *world) {
		p := w.start(w.sell(home).ID)
		w.conflicts(w.another(p, pay.PaymentProcessing))
		w.conflicts(w.another(p, pay.PaymentAuthorized))
		w.apply(w.another(p, pay.PaymentFailed))
	}},
	{"a session has one successful payment ever whatever the code does", func(w *world) {
		p := w.paid(home)
		w.conflicts(w.another(p, pay.PaymentSucceeded))
		w.conflicts(w.another(p, pay.PaymentRefunded))
		live := w.another(p, pay.PaymentProcessing)
		w.apply(live)
		second := w.payment(live.Payment.ID)
		second.Status, second.SucceededAt = pay.PaymentSucceeded, w.tick()
		s := w.session(p.Session)
		s.Sequence++
		w.conflicts(pay.Change{Session: &s, Payment: &second, Events: []pay.Event{w.event(s)}})
	}},
	{"a payment does not come to life beside a live one", func(w *world) {
		p := w.start(w.sell(home).ID)
		failed := w.another(p, pay.PaymentFailed)
		w.apply(failed)
		second := w.payment(failed.Payment.ID)
		second.Status = pay.PaymentAuthorized
		s := w.session(p.Session)
		s.Sequence++
		w.conflicts(pay.Change{Session: &s, Payment: &second, Events: []pay.Event{w.event(s)}})
	}},
	{"nothing of a change is kept when a part of it is refused", func(w *world) {
		p := w.start(w.sell(home).ID)
		before := w.session(p.Session)
		w.conflicts(w.another(p, pay.PaymentProcessing))
		w.same("session", w.session(p.Session), before)
		w.view(func(r store.Reader) {
			events, err := r.SessionEvents(p.Session)
			w.must(err)
			w.same("events", len(events), 2)
		})
	}},
	{"a session is never paid before it was made", func(w *world) {
		c := w.order(home, "ann", "")
		c.Session.Status, c.Session.PaidAt = pay.SessionPaid, c.Session.CreatedAt.Add(-time.Microsecond)
		if err := w.tryApply(c); err == nil {
			w.Fatal("it was stored")
		}
		w.absent(c.Session.ID)
	}},
	{"an image is stored once per content", func(w *world) {
		img := pay.Image{Name: "0123.png", Type: "image/png", Data: []byte{0x89, 'P', 'N', 'G', 0}}
		for range 2 {
			c := w.order(home, "ann", "")
			c.Image = &img
			w.apply(c)
		}
		w.view(func(r store.Reader) {
			got, err := r.Image(img.Name)
			w.must(err)
			w.same("image", got, img)
			_, err = r.Image("4567.png")
			w.wants(err, store.ErrNotFound)
		})
	}},
}

// event is the next event of a session, which its Sequence does not count yet.
func (w *world) event(s pay.Session) pay.Event {
	n := s.Sequence + 1
	return pay.Event{
		ID: pay.EventID(pay.FormatUUID([16]byte{15: byte(n), 14: byte(w.made)})), Type: pay.PaymentCancelledEvent, At: w.now, Sequence: n,
		Environment: s.Environment, Game: s.Game, Session: s.ID, Payload: []byte("{}"),
	}
}

// another is a change that adds a payment to the session of p, as no decision would.
func (w *world) another(p pay.Payment, status pay.PaymentStatus) pay.Change {
	w.Helper()
	s := w.session(p.Session)
	e := w.event(s)
	s.Sequence++
	p.ID, p.Version, p.Status = pay.NewPaymentID(w.tick(), w.entropy()), 0, status
	return pay.Change{Session: &s, Payment: &p, Events: []pay.Event{e}}
}

func (w *world) conflicts(c pay.Change) {
	w.Helper()
	w.wants(w.tryApply(c), store.ErrConflict)
}
