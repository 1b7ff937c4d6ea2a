package browser

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/coinslot/coinslot/test/coinslottest"
)

// stop is where the focus is, and whether somebody who looks can tell: its outline is drawn,
// stands out from what is behind it, and it is on the screen.
const stop = `(() => {
	const e = document.activeElement, s = getComputedStyle(e), box = e.getBoundingClientRect();
	const seen = s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 && s.outlineColor !== getComputedStyle(document.querySelector("main")).backgroundColor
		&& box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.left >= 0 && box.right <= innerWidth;
	return [e === document.body ? "" : e.id || e.getAttribute("href")?.split("/").pop() || e.dataset.card || e.className || e.tagName, seen ? "seen" : "unseen: " + s.outline + " at " + box.top];
})()`

// tabs goes through the page by Tab until the focus leaves it, and returns the
// stops in their order.
func (b *tab) tabs() (stops []string) {
	b.t.Helper()
	for range 40 {
		b.do(chromedp.KeyEvent(kb.Tab))
		at := run(b, chromedp.Evaluate[[]string](stop))
		if at[0] == "" || slices.Contains(stops, at[0]) {
			break
		}
		if at[1] != "seen" {
			b.t.Errorf("the focus on %s is %s", at[0], at[1])
		}
		stops = append(stops, at[0])
	}
	return stops
}

// tabTo goes on by Tab until the focus is on what is so called.
func (b *tab) tabTo(name string) {
	b.t.Helper()
	for range 40 {
		b.do(chromedp.KeyEvent(kb.Tab))
		if run(b, chromedp.Evaluate[[]string](stop))[0] == name {
			return
		}
	}
	b.t.Fatalf("no number of tabs reaches %s", name)
}

func TestEveryStopOfTheFocusIsSeen(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	address := shop.Page(shop.Sell(t))
	for _, s := range []screen{{320, "light"}, {1280, "dark"}} {
		b.size(s)
		b.visit(address)
		got := strings.Join(b.tabs(), " ")
		if want := "google_pay paypal paylater venmo number expiry cvc button main quiet apple_pay SUMMARY"; got != want {
			t.Errorf("%s: the focus goes %q, want %q", s, got, want)
		}
		b.visit(address + "/wallet/venmo")
		if got := strings.Join(b.tabs(), ", "); !strings.HasPrefix(got, "button main, button plain, sess_") {
			t.Errorf("%s: on a wallet's sheet the focus goes %q", s, got)
		}
	}
}

func TestTheKeyboardAloneCanPay(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.visit(shop.Page(shop.Sell(t)))
	for _, field := range [][2]string{{"number", "4242424242424242"}, {"expiry", "1240"}, {"cvc", "12"}} {
		b.tabTo(field[0])
		b.do(chromedp.KeyEvent(field[1]))
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	b.sees(wrong(cvc))
	if at := b.focused(); at != "cvc" {
		t.Errorf("the focus is on #%s, not on what is wrong", at)
	}
	b.do(chromedp.KeyEvent(kb.End), chromedp.KeyEvent("3"), chromedp.WaitNotVisible(wrong(cvc)))
	b.tabTo("button main")
	b.do(chromedp.KeyEvent(" "))
	b.waitFor("paid")
	b.tabTo("back")
}

func TestTheKeyboardOpensTestCardsAndWallets(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.visit(shop.Page(shop.Sell(t)))
	b.tabTo("SUMMARY")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.tabTo("4000 0000 0000 0002")
	b.do(chromedp.KeyEvent(kb.Enter))
	if got := b.value(number); got != "4000 0000 0000 0002" {
		t.Errorf("the number is %q", got)
	}
	b.do(chromedp.KeyEvent(kb.Enter)) // the focus has gone to the button that pays
	b.sees(alert)
	b.tabTo("paypal")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.waitFor("wallet")
	b.tabTo("button main")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.waitFor("paid")
}

func TestTheKeyboardAloneCanCancel(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.visit(shop.Page(shop.Sell(t)))
	b.tabTo("quiet")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.waitFor("cancelled")
}

// What is typed in the middle of a number leaves the caret where it was, and the keys that
// move it do.
func TestACardNumberIsMendedInItsMiddle(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.visit(shop.Page(shop.Sell(t)))
	b.do(chromedp.SendKeys(number, "424242424242424"), chromedp.KeyEvent(kb.Home), chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.ArrowRight))
	b.do(chromedp.KeyEvent("9"), chromedp.KeyEvent(kb.Backspace), chromedp.KeyEvent("4"))
	if got := b.value(number); got != "4244 2424 2424 2424" {
		t.Errorf("the number is %q", got)
	}
	b.is("the caret is behind what was typed", "document.activeElement.selectionStart === 3")
}
