// Package browser drives the payment page in a real browser. What a person should look
// at, the tests leave as pictures in shots/, or where -shots or COINSLOT_SCREENSHOTS
// says; the picture in the README is made anew by
//
//	go test ./test/browser -run TestThePictureInTheReadme -picture
package browser

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/coinslot/coinslot/internal/testneed"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// patience is how long a page may take to show what is waited for.
const patience = time.Minute

var (
	shots   = flag.String("shots", cmp.Or(os.Getenv("COINSLOT_SCREENSHOTS"), "shots"), "where pictures of every page are written")
	picture = flag.Bool("picture", false, "write docs/page.webp, the picture in the README")
)

// chromium is the one browser of all tests. Each has a profile of its own in it.
var chromium struct {
	once sync.Once
	ctx  context.Context
	err  error
	stop func()
}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if chromium.stop != nil {
		chromium.stop()
	}
	os.Exit(code)
}

func startChromium(path string) {
	dir, err := os.MkdirTemp("", "coinslot-browser-")
	if err != nil {
		chromium.err = err
		return
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.UserDataDir(dir),
	)
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	chromium.ctx, _ = chromedp.NewContext(allocator)
	chromium.err = chromedp.Do(chromium.ctx)
	chromium.stop = func() {
		_ = chromedp.Cancel(chromium.ctx)
		cancel()
		os.RemoveAll(dir)
	}
}

// tab is one tab of a browser.
type tab struct {
	t      *testing.T
	ctx    context.Context
	origin string // of the shop: nobody else may be asked for anything
	*watch
}

// start opens a tab in a profile of its own. What the browser complains of, and whom else
// than the shop the page asks, fails the test at its end.
func start(t *testing.T, shop *coinslottest.Shop) *tab {
	t.Helper()
	path := testneed.Program(t, "chromium", "chromium-browser", "google-chrome")
	chromium.once.Do(func() { startChromium(path) })
	if chromium.err != nil {
		t.Fatal(chromium.err)
	}
	return open(t, chromium.ctx, shop, chromedp.WithNewBrowserContext())
}

// another opens a second tab in the same profile.
func (b *tab) another(shop *coinslottest.Shop) *tab {
	b.t.Helper()
	return open(b.t, b.ctx, shop)
}

func open(t *testing.T, parent context.Context, shop *coinslottest.Shop, options ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent, options...)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, origin: shop.URL, watch: newWatch(shop.URL)}
	b.do() // the first call opens the tab, and its context must have no deadline
	if err := chromedp.Listen(ctx, b.note); err != nil {
		t.Fatal(err)
	}
	call(b, cdplog.Enable, cdp.Empty{})
	call(b, network.Enable, network.EnableParams{})
	call(b, runtime.Enable, cdp.Empty{})
	call(b, page.Enable, page.EnableParams{})
	call(b, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: reports})
	t.Cleanup(b.complain)
	return b
}

// reports writes down what breaks the page's policy. It runs before the page's own script.
const reports = `addEventListener("securitypolicyviolation", e => console.error("policy: " + e.violatedDirective + " " + e.blockedURI + " " + e.sample));`

func (b *tab) complain() {
	for _, p := range b.problems() {
		b.t.Errorf("the browser says: %s", p)
	}
}

// untilNoted waits until the browser has complained of something.
func (b *tab) untilNoted(text string) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if slices.ContainsFunc(b.problems(), func(p string) bool { return strings.Contains(p, text) }) {
			return
		}
	}
	b.t.Errorf("the browser does not say %q but %q", text, b.problems())
}

// do runs steps, each of which is given patience.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if len(steps) == 0 {
		if err := chromedp.Do(b.ctx); err != nil {
			b.t.Fatal(err)
		}
	}
	for i, step := range steps {
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		err := chromedp.Do(ctx, step)
		cancel()
		if err != nil {
			b.t.Fatalf("step %d: %v; %s says: %s", i+1, err, run(b, chromedp.Location()), b.text())
		}
	}
}

// text is what the page says, for a failed test's message.
func (b *tab) text() string {
	ctx, cancel := context.WithTimeout(b.ctx, time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.title + ' ' + document.body.innerText"))
	if err != nil {
		return err.Error()
	}
	return text
}

// until waits for what is no element's visibility, or is so on a page that came back
// from the browser's memory, whose elements chromedp cannot wait for.
func (b *tab) until(condition string) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		// An error is a page that is going or coming.
		if ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](condition)); err == nil && ok {
			return
		}
	}
	b.t.Fatalf("not so after %v: %s; the page says: %s", patience, condition, b.text())
}

// is fails the test where a condition does not hold on the page.
func (b *tab) is(what, condition string) {
	b.t.Helper()
	if !run(b, chromedp.Evaluate[bool](condition)) {
		b.t.Errorf("it is not so that %s; the page says: %s", what, b.text())
	}
}

// speak makes the browser ask for a language.
func (b *tab) speak(lang string) {
	b.t.Helper()
	call(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": lang}})
}

// screen is how a page is looked at.
type screen struct {
	width  int64
	scheme string // light or dark
}

func (s screen) String() string { return fmt.Sprintf("%d-%s", s.width, s.scheme) }

func (b *tab) size(s screen) {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: s.scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
	b.height(s.width, 812)
}

func (b *tab) height(width, height int64) {
	b.t.Helper()
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1})
}

func (b *tab) withoutScript() {
	b.t.Helper()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}
