package browser

import (
	"bytes"
	"encoding/base64"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math"
	"time"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// everyState brings sessions into every state that a player can see, and returns the
// addresses of their pages.
func (b *tab) everyState(shop *coinslottest.Shop) map[string]string {
	t := b.t
	t.Helper()
	art := coins()
	sell := func(edits ...func(*coinslottest.Sale)) string {
		return shop.Page(shop.Sell(t, append(edits, func(s *coinslottest.Sale) {
			s.Game.SupportURL = "https://help.example"
			if s.Order.Item.Image == nil {
				s.Order.Item.Image = &art
			}
		})...))
	}
	pages := map[string]string{}
	pages["expired"] = sell(func(s *coinslottest.Sale) { ttl := time.Minute; s.Order.ExpiresIn = &ttl })
	shop.Wait(2 * time.Minute)
	pages["pending"] = sell()
	pages["wallet"] = pages["pending"] + "/wallet/apple_pay"
	pages["unknown"] = shop.Page("sess_unknown")
	pages["long"] = sell(long)
	pages["retry"] = b.paid(sell(), "4000000000009995")
	pages["failed"] = b.paid(sell(func(s *coinslottest.Sale) { s.Game.Attempts = 1 }), "4000000000000002")
	pages["paid"] = b.paid(sell(), "4242424242424242")
	pages["authorized"] = b.paid(sell(func(s *coinslottest.Sale) { s.Game.Capture = pay.CaptureManual }), "4242424242424242")
	pages["refunded"] = b.refunded(shop, shop.Sell(t, func(s *coinslottest.Sale) { s.Order.Item.Image = &art }))
	shop.Receiver.Say(`{"decision":"reject"}`)
	pages["rejected"] = b.paid(sell(func(s *coinslottest.Sale) { s.Game.ConfirmURL = "https://game.test/confirm" }), "4242424242424242")
	pages["verify"] = b.paid(sell(), challenged)
	pages["bank"] = pages["verify"] + "/verify"
	pages["cancelled"] = sell()
	b.visit(pages["cancelled"])
	b.click(leave)
	b.waitFor("cancelled")
	shop.Bank.Mute()
	pages["processing"] = b.paid(sell(), "4242424242424242")
	return pages
}

// long is a sale of real money with names that are as long as they come.
func long(s *coinslottest.Sale) {
	none := ""
	s.Environment, s.Order.Item.Image, s.Order.Item.Currency = pay.Production, &none, "EUR"
	s.Game.Name = "Die Abenteuer der Donaudampfschifffahrtsgesellschaftskapitäne"
	s.Order.Item.Title, s.Order.Item.Price = "The Legendary Armour of the Seven Kingdoms, with 1,250 gems and a season pass", 129999
}

// refunded sells, is paid and gives the money back.
func (b *tab) refunded(shop *coinslottest.Shop, id pay.SessionID) string {
	b.t.Helper()
	address := b.paid(shop.Page(id), "4242424242424242")
	b.waitFor("paid")
	operator := gateway.Caller{Environment: pay.Sandbox}
	session, err := shop.Gateway.Session(b.t.Context(), operator, id)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, _, err := shop.Gateway.CreateRefund(b.t.Context(), operator, pay.RefundOrder{Payment: session.Payment}, gateway.Idempotency{}); err != nil {
		b.t.Fatal(err)
	}
	return address
}

// broken is a page that cannot be shown since the shop's store has failed.
func (b *tab) broken() string {
	b.t.Helper()
	shop := coinslottest.OpenShop(b.t)
	address := shop.Page(shop.Sell(b.t))
	shop.Faults.Fail(errors.New("the disk is gone"))
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
