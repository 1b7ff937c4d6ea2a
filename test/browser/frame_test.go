package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// around is a page of a game's own, which shows a payment page in a frame. It is on another
// site than the payment page: localhost is none of 127.0.0.1's.
type around struct {
	origin  string
	payment string // the payment page's address
}

// openAround serves the example of docs/embedding.md. It keeps what it hears where the
// next page of its origin finds it.
func openAround(t *testing.T) *around {
	t.Helper()
	guide, err := os.ReadFile("../../docs/embedding.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(guide), "```html\n")
	text, _, found := strings.Cut(text, "```\n<!-- end of example -->")
	const there = "https://pay.example.com/pay/sess_…"
	if !found || strings.Count(text, there) != 1 {
		t.Fatal("docs/embedding.md has no example")
	}
	const ear = `<script>addEventListener("message", e => sessionStorage.heard = (sessionStorage.heard || "") + [e.origin, e.data.source, e.data.session, e.data.type].join(" ") + "\n")</script>`
	text = strings.Replace(text, "<script>", `<link rel="icon" href="data:,">`+ear+"<script>", 1)
	a := &around{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if r.URL.Path == "/done" {
			_, _ = fmt.Fprint(w, `<!doctype html><link rel="icon" href="data:,"><body class="game"><main>Welcome back`)
			return
		}
		_, _ = fmt.Fprint(w, strings.Replace(text, there, a.payment, 1))
	}))
	t.Cleanup(server.Close)
	a.origin = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	return a
}

// sell makes a session whose page may be framed here and on another origin.
func (a *around) sell(t *testing.T, shop *coinslottest.Shop, edit ...func(*coinslottest.Sale)) pay.SessionID {
	t.Helper()
	id := shop.Sell(t, append([]func(*coinslottest.Sale){func(s *coinslottest.Sale) {
		s.Game.EmbedOrigins = []string{"https://other.example", a.origin}
		s.Game.SupportURL, s.Order.ReturnURL = "https://help.example", a.origin+"/done"
	}}, edit...)...)
	a.payment = shop.Page(id)
	return id
}

// frame is the frame of the page, as a tab of its own: the browser runs it in another process.
func (b *tab) frame() *tab {
	b.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		all, err := chromedp.Targets(b.ctx)
		if err != nil {
			b.t.Fatal(err)
		}
		if i := slices.IndexFunc(all, func(one *target.Info) bool { return one.Type == "iframe" }); i >= 0 {
			ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithTargetID(all[i].TargetID))
			b.t.Cleanup(cancel)
			f := &tab{t: b.t, ctx: ctx, origin: b.origin, watch: newWatch(b.origin)}
			f.do()
			return f
		}
	}
	b.t.Fatal("the page shows no frame")
	return nil
}

// again loads the frame's page again.
func (b *tab) again() {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void]("document.body.id = 'before', location.reload()"))
	b.until("document.body.id !== 'before'")
}

// hears waits until the page around has heard these types, all from the payment page and
// about its session.
func (b *tab) hears(shop *coinslottest.Shop, id pay.SessionID, types ...string) {
	b.t.Helper()
	want := ""
	for _, one := range types {
		want += strings.Join([]string{shop.URL, "coinslot", string(id), one}, " ") + "\n"
	}
	b.until(fmt.Sprintf("(sessionStorage.heard || '') === %q || (sessionStorage.heard || '').length > %d", want, len(want)))
	if got := run(b, chromedp.Evaluate[string]("sessionStorage.heard || ''")); got != want {
		b.t.Errorf("the page around heard\n%swant\n%s", got, want)
	}
}

func TestAPaymentInAFrameIsToldToThePageAround(t *testing.T) {
	shop, page := coinslottest.OpenShop(t), openAround(t)
	b := start(t, shop)
	b.allow(page.origin)
	id := page.sell(t, shop)
	b.do(chromedp.Navigate(page.origin))
	f := b.frame()
	f.waitFor("pending")
	b.hears(shop, id, "opened")

	// What the page itself finds wrong is not sent, and not told.
	f.typeCard("4242424242424241")
	f.do(chromedp.Click(payButton), chromedp.WaitVisible(css("#number[aria-invalid=true]")))
	f.again()
	f.typeCard("4000000000000002")
	f.do(chromedp.Click(payButton), chromedp.WaitVisible(css(".alert")))
	b.hears(shop, id, "opened", "processing", "opened")

	f.typeCard("4242424242424242")
	f.do(chromedp.Click(payButton))
	f.waitFor("paid")
	b.hears(shop, id, "opened", "processing", "opened", "processing", "succeeded")
	b.until(`document.getElementById("news").textContent.startsWith("Thank you")`)
	f.again()
	f.waitFor("paid")
	if run(f, chromedp.Evaluate[bool](`!document.querySelector(".returning").hidden`)) {
		t.Error("the page means to leave by itself")
	}

	f.do(chromedp.Click(css("#back")))
	b.waitFor("game")
	if at := run(b, chromedp.Location()); at != page.origin+"/done" {
		t.Errorf("the top window is at %s", at)
	}
	b.hears(shop, id, "opened", "processing", "opened", "processing", "succeeded", "closed")
}

