package rpc

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"

	"connectrpc.com/connect"
)

// Wire is how a service is put on the wire: a door before its handlers, and what
// these are built with.
type Wire struct {
	Log    *slog.Logger
	Most   int    // how long a message may be in bytes, after decompression
	Detail Detail // what errors carry; nil: nothing
}

// OurWire is how the services of our contracts are put on the wire.
func OurWire(log *slog.Logger) Wire { return Wire{log, MostMessageBytes, errorDetail} }

// Options are what the handlers are built with: codecs, limits, and the interceptors
// that make errors documented ones.
func (w Wire) Options() connect.HandlerOption {
	return connect.WithHandlerOptions(
		codecs(),
		connect.WithReadMaxBytes(w.Most),
		connect.WithCompression("gzip", func() connect.Decompressor { return &unzipper{wire: w} }, Zip),
		connect.WithCompressMinBytes(leastZipped),
		connect.WithInterceptors(documented{w}),
		// Inside the interceptor, which logs a panic as any internal error.
		connect.WithRecover(func(_ context.Context, _ connect.Spec, _ http.Header, r any) error {
			return &panicked{r, debug.Stack()}
		}),
	)
}

// Door puts the door before the handlers. admit says who calls, in the context that
// they get.
func (w Wire) Door(next http.Handler, admit func(*http.Request) (context.Context, error)) http.Handler {
	return &door{w, next, admit, connect.NewErrorWriter(codecs())}
}
