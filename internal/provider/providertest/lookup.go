package providertest

import (
	"errors"

	"github.com/google/go-cmp/cmp"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
)

// lookupCases are the promises about payments that never arrived, and about memory.
var lookupCases = []contractCase{
	{"a payment that was looked up before it came is refused when it comes", func(t *trial) {
		t.wantUnknown(t.lookup)
		t.wantRefused(t.take())
		t.wantRefused(t.take())
	}},
	{"an unknown payment stays unknown", func(t *trial) {
		t.wantUnknown(t.lookup)
		t.wantUnknown(t.lookup)
		t.wantUnknown(t.capture)
		t.wantUnknown(t.void)
	}},
	{"Capture of an unknown payment makes it unknown for good", func(t *trial) {
		t.wantUnknown(t.capture)
		t.wantRefused(t.hold())
	}},
	{"Void of an unknown payment makes it unknown for good", func(t *trial) {
		t.wantUnknown(t.void)
		t.wantRefused(t.hold())
	}},
	{"a payment that was unknown can never be captured", func(t *trial) {
		t.wantUnknown(t.lookup)
		t.wantRefused(t.hold())
		if o, err := t.capture(t.Context()); err == nil {
			t.check(pay.OutcomeFailed, o)
		}
		t.books(false)
	}},
	{"concurrent Authorize and Lookup agree on whether it came", func(t *trial) {
		calls := append(repeat(callers/2, t.lookup), repeat(callers/2, t.authorize(t.take()))...)
		results := t.atOnce(calls...)
		told := unknowns(results[:callers/2])
		outcome := t.agreed(results[callers/2:])
		if told == 0 {
			t.check(pay.OutcomeSucceeded, outcome)
			return
		}
		t.check(pay.OutcomeFailed, outcome)
	}},
	{"a restart remembers a payment that was taken", func(t *trial) {
		t.remembers(pay.OutcomeSucceeded, t.take(), t.authorize(t.take()))
	}},
	{"a restart remembers a payment that is held", func(t *trial) {
		t.remembers(pay.OutcomeAuthorized, t.hold(), t.authorize(t.hold()))
		t.want(pay.OutcomeSucceeded, t.capture)
	}},
	{"a restart remembers a payment that was captured", func(t *trial) {
		t.want(pay.OutcomeAuthorized, t.authorize(t.hold()))
		t.remembers(pay.OutcomeSucceeded, t.hold(), t.capture)
		t.want(pay.OutcomeSucceeded, t.capture)
	}},
	{"a restart remembers a payment that was voided", func(t *trial) {
		t.want(pay.OutcomeAuthorized, t.authorize(t.hold()))
		t.remembers(pay.OutcomeVoided, t.hold(), t.void)
		t.want(pay.OutcomeVoided, t.capture)
	}},
	{"a restart remembers a payment that was refused", func(t *trial) {
		t.remembers(pay.OutcomeFailed, t.refuse(), t.authorize(t.refuse()))
	}},
	{"a restart remembers what was told to be unknown", func(t *trial) {
		t.wantUnknown(t.lookup)
		t.restart()
		t.wantRefused(t.take())
		t.restart()
		t.wantRefused(t.take())
	}},
}

// remembers makes the call, restarts, and wants Lookup and a repeat of the charge
// to tell what the call told.
func (t *trial) remembers(kind pay.OutcomeKind, c provider.Charge, do call) {
	t.Helper()
	before := t.want(kind, do)
	t.restart()
	t.sameAs(before, t.want(kind, t.lookup))
	t.sameAs(before, t.want(kind, t.authorize(c)))
}

func (t *trial) sameAs(want, got pay.Outcome) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("not the same outcome (-want +got):\n%s", diff)
	}
}

func unknowns(results []result) (n int) {
	for _, r := range results {
		if errors.Is(r.err, provider.ErrUnknownPayment) {
			n++
		}
	}
	return n
}
