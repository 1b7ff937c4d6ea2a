package sqlstore

import (
	"encoding/json"
	"fmt"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

const sessionColumns = `id, environment, game, user_id, status, title, amount, currency, image, country,
	return_url, cancel_url, order_id, locale, metadata, attempts, capture, confirm, payment, live, spent,
	created_at, expires_at, paid_at, failed_at, cancelled_at, expired_at, sequence, version`

var (
	selectSession = statement(`SELECT ` + sessionColumns + ` FROM sessions WHERE id = $1`)

	selectSessionsAfter = statement(`SELECT ` + sessionColumns + ` FROM sessions WHERE id > $1 ORDER BY id LIMIT $2`)

	insertSession = statement(`INSERT INTO sessions (` + sessionColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
			$21, $22, $23, $24, $25, $26, $27, $28, $29)
		ON CONFLICT DO NOTHING`)

	// What a sale is made of never changes, so no statement can change it. The status
	// before is told by the version: the caller read both.
	updateSession = statement(`UPDATE sessions SET status = $3, payment = $4, live = $5, spent = $6,
			paid_at = $7, failed_at = $8, cancelled_at = $9, expired_at = $10, sequence = $11, version = version + 1
		WHERE id = $1 AND version = $2`)

	selectSessionStatus = statement(`SELECT status FROM sessions WHERE id = $1`)

	selectStanding = statement(`SELECT environment, game, status, live, expires_at FROM sessions WHERE id = $1`)

	selectOverdue = statement(`SELECT id FROM sessions
		WHERE status = 'pending' AND live = 0 AND expires_at <= $1 ORDER BY expires_at, id LIMIT $2`)

	selectNextDeadline = statement(`SELECT expires_at FROM sessions
		WHERE status = 'pending' AND live = 0 AND expires_at > 0 ORDER BY expires_at LIMIT 1`)
)

func readStanding(c *columns) (pay.Standing, error) {
	return pay.Standing{
		Environment: pay.Environment(c.text()),
		Game:        pay.GameID(c.text()),
		Status:      pay.SessionStatus(c.text()),
		Live:        c.flag(),
		ExpiresAt:   c.time(),
	}, nil
}

func readSession(c *columns) (pay.Session, error) {
	s := pay.Session{
		ID:          pay.SessionID(c.text()),
		Environment: pay.Environment(c.text()),
		Game:        pay.GameID(c.text()),
		User:        pay.UserID(c.text()),
		Status:      pay.SessionStatus(c.text()),
		Item: pay.Item{
			Title:   c.text(),
			Price:   pay.Money{Amount: c.integer(), Currency: pay.Currency(c.text())},
			Image:   pay.ImageRef(c.text()),
			Country: c.text(),
		},
		ReturnURL: pay.ReturnURL(c.text()),
		CancelURL: pay.ReturnURL(c.text()),
		OrderID:   c.text(),
		Locale:    c.text(),
	}
	metadata := c.text()
	s.Attempts = int(c.integer())
	s.Capture = pay.CaptureMode(c.text())
	s.Confirm = c.flag()
	s.Payment = pay.PaymentID(c.text())
	s.Live = c.flag()
	s.Spent = int(c.integer())
	s.CreatedAt, s.ExpiresAt = c.time(), c.time()
	s.PaidAt, s.FailedAt, s.CancelledAt, s.ExpiredAt = c.time(), c.time(), c.time(), c.time()
	s.Sequence, s.Version = c.integer(), c.integer()
	if metadata == "" {
		return s, nil
	}
	s.Metadata = new(pay.Metadata)
	if err := json.Unmarshal([]byte(metadata), s.Metadata); err != nil {
		return s, fmt.Errorf("metadata of session %s: %w", s.ID, err)
	}
	return s, nil
}

// putSession writes a session that is one version ahead of the stored one, and
// returns the status that it had; empty for a new one.
func (t *Tx) putSession(s *pay.Session) (was pay.SessionStatus, err error) {
	if s.Version == 0 {
		err = t.insertSession(s)
	} else if was, err = one(t.q, readStatus, selectSessionStatus, string(s.ID)); err == nil {
		err = t.updateSession(s)
	}
	return was, err
}

func readStatus(c *columns) (pay.SessionStatus, error) { return pay.SessionStatus(c.text()), nil }

func (t *Tx) insertSession(s *pay.Session) error {
	metadata := ""
	if s.Metadata != nil {
		metadata = jsonText(s.Metadata)
	}
	return changed(t.q, "insert session", insertSession,
		string(s.ID), string(s.Environment), string(s.Game), string(s.User), string(s.Status),
		s.Item.Title, s.Item.Price.Amount, string(s.Item.Price.Currency), string(s.Item.Image), s.Item.Country,
		string(s.ReturnURL), string(s.CancelURL), s.OrderID, s.Locale, metadata,
		int64(s.Attempts), string(s.Capture), bit(s.Confirm), string(s.Payment), bit(s.Live), int64(s.Spent),
		stamp(s.CreatedAt), stamp(s.ExpiresAt), stamp(s.PaidAt), stamp(s.FailedAt), stamp(s.CancelledAt), stamp(s.ExpiredAt),
		s.Sequence, int64(1))
}

func (t *Tx) updateSession(s *pay.Session) error {
	return changed(t.q, "update session", updateSession,
		string(s.ID), s.Version, string(s.Status), string(s.Payment), bit(s.Live), int64(s.Spent),
		stamp(s.PaidAt), stamp(s.FailedAt), stamp(s.CancelledAt), stamp(s.ExpiredAt), s.Sequence)
}

// SessionsAfter is store.Reader's.
func (r Reader) SessionsAfter(after pay.SessionID, most int) ([]pay.Session, error) {
	return all(r.q, readSession, selectSessionsAfter, string(after), int64(most))
}

func readSessionID(c *columns) (pay.SessionID, error) { return pay.SessionID(c.text()), nil }

var _ store.Reader = Reader{}
