package checkout_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

func framed(s *coinslottest.Sale) {
	s.Game.EmbedOrigins = []string{"https://shop.example", "http://localhost:3000"}
}

// framers is who may frame an answer, and fails the test where its two headers disagree.
func (l *leaf) framers() string {
	l.t.Helper()
	_, policy, _ := strings.Cut(l.header.Get("Content-Security-Policy"), "frame-ancestors ")
	who, _, _ := strings.Cut(policy, ";")
	if (who == "'none'") != (l.header.Get("X-Frame-Options") == "DENY") || len(l.header.Values("X-Frame-Options")) > 1 {
		l.t.Errorf("%s: frame-ancestors %s, X-Frame-Options %q", l.url, who, l.header.Values("X-Frame-Options"))
	}
	return who
}

func (l *leaf) framedBy(want string) *leaf {
	l.t.Helper()
	if got := l.framers(); got != want {
		l.t.Errorf("%s (%d): it may be framed by %s, want %s", l.url, l.status, got, want)
	}
	return l
}

func TestEveryAnswerOfASessionIsFramedByWhomItsGameNames(t *testing.T) {
	t.Parallel()
	const both = "https://shop.example http://localhost:3000"
	shop := coinslottest.OpenShop(t)
	page := shop.Page(shop.Sell(t, framed))
	form := open(t, page).framedBy(both)
	sheet := open(t, page+"/wallet/paypal").framedBy(both)
	open(t, page+"/pay").framedBy(both) // a redirect
	form.submit("/pay", 0, "number", "4242").framedBy(both)
	form.submit("/pay", 0, "token", "forged").framedBy(both)
	send(t, http.MethodPost, page+"/pay", "%zz", nil).framedBy(both)
	send(t, http.MethodPost, page+"/pay", "", map[string]string{"Sec-Fetch-Site": "cross-site"}).framedBy(both)
	sheet.submit("/pay", 1).framedBy(both).follow().framedBy(both).says("declined")
	open(t, page).payByCard("4242424242424242").framedBy(both).follow().framedBy(both).says("Payment successful")
	open(t, page+"/wallet/paypal").framedBy(both)

	left := open(t, shop.Page(shop.Sell(t, framed))).submit("/cancel", 0).framedBy(both)
	left.follow().framedBy(both).says("Purchase cancelled")
	late := shop.Page(shop.Sell(t, framed))
	shop.Wait(25 * time.Hour)
	open(t, late).framedBy(both).says("This offer has expired")
}

func TestARealSessionIsFramedOverTLSOnly(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	open(t, shop.Page(shop.Sell(t, framed, func(s *coinslottest.Sale) { s.Environment = pay.Production }))).framedBy("https://shop.example")
	page := open(t, shop.Page(shop.Sell(t, func(s *coinslottest.Sale) {
		s.Environment, s.Game.EmbedOrigins = pay.Production, []string{"http://localhost:3000"}
	}))).framedBy("'none'")
	if attr(page.all("body")[0], "data-session") != "" {
		t.Error("a page that nobody may frame tells its script of frames")
	}
}

func TestWhatBelongsToNoSessionIsFramedByNobody(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	page := shop.Page(shop.Sell(t, framed))
	for _, address := range []string{shop.Page("sess_none"), page + "/nothing", page + "/wallet/barter", shop.Page("sess_none") + "/pay", shop.URL + "/pay/nothing"} {
		open(t, address).framedBy("'none'")
	}
	shop.Faults.Fail(errors.New("disk I/O error"))
	open(t, page).framedBy("'none'").says("Something went wrong") // whose it is cannot be known
}

// What the settings are now counts for pages of sessions that were made before.
func TestWhoMayFrameThePageCanBeChanged(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	id := shop.Sell(t, framed)
	page := shop.Page(id)
	open(t, page).framedBy("https://shop.example http://localhost:3000")
	games, err := shop.Gateway.Games(t.Context())
	if err != nil || len(games) != 1 {
		t.Fatal(games, err)
	}
	if _, err := shop.Gateway.UpdateGame(t.Context(), games[0].ID, func(g *pay.Game) { g.EmbedOrigins = nil }); err != nil {
		t.Fatal(err)
	}
	open(t, page).framedBy("'none'")
}

func TestTheScriptIsToldWhichSessionAndWhomToTell(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	id := shop.Sell(t, framed)
	body := open(t, shop.Page(id)).all("body")[0]
	if attr(body, "data-session") != string(id) || attr(body, "data-framers") != "https://shop.example http://localhost:3000" {
		t.Errorf("it is told of %s and %s", attr(body, "data-session"), attr(body, "data-framers"))
	}
	page := open(t, shop.Page(id)).payByCard("4242424242424242").follow()
	if back := page.byID("back"); attr(back, "target") != "_top" {
		t.Errorf("the way back opens in %q", attr(back, "target"))
	}
}
