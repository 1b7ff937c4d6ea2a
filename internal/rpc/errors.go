package rpc

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// status says how a code is told: which RPC code (and with it which HTTP status),
// and under which documented name.
type status struct {
	rpc  connect.Code
	name string // empty: the code's own
}

// statuses is the error table of the API, complete by a test.
var statuses = map[pay.Code]status{
	pay.Unauthorized:          {rpc: connect.CodeUnauthenticated},
	pay.Forbidden:             {rpc: connect.CodePermissionDenied},
	pay.RateLimited:           {rpc: connect.CodeResourceExhausted},
	pay.InvalidRequest:        {rpc: connect.CodeInvalidArgument},
	pay.RequestTooLarge:       {rpc: connect.CodeResourceExhausted, name: "invalid_request"},
	pay.InvalidGameID:         {rpc: connect.CodeInvalidArgument},
	pay.InvalidUserID:         {rpc: connect.CodeInvalidArgument},
	pay.InvalidItem:           {rpc: connect.CodeInvalidArgument},
	pay.InvalidTitle:          {rpc: connect.CodeInvalidArgument},
	pay.InvalidPrice:          {rpc: connect.CodeInvalidArgument},
	pay.InvalidCurrency:       {rpc: connect.CodeInvalidArgument},
	pay.InvalidImage:          {rpc: connect.CodeInvalidArgument},
	pay.InvalidReturnURL:      {rpc: connect.CodeInvalidArgument},
	pay.InvalidCancelURL:      {rpc: connect.CodeInvalidArgument},
	pay.InvalidMetadata:       {rpc: connect.CodeInvalidArgument},
	pay.InvalidLimit:          {rpc: connect.CodeInvalidArgument},
	pay.InvalidOffset:         {rpc: connect.CodeInvalidArgument},
	pay.InvalidCursor:         {rpc: connect.CodeInvalidArgument},
	pay.InvalidConsumer:       {rpc: connect.CodeInvalidArgument},
	pay.InvalidStatus:         {rpc: connect.CodeInvalidArgument},
	pay.InvalidExpiresIn:      {rpc: connect.CodeInvalidArgument},
	pay.InvalidAmount:         {rpc: connect.CodeInvalidArgument},
	pay.InvalidID:             {rpc: connect.CodeInvalidArgument},
	pay.InvalidIdempotencyKey: {rpc: connect.CodeInvalidArgument},
	pay.SessionNotFound:       {rpc: connect.CodeNotFound},
	pay.PaymentNotFound:       {rpc: connect.CodeNotFound},
	pay.RefundNotFound:        {rpc: connect.CodeNotFound},
	pay.EventNotFound:         {rpc: connect.CodeNotFound},
	pay.SessionHasExpired:     {rpc: connect.CodeFailedPrecondition},
	pay.SessionNotPending:     {rpc: connect.CodeFailedPrecondition},
	pay.PaymentInProgress:     {rpc: connect.CodeFailedPrecondition},
	pay.PaymentNotAuthorized:  {rpc: connect.CodeFailedPrecondition},
	pay.AlreadyRefunded:       {rpc: connect.CodeFailedPrecondition},
	pay.RefundNotAllowed:      {rpc: connect.CodeFailedPrecondition},
	pay.IdempotencyConflict:   {rpc: connect.CodeAlreadyExists},
	pay.Internal:              {rpc: connect.CodeInternal},
	pay.Unavailable:           {rpc: connect.CodeUnavailable},
	pay.InvalidSetting:        {rpc: connect.CodeInvalidArgument},
	pay.InvalidCard:           {rpc: connect.CodeInvalidArgument},
	pay.NotFound:              {rpc: connect.CodeNotFound},
	pay.AlreadyExists:         {rpc: connect.CodeAlreadyExists},
	pay.ClockIsFixed:          {rpc: connect.CodeFailedPrecondition},
}

// retryAfter is what a caller is told to wait, in seconds, by the codes for which waiting helps.
var retryAfter = map[pay.Code]string{pay.RateLimited: "1", pay.Unavailable: "1"}

// Detail makes what an error carries beside its RPC code and message.
type Detail func(code pay.Code, message string) proto.Message

// errorDetail is what the errors of our contracts carry: the documented code.
func errorDetail(code pay.Code, message string) proto.Message {
	return &payv1.Error{Code: string(code), Message: message}
}

// refusal makes what goes over the wire of a refusal: the RPC code and message, and
// the documented code as a detail.
func (d Detail) refusal(e *pay.Error) *connect.Error {
	s, ok := statuses[e.Code]
	if !ok {
		panic("rpc: no status for code " + string(e.Code))
	}
	if s.name == "" {
		s.name = string(e.Code)
	}
	out := d.error(s.rpc, pay.Code(s.name), legible(e.Message))
	if wait, ok := retryAfter[e.Code]; ok {
		out.Meta().Set("Retry-After", wait)
	}
	return out
}

func refusal(e *pay.Error) *connect.Error { return Detail(errorDetail).refusal(e) }

func (d Detail) error(status connect.Code, code pay.Code, message string) *connect.Error {
	out := connect.NewError(status, errors.New(message))
	if d == nil {
		return out
	}
	if detail, err := connect.NewErrorDetail(d(code, message)); err == nil {
		out.AddDetail(detail)
	}
	return out
}

// mostMessage is how many bytes of a message are told. gRPC sends it twice as a
// header, escaped, and there are clients that take no more than 8 KiB of those.
const mostMessage = 1 << 10

// legible is a message that every protocol can carry, whatever a caller's words in it are.
func legible(message string) string {
	if len(message) > mostMessage {
		message = message[:mostMessage] + "…"
	}
	return strings.ToValidUTF8(message, "\uFFFD")
}

// Told is an error that is told as it stands: in the words of the wire, which are not
// for the table of errors to find. All other errors of Connect are taken for bugs.
type Told struct{ Err *connect.Error }

func (t Told) Error() string { return t.Err.Error() }

// Unwrap is for errors.As.
func (t Told) Unwrap() error { return t.Err }

// tell says what a caller is told of an error, and logs what it is not told.
func (w Wire) tell(ctx context.Context, procedure string, err error) *connect.Error {
	var known *pay.Error
	var told Told
	switch {
	case errors.As(err, &known):
		return w.Detail.refusal(known)
	case errors.As(err, &told):
		return told.Err
	case errors.Is(err, context.Canceled) && errors.As(context.Cause(ctx), &known):
		return w.Detail.refusal(known)
	case errors.Is(err, context.Canceled):
		return w.Detail.error(connect.CodeCanceled, pay.Unavailable, "the caller went away before its turn; nothing was done")
	case errors.Is(err, context.DeadlineExceeded):
		return w.Detail.error(connect.CodeDeadlineExceeded, pay.Unavailable, "the deadline passed, the caller's or the server's; ask again with the same Idempotency-Key")
	case errors.Is(err, store.ErrUnavailable):
		w.Log.ErrorContext(ctx, "store unavailable", "procedure", procedure, "error", err)
		return w.Detail.refusal(pay.Refuse(pay.Unavailable, "the service is unavailable for the moment and the outcome is not known; ask again with the same Idempotency-Key"))
	}
	ref := newReference()
	w.Log.ErrorContext(ctx, "internal error", "ref", ref, "procedure", procedure, "error", err)
	return w.Detail.refusal(pay.Refuse(pay.Internal, "internal error (ref %s)", ref))
}

// newReference names one internal error, so that a caller's report finds its log line.
func newReference() string {
	var b [6]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
