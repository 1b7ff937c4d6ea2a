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
	addTallies = widened(`INSERT INTO tallies ($columns) SELECT $columns FROM $lists`, `environment, game, list, id, rows`)

	selectTallies = concurrent(`SELECT environment, game, list, id, rows FROM tallies WHERE environment = $1 AND game = $2 AND list = $3`)

	lockFold   = concurrent(`SELECT value FROM engine WHERE name = 'fold' FOR UPDATE SKIP LOCKED`)
	allTallies = concurrent(`SELECT environment, game, list, id, rows FROM tallies WHERE number > $1 ORDER BY number`)
	dropFolded = concurrent(`DELETE FROM tallies WHERE number > $1`)
)

// add writes down what was noted for whoever folds.
func (t *tally) add(q Querier) error {
	if len(t.changes) == 0 {
		return nil
	}
	var environments, games, lists, ids []string
	var rows []int64
	for _, c := range t.changes {
		environments, games, lists = append(environments, c.environment), append(games, c.game), append(lists, c.list)
		ids, rows = append(ids, c.id), append(rows, c.rows)
	}
	return do(q, addTallies, environments, games, lists, ids, rows)
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
