package checkout_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

func TestACardPaysAndTheWayBackIsThere(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	page := open(t, shop.Page(shop.Sell(t))).payByCard("4242 4242 4242 4242").follow()
	page.says("Payment successful", "You paid $4.99 for 50 Gold Coins", "Visa ending in 4242")
	back := page.byID("back")
	if attr(back, "href") != "mygame://payment-complete" || words(back) != "Back to Space Shooter" {
		t.Errorf("the way back is %q, %q", attr(back, "href"), words(back))
	}
}

func TestADeclinedCardSaysWhyAndCanBeFollowedByAnother(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	page := open(t, shop.Page(shop.Sell(t))).payByCard("4000 0000 0000 9995").follow()
	page.says("There is not enough money on the card. Nothing was charged. You can try again")
	page.payByCard("4242 4242 4242 4242").follow().says("Payment successful")
}

func TestTheLastFailureEndsTheSale(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	id := shop.Sell(t, func(s *coinslottest.Sale) { s.Game.Attempts = 2 })
	page := open(t, shop.Page(id)).payByCard("4000000000000002").follow()
	page.says("Your card was declined.", "This is the last attempt")
	page = page.payByCard("4000000000000002").follow()
	page.says("Payment failed", "Your card was declined.", "no attempts left", "Nothing was charged", "Back to Space Shooter")
	if len(page.all("form")) != 0 {
		t.Error("there is still a form")
	}
}

func TestAWrongCardIsToldBesideTheFieldAndNeverEchoed(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	page := open(t, shop.Page(shop.Sell(t)))
	again := page.submit("/pay", 0, "number", "4242 4242 4242 4241", "expiry", "13/40", "cvc", "98")
	if again.status != http.StatusUnprocessableEntity {
		t.Fatalf("status %d", again.status)
	}
	for id, text := range map[string]string{"number": "Check the card number", "expiry": "month and year", "cvc": "3 digits"} {
		if attr(again.byID(id), "aria-invalid") != "true" || !strings.Contains(words(again.byID(id+"-error")), text) {
			t.Errorf("#%s: %q", id, words(again.byID(id+"-error")))
		}
	}
	if attr(again.byID("number"), "value") != "" || attr(again.byID("cvc"), "value") != "" || strings.Contains(again.body, "4241") {
		t.Error("the card came back in the page")
	}
	if attr(again.byID("expiry"), "value") != "13/40" {
		t.Error("the expiry was lost")
	}
	if shop.Bank.Asked() != 0 {
		t.Error("a slip of the finger reached the provider")
	}
	again.payByCard("378282246310005").says("4 digits on the front")
}

func TestPastDatesAreCalledExpired(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	page := open(t, shop.Page(shop.Sell(t)))
	page.submit("/pay", 0, "number", "4242424242424242", "expiry", "01/20", "cvc", "123").says("This card has expired")
}

func TestASecondTapASecondTabAndAReloadChargeOnce(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	page := open(t, shop.Page(shop.Sell(t)))
	var taps sync.WaitGroup
	for range 8 {
		taps.Go(func() {
			if answer := page.payByCard("4242424242424242"); answer.status != http.StatusSeeOther {
				t.Errorf("status %d", answer.status)
			}
		})
	}
	taps.Wait()
	page.payByCard("4242424242424242").follow().says("Payment successful")
	if shop.Bank.Asked() != 1 {
		t.Errorf("the provider was asked %d times", shop.Bank.Asked())
	}
}

func TestAFormFromBeforeAFailureStartsNothing(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	page := open(t, shop.Page(shop.Sell(t)))
	page.payByCard("4000000000000002").follow()
	page.payByCard("4242424242424242").follow().says("Your card was declined.")
	if shop.Bank.Asked() != 1 {
		t.Errorf("the provider was asked %d times", shop.Bank.Asked())
	}
}

func TestAPaymentWithoutAnAnswerIsProcessing(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	shop.Bank.Mute()
	form := open(t, shop.Page(shop.Sell(t)))
	page := form.payByCard("4242424242424242").follow()
	page.says("Processing your payment", "charged once at most")
	if len(page.all("form")) != 0 {
		t.Error("there is a form to pay again")
	}
	if !strings.Contains(page.text("noscript"), `http-equiv="refresh"`) {
		t.Error("without script the page does not look again")
	}
	form.payByCard("4242424242424242").follow().says("Processing your payment")
	form.submit("/cancel", 0).follow().says("Processing your payment")
	if state := open(t, page.url+"/state"); strings.TrimSpace(state.body) != `{"status":"pending","payment":"processing","attempt":0}` {
		t.Errorf("the state is %s", state.body)
	}
}

