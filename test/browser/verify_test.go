package browser

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// challenged is a card that asks for 3-D Secure.
const challenged = "4000002500003155"

// atTheBank pays by it and is where that leads.
func (b *tab) atTheBank(shop *coinslottest.Shop) (page string) {
	b.t.Helper()
	page = shop.Page(shop.Sell(b.t))
	b.do(chromedp.Navigate(page))
	b.typeCard(challenged)
	b.do(chromedp.Click(payButton))
	b.until(`location.pathname.endsWith("/verify") && document.querySelectorAll("form").length === 2`)
	return page
}

func TestAPlayerApprovesAtTheBank(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.atTheBank(shop)
	b.do(chromedp.Reload())
	b.until(`document.querySelectorAll("form").length === 2`)
	b.do(chromedp.Click(approve))
	b.waitFor("paid")
	if shop.Bank.Asked() != 1 {
		t.Errorf("the provider was asked %d times", shop.Bank.Asked())
	}
}

func TestAPlayerRefusesAtTheBankAndPaysAnotherWay(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.atTheBank(shop)
	b.do(chromedp.Click(decline), chromedp.WaitVisible(css(".alert")))
	if got := run(b, chromedp.Text(css(".alert"))); !strings.Contains(got, "could not confirm that it was you") {
		t.Errorf("the page says %q", got)
	}
	b.typeCard("4242424242424242")
	b.do(chromedp.Click(payButton))
	b.waitFor("paid")
}

// A player who left the bank's page finds the way back to it on the payment page.
func TestThePageLeadsBackToTheBank(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.do(chromedp.Navigate(b.atTheBank(shop)))
	b.waitFor("verify")
	b.do(chromedp.Click(css("a.button.main")))
	b.until(`document.querySelectorAll("form").length === 2`)
	b.do(chromedp.Click(approve))
	b.waitFor("paid")
}

func TestTheBankIsReachedAndAnsweredWithoutScript(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.withoutScript()
	b.atTheBank(shop)
	b.do(chromedp.Click(approve))
	b.waitFor("paid")
}

// A tab that waits follows what its player does in another.
func TestATabThatShowsTheBankFollowsAnAnswerFromElsewhere(t *testing.T) {
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	page := b.atTheBank(shop)
	id := pay.SessionID(page[strings.LastIndex(page, "/")+1:])
	if _, err := shop.Gateway.Answer(t.Context(), id, 0, true); err != nil {
		t.Fatal(err)
	}
	b.waitFor("paid")
}
