package checkout

import (
	"testing"

	"github.com/coinslot/coinslot/internal/pay"
)

// No such address gets into the store, and none that did would become a link.
func TestHostileAddressesNeverBecomeLinks(t *testing.T) {
	for _, address := range []pay.ReturnURL{
		"javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", " javascript:x", "data:text/html,x",
		"vbscript:x", "intent://x", "file:///etc/passwd", "blob:x", "tel:1", "//x", "/x", "",
	} {
		s := pay.Session{ID: "sess_1", Status: pay.SessionPaid, ReturnURL: address}
		if back := wayBack(localeFor("", ""), s, pay.Game{Name: "Game"}); back != nil {
			t.Errorf("%q became the link %q", address, back.URL)
		}
	}
}
