package browser

import (
	_ "embed"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/coinslot/coinslot/internal/testneed"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// screens are two phones and a desktop, by day and by night.
var screens = []screen{{320, "light"}, {375, "light"}, {1280, "light"}, {1280, "dark"}, {375, "dark"}, {320, "dark"}}

//go:embed overflow.js
var overflow string

// audit is what axe is asked: all that WCAG 2.0 to 2.2 wants at levels A and AA, and what
// is good practice besides.
const audit = `axe.run({
	runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"],
	resultTypes: ["violations"], preload: false,
}).then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.html.slice(0, 120) + " " + n.failureSummary)))`

// looked are the languages that are looked at on every screen: English, German for its
// long words, and Arabic, which runs from the right.
var looked = []string{"en", "de", "ar"}

// TestEveryState judges every page that a player can see.
func TestEveryState(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	pages := b.everyState(shop)
	pages["broken"] = b.broken()
	for name, judge := range map[string]func(*testing.T, *coinslottest.Shop, map[string]string){
		"on every screen in en": suits("en"), "on every screen in de": suits("de"), "on every screen in ar": suits("ar"),
		"fits small phones in every language": fitsSmallPhones,
		"is valid HTML":                       isValid,
		"loads little":                        loadsLittle,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			judge(t, shop, pages)
		})
	}
}

// suits looks at every state in one language, on phones and a desktop, in light and dark:
// axe finds nothing, nothing is cut or overflows, and a picture of each is left in shots.
func suits(lang string) func(*testing.T, *coinslottest.Shop, map[string]string) {
	return func(t *testing.T, shop *coinslottest.Shop, pages map[string]string) {
		axe := needAxe(t)
		b := start(t, shop)
		b.allow(pages["broken"]) // a shop of its own
		b.speak(lang)
		for name, address := range pages {
			b.visit(address)
			b.look(axe, lang+"-"+name)
		}
		b.blunder(pages["pending"])
		b.look(axe, lang+"-wrong")
	}
}

// needAxe is axe's script.
func needAxe(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	if err != nil {
		testneed.Lacks(t, "axe-core")
	}
	return string(script) + "\n;0" // and not all of axe for an answer
}

// look judges the page as it stands on every screen.
func (b *tab) look(axe, name string) {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](axe))
	for _, s := range screens {
		b.size(s)
		for _, found := range run(b, chromedp.Evaluate[[]string](audit, chromedp.EvalAwaitPromise)) {
			b.t.Errorf("%s-%s: axe: %s", name, s, found)
		}
		b.unspoilt(name + "-" + s.String())
		b.photograph(s, name)
	}
}

// unspoilt fails the test where something is out of its place.
func (b *tab) unspoilt(what string) {
	b.t.Helper()
	for _, found := range run(b, chromedp.Evaluate[[]string]("("+overflow+")()")) {
		b.t.Errorf("%s: %s", what, found)
	}
}

// photograph takes a picture of the whole page.
func (b *tab) photograph(s screen, name string) {
	b.t.Helper()
	// A picture of more than the screen shows a page from right to left moved aside, so
	// that the screen is made as high as the page.
	b.height(s.width, run(b, chromedp.Evaluate[int64]("document.documentElement.scrollHeight")))
	fast := true
	shot := call(b, page.CaptureScreenshot, page.CaptureScreenshotParams{OptimizeForSpeed: &fast})
	if err := os.MkdirAll(*shots, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*shots, name+"-"+s.String()+".png"), shot.Data, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
