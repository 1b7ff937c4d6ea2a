// Package browser drives the payment page in a real browser.
package browser

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"

	"github.com/coinslot/coinslot/internal/testneed"
)

// css finds elements. A plain string is also looked for in texts, the style's too.
type css = chromedp.CSS

// patience is how long a page may take to show what is waited for.
const patience = 20 * time.Second

// tab is one tab of a browser that is the test's own.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	problems []string // what the browser complained of: a policy broken, a script that failed
}

// start starts a browser. What it complains of fails the test at its end.
func start(t *testing.T) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(testneed.Program(t, "chromium", "chromium-browser", "google-chrome")),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true),
		chromedp.UserDataDir(t.TempDir()),
	)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx}
	b.do() // the first call starts the browser, and its context must have no deadline
	if err := chromedp.Listen(ctx, b.note); err != nil {
		t.Fatal(err)
	}
	call(b, cdplog.Enable, cdp.Empty{})
	t.Cleanup(b.complain)
	return b
}

// note keeps what the browser logs as an error. An answer of 4xx is such an error too, and is none here.
func (b *tab) note(event any) {
	entry, ok := event.(*cdplog.EventEntryAdded)
	if !ok || entry.Entry.Level != cdplog.EntryLevelError || strings.Contains(entry.Entry.Text, "responded with a status") {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = append(b.problems, entry.Entry.Text)
}

// forgive takes back complaints that the test has provoked, of which there must be some.
func (b *tab) forgive(about string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	before := len(b.problems)
	b.problems = slices.DeleteFunc(b.problems, func(p string) bool { return strings.Contains(p, about) })
	if len(b.problems) == before {
		b.t.Errorf("the browser has not complained about %s", about)
	}
}

func (b *tab) complain() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.problems {
		b.t.Errorf("the browser says: %s", p)
	}
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
			b.t.Fatalf("step %d: %v; the page says: %s", i+1, err, b.text())
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

// waitFor waits until the page's state, the class of its body, is this one.
func (b *tab) waitFor(state string) {
	b.t.Helper()
	b.do(chromedp.WaitVisible(css("body." + state + " main")))
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

func (b *tab) size(width int64, scheme string) {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
	b.do(chromedp.EmulateViewport(width, 812))
}

func (b *tab) withoutScript() {
	b.t.Helper()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}