func TestEveryEndInAFrameIsTold(t *testing.T) {
	shop, page := coinslottest.OpenShop(t), openAround(t)
	b := start(t, shop)
	b.allow(page.origin)
	for name, tt := range map[string]struct {
		edit func(*coinslottest.Sale)
		do   func(pay.SessionID, *tab)
		want []string
	}{
		"cancelled": {nil, func(_ pay.SessionID, f *tab) {
			f.do(chromedp.Click(css(".leave button")))
		}, []string{"opened", "cancelled"}},
		"failed": {func(s *coinslottest.Sale) { s.Game.Attempts = 1 }, func(_ pay.SessionID, f *tab) {
			f.do(chromedp.Click(css(".wallets a[href$=venmo]")), chromedp.Click(decline))
		}, []string{"opened", "processing", "failed"}},
		"authorized": {func(s *coinslottest.Sale) { s.Game.Capture = pay.CaptureManual }, func(_ pay.SessionID, f *tab) {
			f.do(chromedp.Click(css(".wallets a[href$=venmo]")), chromedp.Click(approve))
		}, []string{"opened", "processing"}},
		"expired": {nil, func(_ pay.SessionID, f *tab) {
			shop.Wait(25 * time.Hour)
			f.again()
		}, []string{"opened", "failed"}},
	} {
		t.Run(name, func(t *testing.T) {
			var edits []func(*coinslottest.Sale)
			if tt.edit != nil {
				edits = append(edits, tt.edit)
			}
			id := page.sell(t, shop, edits...)
			b.do(chromedp.Navigate(page.origin), chromedp.Evaluate[chromedp.Void]("sessionStorage.clear()"), chromedp.Reload())
			f := b.frame()
			f.waitFor("pending")
			tt.do(id, f)
			f.waitFor(name)
			b.hears(shop, id, tt.want...)
			if got := run(f, chromedp.Evaluate[string](`(() => {
				const help = document.querySelector(".help a");
				help.addEventListener("click", e => e.preventDefault());
				help.click();
				return help.target;
			})()`)); got != "_blank" {
				t.Errorf("help opens in %q", got)
			}
			// A new frame begins anew, and tells the end that there was.
			b.do(chromedp.Evaluate[chromedp.Void]("sessionStorage.clear()"), chromedp.Reload())
			b.frame().waitFor(name)
			b.hears(shop, id, append([]string{"opened"}, tt.want[len(tt.want)-1])...)
		})
	}
}

func TestWithoutScriptAFrameStillPays(t *testing.T) {
	shop, page := coinslottest.OpenShop(t), openAround(t)
	b := start(t, shop)
	b.allow(page.origin)
	id := page.sell(t, shop)
	b.do(chromedp.Navigate(page.origin))
	f := b.frame()
	b.hears(shop, id, "opened") // before script was taken from it
	f.withoutScript()
	f.again()
	f.typeCard("4242424242424242")
	f.do(chromedp.Click(payButton))
	f.waitFor("paid")
	f.do(chromedp.Click(css("#back")))
	b.waitFor("game")
	b.hears(shop, id, "opened")
}

// The page around is on an origin that the game has not named.
func TestElsewhereTheFrameStaysEmpty(t *testing.T) {
	shop, page := coinslottest.OpenShop(t), openAround(t)
	b := start(t, shop)
	b.allow(page.origin)
	for name, origins := range map[string][]string{"none": nil, "another": {"https://other.example"}, "another port": {"http://localhost:1"}} {
		page.sell(t, shop, func(s *coinslottest.Sale) { s.Game.EmbedOrigins = origins })
		b.do(chromedp.Navigate(page.origin))
		f := b.frame()
		f.until(`location.href.startsWith("chrome-error:")`)
		if heard := run(b, chromedp.Evaluate[string]("sessionStorage.heard || ''")); heard != "" {
			t.Errorf("%s: the page around heard %s", name, heard)
		}
	}
	b.forgive("frame-ancestors")
}
