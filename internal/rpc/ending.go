package rpc

import (
	"context"
	"net/http"

	"github.com/coinslot/coinslot/internal/pay"
)

type ending struct{}

// EndStreams ends the streams that next serves when end is done: they would go on for
// as long as their callers listen. Calls, which are short, may finish.
func EndStreams(end context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), ending{}, end)))
	})
}

var errEnding = pay.Refuse(pay.Unavailable, "the server is shutting down; ask again, and the next one answers")

// untilEnd is the context of a stream, and what lets go of it.
func untilEnd(ctx context.Context) (context.Context, func()) {
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
