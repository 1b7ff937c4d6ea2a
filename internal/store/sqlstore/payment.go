package sqlstore

import (
	"time"

	"github.com/coinslot/coinslot/internal/pay"
)

const paymentColumns = `id, session, environment, game, user_id, status, amount, currency, method, title,
	card_brand, card_last4, reference, failure_code, failure_message, refunded, reserved, intent, asking,
	action_url, late, late_at, created_at, authorized_at, cancelled_at, succeeded_at, failed_at, refunded_at, version`

var (
	selectPayment = statement(`SELECT ` + paymentColumns + ` FROM payments WHERE id = $1`)

	selectSessionPayments = statement(`SELECT ` + paymentColumns + ` FROM payments WHERE session = $1 ORDER BY id`)

	// DO NOTHING also where the session has a live payment, or a successful one, already.
	insertPayment = statement(`INSERT INTO payments (` + paymentColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)
		ON CONFLICT DO NOTHING`)

	// The unique indexes would refuse a second live or successful payment with an
	// error, so the statement sees for itself that it is the only one.
	updatePayment = statement(`UPDATE payments SET status = $3, reference = $4, failure_code = $5, failure_message = $6,
			authorized_at = $7, cancelled_at = $8, succeeded_at = $9, failed_at = $10, asking = $11, action_url = $12, version = version + 1
		WHERE id = $1 AND version = $2
			AND NOT ($3 IN ('succeeded', 'refunded') AND EXISTS (SELECT 1 FROM payments AS other
				WHERE other.session = payments.session AND other.id <> payments.id AND other.status IN ('succeeded', 'refunded')))
			AND NOT ($3 IN ('processing', 'authorized') AND EXISTS (SELECT 1 FROM payments AS other
				WHERE other.session = payments.session AND other.id <> payments.id AND other.status IN ('processing', 'authorized')))`)

	// The schema has added the refund to the payment's sums when this runs. Where they are
	// not those that the decision came to, it was made on something else.
	updateRefunded = statement(`UPDATE payments SET status = $3, refunded_at = $4, version = version + 1
		WHERE id = $1 AND version = $2 AND refunded = $5 AND reserved = $6 AND status IN ('succeeded', 'refunded')`)

	selectPaymentStatus = statement(`SELECT status FROM payments WHERE id = $1`)

	intendPayment = statement(`UPDATE payments SET intent = $2, asking = 0, failure_code = $3, failure_message = $4
		WHERE id = $1 AND status = 'authorized' AND ($2 = '' OR intent IN ('', $2))`)

	selectIntendedPayments = statement(`SELECT ` + paymentColumns + ` FROM payments
		WHERE status = 'authorized' AND intent <> '' AND id > $1 ORDER BY id LIMIT $2`)

	selectAskedPayments = statement(`SELECT ` + paymentColumns + ` FROM payments
		WHERE status = 'authorized' AND asking = 1 AND id > $1 ORDER BY id LIMIT $2`)

	directPayment = statement(`UPDATE payments SET action_url = $2 WHERE id = $1 AND status = 'processing'`)

	// What is owed is noted once, and ends once.
	oweLate = statement(`UPDATE payments SET late = 'owed', late_at = $2 WHERE id = $1 AND status IN ('failed', 'cancelled') AND late = ''`)
	endLate = statement(`UPDATE payments SET late = $2 WHERE id = $1 AND late = 'owed'`)

	selectOwedPayments = statement(`SELECT ` + paymentColumns + ` FROM payments WHERE late = 'owed' AND id > $1 ORDER BY id LIMIT $2`)

	selectLatePayments = statement(`SELECT ` + paymentColumns + ` FROM payments WHERE late <> '' AND id < $1 ORDER BY id DESC LIMIT $2`)

	selectLivePayments = statement(`SELECT ` + paymentColumns + ` FROM payments
		WHERE status = $1 AND status IN ('processing', 'authorized') AND id > $2 AND created_at < $3 ORDER BY id LIMIT $4`)
)

func readPayment(c *columns) (pay.Payment, error) {
	p := pay.Payment{
		ID:          pay.PaymentID(c.text()),
		Session:     pay.SessionID(c.text()),
		Environment: pay.Environment(c.text()),
		Game:        pay.GameID(c.text()),
		User:        pay.UserID(c.text()),
		Status:      pay.PaymentStatus(c.text()),
		Amount:      pay.Money{Amount: c.integer(), Currency: pay.Currency(c.text())},
		Method:      pay.Method(c.text()),
		Title:       c.text(),
		Card:        pay.CardHint{Brand: c.text(), Last4: c.text()},
		Reference:   c.text(),
	}
	p.Failure = c.failure()
	p.Refunded, p.Reserved = c.integer(), c.integer()
	p.Intent, p.Asking = pay.Intent(c.text()), c.flag()
	p.Action, p.Late, p.LateAt = c.text(), pay.Late(c.text()), c.time()
	p.CreatedAt, p.AuthorizedAt, p.CancelledAt = c.time(), c.time(), c.time()
	p.SucceededAt, p.FailedAt, p.RefundedAt = c.time(), c.time(), c.time()
	p.Version = c.integer()
	return p, nil
}

// putPayment writes a payment that is one version ahead of the stored one, and
// returns the status that it had; empty for a new one.
func (t *Tx) putPayment(p *pay.Payment) (was pay.PaymentStatus, err error) {
	if p.Version == 0 {
		err = t.insertPayment(p)
	} else if was, err = one(t.q, readPaymentStatus, selectPaymentStatus, string(p.ID)); err == nil {
		err = t.updatePayment(p)
	}
	return was, err
}

func readPaymentStatus(c *columns) (pay.PaymentStatus, error) {
	return pay.PaymentStatus(c.text()), nil
}

func (t *Tx) insertPayment(p *pay.Payment) error {
	code, message := failureColumns(p.Failure)
	return changed(t.q, "insert payment", insertPayment,
		string(p.ID), string(p.Session), string(p.Environment), string(p.Game), string(p.User), string(p.Status),
		p.Amount.Amount, string(p.Amount.Currency), string(p.Method), p.Title, p.Card.Brand, p.Card.Last4, p.Reference,
		code, message, p.Refunded, p.Reserved, string(p.Intent), bit(p.Asking),
		p.Action, string(p.Late), stamp(p.LateAt),
		stamp(p.CreatedAt), stamp(p.AuthorizedAt), stamp(p.CancelledAt), stamp(p.SucceededAt), stamp(p.FailedAt), stamp(p.RefundedAt),
		int64(1))
}

func (t *Tx) updatePayment(p *pay.Payment) error {
	code, message := failureColumns(p.Failure)
	return changed(t.q, "update payment", updatePayment,
		string(p.ID), p.Version, string(p.Status), p.Reference, code, message,
		stamp(p.AuthorizedAt), stamp(p.CancelledAt), stamp(p.SucceededAt), stamp(p.FailedAt), bit(p.Asking), p.Action)
}

// putRefunded writes what a refund, which is written already, did to its payment.
func (t *Tx) putRefunded(p *pay.Payment) error {
	return changed(t.q, "update refunded payment", updateRefunded,
		string(p.ID), p.Version, string(p.Status), stamp(p.RefundedAt), p.Refunded, p.Reserved)
}

// Intend is store.Tx's.
func (t *Tx) Intend(id pay.PaymentID, intent pay.Intent, why *pay.Failure) error {
	code, message := failureColumns(why)
	return changed(t.q, "note intent", intendPayment, string(id), string(intent), code, message)
}

// Direct is store.Tx's.
func (t *Tx) Direct(id pay.PaymentID, url string) error {
	return changed(t.q, "note action", directPayment, string(id), url)
}

// NoteLate is store.Tx's.
func (t *Tx) NoteLate(id pay.PaymentID, late pay.Late, at time.Time) error {
	if late == pay.LateOwed {
		return changed(t.q, "note late money", oweLate, string(id), stamp(at))
	}
	return changed(t.q, "note late money", endLate, string(id), string(late))
}

// sold says whether a payment of this status is in the list of payments.
func sold(s pay.PaymentStatus) bool { return s == pay.PaymentSucceeded || s == pay.PaymentRefunded }
