package webhook

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
)

// longestRetryAfter bounds how long a receiver can put us off.
const longestRetryAfter = time.Hour

// nextTry says when a delivery goes out again after a failed attempt that ended at
// now; zero: never. A Retry-After only ever moves it later: a receiver may ask for
// patience, but one that always asks for haste would be called without end.
func nextTry(d pay.Delivery, made int, now time.Time, jitter float64, putOff time.Duration) time.Time {
	next, ok := d.NextAttempt(made, now, jitter)
	if !ok {
		return time.Time{}
	}
	if later := pay.Clock(now.Add(putOff)); later.After(next) {
		return later
	}
	return next
}

// retryAfter is how long an answer asks us to wait: 0 up to longestRetryAfter. Only
// 429 and 503 can ask.
func retryAfter(status int, header string, now time.Time) time.Duration {
	if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
		return 0
	}
	return min(max(parseRetryAfter(strings.TrimSpace(header), now), 0), longestRetryAfter)
}

// parseRetryAfter reads both forms of RFC 9110, section 10.2.3: seconds and a date.
// What is neither asks for nothing.
func parseRetryAfter(text string, now time.Time) time.Duration {
	if text != "" && strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds > int64(longestRetryAfter/time.Second) {
			return longestRetryAfter // more than fits a number, or a duration, is at least that
		}
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return at.Sub(now) // saturates
	}
	return 0
}
