package providertest

import (
	"context"
	"errors"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
)

// payingCases are what each way of paying must do.
func payingCases(w Way) []contractCase {
	switch {
	case w.Silent:
		return silentCases(w)
	case w.Challenge:
		return challengeCases(w)
	case w.Pends > 0:
		return pendingCases(w)
	case w.SucceedsAfter > 0:
		return lateCases(w)
	case w.Reports > 0:
		return reportedCases(w)
	case w.Fails != "":
		return []contractCase{
			{"is refused for its reason, taking at once", func(t *trial) { t.wantFailure(w, true) }},
			{"is refused for its reason, holding", func(t *trial) { t.wantFailure(w, false) }},
		}
	}
	return approvedCases(w)
}

func approvedCases(w Way) []contractCase {
	return []contractCase{
		{"takes the money at once", func(t *trial) { t.want(pay.OutcomeSucceeded, t.authorize(charge(w, true))) }},
		{"holds the money and takes it later", func(t *trial) {
			t.want(pay.OutcomeAuthorized, t.authorize(charge(w, false)))
			t.want(pay.OutcomeSucceeded, t.capture)
		}},
	}
}

func (t *trial) wantFailure(w Way, capture bool) {
	t.Helper()
	c := charge(w, capture)
	o := t.want(pay.OutcomeFailed, t.authorize(c))
	if o.Failure.Code != w.Fails {
		t.Errorf("failed with %s, want %s", o.Failure.Code, w.Fails)
	}
	t.wantSilent(c, result{outcome: o})
}

// chargingCases are the promises of Authorize.
var chargingCases = []contractCase{
	{"a repeated Authorize gets the first outcome and charges nothing", func(t *trial) {
		first := t.want(pay.OutcomeSucceeded, t.authorize(t.take()))
		for range 3 {
			t.sameAs(first, t.want(pay.OutcomeSucceeded, t.authorize(t.take())))
		}
	}},
	{"a repeated Authorize that only holds gets the first outcome", func(t *trial) {
		first := t.want(pay.OutcomeAuthorized, t.authorize(t.hold()))
		t.sameAs(first, t.want(pay.OutcomeAuthorized, t.authorize(t.hold())))
	}},
	{"a refused payment stays refused, with another card too", func(t *trial) {
		first := t.want(pay.OutcomeFailed, t.authorize(t.refuse()))
		t.sameAs(first, t.want(pay.OutcomeFailed, t.authorize(t.refuse())))
		if t.approved.Method == t.refused.Method {
			t.sameAs(first, t.want(pay.OutcomeFailed, t.authorize(t.take())))
		}
	}},
	{"an approved payment stays approved, with another card too", func(t *trial) {
		first := t.want(pay.OutcomeSucceeded, t.authorize(t.take()))
		if t.approved.Method == t.refused.Method {
			t.sameAs(first, t.want(pay.OutcomeSucceeded, t.authorize(t.refuse())))
		}
	}},
	{"concurrent repeats of Authorize charge once and all get that outcome", func(t *trial) {
		o := t.agreed(t.atOnce(repeat(callers, t.authorize(t.take()))...))
		t.check(pay.OutcomeSucceeded, o)
		t.sameAs(o, t.want(pay.OutcomeSucceeded, t.lookup))
	}},
	{"of concurrent approved and refused repeats one decides for all", func(t *trial) {
		if t.approved.Method != t.refused.Method {
			t.Skip("the ways to pay are of different methods, so they are different charges")
		}
		calls := append(repeat(callers/2, t.authorize(t.take())), repeat(callers/2, t.authorize(t.refuse()))...)
		o := t.agreed(t.atOnce(calls...))
		t.sameAs(o, t.want(o.Kind, t.lookup))
	}},
	{"a repeat that is another charge is told so and changes nothing", func(t *trial) {
		first := t.want(pay.OutcomeSucceeded, t.authorize(t.take()))
		for name, alter := range alterations {
			c := t.take()
			alter(&c)
			if o, err := t.provider.Authorize(t.Context(), c); !errors.Is(err, provider.ErrDifferentCharge) {
				t.Errorf("%s: got %+v and error %v, want ErrDifferentCharge", name, o, err)
			}
			t.sameAs(first, t.want(pay.OutcomeSucceeded, t.lookup))
		}
	}},
	{"payments are apart from each other", func(t *trial) {
		other := t.refuse()
		other.Payment = "pay_0l3kf7q2mhv4t9c1bn8s5e6dgra0uijq"
		first := t.want(pay.OutcomeSucceeded, t.authorize(t.take()))
		o, err := t.provider.Authorize(t.Context(), other)
		if err != nil || o.Kind != pay.OutcomeFailed || o.Reference == first.Reference {
			t.Errorf("the other payment got %+v and error %v", o, err)
		}
		t.sameAs(first, t.want(pay.OutcomeSucceeded, t.lookup))
	}},
	{"a call that its caller gave up is resolved by Lookup", func(t *trial) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := t.provider.Authorize(ctx, t.take())
		t.wantSilent(t.take(), result{err: err})
		switch _, err := t.lookup(t.Context()); {
		case errors.Is(err, provider.ErrUnknownPayment):
			t.wantRefused(t.take())
		default:
			t.want(pay.OutcomeSucceeded, t.lookup)
		}
	}},
}

// alterations make a charge another one.
var alterations = map[string]func(*provider.Charge){
	"another amount":         func(c *provider.Charge) { c.Amount.Amount++ },
	"another currency":       func(c *provider.Charge) { c.Amount.Currency = "EUR" },
	"another session":        func(c *provider.Charge) { c.Session = "sess_0l3kf7q2mhv4t9c1bn8s5e6dgra0uijr" },
	"another way to capture": func(c *provider.Charge) { c.Capture = !c.Capture },
}
