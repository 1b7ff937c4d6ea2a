package browser

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/coinslot/coinslot/test/coinslottest"
)

// offline pulls the browser's plug, or puts it back.
func (b *tab) offline(off bool) {
	b.t.Helper()
	b.excuse("ERR_INTERNET_DISCONNECTED")
	call(b, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: off, DownloadThroughput: -1, UploadThroughput: -1})
	call(b, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Offline: off, DownloadThroughput: -1, UploadThroughput: -1}},
	})
}

func TestWhoIsOfflineIsToldAndLosesNothing(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.visit(shop.Page(shop.Sell(t)))
	b.typeCard("4242424242424242")
	b.offline(true)
	for range 2 {
		b.click(payButton)
		b.sees(alert)
	}
	if said := b.says(alert); !strings.Contains(said, "You are offline") || !strings.Contains(said, "nothing was charged") {
		t.Errorf("the page says %q", said)
	}
	b.is("it says so once", `document.querySelectorAll("`+string(alert)+`").length === 1`)
	b.is("the button can be pressed again", `!document.querySelector("`+string(payButton)+`").hasAttribute("aria-disabled")`)
	if got := b.value(number) + " " + b.value(expiry) + " " + b.value(cvc); got != "4242 4242 4242 4242 12/40 123" {
		t.Errorf("of what was typed is left %q", got)
	}
	b.do(chromedp.Evaluate[chromedp.Void](needAxe(t)))
	for _, found := range run(b, chromedp.Evaluate[[]string](audit, chromedp.EvalAwaitPromise)) {
		t.Errorf("axe: %s", found)
	}
	b.unspoilt("offline")
	if shop.Bank.Asked() != 0 {
		t.Error("the provider was asked")
	}
	b.offline(false)
	b.do(chromedp.WaitNotPresent(alert))
	b.click(payButton)
	b.waitFor("paid")
	if shop.Bank.Asked() != 1 {
		t.Errorf("the provider was asked %d times", shop.Bank.Asked())
	}
}

// The other forms say it too, and a page that waits goes on asking.
func TestOfflineEverywhereElse(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	address := shop.Page(shop.Sell(t))
	b.visit(address)
	b.offline(true)
	b.click(leave)
	b.sees(alert)
	b.offline(false)
	b.visit(address + "/wallet/paypal")
	b.offline(true)
	b.click(approve)
	b.sees(alert)
	b.offline(false)
	shop.Bank.Hold()
	b.paid(address, "4242424242424242")
	b.waitFor("processing")
	failed := make(chan bool, 100)
	if err := chromedp.Listen(b.ctx, func(event any) {
		if _, ok := event.(*network.EventLoadingFailed); ok {
			failed <- true
		}
	}); err != nil {
		t.Fatal(err)
	}
	b.offline(true)
	shop.Bank.Release()
	select { // until it has asked in vain
	case <-failed:
	case <-time.After(patience):
		t.Fatal("the page does not ask")
	}
	b.waitFor("processing")
	b.offline(false)
	b.waitFor("paid")
}
