package coinslot

import (
	"errors"
	"io"
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
	// Code is the documented code, one of the Code constants. Where the server did not
	// answer with one it is the name of RPCCode.
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

// newError reads what a generated client returned.
func newError(err error) *Error {
	e := &Error{Message: err.Error(), RPCCode: connect.CodeOf(err), cause: err}
	e.Code = e.RPCCode.String()
	var failed *connect.Error
	if errors.As(err, &failed) {
		e.Message = failed.Message()
		e.RetryAfter = retryAfter(failed.Meta().Get(headerRetryAfter))
		for _, detail := range failed.Details() {
			if value, err := detail.Value(); err == nil {
				if told, ok := value.(*payv1.Error); ok {
					e.Code, e.Message = told.GetCode(), told.GetMessage()
				}
			}
		}
	}
	e.Retryable = e.mayPass()
	return e
}

// mayPass says whether what went wrong may be over at the next attempt.
func (e *Error) mayPass() bool {
	switch e.RPCCode {
	case connect.CodeUnavailable:
		return true // said by the server or a proxy, or nobody was reached
	case connect.CodeDeadlineExceeded:
		return true // no answer in the time of an attempt, or of the whole call
	case connect.CodeInternal:
		return connect.IsWireError(e.cause) // and not something in this program
	case connect.CodeResourceExhausted:
		return e.Code == CodeRateLimited // and not that the request is too large
	}
	return !connect.IsWireError(e.cause) && isBroken(e.cause)
}

// isBroken says whether a connection ended in the middle of something.
func isBroken(err error) bool {
	var network net.Error
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network)
}

// retryAfter reads seconds or a time, as RFC 9110 has it, and is 0 for anything else.
func retryAfter(header string) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
