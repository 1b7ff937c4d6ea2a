package checkout_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// onePixel is the smallest picture there is.
var onePixel = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

func TestEveryAnswerIsLockedDown(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	page := shop.Page(shop.Sell(t))
	for _, address := range []string{page, page + "/state", page + "/wallet/paypal", page + "/pay", alone(t, shop) + "/nothing", shop.URL + "/pay/nothing", shop.Page("sess_none")} {
		head := open(t, address).header
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		} {
			if head.Get(name) != want {
				t.Errorf("%s: %s is %q", address, name, head.Get(name))
			}
		}
		policy := head.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'", "script-src 'nonce-"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: the policy lacks %s: %s", address, part, policy)
			}
		}
		if strings.Contains(policy, "unsafe") || head.Get("Permissions-Policy") == "" {
			t.Errorf("%s: policy %s", address, policy)
		}
	}
}

func TestStyleAndScriptCarryTheAnswersOwnNonce(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	address := shop.Page(shop.Sell(t))
	seen := map[string]bool{}
	for range 2 {
		page := open(t, address)
		for _, n := range slices.Concat(page.all("style"), page.all("script")) {
			nonce := attr(n, "nonce")
			if nonce == "" || !strings.Contains(page.header.Get("Content-Security-Policy"), "'nonce-"+nonce+"'") {
				t.Errorf("<%s> carries the nonce %q", n.Data, nonce)
			}
			seen[nonce] = true
		}
	}
	if len(seen) != 2 {
		t.Errorf("two answers share their nonce: %v", seen)
	}
}

func TestImagesElsewhereWidenThePolicyForImagesOnly(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	image := "https://a;script-src*.example/x.png"
	page := open(t, shop.Page(shop.Sell(t, func(s *coinslottest.Sale) { s.Order.Item.Image = &image })))
	if policy := page.header.Get("Content-Security-Policy"); !strings.Contains(policy, "img-src 'self' data: https:;") || strings.Contains(policy, "example") {
		t.Errorf("the policy is %s", policy)
	}
	page = open(t, shop.Page(shop.Sell(t)))
	if policy := page.header.Get("Content-Security-Policy"); !strings.Contains(policy, "img-src 'self' data:;") {
		t.Errorf("the policy without such an image is %s", policy)
	}
}

