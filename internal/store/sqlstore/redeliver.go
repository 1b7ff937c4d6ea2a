package sqlstore

import (
	"errors"
	"fmt"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

const stateColumns = `d.id, p.id, e.id, e.type, e.session, e.at, d.status, d.attempts, d.due_at
	FROM deliveries AS d JOIN events AS e ON e.position = d.event JOIN endpoints AS p ON p.number = d.endpoint`

var (
	selectDeliveryState = statement(`SELECT ` + stateColumns + ` WHERE d.id = $1`)

	// An endpoint's deliveries lie together, so a page is a range of ids: those from $1
	// (inclusive) to $2 (exclusive).
	selectDeliveryStates = statement(`SELECT ` + stateColumns + `
		WHERE d.id >= $1 AND d.id < $2 ORDER BY d.id DESC LIMIT $3`)
	selectExhaustedStates = statement(`SELECT ` + stateColumns + `
		WHERE d.endpoint = $1 AND d.status = 'exhausted' AND d.id < $2 ORDER BY d.id DESC LIMIT $3`)

	selectEventPosition = statement(`SELECT position, environment, game, type, at FROM events WHERE id = $1`)

	selectAttempts = statement(`SELECT delivery, number, at, duration, status, error, answer FROM attempts
		WHERE delivery = $1 ORDER BY number`)

	// Due at once and never tried, for the order and the schedule. What is leased just now
	// is on its way, and keeps its lease: whoever holds it is to record what comes of it, and
	// only if that is a failure does it begin anew.
	redeliver = statement(`UPDATE deliveries SET status = 'pending', earlier = attempts, since = $2,
			again = CASE WHEN leased = 1 AND due_at > $2 THEN 1 ELSE 0 END,
			due_at = CASE WHEN leased = 1 AND due_at > $2 THEN due_at ELSE 0 END,
			leased = CASE WHEN leased = 1 AND due_at > $2 THEN 1 ELSE 0 END
		WHERE id = $1`)

	// The oldest first, so that a receiver that comes back is told in order.
	selectExhausted = statement(`SELECT d.id FROM deliveries AS d JOIN events AS e ON e.position = d.event
		WHERE d.endpoint = $1 AND d.status = 'exhausted' AND e.at >= $2 ORDER BY d.id LIMIT $3`)
)

func readDeliveryState(c *columns) (store.DeliveryState, error) {
	return store.DeliveryState{
		ID:       pay.DeliveryID(c.integer()),
		Endpoint: pay.EndpointID(c.text()),
		Event:    pay.EventID(c.text()),
		Type:     pay.EventType(c.text()),
		Session:  pay.SessionID(c.text()),
		At:       c.time(),
		Status:   pay.DeliveryStatus(c.text()),
		Attempts: int(c.integer()),
		DueAt:    c.time(),
	}, nil
}

// Delivery is store.Reader's.
func (r Reader) Delivery(id pay.DeliveryID) (store.DeliveryState, error) {
	return one(r.q, readDeliveryState, selectDeliveryState, int64(id))
}

// Attempts is store.Reader's.
func (r Reader) Attempts(id pay.DeliveryID) ([]pay.Attempt, error) {
	return all(r.q, readAttempt, selectAttempts, int64(id))
}

func readAttempt(c *columns) (pay.Attempt, error) {
	return pay.Attempt{
		Delivery: pay.DeliveryID(c.integer()),
		Number:   int(c.integer()),
		At:       c.time(),
		Duration: time.Duration(c.integer()) * time.Microsecond,
		Status:   int(c.integer()),
		Error:    c.text(),
		Answer:   c.bytes(),
	}, nil
}

// Deliveries is store.Reader's. The exhausted have an index; of the others one page looks
// at mostLooked, and may be short.
func (r Reader) Deliveries(dq store.DeliveryQuery) (store.Deliveries, error) {
	number, err := one(r.q, readInteger, selectNumber, string(dq.Endpoint))
	if err != nil {
		return store.Deliveries{}, fmt.Errorf("endpoint of deliveries: %w", err)
	}
	first, upto := deliveryID(number, 0), deliveryID(number+1, 0)
	if dq.Before > 0 {
		upto = min(upto, int64(dq.Before))
	}
	if dq.Event != "" {
		at, err := one(r.q, readPosition, selectEventPosition, string(dq.Event))
		if errors.Is(err, store.ErrNotFound) {
			return store.Deliveries{}, nil
		}
		if err != nil {
			return store.Deliveries{}, err
		}
		first = deliveryID(number, at.position)
		upto = min(upto, first+1)
	}
	if dq.Status == pay.DeliveryExhausted && dq.Event == "" {
		return r.deliveriesFrom(selectExhaustedStates, dq, number, upto)
	}
	return r.deliveriesFrom(selectDeliveryStates, dq, first, upto)
}

func (r Reader) deliveriesFrom(s *Statement, dq store.DeliveryQuery, from, upto int64) (store.Deliveries, error) {
	var found store.Deliveries
	looked, last := 0, pay.DeliveryID(0)
	err := r.q.Query(s, func(row Row) error {
		if len(found.Rows) == dq.Limit {
			return errEnough
		}
		d, err := readDeliveryState(&columns{row: row})
		looked, last = looked+1, d.ID
		if dq.Status == "" || d.Status == dq.Status {
			found.Rows = append(found.Rows, d)
		}
		return err
	}, from, upto, int64(mostLooked))
	if err != nil && !errors.Is(err, errEnough) {
		return store.Deliveries{}, fmt.Errorf("page of deliveries: %w", err)
	}
	if errors.Is(err, errEnough) || looked == mostLooked {
		found.Next = last
	}
	return found, nil
}

// placed is an event's place and who is to be told of it.
type placed struct {
	position    int64
	environment pay.Environment
	game        pay.GameID
	kind        pay.EventType
	at          time.Time
}

func readPosition(c *columns) (placed, error) {
	return placed{c.integer(), pay.Environment(c.text()), pay.GameID(c.text()), pay.EventType(c.text()), c.time()}, nil
}

// Redeliver is store.Queue's.
func Redeliver(q Querier, id pay.DeliveryID, now time.Time) error {
	if _, err := one(q, readInteger, selectDelivery, int64(id)); err != nil {
		return fmt.Errorf("redeliver: %w", err)
	}
	if err := do(q, redeliver, int64(id), stamp(now)); err != nil {
		return fmt.Errorf("redeliver: %w", err)
	}
	return nil
}

// RedeliverEvent is store.Queue's.
func RedeliverEvent(q Querier, b *Batch, id pay.EventID, now time.Time) (int, error) {
	e, err := one(q, readPosition, selectEventPosition, string(id))
	if err != nil {
		return 0, fmt.Errorf("redeliver event: %w", err)
	}
	endpoints, err := b.subscribers.of(q, &b.reliance, e.environment, e.game)
	if err != nil {
		return 0, fmt.Errorf("subscribers: %w", err)
	}
	sent := 0
	for _, p := range endpoints {
		delivery := deliveryID(p.number, e.position)
		_, err := one(q, readInteger, selectDelivery, delivery)
		switch {
		case err == nil:
			err = Redeliver(q, pay.DeliveryID(delivery), now)
		case !errors.Is(err, store.ErrNotFound):
		case p.Wants(e.kind):
			err = insertDelivery(q, p.number, e.position, now)
		default:
			continue
		}
		if err != nil {
			return sent, fmt.Errorf("redeliver event: %w", err)
		}
		sent++
	}
	return sent, nil
}

// Recover is store.Queue's.
func Recover(q Querier, endpoint pay.EndpointID, since, now time.Time, most int) (int, error) {
	number, err := one(q, readInteger, selectNumber, string(endpoint))
	if err != nil {
		return 0, fmt.Errorf("recover: %w", err)
	}
	exhausted, err := all(q, readInteger, selectExhausted, number, stamp(since), int64(most))
	if err != nil {
		return 0, fmt.Errorf("recover: %w", err)
	}
	for _, id := range exhausted {
		if err := Redeliver(q, pay.DeliveryID(id), now); err != nil {
			return 0, err
		}
	}
	return len(exhausted), nil
}
