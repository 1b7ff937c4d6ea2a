// Package streams is what answers without an end have in common, whatever is told in
// them: they end when the server does, and are broken off when nobody reads.
package streams

import (
	"context"
	"net/http"

	"github.com/coinslot/coinslot/internal/pay"
)

type ending struct{}

// EndWith ends the streams that next serves when end is done: they would go on for
// as long as their callers listen. Calls, which are short, may finish.
func EndWith(end context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), ending{}, end)))
	})
}

var errEnding = pay.Refuse(pay.Unavailable, "the server is shutting down; ask again, and the next one answers")

// UntilEnd is the context of a stream, and what lets go of it.
func UntilEnd(ctx context.Context) (context.Context, func()) {
	end, ok := ctx.Value(ending{}).(context.Context)
	if !ok {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(end, func() { cancel(errEnding) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}