func TestPostsFromElsewhereChargeNothing(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	id := shop.Sell(t)
	to, fields := open(t, shop.Page(id)).form("/pay", 0)
	fields.Set("number", "4242424242424242")
	fields.Set("expiry", "12/40")
	fields.Set("cvc", "123")
	body := fields.Encode()
	forged := strings.Replace(body, "token=", "token=x", 1)
	other := strings.Replace(body, "attempt=0", "attempt=1", 1)
	for name, c := range map[string]struct {
		body   string
		header map[string]string
		status int
	}{
		"cross-site":        {body, map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		"same-site":         {body, map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		"old, other origin": {body, map[string]string{"Sec-Fetch-Site": "", "Origin": "https://evil.example"}, 403},
		"old, no token":     {"method=card", map[string]string{"Sec-Fetch-Site": "", "Origin": "null"}, 403},
		"wrong token":       {forged, nil, 403},
		"another attempt":   {other, nil, 403},
		"another type":      {body, map[string]string{"Content-Type": "text/plain"}, 403},
		"far too long":      {body + "&more=" + strings.Repeat("x", 17<<10), nil, 400},
		"not a form":        {"%zz", nil, 400},
	} {
		page := send(t, http.MethodPost, to, c.body, c.header)
		page.says("Nothing was charged")
		if page.status != c.status {
			t.Errorf("%s: status %d", name, page.status)
		}
	}
	if shop.Bank.Asked() != 0 {
		t.Errorf("the provider was asked %d times", shop.Bank.Asked())
	}
	// A browser of before 2023 says "Origin: null" of our own form; its token lets it in.
	send(t, http.MethodPost, to, body, map[string]string{"Sec-Fetch-Site": "", "Origin": "null"}).follow().says("Payment successful")
}

func TestATokenPaysForNoOtherSession(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	_, fields := open(t, shop.Page(shop.Sell(t))).form("/pay", 0)
	page := send(t, http.MethodPost, shop.Page(shop.Sell(t))+"/cancel", fields.Encode(), nil)
	page.says("This page was out of date", "Pay $4.99")
}

var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'><svg/onload=alert(1)>`, `</style><script>alert(1)</script>`,
	`</title><script>alert(1)</script>`, `{{.Nonce}}`, "`${alert(1)}`", `javascript:alert(1)`, `\u003cscript\u003e`, `&lt;script&gt;`,
	"\u200fgnp.exe", `<!--`, `]]>`, `</main></body>`,
}

func TestHostileTextStaysText(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	for _, lang := range []string{"en", "ar"} {
		calm := shapes(open(t, shop.Page(shop.Sell(t, func(s *coinslottest.Sale) { s.Order.Locale = &lang }))))
		for _, text := range hostile {
			id := shop.Sell(t, func(s *coinslottest.Sale) {
				s.Order.Item.Title, s.Order.User, s.Game.Name, s.Order.Locale = text, pay.UserID(text), text, &lang
			})
			page := open(t, shop.Page(id))
			if got := shapes(page); got != calm {
				t.Errorf("%q changes the page's elements:\n%s", text, got)
			}
			paid := page.payByCard("4242424242424242").follow()
			for _, l := range []*leaf{page, paid} {
				checkLinks(t, l)
				if !strings.Contains(strings.Join(strings.Fields(l.text("main")), " "), strings.Join(strings.Fields(text), " ")) {
					t.Errorf("%q is not shown as it is", text)
				}
			}
		}
	}
}

// shapes is a page's elements and their attributes' names.
func shapes(l *leaf) string {
	var b strings.Builder
	for d := range l.root.Descendants() {
		if d.Type == html.ElementNode {
			b.WriteString(d.Data)
			for _, a := range d.Attr {
				b.WriteString(" " + a.Key)
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

func checkLinks(t *testing.T, l *leaf) {
	t.Helper()
	for d := range l.root.Descendants() {
		for _, a := range d.Attr {
			value := strings.ToLower(strings.TrimSpace(a.Val))
			if strings.HasPrefix(a.Key, "on") || (a.Key == "href" || a.Key == "src" || a.Key == "action") &&
				(strings.HasPrefix(value, "javascript:") || strings.HasPrefix(value, "data:text") || strings.HasPrefix(value, "vbscript:") || strings.HasPrefix(value, "intent:")) {
				t.Errorf("<%s %s=%q>", d.Data, a.Key, a.Val)
			}
		}
	}
}

func TestTheFirstLoadIsOneSmallAnswer(t *testing.T) {
	t.Parallel()
	const most = 30 << 10
	shop := coinslottest.OpenShop(t)
	image := onePixel
	address := shop.Page(shop.Sell(t, func(s *coinslottest.Sale) { s.Order.Item.Image = &image }))
	packed := send(t, http.MethodGet, address, "", map[string]string{"Accept-Encoding": "gzip"})
	z, err := gzip.NewReader(bytes.NewReader([]byte(packed.body)))
	if err != nil {
		t.Fatal(err)
	}
	z.Close()
	t.Logf("%d bytes compressed, %d not", len(packed.body), len(open(t, address).body))
	if len(packed.body) > most {
		t.Errorf("the page is %d bytes compressed, at most %d are allowed", len(packed.body), most)
	}
	page := open(t, address)
	for _, n := range slices.Concat(page.all("script"), page.all("link"), page.all("img"), page.all("iframe")) {
		if src := attr(n, "src") + attr(n, "href"); src != "" && !strings.HasPrefix(src, "data:image/svg+xml,") && !strings.HasPrefix(src, "/pay/images/") {
			t.Errorf("<%s> loads %s", n.Data, src)
		}
	}
}

func TestImagesAreKeptForEverAndRunNothing(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	image := onePixel
	page := open(t, shop.Page(shop.Sell(t, func(s *coinslottest.Sale) { s.Order.Item.Image = &image })))
	address := page.join(attr(page.all("img")[0], "src"))
	for _, address := range []string{address, strings.Replace(address, "/pay/images/", "/images/", 1)} {
		img := open(t, address)
		for name, want := range map[string]string{
			"Content-Type": "image/png", "Cache-Control": "public, max-age=31536000, immutable",
			"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff",
		} {
			if img.header.Get(name) != want {
				t.Errorf("%s is %q", name, img.header.Get(name))
			}
		}
		again := send(t, http.MethodGet, address, "", map[string]string{"If-None-Match": img.header.Get("ETag")})
		if img.status != http.StatusOK || again.status != http.StatusNotModified {
			t.Errorf("the image answers %d, and %d again", img.status, again.status)
		}
	}
	missing := open(t, shop.URL+"/images/"+strings.Repeat("0", 64)+".png")
	if missing.status != http.StatusNotFound || missing.header.Get("Cache-Control") != "no-store" {
		t.Errorf("a missing image: %d, %s", missing.status, missing.header.Get("Cache-Control"))
	}
}
