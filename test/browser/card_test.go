package browser

import (
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/coinslot/coinslot/test/coinslottest"
)

func TestTheBrandIsDrawnAsTheNumberIsTyped(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.do(chromedp.Navigate(shop.Page(shop.Sell(t))))
	for _, c := range []struct{ number, shown, brand, plate, code string }{
		{"4242424242424242", "4242 4242 4242 4242", "Visa", "VISA", "back"},
		{"2720990000000007", "2720 9900 0000 0007", "Mastercard", "MC", "back"},
		{"378282246310005", "3782 822463 10005", "American Express", "AMEX", "front"},
		{"6011000990139424", "6011 0009 9013 9424", "Discover", "DISC", "back"},
		{"3566002020360505", "3566 0020 2036 0505", "JCB", "JCB", "back"},
		{"36227206271667", "3622 720627 1667", "Diners Club", "DC", "back"},
		{"6205500000000000004", "6205 5000 0000 0000 004", "UnionPay", "UP", "back"},
		{"9", "9", "", "", "back"},
	} {
		b.do(chromedp.Evaluate[chromedp.Void](`number.value = ""; number.dispatchEvent(new Event("input")); number.focus(); undefined`))
		b.do(chromedp.SendKeys(css("#number"), c.number))
		got := run(b, chromedp.Evaluate[[]string](`[number.value, document.getElementById("number-brand").textContent, document.getElementById("number-mark").textContent,
			getComputedStyle(document.querySelector(".front")).display === "none" ? "back" : "front"]`))
		if want := []string{c.shown, c.brand, c.plate, c.code}; len(got) != 4 || [4]string(got) != [4]string(want) {
			t.Errorf("%s: %q, want %q", c.number, got, want)
		}
	}
}

func TestWhatIsPastedOrFilledInIsReadAsTheCardHasIt(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.do(chromedp.Navigate(shop.Page(shop.Sell(t))))
	for _, c := range [][3]string{
		{"number", " 4242-4242 4242\u00a04242 ", "4242 4242 4242 4242"},
		{"number", "378282246310005", "3782 822463 10005"},
		{"expiry", "12/2040", "12/40"},
		{"expiry", "2040-12", "12/40"},
		{"expiry", "12 / 40", "12/40"},
		{"expiry", "122040", "12/40"},
		{"expiry", "7", "07"},
		{"cvc", "1234", "1234"},
	} {
		b.do(chromedp.Evaluate[chromedp.Void](c[0] + `.value = ""; ` + c[0] + `.focus(); undefined`))
		call(b, input.InsertText, input.InsertTextParams{Text: c[1]})
		if got := run(b, chromedp.Value(css("#"+c[0]))); got != c[2] {
			t.Errorf("%s: %q reads %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

// The caret stays behind the digit that it was behind, and goes over the gaps.
func TestANumberIsMendedInItsMiddle(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.do(chromedp.Navigate(shop.Page(shop.Sell(t))), chromedp.SendKeys(css("#number"), "424242424242424"))
	at := func(place string) {
		b.do(chromedp.Evaluate[chromedp.Void](`number.focus(); number.setSelectionRange(` + place + `, ` + place + `); undefined`))
	}
	want := func(what string) {
		t.Helper()
		if got := run(b, chromedp.Evaluate[string](`number.value.slice(0, number.selectionStart) + "|" + number.value.slice(number.selectionStart)`)); got != what {
			t.Errorf("the number reads %q, want %q", got, what)
		}
	}
	at("4")
	b.do(chromedp.KeyEvent("1"))
	want("4242 1|424 2424 2424")
	b.do(chromedp.KeyEvent("\b"))
	want("4242| 4242 4242 424")
	b.do(chromedp.KeyEvent("\b"))
	want("424|4 2424 2424 24")
	at("5")
	b.do(chromedp.KeyEvent("\b")) // over the gap
	want("4244| 2424 2424 24")
}
