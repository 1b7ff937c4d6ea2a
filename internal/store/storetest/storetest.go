// Package storetest is the contract of package store as tests. Every store passes
// all of them; a rule that only one store could keep does not belong here.
package storetest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// Run tests a store. Open returns one that is empty; it closes it when its test ends.
// Where groups are named, only those rules are tested.
func Run(t *testing.T, open func(*testing.T) store.Store, only ...string) {
	for _, group := range []struct {
		name  string
		cases []testCase
	}{
		{"Update", updateCases},
		{"Apply", applyCases},
		{"Answers", answerCases},
		{"Reading", readCases},
		{"Notes", noteCases},
		{"Lists", listCases},
		{"Refunds", refundCases},
		{"Feed", feedCases},
		{"Settings", settingsCases},
		{"Queue", queueCases},
		{"Redelivery", redeliveryCases},
		{"Following", followCases},
		{"Examining", examineCases},
		{"Life", lifeCases},
	} {
		if len(only) > 0 && !slices.Contains(only, group.name) {
			continue
		}
		t.Run(group.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range group.cases {
				t.Run(c.rule, func(t *testing.T) {
					t.Parallel()
					c.test(&world{T: t, store: open(t), now: epoch})
				})
			}
		})
	}
}

// testCase is one rule of the contract.
type testCase struct {
	rule string
	test func(*world)
}

// epoch is when every test begins: stores are told the time, and need not ask.
var epoch = time.Date(2031, 5, 6, 7, 8, 9, 123456000, time.UTC)

// forever is past the deadline of every session that is made here.
const forever = 365 * 24 * time.Hour

// world is a store and the means to fill it.
type world struct {
	*testing.T
	store store.Store
	now   time.Time
	made  uint64
}

// entropy differs from call to call and is the same in every run.
func (w *world) entropy() (e pay.Entropy) {
	w.made++
	binary.BigEndian.PutUint64(e[:], w.made*0x9e3779b97f4a7c15)
	return e
}

// tick lets time pass, so that what is made next is newer.
func (w *world) tick() time.Time {
	w.now = w.now.Add(time.Second)
	return w.now
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// wants fails unless err is the wanted one.
func (w *world) wants(err, wanted error) {
	w.Helper()
	if !errors.Is(err, wanted) {
		w.Fatalf("got error %v, want %v", err, wanted)
	}
}

func (w *world) same(what string, got, want any) {
	w.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// shelf is where a session is sold.
type shelf struct {
	env  pay.Environment
	game pay.GameID
}

var home = shelf{pay.Sandbox, "chess"}

// order decides on a plain session. Each of its events has a payload of its own.
func (w *world) order(at shelf, user pay.UserID, order string) pay.Change {
	w.Helper()
	now := w.tick()
	c, err := pay.NewSession(pay.NewSessionID(now, w.entropy()), at.env, pay.Game{ID: at.game, Attempts: 3}.WithDefaults(), pay.Order{
		Game: at.game, User: user, Item: &pay.ItemOrder{Title: "Gems", Price: 499, Currency: "USD"},
		ReturnURL: "chess://done", OrderID: &order,
	}, now)
	w.must(err)
	return withPayloads(c)
}

func withPayloads(c pay.Change) pay.Change {
	for i, e := range c.Events {
		c.Events[i].Payload = fmt.Appendf(nil, "%s %s %d", e.Session, e.Type, e.Sequence)
	}
	return c
}

// apply writes a change.
func (w *world) apply(c pay.Change) {
	w.Helper()
	w.must(w.tryApply(c))
}

func (w *world) tryApply(c pay.Change) error {
	return w.store.Update(w.Context(), c.Session.ID, func(tx store.Tx) error { return tx.Apply(clone(c)) })
}

// clone is a change whose entities Apply can raise without the test seeing it, as fn may run again.
func clone(c pay.Change) pay.Change {
	if c.Session != nil {
		s := *c.Session
		c.Session = &s
	}
	if c.Payment != nil {
		p := *c.Payment
		c.Payment = &p
	}
	if c.Refund != nil {
		r := *c.Refund
		c.Refund = &r
	}
	return c
}

// sell makes a plain session and stores it.
func (w *world) sell(at shelf) pay.Session {
	w.Helper()
	c := w.order(at, "ann", "")
	w.apply(c)
	return w.session(c.Session.ID)
}

func (w *world) view(fn func(store.Reader)) {
	w.Helper()
	w.must(w.store.View(w.Context(), func(r store.Reader) error {
		fn(r)
		return nil
	}))
}

func (w *world) session(id pay.SessionID) (s pay.Session) {
	w.Helper()
	w.view(func(r store.Reader) {
		var err error
		s, err = r.Session(id)
		w.must(err)
	})
	return s
}

func (w *world) payment(id pay.PaymentID) (p pay.Payment) {
	w.Helper()
	w.view(func(r store.Reader) {
		var err error
		p, err = r.Payment(id)
		w.must(err)
	})
	return p
}

func (w *world) absent(id pay.SessionID) {
	w.Helper()
	w.wants(w.store.View(w.Context(), func(r store.Reader) error {
		_, err := r.Session(id)
		return err
	}), store.ErrNotFound)
}

// start lets the player try to pay.
func (w *world) start(id pay.SessionID) pay.Payment {
	w.Helper()
	now := w.tick()
	c, err := w.session(id).StartPayment(pay.NewPaymentID(now, w.entropy()), pay.MethodCard, pay.CardHint{Brand: "visa", Last4: "4242"}, now)
	w.must(err)
	w.apply(withPayloads(c))
	return w.payment(c.Payment.ID)
}

// settle lets the provider say what came of a payment.
func (w *world) settle(id pay.PaymentID, o pay.OutcomeKind) {
	w.Helper()
	p := w.payment(id)
	w.apply(withPayloads(w.session(p.Session).Settle(p, pay.Outcome{Kind: o, Reference: "ref-" + string(id)}, w.tick())))
}

// paid is a session that was bought.
func (w *world) paid(at shelf) pay.Payment {
	w.Helper()
	p := w.start(w.sell(at).ID)
	w.settle(p.ID, pay.OutcomeSucceeded)
	return w.payment(p.ID)
}

// refund starts a refund of a part of a payment.
func (w *world) refund(id pay.PaymentID, amount int64) pay.Refund {
	w.Helper()
	p := w.payment(id)
	c, err := w.session(p.Session).StartRefund(p, pay.NewRefundID(w.tick(), w.entropy()), pay.RefundOrder{Amount: &amount}, w.now)
	w.must(err)
	w.apply(withPayloads(c))
	return w.refunded(c.Refund.ID)
}

// refunded is a refund as it is stored.
func (w *world) refunded(id pay.RefundID) (r pay.Refund) {
	w.Helper()
	w.view(func(tx store.Reader) {
		var err error
		r, err = tx.Refund(id)
		w.must(err)
	})
	return r
}

// settleRefund lets the provider say what came of a refund.
func (w *world) settleRefund(id pay.RefundID, status pay.RefundStatus) {
	w.Helper()
	r := w.refunded(id)
	p := w.payment(r.Payment)
	w.apply(withPayloads(w.session(p.Session).SettleRefund(p, r, pay.RefundOutcome{Status: status}, w.tick())))
}

// cancel calls a session off.
func (w *world) cancel(id pay.SessionID) {
	w.Helper()
	c, err := w.session(id).Cancel(w.tick())
	w.must(err)
	w.apply(withPayloads(c))
}

func (w *world) configure(fn func(store.Settings) error) {
	w.Helper()
	w.must(w.store.Configure(context.Background(), fn))
}
