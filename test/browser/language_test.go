package browser

import (
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/coinslot/coinslot/test/coinslottest"
)

// fitsSmallPhones looks at every language on the smallest screen.
func fitsSmallPhones(t *testing.T, shop *coinslottest.Shop, pages map[string]string) {
	b := start(t, shop)
	b.allow(pages["broken"]) // a shop of its own
	b.size(screen{320, "light"})
	for _, lang := range languages {
		if slices.Contains(looked, lang) {
			continue // at every screen
		}
		b.speak(lang)
		for name, address := range pages {
			b.visit(address)
			b.unspoilt(lang + ", " + name)
		}
		b.blunder(pages["pending"])
		b.unspoilt(lang + ", wrong")
	}
}

// An Arabic page runs from right to left, and a card's numbers in it from left to right.
func TestAnArabicPageRunsFromTheRight(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	arabic := "ar"
	b.size(screen{1280, "light"})
	b.do(chromedp.Navigate(shop.Page(shop.Sell(t, func(s *coinslottest.Sale) { s.Order.Locale = &arabic }))), chromedp.Click(testCards))
	for what, check := range map[string]string{
		"the code of the card is left of its date":      `at("#cvc").right <= at("#expiry").left`,
		"the picture stands at the right":               `at(".picture").right === at(".total").right`,
		"the button to use a card is left of it":        `at(".use").right <= at("code").left`,
		"the number is typed from left to right":        `getComputedStyle(document.querySelector("#number")).direction === "ltr"`,
		"a test card's first group stands leftmost":     `group(0, 4).left < group(5, 9).left && group(5, 9).left < group(15, 19).left`,
		"the price reads 4.99 from the right, then US$": `letter("٤").left > letter("U").left && letter("U").left < letter("$").left`,
		"no heading is drawn with letters kept apart":   `getComputedStyle(document.querySelector("h1")).letterSpacing === "normal" || parseFloat(getComputedStyle(document.querySelector("h1")).letterSpacing) === 0`,
	} {
		if !run(b, chromedp.Evaluate[bool](`(() => {
			const at = s => document.querySelector(s).getBoundingClientRect();
			const part = (node, from, to) => { const r = document.createRange(); r.setStart(node, from); r.setEnd(node, to); return r.getBoundingClientRect(); };
			const group = (from, to) => part(document.querySelector("code").firstChild, from, to);
			const price = document.querySelector(".total bdi").firstChild;
			const letter = l => part(price, price.data.indexOf(l), price.data.indexOf(l) + 1);
			return `+check+`;
		})()`)) {
			t.Errorf("it is not so that %s", what)
		}
	}
	b.typeCard("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢")
	if got := run(b, chromedp.Value(number)); got != "4242 4242 4242 4242" {
		t.Errorf("a number of Arabic digits reads %q", got)
	}
	b.do(chromedp.Click(payButton))
	b.waitFor("paid")
	if !run(b, chromedp.Evaluate[bool](`(() => {
		const receipt = document.querySelector(".receipt dd").firstChild, at = s => {
			const r = document.createRange();
			r.setStart(receipt, receipt.data.indexOf(s));
			r.setEnd(receipt, receipt.data.indexOf(s) + s.length);
			return r.getBoundingClientRect().left;
		};
		return at("4242") < at("Visa");
	})()`)) {
		t.Error("the receipt does not run from the right")
	}
	if got := run(b, chromedp.Evaluate[string]("document.documentElement.dir + getComputedStyle(document.body).direction")); got != "rtlrtl" {
		t.Errorf("the page runs %s", got)
	}
}
