package checkout

import (
	"bytes"
	"net/http"
	"regexp"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
)

var imageName = regexp.MustCompile(`^[0-9a-f]{64}\.(png|jpeg|webp)$`)

// image serves a stored picture. Its name is the hash of its bytes, so that it can
// be kept for ever; and whatever the bytes are taken for, they run nothing.
func (v *visit) image(name string) {
	if v.r.Method != http.MethodGet && v.r.Method != http.MethodHead {
		v.wrongMethod(action{})
		return
	}
	if !imageName.MatchString(name) {
		v.notFound()
		return
	}
	img, err := v.Service.Image(v.r.Context(), pay.ImageName(name))
	if err != nil {
		if pay.CodeOf(err) == pay.NotFound {
			v.notFound()
			return
		}
		v.report("", err)
		http.Error(v.w, "unavailable", http.StatusServiceUnavailable)
		return
	}
	head := v.w.Header()
	head.Set("Cache-Control", "public, max-age=31536000, immutable")
	head.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	head.Set("Content-Type", img.Type)
	head.Set("ETag", `"`+name+`"`)
	http.ServeContent(v.w, v.r, "", time.Time{}, bytes.NewReader(img.Data))
}
