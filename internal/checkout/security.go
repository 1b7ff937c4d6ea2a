package checkout

import (
	"crypto/rand"
	"net/http"
	"strings"

	"github.com/coinslot/coinslot/internal/gateway"
)

// newVisit sets the headers that every answer has, the errors too.
func (h *handler) newVisit(w http.ResponseWriter, r *http.Request) *visit {
	v := &visit{handler: h, w: w, r: r, nonce: rand.Text(), images: ownImages}
	head := w.Header()
	head.Set("Cache-Control", "no-store")
	head.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	// The address is the player's secret: no image host may learn it.
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("X-Robots-Tag", "noindex, nofollow")
	v.lock()
	return v
}

// lock sets the headers that say what the answer may load, and who may frame it: its own
// style and script, which carry the nonce, its icon, which is a data: URI, and images from
// where it shows one; and nobody, unless the game has named somebody.
func (v *visit) lock() {
	head := v.w.Header()
	framers := "'none'"
	if len(v.frames) > 0 {
		framers = strings.Join(v.frames, " ")
		head.Del("X-Frame-Options") // it can name nobody
	} else {
		head.Set("X-Frame-Options", "DENY") // for web views that do not know frame-ancestors
	}
	head.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+v.nonce+"'; script-src 'nonce-"+v.nonce+"'"+
		"; img-src "+v.images+"; connect-src 'self'; form-action 'self'; frame-ancestors "+framers+"; base-uri 'none'")
}

// Where images may come from: here, and also elsewhere.
const (
	ownImages    = "'self' data:"
	secureImages = "'self' data: https:"
	anyImages    = "'self' data: http: https:"
)

// allowImage widens the policy for an image elsewhere. It names the scheme and not
// the host: image hosts redirect, and a host can hold a policy's own separators.
func (v *visit) allowImage(src string) {
	src = strings.ToLower(src)
	switch {
	case strings.HasPrefix(src, "http:"):
		v.images = anyImages
	case strings.HasPrefix(src, "https:") && v.images == ownImages:
		v.images = secureImages
	}
	v.lock()
}

// allowFrames lets the origins frame the answer that the session's game has named.
func (v *visit) allowFrames(c gateway.Checkout) {
	v.frames = c.Game.EmbeddableBy(c.Session.Environment)
	v.lock()
}

// fromElsewhere says whether another site sent the player's browser here.
func (v *visit) fromElsewhere() bool {
	// Under our own no-referrer policy a browser that does not know Sec-Fetch-Site
	// says "Origin: null" of our own forms. There the form's token decides alone.
	if v.r.Header.Get("Sec-Fetch-Site") == "" && v.r.Header.Get("Origin") == "null" {
		return false
	}
	return v.sites.Check(v.r) != nil
}
