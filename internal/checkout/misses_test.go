package checkout_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/coinslot/coinslot/test/coinslottest"
)

const missesAllowed = 60

func TestWhoGuessesIsAskedToWaitAndRealPagesAreShownToAll(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	real := shop.Page(shop.Sell(t))
	for i := range missesAllowed {
		if page := open(t, shop.Page("sess_none")); page.status != http.StatusNotFound {
			t.Fatalf("miss %d is answered %d", i+1, page.status)
		}
	}
	for _, path := range []string{"", "/state", "/live", "/wallet/paypal", "/nothing"} {
		page := open(t, shop.Page("sess_none")+path)
		wait, err := strconv.Atoi(page.header.Get("Retry-After"))
		if page.status != http.StatusTooManyRequests || err != nil || wait < 1 || wait > 60 {
			t.Errorf("%q: %d, Retry-After %q", path, page.status, page.header.Get("Retry-After"))
		}
	}
	open(t, shop.Page("sess_none")).says("Please wait a moment", "open the link from your game again")
	for _, path := range []string{"", "/state", "/wallet/paypal"} {
		if page := open(t, real+path); page.status != http.StatusOK {
			t.Errorf("a real page's %q is answered %d", path, page.status)
		}
	}
	open(t, real).payByCard("4242424242424242").follow().says("Payment successful")
	shop.Wait(time.Minute)
	if page := open(t, shop.Page("sess_none")); page.status != http.StatusNotFound {
		t.Errorf("a minute later a miss is answered %d", page.status)
	}
}

// Neither the headers nor the length of an answer tells an id that could be from one that could not.
func TestWhatIsNotThereLooksTheSameHoweverItIsAskedFor(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	base := shop.Address.PageURL("")
	known := open(t, base+"sess_00000000000000000000000000000000")
	for _, path := range []string{"sess_none", "nonsense", "sess_UPPER", string(shop.Sell(t)) + "/nothing", "x/wallet/apple_pay", "x/cancel/y"} {
		page := open(t, base+path)
		if page.status != known.status || len(page.body) != len(known.body) {
			t.Errorf("%s: status %d and %d bytes, want %d and %d", path, page.status, len(page.body), known.status, len(known.body))
		}
		for name := range known.header {
			switch name {
			case "Date", "X-Request-Id", "Content-Security-Policy": // different each time
			default:
				if got, want := page.header.Get(name), known.header.Get(name); got != want {
					t.Errorf("%s: %s is %q, want %q", path, name, got, want)
				}
			}
		}
		if len(page.header) != len(known.header) {
			t.Errorf("%s: other headers: %v", path, page.header)
		}
	}
}
