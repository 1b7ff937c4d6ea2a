package coinslot

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"time"

	"connectrpc.com/connect"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
)

// Error is a call that failed: refused by the server, or without an answer from it.
//
//	var refused *coinslot.Error
//	if errors.As(err, &refused) && refused.Code == coinslot.CodeInvalidPrice { … }
type Error struct {
	// Code is the documented code, one of the Code constants. An answer that is not the
	// server's but, say, that of a proxy has one by its HTTP status.
	Code string

	// Message says what was wrong, for developers. Its wording may change.
	Message string

	// RPCCode is the kind of the refusal, such as connect.CodeNotFound.
	RPCCode connect.Code

	// Retryable says that the same call may succeed later. It was tried again already,
	// as often as WithRetries allows; what it would have changed may have been changed.
	Retryable bool

	// RetryAfter is how long the server asked to wait; 0: it did not say.
	RetryAfter time.Duration

	cause error
}

func (e *Error) Error() string { return "coinslot: " + e.Code + ": " + e.Message }

// Unwrap returns what the connection or the context reported.
func (e *Error) Unwrap() error { return e.cause }

// newError reads what a generated client returned, where it is not known what came over
// HTTP.
func newError(err error) *Error { return newErrorOf(err, nil) }

// newErrorOf reads what a generated client returned, and the answer that came, if one did.
func newErrorOf(err error, got *answer) *Error {
	e := &Error{Message: err.Error(), RPCCode: connect.CodeOf(err), cause: err}
	e.Code = e.codeWithout(got)
	if got != nil {
		e.RetryAfter = retryAfter(got.retryAfter)
	}
	var failed *connect.Error
	if errors.As(err, &failed) {
		e.Message = failed.Message()
		if got == nil {
			e.RetryAfter = retryAfter(failed.Meta().Get(headerRetryAfter))
		}
		for _, detail := range failed.Details() {
			if value, err := detail.Value(); err == nil {
				if told, ok := value.(*payv1.Error); ok {
					e.Code, e.Message = told.GetCode(), told.GetMessage()
				}
			}
		}
	}
	e.Retryable = e.Code == CodeUnavailable || e.Code == CodeInternal || e.Code == CodeRateLimited
	return e
}

// codeWithout is the code of what no server of ours has named.
func (e *Error) codeWithout(got *answer) string {
	told := connect.IsWireError(e.cause)
	switch {
	case errors.Is(e.cause, context.Canceled) && !told:
		return CodeCanceled
	case e.RPCCode == connect.CodeDeadlineExceeded && !told, isBroken(e.cause) && !told:
		return CodeUnavailable
	case got != nil:
		return known(codeOfStatus[got.status])
	case e.RPCCode == connect.CodeInternal && !told:
		return CodeInvalidRequest // it could not be written
	}
	return known(codeOfRPC[e.RPCCode])
}

// codeOfStatus is what an answer is taken for that is not Coinslot's but, say, that of a
// proxy.
var codeOfStatus = map[int]string{
	http.StatusBadRequest:          CodeInvalidRequest,
	http.StatusUnauthorized:        CodeUnauthorized,
	http.StatusForbidden:           CodeForbidden,
	http.StatusNotFound:            CodeNotFound,
	http.StatusTooManyRequests:     CodeRateLimited,
	http.StatusInternalServerError: CodeInternal,
	http.StatusBadGateway:          CodeUnavailable,
	http.StatusServiceUnavailable:  CodeUnavailable,
	http.StatusGatewayTimeout:      CodeUnavailable,
}

// codeOfRPC is the same by the code that Connect makes of it, where there is nothing else.
var codeOfRPC = map[connect.Code]string{
	connect.CodeInvalidArgument:   CodeInvalidRequest,
	connect.CodeUnauthenticated:   CodeUnauthorized,
	connect.CodePermissionDenied:  CodeForbidden,
	connect.CodeNotFound:          CodeNotFound,
	connect.CodeUnimplemented:     CodeNotFound, // of 404
	connect.CodeResourceExhausted: CodeRateLimited,
	connect.CodeInternal:          CodeInternal,
	connect.CodeUnavailable:       CodeUnavailable,
	connect.CodeDeadlineExceeded:  CodeUnavailable,
}

func known(code string) string {
	if code == "" {
		return CodeUnknown
	}
	return code
}

// isBroken says whether a connection ended in the middle of something.
func isBroken(err error) bool {
	var network net.Error
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network)
}

// mostRetryAfterSeconds is as long as a time.Duration can be.
const mostRetryAfterSeconds = uint64(math.MaxInt64 / time.Second)

// retryAfter reads seconds or a time, as RFC 9110 has it, and is 0 for anything else.
func retryAfter(header string) time.Duration {
	seconds, err := strconv.ParseUint(header, 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) { // with the most that there is
		return time.Duration(min(seconds, mostRetryAfterSeconds)) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
