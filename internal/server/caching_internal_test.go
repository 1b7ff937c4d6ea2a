package server

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestAnEventMayBeKeptByItsCallerAndNothingElseMay(t *testing.T) {
	const kept = "private, max-age=31536000, immutable"
	for _, tt := range []struct {
		verb, path string
		status     int // 0: written without one
		want       string
	}{
		{"GET", "/v1/events/0d9e6b0e-5c1c-4bd0-8a0e-2f4f6d1f3a77", 200, kept},
		{"GET", "/pay.v1.EventService/GetEvent", 0, kept},
		{"GET", "/v1/events/1", 404, "no-store"},
		{"GET", "/pay.v1.EventService/GetEvent", 401, "no-store"},
		{"GET", "/v1/events", 200, "no-store"},
		{"GET", "/pay.v1.EventService/ListEvents", 0, "no-store"},
		{"GET", "/pay.v1.RefundService/GetRefund", 0, "no-store"},
		{"GET", "/v1/refunds/ref_1", 200, "no-store"},
		{"POST", "/pay.v1.EventService/GetEvent", 200, ""},
		{"GET", "/pay/sess_1", 200, ""},
		{"GET", "/pay.v1.Nothing/Nothing", 404, ""},
	} {
		w := httptest.NewRecorder()
		caching(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if tt.status != 0 {
				w.WriteHeader(tt.status)
			}
			_, _ = w.Write([]byte("{}"))
		})).ServeHTTP(w, httptest.NewRequest(tt.verb, tt.path, http.NoBody))
		if got := w.Header().Get("Cache-Control"); got != tt.want {
			t.Errorf("%s %s, answered with %d: %q, want %q", tt.verb, tt.path, w.Code, got, tt.want)
		}
	}
}
