package checkout_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// byClass finds the elements of a class.
func (l *leaf) byClass(class string) (found []*html.Node) {
	for d := range l.root.Descendants() {
		if d.Type == html.ElementNode && strings.Contains(" "+attr(d, "class")+" ", " "+class+" ") {
			found = append(found, d)
		}
	}
	return found
}

func TestALogoStandsBesideTheNameAndSaysNothingMore(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	page := open(t, shop.Page(shop.Sell(t, func(s *coinslottest.Sale) { s.Game.Logo = "https://cdn.example/logo.png" })))
	logo := page.byClass("logo")
	if len(logo) != 1 || attr(logo[0], "src") != "https://cdn.example/logo.png" {
		t.Fatalf("there are %d logos", len(logo))
	}
	// The name is said once: by the text, which is there whether or not the image loads.
	if words(page.byClass("maker")[0]) != "Space Shooter" || attr(logo[0], "alt") != "" {
		t.Errorf("beside the logo it says %q, and for it %q", words(page.byClass("maker")[0]), attr(logo[0], "alt"))
	}
	if len(open(t, shop.Page(shop.Sell(t))).byClass("logo")) != 0 {
		t.Error("a game without a logo shows one")
	}
}

func TestAPictureThatWasUploadedIsTheLogo(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	id := shop.Sell(t)
	ref, img, err := pay.ParseLogo(onePixel)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := shop.Gateway.UpdateGame(t.Context(), "game_1", func(g *pay.Game) { g.Logo = ref }, *img); err != nil {
		t.Fatal(err)
	}
	page := open(t, shop.Page(id))
	if policy := page.header.Get("Content-Security-Policy"); !strings.Contains(policy, "img-src 'self' data:;") {
		t.Errorf("the policy is %s", policy)
	}
	shown := open(t, page.join(attr(page.byClass("logo")[0], "src")))
	if shown.status != http.StatusOK || shown.header.Get("Content-Type") != "image/png" {
		t.Errorf("the logo answers %d, %s", shown.status, shown.header.Get("Content-Type"))
	}
}

func TestImagesWidenThePolicyNoMoreThanTheyMust(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	for name, tt := range map[string]struct{ logo, image, want string }{
		"none":                          {"", "", "'self' data:"},
		"a logo elsewhere":              {"https://a.example/x", "", "'self' data: https:"},
		"an image elsewhere":            {"", "https://a.example/x", "'self' data: https:"},
		"both elsewhere":                {"https://a.example/x", "HTTPS://a.example/x", "'self' data: https:"},
		"an image over http":            {"", "http://a.example/x", "'self' data: http: https:"},
		"an image over http and a logo": {"https://a.example/x", "http://a.example/x", "'self' data: http: https:"},
	} {
		page := open(t, shop.Page(shop.Sell(t, func(s *coinslottest.Sale) {
			s.Game.Logo, s.Order.Item.Image = pay.ImageRef(tt.logo), &tt.image
		})))
		if policy := page.header.Get("Content-Security-Policy"); !strings.Contains(policy, "; img-src "+tt.want+";") {
			t.Errorf("%s: the policy is %s", name, policy)
		}
	}
}

func TestHelpIsOfferedWhateverHappens(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	helpful := func(s *coinslottest.Sale) {
		s.Game.Attempts, s.Game.SupportURL = 1, "mailto:help@example.com?subject=My%20purchase"
	}
	offers := func(page *leaf) {
		t.Helper()
		for _, p := range page.byClass("help") {
			for _, a := range each(p, "a") {
				if attr(a, "href") == "mailto:help@example.com?subject=My%20purchase" && words(a) == "Need help? Contact Space Shooter" {
					return
				}
			}
		}
		t.Errorf("%s offers no help: %s", page.url, page.text("main"))
	}
	address := shop.Page(shop.Sell(t, helpful))
	form := open(t, address)
	offers(form)
	offers(open(t, address+"/wallet/paypal"))
	offers(form.submit("/pay", 0, "number", "4242"))
	offers(send(t, http.MethodPost, address+"/pay", "", map[string]string{"Sec-Fetch-Site": "cross-site"}))
	offers(form.payByCard("4000000000000002").follow())
	paid := shop.Page(shop.Sell(t, helpful))
	offers(open(t, paid).payByCard("4242424242424242").follow())
	held := shop.Page(shop.Sell(t, helpful, func(s *coinslottest.Sale) { s.Game.Capture = pay.CaptureManual }))
	offers(open(t, held).payByCard("4242424242424242").follow())

	shop.Faults.Fail(errors.New("disk I/O error"))
	if page := open(t, address); len(page.byClass("help")) != 0 {
		t.Error("help is offered of a game that cannot be known")
	}
	shop.Faults.Fail(nil)
	if page := open(t, shop.Page(shop.Sell(t))); len(page.byClass("help")) != 0 || strings.Contains(page.text("main"), "help") {
		t.Error("a game without support offers help")
	}
}

func TestTheAccentIsAStyleAfterThePagesOwnAndCarriesTheNonce(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	address := shop.Page(shop.Sell(t, func(s *coinslottest.Sale) { s.Game.Accent = "#ff0080" }))
	for _, page := range []*leaf{open(t, address), open(t, address+"/wallet/paypal"), send(t, http.MethodPost, address+"/pay", "", map[string]string{"Sec-Fetch-Site": "cross-site"})} {
		styles := page.all("style")
		if len(styles) != 2 || !strings.HasPrefix(styles[1].FirstChild.Data, ":root{--accent:#") || attr(styles[1], "nonce") == "" || attr(styles[1], "nonce") != attr(styles[0], "nonce") {
			t.Errorf("%s: the accent is not the second of the page's styles", page.url)
		}
		if strings.Contains(shapes(page), " style") {
			t.Errorf("%s: an element has a style of its own, which the policy forbids", page.url)
		}
	}
	if page := open(t, shop.Page(shop.Sell(t))); len(page.all("style")) != 1 {
		t.Error("a game without an accent has one")
	}
}
