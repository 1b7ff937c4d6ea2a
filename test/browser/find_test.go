package browser

import (
	"context"

	"github.com/chromedp/chromedp"
)

// css finds elements. A plain string is also looked for in texts, the style's too.
type css = chromedp.CSS

// Where things are on the page. Tests name them by these and by nothing else.
const (
	number    = css("#number")
	expiry    = css("#expiry")
	cvc       = css("#cvc")
	payButton = css("form.card button[type=submit]")
	leave     = css(".leave button")
	alert     = css(".alert")
	testCards = css("summary")
	wallets   = css(".wallets a")
	approve   = css("form:nth-of-type(1) button")
	decline   = css("form:nth-of-type(2) button")
	dismiss   = css("a.quiet")
	back      = css("#back")
)

// wallet is the button of one wallet.
func wallet(method string) css { return css(".wallets a[href$=" + method + "]") }

// wrong is where the page says what is wrong with a field.
func wrong(field css) css { return field + "-error" }

// in finds an element of the page that is in a state.
func in(state string) css { return css("body." + state + " main") }

// visit opens a page. One that tries the way back to its game at that very moment ends what
// was begun, and is asked again.
func (b *tab) visit(address string) {
	b.t.Helper()
	for range 4 {
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		err := chromedp.Do(ctx, chromedp.Navigate(address))
		cancel()
		if err == nil {
			return
		}
	}
	b.do(chromedp.Navigate(address))
}

// click clicks one after the other.
func (b *tab) click(these ...css) {
	b.t.Helper()
	for _, e := range these {
		b.do(chromedp.Click(e))
	}
}

// sees waits for elements.
func (b *tab) sees(these ...css) {
	b.t.Helper()
	for _, e := range these {
		b.do(chromedp.WaitVisible(e))
	}
}

// waitFor waits until the page's state, the class of its body, is this one.
func (b *tab) waitFor(state string) {
	b.t.Helper()
	b.sees(in(state))
}

func (b *tab) typeCard(digits string) {
	b.t.Helper()
	b.do(chromedp.SendKeys(number, digits), chromedp.SendKeys(expiry, "1240"), chromedp.SendKeys(cvc, "123"))
}

// paid pays a session with a card, whatever comes of it.
func (b *tab) paid(address, card string) string {
	b.t.Helper()
	b.visit(address)
	b.typeCard(card)
	b.click(payButton)
	b.sees(alert + ", body:not(.pending)")
	return address
}

// blunder opens the test cards, and sends the form with nothing in it. It does so without
// a mouse: pages are judged by the hundred here, and clicks are tried elsewhere.
func (b *tab) blunder(address string) {
	b.t.Helper()
	b.visit(address)
	for _, e := range []css{testCards, payButton} {
		b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("` + string(e) + `").click()`))
	}
	b.until(`document.querySelector("` + string(wrong(cvc)) + `").textContent !== ""`)
}

// value is what an input holds.
func (b *tab) value(of css) string {
	b.t.Helper()
	return run(b, chromedp.Value(of))
}

// says is what an element says.
func (b *tab) says(e css) string {
	b.t.Helper()
	return run(b, chromedp.Text(e))
}

// focused is the id of the element that has the focus.
func (b *tab) focused() string {
	b.t.Helper()
	return run(b, chromedp.Evaluate[string]("document.activeElement.id"))
}
