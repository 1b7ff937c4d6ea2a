package storetest

import (
	"errors"
	"sync"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

var (
	longAgo = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	scope   = store.Scope{Environment: pay.Sandbox, Game: "chess", Method: "CreateSession"}
)

var answerCases = []testCase{
	{"an answer is remembered until it expires", func(w *world) {
		want := store.Answer{Scope: scope, Key: "k", Fingerprint: [32]byte{1, 31: 2}, Result: "sess_1", ExpiresAt: w.now}
		w.must(w.remember(want))
		got, err := w.answer(scope, "k", w.now.Add(-time.Microsecond))
		w.must(err)
		w.same("answer", got, want)
		_, err = w.answer(scope, "k", w.now)
		w.wants(err, store.ErrNotFound)
	}},
	{"an answer counts in its own scope only", func(w *world) {
		a := store.Answer{Scope: scope, Key: "k", ExpiresAt: w.now}
		w.must(w.remember(a))
		for _, other := range []store.Scope{
			{Environment: pay.Production, Game: scope.Game, Method: scope.Method},
			{Environment: scope.Environment, Game: "go", Method: scope.Method},
			{Environment: scope.Environment, Game: scope.Game, Method: "CancelSession"},
		} {
			_, err := w.answer(other, "k", longAgo)
			w.wants(err, store.ErrNotFound)
			a.Scope = other
			w.must(w.remember(a))
		}
		_, err := w.answer(scope, "K", longAgo)
		w.wants(err, store.ErrNotFound)
	}},
	{"a key that is taken and not expired is a conflict", func(w *world) {
		a := store.Answer{Scope: scope, Key: "k", Result: "first", ExpiresAt: w.now}
		w.must(w.remember(a))
		a.Result = "second"
		w.wants(w.remember(a), store.ErrConflict)
		got, err := w.answer(scope, "k", longAgo)
		w.must(err)
		w.same("result", got.Result, "first")
	}},
	{"an answer that has expired may be replaced", func(w *world) {
		a := store.Answer{Scope: scope, Key: "k", Result: "first", ExpiresAt: longAgo}
		w.must(w.remember(a))
		a.Result, a.Fingerprint, a.ExpiresAt = "second", [32]byte{9}, w.now
		w.must(w.remember(a))
		got, err := w.answer(scope, "k", longAgo)
		w.must(err)
		w.same("answer", got, a)
	}},
	{"an answer is kept with its effect or not at all", func(w *world) {
		w.wants(w.store.Update(w.Context(), "sess_1", func(tx store.Tx) error {
			if err := tx.Remember(store.Answer{Scope: scope, Key: "k", ExpiresAt: w.now}, longAgo); err != nil {
				return err
			}
			return errMine
		}), errMine)
		_, err := w.answer(scope, "k", longAgo)
		w.wants(err, store.ErrNotFound)
	}},
	{"answers that have expired are forgotten, a bounded number at a time", func(w *world) {
		for i, key := range []string{"a", "b", "c"} {
			w.must(w.remember(store.Answer{Scope: scope, Key: key, ExpiresAt: w.now.Add(time.Duration(i) * time.Hour)}))
		}
		for _, want := range []int{1, 1, 0} {
			got, err := w.store.Forget(w.Context(), w.now.Add(time.Hour), 1)
			w.must(err)
			w.same("forgotten", got, want)
		}
		_, err := w.answer(scope, "c", w.now)
		w.must(err)
	}},
	{"of many equal calls at once one has an effect", func(w *world) {
		const callers = 32
		var changes []pay.Change
		for range callers {
			changes = append(changes, w.order(home, "ann", ""))
		}
		var all sync.WaitGroup
		for _, c := range changes {
			all.Go(func() {
				err := w.store.Update(w.Context(), c.Session.ID, func(tx store.Tx) error {
					_, err := tx.Answer(scope, "k", longAgo)
					if !errors.Is(err, store.ErrNotFound) {
						return err
					}
					if err := tx.Apply(clone(c)); err != nil {
						return err
					}
					return tx.Remember(store.Answer{Scope: scope, Key: "k", Result: string(c.Session.ID), ExpiresAt: w.now}, longAgo)
				})
				// One that did not see the other's answer in time may run into it.
				if err != nil && !errors.Is(err, store.ErrConflict) {
					w.Error(err)
				}
			})
		}
		all.Wait()
		w.totals(home, 1)
	}},
}

func (w *world) remember(a store.Answer) error {
	return w.store.Update(w.Context(), "sess_1", func(tx store.Tx) error { return tx.Remember(a, longAgo) })
}

func (w *world) answer(s store.Scope, key string, now time.Time) (a store.Answer, err error) {
	err = w.store.View(w.Context(), func(r store.Reader) (err error) {
		a, err = r.Answer(s, key, now)
		return err
	})
	return a, err
}

var readCases = []testCase{
	{"a row that is not there is not found", func(w *world) {
		w.view(func(r store.Reader) {
			_, err := r.Session("sess_0")
			w.wants(err, store.ErrNotFound)
			_, err = r.Standing("sess_0")
			w.wants(err, store.ErrNotFound)
			_, err = r.Payment("pay_0")
			w.wants(err, store.ErrNotFound)
			_, err = r.Refund("ref_0")
			w.wants(err, store.ErrNotFound)
			_, err = r.Event("01978c2e-0000-7000-8000-000000000000")
			w.wants(err, store.ErrNotFound)
			_, err = r.Game("none")
			w.wants(err, store.ErrNotFound)
			_, err = r.Key("key_0")
			w.wants(err, store.ErrNotFound)
			_, err = r.Endpoint("we_0")
			w.wants(err, store.ErrNotFound)
		})
	}},
	{"a session's standing is that of the session, at every turn of its life", func(w *world) {
		same := func(id pay.SessionID) {
			w.Helper()
			w.view(func(r store.Reader) {
				got, err := r.Standing(id)
				w.must(err)
				w.same("standing", got, w.session(id).Standing())
			})
		}
		s := w.sell(shelf{pay.Production, "go"})
		same(s.ID)
		p := w.start(s.ID)
		same(s.ID)
		w.settle(p.ID, pay.OutcomeSucceeded)
		same(s.ID)
	}},
	{"the reads of one View see one snapshot", func(w *world) {
		s := w.sell(home)
		w.view(func(r store.Reader) {
			_, err := r.Session(s.ID)
			w.must(err)
			w.cancel(s.ID)
			after, err := r.Session(s.ID)
			w.must(err)
			w.same("session", after, s)
			page, err := r.Sessions(store.SessionQuery{Environment: home.env, Game: home.game, Status: pay.SessionCancelled, Window: store.Window{Limit: 1}})
			w.must(err)
			w.same("cancelled", page.Total, int64(0))
		})
	}},
	{"an error of View's fn is returned", func(w *world) {
		w.wants(w.store.View(w.Context(), func(store.Reader) error { return errMine }), errMine)
	}},
	{"a session's payments come oldest first, and only its own", func(w *world) {
		s := w.sell(home)
		w.paid(home)
		var want []pay.PaymentID
		for range 2 {
			p := w.start(s.ID)
			w.settle(p.ID, pay.OutcomeFailed)
			want = append(want, p.ID)
		}
		w.view(func(r store.Reader) {
			payments, err := r.SessionPayments(s.ID)
			w.must(err)
			w.same("payments", paymentIDs(payments), want)
		})
	}},
	{"overdue are sessions pending without a live payment, longest first", func(w *world) {
		first, second, live, done := w.sell(home), w.sell(shelf{pay.Production, "go"}), w.sell(home), w.sell(home)
		w.start(live.ID)
		w.cancel(done.ID)
		w.overdue(first.ExpiresAt.Add(-time.Microsecond), 10)
		w.overdue(first.ExpiresAt, 10, first.ID)
		w.overdue(first.ExpiresAt.Add(forever), 10, first.ID, second.ID)
		w.overdue(first.ExpiresAt.Add(forever), 1, first.ID)
		w.apply(withPayloads(w.session(first.ID).Expire(first.ExpiresAt)))
		w.overdue(first.ExpiresAt.Add(forever), 10, second.ID)
	}},
	{"the next deadline is the earliest of what can become overdue", func(w *world) {
		w.view(func(r store.Reader) {
			_, err := r.NextDeadline()
			w.wants(err, store.ErrNotFound)
		})
		live, first, second := w.sell(home), w.sell(shelf{pay.Production, "go"}), w.sell(home)
		w.start(live.ID)
		w.deadline(first.ExpiresAt)
		w.cancel(first.ID)
		w.deadline(second.ExpiresAt)
	}},
	{"an intent is noted once on an authorized payment, and such payments are listed", func(w *world) {
		a, b, c := w.start(w.sell(home).ID), w.start(w.sell(home).ID), w.start(w.sell(home).ID)
		intend := func(id pay.PaymentID, i pay.Intent) error { return w.intend(id, i, nil) }
		w.wants(intend(a.ID, pay.IntentCapture), store.ErrConflict) // processing
		for _, p := range []pay.Payment{a, b, c} {
			w.settle(p.ID, pay.OutcomeAuthorized)
		}
		before := w.payment(a.ID)
		w.must(intend(a.ID, pay.IntentCapture))
		w.must(intend(a.ID, pay.IntentCapture))
		w.must(intend(b.ID, pay.IntentVoid))
		w.wants(intend(a.ID, pay.IntentVoid), store.ErrConflict)
		before.Intent = pay.IntentCapture
		w.same("payment", w.payment(a.ID), before)
		w.intended("", 10, a.ID, b.ID)
		w.intended("", 1, a.ID)
		w.intended(a.ID, 10, b.ID)
		w.settle(a.ID, pay.OutcomeSucceeded)
		w.intended("", 10, b.ID)
		w.must(intend(b.ID, ""))
		w.intended("", 10)
		w.must(intend(b.ID, pay.IntentCapture))
	}},
	{"payments whose game is asked are listed until an intent is noted", func(w *world) {
		a, b, c := w.asked(), w.asked(), w.start(w.sell(home).ID)
		w.settle(c.ID, pay.OutcomeAuthorized)
		before := w.payment(a.ID)
		w.same("asking", before.Asking, true)
		w.askedOf("", 10, a.ID, b.ID)
		w.askedOf("", 1, a.ID)
		w.askedOf(a.ID, 10, b.ID)
		w.intended("", 10)
		w.must(w.intend(a.ID, pay.IntentCapture, nil))
		before.Intent, before.Asking = pay.IntentCapture, false
		w.same("payment", w.payment(a.ID), before)
		w.askedOf("", 10, b.ID)
		w.intended("", 10, a.ID)
		w.settle(b.ID, pay.OutcomeFailed)
		w.askedOf("", 10)
	}},
	{"why a payment is to fail is noted with its void, and stays when it has failed", func(w *world) {
		p, why := w.asked(), pay.Decision{Reason: "out_of_stock"}.Refusal()
		w.wants(w.intend(w.start(w.sell(home).ID).ID, pay.IntentVoid, why), store.ErrConflict) // processing
		want := w.payment(p.ID)
		w.must(w.intend(p.ID, pay.IntentVoid, why))
		want.Intent, want.Asking, want.Failure = pay.IntentVoid, false, why
		w.same("payment", w.payment(p.ID), want)
		w.wants(w.intend(p.ID, pay.IntentCapture, nil), store.ErrConflict)
		w.same("payment", w.payment(p.ID), want)

		w.settle(p.ID, pay.OutcomeVoided)
		got := w.payment(p.ID)
		w.same("status", got.Status, pay.PaymentFailed)
		w.same("failure", got.Failure, why)
		w.intended("", 10)
		w.wants(w.intend(p.ID, pay.IntentVoid, why), store.ErrConflict) // it is over
	}},
	{"an intent that is taken back takes its failure along", func(w *world) {
		p := w.asked()
		w.must(w.intend(p.ID, pay.IntentVoid, pay.Unconfirmed("no answer")))
		w.must(w.intend(p.ID, "", nil))
		got := w.payment(p.ID)
		w.same("failure", got.Failure, (*pay.Failure)(nil))
		w.same("intent", got.Intent, pay.Intent(""))
		w.settle(p.ID, pay.OutcomeVoided)
		w.same("status", w.payment(p.ID).Status, pay.PaymentCancelled)
	}},
	{"live payments are listed by status, oldest first, after an id, if old enough", func(w *world) {
		a, b, c, d := w.start(w.sell(home).ID), w.start(w.sell(home).ID), w.start(w.sell(home).ID), w.paid(home)
		w.settle(b.ID, pay.OutcomeAuthorized)
		later := w.now.Add(forever)
		w.live(pay.PaymentProcessing, later, "", 10, a.ID, c.ID)
		w.live(pay.PaymentAuthorized, later, "", 10, b.ID)
		w.live(pay.PaymentProcessing, later, a.ID, 10, c.ID)
		w.live(pay.PaymentProcessing, later, "", 1, a.ID)
		w.live(pay.PaymentProcessing, c.CreatedAt, "", 10, a.ID)
		w.live(d.Status, later, "", 10)
	}},
}

func paymentIDs(payments []pay.Payment) (ids []pay.PaymentID) {
	for _, p := range payments {
		ids = append(ids, p.ID)
	}
	return ids
}

func (w *world) overdue(now time.Time, most int, want ...pay.SessionID) {
	w.Helper()
	w.view(func(r store.Reader) {
		got, err := r.Overdue(now, most)
		w.must(err)
		w.same("overdue", got, want)
	})
}

func (w *world) deadline(want time.Time) {
	w.Helper()
	w.view(func(r store.Reader) {
		got, err := r.NextDeadline()
		w.must(err)
		w.same("next deadline", got, want)
	})
}

// asked is an authorized payment about which its game is being asked.
func (w *world) asked() pay.Payment {
	w.Helper()
	c := w.order(home, "ann", "")
	c.Session.Confirm = true
	w.apply(c)
	p := w.start(c.Session.ID)
	w.settle(p.ID, pay.OutcomeAuthorized)
	return w.payment(p.ID)
}

func (w *world) intend(id pay.PaymentID, i pay.Intent, why *pay.Failure) error {
	return w.store.Update(w.Context(), "sess_1", func(tx store.Tx) error { return tx.Intend(id, i, why) })
}

func (w *world) askedOf(after pay.PaymentID, most int, want ...pay.PaymentID) {
	w.Helper()
	w.view(func(r store.Reader) {
		found, err := r.AskedPayments(after, most)
		w.must(err)
		w.same("asked payments", paymentIDs(found), want)
	})
}

func (w *world) intended(after pay.PaymentID, most int, want ...pay.PaymentID) {
	w.Helper()
	w.view(func(r store.Reader) {
		found, err := r.IntendedPayments(after, most)
		w.must(err)
		var got []pay.PaymentID
		for _, p := range found {
			got = append(got, p.ID)
		}
		w.same("intended payments", got, want)
	})
}

func (w *world) live(s pay.PaymentStatus, before time.Time, after pay.PaymentID, most int, want ...pay.PaymentID) {
	w.Helper()
	w.view(func(r store.Reader) {
		got, err := r.LivePayments(s, before, after, most)
		w.must(err)
		w.same("live payments", paymentIDs(got), want)
	})
}
