package providertest

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
)

// pendingCases are what a payment must do that ends by itself.
func pendingCases(w Way) []contractCase {
	return []contractCase{
		{"is pending, then taken, and so for all who look", func(t *trial) {
			pending := t.want(pay.OutcomePending, t.authorize(charge(w, true)))
			t.sameAs(pending, t.want(pay.OutcomePending, t.authorize(charge(w, true))))
			t.wait(w.Pends - time.Second)
			t.want(pay.OutcomePending, t.lookup)
			t.restart()
			t.wait(time.Second)
			taken := t.want(pay.OutcomeSucceeded, t.lookup)
			t.sameAs(taken, t.want(pay.OutcomeSucceeded, t.authorize(charge(w, true))))
			if taken.Reference != pending.Reference {
				t.Errorf("the reference changed from %q to %q", pending.Reference, taken.Reference)
			}
		}},
		{"is pending, then held, and can be captured", func(t *trial) {
			t.want(pay.OutcomePending, t.authorize(charge(w, false)))
			t.wait(w.Pends)
			t.want(pay.OutcomeAuthorized, t.lookup)
			t.want(pay.OutcomeSucceeded, t.capture)
		}},
		{"moves nothing that is asked for while it is pending", func(t *trial) {
			t.want(pay.OutcomePending, t.authorize(charge(w, true)))
			t.want(pay.OutcomePending, t.capture)
			t.want(pay.OutcomePending, t.void)
			t.returns(refund, price, pay.RefundFailed, 0)
			t.wait(w.Pends)
			t.want(pay.OutcomeSucceeded, t.lookup)
		}},
		{"is taken once, however many look at the moment at which it ends", func(t *trial) {
			t.want(pay.OutcomePending, t.authorize(charge(w, true)))
			time.Sleep(w.Pends)
			calls := append(repeat(callers/2, t.lookup), repeat(callers/2, t.authorize(charge(w, true)))...)
			t.check(pay.OutcomeSucceeded, t.agreed(t.atOnce(calls...)))
		}},
		{"is reported when it has ended, once a look would tell", func(t *trial) {
			t.want(pay.OutcomePending, t.authorize(charge(w, true)))
			t.desk.watch(func() {
				if o, err := t.lookup(t.Context()); err != nil || o.Kind != pay.OutcomeSucceeded {
					t.Errorf("when it was reported, a look told %+v and error %v", o, err)
				}
			})
			t.wait(w.Pends)
			t.wantReports(1, 1)
		}},
	}
}

// challengeCases are what a payment must do that waits for its player.
func challengeCases(w Way) []contractCase {
	approved := pay.OutcomeSucceeded
	if w.Fails != "" {
		approved = pay.OutcomeFailed
	}
	return []contractCase{
		{"tells where the player must go, the same until they have been there", func(t *trial) {
			first := t.want(pay.OutcomePending, t.authorize(charge(w, true)))
			if u, err := url.Parse(first.Action); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
				t.Errorf("the action is %q", first.Action)
			}
			t.restart()
			t.sameAs(first, t.want(pay.OutcomePending, t.lookup))
			t.sameAs(first, t.want(pay.OutcomePending, t.authorize(charge(w, true))))
		}},
		{"goes on once the player has approved, and is reported", func(t *trial) {
			t.want(pay.OutcomePending, t.authorize(charge(w, true)))
			t.answer(true, nil)
			o := t.want(approved, t.lookup)
			if o.Action != "" {
				t.Errorf("it has ended, and its player must still go to %s", o.Action)
			}
			t.wantCode(o, w.Fails)
			t.wait(0)
			t.wantReports(1, 1)
		}},
		{"fails once the player has refused, and is reported", func(t *trial) {
			t.want(pay.OutcomePending, t.authorize(charge(w, true)))
			t.answer(false, nil)
			t.wantCode(t.want(pay.OutcomeFailed, t.lookup), pay.AuthenticationFailed)
			t.wait(0)
			t.wantReports(1, 1)
		}},
		{"is answered once: of later answers none counts", func(t *trial) {
			t.want(pay.OutcomePending, t.authorize(charge(w, true)))
			t.answer(false, nil)
			t.answer(true, provider.ErrNoChallenge)
			t.restart()
			t.answer(true, provider.ErrNoChallenge)
			t.wantCode(t.want(pay.OutcomeFailed, t.lookup), pay.AuthenticationFailed)
		}},
		{"fails by itself where the player never comes back, and is reported", func(t *trial) {
			t.want(pay.OutcomePending, t.authorize(charge(w, true)))
			t.wait(w.Pends - time.Second)
			t.want(pay.OutcomePending, t.lookup)
			t.restart()
			t.wait(time.Second)
			t.wantReports(1, 1)
			t.answer(true, provider.ErrNoChallenge)
			t.wantCode(t.want(pay.OutcomeFailed, t.lookup), pay.AuthenticationFailed)
		}},
	}
}

