package coinslot

// The codes of Error: why a call was refused.
const (
	CodeUnauthorized          = "unauthorized"
	CodeForbidden             = "forbidden"
	CodeRateLimited           = "rate_limited"
	CodeInvalidRequest        = "invalid_request"
	CodeInvalidGameID         = "invalid_game_id"
	CodeInvalidUserID         = "invalid_user_id"
	CodeInvalidItem           = "invalid_item"
	CodeInvalidTitle          = "invalid_title"
	CodeInvalidPrice          = "invalid_price"
	CodeInvalidCurrency       = "invalid_currency"
	CodeInvalidImage          = "invalid_image"
	CodeInvalidReturnURL      = "invalid_return_url"
	CodeInvalidCancelURL      = "invalid_cancel_url"
	CodeInvalidMetadata       = "invalid_metadata"
	CodeInvalidLimit          = "invalid_limit"
	CodeInvalidOffset         = "invalid_offset"
	CodeInvalidCursor         = "invalid_cursor"
	CodeInvalidConsumer       = "invalid_consumer"
	CodeInvalidStatus         = "invalid_status"
	CodeInvalidExpiresIn      = "invalid_expires_in"
	CodeInvalidID             = "invalid_id"
	CodeInvalidAmount         = "invalid_amount"
	CodeInvalidIdempotencyKey = "invalid_idempotency_key"
	CodeSessionNotFound       = "session_not_found"
	CodePaymentNotFound       = "payment_not_found"
	CodeRefundNotFound        = "refund_not_found"
	CodeEventNotFound         = "event_not_found"
	CodeNotFound              = "not_found" // by something that is not Coinslot
	CodeSessionExpired        = "session_expired"
	CodeSessionNotPending     = "session_not_pending"
	CodePaymentInProgress     = "payment_in_progress"
	CodePaymentNotAuthorized  = "payment_not_authorized"
	CodeAlreadyRefunded       = "already_refunded"
	CodeRefundNotAllowed      = "refund_not_allowed"
	CodeIdempotencyConflict   = "idempotency_conflict"
	CodeInternal              = "internal"
	CodeUnavailable           = "unavailable" // or not reached, or not in time
	CodeUnknown               = "unknown"     // an answer that is not Coinslot's
	CodeCanceled              = "canceled"    // by the caller's context
)

// The codes of Payment.Error: why a payment failed.
const (
	FailureCardDeclined         = "card_declined"
	FailureInsufficientFunds    = "insufficient_funds"
	FailureExpiredCard          = "expired_card"
	FailureIncorrectCVC         = "incorrect_cvc"
	FailureAuthenticationFailed = "authentication_failed"
	FailureProcessingError      = "processing_error"
	FailureProviderUnavailable  = "provider_unavailable"
	FailureConfirmationRejected = "confirmation_rejected"
	FailureConfirmationTimeout  = "confirmation_timeout"
	FailureAbandoned            = "abandoned"
)
