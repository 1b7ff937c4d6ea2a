package pay

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Endpoint is a URL that is told of the events of one game in one environment.
type Endpoint struct {
	ID           EndpointID
	Environment  Environment
	Game         GameID
	URL          string
	Types        []EventType // empty: all
	Description  string
	Enabled      bool
	Disabled     string         // why, for the operator; empty where it is enabled
	FailingSince time.Time      // since when every attempt has failed; zero: the last one succeeded, or none was made
	Secrets      []SealedSecret // newest first; each signs until it expires
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// SealedSecret is a signing secret as it is stored: encrypted.
type SealedSecret struct {
	Sealed    []byte
	ExpiresAt time.Time // zero: never
}

// RotateSecret puts a new secret before the others. Those sign until the overlap has
// passed, and are left out once they do not.
func RotateSecret(old []SealedSecret, sealed []byte, now time.Time, overlap time.Duration) []SealedSecret {
	live := []SealedSecret{{Sealed: sealed}}
	for _, s := range old {
		if end := now.Add(overlap); s.ExpiresAt.IsZero() || end.Before(s.ExpiresAt) {
			s.ExpiresAt = end
		}
		if now.Before(s.ExpiresAt) {
			live = append(live, s)
		}
	}
	return live
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

// HopelessAfter is how long nothing but failure is put up with before an endpoint is disabled.
const HopelessAfter = 5 * 24 * time.Hour

// Hopeless says whether the endpoint has failed for so long that it is to be disabled.
func (e Endpoint) Hopeless(now time.Time) bool {
	return e.Enabled && !e.FailingSince.IsZero() && !now.Before(e.FailingSince.Add(HopelessAfter))
}

// DeliveryStatus is where a delivery stands.
type DeliveryStatus string

// The statuses of a delivery.
const (
	// Pending: it will be tried, now or later. The relay acts next, once the endpoint is enabled.
	DeliveryPending DeliveryStatus = "pending"
	// Delivered: the receiver took it. Nobody acts next; the operator may have it sent again.
	DeliveryDelivered DeliveryStatus = "delivered"
	// Exhausted: every attempt was made in vain. The operator may have it sent again.
	DeliveryExhausted DeliveryStatus = "exhausted"
)

// DeliveryStatuses lists every status of a delivery.
var DeliveryStatuses = []DeliveryStatus{DeliveryPending, DeliveryDelivered, DeliveryExhausted}

// DeliveryID numbers the deliveries of an installation.
type DeliveryID int64

const deliveryPrefix = "dlv_"

// String is the id as people see it.
func (id DeliveryID) String() string { return deliveryPrefix + strconv.FormatInt(int64(id), 10) }

// ParseDeliveryID reads what String wrote, which came in the named field.
func ParseDeliveryID(field, text string) (DeliveryID, error) {
	digits, ok := strings.CutPrefix(text, deliveryPrefix)
	id, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || id < 1 {
		return 0, RefuseField(InvalidSetting, field, "must look like %s…, got %s", deliveryPrefix, quote(text))
	}
	return DeliveryID(id), nil
}

// Delivery is one event on its way to one endpoint.
type Delivery struct {
	ID       DeliveryID
	Endpoint EndpointID
	Event    EventID
	Session  SessionID
	Sequence int64 // of the event in its session
	Payload  []byte
	Attempts int       // made so far
	Earlier  int       // those of them made before the operator had it sent again
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

// NextAttempt says when to try again after the given number of attempts in all, the last
// of them at now. Jitter, in [-1, 1], moves the pause by up to a tenth. It says false once the window has passed.
func (d Delivery) NextAttempt(made int, now time.Time, jitter float64) (time.Time, bool) {
	pause := retryAfter[min(max(made-d.Earlier, 1), len(retryAfter))-1]
	next := now.Add(pause + time.Duration(jitter*float64(pause)/10))
	return Clock(next), next.Before(d.Since.Add(DeliveryWindow))
}
