package sqlstore

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// A game's lists are never counted. Each has a row in totals, and is cut by marks
// into stretches of markRows to twice as many rows: a mark says at which id its
// stretch starts and how many rows it has, up to the next mark. To skip 900,000 rows
// is to add up a few hundred marks and step over at most one stretch.
//
// Rows come and go mostly at the new end, so closures note what they did to a list
// in memory, and the transaction writes the sums once, whatever their number. Where
// writers run side by side it writes the notes, and somebody else the sums: see fold.go.

// markRows is how many rows a stretch has at least, except for a list's last, and
// where rows have left it. A page's cost at depth is the number of marks and of rows
// to step over; a few thousand of each per million rows balance. It is a variable
// only so that a test can have many marks with few rows.
var markRows int64 = 2048

// The names of lists. Sessions of one status are listed under the status's name.
const (
	listSessions = "sessions"
	listPayments = "payments"
	listRefunds  = "refunds" // those of one status: refunds:pending
)

// allGames is the game of lists that go over all of an environment's.
const allGames = ""

// listKey names a list of one game in one environment.
type listKey struct{ environment, game, list string }

func (k listKey) compare(o listKey) int {
	return cmp.Or(cmp.Compare(k.game, o.game), cmp.Compare(k.environment, o.environment), cmp.Compare(k.list, o.list))
}

// tally is what a transaction did to the lists and has not written yet.
type tally struct{ changes []tallyChange }

// tallyChange says that a row came to a list (+1) or left it (-1).
type tallyChange struct {
	listKey
	id   string
	rows int64
}

// sessionMoved notes a session's way from one status to another; was is empty for a new one.
func (t *tally) sessionMoved(s *pay.Session, was pay.SessionStatus) {
	list := func(name string, rows int64) {
		key := listKey{string(s.Environment), string(s.Game), name}
		t.changes = append(t.changes, tallyChange{key, string(s.ID), rows})
	}
	if was == "" {
		list(listSessions, 1)
	} else {
		list(string(was), -1)
	}
	list(string(s.Status), 1)
}

// paymentSold notes a payment's success. It stays in the list when it is refunded.
func (t *tally) paymentSold(p *pay.Payment) {
	key := listKey{string(p.Environment), string(p.Game), listPayments}
	t.changes = append(t.changes, tallyChange{key, string(p.ID), 1})
}

// refundMoved notes a refund's way from one status to another; was is empty for a new one.
func (t *tally) refundMoved(r *pay.Refund, was pay.RefundStatus) {
	for _, game := range []string{string(r.Game), allGames} {
		list := func(name string, rows int64) {
			t.changes = append(t.changes, tallyChange{listKey{string(r.Environment), game, name}, string(r.ID), rows})
		}
		if was == "" {
			list(listRefunds, 1)
		} else {
			list(refundsOf(was), -1)
		}
		list(refundsOf(r.Status), 1)
	}
}

// refundsOf is the list of the refunds of one status.
func refundsOf(s pay.RefundStatus) string { return listRefunds + ":" + string(s) }

// of is what was noted of a list.
func (t *tally) of(key listKey) (changes []tallyChange) {
	for i := range t.changes {
		if t.changes[i].listKey == key {
			changes = append(changes, t.changes[i])
		}
	}
	return changes
}

var (
	addTotal = statement(`INSERT INTO totals (environment, game, list, total) VALUES ($1, $2, $3, $4)
		ON CONFLICT (environment, game, list) DO UPDATE SET total = totals.total + $4`)

	// Two statements for two signs: the row to be inserted is checked before the
	// conflict is seen, and a total of -1 would not pass.
	takeTotal = statement(`UPDATE totals SET total = total + $4 WHERE environment = $1 AND game = $2 AND list = $3`)

	selectTotal = statement(`SELECT total FROM totals WHERE environment = $1 AND game = $2 AND list = $3`)

	selectMark = statement(`SELECT start, rows FROM marks
		WHERE environment = $1 AND game = $2 AND list = $3 AND start <= $4 ORDER BY start DESC LIMIT 1`)

	selectMarks = statement(`SELECT start, rows FROM marks
		WHERE environment = $1 AND game = $2 AND list = $3 AND start < $4 ORDER BY start DESC`)

	putMark = statement(`INSERT INTO marks (environment, game, list, start, rows) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (environment, game, list, start) DO UPDATE SET rows = $5`)

	deleteMark = statement(`DELETE FROM marks WHERE environment = $1 AND game = $2 AND list = $3 AND start = $4`)
)

// flush writes all that was noted, list by list, newest first.
func (t *tally) flush(q Querier) error {
	slices.SortFunc(t.changes, func(a, b tallyChange) int {
		return cmp.Or(a.listKey.compare(b.listKey), cmp.Compare(b.id, a.id))
	})
	for rest := t.changes; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].listKey == rest[0].listKey {
			n++
		}
		if err := flushList(q, rest[:n]); err != nil {
			return fmt.Errorf("count %s: %w", rest[0].list, err)
		}
		rest = rest[n:]
	}
	t.changes = t.changes[:0]
	return nil
}

func flushList(q Querier, changes []tallyChange) error {
	key, sum := changes[0].listKey, int64(0)
	for _, c := range changes {
		sum += c.rows
	}
	s := addTotal
	if sum < 0 {
		s = takeTotal
	}
	if sum != 0 {
		if err := do(q, s, key.environment, key.game, key.list, sum); err != nil {
			return err
		}
	}
	for len(changes) > 0 {
		m, err := markOf(q, key, changes[0].id)
		if err != nil {
			return err
		}
		n := 0
		for n < len(changes) && changes[n].id >= m.start {
			m.rows += changes[n].rows
			n++
		}
		if err := writeMark(q, key, m); err != nil {
			return err
		}
		changes = changes[n:]
	}
	return nil
}

// mark is where a stretch of a list starts and how many rows it has.
type mark struct {
	start string
	rows  int64
}

func readMark(c *columns) (mark, error) { return mark{c.text(), c.integer()}, nil }

// markOf is the mark whose stretch an id falls into. A list's first mark starts at
// the empty text, before every id, whether it is stored yet or not.
func markOf(q Querier, key listKey, id string) (mark, error) {
	m, err := one(q, readMark, selectMark, key.environment, key.game, key.list, id)
	if errors.Is(err, store.ErrNotFound) {
		return mark{}, nil
	}
	return m, err
}

// writeMark stores a mark, and cuts its stretch where it has become too long. The
// id to cut at is found by stepping over markRows rows, once per as many new ones.
func writeMark(q Querier, key listKey, m mark) error {
	if m.rows == 0 && m.start != "" {
		return do(q, deleteMark, key.environment, key.game, key.list, m.start)
	}
	for m.rows > 2*markRows {
		l := listOf(key)
		start, err := one(q, readText, l.rank, append([]any{key.environment, key.game, m.start, markRows}, l.filters...)...)
		if err != nil {
			return fmt.Errorf("cut at: %w", err)
		}
		if err := do(q, putMark, key.environment, key.game, key.list, m.start, markRows); err != nil {
			return err
		}
		m = mark{start, m.rows - markRows}
	}
	return do(q, putMark, key.environment, key.game, key.list, m.start, m.rows)
}

func readText(c *columns) (string, error) { return c.text(), nil }
