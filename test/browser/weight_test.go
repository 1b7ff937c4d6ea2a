package browser

import (
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/coinslot/coinslot/test/coinslottest"
)

// mostFirstLoad is what a player on a bad network may have to wait for before seeing the
// page, the item's image aside.
const mostFirstLoad = 30 << 10

var languages = []string{"en", "de", "fr", "es", "it", "pt-BR", "pl", "tr", "ru", "uk", "ja", "ko", "zh-Hans", "zh-Hant", "ar"}

// loadsLittle weighs every page in every language, and has the browser load the heaviest.
func loadsLittle(t *testing.T, shop *coinslottest.Shop, pages map[string]string) {
	b := start(t, shop)
	b.allow(pages["broken"]) // a shop of its own
	heaviest, in, most := "", "", 0
	for _, lang := range languages {
		for name, address := range pages {
			if n := len(got(t, address, lang, "gzip")); n > most {
				heaviest, in, most = name, lang, n
			}
		}
	}
	t.Logf("the heaviest page is %s in %s: %d bytes packed", heaviest, in, most)

	// What the browser takes for it in all, headers too.
	var taken, images atomic.Int64
	kinds := map[network.RequestID]network.ResourceType{} // the events come one after the other
	if err := chromedp.Listen(b.ctx, func(event any) {
		switch e := event.(type) {
		case *network.EventResponseReceived:
			kinds[e.RequestID] = e.Type
		case *network.EventLoadingFinished:
			if kinds[e.RequestID] == network.ResourceTypeImage {
				images.Add(1)
				return
			}
			taken.Add(int64(e.EncodedDataLength))
		}
	}); err != nil {
		t.Fatal(err)
	}
	b.speak(in)
	b.visit(pages[heaviest])
	b.until("document.readyState === 'complete'")
	t.Logf("the browser takes %d bytes, and %d images", taken.Load(), images.Load())
	if taken.Load() < int64(most) || taken.Load() > mostFirstLoad {
		t.Errorf("the browser takes %d bytes for a page of %d; %d are allowed", taken.Load(), most, mostFirstLoad)
	}
}
