package providertest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
)

// The refunds of a case.
const (
	refund = pay.RefundID("ref_0l3kf7q2mhv4t9c1bn8s5e6dgra0uijs")
	other  = pay.RefundID("ref_0l3kf7q2mhv4t9c1bn8s5e6dgra0uijt")
)

// returningCases are what a refund of each way of paying must do.
func returningCases(w Way) []contractCase {
	if w.Refunds == "" {
		return []contractCase{{"returns the money at once", func(t *trial) {
			t.want(pay.OutcomeSucceeded, t.authorize(charge(w, true)))
			t.returns(refund, price, pay.RefundSucceeded, price)
		}}}
	}
	returned := int64(0)
	if w.Refunds == pay.RefundSucceeded {
		returned = price
	}
	return []contractCase{
		{"is pending for a while, then ends, and so for all who look", func(t *trial) {
			t.want(pay.OutcomeSucceeded, t.authorize(charge(w, true)))
			t.returns(refund, price, pay.RefundPending, 0)
			t.returns(refund, price, pay.RefundPending, 0)
			t.wait(w.RefundsWithin - time.Second)
			t.wantRefund(refund, pay.RefundPending, 0)
			t.restart()
			t.wait(time.Second)
			t.wantRefund(refund, w.Refunds, returned)
			t.wait(w.RefundsWithin)
			t.wantRefund(refund, w.Refunds, returned)
			t.returns(refund, price, w.Refunds, returned)
		}},
		{"is ended by a repeat as well as by a look", func(t *trial) {
			t.want(pay.OutcomeSucceeded, t.authorize(charge(w, true)))
			t.returns(refund, price, pay.RefundPending, 0)
			t.wait(w.RefundsWithin)
			t.returns(refund, price, w.Refunds, returned)
		}},
		{"counts while it is pending, and not once it failed", func(t *trial) {
			t.want(pay.OutcomeSucceeded, t.authorize(charge(w, true)))
			t.returns(refund, price, pay.RefundPending, 0)
			t.returns(other, 1, pay.RefundFailed, 0)
			t.wait(w.RefundsWithin)
			t.wantRefund(refund, w.Refunds, returned)
			if w.Refunds == pay.RefundFailed {
				t.returns(other+"0", price, pay.RefundPending, 0)
			}
		}},
		{"returns once, however many look at the moment at which it ends", func(t *trial) {
			t.want(pay.OutcomeSucceeded, t.authorize(charge(w, true)))
			t.returns(refund, price, pay.RefundPending, 0)
			t.wait(w.RefundsWithin)
			t.together(func(ctx context.Context, n int) (pay.RefundOutcome, error) {
				if n%2 == 0 {
					return t.provider.LookupRefund(ctx, payment, refund)
				}
				return t.provider.Refund(ctx, asked(refund, price))
			})
			t.wantRefund(refund, w.Refunds, returned)
		}},
	}
}

