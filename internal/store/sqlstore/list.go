package sqlstore

import (
	"errors"
	"fmt"
	"strings"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// pastEveryID sorts after every id, which are letters, digits and underscores.
const pastEveryID = "~"

// listing is the statements of one kind of list. The placeholders are
//
//	page:  $1 environment, $2 game, $3 before this id, $4 limit, $5 offset, then filters
//	count: $1 environment, $2 game, $3 from this id, $4 before this id, then filters
//	rank:  $1 environment, $2 game, $3 from this id, $4 offset, then filters
//
// A page is found in an index first, so that what is skipped is never read, and its
// rows after that.
type listing struct {
	page, count, rank *Statement
	filters           []any
}

var (
	pageOfGame = statement(`SELECT ` + sessionColumns + ` FROM sessions WHERE id IN (SELECT id FROM sessions
			WHERE environment = $1 AND game = $2 AND id < $3 ORDER BY id DESC LIMIT $4 OFFSET $5)
		ORDER BY id DESC`)
	countOfGame = statement(`SELECT COUNT(*) FROM sessions WHERE environment = $1 AND game = $2 AND id >= $3 AND id < $4`)
	rankOfGame  = statement(`SELECT id FROM sessions WHERE environment = $1 AND game = $2 AND id >= $3
		ORDER BY id LIMIT 1 OFFSET $4`)

	pageOfStatus = statement(`SELECT ` + sessionColumns + ` FROM sessions WHERE id IN (SELECT id FROM sessions
			WHERE environment = $1 AND game = $2 AND status = $6 AND id < $3 ORDER BY id DESC LIMIT $4 OFFSET $5)
		ORDER BY id DESC`)
	countOfStatus = statement(`SELECT COUNT(*) FROM sessions
		WHERE environment = $1 AND game = $2 AND status = $5 AND id >= $3 AND id < $4`)
	rankOfStatus = statement(`SELECT id FROM sessions WHERE environment = $1 AND game = $2 AND status = $5 AND id >= $3
		ORDER BY id LIMIT 1 OFFSET $4`)

	// A user's sessions, and those of an order, are few: they are counted.
	pageOfUser = statement(`SELECT ` + sessionColumns + ` FROM sessions WHERE id IN (SELECT id FROM sessions
			WHERE environment = $1 AND game = $2 AND user_id = $6 AND id < $3 AND ($7 = '' OR status = $7)
			ORDER BY id DESC LIMIT $4 OFFSET $5)
		ORDER BY id DESC`)
	countOfUser = statement(`SELECT COUNT(*) FROM sessions
		WHERE environment = $1 AND game = $2 AND user_id = $5 AND id >= $3 AND id < $4 AND ($6 = '' OR status = $6)`)

	pageOfOrder = statement(`SELECT ` + sessionColumns + ` FROM sessions WHERE id IN (SELECT id FROM sessions
			WHERE environment = $1 AND game = $2 AND order_id = $6 AND order_id <> '' AND id < $3
				AND ($7 = '' OR user_id = $7) AND ($8 = '' OR status = $8)
			ORDER BY id DESC LIMIT $4 OFFSET $5)
		ORDER BY id DESC`)
	countOfOrder = statement(`SELECT COUNT(*) FROM sessions
		WHERE environment = $1 AND game = $2 AND order_id = $5 AND order_id <> '' AND id >= $3 AND id < $4
			AND ($6 = '' OR user_id = $6) AND ($7 = '' OR status = $7)`)

	pageOfSold = statement(`SELECT ` + paymentColumns + ` FROM payments WHERE id IN (SELECT id FROM payments
			WHERE environment = $1 AND game = $2 AND status IN ('succeeded', 'refunded') AND id < $3
			ORDER BY id DESC LIMIT $4 OFFSET $5)
		ORDER BY id DESC`)
	countOfSold = statement(`SELECT COUNT(*) FROM payments
		WHERE environment = $1 AND game = $2 AND status IN ('succeeded', 'refunded') AND id >= $3 AND id < $4`)
	rankOfSold = statement(`SELECT id FROM payments
		WHERE environment = $1 AND game = $2 AND status IN ('succeeded', 'refunded') AND id >= $3
		ORDER BY id LIMIT 1 OFFSET $4`)

	pageOfBuyer = statement(`SELECT ` + paymentColumns + ` FROM payments WHERE id IN (SELECT id FROM payments
			WHERE environment = $1 AND game = $2 AND user_id = $6 AND status IN ('succeeded', 'refunded') AND id < $3
			ORDER BY id DESC LIMIT $4 OFFSET $5)
		ORDER BY id DESC`)
	countOfBuyer = statement(`SELECT COUNT(*) FROM payments
		WHERE environment = $1 AND game = $2 AND user_id = $5 AND status IN ('succeeded', 'refunded') AND id >= $3 AND id < $4`)
)

// listOf is the statements of a list that has a total and marks.
func listOf(key listKey) listing {
	switch key.list {
	case listSessions:
		return listing{page: pageOfGame, count: countOfGame, rank: rankOfGame}
	case listPayments:
		return listing{page: pageOfSold, count: countOfSold, rank: rankOfSold}
	}
	if status, ok := strings.CutPrefix(key.list, listRefunds); ok {
		return refundsListed(key.game, strings.TrimPrefix(status, ":"))
	}
	return listing{page: pageOfStatus, count: countOfStatus, rank: rankOfStatus, filters: []any{key.list}}
}

// Sessions is store.Reader's.
func (r Reader) Sessions(sq store.SessionQuery) (store.Page[pay.Session], error) {
	key := listKey{string(sq.Environment), string(sq.Game), listSessions}
	user, status := string(sq.User), string(sq.Status)
	switch {
	case sq.OrderID != "":
		l := listing{page: pageOfOrder, count: countOfOrder, filters: []any{sq.OrderID, user, status}}
		return counted(r, l, key, sq.Window, readSession)
	case user != "":
		l := listing{page: pageOfUser, count: countOfUser, filters: []any{user, status}}
		return counted(r, l, key, sq.Window, readSession)
	case status != "":
		key.list = status
	}
	return tallied(r, key, sq.Window, readSession)
}

// Payments is store.Reader's.
func (r Reader) Payments(pq store.PaymentQuery) (store.Page[pay.Payment], error) {
	key := listKey{string(pq.Environment), string(pq.Game), listPayments}
	if pq.User == "" {
		return tallied(r, key, pq.Window, readPayment)
	}
	l := listing{page: pageOfBuyer, count: countOfBuyer, filters: []any{string(pq.User)}}
	return counted(r, l, key, pq.Window, readPayment)
}

// Refunds is store.Reader's.
func (r Reader) Refunds(rq store.RefundQuery) (store.Page[pay.Refund], error) {
	key := listKey{string(rq.Environment), string(rq.Game), listRefunds}
	if rq.Payment != "" {
		return counted(r, refundsOfPayment.with(string(rq.Payment), string(rq.Status)), key, rq.Window, readRefund)
	}
	if rq.Status != "" {
		key.list = refundsOf(rq.Status)
	}
	return tallied(r, key, rq.Window, readRefund)
}

// counted is a page of a list that is short enough to be counted.
func counted[T any](r Reader, l listing, key listKey, w store.Window, read func(*columns) (T, error)) (store.Page[T], error) {
	total, err := r.countRows(l, key, "", pastEveryID)
	if err != nil {
		return store.Page[T]{}, err
	}
	return page(r, l, key, w, before(w), int64(w.Offset), total, read)
}

// tallied is a page of a list that has a total and marks.
func tallied[T any](r Reader, key listKey, w store.Window, read func(*columns) (T, error)) (store.Page[T], error) {
	l := listOf(key)
	total, err := one(r.q, readInteger, selectTotal, key.environment, key.game, key.list)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.Page[T]{}, fmt.Errorf("total of %s: %w", key.list, err)
	}
	changes, err := r.unfolded(key)
	if err != nil {
		return store.Page[T]{}, err
	}
	total += within(changes, "", pastEveryID)
	upto, offset := before(w), int64(w.Offset)
	if offset >= markRows {
		if upto, offset, err = r.leap(l, key, upto, offset, changes); err != nil {
			return store.Page[T]{}, err
		}
	}
	return page(r, l, key, w, upto, offset, total, read)
}

