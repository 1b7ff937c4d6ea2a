package checkout_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

const (
	safari  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
	webView = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
	android = "Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/125.0.0.0 Mobile Safari/537.36"
)

func openWith(t *testing.T, agent, address string) *leaf {
	t.Helper()
	return send(t, http.MethodGet, address, "", map[string]string{"User-Agent": agent})
}

// buttons are the methods that a part of the page offers, in its order.
func (l *leaf) buttons(class string) string {
	var found []string
	for _, list := range l.all("div") {
		if attr(list, "class") != class {
			continue
		}
		for _, a := range each(list, "a") {
			found = append(found, words(a))
		}
	}
	return strings.Join(found, ", ")
}

func TestADeviceIsOfferedItsOwnWalletsAndADeveloperAllOfThem(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	euro := shop.Page(shop.Sell(t, func(s *coinslottest.Sale) { s.Order.Item.Currency = "EUR" }))
	for agent, others := range map[string]string{safari: "Venmo", webView: "Apple Pay, Google Pay, Venmo", "": "Apple Pay, Venmo"} {
		page := openWith(t, agent, euro)
		if got := page.buttons("others"); got != others {
			t.Errorf("%q: among the other ways are %q, want %q", agent, got, others)
		}
		page.says("PayPal", "Pay later", "Card number", "Other ways to pay in the sandbox")
	}
	if page := openWith(t, safari, shop.Page(shop.Sell(t))); page.buttons("others") != "" || strings.Contains(page.text("main"), "Other ways") {
		t.Errorf("where all is offered there are others: %s", page.text("main"))
	}
}

func TestAnAppThatWithholdsAWalletIsNamedWithTheWayOut(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	address := shop.Page(shop.Sell(t))
	for agent, want := range map[string][2]string{
		webView: {"Apple Pay does not work inside this app", "x-safari-" + address},
		android: {"Google Pay does not work inside this app", "intent" + strings.TrimPrefix(address, "http") + "#Intent;scheme=http;"},
	} {
		page := openWith(t, agent, address)
		page.says(want[0], "Open in browser", address, "Card number", "Pay $4.99")
		var found bool
		for _, a := range page.all("a") {
			found = found || strings.HasPrefix(attr(a, "href"), want[1])
		}
		if !found {
			t.Errorf("no link leads to %s", want[1])
		}
	}
	if page := openWith(t, safari, address); strings.Contains(page.text("main"), "inside this app") {
		t.Error("a browser is called an app")
	}
	// Where nobody takes wallets, none is missed.
	real := shop.Page(shop.Sell(t, func(s *coinslottest.Sale) { s.Environment = pay.Production }))
	if page := openWith(t, webView, real); strings.Contains(page.text("main"), "inside this app") || strings.Contains(page.text("main"), "Other ways") {
		t.Errorf("a real session's page says %s", page.text("main"))
	}
}
