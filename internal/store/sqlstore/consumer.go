package sqlstore

import (
	"fmt"

	"github.com/coinslot/coinslot/internal/store"
)

var (
	selectConsumer = statement(`SELECT position, cursor, at FROM consumers
		WHERE environment = $1 AND game = $2 AND name = $3`)

	// What comes in late moves nothing back.
	putConsumer = statement(`INSERT INTO consumers (environment, game, name, position, cursor, at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (environment, game, name) DO UPDATE SET position = $4, cursor = $5, at = $6 WHERE consumers.position <= $4`)
)

func readPlace(c *columns) (store.Place, error) {
	return store.Place{Position: c.integer(), Cursor: c.text(), At: c.time()}, nil
}

// Consumer is store.Reader's.
func (r Reader) Consumer(c store.Consumer) (store.Place, error) {
	return one(r.q, readPlace, selectConsumer, string(c.Environment), string(c.Game), c.Name)
}

// Acknowledge is store.Store's.
func Acknowledge(q Querier, c store.Consumer, p store.Place) (store.Place, error) {
	_, err := q.Exec(putConsumer, string(c.Environment), string(c.Game), c.Name, p.Position, p.Cursor, stamp(p.At))
	if err != nil {
		return store.Place{}, fmt.Errorf("acknowledge: %w", err)
	}
	return one(q, readPlace, selectConsumer, string(c.Environment), string(c.Game), c.Name)
}
