package server

import (
	"math"
	"net/http"
	"sync"

	connectcors "connectrpc.com/cors"
	"github.com/rs/cors"
	"golang.org/x/time/rate"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/rpc"
)

// limiter bounds how often each API key may call. There are as many buckets as
// valid keys, since only a valid one gets this far.
type limiter struct {
	perSecond rate.Limit // 0: no limit
	buckets   sync.Map   // pay.KeyID to *rate.Limiter
}

func newLimiter(perSecond float64) *limiter { return &limiter{perSecond: rate.Limit(perSecond)} }

// Allow implements rpc.Limiter: a second's worth of calls at once, then the rate.
func (l *limiter) Allow(key pay.KeyID) bool {
	if l.perSecond == 0 {
		return true
	}
	bucket, ok := l.buckets.Load(key)
	if !ok {
		bucket, _ = l.buckets.LoadOrStore(key, rate.NewLimiter(l.perSecond, int(math.Ceil(float64(l.perSecond)))))
	}
	return bucket.(*rate.Limiter).Allow()
}

// crossOrigin lets pages of the given origins call what it wraps.
func crossOrigin(origins []string) func(http.Handler) http.Handler {
	if len(origins) == 0 {
		return func(h http.Handler) http.Handler { return h }
	}
	return cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: connectcors.AllowedMethods(),
		AllowedHeaders: append(connectcors.AllowedHeaders(), "Authorization", "Idempotency-Key"),
		ExposedHeaders: append(connectcors.ExposedHeaders(), "Idempotent-Replayed", "Retry-After", "X-Request-Id", "X-Total-Count", "Link", rpc.FeedCursorHeader),
		MaxAge:         7200, // seconds, the most that browsers heed
	}).Handler
}
