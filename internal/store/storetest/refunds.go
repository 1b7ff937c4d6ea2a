package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"pgregory.net/rapid"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

var refundCases = []testCase{
	{"every field of a refund comes back", func(w *world) {
		p := w.paid(shelf{pay.Production, "go"})
		c, err := w.session(p.Session).StartRefund(p, pay.NewRefundID(w.tick(), w.entropy()), pay.RefundOrder{Reason: "döppelt \U0001f600"}, w.now)
		w.must(err)
		for _, o := range []pay.RefundOutcome{
			{}, // still pending
			{Status: pay.RefundFailed, Reference: "re_1", Failure: &pay.Failure{Code: pay.ProcessingError, Message: "no"}},
		} {
			if o.Status != "" {
				c = w.session(p.Session).SettleRefund(w.payment(p.ID), w.refunded(c.Refund.ID), o, w.tick())
			}
			want := *c.Refund
			w.apply(withPayloads(c))
			want.Version++
			w.same("refund", w.refunded(want.ID), want)
		}
		for _, status := range []pay.RefundStatus{pay.RefundCancelled, pay.RefundSucceeded} {
			r := w.refund(p.ID, 1)
			want := *w.session(p.Session).SettleRefund(w.payment(p.ID), r, pay.RefundOutcome{Status: status}, w.now.Add(1e9)).Refund
			w.settleRefund(r.ID, status)
			want.Version++
			w.same(string(status), w.refunded(r.ID), want)
		}
	}},
	{"a payment's sums follow its refunds, and it is refunded once all of it is", func(w *world) {
		p := w.paid(home)
		a, b := w.refund(p.ID, 100), w.refund(p.ID, 399)
		w.sums(p.ID, pay.PaymentSucceeded, 0, 499)
		w.settleRefund(a.ID, pay.RefundSucceeded)
		w.sums(p.ID, pay.PaymentSucceeded, 100, 499)
		w.settleRefund(b.ID, pay.RefundFailed)
		w.sums(p.ID, pay.PaymentSucceeded, 100, 100)
		c := w.refund(p.ID, 399)
		w.settleRefund(c.ID, pay.RefundCancelled)
		w.sums(p.ID, pay.PaymentSucceeded, 100, 100)
		d := w.refund(p.ID, 399)
		w.settleRefund(d.ID, pay.RefundSucceeded)
		w.sums(p.ID, pay.PaymentRefunded, 499, 499)
		w.same("refunded at", w.payment(p.ID).RefundedAt, w.now)
		w.same("version", w.payment(p.ID).Version, p.Version+8)
		w.same("session", w.session(p.Session).Status, pay.SessionPaid)
		w.view(func(r store.Reader) {
			refunds, err := r.SessionRefunds(p.Session)
			w.must(err)
			w.same("refunds, oldest first", refundIDs(refunds), []pay.RefundID{a.ID, b.ID, c.ID, d.ID})
			events, err := r.SessionEvents(p.Session)
			w.must(err)
			w.same("refund of the last event", events[len(events)-1].Refund, d.ID)
		})
	}},
	{"concurrent updates of one session never reserve more than was paid", neverMore},
	{"a refund that was decided on an old version is a conflict", func(w *world) {
		p := w.paid(home)
		stale, err := w.session(p.Session).StartRefund(p, pay.NewRefundID(w.tick(), w.entropy()), pay.RefundOrder{}, w.now)
		w.must(err)
		first := w.refund(p.ID, 499)
		w.conflicts(withPayloads(stale))

		ended := w.session(p.Session).SettleRefund(w.payment(p.ID), first, pay.RefundOutcome{Status: pay.RefundFailed}, w.tick())
		w.settleRefund(first.ID, pay.RefundSucceeded)
		s := w.session(p.Session)
		ended.Session = &s // only the refund's version is old
		s.Sequence++
		w.conflicts(pay.Change{Session: &s, Payment: ended.Payment, Refund: ended.Refund, Events: []pay.Event{w.event(w.session(p.Session))}})
		w.sums(p.ID, pay.PaymentRefunded, 499, 499)
	}},
	{"a refund whose payment was decided on as it no longer is, is refused whole", func(w *world) {
		p := w.paid(home)
		before := w.session(p.Session)
		for name, spoil := range map[string]func(*pay.Payment){
			"reserved too little": func(p *pay.Payment) { p.Reserved-- },
			"reserved too much":   func(p *pay.Payment) { p.Reserved++ },
			"refunded too much":   func(p *pay.Payment) { p.Refunded++ },
			"an old version":      func(p *pay.Payment) { p.Version-- },
		} {
			c, err := before.StartRefund(p, pay.NewRefundID(w.tick(), w.entropy()), pay.RefundOrder{Amount: new(int64(100))}, w.now)
			w.must(err)
			spoil(c.Payment)
			w.conflicts(withPayloads(c))
			w.same(name+": session", w.session(p.Session), before)
			w.same(name+": payment", w.payment(p.ID), p)
			w.pendingRefunds("", 10)
			w.refundPage(store.RefundQuery{Environment: home.env, Game: home.game}, nil)
		}
	}},
	{"a refund whose id is taken, or that is not there, is a conflict", func(w *world) {
		p := w.paid(home)
		r := w.refund(p.ID, 100)
		c, err := w.session(p.Session).StartRefund(w.payment(p.ID), r.ID, pay.RefundOrder{}, w.tick())
		w.must(err)
		w.conflicts(withPayloads(c))
		r.ID = "ref_unknown"
		w.conflicts(withPayloads(w.session(p.Session).SettleRefund(w.payment(p.ID), r, pay.RefundOutcome{Status: pay.RefundFailed}, w.tick())))
		w.sums(p.ID, pay.PaymentSucceeded, 0, 100)
	}},
	{"what was not paid cannot be refunded whatever the code does", func(w *world) {
		unpaid := w.start(w.sell(home).ID)
		w.refusesRefund(unpaid, 499)
		w.settle(unpaid.ID, pay.OutcomeAuthorized)
		w.refusesRefund(w.payment(unpaid.ID), 499)
		paid := w.paid(home)
		w.refusesRefund(paid, 500)
		w.refund(paid.ID, 400)
		w.refusesRefund(w.payment(paid.ID), 100)
	}},
	{"pending refunds are listed oldest first, after an id, those of every game", func(w *world) {
		p, q := w.paid(home), w.paid(shelf{pay.Production, "go"})
		a, b, c, d := w.refund(p.ID, 1), w.refund(q.ID, 1), w.refund(p.ID, 1), w.refund(q.ID, 1)
		w.settleRefund(c.ID, pay.RefundFailed)
		w.pendingRefunds("", 10, a.ID, b.ID, d.ID)
		w.pendingRefunds("", 2, a.ID, b.ID)
		w.pendingRefunds(a.ID, 10, b.ID, d.ID)
		w.settleRefund(a.ID, pay.RefundSucceeded)
		w.settleRefund(b.ID, pay.RefundCancelled)
		w.pendingRefunds("", 10, d.ID)
	}},
	{"lists of refunds are of a game, of all, of a payment and of a status", func(w *world) {
		p, q, r, other := w.paid(home), w.paid(home), w.paid(shelf{pay.Sandbox, "go"}), w.paid(shelf{pay.Production, "chess"})
		a, b, c := w.refund(p.ID, 1), w.refund(q.ID, 1), w.refund(r.ID, 1)
		d, e := w.refund(p.ID, 1), w.refund(other.ID, 1)
		w.settleRefund(a.ID, pay.RefundSucceeded)
		in := func(q store.RefundQuery) store.RefundQuery { q.Environment = pay.Sandbox; return q }
		w.refundPage(in(store.RefundQuery{}), []pay.RefundID{d.ID, c.ID, b.ID, a.ID})
		w.refundPage(in(store.RefundQuery{Game: "chess"}), []pay.RefundID{d.ID, b.ID, a.ID})
		w.refundPage(in(store.RefundQuery{Game: "none"}), nil)
		w.refundPage(in(store.RefundQuery{Status: pay.RefundPending}), []pay.RefundID{d.ID, c.ID, b.ID})
		w.refundPage(in(store.RefundQuery{Game: "chess", Status: pay.RefundPending}), []pay.RefundID{d.ID, b.ID})
		w.refundPage(in(store.RefundQuery{Game: "chess", Status: pay.RefundSucceeded}), []pay.RefundID{a.ID})
		w.refundPage(in(store.RefundQuery{Status: pay.RefundFailed}), nil)
		w.refundPage(in(store.RefundQuery{Payment: p.ID}), []pay.RefundID{d.ID, a.ID})
		w.refundPage(in(store.RefundQuery{Payment: p.ID, Game: "go"}), nil)
		w.refundPage(in(store.RefundQuery{Payment: p.ID, Status: pay.RefundSucceeded}), []pay.RefundID{a.ID})
		w.refundPage(in(store.RefundQuery{Payment: other.ID}), nil)
		w.refundPage(store.RefundQuery{Environment: pay.Production}, []pay.RefundID{e.ID})
	}},
	{"every page of every list of refunds is what a plain filter over everything gives", everyRefundPage},
}

