package sqlstore

import (
	"errors"
	"fmt"

	"github.com/coinslot/coinslot/internal/store"
)

// Where writers run side by side, a total is a row that all who sell would wait for. So
// they add rows of their own to tallies: what they did to a list. Whoever reads a list
// adds them to what totals and marks say, and now and then somebody folds them in.

var (
	// What changes a list comes in pairs: it leaves one and comes to another.
	addTallies = concurrent(`INSERT INTO tallies (environment, game, list, id, rows) VALUES ($1, $2, $3, $4, $5), ($1, $2, $6, $4, $7)`)
	addTally   = concurrent(`INSERT INTO tallies (environment, game, list, id, rows) VALUES ($1, $2, $3, $4, $5)`)

	selectTallies = concurrent(`SELECT environment, game, list, id, rows FROM tallies WHERE environment = $1 AND game = $2 AND list = $3`)

	lockFold   = concurrent(`SELECT value FROM engine WHERE name = 'fold' FOR UPDATE SKIP LOCKED`)
	allTallies = concurrent(`SELECT environment, game, list, id, rows FROM tallies WHERE number > $1 ORDER BY number`)
	dropFolded = concurrent(`DELETE FROM tallies WHERE number > $1`)
)

// add writes down what was noted for whoever folds.
func (t *tally) add(q Querier) error {
	for rest := t.changes; len(rest) > 0; {
		a := rest[0]
		if len(rest) > 1 && rest[1].environment == a.environment && rest[1].game == a.game && rest[1].id == a.id {
			b := rest[1]
			if err := do(q, addTallies, a.environment, a.game, a.list, a.id, a.rows, b.list, b.rows); err != nil {
				return err
			}
			rest = rest[2:]
			continue
		}
		if err := do(q, addTally, a.environment, a.game, a.list, a.id, a.rows); err != nil {
			return err
		}
		rest = rest[1:]
	}
	return nil
}

func readTally(c *columns) (tallyChange, error) {
	return tallyChange{listKey{c.text(), c.text(), c.text()}, c.text(), c.integer()}, nil
}

// Fold brings the totals and marks up to date, unless somebody else is doing so. The
// transaction must see one snapshot: a stretch is cut by counting rows, which must be
// those that the tallies tell of. It says how many tallies it has folded.
func Fold(q Querier) (int, error) {
	if _, err := one(q, readInteger, lockFold); err != nil {
		if errors.Is(err, store.ErrNotFound) {
			return 0, nil
		}
		return 0, fmt.Errorf("fold tallies: %w", err)
	}
	found, err := all(q, readTally, allTallies, int64(0))
	if err != nil || len(found) == 0 {
		return 0, err
	}
	if err := (&tally{changes: found}).flush(q); err != nil {
		return 0, fmt.Errorf("fold tallies: %w", err)
	}
	if _, err := q.Exec(dropFolded, int64(0)); err != nil {
		return 0, fmt.Errorf("fold tallies: %w", err)
	}
	return len(found), nil
}

// unfolded lists what totals and marks do not tell of a list yet.
func (r Reader) unfolded(key listKey) ([]tallyChange, error) {
	var changes []tallyChange
	if r.tally != nil {
		changes = r.tally.of(key)
	}
	if _, ok := r.q.(Concurrent); !ok {
		return changes, nil
	}
	written, err := all(r.q, readTally, selectTallies, key.environment, key.game, key.list)
	if err != nil {
		return nil, fmt.Errorf("tallies of %s: %w", key.list, err)
	}
	return append(changes, written...), nil
}

// within sums up what changed among the ids from one on and before another.
func within(changes []tallyChange, from, upto string) (rows int64) {
	for i := range changes {
		if changes[i].id >= from && changes[i].id < upto {
			rows += changes[i].rows
		}
	}
	return rows
}
