package checkout

import (
	"crypto/rand"
	"net/http"
	"strings"
)

// newVisit sets the headers that every answer has, the errors too.
func (h *handler) newVisit(w http.ResponseWriter, r *http.Request) *visit {
	v := &visit{handler: h, w: w, r: r, nonce: rand.Text()}
	head := w.Header()
	head.Set("Cache-Control", "no-store")
	head.Set("Content-Security-Policy", v.policy("'self' data:"))
	head.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	// The address is the player's secret: no image host may learn it.
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("X-Frame-Options", "DENY") // for web views that do not know frame-ancestors
	head.Set("X-Robots-Tag", "noindex, nofollow")
	return v
}

// policy is what the page may load: its own style and script, which carry the
// nonce, its icon, which is a data: URI, and images from where it shows one.
func (v *visit) policy(images string) string {
	return "default-src 'none'; style-src 'nonce-" + v.nonce + "'; script-src 'nonce-" + v.nonce + "'" +
		"; img-src " + images + "; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
}

// allowImage widens the policy for an image elsewhere. It names the scheme and not
// the host: image hosts redirect, and a host can hold a policy's own separators.
func (v *visit) allowImage(src string) {
	switch {
	case strings.HasPrefix(strings.ToLower(src), "https:"):
		v.w.Header().Set("Content-Security-Policy", v.policy("'self' data: https:"))
	case strings.HasPrefix(strings.ToLower(src), "http:"):
		v.w.Header().Set("Content-Security-Policy", v.policy("'self' data: http: https:"))
	}
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
