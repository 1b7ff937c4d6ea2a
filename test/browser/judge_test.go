package browser

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/coinslot/coinslot/test/coinslottest"
)

// What judges the pages is shown pages that are wrong, so that its silence means something.
func TestTheJudgesSeeWhatIsWrong(t *testing.T) {
	t.Parallel()
	axe := needAxe(t)
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.size(screen{320, "dark"})
	address := shop.Page(shop.Sell(t))
	for name, c := range map[string]struct{ spoil, judge, says string }{
		"a field without a label":    {`document.querySelector("label").remove()`, audit, "label-title-only: "},
		"a text that is too pale":    {`document.querySelector("label").style.color = "#333"`, audit, "color-contrast: "},
		"a place too small to touch": {`document.querySelectorAll(".wallets a").forEach(a => { a.style.cssText = "min-height: 0; height: 8px; padding: 0; line-height: 8px; font-size: 8px"; a.parentElement.parentElement.style.gap = "0" })`, audit, "target-size: "},
		"a heading that is lacking":  {`document.querySelector("h1").remove()`, audit, "page-has-heading-one: "},
		"a page that is too wide":    {`document.querySelector("main").style.width = "400px"`, "(" + overflow + ")()", "the page is too wide"},
		"a text that is cut":         {`document.querySelector("h1").style.cssText = "height: 10px; overflow: hidden"`, "(" + overflow + ")()", "cut below: <h1>"},
		"a text out of its button":   {`document.querySelector(".button").style.cssText = "width: 20px; padding: 0"`, "(" + overflow + ")()", "<a.button plain>"},
		"a placeholder that is cut":  {`document.querySelector("#cvc").placeholder = "a code that is far too long for here"`, "(" + overflow + ")()", "a placeholder is cut"},
	} {
		b.visit(address)
		b.do(chromedp.Evaluate[chromedp.Void](axe), chromedp.Evaluate[chromedp.Void](c.spoil))
		found := run(b, chromedp.Evaluate[[]string](c.judge, chromedp.EvalAwaitPromise))
		if !slices.ContainsFunc(found, func(s string) bool { return strings.Contains(s, c.says) }) {
			t.Errorf("%s: found %q", name, found)
		}
	}
}

func TestTheWatchSeesWhatAPageMayNotDo(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	b := start(t, shop)
	b.visit(shop.Page(shop.Sell(t)))
	for _, c := range []struct{ does, says string }{
		{`document.body.insertAdjacentHTML("beforeend", "<img src=x onerror=alert(1)>")`, "policy: script-src-attr"},
		{`document.body.insertAdjacentHTML("beforeend", "<p style='color: red'>")`, "policy: style-src-attr"},
		{`document.body.insertAdjacentHTML("beforeend", "<iframe src=//evil.test>")`, "policy: frame-src http://evil.test"},
		{`setTimeout(() => document.createElement("img").src = location.origin + "/pay/images/nothing")`, "404 (Not Found)"},
		{`setTimeout(() => nothing())`, "exception: "},
		{`console.warn("look here")`, "look here"},
		{`setTimeout(() => location.href = "http://evil.test:1/")`, "request to http://evil.test:1/"},
	} {
		b.do(chromedp.Evaluate[chromedp.Void]("void (" + c.does + ")"))
		b.untilNoted(c.says)
	}
	b.excuse("") // all that was to be seen
}