func refundIDs(refunds []pay.Refund) (ids []pay.RefundID) {
	for _, r := range refunds {
		ids = append(ids, r.ID)
	}
	return ids
}

func (w *world) sums(id pay.PaymentID, status pay.PaymentStatus, refunded, reserved int64) {
	w.Helper()
	p := w.payment(id)
	w.same("status, refunded, reserved", fmt.Sprint(p.Status, p.Refunded, p.Reserved), fmt.Sprint(status, refunded, reserved))
}

func (w *world) pendingRefunds(after pay.RefundID, most int, want ...pay.RefundID) {
	w.Helper()
	w.view(func(r store.Reader) {
		got, err := r.PendingRefunds(after, most)
		w.must(err)
		w.same("pending refunds", refundIDs(got), want)
	})
}

// refundPage wants a whole list, its rows as they are stored, by one page and by pages of one.
func (w *world) refundPage(q store.RefundQuery, want []pay.RefundID) {
	w.Helper()
	w.view(func(r store.Reader) {
		q.Limit = 10
		page, err := r.Refunds(q)
		w.must(err)
		w.same("refunds", refundIDs(page.Rows), want)
		w.same("total", page.Total, int64(len(want)))
		w.same("more", page.More, false)
		for _, row := range page.Rows {
			w.same("row", row, w.refunded(row.ID))
		}
		q.Limit = 1
		for i, id := range want {
			byOffset, byCursor := q, q
			byOffset.Offset = i
			if i > 0 {
				byCursor.After = string(want[i-1])
			}
			for _, q := range []store.RefundQuery{byOffset, byCursor} {
				page, err := r.Refunds(q)
				w.must(err)
				w.same("refund by itself", refundIDs(page.Rows), []pay.RefundID{id})
				w.same("more", page.More, i < len(want)-1)
			}
		}
	})
}

