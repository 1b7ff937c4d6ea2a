package checkout_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/test/coinslottest"
)

func TestAPendingSessionShowsWhatIsBoughtAndHowToPay(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	page := open(t, shop.Page(shop.Sell(t)))
	page.says("Space Shooter", "50 Gold Coins", "Total $4.99", "Pay $4.99", "Apple Pay", "Pay later", "Cancel and go back",
		"This is a sandbox", "4242 4242 4242 4242")
	if page.status != http.StatusOK || attr(page.all("html")[0], "lang") != "en" {
		t.Errorf("status %d, lang %q", page.status, attr(page.all("html")[0], "lang"))
	}
	if got := page.text("h1"); got != "50 Gold Coins" {
		t.Errorf("the heading is %q", got)
	}
}

func TestCardFieldsAreNamedForPeopleAndBrowsers(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	page := open(t, shop.Page(shop.Sell(t)))
	labels := map[string]string{}
	for _, l := range page.all("label") {
		labels[attr(l, "for")] = words(l)
	}
	for id, autocomplete := range map[string]string{"number": "cc-number", "expiry": "cc-exp", "cvc": "cc-csc"} {
		in := page.byID(id)
		if attr(in, "autocomplete") != autocomplete || attr(in, "inputmode") != "numeric" {
			t.Errorf("#%s: autocomplete %q, inputmode %q", id, attr(in, "autocomplete"), attr(in, "inputmode"))
		}
		if labels[id] == "" {
			t.Errorf("#%s has no label", id)
		}
		for _, described := range strings.Fields(attr(in, "aria-describedby")) {
			page.byID(described)
		}
	}
}

func TestProductionShowsNothingOfTheSandbox(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	id := shop.Sell(t, func(s *coinslottest.Sale) { s.Environment = pay.Production })
	page := open(t, shop.Page(id))
	if shown := page.text("main"); strings.Contains(strings.ToLower(shown), "sandbox") || strings.Contains(shown, "4242 4242") {
		t.Errorf("the page of a real session says %s", shown)
	}
	if sheet := open(t, shop.Page(id)+"/wallet/apple_pay"); sheet.status != http.StatusNotFound {
		t.Errorf("the sandbox's sheet answers %d", sheet.status)
	}
}

func TestAnExpiredSessionSaysSoAndLeadsBack(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	id := shop.Sell(t)
	shop.Wait(25 * time.Hour)
	page := open(t, shop.Page(id))
	page.says("This offer has expired", "Nothing was charged", "Back to Space Shooter")
	if href := attr(page.byID("back"), "href"); href != "mygame://payment-complete" {
		t.Errorf("the way back is %q", href)
	}
	if strings.Contains(page.text("main"), "Total") {
		t.Error("a total is shown though nothing is due")
	}
}

func TestTheWayBackNamesTheSessionWhereAsked(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	id := shop.Sell(t, func(s *coinslottest.Sale) { s.Order.ReturnURL = "mygame://done?session={SESSION_ID}" })
	page := open(t, shop.Page(id)).payByCard("4242424242424242").follow()
	if href := attr(page.byID("back"), "href"); href != "mygame://done?session="+string(id) {
		t.Errorf("the way back is %q", href)
	}
}

func TestUnknownAndImpossibleIdsAreOnePage(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	plain := func(address string) string {
		page := open(t, address)
		if page.status != http.StatusNotFound {
			t.Errorf("%s answered %d", address, page.status)
		}
		return page.text("title") + page.text("main")
	}
	known := string(shop.Sell(t))
	unknown := plain(shop.Page("sess_00000000000000000000000000000000"))
	if !strings.Contains(unknown, "Page not found") {
		t.Errorf("an unknown id is told as %q", unknown)
	}
	page := alone(t, shop)
	for _, path := range []string{"/pay/nonsense", "/pay/sess_UPPER", "/pay/sess_1/wallet/apple_pay", "/pay/", "/pay", "/pay/sess_1/", "/pay/sess_1/pay/more", "/pay/sess_1/other", "/payx", "/pay" + known, "/images/x.png", "/pay/images/x.png", "/pay/%3Cscript%3E"} {
		if got := plain(page + path); got != unknown {
			t.Errorf("%s is told as %q", path, got)
		}
	}
}

func TestHeadAsksWithoutABody(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	page := send(t, http.MethodHead, shop.Page(shop.Sell(t)), "", nil)
	if page.status != http.StatusOK || page.body != "" || page.header.Get("Content-Length") == "" {
		t.Errorf("HEAD: %d, %d bytes, Content-Length %q", page.status, len(page.body), page.header.Get("Content-Length"))
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	page := shop.Page(shop.Sell(t))
	for address, allow := range map[string]string{page: "GET, HEAD", page + "/state": "GET, HEAD", page + "/pay": "GET, HEAD, POST"} {
		answer := send(t, http.MethodPut, address, "", nil)
		if answer.status != http.StatusMethodNotAllowed || answer.header.Get("Allow") != allow {
			t.Errorf("PUT %s: %d, Allow %q", address, answer.status, answer.header.Get("Allow"))
		}
	}
	if answer := open(t, page+"/pay"); answer.header.Get("Location") == "" || answer.status != http.StatusSeeOther {
		t.Errorf("GET of the form's address: %d", answer.status)
	}
}

func TestThePageLivesAlsoAtTheRootOfAHost(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShopAt(t, "")
	id := shop.Sell(t, func(s *coinslottest.Sale) { s.Order.Item.Image = &onePixel })
	page := open(t, shop.URL+"/"+string(id))
	if img := open(t, page.join(attr(page.all("img")[0], "src"))); img.status != http.StatusOK {
		t.Errorf("the image answers %d", img.status)
	}
	page.payByCard("4242 4242 4242 4242").follow().says("Payment successful")
}

func TestABrokenStoreIsToldWithoutItsSecretsAndWithAReference(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	id := shop.Sell(t)
	form := open(t, shop.Page(id))
	shop.Faults.Fail(errors.New("disk I/O error at /var/secret"))
	for what, page := range map[string]*leaf{
		"Something went wrong":            open(t, shop.Page(id)),
		"we cannot say yet":               form.payByCard("4242424242424242"),
		"could not be cancelled just now": form.submit("/cancel", 0),
	} {
		page.says(what, "Reference ")
		if page.status != http.StatusInternalServerError || strings.Contains(page.body, "secret") {
			t.Errorf("%s: status %d", what, page.status)
		}
	}
	if !shop.Log.Contains("disk I/O error") {
		t.Error("the error is not in the log")
	}
	if shop.Log.Contains(string(id)) {
		t.Error("the log holds the whole id, which opens the page")
	}
	for _, away := range []error{pay.Refuse(pay.Unavailable, "the disk is full"), fmt.Errorf("connect: %w", store.ErrUnavailable)} {
		shop.Faults.Fail(away)
		if page := open(t, shop.Page(id)); page.status != http.StatusServiceUnavailable || page.header.Get("Retry-After") == "" {
			t.Errorf("%v: %d", away, page.status)
		}
	}
}
