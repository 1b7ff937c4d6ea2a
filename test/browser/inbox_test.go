package browser

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/inbox"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

func TestAPaidSessionAppearsInTheInboxByItself(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		call(b, browser.SetPermission, browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: name}, Setting: browser.PermissionSettingGranted, Origin: shop.URL,
			BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID,
		})
	}
	b.do(chromedp.Navigate(shop.URL + inbox.Path))
	b.until(`document.querySelector("#live").textContent === "Live"`)
	b.do(chromedp.Evaluate[chromedp.Void]("window.same = true"))
	id := shop.Sell(t)
	b.until(`document.querySelectorAll(".events li").length === 1`) // in the place of the advice
	b.do(chromedp.Focus(css(".events a")))
	if _, err := shop.Gateway.Pay(t.Context(), id, gateway.Tender{Method: pay.MethodApplePay, Token: "tok_approved"}); err != nil {
		t.Fatal(err)
	}
	b.until(`document.querySelectorAll(".events li").length === 4 && document.querySelector(".type").textContent === "session.paid"`)
	for _, condition := range []string{
		"window.same", // the page was not loaded again
		`document.activeElement.querySelector(".type").textContent === "session.created"`,
		`document.querySelector("#live").textContent === "Live: 4 new webhooks"`,
	} {
		if !run(b, chromedp.Evaluate[bool](condition)) {
			t.Errorf("it is not so: %s; the page says %s", condition, b.text())
		}
	}
	b.do(chromedp.Click(css(".events li:first-child a")), chromedp.WaitVisible(css("body.event main")))
	for _, block := range []string{"headers", "body", "openssl", "own", "secret"} {
		b.do(chromedp.Click(css(`[data-copy="` + block + `"]`)))
		b.until(`document.querySelector("[data-copy=` + block + `]").textContent === "Copied"`)
		if !run(b, chromedp.Evaluate[bool](`(async () => await navigator.clipboard.readText() === document.getElementById("`+block+`").textContent)()`, chromedp.EvalAwaitPromise)) {
			t.Errorf("what is copied of %s is something else", block)
		}
	}
}

func TestTheInboxIsReadWithoutScriptAndByTheKeyboard(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	id := shop.Sell(t)
	shop.Sell(t)
	b.withoutScript()
	b.do(chromedp.Navigate(shop.URL+inbox.Path), chromedp.SendKeys(css("#session"), string(id)+"\r"))
	b.until(`document.querySelectorAll(".events li").length === 1 && location.search.includes("` + string(id) + `")`)
	b.do(chromedp.Focus(css(".events a")), chromedp.KeyEvent("\r"), chromedp.WaitVisible(css("body.event main")))
	if got := run(b, chromedp.Text(css("#body"))); !strings.Contains(got, string(id)) {
		t.Errorf("the body is %s", got)
	}
}

func TestTheInboxSuitsEveryScreen(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	axe := needAxe(t)
	picture := func(name, address string) {
		b.visit(address)
		b.look(axe, "inbox-"+name)
	}
	picture("empty", shop.URL+inbox.Path)
	id := shop.Sell(t, func(s *coinslottest.Sale) { s.Order.Item.Title = strings.Repeat("Donaudampfschifffahrt", 6) })
	if _, err := shop.Gateway.Pay(t.Context(), id, gateway.Tender{Method: pay.MethodApplePay, Token: "tok_approved"}); err != nil {
		t.Fatal(err)
	}
	picture("list", shop.URL+inbox.Path)
	b.do(chromedp.Click(css(".events a")), chromedp.WaitVisible(css("body.event main")))
	picture("event", run(b, chromedp.Location()))
	picture("problem", shop.URL+inbox.Path+"?type=x")
}