// refusesRefund stores a refund that no decision would make, and wants nothing of it kept.
func (w *world) refusesRefund(p pay.Payment, amount int64) {
	w.Helper()
	s := w.session(p.Session)
	before := s
	e := w.event(s)
	s.Sequence++
	r := pay.Refund{
		ID: pay.NewRefundID(w.tick(), w.entropy()), Payment: p.ID, Session: s.ID, Environment: s.Environment, Game: s.Game, User: s.User,
		Status: pay.RefundPending, Amount: pay.Money{Amount: amount, Currency: p.Amount.Currency}, CreatedAt: w.now,
	}
	after := p
	after.Reserved += amount
	if err := w.tryApply(pay.Change{Session: &s, Payment: &after, Refund: &r, Events: []pay.Event{e}}); err == nil {
		w.Errorf("a refund of %d was stored for a payment that is %s, with %d reserved", amount, p.Status, p.Reserved)
	}
	w.same("payment", w.payment(p.ID), p)
	w.same("session", w.session(p.Session), before)
	w.wants(w.store.View(w.Context(), func(tx store.Reader) error {
		_, err := tx.Refund(r.ID)
		return err
	}), store.ErrNotFound)
}

// neverMore has many callers ask for parts of one payment at once, some of whose refunds
// then fail, so that others find room again.
func neverMore(w *world) {
	const callers = 60
	p := w.paid(home)
	var all sync.WaitGroup
	var granted, freed atomic.Int64
	for i := range callers {
		at := w.tick()
		id, amount := pay.NewRefundID(at, w.entropy()), int64(1+i*7%90)
		all.Go(func() {
			err := w.store.Update(w.Context(), p.Session, func(tx store.Tx) error {
				s, payment, err := both(tx, p)
				if err != nil {
					return err
				}
				c, err := s.StartRefund(payment, id, pay.RefundOrder{Amount: &amount}, at)
				if err != nil {
					return err
				}
				return tx.Apply(withPayloads(c))
			})
			if err != nil {
				if code := pay.CodeOf(err); code != pay.InvalidAmount && code != pay.AlreadyRefunded {
					w.Errorf("caller %d: %v", i, err)
				}
				return
			}
			granted.Add(amount)
			if i%3 != 0 {
				return
			}
			if err := w.store.Update(w.Context(), p.Session, func(tx store.Tx) error {
				s, payment, err := both(tx, p)
				if err != nil {
					return err
				}
				r, err := tx.Refund(id)
				if err != nil {
					return err
				}
				return tx.Apply(withPayloads(s.SettleRefund(payment, r, pay.RefundOutcome{Status: pay.RefundFailed}, at)))
			}); err != nil {
				w.Errorf("caller %d: %v", i, err)
			}
			freed.Add(amount)
		})
	}
	all.Wait()
	reserved := int64(0)
	w.view(func(r store.Reader) {
		refunds, err := r.SessionRefunds(p.Session)
		w.must(err)
		for _, refund := range refunds {
			if refund.Status == pay.RefundPending {
				reserved += refund.Amount.Amount
			}
		}
	})
	w.same("reserved", w.payment(p.ID).Reserved, reserved)
	w.same("granted, less what failed", granted.Load()-freed.Load(), reserved)
	if reserved > p.Amount.Amount {
		w.Errorf("%d of %d are reserved", reserved, p.Amount.Amount)
	}
}