func TestAHeldPaymentWaitsForTheGame(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	id := shop.Sell(t, func(s *coinslottest.Sale) {
		s.Game.Capture = pay.CaptureManual
		cancelled := "mygame://cancelled"
		s.Order.CancelURL = &cancelled
	})
	page := open(t, shop.Page(id)).payByCard("4242424242424242").follow()
	page.says("Payment approved", "Space Shooter is confirming")
	if strings.Contains(page.body, "mygame://cancelled") {
		t.Error("the way back tells the game that the player cancelled")
	}
}

func TestWalletSheetsApproveDeclineAndDismiss(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	page := open(t, shop.Page(shop.Sell(t)))
	links := map[string]string{}
	for _, a := range page.all("a") {
		links[words(a)] = page.join(attr(a, "href"))
	}
	sheet := open(t, links["Google Pay"])
	sheet.says("Google Pay", "$4.99", "Approve", "Decline", "Go back without paying")
	page = sheet.submit("/pay", 1).follow()
	page.says("The payment was declined.")
	open(t, links["Google Pay"]).submit("/pay", 0).follow().says("Payment successful", "Google Pay")
	if again := open(t, links["Google Pay"]); again.status != http.StatusSeeOther {
		t.Errorf("the sheet of a paid session answers %d", again.status)
	}
	if got := open(t, page.url+"/wallet/gold_bars").status; got != http.StatusNotFound {
		t.Errorf("a wallet that there is not answers %d", got)
	}
}

func TestCancellingEndsTheSaleAndLeadsToTheCancelURL(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	cancelled := "https://game.example/cancelled"
	id := shop.Sell(t, func(s *coinslottest.Sale) { s.Order.CancelURL = &cancelled })
	form := open(t, shop.Page(id))
	page := form.submit("/cancel", 0).follow()
	page.says("Purchase cancelled", "Nothing was charged")
	if attr(page.byID("back"), "href") != cancelled {
		t.Errorf("the way back is %q", attr(page.byID("back"), "href"))
	}
	form.payByCard("4242424242424242").follow().says("Purchase cancelled")
	if shop.Bank.Asked() != 0 {
		t.Error("a cancelled session was charged")
	}
}

func TestAnUnknownMethodIsRefusedInWords(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	to, fields := open(t, shop.Page(shop.Sell(t))).form("/pay", 0)
	fields.Set("method", "gold_bars")
	page := send(t, http.MethodPost, to, fields.Encode(), nil)
	page.says("Nothing was charged")
	if page.status != http.StatusBadRequest {
		t.Errorf("status %d", page.status)
	}
}

func TestNoCardNumberReachesALogOrAnAddress(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	form := open(t, shop.Page(shop.Sell(t)))
	answer := form.payByCard("4000000000000002")
	if strings.Contains(answer.header.Get("Location"), "4000") {
		t.Error("the redirect names the card")
	}
	// A card in the query counts for nothing: the form itself is what is read.
	to, fields := answer.follow().form("/pay", 0)
	query := url.Values{"number": {"4242424242424242"}, "expiry": {"12/40"}, "cvc": {"123"}}
	send(t, http.MethodPost, to+"?"+query.Encode(), fields.Encode(), nil).says("Check the card number")
	shop.Faults.Fail(pay.Refuse(pay.Internal, "it broke"))
	form.payByCard("4242424242424242")
	for _, secret := range []string{"4242424242424242", "4242 4242", "4000000000000002"} {
		if shop.Log.Contains(secret) {
			t.Errorf("the log holds %s", secret)
		}
	}
}

// A browser may fill in a card's number where it does not belong.
func TestANumberInAnotherFieldIsNotPutBack(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	page := open(t, shop.Page(shop.Sell(t)))
	again := page.submit("/pay", 0, "number", "4242424242424241", "expiry", "4242424242424242", "cvc", "1")
	if again.status != http.StatusUnprocessableEntity || strings.Contains(again.body, "424242424242") {
		t.Errorf("status %d, and the page has the number: %v", again.status, strings.Contains(again.body, "424242424242"))
	}
	if again = page.submit("/pay", 0, "number", "4242424242424241", "expiry", "13/40", "cvc", "1"); attr(again.byID("expiry"), "value") != "13/40" {
		t.Error("a date that was typed is not shown again")
	}
}
