package pay

import "time"

// EventType names what happened: entity, full stop, past tense.
type EventType string

// The types of event.
const (
	SessionCreatedEvent    EventType = "session.created"
	SessionPaidEvent       EventType = "session.paid"
	SessionFailedEvent     EventType = "session.failed"
	SessionExpiredEvent    EventType = "session.expired"
	SessionCancelledEvent  EventType = "session.cancelled"
	PaymentCreatedEvent    EventType = "payment.created"
	PaymentAuthorizedEvent EventType = "payment.authorized"
	PaymentSucceededEvent  EventType = "payment.succeeded"
	PaymentFailedEvent     EventType = "payment.failed"
	PaymentCancelledEvent  EventType = "payment.cancelled"
	RefundCreatedEvent     EventType = "refund.created"
	RefundSucceededEvent   EventType = "refund.succeeded"
	RefundFailedEvent      EventType = "refund.failed"
	RefundCancelledEvent   EventType = "refund.cancelled"
)

// EventTypes lists every type that an endpoint can subscribe to.
var EventTypes = []EventType{
	SessionCreatedEvent, SessionPaidEvent, SessionFailedEvent, SessionExpiredEvent, SessionCancelledEvent,
	PaymentCreatedEvent, PaymentAuthorizedEvent, PaymentSucceededEvent, PaymentFailedEvent, PaymentCancelledEvent,
	RefundCreatedEvent, RefundSucceededEvent, RefundFailedEvent, RefundCancelledEvent,
}

// Event is one thing that happened to a session, its payment or a refund. It is
// written with the change that it tells of and never altered.
type Event struct {
	ID       EventID
	Type     EventType
	At       time.Time
	Sequence int64 // counts the events of its session from 1
	Position int64 // its place in the feed, once it is stored

	Environment Environment
	Game        GameID
	Session     SessionID
	Payment     PaymentID // empty: the event is the session's own
	Refund      RefundID  // empty: the event is of no refund

	// Payload is the body that is sent to every endpoint, the same bytes each time.
	// A decision leaves it empty; the gateway has it written before it stores the change.
	Payload []byte
}

// Change is all that one decision did. A store writes the whole of it or none.
type Change struct {
	Session *Session // after the change; never nil in a change that is not Empty
	Payment *Payment // after the change; nil: untouched
	Refund  *Refund  // after the change; nil: untouched. Its payment is there too
	Image   *Image   // to be kept with a new session; nil: none
	Events  []Event  // in order; the entities above are as the last of them left them
}

// Empty says whether the decision changed nothing.
func (c Change) Empty() bool { return len(c.Events) == 0 }

// tell adds an event about the session, or about the payment where one is given.
func (c *Change) tell(t EventType, p *Payment, at time.Time) {
	s := c.Session
	s.Sequence++
	e := Event{
		ID: newEventID(s.ID, s.Sequence, at), Type: t, At: at, Sequence: s.Sequence,
		Environment: s.Environment, Game: s.Game, Session: s.ID,
	}
	if p != nil {
		e.Payment = p.ID
	}
	c.Events = append(c.Events, e)
}

// tellRefund adds an event about the change's refund.
func (c *Change) tellRefund(t EventType, at time.Time) {
	c.tell(t, c.Payment, at)
	c.Events[len(c.Events)-1].Refund = c.Refund.ID
}
