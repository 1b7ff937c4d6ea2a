package pay_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
)

// soldAndReturned is a session whose first payment failed, whose second succeeded, and of
// which a part was returned, another is about to be and a third could not.
func soldAndReturned(t *testing.T) pay.Records {
	t.Helper()
	now := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	c, err := pay.NewSession(pay.NewSessionID(now, entropy(1)), pay.Sandbox, pay.Game{ID: "chess", Attempts: 3}.WithDefaults(), pay.Order{
		Game: "chess", User: "ann", Item: &pay.ItemOrder{Title: "Gems", Price: 499, Currency: "USD"}, ReturnURL: "chess://done",
	}, now)
	if err != nil {
		t.Fatal(err)
	}
	var r pay.Records
	write := func(c pay.Change, err error) {
		t.Helper()
		if err != nil || c.Empty() {
			t.Fatal("nothing was decided: ", err)
		}
		r.Session = *c.Session
		if c.Payment != nil {
			r.Payments = slices.DeleteFunc(r.Payments, func(p pay.Payment) bool { return p.ID == c.Payment.ID })
			r.Payments = append(r.Payments, *c.Payment)
		}
		if c.Refund != nil {
			r.Refunds = slices.DeleteFunc(r.Refunds, func(x pay.Refund) bool { return x.ID == c.Refund.ID })
			r.Refunds = append(r.Refunds, *c.Refund)
		}
		r.Events = append(r.Events, c.Events...)
		now = now.Add(time.Second)
	}
	write(c, nil)
	for i, kind := range []pay.OutcomeKind{pay.OutcomeFailed, pay.OutcomeSucceeded} {
		write(r.Session.StartPayment(pay.NewPaymentID(now, entropy(i+2)), pay.MethodCard, pay.CardHint{}, now))
		write(r.Session.Settle(r.Payments[len(r.Payments)-1], pay.Outcome{Kind: kind}, now), nil)
	}
	for i, status := range []pay.RefundStatus{pay.RefundSucceeded, pay.RefundFailed, pay.RefundPending} {
		write(r.Session.StartRefund(r.Payments[1], pay.NewRefundID(now, entropy(i+7)), pay.RefundOrder{Amount: new(int64(100))}, now))
		if status != pay.RefundPending {
			write(r.Session.SettleRefund(r.Payments[1], r.Refunds[len(r.Refunds)-1], pay.RefundOutcome{Status: status}, now), nil)
		}
	}
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRecordsThatTheirEventsDoNotTellAreFound(t *testing.T) {
	for _, test := range []struct {
		what, want string
		spoil      func(*pay.Records)
	}{
		{"an event is lost", "event 3 is missing", func(r *pay.Records) { r.Events = slices.Delete(r.Events, 2, 3) }},
		{"the last event is lost", "counts 11 events, and has 10", func(r *pay.Records) { r.Events = r.Events[:10] }},
		{"an event is there twice", "event 12 is missing", func(r *pay.Records) { r.Events = append(r.Events, r.Events[10]) }},
		{"an event is of another game", "of another game", func(r *pay.Records) { r.Events[4].Game = "go" }},
		{"no event at all", "counts 11 events, and has 0", func(r *pay.Records) { r.Events = nil }},
		{"the status", "is pending, but its events make it paid", func(r *pay.Records) { r.Session.Status = pay.SessionPending }},
		{"when it was paid", "was paid at", func(r *pay.Records) { r.Session.PaidAt = r.Session.PaidAt.Add(1000) }},
		{"when it was made", "was pending at", func(r *pay.Records) { r.Session.CreatedAt = time.Time{} }},
		{"it has also expired", "was expired at 20", func(r *pay.Records) { r.Session.ExpiredAt = r.Session.ExpiresAt }},
		{"the latest payment", "latest payment is", func(r *pay.Records) { r.Session.Payment = r.Payments[0].ID }},
		{"a live payment", "is live is true", func(r *pay.Records) { r.Session.Live = true }},
		{"the spent attempts", "0 payments of the session ended in vain", func(r *pay.Records) { r.Session.Spent = 0 }},
		{"a payment is lost", "has 1 payments, but events of 2", func(r *pay.Records) { r.Payments = r.Payments[1:] }},
		{"a payment is another", "is in no event", func(r *pay.Records) { r.Payments[0].ID = "pay_other" }},
		{"a payment's status", "is failed, but its events make it succeeded", func(r *pay.Records) { r.Payments[1].Status = pay.PaymentFailed }},
		{"a payment's time", "was succeeded at", func(r *pay.Records) { r.Payments[1].SucceededAt = time.Time{} }},
		{"a payment's amount", "the price is 499 USD", func(r *pay.Records) { r.Payments[0].Amount.Amount = 1 }},
		{"what a payment returned", "has returned 300 and set aside 200", func(r *pay.Records) { r.Payments[1].Refunded += 200 }},
		{"what a payment set aside", "come to 100 and 200", func(r *pay.Records) { r.Payments[1].Reserved = 100 }},
		{"a refund is lost", "its refunds come to", func(r *pay.Records) { r.Refunds = r.Refunds[1:] }},
		{"a failed refund is lost", "has 2 refunds, but events of 3", func(r *pay.Records) { r.Refunds = slices.Delete(r.Refunds, 1, 2) }},
		{"a refund is another", "is in no event", func(r *pay.Records) { r.Refunds[1].ID = "ref_other" }},
		{"a refund's status", "is cancelled, but its events make it failed", func(r *pay.Records) { r.Refunds[1].Status = pay.RefundCancelled }},
		{"a refund's time", "was succeeded at no time", func(r *pay.Records) { r.Refunds[0].SucceededAt = time.Time{} }},
	} {
		r := soldAndReturned(t)
		test.spoil(&r)
		if err := r.Check(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.what, err, test.want)
		}
	}
}

// Each type of event moves a row: one that fold passes over would let its row differ.
func TestEveryEventIsFolded(t *testing.T) {
	r := soldAndReturned(t)
	folded := map[pay.EventType]bool{}
	for _, e := range r.Events {
		folded[e.Type] = true
	}
	for _, kind := range pay.EventTypes {
		if folded[kind] {
			continue // a history without it would not have passed
		}
		one := pay.Records{Session: pay.Session{Sequence: 1}, Events: []pay.Event{{Type: kind, Sequence: 1}}}
		if err := one.Check(); err == nil || !strings.Contains(err.Error(), "its events make it") && !strings.Contains(err.Error(), "is live is false") &&
			!strings.Contains(err.Error(), "but its events") && !strings.Contains(err.Error(), "but events of") {
			t.Errorf("%s moves nothing: %v", kind, err)
		}
	}
}
