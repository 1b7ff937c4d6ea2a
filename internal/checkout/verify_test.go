package checkout_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coinslot/coinslot/test/coinslottest"
)

const (
	challenged         = "4000 0025 0000 3155"
	challengedDeclined = "4000 0084 0000 1629"
)

// confirming is a shop whose player has paid by a card that asks for 3-D Secure, and is
// where that led.
func confirming(t *testing.T, number string, attempts int) (*coinslottest.Shop, *leaf, *leaf) {
	shop := coinslottest.OpenShop(t)
	page := open(t, shop.Page(shop.Sell(t, func(s *coinslottest.Sale) { s.Game.Attempts = attempts })))
	answer := page.payByCard(number)
	if to := answer.header.Get("Location"); answer.status != http.StatusSeeOther || !strings.HasSuffix(to, "/verify") {
		t.Fatalf("status %d to %q", answer.status, to)
	}
	return shop, open(t, page.url), answer.follow()
}

func TestAPlayerWhoApprovesIsCharged(t *testing.T) {
	t.Parallel()
	shop, _, check := confirming(t, challenged, 1)
	check.says("Your bank's check", "stands in for the page on which your bank", "Approve", "Decline", "$4.99")
	check.submit("/verify", 0).follow().says("Payment successful")
	check.submit("/verify", 1).follow().says("Payment successful") // a second tap, or the other one
	open(t, check.url).follow().says("Payment successful")
	if shop.Bank.Asked() != 1 {
		t.Errorf("the provider was asked %d times", shop.Bank.Asked())
	}
}

func TestAPlayerWhoRefusesIsNotCharged(t *testing.T) {
	t.Parallel()
	_, _, check := confirming(t, challenged, 2)
	page := check.submit("/verify", 1).follow()
	page.says("Your bank could not confirm that it was you. Nothing was charged. You can try again")
	page.payByCard("4242424242424242").follow().says("Payment successful")
}

func TestACardCanBeDeclinedAfterItsPlayerApproved(t *testing.T) {
	t.Parallel()
	_, _, check := confirming(t, challengedDeclined, 1)
	check.submit("/verify", 0).follow().says("Payment failed", "Your card was declined.")
}

// A reload and a second tab show the same: what the bank wants, and one way on.
func TestWhileTheBankWaitsThePageLeadsToIt(t *testing.T) {
	t.Parallel()
	_, page, check := confirming(t, challenged, 1)
	page.says("Confirm that it is you", "check that it is really you", "not charged before you have confirmed")
	if len(page.all("form")) != 0 || strings.Contains(page.body, `http-equiv="refresh"`) {
		t.Error("there is a form, or the page goes away under the player's thumb")
	}
	leads := 0
	for _, a := range page.all("a") {
		if attr(a, "href") == check.url {
			leads++
		}
	}
	if leads != 1 {
		t.Errorf("%d links lead to %s", leads, check.url)
	}
	if state := open(t, page.url+"/state"); strings.TrimSpace(state.body) != `{"status":"pending","payment":"processing","attempt":0,"note":"action_required"}` {
		t.Errorf("the state is %s", state.body)
	}
	if again := open(t, check.url); again.status != http.StatusOK || len(again.all("form")) != 2 {
		t.Errorf("a reload of the check answers %d", again.status)
	}
}

func TestTheCheckIsOnlyThereWhileThereIsSomethingToConfirm(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	page := open(t, shop.Page(shop.Sell(t)))
	if check := open(t, page.url+"/verify"); check.status != http.StatusSeeOther || check.header.Get("Location") != strings.TrimPrefix(page.url, shop.URL) {
		t.Errorf("of an unpaid session it answers %d", check.status)
	}
	shop.Bank.Mute()
	page.payByCard(challenged).follow().says("Processing your payment")
	if check := open(t, page.url+"/verify"); check.status != http.StatusSeeOther {
		t.Errorf("before the provider has answered it answers %d", check.status)
	}
	if check := open(t, shop.Page("sess_00000000000000000000000000000000")+"/verify"); check.status != http.StatusNotFound {
		t.Errorf("of an unknown session it answers %d", check.status)
	}
}

func TestAnAnswerFromElsewhereDoesNothing(t *testing.T) {
	t.Parallel()
	_, page, check := confirming(t, challenged, 1)
	to, fields := check.form("/verify", 0)
	if got := send(t, http.MethodPost, to, fields.Encode(), map[string]string{"Sec-Fetch-Site": "cross-site"}); got.status != http.StatusForbidden {
		t.Errorf("from another site: %d", got.status)
	}
	fields.Set("token", "made up")
	if got := send(t, http.MethodPost, to, fields.Encode(), nil); got.status == http.StatusSeeOther {
		t.Errorf("without the form's token: %d", got.status)
	}
	open(t, page.url).says("Confirm that it is you")
}

// Only a refusal refuses: a form that says neither changes nothing.
func TestAnAnswerThatSaysNothingRefusesNothing(t *testing.T) {
	t.Parallel()
	_, _, check := confirming(t, challenged, 1)
	for _, said := range []string{"", "no", "Approve"} {
		check.submit("/verify", 1, "answer", said).follow().says("Confirm that it is you")
	}
	check.submit("/verify", 0).follow().says("Payment successful")
}
