package browser

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/coinslot/coinslot/test/coinslottest"
)

func TestACardIsTypedAndPays(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.do(chromedp.Navigate(shop.Page(shop.Sell(t))))
	b.typeCard("4242424242424242")
	if got := run(b, chromedp.Value(number)) + " " + run(b, chromedp.Value(expiry)); got != "4242 4242 4242 4242 12/40" {
		t.Errorf("what was typed reads %q", got)
	}
	b.do(chromedp.Click(payButton))
	b.waitFor("paid")
}

func TestADeclinedCardLeavesTheFormForAnother(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.do(chromedp.Navigate(shop.Page(shop.Sell(t))))
	b.typeCard("4000000000000002")
	b.do(chromedp.Click(payButton), chromedp.WaitVisible(alert))
	if got := run(b, chromedp.Text(alert)); !strings.Contains(got, "declined") {
		t.Errorf("the page says %q", got)
	}
	b.typeCard("5555555555554444")
	b.do(chromedp.Click(payButton))
	b.waitFor("paid")
}

func TestASlipOfTheFingerIsToldBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.do(chromedp.Navigate(shop.Page(shop.Sell(t))))
	b.typeCard("4242424242424241")
	b.do(chromedp.Click(payButton), chromedp.WaitVisible(css("#number[aria-invalid=true]")), chromedp.WaitVisible(wrong(number)))
	if got := run(b, chromedp.Evaluate[string]("document.activeElement.id")); got != "number" {
		t.Errorf("the focus is on #%s", got)
	}
	if shop.Bank.Asked() != 0 {
		t.Error("it reached the provider")
	}
}

func TestATestCardFillsItselfIn(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.do(chromedp.Navigate(shop.Page(shop.Sell(t))), chromedp.Click(testCards), chromedp.Click(css("li:nth-of-type(3) .use")))
	if got := run(b, chromedp.Value(number)) + " " + run(b, chromedp.Value(cvc)); got != "3782 822463 10005 1234" {
		t.Errorf("the form holds %q", got)
	}
	b.do(chromedp.Click(payButton))
	b.waitFor("paid")
}

func TestAWalletIsDismissedDeclinedAndApproved(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.do(chromedp.Navigate(shop.Page(shop.Sell(t))))
	apple := wallet("apple_pay")
	b.do(chromedp.Click(apple))
	b.waitFor("wallet")
	b.do(chromedp.Click(dismiss))
	b.waitFor("pending")
	b.do(chromedp.Click(apple), chromedp.Click(decline), chromedp.WaitVisible(alert), chromedp.Click(apple), chromedp.Click(approve))
	b.waitFor("paid")
	if shop.Bank.Asked() != 2 {
		t.Errorf("the provider was asked %d times", shop.Bank.Asked())
	}
}

func TestEverythingWorksWithoutScript(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.withoutScript()
	b.do(chromedp.Navigate(shop.Page(shop.Sell(t))))
	b.typeCard("4242424242424241")
	b.do(chromedp.Click(payButton), chromedp.WaitVisible(wrong(number)))
	b.do(chromedp.SendKeys(number, "4000000000000002"), chromedp.SendKeys(cvc, "123"), chromedp.Click(payButton))
	b.until(`document.querySelector(".alert").innerText.includes("declined")`) // the page before has an alert too
	b.do(chromedp.Click(wallet("paypal")), chromedp.Click(approve))
	b.waitFor("paid")
	if href := run(b, chromedp.AttributeValue(back, "href")); href.Value != "mygame://payment-complete" {
		t.Errorf("the way back is %q", href.Value)
	}
}

func TestTwoTapsChargeOnce(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	shop.Bank.Hold()
	b.do(chromedp.Navigate(shop.Page(shop.Sell(t))))
	b.typeCard("4242424242424242")
	busy := run(b, chromedp.Evaluate[string](`(b => { b.click(); b.click(); b.form.requestSubmit(); return b.getAttribute("aria-disabled") + " " + b.innerText })(document.querySelector("`+string(payButton)+`"))`))
	if busy != "true Paying…" {
		t.Errorf("after two taps the button is %q", busy)
	}
	shop.Bank.Release()
	b.waitFor("paid")
	if shop.Bank.Asked() != 1 {
		t.Errorf("the provider was asked %d times", shop.Bank.Asked())
	}
}

func TestASlowPaymentIsFollowedToItsEnd(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	id := shop.Sell(t)
	shop.Bank.Hold()
	b.do(chromedp.Navigate(shop.Page(id)))
	b.typeCard("4242424242424242")
	b.do(chromedp.Click(payButton))
	b.waitFor("processing")
	b.do(chromedp.Reload())
	b.waitFor("processing")
	shop.Bank.Release()
	b.waitFor("paid")
}

func TestWithoutScriptASlowPaymentIsFollowedToo(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	shop.Bank.Hold()
	b.withoutScript()
	b.do(chromedp.Navigate(shop.Page(shop.Sell(t))))
	b.typeCard("4242424242424242")
	b.do(chromedp.Click(payButton))
	b.waitFor("processing")
	shop.Bank.Release()
	b.waitFor("paid")
}

func TestThePaidPlayerIsTakenBack(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	game := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Referer() != "" {
			t.Errorf("the game is told where the player comes from: %s", r.Referer())
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><link rel=icon href=data:,><body class=game><main>Welcome back"))
	}))
	t.Cleanup(game.Close)
	b.allow(game.URL)
	id := shop.Sell(t, func(s *coinslottest.Sale) { s.Order.ReturnURL = game.URL + "/done?s={SESSION_ID}" })
	b.do(chromedp.Navigate(shop.Page(id)), chromedp.Click(wallet("venmo")), chromedp.Click(approve))
	b.waitFor("game")
	if at := run(b, chromedp.Location()); at != game.URL+"/done?s="+string(id) {
		t.Errorf("the player is at %s", at)
	}
	// Who comes back to the page is not sent away a second time.
	b.do(chromedp.Evaluate[chromedp.Void]("history.back()"))
	b.until(`document.body.className === "paid" && document.querySelector(".returning").hidden`)
}
