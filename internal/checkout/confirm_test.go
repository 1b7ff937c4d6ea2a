package checkout_test

import (
	"strings"
	"testing"

	"github.com/coinslot/coinslot/test/coinslottest"
)

// asking is a shop with a sale whose game is asked before the player is charged.
func asking(t *testing.T, attempts int) (*coinslottest.Shop, *leaf) {
	shop := coinslottest.OpenShop(t)
	id := shop.Sell(t, func(s *coinslottest.Sale) { s.Game.Attempts, s.Game.ConfirmURL = attempts, "https://game.test/confirm" })
	return shop, open(t, shop.Page(id))
}

func TestAPaymentThatItsGameApprovesIsPaid(t *testing.T) {
	t.Parallel()
	shop, page := asking(t, 1)
	shop.Receiver.Say(`{"decision":"approve"}`)
	page.payByCard("4242424242424242").follow().says("Payment successful")
}

func TestAPaymentThatItsGameRejectsSaysSoAndThatNothingWasCharged(t *testing.T) {
	t.Parallel()
	shop, page := asking(t, 2)
	shop.Receiver.Say(`{"decision":"reject","reason":"<b>SKU 17 sold out</b>"}`)
	page = page.payByCard("4242424242424242").follow()
	page.says("Space Shooter could not provide this item. Nothing was charged. You can try again")
	page = page.payByCard("4242424242424242").follow()
	page.says("Payment failed", "Space Shooter could not provide this item.", "no attempts left", "Nothing was charged", "Back to Space Shooter")
	if len(page.all("form")) != 0 || strings.Contains(page.body, "SKU 17") {
		t.Error("there is a form, or the game's words for its developers")
	}
}

// While the game is asked, the page says that nothing is taken yet and looks again by
// itself; there is nothing to pay or cancel by.
func TestWhileItsGameIsAskedThePageWaits(t *testing.T) {
	t.Parallel()
	shop, form := asking(t, 2)
	page := form.payByCard("4242424242424242").follow() // the game says nothing that decides
	page.says("Checking with Space Shooter", "Space Shooter is making sure", "charged only once it has agreed")
	if len(page.all("form")) != 0 || !strings.Contains(page.text("noscript"), `http-equiv="refresh"`) {
		t.Error("there is a form, or the page does not look again without script")
	}
	if state := open(t, page.url+"/state"); strings.TrimSpace(state.body) != `{"status":"pending","payment":"authorized","attempt":0,"note":"asking"}` {
		t.Errorf("the state is %s", state.body)
	}
	form.submit("/cancel", 0).follow().says("charged only once it has agreed")
	shop.Receiver.Say(`{"decision":"approve"}`)
}

// What the game has rejected is told as that at once, even where the provider takes its time.
func TestARejectedPaymentThatIsStillHeldIsNotCalledApproved(t *testing.T) {
	t.Parallel()
	shop, page := asking(t, 1)
	shop.Bank.Keep()
	shop.Receiver.Say(`{"decision":"reject"}`)
	page.payByCard("4242424242424242").follow().
		says("Payment not accepted", "Space Shooter could not provide this item.", "You are not charged", "being released")
}
