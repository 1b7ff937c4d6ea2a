package browser

import (
	"bytes"
	"encoding/base64"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/coinslot/coinslot/test/coinslottest"
)

// The picture in the README, and how heavy it may be.
const (
	pictureFile = "../../docs/page.webp"
	mostPicture = 60 << 10
	remake      = "make it with: go test ./test/browser -run TestThePictureInTheReadme -picture"
)

var embedded = regexp.MustCompile(`!\[[^\]]{30,}\]\(docs/page\.webp\)`)

// TestThePictureInTheReadme makes it anew with -picture only: each making differs by a
// few bytes. Else it looks whether it is there and shown with words for who cannot see it.
func TestThePictureInTheReadme(t *testing.T) {
	t.Parallel()
	if *picture {
		shop := coinslottest.OpenShop(t)
		if err := os.WriteFile(pictureFile, start(t, shop).poster(shop), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(pictureFile)
	if err != nil {
		t.Fatalf("%v; %s", err, remake)
	}
	if !bytes.HasPrefix(content, []byte("RIFF")) || len(content) > mostPicture {
		t.Errorf("the picture has %d bytes; %s", len(content), remake)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !embedded.Match(readme) {
		t.Error("the README does not show docs/page.webp with words that say what is on it")
	}
}

// poster is the page on a desktop by day, and beside it on a phone by night.
func (b *tab) poster(shop *coinslottest.Shop) []byte {
	b.t.Helper()
	art := coins()
	address := shop.Page(shop.Sell(b.t, func(s *coinslottest.Sale) { s.Order.Item.Image = &art }))
	var images strings.Builder
	for _, s := range []screen{{980, "light"}, {375, "dark"}} {
		b.size(s)
		b.height(s.width, 820)
		b.visit(address)
		b.until(`[...document.images].every(i => i.complete && i.naturalWidth > 0)`)
		images.WriteString(`<img src="data:image/png;base64,` + base64.StdEncoding.EncodeToString(call(b, page.CaptureScreenshot, page.CaptureScreenshotParams{}).Data) + `">`)
	}
	b.visit("about:blank")
	b.height(1420, 860)
	b.do(chromedp.Evaluate[chromedp.Void](`document.body.innerHTML = ` + quoted(`<style>
		body { margin: 0; padding: 20px; display: flex; gap: 25px }
		img { border-radius: 20px; outline: 1px solid #8888 }
	</style>`+images.String())))
	b.until(`[...document.images].every(i => i.complete && i.naturalWidth > 0)`)
	call(b, emulation.SetDefaultBackgroundColorOverride, emulation.SetDefaultBackgroundColorOverrideParams{Color: &cdp.RGBA{A: 0.001}}) // a zero is left out, and means opaque
	quality := int64(80)
	return call(b, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatWebp, Quality: &quality}).Data
}
