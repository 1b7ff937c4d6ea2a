package pay

import (
	"errors"
	"fmt"
)

// Code names a documented reason for refusing a call. The set is closed: package
// rpc maps each to a status, and a test fails for a code that it does not know.
type Code string

// The codes that callers see.
const (
	Unauthorized          Code = "unauthorized"
	Forbidden             Code = "forbidden"
	RateLimited           Code = "rate_limited"
	InvalidRequest        Code = "invalid_request"
	RequestTooLarge       Code = "request_too_large" // told as invalid_request with HTTP 429
	InvalidGameID         Code = "invalid_game_id"
	InvalidUserID         Code = "invalid_user_id"
	InvalidItem           Code = "invalid_item"
	InvalidTitle          Code = "invalid_title"
	InvalidPrice          Code = "invalid_price"
	InvalidCurrency       Code = "invalid_currency"
	InvalidImage          Code = "invalid_image"
	InvalidReturnURL      Code = "invalid_return_url"
	InvalidCancelURL      Code = "invalid_cancel_url"
	InvalidMetadata       Code = "invalid_metadata"
	InvalidLimit          Code = "invalid_limit"
	InvalidOffset         Code = "invalid_offset"
	InvalidCursor         Code = "invalid_cursor"
	InvalidConsumer       Code = "invalid_consumer"
	InvalidStatus         Code = "invalid_status"
	InvalidExpiresIn      Code = "invalid_expires_in"
	InvalidAmount         Code = "invalid_amount"
	InvalidID             Code = "invalid_id"
	InvalidIdempotencyKey Code = "invalid_idempotency_key"
	SessionNotFound       Code = "session_not_found"
	PaymentNotFound       Code = "payment_not_found"
	RefundNotFound        Code = "refund_not_found"
	EventNotFound         Code = "event_not_found"
	SessionHasExpired     Code = "session_expired"
	SessionNotPending     Code = "session_not_pending"
	PaymentInProgress     Code = "payment_in_progress"
	PaymentNotAuthorized  Code = "payment_not_authorized"
	AlreadyRefunded       Code = "already_refunded"
	RefundNotAllowed      Code = "refund_not_allowed"
	IdempotencyConflict   Code = "idempotency_conflict"
	Internal              Code = "internal"
	Unavailable           Code = "unavailable"
)

// The codes that only the operator's API and the payment page give.
const (
	InvalidSetting Code = "invalid_setting" // a game, key or endpoint setting; Field names it
	InvalidCard    Code = "invalid_card"    // a card that could not reach an issuer; Field names the part
	NotFound       Code = "not_found"       // a game, key or endpoint
	AlreadyExists  Code = "already_exists"  // a game of that id
	ClockIsFixed   Code = "clock_is_fixed"  // the server goes by its machine's clock
)

// Error is a refusal that its caller may read: what was wrong, in which field, and
// what would be right. Any other error is internal and never shown.
type Error struct {
	Code    Code
	Field   string // the field as the caller wrote it, "item.price"; empty where no one field is to blame
	Message string // for the caller's developer
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Refuse makes an Error that no single field is to blame for.
func Refuse(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// RefuseField makes an Error whose message begins with the field's name.
func RefuseField(code Code, field, format string, args ...any) *Error {
	return &Error{Code: code, Field: field, Message: field + " " + fmt.Sprintf(format, args...)}
}

// CodeOf is the Code of the Error in err's tree, or Internal where there is none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}
