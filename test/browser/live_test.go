package browser

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// untouched marks the document, so that a reload would be noticed.
func (b *tab) untouched() {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void]("window.untouched = true; undefined"))
}

func (b *tab) wantUntouched() {
	b.t.Helper()
	if !run(b, chromedp.Evaluate[bool]("window.untouched === true")) {
		b.t.Error("the page was loaded again")
	}
}

func payElsewhere(t *testing.T, shop *coinslottest.Shop, id pay.SessionID, number string) {
	t.Helper()
	c, err := shop.Gateway.Checkout(t.Context(), id)
	if err != nil {
		t.Error(err)
	}
	card := pay.Card{Number: number, ExpiryMonth: 12, ExpiryYear: 2040, CVC: "123"}
	if _, err := shop.Gateway.Pay(t.Context(), id, gateway.Tender{Method: pay.MethodCard, Card: &card, Attempt: c.Session.Spent}); err != nil {
		t.Error(err)
	}
}

func TestTwoTabsFollowEachOther(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	id := shop.Sell(t)
	other := b.another(shop)
	for _, tab := range []*tab{b, other} {
		tab.do(chromedp.Navigate(shop.Page(id)))
		tab.untouched()
	}
	b.do(chromedp.SendKeys(css("#number"), "5555"), chromedp.SendKeys(css("#cvc"), "12"))
	// One is declined in the other: the form stays, with what was typed, and says so.
	other.typeCard("4000000000000002")
	other.do(chromedp.Click(payButton), chromedp.WaitVisible(css(".alert")))
	b.until(`document.querySelector(".alert") && document.querySelector(".alert").innerText.includes("declined")`)
	if got := run(b, chromedp.Evaluate[string](`number.value + " " + cvc.value + " " + document.activeElement.className`)); got != "5555 12 alert" {
		t.Errorf("the form that was being filled in holds %q", got)
	}
	b.wantUntouched()
	// What is sent from there now is no stale form.
	b.do(chromedp.SendKeys(css("#number"), "555555554444"), chromedp.SendKeys(css("#expiry"), "1240"), chromedp.SendKeys(css("#cvc"), "3"), chromedp.Click(payButton))
	b.waitFor("paid")
	other.until(`document.body.className === "paid"`)
	if asked := shop.Bank.Asked(); asked != 2 {
		t.Errorf("the provider was asked %d times", asked)
	}
}

func TestWhatHappensElsewhereIsShownWithoutAReload(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	id := shop.Sell(t)
	b.refuse("/state") // so that nothing but the stream can tell
	b.do(chromedp.Navigate(shop.Page(id)))
	b.untouched()
	shop.Bank.Hold()
	var paying sync.WaitGroup
	paying.Go(func() { payElsewhere(t, shop, id, "4242424242424242") })
	defer paying.Wait()
	b.until(`document.body.className === "processing" && document.activeElement.textContent === "Processing your payment"`)
	shop.Bank.Release()
	b.until(`document.body.className === "paid" && document.activeElement.textContent === "Payment successful" && document.title === "Payment successful"`)
	b.wantUntouched()
}

func TestAChangeThatIsNotTheFormsLeavesWhatIsTyped(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.do(chromedp.Navigate(shop.Page(shop.Sell(t))), chromedp.SendKeys(css("#number"), "4242"))
	b.do(chromedp.Evaluate[chromedp.Void](`window.dispatchEvent(new Event("online")); undefined`))
	b.until(`performance.getEntriesByType("resource").some(e => e.name.endsWith("/state") && e.responseEnd > 0)`)
	if got := run(b, chromedp.Value(css("#number"))); got != "4242" {
		t.Errorf("the number is %q", got)
	}
}

// refuse makes the browser fail what the page asks for at its address and this path.
func (b *tab) refuse(path string) {
	b.t.Helper()
	call(b, network.Enable, network.EnableParams{})
	call(b, network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: []*network.BlockPattern{{URLPattern: "*://*:*/pay/*" + path, Block: true}}})
}

// failed says whether the page has asked for a path in vain.
func (b *tab) failed(path string) bool {
	b.t.Helper()
	return run(b, chromedp.Evaluate[bool](`performance.getEntriesByType("resource").some(e => e.name.endsWith("`+path+`") && e.transferSize === 0)`))
}