// answer gives the player's answer, where it is given on Coinslot's own page.
func (t *trial) answer(approved bool, want error) {
	t.Helper()
	by, ok := t.provider.(provider.Challenger)
	if !ok {
		t.Skip("the challenge is not answered here")
	}
	open, err := by.Challenged(t.Context(), payment)
	if err != nil || open != (want == nil) {
		t.Errorf("challenged: %t and error %v", open, err)
	}
	if err := by.Answer(t.Context(), payment, approved); !errors.Is(err, want) {
		t.Fatalf("Answer: got error %v, want %v", err, want)
	}
}

func (t *trial) wantCode(o pay.Outcome, want pay.FailureCode) {
	t.Helper()
	if want == "" != (o.Failure == nil) || want != "" && o.Failure.Code != want {
		t.Errorf("got %+v, want %q", o.Failure, want)
	}
}

// silentCases are what a payment must do that the provider never answers for.
func silentCases(w Way) []contractCase {
	ask := func(t *trial, c provider.Charge) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		began := time.Now()
		o, err := t.provider.Authorize(ctx, c)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) < 30*time.Second {
			t.Errorf("after %v got %+v and error %v", time.Since(began), o, err)
		}
		t.wantSilent(c, result{o, err})
	}
	return []contractCase{
		{"lets its caller wait for as long as that wants, and is unknown then", func(t *trial) {
			ask(t, charge(w, true))
			t.wantUnknown(t.lookup)
		}},
		{"can be looked up while it hangs, and is never charged later", func(t *trial) {
			done := make(chan bool)
			go func() { ask(t, charge(w, true)); close(done) }()
			t.wait(time.Second)
			t.wantUnknown(t.lookup)
			<-done
			ask(t, charge(w, true))
			t.restart()
			t.wait(24 * time.Hour)
			t.wantUnknown(t.lookup)
		}},
	}
}

// lateCases are what becomes of a payment that failed, and succeeds all the same.
func lateCases(w Way) []contractCase {
	fail := func(t *trial, capture bool) {
		t.Helper()
		t.wantCode(t.want(pay.OutcomeFailed, t.authorize(charge(w, capture))), w.Fails)
		t.wait(w.SucceedsAfter - time.Second)
		t.want(pay.OutcomeFailed, t.lookup)
		t.restart()
		t.wait(time.Second)
		t.wantReports(1, 1)
	}
	return []contractCase{
		{"is reported once a look tells of the money, which can be returned once", func(t *trial) {
			fail(t, true)
			t.want(pay.OutcomeSucceeded, t.lookup)
			for range 3 {
				t.returns(refund, price, pay.RefundSucceeded, price)
			}
			t.want(pay.OutcomeSucceeded, t.lookup)
		}},
		{"is reported once a look tells of the hold, which can be let go", func(t *trial) {
			fail(t, false)
			t.want(pay.OutcomeAuthorized, t.lookup)
			t.want(pay.OutcomeVoided, t.void)
			t.want(pay.OutcomeVoided, t.void)
		}},
	}
}
