package checkout_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coinslot/coinslot/test/coinslottest"
)

// What a browser's first request costs the server.
func BenchmarkPage(b *testing.B) {
	shop := coinslottest.OpenShop(b)
	address := shop.Page(shop.Sell(b))
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, address, nil)
		r.Header.Set("Accept-Encoding", "gzip")
		r.Header.Set("Accept-Language", "en-US,en;q=0.9")
		w := httptest.NewRecorder()
		shop.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
	}
}