// Without the stream, as behind a proxy that refuses it, the page asks.
func TestAPageThatHearsNothingAsks(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	id := shop.Sell(t)
	b.refuse("/live")
	b.do(chromedp.Navigate(shop.Page(id)))
	b.untouched()
	payElsewhere(t, shop, id, "4242424242424242")
	b.until(`document.body.className === "paid"`)
	b.wantUntouched()
	if !b.failed("/live") {
		t.Error("the stream was not refused")
	}
}

// An old web view that knows no EventSource asks, too.
func TestABrowserWithoutStreamsAsks(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	id := shop.Sell(t)
	call(b, cdppage.Enable, cdppage.EnableParams{})
	call(b, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: "delete window.EventSource"})
	b.do(chromedp.Navigate(shop.Page(id)))
	b.untouched()
	payElsewhere(t, shop, id, "4242424242424242")
	b.until(`document.body.className === "paid"`)
	b.wantUntouched()
}

func TestWhoComesBackSeesTheTruthAtOnce(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	id := shop.Sell(t)
	b.do(chromedp.Navigate(shop.Page(id)), chromedp.Navigate("about:blank"))
	payElsewhere(t, shop, id, "4242424242424242")
	b.do(chromedp.Evaluate[chromedp.Void]("history.back(); undefined"))
	b.until(`document.body.className === "paid"`)
}

func TestABlockedWayBackAsksForATap(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.do(chromedp.Navigate(shop.Page(shop.Sell(t))))
	b.typeCard("4242424242424242")
	b.do(chromedp.Click(payButton))
	b.waitFor("paid")
	b.until(`document.querySelector(".returning").innerText.includes("Taking you back")`)
	b.until(`document.querySelector(".returning").innerText.includes("Tap the button")`)
	// It was tried once, and is not tried again by who looks again.
	b.do(chromedp.Reload())
	b.until(`document.body.className === "paid" && document.querySelector(".returning").hidden`)
}

func TestEveryEndLeadsBackToTheGame(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	game := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><link rel=icon href=data:,><body class=game><main>Welcome back"))
	}))
	t.Cleanup(game.Close)
	b.allow(game.URL)
	sell := func(attempts int) pay.SessionID {
		return shop.Sell(t, func(s *coinslottest.Sale) {
			s.Game.Attempts = attempts
			s.Order.ReturnURL, s.Order.CancelURL = game.URL+"/done?s={SESSION_ID}", new(game.URL+"/left?s={SESSION_ID}")
		})
	}
	arrived := func(id pay.SessionID, path string) {
		t.Helper()
		b.waitFor("game")
		if at := run(b, chromedp.Location()); at != game.URL+path+"?s="+string(id) {
			t.Errorf("the player is at %s", at)
		}
	}
	left := sell(3)
	b.do(chromedp.Navigate(shop.Page(left)), chromedp.Click(css(".leave button")))
	arrived(left, "/left")
	failed := sell(1)
	b.paid(shop.Page(failed), "4000000000000002")
	b.waitFor("failed")
	b.do(chromedp.Click(css("#back")))
	arrived(failed, "/left")
	late := sell(3)
	shop.Wait(25 * time.Hour)
	b.do(chromedp.Navigate(shop.Page(late)), chromedp.Click(css("#back")))
	arrived(late, "/left")
}

func TestAnAppsWebViewLeadsToTheBrowser(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	call(b, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
		UserAgent: "Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/125.0.0.0 Mobile Safari/537.36",
	})
	address := shop.Page(shop.Sell(t))
	b.do(chromedp.Navigate(address), chromedp.WaitVisible(css(".app")))
	said := run(b, chromedp.Text(css(".app")))
	if !strings.Contains(said, "Google Pay does not work inside this app") || !strings.Contains(said, address) {
		t.Errorf("the page says %q", said)
	}
	b.do(chromedp.Click(css("[data-copy]")))
	b.until(`document.querySelector("[data-copy]").textContent === "Link copied"`)
	b.size(screen{320, "light"})
	b.unspoilt("a web view")
	// Its wallets are gone from the buttons, and the card form is there.
	if got := run(b, chromedp.Evaluate[string](`Array.from(document.querySelectorAll(".ways > .wallets a"), a => a.textContent).join()`)); got != "PayPal,Pay later,Venmo" {
		t.Errorf("the buttons are %s", got)
	}
	b.typeCard("4242424242424242")
	b.do(chromedp.Click(payButton))
	b.waitFor("paid")
}
