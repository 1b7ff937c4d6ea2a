package sqlstore

import (
	"fmt"

	"github.com/coinslot/coinslot/internal/pay"
)

const eventColumns = `id, type, at, session, sequence, environment, game, payment, refund, payload`

// placedEvent is eventColumns with the place that the database gave.
const placedEvent = `position, ` + eventColumns

var (
	// The position is the database's to give.
	insertEvent = statement(`INSERT INTO events (` + eventColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`)

	selectSessionEvents = statement(`SELECT ` + placedEvent + ` FROM events WHERE session = $1 ORDER BY sequence`)

	selectEvent = statement(`SELECT ` + placedEvent + ` FROM events WHERE id = $1`)
)

func readEvent(c *columns) (pay.Event, error) {
	return pay.Event{
		Position:    c.integer(),
		ID:          pay.EventID(c.text()),
		Type:        pay.EventType(c.text()),
		At:          c.time(),
		Session:     pay.SessionID(c.text()),
		Sequence:    c.integer(),
		Environment: pay.Environment(c.text()),
		Game:        pay.GameID(c.text()),
		Payment:     pay.PaymentID(c.text()),
		Refund:      pay.RefundID(c.text()),
		Payload:     c.bytes(),
	}, nil
}

// putEvent writes an event and its deliveries. Whatever can still fail comes before the
// event, which takes a position in the feed that it would leave empty.
func (t *Tx) putEvent(e *pay.Event) error {
	endpoints, err := t.batch.subscribers.of(t.q, &t.batch.reliance, e.Environment, e.Game)
	if err != nil {
		return fmt.Errorf("subscribers: %w", err)
	}
	err = changed(t.q, "insert event", insertEvent,
		string(e.ID), string(e.Type), stamp(e.At), string(e.Session), e.Sequence,
		string(e.Environment), string(e.Game), string(e.Payment), string(e.Refund), blob(e.Payload))
	if err != nil {
		return err
	}
	for _, p := range endpoints {
		if !p.Wants(e.Type) {
			continue
		}
		if err := changed(t.q, "insert delivery", putEventDelivery, p.number, string(e.Session), e.Sequence); err != nil {
			return err
		}
	}
	return nil
}

func readInteger(c *columns) (int64, error) { return c.integer(), nil }

// blob is never nil, which would be stored as NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
