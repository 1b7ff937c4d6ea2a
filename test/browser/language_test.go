package browser

import (
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/coinslot/coinslot/test/coinslottest"
)

// speak makes the browser ask for a language.
func (b *tab) speak(lang string) {
	b.t.Helper()
	call(b, network.Enable, network.EnableParams{})
	call(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": lang}})
}

// spoilt finds what a text has pushed out of its place: a page that is too wide, a
// control whose text does not fit, and inputs side by side that are not level.
const spoilt = `(() => {
	const out = [];
	if (document.documentElement.scrollWidth > innerWidth) out.push("the page is too wide: " + document.documentElement.scrollWidth);
	for (const e of document.querySelectorAll("a, button, label, legend, h1, .badge, dt, dd, p, summary")) {
		if (e.className !== "unseen" && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline") out.push("cut: " + e.textContent);
	}
	for (const e of document.querySelectorAll(".button, .quiet")) {
		if (e.clientHeight > 76) out.push("a button of three lines: " + e.textContent);
	}
	const tops = ["expiry", "cvc"].map(id => document.getElementById(id)).filter(Boolean).map(e => e.getBoundingClientRect().top);
	if (tops.length && tops[0] !== tops[1]) out.push("the inputs are not level: " + tops);
	return out;
})()`

func TestEveryLanguageFitsASmallPhone(t *testing.T) {
	shop, b := coinslottest.OpenShop(t), start(t)
	pages := b.everyState(shop)
	b.size(320, "light")
	for _, lang := range []string{"en", "de", "fr", "es", "it", "pt-BR", "pl", "tr", "ru", "uk", "ja", "ko", "zh-Hans", "zh-Hant", "ar"} {
		b.speak(lang)
		for name, address := range pages {
			b.do(chromedp.Navigate(address))
			b.unspoilt(lang + ", " + name)
		}
		b.do(chromedp.Navigate(pages["pending"]), chromedp.Click(css("summary")), chromedp.Click(payButton), chromedp.WaitVisible(css("#cvc-error")))
		b.unspoilt(lang + ", wrong")
	}
}

func (b *tab) unspoilt(what string) {
	b.t.Helper()
	for _, wrong := range run(b, chromedp.Evaluate[[]string](spoilt)) {
		b.t.Errorf("%s: %s", what, wrong)
	}
}

// An Arabic page runs from right to left, and a card's numbers in it from left to right.
func TestAnArabicPageRunsFromTheRight(t *testing.T) {
	shop, b := coinslottest.OpenShop(t), start(t)
	arabic := "ar"
	b.size(1280, "light")
	b.do(chromedp.Navigate(shop.Page(shop.Sell(t, func(s *coinslottest.Sale) { s.Order.Locale = &arabic }))), chromedp.Click(css("summary")))
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
	if got := run(b, chromedp.Value(css("#number"))); got != "4242 4242 4242 4242" {
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
