package sqlstore

import (
	"strings"

	"github.com/coinslot/coinslot/internal/pay"
)

const refundColumns = `id, payment, session, environment, game, user_id, status, amount, currency, reason, reference,
	failure_code, failure_message, created_at, succeeded_at, failed_at, cancelled_at, version`

var (
	selectRefund = statement(`SELECT ` + refundColumns + ` FROM refunds WHERE id = $1`)

	// A payment's refunds are few, and so are a session's, which has one that can be refunded.
	selectSessionRefunds = statement(`SELECT ` + refundColumns + ` FROM refunds
		WHERE payment IN (SELECT id FROM payments WHERE session = $1) ORDER BY id`)

	selectPendingRefunds = statement(`SELECT ` + refundColumns + ` FROM refunds
		WHERE status = 'pending' AND id > $1 ORDER BY id LIMIT $2`)

	selectRefundStatus = statement(`SELECT status FROM refunds WHERE id = $1`)

	insertRefund = statement(`INSERT INTO refunds (` + refundColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
		ON CONFLICT DO NOTHING`)

	// What a refund is of never changes, so no statement can change it.
	updateRefund = statement(`UPDATE refunds SET status = $3, reference = $4, failure_code = $5, failure_message = $6,
			succeeded_at = $7, failed_at = $8, cancelled_at = $9, version = version + 1
		WHERE id = $1 AND version = $2`)
)

// The lists of refunds: of one game or of all, of one status or of any, and of one payment.
var (
	refundsOfGame       = refundList(`environment = $1 AND game = $2`)
	refundsOfGameStatus = refundList(`environment = $1 AND game = $2 AND status = FIRST`)
	refundsOfAll        = refundList(`environment = $1 AND $2 = ''`)
	refundsOfAllStatus  = refundList(`environment = $1 AND $2 = '' AND status = FIRST`)
	refundsOfPayment    = refundList(`environment = $1 AND ($2 = '' OR game = $2) AND payment = FIRST AND (SECOND = '' OR status = SECOND)`)
)

// refundList is the statements of the refunds for which a condition holds. FIRST and
// SECOND stand in it for the filters, whose numbers differ between the statements.
func refundList(condition string) listing {
	where := func(first, second string) string {
		return strings.NewReplacer("FIRST", first, "SECOND", second).Replace(condition)
	}
	return listing{
		page: statement(`SELECT ` + refundColumns + ` FROM refunds WHERE id IN (SELECT id FROM refunds
			WHERE ` + where("$6", "$7") + ` AND id < $3 ORDER BY id DESC LIMIT $4 OFFSET $5) ORDER BY id DESC`),
		count: statement(`SELECT COUNT(*) FROM refunds WHERE ` + where("$5", "$6") + ` AND id >= $3 AND id < $4`),
		rank:  statement(`SELECT id FROM refunds WHERE ` + where("$5", "$6") + ` AND id >= $3 ORDER BY id LIMIT 1 OFFSET $4`),
	}
}

// with is the listing with its filters.
func (l listing) with(filters ...any) listing {
	l.filters = filters
	return l
}

// refundsListed is the statements of a list of refunds that has a total and marks.
func refundsListed(game, status string) listing {
	switch {
	case game == allGames && status == "":
		return refundsOfAll
	case game == allGames:
		return refundsOfAllStatus.with(status)
	case status == "":
		return refundsOfGame
	}
	return refundsOfGameStatus.with(status)
}

func readRefund(c *columns) (pay.Refund, error) {
	r := pay.Refund{
		ID:          pay.RefundID(c.text()),
		Payment:     pay.PaymentID(c.text()),
		Session:     pay.SessionID(c.text()),
		Environment: pay.Environment(c.text()),
		Game:        pay.GameID(c.text()),
		User:        pay.UserID(c.text()),
		Status:      pay.RefundStatus(c.text()),
		Amount:      pay.Money{Amount: c.integer(), Currency: pay.Currency(c.text())},
		Reason:      c.text(),
		Reference:   c.text(),
		Failure:     c.failure(),
	}
	r.CreatedAt, r.SucceededAt, r.FailedAt, r.CancelledAt = c.time(), c.time(), c.time(), c.time()
	r.Version = c.integer()
	return r, nil
}

// putRefund writes a refund that is one version ahead of the stored one, and returns
// the status that it had; empty for a new one.
func (t *Tx) putRefund(r *pay.Refund) (was pay.RefundStatus, err error) {
	if r.Version == 0 {
		err = t.insertRefund(r)
	} else if was, err = one(t.q, readRefundStatus, selectRefundStatus, string(r.ID)); err == nil {
		err = t.updateRefund(r)
	}
	return was, err
}

func readRefundStatus(c *columns) (pay.RefundStatus, error) { return pay.RefundStatus(c.text()), nil }

func (t *Tx) insertRefund(r *pay.Refund) error {
	code, message := failureColumns(r.Failure)
	return changed(t.q, "insert refund", insertRefund,
		string(r.ID), string(r.Payment), string(r.Session), string(r.Environment), string(r.Game), string(r.User), string(r.Status),
		r.Amount.Amount, string(r.Amount.Currency), r.Reason, r.Reference, code, message,
		stamp(r.CreatedAt), stamp(r.SucceededAt), stamp(r.FailedAt), stamp(r.CancelledAt), int64(1))
}

func (t *Tx) updateRefund(r *pay.Refund) error {
	code, message := failureColumns(r.Failure)
	return changed(t.q, "update refund", updateRefund,
		string(r.ID), r.Version, string(r.Status), r.Reference, code, message,
		stamp(r.SucceededAt), stamp(r.FailedAt), stamp(r.CancelledAt))
}

// Refund is store.Reader's.
func (r Reader) Refund(id pay.RefundID) (pay.Refund, error) {
	return one(r.q, readRefund, selectRefund, string(id))
}

// SessionRefunds is store.Reader's.
func (r Reader) SessionRefunds(id pay.SessionID) ([]pay.Refund, error) {
	return all(r.q, readRefund, selectSessionRefunds, string(id))
}

// PendingRefunds is store.Reader's.
func (r Reader) PendingRefunds(after pay.RefundID, most int) ([]pay.Refund, error) {
	return all(r.q, readRefund, selectPendingRefunds, string(after), int64(most))
}
