package browser

import (
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// ugly are colours that a button could not be seen in, on one ground or another.
var ugly = []string{"#ffff00", "#000000", "#ffffff", "#777777"}

// What is measured is what the browser has drawn. Pictures of it are left with the others.
func TestAnUglyAccentLeavesAButtonThatCanBeSeen(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	axe := needAxe(t)
	logo, picture, err := pay.ParseLogo(coins())
	if err != nil {
		t.Fatal(err)
	}
	for i, accent := range ugly {
		page := shop.Page(shop.Sell(t, func(s *coinslottest.Sale) {
			s.Game.Accent, s.Game.SupportURL = accent, "https://help.example"
		}))
		if _, err := shop.Gateway.UpdateGame(t.Context(), pay.GameID(fmt.Sprintf("game_%d", i+1)), func(g *pay.Game) { g.Logo = logo }, *picture); err != nil {
			t.Fatal(err)
		}
		b.visit(page)
		b.sees(".logo")
		b.look(axe, "accent-"+accent[1:])
		for _, s := range screens {
			b.size(s)
			b.measure(accent + " at " + s.String())
		}
	}
}

func TestALogoThatDoesNotLoadLeavesTheName(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	gone := httptest.NewTLSServer(http.NotFoundHandler())
	gone.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(gone.Close)
	b.allow(gone.URL)
	b.do(chromedp.Navigate(shop.Page(shop.Sell(t, func(s *coinslottest.Sale) { s.Game.Logo = pay.ImageRef(gone.URL + "/logo.png") }))))
	b.until(`document.querySelector(".logo").hidden`)
	if got := run(b, chromedp.Text(css(".maker"))); got != "Space Shooter" {
		t.Errorf("beside the logo it says %q", got)
	}
	b.forgive("ERR_CERT_AUTHORITY_INVALID")
}

// measure compares the colours of the button for paying with each other and with what is
// around it, and of the outline that it has under the keyboard.
func (b *tab) measure(what string) {
	b.t.Helper()
	drawn := run(b, chromedp.Evaluate[[]string](`(() => {
		const button = document.querySelector("form.card button"), style = getComputedStyle(button);
		let around = button;
		do { around = around.parentElement } while (getComputedStyle(around).backgroundColor === "rgba(0, 0, 0, 0)");
		document.getElementById("number").focus();
		return [style.backgroundColor, style.color, getComputedStyle(around).backgroundColor, getComputedStyle(document.activeElement).outlineColor];
	})()`))
	fill, text, ground, outline := luminance(b, drawn[0]), luminance(b, drawn[1]), luminance(b, drawn[2]), luminance(b, drawn[3])
	for name, pair := range map[string][3]float64{"text on the button": {text, fill, 4.5}, "the button": {fill, ground, 3}, "the outline": {outline, ground, 3}} {
		if ratio := (max(pair[0], pair[1]) + .05) / (min(pair[0], pair[1]) + .05); ratio < pair[2] {
			b.t.Errorf("%s: %s is %.2f to 1: %v", what, name, ratio, drawn)
		}
	}
}

// luminance is that of WCAG 2.2, of a colour as the browser tells it.
func luminance(b *tab, colour string) float64 {
	b.t.Helper()
	var parts [3]float64
	if _, err := fmt.Sscanf(strings.ReplaceAll(colour, " ", ""), "rgb(%f,%f,%f)", &parts[0], &parts[1], &parts[2]); err != nil {
		b.t.Fatalf("%s: %v", colour, err)
	}
	for i, v := range parts {
		if v /= 255; v <= .04045 {
			parts[i] = v / 12.92
		} else {
			parts[i] = math.Pow((v+.055)/1.055, 2.4)
		}
	}
	return .2126*parts[0] + .7152*parts[1] + .0722*parts[2]
}
