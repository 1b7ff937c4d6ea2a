package sqlstore

import (
	"errors"
	"fmt"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// listsOf names the lists of a game that have totals, or those that go over all games.
func listsOf(game pay.GameID) []string {
	lists := []string{listRefunds}
	for _, s := range pay.RefundStatuses {
		lists = append(lists, refundsOf(s))
	}
	if game == allGames {
		return lists
	}
	lists = append(lists, listSessions, listPayments)
	for _, s := range pay.SessionStatuses {
		lists = append(lists, string(s))
	}
	return lists
}

// Counts is store.Reader's.
func (r Reader) Counts(env pay.Environment, game pay.GameID) ([]store.Count, error) {
	var counts []store.Count
	for _, name := range listsOf(game) {
		c, err := r.recount(listKey{string(env), string(game), name})
		if err != nil {
			return nil, fmt.Errorf("count %s: %w", name, err)
		}
		counts = append(counts, c)
	}
	return counts, nil
}

// recount counts a list stretch by stretch, from its newest to its oldest.
func (r Reader) recount(key listKey) (store.Count, error) {
	c, l := store.Count{List: key.list}, listOf(key)
	kept, err := one(r.q, readInteger, selectTotal, key.environment, key.game, key.list)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return c, err
	}
	changes, err := r.unfolded(key)
	if err != nil {
		return c, err
	}
	marks, err := all(r.q, readMark, selectMarks, key.environment, key.game, key.list, pastEveryID)
	if err != nil {
		return c, err
	}
	if n := len(marks); n == 0 || marks[n-1].start != "" {
		marks = append(marks, mark{}) // what is before the first mark belongs to none
	}
	upto := pastEveryID
	for _, m := range marks {
		rows, err := r.countRows(l, key, m.start, upto)
		if err != nil {
			return c, err
		}
		if rows != m.rows+within(changes, m.start, upto) {
			c.Off++
		}
		c.Counted += rows
		upto = m.start
	}
	c.Kept = kept + within(changes, "", pastEveryID)
	return c, nil
}
