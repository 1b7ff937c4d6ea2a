package pay

import (
	"slices"
	"time"
)

// Endpoint is a URL that is told of the events of one game in one environment.
type Endpoint struct {
	ID          EndpointID
	Environment Environment
	Game        GameID
	URL         string
	Types       []EventType // empty: all
	Description string
	Enabled     bool
	Disabled    string         // why, for the operator; empty where it is enabled
	Secrets     []SealedSecret // newest first; each signs until it expires
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// SealedSecret is a signing secret as it is stored: encrypted.
type SealedSecret struct {
	Sealed    []byte
	ExpiresAt time.Time // zero: never
}

// Wants says whether the endpoint is to be told of events of type t.
func (e Endpoint) Wants(t EventType) bool {
	return len(e.Types) == 0 || slices.Contains(e.Types, t)
}

// Check refuses an endpoint that could not be delivered to.
func (e Endpoint) Check() error {
	if e.Environment != Sandbox && e.Environment != Production {
		return RefuseField(InvalidSetting, "environment", "must be sandbox or production, got %s", quote(string(e.Environment)))
	}
	if err := checkHTTPURL("url", e.URL, e.Environment == Production); err != nil {
		return err
	}
	for _, t := range e.Types {
		if !slices.Contains(EventTypes, t) {
			return RefuseField(InvalidSetting, "events", "must be types of event such as %s, got %s", PaymentSucceededEvent, quote(string(t)))
		}
	}
	return checkText(InvalidSetting, "description", e.Description, 0, 500)
}

// DeliveryID numbers the deliveries of an installation.
type DeliveryID int64

// Delivery is one event on its way to one endpoint.
type Delivery struct {
	ID       DeliveryID
	Endpoint EndpointID
	Event    EventID
	Session  SessionID
	Sequence int64 // of the event in its session
	Payload  []byte
	Attempts int       // made so far
	Since    time.Time // when it was first due: the schedule counts from here
}

// Attempt is one POST of a delivery and what came of it.
type Attempt struct {
	Delivery DeliveryID
	Number   int // from 1
	At       time.Time
	Duration time.Duration
	Status   int    // HTTP; 0: there was no answer
	Error    string // why there was none, for the operator
	Answer   []byte // its beginning, at most MostAnswerKept bytes
}

// MostAnswerKept bounds what is kept of a receiver's answer, in bytes.
const MostAnswerKept = 4 << 10

// Delivered says whether the receiver took the event.
func (a Attempt) Delivered() bool { return a.Status >= 200 && a.Status < 300 }

// retryAfter lists the pauses before the second and later attempts; the last one repeats.
var retryAfter = []time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour,
}

// DeliveryWindow is how long an event is retried, from when it was first due.
const DeliveryWindow = 72 * time.Hour

// NextAttempt says when to try again after the given number of attempts, the last
// of them at now. Jitter, in [-1, 1], moves the pause by up to a tenth. It says false once the window has passed.
func (d Delivery) NextAttempt(made int, now time.Time, jitter float64) (time.Time, bool) {
	pause := retryAfter[min(max(made, 1), len(retryAfter))-1]
	next := now.Add(pause + time.Duration(jitter*float64(pause)/10))
	return Clock(next), next.Before(d.Since.Add(DeliveryWindow))
}
