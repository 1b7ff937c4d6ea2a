package coinslot

import payv1 "github.com/coinslot/coinslot/gen/pay/v1"

// Sessions: one thing that one player may buy once.
type (
	Session                  = payv1.Session
	Item                     = payv1.Item
	Tax                      = payv1.Tax
	SessionMetadata          = payv1.SessionMetadata
	CreateSessionRequest     = payv1.CreateSessionRequest
	GetSessionRequest        = payv1.GetSessionRequest
	GetSessionStatusRequest  = payv1.GetSessionStatusRequest
	GetSessionStatusResponse = payv1.GetSessionStatusResponse
	ListSessionsRequest      = payv1.ListSessionsRequest
	ListSessionsResponse     = payv1.ListSessionsResponse
	CancelSessionRequest     = payv1.CancelSessionRequest
	WatchSessionRequest      = payv1.WatchSessionRequest
)

// Payments: the attempts to pay for a session. Failure is why a payment or a refund
// failed.
type (
	Payment                = payv1.Payment
	PaymentExtraData       = payv1.PaymentExtraData
	Failure                = payv1.Error
	GetPaymentRequest      = payv1.GetPaymentRequest
	ListPaymentsRequest    = payv1.ListPaymentsRequest
	ListPaymentsResponse   = payv1.ListPaymentsResponse
	CompletePaymentRequest = payv1.CompletePaymentRequest
	CancelPaymentRequest   = payv1.CancelPaymentRequest
)

// Refunds: money returned from a payment.
type (
	Refund              = payv1.Refund
	CreateRefundRequest = payv1.CreateRefundRequest
	GetRefundRequest    = payv1.GetRefundRequest
	ListRefundsRequest  = payv1.ListRefundsRequest
	ListRefundsResponse = payv1.ListRefundsResponse
)

// Events: what happened, as webhooks deliver it and as Events lists it.
type (
	Event                     = payv1.Event
	EventData                 = payv1.EventData
	GetEventRequest           = payv1.GetEventRequest
	ListEventsRequest         = payv1.ListEventsRequest
	ListEventsResponse        = payv1.ListEventsResponse
	WatchEventsRequest        = payv1.WatchEventsRequest
	WatchEventsResponse       = payv1.WatchEventsResponse
	AcknowledgeEventsRequest  = payv1.AcknowledgeEventsRequest
	AcknowledgeEventsResponse = payv1.AcknowledgeEventsResponse
)
