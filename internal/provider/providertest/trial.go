package providertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
)

const (
	payment = pay.PaymentID("pay_0l3kf7q2mhv4t9c1bn8s5e6dgra0uijo")
	price   = 499
	callers = 16 // of concurrent calls
)

// trial is one case at work on one subject.
type trial struct {
	*testing.T
	suite
	subject  Subject
	provider provider.Provider
	stop     func()
	desk     desk
}

// call is a call of the provider for the payment of the case.
type call func(context.Context) (pay.Outcome, error)

// hold and take are charges that are approved, refuse is one that is not.
func (t *trial) hold() provider.Charge   { return charge(t.approved, false) }
func (t *trial) take() provider.Charge   { return charge(t.approved, true) }
func (t *trial) refuse() provider.Charge { return charge(t.refused, true) }

func charge(w Way, capture bool) provider.Charge {
	return provider.Charge{
		Payment: payment, Session: "sess_0l3kf7q2mhv4t9c1bn8s5e6dgra0uijp", Amount: pay.Money{Amount: price, Currency: "USD"},
		Capture: capture, Method: w.Method, Card: w.Card, Token: w.Token,
	}
}

func (t *trial) authorize(c provider.Charge) call {
	return func(ctx context.Context) (pay.Outcome, error) { return t.provider.Authorize(ctx, c) }
}

func (t *trial) capture(ctx context.Context) (pay.Outcome, error) {
	return t.provider.Capture(ctx, payment)
}

func (t *trial) void(ctx context.Context) (pay.Outcome, error) { return t.provider.Void(ctx, payment) }

func (t *trial) lookup(ctx context.Context) (pay.Outcome, error) {
	return t.provider.Lookup(ctx, payment)
}

// restart ends the provider, where it runs, and starts it again.
func (t *trial) restart() {
	if t.stop != nil {
		t.stop()
	}
	t.provider, t.stop = t.subject.Start(), func() {}
	reporter, ok := t.provider.(provider.Reporter)
	if !ok {
		return
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { reporter.Run(ctx, t.desk.take) })
	t.stop = func() { cancel(); running.Wait() }
}

// wait lets time pass, and what happens by then happen.
func (t *trial) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// want makes the call and holds its outcome, and Lookup's after it, against the
// kind; and the books against what that kind means.
func (t *trial) want(kind pay.OutcomeKind, do call) pay.Outcome {
	t.Helper()
	o, err := do(t.Context())
	if err != nil {
		t.Fatalf("got error %v, want %s", err, kind)
	}
	t.check(kind, o)
	found, err := t.lookup(t.Context())
	if err != nil {
		t.Fatalf("Lookup after it: got error %v, want %s", err, kind)
	}
	if diff := cmp.Diff(o, found); diff != "" {
		t.Fatalf("Lookup tells otherwise (-call +lookup):\n%s", diff)
	}
	return o
}

func (t *trial) check(kind pay.OutcomeKind, o pay.Outcome) {
	t.Helper()
	if o.Kind != kind {
		t.Fatalf("got %s (%+v), want %s", o.Kind, o.Failure, kind)
	}
	if o.Reference == "" && kind != pay.OutcomeFailed {
		t.Errorf("%s without the provider's reference", kind)
	}
	if failed := kind == pay.OutcomeFailed; failed != (o.Failure != nil) {
		t.Errorf("%s with failure %+v", kind, o.Failure)
	}
	if o.Failure != nil && (o.Failure.Code == "" || o.Failure.Message == "") {
		t.Errorf("the failure needs a code and a message: %+v", *o.Failure)
	}
	t.books(kind == pay.OutcomeSucceeded)
}

// books holds the provider's own books against whether the money should be taken.
func (t *trial) books(taken bool) {
	t.Helper()
	want := int64(0)
	if taken {
		want = price
	}
	if got := t.subject.Taken(payment); got != want {
		t.Fatalf("the books show %d as taken, want %d", got, want)
	}
}

// wantUnknown makes the call, which must find the payment unknown.
func (t *trial) wantUnknown(do call) {
	t.Helper()
	if o, err := do(t.Context()); !errors.Is(err, provider.ErrUnknownPayment) {
		t.Fatalf("got %+v and error %v, want ErrUnknownPayment", o, err)
	}
	t.books(false)
}

// wantRefused sends the charge of a payment that was told to be unknown. It fails,
// and the payment is unknown still or known to have failed.
func (t *trial) wantRefused(c provider.Charge) {
	t.Helper()
	o, err := t.provider.Authorize(t.Context(), c)
	if err != nil {
		t.Fatalf("got error %v, want a refusal", err)
	}
	t.check(pay.OutcomeFailed, o)
	found, err := t.lookup(t.Context())
	if err == nil {
		t.check(pay.OutcomeFailed, found)
	} else if !errors.Is(err, provider.ErrUnknownPayment) {
		t.Fatalf("Lookup after it: got error %v, want ErrUnknownPayment or a failure", err)
	}
	t.books(false)
}

// result is what one of several concurrent calls got.
type result struct {
	outcome pay.Outcome
	err     error
}

// atOnce makes the calls concurrently and returns what each of them got.
func (t *trial) atOnce(calls ...call) []result {
	results := make([]result, len(calls))
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i, do := range calls {
		wg.Go(func() {
			<-start
			o, err := do(t.Context())
			results[i] = result{o, err}
		})
	}
	close(start)
	wg.Wait()
	return results
}

// agreed wants all calls to have got one outcome, and returns it.
func (t *trial) agreed(results []result) pay.Outcome {
	t.Helper()
	for i, r := range results {
		if r.err != nil {
			t.Fatalf("call %d: %v", i, r.err)
		}
		if diff := cmp.Diff(results[0].outcome, r.outcome); diff != "" {
			t.Fatalf("calls 0 and %d differ:\n%s", i, diff)
		}
	}
	return results[0].outcome
}

// wantSilent wants nothing of the card or token in what the provider said.
func (t *trial) wantSilent(c provider.Charge, r result) {
	t.Helper()
	said := fmt.Sprintf("%+v %+v %v", r.outcome, r.outcome.Failure, r.err)
	if c.Card != nil && strings.Contains(pay.Card{Number: said}.Digits(), c.Card.Digits()) {
		t.Error("what the provider said has the card's number in it")
	}
	if c.Token != "" && r.err != nil && strings.Contains(r.err.Error(), c.Token) {
		t.Error("the provider's error has the token in it")
	}
}

func repeat(n int, do call) []call {
	calls := make([]call, n)
	for i := range calls {
		calls[i] = do
	}
	return calls
}
