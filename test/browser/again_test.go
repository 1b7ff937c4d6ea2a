package browser

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// charged fails the test unless the provider was asked so often.
func charged(t *testing.T, shop *coinslottest.Shop, times int) {
	t.Helper()
	if shop.Bank.Asked() != times {
		t.Errorf("the provider was asked %d times, not %d", shop.Bank.Asked(), times)
	}
}

// TestTwoTabsFollowEachOther has those that hear of each other.
func TestASecondTabThatHearsNothingPaysNothing(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	address := shop.Page(shop.Sell(t))
	shop.Bank.Hold()
	other := b.another(shop)
	other.deafen()
	other.visit(address)
	other.typeCard("5555555555554444")
	b.paid(address, "4242424242424242")
	b.waitFor("processing")
	// The form that is still open there starts nothing, and shows what is under way.
	other.click(payButton)
	other.waitFor("processing")
	shop.Bank.Release()
	b.waitFor("paid")
	other.do(chromedp.Reload())
	other.waitFor("paid")
	charged(t, shop, 1)
}

// A tab that was left at its form looks again once it is looked at.
func TestATabThatIsLookedAtAgainTellsTheTruth(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	address := shop.Page(shop.Sell(t))
	other := b.another(shop)
	other.visit(address)
	b.paid(address, "4242424242424242")
	b.waitFor("paid")
	other.do(chromedp.Evaluate[chromedp.Void](`document.dispatchEvent(new Event("visibilitychange"))`))
	other.waitFor("paid")
	charged(t, shop, 1)
}

// deafen keeps the pages that are opened from then on from learning of what happens elsewhere.
func (b *tab) deafen() {
	b.t.Helper()
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: "delete window.EventSource; XMLHttpRequest.prototype.send = function () {}",
	})
}

func TestABackButtonAfterPayingChargesNothing(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.paid(shop.Page(shop.Sell(t)), "4242424242424242")
	b.waitFor("paid")
	b.do(chromedp.Evaluate[chromedp.Void]("history.back()"))
	b.until(`document.body.className === "paid" || location.href === "about:blank"`)
	b.do(chromedp.Evaluate[chromedp.Void]("history.forward()"))
	b.until(`document.body.className === "paid"`)
	b.do(chromedp.Reload())
	b.until(`document.body.className === "paid"`)
	charged(t, shop, 1)
}

func TestABackButtonAfterADeclineChargesOnlyWhatIsSent(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.visit("about:blank")
	b.visit(shop.Page(shop.Sell(t)))
	b.click(wallet("venmo"), decline)
	b.sees(alert)
	b.do(chromedp.Evaluate[chromedp.Void]("history.back()"))
	b.until(`document.readyState === "complete" && document.querySelector("form") !== null`)
	charged(t, shop, 1)
	// The sheet is either loaded anew and pays, or is the old one and starts nothing.
	b.do(chromedp.Evaluate[chromedp.Void](`setTimeout(() => document.querySelector("form button").click())`))
	b.until(`document.body.className === "paid" || document.body.className === "pending" && document.querySelector(".alert") !== null`)
	if run(b, chromedp.Evaluate[bool](`document.body.className === "paid"`)) {
		charged(t, shop, 2)
	} else {
		charged(t, shop, 1)
	}
}

func TestAReloadWhilePayingChargesOnce(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	shop.Bank.Hold()
	b.paid(shop.Page(shop.Sell(t)), "4242424242424242")
	for range 3 {
		b.waitFor("processing")
		b.do(chromedp.Reload())
	}
	shop.Bank.Release()
	b.waitFor("paid")
	b.do(chromedp.Reload())
	b.waitFor("paid")
	charged(t, shop, 1)
}

// A real double tap of two fingers' quickness, without script to catch the second.
func TestADoubleClickWithoutScriptChargesOnce(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.withoutScript()
	b.visit(shop.Page(shop.Sell(t)))
	b.typeCard("4242424242424242")
	b.do(chromedp.DoubleClick(payButton))
	b.waitFor("paid")
	charged(t, shop, 1)
}

func TestADoubleClickOnAWalletChargesOnce(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.visit(shop.Page(shop.Sell(t)))
	b.click(wallet("google_pay"))
	b.waitFor("wallet")
	b.do(chromedp.DoubleClick(approve))
	b.waitFor("paid")
	charged(t, shop, 1)
}

func TestWithoutScriptAPurchaseIsCancelled(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.withoutScript()
	b.visit(shop.Page(shop.Sell(t)))
	b.click(leave)
	b.waitFor("cancelled")
	if href := run(b, chromedp.AttributeValue(back, "href")); href.Value != "mygame://payment-complete" {
		t.Errorf("the way back is %q", href.Value)
	}
	charged(t, shop, 0)
}

func TestWithoutScriptAWalletIsDismissedAndDeclined(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.withoutScript()
	b.visit(shop.Page(shop.Sell(t)))
	b.click(wallet("apple_pay"), dismiss)
	b.waitFor("pending")
	b.click(wallet("apple_pay"), decline)
	b.sees(alert)
	charged(t, shop, 1)
}

// A session that ends elsewhere while its form is open is shown as it stands.
func TestAFormOfASessionThatHasEndedChargesNothing(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	id := shop.Sell(t)
	b.deafen()
	b.visit(shop.Page(id))
	b.typeCard("4242424242424242")
	if _, err := shop.Gateway.CancelSession(t.Context(), gateway.Caller{Environment: pay.Sandbox}, id, gateway.Idempotency{}); err != nil {
		t.Fatal(err)
	}
	b.click(payButton)
	b.waitFor("cancelled")
	charged(t, shop, 0)
}

func TestNothingMovesForWhoWantsNothingToMove(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	shop.Bank.Hold()
	b.paid(shop.Page(shop.Sell(t)), "4242424242424242")
	b.waitFor("processing")
	// Endless movement only: an end is soon over.
	const moving = `document.getAnimations().filter(a => a.effect.getComputedTiming().endTime === Infinity).length`
	for preference, want := range map[string]bool{"no-preference": true, "reduce": false} {
		call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: preference}}})
		if got := run(b, chromedp.Evaluate[int](moving)) > 0; got != want {
			t.Errorf("with %s something moves: %v", preference, got)
		}
	}
}