// both are a payment and its session as they stand.
func both(tx store.Tx, p pay.Payment) (pay.Session, pay.Payment, error) {
	s, err := tx.Session(p.Session)
	if err != nil {
		return s, p, err
	}
	p, err = tx.Payment(p.ID)
	return s, p, err
}

// everyRefundPage grows and ends refunds at random and compares random pages against a
// filter, within the transaction that made them and in a View.
func everyRefundPage(w *world) {
	var payments []pay.Payment
	for _, at := range shelves {
		payments = append(payments, w.paid(at), w.paid(at))
	}
	var made []pay.RefundID
	rapid.Check(w.T, func(rt *rapid.T) {
		before := len(made)
		w.must(w.store.Update(w.Context(), "sess_0", func(tx store.Tx) error {
			made = made[:before]
			for range rapid.IntRange(1, 10).Draw(rt, "steps") {
				c := refundStep(w, rt, tx, payments, &made)
				if c.Empty() {
					continue
				}
				if err := tx.Apply(withPayloads(c)); err != nil {
					return err
				}
			}
			compareRefunds(w, rt, tx, payments, made)
			return nil
		}))
		w.view(func(r store.Reader) {
			for range 4 {
				compareRefunds(w, rt, r, payments, made)
			}
		})
	})
}

// refundStep begins a refund or ends one, if it is not over.
func refundStep(w *world, rt *rapid.T, tx store.Tx, payments []pay.Payment, made *[]pay.RefundID) pay.Change {
	if len(*made) == 0 || rapid.Bool().Draw(rt, "new") {
		s, p, err := both(tx, rapid.SampledFrom(payments).Draw(rt, "payment"))
		w.must(err)
		if p.Left() == 0 {
			return pay.Change{}
		}
		c, err := s.StartRefund(p, pay.NewRefundID(w.tick(), w.entropy()), pay.RefundOrder{Amount: new(int64(1))}, w.now)
		w.must(err)
		*made = append(*made, c.Refund.ID)
		return c
	}
	r, err := tx.Refund(rapid.SampledFrom(*made).Draw(rt, "refund"))
	w.must(err)
	s, p, err := both(tx, pay.Payment{ID: r.Payment, Session: r.Session})
	w.must(err)
	return s.SettleRefund(p, r, pay.RefundOutcome{Status: rapid.SampledFrom(pay.RefundStatuses).Draw(rt, "outcome")}, w.tick())
}

func compareRefunds(w *world, rt *rapid.T, r store.Reader, payments []pay.Payment, made []pay.RefundID) {
	var all []pay.Refund
	for _, id := range made {
		refund, err := r.Refund(id)
		w.must(err)
		all = append(all, refund)
	}
	slices.SortFunc(all, func(a, b pay.Refund) int { return cmp.Compare(b.ID, a.ID) })
	at := rapid.SampledFrom(append(shelves[:len(shelves):len(shelves)], shelf{pay.Sandbox, ""})).Draw(rt, "shelf")
	q := store.RefundQuery{Environment: at.env, Game: at.game, Status: rapid.SampledFrom(append(pay.RefundStatuses, "")).Draw(rt, "status")}
	if rapid.Bool().Draw(rt, "of a payment") {
		q.Payment = rapid.SampledFrom(payments).Draw(rt, "payment").ID
	}
	q.Window = store.Window{Limit: rapid.IntRange(1, 8).Draw(rt, "limit"), Offset: rapid.IntRange(0, 30).Draw(rt, "offset")}
	if len(all) > 0 && rapid.Bool().Draw(rt, "cursor") {
		q.After = string(rapid.SampledFrom(all).Draw(rt, "after").ID)
	}
	got, err := r.Refunds(q)
	w.must(err)
	want := pageOf(all, q.Window, func(x pay.Refund) (string, bool) {
		return string(x.ID), x.Environment == at.env && (at.game == "" || x.Game == at.game) &&
			(q.Status == "" || x.Status == q.Status) && (q.Payment == "" || x.Payment == q.Payment)
	})
	w.same(fmt.Sprintf("%+v", q), got, want)
}