func before(w store.Window) string {
	if w.After == "" {
		return pastEveryID
	}
	return w.After
}

func (r Reader) countRows(l listing, key listKey, from, upto string) (int64, error) {
	n, err := one(r.q, readInteger, l.count, append([]any{key.environment, key.game, from, upto}, l.filters...)...)
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", key.list, err)
	}
	return n, nil
}

func page[T any](r Reader, l listing, key listKey, w store.Window, upto string, offset, total int64, read func(*columns) (T, error)) (store.Page[T], error) {
	args := append([]any{key.environment, key.game, upto, int64(w.Limit) + 1, offset}, l.filters...)
	rows, err := all(r.q, read, l.page, args...)
	if err != nil {
		return store.Page[T]{}, fmt.Errorf("page of %s: %w", key.list, err)
	}
	more := len(rows) > w.Limit
	return store.Page[T]{Rows: rows[:min(len(rows), w.Limit)], Total: total, More: more}, nil
}

// errEnough ends a query early.
var errEnough = errors.New("enough")

// leap skips offset rows before the id upto as far as whole stretches go: it
// returns an id further back, and how many rows are left to skip before that. The
// changes are what the marks do not tell of yet.
func (r Reader) leap(l listing, key listKey, upto string, offset int64, changes []tallyChange) (string, int64, error) {
	marks, err := r.marksBefore(key, upto, offset, changes)
	if err != nil || len(marks) == 0 {
		return upto, offset, err
	}
	if upto != pastEveryID {
		// The list is entered in the middle of a stretch.
		if marks[0].rows, err = r.countRows(l, key, marks[0].start, upto); err != nil {
			return "", 0, err
		}
	}
	for _, m := range marks {
		if offset < m.rows {
			break
		}
		upto, offset = m.start, offset-m.rows
	}
	return upto, offset, nil
}

// marksBefore reads marks from the one before upto back to where offset rows, and
// what the first stretch has beyond upto, are surely skipped.
func (r Reader) marksBefore(key listKey, upto string, offset int64, changes []tallyChange) ([]mark, error) {
	var marks []mark
	skipped, end := int64(0), pastEveryID
	err := r.q.Query(selectMarks, func(row Row) error {
		m := mark{row.Text(0), row.Int(1)}
		m.rows += within(changes, m.start, end)
		end = m.start
		if len(marks) > 0 {
			skipped += m.rows
		}
		marks = append(marks, m)
		if skipped > offset {
			return errEnough
		}
		return nil
	}, key.environment, key.game, key.list, upto)
	if err != nil && !errors.Is(err, errEnough) {
		return nil, fmt.Errorf("marks of %s: %w", key.list, err)
	}
	return marks, nil
}
