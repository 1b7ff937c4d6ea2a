package gateway

import (
	"slices"
	"strings"
	"testing"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider/sandbox"
)

// TestTheSandboxHasTheCardsOfTriggers: the use cases know no provider, so nothing but this
// ties their numbers to the sandbox's.
func TestTheSandboxHasTheCardsOfTriggers(t *testing.T) {
	want := map[string]struct {
		outcome string
		failure pay.FailureCode
	}{
		cardThatSucceeds:     {"succeeds (Visa)", ""},
		cardThatIsDeclined:   {"is declined", pay.CardDeclined},
		cardWithFailedRefund: {"succeeds; its refunds are pending for 10 seconds, then fail", ""},
	}
	for number, w := range want {
		at := slices.IndexFunc(sandbox.Cards, func(c sandbox.Card) bool { return strings.ReplaceAll(c.Number, " ", "") == number })
		if at < 0 {
			t.Errorf("the sandbox has no card %s", number)
			continue
		}
		if c := sandbox.Cards[at]; c.Outcome != w.outcome || c.Failure != w.failure {
			t.Errorf("card %s %s (%q), want one that %s (%q)", number, c.Outcome, c.Failure, w.outcome, w.failure)
		}
	}
	for event, f := range flows {
		if _, known := want[f.card]; f.card != "" && !known {
			t.Errorf("%s: the sandbox has no card %s", event, f.card)
		}
	}
}
