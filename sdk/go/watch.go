package coinslot

import (
	"context"
	"errors"
	"net/http"
	"time"

	"connectrpc.com/connect"
)

// mostSilence is after how long a stream that tells nothing is given up: the server lets
// hear from itself every 15 seconds.
const mostSilence = 45 * time.Second

var errSilence = errors.New("the server has not been heard of for 45 seconds")

// stream is one of the generated clients' methods that answer with a stream.
type stream[Req, Res any] func(context.Context, *Req) (*connect.ServerStreamForClient[Res], error)

// watch gives take all that a stream tells, until it wants no more. A connection that
// breaks is made anew, with the request that ask then makes: until it is made once as
// often as any call is tried, and from then on for as long as ctx lives.
func watch[Req, Res any](ctx context.Context, c *caller, open stream[Req, Res], ask func() *Req, take func(*Res) bool) *Error {
	connected := false
	for n := 0; ; n++ {
		heard := 0
		failed := listen(ctx, c, open, ask(), func(told *Res) bool {
			heard++
			return take(told)
		})
		if failed == nil {
			return nil
		}
		if heard > 0 {
			connected, n = true, 0
		}
		again := failed.Retryable && (connected || n < c.retries) || connected && !connect.IsWireError(failed.cause)
		if ctx.Err() != nil || !again || !pause(ctx, n, failed.RetryAfter) {
			failed.cause = errors.Join(failed.cause, ctx.Err())
			if failed.RPCCode == connect.CodeDeadlineExceeded { // ctx's, of which the server knows
				failed.cause = errors.Join(failed.cause, context.DeadlineExceeded)
			}
			return failed
		}
	}
}

// listen makes one connection, and returns nil once take wants no more.
func listen[Req, Res any](ctx context.Context, c *caller, open stream[Req, Res], req *Req, take func(*Res) bool) *Error {
	limited, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	silence := time.AfterFunc(mostSilence, func() { giveUp(errSilence) })
	defer silence.Stop()
	limited, place := noteAnswer(limited)
	limited, info := connect.NewClientContext(limited)
	info.RequestHeader().Set(headerAuthorization, "Bearer "+c.token)
	told, err := open(limited, req)
	if err != nil {
		return newError(err)
	}
	defer func() {
		giveUp(nil) // else Close would wait for the stream's end
		_ = told.Close()
	}()
	for told.Receive() {
		silence.Stop() // take may take its time
		if !take(told.Msg()) {
			return nil
		}
		silence.Reset(mostSilence)
	}
	switch err := told.Err(); {
	case errors.Is(context.Cause(limited), errSilence):
		return newError(connect.NewError(connect.CodeUnavailable, errSilence))
	case err != nil && place.Load() != nil && place.Load().status != http.StatusOK: // no stream, but a refusal of, say, a proxy
		return newErrorOf(err, place.Load())
	case err != nil:
		return newError(err)
	}
	return newError(connect.NewError(connect.CodeUnavailable, errors.New("the stream has ended early")))
}
