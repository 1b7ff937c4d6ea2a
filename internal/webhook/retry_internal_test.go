package webhook

import (
	"net/http"
	"testing"
	"time"
)

var noon = time.Date(2023, 6, 1, 12, 0, 0, 0, time.UTC)

func TestRetryAfter(t *testing.T) {
	tests := []struct {
		status int
		header string
		want   time.Duration
	}{
		{429, "120", 2 * time.Minute},
		{503, " 120 ", 2 * time.Minute},
		{503, "0", 0},
		{503, "3600", time.Hour},
		{503, "3601", time.Hour},
		{503, "9223372036854775807", time.Hour},
		{503, "99999999999999999999999999", time.Hour},
		{503, "-5", 0},
		{503, "+5", 0},
		{503, "1.5", 0},
		{503, "", 0},
		{503, "soon", 0},
		{503, "Thu, 01 Jun 2023 12:10:00 GMT", 10 * time.Minute},
		{503, "Thursday, 01-Jun-23 12:10:00 GMT", 10 * time.Minute},
		{503, "Thu, 01 Jun 2023 11:00:00 GMT", 0},
		{503, "Fri, 31 Dec 9999 23:59:59 GMT", time.Hour},
		{200, "120", 0},
		{500, "120", 0},
		{302, "120", 0},
	}
	for _, tt := range tests {
		if got := retryAfter(tt.status, tt.header, noon); got != tt.want {
			t.Errorf("%d with %q: %v, want %v", tt.status, tt.header, got, tt.want)
		}
	}
}

// A receiver chooses the header freely, so whatever it is, the wait stays in bounds.
func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "0", "120", "-1", "1e9", "99999999999999999999", "Thu, 01 Jun 2023 12:10:00 GMT", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
			if got := retryAfter(status, header, noon); got < 0 || got > longestRetryAfter {
				t.Errorf("%q: %v", header, got)
			}
		}
	})
}
