package sqlstore

import (
	"errors"
	"fmt"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// subscribers are the endpoints, by who is told of what, as far as somebody asked. Nil
// is an empty one. Disabled ones are among them: what happens meanwhile waits for them.
type subscribers map[audience][]subscriber

type audience struct {
	environment pay.Environment
	game        pay.GameID
}

type subscriber struct {
	pay.Endpoint
	number int64
}

var selectSubscribers = statement(`SELECT number, types FROM endpoints
	WHERE environment = $1 AND game = $2 ORDER BY number`)

func readSubscriber(c *columns) (subscriber, error) {
	s := subscriber{number: c.integer()}
	s.Types = list[pay.EventType](c)
	return s, c.err
}

// of lists the endpoints of a game in an environment.
func (s *subscribers) of(q Querier, known *reliance, env pay.Environment, game pay.GameID) ([]subscriber, error) {
	who := audience{env, game}
	found, ok := (*s)[who]
	if ok {
		return found, nil
	}
	found, ok, err := known.look(q, who)
	if ok || err != nil {
		return found, err
	}
	found, err = all(q, readSubscriber, selectSubscribers, string(env), string(game))
	if err != nil {
		return nil, err
	}
	if *s == nil {
		*s = subscribers{}
	}
	(*s)[who] = found
	return found, nil
}

// positions is how many events an installation can have: the lower part of a delivery's id.
const positions = 1 << 40

// deliveryID is the id of the delivery of the event at a position to an endpoint.
func deliveryID(endpoint, position int64) int64 { return endpoint*positions + position }

// A delivery is due when it was never tried (due_at is 0), and else from due_at on.
// While it is leased, due_at is the lease's end, so one that was never recorded comes
// due again by itself.
//
// mustWait says of a delivery d of an event e that another one of its session goes
// first: one that is leased, or is due and older.
var mustWait = beside(`d2.leased = 1 AND d2.due_at > $1 OR e2.position < e.position AND d2.due_at <= $1`)

// beside says of a delivery d of an event e that another one d2 of its session, of an
// event e2, is pending, and something more. Each is looked up by its id, in a subquery that
// has a value: where it could be joined, a planner that knows nothing of the tables yet
// would rather gather all that are pending, for each one that is looked at.
func beside(is string) string {
	return `EXISTS (SELECT 1 FROM events AS e2 WHERE e2.session = e.session AND e2.position <> e.position
		AND (SELECT CASE WHEN d2.status = 'pending' AND (` + is + `) THEN 1 ELSE 0 END
			FROM deliveries AS d2 WHERE d2.id = d.endpoint * 1099511627776 + e2.position) = 1)`
}

var (
	putDelivery = statement(`INSERT INTO deliveries (id, endpoint, event, status, leased, attempts, since, due_at)
		VALUES ($1, $2, $3, 'pending', 0, 0, $4, 0) ON CONFLICT DO NOTHING`)

	// The same for an event of which only the session and the number in it are known.
	putEventDelivery = statement(`INSERT INTO deliveries (id, endpoint, event, status, leased, attempts, since, due_at)
		SELECT $1 * 1099511627776 + position, $1, position, 'pending', 0, 0, at, 0
		FROM events WHERE session = $2 AND sequence = $3`)

	// Those never tried come in the order of their events by themselves. Those to be
	// tried again lie in the order in which they come due, so of a backlog that came
	// due meanwhile only the first mostRetries are put into the order of their events.
	selectDue = statement(`SELECT d.id, d.attempts, d.earlier, CASE WHEN d.due_at = 0 THEN $1 ELSE d.since END, e.id, e.session, e.sequence, e.payload
		FROM (SELECT id, endpoint, event, attempts, earlier, since, due_at FROM (SELECT d.id, d.endpoint, d.event, d.attempts, d.earlier, d.since, d.due_at
				FROM deliveries AS d JOIN events AS e ON e.position = d.event
				WHERE d.endpoint = $2 AND d.status = 'pending' AND d.due_at = 0 AND NOT ` + mustWait + `
				ORDER BY d.id LIMIT $3) AS fresh
			UNION ALL
			SELECT id, endpoint, event, attempts, earlier, since, due_at FROM (SELECT d.id, d.endpoint, d.event, d.attempts, d.earlier, d.since, d.due_at
				FROM deliveries AS d JOIN events AS e ON e.position = d.event
				WHERE d.endpoint = $2 AND d.status = 'pending' AND d.due_at > 0 AND d.due_at <= $1 AND NOT ` + mustWait + `
				ORDER BY d.due_at LIMIT $4) AS retried) AS d
		JOIN events AS e ON e.position = d.event ORDER BY d.id LIMIT $3`)

	selectEnabled = statement(`SELECT number FROM endpoints WHERE id = $1 AND enabled = 1`)

	// The schedule counts from the first claim, not from the event: what has waited for
	// its endpoint to be enabled is not too old to be tried again.
	leaseDelivery = statement(`UPDATE deliveries SET leased = 1, due_at = $2,
			since = CASE WHEN due_at = 0 THEN $3 ELSE since END
		WHERE id = $1 AND status = 'pending' AND due_at <= $3`)

	// The fence: only the attempt that follows the last recorded one counts. A worker
	// whose lease ran out, and whose attempt another one has recorded, changes nothing.
	// What failed while it was wanted again begins anew.
	recordAttempt = statement(`UPDATE deliveries SET attempts = $2, leased = 0, again = 0,
			status = CASE WHEN again = 1 AND $3 <> 'delivered' THEN 'pending' ELSE $3 END,
			due_at = CASE WHEN again = 1 AND $3 <> 'delivered' THEN 0 ELSE CAST($4 AS BIGINT) END,
			earlier = CASE WHEN again = 1 THEN $2 ELSE earlier END
		WHERE id = $1 AND attempts + 1 = $2 AND status = 'pending'`)

	noteFailing   = statement(`UPDATE endpoints SET failing_since = $2 WHERE number = $1 AND failing_since = 0`)
	noteRecovered = statement(`UPDATE endpoints SET failing_since = 0 WHERE number = $1 AND failing_since <> 0`)

	insertAttempt = statement(`INSERT INTO attempts (delivery, number, at, duration, status, error, answer)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`)

	selectDelivery = statement(`SELECT id FROM deliveries WHERE id = $1`)

	deleteAttempts   = statement(`DELETE FROM attempts WHERE delivery >= $1 AND delivery < $2`)
	deleteDeliveries = statement(`DELETE FROM deliveries WHERE id >= $1 AND id < $2`)

	// One look per enabled endpoint at the first of either kind. Clocks may be set
	// back: what was never tried is due whatever they say.
	selectDueEndpoints = statement(`SELECT id FROM (
			SELECT p.id AS id, (SELECT CASE WHEN d.since < $1 THEN d.since ELSE $1 END
				FROM deliveries AS d JOIN events AS e ON e.position = d.event
				WHERE d.endpoint = p.number AND d.status = 'pending' AND d.due_at = 0 AND NOT ` + mustWait + `
				ORDER BY d.id LIMIT 1) AS first
			FROM endpoints AS p WHERE p.enabled = 1
			UNION ALL
			SELECT p.id AS id, (SELECT d.due_at FROM deliveries AS d JOIN events AS e ON e.position = d.event
				WHERE d.endpoint = p.number AND d.status = 'pending' AND d.due_at > 0 AND d.due_at <= $1 AND NOT ` + mustWait + `
				ORDER BY d.due_at LIMIT 1) AS first
			FROM endpoints AS p WHERE p.enabled = 1
		) AS waiting WHERE first IS NOT NULL GROUP BY id ORDER BY MIN(first), id LIMIT $2`)

	// One that waits for another delivery of its session is due when that one's lease
	// ends, so it counts for nothing itself.
	selectNextDue = statement(`SELECT first FROM (
			SELECT (SELECT d.since FROM deliveries AS d JOIN events AS e ON e.position = d.event
				WHERE d.endpoint = p.number AND d.status = 'pending' AND d.due_at = 0 AND NOT ` + underLease + `
				ORDER BY d.id LIMIT 1) AS first
			FROM endpoints AS p WHERE p.enabled = 1
			UNION ALL
			SELECT (SELECT d.due_at FROM deliveries AS d JOIN events AS e ON e.position = d.event
				WHERE d.endpoint = p.number AND d.status = 'pending' AND d.due_at > 0 AND NOT ` + underLease + `
				ORDER BY d.due_at LIMIT 1) AS first
			FROM endpoints AS p WHERE p.enabled = 1
		) AS waiting WHERE first IS NOT NULL ORDER BY first LIMIT 1`)
)

// underLease says of a delivery d of an event e that another one of its session is
// leased, whether or not the lease has ended.
var underLease = beside(`d2.leased = 1`)

// mostRetries is how many retries Claim puts into the order of their events.
const mostRetries = 1000

func insertDelivery(q Querier, endpoint, position int64, since time.Time) error {
	return changed(q, "insert delivery", putDelivery, deliveryID(endpoint, position), endpoint, position, stamp(since))
}

// DueEndpoints is store.Queue's.
func DueEndpoints(q Querier, now time.Time, most int) ([]pay.EndpointID, error) {
	found, err := all(q, readEndpointID, selectDueEndpoints, stamp(now), int64(most))
	if err != nil {
		return nil, fmt.Errorf("due endpoints: %w", err)
	}
	return found, nil
}

func readEndpointID(c *columns) (pay.EndpointID, error) { return pay.EndpointID(c.text()), nil }

// Claim is store.Queue's.
func Claim(q Querier, endpoint pay.EndpointID, now, leaseUntil time.Time, most int) ([]pay.Delivery, error) {
	enabled := selectEnabled
	if _, ok := q.(Concurrent); ok {
		enabled = lockEnabled // so that those who claim see each other's leases
	}
	number, err := one(q, readInteger, enabled, string(endpoint))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("claim deliveries: %w", err)
	}
	found, err := all(q, readDelivery, selectDue, stamp(now), number, int64(most), int64(max(most, mostRetries)))
	if err != nil {
		return nil, fmt.Errorf("claim deliveries: %w", err)
	}
	for i := range found {
		found[i].Endpoint = endpoint
		if err := touched(q, "lease delivery", leaseDelivery, int64(found[i].ID), stamp(leaseUntil), stamp(now)); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func readDelivery(c *columns) (pay.Delivery, error) {
	return pay.Delivery{
		ID:       pay.DeliveryID(c.integer()),
		Attempts: int(c.integer()),
		Earlier:  int(c.integer()),
		Since:    c.time(),
		Event:    pay.EventID(c.text()),
		Session:  pay.SessionID(c.text()),
		Sequence: c.integer(),
		Payload:  c.bytes(),
	}, nil
}

// Record is store.Queue's. The row of an attempt that came too late to count is kept
// as well, unless there is one of its number. ErrNotFound where the delivery is gone
// with its endpoint.
func Record(q Querier, b *Batch, made store.Outcome) error {
	if err := record(q, b, made.Attempt, made.Next); err != nil {
		return fmt.Errorf("record attempt: %w", err)
	}
	return nil
}

func record(q Querier, b *Batch, a pay.Attempt, next time.Time) error {
	status := "pending"
	switch {
	case a.Delivered():
		status, next = "delivered", time.Time{}
	case next.IsZero():
		status = "exhausted"
	}
	counted, err := q.Exec(recordAttempt, int64(a.Delivery), int64(a.Number), status, stamp(next))
	if err == nil && counted == 0 {
		_, err = one(q, readInteger, selectDelivery, int64(a.Delivery))
	}
	if err != nil {
		return err
	}
	_, err = q.Exec(insertAttempt, int64(a.Delivery), int64(a.Number), stamp(a.At), a.Duration.Microseconds(),
		int64(a.Status), a.Error, blob(a.Answer))
	if err != nil || counted == 0 {
		return err
	}
	return noteHealth(q, b, int64(a.Delivery)/positions, a)
}

// noteHealth keeps since when an endpoint has done nothing but fail. It writes only when
// that changes, which is seldom, and looks once for many successes in one transaction.
func noteHealth(q Querier, b *Batch, endpoint int64, a pay.Attempt) error {
	if a.Delivered() {
		if _, known := b.healthy[endpoint]; known {
			return nil
		}
		b.healthy[endpoint] = struct{}{}
		return do(q, noteRecovered, endpoint)
	}
	delete(b.healthy, endpoint)
	return do(q, noteFailing, endpoint, stamp(a.At))
}

// NextDue is store.Queue's.
func NextDue(q Querier) (time.Time, error) {
	micros, err := one(q, readInteger, selectNextDue)
	if err != nil {
		return time.Time{}, fmt.Errorf("next due: %w", err)
	}
	return readTime(micros), nil
}
