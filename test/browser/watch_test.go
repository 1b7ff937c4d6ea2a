package browser

import (
	"slices"
	"strings"
	"sync"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// watch writes down what no page may do: log an error, break its policy, open a dialog,
// ask another origin for anything.
type watch struct {
	mu        sync.Mutex
	may       []string // beginnings of URLs that may be asked for
	excused   []string // parts of complaints that a test expects
	documents map[string]bool
	noted     []string
}

func newWatch(origin string) *watch {
	return &watch{
		// The games' own schemes open no connection; a browser without the game says so.
		may:       []string{origin + "/", "data:", "mygame:"},
		excused:   []string{" launch 'mygame:"},
		documents: map[string]bool{},
	}
}

// excuse has a complaint that holds this text be none.
func (w *watch) excuse(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.excused = append(w.excused, text)
}

// allow lets the page ask for what begins so.
func (w *watch) allow(url string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.may = append(w.may, url)
}

// note is called with each event of the tab.
func (w *watch) note(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *cdplog.EventEntryAdded:
		// A page that says 4xx is an error to the log and none here; an image that does is one.
		told := strings.Contains(e.Entry.Text, "responded with a status") && w.documents[e.Entry.URL]
		if e.Entry.Level == cdplog.EntryLevelError && !told {
			w.noted = append(w.noted, e.Entry.Text+" "+e.Entry.URL)
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			for _, a := range e.Args {
				w.noted = append(w.noted, "console: "+string(a.Value)+a.Description)
			}
		}
	case *runtime.EventExceptionThrown:
		w.noted = append(w.noted, "exception: "+e.ExceptionDetails.Text)
	case *page.EventJavascriptDialogOpening:
		w.noted = append(w.noted, "dialog: "+e.Message)
	case *network.EventRequestWillBeSent:
		if e.Type == network.ResourceTypeDocument {
			w.documents[e.Request.URL] = true
		}
		if !slices.ContainsFunc(w.may, func(start string) bool { return strings.HasPrefix(e.Request.URL, start) }) {
			w.noted = append(w.noted, "request to "+e.Request.URL)
		}
	}
}

// problems is what was noted and is not excused.
func (w *watch) problems() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.noted), func(text string) bool {
		return slices.ContainsFunc(w.excused, func(part string) bool { return strings.Contains(text, part) })
	})
}

// forgive takes back complaints that the test has provoked, of which there must be some.
func (b *tab) forgive(about string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	before := len(b.noted)
	b.noted = slices.DeleteFunc(b.noted, func(text string) bool { return strings.Contains(text, about) })
	if len(b.noted) == before {
		b.t.Errorf("the browser has not complained about %s", about)
	}
}
