package sqlstore

import (
	"errors"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// Tx is store.Tx on a transaction that may hold several closures' writes, of which
// this is one.
type Tx struct {
	Reader
	batch *Batch
}

var _ store.Tx = (*Tx)(nil)

// Batch is what closures that share a transaction share: changes to the totals, kept
// in memory until the end, what is known of the subscribers, and which endpoints, by
// number, this transaction has seen to be all right.
type Batch struct {
	tally       tally
	subscribers subscribers
	healthy     map[int64]struct{}
	events      int
	reliance    reliance
}

// NewBatch returns a Batch that can serve one transaction after another.
func NewBatch() *Batch { return &Batch{healthy: map[int64]struct{}{}} }

// Begin forgets what is left of the transaction before.
func (b *Batch) Begin() {
	b.tally.changes, b.events = b.tally.changes[:0], 0
	clear(b.healthy)
}

// Savepoint is a point to go back to, before a closure.
type Savepoint struct{ changes, events int }

// Savepoint notes where the batch stands.
func (b *Batch) Savepoint() Savepoint { return Savepoint{len(b.tally.changes), b.events} }

// RollBack drops what came after the savepoint.
func (b *Batch) RollBack(to Savepoint) {
	b.tally.changes, b.events = b.tally.changes[:to.changes], to.events
	clear(b.healthy)
}

// Finish writes what was kept back. It is to be called just before COMMIT.
func (b *Batch) Finish(q Querier) error {
	if _, ok := q.(Concurrent); ok {
		return b.tally.add(q)
	}
	return b.tally.flush(q)
}

// Events is how many events the transaction wrote.
func (b *Batch) Events() int { return b.events }

// Reconfigured forgets the endpoints, after anything that may have changed them.
func (b *Batch) Reconfigured() {
	b.subscribers = nil
	clear(b.healthy)
}

// NewTx is one closure's view of the transaction.
func NewTx(q Querier, b *Batch) *Tx { return &Tx{Reader: Reader{q: q, tally: &b.tally}, batch: b} }

// Apply is store.Tx's.
func (t *Tx) Apply(c pay.Change) error {
	if c.Empty() {
		return nil
	}
	if err := t.applySession(c.Session); err != nil {
		return err
	}
	if err := t.applyMoney(c); err != nil {
		return err
	}
	if c.Image != nil {
		if err := putImage(t.q, *c.Image); err != nil {
			return err
		}
	}
	for i := range c.Events {
		if err := t.putEvent(&c.Events[i]); err != nil {
			return err
		}
	}
	t.batch.events += len(c.Events)
	c.Session.Version++
	if c.Payment != nil {
		c.Payment.Version++
	}
	if c.Refund != nil {
		c.Refund.Version++
	}
	return nil
}

// applyMoney writes the payment, or the refund and what it did to its payment.
func (t *Tx) applyMoney(c pay.Change) error {
	switch {
	case c.Refund != nil:
		if err := t.applyRefund(c.Refund); err != nil {
			return err
		}
		return t.putRefunded(c.Payment)
	case c.Payment != nil:
		return t.applyPayment(c.Payment)
	}
	return nil
}

func (t *Tx) applyRefund(r *pay.Refund) error {
	was, err := t.putRefund(r)
	if err != nil {
		return conflict(err)
	}
	if was != r.Status {
		t.batch.tally.refundMoved(r, was)
	}
	return nil
}

func (t *Tx) applySession(s *pay.Session) error {
	was, err := t.putSession(s)
	if err != nil {
		return conflict(err)
	}
	if was != s.Status {
		t.batch.tally.sessionMoved(s, was)
	}
	return nil
}

func (t *Tx) applyPayment(p *pay.Payment) error {
	was, err := t.putPayment(p)
	if err != nil {
		return conflict(err)
	}
	if sold(p.Status) && !sold(was) {
		t.batch.tally.paymentSold(p)
	}
	return nil
}

// conflict: a row that is not there is not at the version that was decided on either.
func conflict(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return store.ErrConflict
	}
	return err
}

// Tallied says whether the transaction wrote what somebody has to fold.
func (b *Batch) Tallied() bool { return len(b.tally.changes) > 0 }