// refundCases are the promises of Refund and LookupRefund.
var refundCases = []contractCase{
	{"a repeated Refund gets where it stands and returns nothing", func(t *trial) {
		t.want(pay.OutcomeSucceeded, t.authorize(t.take()))
		first := t.returns(refund, price, pay.RefundSucceeded, price)
		for range 3 {
			t.sameRefund(first, t.returns(refund, price, pay.RefundSucceeded, price))
		}
	}},
	{"what was held and captured can be refunded", func(t *trial) {
		t.want(pay.OutcomeAuthorized, t.authorize(t.hold()))
		t.want(pay.OutcomeSucceeded, t.capture)
		t.returns(refund, price, pay.RefundSucceeded, price)
	}},
	{"a payment that was refunded was taken all the same", func(t *trial) {
		taken := t.want(pay.OutcomeSucceeded, t.authorize(t.take()))
		t.returns(refund, price, pay.RefundSucceeded, price)
		t.sameAs(taken, t.want(pay.OutcomeSucceeded, t.lookup))
		t.sameAs(taken, t.want(pay.OutcomeSucceeded, t.authorize(t.take())))
		t.sameAs(taken, t.want(pay.OutcomeSucceeded, t.void))
	}},
	{"concurrent repeats of Refund return once and all get that outcome", func(t *trial) {
		t.want(pay.OutcomeSucceeded, t.authorize(t.take()))
		o := t.together(func(ctx context.Context, _ int) (pay.RefundOutcome, error) {
			return t.provider.Refund(ctx, asked(refund, price))
		})
		t.sameRefund(o, t.returns(refund, price, pay.RefundSucceeded, price))
	}},
	{"of concurrent refunds of all of it one returns it", func(t *trial) {
		t.want(pay.OutcomeSucceeded, t.authorize(t.take()))
		t.fight(price)
		t.returned(price)
	}},
	{"of concurrent refunds of parts no more succeed than there is", func(t *trial) {
		t.want(pay.OutcomeSucceeded, t.authorize(t.take()))
		t.fight(100)
		t.returned(price / 100 * 100)
	}},
	{"parts add up, and what is left is all that is left", func(t *trial) {
		t.want(pay.OutcomeSucceeded, t.authorize(t.take()))
		t.returns(refund, 100, pay.RefundSucceeded, 100)
		t.returns(other, price-100, pay.RefundSucceeded, price)
		t.returns(other+"0", 1, pay.RefundFailed, price)
	}},
	{"more than is left fails, returns nothing and takes no room", func(t *trial) {
		t.want(pay.OutcomeSucceeded, t.authorize(t.take()))
		t.returns(refund, price+1, pay.RefundFailed, 0)
		t.returns(other, price, pay.RefundSucceeded, price)
		t.returns(refund, price+1, pay.RefundFailed, price)
	}},
	{"a refund that failed stays failed, though there would be room by now", func(t *trial) {
		t.want(pay.OutcomeAuthorized, t.authorize(t.hold()))
		t.returns(refund, price, pay.RefundFailed, 0)
		t.want(pay.OutcomeSucceeded, t.capture)
		t.returns(refund, price, pay.RefundFailed, 0)
		t.returns(other, price, pay.RefundSucceeded, price)
	}},
	{"another currency fails", func(t *trial) {
		t.want(pay.OutcomeSucceeded, t.authorize(t.take()))
		r := asked(refund, price)
		r.Amount.Currency = "EUR"
		o, err := t.provider.Refund(t.Context(), r)
		if err == nil {
			t.checkRefund(pay.RefundFailed, o)
		}
		t.returned(0)
	}},
	{"nothing, and less than nothing, fails", func(t *trial) {
		t.want(pay.OutcomeSucceeded, t.authorize(t.take()))
		t.returns(refund, 0, pay.RefundFailed, 0)
		t.returns(other, -1, pay.RefundFailed, 0)
		t.returns(other+"0", price, pay.RefundSucceeded, price)
	}},
	{"what was voided cannot be refunded", func(t *trial) {
		t.want(pay.OutcomeAuthorized, t.authorize(t.hold()))
		t.want(pay.OutcomeVoided, t.void)
		t.returns(refund, price, pay.RefundFailed, 0)
	}},
	{"what was refused cannot be refunded", func(t *trial) {
		t.want(pay.OutcomeFailed, t.authorize(t.refuse()))
		t.returns(refund, price, pay.RefundFailed, 0)
	}},
	{"a repeat of another amount or currency is told so and changes nothing", func(t *trial) {
		t.want(pay.OutcomeSucceeded, t.authorize(t.take()))
		first := t.returns(refund, 100, pay.RefundSucceeded, 100)
		foreign := asked(refund, 100)
		foreign.Amount.Currency = "EUR"
		for _, r := range []provider.Return{asked(refund, 99), asked(refund, 101), asked(refund, price), foreign} {
			if o, err := t.provider.Refund(t.Context(), r); !errors.Is(err, provider.ErrDifferentRefund) {
				t.Errorf("%v: got %+v and error %v, want ErrDifferentRefund", r.Amount, o, err)
			}
			t.sameRefund(first, t.wantRefund(refund, pay.RefundSucceeded, 100))
		}
	}},
	{"a refund of a payment that never came is told so, and the payment can still come", func(t *trial) {
		if o, err := t.provider.Refund(t.Context(), asked(refund, price)); !errors.Is(err, provider.ErrUnknownPayment) {
			t.Fatalf("got %+v and error %v, want ErrUnknownPayment", o, err)
		}
		t.want(pay.OutcomeSucceeded, t.authorize(t.take()))
		t.returns(refund, price, pay.RefundSucceeded, price)
	}},
	{"a refund of a payment that was told to be unknown is told so too", func(t *trial) {
		t.wantUnknown(t.lookup)
		if o, err := t.provider.Refund(t.Context(), asked(refund, price)); !errors.Is(err, provider.ErrUnknownPayment) {
			t.Fatalf("got %+v and error %v, want ErrUnknownPayment", o, err)
		}
		t.wantRefused(t.take())
	}},
	{"a refund that was looked up before it came is carried out when it comes", func(t *trial) {
		t.wantUnknownRefund()
		t.want(pay.OutcomeSucceeded, t.authorize(t.take()))
		t.wantUnknownRefund()
		t.wantUnknownRefund()
		t.returns(refund, price, pay.RefundSucceeded, price)
	}},
	{"a restart remembers refunds", func(t *trial) {
		t.want(pay.OutcomeSucceeded, t.authorize(t.take()))
		done := t.returns(refund, 100, pay.RefundSucceeded, 100)
		failed := t.returns(other, price, pay.RefundFailed, 100)
		t.restart()
		t.sameRefund(done, t.wantRefund(refund, pay.RefundSucceeded, 100))
		t.sameRefund(done, t.returns(refund, 100, pay.RefundSucceeded, 100))
		t.sameRefund(failed, t.returns(other, price, pay.RefundFailed, 100))
		t.returns(other+"0", price-99, pay.RefundFailed, 100)
	}},
	{"a refund that its caller gave up is resolved by LookupRefund", func(t *trial) {
		t.want(pay.OutcomeSucceeded, t.authorize(t.take()))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, _ = t.provider.Refund(ctx, asked(refund, price))
		if _, err := t.provider.LookupRefund(t.Context(), payment, refund); errors.Is(err, provider.ErrUnknownRefund) {
			t.returned(0)
		}
		t.returns(refund, price, pay.RefundSucceeded, price)
	}},
}

