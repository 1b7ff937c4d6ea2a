package sqlstore

import (
	"fmt"

	"github.com/coinslot/coinslot/internal/pay"
)

const eventColumns = `id, type, at, session, sequence, environment, game, payment, refund, payload`

// placedEvent is eventColumns with the place that the database gave.
const placedEvent = `position, ` + eventColumns

var (
	// The position is the database's to give: it counts in the order of commits.
	insertEvent = statement(`INSERT INTO events (` + eventColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`)

	selectSessionEvents = statement(`SELECT ` + placedEvent + ` FROM events WHERE session = $1 ORDER BY sequence`)

	selectEvent = statement(`SELECT ` + placedEvent + ` FROM events WHERE id = $1`)

	selectPosition = statement(`SELECT position FROM events WHERE session = $1 AND sequence = $2`)
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

// putEvent writes an event and its deliveries.
func (t *Tx) putEvent(e *pay.Event) error {
	err := changed(t.q, "insert event", insertEvent,
		string(e.ID), string(e.Type), stamp(e.At), string(e.Session), e.Sequence,
		string(e.Environment), string(e.Game), string(e.Payment), string(e.Refund), blob(e.Payload))
	if err != nil {
		return err
	}
	endpoints, err := t.batch.subscribers.of(t.q, e.Environment, e.Game)
	if err != nil {
		return fmt.Errorf("subscribers: %w", err)
	}
	position := int64(0)
	for _, p := range endpoints {
		if !p.Wants(e.Type) {
			continue
		}
		if position == 0 {
			if position, err = one(t.q, readInteger, selectPosition, string(e.Session), e.Sequence); err != nil {
				return fmt.Errorf("position of event: %w", err)
			}
		}
		if err := insertDelivery(t.q, p.number, position, e.At); err != nil {
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
