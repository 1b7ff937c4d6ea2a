package providertest

import "github.com/coinslot/coinslot/internal/pay"

// finishingCases are the promises of Capture and Void.
var finishingCases = []contractCase{
	{"Capture takes what is held, and repeats take nothing", func(t *trial) {
		held := t.want(pay.OutcomeAuthorized, t.authorize(t.hold()))
		taken := t.want(pay.OutcomeSucceeded, t.capture)
		if held.Reference != taken.Reference {
			t.Errorf("the reference changed from %q to %q", held.Reference, taken.Reference)
		}
		for range 3 {
			t.sameAs(taken, t.want(pay.OutcomeSucceeded, t.capture))
		}
	}},
	{"Capture of what was taken at once takes nothing", func(t *trial) {
		taken := t.want(pay.OutcomeSucceeded, t.authorize(t.take()))
		t.sameAs(taken, t.want(pay.OutcomeSucceeded, t.capture))
	}},
	{"Void lets go of what is held, and repeats find it so", func(t *trial) {
		t.want(pay.OutcomeAuthorized, t.authorize(t.hold()))
		voided := t.want(pay.OutcomeVoided, t.void)
		for range 3 {
			t.sameAs(voided, t.want(pay.OutcomeVoided, t.void))
		}
	}},
	{"what was taken cannot be voided", func(t *trial) {
		t.want(pay.OutcomeAuthorized, t.authorize(t.hold()))
		t.want(pay.OutcomeSucceeded, t.capture)
		t.want(pay.OutcomeSucceeded, t.void)
		t.want(pay.OutcomeSucceeded, t.capture)
	}},
	{"what was taken at once cannot be voided", func(t *trial) {
		t.want(pay.OutcomeSucceeded, t.authorize(t.take()))
		t.want(pay.OutcomeSucceeded, t.void)
	}},
	{"what was voided cannot be taken", func(t *trial) {
		t.want(pay.OutcomeAuthorized, t.authorize(t.hold()))
		t.want(pay.OutcomeVoided, t.void)
		t.want(pay.OutcomeVoided, t.capture)
		t.want(pay.OutcomeVoided, t.void)
	}},
	{"what was refused can be neither taken nor voided", func(t *trial) {
		refused := t.want(pay.OutcomeFailed, t.authorize(t.refuse()))
		t.sameAs(refused, t.want(pay.OutcomeFailed, t.capture))
		t.sameAs(refused, t.want(pay.OutcomeFailed, t.void))
	}},
	{"a repeat of Authorize after Capture tells of the capture", func(t *trial) {
		t.want(pay.OutcomeAuthorized, t.authorize(t.hold()))
		t.want(pay.OutcomeSucceeded, t.capture)
		t.want(pay.OutcomeSucceeded, t.authorize(t.hold()))
	}},
	{"a repeat of Authorize after Void tells of the void", func(t *trial) {
		t.want(pay.OutcomeAuthorized, t.authorize(t.hold()))
		t.want(pay.OutcomeVoided, t.void)
		t.want(pay.OutcomeVoided, t.authorize(t.hold()))
	}},
	{"concurrent Captures take once", func(t *trial) {
		t.want(pay.OutcomeAuthorized, t.authorize(t.hold()))
		t.check(pay.OutcomeSucceeded, t.agreed(t.atOnce(repeat(callers, t.capture)...)))
	}},
	{"of concurrent Capture and Void one wins, and both tell which", func(t *trial) {
		t.want(pay.OutcomeAuthorized, t.authorize(t.hold()))
		calls := append(repeat(callers/2, t.capture), repeat(callers/2, t.void)...)
		o := t.agreed(t.atOnce(calls...))
		if o.Kind != pay.OutcomeSucceeded && o.Kind != pay.OutcomeVoided {
			t.Fatalf("got %s, want succeeded or voided", o.Kind)
		}
		t.sameAs(o, t.want(o.Kind, t.lookup))
	}},
}
