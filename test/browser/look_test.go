package browser

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// TestEveryStateFitsEveryScreen opens each state on phones and a desktop, in light
// and dark, in English, in German for its long words, in Japanese and in Arabic, and leaves a picture
// of each in COINSLOT_SCREENSHOTS to be looked at.
func TestEveryStateFitsEveryScreen(t *testing.T) {
	shop, b := coinslottest.OpenShop(t), start(t)
	dir := os.Getenv("COINSLOT_SCREENSHOTS")
	if dir == "" {
		dir = t.TempDir()
	}
	pages := b.everyState(shop)
	for lang, prefix := range map[string]string{"en": "", "de": "de-", "ar": "ar-", "ja": "ja-"} {
		b.speak(lang)
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int64{320, 375, 1280} {
				b.size(width, scheme)
				suffix := fmt.Sprintf("-%d-%s.png", width, scheme)
				for name, address := range pages {
					b.do(chromedp.Navigate(address))
					b.look(width, filepath.Join(dir, prefix+name+suffix))
				}
				b.do(chromedp.Navigate(pages["pending"]), chromedp.Click(payButton), chromedp.WaitVisible(css("#cvc-error")))
				b.look(width, filepath.Join(dir, prefix+"wrong"+suffix))
			}
		}
	}
}

// look takes a picture, and fails the test where the page is wider than the screen.
func (b *tab) look(width int64, file string) {
	b.t.Helper()
	if got := run(b, chromedp.Evaluate[int64]("document.documentElement.scrollWidth")); got > width {
		b.t.Errorf("%s: the page is %d px wide on a screen of %d", filepath.Base(file), got, width)
	}
	// A picture of more than the screen shows a page from right to left moved aside, so
	// that the screen is made as high as the page.
	height := run(b, chromedp.Evaluate[int64]("document.documentElement.scrollHeight"))
	b.do(chromedp.EmulateViewport(width, height))
	if err := os.WriteFile(file, run(b, chromedp.CaptureScreenshot()), 0o644); err != nil {
		b.t.Fatal(err)
	}
	b.do(chromedp.EmulateViewport(width, 812))
}

// everyState brings sessions into every state that a player can see.
func (b *tab) everyState(shop *coinslottest.Shop) map[string]string {
	t := b.t
	picture := coins()
	sell := func(edit func(*coinslottest.Sale)) string {
		return shop.Page(shop.Sell(t, func(s *coinslottest.Sale) {
			s.Order.Item.Image = &picture
			if edit != nil {
				edit(s)
			}
		}))
	}
	pages := map[string]string{}
	expired := sell(func(s *coinslottest.Sale) { ttl := time.Minute; s.Order.ExpiresIn = &ttl })
	shop.Wait(2 * time.Minute)
	pages["expired"] = expired
	pages["pending"] = sell(nil)
	pages["wallet"] = pages["pending"] + "/wallet/apple_pay"
	pages["unknown"] = shop.Page("sess_unknown")
	pages["long"] = sell(func(s *coinslottest.Sale) {
		german := "de"
		s.Environment, s.Order.Locale, s.Order.Item.Image, s.Order.Item.Currency = pay.Production, &german, nil, "EUR"
		s.Game.Name = "Die Abenteuer der Donaudampfschifffahrtsgesellschaftskapitäne"
		s.Order.Item.Title, s.Order.Item.Price = "The Legendary Armour of the Seven Kingdoms, with 1,250 gems and a season pass", 129999
	})
	pages["retry"] = b.paid(sell(nil), "4000000000009995")
	pages["failed"] = b.paid(sell(func(s *coinslottest.Sale) { s.Game.Attempts = 1 }), "4000000000000002")
	pages["paid"] = b.paid(sell(nil), "4242424242424242")
	pages["authorized"] = b.paid(sell(func(s *coinslottest.Sale) { s.Game.Capture = pay.CaptureManual }), "4242424242424242")
	shop.Receiver.Say(`{"decision":"reject"}`)
	pages["rejected"] = b.paid(sell(func(s *coinslottest.Sale) { s.Game.ConfirmURL = "https://game.test/confirm" }), "4242424242424242")
	pages["cancelled"] = sell(nil)
	b.do(chromedp.Navigate(pages["cancelled"]), chromedp.Click(css(".leave button")))
	b.waitFor("cancelled")
	shop.Bank.Mute()
	pages["processing"] = b.paid(sell(nil), "4242424242424242")
	return pages
}

// paid pays a session with a card, whatever comes of it.
func (b *tab) paid(address, card string) string {
	b.t.Helper()
	b.do(chromedp.Navigate(address))
	b.typeCard(card)
	b.do(chromedp.Click(payButton), chromedp.WaitVisible(css(".alert, body:not(.pending)")))
	return address
}

// coins draws three of them.
func coins() string {
	const side = 320
	picture := image.NewRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			picture.Set(x, y, color.RGBA{uint8(40 + y/4), 50, uint8(120 + x/4), 255})
			for i, centre := range [][2]float64{{120, 190}, {200, 200}, {160, 130}} {
				shade := uint8(8 * i)
				switch far := math.Hypot(float64(x)-centre[0], float64(y)-centre[1]); {
				case far > 62 && far < 68:
					picture.Set(x, y, color.RGBA{200, 140, 30, 255})
				case far < 80:
					picture.Set(x, y, color.RGBA{245 - shade, 190 - shade, 60, 255})
				}
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		panic(err)
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
}
