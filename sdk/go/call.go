package coinslot

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
)

const (
	headerAuthorization  = "Authorization"
	headerIdempotencyKey = "Idempotency-Key"
	headerRetryAfter     = "Retry-After"
	headerUserAgent      = "User-Agent"

	mostIdempotencyKey = 255
)

const (
	firstWait = 500 * time.Millisecond
	doublings = 4 // to 8 s

	// mostRetryAfter is how long a server is waited for because it asks for it. Beyond
	// that the caller is told at once and can do better than to hold a goroutine.
	mostRetryAfter = time.Minute
)

// caller is what every call needs. It is held by a pointer, so that printing a Client does
// not print its token.
type caller struct {
	token   string
	timeout time.Duration
	retries int
}

// method is one of the generated clients'.
type method[Req, Res any] func(context.Context, *Req) (*Res, error)

// read makes a call that changes nothing, so that it can be made again.
func read[Req, Res any](ctx context.Context, c *caller, call method[Req, Res], req *Req) (*Res, error) {
	return attempts(ctx, c, call, req, http.Header{})
}

// change makes a call that may be made again because its key says that it is the same.
func change[Req, Res any](ctx context.Context, c *caller, call method[Req, Res], req *Req, opts []CallOption) (*Res, error) {
	s := callSettings{key: uuid.NewString()}
	for _, set := range opts {
		set(&s)
	}
	if s.key == "" || len(s.key) > mostIdempotencyKey || !printable(s.key) {
		return nil, &Error{
			Code: CodeInvalidIdempotencyKey, RPCCode: connect.CodeInvalidArgument,
			Message: "the idempotency key must be 1 to 255 printable ASCII characters",
		}
	}
	return attempts(ctx, c, call, req, http.Header{headerIdempotencyKey: {s.key}})
}

// attempts tries a call until it has an answer, or nothing is gained by trying again.
func attempts[Req, Res any](ctx context.Context, c *caller, call method[Req, Res], req *Req, header http.Header) (*Res, error) {
	for n := 0; ; n++ {
		res, failed := attempt(ctx, c, call, req, header)
		if failed == nil {
			return res, nil
		}
		if !failed.Retryable || n >= c.retries || !pause(ctx, n, failed.RetryAfter) {
			failed.cause = errors.Join(failed.cause, ctx.Err()) // which may have ended the pause
			return nil, failed
		}
	}
}

// attempt tries a call once. Each attempt is a request of its own, headers and all: the
// transport may still be reading those of one that was given up.
func attempt[Req, Res any](ctx context.Context, c *caller, call method[Req, Res], req *Req, header http.Header) (*Res, *Error) {
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	limited, place := noteAnswer(limited)
	limited, info := connect.NewClientContext(limited)
	info.RequestHeader().Set(headerAuthorization, "Bearer "+c.token)
	for name, values := range header {
		info.RequestHeader()[name] = values
	}
	res, err := call(limited, req)
	if err != nil {
		failed := newErrorOf(err, place.Load())
		if failed.RPCCode == connect.CodeCanceled && ctx.Err() != nil { // whatever broke, it was given up
			failed.Code, failed.Retryable = CodeCanceled, false
		}
		return nil, failed
	}
	return res, nil
}

// pause waits before the attempt that follows the nth, and says whether there is to be
// one. It does not begin to wait for what would come after the caller's deadline.
func pause(ctx context.Context, n int, retryAfter time.Duration) bool {
	wait := max(backoff(n), retryAfter)
	if deadline, ok := ctx.Deadline(); retryAfter > mostRetryAfter || ok && time.Until(deadline) <= wait {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// backoff doubles with every attempt. Chance takes up to half of it away, so that those
// who failed together do not come back together.
func backoff(n int) time.Duration {
	wait := firstWait << min(n, doublings)
	return wait - rand.N(wait/2)
}
