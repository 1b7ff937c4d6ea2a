package sqlstore

import (
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// Reader is store.Reader on one transaction.
type Reader struct {
	q     Querier
	tally *tally // what the totals do not have yet; nil in a View
}

var _ store.Reader = Reader{}

// NewReader reads from the snapshot of q's transaction.
func NewReader(q Querier) Reader { return Reader{q: q} }

// Session is store.Reader's.
func (r Reader) Session(id pay.SessionID) (pay.Session, error) {
	return one(r.q, readSession, selectSession, string(id))
}

// Standing is store.Reader's.
func (r Reader) Standing(id pay.SessionID) (pay.Standing, error) {
	return one(r.q, readStanding, selectStanding, string(id))
}

// Payment is store.Reader's.
func (r Reader) Payment(id pay.PaymentID) (pay.Payment, error) {
	return one(r.q, readPayment, selectPayment, string(id))
}

// SessionPayments is store.Reader's.
func (r Reader) SessionPayments(id pay.SessionID) ([]pay.Payment, error) {
	return all(r.q, readPayment, selectSessionPayments, string(id))
}

// SessionEvents is store.Reader's.
func (r Reader) SessionEvents(id pay.SessionID) ([]pay.Event, error) {
	return all(r.q, readEvent, selectSessionEvents, string(id))
}

// Overdue is store.Reader's.
func (r Reader) Overdue(now time.Time, most int) ([]pay.SessionID, error) {
	return all(r.q, readSessionID, selectOverdue, stamp(now), int64(most))
}

// NextDeadline is store.Reader's.
func (r Reader) NextDeadline() (time.Time, error) {
	return one(r.q, func(c *columns) (time.Time, error) { return c.time(), nil }, selectNextDeadline)
}

// LivePayments is store.Reader's.
func (r Reader) LivePayments(status pay.PaymentStatus, createdBefore time.Time, after pay.PaymentID, most int) ([]pay.Payment, error) {
	return all(r.q, readPayment, selectLivePayments, string(status), string(after), stamp(createdBefore), int64(most))
}

// IntendedPayments is store.Reader's.
func (r Reader) IntendedPayments(after pay.PaymentID, most int) ([]pay.Payment, error) {
	return all(r.q, readPayment, selectIntendedPayments, string(after), int64(most))
}

// AskedPayments is store.Reader's.
func (r Reader) AskedPayments(after pay.PaymentID, most int) ([]pay.Payment, error) {
	return all(r.q, readPayment, selectAskedPayments, string(after), int64(most))
}

// OwedPayments is store.Reader's.
func (r Reader) OwedPayments(after pay.PaymentID, most int) ([]pay.Payment, error) {
	return all(r.q, readPayment, selectOwedPayments, string(after), int64(most))
}

// LatePayments is store.Reader's.
func (r Reader) LatePayments(before pay.PaymentID, most int) ([]pay.Payment, error) {
	if before == "" {
		before = "pay_\x7f" // after every id
	}
	return all(r.q, readPayment, selectLatePayments, string(before), int64(most))
}

// Answer is store.Reader's.
func (r Reader) Answer(s store.Scope, key string, now time.Time) (store.Answer, error) {
	args := []any{string(s.Environment), string(s.Game), s.Method, key, stamp(now)}
	if c, ok := r.q.(Concurrent); ok && c.Presume(selectAnswer, args...) {
		return store.Answer{}, store.ErrNotFound
	}
	return one(r.q, readAnswer, selectAnswer, args...)
}

// Image is store.Reader's.
func (r Reader) Image(name pay.ImageName) (pay.Image, error) {
	return one(r.q, readImage, selectImage, string(name))
}

// Generation is store.Reader's.
func (r Reader) Generation() (int64, error) {
	if _, ok := r.q.(Concurrent); ok {
		return one(r.q, readInteger, selectGeneration)
	}
	return 0, nil
}

// Game is store.Reader's.
func (r Reader) Game(id pay.GameID) (pay.Game, error) {
	return one(r.q, readGame, selectGame, string(id))
}

// Games is store.Reader's.
func (r Reader) Games() ([]pay.Game, error) { return all(r.q, readGame, selectGames) }

// Key is store.Reader's.
func (r Reader) Key(id pay.KeyID) (pay.Key, error) { return one(r.q, readKey, selectKey, string(id)) }

// Keys is store.Reader's.
func (r Reader) Keys() ([]pay.Key, error) { return all(r.q, readKey, selectKeys) }

// Endpoint is store.Reader's.
func (r Reader) Endpoint(id pay.EndpointID) (pay.Endpoint, error) {
	return one(r.q, readEndpoint, selectEndpoint, string(id))
}

// Endpoints is store.Reader's.
func (r Reader) Endpoints() ([]pay.Endpoint, error) { return all(r.q, readEndpoint, selectEndpoints) }