// asked is a refund of an amount of the case's payment.
func asked(id pay.RefundID, amount int64) provider.Return {
	return provider.Return{Refund: id, Payment: payment, Amount: pay.Money{Amount: amount, Currency: "USD"}}
}

// returns asks for a refund and holds its outcome, and LookupRefund's after it, against the
// status, and the books against all that must have been returned of the payment by then.
func (t *trial) returns(id pay.RefundID, amount int64, status pay.RefundStatus, returned int64) pay.RefundOutcome {
	t.Helper()
	o, err := t.provider.Refund(t.Context(), asked(id, amount))
	if err != nil {
		t.Fatalf("got error %v, want %s", err, status)
	}
	t.checkRefund(status, o)
	t.sameRefund(o, t.wantRefund(id, status, returned))
	return o
}

func (t *trial) wantRefund(id pay.RefundID, status pay.RefundStatus, returned int64) pay.RefundOutcome {
	t.Helper()
	o, err := t.provider.LookupRefund(t.Context(), payment, id)
	if err != nil {
		t.Fatalf("LookupRefund: got error %v, want %s", err, status)
	}
	t.checkRefund(status, o)
	t.returned(returned)
	return o
}

func (t *trial) wantUnknownRefund() {
	t.Helper()
	if o, err := t.provider.LookupRefund(t.Context(), payment, refund); !errors.Is(err, provider.ErrUnknownRefund) {
		t.Fatalf("got %+v and error %v, want ErrUnknownRefund", o, err)
	}
}

func (t *trial) checkRefund(status pay.RefundStatus, o pay.RefundOutcome) {
	t.Helper()
	if o.Status != status {
		t.Fatalf("got %s (%+v), want %s", o.Status, o.Failure, status)
	}
	if o.Reference == "" && status != pay.RefundFailed {
		t.Errorf("%s without the provider's reference", status)
	}
	if failed := status == pay.RefundFailed; failed != (o.Failure != nil) {
		t.Errorf("%s with failure %+v", status, o.Failure)
	}
	if o.Failure != nil && (o.Failure.Code == "" || o.Failure.Message == "") {
		t.Errorf("the failure needs a code and a message: %+v", *o.Failure)
	}
}

// returned holds the provider's own books against what should have been returned.
func (t *trial) returned(want int64) {
	t.Helper()
	if got := t.subject.Returned(payment); got != want {
		t.Fatalf("the books show %d as returned, want %d", got, want)
	}
}

func (t *trial) sameRefund(want, got pay.RefundOutcome) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("not the same outcome (-want +got):\n%s", diff)
	}
}

// together makes concurrent calls, which must all get one outcome.
func (t *trial) together(do func(ctx context.Context, n int) (pay.RefundOutcome, error)) pay.RefundOutcome {
	t.Helper()
	outcomes, errs := t.crowd(do)
	for i := range outcomes {
		if errs[i] != nil {
			t.Fatalf("call %d: %v", i, errs[i])
		}
		t.sameRefund(outcomes[0], outcomes[i])
	}
	return outcomes[0]
}

// fight asks for many refunds of an amount at once, of which as many as there is room for
// must succeed.
func (t *trial) fight(amount int64) {
	t.Helper()
	outcomes, errs := t.crowd(func(ctx context.Context, n int) (pay.RefundOutcome, error) {
		return t.provider.Refund(ctx, asked(refund+pay.RefundID(rune('a'+n)), amount))
	})
	succeeded := 0
	for i, o := range outcomes {
		if errs[i] != nil {
			t.Fatalf("call %d: %v", i, errs[i])
		}
		if o.Status == pay.RefundSucceeded {
			succeeded++
		} else {
			t.checkRefund(pay.RefundFailed, o)
		}
	}
	if want := int(price / amount); succeeded != want {
		t.Errorf("%d of %d refunds succeeded, want %d", succeeded, callers, want)
	}
}

func (t *trial) crowd(do func(ctx context.Context, n int) (pay.RefundOutcome, error)) ([]pay.RefundOutcome, []error) {
	outcomes, errs := make([]pay.RefundOutcome, callers), make([]error, callers)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			<-start
			outcomes[i], errs[i] = do(t.Context(), i)
		})
	}
	close(start)
	all.Wait()
	return outcomes, errs
}
